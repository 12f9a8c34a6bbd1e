# SPDX-License-Identifier: Apache-2.0
"""Vertical coordinates of every kind: heights and values by `virga sample` against a plain computation, and what `info` says of them."""
import json
import math
import random

import numpy
import pytest

import make_files
import place

NAMES = {"ap": "hybrid_sigma_pressure", "a p0": "hybrid_sigma_pressure", "layers": "hybrid_sigma_pressure", "habit": "hybrid_sigma_pressure",
         "lnsp": "hybrid_sigma_pressure", "sigma": "sigma", "ln_pressure": "ln_pressure", "sleve": "sleve", "altitude": "height_field",
         "air_pressure": "pressure_field", "pressure": "pressure"}
METHODS = {"ap": "hydrostatic heights by temperature and humidity from the orography and the surface pressure", "habit": "P0 of 100000 Pa",
           "lnsp": "hydrostatic", "ln_pressure": "standard atmosphere", "altitude": "heights in the file", "sleve": "orography"}


def info(run, path, name):
    answer = json.loads(run("info", "--json", path).stdout)
    return next(v for d in answer["datasets"] for v in d["variables"] if v["name"] == name)


def sample(run, path, name, *arguments):
    done = run("sample", path, "--variable", name, "--json", *arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def places_in(volume, count, seed):
    dice = random.Random(seed)
    for _ in range(count):
        i, j = dice.uniform(0, len(volume.x) - 1), dice.uniform(0, len(volume.y) - 1)
        lon, lat = numpy.interp(i, range(len(volume.x)), volume.x), numpy.interp(j, range(len(volume.y)), volume.y)
        ground, top = volume.ground_at(i, j), volume.column_heights(i, j)[-1]
        yield float(lon), float(lat), round(ground + dice.random() ** 2 * (top - ground) * 0.999 + 0.01, 3)


def check(run, path, name, time, step, count):
    volume = place.load(path, name, step)
    variable = info(run, path, name)
    vertical = variable["vertical"]
    assert vertical["map_error_low"] <= 5 and vertical["map_error_high"] <= 20
    assert vertical["map_error"] == max(vertical["map_error_low"], vertical["map_error_high"])
    for lon, lat, height in places_in(volume, count, 11):
        where = ("--time", time, "--lon", lon, "--lat", lat)
        profile = sample(run, path, name, *where, "--profile")
        assert profile["height"] == pytest.approx(list(volume.column_heights(*volume.locate(lon, lat))), abs=0.05)
        answer = sample(run, path, name, *where, "--height", height)
        expected = volume.value(lon, lat, height)
        low, high = place.reachable(volume, lon, lat, height, vertical["map_error"] + 0.1)
        if math.isnan(expected):
            continue
        assert answer["source"] == pytest.approx(expected, rel=1e-3), (lon, lat, height)
        slack = answer["epsilon"] + 1e-3 * abs(expected)
        assert low - slack <= answer["bricks"] <= high + slack, (lon, lat, height)
        below = sample(run, path, name, *where, "--height", volume.ground_at(*volume.locate(lon, lat)) - 5)
        assert below["source"] is None and below["bricks"] is None
    return vertical


@pytest.mark.parametrize("kind", make_files.LEVEL_KINDS)
def test_heights_and_values_of_every_kind(run, tmp_path, kind):
    path = make_files.levels(tmp_path / "a.nc", kind)
    vertical = check(run, path, "cloud", "T+6", 0, 4)
    assert vertical["kind"] == NAMES[kind]
    assert METHODS.get(kind, "") in vertical["method"]


def test_dry_air_is_said(run, tmp_path):
    path = make_files.levels(tmp_path / "a.nc", "sigma", moist=False)
    assert "dry air" in check(run, path, "cloud", "T+6", 0, 3)["method"]


def test_hybrid_levels_of_a_climate_model(run, forecasts):
    path = forecasts / "vinth2p.nc"
    time = info(run, path, "T")["times"][1]
    assert check(run, path, "T", time, 1, 4)["kind"] == "hybrid_sigma_pressure"


def test_the_text_names_the_kind_and_keeps_the_promise_in_view(run, tmp_path):
    text = run("info", make_files.levels(tmp_path / "a.nc", "ap")).stdout
    assert "hybrid sigma-pressure by hydrostatic heights" in text and "m below 3 km" in text
