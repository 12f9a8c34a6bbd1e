# SPDX-License-Identifier: Apache-2.0
"""What runs on workers: reads stored chunks, reduces them there, and sends the answer's pieces to the server.

The functions of this module, block_sums.py and delivery.py are pickled by value and use numpy, dask and the standard
library only (xxhash where a worker has it), so that workers need no virga. The engine's own process uses the same
functions."""

from __future__ import annotations

import dataclasses
import hashlib
import pickle
from dataclasses import dataclass

import numpy as np

from .block_sums import Box, Sums, Terms, boxes_of, finish_means
from .delivery import Sender, Unreachable, process_state

SMALL_CHUNK = 1 << 18  # bytes: pieces below this are put together before they are sent
MOST_PIECES = 1024     # of a mean that one task sends, each of at least LEAST_BLOCKS; the rest is its result
LEAST_BLOCKS = 64
KEPT_LEAVES = 32


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
    graph       dask's graph of them (cloudpickle), but for its leaves and for what other tasks make
    leaves      (key, pickle) of each, pickled by itself so that it can be kept
    inputs      keys of what other tasks make: the task's other arguments, in this order
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
        fields = plain_fields(self)
        return pickle.dumps((chunks, *fields[1:-3], plain_fields(self.terms), *fields[-2:]), protocol=5)

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
    """Computes the chunks one by one: (box of stored numbers within the request, where it begins from the request's
    start, bytes)."""
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
