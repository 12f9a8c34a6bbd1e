# SPDX-License-Identifier: Apache-2.0
"""A cluster of this machine: the scheduler in the engine, each worker a process of its own that ends when the engine does."""

from __future__ import annotations

import logging
from threading import Event
from typing import TYPE_CHECKING

from . import connection

if TYPE_CHECKING:
    from distributed import Client, LocalCluster
    from distributed.deploy import Adaptive

_MOST_BY_DEFAULT = 4  # workers; each is a Python of some 150 MB before it reads anything
_DEATH_SECONDS = 60.0  # a worker that has not found the scheduler after so long, on a busy machine, ends
_TARGET_SECONDS = 0.5  # of work that is waiting for each worker before there is one more

_log = logging.getLogger("virga_engine.cluster")


class LocalBackend:
    """See backend.Backend. Of a fixed size while it is busy, unless least and most are given."""

    kind = "local"
    own = True

    def __init__(self, count: int | None, workers: tuple[int, int] | None) -> None:
        from dask.system import CPU_COUNT
        count = count or min(CPU_COUNT, _MOST_BY_DEFAULT)
        self.wanted = workers or (0, count)
        self._adapts = workers is not None and workers[0] < workers[1]
        self.busy = max(1, self.wanted[0]) if self._adapts else self.wanted[1]
        self._threads = max(1, CPU_COUNT // self.wanted[1])
        self._cluster: LocalCluster | None = None
        self._client: Client | None = None
        self._adaptive: Adaptive | None = None

    def connect(self, given_up: Event) -> Client:
        from distributed import LocalCluster
        from distributed.system import MEMORY_LIMIT
        # Who may talk to a scheduler runs programs on its workers: a certificate of this cluster's own keeps out others
        # on this machine.
        self._cluster = LocalCluster(security=True, n_workers=0, threads_per_worker=self._threads, processes=True,
                                     host="127.0.0.1",
                                     memory_limit=MEMORY_LIMIT // self.wanted[1], dashboard_address="127.0.0.1:0",
                                     death_timeout=_DEATH_SECONDS, silence_logs=logging.WARNING)
        self._client = connection.client_of(self._cluster)
        return self._client

    def scale(self, busy: bool) -> None:
        least, most = self.wanted
        if busy and self._adapts:
            if self._adaptive is not None and self._adaptive.state == "running":
                return
            self._adaptive = self._cluster.adapt(minimum=self.busy, maximum=most, interval=0.5, wait_count=20, target_duration=_TARGET_SECONDS)
            return
        if self._adaptive is not None:
            self._adaptive.stop()
        self._cluster.scale(most if busy else least)

    def dashboard(self) -> str | None:
        return connection.dashboard(self._client)

    def drop(self) -> None:
        self.close()

    def close(self) -> None:
        client, self._client, self._adaptive = self._client, None, None
        cluster, self._cluster = self._cluster, None
        connection.disconnect(client)
        if cluster is None:
            return
        try:
            cluster.close(timeout=5)
        except Exception as error:  # what is left ends with this process
            _log.debug("closing a local cluster: %r", error)
