# SPDX-License-Identifier: Apache-2.0
"""What each kind of cluster does its own way."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from distributed import Client


class Backend(Protocol):
    """One kind of cluster. Called on the managing thread of managed.ManagedCluster only, one call at a time.

    kind    "local", "shared" or "gateway"
    own     whether the workers are this engine's: to scale, to give back when idle, and to end
    wanted  least and most workers; (0, 0) where they are not its own
    busy    workers that it has at least while it is busy; 0 where they are not its own
    """

    kind: str
    own: bool
    wanted: tuple[int, int]
    busy: int

    def connect(self, given_up: Event) -> Client:
        """Starts the cluster, or finds the one that it has, and connects; its workers may still be on their way.

        May take long; gives up soon after the event is set. Raises Failure, with nothing left that close() would not end.
        """

    def scale(self, busy: bool) -> None:
        """busy: to its working size, or as the load is; else to the least. Returns before it is done.

        May be called again at the same size: workers that were lost for good are then replaced. May raise Failure and OSError.
        """

    def dashboard(self) -> str | None:
        """The link of the cluster that is connected."""

    def drop(self) -> None:
        """The scheduler was lost: ends the client and what is left of it; connect() follows. Never raises."""

    def close(self) -> None:
        """Leaves, and ends what is its own. May be called twice; connect() may follow. Never raises."""
