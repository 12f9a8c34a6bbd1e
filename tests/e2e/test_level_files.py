# SPDX-License-Identifier: Apache-2.0
"""One file for each level, as some centres publish their forecasts: it is as good as all levels in one."""
import json
import shutil

import pytest

import make_grib
import make_habits
import place
from conftest import wait_until

PLACE = (make_habits.LONS[4], make_habits.LATS[3])
HEIGHTS = [place.standard_height(100.0 * p) for p in make_habits.PRESSURES]


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "model"
    path.mkdir()
    return path


@pytest.fixture
def info(run):
    def ask(*paths):
        done = run("info", "--json", *paths)
        assert done.returncode == 0, done.stderr
        (dataset,) = json.loads(done.stdout)["datasets"]
        return dataset, {v["name"]: v for v in dataset["variables"]}
    return ask


@pytest.fixture
def profile(run):
    def ask(path, time, variable="temperature", where=PLACE, *more):
        done = run("sample", path, "--variable", variable, "--time", time, "--lon", where[0], "--lat", where[1], "--profile", "--json", *more)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)
    return ask


def check(answer, expected):
    for source, bricks, number in zip(answer["source"], answer["bricks"], expected):
        if number is None:
            assert source is None and bricks is None
        else:
            assert source == pytest.approx(number, abs=1e-4) and bricks == pytest.approx(number, abs=answer["epsilon"] + 1e-4)
    assert len(answer["source"]) == len(expected)


def expected(lead, run=0, more=0.0):
    return [make_habits.value(*PLACE, k, lead) + run + more for k in range(3)]


def test_levels_of_files_of_their_own_are_one_variable(info, profile, folder):
    make_habits.a_file_a_level(folder)
    dataset, variables = info(folder)
    assert list(variables) == ["temperature"] and variables["temperature"]["shape"] == [3, 9, 12]
    assert [r["time"] for r in dataset["runs"]] == ["2026-01-01T00:00:00Z"] and len(variables["temperature"]["times"]) == 2
    for lead in (6, 12):
        answer = profile(folder, f"T+{lead}")
        check(answer, expected(lead))
        assert answer["height"] == pytest.approx(HEIGHTS, abs=1)


def test_between_levels_values_are_interpolated(run, folder):
    make_habits.a_file_a_level(folder)
    done = run("sample", folder, "--variable", "temperature", "--time", "T+6", "--lon", PLACE[0], "--lat", PLACE[1], "--height", (HEIGHTS[0] + HEIGHTS[1]) / 2, "--json")
    assert json.loads(done.stdout)["source"] == pytest.approx(sum(expected(6)[:2]) / 2, abs=0.01)


def test_a_level_that_a_step_lacks_is_missing_there(info, profile, folder):
    make_habits.a_file_a_level(folder, lacking=((850, 12), (500, 6)))
    info(folder)
    check(profile(folder, "T+6"), [*expected(6)[:2], None])
    check(profile(folder, "T+12"), [expected(12)[0], None, expected(12)[2]])


def test_a_run_that_lacks_a_level_is_not_the_latest(info, folder):
    for start, lacking in ((0, ()), (12, ()), (24, ((500, 12),))):
        make_habits.a_file_a_level(folder, run=start, lacking=lacking)
    dataset, _ = info(folder)
    assert [r["complete"] for r in dataset["runs"]] == [True, True, False]


def test_an_edition_changes_with_any_level(info, folder):
    def editions():
        dataset, _ = info(folder)
        return dataset["runs"][0]["series"]["temperature"]["edition"]
    make_habits.a_file_a_level(folder, lacking=((500, 12),))
    before = editions()
    assert before == editions()
    make_habits.a_file_a_level(folder)
    whole = editions()
    assert whole != before
    shutil.copy(folder / "T_00_850_006.nc", folder / "other")
    (folder / "other").replace(folder / "T_00_850_006.nc")
    assert editions() != whole


def test_members_of_each_level(profile, folder):
    make_habits.a_file_a_level(folder, members=3)
    for member in range(3):
        check(profile(folder, "T+12", "temperature", PLACE, "--member", member), expected(12, more=member))
    check(profile(folder, "T+12", "temperature_mean"), expected(12, more=1))


def test_heights_and_winds_of_each_level(info, profile, folder):
    make_habits.heights_and_winds_a_file_a_level(folder)
    _, variables = info(folder)
    assert variables["temperature"]["vertical"]["method"] == "geopotential height"
    answer = profile(folder, "2026-01-01T06:00Z")
    check(answer, [make_habits.value(*PLACE, k) for k in range(3)])
    assert answer["height"] == pytest.approx([100 + 1500 * k + 10 * (PLACE[1] - 40) for k in range(3)], abs=1)
    check(profile(folder, "2026-01-01T06:00Z", "wind_speed"), [((3 + k) ** 2 + 16) ** 0.5 for k in range(3)])


def test_grib_files_of_one_message(info, profile, folder):
    x, y = make_grib.a_file_a_level(folder)
    _, variables = info(folder)
    assert list(variables) == ["t"] and variables["t"]["shape"] == [3, len(y), len(x)]
    answer = profile(folder, "T+3", "t", (x[2], y[3]))
    assert answer["source"] == pytest.approx([make_grib.value(x[2], y[3], 3, level) for level in (1000, 850, 500)], abs=1e-2)


def test_the_server_gives_all_levels_at_a_place(serve, http_get, folder):
    make_habits.a_file_a_level(folder)
    with serve(folder) as server:
        (dataset,) = http_get(server.url + "api/catalog").json()["datasets"]
        query = f"position?coords=POINT({PLACE[0]}%20{PLACE[1]})&datetime=2026-01-01T12:00:00Z"
        answer = http_get(f"{server.url}ogc/collections/{dataset['id']}:temperature/{query}").json()
        assert answer["ranges"]["temperature"]["values"] == pytest.approx(expected(12), abs=0.06)
        tile = http_get(f"{server.url}tiles/{dataset['id']}/temperature/4/7/5.png?level=700hPa&time=T%2B12")
        assert tile.status == 200 and tile.body.startswith(b"\x89PNG")


def test_a_level_that_comes_later_is_there_at_once(serve, http_get, folder):
    make_habits.a_file_a_level(folder, lacking=((500, 6), (500, 12)))
    with serve(folder) as server:
        def ask():
            (dataset,) = http_get(server.url + "api/catalog").json()["datasets"]
            query = f"position?coords=POINT({PLACE[0]}%20{PLACE[1]})&datetime=2026-01-01T12:00:00Z"
            return dataset, http_get(f"{server.url}ogc/collections/{dataset['id']}:temperature/{query}").json()
        before, answer = ask()
        assert answer["ranges"]["temperature"]["values"] == pytest.approx(expected(12)[:2], abs=0.06)
        make_habits.level_file(folder / ".part", "temperature", 500, 0, [12], make_habits.field(1, 1, 12)[:, 0] + 4.0)
        (folder / ".part").rename(folder / "T_00_500_012.nc")
        after = wait_until(lambda: (found := ask()[0])["variables"][0]["shape"][0] == 3 and found)
        assert after["id"] == before["id"] and [v["id"] for v in after["variables"]] == ["temperature"]
        assert ask()[1]["ranges"]["temperature"]["values"] == pytest.approx(expected(12), abs=0.06)
