# SPDX-License-Identifier: Apache-2.0
"""Clusters of the engine: started by need, resting when idle, found again when lost, and none left behind."""

from __future__ import annotations

import gc
import json
import os
import signal
import struct
import threading
import time
import types
from contextlib import contextmanager

import pytest
from child import STATE, Child, message
from distributed import Client
from distributed.comm import CommClosedError
from distributed.scheduler import KilledWorker
from distributed.utils import LoopRunner
from processes import alive, descendants, free_port, scheduler, until, worker

from virga_engine.cluster import open_cluster, wait_for_another
from virga_engine.cluster_failure import SchedulerLost, explain
from virga_engine.clusters import connection, managed
from virga_engine.failure import Cancelled, Failure, Status
from virga_engine.request import Cancel

CLUSTER = 11
SIXTEEN_KIB = 16384


class Told:
    """A cluster, and every state that it told with the time of it."""

    def __init__(self, spec: str, workers: tuple[int, int] | None = None, idle: float = 600.0) -> None:
        self.states: list[tuple[float, dict]] = []
        self.cluster = open_cluster(spec, workers, idle, self.note)

    def note(self) -> None:
        self.states.append((time.monotonic(), self.cluster.state()))

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None:
        self.cluster.close()

    def now(self, state: str, workers: int | None = None) -> dict:
        """The state once it is this one."""
        def look() -> dict | None:
            found = self.cluster.state()
            return found if found["state"] == state and workers in (None, found["workers"]) else None
        return until(look, f"a cluster that is {state}, not {self.cluster.state()}")

    def compute(self) -> int:
        with self.cluster.using() as client:
            return client.submit(sum, [20, 22], pure=False).result(timeout=60)


def test_a_local_cluster_starts_when_needed_and_rests_when_idle():
    with Told("local:2", idle=0.5) as told:
        assert told.cluster.state()["state"] == "stopped" and told.cluster.state()["cluster"] == "local"
        assert told.compute() == 42
        state = told.cluster.state()
        assert state["wanted"] == [0, 2] and state["dashboard"].startswith("http://")
        resting = told.now("idle", 0)
        assert resting["memory_limit"] == 0 and resting["message"] is None
        assert told.compute() == 42
        running = told.now("running")
        assert running["threads"] >= 1 and running["memory"] > 10 << 20 and running["memory_limit"] > running["memory"]
        assert 0 < running["started_seconds"] < 60
        names = [state["state"] for _, state in told.states]
        for phase in ("starting", "running", "idle"):
            assert phase in names


def test_others_on_this_machine_cannot_use_it():
    with Told("local:1") as told:
        with told.cluster.using() as client:
            address = client.scheduler.address
        assert address.startswith("tls://127.0.0.1:")
        for stranger in (address, address.replace("tls", "tcp")):
            with pytest.raises((OSError, TypeError, RuntimeError)):
                Client(stranger, timeout=2, set_as_default=False)


def test_states_are_told_at_most_four_times_a_second_and_fit_their_message():
    with Told("local:1", idle=0.3) as told:
        for _ in range(3):
            told.compute()
            told.now("idle", 0)
        first, last = told.states[0][0], told.states[-1][0]
        starts = sum(state["state"] == "starting" and state["dashboard"] is None for _, state in told.states)
        assert len(told.states) <= 4 * (last - first) + 2 + starts
        assert all(len(json.dumps(state)) < SIXTEEN_KIB for _, state in told.states)
        assert all(a != b for (_, a), (_, b) in zip(told.states, told.states[1:]))


def test_a_request_in_progress_keeps_the_workers():
    with Told("local:1", idle=0.2) as told, told.cluster.using() as client:
        told.now("running", 1)
        began = time.monotonic()
        until(lambda: time.monotonic() - began > 1.5, "the idle time to pass several times")
        assert told.cluster.state()["state"] == "running"
        assert client.submit(sum, [1, 2]).result() == 3


def test_limits_are_kept_and_the_least_stays():
    with Told("local", workers=(1, 2), idle=0.5) as told:
        with told.cluster.using() as client:
            futures = client.map(time.sleep, [0.3] * 12, pure=False)
            told.now("running", 2)
            client.gather(futures)
        assert told.now("running", 1)["wanted"] == [1, 2]
        assert max(state["workers"] for _, state in told.states) == 2


def test_a_person_stops_and_starts_it():
    with Told("local:1") as told:
        told.cluster.start()
        told.now("running", 1)
        told.cluster.stop()
        told.now("stopped", 0)
        assert told.compute() == 42  # the next request starts it again
        told.now("running", 1)


def test_two_clusters_on_one_machine_have_dashboards_of_their_own():
    with Told("local:1") as one, Told("local:1") as other:
        one.cluster.start()
        other.cluster.start()
        links = {told.now("running")["dashboard"] for told in (one, other)}
        assert len(links) == 2 and None not in links


def test_closing_ends_all_processes():
    before = descendants(os.getpid())
    told = Told("local:2")
    told.compute()
    told.now("running", 2)
    workers = descendants(os.getpid()) - before
    assert len(workers) >= 2
    told.cluster.close()
    # What is left is multiprocessing's tracker of this process, one for all clusters.
    until(lambda: len(alive(workers)) <= 1, "workers that ended")
    with pytest.raises(Failure):
        told.cluster.client()
    told.cluster.close()


@contextmanager
def running_child(*options: str):
    """An engine whose cluster of two workers runs, and its descendants."""
    child = Child("--cluster", "local:2", *options)
    try:
        child.send(message(CLUSTER, 0, b"\1"))
        state: dict = {}
        while not (state.get("state") == "running" and state["workers"] == 2):
            kind, _, body = child.receive()
            assert kind == STATE
            (length,) = struct.unpack_from("<I", body)
            state = json.loads(body[4:4 + length])
        yield child, descendants(child.process.pid)
    finally:
        child.socket.close()
        child.process.kill()
        child.process.wait()


def test_workers_end_when_the_engine_is_killed():
    with running_child() as (child, workers):
        assert len(workers) >= 2
        child.process.send_signal(signal.SIGKILL)
        child.process.wait()
        until(lambda: not alive(workers), "workers that ended with their engine", 10)


def test_workers_end_when_the_server_closes_the_socket():
    with running_child() as (child, workers):
        child.socket.close()
        child.process.wait(15)
        until(lambda: not alive(workers), "workers that ended with their engine", 10)


def test_the_server_stops_a_cluster_by_message():
    with running_child() as (child, workers):
        child.send(message(CLUSTER, 0, b"\0"))
        state: dict = {}
        while state.get("state") != "stopped":
            _, _, body = child.receive()
            state = json.loads(body[4:])
        until(lambda: len(alive(workers)) <= 1, "workers that ended")


def test_a_shared_scheduler_is_joined_and_left(tmp_path):
    process, address = scheduler(tmp_path)
    with process, Told(address) as told:
        told.cluster.start()
        assert told.now("idle", 0)["wanted"] == [0, 0]  # nobody works there yet
        with worker(tmp_path, address, "one"):
            told.now("running", 1)
            assert told.compute() == 42
            assert told.cluster.state()["dashboard"].startswith("http://127.0.0.1:")
            told.cluster.stop()
            told.now("stopped")
            assert told.compute() == 42
            told.cluster.close()
            assert process.running()
            with Told(address) as another:
                assert another.compute() == 42


def certificates(folder) -> dict:
    """Of one's own, for everybody: what dask's configuration of TLS names."""
    from distributed.security import Security
    made = Security.temporary()
    ca, key = folder / "ca.pem", folder / "key.pem"
    ca.write_text(made.tls_ca_file)
    key.write_text(made.tls_client_key)
    pair = {"cert": str(ca), "key": str(key)}
    return {"ca-file": str(ca), "client": pair, "scheduler": pair, "worker": pair}


def as_environment(tls: dict) -> dict[str, str]:
    found = {"DASK_DISTRIBUTED__COMM__TLS__CA_FILE": tls["ca-file"]}
    for role in ("client", "scheduler", "worker"):
        found |= {f"DASK_DISTRIBUTED__COMM__TLS__{role.upper()}__{part.upper()}": tls[role][part] for part in ("cert", "key")}
    return found


def test_a_scheduler_behind_tls_is_joined_with_what_the_configuration_has(tmp_path, monkeypatch):
    import dask
    tls = certificates(tmp_path)
    process, address = scheduler(tmp_path, protocol="tls", environment=as_environment(tls))
    with process, worker(tmp_path, address, "one", environment=as_environment(tls)):
        with monkeypatch.context() as impatient, Told(address) as told, pytest.raises(Failure, match="ca-file"):  # nothing is configured here
            impatient.setattr(managed, "_LOST_PATIENCE", 0.2)
            told.cluster.client()
        ours = {"ca-file": tls["ca-file"], **{f"client.{part}": path for part, path in tls["client"].items()}}
        with dask.config.set({f"distributed.comm.tls.{name}": path for name, path in ours.items()}), Told(address) as told:
            assert told.compute() == 42
            assert told.cluster.state()["cluster"] == "shared"


def test_attempts_that_fail_leave_nothing_that_could_hold_up_later_ones(tmp_path):
    process, address = scheduler(tmp_path, protocol="tls", environment=as_environment(certificates(tmp_path)))
    with process:
        threads = threading.active_count()
        for _ in range(3):
            with pytest.raises(Failure, match="ca-file"):
                connection.connect(address)
            with pytest.raises(Failure, match="no scheduler answers"):
                connection.connect(f"tcp://127.0.0.1:{free_port()}")
        until(lambda: threading.active_count() <= threads, "the end of the threads of clients that could not be made")

        def collect() -> None:
            with LoopRunner._lock:  # as while another client is made
                gc.collect()

        collecting = threading.Thread(target=collect, daemon=True)
        collecting.start()
        collecting.join(30)
        assert not collecting.is_alive()


def test_a_lost_scheduler_is_found_again(tmp_path):
    process, address = scheduler(tmp_path)
    with process, worker(tmp_path, address, "one"), Told(address) as told:
        assert told.compute() == 42
        first = told.cluster.client()
        failures: list[BaseException] = []

        def wait_for_the_lost() -> None:
            try:
                with told.cluster.using() as client:
                    client.submit(time.sleep, 600).result()
            except BaseException as error:  # what it raises is what this is about
                failures.append(error)

        waiting = threading.Thread(target=wait_for_the_lost)
        waiting.start()
        until(lambda: told.cluster.state()["tasks"] >= 1, "a task that runs")
        process.kill()
        lost = told.now("lost")
        assert lost["workers"] == 0 and "again" in lost["message"]
        waiting.join(30)
        assert isinstance(explain(failures[0], first), SchedulerLost)
        restarted, _ = scheduler(tmp_path, int(address.rpartition(":")[2]))
        with restarted, worker(tmp_path, address, "two"):
            assert told.now("running", 1)["message"] is None
            assert told.compute() == 42
            assert told.cluster.client() is not first


def test_a_loss_that_the_client_has_not_noticed_yet_is_one():
    client = types.SimpleNamespace(status="running", scheduler=types.SimpleNamespace(address="tcp://127.0.0.1:39299"))

    def closed(port: int) -> CommClosedError:
        return CommClosedError(f"in <TCP (closed) ConnectionPool.gather local=tcp://127.0.0.1:42956 remote=tcp://127.0.0.1:{port}>: Stream is closed")

    assert isinstance(explain(closed(39299), client), SchedulerLost)
    assert not isinstance(explain(closed(3929), client), SchedulerLost)  # a worker's
    client.status = "closed"
    assert isinstance(explain(closed(3929), client), SchedulerLost)


def test_the_next_client_is_waited_for():
    clients = [1, 2, 2, 2, 3]
    cluster = types.SimpleNamespace(client=lambda _: clients.pop(0))
    wait_for_another(cluster, [1, 2], Cancel())
    assert not clients


def test_a_scheduler_that_is_not_there_is_said_and_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr(managed, "_LOST_PATIENCE", 0.5)
    port = free_port()
    with Told(f"tcp://127.0.0.1:{port}") as told:
        with pytest.raises(Failure, match=f"no scheduler answers at tcp://127.0.0.1:{port}") as raised:
            told.cluster.client()
        assert raised.value.status == Status.GONE
        assert told.cluster.state()["state"] == "lost"
        process, address = scheduler(tmp_path, port)
        with process, worker(tmp_path, address, "one"):
            told.now("running", 1)


def test_a_request_that_is_given_up_does_not_wait_for_the_cluster():
    cancelled = Cancel()
    with Told(f"tcp://127.0.0.1:{free_port()}") as told:
        threading.Timer(0.3, cancelled.set).start()
        began = time.monotonic()
        with pytest.raises(Cancelled):
            told.cluster.client(cancelled)
        assert time.monotonic() - began < 5


def test_a_cluster_of_another_python_is_refused(tmp_path, monkeypatch):
    process, address = scheduler(tmp_path)
    monkeypatch.setattr(managed, "_LOST_PATIENCE", 0.2)
    monkeypatch.setattr("virga_engine.clusters.usage.sys", type("Other", (), {"version_info": (3, 99)}))
    with process, Told(address) as told:
        with pytest.raises(Failure, match="runs Python 3.11.* and the engine 3.99"):
            told.cluster.client()


def test_a_task_that_raises_says_so_and_a_killed_worker_is_replaced():
    with Told("local:1") as told:
        with pytest.raises(ZeroDivisionError), told.cluster.using() as client:
            client.submit(lambda: 1 / 0).result()
        with pytest.raises(KilledWorker), told.cluster.using() as client:
            client.submit(lambda: os.kill(os.getpid(), signal.SIGKILL)).result()
        assert told.compute() == 42


@pytest.mark.parametrize("spec", ["", "local:0", "local:x", "tcp://", "tcp://host", "tcp://a b:1", "gateway:", "gateway:ftp://host", "udp://h:1",
                                  "local:2;rm", "gateway:http://h#a/../b"])
def test_what_names_no_cluster_is_refused(spec):
    with pytest.raises(Failure) as raised:
        open_cluster(spec, None, None, lambda: None)
    assert raised.value.status == Status.INVALID


@pytest.mark.parametrize("workers", [(2, 1), (0, 0), (-1, 2)])
def test_limits_that_make_no_sense_are_refused(workers):
    with pytest.raises(Failure, match="MIN:MAX"):
        open_cluster("local", workers, None, lambda: None)
