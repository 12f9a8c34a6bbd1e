# SPDX-License-Identifier: Apache-2.0
"""As much of CF as products need: which dimension is of members, times or runs, and when its points are."""

from __future__ import annotations

from enum import Enum

import cftime
import numpy as np

from .arrays import StoredArray
from .datasets import Dataset
from .failure import Failure, Status

_MEMBERS = {"realization", "realisation", "member", "members", "ensemble", "ens", "number", "ensemble_member"}
_LENGTHS = {"s": 1.0, "sec": 1.0, "second": 1.0, "min": 60.0, "minute": 60.0, "h": 3600.0, "hr": 3600.0, "hour": 3600.0,
            "d": 86400.0, "day": 86400.0}
_RUNS, _TIMES = {"forecast_reference_time", "run", "init_time"}, {"time", "step", "forecast_period", "lead_time"}
_EPOCH = "seconds since 1970-01-01 00:00:00"


class Role(Enum):
    MEMBER = 1
    TIME = 2
    RUN = 3


def role_of(dataset: Dataset, dimension: str) -> Role | None:
    """By its coordinate variable, and by its name where that says nothing."""
    coordinate = dataset.variables.get(dimension)
    words = coordinate.attributes if coordinate is not None else {}
    standard_name, axis, units = (str(words.get(word, "")).strip() for word in ("standard_name", "axis", "units"))
    name = dimension.rpartition("/")[2].lower()
    if standard_name.lower() == "forecast_reference_time" or (not standard_name and name in _RUNS):
        return Role.RUN
    if standard_name.lower() in ("time", "forecast_period") or axis == "T" or " since " in units.lower():
        return Role.TIME
    if standard_name.lower() == "realization" or axis == "E" or (not standard_name and name in _MEMBERS):
        return Role.MEMBER
    return Role.TIME if not standard_name and name in _TIMES else None


def is_direction(array: StoredArray) -> bool:
    """Whether its numbers go round, so that they have no mean."""
    called = str(array.attributes.get("standard_name", ""))
    return any(word in called for word in ("direction", "azimuth", "longitude"))


def seconds_of(coordinate: StoredArray) -> tuple[np.ndarray, bool]:
    """Its times in seconds; and whether they are since 1970 (in its own calendar), not lengths of time."""
    if not coordinate.readable or coordinate.dtype.kind not in "iuf":
        raise Failure(Status.UNSUPPORTED, f"{coordinate.name} has no numbers")
    numbers = coordinate.read(tuple(slice(0, n) for n in coordinate.shape)).astype(np.float64)
    units = str(coordinate.attributes.get("units", "")).strip()
    try:
        if " since " in units.lower():
            calendar = str(coordinate.attributes.get("calendar", "standard"))
            dates = cftime.num2date(numbers, units, calendar)
            return np.asarray(cftime.date2num(dates, _EPOCH, calendar), np.float64), True
        return numbers * _LENGTHS[units.lower() if len(units) == 1 else units.lower().removesuffix("s")], False
    except (KeyError, ValueError, TypeError, OverflowError) as error:
        raise Failure(Status.UNSUPPORTED, f"the units of {coordinate.name} are not understood: {units[:60]}") from error


def valid_seconds(dataset: Dataset, run: str | None, time: str) -> np.ndarray:
    """When the points of a dimension of times are, for each run (one row without a dimension of runs)."""
    for array in dataset.variables.values():  # times of each run and step
        if run and array.dimensions == (run, time) and array.attributes.get("standard_name") == "time":
            return seconds_of(array)[0]
    if time not in dataset.variables or dataset.variables[time].dimensions != (time,):
        raise Failure(Status.UNSUPPORTED, f"the dimension {time} has no coordinate that tells its times")
    seconds, since = seconds_of(dataset.variables[time])
    if run is None:
        return seconds[np.newaxis]
    runs = valid_seconds(dataset, None, run)[0]
    return np.broadcast_to(seconds, (len(runs), len(seconds))) if since else runs[:, np.newaxis] + seconds
