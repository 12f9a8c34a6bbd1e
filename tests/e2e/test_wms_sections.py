# SPDX-License-Identifier: Apache-2.0
"""GetVerticalProfile and GetTransect: numbers are those of `virga sample`, colours those of a plain computation, refusals those of the service."""
import csv
import io
import json
import math
import urllib.parse

import numpy
import pytest

import make_files
import map_reference
import place
import png
from conftest import running

LEFT, TOP, RIGHT, BOTTOM = 58, 48, 16, 56  # around the axes of a picture without a legend


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("forecasts")
    for name, make in (("hills", make_files.hybrid_height), ("surface", make_files.surface)):
        (folder / name).mkdir()
        make(folder / name / "a.nc")
    return folder


@pytest.fixture(scope="module")
def server(virga, files, tmp_path_factory):
    with running(virga, tmp_path_factory.mktemp("server") / "one", sorted(files.iterdir())) as server:
        yield server


@pytest.fixture
def ask(server, http_get):
    def call(request, version="1.3.0", **parameters):
        query = {"SERVICE": "WMS", "VERSION": version, "REQUEST": request, **parameters}
        return http_get(server.url + "wms?" + urllib.parse.urlencode(query))
    return call


@pytest.fixture
def datasets(server, http_get):
    return {d["id"].split("-")[0]: d for d in http_get(server.url + "api/catalog").json()["datasets"]}


@pytest.fixture
def layer(datasets):
    return datasets["hills"]["id"] + "/air_temperature"


@pytest.fixture
def sampled(run, files):
    def call(*arguments, time):
        done = run("sample", files / "hills" / "a.nc", "--variable", "air_temperature", "--time", time, "--json", *arguments)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)
    return call


def middle(dataset):
    lons, lats = zip(*dataset["grid"]["corners"])
    return round(sum(lons) / 4 + 0.013, 6), round(sum(lats) / 4 + 0.017, 6)


def rows_of(answer):
    assert answer.status == 200 and answer.headers["Content-Type"].startswith("text/csv"), answer.body[:300]
    return list(csv.DictReader(io.StringIO(answer.body.decode())))


def refused(answer, code):
    assert answer.status == 200 and "xml" in answer.headers["Content-Type"] and f'code="{code}"'.encode() in answer.body, answer.body[:400]


def test_a_profile_is_what_virga_sample_says(ask, datasets, layer, sampled):
    lon, lat = middle(datasets["hills"])
    for parameters in ({"CRS": "CRS:84", "POINT": f"{lon} {lat}"}, {"CRS": "EPSG:4326", "POINT": f"{lat} {lon}"}, {"POINT": f"POINT({lon} {lat})"},
                       {"version": "1.1.1", "SRS": "EPSG:4326", "POINT": f"{lon} {lat}"}):
        rows = rows_of(ask("GetVerticalProfile", LAYERS=layer, INFO_FORMAT="text/csv", **parameters))
        wanted = sampled("--lon", lon, "--lat", lat, "--profile", time=rows[0]["time"])
        assert len(rows) == len(wanted["bricks"])
        for row, height, value in zip(rows, wanted["height"], wanted["bricks"]):
            assert math.isclose(float(row["height [m]"]), height, rel_tol=1e-7) and math.isclose(float(row["air_temperature [K]"]), value, rel_tol=1e-7)


def test_a_place_in_metres_is_turned_to_degrees(ask, datasets, layer):
    lon, lat = middle(datasets["hills"])
    x, y = map_reference.pyproj.Transformer.from_crs("OGC:CRS84", "EPSG:3857", always_xy=True).transform(lon, lat)
    rows = rows_of(ask("GetVerticalProfile", LAYERS=layer, FORMAT="text/csv", CRS="EPSG:3857", POINT=f"{x} {y}"))
    assert math.isclose(float(rows[0]["longitude"]), lon, abs_tol=1e-6) and math.isclose(float(rows[0]["latitude"]), lat, abs_tol=1e-6)


def test_profiles_and_transects_are_coverages_too(ask, server, http_get, datasets, layer):
    lon, lat = middle(datasets["hills"])
    time = datasets["hills"]["runs"][-1]["series"]["air_temperature"]["times"][-1]
    profile = ask("GetVerticalProfile", LAYERS=layer, FORMAT="application/json", POINT=f"{lon} {lat}", TIME=time)
    transect = ask("GetTransect", LAYERS=layer, FORMAT="application/json", LINESTRING=f"{lon} {lat},{lon + 0.2} {lat}", TIME=time)
    collection = f"{server.url}ogc/collections/{layer.replace('/', ':')}"
    assert profile.json() == http_get(f"{collection}/position?" + urllib.parse.urlencode({"coords": f"POINT({lon} {lat})", "datetime": time})).json()
    assert transect.json() == http_get(f"{collection}/trajectory?" + urllib.parse.urlencode({"coords": f"LINESTRING({lon} {lat},{lon + 0.2} {lat})", "datetime": time})).json()


def test_the_colours_of_a_transect_are_those_of_a_plain_computation(ask, datasets, layer, files):
    lon, lat = middle(datasets["hills"])
    ends, width, height, top = ((lon, lat), (lon + 0.4, lat)), 440, 300, 6000
    answer = ask("GetTransect", LAYERS=layer, LINESTRING=",".join(f"{x} {y}" for x, y in ends), STYLES="fill/thermal", COLORSCALERANGE="230,300", WIDTH=width, HEIGHT=height, TOP=top,
                 BOTTOM=0, TIME=datasets["hills"]["runs"][-1]["series"]["air_temperature"]["times"][0])
    assert answer.status == 200 and answer.headers["Content-Type"] == "image/png", answer.body[:300]
    picture = png.Image(answer.body)
    volume = place.load(files / "hills" / "a.nc", "air_temperature", 0)
    colours = map_reference.Colours("thermal", 230, 300)
    across, down = width - LEFT - RIGHT, height - TOP - BOTTOM
    seen = 0
    for row in range(7, down, 13):
        z = top * (1 - (row + 0.5) / down)
        for column in range(11, across, 17):
            x = ends[0][0] + (ends[1][0] - ends[0][0]) * (column + 0.5) / across
            if abs(z - volume.ground_at(*volume.locate(x, lat))) < 60:
                continue
            near = [volume.value(x + dx * 0.4 / across, lat, z + dz * top / down) for dx in (-0.5, 0, 0.5) for dz in (-0.5, 0, 0.5)]
            pixel = numpy.array(picture.pixels[TOP + row][LEFT + column][:3], float)
            if any(v is None or v != v for v in near):
                continue  # the ground, in a colour of its own
            band = colours.of(numpy.linspace(min(near) - 0.25, max(near) + 0.25, 15))[:, :3]  # half a pixel, the lattice and one colour step
            assert numpy.abs(band - pixel).max(axis=1).min() <= 4, (row, column, pixel, band)
            seen += 1
    assert seen > 100


def test_pictures_are_as_large_as_asked_for_and_of_the_type(ask, datasets, layer):
    lon, lat = middle(datasets["hills"])
    line = f"{lon} {lat},{lon + 0.2} {lat + 0.1},{lon + 0.4} {lat}"
    for style in ("", "contours", "fill-contours"):
        image = png.Image(ask("GetTransect", LAYERS=layer, LINESTRING=line, WIDTH=700, HEIGHT=333, STYLES=style).body)
        assert (image.width, image.height) == (700, 333)
    image = png.Image(ask("GetVerticalProfile", LAYERS=layer, POINT=f"{lon} {lat}", WIDTH=300, HEIGHT=500).body)
    assert (image.width, image.height) == (300, 500)
    assert ask("GetTransect", LAYERS=layer, LINESTRING=line, FORMAT="image/jpeg").body[:2] == b"\xff\xd8"
    lon, lat = middle(datasets["surface"])
    surface = f"{datasets['surface']['id']}/{next(v['id'] for v in datasets['surface']['variables'])}"
    assert ask("GetTransect", LAYERS=surface, LINESTRING=f"{lon} {lat},{lon + 0.3} {lat}").headers["Content-Type"] == "image/png"


def test_what_is_wrong_gets_an_exception(ask, datasets, layer):
    lon, lat = middle(datasets["hills"])
    at, line = f"{lon} {lat}", f"{lon} {lat},{lon + 0.1} {lat}"
    refused(ask("GetVerticalProfile", LAYERS=layer), "MissingParameterValue")
    refused(ask("GetTransect", LAYERS=layer), "MissingParameterValue")
    refused(ask("GetTransect", POINT=at), "MissingParameterValue")
    for point in ("x y", at + ",1 1", f"{lon}", f"LINESTRING({line})", "POINT Z(1 2 3)", "nan nan", "1e400 0", "POINT(" * 500):
        refused(ask("GetVerticalProfile", LAYERS=layer, POINT=point), "InvalidParameterValue")
    refused(ask("GetTransect", LAYERS=layer, LINESTRING=at), "InvalidParameterValue")
    refused(ask("GetTransect", LAYERS=layer, LINESTRING=",".join(["1 1"] * 1900)), "InvalidParameterValue")
    refused(ask("GetVerticalProfile", LAYERS=layer, POINT=at, CRS="EPSG:1"), "InvalidCRS")
    refused(ask("GetVerticalProfile", LAYERS=layer, POINT=at, FORMAT="image/gif"), "InvalidFormat")
    refused(ask("GetVerticalProfile", LAYERS=layer, POINT=at, FORMAT="text/html"), "InvalidFormat")
    refused(ask("GetVerticalProfile", LAYERS="nothing", POINT=at), "LayerNotDefined")
    refused(ask("GetVerticalProfile", LAYERS=layer, POINT=at, TIME="1999-01-01T00:00:00Z"), "InvalidDimensionValue")
    surface = f"{datasets['surface']['id']}/{next(v['id'] for v in datasets['surface']['variables'])}"
    refused(ask("GetVerticalProfile", LAYERS=surface, POINT=at), "LayerNotQueryable")
    for key, value in (("WIDTH", "10"), ("WIDTH", "99999"), ("HEIGHT", "x"), ("TOP", "x"), ("TOP", "1e9")):
        answer = ask("GetTransect", LAYERS=layer, LINESTRING=line, **{key: value})
        refused(answer, "InvalidParameterValue")
    answer = ask("GetVerticalProfile", LAYERS=layer, POINT="-170 -80")
    assert answer.status == 200 and b"outside" in answer.body
