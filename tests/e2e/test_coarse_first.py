# SPDX-License-Identifier: Apache-2.0
"""Fields that an engine reads: a coarse picture asks for coarse numbers only, over the websocket, over HTTP and in an export; a place is sampled from its
own columns; and what is seen in the end is what the same file shows without an engine, within one lattice step."""
import json
import re
import urllib.request

import netCDF4
import numpy
import pytest

import brick_decoder
import make_files
from ws_client import Stream

SHAPE = (20, 200, 260)  # four levels of a pyramid


@pytest.fixture(scope="module")
def forecast(tmp_path_factory):
    """North to south, levels from the ground up, a hole of missing values at the lowest; chunks that blocks do not fit."""
    path = tmp_path_factory.mktemp("forecast") / "a.nc"
    with netCDF4.Dataset(path, "w") as file:
        make_files.times(file, 3)
        make_files.axis(file, "height", 100.0 * (numpy.arange(SHAPE[0]) + 1), "height", "m", positive="up")
        make_files.axis(file, "latitude", 60 - 0.05 * numpy.arange(SHAPE[1]), "latitude", "degrees_north")
        make_files.axis(file, "longitude", -10 + 0.05 * numpy.arange(SHAPE[2]), "longitude", "degrees_east")
        v = file.createVariable("air_temperature", "f4", ("time", "height", "latitude", "longitude"), chunksizes=(1, 3, 70, 90), fill_value=-999)
        v.standard_name, v.units = "air_temperature", "K"
        values = numpy.stack([make_files.field(SHAPE) + step for step in range(3)])
        values[:, :4, :50, :40] = -999
        v[:] = values
    return path


@pytest.fixture
def engine(run, forecast):
    """The forecast's address for the engine."""
    address = f"xarray:{forecast}"
    done = run("info", address)
    if done.returncode and "server/engine" in done.stderr:
        pytest.skip("the engine is not installed")
    assert done.returncode == 0, done.stderr
    return address


def get(server, path):
    return urllib.request.urlopen(server.url + path).read()


def dataset_of(server):
    return json.loads(get(server, "api/catalog"))["datasets"][0]


def temperature(dataset):
    return next(v for v in dataset["variables"] if v["id"] == "air_temperature")


def counts(server):
    return json.loads(get(server, "api/stats"))["store"]


def engine_counts(server):
    return json.loads(get(server, "api/stats"))["engine"]


def blocks(variable, level):
    """Bytes of a level's means, least, most and counts."""
    return 32 * int(numpy.prod(variable["pyramid"][level]["n"]))


def test_the_first_picture_and_a_switch_of_time_are_coarse(serve, engine):
    with serve(engine) as server, Stream(server.url) as stream:
        dataset = dataset_of(server)
        variable = temperature(dataset)
        top = len(variable["pyramid"]) - 1
        assert top >= 2
        for time in (0, 1):
            read = engine_counts(server)["read"]
            stream.interest(dataset["id"], ["air_temperature"], time=time, max_level=top)
            stream.until_done()
            assert {key[2] for key in stream.bricks if key[1] == time} == {top}
            assert counts(server)["chunks_bytes_read"] == (time + 1) * blocks(variable, top)
            assert engine_counts(server)["read"] - read == 4 * numpy.prod(SHAPE)  # each stored number once
        assert counts(server)["steps_read"] == 0


def test_bricks_over_http_read_their_level(serve, engine):
    with serve(engine) as server:
        variable = temperature(dataset := dataset_of(server))
        edition, top = dataset["runs"][-1]["series"]["air_temperature"]["edition"], len(variable["pyramid"]) - 1
        table = get(server, f"bricks/{edition}/0/2/table")
        get(server, f"bricks/{edition}/0/2/{top}/0/0/0")
        assert counts(server)["chunks_bytes_read"] == blocks(variable, top)
        get(server, f"bricks/{edition}/0/2/{top - 1}/0/0/0")
        assert counts(server)["chunks_bytes_read"] == blocks(variable, top) + blocks(variable, top - 1)
        assert get(server, f"bricks/{edition}/0/2/table") == table


def test_what_is_seen_in_the_end_is_what_the_file_shows(serve, engine, forecast):
    shown = []
    for path in (engine, forecast):
        with serve(path) as server, Stream(server.url) as stream:
            dataset = dataset_of(server)
            variable = temperature(dataset)
            for level in range(len(variable["pyramid"]) - 1, -1, -1):
                stream.interest(dataset["id"], ["air_temperature"], time=1, max_level=level, have="kept")
                stream.until_done()
            table = brick_decoder.step_table(stream.tables[0, 1])
            shown.append([brick_decoder.level(lambda *key: stream.bricks[(0, 1, *key)], table, level) for level in range(len(table.levels))])
    for (mine, here), (theirs, there) in zip(*shown):
        assert (here == there).all() and here.any()
        assert abs(mine - theirs)[here].max() <= 1
    assert not shown[0][0][1].all()


def test_a_range_that_nobody_knows_is_found_the_same(run, engine, tmp_path):
    path = tmp_path / "stuff.nc"
    with netCDF4.Dataset(path, "w") as file:
        make_files.times(file, 2)
        y, x = make_files.plain_axes(file, 60, 50)
        for name, valid in (("stuff", None), ("outside", [0.0, 3.0])):
            v = file.createVariable(name, "f4", ("time", y, x))
            v.units = "bananas"
            if valid:
                v.valid_range = numpy.array(valid, "f4")
            v[:] = numpy.stack([make_files.field((1, 50, 60), 3)[0] + step for step in range(2)])
    mine, theirs = (json.loads(run("info", "--json", address).stdout)["datasets"][0]["variables"] for address in (f"xarray:{path}", path))
    assert len(mine) == 2
    for a, b in zip(mine, theirs):
        assert a["id"] == b["id"] and a["lattice"] == b["lattice"] and a.get("note") == b.get("note")
    assert any("valid range" in v.get("note", "") for v in mine)


def test_a_place_is_sampled_from_its_columns(serve, engine, forecast):
    place = "api/sample?variable=air_temperature&time=T%2B8&lon=-5.33&lat=55.21"
    answers = []
    for path in (engine, forecast):
        with serve(path) as server:
            answers.append([json.loads(get(server, place + more)) for more in ("&height=1234", "&profile=1")])
            if path == engine:
                assert counts(server)["chunks_bytes_read"] == 0
    for mine, theirs in zip(*answers):
        assert mine["bricks"] == theirs["bricks"] and mine["source"] == theirs["source"]


def test_a_small_export_reads_no_fine_level(run, engine, tmp_path):
    view = {"version": 1, "dataset": json.loads(run("info", "--json", engine).stdout)["datasets"][0]["id"],
            "layers": [{"variable": "air_temperature"}], "map": {"coastlines": False}}
    (tmp_path / "view.json").write_text(json.dumps(view))
    done = run("export", tmp_path / "view.json", "--size", "32x18", "--out", tmp_path / "out.png", "--log-level", "debug", engine)
    assert done.returncode == 0, done.stderr
    asked = re.findall(r"engine: xarray:\S+ air_temperature \[(.*?)\]: ", done.stderr)
    assert asked, done.stderr
    for box in asked:
        lengths = [(int(n), int(block)) for n, block in re.findall(r"\d+\+(\d+)/(\d+)", box)]
        assert numpy.prod([-(-n // block) for n, block in lengths]) <= 0.3 * numpy.prod(SHAPE), box
