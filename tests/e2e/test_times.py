# SPDX-License-Identifier: Apache-2.0
"""Valid times and runs in every CF calendar and in the units that files carry, against cftime."""
import json
import random

import cftime
import netCDF4
import numpy
import pytest

import make_files

CALENDARS = ("standard", "gregorian", "proleptic_gregorian", "julian", "noleap", "365_day", "all_leap", "366_day", "360_day")
UNITS = ("hours since 2006-11-15 12:00", "Hour since 2010-10-26T12:00:00Z", "days since 1-1-1 00:00:0.0", "days since 1850-01-01", "minutes since 1600-03-01 00:00:00 UTC",
         "seconds since 1970-01-01 00:00:00", "hours since 2006-11-15T12:00:00.0", "days since 1900-1-1", "hours since 2000-01-01 00:00:00 +01:00", "sec since 1999-12-30 23:59:30")


def iso(date):
    """As the catalogue writes times."""
    text = f"{date.year:04d}-{date.month:02d}-{date.day:02d}T{date.hour:02d}:{date.minute:02d}:{date.second:02d}"
    return text + "Z"


@pytest.fixture
def info(run):
    def call(path):
        done = run("info", "--json", path)
        assert done.stdout, done.stderr
        return json.loads(done.stdout)
    return call


def write(path, times, units, calendar, reference=None, kind="f8"):
    with netCDF4.Dataset(path, "w") as file:
        file.createDimension("time", len(times))
        t = file.createVariable("time", kind, ("time",))
        t.standard_name, t.units, t.calendar = "time", units, calendar
        t[:] = times
        if reference is not None:
            r = file.createVariable("forecast_reference_time", "f8", ())
            r.standard_name, r.units, r.calendar = "forecast_reference_time", units, calendar
            r[...] = reference
        y, x = make_files.plain_axes(file, 4, 3)
        make_files.temperature(file, ("time", y, x), numpy.arange(len(times) * 12, dtype="f4").reshape(-1, 3, 4))
    return path


@pytest.mark.parametrize("calendar", CALENDARS)
def test_labels_are_those_of_cftime(info, tmp_path, calendar):
    dice = random.Random(calendar)
    for n, units in enumerate(UNITS):
        span = {"h": 24 * 400, "H": 24 * 400, "d": 300000, "m": 10 ** 8, "s": 10 ** 9}[units[0]]
        numbers = sorted(dice.randrange(span) for _ in range(6))  # uneven steps
        wanted = [iso(d) for d in cftime.num2date(numbers, units.replace("Hour ", "hours "), calendar)]
        answer = info(write(tmp_path / f"{n}.nc", numbers, units, calendar, reference=numbers[0]))
        (dataset,) = answer["datasets"]
        (variable,) = dataset["variables"]
        assert variable["times"] == wanted, units
        assert dataset["runs"][0]["time"] == wanted[0]
        seconds = dataset["runs"][0]["series"][variable["id"]]["seconds"]
        epoch = cftime.date2num(cftime.num2date(numbers, units.replace("Hour ", "hours "), calendar), "seconds since 1970-01-01", calendar)
        assert seconds == [int(s) for s in epoch]


def test_fractions_of_a_day_are_whole_seconds(info, tmp_path):
    numbers = [58000 + k / 1440 for k in range(0, 1440, 97)]
    answer = info(write(tmp_path / "a.nc", numbers, "days since 1858-11-17", "standard"))
    dates = cftime.num2date([round(n * 1440) for n in numbers], "minutes since 1858-11-17", "standard")
    assert answer["datasets"][0]["variables"][0]["times"] == [iso(d) for d in dates]


def test_months_of_a_calendar_of_equal_months(info, tmp_path):
    answer = info(write(tmp_path / "a.nc", [0, 1, 13], "months since 2000-01-30", "360_day"))
    assert answer["datasets"][0]["variables"][0]["times"] == [iso(d) for d in cftime.num2date([0, 1, 13], "months since 2000-01-30", "360_day")]
    assert answer["datasets"][0]["variables"][0]["times"][1] == "2000-02-30T00:00:00Z"


@pytest.mark.parametrize("name", ("iris_test_data/test_monotonic_coordinate.nc", "odd_ensemble_5d/aoa_in_ens.nc"))
def test_odd_files(info, hostile, name):
    answer = info(hostile / name)
    checked = 0
    with netCDF4.Dataset(hostile / name) as file:
        for dataset in answer["datasets"]:
            for variable in dataset["variables"]:
                if variable["derived"]:
                    continue
                stored = file[variable["name"]]
                (dimension,) = [d for d in stored.dimensions if d.startswith("time")]
                t = file[dimension]
                dates = netCDF4.num2date(numpy.ma.compressed(t[:]), t.units, getattr(t, "calendar", "standard"))
                assert variable["times"] == sorted({iso(d) for d in dates}), variable["name"]
                checked += 1
    assert checked >= 3
    if "ens" in name:
        with netCDF4.Dataset(hostile / name) as file:
            r = file["forecast_reference_time"]
            assert answer["datasets"][0]["runs"][0]["time"] == iso(netCDF4.num2date(r[...], r.units, r.calendar))
