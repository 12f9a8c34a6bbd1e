# SPDX-License-Identifier: Apache-2.0
"""What Iris opens (PP and fields files of the Unified Model, and others), as the CF file that Iris would write of
it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from threading import RLock
from typing import Any

import dask.array as da
import iris
import netCDF4
import numpy as np
from dask.base import tokenize
from iris.cube import Cube
from ncdata import NcData, NcVariable
from ncdata.iris import from_iris
from ncdata.threadlock_sharing import enable_lockshare

from ..address import is_url
from ..arrays import Slices, StoredArray
from ..datasets import Dataset, Dimension
from ..failure import Failure, Status
from . import Context
from .places import Fetched, edition_of, expand

enable_lockshare(iris=True, xarray=True)
# Iris' loading and its saver's naming are not made for several threads.
_LOCK = RLock()


def open(place: str, context: Context) -> Dataset:  # noqa: A001
    """place: a path or glob, several files being merged to cubes as iris.load does; or a URL, which is fetched
    whole."""
    places = expand(place, context.schemes)
    fetched = [Fetched(found) for found in places if is_url(found)]
    with _LOCK:
        try:
            cubes = iris.load([one.path for one in fetched] or places)
        except (ValueError, iris.exceptions.IrisError) as error:
            raise Failure(Status.UNREADABLE, f"Iris cannot open it: {' '.join(str(error).split())[:200]}") from error
        return of_cubes(cubes, edition_of(places), f"{_kind(places[0])} (Iris {iris.__version__})", keep=fetched)


def edition(place: str, context: Context) -> bytes:
    return edition_of(expand(place, context.schemes))


def _kind(path: str) -> str:
    return {"pp": "PP", "ff": "UM fields file"}.get(path.rpartition(".")[2].lower(), "cubes")


def of_cubes(cubes: Iterable[Cube], token: bytes, form: str, *, scheduler: Callable[[], Any] | None = None,
             keep: Sequence[Fetched] = ()) -> Dataset:
    """Cubes as one Dataset; their lazy data stays lazy. scheduler: as in objects.py. keep: files that only this process
    has, kept for as long as they are read."""
    cubes = list(cubes)
    if not cubes:
        raise Failure(Status.UNREADABLE, "there are no fields in it")
    with _LOCK, iris.FUTURE.context(save_split_attrs=True, date_microseconds=True):  # the context is each thread's own
        data = from_iris(cubes)
    lazy = _lazy_arrays(cubes)
    dimensions = {name: Dimension(d.size, d.unlimited) for name, d in data.dimensions.items()}
    variables = {name: _stored(variable, lazy, scheduler, keep) for name, variable in data.variables.items()}
    return Dataset(dimensions, variables, _attributes(data), token, form)


def _lazy_arrays(cubes: list[Cube]) -> dict[str, da.Array]:
    """The dask arrays in cubes and their coordinates, by name."""
    found: dict[str, da.Array] = {}
    for cube in cubes:
        cores = [cube.core_data()]
        for coordinate in (*cube.coords(dim_coords=False), *cube.cell_measures(), *cube.ancillary_variables()):
            if coordinate in cube.derived_coords:
                continue
            cores.append(coordinate.core_points() if hasattr(coordinate, "core_points") else coordinate.core_data())
            if getattr(coordinate, "has_bounds", bool)():
                cores.append(coordinate.core_bounds())
        found.update({core.name: core for core in cores if isinstance(core, da.Array)})
    return found


def _stored(variable: NcVariable, lazy: dict[str, da.Array], scheduler: Callable[[], Any] | None,
            keep: Sequence[Fetched]) -> StoredArray:
    array, attributes = variable.data, _attributes(variable)
    shape, dtype = tuple(array.shape), np.dtype(array.dtype)
    readable = dtype.kind in "biuf" or dtype == "S1"
    fill = netCDF4.default_fillvals.get(dtype.str[1:]) if dtype.kind in "iuf" and "_FillValue" not in attributes else None
    original = _original(array, lazy)
    chunks = None
    if original is None:  # a coordinate: few numbers, which are read now
        numbers = np.asarray(np.ma.filled(array.compute() if isinstance(array, da.Array) else array, fill))
        read: Callable[[Slices], Any] = functools.partial(_part, numbers)
        make = functools.partial(da.from_array, numbers, chunks=-1, name=f"iris-{tokenize(numbers)}")
    else:
        mark = attributes.get("_FillValue", fill)
        filled = functools.partial(_filled, original, mark)
        read = functools.partial(_computed, original, mark, scheduler, keep)
        make = filled
        chunks = tuple(max(parts) for parts in original.chunks)
    return StoredArray(variable.name, tuple(variable.dimensions), shape, dtype, attributes=attributes,
                       read=read if readable else None,
                       dask=None if keep or not readable else make, chunks=chunks, fill=fill,
                       at_hand=original is None)


def _original(array: Any, lazy: dict[str, da.Array]) -> da.Array | None:
    """The cube's own array behind what the saver made of it: its tasks need no more than Iris on the workers."""
    if not isinstance(array, da.Array):
        return None
    if array.name in lazy:
        return lazy[array.name]
    before = array.dask.dependencies.get(array.name, set())
    names = [name for name in before if name in lazy and lazy[name].shape == array.shape
             and lazy[name].dtype == array.dtype]
    return lazy[names[0]] if len(names) == 1 else None


def _part(numbers: np.ndarray, slices: Slices) -> np.ndarray:
    return numbers[slices]


def _computed(original: da.Array, mark: Any, scheduler: Callable[[], Any] | None, keep: Sequence[Fetched],
              slices: Slices) -> np.ndarray:
    return np.ma.filled(original[slices].compute(scheduler=scheduler() if scheduler else "threads"), mark)


def _filled(original: da.Array, mark: Any) -> da.Array:
    return original.map_blocks(np.ma.filled, mark, dtype=original.dtype,
                               meta=np.empty((0,) * original.ndim, original.dtype))


def _attributes(holder: NcData | NcVariable) -> dict[str, Any]:
    return {name: attribute.as_python_value() for name, attribute in holder.attributes.items()}
