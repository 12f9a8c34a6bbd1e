# SPDX-License-Identifier: Apache-2.0
"""A server that runs elsewhere and asks this process for what it shows."""

from __future__ import annotations

from . import kernel_engine
from .private_server import Refused, RemoteServer
from .source_link import NotConnected, RemoteChannel


class LinkedServer(RemoteServer):
    """Of one user, who sees what this process shows there. The connection is this process's own, outgoing; where it
    ends, the server lets go of what was shown, and it is to be shown again."""

    def __init__(self, url: str, token: str | None) -> None:
        """Raises Refused."""
        super().__init__(url, token)
        self._session = self._begin()
        try:
            self._channel = RemoteChannel(self.url, self._token, self._session, kernel_engine.MOST_BYTES)
        except (NotConnected, TimeoutError) as error:
            self._end_session()
            raise Refused(f"{error}; {self.url} takes what a notebook holds over a websocket, with the publish token "
                          f"of its setting publish-token-file (token= or VIRGA_TOKEN)") from None
        kernel_engine.answer(self._channel)

    def _begin(self) -> str:
        answer = self._ask("POST", "api/session", {})
        if not isinstance(answer, dict) or not isinstance(answer.get("token"), str):
            raise Refused(f"{self.url} is no virga server of this version")
        return answer["token"]

    def _end_session(self) -> None:
        try:
            self._ask("DELETE", "api/session", None)
        except Refused:
            pass  # it is gone already, or the server is

    def runs(self) -> bool:
        return self._channel.is_open

    def close(self) -> None:
        self._end_session()
        self._channel.close()
