# SPDX-License-Identifier: Apache-2.0
"""Ensembles and units as `virga info` and `virga sample` tell them, held against plain computations with numpy."""
import json
import urllib.request

import netCDF4
import numpy
import pytest

import make_files


def sample(run, path, variable, time, place, *more):
    lon, lat, height = place
    heights = () if height is None else ("--height", height)
    done = run("sample", path, "--variable", variable, "--time", time, "--lon", lon, "--lat", lat, *heights, "--json", *more)
    return done.returncode, json.loads(done.stdout) if done.returncode == 0 else done.stderr


def profile(run, path, variable, time, lon, lat, *more):
    done = run("sample", path, "--variable", variable, "--time", time, "--lon", lon, "--lat", lat, "--profile", "--json", *more)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def variables(run, path):
    done = run("info", "--json", path)
    assert done.returncode == 0, done.stderr
    return {v["name"]: v for d in json.loads(done.stdout)["datasets"] for v in d["variables"]}


def agree(answer, expected):
    """Both of virga's columns against numpy's, level by level."""
    for bricks, source, value in zip(answer["bricks"], answer["source"], expected):
        if numpy.isnan(value):
            assert bricks is None and source is None
        else:
            assert source == pytest.approx(value, abs=1e-6 + 1e-6 * abs(value))
            assert abs(bricks - value) <= answer["epsilon"] * 1.0001


def folded(values, spread):
    """The members' mean or standard deviation; absent where fewer than half are there."""
    present = (~numpy.isnan(values)).sum(axis=0)
    with numpy.errstate(all="ignore"):
        result = numpy.nanstd(values, axis=0, ddof=1) if spread else numpy.nanmean(values, axis=0)
    return numpy.where((2 * present >= len(values)) & (present > (1 if spread else 0)), result, numpy.nan)


@pytest.mark.filterwarnings("ignore")
def test_mean_and_spread_of_a_real_ensemble(run, forecasts):
    path = forecasts / "mogreps_g_temperature_on_pressure_levels.nc"
    with netCDF4.Dataset(path) as file:
        file.set_auto_mask(False)
        values = file["air_temperature"][:].astype("f8")
        lons, lats, levels = file["longitude"][:], file["latitude"][:], file["pressure"][:]
    order = numpy.argsort(-levels)
    offered = variables(run, path)
    assert len(offered["air_temperature"]["members"]) == 4 and offered["air_temperature_mean"]["members"] == [""]
    time = offered["air_temperature"]["times"][0]
    for j, i in ((5, 3), (27, 20), (53, 45), (0, 0), (12, 30)):
        for name, spread in (("air_temperature_mean", False), ("air_temperature_spread", True)):
            agree(profile(run, path, name, time, lons[i], lats[j]), folded(values[:, order, j, i], spread))


def unrotate(x, y, pole_lon, pole_lat):
    """Longitude and latitude of a place on a grid whose north pole stands at (pole_lon, pole_lat): two turns of a sphere."""
    x, y, tilt = numpy.radians([x, y, 90 - pole_lat])
    across, along, up = numpy.cos(y) * numpy.sin(x), numpy.cos(y) * numpy.cos(x), numpy.sin(y)
    south = along * numpy.cos(tilt) - up * numpy.sin(tilt)
    up = along * numpy.sin(tilt) + up * numpy.cos(tilt)
    return numpy.degrees(numpy.arctan2(across, south)) + pole_lon - 180, numpy.degrees(numpy.arcsin(up))


@pytest.mark.filterwarnings("ignore")
def test_members_times_and_levels_in_five_dimensions(run, hostile):
    path = hostile / "odd_ensemble_5d" / "aoa_in_ens.nc"
    with netCDF4.Dataset(path) as file:
        u, v = (numpy.ma.filled(file[name][:].astype("f8"), numpy.nan)[..., ::-1, :, :] for name in ("x_wind", "y_wind"))
        x, y = float(file["grid_longitude"][1]), float(file["grid_latitude"][2])
        pole = file["rotated_latitude_longitude"]
        lon, lat = unrotate(x, y, pole.grid_north_pole_longitude, pole.grid_north_pole_latitude)
    offered = variables(run, path)
    assert offered["x_wind"]["shape"] == [16, 3, 3] and len(offered["x_wind"]["members"]) == 18
    label = offered["x_wind"]["members"][7]
    agree(profile(run, path, "x_wind", "T+6", lon, lat, "--member", label), u[7, 2, :, 2, 1])
    agree(profile(run, path, "wind_speed_mean", "T+6", lon, lat), folded(numpy.hypot(u, v)[:, 2, :, 2, 1], False))
    agree(profile(run, path, "y_wind_spread", "T+6", lon, lat), folded(v[:, 2, :, 2, 1], True))


def member_file(path, member, hour, values, reference=0):
    with netCDF4.Dataset(path, "w") as file:
        file.source = "made"
        names = make_files.plain_axes(file, 8, 6)
        for name, standard_name, value, units in (("realization", "realization", member, "1"), ("time", "time", hour, make_files.EPOCH),
                                                  ("reference", "forecast_reference_time", reference, make_files.EPOCH)):
            scalar = file.createVariable(name, "f8", ())
            scalar.standard_name, scalar.units = standard_name, units
            scalar[...] = value
        v = file.createVariable("tas", "f4", names)
        v.standard_name, v.units, v.coordinates = "air_temperature", "K", "realization time reference"
        v[:] = values


def test_a_file_for_each_member_and_hour_is_one_ensemble(run, tmp_path):
    rng = numpy.random.default_rng(5)
    values = rng.normal(280, 3, (12, 2, 6, 8)).astype("f4")
    folder = tmp_path / "run"
    folder.mkdir()
    for member in range(12):
        for hour in range(2):
            member_file(folder / f"{hour}_{11 - member}.nc", member, hour + 1, values[member, hour])
    answer = json.loads(run("info", "--json", folder).stdout)
    assert len(answer["datasets"]) == 1 and not answer["problems"]
    offered = variables(run, folder)
    assert offered["tas"]["members"] == [str(m) for m in range(12)] and len(offered["tas"]["times"]) == 2
    lons, lats = -10 + 0.5 * numpy.arange(8), 60 - 0.5 * numpy.arange(6)
    for member, hour, j, i in ((0, 0, 2, 3), (11, 1, 5, 7), (10, 0, 0, 0)):
        status, got = sample(run, folder, "tas", f"T+{hour + 1}", (lons[i], lats[j], None), "--member", str(member))
        assert status == 0 and got["source"] == pytest.approx(float(values[member, hour, j, i]), abs=1e-6)
    status, got = sample(run, folder, "tas_spread", "T+2", (lons[4], lats[1], None))
    assert got["source"] == pytest.approx(float(numpy.std(values[:, 1, 1, 4].astype("f8"), ddof=1)), abs=1e-6)


def test_runs_of_other_members_each(run, tmp_path):
    """A lagged ensemble: what one run lacks is missing there, and what is there is found without asking."""
    folder = tmp_path / "lagged"
    folder.mkdir()
    for reference, members in ((0, (0, 1, 4, 5, 6)), (6, (2, 3))):
        for member in members:
            member_file(folder / f"{reference}_{member}.nc", member, reference + 6, numpy.full((6, 8), 270 + 10 * member), reference)
    dataset = json.loads(run("info", "--json", folder).stdout)["datasets"][0]
    assert [r["series"]["tas"]["members"] for r in dataset["runs"]] == [[0, 1, 4, 5, 6], [2, 3]]
    assert "members" not in dataset["runs"][0]["series"]["tas_mean"]
    place = (-9, 59, None)
    status, got = sample(run, folder, "tas", "T+6", place)
    assert status == 0 and got["member"] == "2" and got["source"] == 290
    assert sample(run, folder, "tas", "T+6", place, "--member", "0")[1]["source"] is None
    assert sample(run, folder, "tas_spread", "T+6", place)[1]["source"] == pytest.approx(50 ** 0.5)
    assert sample(run, folder, "tas_mean", "T+6", place)[1]["source"] == 295


def test_a_grib_file_for_each_member(run, tmp_path):
    eccodes = pytest.importorskip("eccodes")
    folder = tmp_path / "grib"
    folder.mkdir()
    for member in range(3):
        with open(folder / f"{member}.grib2", "wb") as file:
            message = eccodes.codes_grib_new_from_samples("regular_ll_sfc_grib2")
            for key, value in (("productDefinitionTemplateNumber", 1), ("shortName", "2t"), ("perturbationNumber", member), ("numberOfForecastsInEnsemble", 3)):
                eccodes.codes_set(message, key, value)
            eccodes.codes_set_values(message, 280.0 + 2 * member + 0.01 * numpy.arange(eccodes.codes_get(message, "numberOfValues")))
            eccodes.codes_write(message, file)
    answer = json.loads(run("info", "--json", folder).stdout)
    assert len(answer["datasets"]) == 1 and not answer["problems"]
    names = {v["name"]: v for v in answer["datasets"][0]["variables"]}
    plain = next(v for v in names.values() if not v["derived"])
    assert plain["members"] == ["0", "1", "2"]
    lon, lat = answer["datasets"][0]["grid"]["corners"][0]
    got = sample(run, folder, plain["name"] + "_spread", plain["times"][0], (lon, lat, None))[1]
    assert got["source"] == pytest.approx(2, abs=1e-3)


def test_values_are_given_in_the_units_asked_for(run, tmp_path):
    path = make_files.pressure_levels(tmp_path / "a.nc")
    place = (-8, 57, 3000)
    own = sample(run, path, "air_temperature", "T+6", place)[1]
    celsius = sample(run, path, "air_temperature", "T+6", place, "--units", "degC")[1]
    fahrenheit = sample(run, path, "air_temperature", "T+6", place, "--units", "degF")[1]
    assert own["units"] == "K" and celsius["units"] == "degC"
    for key in ("bricks", "source"):
        assert celsius[key] == pytest.approx(own[key] - 273.15) and fahrenheit[key] == pytest.approx((own[key] - 273.15) * 1.8 + 32)
    assert celsius["epsilon"] == pytest.approx(own["epsilon"]) and fahrenheit["epsilon"] == pytest.approx(1.8 * own["epsilon"])
    assert fahrenheit["difference"] == pytest.approx(1.8 * own["difference"], abs=1e-9)
    status, message = sample(run, path, "air_temperature", "T+6", place, "--units", "hPa")
    assert status == 2 and "choose from degC, K, degF" in message
    choices = {c["units"]: c for c in variables(run, path)["air_temperature"]["units_choices"]}
    assert list(choices) == ["degC", "K", "degF"] and choices["degC"]["offset"] == pytest.approx(-273.15)


def test_a_spread_changes_units_without_offset(run, tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    for member in range(2):
        member_file(folder / f"{member}.nc", member, 1, numpy.full((6, 8), 280 + 2 * member))
    got = sample(run, folder, "tas_spread", "T+1", (-9, 59, None), "--units", "degF")[1]
    assert got["source"] == pytest.approx(2 ** 0.5 * 1.8)


def test_each_member_stands_at_heights_of_its_own(serve, hostile):
    with serve(hostile / "odd_ensemble_5d" / "aoa_in_ens.nc") as server:
        def get(path):
            with urllib.request.urlopen(server.url + path, timeout=60) as answer:
                return answer.read()
        catalog = json.loads(get("api/catalog"))
        dataset = next(d for d in catalog["datasets"] if any(v["name"] == "geopotential_height" for v in d["variables"]))
        variable = next(v for v in dataset["variables"] if v["name"] == "upward_air_velocity")
        series = dataset["runs"][-1]["series"][variable["id"]]
        assert series["member_geometry"] is True
        of = lambda member, step: f"{series['editions'][step]}m{member}s{step}"
        documents = {get(f"api/geometry/{dataset['id']}/{geometry}") for geometry in (series["geometry"][2], of(0, 2), of(5, 2), of(5, 3))}
        assert len(documents) == 3  # the first two are the same
        mean = dataset["runs"][-1]["series"]["upward_air_velocity_mean"]
        assert mean["geometry"][2] != series["geometry"][2] and "member_geometry" not in mean
