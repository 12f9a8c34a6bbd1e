# SPDX-License-Identifier: Apache-2.0
"""The faults of the first system of this kind, each a test of the running server: a scale for each step, missing data drawn as
full cloud, levels mixed, drift by half a pixel, wrong times."""
import gzip
import json
import struct
import urllib.parse

import cftime
import netCDF4
import numpy
import pytest

import make_files
from served import Served, compare


def made(path, values, name="air_temperature", units="K", run=0, times=None, time_units=make_files.EPOCH, calendar="standard", axes=make_files.plain_axes,
         heights=None, kind="f4", fill=None, reference=True, period=None, **attributes):
    """values [time][level][y][x], stored as they are."""
    values = numpy.asarray(values)
    with netCDF4.Dataset(path, "w") as file:
        file.createDimension("time", len(values))
        time = file.createVariable("time", "f8", ("time",))
        time.standard_name, time.units, time.calendar = "time", time_units, calendar
        time[:] = numpy.arange(len(values)) + run + 6 if times is None else times
        if reference:
            start = file.createVariable("forecast_reference_time", "f8", ())
            start.standard_name, start.units, start.calendar = "forecast_reference_time", time_units, calendar
            start[...] = run
        if period is not None:
            lead = file.createVariable("forecast_period", "f8", ("time",))
            lead.standard_name, lead.units = "forecast_period", "hours"
            lead[:] = period
        y, x = axes(file, values.shape[3], values.shape[2])
        heights = 100.0 * (numpy.arange(values.shape[1]) + 1) if heights is None else heights
        make_files.axis(file, "height", heights, "height", "m", positive="up")
        variable = file.createVariable(name, kind, ("time", "height", y, x), fill_value=fill)
        variable.setncatts({"standard_name": name, "units": units, **attributes})
        if period is not None:
            variable.coordinates = "forecast_period"
        variable.set_auto_maskandscale(False)
        variable[:] = values
    return path


# --- a scale for each step -------------------------------------------------------------------------------------------------


def lattice_of_marks(served, name, mark, run=-1):
    """The marked voxels' q at each step of a run."""
    found, _ = served.variable(name)
    series = served.series(name, run)
    answers = []
    for step in range(len(series["times"])):
        q, present = served.level(series["edition"], served.table(series["edition"], step), 0, found["grid"]["wraps"], step)
        assert present[mark].all()
        answers.append(q[mark].tolist())
    return answers


def widening(shape, count, marks, middle, narrow=0.01):
    """Steps whose range grows by 4 from each to the next, with the same values at the same few places."""
    values = numpy.stack([middle + narrow * 4.0**t * (numpy.random.default_rng(t).random(shape) - 0.5) for t in range(count)])
    values[:, 1, 3, 2:2 + len(marks)] = marks
    return values


@pytest.mark.parametrize("name, units, middle", (("air_temperature", "K", 280.0), ("cloud_area_fraction_in_atmosphere_layer", "1", 0.5),
                                                 ("made_up_quantity", "furlong", 3.0)))
def test_one_value_is_one_lattice_number_at_every_step_and_run(serve, tmp_path, name, units, middle):
    marks = [middle, middle + 0.003, middle + 0.4]
    folder = tmp_path / "data"
    folder.mkdir()
    for run, narrow in ((0, 0.01), (12, 0.3)):
        made(folder / f"{run}.nc", widening((3, 20, 33), 4, marks, middle, narrow), name, units, run)
    with serve(folder) as server, Served(server) as served:
        numbers = [one for run in (0, 1) for one in lattice_of_marks(served, name, numpy.s_[1, 20 - 1 - 3, 2:5], run)]
        assert len(numbers) == 8 and all(one == numbers[0] for one in numbers)


def test_a_scale_taken_from_the_first_step_is_kept_when_that_step_is_gone(serve, tmp_path):
    """A quantity and unit that no table knows: its scale is in the state."""
    marks, folder = [3.0, 3.2], tmp_path / "data"
    folder.mkdir()
    made(folder / "first.nc", widening((3, 20, 33), 2, marks, 3.0, 0.5), "made_up_quantity", "furlong", 0)
    keep = ("--state", tmp_path / "kept")
    with serve(folder, *keep) as server, Served(server) as served:
        before, lattice = lattice_of_marks(served, "made_up_quantity", numpy.s_[1, 20 - 1 - 3, 2:4]), served.variable("made_up_quantity")[1]["lattice"]
    (folder / "first.nc").unlink()
    made(folder / "second.nc", widening((3, 20, 33), 2, marks, 3.0, 50.0), "made_up_quantity", "furlong", 12)
    with serve(folder, *keep) as server, Served(server) as served:
        assert served.variable("made_up_quantity")[1]["lattice"] == lattice
        assert lattice_of_marks(served, "made_up_quantity", numpy.s_[1, 20 - 1 - 3, 2:4]) == before


# --- missing data drawn as full cloud --------------------------------------------------------------------------------------


CLOUD = "cloud_area_fraction_in_atmosphere_layer"


@pytest.mark.parametrize("kind, fill, scale, more", (
    ("f4", None, 1, {}), ("f4", 1e20, 1, {}), ("f4", 2.0, 1, {}), ("f4", -1.0, 1, {}), ("u1", 255, 1 / 250, {}), ("i1", -1, 1 / 250, {"_Unsigned": "true"}),
    ("i2", -32767, 1e-4, {}), ("i2", 32767, 1e-4, {}),
), ids=("NaN", "1e20", "2", "-1", "byte 255", "unsigned byte -1", "short -32767", "short 32767"))
def test_missing_is_missing_and_never_cloud(serve, tmp_path, kind, fill, scale, more):
    """A hole in thin cloud: whatever number stands for it, it must not look like a cover of 1, nor spoil means and ranges beside it."""
    shape = (4, 33, 70)
    cloud = numpy.random.default_rng(3).integers(0, 25, shape) / 250  # at most 0.1
    hole = numpy.random.default_rng(7).random(shape) < 0.03
    hole[:, 5:20, 30:36], hole[3, :, 64:] = True, True
    stored = numpy.round(cloud / scale) if scale != 1 else cloud
    stored[hole] = numpy.nan if fill is None else fill
    packing = {"scale_factor": scale, "add_offset": 0.0} if scale != 1 else {}
    path = made(tmp_path / "a.nc", stored.astype(kind)[None], CLOUD, "1", kind=kind, fill=fill, **packing, **more)
    expected = numpy.where(hole, numpy.nan, cloud)[:, ::-1]  # the file goes from north to south
    with serve(path) as server, Served(server) as served:
        variable = compare(served, CLOUD, expected)
        table = served.table(served.series(CLOUD)["edition"])
        assert table.lowest >= -variable["epsilon"] and table.highest <= 0.1 + variable["epsilon"]
        top = round((0.1 - variable["lattice"]["v0"]) / variable["lattice"]["step"]) + 1
        assert all((level.high <= top).all() and (level.low >= -1).all() for level in table.levels)
        inside = ask(served, CLOUD, -10 + 0.5 * 33, 60 - 0.5 * 12, 200)
        assert inside["bricks"] is None and inside["source"] is None


# --- levels mixed ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("levels", (2, 31, 32, 33, 34, 65, 70, 137), ids=str)
def test_each_level_holds_its_own_number_and_nothing_of_the_next(serve, tmp_path, levels):
    """Levels that jump by hundreds of kelvin: the least mixing shows, in cores, in borders, and in the means of whole levels."""
    number = numpy.broadcast_to(numpy.arange(levels)[:, None, None], (levels, 7, 33))
    values = 100.0 * (number * 37 % levels)
    path = made(tmp_path / "a.nc", values[None].astype("f4"))
    with serve(path) as server, Served(server) as served:
        compare(served, "air_temperature", values)
        decoded = served.values("air_temperature")
        assert (numpy.round(decoded) == values).all()
        for level in (0, levels // 2, levels - 1):
            answer = ask(served, "air_temperature", 0, 58.5, 100.0 * (level + 1))
            assert answer["bricks"] == pytest.approx(values[level, 0, 0], abs=answer["epsilon"] + 0.01)


# --- drift by half a pixel -------------------------------------------------------------------------------------------------


def ramp(shape, axis):
    return numpy.moveaxis(numpy.broadcast_to(numpy.arange(shape[axis], dtype=float), [n for a, n in enumerate(shape) if a != axis] + [shape[axis]]), -1, axis)


@pytest.mark.parametrize("shape", ((3, 67, 131), (5, 129, 66), (35, 33, 97)), ids=str)
@pytest.mark.parametrize("axis", (0, 1, 2), ids=("k", "j", "i"))
def test_a_ramp_is_where_it_was_at_every_pyramid_level(serve, tmp_path, shape, axis):
    """The value is the voxel's own index: a wrong stride, shift or size is a wrong number, and most so at the far end."""
    values = ramp(shape, axis)
    path = made(tmp_path / "a.nc", values[None, :, ::-1].astype("f4"))  # from north to south
    with serve(path) as server, Served(server) as served:
        variable = compare(served, "air_temperature", values)
        lattice, edition = variable["lattice"], served.series("air_temperature")["edition"]
        table = served.table(edition)
        assert len(table.levels) > 1
        for number, level in enumerate(variable["pyramid"]):
            q, _ = served.level(edition, table, number, False)
            along = numpy.moveaxis(lattice["v0"] + q * lattice["step"], axis, -1)[0, 0]
            scale = level["scale"][2 - axis]
            whole = shape[axis] // scale
            centre = (numpy.arange(whole) + 0.5) * scale - 0.5
            assert abs(along[:whole] - centre).max(initial=0) <= lattice["epsilon"]


def geometry(served, name):
    """(JSON, function from an array's name to numbers) of a variable's geometry document."""
    dataset, _ = served.variable(name)
    body = gzip.decompress(served.get(f"/api/geometry/{dataset['id']}/{served.series(name)['geometry'][0]}"))
    size = struct.unpack_from("<I", body, 8)[0]
    start = (12 + size + 3) // 4 * 4
    document = json.loads(body[12:12 + size])
    return document, lambda a: numpy.frombuffer(body, "<f4", a["count"], start + a["offset"])


def positions(axis, array):
    return array(axis["values"]).astype(float) if "values" in axis else axis["start"] + axis["step"] * numpy.arange(axis["n"])


def uneven_axes(file, nx, ny):
    make_files.axis(file, "latitude", 60 - 0.5 * numpy.arange(ny) - 0.003 * numpy.arange(ny) ** 2, "latitude", "degrees_north")
    make_files.axis(file, "longitude", -10 + 0.5 * numpy.arange(nx) + 0.002 * numpy.arange(nx) ** 2, "longitude", "degrees_east")
    return "latitude", "longitude"


@pytest.mark.parametrize("axes", (make_files.plain_axes, uneven_axes), ids=lambda axes: axes.__name__)
def test_voxel_centres_lie_on_the_grid_points(serve, tmp_path, axes):
    """The places the page draws at, and the value at a place, on a field whose value is its own longitude or latitude."""
    shape = (2, 67, 131)
    lons, lats = {}, {}

    def remember(file, nx, ny):
        names = axes(file, nx, ny)
        lats[0], lons[0] = file["latitude"][:].data, file["longitude"][:].data
        return names
    blank = made(tmp_path / "blank.nc", numpy.zeros((1, *shape)), axes=remember)
    blank.unlink()
    lon, lat = lons[0], lats[0]
    for what, values in (("longitude", numpy.broadcast_to(lon + 200, shape)), ("latitude", numpy.broadcast_to((lat + 200)[:, None], shape))):
        path = made(tmp_path / f"{what}.nc", values[None].astype("f4"), axes=axes)
        with serve(path) as server, Served(server) as served:
            document, array = geometry(served, "air_temperature")
            assert positions(document["x"], array) == pytest.approx(lon, abs=1e-5)
            assert positions(document["y"], array) == pytest.approx(lat[::-1], abs=1e-5)
            for share in numpy.linspace(0, 1, 23):
                x, y = lon[0] + share * (lon[-1] - lon[0]), lat[0] + share * (lat[-1] - lat[0])
                answer = ask(served, "air_temperature", x, y, 150)
                assert answer["bricks"] == pytest.approx(200 + (x if what == "longitude" else y), abs=answer["epsilon"] + 1e-3)


def ask(served, variable, lon, lat, height, time=None):
    time = time or served.series(variable)["times"][0]
    query = urllib.parse.urlencode({"variable": variable, "time": time, "lon": lon, "lat": lat, "height": height})
    return json.loads(served.get("/api/sample?" + query))


# --- wrong times -----------------------------------------------------------------------------------------------------------


def text(date):
    seconds = date.second + round(date.microsecond / 1e6)
    return f"{date.year:04d}-{date.month:02d}-{date.day:02d}T{date.hour:02d}:{date.minute:02d}:{seconds:02d}Z"


def check_times(serve, path, expected, run):
    """The catalog's times and run, and at each of them that step's own data: 280 K and one more for each step of the file."""
    with serve(path) as server, Served(server) as served:
        _, variable = served.variable("air_temperature")
        series = served.series("air_temperature")
        ordered = sorted(expected)
        assert series["times"] == variable["times"] == ordered
        assert served.catalog["datasets"][0]["runs"][0]["time"] == run
        assert (numpy.diff(series["seconds"]) > 0).all()
        for step, time in enumerate(ordered):
            table = served.table(series["edition"], step)
            assert table.lowest == pytest.approx(280 + expected.index(time), abs=variable["epsilon"])
            assert ask(served, "air_temperature", -5, 58, 150, time)["time"] == time
        return served


def numbered(steps):
    return numpy.broadcast_to(280.0 + numpy.arange(steps)[:, None, None, None], (steps, 3, 9, 21)).astype("f4")


@pytest.mark.parametrize("units, calendar, run, times", (
    ("hours since 2026-01-01 00:00:00", "standard", 0, (0, 1, 2, 3, 6, 9, 12, 18, 24, 36, 48, 72, 120)),
    ("days since 2024-02-28", "standard", 0, (0.25, 1, 1.5, 2)),
    ("days since 2024-02-28", "noleap", 0, (0.25, 1, 1.5, 2)),
    ("days since 2025-01-01", "360_day", 58, (58.5, 59, 59.125, 60, 89)),
    ("hours since 1900-01-01 00:00:0.0", "gregorian", 1104540, (1104540, 1104543, 1104549.5)),
    ("minutes since 1999-12-31T23:00:00Z", "proleptic_gregorian", 0, (30, 60, 61, 180)),
    ("seconds since 1970-01-01 00:00:00 UTC", "standard", 1.7e9, (1.7e9, 1.7e9 + 1, 1.7e9 + 86399)),
    ("hours since 2026-03-01 00:00:00 +02:00", "standard", 0, (0, 1.5, 30)),
    ("days since 0001-01-01 00:00:00", "standard", 730000, (730000, 730000.5)),
    ("hours since 2026-01-01 00:00:00", "standard", 0, (1 / 3, 2 / 3, 1, 4 / 3)),
    ("days since 2023-12-31", "julian", 0, (0.5, 1.75)),
    ("days since 2023-02-28", "all_leap", 0, (0.5, 1, 2)),
), ids=str)
def test_times_are_those_of_cftime(serve, tmp_path, units, calendar, run, times):
    path = made(tmp_path / "a.nc", numbered(len(times)), run=run, times=times, time_units=units, calendar=calendar)
    expected = [text(cftime.num2date(time, units, calendar, only_use_cftime_datetimes=True)) for time in times]
    check_times(serve, path, expected, text(cftime.num2date(run, units, calendar, only_use_cftime_datetimes=True)))


@pytest.mark.parametrize("units, meant", (("Hour since 2010-10-26T12:00:00+00:00", "hours since 2010-10-26 12:00:00"),
                                          ("hours since 11/15/2006 12:00", "hours since 2006-11-15 12:00:00"),
                                          ("h since 2026-01-01", "hours since 2026-01-01"),
                                          ("steps of the model", None)), ids=str)
def test_odd_units_are_understood_or_refused_and_never_guessed(serve, tmp_path, units, meant):
    times = (0, 3, 9)
    path = made(tmp_path / "a.nc", numbered(3), times=times, time_units=units)
    if meant:
        expected = [text(cftime.num2date(time, meant, "standard", only_use_cftime_datetimes=True)) for time in times]
        check_times(serve, path, expected, expected[0])
        return
    with serve(path, "--allow-empty") as server, Served(server) as served:
        assert [p for p in served.catalog["problems"] if p["variable"] == "air_temperature" and units in p["reason"]]
        assert not [v for d in served.catalog["datasets"] for v in d["variables"] if v["times"]]


def test_steps_stored_out_of_order_are_shown_in_order_each_with_its_own_data(serve, tmp_path):
    times = (12, 3, 24, 6)
    path = made(tmp_path / "a.nc", numbered(4), times=times)
    expected = [text(cftime.num2date(time, make_files.EPOCH)) for time in times]
    check_times(serve, path, expected, "2026-01-01T00:00:00Z")


def test_a_run_told_only_by_the_forecast_period(serve, tmp_path):
    times = (18, 21, 27)
    path = made(tmp_path / "a.nc", numbered(3), times=times, reference=False, period=(6, 9, 15))
    expected = [text(cftime.num2date(time, make_files.EPOCH)) for time in times]
    check_times(serve, path, expected, "2026-01-01T12:00:00Z")


@pytest.mark.parametrize("name, steps", (("GFS_test.nc", 1), ("GFS_Puerto_Rico_191km_20090730_0000.nc", 21), ("ecmwf_packed_missing.nc", 1),
                                         ("nio-ex5.nc", 6), ("hybrid_height.nc", 1), ("mogreps_uk_wet_bulb_temperature.nc", 1)))
def test_times_of_real_forecasts_are_those_of_cftime(serve, forecasts, name, steps):
    with netCDF4.Dataset(forecasts / name) as file:
        time = next(v for v in file.variables.values() if " since " in getattr(v, "units", "") and "bounds" not in v.name and "bnds" not in v.name
                    and "reference" not in v.name and "reference" not in getattr(v, "standard_name", ""))
        units = time.units.replace("Hour ", "hours ").replace("11/15/2006", "2006-11-15")
        dates = cftime.num2date(numpy.atleast_1d(time[:]), units, getattr(time, "calendar", "standard"), only_use_cftime_datetimes=True)
        expected = [text(date) for date in dates]
    with serve(forecasts / name) as server, Served(server) as served:
        offered = {tuple(v["times"]) for d in served.catalog["datasets"] for v in d["variables"]}
    assert len(expected) == steps and tuple(expected) in offered
