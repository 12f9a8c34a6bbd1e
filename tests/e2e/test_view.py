# SPDX-License-Identifier: Apache-2.0
"""`virga view`: a document to start from, and words about what cannot be."""
import json

import netCDF4
import numpy
import pytest

import make_files
import png


@pytest.fixture
def view(run, tmp_path):
    """Runs virga view with a state folder of its own; gives the process."""
    def call(*arguments, **more):
        return run("view", "--state", tmp_path / "state", *arguments, **more)
    return call


def document(done):
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def refused(done, status, *words):
    assert done.returncode == status, (done.returncode, done.stderr)
    assert done.stdout == ""
    for word in words:
        assert word in done.stderr, done.stderr
    assert done.stderr.startswith("virga view: ")


def test_a_view_is_complete_and_readable(view, demo_forecast):
    done = view(demo_forecast)
    made = document(done)
    assert list(made) == ["version", "dataset", "run", "time", "member", "layers", "camera", "light", "exaggeration", "map", "size", "captions",
                          "antialiasing", "transparent"]
    assert made["run"] == "latest" and made["time"] == "T+0" and made["size"] == [1280, 720]
    (layer,) = made["layers"]
    assert layer["variable"] == "cloud_area_fraction_in_atmosphere_layer"
    assert {"colour_map", "range", "units", "opacity", "visible", "shading"} <= set(layer)
    assert all(len(line) <= 130 for line in done.stdout.splitlines())
    assert len(done.stdout.splitlines()) > 20
    one_line = view(demo_forecast, "--compact")
    assert one_line.stdout.count("\n") == 1 and " " not in one_line.stdout
    assert document(one_line) == made


def test_what_is_asked_for_is_in_it(view, demo_forecast, run):
    made = document(view(demo_forecast, "--variable", "wind_speed", "--variable", "air_temperature", "--variable", "mass_fraction_of_rain_in_air",
                         "--time", "T+2", "--size", "1920x1080", "--top"))
    assert [layer["variable"] for layer in made["layers"]] == ["wind_speed", "air_temperature", "mass_fraction_of_rain_in_air"]
    assert [layer["visible"] for layer in made["layers"]] == [True, True, False]  # two volumes are drawn
    assert made["time"] == "T+2" and made["size"] == [1920, 1080] and made["camera"]["mode"] == "top"
    info = json.loads(run("info", "--json", demo_forecast).stdout)
    first = info["datasets"][0]["runs"][0]["time"]
    made = document(view(demo_forecast, "--run", first, "--time", first, "--dataset", info["datasets"][0]["id"]))
    assert made["run"] == first and made["time"] == first


def test_a_run_without_a_first_hour_gets_a_time_that_it_has(view, tmp_path):
    path = make_files.pressure_levels(tmp_path / "late.nc", steps=3)  # begins six hours after its run
    assert document(view(path))["time"] == "T+6"
    assert document(view(path, "--time", "nearest to now"))["time"] == "nearest to now"


def test_members_go_by_their_labels(view, tmp_path):
    path = make_files.ensemble(tmp_path / "members.nc")
    assert document(view(path, "--member", "2"))["member"] == 2
    assert document(view(path))["member"] == 0
    refused(view(path, "--member", "7"), 1, "there is no member 7")
    refused(view(path, "--member", ""), 1, "there is no member")


def test_what_is_not_there_is_named(view, demo_forecast, tmp_path):
    refused(view(demo_forecast, "--variable", "dust"), 1, 'layers[0].variable: "dust" is not in this dataset; it has ', "air_temperature")
    refused(view(demo_forecast, "--variable", "wind_speed", "--variable", "dust"), 1, 'layers[1].variable: "dust"')
    refused(view(demo_forecast, "--dataset", "other"), 1, 'dataset: "other" is not on offer')
    refused(view(demo_forecast, "--run", "1999-01-01T00:00:00Z"), 1, "run: 1999-01-01T00:00:00Z is not on offer; the latest is ")
    refused(view(tmp_path / "nothing.nc"), 1, "nothing.nc")


def test_a_time_between_steps_is_refused_with_the_nearest(view, demo_forecast):
    refused(view(demo_forecast, "--time", "T+1.4"), 2, 'time: "T+1.4" is not a step of this run; the nearest is ', "T")
    refused(view(demo_forecast, "--time", "tomorrow"), 2, 'time: expected "T+6"')
    refused(view(demo_forecast, "--run", "last"), 2, 'run: expected "latest"')
    refused(view(demo_forecast, "--run", "x" * 300), 2, "run is too long")
    refused(view(demo_forecast, "--time", "2026-02-31T00:00Z"), 2, "time: ")


@pytest.mark.parametrize("size", ["", "1280", "1280x", "x720", "0x0", "1280x720x3", "-5x5", "99999x720", "8x8", "1e3x4", "1280X720"])
def test_sizes_that_are_none(view, demo_forecast, size):
    refused(view(demo_forecast, "--size", size), 2, "size")


def test_names_that_are_no_ids(view, demo_forecast):
    refused(view(demo_forecast, "--variable", "x" * 500), 2, "variable is too long")
    refused(view(demo_forecast, "--variable", "../etc"), 2, "layers[0].variable: expected an identifier")
    refused(view(demo_forecast, *["--variable", "air_temperature"] * 9), 2, "8 variables at most")
    refused(view(), 2, "name the forecast file")


def test_a_standard_name_finds_its_variable(view, tmp_path):
    path = tmp_path / "named.nc"
    with netCDF4.Dataset(path, "w") as file:
        make_files.times(file, 1)
        y, x = make_files.plain_axes(file, 8, 6)
        make_files.axis(file, "height", 100.0 * numpy.arange(1, 5), "height", "m", positive="up")
        for name, standard_name in (("ta", "air_temperature"), ("hur", "relative_humidity")):
            v = file.createVariable(name, "f4", ("time", "height", y, x))
            v.standard_name, v.units = standard_name, "K" if name == "ta" else "%"
            v[:] = make_files.field((4, 6, 8), 280 if name == "ta" else 40)[None]
    assert document(view(path, "--variable", "air_temperature"))["layers"][0]["variable"] == "ta"
    assert document(view(path))["layers"][0]["variable"] == "hur"  # before temperature


def test_help_tells_each_option(run):
    done = run("view", "--help")
    assert done.returncode == 0
    for option in ("--variable", "--dataset", "--run", "--time", "--member", "--top", "--size", "--compact", "--state"):
        assert option in done.stdout
    assert "virga view" in run("--help").stdout or "view PATH" in run("--help").stdout


def test_an_export_draws_what_was_printed(view, run, demo_forecast, tmp_path):
    made = document(view(demo_forecast, "--time", "T+3", "--size", "96x64"))
    made["map"]["coastlines"] = False  # which need the page's packages
    (tmp_path / "view.json").write_text(json.dumps(made))
    done = run("export", "view.json", "--out", "picture.png", "--progress", "none", demo_forecast)
    assert done.returncode == 0, done.stderr
    picture = png.read(tmp_path / "picture.png")
    assert [picture.width, picture.height] == [96, 64]
