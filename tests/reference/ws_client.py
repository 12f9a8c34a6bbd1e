# SPDX-License-Identifier: Apache-2.0
"""A websocket client in plain Python, from RFC 6455 and server/PROTOCOL.md alone. Everything can also be done wrong with it.

Socket(host, port)   bytes, frames and messages
Stream(url)          a page's side of the protocol: interest in, tables and bricks out, acknowledged as they come
"""
import base64
import json
import os
import re
import socket
import struct
import time

CONTINUE, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


class Closed(Exception):
    """The other side closed. code and reason are of its close frame, or None where it just hung up."""

    def __init__(self, code=None, reason=""):
        super().__init__(f"closed: {code} {reason}")
        self.code, self.reason = code, reason


class Socket:
    def __init__(self, host, port, timeout=30, receive_buffer=None):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        self.socket.connect((host, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = bytearray()
        self.host = f"{host}:{port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def more(self):
        data = self.socket.recv(1 << 18)
        if not data:
            raise Closed()
        self.buffer += data

    def take(self, n):
        while len(self.buffer) < n:
            self.more()
        data = bytes(self.buffer[:n])
        del self.buffer[:n]
        return data

    def head(self):
        """An HTTP header: (status, {name in lower case: value})."""
        while b"\r\n\r\n" not in self.buffer:
            self.more()
        end = self.buffer.index(b"\r\n\r\n")
        lines = self.take(end + 4).decode("latin-1").split("\r\n")
        return int(lines[0].split()[1]), {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:] if line)}

    def request(self, path="/", method="GET", headers=(), version="HTTP/1.1"):
        """Sends a request and gives (status, headers, body)."""
        lines = [f"{method} {path} {version}", f"Host: {self.host}", *headers]
        self.send(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
        return self.answer(method)

    def answer(self, method="GET"):
        status, headers = self.head()
        length = 0 if method == "HEAD" or status in (204, 304) else int(headers.get("content-length", 0))
        return status, headers, self.take(length)

    def ask_upgrade(self, path="/ws", headers=None, without=()):
        """Asks for a websocket; gives the status. headers replace those of a good request, `without` leaves some out."""
        all_headers = {"Host": self.host, "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
                       "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(), "Sec-WebSocket-Protocol": "virga.1"}
        all_headers.update(headers or {})
        lines = [f"GET {path} HTTP/1.1"] + [f"{k}: {v}" for k, v in all_headers.items() if k not in without]
        self.send(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
        status, self.headers = self.head()
        return status

    def frame(self, opcode, data=b"", final=True, masked=True, length=None, reserved=0):
        """Sends one frame; length says another length than the data have."""
        n = len(data) if length is None else length
        bit = 0x80 if masked else 0
        first = (0x80 if final else 0) | reserved << 4 | opcode
        head = struct.pack("!BB", first, bit | n) if n < 126 else \
            struct.pack("!BBH", first, bit | 126, n) if n < 65536 else struct.pack("!BBQ", first, bit | 127, n)
        if masked:
            key = os.urandom(4)
            whole = (key * (len(data) // 4 + 1))[:len(data)]
            data = (int.from_bytes(data, "big") ^ int.from_bytes(whole, "big")).to_bytes(len(data), "big") if data else b""
            head += key
        self.send(head + data)

    def say(self, message):
        self.frame(TEXT, json.dumps(message).encode())

    def next(self):
        """The next message: a dict for text, bytes for binary. Answers pings; raises Closed."""
        whole, kind = b"", None
        while True:
            first, second = self.take(2)
            length = second & 127
            if length > 125:
                length = int.from_bytes(self.take(2 if length == 126 else 8), "big")
            assert not second & 128 and not first & 0x70, "a server's frames are not masked and use no extension"
            data = self.take(length)
            opcode = first & 15
            if opcode == PING:
                self.frame(PONG, data)
            elif opcode == CLOSE:
                raise Closed(*((int.from_bytes(data[:2], "big"), data[2:].decode()) if data else ()))
            elif opcode in (TEXT, BINARY, CONTINUE):
                kind = opcode or kind
                whole += data
                if first & 0x80:
                    return json.loads(whole) if kind == TEXT else whole


def parts(batch):
    """A batch's generation and its parts: dicts with kind, layer, level, step, at (x, y, z) and data."""
    magic, generation, count = struct.unpack_from("<4sII", batch)
    assert magic == b"VBAT"
    at, found = 12, []
    for _ in range(count):
        kind, layer, level, step, x, y, z, zero, size = struct.unpack_from("<BBHIHHHHI", batch, at)
        assert zero == 0 and kind in (1, 2)
        at += 20
        assert at + size <= len(batch)
        found.append({"kind": kind, "layer": layer, "level": level, "step": step, "at": (x, y, z), "data": batch[at:at + size]})
        at += size
    assert at == len(batch)
    return generation, found


class Stream:
    """A page's side. What came is in tables {(layer, step): bytes}, bricks {(layer, step, level, x, y, z): bytes} and events."""

    def __init__(self, url, timeout=60, receive_buffer=None, headers=None):
        host, port, base = re.match(r"http://([^:/]+):(\d+)(/.*)$", url).groups()
        self.socket = Socket(host, int(port), timeout, receive_buffer)
        status = self.socket.ask_upgrade(base + "ws", headers)
        assert status == 101, status
        self.hello = self.socket.next()
        self.window = self.hello["window"]
        self.generation = 0
        self.forget()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.socket.close()

    def forget(self):
        self.tables, self.bricks, self.events, self.steps = {}, {}, [], {}
        self.bytes = self.payload = self.batches = self.stale = 0

    def interest(self, dataset, variables, time=0, **more):
        self.generation += 1
        layers = [v if isinstance(v, dict) else {"variable": v, "opacity": None} for v in variables]
        self.socket.say({"type": "interest", "generation": self.generation, "dataset": dataset, "run": "latest", "member": 0,
                         "layers": layers, "time": time, "direction": 0, "rate": 0, "steps": 0, "camera": None,
                         "budget": 1 << 40, "max_level": 0, **more})
        return self.generation

    def ack(self, n):
        self.socket.say({"type": "ack", "bytes": n})

    def take(self, ack=True):
        """Takes in one message; gives it (a dict, or the list of a batch's parts)."""
        message = self.socket.next()
        if isinstance(message, dict):
            self.events.append(message)
            if message["type"] == "step":
                self.steps[(message["layer"], message["step"])] = message
            return message
        generation, found = parts(message)
        size = sum(len(p["data"]) for p in found)
        self.bytes += len(message)
        self.payload += size
        self.batches += 1
        if generation != self.generation:
            self.stale += size
        for p in found:
            if p["kind"] == 1:
                assert (p["layer"], p["step"]) in self.steps, "a step message comes before its table"
                self.tables[(p["layer"], p["step"])] = p["data"]
            else:
                self.bricks[(p["layer"], p["step"], p["level"], *p["at"])] = p["data"]
        if ack:
            self.ack(size)
        return found

    def until_done(self, seconds=120):
        """Takes in messages until the generation is done; gives the done message."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            message = self.take()
            if isinstance(message, dict) and message["type"] == "error":
                raise AssertionError(message["message"])
            if isinstance(message, dict) and message["type"] == "done" and message["generation"] == self.generation:
                return message
        raise AssertionError("not done in time")
