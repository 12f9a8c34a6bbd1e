# SPDX-License-Identifier: Apache-2.0
"""Somebody who asks a server: from an address of this machine's, with headers of their own choice."""
from __future__ import annotations

import http.client
import http.cookies
import json
from typing import Any

from ws_client import Socket


class Reply:
    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status, self.headers, self.body = response.status, response.headers, response.read()

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def message(self) -> str:
        return self.json()["error"]["message"]

    def cookie(self, name: str = "virga") -> http.cookies.Morsel | None:
        """What the answer sets a cookie to."""
        jar: http.cookies.SimpleCookie = http.cookies.SimpleCookie()
        for value in self.headers.get_all("Set-Cookie") or []:
            jar.load(value)
        return jar.get(name)


class Visitor:
    """Of a server (conftest.Server). source: the address that it comes from (None: whichever the system takes); headers: sent with every request; None leaves one out."""

    def __init__(self, server: Any, source: str | None = "127.0.0.1", **headers: str | None) -> None:
        self.server, self.source = server, source
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.origin = f"http://{server.host}:{server.port}"

    def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str | None] | None = None, timeout: float = 60) -> Reply:
        """As a page's own script would (with Origin and type where it writes)."""
        all_headers: dict[str, str | None] = {**({"Origin": self.origin} if method not in ("GET", "HEAD") else {}), **self.headers,
                                              **({"Content-Type": "application/json"} if body is not None else {}), **(headers or {})}
        data = json.dumps(body).encode() if isinstance(body, (dict, list)) else body
        if data is not None or method in ("POST", "PUT"):
            all_headers.setdefault("Content-Length", str(len(data or b"")))
        connection = http.client.HTTPConnection(self.server.host, self.server.port, timeout=timeout, source_address=(self.source, 0) if self.source else None)
        try:
            connection.putrequest(method, "/" + self.server.url.split("/", 3)[3] + path, skip_host="Host" in all_headers)
            for name, value in all_headers.items():
                if value is not None:
                    connection.putheader(name, value)
            connection.endheaders()
            if data is not None:
                connection.send(data)
            return Reply(connection.getresponse())
        finally:
            connection.close()

    def get(self, path: str, **headers: str | None) -> Reply:
        return self.ask("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def me(self) -> dict[str, Any]:
        reply = self.get("api/me")
        assert reply.status == 200, reply.body
        return reply.json()

    def with_token(self, token: str) -> Visitor:
        """The same as a program that shows a token, without an Origin."""
        return self.but(Origin=None, Authorization=f"Bearer {token}")

    def but(self, **headers: str | None) -> Visitor:
        other = Visitor(self.server, self.source)
        other.headers = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return other

    def signed_in(self, token: str) -> Visitor:
        """The same as a browser that has signed in with a token."""
        reply = self.ask("POST", "api/login", headers={"Authorization": f"Bearer {token}"})
        assert reply.status == 200, reply.body
        return self.but(Cookie=f"virga={reply.cookie().value}")

    def websocket(self, **headers: str) -> tuple[int, Socket]:
        """Asks for the page's websocket; the status, and the socket, which the caller closes."""
        socket = Socket(self.server.host, self.server.port)
        named = {name: value for name, value in self.headers.items() if value is not None}
        return socket.ask_upgrade("/" + self.server.url.split("/", 3)[3] + "ws", {**named, **headers}), socket
