# SPDX-License-Identifier: Apache-2.0
"""What one READ asks for, and how it is given up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from threading import Event, Lock

from .failure import Cancelled


class Reduction(IntEnum):
    NONE = 0
    STRIDE = 1
    MEAN = 2


@dataclass(frozen=True)
class ReadRequest:
    """A checked READ: the box lies within the variable and the slab has the answer's size.

    start, count, block  for each dimension, slowest first, in stored points; block is 1 without reduction; the last may be partial,
                         and the first of a mean: start is below 0 then, by less than a block, and points before the first are absent
    missing              at most 4 numbers that stand for absent (compared as float64); NaN always does; of a mean only
    scale, offset        of a mean: value = stored * scale + offset
    token                16 bytes that the slab receiver knows this request by; zeros where slabs go by the descriptor
    """

    reduction: Reduction
    start: tuple[int, ...]
    count: tuple[int, ...]
    block: tuple[int, ...]
    missing: tuple[float, ...] = ()
    scale: float = 1.0
    offset: float = 0.0
    token: bytes = bytes(16)

    @property
    def slices(self) -> tuple[slice, ...]:
        """The box in stored points, as far as there are any."""
        return tuple(slice(max(0, a), a + n) for a, n in zip(self.start, self.count))

    @property
    def leads(self) -> tuple[int, ...]:
        """Points that are lacking from the first block along each dimension."""
        return tuple(max(0, -a) for a in self.start)

    @property
    def points(self) -> tuple[int, ...]:
        """Points of the answer along each dimension."""
        return tuple(-(-n // b) for n, b in zip(self.count, self.block))

    @property
    def arrays(self) -> int:
        """Arrays in the answer: 4 of a mean (mean, least, most, count; float64), else 1 of the stored type."""
        return 4 if self.reduction == Reduction.MEAN else 1


class Cancel:
    """Whether the server has given a request up. Any thread."""

    def __init__(self) -> None:
        self._event = Event()
        self._lock = Lock()
        self._callbacks: list[Callable[[], None]] = []

    def set(self) -> None:
        """Gives it up; runs what on_cancel was told, on this thread, once."""
        with self._lock:
            self._event.set()
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    def is_set(self) -> bool:
        return self._event.is_set()

    def check(self) -> None:
        """Raises Cancelled once it is given up."""
        if self._event.is_set():
            raise Cancelled

    def wait(self, seconds: float) -> bool:
        """Whether it was given up within this time."""
        return self._event.wait(seconds)

    def on_cancel(self, callback: Callable[[], None]) -> None:
        """Has callback called when it is given up: at once where it is already. The callback must be short and not raise."""
        with self._lock:
            if not self._event.is_set():
                self._callbacks.append(callback)
                return
        callback()
