# SPDX-License-Identifier: Apache-2.0
"""The child as a whole: several requests at once, giving them up, what has changed, and how it ends."""

import os
import shutil
import socket
import struct
from threading import Thread

import numpy as np
import pytest
import xarray as xr

import child as protocol
from child import CANCEL, OPEN, READ, Child, Refused, Within, message, text

from virga_engine.channel import Channel
from virga_engine.cluster import NoCluster
from virga_engine.failure import Cancelled
from virga_engine.openers import Context
from virga_engine.request import Cancel
from virga_engine.service import Service, StateSender, _Opened, serve


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("store") / "a.zarr"
    values = np.arange(2 * 30 * 40, dtype="f4").reshape(2, 30, 40)
    xr.Dataset({"t": (("time", "y", "x"), values, {"units": "K"})}).to_zarr(path, zarr_format=3, encoding={"t": {"chunks": (1, 16, 16)}},
                                                                          consolidated=False)
    return path, values


def test_requests_are_answered_by_their_numbers(store):
    with Child() as engine:
        inventory = engine.open(f"zarr:{store[0]}")
        asked = {}
        for k in range(60):
            number, memory, shape = engine.ask_read(inventory, "t", start=(k % 2, k % 7, 0), count=(1, 20, 40))
            asked[number] = memory, shape, store[1][k % 2:k % 2 + 1, k % 7:k % 7 + 20]
        while asked:
            kind, number, _ = engine.answer(*asked)
            memory, shape, expected = asked.pop(number)
            assert kind == protocol.SLAB
            assert os.pread(memory, expected.nbytes, 0) == expected.tobytes()
            os.close(memory)


def test_a_request_given_up_is_answered_once(store):
    with Child() as engine:
        inventory = engine.open(f"zarr:{store[0]}")
        answered = []
        for _ in range(20):
            number, memory, _ = engine.ask_read(inventory, "t")
            engine.send(message(CANCEL, number, b""))
            try:
                answered.append(engine.answer(number)[0])
            except Refused as refused:
                assert refused.status == -9
                answered.append(-9)
            os.close(memory)
        engine.send(message(CANCEL, 999, b""))  # of nothing
        assert len(answered) == 20 and np.array_equal(engine.read(inventory, "t"), store[1])


def test_opening_what_never_answers_is_given_up_at_once(store):
    with socket.create_server(("127.0.0.1", 0)) as silent, Child("--schemes", "http") as engine:
        engine.socket.settimeout(20)
        number = engine.ask_open(f"zarr:http://127.0.0.1:{silent.getsockname()[1]}/a.zarr")
        connection, _ = silent.accept()
        with connection:
            engine.send(message(CANCEL, number, b""))
            with pytest.raises(Refused) as refused:
                engine.answer(number)
            assert refused.value.status == -9 and engine.open(f"zarr:{store[0]}").variables


def test_what_has_changed_is_gone(store, tmp_path):
    path = tmp_path / "b.zarr"
    shutil.copytree(store[0], path)
    with Child() as engine:
        first = engine.open(f"zarr:{path}")
        again = engine.open(f"zarr:{path}")
        assert again.token == first.token and again.index == first.index
        shutil.rmtree(path)
        xr.Dataset({"t": (("time", "y", "x"), store[1] + 1)}).to_zarr(path, zarr_format=3, encoding={"t": {"chunks": (1, 16, 16)}})
        second = engine.open(f"zarr:{path}")
        assert second.token != first.token
        with pytest.raises(Refused) as refused:
            engine.read(first, "t")
        assert refused.value.status == -13
        assert np.array_equal(engine.read(second, "t"), store[1] + 1)


@pytest.mark.parametrize("asked, status", [({"start": (1, 0, 0), "count": (2, 1, 1)}, -3), ({"count": (1, 1)}, -3),
                                           ({"start": (2**63, 0, 0), "count": (2**63, 1, 1)}, -3)])
def test_boxes_outside_are_refused(store, asked, status):
    with Child() as engine:
        inventory = engine.open(f"zarr:{store[0]}")
        body = bytearray()
        count = asked["count"]
        start = asked.get("start", (0,) * len(count))
        memory = os.memfd_create("slab")
        os.truncate(memory, 4)
        for box in zip(start, count):
            body += struct.pack("<QQQ", *box, 1)
        head = struct.pack("<QQQqQIBBBB", 2**64 - 2, 7, inventory.token, 0, 4, 0, len(count), 0, 0, 0)
        engine.number += 1
        engine.send(message(READ, engine.number, head + bytes(body) + struct.pack("<dd", 1, 0) + bytes(16) + text(inventory.address)), [memory])
        with pytest.raises(Refused) as refused:
            engine.answer(engine.number)
        assert refused.value.status == status
        os.close(memory)


def test_the_first_block_of_a_mean_may_lack_points(store):
    rows = [(0, 5), (5, 13), (13, 21), (21, 29), (29, 30)]
    with Child() as engine:
        inventory = engine.open(f"zarr:{store[0]}")
        means = engine.read(inventory, "t", start=(0, -3, 0), count=(2, 33, 40), block=(1, 8, 8), reduction=2)
        for row, (low, high) in enumerate(rows):
            blocks = store[1][:, low:high].reshape(2, high - low, 5, 8)
            np.testing.assert_allclose(means[0, :, row], blocks.mean((1, 3)), rtol=1e-12)
            assert np.array_equal(means[1, :, row], blocks.min((1, 3))) and np.array_equal(means[2, :, row], blocks.max((1, 3)))
            assert (means[3, :, row] == 8 * (high - low)).all()
        for lacking, count, reduction in ((-8, 38, 2), (-3, 33, 1), (-3, 3, 2), (-(2**63), 30, 2)):
            with pytest.raises(Refused) as refused:
                engine.read(inventory, "t", start=(0, lacking, 0), count=(2, count, 40), block=(1, 8, 8), reduction=reduction)
            assert refused.value.status == -3


def test_a_slab_that_is_too_small_is_not_written(store):
    with Child() as engine:
        inventory = engine.open(f"zarr:{store[0]}")
        number, memory, _ = engine.ask_read(inventory, "t")
        os.close(memory)
        with pytest.raises(Refused):  # of another size than the box
            head = struct.pack("<QQQqQIBBBB", 2**64 - 2, 7, inventory.token, 0, 1 << 30, 0, 3, 0, 0, 0)
            boxes = struct.pack("<QQQ", 0, 1, 1) * 3
            small = os.memfd_create("slab")
            engine.answer(number)
            engine.number += 1
            engine.send(message(READ, engine.number, head + boxes + struct.pack("<dd", 1, 0) + bytes(16) + text(inventory.address)), [small])
            os.close(small)
            engine.answer(engine.number)


def test_failures_are_a_sentence(tmp_path):
    (tmp_path / "x.nc").write_bytes(b"CDF\1" + b"\xff" * 100)
    with Child() as engine:
        for address in (f"zarr:{tmp_path}/none", f"xarray:{tmp_path}/x.nc", f"grib:{tmp_path}/x.nc", f"iris:{tmp_path}/x.nc",
                        f"kerchunk:{tmp_path}/x.nc", "s3://bucket/a.zarr", "published:x", "notebook:x", "nothing", "zarr:"):
            with pytest.raises(Refused) as refused:
                engine.open(address)
            said = refused.value.message
            assert said and "\n" not in said and "Traceback" not in said and refused.value.status in (-3, -4, -5, -6, -11, -13), (address, said)
            assert said[0] == said[0].lower() or said.split()[0].isupper() or said.startswith(("URL", "Iris")), said


def test_the_inventory_is_no_longer_than_may_be(store):
    with Child() as engine:
        with pytest.raises(Refused) as refused:
            engine.open(f"zarr:{store[0]}", most=100)
        assert refused.value.status == -7


def test_it_tells_its_state_and_ends_with_the_socket(store):
    engine = Child()
    engine.open(f"zarr:{store[0]}")
    assert engine.states and engine.states[0]["cluster"] == "none" and engine.states[0]["state"] == "none"
    engine.socket.close()
    assert engine.process.wait(20) == 0


@pytest.mark.parametrize("raw", [message(OPEN, 1, b"x"), message(OPEN, 1, b"", version=1), message(2000, 1, b""), message(7, 1, b"\1"),
                                 message(READ, 1, b""), b"\xff" * 64])
def test_nonsense_ends_it(raw):
    engine = Child()
    engine.send(raw)
    engine.socket.shutdown(socket.SHUT_WR)
    assert engine.process.wait(20) == 3
    engine.socket.close()


def test_descriptors_where_none_belong_end_it(store):
    engine = Child()
    engine.send(message(OPEN, 1, struct.pack("<QQQqQ", 1, 1, 0, 0, 1 << 20) + text(f"zarr:{store[0]}")), [0])
    assert engine.process.wait(20) == 3
    engine.socket.close()


class Wordless(BaseException):
    """What a task of somebody else's may raise."""

    def __str__(self):
        raise RuntimeError("no words")


def test_whatever_a_library_raises_is_answered(store):
    def failing(array):
        raise Wordless

    ours, theirs = socket.socketpair()
    service = Service(Context(), NoCluster(), failing, 2, 1 << 20)
    thread = Thread(target=serve, args=(Channel(ours), service, StateSender(), "test"), daemon=True)
    thread.start()
    with Within(theirs) as engine:
        inventory = engine.open(f"zarr:{store[0]}")
        with pytest.raises(Refused) as refused:
            engine.read(inventory, "t")
        assert refused.value.status == -12 and "Wordless" in str(refused.value)
    thread.join(20)
    assert not thread.is_alive()


def test_what_nobody_uses_is_closed_and_opened_again(store):
    opened, address = _Opened(Context()), f"zarr:{store[0]}"
    first = opened.look(address, Cancel())
    opened.forget_unused(60)
    assert opened.get(address, first.token, Cancel()) is first.dataset
    opened.forget_unused(-1)
    again = opened.get(address, first.token, Cancel())
    assert again is not first.dataset and again.token == first.dataset.token


def test_who_waits_for_an_address_that_hangs_is_given_up(store):
    opened, address, cancelled = _Opened(Context()), f"zarr:{store[0]}", Cancel()
    with opened._turn(address, Cancel()):
        waiting = []
        thread = Thread(target=lambda: waiting.append(given_up(opened, address, cancelled)), daemon=True)
        thread.start()
        cancelled.set()
        thread.join(20)
        assert waiting == [True]
    assert opened.look(address, Cancel()).dataset.variables and not opened._turns


def given_up(opened, address, cancelled):
    try:
        opened.look(address, cancelled)
    except Cancelled:
        return True
    return False
