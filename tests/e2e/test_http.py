# SPDX-License-Identifier: Apache-2.0
"""What HTTP answers: the page, the API, bricks; headers; caching."""
import gzip
import json
import re
import struct

import pytest

import brick_decoder
import make_files
from ws_client import Socket


@pytest.fixture
def server(serve, demo_forecast, tmp_path):
    with serve(demo_forecast) as running:
        yield running


@pytest.fixture
def client(server):
    with Socket(server.host, server.port) as socket:
        yield socket


def catalog(client):
    return json.loads(client.request("/api/catalog")[2])


def one_series(client):
    """(dataset, variable, edition, times) of the first volume of the latest run."""
    dataset = catalog(client)["datasets"][0]
    variable = next(v for v in dataset["variables"] if v["vertical"])
    series = dataset["runs"][-1]["series"][variable["id"]]
    return dataset, variable, series["edition"], series


def test_the_page_and_its_pieces_are_served_with_their_types(client):
    status, headers, body = client.request("/")
    assert status == 200 and headers["content-type"].startswith("text/html") and b"<script" in body
    for path in re.findall(rb'(?:src|href)="([^"#:]+)"', body):
        status, headers, piece = client.request("/" + path.decode())
        assert status == 200 and piece, path
        assert headers["content-type"].split(";")[0] in ("text/javascript", "text/css", "image/svg+xml", "text/html"), path
    status, headers, body = client.request("/assets/presets.json")
    assert status == 200 and headers["content-type"] == "application/json" and json.loads(body)


@pytest.mark.parametrize("path", ["/", "/api/catalog", "/healthz", "/nothing", "/api/stats"])
def test_every_answer_has_the_security_headers(client, path):
    headers = client.request(path)[1]
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy and "script-src 'self';" in policy and "object-src 'none'" in policy
    assert "frame-ancestors 'self'" in policy and "worker-src 'self' blob:" in policy
    assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "same-origin" and "camera=()" in headers["permissions-policy"]
    assert "x-frame-options" not in headers


def test_hosts_of_the_configuration_may_embed_the_page(serve, demo_forecast):
    with serve(demo_forecast, "--embed-host", "https://hub.example.org") as server, Socket(server.host, server.port) as client:
        headers = client.request("/")[1]
        assert re.search(r"frame-ancestors 'self' https://hub\.example\.org(;|$)", headers["content-security-policy"])


def test_compressed_and_plain_are_the_same_and_have_tags_of_their_own(client):
    plain = client.request("/main.js")
    packed = client.request("/main.js", headers=["Accept-Encoding: br, gzip"])
    refused = client.request("/main.js", headers=["Accept-Encoding: gzip;q=0"])
    assert "content-encoding" not in plain[1] and packed[1]["content-encoding"] == "gzip" and "content-encoding" not in refused[1]
    assert gzip.decompress(packed[2]) == plain[2] == refused[2]
    assert plain[1]["etag"] != packed[1]["etag"] and plain[1]["vary"] == "Accept-Encoding"


@pytest.mark.parametrize("path", ["/main.js", "/api/catalog"])
def test_a_copy_that_is_still_right_is_not_sent_again(client, path):
    tag = client.request(path)[1]["etag"]
    status, headers, body = client.request(path, headers=[f'If-None-Match: "other", {tag}'])
    assert status == 304 and body == b"" and headers["etag"] == tag
    assert client.request(path, headers=['If-None-Match: "other"'])[0] == 200


def test_head_says_what_get_would_send(client):
    for path in ("/", "/api/catalog", "/healthz", "/nothing"):
        get, head = client.request(path), client.request(path, method="HEAD")
        assert head[0] == get[0] and head[1]["content-length"] == str(len(get[2])) and head[2] == b""


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_other_methods_are_refused(server, method):
    with Socket(server.host, server.port) as client:
        status, headers, _ = client.request("/", method=method)
        assert status == 405 and headers["allow"] == "GET, HEAD"


def test_errors_are_json(client):
    status, headers, body = client.request("/nothing/here")
    assert status == 404 and headers["content-type"] == "application/json"
    assert json.loads(body) == {"error": {"status": 404, "message": "there is nothing at this address"}}


def test_the_catalog_is_what_info_prints(client, run, demo_forecast):
    printed = json.loads(run("info", demo_forecast, "--json").stdout)
    assert catalog(client) == printed


def test_a_base_path_is_all_there_is(serve, demo_forecast):
    with serve(demo_forecast, "--base-path", "/a/b/") as server, Socket(server.host, server.port) as client:
        assert client.request("/a/b/")[0] == 200
        assert client.request("/a/b/healthz")[2] == b"ok\n"
        assert client.request("/")[0] == 404
        status, headers, _ = client.request("/a/b")
        assert status == 308 and headers["location"] == "/a/b/"


def test_bricks_decode_to_the_field(client, demo_forecast):
    dataset, variable, edition, _ = one_series(client)
    status, headers, body = client.request(f"/bricks/{edition}/0/1/table")
    assert status == 200 and headers["cache-control"] == "public, max-age=31536000, immutable" and headers["etag"][0] == '"'
    table = brick_decoder.step_table(body)

    def fetch(level, x, y, z):
        status, headers, body = client.request(f"/bricks/{edition}/0/1/{level}/{z}/{y}/{x}")
        assert status == (200 if body else 204) and headers["cache-control"] == "public, max-age=31536000, immutable"
        return body
    q, present = brick_decoder.level(fetch, table, 0)
    assert list(q.shape) == variable["shape"][-3:] or q.size
    lattice = variable["lattice"]
    values = lattice["v0"] + q[present] * lattice["step"]
    assert abs(values.min() - table.lowest) < 1e-9 * max(1, abs(table.lowest)) and abs(values.max() - table.highest) < 1e-6


def test_brick_copies_are_recognised(client):
    edition = one_series(client)[2]
    path = f"/bricks/{edition}/0/0/table"
    tag = client.request(path)[1]["etag"]
    assert not tag.startswith("W/")
    assert client.request(path, headers=[f"If-None-Match: {tag}"])[0] == 304
    assert client.request(f"/bricks/{edition}/0/1/table", headers=[f"If-None-Match: {tag}"])[0] == 200


@pytest.mark.parametrize("rest", ["", "/0", "/0/0", "/0/0/", "/9/0/table", "/0/999/table", "/0/0/tables", "/0/0/99/0/0/0", "/0/0/0/0/0/999",
                                  "/0/0/0/0/0/0/0", "/0/0/0/0/0/0/", "/0/0/-1/0/0/0", "/0/0/+0/0/0/0", "/0/0/00/0/0/0", "/0/0/0/0/0",
                                  "/0/0/4294967296/0/0/0", "/0/0/0/0/0/0x1", "/0/0/0/0/0/%30%20"])
def test_bricks_that_do_not_exist_are_not_found(client, rest):
    edition = one_series(client)[2]
    assert client.request(f"/bricks/{edition}{rest}")[0] == 404
    assert client.request(f"/bricks/{'0' * 32}/0/0/table")[0] == 404
    assert client.request(f"/bricks/{edition[:-1]}/0/0/table")[0] == 404


def test_geometry_is_compressed_and_immutable(client):
    dataset, _, _, series = one_series(client)
    for geometry in (series["geometry"][0], "surface"):
        path = f"/api/geometry/{dataset['id']}/{geometry}"
        status, headers, body = client.request(path)
        kept = "no-cache" if geometry == "surface" else "immutable"  # the surface follows the terrain's file
        assert status == 200 and headers["content-encoding"] == "gzip" and kept in headers["cache-control"]
        plain = gzip.decompress(body)
        magic, version, size = struct.unpack_from("<4sII", plain)
        document = json.loads(plain[12:12 + size])
        assert magic == b"VGEO" and version == 2 and (document["level_map"] is None) == (geometry == "surface")
        assert client.request(path, headers=[f"If-None-Match: {headers['etag']}"])[0] == 304
        assert client.request(path)[2] == body
    for wrong in (f"{dataset['id']}/{'0' * 32}", "nowhere/surface", dataset["id"], f"{dataset['id']}/", f"{dataset['id']}/a.b"):
        assert client.request(f"/api/geometry/{wrong}")[0] == 404


def test_sample_answers_as_the_command_does(client, run, demo_forecast):
    dataset, variable, _, series = one_series(client)
    (west, south), _, (east, north), _ = dataset["grid"]["corners"]
    lon, lat = (west + east) / 2, (south + north) / 2
    time = series["times"][1]
    status, _, body = client.request(f"/api/sample?dataset={dataset['id']}&variable={variable['id']}&time={time}&lon={lon}&lat={lat}&height=2000")
    printed = run("sample", demo_forecast, "--variable", variable["id"], "--time", time, "--lon", lon, "--lat", lat, "--height", 2000, "--json")
    assert status == 200 and printed.returncode == 0
    assert json.loads(body) == json.loads(printed.stdout)
    status, _, body = client.request(f"/api/sample?dataset={dataset['id']}&variable={variable['id']}&time={time}&lon={lon}&lat={lat}&profile=1")
    assert status == 200 and len(json.loads(body)["bricks"]) > 3


@pytest.mark.parametrize("query, status", [("", 400), ("variable=nothing&time=T%2B0&lon=0&lat=0&height=0", 404), ("variable=air_temperature&lon=x", 400),
                                           ("variable=air_temperature&time=2000-01-01T00:00:00Z&lon=0&lat=50&height=100", 400)])
def test_samples_that_make_no_sense_say_why(client, query, status):
    found, _, body = client.request("/api/sample?" + query)
    assert found == status and json.loads(body)["error"]["message"]


def test_many_requests_go_through_one_connection(client):
    for _ in range(200):
        assert client.request("/healthz")[2] == b"ok\n"


def test_requests_in_a_row_are_answered_in_order(server):
    with Socket(server.host, server.port) as client:
        edition = one_series(client)[2]
        paths = ["/healthz", f"/bricks/{edition}/0/2/table", "/nothing", "/", "/api/stats", f"/bricks/{edition}/0/3/table", "/healthz"] * 5
        client.send("".join(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n" for path in paths).encode())
        for path in paths:
            status, headers, body = client.answer()
            assert status == (404 if path == "/nothing" else 200)
            assert (body == b"ok\n") == (path == "/healthz")
            assert (headers.get("content-type") == "application/octet-stream") == path.startswith("/bricks")


def test_files_of_another_kind_can_be_served_too(serve, tmp_path):
    with serve(make_files.height_levels(tmp_path / "a.nc")) as server, Socket(server.host, server.port) as client:
        assert client.request("/api/catalog")[0] == 200
