# SPDX-License-Identifier: Apache-2.0
"""Requests for maps that are wrong, incomplete or hostile, in every protocol: each gets its standard's refusal, quickly;
sizes are limited, nothing that a client names is fetched, and the server goes on serving in bounded memory."""
import contextlib
import json
import os
import random
import select
import socket
import threading
import time
import urllib.parse
import xml.etree.ElementTree

import pytest

import make_maps
from conftest import running, wait_until
from map_clients import TIMES, Maps
from ws_client import Closed, Socket

QUICK = 5  # seconds that any refusal may take, with sanitizers on a busy machine
MANY = 10 ** 9


@pytest.fixture(scope="module")
def server(virga, tmp_path_factory):
    paths = make_maps.every(tmp_path_factory.mktemp("forecasts"), ("globe", "rotated"))
    with running(virga, tmp_path_factory.mktemp("maps") / "server", list(paths.values())) as one:
        one.maps = Maps(one.url, paths)
        yield one


def resident(server):
    """MiB."""
    with open(f"/proc/{server.process.pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE") / 2 ** 20


@pytest.fixture(autouse=True)
def others_are_served(server):
    yield
    assert server.process.poll() is None, server.stderr
    status, headers, _ = get(server, f"/tiles/{server.maps.layer('globe')}/1/0/0.png")
    assert status == 200 and headers["content-type"] == "image/png"


# Instead of a status: libwebsockets closes the connection of what it will not read, such as a zero in an address or far
# too long a header.
HUNG_UP = 0


def get(server, path, method="GET", headers=(), seconds=QUICK):
    """(status, headers, body) of a path that is sent as it is."""
    began, answer = time.monotonic(), (HUNG_UP, {"content-type": "application/json"}, b"{}")
    with Socket(server.host, server.port, 60) as client, contextlib.suppress(Closed, ConnectionError):
        answer = client.request(path, method, headers)
    assert time.monotonic() - began < seconds, f"{path[:200]} took {time.monotonic() - began:.1f} s"
    return answer


def query(**parts):
    return urllib.parse.urlencode({key: value for key, value in parts.items() if value is not None}, safe="")


# --- Tiles.

def tile(server, where="1/0/0.png", **parts):
    return get(server, f"/tiles/{server.maps.layer('globe')}/{where}?{query(**parts)}")


def refused(answer, statuses):
    """A refusal in JSON that says why."""
    status, headers, body = answer
    assert status in statuses, (status, body[:300])
    assert headers["content-type"] == "application/json" and json.loads(body)["error"]["message"].strip()
    assert "max-age" not in headers.get("cache-control", "") or "no-" in headers["cache-control"], headers


@pytest.mark.parametrize("where", [
    "", "1", "1/0", "1/0/0", "1/0/0.gif", "1/0/0.png.exe", "1/0/0.PNG", "-1/0/0.png", "+1/0/0.png", "01/0/0.png",
    "1/2/0.png", "1/0/2.png", "25/0/0.png", "99/0/0.png", f"{MANY * 10}/0/0.png", "24/16777216/0.png",
    "24/4294967296/0.png", "1/0x1/0.png", "1//0.png", "1/0/0.png/", "1/0/0.png/..", "../../../etc/passwd",
    "..%2f..%2f..%2fetc%2fpasswd", "1/0/0%00.png", "1/0/0.png%00", "tilejson.json/x", "legend.gif", "1/1e0/0.png",
    "1/ 0/0.png".replace(" ", "%20"), "%ff/0/0.png", "1/0/0@3x.png", "1/0/0@2x@2x.png",
])
def test_addresses_that_are_no_tile(server, where):
    status, headers, body = get(server, f"/tiles/{server.maps.layer('globe')}/{where}")
    assert status in (400, 404, HUNG_UP) and headers["content-type"] == "application/json", (status, headers)
    assert status or "%00" in where


WRONG_LAYERS = [{"level": text} for text in ("850", "hPa", "-5hPa", "0hPa", "nanPa", "infPa", "1e999Pa", "k-1", "k4",
                                             f"k{MANY}", "k1.5", "FLx", "300X", "top:", "max:3", "850hPa;", "x" * 60,
                                             "\xff")] + \
               [{"style": text} for text in ("nothing", "fill/nothing", "fill/../../x", "fill;range=5",
                                             "fill;range=5,5", "fill;range=9,1", "fill;range=nan,5",
                                             "fill;range=-inf,inf", "fill;bands=1",
                                             "fill;bands=255", "fill;opacity=2", "fill;log;range=-1,1", "fill;what=1",
                                             "contours;interval=-1", "fill;below=red", "x" * 399)] + \
               [{"range": "a,b"}, {"range": "1"}, {"bands": "0"}, {"bands": str(MANY)}, {"log": "perhaps"},
                {"opacity": "-1"}, {"interval": "1e-400"}, {"ink": "zzzzzz"}] + \
               [{"time": text} for text in ("yesterday", "2026-13-01T00:00:00Z", "2026-01-01",
                                            "2026-01-01T06:00:00Z/2026-01-01T07:00:00Z", "T+", "T+x", "T+1e999",
                                            "9" * 63, "%s%n", "2026-01-01T06:00:00Z\n")] + \
               [{"run": text} for text in ("yesterday", "1999-01-01T00:00:00Z",
                                           "9" * 63)] + [{"time": "1999-01-01T00:00:00Z"}, {"member": "17"},
                                                         {"edition": "0" * 32}]


@pytest.mark.parametrize("parts", WRONG_LAYERS, ids=lambda parts: "-".join(f"{k}={v[:20]!r}" for k, v in parts.items()))
def test_what_a_tile_cannot_show(server, parts):
    layer = server.maps.layer("globe", "air_temperature" if "level" in parts else make_maps.SURFACE)
    for what in ("1/0/0.png", "tilejson.json", "legend.png"):
        answer = get(server, f"/tiles/{layer}/{what}?{query(**parts)}")
        if parts == {"time": "2026-01-01"} and answer[0] == 200:
            continue  # midnight: no step is near, but a reader may take the day
        refused(answer, (400, 404, 410))


@pytest.mark.parametrize("parts", [
    {"tms": "nothing"}, {"size": "255"}, {"size": "100000"}, {"size": "-256"}, {"scale": "0"}, {"scale": "nan"},
    {"scale": "1e9"}, {"quality": "101"}, {"quality": "x"}, {"transparent": "perhaps"}, {"background": "12345"},
    {"background": "gggggg"},
], ids=str)
def test_pictures_of_a_kind_that_there_is_none(server, parts):
    refused(tile(server, "1/0/0.jpg", **parts), (400,))


@pytest.mark.parametrize("parts", [
    {"width": "0"}, {"width": "100000"}, {"height": "-1"}, {"height": "1e99"}, {"scale": "99"},
    {"horizontal": "maybe"}, {"bar": "2"},
], ids=str)
def test_legends_have_bounds(server, parts):
    refused(tile(server, "legend.png", **parts), (400,))


@pytest.mark.parametrize("path", [
    "/tiles", "/tiles/", "/tiles/x", "/tiles/x/y", "/tiles/x/y/1/0/0.png", "/tiles//y/1/0/0.png",
    "/tiles/x//1/0/0.png", f"/tiles/{'x' * 300}/y/1/0/0.png", f"/tiles/x/{'%41' * 300}/1/0/0.png",
    "/tiles/%00/y/1/0/0.png", "/tiles/%ff%fe/y/1/0/0.png", "/tiles/http://127.0.0.1:1/x/1/0/0.png",
])
def test_layers_of_tiles_that_there_are_none(server, path):
    status, _, body = get(server, path)
    assert status in (400, 404) and body


def test_a_level_of_a_variable_without_levels(server):
    refused(tile(server, level="850hPa"), (400,))


@pytest.mark.parametrize("parts", [{}, {"dataset": "nothing"}, {"variable": "nothing"}, {"level": "x"}, {"level": "1e300m"},
                                   {"level": "top:1e308"}, {"time": "yesterday"}, {"heights": "perhaps"}, {"most": "-1"}], ids=str)
def test_slices_that_there_are_none(server, parts):
    dataset, variable = server.maps.layer("globe", "air_temperature").split("/")
    asked = {"dataset": dataset, "variable": variable, **parts} if parts else {}
    refused(get(server, f"/api/slice?{query(**asked)}"), (400, 404))


def test_numbers_are_of_one_layer_and_exact(server):
    refused(tile(server, "1/0/0.jpg", style="values"), (400,))
    layer = server.maps.layer("globe")
    assert exception(wms(server, STYLES="values", FORMAT="image/jpeg"))[1]
    assert exception(wms(server, LAYERS=f"{layer},{layer}", STYLES="values,values"))[1]


@pytest.mark.parametrize("style, box", [("contours;interval=0.0001", "-2e7,-2e7,2e7,2e7"), ("contours;interval=1e-30", "0,0,1,1"),
                                        ("fill-contours", "-2e7,-2e7,2e7,2e7")])
def test_lines_without_number_are_bounded(server, style, box):
    """They are coarser than was asked for, and drawn in seconds."""
    asked = {**GOOD, "LAYERS": server.maps.layer("globe"), "STYLES": style, "BBOX": box, "WIDTH": 1024, "HEIGHT": 1024}
    status, headers, _ = get(server, f"/wms?{query(**asked)}", seconds=12 * QUICK)
    assert status == 200 and headers["content-type"] == "image/png"


def test_layers_and_pixels_are_bounded_together(server):
    layer = server.maps.layer("globe")
    many = {"LAYERS": ",".join([layer] * 16), "STYLES": ",".join(["contours;interval=0.0001"] * 16)}
    assert "too much at once" in exception(wms(server, **many, WIDTH="4096", HEIGHT="4096"))[1]
    assert wms(server, **many)[1]["content-type"] == "image/png"


def test_the_first_of_two_values_counts_and_others_are_ignored(server):
    plain = tile(server)[2]
    more = "size=256&size=99999&nothing=1&&=&a=b=c"
    assert get(server, f"/tiles/{server.maps.layer('globe')}/1/0/0.png?{more}")[2] == plain


# --- WMS.

GOOD = {"SERVICE": "WMS", "VERSION": "1.3.0", "REQUEST": "GetMap", "STYLES": "", "CRS": "EPSG:3857",
        "BBOX": "0,0,1000000,1000000", "WIDTH": "64", "HEIGHT": "64", "FORMAT": "image/png"}
INFO = {"REQUEST": "GetFeatureInfo", "INFO_FORMAT": "application/json", "I": "5", "J": "5"}
NAMESPACE = "{http://www.opengis.net/ogc}"


def wms(server, path="/wms", **parts):
    """parts: beside those of a good map; None leaves one out."""
    layer = server.maps.layer("globe")
    asked = {**GOOD, "LAYERS": layer, **({"QUERY_LAYERS": layer} if parts.get("REQUEST") == "GetFeatureInfo" else {}),
             **parts}
    if asked["VERSION"] == "1.1.1":
        asked["SRS"] = asked.pop("CRS")
        asked.update({"X": asked.pop("I"), "Y": asked.pop("J")} if "I" in asked else {})
    return get(server, f"{path}?{query(**asked)}")


def exception(answer, version="1.3.0"):
    """(code, words) of a service exception, which must be well-formed, of its version's form, and no page."""
    status, headers, body = answer
    assert status == 200, (status, body[:300])
    kind = "text/xml" if version == "1.3.0" else "application/vnd.ogc.se_xml"
    assert headers["content-type"].split(";")[0] == kind, headers["content-type"]
    assert b"<!ENTITY" not in body and "max-age=31536000" not in headers.get("cache-control", "")
    root = xml.etree.ElementTree.fromstring(body)
    space = NAMESPACE if version == "1.3.0" else ""
    assert root.tag == space + "ServiceExceptionReport" and root.get("version") == version
    (one,) = root.findall(space + "ServiceException")
    assert one.text.strip()
    return one.get("code"), one.text.strip()


ANY = object()
WRONG_MAPS = [
    ({"REQUEST": "GetNothing"}, "OperationNotSupported"), ({"REQUEST": None}, ANY), ({"REQUEST": ""}, ANY),
    ({"SERVICE": "WFS"}, ANY), ({"VERSION": "7.7.7"}, ANY), ({"LAYERS": None}, ANY), ({"LAYERS": ""}, ANY),
    ({"LAYERS": "no/such"}, "LayerNotDefined"), ({"LAYERS": ","}, "LayerNotDefined"),
    ({"LAYERS": ",".join(["a/b"] * 500)}, ANY), ({"LAYERS": "../../etc/passwd"}, "LayerNotDefined"),
    ({"LAYERS": "x" * 2000}, "LayerNotDefined"), ({"LAYERS": "<a>&\"']]>"}, "LayerNotDefined"),
    ({"LAYERS": "\xff\x01"}, ANY), ({"LAYERS": "http://127.0.0.1:1/x"}, "LayerNotDefined"),
    ({"STYLES": "nothing"}, "StyleNotDefined"), ({"STYLES": "fill,fill"}, "StyleNotDefined"),
    ({"STYLES": "fill;bands=x"}, "StyleNotDefined"), ({"CRS": None}, ANY), ({"CRS": "EPSG:99999"}, "InvalidCRS"),
    ({"CRS": "+proj=longlat"}, "InvalidCRS"), ({"CRS": "http://127.0.0.1:1/crs"}, "InvalidCRS"),
    ({"CRS": "AUTO2:42001,1,0,0"}, "InvalidCRS"), ({"BBOX": None}, ANY), ({"BBOX": "0,0,1"}, ANY),
    ({"BBOX": "0,0,1,1,1"}, ANY), ({"BBOX": "1,0,0,1"}, ANY), ({"BBOX": "0,0,0,0"}, ANY), ({"BBOX": "nan,0,1,1"}, ANY),
    ({"BBOX": "-inf,0,inf,1"}, ANY), ({"BBOX": "0,0,1e999,1"}, ANY), ({"BBOX": "0 0 1 1"}, ANY),
    ({"BBOX": "0x0,0,1,1"}, ANY), ({"WIDTH": None}, ANY), ({"WIDTH": "0"}, ANY), ({"WIDTH": "-5"}, ANY),
    ({"WIDTH": "64.5"}, ANY), ({"WIDTH": "100000", "HEIGHT": "100000"}, ANY), ({"WIDTH": "5000"}, ANY),
    ({"HEIGHT": str(MANY * MANY)}, ANY), ({"HEIGHT": "1e3"}, ANY), ({"FORMAT": None}, ANY),
    ({"FORMAT": "image/gif"}, "InvalidFormat"), ({"FORMAT": "text/html"}, "InvalidFormat"), ({"BGCOLOR": "red"}, ANY),
    ({"TRANSPARENT": "perhaps"}, ANY), ({"TIME": "yesterday"}, "InvalidDimensionValue"),
    ({"TIME": "2026-01-01T06:00:00Z,2026-01-01T07:00:00Z"}, "InvalidDimensionValue"),
    ({"TIME": "9" * 500}, "InvalidDimensionValue"), ({"ELEVATION": "high"}, "InvalidDimensionValue"),
    ({"DIM_REFERENCE_TIME": "never"}, "InvalidDimensionValue"), ({"DIM_MEMBER": "99"}, "InvalidDimensionValue"),
    ({"COLORSCALERANGE": "5"}, ANY), ({"COLORSCALERANGE": "5,1"}, ANY), ({"COLORSCALERANGE": "nan,1"}, ANY),
    ({"NUMCOLORBANDS": "0"}, ANY), ({"NUMCOLORBANDS": str(MANY)}, ANY), ({"LOGSCALE": "maybe"}, ANY),
    ({"LOGSCALE": "true", "COLORSCALERANGE": "-1,1"}, ANY), ({"ABOVEMAXCOLOR": "nothing"}, ANY),
    ({"OPACITY": "101"}, ANY), ({"EXCEPTIONS": "text/nothing"}, ANY), ({"SLD": "http://127.0.0.1:1/x"}, ANY),
    ({"SLD_BODY": "<StyledLayerDescriptor/>"}, ANY), ({**INFO, "I": "64"}, "InvalidPoint"),
    ({**INFO, "J": "-1"}, "InvalidPoint"), ({**INFO, "I": None}, ANY),
    ({**INFO, "QUERY_LAYERS": "other"}, "LayerNotDefined"), ({**INFO, "INFO_FORMAT": "text/nothing"}, "InvalidFormat"),
    ({**INFO, "FEATURE_COUNT": "x"}, ANY),
    ({"REQUEST": "GetLegendGraphic", "LAYER": "no/such", "LAYERS": None}, "LayerNotDefined"),
    ({"REQUEST": "GetLegendGraphic", "WIDTH": "1000000"}, ANY),
    ({"REQUEST": "GetLegendGraphic", "STYLE": "nothing"}, "StyleNotDefined"),
]


@pytest.mark.parametrize("version", ["1.3.0", "1.1.1"])
@pytest.mark.parametrize("parts, code", WRONG_MAPS,
                         ids=[" ".join(f"{k}={str(v)[:24]!r}" for k, v in parts.items()) for parts, _ in WRONG_MAPS])
def test_what_is_no_map_is_an_exception(server, parts, code, version):
    parts = {"VERSION": version, **parts}
    if "ELEVATION" in parts:
        parts["LAYERS"] = server.maps.layer("globe", "air_temperature")
    if parts["VERSION"] == "1.1.1" and "I" in parts and parts["I"] is None:
        parts.pop("I"), parts.update(J=None)
    told, words = exception(wms(server, **parts), "1.3.0" if parts["VERSION"] == "7.7.7" else version)
    if version == "1.1.1" and code == "InvalidCRS":
        code = "InvalidSRS"
    if version == "1.1.1" and code == "InvalidPoint":
        assert told in ("InvalidPoint", "InvalidParameterValue") and words
    else:
        assert code is ANY or told == code, (told, words)


@pytest.mark.parametrize("request_name", ["GetVerticalProfile", "GetTransect"])
@pytest.mark.parametrize("parts", [
    {}, {"LINESTRING": ""}, {"LINESTRING": "1"}, {"LINESTRING": "1 2"}, {"LINESTRING": "1 2,nan 4"},
    {"LINESTRING": "1 2,3 4,x y"}, {"LINESTRING": ",".join(["1 2"] * 3000)}, {"POINT": "1"}, {"POINT": "1e999 0"},
    {"POINT": "x y"}, {"LINESTRING": "1 2,3 4", "WIDTH": str(MANY)},
], ids=lambda parts: str(parts)[:40])
def test_sections_that_lead_nowhere(server, request_name, parts):
    layer = server.maps.layer("globe", "air_temperature")
    asked = {"WIDTH": None, "HEIGHT": None, "BBOX": None, "CRS": "CRS:84", **parts}
    if request_name == "GetVerticalProfile" and "LINESTRING" in parts and "POINT" not in parts:
        asked["POINT"] = None
    status, headers, body = wms(server, REQUEST=request_name, LAYERS=layer, **asked)
    assert status in (200, 400, 414, 431, HUNG_UP), (status, body[:200])
    if status == 200:
        assert headers["content-type"].split(";")[0] == "text/xml", headers
        xml.etree.ElementTree.fromstring(body)


@pytest.mark.parametrize("kind", ["INIMAGE", "BLANK"])
def test_an_exception_may_be_a_picture_of_the_size_asked_for(server, kind):
    status, headers, body = wms(server, LAYERS="no/such", EXCEPTIONS=kind)
    assert status == 200 and headers["content-type"] == "image/png" and body[:4] == b"\x89PNG"
    assert "max-age=31536000" not in headers.get("cache-control", "")
    assert exception(wms(server, LAYERS="no/such", EXCEPTIONS=kind, WIDTH="100000", HEIGHT="100000"))[1]


def test_what_is_told_back_is_escaped_everywhere(server):
    evil = "<script>alert(1)</script>\"'&\r\nX-Evil: yes\r\n\r\n\u0000\ud7ff"
    for key in ("LAYERS", "STYLES", "CRS", "BBOX", "TIME", "ELEVATION", "FORMAT", "VERSION", "REQUEST", "SERVICE",
                "INFO_FORMAT", "DIM_MEMBER", "DIM_REFERENCE_TIME", "COLORSCALERANGE"):
        for more in ({}, INFO):
            status, headers, body = wms(server, **{**more, key: evil})
            assert b"<script" not in body.lower() and "x-evil" not in headers and status in (200, 400)
            if "xml" in headers["content-type"]:
                xml.etree.ElementTree.fromstring(body)
    status, headers, body = get(server, f"/tiles/{server.maps.layer('globe')}/1/0/0.png?{query(style=evil)}")
    assert status == 400 and "x-evil" not in headers
    assert headers["content-type"] == "application/json" and json.loads(body)


@pytest.mark.parametrize("path", ["/wms/nothing", "/wms/nothing/more", f"/wms/{'x' * 400}", "/wms/..%2f.."])
def test_services_of_datasets_that_there_are_none(server, path):
    status, _, body = get(server, f"{path}?SERVICE=WMS&REQUEST=GetCapabilities")
    assert status in (200, 400, 404) and (status != 200 or b"ServiceException" in body), body[:300]


def test_capabilities_are_asked_for_wrongly(server):
    assert exception(get(server, "/wms?REQUEST=GetCapabilities&VERSION=1.3.0"))[1]  # SERVICE is missing
    for version in ("", "0.0.1", "9.9.9", "1", "x", "1.3.0.0", "-1", str(MANY * MANY)):
        status, headers, body = get(server, f"/wms?SERVICE=WMS&REQUEST=GetCapabilities&VERSION={version}")
        root = xml.etree.ElementTree.fromstring(body)
        assert status == 200 and root.get("version") in ("1.1.1", "1.3.0"), (version, body[:200])
    for parts in ("", "?", "?&&&", "?SERVICE", "?=", "?SERVICE=WMS", "?REQUEST", "?%", "?%zz=%zz",
                  "?" + "&".join(f"A{n}={n}" for n in range(1000)), "?" + "A" * 3000, "?REQUEST=" + "%41" * 1000):
        status, headers, body = get(server, "/wms" + parts)
        assert status in (200, 400, 403, 413, 414, 431, HUNG_UP), (parts[:50], status)  # 403: libwebsockets' own
        if status == 200:
            exception((status, headers, body))


def test_other_methods_are_refused(server):
    for path in ("/wms?REQUEST=GetMap", f"/tiles/{server.maps.layer('globe')}/1/0/0.png", "/ogc"):
        for method in ("POST", "PUT", "DELETE", "PATCH", "TRACE"):
            status, headers, _ = get(server, path, method)
            assert status in (400, 403, 405, 501), (method, path, status)


# --- OGC API.

def ogc_refused(answer, statuses=(400, 404)):
    status, headers, body = answer
    assert status in statuses, (status, body[:300])
    assert headers["content-type"].split(";")[0] in ("application/json", "application/problem+json"), headers
    assert status == HUNG_UP or len(json.dumps(json.loads(body))) > 20


@pytest.mark.parametrize("path", [
    "nothing", "collections/nothing", "collections/nothing/position?coords=POINT(0%200)", f"collections/{'x' * 500}",
    "tileMatrixSets/nothing", "collections/{id}/nothing", "collections/{id}/map/tiles/nothing/0/0/0",
    "collections/{id}/map/tiles/WebMercatorQuad/99/0/0", "collections/{id}/map/tiles/WebMercatorQuad/1/2/0",
    "collections/{id}/map/tiles/WebMercatorQuad/-1/0/0", "collections/{id}/map/tiles/WebMercatorQuad/1/0/x",
    "collections/{id}/instances/nothing", "collections/{id}/instances/nothing/position?coords=POINT(0%200)",
    "collections?limit=-1&f=nothing", "?f=nothing", "conformance?f=<script>".replace("<", "%3C"),
])
def test_resources_that_there_are_none(server, path):
    ogc_refused(get(server, "/ogc/" + path.replace("{id}", server.maps.datasets["globe"]["id"])), (400, 404, 406))


LONG = "LINESTRING(" + ",".join(f"{n % 90} {n % 45}" for n in range(2000)) + ")"


@pytest.mark.parametrize("what, parts", [
    ("position", {}), ("position", {"coords": ""}), ("position", {"coords": "POINT"}),
    ("position", {"coords": "POINT()"}), ("position", {"coords": "POINT(1)"}),
    ("position", {"coords": "POINT(nan 1)"}), ("position", {"coords": "POINT(1e999 1)"}),
    ("position", {"coords": "POINT(0 91)"}), ("position", {"coords": "POLYGON((0 0,1 0,1 1,0 0))"}),
    ("position", {"coords": "POINT(1 2"}), ("position", {"coords": "POINT" + "(" * 1000}),
    ("position", {"coords": "LINESTRING(0 0,1 1)"}), ("position", {"coords": "POINT(0 0)", "datetime": "yesterday"}),
    ("position", {"coords": "POINT(0 0)", "datetime": "../../.."}),
    ("position", {"coords": "POINT(0 0)", "z": "high"}), ("position", {"coords": "POINT(0 0)", "z": "1/2/3"}),
    ("position", {"coords": "POINT(0 0)", "z": f"R{MANY}/0/1"}),
    ("position", {"coords": "POINT(0 0)", "z": ",".join(["1"] * 700)}),
    ("position", {"coords": "POINT(0 0)", "parameter-name": "nothing"}),
    ("position", {"coords": "POINT(0 0)", "crs": "http://127.0.0.1:1/crs"}),
    ("position", {"coords": "POINT(0 0)", "crs": "EPSG:99999"}),
    ("position", {"coords": "POINT(0 0)", "f": "text/nothing"}), ("trajectory", {}),
    ("trajectory", {"coords": "LINESTRING(0 0)"}), ("trajectory", {"coords": "LINESTRING(0 0,x y)"}),
    ("trajectory", {"coords": "LINESTRINGZM(0 0 1,1 1 1)"}), ("trajectory", {"coords": LONG + ","}),
    ("trajectory", {"coords": "LINESTRINGM(0 0 1e999,1 1 2)"}),
], ids=lambda v: str(v)[:50])
def test_queries_that_make_no_sense(server, what, parts):
    answer = get(server, f"/ogc/collections/{server.maps.datasets['globe']['id']}/{what}?{query(**parts)}")
    ogc_refused(answer, (400, 404, 413, 414, 431, HUNG_UP) if len(str(parts)) > 4000 else (400, 404))


# --- What all have in common.

def test_nothing_that_a_client_names_is_fetched(server):
    with socket.create_server(("127.0.0.1", 0)) as trap:
        url = f"http://127.0.0.1:{trap.getsockname()[1]}/x"
        name = server.maps.datasets["globe"]["id"]
        for key in ("SLD", "SLD_BODY", "REMOTE_OWS_URL", "WFS", "GFI", "LAYERS", "STYLES", "CRS", "TIME", "FORMAT",
                    "EXCEPTIONS", "SCHEMAS", "MAP", "URL"):
            wms(server, **{key: url})
        entity = f'<!DOCTYPE a [<!ENTITY b SYSTEM "{url}">]>'
        wms(server, SLD_BODY=entity + "<StyledLayerDescriptor>&b;</StyledLayerDescriptor>")
        for parts in ({"style": url}, {"level": url}, {"tms": url}, {"edition": url}, {"url": url}, {"time": url[:60]}):
            tile(server, **parts)
        for parts in ({"crs": url}, {"f": url}, {"parameter-name": url}, {"coords": url}):
            get(server, f"/ogc/collections/{name}/position?{query(**{'coords': 'POINT(0 0)', **parts})}")
        get(server, f"/ogc/collections/{urllib.parse.quote(url, safe='')}")
        get(server, f"/tiles/{urllib.parse.quote(url, safe='')}/y/1/0/0.png")
        get(server, f"/tiles/{server.maps.layer('globe')}/tilejson.json",
            headers=[f"Referer: {url}", f"X-Forwarded-Host: {url[7:-2]}"])
        assert not select.select([trap], [], [], 0.2)[0], "somebody came"


def test_a_hosts_name_cannot_put_markup_into_answers(server):
    for host in ("evil\"><script>", "a b", "x" * 3000, "evil.example.org/..", "[::1", "a@b", ""):
        for path in ("/wms?SERVICE=WMS&REQUEST=GetCapabilities", f"/tiles/{server.maps.layer('globe')}/tilejson.json",
                     "/ogc?f=json"):
            with Socket(server.host, server.port, 30) as client:
                client.send(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
                try:
                    status, headers, body = client.answer()
                except (Closed, ConnectionError):
                    continue  # refused before it was looked at
                assert b"<script>" not in body and status in (200, 400, 403, 404, 421, 431), (host, status)
                if status == 200:
                    xml.etree.ElementTree.fromstring(body) if body[:1] == b"<" else json.loads(body)


def mutated(rng, text):
    """A request with some of its characters exchanged, doubled, gone or escaped."""
    bits = ["%00", "%ff", "&", "=", ",", "/", ";", "..", "1e308", "-1", "nan", "99999999999999999999", "%25", "?", "+",
            "%20", "(", ")", "%c3%28", "WIDTH=4096", "true"]
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(1, len(text))
        kind = rng.random()
        if kind < 0.3:
            text = text[:at] + text[at + rng.randint(1, 5):]
        elif kind < 0.8:
            text = text[:at] + rng.choice(bits) + text[at + rng.randint(0, 2):]
        else:
            text = text[:at] + text[rng.randrange(len(text)):]
    return text.replace(" ", "").replace("\n", "")[:6000]


def test_mutated_requests_are_answered_or_refused(server):
    layer, name = server.maps.layer("globe"), server.maps.datasets["globe"]["id"]
    volume = server.maps.layer("globe", "air_temperature")
    good = [f"/tiles/{layer}/2/1/1.png?time={TIMES[0]}&style=fill/thermal;range=250,300;bands=10&size=256",
            f"/tiles/{volume}/1/0/0.png?level=850hPa&style=contours;interval=5",
            f"/wms?SERVICE=WMS&VERSION=1.3.0&REQUEST=GetMap&LAYERS={layer}&STYLES=&CRS=EPSG:4326"
            f"&BBOX=-10,-10,10,10&WIDTH=64&HEIGHT=64&FORMAT=image/png&TIME={TIMES[1]}&COLORSCALERANGE=250,300",
            f"/wms?VERSION=1.1.1&REQUEST=GetFeatureInfo&LAYERS={layer}&QUERY_LAYERS={layer}&STYLES="
            "&SRS=EPSG:3857&BBOX=0,0,1000000,1000000&WIDTH=64&HEIGHT=64&X=3&Y=4&INFO_FORMAT=text/html",
            f"/wms?REQUEST=GetTransect&VERSION=1.3.0&LAYERS={volume}&STYLES=&CRS=CRS:84"
            "&LINESTRING=0%200,10%2010&FORMAT=image/png", f"/wms?REQUEST=GetLegendGraphic&LAYER={layer}&FORMAT=image/png",
            f"/ogc/collections/{name}/position?coords=POINT(10%2020)&datetime={TIMES[0]}/{TIMES[2]}&z=100/5000",
            f"/ogc/collections/{name}/trajectory?coords=LINESTRING(0%200,20%2030)&f=CoverageJSON",
            f"/ogc/collections/{name}/map/tiles/WebMercatorQuad/2/1/1"]
    rng, before = random.Random(7), resident(server)
    for _ in range(250):
        path = mutated(rng, rng.choice(good))
        status, headers, body = get(server, path if path.startswith("/") else "/" + path, seconds=4 * QUICK)
        assert status in (200, 204, 206, 308, 400, 403, 404, 406, 410, 413, 414, 431,
                          503) or status == HUNG_UP and ("%00" in path or len(path) > 4000), (path, status, body[:200])
        if headers.get("content-type", "").startswith("application/json"):
            json.loads(body)
        elif "xml" in headers.get("content-type", ""):
            xml.etree.ElementTree.fromstring(body)
    assert resident(server) < before + 400, "memory grew"


def test_clients_that_go_away_leave_nothing_behind(server):
    descriptors = len(os.listdir(f"/proc/{server.process.pid}/fd"))
    for number in range(40):
        with Socket(server.host, server.port, 30) as client:
            asked = query(**{**GOOD, "LAYERS": server.maps.layer("globe"), "WIDTH": 1500 + number, "HEIGHT": 1500})
            client.send(f"GET /wms?{asked} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    wait_until(lambda: len(os.listdir(f"/proc/{server.process.pid}/fd")) <= descriptors + 2, 60)
    began = time.monotonic()
    assert tile(server, "3/2/2.png")[0] == 200
    assert time.monotonic() - began < 30


def test_too_many_at_once_are_told_to_come_back(server):
    """Large maps, each another: what is not drawn is refused at once with a time, and memory stays bounded."""
    answers, before = [], resident(server)

    def ask(number):
        parts = {**GOOD, "LAYERS": server.maps.layer("globe"), "WIDTH": 1024 + number, "HEIGHT": 1024}
        with Socket(server.host, server.port, 120) as client:
            answers.append(client.request(f"/wms?{query(**parts)}"))
    threads = [threading.Thread(target=ask, args=(number,)) for number in range(100)]
    for thread in threads:
        thread.start()
    peak = 0
    for thread in threads:
        while thread.is_alive():
            peak = max(peak, resident(server))
            thread.join(0.1)
    assert len(answers) == 100
    odd = [(status, headers, body[:200]) for status, headers, body in answers
           if not (status == 200 and headers["content-type"] == "image/png" or status == 503 and "retry-after" in headers)]
    assert not odd, odd[:3]
    assert any(status == 200 for status, _, _ in answers)
    assert peak < before + 1500, f"{peak - before:.0f} MiB"
