# SPDX-License-Identifier: Apache-2.0
"""Messages as SOURCE_PROTOCOL.md draws them, byte by byte, and bytes that are no messages."""

import json
import random
import struct

import pytest
from child import text

from virga_engine import protocol
from virga_engine.failure import Failure, Status
from virga_engine.protocol import Kind, ProtocolError
from virga_engine.request import Reduction

IDENTITY = struct.pack("<QQQq", 2**64 - 2, 5, 6, -7)
ADDRESS = "zarr:/ä"


def read_body(reduction: int = 2, rank: int = 2, missing: int = 1, pad: int = 0) -> bytes:
    fixed = IDENTITY + struct.pack("<Q", 4096) + struct.pack("<I", 3) + bytes([rank, reduction, missing, pad])
    boxes = b"".join(struct.pack("<QQQ", 10 + d, 20 + d, 3) for d in range(rank))
    return fixed + boxes + struct.pack(f"<{missing}d", *[-32768.0] * missing) + struct.pack("<dd", 0.5, 2.0) + bytes(range(16)) + text(ADDRESS)


def test_header():
    raw = bytes.fromhex("07000000" "0200" "0200" "0900000000000000")
    header = protocol.decode_header(raw)
    assert (header.body_bytes, header.kind, header.request) == (7, Kind.OPEN, 9)
    for wrong in ("07000000" "0100" "0200" "0900000000000000", "07000000" "0200" "6300" "0900000000000000",
                  "01000100" "0200" "0200" "0900000000000000"):
        with pytest.raises(ProtocolError):
            protocol.decode_header(bytes.fromhex(wrong))


def test_open():
    message = protocol.decode_open(IDENTITY + struct.pack("<Q", 1 << 20) + text(ADDRESS))
    assert message.address == ADDRESS and message.max_inventory_bytes == 1 << 20
    assert (message.identity.device, message.identity.inode, message.identity.size, message.identity.time) == (2**64 - 2, 5, 6, -7)


def test_read():
    message = protocol.decode_read(read_body())
    request = message.request
    assert (message.slab_bytes, message.variable, message.address) == (4096, 3, ADDRESS)
    assert request.reduction == Reduction.MEAN and request.token == bytes(range(16))
    assert (request.start, request.count, request.block) == ((10, 11), (20, 21), (3, 3))
    assert (request.missing, request.scale, request.offset) == ((-32768.0,), 0.5, 2.0)
    assert request.points == (7, 7) and request.arrays == 4
    scalar = protocol.decode_read(read_body(reduction=0, rank=0, missing=0)).request
    assert scalar.points == () and scalar.slices == ()


@pytest.mark.parametrize("body", [read_body(reduction=3), read_body(missing=5), read_body(pad=1), read_body(rank=17), read_body() + b"\0",
                                  read_body()[:-1], b"", read_body().replace("ä".encode(), b"\0\0")])
def test_no_read(body):
    with pytest.raises(ProtocolError):
        protocol.decode_read(body)


def test_answers():
    slab = protocol.encode_slab(5, protocol.SlabAnswer(8, 10, 40, 4000, 400, 1))
    assert slab == struct.pack("<IHHQ", 34, 2, 5, 5) + struct.pack("<BQQQQB", 8, 10, 40, 4000, 400, 1)
    failure = protocol.encode_failure(6, Failure(Status.GONE, "it has changed"))
    assert failure == struct.pack("<IHHQ", 23, 2, 6, 6) + struct.pack("<iB", -11, 0) + text("it has changed")
    assert protocol.encode_hello("x" * 100) == struct.pack("<IHHQ", 68, 2, 1, 0) + text("x" * 63) + b"\0"


def test_state_fits_whatever_its_message():
    frame = protocol.encode_state({"cluster": "none", "message": "é" * 20000, "dashboard": None})
    assert len(frame) <= 16 + 4 + protocol.MAX_STATE_BYTES and json.loads(frame[20:])["cluster"] == "none"


def test_any_bytes_are_a_message_or_an_error():
    chance = random.Random(5)
    bodies = [read_body(), read_body(reduction=0, missing=0), IDENTITY + struct.pack("<Q", 1) + text(ADDRESS), b"", b"\1"]
    decoders = [protocol.decode_read, protocol.decode_open, protocol.decode_cancel, protocol.decode_cluster]
    for _ in range(20000):
        body = bytearray(chance.choice(bodies))
        for _ in range(chance.randrange(4)):
            if body and chance.random() < 0.7:
                body[chance.randrange(len(body))] = chance.randrange(256)
            else:
                del body[chance.randrange(len(body) + 1):]
        try:
            chance.choice(decoders)(bytes(body))
        except ProtocolError:
            pass


@pytest.mark.parametrize("error, status", [(FileNotFoundError("x"), -4), (OSError("x"), -5), (MemoryError(), -2), (KeyError("x"), -5),
                                           (NotImplementedError("x"), -6), (RuntimeError("x\ny"), -12)])
def test_every_exception_is_one_line(error, status):
    failure = protocol.failure_of(error)
    assert failure.status == status and failure.message and "\n" not in failure.message and "Traceback" not in failure.message
