# SPDX-License-Identifier: Apache-2.0
"""xarray's and Iris' objects as Datasets: what somebody published on a scheduler, or shows from a notebook."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import xarray as xr
from dask.base import tokenize

from ..datasets import Dataset
from ..failure import Failure, Status
from .from_xarray import Gathering, attributes_of, encoded
from .places import digest


def of_object(thing: Any, *, scheduler: Callable[[], Any] | None = None) -> Dataset:
    """An xarray Dataset or DataArray, an Iris cube or a list of cubes. Decoded times are encoded again, values stay as
    they are.

    scheduler: computes what a cluster holds, for those reads that this process does.
    """
    shown = _shown(thing)
    if isinstance(shown, xr.Dataset):
        return _of_xarray(shown, scheduler)
    from .iris_cubes import of_cubes
    import iris
    return of_cubes(shown, cubes_token(shown), f"cubes (Iris {iris.__version__})", scheduler=scheduler)


def token_of(thing: Any) -> bytes:
    """The token of of_object's Dataset, which is not made for it."""
    shown = _shown(thing)
    return digest(tokenize(shown)) if isinstance(shown, xr.Dataset) else cubes_token(shown)


def _shown(thing: Any) -> xr.Dataset | list[Any]:
    """A dataset or cubes. Raises Failure."""
    if isinstance(thing, xr.DataArray):
        return thing.to_dataset(name=thing.name if thing.name is not None else "values", promote_attrs=False)
    shown = thing if isinstance(thing, xr.Dataset) else _cubes(thing)
    if shown is None:
        raise Failure(Status.UNSUPPORTED, f"it is a {type(thing).__name__}; an xarray Dataset or DataArray or an Iris "
                                          f"cube can be shown")
    return shown


def _of_xarray(dataset: xr.Dataset, scheduler: Callable[[], Any] | None) -> Dataset:
    gathering, token = Gathering(), tokenize(dataset)
    gathering.take(encoded(dataset, gathering.notes), f"shown-{token[:16]}", scheduler=scheduler)
    return Dataset(gathering.dimensions, gathering.variables, attributes_of(dataset), digest(token),
                   f"xarray {xr.__version__}",
                   tuple(gathering.notes))


def _cubes(thing: Any) -> list[Any] | None:
    """Its cubes, or None where it has none. Iris is slow to import, and nothing is a cube before it is."""
    module = sys.modules.get("iris.cube")
    if module is None:
        return None
    things = list(thing) if isinstance(thing, (list, tuple)) else [thing]
    return things if things and all(isinstance(one, module.Cube) for one in things) else None


def cubes_token(cubes: list[Any]) -> bytes:
    """Of cubes' metadata, the names of what is lazy and the numbers of what is not."""
    parts: list[object] = []
    for cube in cubes:
        parts += [cube.summary(), repr(cube.metadata), tokenize(cube.core_data())]
        parts += [f"{coordinate.metadata} {tokenize(coordinate.core_points())}" for coordinate in cube.coords()
                  if coordinate not in cube.derived_coords]
    return digest(*parts)
