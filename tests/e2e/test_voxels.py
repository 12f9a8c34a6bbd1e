# SPDX-License-Identifier: Apache-2.0
"""Every voxel that a running server gives out, against the file's own number: read by netCDF4, decoded by brick_decoder."""
import netCDF4
import numpy
import pyproj
import pytest

import make_files
import place
from served import Served, compare, source

NAME = "air_temperature"


def noise(shape, seed=1):
    """A field in which no two voxels are alike, so that any exchange shows; part smooth, as forecasts are."""
    return (make_files.field(shape) + numpy.random.default_rng(seed).uniform(-15, 15, shape)).astype("f4")


def made(path, values, axes=make_files.plain_axes, heights=None, **packing):
    """A file with values [level][y][x] on heights above the ground."""
    nz, ny, nx = values.shape
    with netCDF4.Dataset(path, "w") as file:
        make_files.times(file, 1)
        y, x = axes(file, nx, ny)
        make_files.axis(file, "height", 50.0 * (numpy.arange(nz) + 1) ** 1.3 if heights is None else heights, "height", "m", positive="up")
        make_files.temperature(file, ("time", "height", y, x), values[None], values.dtype.str[1:], **packing)
    return path


@pytest.fixture
def check(serve):
    """Serves a file and compares one variable's one step; gives what the catalog says of the variable."""
    def call(path, name=NAME, at=None, **which):
        with serve(path) as server, Served(server) as served:
            return compare(served, name, source(path, name, {"time": 0} if at is None else at), **which)
    return call


@pytest.mark.parametrize("shape", ((1, 33, 65), (7, 34, 31), (37, 33, 65), (70, 34, 31), (137, 31, 34), (2, 64, 96), (3, 1, 45), (3, 45, 1),
                                   (33, 2, 3), (1, 1, 1), (2, 130, 67)), ids=str)
def test_any_number_of_levels_and_odd_edges(check, tmp_path, shape):
    path = made(tmp_path / "a.nc", noise(shape))
    assert check(path)["shape"][-2:] == list(shape[1:])


@pytest.mark.parametrize("heights", (numpy.arange(9, 0, -1) * 100.0, numpy.array([300.0, 100, 900, 500, 700, 200, 800, 400, 600])),
                         ids=("descending", "shuffled"))
def test_levels_in_any_order_stand_upward(check, tmp_path, heights):
    check(made(tmp_path / "a.nc", noise((9, 20, 35)), heights=heights))


def test_pressure_levels_from_the_top_down(check, tmp_path):
    path = tmp_path / "a.nc"
    with netCDF4.Dataset(path, "w") as file:
        make_files.times(file, 1)
        y, x = make_files.plain_axes(file, 40, 21)
        make_files.axis(file, "pressure", numpy.array([100.0, 300, 500, 700, 850, 1000]), "air_pressure", "hPa", positive="down")
        make_files.temperature(file, ("time", "pressure", y, x), noise((6, 21, 40))[None])
    check(path)


def south_to_north(file, nx, ny):
    make_files.axis(file, "latitude", 40 + 0.5 * numpy.arange(ny), "latitude", "degrees_north")
    make_files.axis(file, "longitude", -10 + 0.5 * numpy.arange(nx), "longitude", "degrees_east")
    return "latitude", "longitude"


def over_the_date_line(file, nx, ny):
    make_files.axis(file, "latitude", 40 - 0.5 * numpy.arange(ny), "latitude", "degrees_north")
    make_files.axis(file, "longitude", (170 + 0.5 * numpy.arange(nx) + 180) % 360 - 180, "longitude", "degrees_east")
    return "latitude", "longitude"


def east_to_west(file, nx, ny):
    make_files.axis(file, "latitude", 40 - 0.5 * numpy.arange(ny), "latitude", "degrees_north")
    make_files.axis(file, "longitude", 20 - 0.5 * numpy.arange(nx), "longitude", "degrees_east")
    return "latitude", "longitude"


@pytest.mark.parametrize("axes", (south_to_north, over_the_date_line, east_to_west, make_files.rotated_axes, make_files.laea_axes),
                         ids=lambda axes: axes.__name__)
def test_axes_in_any_direction(check, tmp_path, axes):
    check(made(tmp_path / "a.nc", noise((4, 35, 66)), axes))


def globe(nx, start):
    def axes(file, _, ny):
        make_files.axis(file, "latitude", numpy.linspace(90, -90, ny), "latitude", "degrees_north")
        make_files.axis(file, "longitude", start + 360 / nx * numpy.arange(nx), "longitude", "degrees_east")
        return "latitude", "longitude"
    return axes


@pytest.mark.parametrize("nx, start", ((36, 0), (64, -180), (65, 0), (97, 0)), ids=str)
def test_borders_wrap_around_the_globe(check, serve, tmp_path, nx, start):
    values = noise((3, 19, nx))
    values[:, 2:9, -1] = numpy.nan
    path = made(tmp_path / "a.nc", values, globe(nx, start))
    with serve(path) as server, Served(server) as served:
        assert served.catalog["datasets"][0]["grid"]["wraps"]
        compare(served, NAME, source(path, NAME, {"time": 0}))


def test_packed_numbers_come_back_exactly(check, tmp_path):
    path = make_files.packed(tmp_path / "a.nc", (6, 40, 66))
    variable = check(path)
    assert variable["lattice"]["step"] == pytest.approx(0.01, rel=1e-9)


@pytest.mark.parametrize("scale", (0.0005, 0.01, 0.25), ids=str)
def test_packed_with_holes(check, tmp_path, scale):
    stored = numpy.random.default_rng(4).integers(-3000, 3000, (5, 33, 34)).astype("i2")
    stored[numpy.random.default_rng(5).random(stored.shape) < 0.2] = -32767
    check(made(tmp_path / "a.nc", stored, scale_factor=scale, add_offset=280.0, _FillValue=numpy.int16(-32767)))


@pytest.mark.parametrize("kind, fill", (("f4", None), ("f4", 1e20), ("f8", -999.0)), ids=str)
@pytest.mark.parametrize("share", (0.02, 0.5, 0.98), ids=str)
def test_masks_are_exact(check, tmp_path, kind, fill, share):
    """NaN without a fill value as well as with one, and fill values of both signs."""
    values = noise((5, 37, 41)).astype(kind)
    values[numpy.random.default_rng(6).random(values.shape) < share] = numpy.nan if fill is None else fill
    values[:, :, 36:] = numpy.nan
    check(made(tmp_path / "a.nc", values, **({} if fill is None else {"_FillValue": fill})))


def test_a_missing_value_beside_a_fill_value(check, tmp_path):
    values = noise((2, 20, 21))
    values[0, 3:7], values[1, :, 4:9] = -9e33, 1e20
    check(made(tmp_path / "a.nc", values, _FillValue=numpy.float32(1e20), missing_value=numpy.float32(-9e33)))


def test_infinite_values_are_missing(check, tmp_path):
    values = noise((3, 20, 33))
    values[0, 2, 3:9], values[2, 4:8, 1] = numpy.inf, -numpy.inf
    check(made(tmp_path / "a.nc", values))


def test_values_too_large_for_the_lattice_are_missing_and_their_neighbours_are_not(serve, tmp_path):
    values = noise((3, 20, 33))
    values[1, 5, 6] = 1e30
    path = made(tmp_path / "a.nc", values)
    expected = source(path, NAME, {"time": 0})
    expected[expected > 1e20] = numpy.nan
    with serve(path) as server, Served(server) as served:
        compare(served, NAME, expected)


def test_nothing_there_at_all(check, tmp_path):
    check(made(tmp_path / "a.nc", numpy.full((2, 20, 33), numpy.nan, "f4")))


def test_one_value_everywhere(check, tmp_path):
    check(made(tmp_path / "a.nc", numpy.full((3, 40, 70), 281.37, "f4")))


def test_a_2d_variable(check, tmp_path):
    assert check(make_files.surface(tmp_path / "a.nc", 35, 67))["vertical"] is None


def test_each_step_and_member(serve, tmp_path):
    steps, members, shape = 3, 2, (4, 20, 33)
    path = tmp_path / "a.nc"
    values = numpy.stack([numpy.stack([noise(shape, 10 * t + m) for m in range(members)]) for t in range(steps)])
    with netCDF4.Dataset(path, "w") as file:
        make_files.times(file, steps)
        y, x = make_files.plain_axes(file, shape[2], shape[1])
        make_files.axis(file, "realization", numpy.arange(members), "realization", "1")
        make_files.axis(file, "height", 100.0 * (numpy.arange(shape[0]) + 1), "height", "m", positive="up")
        make_files.temperature(file, ("time", "realization", "height", y, x), values)
    with serve(path) as server, Served(server) as served:
        for step in range(steps):
            for member in range(members):
                compare(served, NAME, source(path, NAME, {"time": step, "realization": member}), step, member)


def test_dimensions_in_another_order(check, serve, tmp_path):
    """Levels innermost, as some models write them."""
    shape, path = (6, 20, 33), tmp_path / "a.nc"
    values = noise(shape)
    with netCDF4.Dataset(path, "w") as file:
        make_files.times(file, 1)
        y, x = make_files.plain_axes(file, shape[2], shape[1])
        make_files.axis(file, "height", 100.0 * (numpy.arange(shape[0]) + 1), "height", "m", positive="up")
        make_files.temperature(file, ("time", y, x, "height"), values.transpose(1, 2, 0)[None])
    with serve(path) as server, Served(server) as served:
        assert not served.catalog["problems"]
        compare(served, NAME, source(path, NAME, {"time": 0}).transpose(2, 0, 1))


@pytest.mark.parametrize("axes", (make_files.plain_axes, make_files.rotated_axes), ids=lambda axes: axes.__name__)
def test_wind_speed_and_the_direction_from_true_north(serve, tmp_path, axes):
    """From components along the grid: the direction is turned by the angle between the grid's north and the true one."""
    shape, path = (3, 21, 35), tmp_path / "a.nc"
    u, v = (numpy.random.default_rng(n).uniform(-30, 30, shape).astype("f4") for n in (1, 2))
    turned = axes is make_files.rotated_axes
    with netCDF4.Dataset(path, "w") as file:
        make_files.times(file, 1)
        y, x = axes(file, shape[2], shape[1])
        make_files.axis(file, "height", 100.0 * (numpy.arange(shape[0]) + 1), "height", "m", positive="up")
        for name, values in (("x_wind", u), ("y_wind", v)) if turned else (("eastward_wind", u), ("northward_wind", v)):
            stored = file.createVariable(name, "f4", ("time", "height", y, x))
            stored.standard_name, stored.units = name, "m s-1"
            if turned:
                stored.grid_mapping = "grid"
            stored[:] = values[None]
        lon, lat = numpy.meshgrid(file[x][:].data, file[y][:].data)
    angle = numpy.zeros(lon.shape)
    if turned:
        pole = place.rotated(177.5, 37.5)
        to_true = pyproj.Proj("+proj=ob_tran +o_proj=longlat +o_lon_p=0 +o_lat_p=37.5 +lon_0=-2.5 +R=6371229")
        for j, i in numpy.ndindex(lon.shape):
            here, north = (numpy.array(to_true(numpy.radians(lon[j, i]), numpy.radians(lat[j, i] + d), inverse=True)) for d in (0, 1e-3))
            assert pole(*here)[1] == pytest.approx(lat[j, i], abs=1e-9)
            angle[j, i] = numpy.degrees(numpy.arctan2((north[0] - here[0]) * numpy.cos(numpy.radians(here[1])), north[1] - here[1]))
    speed, towards = numpy.hypot(u, v), numpy.degrees(numpy.arctan2(u, v))
    direction = (towards + angle + 180) % 360
    if not turned:
        speed, direction = speed[:, ::-1], direction[:, ::-1]  # the file goes from north to south
    with serve(path) as server, Served(server) as served:
        by_name = {v["standard_name"]: v for v in served.catalog["datasets"][0]["variables"]}
        fast, off = by_name["wind_speed"], by_name["wind_from_direction"]
        assert abs(served.values(fast["name"]) - speed).max() <= fast["epsilon"] * (1 + 1e-9)
        apart = (served.values(off["name"]) - direction + 180) % 360 - 180
        assert abs(apart).max() <= off["epsilon"] + 0.01


def volumes(path, steps):
    """(name, index) of each variable of a real file on a grid, with what else must be picked."""
    with netCDF4.Dataset(path) as file:
        for name, variable in file.variables.items():
            if len(variable.dimensions) >= 2 and "S1" not in str(variable.dtype):
                times = [d for d in variable.dimensions if d.startswith("time")]
                above = [d for d in variable.dimensions if d.startswith("height_above_ground")]
                for step in steps if times else (0,):
                    yield name, step, {d: step for d in times} | {d: 0 for d in above}


@pytest.mark.parametrize("name, variables, steps", (
    ("GFS_test.nc", 9, (0,)),
    ("hybrid_height.nc", 2, (0,)),
    ("mogreps_uk_wet_bulb_temperature.nc", 1, (0,)),
    ("GFS_Puerto_Rico_191km_20090730_0000.nc", 1, range(0, 21, 4)),
    ("ecmwf_packed_missing.nc", 1, (0,)),
))
def test_real_forecasts(serve, forecasts, name, variables, steps):
    path, seen = forecasts / name, set()
    with serve(path) as server, Served(server) as served:
        offered = {v["name"] for v in served.catalog["datasets"][0]["variables"] if not v["derived"]}
        for variable, step, at in volumes(path, steps):
            if variable in offered:
                compare(served, variable, source(path, variable, at), step)
                seen.add(variable)
        assert seen == offered and len(seen) == variables


def test_the_demonstration(serve, demo_forecast):
    with serve(demo_forecast) as server, Served(server) as served:
        dataset = served.catalog["datasets"][0]
        runs = [run["time"] for run in dataset["runs"]]
        compared = 0
        for path in sorted(demo_forecast.rglob("*.nc")):
            with netCDF4.Dataset(path) as file:
                reference, time = file["forecast_reference_time"], file["time"]
                run = netCDF4.num2date(numpy.ravel(reference[...])[0], reference.units).strftime("%Y-%m-%dT%H:%M:%SZ")
                stamps = [t.strftime("%Y-%m-%dT%H:%M:%SZ") for t in numpy.atleast_1d(netCDF4.num2date(time[:], time.units))]
                names = [v for v in file.variables if "time" in file[v].dimensions and v != "time" and file[v].ndim > 1]
            for name in names:
                series = served.series(name, runs.index(run))
                at = len(stamps) // 2  # one step of each variable of each file
                compare(served, name, source(path, name, {"time": at}), series["times"].index(stamps[at]), run=runs.index(run))
                compared += 1
        assert compared >= len(dataset["variables"]) - sum(v["derived"] for v in dataset["variables"])
