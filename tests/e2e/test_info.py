# SPDX-License-Identifier: Apache-2.0
"""`virga info`: what it says of files of each kind, made here and real."""
import json

import pytest

import make_files
import place

GRID_KEYS = {"proj", "nx", "ny", "corners"}
VARIABLE_KEYS = {"name", "standard_name", "units", "shape", "vertical", "times", "calendar", "members", "epsilon"}
VERTICAL_KEYS = {"kind", "levels", "heights", "datum", "map_error"}


@pytest.fixture
def info(run):
    def call(*paths):
        done = run("info", "--json", *paths)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)
    return call


def only(answer, name="air_temperature"):
    """The only dataset, and its variable of that name."""
    (dataset,) = answer["datasets"]
    (variable,) = [v for v in dataset["variables"] if v["name"] == name]
    return dataset, variable


def test_every_key_of_the_contract_is_there(info, tmp_path):
    answer = info(make_files.hybrid_height(tmp_path / "a.nc"))
    dataset, variable = only(answer)
    assert {"datasets", "problems"} <= answer.keys()
    assert {"id", "title", "runs", "grid", "variables"} <= dataset.keys()
    assert GRID_KEYS <= dataset["grid"].keys()
    assert VARIABLE_KEYS <= variable.keys()
    assert VERTICAL_KEYS <= variable["vertical"].keys()
    assert dataset["runs"][0].items() >= {"time": "2026-01-01T00:00:00Z", "complete": True}.items()


def test_hybrid_height_on_a_rotated_pole(info, tmp_path):
    path = make_files.hybrid_height(tmp_path / "a.nc")
    dataset, variable = only(info(path))
    volume = place.load(path, "air_temperature")
    assert (dataset["grid"]["nx"], dataset["grid"]["ny"]) == (26, 21)
    for (lon, lat), corner in zip(dataset["grid"]["corners"], ((0, 0), (25, 0), (25, 20), (0, 20))):
        assert volume.locate(lon, lat) == pytest.approx(corner, abs=1e-4)
    assert sorted(variable["shape"]) == [12, 21, 26]
    vertical = variable["vertical"]
    assert vertical["levels"] == 12 and vertical["datum"] == "sea"
    assert vertical["heights"] == pytest.approx([volume.heights[0].min(), volume.heights[-1].max()], abs=0.01)
    assert 0 <= vertical["map_error"] < 5
    assert variable["times"] == ["2026-01-01T06:00:00Z", "2026-01-01T07:00:00Z"]
    assert variable["units"] == "K" and 0 < variable["epsilon"] <= 0.1


def test_heights_above_the_ground_on_a_lambert_grid(info, tmp_path):
    path = make_files.height_levels(tmp_path / "a.nc")
    dataset, variable = only(info(path))
    volume = place.load(path, "air_temperature")
    for (lon, lat), corner in zip(dataset["grid"]["corners"], ((0, 0), (32, 0), (32, 19), (0, 19))):
        assert volume.locate(lon, lat) == pytest.approx(corner, abs=1e-4)
    assert variable["vertical"]["datum"] == "ground"
    assert variable["vertical"]["heights"] == pytest.approx([10, 490])


def test_pressure_levels_stand_in_the_standard_atmosphere(info, tmp_path):
    dataset, variable = only(info(make_files.pressure_levels(tmp_path / "a.nc")))
    assert variable["vertical"]["heights"] == pytest.approx([place.standard_height(1e5), place.standard_height(3e4)], abs=1)
    assert variable["vertical"]["datum"] == "sea"
    assert "pressure" in json.dumps(variable["vertical"])
    assert dataset["grid"]["corners"][0] == pytest.approx([-10, 51])  # south-west, though the file goes north to south


def test_a_packed_variable_keeps_its_own_steps(info, tmp_path):
    _, variable = only(info(make_files.packed(tmp_path / "a.nc")))
    assert variable["epsilon"] <= 0.05


def test_a_2d_variable_has_no_vertical(info, tmp_path):
    _, variable = only(info(make_files.surface(tmp_path / "a.nc")))
    assert variable["vertical"] is None


def test_files_of_two_runs_are_one_dataset(info, tmp_path):
    paths = [make_files.height_levels(tmp_path / f"run{run}.nc", run=run) for run in (0, 12)]
    dataset, variable = only(info(*paths))
    assert [run["time"] for run in dataset["runs"]] == ["2026-01-01T00:00:00Z", "2026-01-01T12:00:00Z"]
    assert variable["times"] == ["2026-01-01T18:00:00Z"]


def test_the_id_stays_when_runs_come_and_go(info, tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    make_files.height_levels(folder / "run0.nc", run=0)
    first = info(folder)["datasets"][0]["id"]
    make_files.height_levels(folder / "run6.nc", run=6)
    assert info(folder)["datasets"][0]["id"] == first
    (folder / "run0.nc").unlink()
    assert info(folder)["datasets"][0]["id"] == first


def test_a_bad_file_beside_good_ones_is_a_problem_and_no_failure(info, tmp_path):
    make_files.height_levels(tmp_path / "a.nc")
    (tmp_path / "bad.nc").write_bytes(b"CDF\x01" + b"\xff" * 100)
    answer = info(tmp_path)
    assert len(answer["datasets"]) == 1
    (problem,) = [p for p in answer["problems"] if p["file"].endswith("bad.nc")]
    assert problem["reason"] and problem.keys() >= {"variable", "file", "reason"}


def test_the_text_says_what_people_need(run, tmp_path):
    done = run("info", make_files.hybrid_height(tmp_path / "a.nc"))
    assert done.returncode == 0, done.stderr
    for needed in ("air_temperature", "[K]", "26 × 21 × 12", "2026-01-01T00:00:00Z", "mean sea level", "2 steps"):
        assert needed in done.stdout


@pytest.mark.parametrize("file, name, nx, ny, levels, datum, steps, first", (
    ("hybrid_height.nc", "air_potential_temperature", 100, 100, 15, "sea", 1, None),
    ("mogreps_uk_wet_bulb_temperature.nc", "wet_bulb_temperature", 100, 100, 21, "ground", 1, "2017-11-28"),
    ("GFS_test.nc", "Temperature_isobaric", 101, 46, 26, "sea", 1, "2010-10-26T12:00:00Z"),
    ("GFS_Puerto_Rico_191km_20090730_0000.nc", "Temperature_isobaric", 45, 39, 6, "sea", 21, "2009-07-30T00:00:00Z"),
    ("mogreps_g_temperature_on_pressure_levels.nc", "air_temperature", 46, 54, 33, "sea", 1, None),
    ("ecmwf_packed_missing.nc", None, 360, 181, 3, "sea", 1, None),
    ("nio-ex5.nc", None, 120, 61, 9, "sea", 6, "2006-11-15T12:00:00Z"),
))
def test_real_forecasts(info, forecasts, file, name, nx, ny, levels, datum, steps, first):
    answer = info(forecasts / file)
    found = [(d, v) for d in answer["datasets"] for v in d["variables"] if v["vertical"] and (name is None or v["name"] == name)]
    assert found, answer["problems"]
    dataset, variable = found[0]
    assert (dataset["grid"]["nx"], dataset["grid"]["ny"]) == (nx, ny)
    assert variable["vertical"]["levels"] == levels and variable["vertical"]["datum"] == datum
    assert len(variable["times"]) == steps
    assert first is None or variable["times"][0].startswith(first)
