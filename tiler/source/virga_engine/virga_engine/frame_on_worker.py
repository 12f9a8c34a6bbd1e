# SPDX-License-Identifier: Apache-2.0
"""Runs on workers: one frame of an export, drawn by the virga that is installed there (server/sequence_serve.h).

Sent by value, so workers need nothing of this package; the standard library and distributed are all that it uses. A virga that has drawn a
frame is kept for the next one of the same export, with the forecast open and its bricks in memory, until it has had no work for two minutes:
whoever exports says when it is over, unless they were killed.
"""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
import tempfile
import time
from contextlib import suppress
from threading import Lock, Timer

_RECORD = 2**32 - 1
_MOST_BYTES = 1 << 30
_UNUSED_SECONDS = 150.0  # a virga without work ends by itself before
_KEPT = "_virga_frame_makers"


class Refused(Exception):
    """Trying again is of no use: the words say why."""


class Maker:
    """One virga that draws frames of one job. One thread at a time."""

    def __init__(self, program: str, job: dict) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="virga-frames-")
        view = os.path.join(self._folder.name, "view.json")
        with open(view, "w", encoding="utf-8") as file:
            file.write(job["view"])
        self._errors = open(os.path.join(self._folder.name, "errors"), "w+b")
        command = [program, "export", *job["arguments"], "--progress=none", "--log-level=warning", "--", view, *job["paths"]]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, cwd=self._folder.name)
        self._record = job["record"]
        self._agreed = False

    def ended(self) -> bool:
        return self._process.poll() is not None

    def draw(self, index: int) -> tuple[int, bytes]:
        """Flags and the file's bytes. Raises EOFError where it has ended, and Refused."""
        if not self._agreed:
            _, record = self._item(_RECORD)
            if record.decode(errors="replace") != self._record:
                raise Refused(_difference(record, self._record))
            self._agreed = True
        try:
            self._process.stdin.write(f"{index}\n".encode())
            self._process.stdin.flush()
        except OSError as error:
            raise EOFError from error
        return self._item(index)

    def _item(self, expected: int) -> tuple[int, bytes]:
        number, flags, size = struct.unpack("<IIQ", self._exactly(16))
        if number != expected or size > _MOST_BYTES:
            raise Refused("its virga says something else than what was asked; install the same version there as here")
        return flags, self._exactly(size)

    def _exactly(self, size: int) -> bytes:
        found = self._process.stdout.read(size)
        if len(found) < size:
            raise EOFError
        return found

    def end(self) -> tuple[int, str]:
        """Its exit status and its last words."""
        with suppress(OSError):  # it ended before it was told all
            self._process.stdin.close()
        try:
            status = self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait()
        self._process.stdout.close()
        self._errors.seek(0)
        lines = self._errors.read()[-4000:].decode(errors="replace").split("\n")
        self._errors.close()
        self._folder.cleanup()
        said = [line for line in lines if line.startswith("virga export: ")] or [line for line in lines if line.strip()]
        return status, said[0].removeprefix("virga export: ") if said else ""


class Kept:
    """Makers of a worker that have nothing to do, by their job; those that ended, or had no work for long, go by and by. Any thread."""

    def __init__(self, unused: float = _UNUSED_SECONDS) -> None:
        """unused: seconds."""
        self._unused = unused
        self._lock = Lock()
        self._idle: dict[str, list[tuple[Maker, float]]] = {}  # with the time of their last use
        self._over: list[str] = []  # jobs that ended, the last of them
        self._looks = False  # whether a timer will sweep

    def take(self, job: str) -> Maker | None:
        self.sweep()
        with self._lock:
            idle = self._idle.get(job)
            return idle.pop()[0] if idle else None

    def put(self, job: str, maker: Maker) -> None:
        self.sweep()
        with self._lock:
            over = job in self._over
            if not over:
                self._idle.setdefault(job, []).append((maker, time.monotonic()))
                self._look_later()
        if over:
            maker.end()

    def end(self, job: str) -> None:
        """Of this job none is kept, also when it is put later."""
        with self._lock:
            self._over = [*self._over[-99:], job]
            idle = self._idle.pop(job, [])
        for maker, _ in idle:
            maker.end()

    def sweep(self) -> None:
        """Ends those that nobody will want."""
        with self._lock:
            before = time.monotonic() - self._unused
            old = [maker for idle in self._idle.values() for maker, used in idle if used < before or maker.ended()]
            left = {job: [kept for kept in idle if kept[0] not in old] for job, idle in self._idle.items()}
            self._idle = {job: idle for job, idle in left.items() if idle}
        for maker in old:
            maker.end()

    def _look_later(self) -> None:
        """Has a timer sweep while there is something to sweep; with the lock."""
        if self._idle and not self._looks:
            self._looks = True
            timer = Timer(self._unused / 2, self._look)
            timer.daemon = True
            timer.start()

    def _look(self) -> None:
        self.sweep()
        with self._lock:
            self._looks = False
            self._look_later()


def find_program(named: str | None) -> str | None:
    """What was named, what VIRGA_PROGRAM says here, or virga on the path; None where there is none."""
    return shutil.which(named or os.environ.get("VIRGA_PROGRAM") or "virga")


def draw_frame(packed: str, index: int) -> tuple[str, int, bytes | str]:
    """The task: ("frame", flags, bytes), or ("refused", 0, why) where trying elsewhere or again is of no use.

    packed: the job as JSON. Raises OSError where virga was ended by a signal: another worker may have more room for it.
    """
    from distributed import get_worker
    worker = get_worker()
    kept = worker.__dict__.setdefault(_KEPT, Kept())
    job = json.loads(packed)
    program = find_program(job["program"])
    if program is None:
        return "refused", 0, (f"virga is not installed on the worker {worker.address} ({job['program'] or 'virga'} is not there); install it, say where it is "
                              "by VIRGA_PROGRAM there or --worker-virga here, or draw on this machine with --draw-here")
    maker = kept.take(job["id"])
    answer = _try(maker, program, index, worker.address) if maker else None
    if answer is None:  # a new one, also in the place of one that had ended for want of work
        maker = Maker(program, job)
        answer = _try(maker, program, index, worker.address, last=True)
    if answer[0] == "frame":
        kept.put(job["id"], maker)
    return answer


def _try(maker: Maker, program: str, index: int, where: str, last: bool = False) -> tuple[str, int, bytes | str] | None:
    """None where the virga had ended before it was asked, and it is not the last try."""
    try:
        flags, picture = maker.draw(index)
    except EOFError:
        status, words = maker.end()
        if not last and status == 0:
            return None
        if status < 0:
            raise OSError(f"virga was ended by signal {-status} on the worker {where}, likely for want of memory") from None
        return "refused", 0, f"on the worker {where}: {words or f'{program} ended with status {status}'}"
    except Refused as refused:
        maker.end()
        return "refused", 0, f"on the worker {where}: {refused}"
    return "frame", flags, picture


def _difference(theirs: bytes, ours: str) -> str:
    try:
        there, here = json.loads(theirs), json.loads(ours)
    except ValueError:
        there, here = {}, {}
    if there.get("program") != here.get("program"):
        return f"it has {there.get('program')}, and this is {here.get('program')}; install the same version there"
    return "it finds another forecast by the same paths than this machine ({} frames from {}, and here {} from {})".format(
        there.get("frames"), there.get("first"), here.get("frames"), here.get("first"))


def end_makers(job: str, dask_worker) -> None:
    """The export is over: what draws for it on this worker ends, at once or after the frame that it is at."""
    dask_worker.__dict__.setdefault(_KEPT, Kept()).end(job)
