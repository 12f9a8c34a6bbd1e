# SPDX-License-Identifier: Apache-2.0
"""Tiles of maps, TileJSON and legends: what they show against maps made independently, how long they may be kept, who may read them."""
import concurrent.futures
import io
import json
import re
import struct
import urllib.parse

import netCDF4
import numpy
import pytest
from PIL import Image

import make_maps
import map_reference
import png
from conftest import wait_until
from map_site import client, datasets, files, server  # noqa: F401 - fixtures
from ws_client import Socket

VARIABLE = make_maps.SURFACE


def tile_path(dataset, place, suffix="png", variable=VARIABLE, **query):
    z, x, y = place
    text = urllib.parse.urlencode({key: value for key, value in query.items() if value is not None})
    return f"/tiles/{dataset['id']}/{variable}/{z}/{x}/{y}.{suffix}" + (f"?{text}" if text else "")


def get(client, path, **more):
    status, headers, body = client.request(path, **more)
    assert status == 200, (path, status, body[:300])
    return headers, body


def pixels(body):
    return numpy.array(Image.open(io.BytesIO(body)).convert("RGBA"))


# A tile of each grid in both tile matrix sets; test_map_agreement.py has all of them.
CASES = [
    ("globe", "WebMercatorQuad", (3, 7, 2), 256), ("globe", "WorldCRS84Quad", (3, 9, 0), 512), ("date_line", "WebMercatorQuad", (3, 0, 4), 512),
    ("date_line", "WorldCRS84Quad", (3, 15, 5), 256), ("rotated", "WebMercatorQuad", (6, 31, 20), 256), ("lambert", "WorldCRS84Quad", (3, 3, 2), 256),
    ("polar", "WebMercatorQuad", (2, 1, 0), 512), ("polar", "WorldCRS84Quad", (1, 1, 0), 256)]


@pytest.mark.parametrize("grid, matrix_set, place, size", CASES)
def test_a_tile_shows_what_the_file_holds(client, datasets, files, grid, matrix_set, place, size):
    path = tile_path(datasets[grid], place, time="T+7", tms=matrix_set, size=size)
    headers, body = get(client, path)
    assert headers["content-type"] == "image/png"
    frame = map_reference.tile(*place, size=size, matrix_set=matrix_set)
    field = map_reference.load(files[grid], VARIABLE, step=1)
    picture = pixels(body)
    assert picture.shape == (size, size, 4) and picture[..., 3].any(), "the tile is empty"
    map_reference.check(picture, field.bounds(frame), make_maps.colours())


def test_numbers_of_a_tile_are_the_file_s(client, datasets, files):
    place = (3, 2, 2)
    frame = map_reference.tile(*place)
    field = map_reference.load(files["globe"], VARIABLE, step=0)
    headers, body = get(client, tile_path(datasets["globe"], place, time="T+6", format="values"))
    facts = json.loads(get(client, tile_path(datasets["globe"], place, time="T+6", format="values").replace("3/2/2.png", "tilejson.json"))[1])["virga"]
    texts = png.Image(body).texts
    assert float(texts["offset"]) == facts["offset"] and float(texts["scale"]) == facts["scale"]
    red, green, blue, alpha = numpy.moveaxis(pixels(body).astype(float), -1, 0)
    values = facts["offset"] + facts["scale"] * (65536 * red + 256 * green + blue)
    bounds, there = field.bounds(frame), alpha == 255
    assert there.any() and set(numpy.unique(alpha)) <= {0.0, 255.0}
    lattice = next(v for v in datasets["globe"]["variables"] if v["id"] == VARIABLE)["lattice"]
    slack = lattice["epsilon"] + facts["scale"]
    assert (values[there] >= bounds.low[there] - slack).all() and (values[there] <= bounds.high[there] + slack).all()


def test_tilejson_names_tiles_that_never_change(client, datasets):
    dataset = datasets["globe"]
    headers, body = get(client, f"/tiles/{dataset['id']}/{VARIABLE}/tilejson.json?style=fill;bands=10")
    found = json.loads(body)
    assert found["tilejson"] == "3.0.0" and found["minzoom"] == 0 and found["maxzoom"] >= 2 and found["scheme"] == "xyz"
    assert found["bounds"][0] == -180 and found["bounds"][2] == 180
    assert headers["content-type"] == "application/json" and headers["cache-control"] == "no-cache"
    address = urllib.parse.urlsplit(found["tiles"][0])
    assert address.scheme == "http" and address.netloc == client.host
    path = f"{address.path}?{address.query}".format(z=1, x=0, y=0)
    headers, body = get(client, path)
    assert headers["cache-control"] == "public, max-age=31536000, immutable" and re.fullmatch(r'"[0-9a-f]{32}"', headers["etag"])
    assert len(numpy.unique(pixels(body)[..., :3].reshape(-1, 3), axis=0)) <= 11, "the style of the address is not that of the question"
    edition = found["virga"]["edition"]
    status, headers, body = client.request(path.replace(edition, edition[:-1] + ("0" if edition[-1] != "0" else "1")))
    assert status == 410 and headers["cache-control"] == "no-store" and b"edition" in body


@pytest.mark.parametrize("query, cache", [
    ({}, "public, max-age=30"), ({"run": "latest", "time": "T+7"}, "public, max-age=30"), ({"time": "2020-01-01T07:00:00Z"}, "public, max-age=30"),
    ({"run": "2020-01-01T00:00:00Z", "time": "2020-01-01T07:00:00Z"}, "public, max-age=300"), ({"run": "2020-01-01T00:00:00Z", "time": "T+7"}, "public, max-age=300")])
def test_how_long_a_tile_may_be_kept(client, datasets, query, cache):
    dataset = datasets["globe"]
    run = dataset["runs"][0]["time"]
    if "run" in query and query["run"] != "latest":
        query = {"run": run, "time": "T+7" if query["time"] == "T+7" else dataset["runs"][0]["series"][VARIABLE]["times"][1]}
    elif query.get("time", "T") != "T+7" and "time" in query:
        query = {"time": dataset["runs"][0]["series"][VARIABLE]["times"][1]}
    headers, _ = get(client, tile_path(dataset, (0, 0, 0), **query))
    assert headers["cache-control"] == cache


def test_who_has_a_tile_gets_no_other(client, datasets):
    path = tile_path(datasets["globe"], (1, 1, 1), time="T+8")
    headers, first = get(client, path)
    status, again, body = client.request(path, headers=[f"If-None-Match: {headers['etag']}"])
    assert status == 304 and not body and again["etag"] == headers["etag"] and again["cache-control"] == headers["cache-control"]
    assert get(client, path, headers=['If-None-Match: "0"'])[1] == first
    status, head, body = client.request(path, method="HEAD")
    assert status == 200 and not body and int(head["content-length"]) == len(first) and head["etag"] == headers["etag"]
    other = get(client, tile_path(datasets["globe"], (1, 1, 1), time="T+7"))[0]
    assert other["etag"] != headers["etag"]


def test_jpeg_and_twice_the_pixels(client, datasets):
    headers, body = get(client, tile_path(datasets["globe"], (1, 1, 0), suffix="jpg", quality=70))
    assert headers["content-type"] == "image/jpeg" and Image.open(io.BytesIO(body)).size == (256, 256)
    headers, body = get(client, tile_path(datasets["globe"], (1, 1, 0)).replace("0.png", "0@2x.png"))
    assert pixels(body).shape == (512, 512, 4)


def test_barbs_and_contours_are_drawn(client, datasets):
    plain = get(client, tile_path(datasets["globe"], (1, 0, 0)))[1]
    lines = pixels(get(client, tile_path(datasets["globe"], (1, 0, 0), style="contours"))[1])
    assert 0.005 < (lines[..., 3] > 128).mean() < 0.5
    both = get(client, tile_path(datasets["globe"], (1, 0, 0), style="fill-contours"))[1]
    assert (pixels(both) != pixels(plain)).any(axis=-1).mean() > 0.005
    barbs = pixels(get(client, tile_path(datasets["globe"], (1, 0, 0), variable="wind_speed", style="barbs"))[1])
    assert 0.005 < (barbs[..., 3] > 128).mean() < 0.5


def test_legends(client, datasets):
    headers, body = get(client, f"/tiles/{datasets['globe']['id']}/{VARIABLE}/legend.png?width=80&height=300")
    assert headers["content-type"] == "image/png" and Image.open(io.BytesIO(body)).size == (80, 300)
    assert headers["etag"] != get(client, f"/tiles/{datasets['globe']['id']}/{VARIABLE}/legend.png?width=81&height=300")[0]["etag"]
    get(client, f"/tiles/{datasets['globe']['id']}/{VARIABLE}/legend.png?range=auto")


def test_levels_of_the_file_s_own_pressures(client, datasets, files):
    """On a pressure of the file its own numbers stand, between two of them others."""
    frame = map_reference.tile(3, 2, 3)
    dataset = datasets["globe"]
    colours = map_reference.Colours("temperature", 180, 330)
    query = {"variable": "air_temperature", "time": "T+6", "range": "180,330"}
    for number, level in ((1, "850hPa"), (2, "500hPa"), (0, None), (3, "k3")):
        picture = pixels(get(client, tile_path(dataset, (3, 2, 3), level=level, **query))[1])
        map_reference.check(picture, map_reference.load(files["globe"], "air_temperature", step=0, level=number).bounds(frame), colours)
    between = get(client, tile_path(dataset, (3, 2, 3), level="700hPa", **query))[1]
    assert between != get(client, tile_path(dataset, (3, 2, 3), level="850hPa", **query))[1]


WRONG = [
    ("tiles/none/x/0/0/0.png", 404), ("tiles/{d}/nothing/0/0/0.png", 404), ("tiles/{d}/{v}/0/0/1.png", 404), ("tiles/{d}/{v}/25/0/0.png", 404),
    ("tiles/{d}/{v}/99999999999/0/0.png", 404), ("tiles/{d}/{v}/-1/0/0.png", 404), ("tiles/{d}/{v}/0/0/0.gif", 404), ("tiles/{d}/{v}/0/0/00.png", 404),
    ("tiles/{d}/{v}/", 404), ("tiles/{d}/{v}", 404), ("tiles/{d}", 404), ("tiles/", 404), ("tiles/{d}/{v}/0/0/0.png/..", 404),
    ("tiles/{d}/{v}/0/0/0.png?time=yesterday", 400), ("tiles/{d}/{v}/0/0/0.png?time=1999-01-01", 404), ("tiles/{d}/{v}/0/0/0.png?run=1999-01-01T00:00:00Z", 404),
    ("tiles/{d}/{v}/0/0/0.png?level=850hPa", 400), ("tiles/{d}/{v}/0/0/0.png?member=3", 404), ("tiles/{d}/{v}/0/0/0.png?style=oil", 400),
    ("tiles/{d}/{v}/0/0/0.png?style=fill/nothing", 400), ("tiles/{d}/{v}/0/0/0.png?style=barbs", 400), ("tiles/{d}/{v}/0/0/0.png?range=3", 400),
    ("tiles/{d}/{v}/0/0/0.png?range=nan,inf", 400), ("tiles/{d}/{v}/0/0/0.png?bands=-1", 400), ("tiles/{d}/{v}/0/0/0.png?size=100000", 400),
    ("tiles/{d}/{v}/0/0/0.png?scale=100", 400), ("tiles/{d}/{v}/0/0/0.png?tms=Mars", 400), ("tiles/{d}/{v}/0/0/0.jpg?quality=0", 400),
    ("tiles/{d}/{v}/0/0/0.jpg?background=red", 400), ("tiles/{d}/{v}/0/0/0.png?transparent=perhaps", 400), ("tiles/{d}/{v}/legend.png?width=1000000", 400),
    ("tiles/{d}/{v}/0/0/0.png?time=" + "x" * 3000, 400), ("tiles/{d}/{v}/0/0/0.png?edition=0", 410), ("tiles/{d}/{v}/tilejson.json?tms=Mars", 400),
    ("tiles/{d}/{v}/tilejson.json?time=yesterday", 400), ("tiles/{d}/{v}/0/0/0.png?style=%ff%fe", 400), ("tiles/{d}/{v}/0/0/0.jpg?format=values", 400)]


@pytest.mark.parametrize("path, expected", WRONG)
def test_what_is_wrong_is_said(client, datasets, path, expected):
    status, headers, body = client.request("/" + path.format(d=datasets["globe"]["id"], v=VARIABLE))
    assert status == expected, body
    assert json.loads(body)["error"]["message"] and headers["cache-control"] == "no-store" and headers["access-control-allow-origin"] == "*"


def test_pages_of_other_sites_may_read_where_anybody_may_look(client, datasets):
    path = tile_path(datasets["globe"], (0, 0, 0))
    headers, _ = get(client, path, headers=["Origin: https://maps.example.org"])
    assert headers["access-control-allow-origin"] == "*" and headers["cross-origin-resource-policy"] == "cross-origin"
    status, headers, body = client.request(path, method="OPTIONS", headers=["Origin: https://maps.example.org", "Access-Control-Request-Method: GET"])
    assert status == 204 and not body and headers["access-control-allow-origin"] == "*"
    assert "GET" in headers["access-control-allow-methods"] and "authorization" in headers["access-control-allow-headers"].lower()
    assert "access-control-allow-origin" not in client.request("/api/catalog", headers=["Origin: https://maps.example.org"])[1]
    status, headers, _ = client.request("/api/catalog", method="OPTIONS")
    assert status == 405 and "access-control-allow-origin" not in headers


def test_elsewhere_only_pages_that_are_named(serve_module, files):
    named = "https://maps.example.org"
    with serve_module(files["globe"], "--auth", "token", "--anonymous", "none", "--allow-origin", named) as server, Socket(server.host, server.port) as client:
        for origin, allowed in ((named, named), ("https://other.example.org", None)):
            status, headers, _ = client.request("/tiles/a/b/0/0/0.png", headers=[f"Origin: {origin}"])
            assert status == 401 and headers.get("access-control-allow-origin") == allowed and "Origin" in headers["vary"]


def metric(server, name):
    with Socket(server.host, server.port) as client:
        text = client.request("/metrics")[2].decode()
    return float(re.search(rf"^{name} (\S+)$", text, re.M).group(1))


def test_one_tile_is_drawn_once_for_all(server, datasets):
    path = tile_path(datasets["globe"], (2, 1, 1), time="T+8", style="fill-contours", interval=1)
    before = metric(server, "virga_map_pictures_total")

    def ask(_):
        with Socket(server.host, server.port) as client:
            return get(client, path)[1]
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        bodies = set(pool.map(ask, range(16)))
    assert len(bodies) == 1 and metric(server, "virga_map_pictures_total") == before + 1
    hits = metric(server, "virga_map_hits_total")
    ask(0)
    assert metric(server, "virga_map_hits_total") == hits + 1


def test_tiles_meet_without_seams(client, datasets):
    """Neighbours, put together, are the same as one tile of twice the size at the same zoom would be: a quarter each."""
    whole = pixels(get(client, tile_path(datasets["globe"], (2, 1, 1), time="T+6", size=512))[1])
    parts = [[pixels(get(client, tile_path(datasets["globe"], (3, 2 + x, 2 + y), time="T+6", size=256))[1]) for x in (0, 1)] for y in (0, 1)]
    together = numpy.concatenate([numpy.concatenate(row, axis=1) for row in parts], axis=0)
    assert (together == whole).all()


def test_a_large_map_that_nobody_wants_is_not_drawn_to_its_end(server, datasets):
    """Nor does one hold up tiles."""
    before = metric(server, "virga_map_pictures_total")
    box = "-20037508,-20037508,20037508,20037508"
    path = (f"/wms?service=WMS&version=1.3.0&request=GetMap&layers={datasets['globe']['id']}/{VARIABLE}&styles=fill-contours&crs=EPSG:3857&bbox={box}"
            "&width=4096&height=4096&format=image/png&time=current")
    with Socket(server.host, server.port) as large:
        large.send(f"GET {path} HTTP/1.1\r\nHost: {large.host}\r\n\r\n".encode())
        wait_until(lambda: metric(server, "virga_map_jobs") == 1)
        with Socket(server.host, server.port) as client:
            get(client, tile_path(datasets["globe"], (5, 17, 11), time="T+7", interval=3))
        assert metric(server, "virga_map_jobs") == 1, "the large map was drawn before a tile could be: make it larger"
    wait_until(lambda: metric(server, "virga_map_jobs") == 0, seconds=120)
    assert metric(server, "virga_map_pictures_total") == before + 1


def test_a_client_that_goes_leaves_nothing_behind(server, datasets):
    for number in range(20):
        with Socket(server.host, server.port) as client:
            path = tile_path(datasets["globe"], (3, number % 8, 2), time="T+6", style="fill-contours", interval=0.5 + number / 100)
            client.send(f"GET {path} HTTP/1.1\r\nHost: {client.host}\r\n\r\n".encode())
            client.socket.setsockopt(1, 13, struct.pack("ii", 1, 0))  # SO_LINGER: reset
    with Socket(server.host, server.port) as client:
        get(client, tile_path(datasets["globe"], (0, 0, 0)))
    wait_until(lambda: metric(server, "virga_map_jobs") == 0)


def test_a_file_that_is_replaced_makes_other_tiles(serve, tmp_path):
    """What was said to stay for ever is gone then, not another picture; and nothing that was remembered of an address is shown."""
    folder = tmp_path / "live"
    folder.mkdir()
    make_maps.write(folder / "forecast.nc", "globe")
    with serve(folder, "--settle-seconds", "0", "--scan-seconds", "1") as server, Socket(server.host, server.port) as client:
        dataset = json.loads(client.request("/api/catalog")[2])["datasets"][0]
        run = dataset["runs"][0]["time"]

        def address():
            found = json.loads(get(client, f"/tiles/{dataset['id']}/{VARIABLE}/tilejson.json?run={run}&time=T%2B7")[1])
            parts = urllib.parse.urlsplit(found["tiles"][0])
            return f"{parts.path}?{parts.query}".format(z=2, x=1, y=1)
        first, named = address(), tile_path(dataset, (2, 1, 1), run=run, time="T+7")
        before = get(client, first)[1]
        headers, same = get(client, named)
        assert same == before and get(client, named)[1] == before  # the second from what is remembered
        make_maps.write(tmp_path / "next.nc", "globe", 3)
        with netCDF4.Dataset(tmp_path / "next.nc", "a") as file:
            for name in ("time", "forecast_reference_time"):
                file[name][...] = file[name][...] - 3
        (tmp_path / "next.nc").replace(folder / "forecast.nc")
        wait_until(lambda: client.request(first)[0] != 200)
        assert client.request(first)[0] in (404, 410)  # not there for a moment, then another
        wait_until(lambda: client.request(named)[0] == 200)
        assert client.request(first)[0] == 410 and address() != first
        after, other = get(client, named)
        assert other != before and after["etag"] != headers["etag"]
        status, _, body = client.request(named, headers=[f"If-None-Match: {headers['etag']}"])
        assert status == 200 and body == other
