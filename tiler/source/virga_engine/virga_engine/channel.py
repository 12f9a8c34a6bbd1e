# SPDX-License-Identifier: Apache-2.0
"""Moves messages and descriptors over the socket pair to the server."""

from __future__ import annotations

import array
import os
import socket
from threading import Lock

from .protocol import HEADER_BYTES, Header, decode_header

MAX_DESCRIPTORS = 2
_CONTROL_BYTES = socket.CMSG_SPACE(MAX_DESCRIPTORS * array.array("i").itemsize)


class Closed(Exception):
    """The server has closed the connection, or it broke."""


class Channel:
    """receive(): one thread. send(): any thread."""

    def __init__(self, connection: socket.socket) -> None:
        """connection: a blocking Unix stream socket; this owns it from now on."""
        self._socket = connection
        self._lock = Lock()

    def receive(self) -> tuple[Header, bytes, list[int]]:
        """Waits for a message: header, body and the descriptors that came with it, which the caller closes.

        Raises Closed, or ProtocolError for a header that is none.
        """
        descriptors: list[int] = []
        try:
            header = decode_header(self._take(HEADER_BYTES, descriptors))
            return header, self._take(header.body_bytes, descriptors), descriptors
        except BaseException:
            close_all(descriptors)
            raise

    def _take(self, count: int, descriptors: list[int]) -> bytes:
        parts = bytearray()
        while len(parts) < count:
            try:
                part, control, _, _ = self._socket.recvmsg(count - len(parts), _CONTROL_BYTES, socket.MSG_CMSG_CLOEXEC)
            except OSError as error:
                raise Closed from error
            for level, kind, data in control:
                if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                    descriptors.extend(_descriptors(data))
            if not part:
                raise Closed
            parts += part
        return bytes(parts)

    def send(self, message: bytes) -> None:
        """Sends a whole frame. Raises Closed."""
        try:
            with self._lock:
                self._socket.sendall(message)
        except OSError as error:
            raise Closed from error

    def close(self) -> None:
        """Any thread; receive() then raises Closed."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the other end was first
        self._socket.close()


def _descriptors(data: bytes) -> list[int]:
    found = array.array("i")
    found.frombytes(data[:len(data) - len(data) % found.itemsize])
    return list(found)


def close_all(descriptors: list[int]) -> None:
    """Closes them and forgets them."""
    while descriptors:
        os.close(descriptors.pop())
