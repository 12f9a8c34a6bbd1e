# SPDX-License-Identifier: Apache-2.0
"""Which task reads which chunks of a request: each chunk once, neighbours together, and cut so that few blocks lie in
two tasks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np

from .request import ReadRequest, Reduction

GROUP_BYTES = 128 << 20   # of stored numbers that one task reads: a task that is given up meanwhile ends soon
SMALL_BYTES = 256 << 10   # a task for less is not worth its way
SMALL_CHUNKS = 8          # unless they are many chunks: each takes a store's time to answer
MOST_SHARED = 0.15        # of a mean's blocks that may lie in several tasks; such a block travels once for each of them
TINY_ANSWER = 64 << 10    # bytes: an answer below this may be shared as it likes

Index = tuple[int, ...]


@dataclass(frozen=True)
class Group:
    """Chunks that one task reads, slowest dimension first."""

    indices: tuple[Index, ...]


def needed_chunks(edges: list[np.ndarray], request: ReadRequest) -> list[np.ndarray]:
    """Along each dimension the numbers of the chunks that hold what is asked for.

    edges: where chunks begin, and the end. A stride needs only chunks with the first point of a block.
    """
    needed = []
    for edge, start, count, block in zip(edges, request.start, request.count, request.block):
        first = np.searchsorted(edge, max(0, start), side="right") - 1
        last = np.searchsorted(edge, start + count, side="left")
        numbers = np.arange(first, last)
        numbers = numbers[edge[numbers + 1] > edge[numbers]]  # dask arrays may have empty chunks
        if request.reduction == Reduction.STRIDE and block > 1:
            numbers = np.unique(np.searchsorted(edge, np.arange(start, start + count, block), side="right") - 1)
        needed.append(numbers)
    return needed


def cut(edge: np.ndarray, numbers: np.ndarray, parts: int, start: int, block: int) -> tuple[list[np.ndarray], int]:
    """Cuts the chunks along one dimension into about equal parts, between blocks where such a place is near: (parts,
    blocks cut)."""
    places, cut_blocks = [], 0
    between = np.flatnonzero((edge[numbers] - start) % block == 0)
    reach = max(1, len(numbers) // (2 * parts))
    for part in range(1, parts):
        middle = len(numbers) * part // parts
        near = between[slice(*np.searchsorted(between, [max(1, middle - reach), middle + reach + 1]))]
        place = int(near[np.argmin(np.abs(near - middle))]) if len(near) else middle
        if place > (places[-1] if places else 0):
            places.append(place)
            cut_blocks += not len(near)
    return np.split(numbers, places), cut_blocks


def _cuts(edges: list[np.ndarray], needed: list[np.ndarray], request: ReadRequest,
          groups: int) -> list[list[np.ndarray]]:
    """The chunks along each dimension in parts, whose products are the groups: as many as are asked for, if a mean
    allows it."""
    mean = request.reduction == Reduction.MEAN
    most = MOST_SHARED if mean and 32 * prod(request.points) > TINY_ANSWER else float("inf")
    blocks = request.block if mean else (1,) * len(needed)
    best = [([numbers], 0) for numbers in needed]
    while prod(len(parts) for parts, _ in best) < groups:
        choices = []
        for d, (parts, _) in enumerate(best):
            if len(parts) < len(needed[d]):
                finer = cut(edges[d], needed[d], min(len(needed[d]), 2 * len(parts)), request.start[d], blocks[d])
                shared = sum(c / n for (_, c), n in zip([*best[:d], finer, *best[d + 1:]], request.points))
                if len(finer[0]) > len(parts) and shared <= most:
                    choices.append((shared, d, finer))
        if not choices:
            break
        _, d, finer = min(choices, key=lambda choice: choice[:2])
        best[d] = finer
    return [parts for parts, _ in best]


def plan(edges: list[np.ndarray], request: ReadRequest, itemsize: int, threads: int) -> list[Group]:
    """Groups of neighbouring chunks, in the order of the answer."""
    needed = needed_chunks(edges, request)
    if any(len(numbers) == 0 for numbers in needed):
        return []
    chunks = prod(len(numbers) for numbers in needed)
    size = prod(int((edge[numbers + 1] - edge[numbers]).sum()) for edge, numbers in zip(edges, needed)) * itemsize
    groups = max(-(-size // GROUP_BYTES), min(2 * threads, max(size // SMALL_BYTES, chunks // SMALL_CHUNKS)), 1)
    parts = _cuts(edges, needed, request, min(groups, chunks))
    return [Group(tuple(product(*(part.tolist() for part in box)))) for box in product(*parts)]


def plan_held(edges: list[np.ndarray], itemsize: int, threads: int, places: dict[Index, str]) -> list[Group]:
    """Groups of chunks that lie in the memory of the same worker already. places: chunk -> worker."""
    by_worker: dict[str, list[Index]] = {}
    for index, place in places.items():
        by_worker.setdefault(place, []).append(index)
    groups = []
    for indices in by_worker.values():
        size = sum(chunk_points(edges, index) for index in indices) * itemsize
        parts = max(1, -(-size // GROUP_BYTES), min(2 * threads // len(by_worker), size // SMALL_BYTES))
        groups += [Group(tuple(some)) for some in _runs(sorted(indices), min(parts, len(indices)))]
    return groups


def _runs(indices: list[Index], parts: int) -> Iterator[list[Index]]:
    for part in range(parts):
        yield indices[len(indices) * part // parts:len(indices) * (part + 1) // parts]


def chunk_points(edges: list[np.ndarray], index: Index) -> int:
    return prod(int(edge[i + 1] - edge[i]) for edge, i in zip(edges, index))


def answer_box(edges: list[np.ndarray], request: ReadRequest, indices: tuple[Index, ...]) -> tuple[Index, Index]:
    """Start and count, in points of the answer, of the box around what these chunks hold of it."""
    start, count = [], []
    for d, numbers in enumerate(zip(*indices)):
        first = max(0, int(edges[d][min(numbers)]) - request.start[d])
        last = min(request.count[d], int(edges[d][max(numbers) + 1]) - request.start[d])
        block = request.block[d]
        low = first // block if request.reduction == Reduction.MEAN else -(-first // block)
        start.append(low)
        count.append(-(-last // block) - low)
    return tuple(start), tuple(count)
