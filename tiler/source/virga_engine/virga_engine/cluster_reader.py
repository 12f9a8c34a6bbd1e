# SPDX-License-Identifier: Apache-2.0
"""Reads on a Dask cluster: chunks are read and reduced where the workers are, and go from there to the server."""

from __future__ import annotations

import functools
import itertools
import logging
import pickle
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from math import prod
from threading import Lock
from typing import Any
from uuid import uuid4
from weakref import ref

import cloudpickle
import numpy as np
from dask._task_spec import Task, TaskRef
from distributed import Client, Future, as_completed
from toolz.functoolz import apply

from . import block_sums, delivery, on_worker
from .arrays import StoredArray
from .block_sums import boxes_of, finish_means
from .chunk_graph import ChunkGraph, Cone, Key
from .cluster import Cluster, wait_for_another
from .cluster_failure import SchedulerLost, explain
from .delivery import Sender, Unreachable
from .on_worker import Chunk, Job, Outcome
from .lent_slab import LentSlab
from .read_plan import Group, answer_box, needed_chunks, plan, plan_held
from .reader import Delivered, ReadCount, answer_layout
from .reduction import terms_of
from .request import Cancel, ReadRequest, Reduction

log = logging.getLogger(__name__)
for module in (block_sums, delivery, on_worker):
    cloudpickle.register_pickle_by_value(module)

KEPT_GRAPHS = 256
FEW_CHUNKS = 8                # of an array in the workers' memory: not worth asking where they are
DEFAULT_THREADS = 4           # where no worker is there yet
MOST_BOXES = 4096             # that the engine sends by itself; what falls apart into more goes by the slab's memory
GATHER_SECONDS = 300          # for how long slabs are gathered once workers could not reach the server


@dataclass
class _Read:
    """One request on its way. totals: of the outcomes so far; left: indices and sums of blocks that several tasks add
    to."""

    array: StoredArray
    request: ReadRequest
    slab: LentSlab
    cancelled: Cancel
    sender: Sender | None
    read: int = 0
    sent: int = 0
    left: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)
    delivered: Delivered = Delivered.BY_DESCRIPTOR

    def put(self, box: block_sums.Box, numbers: np.ndarray) -> None:
        """A piece that no worker sent: by the receiver, so that it can see that nothing lacks, or into the slab's
        memory."""
        if self.sender is not None and self.delivered == Delivered.BY_PIECES:
            try:
                with self.sender:
                    self.sender.send(box, self.request.arrays, np.ascontiguousarray(numbers))
                return
            except Unreachable:
                self.delivered = Delivered.BY_DESCRIPTOR
        window = tuple(slice(s, s + n) for s, n in zip(*box))
        mean = self.request.reduction == Reduction.MEAN
        self.slab.write(*answer_layout(self.array, self.request), (slice(None), *window),
                        numbers if mean else numbers[np.newaxis])


class ClusterReader:
    """Any thread. slabs: "HOST:PORT" of the server's slab receiver, or None: everything is gathered."""

    def __init__(self, cluster: Cluster, slabs: str | None) -> None:
        self._cluster = cluster
        self._slabs = receiver_address(slabs)
        self._graphs: OrderedDict[int, tuple[ref, ChunkGraph, Lock]] = OrderedDict()  # by the array's id
        self._lock = Lock()
        self._order = itertools.count(1)
        self._gather_until = 0.0
        self._said: set[str] = set()

    def read(self, array: StoredArray, request: ReadRequest, slab: LentSlab, cancelled: Cancel) -> ReadCount:
        """See reader.Reader. Of arrays on the cluster: what only this process has is a DirectReader's."""
        used: list[Client] = []
        try:
            return self._read_with(used, array, request, slab, cancelled)
        except SchedulerLost:  # once more, on the client of a scheduler that is there again
            wait_for_another(self._cluster, used, cancelled)
            return self._read_with(used, array, request, slab, cancelled)

    def _read_with(self, used: list[Client], array: StoredArray, request: ReadRequest, slab: LentSlab,
                   cancelled: Cancel) -> ReadCount:
        """used: the clients that were tried."""
        cancelled.check()
        with self._cluster.using(cancelled) as client:
            used.append(client)
            return self._read(client, array, request, slab, cancelled)

    def _read(self, client: Client, array: StoredArray, request: ReadRequest, slab: LentSlab,
              cancelled: Cancel) -> ReadCount:
        receiver = self._receiver(request)
        read = _Read(array, request, slab, cancelled,
                     Sender(receiver, request.token) if receiver else None,
                     delivered=Delivered.BY_PIECES if receiver else Delivered.BY_DESCRIPTOR)
        try:
            dsk, keys = self._tasks(client, read, receiver)
            if keys:
                self._run(client, read, dsk, keys)
            _put_left(read)
        except Exception as error:
            cancelled.check()
            raise explain(error, client) from error
        return ReadCount(read.read, read.sent, read.delivered)

    def _receiver(self, request: ReadRequest) -> tuple[str, int] | None:
        if self._slabs is None or not any(request.token) or time.monotonic() < self._gather_until:
            return None
        return self._slabs

    def _graph(self, array: StoredArray) -> tuple[ChunkGraph, Lock]:
        """The graph of an array's chunks, kept while it is used and the array is there, since it holds what is in the
        workers' memory; and the lock to hold around it."""
        dask, name = array.dask, id(array)
        with self._lock:
            if name not in self._graphs:
                self._graphs[name] = (ref(array, lambda _: self._graphs.pop(name, None)), ChunkGraph(dask), Lock())
            self._graphs.move_to_end(name)
            while len(self._graphs) > KEPT_GRAPHS:
                self._graphs.popitem(last=False)
            return self._graphs[name][1:]

    def _tasks(self, client: Client, read: _Read, receiver: tuple[str, int] | None) -> tuple[dict[Key, Any], list[Key]]:
        """The tasks of a request: a graph for the scheduler, and the keys of what is wanted of it."""
        graph, lock = self._graph(read.array)
        threads = self._cluster.state()["threads"] or DEFAULT_THREADS
        with lock:
            groups = plan_of(client, graph, read.request, threads)
            cones, shared = split_cones(graph, groups)
            if shared:  # then each chunk is a task: where it runs is the scheduler's choice
                groups = [Group((index,)) for group in groups for index in group.indices]
                cones, shared = split_cones(graph, groups)
            dsk: dict[Key, Any] = {key: graph.node(key) for key in shared}
        name, keys = f"virga-read-{uuid4().hex}", []
        for number, (group, cone) in enumerate(zip(groups, cones)):
            job = job_of(graph, read.request, group, cone, receiver)
            keys.append((name, number))
            dsk.update((key, node) for key, node in cone.inputs.items() if key not in shared)
            dsk[keys[-1]] = Task(keys[-1], apply, Task(None, pickle.loads, run_pickled()), job.pack(),
                                 *(TaskRef(key) for key in job.inputs))
        return dsk, keys

    def _run(self, client: Client, read: _Read, dsk: dict[Key, Any], keys: list[Key]) -> None:
        """Waits for all tasks and takes what they answer; none is left behind."""
        futures = client.get(dsk, keys, sync=False, priority=next(self._order))
        give_up = functools.partial(client.cancel, futures, asynchronous=True, force=True)
        read.cancelled.on_cancel(lambda: client.loop.add_callback(give_up))
        try:
            direct = self._cluster.kind != "gateway"
            if read.sender is not None:
                self._take(read, client.gather(futures, direct=direct))
                return
            for batch in as_completed(futures, loop=client.loop).batches():
                self._take(read, client.gather(batch, direct=direct))
                for future in batch:
                    future.release()
        finally:
            release(client, futures)

    def _take(self, read: _Read, results: list[tuple]) -> None:
        read.cancelled.check()
        for result in results:
            outcome = Outcome(*result)
            read.read += outcome.read
            read.sent += outcome.sent
            for box, numbers in outcome.pieces:
                read.sent += numbers.nbytes
                read.put(box, numbers)
            if outcome.index is not None:
                read.sent += outcome.index.nbytes + outcome.sums.nbytes
                read.left.append((outcome.index, outcome.sums))
            if outcome.unreachable:
                self._cannot_reach(outcome.unreachable)

    def _cannot_reach(self, reason: str) -> None:
        self._gather_until = time.monotonic() + GATHER_SECONDS
        with self._lock:
            if "unreachable" in self._said:
                return
            self._said.add("unreachable")
        log.warning("workers cannot reach this server at %s:%d (%s); slabs are gathered, which is slower. Set "
                    "engine-slabs to an address of this host that workers can connect to", *self._slabs, reason)


@functools.cache
def run_pickled() -> bytes:
    """The function that each task calls, by value."""
    return cloudpickle.dumps(on_worker.run, protocol=5)


def receiver_address(slabs: str | None) -> tuple[str, int] | None:
    if not slabs:
        return None
    host, _, port = slabs.rpartition(":")
    return host.strip("[]"), int(port)


def plan_of(client: Client, graph: ChunkGraph, request: ReadRequest, threads: int) -> list[Group]:
    """Chunks that are in the workers' memory are grouped by worker, others as they lie in the array."""
    itemsize = graph.dtype.itemsize
    groups = plan(graph.edges, request, itemsize, threads)
    if not groups or graph.future(graph.key(groups[0].indices[0])) is None:
        return groups
    indices = list(itertools.product(*(numbers.tolist() for numbers in needed_chunks(graph.edges, request))))
    futures = {index: graph.future(graph.key(index)) for index in indices}
    if len(indices) <= FEW_CHUNKS or None in futures.values():
        return [Group((index,)) for index in indices]
    holders = client.who_has(list(futures.values()))
    places = {index: holders[future.key][0] for index, future in futures.items() if holders.get(future.key)}
    alone = [Group((index,)) for index in indices if index not in places]  # still computed
    return plan_held(graph.edges, itemsize, threads, places) + alone


def split_cones(graph: ChunkGraph, groups: list[Group]) -> tuple[list[Cone], set[Key]]:
    """What each group is computed from, and which keys several need: those become tasks of their own, and inputs of the
    groups."""
    cones = [graph.cone(graph.key(index) for index in group.indices) for group in groups]
    seen: set[Key] = set()
    shared: set[Key] = set()
    for cone in cones:
        shared |= seen & cone.nodes.keys()
        seen |= cone.nodes.keys()
    if shared:
        cones = [graph.cone((graph.key(index) for index in group.indices), shared) for group in groups]
    return cones, graph.closure(shared)


def job_of(graph: ChunkGraph, request: ReadRequest, group: Group, cone: Cone, receiver: tuple[str, int] | None) -> Job:
    chunks = tuple(Chunk(graph.key(index), *graph.box(index)) for index in group.indices)
    return Job(chunks, cloudpickle.dumps(cone.nodes, protocol=5), tuple(cone.leaves.items()), tuple(cone.inputs),
               answer_box(graph.edges, request, group.indices), graph.dtype.str, request.start, request.count,
               request.reduction == Reduction.MEAN, terms_of(request), receiver, request.token)


def _put_left(read: _Read) -> None:
    """Adds up the blocks that several tasks have a part of, and puts them into the answer."""
    if not read.left:
        return
    points = read.request.points
    index = np.concatenate([index for index, _ in read.left]).astype(np.int64)
    sums = np.concatenate([sums for _, sums in read.left], axis=1)
    places, inverse = np.unique(index, return_inverse=True)
    least, most = np.full(len(places), np.inf), np.full(len(places), -np.inf)
    np.minimum.at(least, inverse, sums[1])
    np.maximum.at(most, inverse, sums[2])
    total, count = (np.bincount(inverse, sums[row], len(places)) for row in (0, 3))
    added = np.stack([total, least, most, count])
    means = finish_means(added, terms_of(read.request))
    mask = np.zeros(prod(points), bool)
    mask[places] = True
    boxes = boxes_of(mask.reshape(points))
    if len(boxes) > MOST_BOXES:
        read.delivered = Delivered.BY_DESCRIPTOR
        read.slab.write(means.dtype, (4, prod(points)), (slice(None), places), means)
        return
    order = np.zeros(prod(points), np.int64)
    order[places] = np.arange(len(places))
    order = order.reshape(points)
    for start, count in boxes:
        window = tuple(slice(s, s + n) for s, n in zip(start, count))
        read.put((start, count), means[:, order[window]])


def release(client: Client, futures: list[Future]) -> None:
    """Lets go of what a request asked for; what still runs or waits is cancelled."""
    running = [future for future in futures if not future.done()]
    if running and client.status == "running":
        client.loop.add_callback(functools.partial(client.cancel, running, asynchronous=True, force=True))
    for future in futures:
        future.release()
