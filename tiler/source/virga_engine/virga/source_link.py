# SPDX-License-Identifier: Apache-2.0
"""The source protocol over a websocket that this process opens to a server elsewhere (server/PROTOCOL.md, "A notebook
as a source")."""

from __future__ import annotations

import asyncio
import os
import struct
import tempfile
import urllib.parse
from collections.abc import Coroutine
from concurrent.futures import CancelledError
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any

from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import WebSocketClientConnection, WebSocketClosedError, WebSocketError, websocket_connect
from virga_engine.channel import Channel, Closed
from virga_engine.protocol import HEADER_BYTES, VERSION, Header, Kind, ProtocolError, decode_header, decode_read

from .private_server import message_of

SUBPROTOCOL = "virga.source.1"
PIECE = 12              # kind of the message: an offset and as many bytes of a slab
MOST_PIECE = 1 << 20
MOST_MESSAGE = 1 << 20  # bytes of a binary message, in either direction
CONNECT_SECONDS = 30.0
PING_SECONDS = 20.0
SEND_SECONDS = 300.0    # until the server has taken a message


class NotConnected(Exception):
    """The server did not take the connection; the text says why."""


class RemoteChannel(Channel):
    """A Channel to a server that lends no memory: a READ comes with a file of this process's own, and what stands in
    it is sent before its SLAB. receive(): one thread. send(), close(): any thread."""

    def __init__(self, url: str, token: str, session: str, most_bytes: int) -> None:
        """url: of the server, with a slash at its end. most_bytes: of a slab. Raises NotConnected."""
        self._most_bytes = most_bytes
        self._came: SimpleQueue[bytes | None] = SimpleQueue()
        self._rest = bytearray()  # of what came: receive()'s
        self._lock = Lock()
        self._lent: dict[int, int] = {}  # guarded by _lock; files by the request's number
        self._closed = False             # guarded by _lock
        self._loop = asyncio.new_event_loop()
        self._turn = asyncio.Lock()      # the loop's
        Thread(target=_run_loop, args=(self._loop,), name="virga-link", daemon=True).start()
        try:
            self._connection = self._run(self._connect(url, token, session), CONNECT_SECONDS + 5)
        except BaseException:
            self._loop.call_soon_threadsafe(self._loop.stop)
            raise
        asyncio.run_coroutine_threadsafe(self._pump(), self._loop)

    @property
    def is_open(self) -> bool:
        with self._lock:
            return not self._closed

    def receive(self) -> tuple[Header, bytes, list[int]]:
        header = decode_header(self._take(HEADER_BYTES))
        body = self._take(header.body_bytes)
        descriptors = [self._lend(header.request, decode_read(body).slab_bytes)] if header.kind == Kind.READ else []
        return header, body, descriptors

    def send(self, message: bytes) -> None:
        _, _, kind, request = struct.unpack_from("<IHHQ", message)
        lent = None
        if kind in (Kind.SLAB, Kind.FAILURE):
            with self._lock:
                lent = self._lent.pop(request, None)
        try:
            if kind == Kind.SLAB and lent is not None:
                message = self._send_slab(request, lent) + message  # at once: the last of it waits for no answer
            self._send(message)
        finally:
            if lent is not None:
                os.close(lent)

    def close(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._closed = True
            lent, self._lent = list(self._lent.values()), {}
        for descriptor in lent:
            os.close(descriptor)
        self._came.put(None)
        self._loop.call_soon_threadsafe(self._end)

    def _end(self) -> None:
        self._connection.close()
        self._loop.call_later(1.0, self._loop.stop)

    async def _connect(self, url: str, token: str, session: str) -> WebSocketClientConnection:
        parts = urllib.parse.urlsplit(url)
        address = urllib.parse.urlunsplit(("wss" if parts.scheme == "https" else "ws", parts.netloc,
                                           parts.path + "source", "", ""))
        request = HTTPRequest(address, headers={"Authorization": f"Bearer {token}", "X-Virga-Session": session},
                              connect_timeout=CONNECT_SECONDS, request_timeout=CONNECT_SECONDS, follow_redirects=False)
        try:
            return await websocket_connect(request, subprotocols=[SUBPROTOCOL], ping_interval=PING_SECONDS,
                                           ping_timeout=PING_SECONDS, max_message_size=MOST_MESSAGE)
        except HTTPClientError as error:
            raise NotConnected(_words(error)) from None
        except (OSError, ValueError, WebSocketError) as error:
            raise NotConnected(f"{url} takes no websocket ({error})") from None

    async def _pump(self) -> None:
        while (message := await self._connection.read_message()) is not None:
            if isinstance(message, bytes):
                self._came.put(message)
        self.close()

    def _take(self, count: int) -> bytes:
        while len(self._rest) < count:
            part = self._came.get() if self.is_open else None
            if part is None:
                raise Closed
            self._rest += part
        taken = bytes(self._rest[:count])
        del self._rest[:count]
        return taken

    def _lend(self, request: int, size: int) -> int:
        """A file of the slab's size for who answers; another descriptor of it is kept for sending. One that is too
        large has no bytes, which who answers refuses."""
        descriptor = _memory()
        os.ftruncate(descriptor, size if size <= self._most_bytes else 0)
        with self._lock:
            if self._closed or request in self._lent:
                os.close(descriptor)
                raise Closed if self._closed else ProtocolError("one number for two requests")
            self._lent[request] = os.dup(descriptor)
        return descriptor

    def _send_slab(self, request: int, descriptor: int) -> bytes:
        """Sends all pieces but the last, which it returns."""
        size, at, last = os.fstat(descriptor).st_size, 0, b""
        while at < size:
            if last:
                self._send(last)
            piece = os.pread(descriptor, min(MOST_PIECE, size - at), at)
            last = struct.pack("<IHHQQ", 8 + len(piece), VERSION, PIECE, request, at) + piece
            at += len(piece)
        return last

    def _send(self, data: bytes) -> None:
        if not self.is_open:
            raise Closed
        try:
            self._run(self._write(data), SEND_SECONDS)
        except (WebSocketClosedError, OSError, TimeoutError, CancelledError) as error:
            self.close()
            raise Closed from error

    async def _write(self, data: bytes) -> None:
        async with self._turn:
            for at in range(0, len(data), MOST_MESSAGE):
                await self._connection.write_message(data[at:at + MOST_MESSAGE], binary=True)

    def _run(self, work: Coroutine[Any, Any, Any], seconds: float) -> Any:
        try:
            return asyncio.run_coroutine_threadsafe(work, self._loop).result(seconds)
        except RuntimeError:  # the loop is closed
            work.close()
            raise WebSocketClosedError from None


def _run_loop(loop: asyncio.AbstractEventLoop) -> None:
    """Until it is stopped; then whoever still waits for it is told."""
    loop.run_forever()
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.wait(left))
    loop.close()


def _memory() -> int:
    """A file without a name."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("virga-slab", os.MFD_CLOEXEC)
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def _words(error: HTTPClientError) -> str:
    message = message_of(error.response.body) if error.response else ""
    return message or f"the server answered {error.code} to a websocket; a proxy before it must let websockets through"
