# SPDX-License-Identifier: Apache-2.0
"""A server with authentication, its tokens, and those who ask it."""
from __future__ import annotations

import itertools
import re
import subprocess
from pathlib import Path
from typing import Any

from conftest import clean_environment, wait_until
from visitor import Visitor

TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
FORGED = "A" * 43


class Tokens:
    """What `virga token` does beside a server with this state folder."""

    def __init__(self, program: str, state: Path) -> None:
        self.program, self.state = program, state

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([self.program, "token", *words, "--state", str(self.state)], capture_output=True, text=True, timeout=60, env=clean_environment(self.state))

    def create(self, name: str, role: str = "forecaster", *words: str) -> str:
        done = self.run("create", "--name", name, "--role", role, *words)
        assert done.returncode == 0, done.stderr
        token = done.stdout.strip()
        assert TOKEN.fullmatch(token)
        return token

    def number(self, name: str) -> str:
        """Of the newest token of this name."""
        listed = self.run("list").stdout.splitlines()
        return [line.split()[0] for line in listed if line.endswith(f"  {name}")][-1]

    def revoke(self, name: str) -> None:
        done = self.run("revoke", self.number(name))
        assert done.returncode == 0, done.stderr


class Place:
    """A server with authentication, and its tokens."""

    def __init__(self, server: Any, program: str) -> None:
        self.server, self.tokens, self.addresses = server, Tokens(program, server.state), itertools.count(256)

    @property
    def anybody(self) -> Visitor:
        """Somebody at an address of their own, from where nothing wrong came yet."""
        number = next(self.addresses)
        return Visitor(self.server, f"127.1.{number // 256}.{number % 256}")


def heeded(place: Place, token: str) -> Visitor:
    """Somebody with a token that the server has heard of."""
    wait_until(lambda: place.anybody.with_token(token).get("api/me").status == 200, 5)
    return place.anybody.with_token(token)
