# SPDX-License-Identifier: Apache-2.0
"""Servers that show what a notebook has: one of its own, or one that runs already. Both are asked over HTTP."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

START_SECONDS = 30.0
ASK_SECONDS = 180.0  # a cluster may have to start
_STARTER = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(1, 9)  # the server ends with the thread that started it
if os.getppid() != int(sys.argv[1]):
    sys.exit(0)
os.execv(sys.argv[2], sys.argv[2:])
"""


class Refused(Exception):
    """The server did not do what was asked; the text says why."""


@dataclass
class Publication:
    """What a server shows for this notebook. path: from the page's address on, with a code that serves once."""

    id: str
    dataset: str
    path: str


class Server:
    """A server by its address ("http://…/"). One thread at a time."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url if url.endswith("/") else url + "/"
        self._token = token
        self._session: str | None = None  # whose what is published is; None: a new user's

    def publish(self, address: str, title: str) -> Publication:
        """Raises Refused."""
        answer = self._ask("POST", "api/datasets", {"address": address, "title": title})
        try:
            return Publication(answer["id"], answer["dataset"], answer["path"])
        except (KeyError, TypeError):
            raise Refused(f"{self.url} is no virga server of this version") from None

    def another_path(self, publication: Publication) -> str:
        """As Publication.path, with a code of its own. Raises Refused."""
        answer = self._ask("POST", f"api/datasets/{publication.id}", None)
        return f"{publication.path.partition('#')[0]}#code={answer['code']}"

    def unpublish(self, publication: Publication) -> None:
        """What is gone already, with its server or without, counts as done."""
        try:
            self._ask("DELETE", f"api/datasets/{publication.id}", None)
        except Refused:
            pass

    def close(self) -> None:
        """Ends it, where it is this notebook's."""

    def _ask(self, method: str, path: str, body: dict[str, Any] | None) -> Any:
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        if self._session:
            headers["X-Virga-Session"] = self._session
        raw = json.dumps(body).encode() if body is not None else b"" if method == "POST" else None
        request = urllib.request.Request(self.url + path, raw, method=method, headers=headers)
        try:
            with _opener().open(request, timeout=ASK_SECONDS) as answer:
                raw = answer.read(1 << 20)
                return json.loads(raw) if raw else None
        except urllib.error.HTTPError as error:
            raise Refused(_words(error, self.url)) from None
        except (OSError, ValueError) as error:
            raise Refused(f"{self.url} does not answer ({error})") from None


def _opener() -> urllib.request.OpenerDirector:
    """Tokens go to the server that was named and nowhere else: redirections are not followed."""
    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: Any) -> None:
            return None

    return urllib.request.build_opener(Stay)


def message_of(body: bytes) -> str:
    """What a server says of an error in the answer's body; empty where it says nothing."""
    try:
        return str(json.loads(body)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return ""


def _words(error: urllib.error.HTTPError, url: str) -> str:
    message = message_of(error.read(1 << 16)) or f"{url} answered {error.code}"
    if error.code in (401, 403, 501):
        message += "; the token is that of the server's setting publish-token-file, given as token= or VIRGA_TOKEN"
    return message


class RemoteServer(Server):
    """A server that somebody else runs."""

    def __init__(self, url: str, token: str | None) -> None:
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise Refused(f"{url} is no address of a server: expected http://HOST:PORT/ or https://…")
        if not token:
            raise Refused(f"publishing on {url} needs its publish token: token=, or VIRGA_TOKEN in the environment")
        super().__init__(urllib.parse.urlunsplit((parts.scheme, parts.netloc, parts.path, "", "")), token)


class PrivateServer(Server):
    """A server on a free port of this machine that this process has for itself, and that ends with it."""

    def __init__(self, program: str | None, *, cluster: str = "none", engine: int | None = None) -> None:
        """cluster: for --engine. engine: a socket with an engine at its other end, closed here. Raises Refused."""
        self._folder = Path(tempfile.mkdtemp(prefix="virga-notebook-"))
        token = secrets.token_urlsafe(32)
        secret = self._folder / "token"
        secret.touch(0o600)
        secret.write_text(token)
        try:
            self._process = _Starter.start(self._command(_program(program), cluster, engine), engine)
            super().__init__(self._address(), token)
        except BaseException:
            self._end()
            raise
        finally:
            if engine is not None:
                os.close(engine)

    def _command(self, program: str, cluster: str, engine: int | None) -> list[str]:
        command = [program, "serve", "--allow-empty", "--listen", "127.0.0.1:0", "--state", str(self._folder),
                   "--publish-token-file", str(self._folder / "token"),
                   "--embed-host", "http://localhost:*", "--embed-host", "http://127.0.0.1:*"]
        if engine is not None:
            return [*command, "--engine-socket", str(engine)]
        return [*command, "--engine", cluster, "--engine-python", sys.executable]

    def _address(self) -> str:
        """Waits for the line that says where it listens; what it says besides is kept for the message of a failure."""
        lines: SimpleQueue[str | None] = SimpleQueue()
        self._said: deque[str] = deque(maxlen=20)
        Thread(target=_pump, args=(self._process, lines, self._said), name="virga-server", daemon=True).start()
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                line = lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except Empty:
                break
            if line is None:
                break
            if line.startswith("listening on "):
                return line.removeprefix("listening on ").strip()
        raise Refused(f"virga serve did not start: {' '.join(list(self._said)[-3:]) or 'it said nothing'}")

    @property
    def pid(self) -> int:
        return self._process.pid

    def runs(self) -> bool:
        return self._process.poll() is None

    def close(self) -> None:
        self._end()

    def _end(self) -> None:
        process = getattr(self, "_process", None)
        if process is not None and process.poll() is None:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)


def _pump(process: subprocess.Popen[str], lines: SimpleQueue[str | None], said: deque[str]) -> None:
    """Reads all that a server says, so that it never waits for room."""
    assert process.stdout is not None
    for line in process.stdout:
        said.append(line.strip())
        lines.put(line)
    lines.put(None)


class _Starter:
    """Starts servers from a thread that lives as long as this process: a server ends with the thread that started
    it."""

    _asked: SimpleQueue[tuple[list[str], int | None, SimpleQueue[Any]]] = SimpleQueue()
    _thread: Thread | None = None

    @classmethod
    def start(cls, command: list[str], descriptor: int | None) -> subprocess.Popen[str]:
        if cls._thread is None or not cls._thread.is_alive():
            cls._thread = Thread(target=cls._run, name="virga-starter", daemon=True)
            cls._thread.start()
        answer: SimpleQueue[Any] = SimpleQueue()
        cls._asked.put((command, descriptor, answer))
        result = answer.get()
        if isinstance(result, OSError):
            raise Refused(f"{command[0]} cannot be started: {result.strerror}")
        return result

    @classmethod
    def _run(cls) -> None:
        while True:
            command, descriptor, answer = cls._asked.get()
            try:
                answer.put(subprocess.Popen([sys.executable, "-S", "-E", "-c", _STARTER, str(os.getpid()), *command],
                                            text=True,
                                            pass_fds=[] if descriptor is None else [descriptor],
                                            stdin=subprocess.DEVNULL,
                                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True))
            except OSError as error:
                answer.put(error)


def _program(named: str | None) -> str:
    """The virga program, as an absolute path."""
    wanted = named or os.environ.get("VIRGA_PROGRAM")
    found = shutil.which(wanted or "virga")
    above = Path(__file__).resolve().parents
    if found is None and not wanted and len(above) > 4:  # the build of the checkout that this package is in
        found = shutil.which(above[4] / "build" / "release" / "virga")
    if found is None:
        raise Refused(f"there is no program {wanted}" if wanted else "the program virga is not there: put it on the "
                                                                     "path, name it "
                      "by program= or VIRGA_PROGRAM, or use a server that runs by server= or VIRGA_URL")
    return str(Path(found).resolve())
