# SPDX-License-Identifier: Apache-2.0
"""A server's clusters, each user's own: from a real dask-gateway or of this machine. None is left when users leave or the server is killed."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import Server, clean_environment, release
from people import Person, new_person
from processes import Gateway, alive, descendants, until


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    with Gateway(tmp_path_factory.mktemp("gateway")) as server:
        yield server


@pytest.fixture(scope="module")
def forecast(tmp_path_factory) -> Path:
    """Anything to show."""
    import numpy as np
    import xarray as xr
    path = tmp_path_factory.mktemp("store") / "store.zarr"
    names = ("time", "latitude", "longitude")
    xr.Dataset({"air_temperature": (names, np.full((2, 20, 30), 280, "f4"), {"units": "K", "standard_name": "air_temperature"})}, {
        "time": ("time", np.arange(2), {"units": "hours since 2026-01-31 00:00:00", "standard_name": "time"}),
        "latitude": ("latitude", 50 + 0.1 * np.arange(20), {"units": "degrees_north", "standard_name": "latitude"}),
        "longitude": ("longitude", 0.1 * np.arange(30), {"units": "degrees_east", "standard_name": "longitude"})}).to_zarr(
            path, zarr_format=3, consolidated=False)
    return path


@contextmanager
def serving(folder: Path, *arguments: str, environment: dict[str, str] | None = None):
    """A server that a test may kill; whatever it started must be gone with it."""
    folder.mkdir()
    server = Server([release(), "serve", "--listen", "127.0.0.1:0", "--state", str(folder / "state"), *arguments],
                    clean_environment(folder, **(environment or {})), folder)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.stop()


def state_of(person: Person) -> dict:
    """Of the own cluster."""
    status, state = person.ask("api/engine")
    assert status == 200, state
    return state


def say(person: Person, action: str) -> None:
    status, said = person.ask("api/engine", "POST", {"action": action}, Origin=person.url.rstrip("/"))
    assert status == 202, said


def start(person: Person) -> dict:
    """Starts the own cluster; the state once it runs."""
    say(person, "start")

    def running() -> dict | None:
        state = state_of(person)
        assert state["state"] != "failed", state
        return state if state["state"] == "running" else None
    return until(running, f"a cluster that runs, not {state_of(person)}", 120)


def test_two_users_have_two_clusters_of_a_gateway_and_none_is_left(gateway, forecast, tmp_path):
    flags = ("--engine", f"gateway:{gateway.address}", "--engine-clusters", "user", "--engine-workers", "0:1", f"zarr:{forecast}")
    with serving(tmp_path / "server", *flags, environment=gateway.as_user("virga")) as server:
        one, other = new_person(server.url), new_person(server.url)
        first, second = start(one), start(other)
        assert first["cluster"] == second["cluster"] == "gateway"
        assert first["dashboard"] != second["dashboard"] and first["dashboard"].startswith(gateway.address)
        before = gateway.processes()
        assert len(before) >= 4  # two schedulers, two workers
        # Who stops a cluster stops no other.
        say(one, "stop")
        until(lambda: state_of(one)["state"] == "stopped", "a cluster that stopped")
        until(lambda: len(gateway.processes()) <= len(before) - 2, "one cluster that is gone")
        assert state_of(other)["state"] in ("running", "idle")
        start(one)
        # Not the least word to anybody: what it has started goes by itself.
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait()
        until(lambda: not gateway.processes(), "clusters that ended with the server", 60)


def test_none_is_left_when_the_server_stops(gateway, forecast, tmp_path):
    flags = ("--engine", f"gateway:{gateway.address}", "--engine-workers", "0:1", f"zarr:{forecast}")
    with serving(tmp_path / "server", *flags, environment=gateway.as_user("virga")) as server:
        start(new_person(server.url))
        assert gateway.processes()
        server.stop()
        until(lambda: not gateway.processes(), "clusters that ended with the server", 60)


def test_none_is_left_when_a_user_leaves(gateway, forecast, tmp_path):
    """A user whose page is closed is gone after engine-idle seconds."""
    flags = ("--engine", f"gateway:{gateway.address}", "--engine-clusters", "user", "--engine-workers", "0:1", "--engine-idle", "2", f"zarr:{forecast}")
    with serving(tmp_path / "server", *flags, environment=gateway.as_user("virga")) as server:
        start(new_person(server.url))
        until(lambda: not gateway.processes(), "a cluster that ended with its user", 90)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_local_cluster_ends_with_the_server(forecast, tmp_path, how):
    with serving(tmp_path / "server", "--engine", "local:2", f"zarr:{forecast}") as server:
        assert start(new_person(server.url))["cluster"] == "local"
        started = descendants(server.process.pid)
        assert len(started) >= 3
        os.kill(server.process.pid, how)
        server.process.wait()
        until(lambda: not alive(started), "processes that ended with the server", 30)
