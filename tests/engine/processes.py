# SPDX-License-Identifier: Apache-2.0
"""Processes that the tests of clusters start: a scheduler, workers, a gateway; and what is there of a process's descendants."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

Found = TypeVar("Found")
PATIENCE = 60.0


def until(look: Callable[[], Found], what: str, patience: float = PATIENCE) -> Found:
    """What look() returns once it is true."""
    deadline = time.monotonic() + patience
    while not (found := look()):
        assert time.monotonic() < deadline, f"waited {patience:.0f} s in vain: {what}"
        time.sleep(0.02)
    return found


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def _parents() -> dict[int, int]:
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                found[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                pass
    return found


def descendants(pid: int) -> set[int]:
    """All that this process started, and what those did."""
    parents = _parents()
    found: set[int] = set()
    new = {pid}
    while new:
        new = {child for child, parent in parents.items() if parent in new and child not in found}
        found |= new
    return found


def alive(pids: set[int]) -> set[int]:
    """Those that run, zombies left out."""
    running = set()
    for pid in pids:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX":
                running.add(pid)
        except OSError:
            pass
    return running


def running_below(pid: int, word: str) -> set[int]:
    """Those descendants that run with this word in their command line."""
    found = set()
    for child in descendants(pid):
        try:
            if word.encode() in Path(f"/proc/{child}/cmdline").read_bytes():
                found.add(child)
        except OSError:
            pass
    return alive(found)


class Process:
    """A Python module that runs in a session of its own; `with` ends it and all that it started."""

    def __init__(self, log: Path, module: str, *arguments: str, environment: dict[str, str] | None = None) -> None:
        self.log = log
        with log.open("ab") as out:
            self.process = subprocess.Popen([sys.executable, "-m", module, *arguments], stdin=subprocess.DEVNULL, stdout=out,
                                            stderr=subprocess.STDOUT, start_new_session=True,
                                            env={**os.environ, **(environment or {})})
        self.pid = self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def kill(self) -> None:
        """With -9, and what it started with it."""
        for pid in [self.pid, *descendants(self.pid)]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()

    def running(self) -> bool:
        return self.process.poll() is None

    def words(self) -> str:
        return self.log.read_text(errors="replace")


def scheduler(folder: Path, port: int | None = None, protocol: str = "tcp", environment: dict[str, str] | None = None) -> tuple[Process, str]:
    """A scheduler that listens, and its address."""
    port = port or free_port()
    log = folder / f"scheduler-{time.monotonic_ns()}.log"
    process = Process(log, "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", str(port), "--dashboard-address",
                      "127.0.0.1:0", "--protocol", protocol, environment=environment)
    try:
        until(lambda: f"{protocol}://127.0.0.1:{port}" in process.words() or not process.running(), "a scheduler that listens")
        assert process.running(), process.words()
    except AssertionError:
        process.kill()
        raise
    return process, f"{protocol}://127.0.0.1:{port}"


def worker(folder: Path, address: str, name: str, memory: str = "1GiB", nanny: bool = False,
           environment: dict[str, str] | None = None) -> Process:
    """A worker of one thread; it may still be on its way to the scheduler."""
    scratch = folder / name
    scratch.mkdir(exist_ok=True)
    return Process(folder / f"{name}-{time.monotonic_ns()}.log", "distributed.cli.dask_worker", address, "--name", name, "--nthreads", "1",
                   "--memory-limit", memory, "--no-dashboard", "--local-directory", str(scratch), "--host", "127.0.0.1",
                   "--nanny" if nanny else "--no-nanny", environment=environment)


class Gateway(Process):
    """A dask-gateway server with its local backend, whose clusters are processes in `folder`; any user, any password."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.clusters = folder / "clusters"
        self.clusters.mkdir()
        http, proxy = free_port(), free_port()
        self.address = f"http://127.0.0.1:{http}"
        settings = folder / "gateway.py"
        settings.write_text(_GATEWAY.format(http=http, proxy=proxy, clusters=str(self.clusters), python=sys.executable))
        super().__init__(folder / "gateway.log", "dask_gateway_server", "-f", str(settings))
        self.environment = {"DASK_GATEWAY__PROXY_ADDRESS": f"127.0.0.1:{proxy}"}
        try:
            until(lambda: "Dask-Gateway server started" in self.words() or not self.running(), "a gateway that listens")
            assert self.running(), self.words()
        except AssertionError:
            self.kill()
            raise

    def as_user(self, name: str) -> dict[str, str]:
        """The environment of somebody who asks as this user."""
        return {**self.environment, "DASK_GATEWAY__AUTH__TYPE": "basic",
                "DASK_GATEWAY__AUTH__KWARGS": f'{{"username": "{name}", "password": "any"}}'}

    def processes(self) -> set[int]:
        """The schedulers and workers that it runs; its proxy left out."""
        return running_below(self.pid, "distributed.cli")


_GATEWAY = """
from dask_gateway_server.options import Float, Options
c.DaskGateway.address = "127.0.0.1:0"
c.DaskGateway.backend_class = "dask_gateway_server.backends.local.UnsafeLocalBackend"
c.DaskGateway.authenticator_class = "dask_gateway_server.auth.SimpleAuthenticator"
c.Proxy.address = "127.0.0.1:{http}"
c.Proxy.tcp_address = "127.0.0.1:{proxy}"
c.UnsafeLocalBackend.clusters_directory = {clusters!r}
c.UnsafeLocalBackend.sigint_timeout = 2
c.UnsafeLocalBackend.sigterm_timeout = 1
c.Backend.cluster_options = Options(Float("idle_timeout", default=0.0))
c.ClusterConfig.scheduler_cmd = [{python!r}, "-m", "distributed.cli.dask_scheduler"]
c.ClusterConfig.worker_cmd = [{python!r}, "-m", "distributed.cli.dask_worker"]
c.ClusterConfig.worker_memory = "1 G"
c.ClusterConfig.worker_cores = 1
c.ClusterConfig.adaptive_period = 0.5
"""
