# SPDX-License-Identifier: Apache-2.0
"""The engine child: PYTHON -m virga_engine PARENT [options]; the server's socket is descriptor 3."""

from __future__ import annotations

import argparse
import logging
import os
import socket
import sys
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
from .start import SOCKET, end_with, log_to_stderr, options_of

log = logging.getLogger("virga_engine")


def main(arguments: list[str] | None = None) -> int:
    # Before any library reads it: whoever writes a file is not to be hindered.
    os.environ.setdefault("HDF5_USE_FILE_LOCKING", "FALSE")
    options = options_of(arguments)
    end_with(options.parent)
    log_to_stderr()
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
        serve(channel, _service(options, cluster, ready), states, f"virga_engine {__version__} Python "
                                                                  f"{sys.version.split()[0]}")
        return 0
    except Closed:
        return 0
    except ProtocolError as error:
        log.warning("the server and the engine do not understand each other (%s); install the engine again: "
                    "server/engine", error)
        return 3
    finally:
        cluster.close()


def _service(options: argparse.Namespace, cluster: Cluster, ready: Callable[[Dataset], Dataset]) -> Service:
    direct = DirectReader(most_bytes=options.memory // 4)
    readers = _choose_reader(options, cluster, direct)
    return Service(Context(options.schemes, cluster, ready=ready), cluster, readers, MAX_REQUESTS, options.memory)


def _adding_products(texts: list[str]) -> Callable[[Dataset], Dataset]:
    if not texts:
        return lambda dataset: dataset
    from .products import add_products, parse_product
    products = []
    for text in texts:
        try:
            products.append(parse_product(text))
        except Failure as failure:  # the others are worth having
            log.warning("engine-product: %s", failure.message)
    return lambda dataset: add_products(dataset, products)


def _choose_reader(options: argparse.Namespace, cluster: Cluster, direct: Reader):
    if cluster.kind == "none":
        return lambda array: direct
    from .cluster_reader import ClusterReader
    workers = ClusterReader(cluster, options.slabs)

    def choose(array: StoredArray) -> Reader:
        return workers if array.on_cluster else direct
    return choose


if __name__ == "__main__":
    status = main()
    sys.stderr.flush()
    os._exit(status)  # requests that still run on other threads end here
