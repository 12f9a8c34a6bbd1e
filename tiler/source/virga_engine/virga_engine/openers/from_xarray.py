# SPDX-License-Identifier: Apache-2.0
"""xarray's variables as stored arrays: raw ones as they are, decoded times encoded again as CF says."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any

import dask.array as da
import numpy as np
import xarray as xr

from ..arrays import Slices, StoredArray, few_numbers
from ..datasets import Dimension, inherited_dimension

# Of an array that is stored in one piece, a dask chunk holds about this much.
PIECE_BYTES = 32 << 20
MAX_TEXT_NUMBERS = 1 << 16
# Attributes that decoding moves aside.
_NAMING = ("coordinates", "grid_mapping", "bounds", "formula_terms", "ancillary_variables", "cell_measures")


class Gathering:
    """Dimensions, variables and notes of a Dataset under way."""

    def __init__(self) -> None:
        self.dimensions: dict[str, Dimension] = {}
        self.variables: dict[str, StoredArray] = {}
        self.notes: list[str] = []

    def take(self, dataset: xr.Dataset, name_of: str, group: str = "", *,
             fills: Mapping[Hashable, float] | None = None, scheduler: Callable[[], Any] | None = None) -> None:
        """Every variable of a raw dataset, its coordinates first.

        name_of: begins dask names, so that the same data has the same ones. fills: what stands for never-written
        numbers. scheduler: computes dask arrays where this process reads them; else its threads do.
        """
        unlimited = {str(name) for name in dataset.encoding.get("unlimited_dims", ())}
        for key in [*dataset.coords, *dataset.data_vars]:
            name, variable = str(key), dataset[key].variable
            full = f"{group}/{name}" if group else name
            dimensions = tuple(self._dimension(group, str(d), n, str(d) in unlimited)
                               for d, n in variable.sizes.items())
            self.variables[full] = stored_array(full, dimensions, variable, f"{name_of}-{full}",
                                                fill=(fills or {}).get(key), scheduler=scheduler)

    def _dimension(self, group: str, name: str, length: int, unlimited: bool) -> str:
        known = inherited_dimension(self.dimensions, group, name, length)
        if known:
            return known
        known = f"{group}/{name}" if group else name
        self.dimensions[known] = Dimension(length, unlimited)
        return known


def stored_array(name: str, dimensions: tuple[str, ...], variable: xr.Variable, dask_name: str, *,
                 fill: float | None = None, scheduler: Callable[[], Any] | None = None) -> StoredArray:
    """One raw variable; its numbers may be lazy, dask's or numpy's."""
    readable = variable.dtype.kind in "biuf" or variable.dtype == "S1"
    chunks = _chunks(variable)
    at_hand = isinstance(variable, xr.IndexVariable) or isinstance(variable._data, np.ndarray)
    at_hand = at_hand or (variable.chunks is None and few_numbers(variable.shape, variable.dtype))

    def read(slices: Slices) -> np.ndarray:
        part = variable[slices] if variable.ndim else variable
        if part.chunks is None:
            return part.values
        return part.data.compute(scheduler=scheduler() if scheduler else "threads")

    def make():
        if variable.chunks is not None:
            return variable.data
        if not variable.ndim or at_hand:
            return da.from_array(variable.values, chunks=-1, name=f"{dask_name}-whole")
        pieces = chunks or piece_chunks(variable.shape, variable.dtype)
        chunked = variable.chunk(dict(zip(variable.dims, pieces)), name=f"{dask_name}-", inline_array=True)
        return chunked.data

    attributes = {str(key): value for key, value in variable.attrs.items()}
    if variable.encoding.get("_FillValue") is not None and variable.dtype.kind in "iuf":
        attributes.setdefault("_FillValue", np.array(variable.encoding["_FillValue"]).astype(variable.dtype)[()])
    return StoredArray(name, dimensions, variable.shape, variable.dtype, attributes=attributes,
                       read=read if readable else None, dask=make if readable else None, chunks=chunks,
                       fill=None if "_FillValue" in attributes else fill, at_hand=at_hand)


def _chunks(variable: xr.Variable) -> tuple[int, ...] | None:
    """The stored chunk's shape, or None where it is stored in one piece or nobody knows."""
    if variable.ndim == 0:
        return None
    stored = variable.encoding.get("chunksizes") or variable.encoding.get("preferred_chunks")
    if isinstance(stored, Mapping):
        stored = tuple(stored.get(d, n) for d, n in variable.sizes.items())
        stored = tuple(max(c) if isinstance(c, (tuple, list)) else c for c in stored)
    if stored is not None and len(stored) == variable.ndim and variable.chunks is None:
        return tuple(min(int(c), n) for c, n in zip(stored, variable.shape))
    if variable.chunks is not None:
        return tuple(max(parts) for parts in variable.chunks)
    return None


def piece_chunks(shape: tuple[int, ...], dtype: np.dtype) -> tuple[int, ...]:
    """How to cut what is stored in one piece: along the slowest dimensions."""
    chunks = list(shape)
    for axis in range(len(shape) - 1):
        size = int(np.prod(chunks, dtype=np.int64)) * dtype.itemsize
        if size <= PIECE_BYTES:
            break
        chunks[axis] = max(1, chunks[axis] * PIECE_BYTES // size)
    return tuple(chunks)


def encoded(dataset: xr.Dataset, notes: list[str]) -> xr.Dataset:
    """A decoded dataset as CF has it: times as numbers with units, booleans as bytes, text as characters; values stay
    as they are."""
    made = {key: _encoded(key, dataset[key].variable, notes) for key in [*dataset.coords, *dataset.data_vars]}
    kept = {key: variable for key, variable in made.items() if variable is not None}
    result = xr.Dataset(coords=xr.Coordinates({}, indexes={}), attrs=dataset.attrs)
    result = result.assign({key: variable for key, variable in kept.items()})
    result.encoding = dict(dataset.encoding)
    _name_coordinates(dataset, result)
    return result


def _encoded(key: Hashable, variable: xr.Variable, notes: list[str]) -> xr.Variable | None:
    variable = variable.to_base_variable()
    kind = variable.dtype.kind
    try:
        if kind in "mM" or (kind == "O" and _holds_times(variable)):
            return _encoded_times(variable)
        if kind in "OUST" and variable.dtype != "S1":
            return _encoded_text(key, variable)
    except (ValueError, TypeError, OverflowError) as error:
        notes.append(f"variable {key}: {error}")
        return None
    keep = {name: value for name, value in variable.encoding.items() if name in ("preferred_chunks", "chunksizes")}
    named = {name: variable.encoding[name] for name in _NAMING if isinstance(variable.encoding.get(name), str)}
    return xr.Variable(variable.dims, variable._data, {**named, **variable.attrs}, keep, fastpath=True)


def _holds_times(variable: xr.Variable) -> bool:
    import cftime
    if variable.size == 0 or variable.size > MAX_TEXT_NUMBERS:
        return False
    return isinstance(np.asarray(variable.values).ravel()[0], cftime.datetime)


def _encoded_times(variable: xr.Variable) -> xr.Variable:
    keep = {name: value for name, value in variable.encoding.items() if name in ("units", "calendar")}
    plain = xr.Variable(variable.dims, variable.values, variable.attrs, {**keep, "dtype": np.dtype(np.float64)})
    result = xr.conventions.encode_cf_variable(plain)
    result.attrs.pop("_FillValue", None)  # NaN says it
    return result


def _encoded_text(key: Hashable, variable: xr.Variable) -> xr.Variable:
    if variable.size > MAX_TEXT_NUMBERS:
        raise ValueError("too much text")
    text = np.asarray([str(v).encode() if not isinstance(v, bytes) else v for v in np.asarray(variable.values).ravel()],
                      dtype="S")
    width = max(1, text.dtype.itemsize)
    characters = text.astype(f"S{width}").view("S1").reshape((*variable.shape, width))
    return xr.Variable((*variable.dims, f"{key}_characters"), characters, variable.attrs)


def _name_coordinates(dataset: xr.Dataset, result: xr.Dataset) -> None:
    """What xarray holds as coordinates, the attribute `coordinates` names in a file."""
    dims = {str(d) for d in dataset.dims}
    for key in dataset.data_vars:
        if key not in result or "coordinates" in result[key].attrs:
            continue
        own = set(dataset[key].dims)
        names = [str(c) for c in dataset.coords if str(c) not in dims and set(dataset[c].dims) <= own]
        names = [name for name in names if name not in dataset[key].attrs.get("grid_mapping", "").split()
                 and name in result]
        if names:
            result[key].attrs["coordinates"] = " ".join(names)


def attributes_of(dataset: xr.Dataset) -> dict[str, Any]:
    return {str(key): value for key, value in dataset.attrs.items()}
