# SPDX-License-Identifier: Apache-2.0
"""This process as an engine: a thread of it answers the source protocol for what is shown and no other process can
read."""

from __future__ import annotations

import logging
import os
import secrets
import socket
from threading import Thread
from typing import Any

from virga_engine import __version__
from virga_engine.arrays import StoredArray
from virga_engine.channel import Channel, Closed
from virga_engine.cluster import NoCluster, State, no_state
from virga_engine.datasets import Dataset
from virga_engine.failure import Failure
from virga_engine.openers import Context
from virga_engine.openers.objects import of_object
from virga_engine.protocol import ProtocolError
from virga_engine.reader import DirectReader, Reader
from virga_engine.service import Service, StateSender, serve

THREADS = 16
MOST_BYTES = 2 << 30
log = logging.getLogger(__name__)

_shown: dict[str, Dataset] = {}           # what the engine opens, by name
_clients: dict[int, Any] = {}             # of a Dataset (by its id) whose numbers a cluster computes
_channel: Channel | None = None


def dataset_of(obj: Any) -> Dataset:
    """What is shown of an object; no numbers but times and coordinates are computed. TypeError for what cannot be
    shown."""
    try:
        return of_object(obj)
    except Failure as failure:
        raise TypeError(failure.message) from None


def start() -> int:
    """Starts the engine. Returns the server's end of its socket, which the caller passes on and closes."""
    global _channel
    stop()
    ours, theirs = socket.socketpair()
    _channel = Channel(ours)
    answer(_channel)
    return theirs.detach()


def answer(channel: Channel) -> None:
    """Answers what comes over a channel, on a thread, until the other end closes it or something closes the
    channel."""
    Thread(target=_run, args=(channel,), name="virga-engine", daemon=True).start()


def stop() -> None:
    """Ends what start() started. What was offered stays until it is withdrawn."""
    global _channel
    if _channel is not None:
        _channel.close()
        _channel = None


def offer(dataset: Dataset, client: Any) -> str:
    """The name under which the engine opens a dataset from now on. client: computes it, or None: threads of this
    process do."""
    name = secrets.token_urlsafe(16)
    if client is not None:
        _clients.update({id(array): client for array in dataset.variables.values()})
    _shown[name] = dataset
    return name


def withdraw(name: str) -> None:
    dataset = _shown.pop(name, None)
    for array in dataset.variables.values() if dataset else ():
        _clients.pop(id(array), None)


def _run(channel: Channel) -> None:
    states = StateSender()
    context = Context(objects=_shown)
    states.watch(context.cluster)
    readers = _Readers(DirectReader())
    try:
        service = Service(context, context.cluster, readers.choose, THREADS, MOST_BYTES)
        serve(channel, service, states, f"virga notebook {__version__}, process {os.getpid()}")
    except (Closed, ProtocolError) as error:
        log.debug("the engine in this process has ended: %s", error)
    finally:
        channel.close()


class _Readers:
    """Which reader an array needs: one for each client."""

    def __init__(self, direct: Reader) -> None:
        self._direct = direct
        self._of_client: dict[int, Reader] = {}

    def choose(self, array: StoredArray) -> Reader:
        client = _clients.get(id(array))
        if client is None or not array.on_cluster:
            return self._direct
        if id(client) not in self._of_client:
            from virga_engine.cluster_reader import ClusterReader
            self._of_client[id(client)] = ClusterReader(_OfClient(client), None)
        return self._of_client[id(client)]


class _OfClient(NoCluster):
    """The notebook's own client, as ClusterReader wants it."""

    kind = "gateway"  # numbers come by way of the scheduler, since workers may not be in reach

    def __init__(self, client: Any) -> None:
        self._client = client

    def client(self, cancelled: Any = None) -> Any:
        return self._client

    def state(self) -> State:
        return {**no_state(), "threads": sum(self._client.nthreads().values())}
