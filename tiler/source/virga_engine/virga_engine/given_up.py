# SPDX-License-Identifier: Apache-2.0
"""Threads that are still at what was given up and answered: how many there are, and what may be asked meanwhile."""

from __future__ import annotations

import time
from collections import Counter
from threading import Condition

from .failure import Failure, Status
from .request import Cancel

WAIT_SECONDS = 0.25


class GivenUp:
    """Any thread. A library's read cannot be ended from outside: where a store hangs, its thread does until the library
    has had enough. So that one store does not take all threads, of an address only a few may be there; more reads of it
    wait for them, and are refused where that lasts."""

    def __init__(self, most: int, most_of_one: int, patience: float) -> None:
        """most: threads in all; most_of_one: of one address when another read of it begins; patience: seconds that such
        a read waits."""
        self._most, self._most_of_one, self._patience = most, most_of_one, patience
        self._changed = Condition()
        self._threads: Counter[str] = Counter()  # guarded by _changed, by address
        self._crowded: dict[str, float] = {}     # since when an address has too many; guarded by _changed

    def add(self, address: str) -> bool:
        """One more; False, and not counted, where there are too many of all."""
        with self._changed:
            if self._threads.total() >= self._most:
                return False
            self._threads[address] += 1
            if self._threads[address] >= self._most_of_one:
                self._crowded.setdefault(address, time.monotonic())
            return True

    def remove(self, address: str) -> None:
        """One of them came back."""
        with self._changed:
            self._threads[address] -= 1
            if self._threads[address] < self._most_of_one:
                self._crowded.pop(address, None)
            if not self._threads[address]:
                del self._threads[address]
            self._changed.notify_all()

    def admit(self, address: str, cancelled: Cancel) -> None:
        """Before a read of this address. Raises Cancelled soon after that is set, and Failure where it seems not to
        answer."""
        with self._changed:
            while (since := self._crowded.get(address)) is not None:
                cancelled.check()
                left = since + self._patience - time.monotonic()
                if left <= 0:
                    raise Failure(Status.SYSTEM, f"its store does not answer: {self._threads[address]} reads of it that "
                                                 "were given up still wait for it; see whether it can be reached, and "
                                                 "ask again when it can")
                self._changed.wait(min(left, WAIT_SECONDS))
