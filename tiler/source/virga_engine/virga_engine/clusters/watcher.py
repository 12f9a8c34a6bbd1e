# SPDX-License-Identifier: Apache-2.0
"""Ends the clusters of an engine that was killed: a small process that lives until its pipe from the engine closes.

    PYTHON -m virga_engine.clusters.watcher ADDRESS

Its input has a line "+NAME" for each cluster that the engine starts at the gateway and "-NAME" for each that it has ended. What is
left when the input ends is ended then. It needs next to no memory until then: dask_gateway is only imported for that.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time

_TRY_SECONDS = 600.0
_FIRST_BACKOFF, _LAST_BACKOFF = 0.5, 30.0


class Watcher:
    """The engine's end. Managing thread only."""

    def __init__(self, address: str) -> None:
        # A session of its own, so that what is sent to the server's whole process group does not reach it.
        self._process = subprocess.Popen([sys.executable, "-P", "-m", __name__, address], stdin=subprocess.PIPE,
                                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)

    def watch(self, name: str) -> None:
        self._say(f"+{name}\n")

    def forget(self, name: str) -> None:
        self._say(f"-{name}\n")

    def close(self) -> None:
        """It ends by itself as soon as it has nothing to do."""
        try:
            self._process.stdin.close()
            self._process.wait(1)
        except (OSError, subprocess.TimeoutExpired):
            pass

    def _say(self, line: str) -> None:
        try:
            self._process.stdin.write(line.encode())
            self._process.stdin.flush()
        except OSError:  # somebody ended it; the gateway's own idle timeout is what is left
            pass


def _left(lines) -> list[str]:
    """The names that were begun and not ended when the lines end."""
    names: dict[str, None] = {}
    for line in lines:
        name = line[1:].strip()
        if line.startswith("+"):
            names[name] = None
        else:
            names.pop(name, None)
    return list(names)


def _end(address: str, names: list[str]) -> None:
    from ..failure import Failure, Status
    from .gateway import ask
    until, wait = time.monotonic() + _TRY_SECONDS, _FIRST_BACKOFF
    while names and time.monotonic() < until:
        left = []
        for name in names:
            try:
                ask(address, "stop_cluster", name)
            except Failure as failure:
                if failure.status == Status.GONE:  # the gateway is away; anything else is an answer
                    left.append(name)
        names = left
        if names:
            time.sleep(wait)
            wait = min(_LAST_BACKOFF, 2 * wait)


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    _end(sys.argv[1], _left(sys.stdin))


if __name__ == "__main__":
    main()
