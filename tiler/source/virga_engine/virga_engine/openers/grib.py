# SPDX-License-Identifier: Apache-2.0
"""GRIB files through cfgrib: each variable of the file as one of a CF file, with the hybrid levels' coefficients.

cfgrib's own grouping reads the headers of the whole file once for each variable; here they are read once in all.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import cfgrib
import dask.array as da
import numpy as np
from cfgrib import cfmessage, messages
from cfgrib.dataset import DatasetBuildError, OnDiskArray, Variable, build_variable_components, compute_index_keys
from dask.base import tokenize
from xarray.backends.locks import SerializableLock

from ..address import is_url
from ..arrays import Slices, StoredArray
from ..datasets import Dataset, Dimension
from ..failure import Failure, Status
from . import Context
from .grib_grid import KEYS, grid_of
from .places import Fetched, edition_of, expand

_LOCK = SerializableLock("virga-eccodes")
_KEPT = ("standard_name", "long_name", "units", "coordinates", "GRIB_paramId", "GRIB_shortName", "GRIB_typeOfLevel",
         "GRIB_stepType",
         "GRIB_gridType", "GRIB_dataType", "GRIB_edition", "GRIB_centre")
_SURFACE_PRESSURE = (134, 152)  # parameters of ECMWF's table 128: surface pressure, its logarithm
_ON_THE_GROUND = {129: {"standard_name": "surface_geopotential"},
                  156: {"standard_name": "surface_altitude", "units": "m"},
                  228002: {"standard_name": "surface_altitude", "units": "m"}}
_PRECISE_BITS = 24  # packed numbers of more bits than this do not fit float32
MAX_VARIABLES = 4000
_TABLE_KEYS = ("discipline", "parameterCategory", "parameterNumber")
_LAYER_KEYS = ("topLevel:float", "bottomLevel:float")

Part = tuple[Variable, dict[str, Variable]]  # a variable and its coordinates


def open(place: str, context: Context) -> Dataset:  # noqa: A001
    """place: one file, or a URL, which is fetched whole."""
    found = _one(place, context)
    token = edition_of([found])
    fetched = Fetched(found) if is_url(found) else None
    with _LOCK:
        index = _index(fetched.path if fetched else found)
        parts = [part for number in sorted(index["paramId"]) for own in _parameters(index, number)
                 for part in _parts(own)]
    parts.sort(key=_precedence)
    making = _Making(token, fetched)
    for variable, coordinates in parts[:MAX_VARIABLES]:
        making.take(variable, coordinates)
    making.add_formulas()
    if len(parts) > MAX_VARIABLES:
        making.notes.append(f"more than {MAX_VARIABLES} variables; the others are left out")
    return Dataset(making.dimensions, making.variables, {"Conventions": "CF-1.7"}, token,
                   f"GRIB (cfgrib {cfgrib.__version__})", tuple(making.notes))


def edition(place: str, context: Context) -> bytes:
    return edition_of([_one(place, context)])


def _one(place: str, context: Context) -> str:
    places = expand(place, context.schemes)
    if len(places) > 1:
        raise Failure(Status.UNSUPPORTED, "name one GRIB file at a time; several addresses become one dataset where "
                                          "they fit together")
    return places[0]


def _index(path: str) -> messages.FileIndex:
    """Every message's keys. No index file is read or written beside the data: cfgrib's is a pickle."""
    try:
        stream = messages.FileStream(path, errors="ignore")
        keys = [*compute_index_keys(), *_TABLE_KEYS, *_LAYER_KEYS]
        return messages.FileIndex.from_indexpath_or_filestream(stream, keys, indexpath="",
                                                               computed_keys=cfmessage.COMPUTED_KEYS)
    except (EOFError, ValueError, KeyError) as error:
        raise Failure(Status.UNREADABLE, "there is no GRIB message in it") from error


def _parameters(index: messages.FileIndex, number: int) -> Iterator[messages.FileIndex]:
    """The messages of one parameter. Those that ecCodes does not know share the number 0: they are told apart by their
    tables' entries."""
    own = index.subindex(paramId=number)
    if number:
        yield own
        return
    for entry in itertools.product(*(own[key] for key in _TABLE_KEYS)):
        one = own.subindex(dict(zip(_TABLE_KEYS, entry)))
        if one.get("paramId"):
            yield one


def _parts(index: messages.FileIndex) -> Iterator[Part]:
    """Splits the messages of one parameter until each part is a whole block of dimensions."""
    try:
        _, variable, coordinates = build_variable_components(
            index, ("parameter", "time", "geography", "vertical"), errors="ignore",
            read_keys=("pv", "bitsPerValue", *_TABLE_KEYS, *KEYS),
            cache_geo_coords=False, values_dtype=np.dtype(np.float32))
    except DatasetBuildError as error:
        key = error.args[1] if len(error.args) > 1 else None
        values = index.get(key, []) if key else []
        if len(values) < 2:
            return
        for value in values:
            yield from _parts(index.subindex({key: value}))
        return
    if sum(1 for _ in index.iter_index()) > len(variable.data.field_id_index):  # layers that cfgrib takes for one level
        key = next((key for key in _LAYER_KEYS if len(index.get(key, [])) > 1), None)
        if key is not None:
            for value in index[key]:
                yield from _parts(index.subindex({key: value}))
            return
    if int(variable.attributes.get("GRIB_bitsPerValue") or 0) > _PRECISE_BITS:
        variable.data.dtype = np.dtype(np.float64)
    yield _with_axes(variable, coordinates)


def _with_axes(variable: Variable, coordinates: dict[str, Variable]) -> Part:
    """A projected grid's axes and mapping in place of its 2-D coordinates, where it has any."""
    grid = grid_of(variable.attributes) if variable.dimensions[-2:] == ("y", "x") else None
    if grid is None or (grid.y.size, grid.x.size) != tuple(variable.data.shape[-2:]):
        return variable, coordinates
    kept = {name: value for name, value in coordinates.items() if name not in ("latitude", "longitude")}
    y, x = grid.names
    kept[y], kept[x] = Variable((y,), grid.y, dict(grid.y_attributes)), Variable((x,), grid.x, dict(grid.x_attributes))
    kept["projection"] = Variable((), np.array(0, np.int32), dict(grid.mapping))
    return Variable((*variable.dimensions[:-2], y, x), variable.data, variable.attributes), kept


_FIRST_LEVELS = ("isobaricInhPa", "isobaricInPa", "hybrid", "hybridHeight", "heightAboveGround", "surface", "meanSea")


def _precedence(part: Part) -> tuple[int, bool, int]:
    """Who gets a name that several have: pressure levels, then model levels, then the others; instants before means."""
    attributes = part[0].attributes
    level = attributes.get("GRIB_typeOfLevel")
    rank = _FIRST_LEVELS.index(level) if level in _FIRST_LEVELS else len(_FIRST_LEVELS)
    return rank, attributes.get("GRIB_stepType") != "instant", int(attributes.get("GRIB_paramId") or 0)


class _Making:
    """Gathers parts under names that are theirs alone."""

    def __init__(self, token: bytes, fetched: Fetched | None) -> None:
        self.dimensions: dict[str, Dimension] = {}
        self.variables: dict[str, StoredArray] = {}
        self.notes: list[str] = []
        self._token, self._fetched = token, fetched
        self._coordinates: dict[str, tuple[tuple[str, ...], bytes]] = {}
        self._coefficients: dict[str, np.ndarray] = {}  # of the hybrid levels of a coordinate's name
        self._surface: dict[tuple[str, ...], str] = {}  # surface pressure's name, by its dimensions
        self._uses: dict[str, tuple[str, ...]] = {}  # horizontal dimensions of what uses a hybrid coordinate

    def take(self, variable: Variable, coordinates: dict[str, Variable]) -> None:
        renamed: dict[str, str] = {}
        for name in sorted(coordinates, key=lambda n: coordinates[n].dimensions != (n,)):  # dimensions' own ones first
            renamed[name] = self._coordinate(name, coordinates[name], renamed, coordinates)
        for name, length in zip(variable.dimensions, variable.data.shape):
            if name not in renamed:
                renamed[name] = self._bare_dimension(name, length)
        dimensions = tuple(renamed[name] for name in variable.dimensions)
        own = self._free_name(variable.attributes)
        attributes = _described(variable.attributes)
        if not {"hybrid", "surface"} & set(variable.dimensions) and variable.attributes.get("GRIB_typeOfLevel") in ("hybrid", "surface"):
            attributes.update(_ON_THE_GROUND.get(variable.attributes.get("GRIB_paramId"), {}))
        if "projection" in renamed:
            attributes["grid_mapping"] = renamed["projection"]
        attributes["coordinates"] = " ".join(renamed[name] for name in coordinates
                                             if renamed[name] not in dimensions and name != "projection")
        self.variables[own] = _field(own, dimensions, variable.data, attributes, self._token, self._fetched)
        self._note_levels(variable, renamed, dimensions, own)

    def _note_levels(self, variable: Variable, renamed: Mapping[str, str], dimensions: tuple[str, ...],
                     own: str) -> None:
        attributes = variable.attributes
        if "hybrid" in renamed and "hybrid" in variable.dimensions and attributes.get("GRIB_pv") is not None:
            self._coefficients.setdefault(renamed["hybrid"], np.asarray(attributes["GRIB_pv"], dtype=np.float64))
            self._uses.setdefault(renamed["hybrid"], dimensions[-2:])
        if attributes.get("GRIB_paramId") in _SURFACE_PRESSURE and len(dimensions) == len(set(dimensions) - {renamed.get("hybrid")}):
            self._surface.setdefault(dimensions[-2:], own)

    def _coordinate(self, name: str, variable: Variable, renamed: Mapping[str, str],
                    beside: Mapping[str, Variable]) -> str:
        """The name of a coordinate with these numbers: an equal one's where there is one."""
        numbers = np.asarray(variable.data)
        own_dimension = variable.dimensions == (name,)
        mark = numbers.tobytes() + f"{numbers.shape} {variable.attributes if name == 'projection' else ''}".encode()
        n = 0
        while True:
            wanted = name if not n else f"{name}_{n}"
            dimensions = (wanted,) if own_dimension else tuple(
                renamed.get(d) or self._bare_dimension(d, size) for d, size in zip(variable.dimensions, numbers.shape))
            known = self._coordinates.get(wanted)
            if known == (dimensions, mark):
                return wanted
            if known is None and wanted not in self.variables:
                break
            n += 1
        self._coordinates[wanted] = (dimensions, mark)
        for dimension, size in zip(dimensions, numbers.shape):
            self.dimensions.setdefault(dimension, Dimension(size))
        self.add(wanted, dimensions, numbers, {k: v for k, v in variable.attributes.items() if _is_plain(v)})
        return wanted

    def _bare_dimension(self, name: str, length: int) -> str:
        n = 0
        while True:
            wanted = name if not n else f"{name}_{n}"
            if self.dimensions.setdefault(wanted, Dimension(length)).length == length:
                return wanted
            n += 1

    def add(self, name: str, dimensions: tuple[str, ...], numbers: np.ndarray, attributes: Mapping[str, Any]) -> None:
        """A small variable whose numbers are at hand."""
        self.variables[name] = StoredArray(name, dimensions, numbers.shape, numbers.dtype, attributes=attributes,
                                           read=lambda slices: numbers[slices], at_hand=True,
                                           dask=lambda: da.from_array(numbers, chunks=-1,
                                                                      name=f"grib-{tokenize(numbers)}"))

    def _free_name(self, attributes: Mapping[str, Any]) -> str:
        name = attributes.get("GRIB_cfVarName")
        if name in (None, "undef", "unknown"):
            name = attributes.get("GRIB_shortName")
        if name in (None, "undef", "unknown"):
            name = "_".join(["param", *(str(attributes.get(f"GRIB_{key}", "")) for key in _TABLE_KEYS)])
        wanted = name
        for more in (attributes.get("GRIB_typeOfLevel"), attributes.get("GRIB_stepType"), *range(1, MAX_VARIABLES)):
            if wanted not in self.variables:
                return wanted
            wanted = f"{name}_{more}" if isinstance(more, int) else f"{wanted}_{more}"
        raise Failure(Status.TOO_LARGE, "too many variables of one name")

    def add_formulas(self) -> None:
        """Coefficients at full levels, the mean of the half levels above and below: level n lies between n - 1 and
        n."""
        for name, pv in self._coefficients.items():
            levels = np.atleast_1d(self.variables[name].read(tuple(slice(0, n) for n in self.variables[name].shape)))
            half = len(pv) // 2
            if np.any(levels < 1) or np.any(levels >= half) or np.any(levels != np.floor(levels)):
                self.notes.append(f"{name}: its list of coefficients ({len(pv)} numbers) does not reach its levels")
                continue
            below = levels.astype(int)
            terms = []
            for term, first, units in (("ap", 0, "Pa"), ("b", half, "1")):
                edges = np.stack([pv[first + below - 1], pv[first + below]], axis=-1)
                own = term if name == "hybrid" else f"{term}_{name}"
                self.add(own, self.variables[name].dimensions, edges.mean(axis=-1),
                         {"units": units, "bounds": f"{own}_bnds"})
                self.dimensions.setdefault("bnds", Dimension(2))
                self.add(f"{own}_bnds", (*self.variables[name].dimensions, "bnds"), edges, {})
                terms.append(f"{term}: {own}")
            pressure = self._surface.get(self._uses[name])
            if pressure:
                terms.append(f"ps: {pressure}")
            self.variables[name].attributes["formula_terms"] = " ".join(terms)


def _described(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """A variable's attributes, with units as CF writes them and without what cfgrib does not know."""
    kept = {key: attributes[key] for key in _KEPT if _is_plain(attributes.get(key))}
    kept = {key: value for key, value in kept.items() if not isinstance(value, str)
            or value not in ("unknown", "undef")}
    if "units" in kept:
        kept["units"] = {"(0 - 1)": "1", "Numeric": "1", "~": "1",
                         "Proportion": "1"}.get(kept["units"], kept["units"].replace("**", ""))
    return kept


def _is_plain(value: Any) -> bool:
    return isinstance(value, (str, int, float, np.number)) or (isinstance(value, np.ndarray) and value.ndim == 1)


def _field(name: str, dimensions: tuple[str, ...], array: OnDiskArray, attributes: Mapping[str, Any], token: bytes,
           fetched: Fetched | None) -> StoredArray:
    """Values as ecCodes unpacks them; a chunk is one message. Workers need cfgrib, and the file under the same path.

    fetched: the file, where only this process has it; kept for as long as the array is.
    """
    headers = len(array.shape) - array.geo_ndim
    chunks = (1,) * headers + tuple(array.shape[headers:])

    def read(slices: Slices) -> np.ndarray:
        with _LOCK:
            assert fetched is None or fetched.path  # which keeps the file
            return array[tuple(slices)]

    def make() -> da.Array:
        return da.from_array(array, chunks=chunks, name=f"grib-{token.hex()[:16]}-{name}", lock=_LOCK, asarray=False,
                             meta=np.empty((0,) * len(array.shape), array.dtype))

    return StoredArray(name, dimensions, array.shape, array.dtype, attributes=attributes, read=read, chunks=chunks,
                       dask=None if fetched else make)
