# SPDX-License-Identifier: Apache-2.0
"""QGIS, without a screen, draws virga's WMS layers and tiles as an independent reprojection has them, and asks what lies at a place."""
import importlib.util
import json
import pathlib
import re
import subprocess
import urllib.parse

import pytest

import png
from conftest import ROOT, clean_environment
from map_clients import FRAMES, TIMES, maps  # noqa: F401 - a fixture
from map_reference import Frame

if importlib.util.find_spec("qgis") is None:
    pytest.skip("python3-qgis is not installed (tests/run --all installs it)", allow_module_level=True)


@pytest.fixture
def qgis(tmp_path):
    """qgis(jobs): what qgis_client.py says of each."""
    def run(jobs):
        (tmp_path / "jobs.json").write_text(json.dumps(jobs))
        done = subprocess.run(["/usr/bin/python3", str(ROOT / "tests" / "reference" / "qgis_client.py"),
                               str(tmp_path / "jobs.json")], capture_output=True,
                              text=True, timeout=600,
                              env=clean_environment(tmp_path, QT_QPA_PLATFORM="offscreen",
                                                    XDG_RUNTIME_DIR=str(tmp_path)))
        assert done.returncode == 0, done.stderr[-2000:]
        answers = json.loads(done.stdout.splitlines()[-1])
        assert all(answer["valid"] and not answer["error"] for answer in answers), answers
        return answers
    return run


def wms(maps, name, crs, time, version="1.3.0", **more):
    """QGIS's own text for a WMS layer. time: in the service's address, None for one that QGIS gives."""
    service = f"{maps.url}wms?VERSION={version}" + (f"&TIME={time}" if time else "")
    fixed = {"crs": crs, "format": "image/png", "layers": maps.layer(name), "styles": "", "dpiMode": "7",
             "version": version, **more}
    if time:
        fixed.update(IgnoreGetMapUrl="1", IgnoreGetFeatureInfoUrl="1")
    return urllib.parse.urlencode({**fixed, "url": service}, quote_via=urllib.parse.quote)


def job(tmp_path, number, uri, frame):
    return {"uri": uri, "crs": frame.crs.replace("CRS:84", "OGC:CRS84"), "box": frame.box, "width": frame.width,
            "height": frame.height,
            "picture": str(tmp_path / f"{number}.png")}


@pytest.mark.parametrize("version", ["1.3.0", "1.1.1"])
def test_wms_layers(maps, qgis, tmp_path, version):
    jobs = {name: job(tmp_path, name, wms(maps, name, frame.crs, TIMES[1], version), frame) for name,
            frame in FRAMES.items()}
    qgis(list(jobs.values()))
    for name, frame in FRAMES.items():
        maps.check(rgba(jobs[name]["picture"]), name, frame, step=1, share=0.002)


@pytest.mark.parametrize("last", [TIMES[1], "2026-01-01T07:59:59Z"])
def test_the_temporal_controller_chooses_the_time(maps, qgis, tmp_path, last):
    """Its frames are moments, or last until the next."""
    frame = FRAMES["lambert"]
    uri = wms(maps, "lambert", frame.crs, None, type="wmst", timeDimensionExtent=f"{TIMES[0]}/{TIMES[2]}/PT1H",
              allowTemporalUpdates="true",
              temporalSource="provider", enableTime="true")
    qgis([{**job(tmp_path, "frame", uri, frame), "time": [TIMES[1], last]}])
    maps.check(rgba(tmp_path / "frame.png"), "lambert", frame, step=1, share=0.002)


def rgba(path):
    return png.Image(pathlib.Path(path).read_bytes()).pixels


def test_tiles(maps, qgis, tmp_path):
    frame = Frame("EPSG:3857", (-5009377.0857, 0, 5009377.0857, 10018754.1714), 512, 512)  # of the zoom's own scale
    address = urllib.parse.quote(maps.tiles("globe", time=TIMES[0]).replace("%7B", "{").replace("%7D", "}"), safe="")
    qgis([job(tmp_path, "tiles", f"type=xyz&url={address}&zmin=0&zmax=10", frame)])
    maps.check(rgba(tmp_path / "tiles.png"), "globe", frame, step=0, slack=1, share=0.002)


def test_a_map_that_qgis_projects_by_itself(maps, qgis, tmp_path):
    frame = Frame("EPSG:3035", (3000000, 3300000, 3900000, 4000000), 360, 280)
    qgis([job(tmp_path, "own", wms(maps, "globe", "EPSG:3857", TIMES[0]), frame)])
    maps.check(rgba(tmp_path / "own.png"), "globe", frame, step=0, slack=2, share=0.01)


def test_what_lies_at_a_place(maps, qgis):
    frame = FRAMES["globe"]
    x, y = frame.box[0] + 200.5 * (frame.box[2] - frame.box[0]) / frame.width, frame.box[3] - 100.5 * (frame.box[3] - frame.box[1]) / frame.height
    (answer,) = qgis([{"uri": wms(maps, "globe", frame.crs, TIMES[1]), "box": frame.box, "width": frame.width,
                       "height": frame.height, "identify": [x, y]}])
    bounds = maps.field("globe", step=1).bounds(frame, 1)
    numbers = [float(number) for number in re.findall(r"-?\d+\.?\d*", " ".join(answer["found"]))]
    assert any(bounds.low[100, 200] <= number + 273.15 <= bounds.high[100,
                                                                      200] for number in numbers), answer  # it is told in °C
