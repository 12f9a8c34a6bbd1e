# SPDX-License-Identifier: Apache-2.0
"""A scheduler that others run, at tcp:// or tls://. It is joined and left, and never scaled or shut down."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING

from . import connection

if TYPE_CHECKING:
    from distributed import Client


class SharedBackend:
    """See backend.Backend."""

    kind = "shared"
    own = False
    wanted = (0, 0)
    busy = 0

    def __init__(self, address: str) -> None:
        self._address = address
        self._client: Client | None = None

    def connect(self, given_up: Event) -> Client:
        self._client = connection.connect(self._address)
        return self._client

    def scale(self, busy: bool) -> None:
        pass

    def dashboard(self) -> str | None:
        return connection.dashboard(self._client)

    def drop(self) -> None:
        client, self._client = self._client, None
        connection.disconnect(client)

    def close(self) -> None:
        self.drop()
