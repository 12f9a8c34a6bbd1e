# SPDX-License-Identifier: Apache-2.0
"""Direct reads of a store that hangs, over HTTP: given up at once, never written afterwards, few threads, and other reads go on."""

import functools
import http.server
import os
import socket
import threading

import child as protocol
import numpy as np
import pytest
import xarray as xr
from child import CANCEL, Child, Refused, Within, message
from processes import until

from virga_engine import service
from virga_engine.channel import Channel
from virga_engine.cluster import NoCluster
from virga_engine.failure import Cancelled, Failure, Status
from virga_engine.given_up import GivenUp
from virga_engine.lent_slab import LentSlab, map_slab
from virga_engine.openers import Context
from virga_engine.reader import DirectReader, _ByteGate
from virga_engine.request import Cancel

FIELD = np.arange(60, dtype="f4").reshape(3, 20)
FILL = b"\xa5" * FIELD.nbytes


class Stalling(http.server.ThreadingHTTPServer):
    """Serves a folder; chunks only once `go` is set, and counts who waits for them."""

    daemon_threads = True

    def __init__(self, folder):
        super().__init__(("127.0.0.1", 0), functools.partial(_Handler, directory=str(folder)))
        self.go, self.waiting = threading.Event(), threading.Semaphore(0)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def __exit__(self, *_):
        self.go.set()
        self.shutdown()
        self.server_close()


class _Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        if "/c/" in self.path and not self.server.go.is_set():
            self.server.waiting.release()
            self.server.go.wait(60)
        try:
            super().do_GET()
        except ConnectionError:
            pass


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stores")
    for name in ("slow.zarr", "other.zarr"):
        xr.Dataset({"t": (("y", "x"), FIELD)}).to_zarr(folder / name, zarr_format=3, encoding={"t": {"chunks": (3, 20)}})
    return folder


def ask_filled(engine, inventory):
    """A read whose slab holds what would be seen to change."""
    number, memory, _ = engine.ask_read(inventory, "t")
    os.pwrite(memory, FILL, 0)
    return number, memory


def give_up(engine, number):
    engine.send(message(CANCEL, number, b""))
    with pytest.raises(Refused) as refused:
        engine.answer(number)
    assert refused.value.status == -9


def hang(engine, server, inventory, count):
    """The slabs of reads that hang, given up and answered."""
    slabs = []
    for _ in range(count):
        number, memory = ask_filled(engine, inventory)
        assert server.waiting.acquire(timeout=60)
        give_up(engine, number)
        slabs.append(memory)
    return slabs


def test_a_read_that_hangs_is_given_up_at_once_and_writes_nothing_later(stores):
    with Stalling(stores) as server, Child("--schemes", "http") as engine:
        engine.socket.settimeout(15)  # below what the server waits until it ends an engine
        inventory = engine.open(f"zarr:http://127.0.0.1:{server.server_port}/slow.zarr")
        slabs = hang(engine, server, inventory, service.GIVEN_UP_OF_ONE)
        other = engine.open(f"zarr:{stores}/other.zarr")
        assert np.array_equal(engine.read(other, "t"), FIELD)
        number, last, _ = engine.ask_read(inventory, "t")  # waits until one of them is back
        server.go.set()
        assert engine.answer(number)[0] == protocol.SLAB
        assert os.pread(last, FIELD.nbytes, 0) == FIELD.tobytes()
        for memory in slabs:
            assert os.pread(memory, len(FILL), 0) == FILL
            os.close(memory)
        os.close(last)


def answers(engine, inventory):
    try:
        return np.array_equal(engine.read(inventory, "t"), FIELD)
    except Refused as refused:
        assert refused.status == -10


def test_more_reads_of_what_hangs_are_refused_until_it_answers(stores, monkeypatch):
    monkeypatch.setattr(service, "HANGING_SECONDS", 0.2)
    ours, theirs = socket.socketpair()
    made = service.Service(Context(schemes=frozenset({"http"})), NoCluster(), lambda array: DirectReader(), 16, 1 << 20)
    thread = threading.Thread(target=service.serve, args=(Channel(ours), made, service.StateSender(), "test"), daemon=True)
    thread.start()
    with Stalling(stores) as server:
        with Within(theirs) as engine:
            inventory = engine.open(f"zarr:http://127.0.0.1:{server.server_port}/slow.zarr")
            hang(engine, server, inventory, service.GIVEN_UP_OF_ONE)
            with pytest.raises(Refused, match="its store does not answer: 8 reads") as refused:
                engine.read(inventory, "t")
            assert refused.value.status == -10
            assert np.array_equal(engine.read(engine.open(f"zarr:{stores}/other.zarr"), "t"), FIELD)
            server.go.set()
            until(lambda: answers(engine, inventory), "the store to be read again")
        thread.join(20)
        assert not thread.is_alive()


def test_a_slab_is_written_until_it_is_taken_back():
    memory = bytearray(24)
    slab = LentSlab(memory)
    slab.write(np.dtype("f8"), (1, 3), (slice(None), slice(1, 3)), [[1.0, 2.0]])
    assert np.frombuffer(memory).tolist() == [0.0, 1.0, 2.0]
    assert slab.take_back() and slab.take_back()
    with pytest.raises(Cancelled):
        slab.write(np.dtype("f8"), (3,), (slice(None),), 7.0)
    assert np.frombuffer(memory).tolist() == [0.0, 1.0, 2.0]


def test_a_slab_is_not_back_while_it_is_written():
    slab, told = LentSlab(bytearray(8)), []

    class Numbers:
        def __array__(self, *_, **__):
            told.append(slab.take_back())
            return np.ones(1)
    with pytest.raises(Cancelled):
        slab.write(np.dtype("f8"), (1,), (slice(None),), Numbers())
    assert told == [False] and slab.take_back()


def test_a_slab_that_is_taken_back_is_unmapped():
    descriptor = os.memfd_create("slab")
    os.truncate(descriptor, 8)
    with map_slab(descriptor, 8) as slab:
        slab.write(np.dtype("f8"), (1,), (slice(None),), 1.0)
    assert slab._memory.closed
    with pytest.raises(Failure):
        map_slab(descriptor, 16)
    os.close(descriptor)


def test_threads_that_hang_are_few():
    given_up, cancelled = GivenUp(4, 3, 0.05), Cancel()
    assert [given_up.add(name) for name in "aaabb"] == [True] * 4 + [False]
    given_up.admit("b", cancelled)
    with pytest.raises(Failure) as failure:
        given_up.admit("a", cancelled)
    assert failure.value.status == Status.SYSTEM
    given_up.remove("a")
    given_up.admit("a", cancelled)
    assert given_up.add("b") and not given_up.add("b")
    waiting = GivenUp(4, 1, 60)
    waiting.add("a")
    cancelled.set()
    with pytest.raises(Cancelled):
        waiting.admit("a", cancelled)


def test_what_hangs_does_not_keep_others_from_memory():
    gate, first, second, other = _ByteGate(10), Cancel(), Cancel(), Cancel()
    with gate.admit(10, first):
        first.set()
        with gate.admit(10, second):
            second.set()
            other_waits = threading.Timer(0.1, other.set)
            other_waits.start()
            with pytest.raises(Cancelled), gate.admit(1, other):
                pass
