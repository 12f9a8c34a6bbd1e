# SPDX-License-Identifier: Apache-2.0
"""Users of a server, and the word by which one may publish there."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from conftest import wait_until

WORD = "a-word-that-nobody-guesses-0123456789-abcdef"
PATIENCE = 120.0


@pytest.fixture
def word(tmp_path: Path) -> Path:
    """A file with the word, for publish-token-file."""
    path = tmp_path / "token"
    path.write_text(WORD + "\n")
    return path


class Person:
    """Somebody who asks a server, by HTTP."""

    def __init__(self, url: str, token: str | None = None) -> None:
        self.url, self.token = url, token

    def ask(self, path: str, method: str = "GET", body: Any = None, **headers: str) -> tuple[int, Any]:
        """Status and JSON, or bytes, of an answer."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            named["X-Virga-Session"] = self.token
        data = None if body is None else json.dumps(body).encode() if not isinstance(body, bytes) else body
        if data is not None:
            named.setdefault("Content-Type", "application/json")
        request = urllib.request.Request(self.url + path, data, named, method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                status, content = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                status, content = error.code, error.read()
        try:
            return status, json.loads(content)
        except ValueError:
            return status, content

    def catalog(self) -> dict[str, Any]:
        status, catalog = self.ask("api/catalog")
        assert status == 200
        return catalog

    def dataset(self) -> dict[str, Any]:
        """The only one, once it is there."""
        found = wait_until(lambda: self.catalog()["datasets"], PATIENCE)
        assert len(found) == 1
        return found[0]

    def editions(self) -> set[str]:
        return {series["edition"] for run in self.dataset()["runs"] for series in run["series"].values()}

    def read_something(self) -> None:
        """A field, for which an engine needs its cluster."""
        status, said = self.ask(f"bricks/{sorted(self.editions())[0]}/0/0/table")
        assert status == 200, said


def new_person(url: str, code: str | None = None) -> Person:
    status, said = Person(url).ask("api/session", "POST", {"code": code} if code else {})
    assert status == 201, said
    return Person(url, said["token"])
