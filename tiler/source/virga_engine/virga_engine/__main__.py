# SPDX-License-Identifier: Apache-2.0
"""The engine child: PYTHON -m virga_engine PARENT [options]; the server's socket is descriptor 3."""

from __future__ import annotations

import argparse
import ctypes
import logging
import os
import signal
import socket
import sys
import traceback
from collections.abc import Callable

from . import __version__
from .arrays import StoredArray
from .channel import Channel, Closed
from .cluster import Cluster, open_cluster
from .datasets import Dataset
from .failure import Failure
from .openers import Context
from .protocol import ProtocolError
from .reader import DirectReader, Reader
from .service import MAX_REQUESTS, Service, StateSender, serve

SOCKET = 3
PR_SET_PDEATHSIG = 1
log = logging.getLogger("virga_engine")


def main(arguments: list[str] | None = None) -> int:
    os.environ.setdefault("HDF5_USE_FILE_LOCKING", "FALSE")  # before any library reads it: whoever writes is not to be hindered
    options = _options(arguments)
    _end_with(options.parent)
    _log_to_stderr()
    channel = Channel(socket.socket(fileno=SOCKET))
    states = StateSender()
    try:
        ready = _adding_products(options.product)
        cluster = open_cluster(options.cluster, options.workers, options.idle, states.changed)
    except Failure as failure:
        log.warning("%s", failure.message)
        return 2
    states.watch(cluster)
    try:
        serve(channel, _service(options, cluster, ready), states, f"virga_engine {__version__} Python {sys.version.split()[0]}")
        return 0
    except Closed:
        return 0
    except ProtocolError as error:
        log.warning("the server and the engine do not understand each other (%s); install the engine again: server/engine", error)
        return 3
    finally:
        cluster.close()


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="virga_engine", description=__doc__)
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


def _service(options: argparse.Namespace, cluster: Cluster, ready: Callable[[Dataset], Dataset]) -> Service:
    direct = DirectReader(most_bytes=options.memory // 4)
    readers = _choose_reader(options, cluster, direct)
    return Service(Context(options.schemes, cluster, ready=ready), cluster, readers, MAX_REQUESTS, options.memory)


def _adding_products(texts: list[str]) -> Callable[[Dataset], Dataset]:
    if not texts:
        return lambda dataset: dataset
    from .products import add_products, parse_product
    products = [parse_product(text) for text in texts]
    return lambda dataset: add_products(dataset, products)


def _choose_reader(options: argparse.Namespace, cluster: Cluster, direct: Reader):
    if cluster.kind == "none":
        return lambda array: direct
    from .cluster_reader import ClusterReader
    workers = ClusterReader(cluster, options.slabs)

    def choose(array: StoredArray) -> Reader:
        return workers if array.on_cluster else direct
    return choose


def _end_with(parent: int) -> None:
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


def _log_to_stderr() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("virga_engine").setLevel(logging.DEBUG)
    logging.captureWarnings(True)


if __name__ == "__main__":
    status = main()
    sys.stderr.flush()
    os._exit(status)  # requests that still run on other threads end here
