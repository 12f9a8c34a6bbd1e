# SPDX-License-Identifier: Apache-2.0
"""What runs on workers: reads stored chunks, reduces them there, and sends the answer's pieces to the server.

Its functions are pickled by value and use numpy, dask and the standard library only (xxhash where a worker has it), so that
workers need no virga; nothing outside this module is named here. The engine's own process uses the same functions.
"""

from __future__ import annotations

import dataclasses
import hashlib
import pickle
import socket
import struct
import sys
import threading
import time
import types
import zlib
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np

Box = tuple[tuple[int, ...], tuple[int, ...]]  # start and count along each dimension

CRC32 = 0x80               # added to a piece's number of arrays: its checksum is zlib's CRC-32, for want of xxhash
PIECE_ELEMENTS = 1 << 19   # stored numbers that are reduced at a time, so that what is made of them stays in the processor's cache
SMALL_CHUNK = 1 << 18      # bytes: pieces below this are put together before they are sent
MOST_PIECES = 1024         # of a mean that one task sends, each of at least so many blocks; what is left goes back with the result
LEAST_BLOCKS = 64
CONNECT_SECONDS, ANSWER_SECONDS = 4, 60
UNREACHABLE_SECONDS = 60   # for how long an address that could not be reached is not tried again
KEPT_CONNECTIONS, KEPT_LEAVES = 16, 32


# ---- reduction -------------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Terms:
    """What a mean is of: block lengths, which stored numbers are absent, packing (as in ReadRequest)."""

    block: tuple[int, ...]
    missing: tuple[float, ...] = ()
    scale: float = 1.0
    offset: float = 0.0


class Scratch:
    """Memory that is used again and again. Workers' allocators give every larger array back at once, and page faults then cost more
    than the arithmetic. One thread."""

    def __init__(self) -> None:
        self._buffers: dict[object, np.ndarray] = {}

    def take(self, name: object, shape: tuple[int, ...], dtype: np.dtype | type) -> np.ndarray:
        """An array with anything in it, until the same name is taken again."""
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        if name not in self._buffers or self._buffers[name].size < size:
            self._buffers[name] = np.empty(size, np.uint8)
        return self._buffers[name][:size].view(dtype).reshape(shape)

    def copy(self, name: object, numbers: np.ndarray, dtype: np.dtype | type) -> np.ndarray:
        """The same numbers, C-contiguous and of this type; not copied where they are so already."""
        if numbers.dtype == dtype and numbers.flags.c_contiguous:
            return numbers
        copied = self.take(name, numbers.shape, dtype)
        np.copyto(copied, numbers, casting="unsafe")
        return copied


def reduce_rows(operation: np.ufunc, rows: np.ndarray, lead: int, block: int, answer: np.ndarray) -> None:
    """Applies the operation within blocks of the first axis; the first row is its block's number `lead` (0 to block - 1)."""
    n = rows.shape[0]
    head = min(n, block - lead) if lead else 0
    whole = (n - head) // block
    tail = head + whole * block
    if head:
        operation.reduce(rows[:head], axis=0, out=answer[0, ...])
    if whole:
        operation.reduce(rows[head:tail].reshape(whole, block, *rows.shape[1:]), axis=1, out=answer[(head > 0):(head > 0) + whole])
    if tail < n:
        operation.reduce(rows[tail:], axis=0, out=answer[-1, ...])


def reduce_axes(pairs: list[tuple[np.ufunc, np.ndarray]], leads: tuple[int, ...], block: tuple[int, ...],
                scratch: Scratch) -> list[np.ndarray]:
    """Each operation within blocks of its array, of one shape all; sums are float64. The longest blocks first, so that the rest have
    less to do; each axis is brought to the front for it, for numpy is fast where rows are long. The answers are in the scratch."""
    arrays = [array for _, array in pairs]
    for axis in sorted((axis for axis, length in enumerate(block) if length > 1), key=lambda axis: -block[axis]):
        fronts: dict[int, np.ndarray] = {}  # at first several have the same numbers, which are brought to the front once
        for array in arrays:
            if id(array) not in fronts:
                fronts[id(array)] = scratch.copy(("front", axis, len(fronts)), np.moveaxis(array, axis, 0), array.dtype)
        for i, (operation, _) in enumerate(pairs):
            rows = fronts[id(arrays[i])]
            if operation is np.add:
                rows = scratch.copy(("sum", axis, i), rows, np.float64)
            blocks = (leads[axis] + rows.shape[0] - 1) // block[axis] + 1
            answer = scratch.take(("answer", axis, i), (blocks, *rows.shape[1:]), rows.dtype)
            reduce_rows(operation, rows, leads[axis], block[axis], answer)
            arrays[i] = np.moveaxis(answer, 0, axis)
    return arrays


def block_lengths(at: int, n: int, block: int) -> np.ndarray:
    """How many of n points from `at` on lie in each block that they touch (float64)."""
    lengths = np.full((at + n - 1) // block + 1 - at // block, float(block))
    lengths[0] -= at % block
    lengths[-1] -= -(at + n) % block
    return lengths


def outer_product(lengths: list[np.ndarray]) -> np.ndarray:
    """Points of each block, from the lengths along each dimension."""
    product = np.ones(())
    for axis_lengths in lengths:
        product = np.multiply.outer(product, axis_lengths)
    return product


def partial_blocks(stored: np.ndarray, at: tuple[int, ...], terms: Terms, points: np.ndarray, scratch: Scratch) -> list[np.ndarray]:
    """Sum, least, most and count of present numbers in each block that this box touches: a box of any place and size.

    at: where the box begins, in stored points from the start of the request. points: of the box in each block. Where nothing
    is present: 0, inf, -inf, 0. The answers are in the scratch.
    """
    leads = tuple(a % b for a, b in zip(at, terms.block))
    with np.errstate(over="ignore", invalid="ignore"):  # as if all were present; least and most in the stored type
        answer = reduce_axes([(np.add, stored), (np.minimum, stored), (np.maximum, stored)], leads, terms.block, scratch)
        masked = stored.dtype.kind == "f" and not np.isfinite(answer[0].sum(dtype=np.float64))
    if not masked and terms.missing:
        low, high = answer[1].min(), answer[2].max()
        masked = any(low <= missing <= high for missing in terms.missing)
    if not masked:
        return [*answer, points]
    numbers = scratch.copy("numbers", stored, np.float64)
    present = np.isfinite(numbers, out=scratch.take("present", stored.shape, np.bool_))
    for missing in terms.missing:
        present &= np.not_equal(numbers, missing, out=scratch.take("differs", stored.shape, np.bool_))
    pairs = [(np.add, present)]
    for operation, neutral in ((np.maximum, -np.inf), (np.minimum, np.inf), (np.add, 0.0)):
        filled = scratch.take(("filled", neutral), stored.shape, np.float64)
        filled.fill(neutral)
        np.copyto(filled, numbers, where=present)
        pairs.insert(0, (operation, filled))
    return reduce_axes(pairs, leads, terms.block, scratch)


def finish_means(sums: np.ndarray, terms: Terms) -> np.ndarray:
    """(4, …) of sum, least, most, count, made (4, …) of mean, least, most, count, unpacked; NaN where nothing is present."""
    total, least, most, count = sums
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        answer = np.stack([total / count, least, most, count])
        answer[:3] *= terms.scale
        answer[:3] += terms.offset
    if terms.scale < 0:
        answer[[1, 2]] = answer[[2, 1]]
    answer[:3, count == 0] = np.nan
    return answer


class Sums:
    """Sum, least, most and count of the blocks in a box of the answer, to which boxes of stored numbers are added in any order."""

    def __init__(self, box: Box, terms: Terms, lengths: tuple[int, ...], leads: tuple[int, ...]) -> None:
        """box: in points of the answer. lengths: of the whole request, in stored points, of which the first `leads` are lacking."""
        self.start, self.count = box
        self.terms = terms
        self.sums = np.empty((4, *self.count))
        self.sums[0], self.sums[1], self.sums[2], self.sums[3] = 0, np.inf, -np.inf, 0
        self.scratch = Scratch()
        self.covered = np.zeros(self.count)  # stored points added to each block
        self.expected = outer_product([block_lengths(max(lead, s * b), min(length, (s + n) * b) - max(lead, s * b), b)
                                       for s, n, b, length, lead in zip(self.start, self.count, terms.block, lengths, leads)])

    def add(self, stored: np.ndarray, at: tuple[int, ...]) -> None:
        """Adds a box of stored numbers that begins at `at`, in stored points from the start of the request."""
        if not stored.ndim:
            self._add_piece(stored, at)
            return
        block, rows = self.terms.block[0], max(1, PIECE_ELEMENTS // max(1, stored[0].size))
        rows = max(1, rows // block) * block if block < 4 * rows else rows
        first, n = 0, stored.shape[0]
        while first < n:
            last = min(n, (at[0] + first + rows) // block * block - at[0])
            last = last if last > first else min(n, first + rows)
            self._add_piece(stored[first:last], (at[0] + first, *at[1:]))
            first = last

    def _add_piece(self, stored: np.ndarray, at: tuple[int, ...]) -> None:
        points = outer_product([block_lengths(a, n, b) for a, n, b in zip(at, stored.shape, self.terms.block)])
        total, least, most, count = partial_blocks(stored, at, self.terms, points, self.scratch)
        window = tuple(slice(a // b - s, (a + n - 1) // b + 1 - s) for a, n, b, s in
                       zip(at, stored.shape, self.terms.block, self.start))
        here = self.sums[(slice(None), *window)]
        here[0] += total
        np.minimum(here[1], least, out=here[1, ...])
        np.maximum(here[2], most, out=here[2, ...])
        here[3] += count
        self.covered[window] += points


def boxes_of(mask: np.ndarray) -> list[Box]:
    """Boxes that together hold each true point once: few where what is true is made of boxes."""
    if not mask.ndim:
        return [((), ())] if mask else []
    if not mask.size:
        return []
    rows = mask.reshape(mask.shape[0], -1)
    firsts = np.flatnonzero(np.concatenate([[True], (rows[1:] != rows[:-1]).any(axis=1)]))
    boxes = []
    for first, last in zip(firsts, [*firsts[1:], len(rows)]):
        boxes += [((int(first), *start), (int(last - first), *count)) for start, count in boxes_of(mask[first])]
    return boxes


# ---- delivery --------------------------------------------------------------------------------------------------------

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
    return struct.pack(f"<4sHBB16s{len(places)}QQQ", b"VSLB", 1, len(box[0]), arrays | flag, token, *places, len(payload), digest)


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
        """Sends one piece and returns the answer. A kept connection may have been closed meanwhile: then once more on another."""
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


# ---- tasks -----------------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Chunk:
    """One chunk to read: its key in the graph, and the box that it fills, in stored points of the variable."""

    key: object
    origin: tuple[int, ...]
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Job:
    """What one task does of a request.

    chunks      read in this order, each once
    graph       dask's graph of them (cloudpickle), but for its leaves, each pickled by itself so that it can be kept, and for what
    leaves      other tasks make: the inputs, whose keys are in `inputs`
    box         of the answer, within which all of it lies
    dtype       of the stored numbers
    start, count, mean  of the request, in stored points; `terms.block` are its blocks
    receiver    (host, port) of the server's slab receiver, or None: the pieces are the task's result
    """

    chunks: tuple[Chunk, ...]
    graph: bytes
    leaves: tuple[tuple[object, bytes], ...]
    inputs: tuple[object, ...]
    box: Box
    dtype: str
    start: tuple[int, ...]
    count: tuple[int, ...]
    mean: bool
    terms: Terms
    receiver: tuple[str, int] | None
    token: bytes

    def pack(self) -> bytes:
        """As plain numbers and text: a class pickled by value would be made anew on each side, for each task."""
        chunks = tuple(plain_fields(chunk) for chunk in self.chunks)
        return pickle.dumps((chunks, *plain_fields(self)[1:-3], plain_fields(self.terms), *plain_fields(self)[-2:]), protocol=5)

    @staticmethod
    def unpack(packed: bytes) -> Job:
        chunks, *fields, terms, receiver, token = pickle.loads(packed)
        return Job(tuple(Chunk(*chunk) for chunk in chunks), *fields, Terms(*terms), receiver, token)


def plain_fields(record: object) -> tuple:
    """The fields of a dataclass, as they are."""
    return tuple(getattr(record, field.name) for field in dataclasses.fields(record))


@dataclass
class Outcome:
    """What a task answers (as a tuple of these).

    read, sent      bytes of chunks computed, and of pieces sent to the server
    pieces          (box, numbers) of the answer that were not sent
    index, sums     of blocks to which other tasks add: flat indices into the answer, and (4, n) sum, least, most, count
    unreachable     why the server's receiver was not, or None
    """

    read: int
    sent: int
    pieces: list[tuple[Box, np.ndarray]]
    index: np.ndarray | None = None
    sums: np.ndarray | None = None
    unreachable: str | None = None


def kept_leaf(pickled: bytes) -> object:
    """A leaf of a graph (an opened store or file), kept for the tasks to come so that it is not opened for each."""
    state, name = process_state(), hashlib.blake2b(pickled, digest_size=16).digest()
    with state.lock:
        if name in state.leaves:
            state.leaves.move_to_end(name)
            return state.leaves[name]
    leaf = pickle.loads(pickled)
    with state.lock:
        state.leaves[name] = leaf
        while len(state.leaves) > KEPT_LEAVES:
            state.leaves.popitem(last=False)
    return leaf


def depths_of(nodes: dict) -> dict[object, int]:
    """How many tasks stand in a row below each."""
    depths: dict[object, int] = {}
    for start in nodes:
        pending = [start]
        while pending:
            at = pending[-1]
            below = [key for key in nodes[at].dependencies if key in nodes]
            unknown = [key for key in below if key not in depths]
            if unknown and at not in depths:
                pending.extend(unknown)
                continue
            pending.pop()
            depths[at] = 1 + max((depths[key] for key in below), default=0)
    return depths


class Graph:
    """A part of a dask graph, computed key by key, depth first; what nobody needs any more is let go at once."""

    def __init__(self, nodes: dict, values: dict, wanted: list) -> None:
        self.nodes, self.values = nodes, values
        self.depths = depths_of(nodes)
        self.uses: dict[object, int] = {}
        for node in nodes.values():
            for key in node.dependencies:
                self.uses[key] = self.uses.get(key, 0) + 1
        for key in wanted:
            self.uses[key] = self.uses.get(key, 0) + 1

    def take(self, key: object) -> object:
        """The value of a wanted key; each wanted key may be taken as often as it is in `wanted`."""
        pending = [key]
        while pending:
            at = pending[-1]
            missing = [] if at in self.values else [k for k in self.nodes[at].dependencies if k not in self.values]
            if missing:  # the deepest first: of a long fold, what was folded before the next chunk
                pending.extend(sorted(missing, key=self.depths.__getitem__))
                continue
            pending.pop()
            if at not in self.values:
                self.values[at] = self.nodes[at](self.values)
                for used in self.nodes[at].dependencies:
                    self._release(used)
        value = self.values[key]
        self._release(key)
        return value

    def _release(self, key: object) -> None:
        self.uses[key] -= 1
        if not self.uses[key]:
            del self.values[key]


def as_stored(numbers: object, chunk: Chunk, dtype: np.dtype) -> np.ndarray:
    """A chunk as it was announced, or an error that says how it is not."""
    array = np.ma.getdata(numbers) if isinstance(numbers, np.ma.MaskedArray) else np.asarray(numbers)
    if array.shape != chunk.shape:
        raise ValueError(f"a chunk has the shape {array.shape} where {chunk.shape} was announced")
    if array.dtype == np.bool_:
        array = array.view(np.uint8)
    return array if array.dtype == dtype else array.astype(dtype)


def chunks_within(job: Job, inputs: tuple):
    """Computes the chunks one by one: (box of stored numbers within the request, where it begins from the request's start, bytes)."""
    values = {key: kept_leaf(pickled) for key, pickled in job.leaves}
    values.update(zip(job.inputs, inputs))
    graph = Graph(pickle.loads(job.graph), values, [chunk.key for chunk in job.chunks])
    dtype = np.dtype(job.dtype)
    for chunk in job.chunks:
        stored = as_stored(graph.take(chunk.key), chunk, dtype)
        first = [max(s, o) for s, o in zip(job.start, chunk.origin)]
        last = [min(s + n, o + k) for s, n, o, k in zip(job.start, job.count, chunk.origin, chunk.shape)]
        inside = tuple(slice(a - o, b - o) for a, b, o in zip(first, last, chunk.origin))
        yield stored[inside], tuple(a - s for a, s in zip(first, job.start)), stored.nbytes
        del stored


def run(packed: bytes, *inputs: object) -> tuple:
    """The task: reads and reduces what the Job says, and delivers it as far as the server can be reached from here.

    Returns the fields of an Outcome.
    """
    job = Job.unpack(packed)
    outlet = Outlet(job)
    (run_mean if job.mean else run_points)(job, inputs, outlet)
    return plain_fields(outlet.finish())


class Outlet:
    """Where a task's pieces go: to the server, and when that cannot be reached into the task's result."""

    def __init__(self, job: Job) -> None:
        self.arrays = 4 if job.mean else 1
        self.outcome = Outcome(0, 0, [])
        self.sender = Sender(job.receiver, job.token) if job.receiver else None

    def put(self, box: Box, numbers: np.ndarray) -> None:
        numbers = np.ascontiguousarray(numbers)
        if self.sender is not None:
            try:
                with self.sender:
                    self.sender.send(box, self.arrays, numbers)
                return
            except Unreachable as error:
                self.outcome.unreachable = str(error)[:200]
                self.outcome.sent, self.sender = self.sender.sent, None
        self.outcome.pieces.append((box, numbers))

    def finish(self) -> Outcome:
        if self.sender is not None:
            self.outcome.sent = self.sender.sent
        return self.outcome


def are_small_neighbours(job: Job) -> bool:
    """Whether the chunks are small, and fill the job's box."""
    places = [len(set(along)) for along in zip(*(chunk.origin for chunk in job.chunks))]
    size = int(np.prod(job.box[1])) * np.dtype(job.dtype).itemsize
    return 1 < len(job.chunks) == int(np.prod(places)) and size < SMALL_CHUNK * len(job.chunks)


def run_points(job: Job, inputs: tuple, outlet: Outlet) -> None:
    """Numbers as stored, all or one of each block: chunk by chunk, small ones put together."""
    start, count = job.box
    together = np.empty(count, job.dtype) if are_small_neighbours(job) else None
    block = job.terms.block
    for stored, at, size in chunks_within(job, inputs):
        outlet.outcome.read += size
        points = stored[tuple(slice(-a % b, None, b) for a, b in zip(at, block))]
        first = tuple(-(-a // b) for a, b in zip(at, block))
        if together is not None:
            together[tuple(slice(f - s, f - s + n) for f, s, n in zip(first, start, points.shape))] = points
        elif points.size:
            outlet.put((first, points.shape), points)
    if together is not None:
        outlet.put(job.box, together)


def run_mean(job: Job, inputs: tuple, outlet: Outlet) -> None:
    """Block means: whole blocks are delivered; what other tasks add to goes back as sums."""
    sums = Sums(job.box, job.terms, job.count, tuple(max(0, -s) for s in job.start))
    for stored, at, size in chunks_within(job, inputs):
        outlet.outcome.read += size
        sums.add(stored, at)
    left = np.array(sums.covered > 0)
    boxes = boxes_of(np.array(sums.covered == sums.expected))
    boxes.sort(key=lambda box: -int(np.prod(box[1])))
    if len(boxes) > 1:
        boxes = [box for box in boxes[:MOST_PIECES] if np.prod(box[1]) >= LEAST_BLOCKS]
    for start, count in boxes:
        window = tuple(slice(s, s + n) for s, n in zip(start, count))
        place = tuple(s + o for s, o in zip(start, job.box[0]))
        outlet.put((place, count), finish_means(sums.sums[(slice(None), *window)], job.terms))
        left[window] = False
    if left.any():
        points = tuple(-(-n // b) for n, b in zip(job.count, job.terms.block))
        where = tuple(i + s for i, s in zip(np.nonzero(left), job.box[0])) if left.ndim else ()
        flat = np.ravel_multi_index(where, points) if left.ndim else np.zeros(1, np.int64)
        outlet.outcome.index = flat.astype(np.uint32 if np.prod(points) < 1 << 32 else np.uint64)
        outlet.outcome.sums = sums.sums[:, left]
