# SPDX-License-Identifier: Apache-2.0
"""Reads on a real local cluster of two processes: the numbers, what leaves the workers, what is read, how it fails."""
import contextlib
import gc
import os
import random
import threading
import time
import uuid

import dask.array as da
import numpy as np
import pytest
import slab_control
from distributed import Client, LocalCluster

from virga_engine import delivery
from virga_engine.arrays import StoredArray
from virga_engine.cluster_reader import ClusterReader
from virga_engine.failure import Cancelled, Failure, Status
from virga_engine.lent_slab import LentSlab
from virga_engine.request import Cancel, ReadRequest, Reduction


class FixedCluster:
    """A cluster that runs already."""

    kind = "local"

    def __init__(self, client):
        self._client = client

    def client(self, cancelled=None):
        return self._client

    @contextlib.contextmanager
    def using(self, cancelled=None):
        yield self.client(cancelled)

    def state(self):
        return {"threads": 2}


@contextlib.contextmanager
def started(workers, threads=1):
    with LocalCluster(n_workers=workers, threads_per_worker=threads, dashboard_address="127.0.0.1:0", protocol="tcp") as cluster:
        with Client(cluster, set_as_default=False) as client:
            yield client


@pytest.fixture(scope="module")
def client():
    with started(2) as client:
        yield client


@pytest.fixture
def mortal():
    """A client whose workers the test kills."""
    with started(2) as client:
        yield client


@pytest.fixture
def receiver():
    receiver = slab_control.Receiver()
    yield receiver
    receiver.close()


def stored_array(array, name="t"):
    return StoredArray(name, tuple(f"d{i}" for i in range(array.ndim)), array.shape, array.dtype, attributes={},
                       read=lambda slices: array[slices].compute(), dask=lambda: array, chunks=array.chunksize)


def slab_of(array, asked):
    """Memory for the answer, as the server lends it."""
    size = int(np.prod(asked.points)) * (32 if asked.reduction == Reduction.MEAN else array.dtype.itemsize)
    return bytearray(size)


def read(reader, array, asked, receiver=None, cancel=None):
    """The answer, wherever it came, and the counts."""
    mean = asked.reduction == Reduction.MEAN
    dtype, arrays = (np.dtype("f8"), 4) if mean else (array.dtype, 1)
    if receiver:
        numbers, taken = receiver.expect(asked.token, asked.points, arrays, dtype)
    slab = slab_of(array, asked)
    count = reader.read(array, asked, LentSlab(slab), cancel or Cancel())
    if count.delivered:
        assert (taken == 1).all()  # each point, once
        return numbers, count
    return np.frombuffer(slab, dtype).reshape(arrays, *asked.points), count


def mean_of(array, block, start=None, count=None, **more):
    start = start or (0,) * array.ndim
    return ReadRequest(Reduction.MEAN, start, count or array.shape, block, token=uuid.uuid4().bytes, **more)


def made_field(shape, seed=0, dtype="f4"):
    field = np.random.default_rng(seed).normal(280, 20, shape).astype(dtype)
    return field


class Lazy:
    """A field whose chunks are made on the workers and counted there, in files: nothing but its recipe travels."""

    def __init__(self, field, folder):
        self.path, self.folder, self.shape, self.dtype, self.ndim = str(folder / "field.npy"), str(folder), field.shape, field.dtype, field.ndim
        np.save(self.path, field)

    def __getitem__(self, slices):
        if all(s.stop > s.start for s in slices):  # dask asks for an empty box to see what it gets
            self._log(slices)
        return np.load(self.path, mmap_mode="r")[slices].copy()

    def _log(self, slices):
        with open(os.path.join(self.folder, "reads"), "a") as log:
            log.write(",".join(f"{s.start}:{s.stop}" for s in slices) + "\n")


def lazy(field, chunks, folder):
    import cloudpickle
    import sys
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    return da.from_array(Lazy(field, folder), chunks=chunks, asarray=False)


def reads_in(folder):
    with contextlib.suppress(FileNotFoundError):
        return (folder / "reads").read_text().split()
    return []


def outgoing(client):
    """Bytes that workers sent to whoever asked for results, by the workers' own metrics."""
    return sum(client.run(lambda dask_worker: dask_worker.transfer_outgoing_bytes_total).values())


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("pieces", [True, False], ids=["pieces", "gather"])
def test_any_request_of_any_chunks(client, receiver, tmp_path, seed, pieces):
    dice = random.Random(seed)
    rank = dice.randint(1, 4)
    shape = tuple(dice.randint(1, 30 if rank < 3 else 12) for _ in range(rank))
    field = made_field(shape, seed) if seed % 2 else np.random.default_rng(seed).integers(-500, 500, shape).astype("i2")
    if seed % 4 == 1:
        field[field > 290] = np.nan
    chunks = tuple(dice.randint(1, n) for n in shape)
    array = lazy(field, chunks, tmp_path)
    array = client.persist(array) if seed % 3 == 0 else array.rechunk(tuple(dice.randint(1, n) for n in shape)) if seed % 3 == 1 else array
    stored, reader = stored_array(array), ClusterReader(FixedCluster(client), receiver.address if pieces else None)
    start = tuple(dice.randrange(n) for n in shape)
    count = tuple(dice.randint(1, n - s) for n, s in zip(shape, start))
    for reduction in Reduction:
        block = tuple(dice.randint(1, 9) if reduction else 1 for _ in shape)
        first = tuple(-dice.randrange(b) if reduction == Reduction.MEAN and dice.random() < 0.3 else s for s, b in zip(start, block))
        length = tuple(s + n - f for s, n, f in zip(start, count, first))
        asked = ReadRequest(reduction, first, length, block, (100.0,), -0.25, 7.0, uuid.uuid4().bytes)
        answer, counts = read(reader, stored, asked, receiver if pieces else None)
        slab_control.assert_is_answer(answer, field, asked)
        assert bool(counts.delivered) == pieces and counts.read > 0 and counts.sent >= answer.nbytes


def test_scalar(client, receiver):
    stored = stored_array(da.from_array(np.array(2.5, "f4")))
    answer, _ = read(ClusterReader(FixedCluster(client), receiver.address), stored, mean_of(stored.dask, ()), receiver)
    assert answer.tolist() == [2.5, 2.5, 2.5, 1.0]


COARSE = [  # shape, chunks, block: each has at least 64 KiB of answer
    ((37, 620, 800), (37, 100, 100), (1, 8, 8)),      # chunks do not divide the blocks
    ((20, 721, 1440), (5, 96, 130), (1, 16, 16)),     # a global field, neither does
    ((1, 721, 1440), (1, 96, 130), (1, 8, 8)),        # one level
    ((60, 360, 400), (7, 90, 400), (2, 8, 8)),        # nor along the levels
    ((8, 1024, 1024), (8, 64, 64), (1, 16, 16)),      # they do
    ((721, 1440), (721, 1440), (5, 5)),               # one chunk
]


@pytest.mark.parametrize("shape, chunks, block", COARSE)
@pytest.mark.parametrize("pieces", [True, False], ids=["pieces", "gather"])
def test_coarse_level_leaves_workers_once(client, receiver, tmp_path, shape, chunks, block, pieces):
    """What leaves the workers for a coarse level is at most 1.2 times its size, and each chunk is read once."""
    field = made_field(shape)
    stored = stored_array(lazy(field, chunks, tmp_path))
    asked = mean_of(stored.dask, block)
    before = outgoing(client)
    answer, counts = read(ClusterReader(FixedCluster(client), receiver.address if pieces else None), stored, asked, receiver if pieces else None)
    left = outgoing(client) - before
    assert answer.nbytes >= 65536
    assert counts.sent <= 1.2 * answer.nbytes
    if pieces:
        assert receiver.bytes + left <= 1.2 * answer.nbytes
    else:
        assert answer.nbytes * 0.99 < left <= 1.2 * answer.nbytes
    reads = reads_in(tmp_path)
    assert len(reads) == len(set(reads)) == np.prod([len(c) for c in stored.dask.chunks]) and counts.read == field.nbytes
    padded = [np.add.reduceat(np.ones(n), np.arange(0, n, b)) for n, b in zip(shape, block)]
    sums = field.astype("f8")
    for axis, b in enumerate(block):
        sums = np.add.reduceat(sums, np.arange(0, shape[axis], b), axis=axis)
    np.testing.assert_allclose(answer[0], sums / np.einsum(",".join("abc"[:len(shape)]), *padded), rtol=1e-12)


def test_stride_reads_only_chunks_with_a_point(client, receiver, tmp_path):
    stored = stored_array(lazy(made_field((64, 64)), (4, 4), tmp_path))
    asked = ReadRequest(Reduction.STRIDE, (0, 0), (64, 64), (16, 8), token=uuid.uuid4().bytes)
    answer, _ = read(ClusterReader(FixedCluster(client), receiver.address), stored, asked, receiver)
    slab_control.assert_is_answer(answer, stored.dask.compute(), asked)
    assert len(reads_in(tmp_path)) == 32 + 256  # what was asked for, and the control's reads


def test_persisted_chunks_are_reduced_where_they_are(client, receiver, tmp_path):
    field = made_field((400, 400))
    array = client.persist(lazy(field, (20, 20), tmp_path))
    client.gather(client.compute(array.sum()))
    before = outgoing(client)
    answer, counts = read(ClusterReader(FixedCluster(client), receiver.address), stored_array(array), mean_of(array, (5, 5)), receiver)
    assert max(counts.sent, outgoing(client) - before) <= 1.2 * answer.nbytes
    np.testing.assert_allclose(answer[0], field.astype("f8").reshape(80, 5, 80, 5).mean(axis=(1, 3)), rtol=1e-12)
    assert counts.read == field.nbytes


def test_connections_are_kept(client, receiver, tmp_path):
    stored, reader = stored_array(lazy(made_field((200, 200)), (100, 100), tmp_path)), ClusterReader(FixedCluster(client), receiver.address)
    for _ in range(5):
        read(reader, stored, ReadRequest(Reduction.NONE, (0, 0), (200, 200), (1, 1), token=uuid.uuid4().bytes), receiver)
    assert receiver.connections <= 2 and receiver.pieces >= 5 and receiver.checksums == {"xxh3"}


def test_unreachable_server_is_gathered_and_said_once(client, tmp_path, caplog):
    field = made_field((50, 60))
    stored, reader = stored_array(lazy(field, (20, 20), tmp_path)), ClusterReader(FixedCluster(client), "127.0.0.1:9")
    for _ in range(2):
        answer, counts = read(reader, stored, mean_of(stored.dask, (7, 7)), slab_control.Receiver())
        assert counts.delivered == 0
        slab_control.assert_is_answer(answer, field, mean_of(stored.dask, (7, 7)))
    said = [r for r in caplog.records if r.levelname == "WARNING" and "workers cannot reach this server at 127.0.0.1:9" in r.getMessage()]
    assert len(said) == 1


def test_worker_without_xxhash(receiver, monkeypatch):
    import sys
    monkeypatch.setitem(sys.modules, "xxhash", None)
    numbers = np.arange(12, dtype="f4").reshape(3, 4)
    got, taken = receiver.expect(b"t" * 16, (3, 4), 1, np.dtype("f4"))
    host, port = receiver.address.split(":")
    with delivery.Sender((host, int(port)), b"t" * 16) as sender:
        sender.send(((0, 0), (3, 4)), 1, numbers)
    assert receiver.checksums == {"crc"} and (got[0] == numbers).all() and (taken == 1).all()


def test_kept_connection_that_was_closed_is_made_anew(receiver):
    sender = delivery.Sender(("127.0.0.1", int(receiver.address.split(":")[1])), b"u" * 16)
    receiver.expect(b"u" * 16, (2,), 1, np.dtype("f4"))
    with sender:
        sender.send(((0,), (2,)), 1, np.zeros(2, "f4"))
    state = delivery.process_state()
    with state.lock:
        mine = [s for a, s in state.idle if a == sender.address]
    assert len(mine) == 1
    mine[0].shutdown(2)
    with sender:
        sender.send(((0,), (2,)), 1, np.ones(2, "f4"))
    assert receiver.connections == 2 and receiver.slabs[b"u" * 16][0].tolist() == [[1, 1]]


def failing(kind, *words):
    def fail(block):
        raise kind(*words)
    return fail


@pytest.mark.parametrize("kind, status, words", [
    (ValueError, Status.UNREADABLE, "ValueError: broken chunk"),
    (MemoryError, Status.NO_MEMORY, "too little memory"),
    (FileNotFoundError, Status.NOT_FOUND, "cannot find its data"),
    (ImportError, Status.UNSUPPORTED, "lacks a package"),
])
def test_task_that_raises(client, receiver, kind, status, words):
    array = da.zeros((8, 8), chunks=4, dtype="f4").map_blocks(failing(kind, "broken chunk"), dtype="f4", meta=np.zeros((0, 0), "f4"))
    with pytest.raises(Failure) as failure:
        read(ClusterReader(FixedCluster(client), receiver.address), stored_array(array), mean_of(array, (2, 2)), receiver)
    assert failure.value.status == status and words in failure.value.message
    assert "\n" not in failure.value.message


def test_worker_that_ends_with_each_try(mortal, receiver):
    def end(block):
        os._exit(1)
    array = da.zeros((4,), chunks=4, dtype="f4").map_blocks(end, dtype="f4", meta=np.zeros((0,), "f4"))
    with pytest.raises(Failure) as failure:
        read(ClusterReader(FixedCluster(mortal), receiver.address), stored_array(array), mean_of(array, (2,)), receiver)
    assert failure.value.status == Status.NO_MEMORY and "every worker that tried it ended" in failure.value.message
    assert "give the workers more" in failure.value.message


def test_worker_killed_in_mid_read_gives_the_slab(mortal, receiver, tmp_path):
    """The first to get there ends its worker; the others' tasks and its own are done again by who is left."""
    field, mark = made_field((40, 40)), str(tmp_path / "mark")

    def once(block):
        try:
            os.close(os.open(mark, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return block
        os._exit(1)
    array = lazy(field, (10, 10), tmp_path).map_blocks(once, dtype="f4", meta=np.zeros((0, 0), "f4"))
    reader, asked = ClusterReader(FixedCluster(mortal), receiver.address), mean_of(array, (3, 3))
    numbers, taken = receiver.expect(asked.token, asked.points, 4, np.dtype("f8"))
    stored = stored_array(array)
    count = reader.read(stored, asked, LentSlab(slab_of(stored, asked)), Cancel())
    assert count.delivered == 1 and (taken >= 1).all() and os.path.exists(mark)
    slab_control.assert_is_answer(numbers, field, asked)


def test_cancel_gives_up_at_once(client, receiver, tmp_path):
    release = str(tmp_path / "go")

    def wait_for_it(block):
        while not os.path.exists(release):
            time.sleep(0.01)
        return block
    array = da.zeros((64,), chunks=1, dtype="f4").map_blocks(wait_for_it, dtype="f4", meta=np.zeros((0,), "f4"))
    reader, cancel, caught = ClusterReader(FixedCluster(client), receiver.address), Cancel(), []

    def ask():
        try:
            read(reader, stored_array(array), mean_of(array, (2,)), receiver, cancel)
        except Cancelled as error:
            caught.append(error)
    thread = threading.Thread(target=ask)
    thread.start()
    while not sum(len(p) for p in client.processing().values()):
        time.sleep(0.01)
    cancel.set()
    thread.join(5)
    assert not thread.is_alive() and len(caught) == 1
    deadline = time.monotonic() + 10
    while client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks)) == 0  # nothing left on the scheduler
    open(release, "w").close()


def test_over_request_is_not_wanted_any_more(client, receiver, tmp_path):
    stored = stored_array(lazy(made_field((20, 20)), (10, 10), tmp_path))
    with pytest.raises(Failure, match="does not wait for this slab any more"):
        ClusterReader(FixedCluster(client), receiver.address).read(stored, mean_of(stored.dask, (2, 2)), LentSlab(bytearray(3200)), Cancel())


def test_several_threads_of_a_worker(receiver, tmp_path):
    """Many requests at once on four threads of one process: each its own connection, which are kept."""
    field = made_field((160, 160))
    stored = stored_array(lazy(field, (20, 20), tmp_path))
    with started(1, 4) as client:
        reader, wrong = ClusterReader(FixedCluster(client), receiver.address), []

        def ask(block):
            asked = mean_of(stored.dask, (block, block)) if block > 1 else ReadRequest(
                Reduction.NONE, (0, 0), (160, 160), (1, 1), token=uuid.uuid4().bytes)
            try:
                slab_control.assert_is_answer(read(reader, stored, asked, receiver)[0], field, asked)
            except Exception as error:
                wrong.append(error)
        threads = [threading.Thread(target=ask, args=(block,)) for block in (1, 3, 4, 7, 16, 1, 5, 50)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert not wrong and receiver.connections <= 4 + len(threads)  # the engine sends the blocks between tasks


def test_newest_request_first(receiver, tmp_path):
    """With the only worker busy, of the requests that wait the later are read first."""
    gate, log = str(tmp_path / "go"), str(tmp_path / "log")

    def work(block, name):
        while name == "gate" and not os.path.exists(gate):
            time.sleep(0.01)
        with open(log, "a") as out:
            out.write(f"{name}\n")
        return block
    with started(1) as client:
        reader, threads = ClusterReader(FixedCluster(client), receiver.address), []
        for name in ["gate", "old", "old", "new"]:
            array = da.zeros((8,), chunks=4, dtype="f4").map_blocks(work, name, dtype="f4", meta=np.zeros((0,), "f4"))
            asked = ReadRequest(Reduction.NONE, (0,), (8,), (1,), token=uuid.uuid4().bytes)
            threads.append(threading.Thread(target=read, args=(reader, stored_array(array), asked, receiver)))
            threads[-1].start()
            deadline = time.monotonic() + 20
            while client.run_on_scheduler(lambda dask_scheduler: sum(1 for k in dask_scheduler.tasks if "virga-read" in str(k))) < len(threads):
                assert time.monotonic() < deadline
                time.sleep(0.02)
        open(gate, "w").close()
        for thread in threads:
            thread.join(20)
    assert open(log).read().split() == ["gate"] * 2 + ["new"] * 2 + ["old"] * 4


def test_nothing_of_an_array_is_kept_when_it_is_gone(client):
    reader = ClusterReader(FixedCluster(client), None)
    held = client.persist(da.ones((8, 8), chunks=4))
    array = stored_array(held)
    read(reader, array, ReadRequest(Reduction.NONE, (0, 0), (8, 8), (1, 1)))
    keys = {future.key for future in held.dask.values()}
    assert keys & set(client.futures)
    del array, held
    gc.collect()
    assert not keys & set(client.futures)
