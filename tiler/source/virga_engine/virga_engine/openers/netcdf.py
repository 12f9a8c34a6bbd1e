# SPDX-License-Identifier: Apache-2.0
"""netCDF files through xarray: one, or several joined to one dataset; local or behind a URL."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import fsspec
import netCDF4
import xarray as xr

from ..address import is_url
from ..datasets import Dataset
from ..failure import Failure, Status
from . import Context
from .from_xarray import Gathering, attributes_of, stored_array
from .join import joined
from .places import edition_of, expand

# Each by its name: open_groups does not take decode_cf=False to mean all of them.
_RAW = {"decode_cf": False, "mask_and_scale": False, "decode_coords": False, "decode_times": False,
        "decode_timedelta": False,
        "concat_characters": False, "cache": False, "chunks": None}


def open(place: str, context: Context) -> Dataset:  # noqa: A001
    """place: a path, a glob, or a URL."""
    places = expand(place, context.schemes)
    token = edition_of(places)
    gathering = Gathering()
    name_of = f"netcdf-{token.hex()[:16]}"
    if len(places) == 1:
        for group, dataset in _groups(places[0]).items():
            gathering.take(dataset, name_of, group.strip("/"), fills=_fills(dataset))
            attributes = attributes_of(dataset) if group == "/" else attributes
    else:
        dataset = joined([_chunked(_groups(p)["/"], f"{name_of}-{i}") for i, p in enumerate(places)], gathering.notes)
        gathering.take(dataset, name_of, fills=_fills(dataset))
        attributes = attributes_of(dataset)
    files = "netCDF" if len(places) == 1 else f"{len(places)} netCDF files"
    return Dataset(gathering.dimensions, gathering.variables, attributes, token, f"{files} (xarray {xr.__version__})",
                   tuple(gathering.notes))


def edition(place: str, context: Context) -> bytes:
    return edition_of(expand(place, context.schemes))


def _groups(place: str) -> dict[str, xr.Dataset]:
    """The datasets of a file's groups, "/" first; lazy and raw."""
    source, engine = _source(place)
    try:
        if engine == "scipy":
            return {"/": xr.open_dataset(source, engine=engine, **_RAW)}
        groups = xr.open_groups(source, engine=engine, **_RAW)
    except OSError as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise Failure(Status.UNREADABLE, "this is no netCDF file, or a broken one") from error
    return {"/": groups["/"], **groups}


def _source(place: str) -> tuple[Any, str]:
    """What xarray is to open, and by which engine."""
    if not is_url(place):
        return place, "netcdf4"
    handle = fsspec.open(place, "rb").open()
    start = handle.read(4)
    handle.seek(0)
    return handle, "scipy" if start[:3] == b"CDF" else "h5netcdf"


def _fills(dataset: xr.Dataset) -> dict[Hashable, float]:
    """The library's fill of what has none of its own; of one-byte types there is none."""
    return {key: netCDF4.default_fillvals[variable.dtype.str[1:]] for key, variable in dataset.variables.items()
            if variable.dtype.kind in "iuf" and variable.dtype.itemsize > 1}


def _chunked(dataset: xr.Dataset, name_of: str) -> xr.Dataset:
    """The same with dask arrays for everything that is no dimension's coordinate, so that joining reads nothing."""
    made = dataset.copy()
    for key in dataset.data_vars:
        variable = dataset[key].variable
        if variable.ndim and variable.dtype.kind in "iuf":
            array = stored_array(str(key), tuple(map(str, variable.dims)), variable, f"{name_of}-{key}")
            made[key] = xr.Variable(variable.dims, array.dask, variable.attrs, variable.encoding)
    return made
