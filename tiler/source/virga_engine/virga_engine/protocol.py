# SPDX-License-Identifier: Apache-2.0
"""Messages of the source protocol, version 2, to bytes and back: no sockets, no threads, every size bounded.

The bytes are described in SOURCE_PROTOCOL.md; the C side of the same is source_protocol.h. A decoder takes a whole
body and
raises ProtocolError where it is no such message, has bytes left over, or holds a value that no such message may have.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from .failure import Failure, Status
from .request import ReadRequest, Reduction
from .stored_types import Type

VERSION = 2
HEADER_BYTES = 16
MAX_REQUEST_BYTES = 65536
MAX_STATE_BYTES = 16384
MAX_PATH = 4096
MAX_RANK = 16
MAX_MISSING = 4
TOKEN_BYTES = 16
MAX_MESSAGE = 400  # characters of a failure's sentence


class Kind(IntEnum):
    HELLO = 1
    OPEN = 2
    INVENTORY = 3
    READ = 4
    SLAB = 5
    FAILURE = 6
    WANT = 7
    GRANT = 8
    CANCEL = 9
    STATE = 10
    CLUSTER = 11


class ProtocolError(ValueError):
    """Bytes that are no such message."""


@dataclass(frozen=True)
class Header:
    body_bytes: int
    kind: Kind
    request: int


@dataclass(frozen=True)
class Identity:
    """A child only compares it. Of an engine's dataset `size` is the inventory's token, 0 in the first OPEN."""

    device: int
    inode: int
    size: int
    time: int


@dataclass(frozen=True)
class OpenMessage:
    identity: Identity
    max_inventory_bytes: int
    address: str


@dataclass(frozen=True)
class ReadMessage:
    """Not yet held against the variable: inventory.check_read does that."""

    identity: Identity
    slab_bytes: int
    variable: int
    request: ReadRequest
    address: str


@dataclass(frozen=True)
class SlabAnswer:
    """numbers: of one array. bytes: of the slab. read, sent, delivered: as reader.ReadCount."""

    type: Type
    numbers: int
    bytes: int
    read: int
    sent: int
    delivered: int


class BodyReader:
    """Takes numbers and text off the front of a body."""

    def __init__(self, body: bytes) -> None:
        self._body = memoryview(body)
        self._at = 0

    def take(self, count: int) -> memoryview:
        if count > len(self._body) - self._at:
            raise ProtocolError("a message ends early")
        self._at += count
        return self._body[self._at - count:self._at]

    def unpack(self, form: str) -> tuple[Any, ...]:
        return struct.unpack("<" + form, self.take(struct.calcsize("<" + form)))

    def text(self, most: int) -> str:
        (length,) = self.unpack("I")
        if length > most:
            raise ProtocolError("a text is too long")
        raw = bytes(self.take(length))
        if b"\0" in raw:
            raise ProtocolError("a text has a zero in it")
        try:
            return raw.decode("utf-8", "surrogateescape")  # paths may be any bytes
        except UnicodeDecodeError as error:
            raise ProtocolError("a text is not UTF-8") from error

    def end(self) -> None:
        if self._at != len(self._body):
            raise ProtocolError("a message has bytes left over")


def text_bytes(text: str) -> bytes:
    """A text of the protocol; what no text may hold becomes '?'."""
    text = text.replace("\0", "?")
    try:
        raw = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raw = text.encode("utf-8", "replace")
    return struct.pack("<I", len(raw)) + raw


def frame(kind: Kind, request: int, body: bytes) -> bytes:
    """Header and body, ready to send."""
    return struct.pack("<IHHQ", len(body), VERSION, kind, request) + body


def decode_header(raw: bytes) -> Header:
    """Of exactly HEADER_BYTES. A body longer than a child may be sent is refused before it is read."""
    size, version, kind, request = struct.unpack("<IHHQ", raw)
    if version != VERSION or kind not in Kind._value2member_map_:
        raise ProtocolError(f"a message of version {version} and kind {kind}; this engine speaks version {VERSION}")
    if size > MAX_REQUEST_BYTES:
        raise ProtocolError("a message is too long")
    return Header(size, Kind(kind), request)


def _identity(body: BodyReader) -> Identity:
    return Identity(*body.unpack("QQQq"))


def decode_open(raw: bytes) -> OpenMessage:
    body = BodyReader(raw)
    message = OpenMessage(_identity(body), *body.unpack("Q"), body.text(MAX_PATH))
    body.end()
    return message


def decode_read(raw: bytes) -> ReadMessage:
    body = BodyReader(raw)
    identity = _identity(body)
    slab_bytes, variable, rank, reduction, missing, zero = body.unpack("QIBBBB")
    if zero or rank > MAX_RANK or reduction > Reduction.MEAN or missing > MAX_MISSING:
        raise ProtocolError("a READ of a rank, reduction or count that there is not")
    boxes = [body.unpack("qQQ") for _ in range(rank)]
    absent = body.unpack(f"{missing}d")
    scale, offset = body.unpack("dd")
    token = bytes(body.take(TOKEN_BYTES))
    address = body.text(MAX_PATH)
    body.end()
    start, count, block = zip(*boxes) if boxes else ((), (), ())
    request = ReadRequest(Reduction(reduction), start, count, block, absent, scale, offset, token)
    return ReadMessage(identity, slab_bytes, variable, request, address)


def decode_cancel(raw: bytes) -> None:
    """CANCEL has no body: the number of the request to give up is in its header."""
    BodyReader(raw).end()


def decode_cluster(raw: bytes) -> bool:
    """CLUSTER: True where the cluster is to start, False where it is to stop."""
    body = BodyReader(raw)
    (action,) = body.unpack("B")
    body.end()
    if action > 1:
        raise ProtocolError("a CLUSTER message with an action that there is not")
    return bool(action)


def encode_hello(name: str) -> bytes:
    """name: what the child is, for the log; cut at 63 bytes."""
    return frame(Kind.HELLO, 0, text_bytes(name.encode()[:63].decode("utf-8", "ignore")) + b"\0")


def encode_inventory(request: int, body: bytes) -> bytes:
    """body: from inventory.encode."""
    return frame(Kind.INVENTORY, request, body)


def encode_slab(request: int, answer: SlabAnswer) -> bytes:
    return frame(Kind.SLAB, request, struct.pack("<BQQQQB", answer.type, answer.numbers, answer.bytes, answer.read,
                                                 answer.sent,
                                                 answer.delivered))


def encode_failure(request: int, failure: Failure) -> bytes:
    message = failure.message if len(failure.message) <= MAX_MESSAGE else failure.message[:MAX_MESSAGE - 1] + "…"
    return frame(Kind.FAILURE, request, struct.pack("<iB", failure.status, 0) + text_bytes(message))


def encode_state(state: dict[str, Any]) -> bytes:
    """STATE, never longer than it may be: an overlong message of it is left out."""
    body = text_bytes(json.dumps(state, allow_nan=False))
    if len(body) - 4 > MAX_STATE_BYTES:
        body = text_bytes(json.dumps({**state, "message": None, "dashboard": None}, allow_nan=False))
    return frame(Kind.STATE, 0, body)


def _words(error: BaseException) -> str:
    try:
        return " ".join(str(error).split())
    except Exception:  # noqa: BLE001 - it came with a task, and its own words are wrong
        return ""


def failure_of(error: BaseException) -> Failure:
    """Any exception as a failure with one short sentence and no traceback."""
    if isinstance(error, Failure):
        return error
    status = Status.INTERNAL
    if isinstance(error, MemoryError):
        return Failure(Status.NO_MEMORY, "the engine has no memory for it; ask for less at a time, or give it more by "
                                         "engine-memory")
    if isinstance(error, FileNotFoundError):
        status = Status.NOT_FOUND
    elif isinstance(error, (OSError, EOFError)):
        status = Status.UNREADABLE
    elif isinstance(error, NotImplementedError):
        status = Status.UNSUPPORTED
    elif isinstance(error, (ValueError, KeyError, TypeError, IndexError)):
        status = Status.UNREADABLE
    words = _words(error) or type(error).__name__
    return Failure(status, f"{type(error).__name__}: {words}" if status == Status.INTERNAL
                   else words[:1].lower() + words[1:])
