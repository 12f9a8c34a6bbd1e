# SPDX-License-Identifier: Apache-2.0
"""`virga sample` and GET /api/sample, against a plain computation from the same file."""
import json
import math
import random

import numpy
import pytest

import make_files
import place
from agree import check

KEYS = {"bricks", "source", "difference", "epsilon", "units", "run", "time", "lon", "lat", "height"}


@pytest.fixture
def sample(run):
    def call(path, *arguments, status=0, variable="air_temperature", time="T+6"):
        done = run("sample", path, "--variable", variable, "--time", time, "--json", *arguments)
        assert done.returncode == status, done.stderr
        return json.loads(done.stdout) if status == 0 else done.stderr
    return call


def at(lon, lat, height=None):
    return ("--lon", lon, "--lat", lat) + (() if height is None else ("--height", height))


def of_info(run, path, name):
    answer = json.loads(run("info", "--json", path).stdout)
    return next((d, v) for d in answer["datasets"] for v in d["variables"] if v["name"] == name)


def random_places(volume, dataset, count, seed):
    """count places in and a little beyond the grid, at all its heights and a little beyond: most are inside."""
    dice = random.Random(seed)
    lons, lats = zip(*dataset["grid"]["corners"])
    turns = [min(lons) + (lon - min(lons)) % 360 for lon in lons]
    west, east, south, north = min(turns), max(turns), min(lats), max(lats)
    places = []
    while len(places) < count:
        lon = dice.uniform(west - 0.02 * (east - west), east + 0.02 * (east - west))
        lat = dice.uniform(south - 0.02 * (north - south), min(90, north + 0.02 * (north - south)))
        where = volume.locate(lon, lat)
        if where is None and dice.random() < 0.9:
            continue
        height = None
        if volume.heights is not None:
            heights = volume.column_heights(*where) if where else [0, 1000]
            ground = volume.ground_at(*where) if where else 0
            height = round(dice.uniform(ground - 0.02 * (heights[-1] - ground), heights[-1] + 0.02 * (heights[-1] - ground)), 3)
        places.append((round(lon, 6), round(lat, 6), height))
    return places


def compare_everywhere(run, sample, tmp_path, path, name, time, step=0, count=1000, source=None):
    volume = place.load(source or path, name, step)
    dataset, variable = of_info(run, path, name)
    places = random_places(volume, dataset, count, seed=f"{name}{step}")
    (tmp_path / "places.txt").write_text("".join(f"{lon} {lat}{'' if h is None else f' {h}'}\n" for lon, lat, h in places))
    answers = sample(path, "--places", tmp_path / "places.txt", variable=name, time=time)
    assert len(answers) == count
    map_error = variable["vertical"]["map_error"] if variable["vertical"] else 0
    compared = sum(check(volume, answer, map_error) for answer in answers)
    assert compared >= 0.6 * count


@pytest.mark.parametrize("order,down", (("yx", False), ("yx", True), ("xy", False), ("xy", True)))
def test_columns_of_two_dimensional_longitude_and_latitude_agree(run, sample, tmp_path, order, down):
    twin = make_files.height_levels(tmp_path / "twin.nc")  # the same forecast with its projection, which the plain computation reads
    path = make_files.columns(tmp_path / "a.nc", twin, order, down)
    assert json.loads(run("info", "--json", path).stdout)["datasets"][0]["grid"]["proj"] is None
    compare_everywhere(run, sample, tmp_path, path, "air_temperature", "T+6", source=twin)


@pytest.mark.parametrize("make", (make_files.hybrid_height, make_files.height_levels, make_files.pressure_levels,
                                  make_files.packed, make_files.surface, make_files.around_the_globe), ids=lambda make: make.__name__)
def test_a_thousand_places_of_each_kind_agree(run, sample, tmp_path, make):
    path = make(tmp_path / "a.nc")
    compare_everywhere(run, sample, tmp_path, path, "air_temperature", "T+6")


@pytest.mark.parametrize("shape", ((1, 9, 40), (7, 33, 65), (37, 31, 34), (70, 32, 63), (137, 7, 35)), ids=str)
def test_any_number_of_levels_and_odd_edges_agree(run, sample, tmp_path, shape):
    path = make_files.height_levels(tmp_path / "a.nc", shape)
    compare_everywhere(run, sample, tmp_path, path, "air_temperature", "T+6", count=300)


@pytest.mark.parametrize("file, name, time, step", (
    ("hybrid_height.nc", "air_potential_temperature", None, 0),
    ("mogreps_uk_wet_bulb_temperature.nc", "wet_bulb_temperature", None, 0),
    ("GFS_test.nc", "Temperature_isobaric", "2010-10-26T12:00Z", 0),
    ("GFS_test.nc", "Relative_humidity_isobaric", "2010-10-26T12:00Z", 0),
    ("GFS_test.nc", "Pressure_reduced_to_MSL_msl", "2010-10-26T12:00Z", 0),
    ("GFS_Puerto_Rico_191km_20090730_0000.nc", "Temperature_isobaric", "2009-07-30T12:00Z", 1),
    ("GFS_Puerto_Rico_191km_20090730_0000.nc", "Temperature_isobaric", "2009-08-09T00:00Z", 20),
))
def test_a_thousand_places_of_real_forecasts_agree(run, sample, tmp_path, forecasts, file, name, time, step):
    path = forecasts / file
    time = time or of_info(run, path, name)[1]["times"][step]
    compare_everywhere(run, sample, tmp_path, path, name, time, step)


@pytest.mark.parametrize("name", ("cloud_area_fraction_in_atmosphere_layer", "air_temperature"))
def test_a_thousand_places_of_the_demonstration_agree(run, sample, tmp_path, demo_forecast, name):
    import netCDF4
    answer = json.loads(run("info", "--json", demo_forecast).stdout)
    (dataset,) = answer["datasets"]
    variable = next(v for v in dataset["variables"] if v["standard_name"] == name)
    time, run_time = variable["times"][2], dataset["runs"][-1]["time"]
    for path in sorted(demo_forecast.rglob("*.nc")):
        with netCDF4.Dataset(path) as file:
            if variable["name"] not in file.variables:
                continue
            stamps = netCDF4.num2date(file["time"][:], file["time"].units, getattr(file["time"], "calendar", "standard"))
            stamps = [stamp.strftime("%Y-%m-%dT%H:%M:%SZ") for stamp in numpy.atleast_1d(stamps)]
            reference = file["forecast_reference_time"]
            begun = netCDF4.num2date(reference[...], reference.units, getattr(reference, "calendar", "standard"))
            begun = numpy.ravel(begun)[0].strftime("%Y-%m-%dT%H:%M:%SZ")
        if time in stamps and begun == run_time:
            compare_everywhere(run, sample, tmp_path, demo_forecast, variable["name"], time, stamps.index(time), source=path)
            return
    pytest.fail(f"no file of the demonstration holds {variable['name']} at {time} of run {run_time}")


def test_the_answer_has_the_keys_of_the_contract(sample, tmp_path):
    answer = sample(make_files.height_levels(tmp_path / "a.nc"), *at(-2.5, 54.9, 100))
    assert KEYS <= answer.keys()
    assert answer["units"] == "K" and answer["run"] == "2026-01-01T00:00:00Z" and answer["time"] == "2026-01-01T06:00:00Z"
    assert (answer["lon"], answer["lat"], answer["height"], answer["datum"]) == (-2.5, 54.9, 100, "ground")


def test_at_a_grid_point_the_files_own_number_comes_back(sample, tmp_path):
    path = make_files.pressure_levels(tmp_path / "a.nc")
    volume = place.load(path, "air_temperature")
    answer = sample(path, *at(volume.x[7], volume.y[11], volume.heights[2, 0, 0]))
    assert answer["source"] == pytest.approx(volume.values[2, 11, 7], abs=1e-3)
    assert answer["bricks"] == pytest.approx(volume.values[2, 11, 7], abs=answer["epsilon"] + 1e-2)


@pytest.mark.parametrize("lon, lat, height", ((40, 54.9, 100), (-2.5, -80, 100), (-2.5, 54.9, 491), (-2.5, 54.9, -1)),
                         ids=("east of it", "south of it", "above it", "below the ground"))
def test_outside_is_null_with_status_0(sample, tmp_path, lon, lat, height):
    answer = sample(make_files.height_levels(tmp_path / "a.nc"), *at(lon, lat, height))
    assert answer["bricks"] is None and answer["source"] is None and answer["difference"] is None


def test_the_lowest_level_is_held_down_to_the_ground(sample, tmp_path):
    path = make_files.height_levels(tmp_path / "a.nc")
    lowest, ground = sample(path, *at(-2.5, 54.9, 10)), sample(path, *at(-2.5, 54.9, 0))
    assert ground["bricks"] == pytest.approx(lowest["bricks"], abs=1e-6)
    assert ground["source"] == pytest.approx(lowest["source"], abs=1e-6)


def test_missing_is_null_and_less_than_half_missing_is_not(sample, tmp_path):
    path = make_files.packed(tmp_path / "a.nc")  # columns 0 and 1 of the lowest level are missing
    west = -10
    assert sample(path, *at(west + 0.25, 55, 100))["bricks"] is None
    assert sample(path, *at(west + 0.5 + 0.2, 55, 100))["source"] is None
    beside = sample(path, *at(west + 0.5 + 0.3, 55, 100))
    volume = place.load(path, "air_temperature")
    assert beside["source"] == pytest.approx(volume.value(west + 0.8, 55, 100), abs=1e-4)
    assert beside["bricks"] is not None


def test_a_profile_has_an_entry_a_level_from_the_ground_up(sample, tmp_path):
    path = make_files.hybrid_height(tmp_path / "a.nc")
    answer = sample(path, *at(-2.6, 52.3), "--profile")
    heights, values = place.load(path, "air_temperature").profile(-2.6, 52.3)
    assert answer["height"] == pytest.approx(list(heights), abs=0.1)
    assert answer["source"] == pytest.approx(values, abs=0.02)
    assert answer["bricks"] == pytest.approx(values, abs=answer["epsilon"] + 0.02)
    assert len(answer["difference"]) == 12


def test_a_2d_variable_needs_no_height(sample, tmp_path):
    path = make_files.surface(tmp_path / "a.nc")
    answer = sample(path, *at(0, 55))
    assert answer["source"] == pytest.approx(place.load(path, "air_temperature").value(0, 55), abs=1e-3)
    assert answer["height"] is None


def test_a_time_between_steps_is_wrong_use_and_names_the_nearest(sample, tmp_path):
    path = make_files.hybrid_height(tmp_path / "a.nc")
    message = sample(path, *at(-2.6, 52.3, 900), time="2026-01-01T06:40Z", status=2)
    assert "2026-01-01T07:00:00Z" in message


def test_a_lead_time_counts_from_the_run(sample, tmp_path):
    path = make_files.hybrid_height(tmp_path / "a.nc")
    assert sample(path, *at(-2.6, 52.3, 900), time="T+7")["time"] == "2026-01-01T07:00:00Z"


def test_each_member_answers_for_itself(sample, tmp_path):
    path = make_files.ensemble(tmp_path / "a.nc")
    first, second, third = (sample(path, *at(-5, 55, 250), "--member", m)["source"] for m in (0, 1, 2))
    assert second - first == pytest.approx(1, abs=1e-4) and third - first == pytest.approx(2, abs=1e-4)
    assert sample(path, *at(-5, 55, 250))["source"] == first


def test_the_gap_between_last_and_first_longitude_is_inside(sample, tmp_path):
    path = make_files.around_the_globe(tmp_path / "a.nc")
    east, west = sample(path, *at(355, 0, 200)), sample(path, *at(-5, 0, 200))
    volume = place.load(path, "air_temperature")
    middle = (volume.values[1, 9, 35] + volume.values[1, 9, 0]) / 2
    assert east["source"] == pytest.approx(middle, abs=0.02)
    assert west["bricks"] == pytest.approx(middle, abs=west["epsilon"] + 0.02)


def test_without_a_run_the_latest_answers(sample, tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    for run in (0, 12):
        make_files.height_levels(folder / f"run{run}.nc", run=run)
    assert sample(folder, *at(-2.5, 54.9, 100))["run"] == "2026-01-01T12:00:00Z"
    older = sample(folder, *at(-2.5, 54.9, 100), "--run", "2026-01-01T00:00:00Z")
    assert older["run"] == "2026-01-01T00:00:00Z" and older["time"] == "2026-01-01T06:00:00Z"


@pytest.mark.parametrize("arguments, status, message", (
    (at(0, 0), 2, "height"),
    (("--height", "5"), 2, "--lon"),
    (at(0, 0, "high"), 2, "high"),
    (at(0, 91, 5), 2, "91"),
    ((*at(0, 0, 5), "--profile"), 2, "exclude"),
    ((*at(0, 0, 5), "--run", "1999-01-01T00:00:00Z"), 1, "1999-01-01"),
    ((*at(0, 0, 5), "--member", "7"), 1, "member 7"),
    ((*at(0, 0, 5), "--dataset", "nowhere"), 1, "nowhere"),
), ids=("no height", "no place", "no number", "beyond the pole", "both", "no such run", "no such member", "no such dataset"))
def test_wrong_questions_are_refused(sample, tmp_path, arguments, status, message):
    assert message in sample(make_files.height_levels(tmp_path / "a.nc"), *arguments, status=status)


def test_an_unknown_variable_fails_and_names_those_there_are(sample, tmp_path):
    message = sample(make_files.height_levels(tmp_path / "a.nc"), *at(0, 0, 5), variable="humidity", status=1)
    assert "humidity" in message and "air_temperature" in message


def test_the_text_is_for_people(run, tmp_path):
    done = run("sample", make_files.height_levels(tmp_path / "a.nc"), "--variable", "air_temperature", "--time", "T+6", *at(-2.5, 54.9, 100))
    assert done.returncode == 0, done.stderr
    assert "100.0 m above the ground" in done.stdout and " K in the file" in done.stdout and " K in the picture" in done.stdout


def test_the_server_answers_the_same(serve, http_get, sample, tmp_path):
    path = make_files.hybrid_height(tmp_path / "a.nc")
    with serve(path) as server:
        query = "api/sample?variable=air_temperature&time=T%2B6&lon=-2.6&lat=52.3"
        assert http_get(server.url + query + "&height=900").json() == sample(path, *at(-2.6, 52.3, 900))
        assert http_get(server.url + query + "&profile=1").json() == sample(path, *at(-2.6, 52.3), "--profile")


@pytest.mark.parametrize("query, status", (("", 400), ("variable=air_temperature", 400), ("variable=none&time=T%2B6&lon=0&lat=0&height=0", 404),
                                           ("variable=air_temperature&time=T%2B5&lon=0&lat=0&height=0", 400),
                                           ("variable=air_temperature&time=T%2B6&lon=x&lat=0&height=0", 400)))
def test_the_server_refuses_wrong_questions(serve, http_get, tmp_path, query, status):
    with serve(make_files.hybrid_height(tmp_path / "a.nc")) as server:
        answer = http_get(server.url + "api/sample?" + query)
        assert answer.status == status
        assert answer.json()["error"]["message"]
