# SPDX-License-Identifier: Apache-2.0
"""The server's end of the source protocol, for tests: starts an engine child and asks it. Shares no code with the package."""

from __future__ import annotations

import array
import os
import socket
import struct
import subprocess
import sys
from dataclasses import dataclass, field

import numpy as np
import xxhash

TYPES = ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8", "S1"]
HELLO, OPEN, INVENTORY, READ, SLAB, FAILURE, WANT, GRANT, CANCEL, STATE = range(1, 11)


class Refused(Exception):
    """A FAILURE: status and message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status, self.message = status, message


@dataclass
class Variable:
    name: str
    type: int
    dimensions: list[str]
    shape: tuple[int, ...]
    chunks: tuple[int, ...]
    chunked: bool
    fill: float | None
    attributes: dict[str, object]


@dataclass
class Inventory:
    format: str
    dimensions: dict[str, tuple[int, bool]]
    variables: dict[str, Variable]
    attributes: dict[str, object]
    notes: list[str]
    index: bytes
    token: int
    address: str = field(default="")


class Body:
    def __init__(self, raw: bytes) -> None:
        self.raw, self.at = raw, 0

    def take(self, form: str) -> tuple:
        values = struct.unpack_from("<" + form, self.raw, self.at)
        self.at += struct.calcsize("<" + form)
        return values

    def one(self, form: str):
        return self.take(form)[0]

    def bytes(self) -> bytes:
        length = self.one("I")
        self.at += length
        assert self.at <= len(self.raw)
        return self.raw[self.at - length:self.at]

    def text(self) -> str:
        return self.bytes().decode()

    def attributes(self) -> dict[str, object]:
        found = {}
        for _ in range(self.one("I")):
            name, kind = self.text(), self.one("B")
            if kind >= 10:
                found[name] = self.text()
            else:
                n = self.one("I")
                wide = "d" if kind in (8, 9) else "q"
                found[name] = np.array(self.take(f"{n}{wide}"), dtype="f8" if wide == "d" else "i8").astype(TYPES[kind])
        return found


def decode_inventory(raw: bytes) -> Inventory:
    body = Body(raw)
    form = body.text()
    dimensions = {}
    for _ in range(body.one("I")):
        name = body.text()
        dimensions[name] = body.take("QB")
    names = list(dimensions)
    variables = {}
    for _ in range(body.one("I")):
        name = body.text()
        kind, rank, flags = body.take("BBB")
        used = [names[i] for i in body.take(f"{rank}I")]
        chunks = body.take(f"{rank}Q")
        fill = body.one("d")
        variables[name] = Variable(name, kind, used, tuple(dimensions[d][0] for d in used), chunks, bool(flags & 1),
                                   fill if flags & 2 else None, body.attributes())
    attributes = body.attributes()
    notes = [body.text() for _ in range(body.one("I"))]
    index = body.bytes()
    assert body.at == len(raw)
    return Inventory(form, dimensions, variables, attributes, notes, index, xxhash.xxh3_64_intdigest(raw) or 1)


def message(kind: int, request: int, body: bytes, version: int = 2) -> bytes:
    return struct.pack("<IHHQ", len(body), version, kind, request) + body


def text(value: str) -> bytes:
    return struct.pack("<I", len(value.encode())) + value.encode()


class Child:
    """An engine. One thread. Use it as a context: it then ends with the test."""

    def __init__(self, *options: str, environment: dict[str, str] | None = None) -> None:
        self._run([sys.executable, "-m", "virga_engine", str(os.getpid()), *options], {**os.environ, **(environment or {})})

    def _run(self, command: list[str], environment: dict[str, str]) -> None:
        ours, theirs = socket.socketpair()
        keep = theirs.fileno()
        # The child's end must be its descriptor 3, also where 3 is taken here.
        program = f"exec 3<&{keep} {keep}<&-; exec \"$@\"" if keep != 3 else "exec \"$@\""
        self.process = subprocess.Popen(["bash", "-c", program, "child", *command], pass_fds=[keep], env=environment)
        theirs.close()
        self._greet(ours, 120)

    def _greet(self, connection: socket.socket, seconds: float) -> None:
        """Takes HELLO. seconds: to wait for each answer."""
        connection.settimeout(seconds)
        self.socket, self.number = connection, 0
        self.states: list[dict] = []
        kind, request, body = self.receive()
        assert (kind, request) == (HELLO, 0)
        self.hello = Body(body).text()

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()
        self.process.wait(30)

    def send(self, raw: bytes, descriptors: list[int] | None = None) -> None:
        control = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
        sent = self.socket.sendmsg([raw], control)
        self.socket.sendall(raw[sent:])

    def exactly(self, count: int) -> bytes:
        parts = b""
        while len(parts) < count:
            part = self.socket.recv(count - len(parts))
            if not part:
                raise EOFError("the engine has closed the connection")
            parts += part
        return parts

    def receive(self) -> tuple[int, int, bytes]:
        size, version, kind, request = struct.unpack("<IHHQ", self.exactly(16))
        assert version == 2
        return kind, request, self.exactly(size)

    def answer(self, *numbers: int) -> tuple[int, int, bytes]:
        """The next answer to one of these requests; states are kept aside."""
        while True:
            kind, request, body = self.receive()
            if kind == STATE:
                import json
                self.states.append(json.loads(Body(body).text()))
                continue
            assert request in numbers, (kind, request, numbers)
            if kind == FAILURE:
                status, retire = struct.unpack_from("<iB", body)
                assert retire == 0 or isinstance(self, Reader)
                failed = Body(body)
                failed.at = 5
                raise Refused(status, failed.text())
            return kind, request, body

    def ask_open(self, address: str, token: int = 0, most: int = 64 << 20) -> int:
        self.number += 1
        self.send(message(OPEN, self.number, struct.pack("<QQQqQ", 2**64 - 2, 7, token, 0, most) + text(address)))
        return self.number

    def open(self, address: str, **options: int) -> Inventory:
        kind, _, body = self.answer(self.ask_open(address, **options))
        assert kind == INVENTORY
        inventory = decode_inventory(body)
        inventory.address = address
        return inventory

    def ask_read(self, inventory: Inventory, name: str, start=None, count=None, block=None, reduction: int = 0, missing=(),
                 scale: float = 1.0, offset: float = 0.0) -> tuple[int, int, tuple[int, ...]]:
        """Request number, memory's descriptor, shape of the answer."""
        variable = inventory.variables[name]
        start = tuple(start or [0] * len(variable.shape))
        count = tuple(count or [n - a for n, a in zip(variable.shape, start)])
        block = tuple(block or [1] * len(variable.shape))
        points = tuple(-(-n // b) for n, b in zip(count, block))
        shape = (4, *points) if reduction == 2 else points
        size = int(np.prod(shape)) * (8 if reduction == 2 else np.dtype(TYPES[variable.type]).itemsize)
        memory = os.memfd_create("slab", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.truncate(memory, size)
        boxes = b"".join(struct.pack("<qQQ", *box) for box in zip(start, count, block))
        body = struct.pack("<QQQqQIBBBB", 2**64 - 2, 7, inventory.token, 0, size, list(inventory.variables).index(name), len(start),
                           reduction, len(missing), 0)
        body += boxes + struct.pack(f"<{len(missing)}d", *missing) + struct.pack("<dd", scale, offset) + bytes(16)
        self.number += 1
        self.send(message(READ, self.number, body + text(inventory.address)), [memory])
        return self.number, memory, shape

    def read(self, inventory: Inventory, name: str, **asked) -> np.ndarray:
        number, memory, shape = self.ask_read(inventory, name, **asked)
        try:
            kind, _, body = self.answer(number)
            assert kind == SLAB
            kind, numbers, size, read, sent, delivered = struct.unpack("<BQQQQB", body)
            mean = asked.get("reduction") == 2
            assert kind == (9 if mean else inventory.variables[name].type) and delivered == 0
            assert numbers == int(np.prod(shape)) // (4 if mean else 1) and size == os.fstat(memory).st_size
            raw = os.pread(memory, size, 0)
            self.counts = (read, sent)
            return np.frombuffer(raw, dtype=TYPES[kind]).reshape(shape)
        finally:
            os.close(memory)


class Within(Child):
    """The server's end of an engine that runs in this process."""

    def __init__(self, connection: socket.socket) -> None:
        self._greet(connection, 60)

    def __exit__(self, *_: object) -> None:
        self.socket.close()


class Reader(Child):
    """A reader child in C, which is lent the file with each request and asks for what else it needs."""

    def __init__(self, program: str) -> None:
        self._run([program, str(os.getpid()), str(2 << 30)],
                  {"LC_ALL": "C", "TZ": "UTC", "HDF5_PLUGIN_PRELOAD": "::", "HDF5_USE_FILE_LOCKING": "FALSE"})

    def send(self, raw: bytes, descriptors: list[int] | None = None) -> None:
        """OPEN and READ lend the file."""
        kind = struct.unpack_from("<H", raw, 6)[0]
        super().send(raw, [self.file, *(descriptors or [])] if kind in (OPEN, READ) else descriptors)

    def open_file(self, path: str) -> Inventory:
        self.file = os.open(path, os.O_RDONLY)
        return self.open(path)

    def receive(self) -> tuple[int, int, bytes]:
        while True:
            kind, request, body = super().receive()
            if kind != WANT:
                return kind, request, body
            space, path = body[0], body[5:].decode()
            allowed = space == 1 and path.startswith("/usr/share/") and os.path.isfile(path)
            granted = os.open(path, os.O_RDONLY) if allowed else None
            self.send(message(GRANT, request, struct.pack("<i", 0 if allowed else -4)), [granted] if allowed else None)
            if granted is not None:
                os.close(granted)
