# SPDX-License-Identifier: Apache-2.0
"""The cluster of an engine: none, one of this machine, a shared one, or one that a gateway makes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from distributed import Client

State = dict[str, Any]  # STATE of SOURCE_PROTOCOL.md: cluster, state, workers, wanted, threads, memory, …


class Cluster(Protocol):
    """Any thread; each method but client(), using() and close() returns at once."""

    kind: str  # "none", "local", "shared" or "gateway"

    def client(self) -> Client:
        """The client, of a cluster that runs; starts it, or waits while it starts or reconnects, for a bounded time.

        Raises Failure, with what to do, where it cannot be had. Not to be kept from one request to the next: a scheduler that was
        lost and came back has another client, and the futures of the old one are cancelled.
        """

    def using(self) -> AbstractContextManager[Client]:
        """As client(), and the cluster is not idle before the block ends. What every request should take."""

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


def no_state() -> State:
    """STATE where there is no cluster."""
    return {"cluster": "none", "state": "none", "workers": 0, "wanted": [0, 0], "threads": 0, "memory": 0, "memory_limit": 0,
            "tasks": 0, "dashboard": None, "message": None, "started_seconds": None}


class NoCluster:
    """Where an engine reads in its own process."""

    kind = "none"

    def client(self) -> Client:
        from .failure import Failure, Status
        raise Failure(Status.UNSUPPORTED, "a published dataset is on a scheduler, and there is none: start with --engine tcp://HOST:PORT")

    def state(self) -> State:
        return no_state()

    @contextmanager
    def using(self) -> Iterator[Client]:
        yield self.client()

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

    spec: "none", "local[:N]", "tcp://H:P", "tls://H:P" or "gateway:URL". workers: least and most, or None for the kind's
    default. idle: seconds after the last touch() until what this engine started is given back, or None for 600.
    on_state: called on any thread whenever state() would say something else. Raises Failure for a malformed spec.
    """
    if spec == "none":
        return NoCluster()
    from .failure import Failure, Status
    raise Failure(Status.UNSUPPORTED, f"a cluster of this kind is not known: {spec}")
