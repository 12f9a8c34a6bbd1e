# SPDX-License-Identifier: Apache-2.0
"""A cluster that starts when it is needed, rests when it is not, and comes back when it was lost."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Condition, Event, Thread
from typing import TYPE_CHECKING, Any

from ..failure import Failure, Status
from ..request import Cancel
from .backend import Backend
from .usage import Usage, ask, require_same_python

if TYPE_CHECKING:
    from distributed import Client

_log = logging.getLogger("virga_engine.cluster")

_START_PATIENCE = 120.0  # seconds a request waits for a cluster that starts (a gateway may have to find a machine)
_LOST_PATIENCE = 10.0  # and for a scheduler that was lost
_CLOSE_PATIENCE = 10.0
_STATE_SECONDS = 0.25  # on_state is called this often at most
_FIRST_BACKOFF, _LAST_BACKOFF = 0.25, 5.0  # between attempts to find a lost scheduler
_REPLACE_SECONDS = 15.0  # that workers may be missing before they are asked for again
_FAILED_BACKOFF = 5.0  # after a start that failed, requests have its answer for so long


class ManagedCluster:
    """Any thread. One thread of its own, from the first need on, does all that takes time."""

    def __init__(self, backend: Backend, idle: float, on_state: Callable[[], None]) -> None:
        """idle: seconds without a request until it rests. on_state: as in cluster.open_cluster."""
        self.kind = backend.kind
        self._backend = backend
        self._idle = idle
        self._on_state = on_state
        self._thread: Thread | None = None
        self._given_up = Event()
        self._told: tuple[dict[str, Any] | None, float] = (None, 0.0)  # managing thread only
        self._changed = Condition()
        # Guarded by _changed:
        self._news = False  # something for the managing thread to do at once
        self._wanted = False
        self._closing = False
        self._users = 0
        self._touched = 0.0
        self._client: Client | None = None
        self._phase = "stopped"
        self._resting = False
        self._failure: Failure | None = None
        self._attempts = 0  # to connect, that failed; since the last that did not
        self._next_attempt = 0.0
        self._began = 0.0  # when the start began whose seconds are measured
        self._started_seconds: float | None = None
        self._complete = 0.0  # when it last had the workers that it should have, or was told to get them
        self._usage = Usage()
        self._dashboard: str | None = None

    # ---- what others call

    def client(self, cancelled: Cancel | None = None) -> Client:
        """As cluster.Cluster; raises Cancelled soon after `cancelled` is set."""
        if cancelled is not None:
            cancelled.on_cancel(self._notify)
        with self._changed:
            self._want()
            asked = time.monotonic()
            while self._client is None:
                if cancelled is not None:
                    cancelled.check()
                self._raise_if_hopeless(asked)
                self._changed.wait(0.5)
            return self._client

    @contextmanager
    def using(self, cancelled: Cancel | None = None) -> Iterator[Client]:
        """As cluster.Cluster."""
        with self._changed:
            self._users += 1
        try:
            yield self.client(cancelled)
        finally:
            with self._changed:
                self._users -= 1
                self._touched = time.monotonic()

    def start(self) -> None:
        with self._changed:
            self._next_attempt = 0.0
            self._want()

    def stop(self) -> None:
        with self._changed:
            self._wanted = False
            self._given_up.set()
            self._wake()

    def touch(self) -> None:
        with self._changed:
            self._touched = time.monotonic()

    def state(self) -> dict[str, Any]:
        with self._changed:
            usage, failure = self._usage, self._failure
            return {"cluster": self.kind, "state": self._phase, "workers": usage.workers, "wanted": list(self._backend.wanted),
                    "threads": usage.threads, "memory": usage.memory, "memory_limit": usage.memory_limit, "tasks": usage.tasks,
                    "dashboard": self._dashboard, "message": failure.message if failure else None,
                    "started_seconds": self._started_seconds}

    def close(self) -> None:
        with self._changed:
            self._closing = True
            self._given_up.set()
            thread = self._thread
            self._wake()
        if thread is not None:
            thread.join(_CLOSE_PATIENCE)

    # ---- with _changed held

    def _want(self) -> None:
        self._touched = time.monotonic()
        if self._closing:
            return
        idle = not self._wanted or self._resting
        if not self._wanted and time.monotonic() >= self._next_attempt:
            self._wanted = True
            self._given_up.clear()
        if self._thread is None:
            self._thread = Thread(target=self._manage, name="cluster", daemon=True)
            self._thread.start()
        if idle:
            self._wake()

    def _wake(self) -> None:
        self._news = True
        self._changed.notify_all()

    def _raise_if_hopeless(self, asked: float) -> None:
        """Raises for a request that waits for a client since `asked`, where it need not wait longer."""
        if self._closing or (not self._wanted and self._failure is None):
            raise Failure(Status.GONE, "the cluster was stopped; ask again to start it")
        waited = time.monotonic() - asked
        if not self._wanted or (self._failure and self._phase == "lost" and waited > _LOST_PATIENCE):
            raise Failure(self._failure.status, self._failure.message)
        if waited > _START_PATIENCE:
            raise Failure(Status.TIMED_OUT, f"the cluster has not started within {_START_PATIENCE:.0f} s; its state says how far it is")

    # ---- the managing thread

    def _notify(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _manage(self) -> None:
        while not self._closing:
            try:
                self._step()
            except Exception:  # a library's surprise must not end the thread that everything waits for
                _log.exception("the cluster is looked at again")
                self._lose(Failure(Status.INTERNAL, "the cluster could not be looked after; it is tried again"))
                with self._changed:
                    self._next_attempt = time.monotonic() + _LAST_BACKOFF
            self._tell()
            with self._changed:
                self._changed.wait_for(lambda: self._news or self._closing, self._pause())
                self._news = False
        self._leave()

    def _step(self) -> None:
        if self._client is not None:
            if self._wanted:
                self._look()
            else:
                self._leave()
        elif self._wanted and time.monotonic() >= self._next_attempt:
            self._connect()
        elif not self._wanted and self._phase not in ("stopped", "failed"):
            self._leave()

    def _pause(self) -> float:
        """Seconds until the next step; with _changed held."""
        told, when = self._told
        if told != self.state():
            return max(0.01, when + _STATE_SECONDS - time.monotonic())
        if self._client is None:
            return max(0.05, self._next_attempt - time.monotonic()) if self._wanted else 3600.0
        if self._phase == "starting":
            return 0.1
        wait = max(2.0 if self._resting else 0.5 if self._usage.tasks else 1.0, self._usage.workers / 100)
        if not self._backend.own or self._resting or self._users:
            return wait
        return min(wait, max(0.05, self._touched + self._idle - time.monotonic()))

    def _tell(self, soon: bool = False) -> None:
        """soon: something that takes long follows, so this is not to wait for its time."""
        state, now = self.state(), time.monotonic()
        told, when = self._told
        if state != told and (soon or now - when >= _STATE_SECONDS):
            self._told = (state, now)
            self._on_state()

    def _connect(self) -> None:
        with self._changed:
            if self._phase != "lost":
                self._phase, self._failure = "starting", None
            self._began = time.monotonic()
            self._started_seconds = None
        self._tell(soon=True)
        try:
            client = self._backend.connect(self._given_up)
            if self.kind != "local":
                require_same_python(client)
            self._backend.scale(busy=True)
            dashboard = self._backend.dashboard()
        except Failure as failure:
            self._could_not_connect(failure)
            return
        except OSError as error:
            self._could_not_connect(Failure(Status.GONE, f"the scheduler does not answer ({error or 'no answer in time'}); it is tried again"))
            return
        with self._changed:
            self._client, self._dashboard = client, dashboard
            self._phase, self._failure, self._attempts, self._next_attempt, self._resting = "starting", None, 0, 0.0, False
            self._touched = self._complete = time.monotonic()
            self._changed.notify_all()
        self._look()

    def _could_not_connect(self, failure: Failure) -> None:
        """A shared scheduler is tried again until it is there; a start that failed is tried again when somebody asks."""
        self._backend.drop()
        if self._given_up.is_set():
            return
        own = self._backend.own
        if not own:
            _log.info("%s", failure.message)
        else:
            _log.warning("%s", failure.message)
            self._backend.close()
        with self._changed:
            self._failure = failure
            self._attempts += 1
            self._phase = "failed" if own else "lost"
            self._wanted = not own
            wait = _FAILED_BACKOFF if own else min(_LAST_BACKOFF, _FIRST_BACKOFF * 2 ** min(self._attempts, 8))
            self._next_attempt = time.monotonic() + wait
            self._changed.notify_all()

    def _look(self) -> None:
        """Sees how a connected cluster is, and whether it may rest or must wake."""
        try:
            if self._client.status != "running":
                raise OSError("the connection was closed")
            usage = ask(self._client)
        except (OSError, TimeoutError) as error:
            self._lose(Failure(Status.GONE, f"the scheduler was lost ({error or 'no answer in time'}); it is looked for again"))
            return
        now = time.monotonic()
        with self._changed:
            if self._phase == "starting" and now - self._began < _START_PATIENCE:
                self._touched = now  # whoever asked for workers is to see them
            busy = self._users > 0 or now - self._touched < self._idle
            turn = self._backend.own and busy == self._resting
            self._usage = usage
            if self._resting or usage.workers >= self._backend.busy:
                self._complete = now
        if turn or now - self._complete > _REPLACE_SECONDS:
            self._turn(busy)
        with self._changed:
            self._set_phase(time.monotonic())

    def _turn(self, busy: bool) -> None:
        """To rest or to wake; where that fails it is tried again at the next look."""
        try:
            self._backend.scale(busy)
        except (Failure, OSError) as error:
            _log.warning("the cluster could not be scaled: %s", error)
            return
        with self._changed:
            if busy and self._resting and not self._usage.workers:
                self._began, self._started_seconds = time.monotonic(), None
            self._resting = not busy
            self._complete = time.monotonic()

    def _set_phase(self, now: float) -> None:
        """From what was seen; with _changed held."""
        if self._usage.workers:
            if self._started_seconds is None and not self._resting:
                self._started_seconds = round(now - self._began, 2)
            self._phase = "running"
        elif self._resting or not self._backend.own:
            self._phase = "idle"
        else:
            self._phase = "starting"

    def _lose(self, failure: Failure) -> None:
        """The scheduler is gone: it is looked for again, unless nobody would miss it."""
        _log.warning("%s", failure.message)
        with self._changed:
            missed = not self._backend.own or self._users > 0 or time.monotonic() - self._touched < self._idle
            self._client, self._usage, self._dashboard, self._resting = None, Usage(), None, False
            self._phase, self._failure = "lost", failure
            self._wanted = self._wanted and missed
            self._next_attempt = 0.0
        self._backend.drop()

    def _leave(self) -> None:
        with self._changed:
            self._client, self._usage, self._dashboard, self._resting = None, Usage(), None, False
            self._phase, self._failure, self._started_seconds = "stopped", None, None
            self._changed.notify_all()
        self._backend.close()
