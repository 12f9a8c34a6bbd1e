# SPDX-License-Identifier: Apache-2.0
"""Who fills slabs: this process (DirectReader) or a cluster (cluster_reader.ClusterReader)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from math import prod
from typing import Protocol

import numpy as np

from .arrays import StoredArray
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
    def read(self, array: StoredArray, request: ReadRequest, slab: memoryview, cancelled: Cancel) -> ReadCount:
        """Fills the slab, or sees to it that workers deliver all of it under request.token before this returns.

        slab: writable bytes of exactly the answer's size (request.points of array.dtype, or four arrays of float64), mapped
        from the server's memory; not to be kept after the return. Called on several threads at once. Raises Failure (Cancelled
        soon after `cancelled` is set) or what a library raises; never answers with less than all of the numbers.
        """


def chunk_bytes(array: StoredArray, request: ReadRequest) -> int:
    """Decoded bytes of the stored chunks that a box touches, cut at the array's edges."""
    edges = [(a // c * c, min(n, -(-(a + k) // c) * c))
             for a, k, c, n in zip(request.start, request.count, array.chunks, array.shape)]
    return prod(last - first for first, last in edges) * array.dtype.itemsize


# A reduction reads about this much at a time, in whole blocks.
_PIECE_BYTES = 64 << 20


class DirectReader:
    """Reads in this process, on the calling thread: for engines without a cluster, and for what only this process has."""

    def read(self, array: StoredArray, request: ReadRequest, slab: memoryview, cancelled: Cancel) -> ReadCount:
        if request.reduction == Reduction.NONE:
            answer = np.frombuffer(slab, dtype=array.dtype).reshape(request.points)
            answer[...] = array.read(request.slices)
        else:
            self._reduce(array, request, slab, cancelled)
        return ReadCount(read=chunk_bytes(array, request))

    def _reduce(self, array: StoredArray, request: ReadRequest, slab: memoryview, cancelled: Cancel) -> None:
        mean = request.reduction == Reduction.MEAN
        answer = np.frombuffer(slab, dtype=np.float64 if mean else array.dtype)
        answer = answer.reshape((request.arrays, *request.points) if mean else (1, *request.points))
        for box, piece in _pieces(array, request):
            cancelled.check()
            answer[(slice(None), *box)] = reduce_box(array.read(piece.slices), piece)


def _pieces(array: StoredArray, request: ReadRequest):
    """Cuts a reduction along its slowest dimension: (box of the answer, request for it) of whole blocks, about _PIECE_BYTES each."""
    from dataclasses import replace
    if not request.count:
        yield (), request
        return
    rows = max(request.block[0], array.chunks[0])
    row_bytes = prod(request.count[1:]) * array.dtype.itemsize * rows
    blocks = max(1, rows // request.block[0]) * max(1, _PIECE_BYTES // max(1, row_bytes))
    whole = tuple(slice(0, n) for n in request.points[1:])
    for first in range(0, request.points[0], blocks):
        last = min(request.points[0], first + blocks)
        start = first * request.block[0]
        count = min(request.count[0], last * request.block[0]) - start
        yield (slice(first, last), *whole), replace(request, start=(request.start[0] + start, *request.start[1:]),
                                                    count=(count, *request.count[1:]))
