# SPDX-License-Identifier: Apache-2.0
"""An independent receiver of slabs in pieces, and a block mean in plain Python: what the engine is held against."""
import math
import socket
import struct
import threading
import zlib

import numpy as np
import xxhash


class Receiver:
    """Takes the pieces of one slab after another into memory of its own; counts connections and bytes."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.slabs, self.connections, self.bytes, self.pieces, self.checksums = {}, 0, 0, 0, set()
        self.refuse = None  # an answer to give instead of 0
        self.lock = threading.Lock()
        threading.Thread(target=self._listen, daemon=True).start()

    def expect(self, token, points, arrays, dtype):
        """The memory for a slab, and how often each point was taken."""
        with self.lock:
            self.slabs[token] = np.zeros((arrays, *points), dtype), np.zeros(points, np.int64)
        return self.slabs[token]

    def close(self):
        self.listener.close()

    def _listen(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection, connection.makefile("rb") as stream:
            while True:
                head = stream.read(24)
                if len(head) < 24:
                    return
                magic, version, rank, arrays, token = struct.unpack("<4sHBB16s", head)
                crc, arrays = arrays & 0x80, arrays & 0x7F
                numbers = struct.unpack(f"<{2 * rank}Q", stream.read(16 * rank))
                start, count = numbers[::2], numbers[1::2]
                size, digest = struct.unpack("<QQ", stream.read(16))
                payload = stream.read(size)
                answer = self._take(magic, version, arrays, token, start, count, payload, digest, crc)
                with self.lock:
                    self.bytes += 24 + 16 * rank + 16 + size
                    self.pieces += 1
                    self.checksums.add("crc" if crc else "xxh3")
                connection.sendall(bytes([answer]))
                if answer in (2, 3, 4):
                    return

    def _take(self, magic, version, arrays, token, start, count, payload, digest, crc):
        if self.refuse is not None:
            return self.refuse
        if magic != b"VSLB" or version != 1:
            return 2
        with self.lock:
            slab = self.slabs.get(token)
        if slab is None:
            return 1
        numbers, taken = slab
        if arrays != numbers.shape[0] or len(payload) != arrays * math.prod(count) * numbers.itemsize:
            return 2
        if digest != (zlib.crc32(payload) if crc else xxhash.xxh3_64_intdigest(payload)):
            return 3
        window = tuple(slice(a, a + n) for a, n in zip(start, count))
        with self.lock:
            numbers[(slice(None), *window)] = np.frombuffer(payload, numbers.dtype).reshape(arrays, *count)
            taken[window] += 1
        return 0


def answer_by_hand(stored, request):
    """The protocol's definition, block by block, with exact sums."""
    box = stored[request.slices]
    if request.reduction == 0:
        return box[np.newaxis]
    points = tuple(math.ceil(n / b) for n, b in zip(request.count, request.block))
    answer = np.empty((1, *points), stored.dtype) if request.reduction == 1 else np.empty((4, *points))
    for at in np.ndindex(*points):
        edges = [(a + i * b, min(a + n, a + (i + 1) * b)) for i, a, n, b in zip(at, request.start, request.count, request.block)]
        block = stored[tuple(slice(max(0, low), high) for low, high in edges)]
        if request.reduction == 1:
            answer[(0, *at)] = block.reshape(-1)[0]
            continue
        present = [float(v) for v in block.reshape(-1).tolist() if math.isfinite(v) and float(v) not in request.missing]
        values = [math.nan] * 3
        if present:
            values = [math.fsum(present) / len(present), *sorted([min(present) * request.scale, max(present) * request.scale])]
            values = [values[0] * request.scale + request.offset, values[1] + request.offset, values[2] + request.offset]
        answer[(slice(None), *at)] = [*values, len(present)]
    return answer


def assert_is_answer(got, stored, request):
    """Bit for bit, but for means: these within the rounding of sums in another order."""
    expected = answer_by_hand(stored, request)
    assert got.shape == expected.shape and got.dtype == expected.dtype
    if request.reduction != 2:
        np.testing.assert_array_equal(got, expected)
        return
    np.testing.assert_array_equal(got[1:], expected[1:])
    size = abs(np.nan_to_num(np.where(np.isfinite(stored), stored, 0)).astype(np.float64)).max(initial=0) * abs(request.scale)
    np.testing.assert_allclose(got[0], expected[0], rtol=1e-12, atol=1e-13 * (size + abs(request.offset)))
