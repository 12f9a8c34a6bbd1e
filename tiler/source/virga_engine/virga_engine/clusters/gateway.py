# SPDX-License-Identifier: Apache-2.0
"""A cluster that a dask-gateway server makes for this engine; who asks for it is said by dask's configuration (gateway.auth)."""

from __future__ import annotations

import asyncio
from threading import Event
from typing import TYPE_CHECKING, Any

from ..failure import Failure, Status
from . import connection
from .watcher import Watcher

if TYPE_CHECKING:
    from dask_gateway.client import ClusterReport
    from distributed import Client

ANSWER_SECONDS = 30.0
_MOST_BY_DEFAULT = 4
_SPARE_SECONDS = 60.0  # beyond the engine's own idle time, until the gateway's server ends an idle cluster by itself


def ask(address: str, method: str, *arguments: Any, **named: Any) -> Any:
    """Calls a method of dask_gateway.Gateway; not on a thread that runs an event loop. Raises Failure."""
    import aiohttp
    from dask_gateway import Gateway, GatewayClusterError, GatewayServerError

    async def asking() -> Any:
        async with Gateway(address, asynchronous=True) as gateway:
            return await asyncio.wait_for(getattr(gateway, method)(*arguments, **named), ANSWER_SECONDS)

    try:
        return asyncio.run(asking())
    except aiohttp.ClientResponseError as error:
        if error.status in (401, 403):
            raise Failure(Status.SYSTEM, f"the gateway at {address} refuses this user; see gateway.auth in dask's configuration") from error
        raise Failure(Status.SYSTEM, f"the gateway at {address} answers with HTTP status {error.status}") from error
    except (OSError, aiohttp.ClientError) as error:
        raise Failure(Status.GONE, f"no dask-gateway answers at {address}") from error
    except (GatewayClusterError, GatewayServerError, ValueError) as error:
        raise Failure(Status.SYSTEM, f"the gateway at {address} refuses: {' '.join(str(error).split())}") from error


def _busy(wanted: tuple[int, int]) -> int:
    return min(wanted[1], max(1, wanted[0]))


class GatewayBackend:
    """See backend.Backend. With the name of a cluster that is there already, that one is joined and left as a shared one is."""

    kind = "gateway"

    def __init__(self, address: str, name: str | None, workers: tuple[int, int] | None, idle: float) -> None:
        """idle: the engine's own; the gateway is asked to end a cluster that does nothing for a little longer."""
        self.own = name is None
        self.wanted = (workers or (0, _MOST_BY_DEFAULT)) if self.own else (0, 0)
        self.busy = _busy(self.wanted)
        self._address = address
        self._idle = idle
        self._name = name
        self._report: ClusterReport | None = None
        self._client: Client | None = None
        self._watcher: Watcher | None = None

    def connect(self, given_up: Event) -> Client:
        report = self._find() or self._start(given_up)
        self._report = report
        self._client = connection.connect(report.scheduler_address, report.security)
        return self._client

    def _find(self) -> ClusterReport | None:
        """The cluster that this engine has, where it still runs."""
        if self._name is None:
            return None
        report = self._look(self._name)
        if report is not None and report.status.name == "RUNNING":
            return report
        if not self.own:
            raise Failure(Status.NOT_FOUND, f"the gateway at {self._address} has no running cluster {self._name} for this user")
        self._forget()
        return None

    def _look(self, name: str) -> ClusterReport | None:
        try:
            return ask(self._address, "get_cluster", name)
        except Failure as failure:
            if failure.status != Status.SYSTEM:
                raise
            return None

    def _start(self, given_up: Event) -> ClusterReport:
        options = ask(self._address, "cluster_options")
        own = {"idle_timeout": self._idle + _SPARE_SECONDS} if "idle_timeout" in options else {}
        if self._watcher is None:
            self._watcher = Watcher(self._address)
        self._name = ask(self._address, "submit", **own)
        self._watcher.watch(self._name)
        while not given_up.is_set():
            report = ask(self._address, "get_cluster", self._name)
            if report.status.name == "RUNNING":
                return report
            if report.status.name not in ("PENDING", "STARTING"):
                raise Failure(Status.SYSTEM, f"the gateway at {self._address} could not start a cluster; its logs say why")
            given_up.wait(0.25)
        raise Failure(Status.CANCELLED, "the cluster was stopped while it started")

    def scale(self, busy: bool) -> None:
        if not self.own:
            return
        least, most = self.wanted
        if least == most or not busy:
            ask(self._address, "scale_cluster", self._name, most if busy else least)
        else:
            ask(self._address, "adapt_cluster", self._name, minimum=self.busy, maximum=most)

    def dashboard(self) -> str | None:
        return self._report.dashboard_link if self._report else None

    def drop(self) -> None:
        client, self._client = self._client, None
        self._report = None
        connection.disconnect(client)

    def close(self) -> None:
        self.drop()
        if not self.own:
            return
        if self._name is not None:
            try:
                ask(self._address, "stop_cluster", self._name)
                self._forget()
            except Failure:
                self._name = None  # the watcher goes on trying
        watcher, self._watcher = self._watcher, None
        if watcher is not None:
            watcher.close()

    def _forget(self) -> None:
        if self._watcher is not None:
            self._watcher.forget(self._name)
        self._name = None
