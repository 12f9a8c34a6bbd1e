# SPDX-License-Identifier: Apache-2.0
"""What a notebook holds, shown by a server that runs elsewhere and has no cluster: the notebook's process answers over a websocket of
its own. Only its user sees it, and whatever that process does the server goes on."""

from __future__ import annotations

import json
import re
import signal
import struct
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest
import xarray as xr

import virga
from people import WORD, word  # noqa: F401 - a fixture
from processes import until
from test_notebook import code_of, forecast, surroundings  # noqa: F401 - a fixture
from virga_engine import inventory
from virga_engine.failure import Failure
from virga_engine.openers.objects import of_object
from virga_engine.protocol import Kind, SlabAnswer, decode_read, encode_failure, encode_hello, encode_inventory, encode_slab, frame
from virga_engine.stored_types import Type
from ws_client import BINARY, TEXT, Closed, Socket

PIECE = 12
HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def no_client(surroundings: None, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    monkeypatch.setattr("virga.showing._current_client", lambda: None)


@pytest.fixture
def server(serve: Any, word: Path) -> Iterator[Any]:
    with serve([], "--allow-empty", "--publish-token-file", word) as running:
        yield running


def large() -> xr.DataArray:
    """A field of 2.7 MB a step, on a regular grid and heights, in memory: several pieces."""
    z, y, x = np.meshgrid(np.arange(6.0), np.arange(300.0), np.arange(380.0), indexing="ij")
    values = np.stack([280 - 4 * z + np.sin(x / 9) + np.cos(y / 7 + step) for step in range(2)]).astype("f4")
    coordinates = {
        "time": ("time", np.arange(2), {"units": "hours since 2026-01-31 00:00:00", "standard_name": "time"}),
        "height": ("height", np.arange(6) * 500.0, {"units": "m", "standard_name": "height", "positive": "up"}),
        "latitude": ("latitude", 50 + 0.01 * np.arange(300), {"units": "degrees_north", "standard_name": "latitude"}),
        "longitude": ("longitude", 0.01 * np.arange(380), {"units": "degrees_east", "standard_name": "longitude"}),
    }
    return xr.DataArray(values, coordinates, tuple(coordinates), "t", {"units": "K", "standard_name": "air_temperature", "long_name": "temperature"})


def enter(view: virga.View) -> str:
    """A browser's session, by the code in a view's address."""
    return session_of(view.server.url, {"code": code_of(view.url)})


def names(view: virga.View, session: str | None) -> list[str]:
    return [variable["name"] for dataset in datasets(view.server.url, session) for variable in dataset["variables"]]


def session_of(url: str, body: dict[str, str]) -> str:
    request = urllib.request.Request(url + "api/session", json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)["token"]


def get(url: str, path: str, session: str | None = None) -> tuple[int, bytes]:
    request = urllib.request.Request(url + path, headers={"X-Virga-Session": session} if session else {})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def datasets(url: str, session: str | None = None) -> list[dict[str, Any]]:
    return json.loads(get(url, "api/catalog", session)[1])["datasets"]


def pieces_of_picture(url: str, dataset: dict[str, Any], session: str | None) -> list[bytes]:
    """Each level's first bricks and the table of each step: what a page draws."""
    series = dataset["runs"][0]["series"]["t"]
    levels = len(next(v for v in dataset["variables"] if v["id"] == "t")["pyramid"])
    paths = [f"bricks/{series['edition']}/0/{step}/{rest}" for step in range(2)
             for rest in ("table", *(f"{level}/0/{y}/{x}" for level in range(levels) for y in range(2) for x in range(2)))]
    found = [get(url, path, session) for path in paths]
    assert found[0][0] == 200 and sum(status == 200 for status, _ in found) > 2 * levels
    return [body for status, body in found if status == 200]


def samples(url: str, dataset: str, session: str | None) -> list[dict[str, Any]]:
    found = []
    for lon, lat, height in ((1.234, 51.37, 1200), (0.5, 50.5, 0), (3.7, 52.9, 2400)):
        place = urllib.parse.urlencode({"dataset": dataset, "variable": "t", "time": "T+1", "lon": lon, "lat": lat, "height": height})
        status, body = get(url, f"api/sample?{place}", session)
        assert status == 200, body
        found.append({key: value for key, value in json.loads(body).items() if key not in ("dataset", "edition", "run")})
    return found


def test_pictures_and_samples_are_those_of_a_file_and_nobody_else_sees_them(serve, word, tmp_path):
    array = large()
    array.to_dataset().to_netcdf(tmp_path / "same.nc")
    with serve(tmp_path / "same.nc", "--publish-token-file", word) as server:
        view = virga.show(array, server=server.url, token=WORD, title="from a notebook")
        session = enter(view)
        (file,) = datasets(server.url)
        mine = next(d for d in datasets(server.url, session) if d["id"] == view.dataset)
        assert mine["id"] != file["id"] and "notebook" in json.dumps(mine)
        private = virga.show(array, title="from a notebook")  # by a descriptor, on this machine
        whose = enter(private)
        (same,) = datasets(private.server.url, whose)
        assert pieces_of_picture(server.url, mine, session) == pieces_of_picture(private.server.url, same, whose)
        private.close()
        assert samples(server.url, mine["id"], session) == samples(server.url, file["id"], None)
        edition = mine["runs"][0]["series"]["t"]["edition"]
        for stranger in (None, session_of(server.url, {})):
            assert len(datasets(server.url, stranger)) == 1
            assert get(server.url, f"bricks/{edition}/0/0/table", stranger)[0] == 404
        second = virga.show(forecast(True), server=server.url, token=WORD)  # by threads of this process, over the same connection
        assert second.server is view.server and len(datasets(server.url, enter(second))) == 3
        view.close()
        assert len(datasets(server.url, enter(second))) == 2
        second.close()
        until(lambda: len(datasets(server.url, session)) == 1, "only the file is left")
        again = virga.show(forecast(), server=server.url, token=WORD)
        assert "t" in names(again, enter(again))


def test_below_a_base_path(serve, word):
    with serve([], "--allow-empty", "--publish-token-file", word, "--base-path", "/some/where/") as server:
        url = server.url if server.url.endswith("/some/where/") else server.url + "some/where/"
        view = virga.show(forecast(), server=url, token=WORD)
        assert "t" in names(view, enter(view)) and view.url.startswith(url)
        view.close()


def test_who_may_not_publish_is_told_so(server, serve):
    with pytest.raises(RuntimeError, match="publish token"):
        virga.show(forecast(), server=server.url)
    with pytest.raises(RuntimeError, match="not the publish token.*publish-token-file"):
        virga.show(forecast(), server=server.url, token="another-word-that-is-long-enough-to-be-one")
    with serve([], "--allow-empty") as closed, pytest.raises(RuntimeError, match="nobody may publish here"):
        virga.show(forecast(), server=closed.url, token=WORD)
    assert datasets(server.url) == []


@contextmanager
def another_kernel(url: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process of its own that shows a forecast on a server, and the session that sees it."""
    text = f"import sys; sys.path.insert(0, {str(HERE)!r})\nimport virga, test_notebook as t\n" \
           f"v = virga.show(t.forecast(), server={url!r}, token={WORD!r}); print(v.url, flush=True)\nimport time; time.sleep(600)\n"
    kernel = subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, text=True)
    try:
        yield kernel, session_of(url, {"code": code_of(kernel.stdout.readline().strip())})
    finally:
        kernel.kill()
        kernel.wait()


def test_a_killed_kernel_takes_its_data_along_and_clients_stay(server):
    with another_kernel(server.url) as (kernel, session):
        assert len(datasets(server.url, session)) == 1
        with Socket(server.host, server.port) as page:
            assert page.ask_upgrade() == 101
            page.say({"type": "user", "session": session})
            kernel.send_signal(signal.SIGKILL)
            seen: dict[str, Any] = {}
            while not {"catalog", "error"} <= seen.keys():
                message = page.next()
                seen[message["type"]] = message
            assert "show it again" in seen["error"]["message"]
            assert datasets(server.url, session) == []
            page.say({"type": "ping", "id": 7})
            while page.next() != {"type": "pong", "id": 7}:
                pass
    view = virga.show(forecast(), server=server.url, token=WORD)
    assert "t" in names(view, enter(view))


# The other end, by hand.

class Source:
    """A notebook's end of the connection, that can do everything wrong."""

    def __init__(self, server: Any, session: str | None = None) -> None:
        self.url = server.url
        self.session = session or session_of(self.url, {})
        self.socket = Socket(server.host, server.port)
        self.rest = b""

    def headers(self, **more: str) -> dict[str, str]:
        named = {name.replace("_", "-"): value for name, value in more.items()}
        return {"Sec-WebSocket-Protocol": "virga.source.1", "Authorization": f"Bearer {WORD}", "X-Virga-Session": self.session, **named}

    def ask(self) -> int:
        return self.socket.ask_upgrade("/source", self.headers())

    def connect(self) -> Source:
        assert self.ask() == 101
        self.say(encode_hello("by hand"))
        return self

    def say(self, data: bytes) -> None:
        self.socket.frame(BINARY, data)

    def take(self, count: int) -> bytes:
        while len(self.rest) < count:
            self.rest += self.socket.next()
        taken, self.rest = self.rest[:count], self.rest[count:]
        return taken

    def asked(self) -> tuple[Kind, int, bytes]:
        size, _, kind, request = struct.unpack("<IHHQ", self.take(16))
        return Kind(kind), request, self.take(size)

    def publish(self) -> dict[str, Any]:
        """What the server answers; asked on a thread of its own."""
        answer: dict[str, Any] = {}

        def ask() -> None:
            request = urllib.request.Request(self.url + "api/datasets", json.dumps({"address": "notebook:x"}).encode(),
                                             {"Content-Type": "application/json", "Authorization": f"Bearer {WORD}", "X-Virga-Session": self.session})
            try:
                with urllib.request.urlopen(request, timeout=60) as done:
                    answer["status"] = done.status
            except urllib.error.HTTPError as error:
                with error:
                    answer.update(status=error.code, words=error.read().decode())

        answer["thread"] = Thread(target=ask)
        answer["thread"].start()
        return answer

    def first_read(self) -> tuple[int, int]:
        """Answers the opening, and gives number and bytes of the first READ."""
        kind, request, body = self.asked()
        while kind == Kind.OPEN:
            self.say(encode_inventory(request, inventory.encode(of_object(forecast()))))
            kind, request, body = self.asked()
        assert kind == Kind.READ
        return request, decode_read(body).slab_bytes


def piece(request: int, offset: int, data: bytes) -> bytes:
    return struct.pack("<IHHQQ", 8 + len(data), 2, PIECE, request, offset) + data


def reason(source: Source) -> str:
    with pytest.raises(Closed) as closed:
        while True:
            source.socket.next()
    return closed.value.reason


FORGED = {
    "beyond": lambda request, size: piece(request, size, b"x"),
    "too long": lambda request, size: piece(request, 0, bytes(size + 1)),
    "huge offset": lambda request, size: piece(request, 2 ** 64 - 1, b"xx"),
    "a gap": lambda request, size: piece(request, 1, b"x"),
    "another request": lambda request, size: piece(request + 1000, 0, b"x"),
    "a request that is over": lambda request, size: encode_failure(request, Failure(-4, "no")) + piece(request, 0, b"x"),
    "not whole": lambda request, size: encode_slab(request, SlabAnswer(Type.F64, size // 8, size, 0, 0, 0)),
    "a question": lambda request, size: frame(Kind.READ, request, b""),
    "another version": lambda request, size: struct.pack("<IHHQ", 0, 7, Kind.STATE, 0),
    "huge": lambda request, size: struct.pack("<IHHQ", 2 ** 32 - 1, 2, Kind.SLAB, request),
    "huge piece": lambda request, size: struct.pack("<IHHQQ", 2 ** 32 - 1, 2, PIECE, request, 0),
    "twice": lambda request, size: encode_failure(request, Failure(-4, "no")) + encode_failure(request, Failure(-4, "no")),
    "hello again": lambda request, size: encode_hello("again"),
}


@pytest.mark.parametrize("how", FORGED)
def test_what_is_forged_ends_the_connection_and_nothing_else(server, how):
    source = Source(server).connect()
    answer = source.publish()
    request, size = source.first_read()
    source.say(FORGED[how](request, size))
    assert reason(source)
    answer["thread"].join(60)
    assert answer["status"] == 422 and "show it again" in answer["words"] or how in ("twice", "a request that is over")
    assert datasets(server.url, source.session) == []
    assert get(server.url, "healthz")[0] == 200
    until(lambda: Source(server, source.session).ask() == 101, "the session may connect again")


def test_text_is_no_source(server):
    source = Source(server).connect()
    source.socket.frame(TEXT, b"hello")
    assert "binary" in reason(source)


def test_a_flood_is_bounded_and_others_are_served(server):
    source = Source(server).connect()
    source.socket.socket.settimeout(5)
    state = frame(Kind.STATE, 0, struct.pack("<I", 2) + b"{}") * 2000
    for _ in range(200):
        source.say(state)
    assert get(server.url, "healthz")[0] == 200
    resident = int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{server.process.pid}/status").read_text())[1])
    assert resident < 1 << 20  # KiB
    source.socket.socket.close()
    view = virga.show(forecast(), server=server.url, token=WORD)
    assert "t" in names(view, enter(view))


def test_who_is_let_in(server):
    session = session_of(server.url, {})

    def status(path: str = "/source", without: tuple[str, ...] = (), **more: str) -> int:
        source = Source(server, session)
        with source.socket:
            return source.socket.ask_upgrade(path, source.headers(**more), without)

    assert status(without=("Authorization",)) == 401
    assert status(Authorization="Bearer another-word-that-is-long-enough") == 401
    assert status(without=("X-Virga-Session",)) == 403
    assert status(X_Virga_Session="x" * 43) == 403
    assert status(Origin=server.url.rstrip("/")) == 403
    assert status(Sec_WebSocket_Protocol="virga.1") == 400
    assert status(path="/elsewhere") == 404
    first = Source(server).connect()
    assert Source(server, first.session).ask() == 409
    others = [Source(server).connect() for _ in range(7)]
    assert status() == 503
    others[0].socket.socket.close()
    until(lambda: status() == 101, "a place is free again")


def test_the_page_s_websocket_lets_no_source_in(server):
    source = Source(server)
    status = source.socket.ask_upgrade("/ws", {"Sec-WebSocket-Protocol": "virga.source.1, virga.1"})
    if status == 101:
        source.say(encode_hello("in by the back door"))
        with pytest.raises((Closed, OSError)):
            while True:
                source.socket.next()


def test_an_address_of_a_notebook_needs_its_connection(server):
    source = Source(server)
    answer = source.publish()
    answer["thread"].join(60)
    assert answer["status"] == 400 and "notebook" in answer["words"]


def test_a_session_that_ends_ends_the_connection(server):
    source = Source(server).connect()
    request = urllib.request.Request(server.url + "api/session", headers={"X-Virga-Session": source.session}, method="DELETE")
    assert urllib.request.urlopen(request, timeout=30).status == 204
    assert reason(source)
    assert get(server.url, "healthz")[0] == 200


def test_a_server_that_ends_is_noticed(serve, word):
    with serve([], "--allow-empty", "--publish-token-file", word) as first:
        view = virga.show(forecast(), server=first.url, token=WORD)
        url = first.url
        assert first.stop() == 0
        until(lambda: not view.server.runs(), "the connection is over")
    with pytest.raises(RuntimeError, match="does not answer"):
        virga.show(forecast(), server=url, token=WORD)
    view.close()
    assert not view.is_open


def test_many_reads_at_once_come_whole(server):
    view = virga.show(large(), server=server.url, token=WORD)
    session = enter(view)
    (mine,) = datasets(server.url, session)
    alone = pieces_of_picture(server.url, mine, session)
    found: list[list[bytes]] = []
    views = [virga.show(large(), server=server.url, token=WORD) for _ in range(3)]
    shown = [next(d for d in datasets(server.url, session) if d["id"] == other.dataset) for other in views]
    threads = [Thread(target=lambda d=d: found.append(pieces_of_picture(server.url, d, session))) for d in shown]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert found == [alone] * 3
