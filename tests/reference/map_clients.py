# SPDX-License-Identifier: Apache-2.0
"""What the tests of map clients share: a server with a forecast on each grid of make_maps, addresses, and what its maps must look like.

    from map_clients import Maps, maps  # noqa: F401 - a fixture
    def test(maps):
        maps.check(rgba, "globe", Frame("EPSG:3857", box, 300, 200), step=1)
"""
import json
import urllib.parse
import urllib.request

import pytest

import make_maps
import map_reference
from conftest import running

TIMES = [f"2026-01-01T{hour:02}:00:00Z" for hour in make_maps.HOURS]
NOW = 0  # the step that is shown where no time is asked for: now lies beyond the forecasts, which begin with it
HALF_LATTICE = 0.05  # K: how far shown values may be from the file's

# A frame over each forecast, in a system that suits it: some of it, all of it, and what lies outside.
FRAMES = {
    "globe": map_reference.Frame("EPSG:3857", (-9000000, 2000000, 3000000, 11000000), 400, 300),
    "date_line": map_reference.Frame("EPSG:3857", (17500000, -6500000, 20000000, -2000000), 250, 450),
    "rotated": map_reference.Frame("EPSG:4326", (-6, 50, 10, 58), 480, 240),
    "lambert": map_reference.Frame("EPSG:4326", (-115, 28, -80, 48), 350, 200),
    "polar": map_reference.Frame("EPSG:4326", (-180, 60, 180, 90), 720, 60),
}


class Maps:
    """The catalog of a server, by the names of make_maps."""

    def __init__(self, url, paths):
        self.url, self.paths = url, paths
        with urllib.request.urlopen(url + "api/catalog", timeout=60) as reply:
            self.catalog = json.load(reply)
        self.datasets = {dataset["title"]: dataset for dataset in self.catalog["datasets"]}
        self.fields = {}

    def layer(self, name, variable=make_maps.SURFACE):
        """DATASET/VARIABLE: a layer's name in WMS, and where its tiles stand."""
        dataset = self.datasets[name]
        (found,) = [v["id"] for v in dataset["variables"] if v["name"] == variable]
        return f"{dataset['id']}/{found}"

    def tiles(self, name, zxy="{z}/{x}/{y}.png", variable=make_maps.SURFACE, **query):
        return f"{self.url}tiles/{self.layer(name, variable)}/{zxy}" + ("?" + urllib.parse.urlencode(query) if query else "")

    def field(self, name, variable=make_maps.SURFACE, step=NOW, level=None):
        key = name, variable, step, level
        if key not in self.fields:
            self.fields[key] = map_reference.load(self.paths[name], variable, step, level, HALF_LATTICE)
        return self.fields[key]

    def check(self, picture, name, frame, step=NOW, slack=0.5, colours=None, variable=make_maps.SURFACE, level=None,
              **tolerance):
        """A picture of RGBA is the map of a frame. slack: pixels of the picture that the client may have moved things by."""
        bounds = self.field(name, variable, step, level).bounds(frame, slack)
        return map_reference.check(picture, bounds, colours or make_maps.colours(), **tolerance)


@pytest.fixture(scope="module")
def maps(virga, tmp_path_factory):
    """The Maps of a server of its own for each file of tests."""
    paths = make_maps.every(tmp_path_factory.mktemp("forecasts"))
    with running(virga, tmp_path_factory.mktemp("maps") / "server", list(paths.values())) as server:
        yield Maps(server.url, paths)
