# SPDX-License-Identifier: Apache-2.0
"""A variable as it is stored: shape, type, chunks, attributes and raw numbers, read here or as a dask array."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import dask.array

Slices = tuple[slice, ...]


class StoredArray:
    """One variable of a Dataset. Any thread; immutable, but for `dask`, which is made when it is first asked for.

    name        "group/name" below the root group
    dimensions  names of the dimensions, slowest first, as Dataset.dimensions has them
    shape       points along each; () for a scalar
    dtype       of the raw stored numbers (packed integers stay packed), in native byte order; bool is uint8
    chunks      the stored chunk's shape (the whole shape where chunked is False), each at least 1; edges may be partial
    chunked     whether it is stored in chunks, so that a part of one costs all of it
    attributes  as stored: name -> str, or a 1-D numpy array or numpy scalar of its exact type (with scale_factor,
                _FillValue, …)
    fill        what stands for never-written numbers where no _FillValue says so, or None
    readable    False for strings and compounds, which are listed and never read
    """

    def __init__(self, name: str, dimensions: tuple[str, ...], shape: tuple[int, ...], dtype: np.dtype, *,
                 attributes: Mapping[str, Any], read: Callable[[Slices], np.ndarray] | None,
                 dask: Callable[[], dask.array.Array] | None = None, chunks: tuple[int, ...] | None = None,
                 fill: float | None = None, at_hand: bool = False) -> None:
        """read: raw numbers of a box, any array-like of this shape; called from several threads at once.
        dask: makes the same numbers as a dask array, chunked as stored or in multiples of chunks, whose tasks need no
        virga on the workers and whose name is the same for the same data; None where there is none (then it is made
        from `read`).
        at_hand: the numbers are in this process's memory already, or are soon (few_numbers): no cluster is faster."""
        self.name = name
        self.dimensions = tuple(dimensions)
        self.shape = tuple(int(n) for n in shape)
        self.dtype = np.dtype(np.uint8) if dtype.kind == "b" else dtype.newbyteorder("=")
        self.chunked = chunks is not None
        self.chunks = tuple(max(1, int(n)) for n in (self.shape if chunks is None else chunks))
        self.attributes = dict(attributes)
        self.fill = fill
        self.readable = read is not None
        self.at_hand = at_hand
        self._read = read
        self._make_dask = dask
        self._dask: dask.array.Array | None = None
        self._lock = Lock()

    @property
    def on_cluster(self) -> bool:
        """Whether a cluster is to read it: False where only this process has the numbers, or has them already."""
        return self._make_dask is not None and not self.at_hand

    def read(self, slices: Slices) -> np.ndarray:
        """The raw stored numbers of a box (unit steps, within the shape), read in this process: C-contiguous, of
        self.dtype.

        May block on disk or network for long. Raises whatever the library raises; service.py turns that into a Failure.
        """
        if self._read is None:
            raise TypeError("numbers of this type cannot be read")
        return plain(self._read(slices), self.dtype)

    @property
    def dask(self) -> dask.array.Array:
        """The whole variable as a dask array of raw stored numbers of self.dtype; a graph without numbers, made
        once."""
        with self._lock:
            if self._dask is None:
                self._dask = self._new_dask()
            return self._dask

    def _new_dask(self) -> dask.array.Array:
        import dask.array
        if self._make_dask is None:
            return dask.array.from_array(_Reading(self), chunks=self.chunks or -1, asarray=False)
        array = self._make_dask()
        if array.dtype != self.dtype:
            array = array.view(self.dtype) if array.dtype.kind == "b" else array.astype(self.dtype)
        return array


def few_numbers(shape: tuple[int, ...], dtype: np.dtype) -> bool:
    """Whether an array is a coordinate or as small as one: this process reads it, so that a dataset opens also while a cluster has no workers."""
    return len(shape) <= 1 and math.prod(shape) * dtype.itemsize <= 1 << 20


class _Reading:
    """What dask.array.from_array wants of an array that is read in this process only."""

    def __init__(self, array: StoredArray) -> None:
        self._array = array
        self.shape, self.dtype, self.ndim = array.shape, array.dtype, len(array.shape)

    def __getitem__(self, slices: Slices) -> np.ndarray:
        return self._array.read(slices)


def plain(numbers: Any, dtype: np.dtype) -> np.ndarray:
    """A C-contiguous ndarray of this native dtype, with no mask; bool becomes uint8. Bits are kept."""
    array = np.ma.getdata(numbers) if isinstance(numbers, np.ma.MaskedArray) else np.asarray(numbers)
    if array.dtype.kind == "b":
        array = array.view(np.uint8)
    return np.ascontiguousarray(array, dtype=dtype).reshape(array.shape)
