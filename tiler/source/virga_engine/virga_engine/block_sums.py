# SPDX-License-Identifier: Apache-2.0
"""Block means of boxes of stored numbers: sums that may be added to in any order. Pickled by value, as on_worker.py
is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Box = tuple[tuple[int, ...], tuple[int, ...]]  # start and count along each dimension

PIECE_ELEMENTS = 1 << 19  # numbers reduced at a time, so that what is made of them stays in the processor's cache


@dataclass(frozen=True)
class Terms:
    """What a mean is of: block lengths, which stored numbers are absent, packing (as in ReadRequest)."""

    block: tuple[int, ...]
    missing: tuple[float, ...] = ()
    scale: float = 1.0
    offset: float = 0.0


class Scratch:
    """Memory that is used again and again. Workers' allocators give every larger array back at once, and page faults
    then cost more than the arithmetic. One thread."""

    def __init__(self) -> None:
        self._buffers: dict[object, np.ndarray] = {}

    def take(self, name: object, shape: tuple[int, ...], dtype: np.dtype | type) -> np.ndarray:
        """An array with anything in it, until the same name is taken again."""
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        if name not in self._buffers or self._buffers[name].size < size:
            self._buffers[name] = np.empty(size, np.uint8)
        return self._buffers[name][:size].view(dtype).reshape(shape)

    def copy(self, name: object, numbers: np.ndarray, dtype: np.dtype | type) -> np.ndarray:
        """The same numbers, C-contiguous and of this type; not copied where they are so already."""
        if numbers.dtype == dtype and numbers.flags.c_contiguous:
            return numbers
        copied = self.take(name, numbers.shape, dtype)
        np.copyto(copied, numbers, casting="unsafe")
        return copied


def reduce_rows(operation: np.ufunc, rows: np.ndarray, lead: int, block: int, answer: np.ndarray) -> None:
    """Applies the operation within blocks of the first axis; the first row is its block's number `lead` (0 to block -
    1)."""
    n = rows.shape[0]
    head = min(n, block - lead) if lead else 0
    whole = (n - head) // block
    tail = head + whole * block
    if head:
        operation.reduce(rows[:head], axis=0, out=answer[0, ...])
    if whole:
        inside = rows[head:tail].reshape(whole, block, *rows.shape[1:])
        operation.reduce(inside, axis=1, out=answer[(head > 0):(head > 0) + whole])
    if tail < n:
        operation.reduce(rows[tail:], axis=0, out=answer[-1, ...])


def reduce_axes(pairs: list[tuple[np.ufunc, np.ndarray]], leads: tuple[int, ...], block: tuple[int, ...],
                scratch: Scratch) -> list[np.ndarray]:
    """Each operation within blocks of its array, of one shape all; sums are float64. The longest blocks first, so that
    the rest have less to do; each axis is brought to the front for it, for numpy is fast where rows are long. The
    answers are in the scratch."""
    arrays = [array for _, array in pairs]
    for axis in sorted((axis for axis, length in enumerate(block) if length > 1), key=lambda axis: -block[axis]):
        fronts: dict[int, np.ndarray] = {}  # at first several have the same numbers: brought to the front once
        for array in arrays:
            if id(array) not in fronts:
                fronts[id(array)] = scratch.copy(("front", axis, len(fronts)), np.moveaxis(array, axis, 0), array.dtype)
        for i, (operation, _) in enumerate(pairs):
            rows = fronts[id(arrays[i])]
            if operation is np.add:
                rows = scratch.copy(("sum", axis, i), rows, np.float64)
            blocks = (leads[axis] + rows.shape[0] - 1) // block[axis] + 1
            answer = scratch.take(("answer", axis, i), (blocks, *rows.shape[1:]), rows.dtype)
            reduce_rows(operation, rows, leads[axis], block[axis], answer)
            arrays[i] = np.moveaxis(answer, 0, axis)
    return arrays


def block_lengths(at: int, n: int, block: int) -> np.ndarray:
    """How many of n points from `at` on lie in each block that they touch (float64)."""
    lengths = np.full((at + n - 1) // block + 1 - at // block, float(block))
    lengths[0] -= at % block
    lengths[-1] -= -(at + n) % block
    return lengths


def outer_product(lengths: list[np.ndarray]) -> np.ndarray:
    """Points of each block, from the lengths along each dimension."""
    product = np.ones(())
    for axis_lengths in lengths:
        product = np.multiply.outer(product, axis_lengths)
    return product


def partial_blocks(stored: np.ndarray, at: tuple[int, ...], terms: Terms, points: np.ndarray,
                   scratch: Scratch) -> list[np.ndarray]:
    """Sum, least, most and count of present numbers in each block that this box touches: a box of any place and size.

    at: where the box begins, in stored points from the start of the request. points: of the box in each block. Where
    nothing is present: 0, inf, -inf, 0. The answers are in the scratch.
    """
    leads = tuple(a % b for a, b in zip(at, terms.block))
    with np.errstate(over="ignore", invalid="ignore"):  # as if all were present; least and most in the stored type
        pairs = [(operation, stored) for operation in (np.add, np.minimum, np.maximum)]
        answer = reduce_axes(pairs, leads, terms.block, scratch)
        masked = stored.dtype.kind == "f" and not np.isfinite(answer[0].sum(dtype=np.float64))
    if not masked and terms.missing:
        low, high = answer[1].min(), answer[2].max()
        masked = any(low <= missing <= high for missing in terms.missing)
    if not masked:
        return [*answer, points]
    numbers = scratch.copy("numbers", stored, np.float64)
    present = np.isfinite(numbers, out=scratch.take("present", stored.shape, np.bool_))
    for missing in terms.missing:
        present &= np.not_equal(numbers, missing, out=scratch.take("differs", stored.shape, np.bool_))
    pairs = [(np.add, present)]
    for operation, neutral in ((np.maximum, -np.inf), (np.minimum, np.inf), (np.add, 0.0)):
        filled = scratch.take(("filled", neutral), stored.shape, np.float64)
        filled.fill(neutral)
        np.copyto(filled, numbers, where=present)
        pairs.insert(0, (operation, filled))
    return reduce_axes(pairs, leads, terms.block, scratch)


def finish_means(sums: np.ndarray, terms: Terms) -> np.ndarray:
    """(4, …) of sum, least, most, count, made (4, …) of mean, least, most, count, unpacked; NaN where nothing is
    present."""
    total, least, most, count = sums
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        answer = np.stack([total / count, least, most, count])
        answer[:3] *= terms.scale
        answer[:3] += terms.offset
    if terms.scale < 0:
        answer[[1, 2]] = answer[[2, 1]]
    answer[:3, count == 0] = np.nan
    return answer


class Sums:
    """Sum, least, most and count of the blocks in a box of the answer, to which boxes of stored numbers are added in
    any order."""

    def __init__(self, box: Box, terms: Terms, lengths: tuple[int, ...], leads: tuple[int, ...]) -> None:
        """box: in points of the answer. lengths: of the whole request, in stored points, of which the first `leads` are
        lacking."""
        self.start, self.count = box
        self.terms = terms
        self.sums = np.empty((4, *self.count))
        self.sums[0], self.sums[1], self.sums[2], self.sums[3] = 0, np.inf, -np.inf, 0
        self.scratch = Scratch()
        self.covered = np.zeros(self.count)  # stored points added to each block
        along = zip(self.start, self.count, terms.block, lengths, leads)
        self.expected = outer_product([block_lengths(max(lead, s * b), min(length, (s + n) * b) - max(lead, s * b), b)
                                       for s, n, b, length, lead in along])

    def add(self, stored: np.ndarray, at: tuple[int, ...]) -> None:
        """Adds a box of stored numbers that begins at `at`, in stored points from the start of the request."""
        if not stored.ndim:
            self._add_piece(stored, at)
            return
        block, rows = self.terms.block[0], max(1, PIECE_ELEMENTS // max(1, stored[0].size))
        rows = max(1, rows // block) * block if block < 4 * rows else rows
        first, n = 0, stored.shape[0]
        while first < n:
            last = min(n, (at[0] + first + rows) // block * block - at[0])
            last = last if last > first else min(n, first + rows)
            self._add_piece(stored[first:last], (at[0] + first, *at[1:]))
            first = last

    def _add_piece(self, stored: np.ndarray, at: tuple[int, ...]) -> None:
        points = outer_product([block_lengths(a, n, b) for a, n, b in zip(at, stored.shape, self.terms.block)])
        total, least, most, count = partial_blocks(stored, at, self.terms, points, self.scratch)
        window = tuple(slice(a // b - s, (a + n - 1) // b + 1 - s) for a, n, b, s in
                       zip(at, stored.shape, self.terms.block, self.start))
        here = self.sums[(slice(None), *window)]
        here[0] += total
        np.minimum(here[1], least, out=here[1, ...])
        np.maximum(here[2], most, out=here[2, ...])
        here[3] += count
        self.covered[window] += points


def boxes_of(mask: np.ndarray) -> list[Box]:
    """Boxes that together hold each true point once: few where what is true is made of boxes."""
    if not mask.ndim:
        return [((), ())] if mask else []
    if not mask.size:
        return []
    rows = mask.reshape(mask.shape[0], -1)
    firsts = np.flatnonzero(np.concatenate([[True], (rows[1:] != rows[:-1]).any(axis=1)]))
    boxes = []
    for first, last in zip(firsts, [*firsts[1:], len(rows)]):
        boxes += [((int(first), *start), (int(last - first), *count)) for start, count in boxes_of(mask[first])]
    return boxes
