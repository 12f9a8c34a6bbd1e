# SPDX-License-Identifier: Apache-2.0
"""Who fills slabs: this process (DirectReader) or a cluster (cluster_reader.ClusterReader)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import IntEnum
from math import prod
from threading import Condition
from typing import Protocol

import numpy as np

from .arrays import StoredArray
from .failure import Failure, Status
from .lent_slab import LentSlab
from .reduction import reduce_box
from .request import Cancel, ReadRequest, Reduction


class Delivered(IntEnum):
    """How the slab reached the server: the last byte of SLAB."""

    BY_DESCRIPTOR = 0
    BY_PIECES = 1


@dataclass(frozen=True)
class ReadCount:
    """read: decoded bytes of the stored chunks that were read; sent: bytes that left workers for this request."""

    read: int
    sent: int = 0
    delivered: Delivered = Delivered.BY_DESCRIPTOR


class Reader(Protocol):
    def read(self, array: StoredArray, request: ReadRequest, slab: LentSlab, cancelled: Cancel) -> ReadCount:
        """Fills the slab, or sees to it that workers deliver all of it under request.token before this returns.

        slab: of exactly the answer's size (request.points of array.dtype, or four arrays of float64); written by its
        write() alone, as the server may have it back as soon as `cancelled` is set. Called on several threads at once.
        Raises Failure (Cancelled soon after `cancelled` is set) or what a library raises; never answers with less than
        all of the numbers.
        """


def answer_layout(array: StoredArray, request: ReadRequest) -> tuple[np.dtype, tuple[int, ...]]:
    """Type and shape of the slab: (arrays, *points)."""
    dtype = np.dtype(np.float64) if request.reduction == Reduction.MEAN else array.dtype
    return dtype, (request.arrays, *request.points)


def chunk_bytes(array: StoredArray, request: ReadRequest) -> int:
    """Decoded bytes of the stored chunks that a box touches, cut at the array's edges."""
    if not array.chunked:
        return prod(request.count) * array.dtype.itemsize
    edges = [(max(0, a) // c * c, min(n, -(-(a + k) // c) * c))
             for a, k, c, n in zip(request.start, request.count, array.chunks, array.shape)]
    return prod(last - first for first, last in edges) * array.dtype.itemsize


# What is read at a time, in whole rows of chunks and whole blocks.
_PIECE_BYTES = 64 << 20


class DirectReader:
    """Reads in this process, on the calling thread: for engines without a cluster, and for what only this process has.

    Pieces that are being read together take at most most_bytes, decoded; others wait for their turn.
    """

    def __init__(self, most_bytes: int = 1 << 30) -> None:
        self._gate = _ByteGate(most_bytes)

    def read(self, array: StoredArray, request: ReadRequest, slab: LentSlab, cancelled: Cancel) -> ReadCount:
        layout = answer_layout(array, request)
        read = 0
        for box, piece in _pieces(array, request):
            size = chunk_bytes(array, piece)
            working = size if piece.reduction == Reduction.NONE else prod(piece.count) * 5 * 8 + size
            with self._gate.admit(working, cancelled):
                slab.write(*layout, (slice(None), *box), reduce_box(array.read(piece.slices), piece))
            read += size
        return ReadCount(read)


class _ByteGate:
    """Lets callers in while what they hold together is within a limit; one alone always may, up to the limit.

    What was given up counts only as far as it is more than as much again: a store that hangs is not to keep others
    waiting.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: dict[object, tuple[int, Cancel]] = {}  # guarded by _condition
        self._condition = Condition()

    @contextmanager
    def admit(self, size: int, cancelled: Cancel) -> Iterator[None]:
        """Raises Cancelled while it waits, or Failure where it could never be let in."""
        if size > self._most:
            raise Failure(Status.TOO_LARGE, f"a stored chunk and what is made of it take {size >> 20} MB, more than "
                                            "the engine may use for that; a larger engine-memory helps")
        ours = object()
        with self._condition:
            while self._in_use() + size > self._most:
                cancelled.check()
                self._condition.wait(0.2)
            cancelled.check()
            self._held[ours] = size, cancelled
        try:
            yield
        finally:
            with self._condition:
                del self._held[ours]
                self._condition.notify_all()

    def _in_use(self) -> int:
        given_up = sum(size for size, cancelled in self._held.values() if cancelled.is_set())
        return sum(size for size, _ in self._held.values()) - min(given_up, self._most)


def _pieces(array: StoredArray, request: ReadRequest) -> Iterator[tuple[tuple[slice, ...], ReadRequest]]:
    """Cuts a request along its slowest dimension: (box of the answer, request for it), about _PIECE_BYTES or one row
    of chunks each."""
    if not request.count:
        yield (), request
        return
    chunk, block, start, count = array.chunks[0] if array.chunked else 1, request.block[0], request.start[0], request.count[0]
    row_bytes = chunk_bytes(array, replace(request, start=(max(0, start), *request.start[1:]),
                                           count=(1, *request.count[1:])))
    rows = chunk * max(1, _PIECE_BYTES // max(1, row_bytes))
    whole = tuple(slice(0, n) for n in request.points[1:])
    at = 0
    while at < count:
        end = ((start + at) // rows + 1) * rows - start  # a chunk's edge, where a block ends there, too
        end = end // block * block
        if end <= at:
            end = at + -(-rows // block) * block
        end = min(end, count)
        piece = replace(request, start=(start + at, *request.start[1:]), count=(end - at, *request.count[1:]))
        yield (slice(at // block, -(-end // block)), *whole), piece
        at = end
