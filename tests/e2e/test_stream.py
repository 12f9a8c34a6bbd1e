# SPDX-License-Identifier: Apache-2.0
"""The websocket: what a page asks for comes, complete and right, in the promised order, within the promised window."""
import json
import urllib.request

import numpy as np
import pytest

import brick_decoder
import make_files
from ws_client import Closed, Stream


@pytest.fixture
def server(serve, demo_forecast):
    with serve(demo_forecast) as running:
        yield running


def catalog(server):
    return json.load(urllib.request.urlopen(server.url + "api/catalog"))["datasets"][0]


def volumes(dataset):
    return [v["id"] for v in dataset["variables"] if v["vertical"] and not v["derived"]]


def fetch(server, path):
    return urllib.request.urlopen(server.url + path).read()


def test_the_streams_bricks_are_those_of_http_and_whole(server):
    dataset = catalog(server)
    variable = volumes(dataset)[0]
    edition = dataset["runs"][-1]["series"][variable]["editions"][1]
    with Stream(server.url) as stream:
        stream.interest(dataset["id"], [variable], time=1)
        assert "degraded" not in stream.until_done()
        assert stream.steps[(0, 1)]["edition"] == edition
        assert stream.tables[(0, 1)] == fetch(server, f"bricks/{edition}/0/1/table")
        table = brick_decoder.step_table(stream.tables[(0, 1)])
        expected = {(0, 1, n, x, y, z) for n, level in enumerate(table.levels)
                    for z, y, x in np.argwhere(level.kind >= brick_decoder.FULL)}
        assert set(stream.bricks) == expected
        for (_, _, level, x, y, z), data in stream.bricks.items():
            assert data == fetch(server, f"bricks/{edition}/0/1/{level}/{z}/{y}/{x}")


def test_several_layers_come_side_by_side_at_the_same_time(server):
    dataset = catalog(server)
    names = volumes(dataset)[:2] + [v["id"] for v in dataset["variables"] if not v["vertical"]][:1] + ["wind_speed"]
    with Stream(server.url) as stream:
        stream.interest(dataset["id"], names, time=2, direction=1, steps=1, rate=1)
        stream.until_done()
        assert {(layer, step) for layer, step in stream.tables} == {(n, s) for n in range(4) for s in (2, 3)}
        assert {stream.steps[(n, 2)]["time"] for n in range(4)} == {stream.steps[(0, 2)]["time"]}
        assert stream.steps[(0, 2)]["time"] == dataset["runs"][-1]["series"][names[0]]["times"][2]


def test_the_coarsest_level_comes_before_anything_finer_and_before_other_steps(serve, tmp_path):
    with serve(make_files.height_levels(tmp_path / "a.nc", shape=(40, 150, 170), steps=3)) as server, Stream(server.url) as stream:
        dataset = catalog(server)
        variable = volumes(dataset)[0]
        order = []
        stream.interest(dataset["id"], [variable], time=0, direction=1, rate=1, steps=2)
        while True:
            message = stream.take()
            if isinstance(message, list):
                order += [(p["kind"], p["step"], p["level"]) for p in message]
            elif message["type"] == "done":
                break
        top = len(brick_decoder.step_table(stream.tables[(0, 0)]).levels) - 1
        assert top >= 1
        stages = [0 if step == 0 and (kind == 1 or level == top) else 1 if step == 0 else 2 if kind == 1 or level == top else 3
                  for kind, step, level in order]
        assert stages[0] == 0 and set(stages) == {0, 1, 2, 3}
        # The steps ahead may overtake what is still being made, but the picture's first glance comes first of all.
        assert stages[:stages.count(0)] == [0] * stages.count(0)


def test_geometry_named_by_a_step_can_be_fetched(server):
    dataset = catalog(server)
    with Stream(server.url) as stream:
        flat = next(v["id"] for v in dataset["variables"] if not v["vertical"])
        stream.interest(dataset["id"], [volumes(dataset)[0], flat], time=0)
        stream.until_done()
        for layer in (0, 1):
            assert fetch(server, f"api/geometry/{dataset['id']}/{stream.steps[(layer, 0)]['geometry']}")
        assert stream.steps[(1, 0)]["geometry"] == "surface"


def test_what_came_does_not_come_again(server):
    dataset = catalog(server)
    with Stream(server.url) as stream:
        stream.interest(dataset["id"], volumes(dataset)[:1], time=1)
        stream.until_done()
        once = stream.bytes
        stream.interest(dataset["id"], volumes(dataset)[:1], time=1)
        stream.until_done()
        assert stream.bytes == once
        stream.interest(dataset["id"], volumes(dataset)[:1], time=1, have="none")
        stream.until_done()
        assert abs(stream.bytes - 2 * once) < 2000


def test_what_the_page_dropped_comes_again(server):
    dataset = catalog(server)
    variable = volumes(dataset)[0]
    with Stream(server.url) as stream:
        stream.interest(dataset["id"], [variable], time=1, have="kept")
        stream.until_done()
        stream.interest(dataset["id"], [variable], time=3, have="kept")
        stream.until_done()
        mine = next(key for key in stream.bricks if key[1] == 1)
        stream.forget()
        stream.socket.say({"type": "drop", "variable": variable, "step": 1, "bricks": [list(mine[2:])]})
        stream.interest(dataset["id"], [variable], time=1, have="kept")
        stream.until_done()
        assert list(stream.bricks) == [mine] and not stream.tables


def test_no_more_than_the_window_comes_without_acknowledgement(serve, tmp_path):
    def all_there_is(stream):
        """Takes without a word until nothing comes."""
        stream.socket.socket.settimeout(2)
        with pytest.raises(TimeoutError):
            while True:
                stream.take(ack=False)

    with serve(make_files.height_levels(tmp_path / "a.nc", shape=(60, 350, 350), steps=4)) as server, Stream(server.url) as stream:
        dataset = catalog(server)
        wanted = {"time": 0, "direction": 1, "steps": 3, "rate": 1, "have": "none"}
        stream.interest(dataset["id"], volumes(dataset)[:1], **wanted)
        stream.until_done(600)  # now all of it is warm
        stream.forget()
        stream.interest(dataset["id"], volumes(dataset)[:1], **wanted)
        all_there_is(stream)
        assert 0.7 * stream.window < stream.payload <= stream.window
        before = stream.payload
        stream.ack(200_000)
        all_there_is(stream)
        assert 0 < stream.payload - before <= 200_000 + (stream.window - before)


def test_after_a_seek_at_most_a_window_of_stale_bytes_comes(serve, tmp_path):
    with serve(make_files.height_levels(tmp_path / "a.nc", shape=(60, 250, 250), steps=4)) as server, Stream(server.url) as stream:
        dataset = catalog(server)
        variable = volumes(dataset)[:1]
        for _ in range(3):  # with the bricks warm, the server is always ahead
            stream.forget()
            stream.interest(dataset["id"], variable, time=0, have="none", direction=1, steps=1, rate=1)
            stream.take(), stream.take()
            stream.interest(dataset["id"], variable, time=3, have="none")
            stream.until_done()
            assert stream.stale <= stream.window
            late = [key for key in stream.bricks if key[1] != 3]
            assert sum(len(stream.bricks[key]) for key in late) <= 2 * stream.window


@pytest.mark.parametrize("change, words", [({"dataset": "none"}, "no dataset none"), ({"time": 999}, "999"), ({"run": "1999-01-01T00:00:00Z"}, "no run"),
                                           ({"layers": [{"variable": "nonsense"}]}, "no variable nonsense"), ({"member": 7}, "member")])
def test_an_interest_in_what_is_not_there_is_answered(server, change, words):
    dataset = catalog(server)
    with Stream(server.url) as stream:
        stream.interest(dataset["id"], volumes(dataset)[:1], **change) if "dataset" not in change else stream.interest("none", ["x"])
        message = stream.take()
        assert message["type"] == "error" and message["generation"] == 1 and words in message["message"]
        stream.interest(dataset["id"], volumes(dataset)[:1])  # and the next is met
        stream.until_done()


def test_acknowledging_every_batch_is_never_too_much(server):
    """A slow page lets hundreds of small batches come and answers them all at once."""
    dataset = catalog(server)
    with Stream(server.url) as stream:
        for _ in range(5):
            batches = []
            stream.interest(dataset["id"], volumes(dataset)[:4], time=0, direction=1, steps=3, rate=1, have="none")
            while True:
                message = stream.take(ack=False)
                if isinstance(message, list):
                    batches.append(sum(len(part["data"]) for part in message))
                elif message["type"] == "done":
                    break
            for size in batches:
                stream.ack(size)
        stream.socket.say({"type": "ping", "id": 1})
        while stream.take() != {"type": "pong", "id": 1}:
            pass


def test_ping_is_answered(server):
    with Stream(server.url) as stream:
        stream.socket.say({"type": "ping", "id": 42})
        assert stream.take() == {"type": "pong", "id": 42}


def test_a_silent_client_is_closed_after_the_idle_time(serve, demo_forecast):
    with serve(demo_forecast, "--idle-seconds", 1) as server, Stream(server.url, timeout=20) as stream:
        with pytest.raises(Closed) as closed:
            stream.take()
        assert closed.value.code == 1008 and "idle" in closed.value.reason


def test_the_server_stops_at_once_with_clients_connected(serve, demo_forecast):
    with serve(demo_forecast) as server:
        dataset = catalog(server)
        streams = [Stream(server.url) for _ in range(5)]
        for stream in streams:
            stream.interest(dataset["id"], volumes(dataset)[:2], time=0, direction=1, steps=3, rate=4)
        assert server.stop(10) == 0
        for stream in streams:
            stream.socket.socket.close()
