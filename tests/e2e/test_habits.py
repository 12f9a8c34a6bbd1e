# SPDX-License-Identifier: Apache-2.0
"""Files as centres, tools and models publish them: every step and level holds the number that was put there."""
import json
import math

import netCDF4
import pytest

import make_files
import make_habits
import place

PLACES = ((make_habits.LONS[4], make_habits.LATS[3]), (make_habits.LONS[-1], make_habits.LATS[0]))


def profile(run, path, time, place_, *more):
    done = run("sample", path, "--variable", "temperature", "--time", time, "--lon", place_[0], "--lat", place_[1], "--profile", "--json", *more)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def check(answer, expected):
    assert answer["source"] == pytest.approx(expected, abs=1e-4)
    assert answer["bricks"] == pytest.approx(expected, abs=answer["epsilon"] + 1e-4)


@pytest.mark.parametrize("name", make_habits.ARRANGEMENTS)
def test_steps_and_levels_by_habit(run, tmp_path, name):
    path = tmp_path / "a.nc"
    make_habits.ARRANGEMENTS[name](path)
    for where in PLACES:
        answer = profile(run, path, "2026-01-01T06:00Z", where, *(["--run", "2026-01-01T00:00Z"] if name == "weather_bench" else []))
        check(answer, [make_habits.value(*where, k, 1) for k in range(3)])
        assert answer["height"] == pytest.approx([place.standard_height(100.0 * p) for p in make_habits.PRESSURES], abs=1)


def test_the_leads_of_each_run_are_its_own(run, tmp_path):
    make_habits.weather_bench(tmp_path / "a.nc")
    answer = profile(run, tmp_path / "a.nc", "T+12", PLACES[0])
    assert answer["run"] == "2026-01-01T12:00:00Z" and answer["time"] == "2026-01-02T00:00:00Z"
    check(answer, [make_habits.value(*PLACES[0], k, 12) for k in range(3)])
    answer = profile(run, tmp_path / "a.nc", "T+6", PLACES[0], "--run", "2026-01-01T00:00Z")
    check(answer, [make_habits.value(*PLACES[0], k, 1) for k in range(3)])


def test_a_zone_of_hours_and_minutes(run, tmp_path):
    make_habits.wgrib2(tmp_path / "a.nc")
    check(profile(run, tmp_path / "a.nc", "2026-01-01T06:00Z", PLACES[0]), [make_habits.value(*PLACES[0], 0, 1)])


@pytest.mark.parametrize("name, numbers, attributes, factor", (
    ("level", (1000, 925, 850, 700, 300, 50), {}, 100), ("lev", (10, 100, 500, 1000), {"units": "1"}, 100), ("plev", (100000, 85000, 50000), {}, 1),
    ("isobaricInhPa", (500, 250), {}, 100)), ids=lambda v: v if isinstance(v, str) else "")
def test_pressures_without_units(run, tmp_path, name, numbers, attributes, factor):
    make_habits.plain_numbers(tmp_path / "a.nc", name, numbers, **attributes)
    upward = sorted(range(len(numbers)), key=lambda k: -numbers[k])
    answer = profile(run, tmp_path / "a.nc", "T+6", PLACES[0])
    check(answer, [make_habits.value(*PLACES[0], k, 1) for k in upward])
    assert answer["height"] == pytest.approx([place.standard_height(float(factor * numbers[k])) for k in upward], abs=1)
    assert f"which have no units, taken for {'hPa' if factor == 100 else 'Pa'}" in run("info", tmp_path / "a.nc").stdout


@pytest.mark.parametrize("name, numbers, attributes", (
    ("level", (1, 2, 3, 4, 5), {}), ("level", range(1, 138), {}), ("level", (10, 50, 100), {}), ("level", (2, 10, 80, 100, 250, 333), {}),
    ("height", (100, 500, 1000), {}), ("lev", (1000, 850, 500), {"long_name": "height above ground"}), ("level", (1000, 850, 500), {"units": "layer"})), ids=str)
def test_other_numbers_are_not_taken_for_pressures(run, tmp_path, name, numbers, attributes):
    make_habits.plain_numbers(tmp_path / "a.nc", name, list(numbers), **attributes)
    done = run("info", tmp_path / "a.nc")
    assert done.returncode != 0 and "levels are plain numbers" in done.stderr


def test_the_text_names_the_one_level(run, tmp_path):
    make_habits.at_one_level(tmp_path / "a.nc")
    text = run("info", tmp_path / "a.nc").stdout
    for words in ("at 850 hPa", "at 2 m above the ground", "at 1500 m above mean sea level"):
        assert words in text


@pytest.mark.parametrize("names", (
    ("z_ifc", "geometric_height_at_half_level_center", True, False), ("z_mc", "geometric_height_at_full_level_center", False, False),
    ("H", "mid_layer_heights", False, False), ("PL", "mid_level_pressure", False, True), ("HHL", "altitude", True, False)), ids=lambda n: n[1])
def test_layers_where_the_file_says_their_heights(run, tmp_path, names):
    make_habits.layers(tmp_path / "a.nc", names)
    answer = profile(run, tmp_path / "a.nc", "T+6", PLACES[0])
    check(answer, [make_habits.value(*PLACES[0], k, 1) for k in (2, 1, 0)])
    wanted = [place.standard_height(float(p)) for p in make_habits.LAYER_PRESSURES] if names[3] else make_habits.LAYER_HEIGHTS
    assert answer["height"] == pytest.approx(wanted[::-1], abs=200 if names[3] else 1)  # pressures through the temperature of the air, not the standard atmosphere's


@pytest.mark.parametrize("steps", (2, 3, 6))
@pytest.mark.parametrize("name", make_habits.FROM_NOTHING)
def test_what_begins_with_nothing_is_kept_to_its_end(run, tmp_path, name, steps):
    make_habits.from_nothing(tmp_path / "a.nc", steps)
    scale = make_habits.FROM_NOTHING[name][2]
    for step in range(1, steps):
        done = run("sample", tmp_path / "a.nc", "--variable", name, "--time", f"T+{step}", "--lon", PLACES[0][0], "--lat", PLACES[0][1], "--json")
        answer = json.loads(done.stdout)
        wanted = scale * make_habits.value(*PLACES[0], 0, step)
        assert answer["source"] == pytest.approx(wanted, rel=1e-6)
        assert abs(answer["bricks"] - wanted) <= answer["epsilon"] * 1.001 and answer["epsilon"] < 1e-3 * wanted


@pytest.mark.parametrize("counted", (True, False), ids=("numbers", "no coordinate"))
def test_layers_and_staggered_winds_of_cosmo(run, tmp_path, counted):
    make_habits.cosmo(tmp_path / "a.nc", counted)
    axes = place.rotated(-170.0, 40.0)
    lon, lat = axes.back(-2 + 0.5 * 5, -3 + 0.5 * 4)  # column 5, row 4

    def ask(name):
        done = run("sample", tmp_path / "a.nc", "--variable", name, "--time", "T+1", "--lon", lon, "--lat", lat, "--profile", "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)
    heights = [(1000 + 100 + 25) / 2, 2000, 4500]
    for name, upward in (("T", [287, 286, 285]), ("U_at_mass_points", [14.5] * 3), ("wind_speed", [14.5] * 3)):
        answer = ask(name)
        assert answer["source"] == pytest.approx(upward, abs=1e-3) and answer["height"] == pytest.approx(heights, abs=1)
    assert ask("W")["source"] == pytest.approx([3, 2, 1, 0], abs=1e-3)
    north = axes.back(0.5, -0.9), axes.back(0.5, -1.1)  # the way of the grid's meridian there; wind along its parallels blows a right angle beside it
    bearing = math.degrees(math.atan2((north[0][0] - north[1][0]) * math.cos(math.radians(lat)), north[0][1] - north[1][1]))
    for direction in ask("wind_from_direction")["source"]:
        assert math.remainder(direction - (bearing + 270), 360) == pytest.approx(0, abs=0.1)


def test_statistics_of_one_name_are_not_mixed(run, tmp_path):
    make_habits.statistics(tmp_path)
    (dataset,) = json.loads(run("info", "--json", tmp_path).stdout)["datasets"]
    assert {v["name"] for v in dataset["variables"]} == set(make_habits.STATISTICS)
    assert {v["long_name"] for v in dataset["variables"]} >= {"air_temperature, maximum over time", "air_temperature, percentile 90 %"}
    for name, more in make_habits.STATISTICS.items():
        done = run("sample", tmp_path, "--variable", name, "--time", "T+7", "--lon", PLACES[0][0], "--lat", PLACES[0][1], "--json")
        assert json.loads(done.stdout)["source"] == pytest.approx(make_habits.value(*PLACES[0], 0, 1) + more, abs=1e-4)


def test_sums_go_along_with_a_first_step_that_has_none(run, tmp_path):
    for hours, methods in (((6,), None), ((7, 8), "time: sum")):
        with netCDF4.Dataset(tmp_path / f"{hours[0]}.nc", "w") as file:
            make_files.times(file, len(hours), hours[0])
            make_habits.put(file, "rain", ("time", *make_habits.horizontal(file)), make_habits.field(1, len(hours))[:, 0], "kg m-2", **({"cell_methods": methods} if methods else {}))
    (dataset,) = json.loads(run("info", "--json", tmp_path).stdout)["datasets"]
    assert [len(v["times"]) for v in dataset["variables"]] == [3]


def member(run, path, label):
    done = run("sample", path, "--variable", "temperature", "--time", "T+7", "--lon", PLACES[0][0], "--lat", PLACES[0][1], "--member", label, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["source"]


def test_a_member_that_a_file_calls_by_text_is_its_own(run, tmp_path):
    for n, label in enumerate(("r00i00p00", "r01i00p00", "r02i00p00")):
        make_habits.members_by_text(tmp_path / f"{n}.nc", "alone", label, float(n))
    (dataset,) = json.loads(run("info", "--json", tmp_path).stdout)["datasets"]
    assert {v["name"] for v in dataset["variables"]} == {"temperature", "temperature_mean", "temperature_spread"}
    for n, label in enumerate(("r00i00p00", "r01i00p00", "r02i00p00")):
        assert member(run, tmp_path, label) == pytest.approx(make_habits.value(*PLACES[0], 0, 1) + n, abs=1e-4)


@pytest.mark.parametrize("kind, labels", (("each", ("control", "low", "high")), ("uncalled", ("0", "1", "2"))))
def test_members_on_a_dimension_without_numbers(run, tmp_path, kind, labels):
    make_habits.members_by_text(tmp_path / "a.nc", kind)
    for n, label in enumerate(labels):
        assert member(run, tmp_path / "a.nc", label) == pytest.approx(make_habits.value(*PLACES[0], 0, 1) + n, abs=1e-4)


def test_what_a_lattice_cannot_hold_is_told(run, tmp_path):
    with netCDF4.Dataset(tmp_path / "a.nc", "w") as file:
        make_files.times(file, 5)
        values = 1e-3 * make_habits.field(1, 5)[:, 0]
        values[1] *= 1e12  # neither the first step nor the middle nor the last one
        make_habits.put(file, "temperature", ("time", *make_habits.horizontal(file)), values, "widgets")
    done = run("sample", tmp_path / "a.nc", "--variable", "temperature", "--time", "T+7", "--lon", PLACES[0][0], "--lat", PLACES[0][1], "--json")
    answer = json.loads(done.stdout)
    assert answer["source"] > 1e11 and answer["bricks"] is None
    assert "108 values of 2026-01-01T07:00:00Z are beyond what its lattice holds" in done.stderr
