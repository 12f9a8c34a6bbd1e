# SPDX-License-Identifier: Apache-2.0
"""Answers the server: several OPENs and READs at once, each on a thread; CANCEL; STATE."""

from __future__ import annotations

import logging
import os
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import prod
from threading import Condition, Event, Lock, Thread

from . import inventory
from .arrays import StoredArray
from .channel import Channel, Closed, close_all
from .cluster import Cluster
from .datasets import Dataset
from .failure import Cancelled, Failure, Status
from .given_up import WAIT_SECONDS, GivenUp
from .lent_slab import LentSlab, map_slab
from .openers import Context, edition, open_address, recheck_seconds
from .protocol import (Header, Kind, OpenMessage, ProtocolError, ReadMessage, SlabAnswer, decode_cancel, decode_cluster,
                       decode_open, decode_read,
                       encode_failure, encode_hello, encode_inventory, encode_slab, encode_state, failure_of)
from .reader import ReadCount, Reader, answer_layout
from .request import Cancel, ReadRequest
from .stored_types import type_of

MAX_REQUESTS = 64
MAX_DATASETS = 64
UNUSED_SECONDS = 600.0    # until a dataset that nobody uses is closed
GIVEN_UP_OF_ONE = 8       # threads that hang in reads of one address, before more reads of it wait
HANGING_SECONDS = 20.0    # and so long they do, before they are refused
STATE_SECONDS = 0.25
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Service:
    """What serve() works with. readers: which Reader reads this variable. threads: that answer; as many
    again may still be at what was given up. most_bytes: of a slab."""

    context: Context
    cluster: Cluster
    readers: Callable[[StoredArray], Reader]
    threads: int
    most_bytes: int


def serve(channel: Channel, service: Service, states: StateSender, hello: str) -> None:
    """Says HELLO and answers until the server closes the socket; then gives every request up and returns.

    Requests may still run on daemon-like threads when it returns: what they say goes nowhere. Raises ProtocolError.
    """
    _Loop(channel, service).run(states, hello)


class _Loop:
    def __init__(self, channel: Channel, service: Service) -> None:
        self._channel, self._service = channel, service
        self._opened = _Opened(service.context)
        self._given_up = GivenUp(service.threads, GIVEN_UP_OF_ONE, HANGING_SECONDS)
        self._lock = Lock()
        self._running: dict[int, Cancel] = {}   # guarded by _lock
        self._hanging: dict[Cancel, str] = {}   # the address of what is answered and still has a thread; guarded by _lock

    def run(self, states: StateSender, hello: str) -> None:
        self._channel.send(encode_hello(hello))
        states.start(self._channel)
        self._opened.start()
        pool = ThreadPoolExecutor(2 * self._service.threads, thread_name_prefix="request")
        try:
            while True:
                self._take(pool, *self._channel.receive())
        except Closed:
            log.debug("the server has closed the connection")
        finally:
            states.stop()
            self._opened.stop()
            with self._lock:
                running = list(self._running.values())
            for cancelled in running:
                cancelled.set()
            pool.shutdown(wait=False, cancel_futures=True)

    def _take(self, pool: ThreadPoolExecutor, header: Header, body: bytes, descriptors: list[int]) -> None:
        wanted = 1 if header.kind == Kind.READ else 0
        if len(descriptors) != wanted:
            close_all(descriptors)
            raise ProtocolError(f"{len(descriptors)} descriptors with a {header.kind.name}")
        if header.kind == Kind.CANCEL:
            decode_cancel(body)
            self._cancel(header.request)
        elif header.kind == Kind.CLUSTER:
            self._service.cluster.start() if decode_cluster(body) else self._service.cluster.stop()
        elif header.kind == Kind.OPEN:
            self._begin(pool, header.request, self._open, decode_open(body))
        elif header.kind == Kind.READ:
            try:
                message = decode_read(body)
                self._begin(pool, header.request, self._read, message, descriptors[0])
            except ProtocolError:
                close_all(descriptors)
                raise
        else:
            raise ProtocolError(f"a {header.kind.name} from the server")

    def _answer_when_given_up(self, request: int, cancelled: Cancel, address: str,
                               slab: LentSlab | None = None) -> None:
        """It is answered as soon as it is given up, however long a library goes on with it, and holds nothing of the
        server's then.

        But where a slab is just written to, or too many threads hang already, its thread answers when it is back; the
        server has an end of its patience, and then of this process.
        """
        def give_up() -> None:
            if slab is not None and not slab.take_back():
                return
            with self._lock:
                if self._running.get(request) is not cancelled or not self._given_up.add(address):
                    return
                del self._running[request]
                self._hanging[cancelled] = address
            self._send(request, encode_failure(request, Cancelled()))
        cancelled.on_cancel(give_up)

    def _cancel(self, request: int) -> None:
        with self._lock:
            cancelled = self._running.get(request)
        if cancelled:  # else its answer is on its way
            cancelled.set()

    def _begin(self, pool: ThreadPoolExecutor, request: int, answer: Callable[..., bytes], *arguments: object) -> None:
        cancelled = Cancel()
        with self._lock:
            if len(self._running) >= MAX_REQUESTS or request in self._running:
                raise ProtocolError("too many requests at once, or one number twice")
            self._running[request] = cancelled
        pool.submit(self._answer, request, cancelled, answer, *arguments)

    def _answer(self, request: int, cancelled: Cancel, answer: Callable[..., bytes], *arguments: object) -> None:
        """On a thread of the pool: exactly one answer, whatever happens."""
        try:
            frame = answer(request, cancelled, *arguments)
        except BaseException as error:  # noqa: BLE001 - libraries and tasks may raise anything; the server gets one sentence
            failure = failure_of(error)
            if failure is not error:
                log.debug("request %d failed", request, exc_info=error)
            frame = encode_failure(request, failure)
        self._finish(request, cancelled, frame)

    def _finish(self, request: int, cancelled: Cancel, frame: bytes) -> None:
        """Sends a request's answer, unless it has one."""
        with self._lock:
            if (address := self._hanging.pop(cancelled, None)) is not None:
                self._given_up.remove(address)
                return
            del self._running[request]
        self._send(request, frame)

    def _send(self, request: int, frame: bytes) -> None:
        try:
            self._channel.send(frame)
        except Closed:
            log.debug("nobody waits for request %d any more", request)

    def _open(self, request: int, cancelled: Cancel, message: OpenMessage) -> bytes:
        self._answer_when_given_up(request, cancelled, message.address)
        cancelled.check()
        body = self._opened.look(message.address, cancelled).body
        if len(body) > message.max_inventory_bytes:
            raise Failure(Status.TOO_LARGE, "its list of contents is too long")
        return encode_inventory(request, body)

    def _read(self, request: int, cancelled: Cancel, message: ReadMessage, descriptor: int) -> bytes:
        try:
            cancelled.check()
            slab = map_slab(descriptor, message.slab_bytes)
        finally:
            os.close(descriptor)
        with slab:
            self._given_up.admit(message.address, cancelled)
            self._answer_when_given_up(request, cancelled, message.address, slab)
            dataset = self._opened.get(message.address, message.identity.size, cancelled)
            array, asked = inventory.check_read(message, dataset, self._service.most_bytes)
            began = time.monotonic()
            count = self._service.readers(array).read(array, asked, slab, cancelled)
        self._service.cluster.touch()
        log.debug("%s %s: read %d, sent %d bytes for %d in %.1f ms", array.name, asked.slices, count.read, count.sent,
                  message.slab_bytes, 1000 * (time.monotonic() - began))
        return encode_slab(request, _slab_answer(array, asked, message.slab_bytes, count))


def _slab_answer(array: StoredArray, request: ReadRequest, size: int, count: ReadCount) -> SlabAnswer:
    dtype, _ = answer_layout(array, request)
    return SlabAnswer(type_of(dtype), prod(request.points), size, count.read, count.sent, count.delivered)


@dataclass
class _Open:
    dataset: Dataset
    body: bytes
    token: int
    looked: float  # time.monotonic() of the last look at the edition
    used: float    # and of the last use


@dataclass
class _Turn:
    lock: Lock = field(default_factory=Lock)
    callers: int = 0  # that hold it or wait for it


class _Opened:
    """Datasets that are open, by address; the one unused for longest goes first. Any thread.

    What nobody used for a while goes, too: nobody says when a dataset is closed, and a published one holds memory of
    the workers, one of a notebook its numbers.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._lock = Lock()
        self._known: OrderedDict[str, _Open] = OrderedDict()  # guarded by _lock, in the order of their use
        self._turns: dict[str, _Turn] = {}  # guarded by _lock; one thread opens an address, others wait for it
        self._over = Event()

    def start(self) -> None:
        """Has what is unused go, on a thread of its own."""
        Thread(target=self._watch, name="unused", daemon=True).start()

    def stop(self) -> None:
        self._over.set()

    def _watch(self) -> None:
        while not self._over.wait(UNUSED_SECONDS / 10):
            self.forget_unused(UNUSED_SECONDS)

    def forget_unused(self, seconds: float) -> None:
        with self._lock:
            before = time.monotonic() - seconds
            while self._known and next(iter(self._known.values())).used < before:
                self._known.popitem(last=False)

    def look(self, address: str, cancelled: Cancel) -> _Open:
        """Opens it, or looks whether what is open has changed."""
        with self._turn(address, cancelled):
            now = time.monotonic()
            with self._lock:
                known = self._known.get(address)
            if known and edition(address, self._context) == known.dataset.token:
                known.looked = now
                self._keep(address, known)
                return known
            dataset = open_address(address, self._context)
            body = inventory.encode(dataset)
            made = _Open(dataset, body, inventory.token(body), now, now)
            self._keep(address, made)
            return made

    def _keep(self, address: str, opened: _Open) -> None:
        with self._lock:
            opened.used = time.monotonic()
            self._known[address] = opened
            self._known.move_to_end(address)
            while len(self._known) > MAX_DATASETS:
                self._known.popitem(last=False)

    def get(self, address: str, token: int, cancelled: Cancel) -> Dataset:
        """The dataset of this inventory's token; Failure GONE where it is another one by now."""
        with self._lock:
            known = self._known.get(address)
            if known:
                known.used = time.monotonic()
                self._known.move_to_end(address)
        patience = recheck_seconds(address, self._context)
        if not known or known.token != token or time.monotonic() - known.looked > patience:
            known = self.look(address, cancelled)
        if known.token != token:
            raise Failure(Status.CHANGED, "what is at this address has changed; open it again")
        return known.dataset

    @contextmanager
    def _turn(self, address: str, cancelled: Cancel) -> Iterator[None]:
        """Raises Cancelled while it waits: of an address that never answers only one thread hangs."""
        with self._lock:
            turn = self._turns.setdefault(address, _Turn())
            turn.callers += 1
        held = False
        try:
            while not held:
                cancelled.check()
                held = turn.lock.acquire(timeout=WAIT_SECONDS)
            yield
        finally:
            if held:
                turn.lock.release()
            with self._lock:
                turn.callers -= 1
                if not turn.callers:
                    del self._turns[address]


class StateSender:
    """Sends STATE whenever it says something else, at most four times a second, on a thread of its own."""

    def __init__(self) -> None:
        self._condition = Condition()
        self._changed, self._stopped = True, False  # guarded by _condition
        self._state: Callable[[], dict] | None = None
        self._thread: Thread | None = None

    def watch(self, cluster: Cluster) -> None:
        """The cluster whose state is told; before start()."""
        self._state = cluster.state

    def changed(self) -> None:
        """Any thread: the state may be another one now."""
        with self._condition:
            self._changed = True
            self._condition.notify()

    def start(self, channel: Channel) -> None:
        self._thread = Thread(target=self._run, args=(channel,), name="state", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        with self._condition:
            self._stopped = True
            self._condition.notify()

    def _run(self, channel: Channel) -> None:
        last = None
        while self._wait():
            state = self._state() if self._state else None
            if state != last and state is not None:
                try:
                    channel.send(encode_state(state))
                except Closed:
                    return
                last = state
            with self._condition:
                self._condition.wait_for(lambda: self._stopped, STATE_SECONDS)

    def _wait(self) -> bool:
        with self._condition:
            self._condition.wait_for(lambda: self._changed or self._stopped)
            self._changed = False
            return not self._stopped
