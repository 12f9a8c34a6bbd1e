# SPDX-License-Identifier: Apache-2.0
"""Maps of forecasts that land, change and go while clients look: the capabilities and "latest" follow, addresses with an edition never show anything else."""
import json
import urllib.parse
import xml.etree.ElementTree

import pytest

import png
from conftest import running, wait_until
from live import Folder, Page, iso_of
from map_reference import Colours

STEPS = (0, 1, 2)
COLOURS = Colours("temperature", 210, 310)
WMS = "{http://www.opengis.net/wms}"


class Maps:
    """One dataset of a watched folder, asked by HTTP."""

    def __init__(self, page, http_get):
        self.page, self.http_get = page, http_get
        self.server = page.server

    def path(self, what="1/0/0.png", **query):
        dataset = self.page.dataset()
        return f"tiles/{dataset['id']}/{dataset['variables'][0]['id']}/{what}?{urllib.parse.urlencode(query)}"

    def get(self, path, **headers):
        return self.http_get(self.server.url + path, headers)

    def shows(self, path, value):
        """Whether a tile shows one value wherever it shows any."""
        answer = self.get(path)
        if answer.status != 200:
            return False
        pixels = png.Image(answer.body).pixels.reshape(-1, 4).astype(float)
        rgb = pixels[pixels[:, 3] > 0, :3]
        low, high = COLOURS.ranges(value - 0.06, value + 0.06, 1)
        return len(rgb) > 20 and bool(((rgb >= low - 1) & (rgb <= high + 1)).all())

    def tilejson(self, **query):
        answer = self.get(self.path("tilejson.json", **query))
        assert answer.status == 200, answer.body
        return answer.json()

    def immutable(self, **query):
        """The address of a tile that never changes."""
        address = self.tilejson(**query)["tiles"][0].format(z=1, x=0, y=0)
        return address[len(self.server.url):]

    def dimension(self, name):
        """The values of a dimension, as the capabilities have it."""
        dataset = self.page.dataset()
        answer = self.get(f"wms/{dataset['id']}?SERVICE=WMS&REQUEST=GetCapabilities&VERSION=1.3.0")
        found = [d.text for d in xml.etree.ElementTree.fromstring(answer.body).iter(WMS + "Dimension") if d.get("name").lower() == name]
        return found[0] if found else ""


@pytest.fixture
def folder(tmp_path):
    folder = Folder(tmp_path / "watched", tmp_path / "made")
    folder.put(0, *STEPS, value=240.0)
    return folder


@pytest.fixture
def maps(virga, tmp_path, folder, http_get):
    with running(virga, tmp_path / "server", folder.path) as server, Page(server, folder.nx) as page:
        page.until_runs({0: STEPS})
        yield Maps(page, http_get)


def test_a_new_run_is_latest_for_who_names_none_and_changes_nothing_for_who_does(maps, folder):
    named = maps.path(run=iso_of(0), time=iso_of(1))
    for_good = maps.immutable(run=iso_of(0), time=iso_of(1))
    tags = {path: maps.get(path).headers["ETag"] for path in (named, for_good)}
    latest = maps.path(run="latest", time="T+1")
    assert maps.shows(latest, 240)
    folder.put(6, *STEPS, value=290.0)
    maps.page.until_runs({0: STEPS, 6: STEPS})
    wait_until(lambda: maps.shows(latest, 290))
    assert maps.shows(maps.path(), 240) or maps.shows(maps.path(), 290)
    for path, tag in tags.items():
        answer = maps.get(path, **{"If-None-Match": tag})
        assert answer.status == 304 and maps.shows(path, 240)
    wait_until(lambda: iso_of(6) in maps.dimension("reference_time"))
    assert iso_of(8) in maps.dimension("time")


def test_a_file_replaced_in_place_ends_its_editions(maps, folder):
    named, for_good = maps.path(run=iso_of(0), time=iso_of(1)), maps.immutable(run=iso_of(0), time=iso_of(1))
    tag = maps.get(named).headers["ETag"]
    assert maps.shows(for_good, 240)
    folder.put(0, 1, value=300.0)
    wait_until(lambda: maps.shows(named, 300))
    assert maps.get(named, **{"If-None-Match": tag}).status == 200
    gone = maps.get(for_good)
    assert gone.status == 410 and "immutable" not in gone.headers["Cache-Control"] and json.loads(gone.body)["error"]["message"]
    assert maps.shows(maps.immutable(run=iso_of(0), time=iso_of(1)), 300)


def test_what_is_deleted_is_not_drawn_any_more(maps, folder):
    other, last = maps.path(run=iso_of(0), time=iso_of(0)), maps.path(run=iso_of(0), time=iso_of(2))
    assert maps.shows(last, 240)
    folder.file(0, 2).unlink()
    wait_until(lambda: maps.get(last).status == 404)
    assert maps.shows(other, 240)
    assert iso_of(2) not in maps.dimension("time")
