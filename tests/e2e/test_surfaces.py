# SPDX-License-Identifier: Apache-2.0
"""Fields at surfaces of every kind, as the server tells them in the model's own columns (api/slice), against numpy's own computation from the file."""
import gzip
import json
import struct
import urllib.parse

import numpy
import pytest

import make_files
import surfaces
import wrf_files

HEIGHTS = ("1500m", "700m", "5km", "50m-above-ground", "1000m-above-ground")
LEVELS = ("k0", "k3", "850hPa", "500hPa", "960hPa", "FL100", "300K", "320K", "max", "sum") + HEIGHTS
SLACK = 0.1  # metres, beside the level map's own error


class Slice:
    """An answer of api/slice, taken apart."""

    def __init__(self, body):
        mark, version, length = struct.unpack_from("<4sII", body)
        assert (mark, version) == (b"VSLC", 1)
        self.head = json.loads(body[12:12 + length])
        start = 12 + (length + 3) // 4 * 4
        shape = (self.head["ny"], self.head["nx"])

        def array(where):
            return numpy.frombuffer(body, "<f4", where["count"], start + where["offset"]).reshape(shape).astype(float)
        self.values = array(self.head["values"])
        self.heights = array(self.head["heights"]) if self.head["heights"] else None


@pytest.fixture
def ask(http_get):
    """ask(server, variable, level, …): a Slice, and its variable in the catalog; of the dataset whose id begins so."""
    def get(server, variable, level, begins="", **more):
        catalog = http_get(server.url + "api/catalog").json()
        dataset, found = next((d, v) for d in catalog["datasets"] if d["id"].startswith(begins) for v in d["variables"] if v["name"] == variable)
        query = urllib.parse.urlencode({"dataset": dataset["id"], "variable": found["id"], "level": level, **more})
        answer = http_get(server.url + "api/slice?" + query, {"Accept-Encoding": "gzip"})
        assert answer.status == 200, answer.body
        assert answer.headers["Content-Encoding"] == "gzip" and "Accept-Encoding" in answer.headers["Vary"]
        return Slice(gzip.decompress(answer.body)), found
    return get


def compare(found, variable, columns, level):
    """Values within ε (of each level that is summed) of what the file gives within the level map's error; absent alike."""
    slack = SLACK + (variable.get("vertical") or {}).get("map_error", 0)
    metres = level.replace("5km", "5000m")
    low, high = columns.bounds(metres, slack)
    unsure = columns.near_an_end(metres, slack) if level in HEIGHTS else numpy.zeros(low.shape, bool)
    assert (numpy.isnan(found) == numpy.isnan(low))[~unsure].all(), level
    there = ~numpy.isnan(found) & ~numpy.isnan(low)
    allowed = variable["lattice"]["epsilon"] * (len(columns.values) if level == "sum" else 1) + 1e-5 * abs(high[there])
    assert (found[there] >= low[there] - allowed).all() and (found[there] <= high[there] + allowed).all(), level
    return there.sum()


def compare_edge(found, variable, columns, top, threshold):
    epsilon = variable["lattice"]["epsilon"]
    slack = SLACK + variable["vertical"]["map_error"]
    edges = numpy.stack([columns.edge(top, threshold + shift) for shift in (-1.01 * epsilon, 0, 1.01 * epsilon)])
    sure = ~numpy.isnan(edges).any(axis=0)
    assert sure.any() and not numpy.isnan(found[sure]).any() and numpy.isnan(found[numpy.isnan(edges).all(axis=0)]).all()
    assert (found[sure] >= edges.min(axis=0)[sure] - slack).all() and (found[sure] <= edges.max(axis=0)[sure] + slack).all()


def check(ask, server, path, name, threshold, levels=LEVELS, begins=""):
    columns = surfaces.load(path, name)
    present = 0
    for level in levels:
        if level.endswith("K") and columns.theta is None:
            continue
        answer, variable = ask(server, name, level, begins)
        present += compare(answer.values, variable, columns, level)
    for top in (True, False):
        answer, variable = ask(server, name, f"{'top' if top else 'base'}:{threshold}", begins)
        compare_edge(answer.values, variable, columns, top, threshold)
        assert answer.head["units"] == "m"
    assert present > columns.ground.size  # not everything is absent


def test_every_kind_of_levels(ask, serve, tmp_path):
    paths = {}
    for kind in make_files.LEVEL_KINDS:
        begins = f"kind-{kind.replace(' ', '-').replace('_', '-')}-levels"
        (tmp_path / begins).mkdir()
        paths[begins] = make_files.levels(tmp_path / begins / f"{begins}.nc", kind)
    with serve(list(paths.values())) as server:
        for begins, path in paths.items():
            check(ask, server, path, "cloud", 0.5, begins=begins)


def test_hybrid_heights(ask, serve, tmp_path):
    path = make_files.hybrid_height(tmp_path / "a.nc")
    with serve(path) as server:
        check(ask, server, path, "air_temperature", 270)


def test_heights_above_sea(ask, serve, tmp_path):
    path = make_files.height_levels(tmp_path / "a.nc")
    with serve(path) as server:
        check(ask, server, path, "air_temperature", 282, [level for level in LEVELS if "above" not in level])


def test_wrf(ask, serve, tmp_path):
    path = wrf_files.write(tmp_path / "wrfout_d01", "lambert")
    with serve(path) as server:
        check(ask, server, path, "QVAPOR", 0.005)


@pytest.mark.parametrize("file, name, threshold", [("vinth2p.nc", "T", 270), ("wrf_ci_test_file.nc", "QVAPOR", 0.005)])
def test_real_forecasts(ask, serve, forecasts, file, name, threshold):
    with serve(forecasts / file) as server:
        check(ask, server, forecasts / file, name, threshold)


def test_slices_say_what_they_are(ask, serve, http_get, tmp_path):
    path = make_files.hybrid_height(tmp_path / "a.nc")
    columns = surfaces.load(path, "air_temperature")
    with serve(path) as server:
        answer, variable = ask(server, "air_temperature", "1.5km", heights=1)
        head = answer.head
        assert (head["level"], head["title"], head["units"]) == ("1500m", "1500 m", "K") and "hybrid height" in head["method"]
        assert head["range"] == [pytest.approx(numpy.nanmin(answer.values)), pytest.approx(numpy.nanmax(answer.values))]
        assert (answer.heights == 1500).all()
        level, _ = ask(server, "air_temperature", "k3", heights=1)
        assert abs(level.heights - columns.heights[3]).max() < variable["vertical"]["map_error"] + SLACK
        above, _ = ask(server, "air_temperature", "100m-above-ground", heights=1)
        assert abs(above.heights - columns.ground - 100).max() < 0.01


def test_what_is_no_surface_is_refused_in_words(serve, http_get, tmp_path):
    path = make_files.pressure_levels(tmp_path / "a.nc")
    with serve(path) as server:
        dataset = http_get(server.url + "api/catalog").json()["datasets"][0]
        address = f"{server.url}api/slice?dataset={dataset['id']}&variable={dataset['variables'][0]['id']}"
        for level, status in (("850", 400), ("k99", 404), ("-1hPa", 400), ("top", 400), ("x" * 60, 400), ("x" * 600, 400)):
            answer = http_get(f"{address}&level={level}")
            assert answer.status == status and answer.json()["error"], level
        for wrong in ("heights=maybe", "most=1", "most=1e99", "time=yesterday", "member=7", "run=2000-01-01T00:00:00Z"):
            assert http_get(f"{address}&level=850hPa&{wrong}").status in (400, 404), wrong
        assert http_get(server.url + "api/slice").status == 404
        fine = http_get(f"{address}&level=850hPa")
        assert fine.status == 200 and fine.headers["ETag"] and "Content-Encoding" not in fine.headers
        assert http_get(f"{address}&level=85000Pa", {"If-None-Match": fine.headers["ETag"]}).status == 304


def test_a_large_grid_comes_as_coarse_as_is_asked_for(ask, serve, tmp_path):
    path = make_files.height_levels(tmp_path / "a.nc", shape=(3, 150, 200))
    with serve(path) as server:
        whole, _ = ask(server, "air_temperature", "k1")
        coarse, _ = ask(server, "air_temperature", "k1", most=8000)
        assert (coarse.head["nx"], coarse.head["ny"], coarse.head["scale"]) == (100, 75, 2)
        means = whole.values.reshape(75, 2, 100, 2).mean(axis=(1, 3))
        assert coarse.values == pytest.approx(means, abs=1e-3)


def test_a_picture_of_no_surface_is_refused_by_the_views_field(run, tmp_path):
    path = make_files.pressure_levels(tmp_path / "a.nc")
    flat = make_files.surface(tmp_path / "flat.nc")
    for file, level, words in ((path, "k99", "has model levels k0 to k4"), (path, "850", "expected a surface such as"), (flat, "850hPa", "has no levels")):
        dataset = json.loads(run("info", "--json", file).stdout)["datasets"][0]
        view = {"version": 1, "dataset": dataset["id"], "layers": [{"variable": dataset["variables"][0]["id"], "level": level}], "map": {"coastlines": False}}
        (tmp_path / "view.json").write_text(json.dumps(view))
        done = run("export", tmp_path / "view.json", file, "--out", tmp_path / "picture.png")
        assert done.returncode != 0 and "layers[0].level: " in done.stderr and words in done.stderr, done.stderr
