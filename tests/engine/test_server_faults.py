# SPDX-License-Identifier: Apache-2.0
"""A server, a real scheduler and workers, and what goes wrong with them in mid-read: the right numbers or a clear error, those who watch stay
connected, and it recovers by itself."""

from __future__ import annotations

import json
import os
import signal
import socket
import struct
import threading
import urllib.error
import urllib.parse
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import xxhash
from conftest import release, running
from processes import alive, running_below, scheduler, until, worker
from ws_client import Stream

STEPS = 8
HERE = Path(__file__).parent


def value(step: int, z: int, y: int, x: int) -> np.float32:
    return np.float32(290 - 6 * z + 0.125 * x + 0.0625 * y + step)


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    """A temperature of 8 steps on 5 × 40 × 50 points in a Zarr store of version 3, a step in four chunks."""
    z, y, x = np.meshgrid(np.arange(5.0), np.arange(40.0), np.arange(50.0), indexing="ij")
    names = ("time", "height", "latitude", "longitude")
    data = xr.Dataset({"air_temperature": (names, np.stack([value(step, z, y, x) for step in range(STEPS)]),
                                           {"units": "K", "standard_name": "air_temperature"})}, {
        "time": ("time", np.arange(STEPS), {"units": "hours since 2026-01-31 00:00:00", "standard_name": "time"}),
        "height": ("height", np.arange(5) * 500.0, {"units": "m", "standard_name": "height", "positive": "up"}),
        "latitude": ("latitude", 50 + 0.125 * np.arange(40), {"units": "degrees_north", "standard_name": "latitude"}),
        "longitude": ("longitude", 0.125 * np.arange(50), {"units": "degrees_east", "standard_name": "longitude"})}, {"title": "made up"})
    path = tmp_path_factory.mktemp("store") / "store.zarr"
    data.to_zarr(path, zarr_format=3, consolidated=False, encoding={"air_temperature": {"chunks": (1, 5, 20, 25)}})
    return path


class Bench:
    """A server that shows the store through a scheduler, somebody who watches it, and the gate in its workers."""

    def __init__(self, folder: Path, store: Path) -> None:
        self.folder, self.store = folder, store
        self.gate = folder / "gate"
        self.environment = {"VIRGA_TEST_GATE": str(self.gate), "DASK_DISTRIBUTED__WORKER__PRELOAD": json.dumps([str(HERE / "gate.py")])}
        self.next_step = 0

    def worker(self, name: str, **more):
        return worker(self.folder, self.address, name, environment=self.environment, **more)

    @contextmanager
    def serving(self, *flags: str):
        process, self.address = scheduler(self.folder)
        self.port = int(self.address.rpartition(":")[2])
        self.scheduler = process
        with process, running(release(), self.folder / "server", f"zarr:{self.store}", "--engine", self.address, *flags) as server:
            self.server = server
            dataset = until(lambda: self.ask("api/catalog")[1]["datasets"], "a catalog")[0]
            self.dataset = dataset["id"]
            with Stream(server.url) as self.stream:
                self.stream.interest(self.dataset, ["air_temperature"], time=0)
                yield self

    def still_watched(self) -> None:
        """Whoever watched from the beginning still does."""
        self.stream.interest(self.dataset, ["air_temperature"], time=STEPS - 1)
        self.stream.until_done()
        assert self.server.process.poll() is None

    def ask(self, path: str) -> tuple[int, dict]:
        try:
            with urllib.request.urlopen(self.server.url + path, timeout=180) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                text = error.read().decode(errors="replace")
            return error.code, {"error": text}

    def state(self) -> dict:
        return self.ask("api/engine")[1]

    def sample(self, step: int, y: int = 12, x: int = 34, z: int = 2) -> tuple[int, dict]:
        place = {"dataset": self.dataset, "variable": "air_temperature", "time": f"T+{step}", "lat": 50 + 0.125 * y, "lon": 0.125 * x,
                 "height": 500 * z}
        return self.ask("api/sample?" + urllib.parse.urlencode(place))

    def assert_right(self, answer: tuple[int, dict], step: int) -> None:
        status, body = answer
        assert status == 200, body
        expected = value(step, 2, 12, 34)
        assert abs(body["source"] - expected) < 1e-3 and abs(body["bricks"] - expected) < 1.1 * body["epsilon"], body

    def entered(self) -> set[int]:
        """Workers that began a read at the gate."""
        return {int(path.suffix[1:]) for path in self.folder.glob("gate.*") if path.suffix[1:].isdigit()}

    def close_gate(self, word: str) -> None:
        for path in self.folder.glob("gate.*"):
            path.unlink()
        self.gate.write_text(word)

    def open_gate(self) -> None:
        self.gate.unlink()

    @contextmanager
    def reading(self, step: int):
        """A sample that is asked for while the block runs; its answer is the list's only member afterwards."""
        answers: list[tuple[int, dict]] = []
        thread = threading.Thread(target=lambda: answers.append(self.sample(step)))
        thread.start()
        yield answers
        thread.join(180)
        assert answers, "no answer came"

    def recovers(self, step: int) -> None:
        """The right numbers, before long, whatever the first answers are."""
        until(lambda: self.sample(step)[0] == 200, "the right numbers after what went wrong", 120)
        self.assert_right(self.sample(step), step)

    def engine(self) -> int:
        """The engine child's process."""
        (pid,) = running_below(self.server.process.pid, "virga_engine")
        return pid

    def slabs(self) -> tuple[str, int]:
        line = Path(f"/proc/{self.engine()}/cmdline").read_bytes().split(b"\0")
        host, _, port = line[line.index(b"--slabs") + 1].decode().rpartition(":")
        return host, int(port)


@pytest.fixture
def bench(tmp_path, store):
    return Bench(tmp_path, store)


def test_a_worker_killed_in_mid_read(bench):
    with bench.serving(), bench.worker("one"), bench.worker("two"):
        bench.assert_right(bench.sample(0), 0)
        bench.close_gate("wait")
        with bench.reading(1) as answers:
            killed = until(bench.entered, "a worker that reads").pop()
            os.kill(killed, signal.SIGKILL)
            bench.open_gate()
        bench.assert_right(answers[0], 1)
        bench.still_watched()


def test_the_scheduler_killed_and_started_again(bench):
    with bench.serving():
        with bench.worker("one"):
            bench.assert_right(bench.sample(0), 0)
            bench.close_gate("wait")
            with bench.reading(1) as answers:
                until(bench.entered, "a worker that reads")
                bench.scheduler.kill()
                until(lambda: bench.state()["state"] == "lost", "a server that knows")
                bench.open_gate()
                again, _ = scheduler(bench.folder, bench.port)
                with again, bench.worker("two"):
                    bench.recovers(2)
                    until(lambda: bench.state()["state"] == "running", "a server that knows")
                    until(lambda: answers, "the answer to who asked before", 120)
                    bench.still_watched()
            status, body = answers[0]
            if status == 200:
                bench.assert_right(answers[0], 1)
            else:
                assert "scheduler" in body["error"] and "Traceback" not in body["error"]


def test_the_engine_child_killed_in_mid_read(bench):
    with bench.serving(), bench.worker("one"):
        bench.assert_right(bench.sample(0), 0)
        first = bench.engine()
        bench.close_gate("wait")
        with bench.reading(1) as answers:
            until(bench.entered, "a worker that reads")
            os.kill(first, signal.SIGKILL)
            bench.open_gate()
        bench.assert_right(answers[0], 1)  # it is asked again of the new one
        assert bench.engine() != first and not alive({first})
        bench.assert_right(bench.sample(2), 2)
        bench.still_watched()


def test_a_task_that_raises(bench):
    with bench.serving(), bench.worker("one"):
        bench.assert_right(bench.sample(0), 0)
        bench.close_gate("raise")
        status, body = bench.sample(1)
        assert status >= 400 and "the disk is on strike" in body["error"] and "Traceback" not in body["error"]
        bench.open_gate()
        bench.recovers(2)
        bench.still_watched()


def test_memory_exhausted(bench):
    with bench.serving(), bench.worker("one", memory="400MiB", nanny=True):
        bench.assert_right(bench.sample(0), 0)
        bench.close_gate("memory")
        status, body = bench.sample(1)
        assert status >= 400 and "memory" in body["error"]
        bench.open_gate()
        bench.recovers(2)
        bench.still_watched()


def piece(token: bytes, payload: bytes, checksum: int | None = None) -> bytes:
    checksum = xxhash.xxh3_64_intdigest(payload) if checksum is None else checksum
    return b"VSLB" + struct.pack("<HBB", 1, 1, 1) + token + struct.pack("<QQQQ", 0, len(payload) // 4, len(payload), checksum) + payload


def test_forged_and_truncated_slabs(bench):
    """Whoever finds the receiver's port does no harm: not to a read that is under way, nor to its connections."""
    with bench.serving(), bench.worker("one"):
        bench.assert_right(bench.sample(0), 0)
        bench.close_gate("wait")
        with bench.reading(1) as answers:
            until(bench.entered, "a worker that reads")
            where = bench.slabs()
            with socket.create_connection(where, 10) as forger:
                forger.sendall(piece(os.urandom(16), os.urandom(400)))
                assert forger.recv(1) == b"\1"  # a token that nobody gave out
                forger.sendall(piece(os.urandom(16), os.urandom(400), checksum=7))
                assert forger.recv(1) in (b"\1", b"\3") and not forger.recv(1)
            for bad in (b"GET / HTTP/1.1\r\n\r\n" * 4, piece(os.urandom(16), b"x" * 400)[:100], b"VSLB" + b"\xff" * 200, os.urandom(500)):
                with socket.create_connection(where, 10) as forger:
                    forger.sendall(bad)
                    forger.shutdown(socket.SHUT_WR)
                    while forger.recv(100):
                        pass
            bench.open_gate()
        bench.assert_right(answers[0], 1)
        bench.still_watched()


def test_a_worker_that_comes_later_is_waited_for(bench):
    """A scheduler without workers, as a shared one that scales by load: the state says so, and the first worker answers."""
    with bench.serving():
        with bench.reading(1) as answers:
            until(lambda: bench.state()["state"] == "idle", "a state without workers")
            with bench.worker("one"):
                until(lambda: answers, "an answer", 120)
                bench.assert_right(answers[0], 1)
                bench.still_watched()
