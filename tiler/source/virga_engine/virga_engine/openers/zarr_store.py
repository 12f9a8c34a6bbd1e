# SPDX-License-Identifier: Apache-2.0
"""Zarr stores, versions 2 and 3, consolidated or not: folders, zip files and URLs."""

from __future__ import annotations

import base64
import struct
from pathlib import Path
from typing import Any

import fsspec
import numcodecs.registry
import numpy as np
import zarr
from zarr.storage import FsspecStore, LocalStore, StoreLike, ZipStore

from ..address import check_url, is_url
from ..arrays import Slices, StoredArray, few_numbers
from ..datasets import Dataset, Dimension, inherited_dimension
from ..failure import Failure, Status
from . import Context
from .places import digest, edition_of, folder_stamp

# A chunk that is a pickle would run what its writer likes.
numcodecs.registry.codec_registry.pop("pickle", None)
numcodecs.registry.entries.pop("pickle", None)

_DOCUMENTS = frozenset({".zgroup", ".zarray", ".zattrs", ".zmetadata", "zarr.json"})
_OURS = ("_ARRAY_DIMENSIONS", "_NCZARR_ARRAY", "_NCZARR_GROUP", "_NCZARR_SUPERBLOCK", "_nczarr_array", "_nczarr_group",
         "_nczarr_superblock", "_nczarr_attrs", "_NCZARR_ATTR", "_NCProperties")
MAX_ARRAYS = 20000


def open(place: str, context: Context) -> Dataset:  # noqa: A001
    """place: a folder, a zip file, or a URL of either."""
    return open_store(_store(place, context.schemes), edition(place, context), f"Zarr {{}} (zarr {zarr.__version__})")


def edition(place: str, context: Context) -> bytes:
    if is_url(place):
        check_url(place, context.schemes)
        return _url_edition(place)
    path = Path(place)
    return edition_of([place]) if path.is_file() else folder_stamp(path, _DOCUMENTS)


def _url_edition(url: str) -> bytes:
    """The documents at the top, as far as they are there: with consolidated metadata that is all of it."""
    if url.endswith(".zip"):
        return edition_of([url])
    files, path = fsspec.core.url_to_fs(url)
    files.invalidate_cache()
    found = files.cat([f"{path.rstrip('/')}/{name}" for name in ("zarr.json", ".zmetadata", ".zattrs", ".zgroup")],
                      on_error="omit")
    if not found:
        raise Failure(Status.NOT_FOUND, "there is no Zarr store at this address")
    return digest(*(part for name in sorted(found) for part in (name, found[name])))


def _store(place: str, schemes: frozenset[str]) -> StoreLike:
    if is_url(place):
        check_url(place, schemes)
        return FsspecStore.from_url(f"zip::{place}" if place.endswith(".zip") else place, read_only=True)
    path = Path(place)
    if not path.exists():
        raise Failure(Status.NOT_FOUND, "no file or folder of this name")
    return ZipStore(path, mode="r") if path.is_file() else LocalStore(path, read_only=True)


def open_store(store: StoreLike, token: bytes, form: str) -> Dataset:
    """The Dataset of a Zarr hierarchy; kerchunk references are such a store, too. form: with {} for the version."""
    try:
        root = zarr.open_group(store, mode="r")
    except (FileNotFoundError, zarr.errors.ContainsArrayError) as error:
        raise Failure(Status.UNREADABLE, "there is no Zarr group with variables at this address") from error
    walk = _Walk()
    walk.take_group(root)
    if not walk.variables:
        raise Failure(Status.UNREADABLE, walk.notes[0] if walk.notes else "the Zarr group has no arrays; where a "
                                                                          "store cannot be listed "
                                         "it needs consolidated metadata")
    return Dataset(walk.dimensions, walk.variables, _kept(dict(root.attrs)), token,
                   form.format(root.metadata.zarr_format),
                   tuple(walk.notes))


class _Walk:
    """Gathers the arrays of a hierarchy as variables of a netCDF file."""

    def __init__(self) -> None:
        self.dimensions: dict[str, Dimension] = {}
        self.variables: dict[str, StoredArray] = {}
        self.notes: list[str] = []

    def take_group(self, root: zarr.Group) -> None:
        nodes = sorted(root.members(max_depth=None), key=lambda item: (item[0].count("/"), item[0]))
        if len(nodes) > MAX_ARRAYS:
            raise Failure(Status.TOO_LARGE, f"more than {MAX_ARRAYS} arrays")
        for path, node in nodes:
            if isinstance(node, zarr.Array):
                self.take_array(path, node)

    def take_array(self, name: str, array: zarr.Array) -> None:
        attributes = dict(array.attrs)
        names = _dimension_names(array, attributes)
        group = name.rpartition("/")[0]
        used = tuple(self._dimension(group, name, i, names[i], n) for i, n in enumerate(array.shape))
        kept = _kept(attributes)
        _fill_value(array, kept)
        if array.dtype.kind in "mM":
            kept.setdefault("units", _time_units(array.dtype))
        self.variables[name] = StoredArray(
            name, used, array.shape, _stored_dtype(array.dtype), attributes=kept, chunks=array.chunks,
            read=_reader(array) if array.dtype.kind in "biufmM" or array.dtype == "S1" else None,
            dask=_dask_maker(array),
            at_hand=few_numbers(array.shape, array.dtype))

    def _dimension(self, group: str, array: str, axis: int, name: str | None, length: int) -> str:
        """The name in the Dataset: that of an outer group where it has this length, as netCDF groups inherit
        dimensions."""
        if name is None:
            known = f"{array}_dim_{axis}"
            self.dimensions[known] = Dimension(length)
            return known
        inherited = inherited_dimension(self.dimensions, group, name, length)
        if inherited:
            return inherited
        known = f"{group}/{name}" if group else name
        if known in self.dimensions:  # another length: the array's own
            known = f"{array}_{name}"
            self.notes.append(f"variable {array}: its dimension {name} has another length than the group's")
        self.dimensions[known] = Dimension(length)
        return known


def _dimension_names(array: zarr.Array, attributes: dict[str, Any]) -> list[str | None]:
    names = getattr(array.metadata, "dimension_names", None) or attributes.get("_ARRAY_DIMENSIONS")
    nczarr = attributes.get("_NCZARR_ARRAY") or attributes.get("_nczarr_array")
    if not names and isinstance(nczarr, dict):
        names = [str(full).rpartition("/")[2] for full in nczarr.get("dimension_references", nczarr.get("dimrefs", []))]
    if not isinstance(names, (list, tuple)) or len(names) != array.ndim:
        return [None] * array.ndim
    return [name if isinstance(name, str) and name and "/" not in name else None for name in names]


def _kept(attributes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in attributes.items() if name not in _OURS}


def _fill_value(array: zarr.Array, attributes: dict[str, Any]) -> None:
    """_FillValue as a number of the array's type. In version 2 fill_value is it; in version 3 only an attribute says
    so."""
    if array.dtype.kind not in "iuf":
        attributes.pop("_FillValue", None)
        return
    value = attributes.pop("_FillValue", None)
    if value is None and array.metadata.zarr_format == 2:
        value = array.fill_value
    if isinstance(value, str):  # as xarray writes it: base64 of the number's bytes
        value = _from_base64(value, array.dtype)
    if value is not None:
        with np.errstate(over="ignore"):
            attributes["_FillValue"] = np.array(value).astype(array.dtype.newbyteorder("="))[()]


def _from_base64(text: str, dtype: np.dtype) -> Any:
    try:
        raw = base64.b64decode(text, validate=True)
        return struct.unpack("<d", raw)[0] if dtype.kind == "f" else int(np.frombuffer(raw, dtype.newbyteorder("<"))[0])
    except (ValueError, struct.error, IndexError):
        try:
            return float(text)  # "NaN", "Infinity"
        except ValueError:
            return None


def _stored_dtype(dtype: np.dtype) -> np.dtype:
    return np.dtype(np.int64) if dtype.kind in "mM" else dtype


_UNITS = {"ns": "nanoseconds", "us": "microseconds", "ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours",
          "D": "days"}


def _time_units(dtype: np.dtype) -> str:
    units = _UNITS.get(np.datetime_data(dtype)[0], "nanoseconds")
    return f"{units} since 1970-01-01" if dtype.kind == "M" else units


def _reader(array: zarr.Array):
    def read(slices: Slices) -> np.ndarray:
        numbers = np.asarray(array[slices if array.ndim else ()])
        return numbers.astype(np.int64) if numbers.dtype.kind in "mM" else numbers
    return read


def _dask_maker(array: zarr.Array):
    def make():
        import dask.array
        made = dask.array.from_zarr(array, chunks=array.chunks) if array.ndim else dask.array.from_array(np.asarray(array[()]))
        return made.astype(np.int64) if array.dtype.kind in "mM" else made
    return make
