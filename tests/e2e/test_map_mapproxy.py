# SPDX-License-Identifier: Apache-2.0
"""MapProxy in front of virga: it cascades virga's WMS and caches its tiles, and what it hands on, also reprojected by itself, is what an
independent reprojection says."""
import io
import urllib.parse

import numpy
import pytest

import png
from map_clients import FRAMES, TIMES, maps  # noqa: F401 - a fixture
from map_reference import Frame, tile

wsgi = pytest.importorskip("mapproxy.wsgiapp", reason="python3-mapproxy is not installed")

CONFIGURATION = """
services:
  wms: {{md: {{title: cascade}}, srs: ['EPSG:4326', 'CRS:84', 'EPSG:3857', 'EPSG:3035'], image_formats: ['image/png']}}
  tms: {{}}
layers:
  - {{name: direct, title: direct, sources: [wms]}}
  - {{name: direct111, title: direct111, sources: [wms111]}}
  - {{name: cached, title: cached, sources: [cache]}}
  - {{name: tiles, title: tiles, sources: [tile_cache]}}
caches:
  cache: {{grids: [GLOBAL_WEBMERCATOR], sources: [wms], meta_size: [2, 2], meta_buffer: 8}}
  tile_cache: {{grids: [GLOBAL_WEBMERCATOR], sources: [tile], disable_storage: true}}
sources:
  wms:
    type: wms
    wms_opts: {{version: '1.3.0', featureinfo: true, legendgraphic: true}}
    supported_srs: ['EPSG:4326', 'EPSG:3857', 'CRS:84']
    forward_req_params: ['TIME', 'COLORSCALERANGE']
    req: {{url: '{url}wms?', layers: '{layer}', styles: '', transparent: true}}
  wms111:
    type: wms
    wms_opts: {{version: '1.1.1'}}
    supported_srs: ['EPSG:4326']
    req: {{url: '{url}wms?TIME={time}', layers: '{layer}', transparent: true}}
  tile: {{type: tile, grid: GLOBAL_WEBMERCATOR, url: '{url}tiles/{layer}/%(z)s/%(x)s/%(y)s.png?time={time}', transparent: true}}
globals:
  cache: {{base_dir: '{folder}/cache', lock_dir: '{folder}/locks', tile_lock_dir: '{folder}/tile_locks'}}
  http: {{client_timeout: 120}}
  image: {{resampling_method: bilinear, paletted: false}}
"""


class Proxy:
    """The application, asked without a socket."""

    def __init__(self, maps, folder, name):
        self.maps, self.name = maps, name
        path = folder / "mapproxy.yaml"
        path.write_text(CONFIGURATION.format(url=maps.url, layer=maps.layer(name), time=TIMES[1], folder=folder))
        self.application = wsgi.make_wsgi_app(str(path))

    def get(self, path, **query):
        """(status, type, body)"""
        said = {}

        def start(status, headers, _=None):
            said.update(status=int(status.split()[0]), headers={key.lower(): value for key, value in headers})
        environment = {"REQUEST_METHOD": "GET", "PATH_INFO": path, "SCRIPT_NAME": "",
                       "QUERY_STRING": urllib.parse.urlencode(query), "SERVER_NAME": "proxy",
                       "SERVER_PORT": "80", "HTTP_HOST": "proxy", "SERVER_PROTOCOL": "HTTP/1.1",
                       "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(),
                       "wsgi.errors": io.StringIO(), "wsgi.version": (1, 0), "wsgi.multithread": False,
                       "wsgi.multiprocess": False, "wsgi.run_once": False}
        body = b"".join(self.application(environment, start))
        return said["status"], said["headers"].get("content-type", ""), body

    def map(self, layer, frame, **more):
        box = frame.box
        if frame.crs in ("EPSG:4326", "EPSG:3035"):  # north comes first
            box = (box[1], box[0], box[3], box[2])
        status, kind, body = self.get("/service", SERVICE="WMS", VERSION="1.3.0", REQUEST="GetMap", LAYERS=layer,
                                      STYLES="", CRS=frame.crs,
                                      BBOX=",".join(map(repr, map(float, box))), WIDTH=frame.width, HEIGHT=frame.height,
                                      FORMAT="image/png",
                                      TRANSPARENT="TRUE", **more)
        assert status == 200 and kind == "image/png", body[:500]
        return rgba(body)


def rgba(body):
    pixels = png.Image(body).pixels
    return pixels if pixels.shape[2] == 4 else numpy.dstack([pixels, numpy.full(pixels.shape[:2], 255, numpy.uint8)])


@pytest.fixture
def proxy(maps, tmp_path):
    return lambda name: Proxy(maps, tmp_path, name)


@pytest.mark.parametrize("name", FRAMES)
def test_a_cascaded_map(proxy, maps, name):
    maps.check(proxy(name).map("direct", FRAMES[name], TIME=TIMES[0]), name, FRAMES[name], step=0)


def test_an_older_version_is_cascaded_too(proxy, maps):
    frame = Frame("EPSG:4326", (-8, 50, 4, 58), 240, 160)
    maps.check(proxy("rotated").map("direct111", frame), "rotated", frame, step=1)


def test_a_system_that_the_proxy_makes_by_itself(proxy, maps):
    frame = Frame("EPSG:3035", (3000000, 3300000, 3900000, 4000000), 360, 280)
    picture = proxy("globe").map("direct", frame, TIME=TIMES[0])
    maps.check(picture, "globe", frame, step=0, slack=1.5, rounding=3, share=0.01)  # from pixels of a map of its choice


def test_cached_tiles_that_were_cut_out_of_larger_maps(proxy, maps):
    made = proxy("globe")
    for z, x, y in ((3, 3, 2), (3, 4, 2), (4, 9, 7)):
        status, kind, body = made.get(f"/tms/1.0.0/cached/EPSG3857/{z - 1}/{x}/{2 ** z - 1 - y}.png")  # its zooms begin with the second
        assert status == 200 and kind == "image/png", body[:300]
        maps.check(rgba(body), "globe", tile(z, x, y))


def test_tiles_are_handed_on(proxy, maps):
    made = proxy("date_line")
    for z, x, y in ((5, 0, 19), (5, 31, 19), (4, 15, 10)):
        status, _, body = made.get(f"/tms/1.0.0/tiles/EPSG3857/{z - 1}/{x}/{2 ** z - 1 - y}.png")
        assert status == 200, body[:300]
        maps.check(rgba(body), "date_line", tile(z, x, y), step=1)


def test_what_lies_at_a_pixel_and_the_legend_are_asked_of_virga(proxy, maps):
    made, frame = proxy("globe"), FRAMES["globe"]
    asked = {"SERVICE": "WMS", "VERSION": "1.3.0", "LAYERS": "direct", "CRS": frame.crs,
             "BBOX": ",".join(map(str, frame.box)), "WIDTH": frame.width,
             "HEIGHT": frame.height, "STYLES": ""}
    status, kind, body = made.get("/service", REQUEST="GetFeatureInfo", QUERY_LAYERS="direct", INFO_FORMAT="text/plain",
                                  I=200, J=100, TIME=TIMES[0], **asked)
    assert status == 200 and kind.startswith("text/plain") and any(c.isdigit() for c in body.decode()), body[:300]
    status, kind, body = made.get("/service", SERVICE="WMS", VERSION="1.3.0", REQUEST="GetLegendGraphic",
                                  LAYER="direct", FORMAT="image/png", SLD_VERSION="1.1.0")
    assert status == 200 and kind == "image/png", body[:300]
    assert rgba(body).std() > 5
