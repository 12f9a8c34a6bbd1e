# SPDX-License-Identifier: Apache-2.0
"""Files as WRF writes them, made in each of its projections and real, against netCDF4, numpy and the formulas in wrf_files.py: places,
heights, times, values on mass and on staggered points, wind turned to true north, and what is made of several variables."""
import contextlib
import json
import random
import urllib.parse

import netCDF4
import numpy
import pytest

import wrf_files


class Wrf:
    """A file by netCDF4, in its own numbers."""

    def __init__(self, path):
        with netCDF4.Dataset(path) as file:
            file.set_auto_mask(False)
            self.all = {name: variable[:] for name, variable in file.variables.items()}
            self.stagger = {name: variable.dimensions[-2:] for name, variable in file.variables.items()}
        self.times = [b"".join(t).decode().replace("_", "T") + "Z" for t in self.all["Times"]]
        self.half = (self.all["PH"].astype("f8") + self.all["PHB"]) / 9.81

    def place(self, name, t, j, i):
        suffix = "_U" if self.stagger[name][-1].endswith("_stag") else "_V" if self.stagger[name][-2].endswith("_stag") else ""
        return float(self.all["XLONG" + suffix][t, j, i]), float(self.all["XLAT" + suffix][t, j, i])

    def heights(self, name, t, j, i):
        """Of all levels of a variable: on staggered columns the mean of the columns beside, at the edges that of the one there is."""
        rows, columns = self.half.shape[-2:]
        js = [j - 1, j] if self.stagger[name][-2].endswith("_stag") else [j]
        is_ = [i - 1, i] if self.stagger[name][-1].endswith("_stag") else [i]
        around = [self.half[t, :, min(max(y, 0), rows - 1), min(max(x, 0), columns - 1)] for y in js for x in is_]
        half = numpy.mean(around, axis=0)
        return half if self.all[name].shape[1] == len(half) else (half[1:] + half[:-1]) / 2


class Asker:
    def __init__(self, server, http_get):
        self.server, self.http_get = server, http_get
        self.catalog = http_get(server.url + "api/catalog").json()

    def with_variable(self, name):
        return next((d, v) for d in self.catalog["datasets"] for v in d["variables"] if v["id"] == name)

    def sample(self, name, time, lon, lat, **more):
        dataset, _ = self.with_variable(name)
        query = urllib.parse.urlencode(dict(dataset=dataset["id"], variable=name, time=time, lon=lon, lat=lat, **more))
        answer = self.http_get(self.server.url + "api/sample?" + query)
        assert answer.status == 200, answer.body
        return answer.json()

    def column(self, name, time, lon, lat):
        answer = self.sample(name, time, lon, lat, profile=1)
        return answer["height"], answer["source"], answer["bricks"]


@pytest.fixture
def ask(serve, http_get):
    @contextlib.contextmanager
    def start(path):
        with serve(path) as server:
            yield Asker(server, http_get)
    return start


def check_column(asker, wrf, name, t, j, i):
    """A stored column: every level's height and value. Interior columns only: one a hair outside is not there."""
    lon, lat = wrf.place(name, t, j, i)
    heights, source, bricks = asker.column(name, wrf.times[t], lon, lat)
    _, variable = asker.with_variable(name)
    stored = wrf.all[name][t, :, j, i].astype("f8")
    assert len(heights) == len(stored)
    near = wrf.all[name][t, :, max(j - 1, 0):j + 2, max(i - 1, 0):i + 2]
    slack = 2e-3 * (near.max() - near.min()) + 1e-6 * abs(stored).max()  # a place in single precision is off by that share of a cell
    assert numpy.allclose(heights, wrf.heights(name, t, j, i), atol=2.0, rtol=0)
    assert numpy.allclose(source, stored, atol=slack, rtol=0)
    assert numpy.allclose(bricks, stored, atol=slack + variable["epsilon"], rtol=0)


@pytest.mark.parametrize("projection", wrf_files.PROJECTIONS)
def test_places_heights_times_and_values_in_each_projection(ask, tmp_path, projection):
    path = wrf_files.write(tmp_path / "wrfout_d01", projection)
    wrf = Wrf(path)
    with ask(path) as asker:
        mass, t2 = asker.with_variable("T2")
        assert mass is asker.catalog["datasets"][0]  # the mass points come first
        assert (mass["grid"]["nx"], mass["grid"]["ny"]) == (9, 7)
        lon, lat = wrf_files.places(projection, (7, 9))
        for corner, (j, i) in zip(mass["grid"]["corners"], ((0, 0), (0, -1), (-1, -1), (-1, 0))):
            away = (corner[0] - lon[j, i] + 180) % 360 - 180
            assert abs(away) * numpy.cos(numpy.radians(lat[j, i])) < 1e-4 and abs(corner[1] - lat[j, i]) < 1e-4
        assert t2["times"] == wrf.times
        assert [run["time"] for run in mass["runs"]] == ["2026-03-01T00:00:00Z"]
        assert (t2["standard_name"], t2["long_name"]) == ("air_temperature", "TEMP at 2 M")
        dice = random.Random(projection)
        for name in ("T", "W", "U", "V"):
            shape = wrf.all[name].shape
            check_column(asker, wrf, name, dice.randrange(2), dice.randrange(1, shape[2] - 1), dice.randrange(1, shape[3] - 1))


def on_mass(wrf, t, j, i):
    u, v = wrf.all["U"].astype("f8"), wrf.all["V"].astype("f8")
    return (u[t, :, j, i] + u[t, :, j, i + 1]) / 2, (v[t, :, j, i] + v[t, :, j + 1, i]) / 2


@pytest.mark.parametrize("projection", ("lambert", "lambert_south", "polar_over_the_pole", "rotated_pole"))
def test_wind_is_formed_on_mass_points_and_turned_to_true_north(ask, tmp_path, projection):
    path = wrf_files.write(tmp_path / "wrfout_d01", projection, seed=1)
    wrf, (t, j, i) = Wrf(path), (1, 4, 5)
    with ask(path) as asker:
        lon, lat = wrf.place("T", t, j, i)
        u, v = on_mass(wrf, t, j, i)
        for name, wanted in (("U_at_mass_points", u), ("V_at_mass_points", v), ("wind_speed", numpy.hypot(u, v))):
            assert numpy.allclose(asker.column(name, wrf.times[t], lon, lat)[1], wanted, atol=0.05), name
        # Where the grid's own x and y point to, by its formulas a hundredth of a cell on.
        axes = []
        for shift in ((0.01, 0), (0, 0.01)):
            on = wrf_files.places(projection, (7, 9), shift)
            exact = wrf_files.places(projection, (7, 9))
            east, north = (((on[0] - exact[0] + 180) % 360 - 180) * numpy.cos(numpy.radians(exact[1])))[j, i], (on[1] - exact[1])[j, i]
            axes.append(numpy.array([east, north]) / numpy.hypot(east, north))
        towards = u[:, None] * axes[0] + v[:, None] * axes[1]
        wanted = (numpy.degrees(numpy.arctan2(towards[:, 0], towards[:, 1])) + 180) % 360
        got = numpy.array(asker.column("wind_from_direction", wrf.times[t], lon, lat)[1])
        assert (abs((got - wanted + 180) % 360 - 180) < 0.5).all(), (got, wanted)


def test_full_fields_are_made_of_their_parts(ask, tmp_path):
    path = wrf_files.write(tmp_path / "wrfout_d01", "lambert")
    wrf, (t, j, i) = Wrf(path), (0, 3, 4)
    theta = wrf.all["T"][t, :, j, i].astype("f8") + 300
    pressure = (wrf.all["P"].astype("f8") + wrf.all["PB"])[t, :, j, i]
    wanted = {"air_potential_temperature": theta, "air_pressure": pressure, "air_temperature": theta * (pressure / 1e5) ** (2 / 7)}
    with ask(path) as asker:
        for name, values in wanted.items():
            _, variable = asker.with_variable(name)
            assert variable["derived"] and variable["standard_name"] == name
            _, source, bricks = asker.column(name, wrf.times[t], *wrf.place("T", t, j, i))
            assert numpy.allclose(source, values, rtol=2e-5), name
            assert numpy.allclose(bricks, source, atol=variable["epsilon"] * 1.01, rtol=0), name


def test_a_nest_that_moves_is_in_its_place_at_every_time(ask, tmp_path):
    times = ("2026-03-01_06:00:00", "2026-03-01_07:00:00", "2026-03-01_08:00:00")
    path = wrf_files.write(tmp_path / "wrfout_d02", "lambert", times=times, moves=[(3, 0), (0, 3), (6, -3)])
    wrf = Wrf(path)
    with ask(path) as asker:
        mass, _ = asker.with_variable("T2")
        assert (mass["grid"]["nx"], mass["grid"]["ny"]) == (9 + 6, 7 + 6)
        for t in range(3):
            for name in ("T", "U", "V"):
                check_column(asker, wrf, name, t, 3, 4)
            u, v = on_mass(wrf, t, 3, 4)
            assert numpy.allclose(asker.column("wind_speed", wrf.times[t], *wrf.place("T", t, 3, 4))[1], numpy.hypot(u, v), atol=0.05)
        # Where the nest was an hour before there is nothing now.
        lon, lat = wrf.place("T", 2, 1, 7)
        assert asker.sample("T2", wrf.times[2], lon, lat)["source"] is not None
        assert asker.sample("T2", wrf.times[1], lon, lat)["source"] is None


def info(run, path):
    done = run("info", "--json", path)
    return json.loads(done.stdout) if done.stdout else {"datasets": [], "problems": []}, done


def reasons(answer):
    return {p["variable"]: p["reason"] for p in answer["problems"]}


def test_times_need_no_xtime_and_xtime_serves_without_times(run, tmp_path):
    wanted = ["2026-03-01T06:00:00Z", "2026-03-01T07:30:00Z"]
    for name, without in (("a", ("XTIME",)), ("b", ("Times",))):
        answer, _ = info(run, wrf_files.write(tmp_path / name, without=without))
        variable = next(v for v in answer["datasets"][0]["variables"] if v["name"] == "T2")
        assert variable["times"] == wanted
        assert answer["datasets"][0]["runs"][0]["time"] == "2026-03-01T00:00:00Z"


def test_pressure_tells_heights_where_there_is_no_geopotential(run, tmp_path):
    answer, _ = info(run, wrf_files.write(tmp_path / "wrfout_d01", without=("PH", "PHB")))
    variable = next(v for v in answer["datasets"][0]["variables"] if v["name"] == "T")
    assert "standard atmosphere" in variable["vertical"]["method"]
    lowest, highest = variable["vertical"]["heights"]
    assert -200 < lowest < 1000 and 5000 < highest < 8000  # 980 to 450 hPa
    assert "W" in reasons(answer)  # its levels are the half levels, whose pressure nobody tells


def test_perturbations_that_fall_with_height_turn_no_column_over(run, tmp_path):
    path = wrf_files.write(tmp_path / "wrfout_d01")
    with netCDF4.Dataset(path, "a") as file:
        falling = numpy.broadcast_to(-600.0 * numpy.arange(6)[None, :, None, None], file["PH"].shape)
        file["PHB"][:] = file["PHB"][:] + file["PH"][:] - falling
        file["PH"][:] = falling
    answer, _ = info(run, path)
    vertical = next(v for v in answer["datasets"][0]["variables"] if v["name"] == "W")["vertical"]
    assert vertical["heights"][0] < vertical["heights"][1]


def test_soil_has_no_place_in_the_air(run, tmp_path):
    answer, _ = info(run, wrf_files.write(tmp_path / "wrfout_d01"))
    soil = [v for v in answer["datasets"][0]["variables"] if v["name"].startswith("TSLB")]
    assert [v["vertical"] for v in soil] == [None] * 4  # each layer a field of its own on the ground
    assert not answer["problems"]


def test_classic_files_are_read_alike(run, tmp_path):
    ids = []
    for kind in ("NETCDF4", "NETCDF3_64BIT_OFFSET"):
        answer, _ = info(run, wrf_files.write(tmp_path / f"wrfout_{kind}", kind=kind))
        ids.append([(v["name"], v["shape"], v["times"], v["vertical"] and v["vertical"]["heights"]) for d in answer["datasets"] for v in d["variables"]])
    assert ids[0] == ids[1]


def test_a_file_that_lies_about_its_projection_is_placed_by_its_columns(ask, tmp_path):
    path = wrf_files.write(tmp_path / "wrfout_d01", "lambert")
    with netCDF4.Dataset(path, "a") as file:
        file.STAND_LON = numpy.float32(-60)
        file.TRUELAT1 = numpy.float32(10)
    wrf, (t, j, i) = Wrf(path), (1, 4, 5)
    with ask(path) as asker:
        grid = asker.catalog["datasets"][0]["grid"]
        lon, lat = wrf_files.places("lambert", (7, 9))
        assert not grid["proj"]
        assert numpy.allclose(grid["corners"][0], (lon[0, 0], lat[0, 0]), atol=1e-4)
        for name in ("T", "U", "V"):
            check_column(asker, wrf, name, t, j, i)
        u, v = on_mass(wrf, t, j, i)
        assert numpy.allclose(asker.column("wind_speed", wrf.times[t], *wrf.place("T", t, j, i))[1], numpy.hypot(u, v), atol=0.05)


def test_an_idealised_case_says_why(run, tmp_path):
    path = wrf_files.write(tmp_path / "wrfout_d01", "lambert")
    with netCDF4.Dataset(path, "a") as file:
        file.MAP_PROJ = numpy.int32(0)
        for name in file.variables:
            if name.startswith(("XLAT", "XLONG")):
                file[name][:] = 0
    _, done = info(run, path)
    assert "idealised" in done.stderr + done.stdout


def test_the_real_nest(ask, forecasts):
    """A hurricane whose nest moves: random columns at each of its times."""
    path = forecasts / "wrf_ci_test_file.nc"
    wrf, dice = Wrf(path), random.Random(7)
    with ask(path) as asker:
        assert asker.with_variable("T2")[1]["times"] == ["2005-08-28T12:00:00Z", "2005-08-28T15:00:00Z", "2005-08-28T18:00:00Z", "2005-08-28T21:00:00Z"]
        for t in range(4):
            for name in ("T", "QVAPOR", "U", "V", "W"):
                shape = wrf.all[name].shape
                check_column(asker, wrf, name, t, dice.randrange(1, shape[2] - 1), dice.randrange(1, shape[3] - 1))
            j, i = dice.randrange(1, 46), dice.randrange(1, 46)
            u, v = on_mass(wrf, t, j, i)
            speed = asker.column("wind_speed", wrf.times[t], *wrf.place("T", t, j, i))[1]
            assert numpy.allclose(speed, numpy.hypot(u, v), atol=0.15)
