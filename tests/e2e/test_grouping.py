# SPDX-License-Identifier: Apache-2.0
"""Which files are one dataset: a run split by time or by variable, runs that come and go, grids that differ; and its id."""
import json
import shutil

import netCDF4
import numpy
import pytest

import make_files
import make_grib
from served import Served, compare, source

SHAPE = (4, 20, 33)


def piece(path, run=0, hours=(6, 7), names=("air_temperature",), axes=make_files.plain_axes, shape=SHAPE, base=0.0):
    """One file of a run: some variables at some hours. A value tells run, hour and variable."""
    with netCDF4.Dataset(path, "w") as file:
        make_files.times(file, len(hours), 0, run)
        file["time"][:] = numpy.array(hours) + run
        y, x = axes(file, shape[2], shape[1])
        make_files.axis(file, "height", 100.0 * (numpy.arange(shape[0]) + 1), "height", "m", positive="up")
        for n, name in enumerate(names):
            variable = file.createVariable(name, "f4", ("time", "height", y, x))
            variable.standard_name, variable.units = name, {"air_temperature": "K", "relative_humidity": "%"}.get(name, "m s-1")
            if "grid" in file.variables:
                variable.grid_mapping = "grid"
            variable[:] = numpy.stack([make_files.field(shape, 20.0 + base + run + hour + 30 * len(name)) for hour in hours])
    return path


@pytest.fixture
def catalog(run):
    def call(*paths, status=0):
        done = run("info", "--json", *paths)
        assert done.returncode == status, done.stderr
        return json.loads(done.stdout)
    return call


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "data"
    path.mkdir()
    return path


def test_a_run_split_by_time_is_one_dataset(serve, folder):
    paths = [piece(folder / f"t{hours[0]:03}.nc", hours=hours) for hours in ((0, 1, 2), (3, 4), (6,))]
    with serve(folder) as server, Served(server) as served:
        (dataset,) = served.catalog["datasets"]
        assert [run["time"] for run in dataset["runs"]] == ["2026-01-01T00:00:00Z"]
        assert [time[11:13] for time in served.series("air_temperature")["times"]] == ["00", "01", "02", "03", "04", "06"]
        compare(served, "air_temperature", source(paths[0], "air_temperature", {"time": 2}), 2)
        compare(served, "air_temperature", source(paths[1], "air_temperature", {"time": 0}), 3)
        compare(served, "air_temperature", source(paths[2], "air_temperature", {"time": 0}), 5)


def test_a_run_split_by_variable_is_one_dataset(serve, folder):
    names = ("air_temperature", "relative_humidity", "eastward_wind", "northward_wind")
    paths = {name: piece(folder / f"{name}.nc", names=(name,)) for name in names}
    with serve(folder) as server, Served(server) as served:
        (dataset,) = served.catalog["datasets"]
        assert set(names) <= {v["name"] for v in dataset["variables"]}
        assert "wind_speed" in {v["standard_name"] for v in dataset["variables"]}  # from two files
        for name in names:
            compare(served, name, source(paths[name], name, {"time": 1}), 1)


def test_split_both_ways_with_two_runs(serve, folder):
    for run in (0, 12):
        for name in ("air_temperature", "relative_humidity"):
            for hours in ((0, 3), (6, 9)):
                piece(folder / f"{run:02}_{name}_{hours[0]}.nc", run, hours, (name,))
    with serve(folder) as server, Served(server) as served:
        (dataset,) = served.catalog["datasets"]
        assert [run["time"][11:13] for run in dataset["runs"]] == ["00", "12"]
        for run in (0, 1):
            for name in ("air_temperature", "relative_humidity"):
                assert len(served.series(name, run)["times"]) == 4
                compare(served, name, source(folder / f"{12 * run:02}_{name}_6.nc", name, {"time": 1}), 3, run=run)


def test_two_runs_in_one_file(serve, tmp_path):
    """Forecast reference time as a dimension."""
    path = tmp_path / "a.nc"
    with netCDF4.Dataset(path, "w") as file:
        make_files.axis(file, "forecast_reference_time", [0.0, 12.0], "forecast_reference_time", make_files.EPOCH)
        make_files.axis(file, "forecast_period", [6.0, 9.0], "forecast_period", "hours")
        y, x = make_files.plain_axes(file, SHAPE[2], SHAPE[1])
        make_files.axis(file, "height", 100.0 * (numpy.arange(SHAPE[0]) + 1), "height", "m", positive="up")
        make_files.temperature(file, ("forecast_reference_time", "forecast_period", "height", y, x),
                               numpy.stack([numpy.stack([make_files.field(SHAPE, 250 + 10 * r + p) for p in (0, 1)]) for r in (0, 1)]))
    with serve(path, "--allow-empty") as server, Served(server) as served:
        if not served.catalog["datasets"]:
            assert [p for p in served.catalog["problems"] if p["variable"] == "air_temperature" and p["reason"]]  # refused, and said so
            return
        assert [run["time"] for run in served.catalog["datasets"][0]["runs"]] == ["2026-01-01T00:00:00Z", "2026-01-01T12:00:00Z"]
        at = {"forecast_reference_time": 1, "forecast_period": 1}
        compare(served, "air_temperature", source(path, "air_temperature", at), 1, run=1)


@pytest.mark.parametrize("other", ({"axes": make_files.rotated_axes}, {"shape": (4, 20, 34)}), ids=("another projection", "another size"))
def test_grids_that_differ_are_datasets_of_their_own(catalog, folder, other):
    piece(folder / "a.nc")
    piece(folder / "b.nc", **other)
    datasets = catalog(folder)["datasets"]
    assert len(datasets) == 2 and datasets[0]["id"] != datasets[1]["id"]


def test_a_grid_that_is_shifted_is_another(catalog, folder):
    piece(folder / "a.nc")
    piece(folder / "b.nc")
    with netCDF4.Dataset(folder / "b.nc", "a") as file:
        file["longitude"][:] = file["longitude"][:] + 0.25
    assert len(catalog(folder)["datasets"]) == 2


def test_two_variables_of_other_levels_stand_in_one_dataset(catalog, folder):
    piece(folder / "a.nc", names=("air_temperature",))
    piece(folder / "b.nc", names=("relative_humidity",), shape=(3, 20, 33))
    (dataset,) = catalog(folder)["datasets"]
    assert sorted(v["shape"][-3] for v in dataset["variables"]) == [3, 4]


def test_a_folder_a_glob_and_the_files_themselves_say_the_same(catalog, folder):
    for run in (0, 6):
        piece(folder / f"run{run}.nc", run)
    (folder / "notes.txt").write_text("no forecast")
    answers = [catalog(folder), catalog(folder / "*.nc"), catalog(folder / "run0.nc", folder / "run6.nc")]
    for answer in answers:
        (dataset,) = answer["datasets"]
        assert [run["time"][11:13] for run in dataset["runs"]] == ["00", "06"]


def test_a_glob_takes_what_it_matches(catalog, folder):
    piece(folder / "run0.nc", 0)
    piece(folder / "old0.nc", 0, names=("relative_humidity",))
    (dataset,) = catalog(folder / "run*.nc")["datasets"]
    assert [v["name"] for v in dataset["variables"]] == ["air_temperature"]


def test_a_glob_without_a_match_fails_and_says_so(run, folder):
    done = run("info", "--json", folder / "*.nc")
    assert done.returncode == 1 and "*.nc" in done.stderr


def test_folders_in_the_folder_are_searched(catalog, folder):
    for run in (0, 6):
        (folder / f"2026010{run}").mkdir()
        piece(folder / f"2026010{run}" / "a.nc", run)
    (dataset,) = catalog(folder)["datasets"]
    assert len(dataset["runs"]) == 2


@pytest.mark.parametrize("pattern", ("", "*.nc", "run[0-9]*.nc"), ids=("folder", "glob", "glob of runs"))
def test_the_id_stays_when_the_server_starts_again_and_runs_come_and_go(serve, folder, pattern):
    path = folder / pattern if pattern else folder

    def ids():
        with serve(path) as server, Served(server) as served:
            return [d["id"] for d in served.catalog["datasets"]], [run["time"][11:13] for run in served.catalog["datasets"][0]["runs"]]
    piece(folder / "run00.nc", 0)
    first, runs = ids()
    assert runs == ["00"] and ids()[0] == first
    piece(folder / "run06.nc", 6)
    assert ids() == (first, ["00", "06"])
    (folder / "run00.nc").unlink()
    assert ids() == (first, ["06"])


def test_the_id_is_of_the_path_not_of_what_it_holds(catalog, folder, tmp_path):
    piece(folder / "a.nc")
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    first, second = (catalog(path)["datasets"][0]["id"] for path in (folder, other))
    assert first != second


def test_an_edition_changes_with_its_file_and_only_then(serve, folder):
    def edition():
        with serve(folder) as server, Served(server) as served:
            return served.series("air_temperature", 0)["edition"]
    piece(folder / "run00.nc", 0)
    first = edition()
    piece(folder / "run06.nc", 6)
    assert edition() == first
    piece(folder / "run00.nc", 0, base=1.0)
    assert edition() != first


# --- models of several makers on one grid ------------------------------------------------------------------------------


def made_by(path, institution, hours=(6, 7), base=0.0, names=("air_temperature",)):
    piece(path, hours=hours, base=base, names=names)
    if institution:
        with netCDF4.Dataset(path, "a") as file:
            file.institution = institution


def test_models_of_two_institutions_are_two_datasets(catalog, folder):
    made_by(folder / "a.nc", "Institute A")
    made_by(folder / "b.nc", "Institute B", hours=(6, 7, 8), base=50.0)
    datasets = catalog(folder)["datasets"]
    assert len(datasets) == 2 and {len(d["variables"][0]["times"]) for d in datasets} == {2, 3}
    assert {d["title"] for d in datasets} == {"a.nc (Institute A)", "b.nc (Institute B)"}


def test_files_that_name_no_institution_go_along(catalog, folder):
    made_by(folder / "a.nc", "Institute A", hours=(6,))
    made_by(folder / "b.nc", None, hours=(7,))
    made_by(folder / "c.nc", "Institute A", hours=(8,))
    (dataset,) = catalog(folder)["datasets"]
    assert len(dataset["variables"][0]["times"]) == 3


def test_the_id_of_a_model_stays_when_another_comes_beside_it(catalog, folder):
    made_by(folder / "b.nc", "Institute B")
    (before,) = catalog(folder)["datasets"]
    made_by(folder / "a.nc", "Institute A")
    assert before["id"] in {d["id"] for d in catalog(folder)["datasets"]}


@pytest.mark.parametrize("edition", (1, 2))
def test_grib_of_two_centres_and_of_two_classes(catalog, folder, edition):
    x, y = make_grib.axes(6, 5)
    for name, keys in (("a", {"centre": "ecmf"}), ("b", {"centre": "kwbc"}), ("c", {"centre": "ecmf", "setLocalDefinition": 1, "localDefinitionNumber": 1, "class": "rd"}),
                       ("d", {"centre": "ecmf", "setLocalDefinition": 1, "localDefinitionNumber": 1, "class": "ea"})):
        message = make_grib.Message(f"regular_ll_sfc_grib{edition}").set(**make_grib.lonlat_keys(x, y, 0x40), **keys)
        message.set(**({"indicatorOfParameter": 167, "table2Version": 128, "indicatorOfTypeOfLevel": 1} if edition == 1 else {"parameterCategory": 0, "parameterNumber": 0}))
        make_grib.write(folder / f"{name}.grib", message.values(make_grib.value(*numpy.meshgrid(x, y))))
    datasets = catalog(folder)["datasets"]
    assert len({d["id"] for d in datasets}) == (4 if edition == 1 else 3)  # what names no class goes with the first that does
    assert any("NCEP" in d["title"] for d in datasets)
