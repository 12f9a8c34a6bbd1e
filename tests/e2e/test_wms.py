# SPDX-License-Identifier: Apache-2.0
"""The Web Map Service: what its capabilities say is there, and nothing else is; each wrong request gets the standard's exception."""
import itertools
import json
import re
import urllib.parse
import xml.etree.ElementTree

import netCDF4
import numpy
import pytest

import make_files
import make_maps
import png
from conftest import running
from ws_client import Socket

WMS, OGC, XLINK = "{http://www.opengis.net/wms}", "{http://www.opengis.net/ogc}", "{http://www.w3.org/1999/xlink}href"
KINDS = {"pressure", "height", "height-above-ground", "flight-level", "potential-temperature", "maximum"}
# Children in the order that the schema of 1.3.0 and the document type of 1.1.1 have them.
LAYER_1_3 = "Name Title Abstract KeywordList CRS EX_GeographicBoundingBox BoundingBox Dimension Style Layer".split()
LAYER_1_1 = "Name Title Abstract KeywordList SRS LatLonBoundingBox BoundingBox Dimension Extent Style Layer".split()
SERVICE = "Name Title Abstract KeywordList OnlineResource Fees AccessConstraints LayerLimit MaxWidth MaxHeight".split()


@pytest.fixture(scope="module")
def server(virga, tmp_path_factory):
    folder = tmp_path_factory.mktemp("maps")
    make_maps.every(folder, ("globe", "date_line", "polar"))
    make_files.hybrid_height(folder / "hybrid.nc", steps=2)
    make_files.ensemble(folder / "ensemble.nc")
    with running(virga, tmp_path_factory.mktemp("servers") / "server", folder) as one_for_all:
        one_for_all.folder = folder
        yield one_for_all


@pytest.fixture(scope="module")
def names(server, ask):
    """{title of a dataset: its id}."""
    found = {}
    for dataset in json.loads(ask("api/catalog").body)["datasets"]:
        found[dataset["title"]] = dataset["id"]
    return found


@pytest.fixture(scope="module")
def ask(server):
    """ask(LAYERS="a", …): the answer of /wms; what is None is left out."""
    class Answer:
        def __init__(self, status, headers, body):
            self.status, self.headers, self.body = status, headers, body

        def xml(self):
            return xml.etree.ElementTree.fromstring(self.body)

    def get(path="wms", headers=(), **parameters):
        query = urllib.parse.urlencode({k: v for k, v in parameters.items() if v is not None})
        with Socket(server.host, server.port) as client:
            return Answer(*client.request(f"/{path}{'?' if query else ''}{query}", headers=headers))
    return get


def find_dataset(names, part):
    return next(i for title, i in names.items() if part in title or part in i)


def globe_map(names, **more):
    dataset = find_dataset(names, "globe")
    parameters = dict(SERVICE="WMS", VERSION="1.3.0", REQUEST="GetMap", LAYERS=f"{dataset}/surface_temperature", STYLES="", CRS="CRS:84", BBOX="-20,30,40,70", WIDTH=120, HEIGHT=80,
                      FORMAT="image/png", TRANSPARENT="TRUE")
    return {**parameters, **more}


def capabilities(ask, version="1.3.0", path="wms", **more):
    answer = ask(path, SERVICE="WMS", REQUEST="GetCapabilities", VERSION=version, **more)
    assert answer.status == 200, answer.body
    return answer.xml()


def local(element):
    return element.tag.rsplit("}", 1)[-1]


def named_layers(root):
    return {next(c.text for c in e if local(c) == "Name"): e for e in root.iter() if local(e) == "Layer" and any(local(c) == "Name" for c in e)}


def dimension(layer, name, kind="Dimension"):
    return next((e for e in layer if local(e) == kind and e.get("name") == name), None)


def in_order(element, order):
    places = [order.index(local(child)) for child in element]
    assert places == sorted(places), [local(child) for child in element]


@pytest.mark.parametrize("version", ["1.3.0", "1.1.1"])
def test_capabilities_have_the_standards_form(ask, version):
    new = version == "1.3.0"
    root = capabilities(ask, version)
    assert root.get("version") == version and local(root) == ("WMS_Capabilities" if new else "WMT_MS_Capabilities")
    service, capability = root
    in_order(service, SERVICE)
    assert [local(e) for e in capability] == ["Request", "Exception", "Layer"]
    assert [local(e) for e in capability[0]] == ["GetCapabilities", "GetMap", "GetFeatureInfo", "GetLegendGraphic"]
    for layer in (e for e in root.iter() if local(e) == "Layer"):
        in_order(layer, LAYER_1_3 if new else LAYER_1_1)
        assert any(local(e) == "Title" and e.text for e in layer)
    assert len(named_layers(root)) == sum(local(e) == "Layer" and any(local(c) == "Name" for c in e) for e in root.iter()), "a name twice"


def test_times_runs_and_levels_are_dimensions(ask, names):
    layers = named_layers(capabilities(ask))
    own = layers[f"{find_dataset(names, 'globe')}/air_temperature"]
    time, run, level = (dimension(own, n) for n in ("time", "reference_time", "elevation"))
    assert (time.get("units"), time.get("nearestValue")) == ("ISO8601", "1")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT06:00:00Z/\d{4}-\d\d-\d\dT08:00:00Z/PT1H", time.text)
    assert run.text == run.get("default") and run.text.endswith("T00:00:00Z")
    assert (level.text, level.get("units"), level.get("default")) == ("1000,850,500,250", "hPa", "1000")
    assert {n.split("/")[2] for n in layers if n.startswith(f"{find_dataset(names, 'globe')}/air_temperature/")} >= KINDS
    members = dimension(layers[f"{find_dataset(names, 'ensemble')}/air_temperature"], "member")
    assert members.text.split(",")[0] == members.get("default") and len(members.text.split(",")) == 3
    old = named_layers(capabilities(ask, "1.1.1"))[f"{find_dataset(names, 'globe')}/air_temperature"]
    assert dimension(old, "time").text is None and dimension(old, "time", "Extent").text == time.text


def test_some_layers_can_be_asked_for(ask, names):
    wanted = [f"{find_dataset(names, 'globe')}/air_temperature/pressure", f"{find_dataset(names, 'polar')}/surface_temperature"]
    whole = ask(SERVICE="WMS", REQUEST="GetCapabilities")
    some = ask(SERVICE="WMS", REQUEST="GetCapabilities", LAYERS=",".join(wanted))
    assert set(named_layers(some.xml())) == set(wanted) and len(some.body) < len(whole.body) / 4
    one = capabilities(ask, path=f"wms/{find_dataset(names, 'polar')}")
    assert {n.split("/")[0] for n in named_layers(one)} == {find_dataset(names, "polar")}
    assert next(one.iter(f"{WMS}OnlineResource")).get(XLINK).endswith(f"/wms/{find_dataset(names, 'polar')}?")
    assert ask("wms/nothing", SERVICE="WMS", REQUEST="GetCapabilities").status == 404


def test_a_copy_of_the_capabilities_is_told_to_be_good(ask):
    first = ask(SERVICE="WMS", REQUEST="GetCapabilities")
    assert ask(SERVICE="WMS", REQUEST="GetCapabilities", headers=[f"If-None-Match: {first.headers['etag']}"]).status == 304


def test_every_layer_and_style_that_is_offered_can_be_had(ask):
    root = capabilities(ask)
    tried = 0
    for group in (e for e in root.iter() if local(e) == "Layer"):
        styles = [s.find(f"{WMS}Name").text for s in group.findall(f"{WMS}Style")]
        below = [e.find(f"{WMS}Name").text for e in (group, *group.findall(f"{WMS}Layer")) if e.find(f"{WMS}Name") is not None]
        for layer, style in itertools.chain(((b, "") for b in below), ((below[0], s) for s in styles) if below else ()):
            answer = ask(SERVICE="WMS", VERSION="1.3.0", REQUEST="GetMap", LAYERS=layer, STYLES=style, CRS="EPSG:3857", BBOX="-9000000,-9000000,9000000,9000000", WIDTH=32, HEIGHT=32,
                         FORMAT="image/png")
            assert answer.headers["content-type"] == "image/png", (layer, style, answer.body[:600])
            image = png.Image(answer.body)
            assert (image.width, image.height) == (32, 32)
            tried += 1
    assert tried > 60


def test_legends_are_as_large_as_is_said(ask):
    seen = set()
    for url in capabilities(ask).iter(f"{WMS}LegendURL"):
        address = url.find(f"{WMS}OnlineResource").get(XLINK)
        path, query = urllib.parse.urlsplit(address).path.lstrip("/"), dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(address).query))
        if (query["LAYER"].split("/")[1], query["STYLE"]) in seen:
            continue
        seen.add((query["LAYER"].split("/")[1], query["STYLE"]))
        image = png.Image(ask(path, **query).body)
        assert (image.width, image.height) == (int(url.get("width")), int(url.get("height"))), address
    assert len(seen) > 5
    bar = png.Image(ask(REQUEST="GetLegendGraphic", LAYER=query["LAYER"], COLORBARONLY="true", WIDTH=20, HEIGHT=100).body)
    assert (bar.width, bar.height) == (20, 100)


def test_one_map_by_any_name(ask, names):
    first = ask(**globe_map(names))
    assert first.headers["content-type"] == "image/png" and first.headers["access-control-allow-origin"] == "*"
    assert ask(**globe_map(names, CRS="EPSG:4326", BBOX="30,-20,70,40")).body == first.body
    assert ask(**globe_map(names, CRS=None, SRS="EPSG:4326", VERSION="1.1.1")).body == first.body
    assert ask(**{k.lower(): v for k, v in globe_map(names).items()}).body == first.body
    assert ask(**globe_map(names), headers=[f"If-None-Match: {first.headers['etag']}"]).status == 304
    assert ask(**globe_map(names, FORMAT="image/jpeg")).body[:2] == b"\xff\xd8"
    assert ask(f"wms/{find_dataset(names, 'globe')}", **globe_map(names)).body == first.body


def warnings(answer):
    return re.findall(r"99 (\w+) value used: ([\w-]+)=(\S+)", answer.headers.get("warning", ""))


@pytest.mark.parametrize(("part", "first", "step", "y_first"), [("globe", 0.0, 1.0, -89.5), ("polar", -1990000.0, 40000.0, -2010000.0)])
def test_the_models_own_grid_pixel_by_pixel(ask, names, server, part, first, step, y_first):
    """A map in the model's own coordinates, a pixel for each column, as numbers: the file's."""
    with netCDF4.Dataset(server.folder / f"{part}.nc") as file:
        wanted = numpy.ma.filled(file.variables["surface_temperature"][0], numpy.nan)
    if part == "globe":
        wanted = wanted[::-1]  # now from the south
    ny, nx = wanted.shape
    box = (first - step / 2, y_first - step / 2, first + (nx - 0.5) * step, y_first + (ny - 0.5) * step)
    layer = f"{find_dataset(names, part)}/surface_temperature"
    answer = ask(**globe_map(names, LAYERS=layer, STYLES="values", CRS="virga:own", BBOX=",".join(map(repr, box)), WIDTH=nx, HEIGHT=ny, TIME="T+6"))
    image = png.Image(answer.body)
    rgb = image.pixels.astype(float)
    told = float(image.texts["offset"]) + float(image.texts["scale"]) * (65536 * rgb[..., 0] + 256 * rgb[..., 1] + rgb[..., 2])
    told[rgb[..., 3] == 0] = numpy.nan
    assert (numpy.isnan(told) == numpy.isnan(wanted[::-1])).all()
    assert numpy.nanmax(abs(told - wanted[::-1])) < 0.06


def test_what_was_taken_instead_is_said(ask, names):
    layer = f"{find_dataset(names, 'globe')}/air_temperature"
    time, run = (dimension(named_layers(capabilities(ask))[layer], n) for n in ("time", "reference_time"))
    first, _, _ = time.text.split("/")
    exact = ask(**globe_map(names, LAYERS=layer, TIME=first, DIM_REFERENCE_TIME=run.text, ELEVATION="500"))
    assert warnings(exact) == [] and "max-age=300" in exact.headers["cache-control"]
    near = ask(**globe_map(names, LAYERS=layer, TIME=first.replace("06:00", "06:20"), DIM_REFERENCE_TIME=run.text, ELEVATION="520"))
    assert near.body == exact.body
    both = near.headers["warning"]
    assert "elevation=500" in both or f"time={first}" in both
    assert "Default value used" in ask(**globe_map(names, LAYERS=layer)).headers["warning"]


def test_times_as_clients_write_them(ask, names):
    first = dimension(named_layers(capabilities(ask))[f"{find_dataset(names, 'globe')}/surface_temperature"], "time").text.split("/")[0]
    plain = ask(**globe_map(names, TIME=first))
    assert plain.headers["content-type"] == "image/png" and "Nearest" not in plain.headers.get("warning", "")
    for text in (first.replace("Z", ".000Z"), first.replace("Z", "+00:00"), first.replace("06:00:00Z", "06:00Z"), f"{first},{first}", "T+6"):
        assert ask(**globe_map(names, TIME=text)).body == plain.body, text


def test_two_runs(serve_module, tmp_path):
    """TIME has the times of all runs; without a run the latest that has the time is meant, and of a run only its own times."""
    for run in (0, 6):
        make_maps.write(tmp_path / f"globe-{run:02}.nc", "globe", run)
    with serve_module(tmp_path) as server, Socket(server.host, server.port) as client:
        def get(**parameters):
            return client.request("/wms?" + urllib.parse.urlencode(parameters))
        layers = named_layers(xml.etree.ElementTree.fromstring(get(SERVICE="WMS", REQUEST="GetCapabilities")[2]))
        name = next(n for n in layers if n.endswith("/surface_temperature"))
        time, runs = (dimension(layers[name], n) for n in ("time", "reference_time"))
        old, new = runs.text.split(",")
        day = old[:10]
        assert time.text == f"{day}T06:00:00Z/{day}T08:00:00Z/PT1H,{day}T12:00:00Z/{day}T14:00:00Z/PT1H" and runs.get("default") == new
        question = dict(SERVICE="WMS", VERSION="1.3.0", REQUEST="GetFeatureInfo", LAYERS=name, QUERY_LAYERS=name, STYLES="", CRS="CRS:84", BBOX="0,0,10,10", WIDTH=10, HEIGHT=10, I=5, J=5,
                        INFO_FORMAT="application/json")

        def told(**more):
            properties = json.loads(get(**question, **more)[2])["features"][0]["properties"]
            return properties["time"], properties["reference_time"]
        assert told(TIME=f"{day}T07:00:00Z") == (f"{day}T07:00:00Z", old)
        assert told(TIME=f"{day}T13:00:00Z") == (f"{day}T13:00:00Z", new)
        assert told(TIME=f"{day}T13:20:00Z", DIM_REFERENCE_TIME=new) == (f"{day}T13:00:00Z", new)
        assert told(DIM_REFERENCE_TIME=old)[1] == old and told()[1] == new
        wrong = xml.etree.ElementTree.fromstring(get(**question, TIME=f"{day}T13:00:00Z", DIM_REFERENCE_TIME=old)[2])
        assert wrong[0].get("code") == "InvalidDimensionValue" and wrong[0].get("locator") == "TIME"


def test_colours_of_ncwms(ask, names):
    def colours(**more):
        pixels = png.Image(ask(**globe_map(names, BBOX="-180,-90,180,90", WIDTH=360, HEIGHT=180, **more)).body).pixels
        return {tuple(int(c) for c in p) for p in pixels.reshape(-1, pixels.shape[2])}
    plain = colours()
    banded = colours(COLORSCALERANGE="270,300", NUMCOLORBANDS=5, ABOVEMAXCOLOR="0xFF00FF", BELOWMINCOLOR="0x010203")
    assert len(plain) > 100 and len([c for c in banded if c[3]]) == 7
    assert (255, 0, 255, 255) in banded and (1, 2, 3, 255) in banded
    clear = colours(COLORSCALERANGE="270,300", NUMCOLORBANDS=5, ABOVEMAXCOLOR="transparent", BELOWMINCOLOR="transparent")
    assert len([c for c in clear if c[3]]) == 5
    assert colours(COLORSCALERANGE="250,320") == plain == colours(COLORSCALERANGE="default")
    assert colours(COLORSCALERANGE="250,320", LOGSCALE="true") and colours(COLORSCALERANGE="auto")


def test_the_value_at_a_pixel(ask, names, server):
    layer = f"{find_dataset(names, 'globe')}/air_temperature"
    question = globe_map(names, REQUEST="GetFeatureInfo", LAYERS=layer, QUERY_LAYERS=layer, ELEVATION="500", I=60, J=40)
    feature = json.loads(ask(**question, INFO_FORMAT="application/json").body)["features"][0]
    lon, lat = feature["geometry"]["coordinates"]
    assert (lon, lat) == pytest.approx((10.25, 49.75))
    told = feature["properties"]
    assert told["elevation"] == 500 and told["units"] == "K"
    place = dict(dataset=find_dataset(names, "globe"), variable="air_temperature", time=told["time"], run=told["reference_time"], lon=lon, lat=lat, profile=1)
    profile = json.loads(ask("api/sample", **place).body)
    assert told["value"] == pytest.approx(profile["bricks"][2], abs=1e-4)
    root = ask(**question, INFO_FORMAT="text/xml").xml()
    assert float(root.find("FeatureInfo/value").text) == pytest.approx(told["value"], abs=1e-4)
    assert "500 hPa" in ask(**question, INFO_FORMAT="text/plain").body.decode()
    assert xml.etree.ElementTree.fromstring(ask(**question, INFO_FORMAT="text/html").body.split(b"\n", 1)[1].replace(b"<!DOCTYPE html>", b"")) is not None


@pytest.mark.parametrize(("kind", "elevation", "pressure"), [("pressure", "600", 600.0), ("pressure", "850", 850.0), ("flight-level", "100", 696.817), ("height", "3011.1", 700.0)])
def test_levels_between_the_models_own(ask, names, server, kind, elevation, pressure):
    """At a column, linear in the logarithm of pressure; flight levels and heights (of a forecast without any) are the standard atmosphere's. The last is 700 hPa to a tenth of one."""
    layer = f"{find_dataset(names, 'globe')}/air_temperature/{kind}"
    box = "9.5,49,10.5,50"  # one pixel, its centre the column at 10° E 49.5° N
    answer = ask(**globe_map(names, REQUEST="GetFeatureInfo", LAYERS=layer, QUERY_LAYERS=layer, BBOX=box, WIDTH=1, HEIGHT=1, I=0, J=0, ELEVATION=elevation, TIME="T+6",
                             INFO_FORMAT="application/json"))
    told = json.loads(answer.body)["features"][0]["properties"]
    with netCDF4.Dataset(server.folder / "globe.nc") as file:
        column = file.variables["air_temperature"][0, :, 40, 10]
    levels = make_maps.LEVELS
    wanted = numpy.interp(-numpy.log(pressure), -numpy.log(levels), column)
    assert told["value"] == pytest.approx(wanted, abs=0.06 if kind != "height" else 0.3), answer.body
    assert told["elevation"] == float(elevation)


def exception(answer):
    """Code and locator of an exception of 1.3.0."""
    assert answer.status == 200 and answer.headers["content-type"].startswith("text/xml") and answer.headers["cache-control"] == "no-store", answer.body[:300]
    root = answer.xml()
    assert root.tag == f"{OGC}ServiceExceptionReport" and root.get("version") == "1.3.0"
    assert len(root) == 1 and len(root[0].text) > 10
    return root[0].get("code"), root[0].get("locator")


@pytest.mark.parametrize(("wrong", "code", "locator"), [
    (dict(LAYERS="nothing/at_all"), "LayerNotDefined", "LAYERS"),
    (dict(LAYERS="GLOBE/surface_temperature/pressure"), "LayerNotDefined", "LAYERS"),
    (dict(LAYERS="GLOBE/air_temperature/purple"), "LayerNotDefined", "LAYERS"),
    (dict(STYLES="watercolour"), "StyleNotDefined", "STYLES"),
    (dict(STYLES="barbs"), "StyleNotDefined", "STYLES"),
    (dict(CRS="EPSG:2"), "InvalidCRS", "CRS"),
    (dict(FORMAT="image/tiff"), "InvalidFormat", "FORMAT"),
    (dict(TIME="1999-01-01T00:00:00Z"), "InvalidDimensionValue", "TIME"),
    (dict(TIME="yesterday"), "InvalidDimensionValue", "TIME"),
    (dict(DIM_REFERENCE_TIME="1999-01-01T00:00:00Z"), "InvalidDimensionValue", "DIM_REFERENCE_TIME"),
    (dict(LAYERS="GLOBE/air_temperature", ELEVATION="5"), "InvalidDimensionValue", "ELEVATION"),
    (dict(LAYERS="GLOBE/air_temperature", ELEVATION="high"), "InvalidDimensionValue", "ELEVATION"),
    (dict(LAYERS="GLOBE/air_temperature/pressure", ELEVATION="-5"), "InvalidDimensionValue", "ELEVATION"),
    (dict(LAYERS="GLOBE/air_temperature/top"), "MissingDimensionValue", "DIM_THRESHOLD"),
    (dict(DIM_MEMBER="7"), "InvalidDimensionValue", "DIM_MEMBER"),
    (dict(COLORSCALERANGE="-5,5", LOGSCALE="true"), "InvalidParameterValue", "COLORSCALERANGE"),
    (dict(WIDTH="5000"), "InvalidParameterValue", "WIDTH"),
    (dict(BBOX="0,0,1e300,1"), "InvalidParameterValue", "BBOX"),
    (dict(WIDTH=None), "MissingParameterValue", "WIDTH"),
    (dict(SLD="http://127.0.0.1:1/"), "InvalidParameterValue", "SLD"),
    (dict(REQUEST="GetTile"), "OperationNotSupported", "REQUEST"),
])
def test_what_is_wrong_gets_its_exception(ask, names, wrong, code, locator):
    wrong = {k: v.replace("GLOBE", find_dataset(names, "globe")) if isinstance(v, str) else v for k, v in wrong.items()}
    assert exception(ask(**globe_map(names, **wrong))) == (code, locator)


def test_exceptions_as_pictures(ask, names):
    blank = png.Image(ask(**globe_map(names, LAYERS="none/at", EXCEPTIONS="BLANK")).body)
    words = png.Image(ask(**globe_map(names, LAYERS="none/at", EXCEPTIONS="INIMAGE", TRANSPARENT="FALSE")).body)
    assert (blank.width, blank.height) == (words.width, words.height) == (120, 80)
    assert not blank.pixels[..., 3].any() and len(numpy.unique(words.pixels[..., 0])) > 10
    old = ask(**globe_map(names, VERSION="1.1.1", SRS="EPSG:2"))
    assert old.headers["content-type"].startswith("application/vnd.ogc.se_xml") and old.xml()[0].get("code") == "InvalidSRS"


def test_addresses_are_those_that_the_client_uses(serve_module, tmp_path):
    make_maps.write(tmp_path / "globe.nc", "globe")
    with serve_module(tmp_path, "--base-path", "/maps/") as server, Socket(server.host, server.port) as client:
        status, _, body = client.request("/maps/wms?SERVICE=WMS&REQUEST=GetCapabilities")
        links = {e.get(XLINK).split("?")[0] for e in xml.etree.ElementTree.fromstring(body).iter(f"{WMS}OnlineResource")}
        assert status == 200 and links == {f"http://{client.host}/maps/wms"}
        client.send(b"GET /maps/wms?SERVICE=WMS&REQUEST=GetCapabilities HTTP/1.1\r\nHost: a\"><script>\r\n\r\n")
        status, _, body = client.answer()
        assert status == 400 or b"script" not in body


def test_a_hundred_thousand_times_stay_small(serve_module, tmp_path):
    with netCDF4.Dataset(tmp_path / "long.nc", "w") as file:
        make_files.axis(file, "latitude", numpy.arange(4.0), "latitude", "degrees_north")
        make_files.axis(file, "longitude", numpy.arange(5.0), "longitude", "degrees_east")
        file.createDimension("time", 100_000)
        times = file.createVariable("time", "f8", ("time",))
        times.standard_name, times.units = "time", "hours since 1900-01-01 00:00:00"
        times[:] = numpy.arange(100_000) * 6.0
        make_files.temperature(file, ("time", "latitude", "longitude"), numpy.full((100_000, 4, 5), 280, "f4"))
    with serve_module(tmp_path / "long.nc") as server, Socket(server.host, server.port) as client:
        status, _, body = client.request("/wms?SERVICE=WMS&REQUEST=GetCapabilities")
        assert status == 200 and len(body) < 12_000
        time = next(e for e in xml.etree.ElementTree.fromstring(body).iter(f"{WMS}Dimension") if e.get("name") == "time")
        assert time.text == "1900-01-01T00:00:00Z/1968-06-12T18:00:00Z/PT6H"
