# SPDX-License-Identifier: Apache-2.0
"""Products that the setting engine-product names: statistics over members, maxima over windows of time, differences of
runs.

Each is a variable more in a Dataset, computed chunk by chunk where it is read, and listed with CF attributes beside the
stored ones. """

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import cloudpickle
import numpy as np
from dask._task_spec import Task, TaskRef
from dask.base import tokenize
from dask.highlevelgraph import HighLevelGraph

from . import product_blocks
from .arrays import StoredArray
from .chunk_graph import Key, read_box
from .datasets import Dataset
from .dimension_roles import Role, is_direction, role_of, valid_seconds
from .failure import Failure, Status
from .product_blocks import Decoding

cloudpickle.register_pickle_by_value(product_blocks)

_FORM = re.compile(r"\s*(?P<variable>\S+)\s*:\s*(?:(?P<plain>mean|spread|difference)|percentile\s+(?P<percent>[0-9.]+)"
                   r"|probability\s*(?P<side>[<>])\s*(?P<threshold>[-+0-9.eE]+)"
                   r"|maximum\s+(?P<length>[0-9.]+)\s*(?P<unit>min|h|d))\s*")
_SECONDS = {"min": 60.0, "h": 3600.0, "d": 86400.0}
# Of stored numbers, not of what is made of them.
_STORED = {"scale_factor", "add_offset", "_FillValue", "missing_value", "_Unsigned", "valid_min", "valid_max",
           "valid_range", "actual_range"}


@dataclass(frozen=True)
class Product:
    """One setting. kind: mean, spread, percentile, above, below, maximum or difference; argument: percent, threshold or
    seconds."""

    variable: str
    kind: str
    argument: float = 0.0
    words: str = ""


def parse_product(text: str) -> Product:
    """Raises Failure with the forms that there are."""
    match = _FORM.fullmatch(text)
    try:
        if match and match["plain"]:
            return Product(match["variable"], match["plain"])
        if match and match["percent"] and 0 <= float(match["percent"]) <= 100:
            return Product(match["variable"], "percentile", float(match["percent"]), match["percent"])
        if match and match["side"]:
            kind = "above" if match["side"] == ">" else "below"
            return Product(match["variable"], kind, float(match["threshold"]), match["threshold"])
        if match and match["length"] and float(match["length"]) > 0:
            seconds = float(match["length"]) * _SECONDS[match["unit"]]
            return Product(match["variable"], "maximum", seconds, f"{match['length']} {match['unit']}")
    except ValueError:
        pass
    raise Failure(Status.INVALID, f"'{text}' is no product: VARIABLE: mean, spread, difference, percentile P, probability "
                                  "> X, probability < X, or maximum N h (VARIABLE may be *)")


def add_products(dataset: Dataset, products: Iterable[Product]) -> Dataset:
    """The dataset with its products; where one cannot be made of a variable that was named, a note says why."""
    made: dict[str, StoredArray] = {}
    notes: list[str] = []
    for product in products:
        every = product.variable == "*"
        for name in (list(dataset.variables) if every else [product.variable]):
            array = dataset.variables.get(name)
            try:
                if array is None:
                    continue  # another dataset's
                if every and not _is_field(array, dataset, product):
                    continue
                variable = _make(dataset, array, product)
                if variable.name not in dataset.variables and variable.name not in made:
                    made[variable.name] = variable
            except Failure as failure:
                if not every:
                    notes.append(f"{name}: {product.kind}: {failure.message}"[:200])
    return dataset.with_variables(made, tuple(notes)) if made or notes else dataset


def _is_field(array: StoredArray, dataset: Dataset, product: Product) -> bool:
    """Whether `*` means this variable: numbers with two dimensions more than the one that goes, no coordinates, no
    codes."""
    bounds = {str(v.attributes.get(word)) for v in dataset.variables.values() for word in ("bounds", "climatology")}
    return (array.readable and array.dtype.kind in "iuf" and len(array.shape) >= 3 and array.name not in bounds
            and "flag_values" not in array.attributes and "flag_masks" not in array.attributes
            and not (product.kind in ("mean", "spread", "percentile") and is_direction(array)))


def _make(dataset: Dataset, array: StoredArray, product: Product) -> StoredArray:
    if not array.readable or array.dtype.kind not in "iuf":
        raise Failure(Status.UNSUPPORTED, "it has no numbers")
    if product.kind == "maximum":
        return _window_maximum(dataset, array, product)
    if product.kind == "difference":
        return _difference(dataset, array)
    return _over_members(dataset, array, product)


# ---- attributes ------------------------------------------------------------------------------------------------------

def decoding_of(array: StoredArray) -> Decoding:
    """From the variable's attributes, as CF has them."""
    missing = [float(n) for word in ("_FillValue", "missing_value") for n in _numbers(array.attributes.get(word))]
    if array.fill is not None and "_FillValue" not in array.attributes:
        missing.append(float(array.fill))
    if array.dtype.kind == "f":  # as the stored type has them
        with np.errstate(over="ignore"):
            missing += np.array(missing).astype(array.dtype).astype(np.float64).tolist()
    unsigned = str(array.attributes.get("_Unsigned", "")).lower() == "true" and array.dtype.kind == "i"
    if unsigned:
        missing = [n + 256.0 ** array.dtype.itemsize if n < 0 else n for n in missing]
    scale = [*_numbers(array.attributes.get("scale_factor")), 1.0][0]
    offset = [*_numbers(array.attributes.get("add_offset")), 0.0][0]
    return Decoding(tuple(sorted({n for n in missing if n == n})), unsigned, float(scale), float(offset))


def _numbers(value: Any) -> list[float]:
    """The numbers of an attribute; also of text that reads as one."""
    try:
        return [float(n) for n in np.atleast_1d(value).tolist()] if value is not None else []
    except (TypeError, ValueError):
        return []


def _result_dtype(array: StoredArray) -> np.dtype:
    """float32 where that holds the stored numbers."""
    return np.dtype(np.float32 if array.dtype.itemsize <= 2 or array.dtype == np.float32 else np.float64)


def _attributes(dataset: Dataset, array: StoredArray, dimensions: tuple[str, ...], words: str, method: str | None, *,
                same_quantity: bool, units: str | None = None) -> dict[str, Any]:
    kept = {name: value for name, value in array.attributes.items() if name not in _STORED}
    called = str(kept.get("long_name") or str(kept.get("standard_name") or array.name).replace("_", " "))
    kept["long_name"] = f"{called}, {words}"
    if not same_quantity:
        kept.pop("standard_name", None)
    if units is not None:
        kept["units"] = units
    if method is not None:
        kept["cell_methods"] = f"{kept['cell_methods']} {method}" if kept.get("cell_methods") else method
    if isinstance(kept.get("coordinates"), str):  # those that stand on the dimensions that are left
        left = [name for name in kept["coordinates"].split()
                if name not in dataset.variables or set(dataset.variables[name].dimensions) <= set(dimensions)]
        kept["coordinates"] = " ".join(left)
    return kept


def _units_of_difference(array: StoredArray) -> str | None:
    """Degrees Celsius have their zero somewhere; their differences are kelvins."""
    units = str(array.attributes.get("units", ""))
    plain = units.lower().replace("_", "").replace(" ", "")
    return "K" if plain in ("degc", "celsius", "degreescelsius", "degreecelsius", "°c", "c") else None


def _number_in_name(words: str) -> str:
    return words.replace("-", "minus_").replace("+", "").replace(".", "_").replace(" ", "")


# ---- graphs ----------------------------------------------------------------------------------------------------------

class LazyTasks(Mapping):
    """Tasks of a graph that are made when somebody asks for them."""

    def __init__(self, names: Mapping[str, tuple[int, ...]], make: Callable[[Key], Task]) -> None:
        """names: how many chunks along each dimension there are, for the keys of each name."""
        self._names, self._make = names, make

    def __getitem__(self, key: Key) -> Task:
        if key not in self:
            raise KeyError(key)
        return self._make(key)

    def __contains__(self, key: object) -> bool:
        if not isinstance(key, tuple) or not key or key[0] not in self._names:
            return False
        counts = self._names[key[0]]
        return len(key) == len(counts) + 1 and all(isinstance(i, int) and 0 <= i < n for i, n in zip(key[1:], counts))

    def __iter__(self):
        for name, counts in self._names.items():
            yield from itertools.product([name], *(range(n) for n in counts))

    def __len__(self) -> int:
        return sum(int(np.prod(counts)) for counts in self._names.values())


def _array_of(name: str, tasks: LazyTasks, source: Any, chunks: tuple, dtype: np.dtype):
    import dask.array
    return dask.array.Array(HighLevelGraph.from_collections(name, tasks, dependencies=[source]), name, chunks, dtype)


def _stored(dataset: Dataset, array: StoredArray, name: str, dimensions: tuple[str, ...], attributes: dict[str, Any],
            make: Callable[[], Any], chunks: tuple[int, ...]) -> StoredArray:
    """A variable whose chunks are made by `make`: on the cluster where its source is there, else in this process."""
    make = functools.cache(make)
    shape = tuple(dataset.dimensions[d].length for d in dimensions)
    return StoredArray(name, dimensions, shape, _result_dtype(array), attributes=attributes, chunks=chunks,
                       read=lambda slices: read_box(make(), slices), dask=make if array.on_cluster else None)


def _ref(source: Any, index: tuple[int, ...]) -> TaskRef:
    return TaskRef((source.name, *index))


# ---- members ---------------------------------------------------------------------------------------------------------

_FOLDS = {"mean": (product_blocks.fold_moments, product_blocks.finish_mean),
          "spread": (product_blocks.fold_moments, product_blocks.finish_spread),
          "above": (product_blocks.fold_above, product_blocks.finish_above),
          "below": (product_blocks.fold_above, product_blocks.finish_below)}


def _over_members(dataset: Dataset, array: StoredArray, product: Product) -> StoredArray:
    axis = _axis(dataset, array, Role.MEMBER, "members")
    members, dimensions = array.shape[axis], tuple(d for i, d in enumerate(array.dimensions) if i != axis)
    name, words, method, units = f"{array.name}_{product.kind}", f"{product.kind} of {members} members", None, None
    if product.kind == "mean":
        method = "realization: mean"
    elif product.kind == "spread":
        words, method = f"standard deviation of {members} members (n - 1)", "realization: standard_deviation"
        units = _units_of_difference(array)
    elif product.kind == "percentile":
        name = f"{array.name}_p{_number_in_name(product.words)}"
        words = f"percentile {product.words} of {members} members"
    else:
        units = "1"
        name = f"{array.name}_{product.kind}_{_number_in_name(product.words)}"
        threshold = f"{product.words} {array.attributes.get('units', '')}".strip()
        side = "more" if product.kind == "above" else "less"
        words = f"probability of {side} than {threshold} among {members} members"
    attributes = _attributes(dataset, array, dimensions, words, method, units=units,
                             same_quantity=product.kind in ("mean", "percentile"))
    return _stored(dataset, array, name, dimensions, attributes, functools.partial(_member_graph, array, product, axis),
                   tuple(c for i, c in enumerate(array.chunks) if i != axis))


def _member_graph(array: StoredArray, product: Product, axis: int):
    source, decoding, dtype = array.dask, decoding_of(array), _result_dtype(array)
    counts = source.numblocks
    left = (*counts[:axis], *counts[axis + 1:])
    name = f"virga-{product.kind}-{tokenize(source.name, product, axis, decoding)}"

    def within(index: tuple[int, ...], member: int) -> tuple[int, ...]:
        return (*index[:axis], member, *index[axis:])

    def percentile(key: Key) -> Task:
        return Task(key, product_blocks.percentile, product.argument, axis, decoding, dtype.str,
                    *(_ref(source, within(key[1:], m)) for m in range(counts[axis])))

    def fold(key: Key) -> Task:
        called, *index = key
        take, finish = _FOLDS[product.kind]
        if called == name:
            return Task(key, finish, TaskRef((f"{name}-fold", *within(tuple(index), counts[axis] - 1))), dtype.str)
        before = TaskRef((called, *index[:axis], index[axis] - 1, *index[axis + 1:])) if index[axis] else None
        return Task(key, take, before, _ref(source, tuple(index)), axis, decoding, product.argument)

    whole = product.kind == "percentile"
    tasks = LazyTasks({name: left} if whole else {name: left, f"{name}-fold": counts}, percentile if whole else fold)
    return _array_of(name, tasks, source, (*source.chunks[:axis], *source.chunks[axis + 1:]), dtype)


def _axis(dataset: Dataset, array: StoredArray, role: Role, called: str) -> int:
    for axis, dimension in enumerate(array.dimensions):
        if role_of(dataset, dimension) == role and array.shape[axis] > 1:
            return axis
    raise Failure(Status.UNSUPPORTED, f"it has no dimension of {called}")


# ---- time ------------------------------------------------------------------------------------------------------------

def _window_maximum(dataset: Dataset, array: StoredArray, product: Product) -> StoredArray:
    axis = _axis(dataset, array, Role.TIME, "times")
    times = valid_seconds(dataset, None, array.dimensions[axis])[0]
    if (np.diff(times) <= 0).any():
        raise Failure(Status.UNSUPPORTED, "its times do not rise")
    if times[-1] - times[0] < product.argument:
        raise Failure(Status.UNSUPPORTED, f"its times do not span {product.words}")
    attributes = _attributes(dataset, array, array.dimensions, f"maximum over the {product.words} that end at the time",
                             "time: maximum", same_quantity=True)
    name = f"{array.name}_maximum_{_number_in_name(product.words)}"
    return _stored(dataset, array, name, array.dimensions, attributes,
                   functools.partial(_window_graph, array, product, axis, times), array.chunks)


def windows_of(times: np.ndarray, seconds: float) -> list[tuple[int, int] | None]:
    """For each time the first and last (exclusive) of the window that ends there; None where the forecast begins later
    than it."""
    firsts = np.searchsorted(times, times - seconds * (1 - 1e-9), side="right")
    covered = times - times[0] >= seconds * (1 - 1e-9)
    return [(int(first), i + 1) if covered[i] else None for i, first in enumerate(firsts)]


def _window_graph(array: StoredArray, product: Product, axis: int, times: np.ndarray):
    source, decoding, dtype = array.dask, decoding_of(array), _result_dtype(array)
    windows = windows_of(times, product.argument)
    edges = np.concatenate([[0], np.cumsum(source.chunks[axis])])
    name = f"virga-maximum-{tokenize(source.name, product, axis, decoding, times)}"

    def task(key: Key) -> Task:
        index, chunk = key[1:], key[1 + axis]
        mine = windows[edges[chunk]:edges[chunk + 1]]
        first = min((window[0] for window in mine if window), default=int(edges[chunk]))
        begin = int(np.searchsorted(edges, first, side="right")) - 1
        shifted = tuple(window and (window[0] - int(edges[begin]), window[1] - int(edges[begin])) for window in mine)
        return Task(key, product_blocks.window_maximum, shifted, axis, decoding, dtype.str,
                    *(_ref(source, (*index[:axis], c, *index[axis + 1:])) for c in range(begin, chunk + 1)))

    return _array_of(name, LazyTasks({name: source.numblocks}, task), source, source.chunks, dtype)


# ---- runs ------------------------------------------------------------------------------------------------------------

def _difference(dataset: Dataset, array: StoredArray) -> StoredArray:
    run, step = _axis(dataset, array, Role.RUN, "runs"), _axis(dataset, array, Role.TIME, "times")
    times = valid_seconds(dataset, array.dimensions[run], array.dimensions[step])
    runs = valid_seconds(dataset, None, array.dimensions[run])[0]
    before = pairs_of(runs, times)
    if not any(pair for steps in before for pair in steps):
        raise Failure(Status.UNSUPPORTED, "no two runs have a valid time in common")
    attributes = _attributes(dataset, array, array.dimensions, "minus the run before at the same valid time", None,
                             same_quantity=False, units=_units_of_difference(array))
    return _stored(dataset, array, f"{array.name}_difference", array.dimensions, attributes,
                   functools.partial(_difference_graph, array, run, step, before), array.chunks)


def pairs_of(runs: np.ndarray, times: np.ndarray) -> list[list[tuple[int, int] | None]]:
    """For each run and step the run before and its step of the same valid time (to the second), or None. times: run ×
    step."""
    order = np.argsort(runs, kind="stable")
    earlier = {int(late): int(early) for early, late in zip(order, order[1:]) if runs[early] < runs[late]}
    steps = [{round(float(t)): i for i, t in enumerate(row)} for row in times]

    def pair(run: int, time: float) -> tuple[int, int] | None:
        if run not in earlier or round(time) not in steps[earlier[run]]:
            return None
        return earlier[run], steps[earlier[run]][round(time)]
    return [[pair(run, float(time)) for time in row] for run, row in enumerate(times)]


def _difference_graph(array: StoredArray, run: int, step: int, before: list[list[tuple[int, int] | None]]):
    source, decoding, dtype = array.dask, decoding_of(array), _result_dtype(array)
    edges = {axis: np.concatenate([[0], np.cumsum(source.chunks[axis])]) for axis in (run, step)}
    name = f"virga-difference-{tokenize(source.name, run, step, before, decoding)}"

    def place(axis: int, at: int) -> tuple[int, int]:
        chunk = int(np.searchsorted(edges[axis], at, side="right")) - 1
        return chunk, at - int(edges[axis][chunk])

    def task(key: Key) -> Task:
        index = list(key[1:])
        others: dict[tuple[int, int], int] = {}  # chunks along runs and steps, in the order of the task's arguments

        def pair(r: int, s: int) -> tuple[int, int, int] | None:
            if before[r][s] is None:
                return None
            (run_chunk, in_run), (step_chunk, in_step) = place(run, before[r][s][0]), place(step, before[r][s][1])
            return others.setdefault((run_chunk, step_chunk), len(others)), in_run, in_step

        pairs = tuple(tuple(pair(r, s) for s in range(edges[step][index[step]], edges[step][index[step] + 1]))
                      for r in range(edges[run][index[run]], edges[run][index[run] + 1]))
        refs = []
        for run_chunk, step_chunk in others:
            there = list(index)
            there[run], there[step] = run_chunk, step_chunk
            refs.append(_ref(source, tuple(there)))
        return Task(key, product_blocks.difference, pairs, (run, step), decoding, dtype.str,
                    _ref(source, tuple(index)), *refs)

    return _array_of(name, LazyTasks({name: source.numblocks}, task), source, source.chunks, dtype)
