# SPDX-License-Identifier: Apache-2.0
"""The cluster of an engine: none, one of this machine, a shared one, or one that a gateway makes."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from .failure import Failure, Status
from .request import Cancel, Cancelled

if TYPE_CHECKING:
    from distributed import Client

    from .clusters.backend import Backend

RECONNECT_SECONDS = 10
State = dict[str, Any]  # STATE of SOURCE_PROTOCOL.md: cluster, state, workers, wanted, threads, memory, …


class Cluster(Protocol):
    """Any thread; each method but client(), using() and close() returns at once."""

    kind: str  # "none", "local", "shared" or "gateway"

    def client(self, cancelled: Cancel | None = None) -> Client:
        """The client, of a cluster that runs; starts it, or waits while it starts or reconnects, for a bounded time.

        Raises Failure, with what to do, where it cannot be had, and Cancelled soon after `cancelled` is set. Not to be kept from one request to the next: a scheduler that was
        lost and came back has another client, and the futures of the old one are cancelled.
        """

    def using(self, cancelled: Cancel | None = None) -> AbstractContextManager[Client]:
        """As client(), and the cluster is not idle before the block ends: what every request should take."""

    def start(self) -> None:
        """A person wants it to run; state() tells what comes of it."""

    def stop(self) -> None:
        """A person wants it gone (of a shared scheduler: left). The next client() starts it again."""

    def state(self) -> State:
        """A fresh copy, whole and ready for JSON."""

    def touch(self) -> None:
        """Somebody uses it now: the idle time begins again."""

    def close(self) -> None:
        """Ends what this engine started (never a shared scheduler) and waits for that, 10 s at most. May be called twice."""


def wait_for_another(cluster: Cluster, used: list[Client], cancelled: Cancel) -> None:
    """After its scheduler was lost: until the cluster has a client that is none of `used`, RECONNECT_SECONDS at most. Raises what client() raises."""
    deadline = time.monotonic() + RECONNECT_SECONDS
    while cluster.client(cancelled) in used and time.monotonic() < deadline:
        if cancelled.wait(0.2):
            raise Cancelled


def no_state() -> State:
    """STATE where there is no cluster."""
    return {"cluster": "none", "state": "none", "workers": 0, "wanted": [0, 0], "threads": 0, "memory": 0, "memory_limit": 0,
            "tasks": 0, "dashboard": None, "message": None, "started_seconds": None}


class NoCluster:
    """Where an engine reads in its own process."""

    kind = "none"

    def client(self, cancelled: Cancel | None = None) -> Client:
        raise Failure(Status.UNSUPPORTED, "a published dataset is on a scheduler, and there is none: start with --engine tcp://HOST:PORT")

    def state(self) -> State:
        return no_state()

    @contextmanager
    def using(self, cancelled: Cancel | None = None) -> Iterator[Client]:
        yield self.client(cancelled)

    def start(self) -> None:
        pass

    def stop(self) -> None:
        pass

    def touch(self) -> None:
        pass

    def close(self) -> None:
        pass


def open_cluster(spec: str, workers: tuple[int, int] | None, idle: float | None, on_state: Callable[[], None]) -> Cluster:
    """The cluster that --cluster names; it does not start before it is needed.

    spec: "none", "local[:N]", "tcp://H:P", "tls://H:P" or "gateway:URL"; "gateway:URL#NAME" joins a cluster that is there already.
    workers: least and most, or None for the kind's default (none while idle; N, or at most 4). idle: seconds after the last use
    until what this engine started is scaled to the least, or None for 600. on_state: called on any thread, at most 4 times a
    second, whenever state() says something else. Raises Failure for a malformed spec.
    """
    idle = 600.0 if idle is None else idle
    if spec == "none":
        return NoCluster()
    if workers is not None and not 0 <= workers[0] <= workers[1] or workers is not None and workers[1] < 1:
        raise Failure(Status.INVALID, f"{workers[0]}:{workers[1]} workers: say MIN:MAX with MAX at least 1")
    from .clusters.managed import ManagedCluster
    return ManagedCluster(_backend(spec, workers, idle), idle, on_state)


def _backend(spec: str, workers: tuple[int, int] | None, idle: float) -> Backend:
    if match := re.fullmatch(r"local(?::([1-9][0-9]{0,3}))?", spec):
        from .clusters.local import LocalBackend
        return LocalBackend(int(match[1]) if match[1] else None, workers)
    if re.fullmatch(r"(tcp|tls)://[^\s/]+:[0-9]{1,5}", spec):
        from .clusters.shared import SharedBackend
        return SharedBackend(spec)
    if match := re.fullmatch(r"gateway:(https?://[^\s#]+)(?:#([\w.-]+))?", spec):
        from .clusters.gateway import GatewayBackend
        return GatewayBackend(match[1].rstrip("/"), match[2], workers, idle)
    raise Failure(Status.INVALID, f"{spec} names no cluster: none, local[:N], tcp://HOST:PORT, tls://HOST:PORT or gateway:URL")
