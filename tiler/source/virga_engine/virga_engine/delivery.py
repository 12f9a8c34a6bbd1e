# SPDX-License-Identifier: Apache-2.0
"""Sends pieces of slabs to the server's receiver (SOURCE_PROTOCOL.md). Pickled by value, as on_worker.py is."""

from __future__ import annotations

import socket
import struct
import sys
import threading
import time
import types
import zlib
from collections import OrderedDict

import numpy as np

from .block_sums import Box

CRC32 = 0x80  # added to a piece's number of arrays: its checksum is zlib's CRC-32, for want of xxhash
CONNECT_SECONDS, ANSWER_SECONDS = 4, 60
UNREACHABLE_SECONDS = 60  # for how long an address that could not be reached is not tried again
KEPT_CONNECTIONS = 16


class Unreachable(Exception):
    """The server's receiver cannot be reached from here, or takes nothing."""


class NotWanted(Exception):
    """The receiver knows no such token: the request is over, or was given up."""


def process_state() -> types.ModuleType:
    """What this process keeps between tasks. Functions pickled by value have no module of their own to keep it in."""
    state = sys.modules.get("virga_worker_state")
    if state is None:
        state = types.ModuleType("virga_worker_state")
        state.lock, state.idle, state.unreachable, state.leaves = threading.Lock(), [], {}, OrderedDict()
        state = sys.modules.setdefault("virga_worker_state", state)
    return state


def checksum(payload: memoryview) -> tuple[int, int]:
    """The flag that says which checksum it is, and the checksum."""
    try:
        import xxhash
    except ImportError:
        return CRC32, zlib.crc32(payload)
    return 0, xxhash.xxh3_64_intdigest(payload)


def piece_header(token: bytes, box: Box, arrays: int, payload: memoryview) -> bytes:
    flag, digest = checksum(payload)
    places = [number for pair in zip(*box) for number in pair]
    return struct.pack(f"<4sHBB16s{len(places)}QQQ", b"VSLB", 1, len(box[0]), arrays | flag, token, *places,
                       len(payload), digest)


class Sender:
    """Sends the pieces of one slab on a connection that is kept for the next. One thread; use it in a `with`."""

    def __init__(self, address: tuple[str, int], token: bytes) -> None:
        self.address, self.token, self.sent = address, token, 0
        self._socket: socket.socket | None = None
        self._fresh = False

    def __enter__(self) -> Sender:
        return self

    def __exit__(self, kind: type | None, *_: object) -> None:
        connection, self._socket = self._socket, None
        if connection is None:
            return
        state = process_state()
        with state.lock:
            if kind in (None, NotWanted):
                state.idle.append((self.address, connection))
                connection = state.idle.pop(0)[1] if len(state.idle) > KEPT_CONNECTIONS else None
        if connection is not None:
            connection.close()

    def send(self, box: Box, arrays: int, numbers: np.ndarray) -> None:
        """numbers: the box's points (of each array, for several), C-contiguous. Raises Unreachable or NotWanted."""
        payload = memoryview(numbers.reshape(-1)).cast("B") if numbers.size else memoryview(b"")
        header = piece_header(self.token, box, arrays, payload)
        answer = self._exchange(header, payload)
        if answer == 1:
            raise NotWanted
        if answer != 0:
            self._drop()
            if answer == 4:
                raise Unreachable("the server has too many connections for slabs")
            raise RuntimeError(f"the server refused a piece of a slab as {'damaged' if answer == 3 else 'malformed'}")
        self.sent += len(header) + len(payload)

    def _exchange(self, header: bytes, payload: memoryview) -> int:
        """Sends one piece and returns the answer. A kept connection may have been closed meanwhile: then once more on
        another."""
        while True:
            try:
                if self._socket is None:
                    self._connect()
                send_all(self._socket, header, payload)
                answer = self._socket.recv(1)
                if answer:
                    self._fresh = True
                    return answer[0]
                problem = "it closed the connection"
            except OSError as error:
                problem = str(error)
            fresh = self._fresh or self._socket is None
            self._drop()
            if fresh:
                raise Unreachable(problem)

    def _connect(self) -> None:
        state = process_state()
        with state.lock:
            for i, (address, kept) in enumerate(state.idle):
                if address == self.address:
                    del state.idle[i]
                    self._socket, self._fresh = kept, False
                    return
            if time.monotonic() < state.unreachable.get(self.address, 0):
                raise OSError("it could not be reached a short while ago")
        self._fresh = True
        try:
            connection = socket.create_connection(self.address, timeout=CONNECT_SECONDS)
        except OSError:
            with state.lock:
                state.unreachable[self.address] = time.monotonic() + UNREACHABLE_SECONDS
            raise
        connection.settimeout(ANSWER_SECONDS)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = connection

    def _drop(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket = None


def send_all(connection: socket.socket, header: bytes, payload: memoryview) -> None:
    """Header and payload, neither copied."""
    sent = connection.sendmsg([header, payload]) if len(payload) else connection.send(header)
    if sent < len(header):
        connection.sendall(header[sent:])
        sent = len(header)
    if sent - len(header) < len(payload):
        connection.sendall(payload[sent - len(header):])
