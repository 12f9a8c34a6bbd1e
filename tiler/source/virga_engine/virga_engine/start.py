# SPDX-License-Identifier: Apache-2.0
"""What each program of the package begins with: its arguments, its end with the server, and where its words go."""

from __future__ import annotations

import argparse
import ctypes
import logging
import os
import signal
import sys
import traceback

SOCKET = 3  # the descriptor with the server at its other end
PR_SET_PDEATHSIG = 1


def options_of(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="virga_engine")
    parser.add_argument("parent", type=int, help="the server's process; 0: none")
    parser.add_argument("--cluster", default="none", metavar="none|local[:N]|tcp://H:P|tls://H:P|gateway:URL")
    parser.add_argument("--workers", type=_range, metavar="MIN:MAX")
    parser.add_argument("--idle", type=float, metavar="SECONDS")
    parser.add_argument("--slabs", metavar="HOST:PORT", help="where workers deliver slabs; without, they are gathered")
    parser.add_argument("--schemes", type=_names, default=frozenset(), metavar="s3,https,…")
    parser.add_argument("--product", action="append", default=[], metavar="TEXT")
    parser.add_argument("--memory", type=int, default=4 << 30, metavar="BYTES", help="resident bytes that this process may use")
    return parser.parse_args(arguments)


def _range(text: str) -> tuple[int, int]:
    least, colon, most = text.partition(":")
    if not colon or int(least) < 0 or int(most) < max(1, int(least)):
        raise ValueError(text)
    return int(least), int(most)


def _names(text: str) -> frozenset[str]:
    return frozenset(name.strip().lower() for name in text.split(",") if name.strip())


def end_with(parent: int) -> None:
    """The kernel ends this process with its parent, also where it is stuck; a parent that ended before now is noticed here."""
    if not parent:
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(0)


class _Lines(logging.Formatter):
    """One line a record; the server takes "warning: " and "info: " for levels and all else for debug."""

    def format(self, record: logging.LogRecord) -> str:
        ours = record.name.startswith("virga_engine")
        prefix = "warning: " if record.levelno >= logging.WARNING and ours else "info: " if record.levelno == logging.INFO and ours else ""
        line = " ".join(record.getMessage().split())
        if record.exc_info:
            line += "\n" + "".join(traceback.format_exception(*record.exc_info)).rstrip()
        return prefix + line


def log_to_stderr() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("virga_engine").setLevel(logging.DEBUG)
    logging.captureWarnings(True)
