# SPDX-License-Identifier: Apache-2.0
"""OWSLib, which many Python programs reach map services through, understands virga's capabilities and reads its maps, in both versions."""
import datetime
import json
import urllib.parse
import urllib.request

import pytest

import make_maps
import png
from map_clients import FRAMES, NOW, TIMES, maps  # noqa: F401 - a fixture
from map_reference import Colours, Frame

wms = pytest.importorskip("owslib.wms", reason="python3-owslib is not installed")
util = pytest.importorskip("owslib.util")
VERSIONS = ("1.1.1", "1.3.0")


@pytest.fixture(scope="module", params=VERSIONS)
def service(request, maps):
    return wms.WebMapService(maps.url + "wms", version=request.param, timeout=120)


def picture(service, layer, frame, **more):
    """RGBA or RGB of a map."""
    reply = service.getmap(layers=[layer], styles=more.pop("styles", [""]), srs=frame.crs, bbox=frame.box,
                           size=(frame.width, frame.height),
                           format="image/png", transparent=True, timeout=120, **more)
    return png.Image(reply.read()).pixels


def test_the_service_says_what_it_is(service):
    assert service.identification.title and "WMS" in service.identification.type
    names = {operation.name for operation in service.operations}
    assert {"GetCapabilities", "GetMap", "GetFeatureInfo"} <= names
    assert {"image/png", "image/jpeg"} <= set(service.getOperationByName("GetMap").formatOptions)
    assert "application/json" in service.getOperationByName("GetFeatureInfo").formatOptions


def test_every_forecast_is_a_layer_that_says_where_and_when_it_is(service, maps):
    for name in make_maps.GRIDS:
        layer = service[maps.layer(name)]
        assert layer.title and layer.queryable and {"EPSG:4326",
                                                    "EPSG:3857"} <= set(layer.crsOptions), (name, layer.crsOptions)
        west, south, east, north = layer.boundingBoxWGS84
        assert -180 <= west < east <= 360 and -90 <= south < north <= 90
        corners = maps.datasets[name]["grid"]["corners"]
        assert all(south - 0.6 <= lat <= north + 0.6 for _, lat in corners), (name, corners, layer.boundingBoxWGS84)
        assert times(layer) == [moment(text) for text in TIMES]
        assert layer.styles and all(style["title"] for style in layer.styles.values())


def moment(text):
    return datetime.datetime.fromisoformat(text.strip().replace("Z", "+00:00"))


def times(layer):
    """Those of the time extent, intervals written out."""
    found = []
    for position in layer.timepositions:
        start, *rest = position.split("/")
        found.append(moment(start))
        if rest:
            hours = {"PT1H": 1, "PT60M": 1, "PT3600S": 1}[rest[1].strip()]
            while found[-1] < moment(rest[0]):
                found.append(found[-1] + datetime.timedelta(hours=hours))
    return found


def test_levels_are_told_for_volumes_alone(service, maps):
    layer = service[maps.layer("globe", "air_temperature")]
    levels = [float(level) for level in layer.elevations]
    scale = 100 if max(levels) > 2000 else 1
    assert sorted(levels) == sorted(make_maps.LEVELS * scale), layer.elevations
    assert not service[maps.layer("globe")].elevations


@pytest.mark.parametrize("name", FRAMES)
def test_maps_at_a_time(service, maps, name):
    maps.check(picture(service, maps.layer(name), FRAMES[name], time=TIMES[0]), name, FRAMES[name], step=0)


def test_a_time_that_is_not_said_is_the_one_that_the_capabilities_name(service, maps):
    layer = service[maps.layer("lambert")]
    assert moment(layer.defaulttimeposition) == moment(TIMES[NOW])
    maps.check(picture(service, maps.layer("lambert"), FRAMES["lambert"]), "lambert", FRAMES["lambert"], step=NOW)


@pytest.mark.parametrize("level", range(len(make_maps.LEVELS)))
def test_maps_at_a_level(service, maps, level):
    layer, frame = maps.layer("globe", "air_temperature"), Frame("EPSG:4326", (-40, -30, 40, 30), 320, 240)
    told = sorted((float(e), e) for e in service[layer].elevations)[-1 - level][1]  # from the ground up
    maps.check(picture(service, layer, frame, time=TIMES[1], elevation=told), "globe", frame, step=1,
               variable="air_temperature", level=level,
               colours=Colours("temperature", 210, 310))


def test_colours_as_ncwms_names_them(service, maps):
    frame = FRAMES["globe"]
    told = {"COLORSCALERANGE": "260,310"}
    maps.check(picture(service, maps.layer("globe"), frame, time=TIMES[0], **told), "globe", frame, step=0,
               colours=Colours("temperature", 260, 310))
    style = next(name for name in service[maps.layer("globe")].styles if name.endswith("/thermal"))
    maps.check(picture(service, maps.layer("globe"), frame, time=TIMES[0], styles=[style], **told), "globe", frame,
               step=0,
               colours=Colours("thermal", 260, 310))


def test_the_value_at_a_pixel(service, maps):
    layer, frame = maps.layer("globe"), FRAMES["globe"]
    reply = service.getfeatureinfo(layers=[layer], srs=frame.crs, bbox=frame.box, size=(frame.width, frame.height),
                                   format="image/png",
                                   query_layers=[layer], info_format="application/json", xy=(123, 77), time=TIMES[2],
                                   timeout=120)
    bounds = maps.field("globe", step=2).bounds(frame)
    numbers = list(every_number(json.loads(reply.read())))
    assert any(bounds.low[77, 123] <= n <= bounds.high[77, 123] for n in numbers), (numbers, bounds.low[77, 123])


def every_number(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from every_number(item)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield value


def test_legends_stand_where_the_capabilities_say(service, maps):
    layer = service[maps.layer("globe")]
    legends = [style["legend"] for style in layer.styles.values() if style.get("legend")]
    assert legends
    with urllib.request.urlopen(urllib.parse.urljoin(maps.url, legends[0]), timeout=60) as reply:
        image = png.Image(reply.read())
    assert image.width > 20 and image.height > 20 and image.pixels.std() > 5


def test_refusals_are_exceptions_of_the_standard(service, maps):
    frame, layer = FRAMES["globe"], maps.layer("globe")
    for more in ({"layers": ["no/such"]}, {"srs": "EPSG:9999"}, {"styles": ["nothing"]}, {"time": "yesterday"}):
        asked = {"layers": [layer], "styles": [""], "srs": frame.crs, "bbox": frame.box, "size": (64, 64),
                 "format": "image/png", "timeout": 60, **more}
        with pytest.raises(util.ServiceException) as caught:
            service.getmap(**asked)
        assert str(caught.value).strip()


def test_one_dataset_has_a_service_of_its_own(maps):
    one = wms.WebMapService(f"{maps.url}wms/{maps.datasets['polar']['id']}", version="1.3.0", timeout=120)
    assert maps.layer("polar") in one.contents and maps.layer("globe") not in one.contents
    maps.check(picture(one, maps.layer("polar"), FRAMES["polar"]), "polar", FRAMES["polar"])
