# SPDX-License-Identifier: Apache-2.0
"""Users of a server with a cluster: what each of them sees, who may publish, and that nothing of one reaches another."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from distributed import Client

from conftest import wait_until
from people import PATIENCE, WORD, Person, new_person, word  # noqa: F401 - a fixture
from processes import alive, descendants, running_below, scheduler, until, worker
from ws_client import Closed, Stream


def forecast() -> xr.Dataset:
    """A temperature of 4 steps on 5 × 40 × 50 points."""
    z, y, x = np.meshgrid(np.arange(5.0), np.arange(40.0), np.arange(50.0), indexing="ij")
    values = np.stack([290 - 6 * z + 0.1 * x + 0.05 * y + step for step in range(4)]).astype("f4")
    names = ("time", "height", "latitude", "longitude")
    coordinates = {
        "time": ("time", np.arange(4), {"units": "hours since 2026-01-31 00:00:00", "standard_name": "time"}),
        "height": ("height", np.arange(5) * 500.0, {"units": "m", "standard_name": "height", "positive": "up"}),
        "latitude": ("latitude", 50 + 0.1 * np.arange(40), {"units": "degrees_north", "standard_name": "latitude"}),
        "longitude": ("longitude", 0.1 * np.arange(50), {"units": "degrees_east", "standard_name": "longitude"}),
    }
    return xr.Dataset({"air_temperature": (names, values, {"units": "K", "standard_name": "air_temperature"})}, coordinates,
                      {"title": "made up"})


@dataclass
class Cluster:
    address: str
    store: Path


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A scheduler with a worker and a published dataset "mine"; and a Zarr store of the same."""
    folder = tmp_path_factory.mktemp("cluster")
    data = forecast()
    data.to_zarr(folder / "store.zarr", zarr_format=3, consolidated=False)
    process, address = scheduler(folder)
    with process, worker(folder, address, "one"):
        with Client(address, set_as_default=False) as client:
            client.wait_for_workers(1, timeout=60)
            client.publish_dataset(mine=client.persist(data.chunk({"time": 1})))
            yield Cluster(address, folder / "store.zarr")


def publish(url: str, name: str = "published:mine", **more: str) -> tuple[int, Any]:
    return Person(url).ask("api/datasets", "POST", {"address": name, **more}, Authorization=f"Bearer {WORD}")


def engines(server: Any) -> set[int]:
    """The engines' processes of a server."""
    return running_below(server.process.pid, "virga_engine")


def test_each_user_has_an_engine_and_datasets_of_their_own(serve, cluster):
    with serve(f"zarr:{cluster.store}", "--engine", cluster.address, "--engine-clusters", "user") as server:
        nobody, first, second = Person(server.url), new_person(server.url), new_person(server.url)
        mine, theirs = first.editions(), second.editions()
        assert mine and theirs and not mine & theirs
        assert nobody.catalog()["datasets"] == []
        assert len(engines(server)) == 2
        dataset = first.dataset()
        edition = sorted(mine)[0]
        geometry = next(iter(next(iter(dataset["runs"][0]["series"].values()))["geometry"]))
        place = urllib.parse.urlencode({"dataset": dataset["id"], "variable": "air_temperature", "time": "T+0", "lon": 1, "lat": 51, "height": 100})
        for path in (f"bricks/{edition}/0/0/table", f"api/geometry/{dataset['id']}/{geometry}", f"api/sample?{place}"):
            assert first.ask(path)[0] == 200, path
            assert nobody.ask(path)[0] == 404, path
        assert second.ask(f"bricks/{edition}/0/0/table")[0] == 404

        first.read_something()
        second.read_something()
        status, state = first.ask("api/engine")
        assert status == 200 and state["cluster"] == "shared" and state["own"] and state["clusters"] == "user"
        status, state = nobody.ask("api/engine")
        assert status == 200 and state["cluster"] == "none" and not state["own"] and state["dashboard"] is None
        assert nobody.ask("api/engine", "POST", {"action": "stop"})[0] == 403
        assert first.ask("api/engine", "POST", {"action": "stop"})[0] == 202
        wait_until(lambda: first.ask("api/engine")[1]["state"] == "stopped", PATIENCE)
        assert second.ask("api/engine")[1]["state"] == "running"

        assert second.ask("api/session", "DELETE")[0] == 204
        assert second.catalog()["datasets"] == []
        until(lambda: len(engines(server)) == 1, "the second user's engine goes with the session")


def stream_is_older(stream: Stream, seconds: float) -> bool:
    """Whether a websocket has been there for so long; counted from the first question."""
    if not hasattr(stream, "asked"):
        stream.asked = time.monotonic()
    return time.monotonic() - stream.asked > seconds


def test_an_engine_that_nobody_uses_goes_after_a_while(serve, cluster):
    with serve(f"zarr:{cluster.store}", "--engine", cluster.address, "--engine-clusters", "user", "--engine-idle", "2") as server:
        person = new_person(server.url)
        before = person.editions()
        until(lambda: not engines(server), "nobody asks any more")
        after = person.editions()  # who comes back finds it again, anew
        assert after and not after & before
        with Stream(server.url) as stream:  # a page that is open keeps it
            stream.socket.say({"type": "user", "session": person.token})
            wait_until(lambda: (said := stream.take())["type"] == "user" and said["known"])
            kept = engines(server)
            wait_until(lambda: Person(server.url).ask("api/stats")[1]["connections"]["now"] and stream_is_older(stream, 5), 30)
            assert kept and engines(server) == kept


def test_who_ends_a_session_has_no_engine_though_a_page_is_open(serve, cluster):
    with serve(f"zarr:{cluster.store}", "--engine", cluster.address, "--engine-clusters", "user") as server:
        person = new_person(server.url)
        assert person.editions() and len(engines(server)) == 1
        with Stream(server.url) as stream:
            stream.socket.say({"type": "user", "session": person.token})
            wait_until(lambda: (said := stream.take())["type"] == "user" and said["known"])
            assert person.ask("api/session", "DELETE")[0] == 204
            wait_until(lambda: (said := stream.take())["type"] == "user" and not said["known"])
            until(lambda: not engines(server), "the engine goes with the session")
            wait_until(lambda: Person(server.url).ask("api/stats")[0] == 200 and stream_is_older(stream, 3), 30)
            assert not engines(server) and Person(server.url).ask("api/stats")[1]["engine"]["spaces"] == 0


def own_address() -> str | None:
    """An address of this machine beside loopback: that by which it would reach another."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.77", 9))  # nothing is sent
            address = probe.getsockname()[0]
        except OSError:
            return None
    return None if address.startswith("127.") or address == "0.0.0.0" else address


def spaces(url: str) -> int:
    return Person(url).ask("api/stats")[1]["engine"]["spaces"]


def test_one_address_has_few_engines_and_only_who_needs_one(serve):
    address = own_address()
    if not address:
        pytest.skip("this machine has no address but loopback")
    flags = ("--allow-empty", "--engine", "local:1", "--engine-clusters", "user", "--listen", "0.0.0.0:0", "--open-to-all", "yes")
    with serve([], *flags) as server:
        far, near = f"http://{address}:{server.port}/", f"http://127.0.0.1:{server.port}/"
        people = [new_person(far) for _ in range(5)]
        assert people[0].ask("healthz")[0] == 200 and spaces(near) == 0  # a session alone takes nothing
        for count, person in enumerate(people[:4], 1):
            person.catalog()
            assert spaces(near) == count
        refused = people[4]
        refused.catalog()  # what all see
        assert spaces(near) == 4
        assert "4 sessions from your address" in refused.ask("api/engine")[1]["message"]
        status, said = refused.ask("api/engine", "POST", {"action": "stop"})
        assert status == 503 and "4 sessions from your address" in said["error"]["message"]
        with Stream(far) as stream:
            stream.socket.say({"type": "user", "session": refused.token})
            wait_until(lambda: (said := stream.take())["type"] == "error" and "4 sessions from your address" in said["message"])
        for person in (new_person(near) for _ in range(5)):  # a proxy's, which are told apart by nothing
            person.catalog()
        assert spaces(near) == 9
        assert people[0].ask("api/session", "DELETE")[0] == 204
        assert refused.ask("api/engine")[1]["own"] and spaces(near) == 9


def test_what_cannot_be_published_takes_no_place(serve, word):
    with serve([], "--engine", "none", "--publish-token-file", word) as server:
        assert {publish(server.url)[0] for _ in range(40)} <= {404, 422}
        assert Person(server.url).ask("api/stats")[1]["engine"]["spaces"] == 0


def test_what_is_published_is_seen_by_those_it_is_for(serve, cluster, word):
    with serve([], "--engine", cluster.address, "--publish-token-file", word) as server:
        status, said = publish(server.url, title="Mine alone")
        assert status == 201, said
        assert said["path"] == f"?dataset={said['dataset']}#code={said['code']}"
        nobody, other, owner = Person(server.url), new_person(server.url), new_person(server.url, said["code"])
        assert owner.dataset()["title"] == "Mine alone" and owner.dataset()["id"] == said["dataset"]
        assert nobody.catalog()["datasets"] == other.catalog()["datasets"] == []
        assert Person(server.url).ask("api/session", "POST", {"code": said["code"]})[0] == 403  # it serves once
        assert other.ask(f"api/datasets/{said['id']}", "POST")[0] == owner.ask(f"api/datasets/{said['id']}", "POST")[0] == 401
        status, more = Person(server.url).ask(f"api/datasets/{said['id']}", "POST", Authorization=f"Bearer {WORD}")
        assert status == 201 and new_person(server.url, more["code"]).editions() == owner.editions()
        edition = sorted(owner.editions())[0]
        assert owner.ask(f"bricks/{edition}/0/0/table")[0] == 200
        assert other.ask(f"bricks/{edition}/0/0/table")[0] == nobody.ask(f"bricks/{edition}/0/0/table")[0] == 404
        view = {"version": 1, "dataset": said["dataset"], "layers": [{"variable": "air_temperature"}]}
        for person in (owner, other, nobody):
            status, refused = person.ask("api/exports/preview", "POST", {"view": view}, Origin=server.url.rstrip("/"))
            assert status == 400 and ("for you alone" in refused["error"]["message"]) == (person is owner), refused
        assert other.ask(f"api/datasets/{said['id']}", "DELETE")[0] == 404
        assert owner.ask(f"api/datasets/{said['id']}", "DELETE")[0] == 204
        assert owner.catalog()["datasets"] == []
        assert owner.ask(f"bricks/{edition}/0/0/table")[0] == 404


def test_a_websocket_shows_what_its_user_may_see(serve, cluster, word):
    with serve([], "--engine", cluster.address, "--publish-token-file", word) as server:
        said = publish(server.url)[1]
        owner = new_person(server.url, said["code"])
        with Stream(server.url) as stream:
            stream.interest(said["dataset"], ["air_temperature"])
            wait_until(lambda: stream.take()["type"] == "error")
            stream.socket.say({"type": "user", "session": "A" * 43})
            wait_until(lambda: (said_so := stream.take())["type"] == "user" and not said_so["known"])
            stream.socket.say({"type": "user", "session": owner.token})
            wait_until(lambda: (said_so := stream.take())["type"] == "user" and said_so["known"])
            stream.interest(said["dataset"], ["air_temperature"])
            wait_until(lambda: stream.take() and stream.bricks, PATIENCE)
            stream.events.clear()
            assert Person(server.url).ask(f"api/datasets/{said['id']}", "DELETE", Authorization=f"Bearer {WORD}")[0] == 204
            wait_until(lambda: stream.take() and any(event["type"] == "catalog" for event in stream.events))
            stream.interest(said["dataset"], ["air_temperature"])
            stream.events.clear()
            wait_until(lambda: stream.take() and any(event["type"] == "error" for event in stream.events))


@pytest.mark.parametrize("address", ["", "mine", "published:", "/etc/passwd", "zarr:/etc", "xarray:/etc/*", "s3://bucket/store.zarr",
                                     "notebook:x", "published:a\nb", "published:\x1b[31m", 5, None, ["published:mine"], "published:" + "x" * 2000])
def test_only_names_of_published_datasets_are_taken(serve, cluster, word, address):
    with serve([], "--engine", "none", "--publish-token-file", word) as server:
        status, said = publish(server.url, address)
        assert status == 400, said
        assert not engines(server)


def test_a_name_is_looked_up_and_never_evaluated(serve, cluster, word, tmp_path):
    mark = tmp_path / "evaluated"
    with serve([], "--engine", cluster.address, "--publish-token-file", word) as server:
        for name in (f"__import__('pathlib').Path({str(mark)!r}).touch()", "../../mine", "$(touch x)", "{mine}", "mine\u0000"):
            status, said = publish(server.url, f"published:{name}")
            assert status in (400, 404, 422), said
            assert "Traceback" not in json.dumps(said)
        assert publish(server.url)[0] == 201
    assert not mark.exists()


def test_the_configuration_says_what_may_be_opened(run):
    for path, words in (("s3://bucket/store.zarr", "engine-schemes"), ("zarr:gs://bucket/store.zarr", "engine-schemes"),
                        ("https://example.org/x.zarr", "opendap-hosts")):
        done = run("serve", "--listen", "127.0.0.1:0", path)
        assert done.returncode != 0 and words in done.stderr, done.stderr


def test_who_shows_a_wrong_word_is_refused_and_no_word_is_logged(serve, cluster, word):
    with serve([], "--engine", "none", "--publish-token-file", word, "--log-level", "debug") as server:
        nobody = Person(server.url)
        assert nobody.ask("api/datasets", "POST", {"address": "published:mine"})[0] == 401
        wrong = WORD[:-1] + "g"
        answers = [nobody.ask("api/datasets", "POST", {"address": "published:mine"}, Authorization=f"Bearer {wrong}")[0] for _ in range(40)]
        assert answers[0] == 401 and answers[-1] == 429
        assert publish(server.url, "published:mine")[0] in (404, 422)  # the right one is let in all the same
        status, said = nobody.ask("api/session", "POST", {"code": wrong})
        assert status in (403, 429) and "token" not in said
        person = new_person(server.url)
        for secret in (WORD, wrong, person.token):
            assert secret not in server.stderr


def test_pages_of_other_sites_get_no_session(serve, cluster):
    with serve([], "--allow-empty") as server:
        nobody = Person(server.url)
        for origin in ("http://evil.example.org", "null", "http://127.0.0.1:1"):
            for path, method, body in (("api/session", "POST", {}), ("api/engine", "POST", {"action": "stop"}), ("api/datasets", "POST", {})):
                assert nobody.ask(path, method, body, Origin=origin)[0] == 403
        assert nobody.ask("api/session", "POST", {}, Origin=server.url.rstrip("/"))[0] == 201
        assert nobody.ask("api/datasets", "POST", {"address": "published:mine"})[0] == 501  # nobody may publish here


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"code":5}', b'{"code":"x","code":"y"}', b'{"token":"x"}', b'{"code":"' + b"x" * 500 + b'"}', b"[" * 5000, b'\xff\xfe'])
def test_bodies_that_make_no_sense_are_refused(serve, body):
    with serve([], "--allow-empty") as server:
        status, said = Person(server.url).ask("api/session", "POST", body)
        assert status == (201 if not body else 400), said
        assert Person(server.url).ask("api/engine", "POST", body)[0] in (400, 403)
        assert Person(server.url).ask("healthz")[0] == 200


@pytest.mark.parametrize("message", [{"type": "user", "session": 5}, {"type": "user", "session": ["x"]}])
def test_messages_that_break_the_rules_close_the_websocket(serve, message):
    with serve([], "--allow-empty") as server, Stream(server.url) as stream:
        stream.socket.say(message)
        with pytest.raises(Closed) as closed:
            wait_until(lambda: stream.take() and False)
        assert closed.value.code == 1008


def test_a_client_that_tries_sessions_is_closed(serve):
    with serve([], "--allow-empty", "--message-rate", "1000") as server, Stream(server.url) as stream:
        for _ in range(60):
            stream.socket.say({"type": "user", "session": "A" * 43})
        with pytest.raises((Closed, ConnectionError)):
            wait_until(lambda: stream.take() and False)
        assert Person(server.url).ask("healthz")[0] == 200


def test_nothing_is_left_of_a_server_that_is_killed(serve, cluster, tmp_path):
    with pytest.raises(AssertionError, match="exit status -9"):
        with serve(f"zarr:{cluster.store}", "--engine", "local:1", "--engine-clusters", "user") as server:
            person = new_person(server.url)
            person.read_something()
            until(lambda: person.ask("api/engine")[1]["state"] == "running", "a cluster of this machine", PATIENCE)
            started = descendants(server.process.pid)
            assert len(started) >= 3
            os.kill(server.process.pid, signal.SIGKILL)
            server.process.wait()
            until(lambda: not alive(started), "all that it started goes", PATIENCE)


@pytest.mark.parametrize("clusters", ["user", "shared"])
def test_a_store_that_grows_is_seen(serve, cluster, tmp_path, clusters):
    grows = tmp_path / "grows.zarr"
    forecast().to_zarr(grows, zarr_format=3, consolidated=False)
    with serve(f"zarr:{grows}", "--engine", cluster.address, "--engine-clusters", clusters, "--relist-seconds", "1") as server:
        person = new_person(server.url)

        def steps() -> int:
            return len(person.dataset()["runs"][0]["series"]["air_temperature"]["times"])

        assert steps() == 4
        later = forecast().isel(time=[3])
        later["time"] = later["time"] + 1
        later.to_zarr(grows, append_dim="time", consolidated=False)
        wait_until(lambda: steps() == 5, PATIENCE)
