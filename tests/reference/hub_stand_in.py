# SPDX-License-Identifier: Apache-2.0
"""What a JupyterHub answers to a service that asks it who somebody is: GET /hub/api/user and OAuth 2 (authorization code), from its documentation alone."""
from __future__ import annotations

import contextlib
import http.server
import json
import secrets
import threading
import urllib.parse
from typing import Any

SERVICE_TOKEN = "the-token-of-the-service-at-the-hub"


class Hub:
    """users: what GET /hub/api/user says to a token. signed_in: the token of whoever is signed in at the hub's own page. broken: how to answer instead:
    "status" (500), "slow" (not before `go`), "large" (without end), "text" (no JSON), "redirect"."""

    def __init__(self) -> None:
        self.users: dict[str, dict[str, Any]] = {}
        self.codes: dict[str, tuple[str, str]] = {}
        self.signed_in, self.broken = "", ""
        self.asked: list[str] = []
        self.go = threading.Event()
        hub = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_: Any) -> None:
                pass

            def answer(self, status: int, body: Any, **headers: str) -> None:
                data = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                with contextlib.suppress(ConnectionError):  # too much, for whoever asked
                    self.wfile.write(data)

            def do_GET(self) -> None:
                address = urllib.parse.urlsplit(self.path)
                hub.asked.append(address.path)
                if address.path == "/hub/api/user":
                    self.user()
                elif address.path == "/hub/api/oauth2/authorize":
                    self.authorize(dict(urllib.parse.parse_qsl(address.query)))
                else:
                    self.answer(404, {"status": 404})

            def user(self) -> None:
                if hub.broken == "status":
                    self.answer(500, {"status": 500})
                elif hub.broken == "text":
                    self.answer(200, b"<html>")
                elif hub.broken == "redirect":
                    self.answer(302, b"", Location=hub.url + "/stolen")
                elif hub.broken == "large":
                    self.answer(200, b" " * (8 << 20))
                else:
                    if hub.broken == "slow":
                        hub.go.wait(20)
                    kind, _, token = (self.headers["Authorization"] or "").partition(" ")
                    found = hub.users.get(token) if kind == "token" else None
                    self.answer(200 if found else 403, found or {"status": 403})

            def authorize(self, query: dict[str, str]) -> None:
                good = query["client_id"] == "service-virga" and query["response_type"] == "code" and hub.signed_in
                code = secrets.token_urlsafe(16)
                hub.codes[code] = (hub.signed_in, query["redirect_uri"])
                result = {"code": code} if good else {"error": "access_denied"}
                self.answer(302, b"", Location=f"{query['redirect_uri']}?{urllib.parse.urlencode({**result, 'state': query['state']})}")

            def do_POST(self) -> None:
                form = dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
                hub.asked.append(self.path)
                token, redirect = hub.codes.pop(form.get("code", ""), ("", ""))
                good = (self.path == "/hub/api/oauth2/token" and token and form["client_id"] == "service-virga" and form["client_secret"] == SERVICE_TOKEN
                        and form["grant_type"] == "authorization_code" and form["redirect_uri"] == redirect)
                self.answer(200, {"access_token": token, "token_type": "Bearer"}) if good else self.answer(400, {"error": "invalid_grant"})

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def person(self, name: str, scopes: tuple[str, ...] = ("access:services!service=virga",), kind: str = "user") -> str:
        """A token of theirs."""
        token = secrets.token_hex(16)
        self.users[token] = {"kind": kind, "name": name, "admin": False, "groups": [], "scopes": list(scopes)}
        return token

    def close(self) -> None:
        self.go.set()
        self.server.shutdown()
        self.server.server_close()
