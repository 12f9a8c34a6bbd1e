# SPDX-License-Identifier: Apache-2.0
"""Reads while the scheduler dies under them, with a real one: the right slab or a clear error, and the next read is served."""
import os
import sys
import threading
import time
import uuid

import cloudpickle
import dask.array as da
import numpy as np
import slab_control
from processes import scheduler, until, worker

from virga_engine.arrays import StoredArray
from virga_engine.cluster import open_cluster
from virga_engine.cluster_reader import ClusterReader
from virga_engine.failure import Failure, Status
from virga_engine.lent_slab import LentSlab
from virga_engine.request import Cancel, ReadRequest, Reduction

FIELD = np.arange(400, dtype="f4").reshape(20, 20)


class Gated:
    """Chunks that are there once a file is; says by another that somebody waits."""

    shape, dtype, ndim = FIELD.shape, FIELD.dtype, 2

    def __init__(self, folder):
        self.folder = str(folder)

    def __getitem__(self, slices):
        if all(s.stop > s.start for s in slices):
            open(os.path.join(self.folder, "waiting"), "w").close()
            while not os.path.exists(os.path.join(self.folder, "go")):
                time.sleep(0.02)
        return np.arange(400, dtype="f4").reshape(20, 20)[slices]


def test_scheduler_killed_in_mid_read(tmp_path):
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    array = da.from_array(Gated(tmp_path), chunks=10, asarray=False)
    stored = StoredArray("t", ("y", "x"), array.shape, array.dtype, attributes={}, read=None, dask=lambda: array, chunks=(10, 10))
    receiver = slab_control.Receiver()
    first, address = scheduler(tmp_path)
    cluster = open_cluster(address, None, None, lambda: None)
    outcomes = []

    def read():
        asked = ReadRequest(Reduction.MEAN, (0, 0), (20, 20), (3, 3), token=uuid.uuid4().bytes)
        numbers, _ = receiver.expect(asked.token, asked.points, 4, np.dtype("f8"))
        try:
            count = ClusterReader(cluster, receiver.address).read(stored, asked, LentSlab(bytearray(numbers.nbytes)), Cancel())
            outcomes.append((count, numbers, asked))
        except Failure as failure:
            outcomes.append(failure)
    try:
        with worker(tmp_path, address, "one"):
            thread = threading.Thread(target=read)
            thread.start()
            until(lambda: (tmp_path / "waiting").exists(), "a task that runs")
            first.kill()
        port = int(address.rpartition(":")[2])
        second, _ = scheduler(tmp_path, port)
        with second, worker(tmp_path, address, "two"):
            (tmp_path / "go").touch()
            thread.join(120)
            assert not thread.is_alive()
            until(lambda: cluster.state()["state"] == "running", "the scheduler to be found again")
            read()
            for outcome in outcomes[:1]:  # under which it died
                if isinstance(outcome, Failure):
                    assert outcome.status in (Status.GONE, Status.SYSTEM) and "scheduler" in outcome.message
            for outcome in outcomes:
                if not isinstance(outcome, Failure):
                    slab_control.assert_is_answer(outcome[1], FIELD, outcome[2])
            assert not isinstance(outcomes[1], Failure), outcomes[1]
    finally:
        first.kill()
        cluster.close()
        receiver.close()
