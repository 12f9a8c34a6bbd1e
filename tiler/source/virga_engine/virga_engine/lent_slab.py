# SPDX-License-Identifier: Apache-2.0
"""The server's memory, lent for one READ: once it is taken back nobody writes to it, whatever thread still runs."""

from __future__ import annotations

import mmap
import os
from math import prod
from threading import Lock
from typing import Any

import numpy as np

from .failure import Cancelled, Failure, Status


class LentSlab:
    """Any thread. As a context: taken back at its end."""

    def __init__(self, memory: mmap.mmap | bytearray) -> None:
        """memory: bytes of exactly the answer's size."""
        self._memory = memory
        self._lock = Lock()
        self._taken_back = False  # guarded by _lock, as _writing
        self._writing = 0

    def write(self, dtype: np.dtype, shape: tuple[int, ...], window: tuple, numbers: Any) -> None:
        """Copies numbers into a window of the slab, seen as an array of this type and shape.

        Raises Cancelled where it was taken back, before or meanwhile.
        """
        with self._lock:
            if self._taken_back:
                raise Cancelled
            self._writing += 1
        try:
            np.frombuffer(self._memory, dtype, prod(shape)).reshape(shape)[window] = numbers
        finally:
            with self._lock:
                self._writing -= 1
                over = self._taken_back
        if over:
            raise Cancelled

    def take_back(self) -> bool:
        """From now on no write begins. Returns at once: False where one is still going on, which then raises Cancelled;
        after True the memory is the server's."""
        with self._lock:
            self._taken_back = True
            if not self._writing:
                self._unmap()
            return not self._writing

    def __enter__(self) -> LentSlab:
        return self

    def __exit__(self, *_: object) -> None:
        self.take_back()

    def _unmap(self) -> None:
        if isinstance(self._memory, mmap.mmap):
            try:
                self._memory.close()
            except BufferError:
                pass  # an exception's frames still look at it: it goes with those


def map_slab(descriptor: int, size: int) -> LentSlab:
    """The memory behind a descriptor, which stays the caller's; it may be larger than what is asked for. Raises
    Failure."""
    if os.fstat(descriptor).st_size < size or not size:
        raise Failure(Status.INVALID, "the slab is smaller than was said")
    return LentSlab(mmap.mmap(descriptor, size))
