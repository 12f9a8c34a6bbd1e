# SPDX-License-Identifier: Apache-2.0
"""Clusters of the engine by a real dask-gateway server: one for each user, from nothing and back, and none left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest
from child import STATE, Child, message
from processes import Gateway, free_port, until

from virga_engine.clusters.watcher import _left

START, STOP = message(11, 0, b"\1"), message(11, 0, b"\0")


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    with Gateway(tmp_path_factory.mktemp("gateway")) as server:
        yield server


@contextmanager
def engine(gateway: Gateway, user: str, *options: str, spec: str = ""):
    """An engine that asks the gateway as this user; none of its clusters is left after it."""
    child = Child("--cluster", spec or f"gateway:{gateway.address}", *options, environment=gateway.as_user(user))
    try:
        yield child
    finally:
        child.socket.close()
        child.process.wait(30)
        until(lambda: not clusters(gateway, user), "clusters that ended")


def told(child: Child, state: str, workers: int | None = None) -> dict:
    """The first STATE that is this one."""
    while True:
        kind, _, body = child.receive()
        assert kind == STATE
        found = json.loads(body[4:])
        if found["state"] == state and workers in (None, found["workers"]):
            return found
        assert found["state"] != "failed", found


def clusters(gateway: Gateway, user: str) -> list[str]:
    """The names of a user's clusters, asked as that user."""
    program = "import sys; from virga_engine.clusters.gateway import ask; print(*[c.name for c in ask(sys.argv[1], 'list_clusters')])"
    run = subprocess.run([sys.executable, "-c", program, gateway.address], env={**os.environ, **gateway.as_user(user)}, check=True,
                         capture_output=True, text=True)
    return run.stdout.split()


def test_from_nothing_to_workers_and_back_and_again(gateway):
    with engine(gateway, "ada", "--workers", "0:2", "--idle", "1") as child:
        assert not clusters(gateway, "ada")
        child.send(START)
        told(child, "starting")
        running = told(child, "running")
        assert running["cluster"] == "gateway" and running["wanted"] == [0, 2] and running["started_seconds"] > 0
        assert running["dashboard"].startswith(gateway.address + "/clusters/")
        told(child, "idle", 0)
        assert len(clusters(gateway, "ada")) == 1
        child.send(START)
        told(child, "running")
        child.send(STOP)
        told(child, "stopped", 0)
        until(lambda: not clusters(gateway, "ada"), "a cluster that was stopped")
    until(lambda: not gateway.processes(), "processes of clusters that ended")


def test_two_users_have_clusters_of_their_own(gateway):
    with engine(gateway, "ben", "--workers", "1:1") as one, engine(gateway, "cleo", "--workers", "1:1") as other:
        for child in (one, other):
            child.send(START)
        links = {told(child, "running", 1)["dashboard"] for child in (one, other)}
        assert len(links) == 2
        ours, theirs = clusters(gateway, "ben"), clusters(gateway, "cleo")
        assert len(ours) == len(theirs) == 1 and ours != theirs
        # Neither may have, see or end what is the other's: the gateway says so.
        with engine(gateway, "ben", spec=f"gateway:{gateway.address}#{theirs[0]}") as thief:
            thief.send(START)
            state: dict = {}
            while not state.get("message"):
                state = json.loads(thief.receive()[2][4:])
            assert state["state"] == "lost" and "no running cluster" in state["message"]
            thief.send(STOP)
            told(thief, "stopped")
            assert clusters(gateway, "cleo") == theirs
            # "ben" has one still: this engine's end must not wait for its end.
            one.socket.close()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_none_is_left_when_the_engine_is_killed(gateway, how):
    with engine(gateway, "dee", "--workers", "1:1") as child:
        child.send(START)
        told(child, "running", 1)
        assert gateway.processes() and clusters(gateway, "dee")
        child.process.send_signal(how)
        child.process.wait(20)
        until(lambda: not clusters(gateway, "dee"), "a cluster whose engine was killed", 20)
        until(lambda: not gateway.processes(), "processes of clusters that ended")


def test_none_is_left_when_the_engine_is_killed_while_the_cluster_starts(gateway):
    with engine(gateway, "eve", "--workers", "1:1") as child:
        child.send(START)
        told(child, "starting")
        until(lambda: clusters(gateway, "eve"), "a cluster that starts")
        child.process.kill()
        child.process.wait()
        until(lambda: not clusters(gateway, "eve"), "a cluster whose engine was killed", 20)


def test_a_cluster_that_is_there_is_joined_and_left(gateway):
    with engine(gateway, "flo", "--workers", "1:1") as owner:
        owner.send(START)
        told(owner, "running", 1)
        (name,) = clusters(gateway, "flo")
        guest = Child("--cluster", f"gateway:{gateway.address}#{name}", environment=gateway.as_user("flo"))
        guest.send(START)
        assert told(guest, "running", 1)["wanted"] == [0, 0]
        guest.socket.close()
        guest.process.wait(30)
        assert clusters(gateway, "flo") == [name]


def test_a_cluster_that_the_gateway_ended_is_made_again(gateway, monkeypatch):
    for key, value in gateway.as_user("gus").items():
        monkeypatch.setenv(key, value)
    with engine(gateway, "gus", "--workers", "1:1") as child:
        child.send(START)
        told(child, "running", 1)
        (name,) = clusters(gateway, "gus")
        subprocess.run([sys.executable, "-c", "import sys; from virga_engine.clusters.gateway import ask; ask(sys.argv[1], 'stop_cluster', sys.argv[2])",
                        gateway.address, name], check=True)
        told(child, "lost")
        told(child, "running", 1)
        assert clusters(gateway, "gus") not in ([], [name])


def test_a_gateway_that_is_not_there_is_said():
    child = Child("--cluster", f"gateway:http://127.0.0.1:{free_port()}")
    try:
        child.send(START)
        state: dict = {}
        while state.get("state") != "failed":
            state = json.loads(child.receive()[2][4:])
        assert "no dask-gateway answers at http://127.0.0.1" in state["message"]
    finally:
        child.socket.close()
        child.process.wait(30)


def test_the_watcher_knows_what_is_left():
    assert _left(["+a\n", "+b\n", "-a\n", "-c\n", "+d\n"]) == ["b", "d"]
    assert _left([]) == []
