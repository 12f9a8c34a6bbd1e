# SPDX-License-Identifier: Apache-2.0
"""Frames of an export as tasks of a cluster: PYTHON -m virga_engine.export PARENT [options as an engine's]; the socket is descriptor 3.

It is told a job (server/sequence_cluster.h) and answers with frames in whatever order they are finished. Frames of a worker that ended are done
again by another; those of a scheduler that was lost are asked for again when it is back. When the socket closes, all that was begun is given up.
"""

from __future__ import annotations

import json
import logging
import os
import select
import socket
import struct
import sys
from collections import deque
from threading import Thread
from uuid import uuid4

from . import frame_on_worker
from .cluster import Cluster, open_cluster, wait_for_another
from .cluster_failure import SchedulerLost, explain
from .failure import Failure, Status
from .protocol import failure_of
from .request import Cancel
from .start import SOCKET, end_with, log_to_stderr, options_of

FAILURE, DONE = 2**32 - 2, 2**32 - 3
MOST_JOB_BYTES = 64 << 20
LOST_TIMES = 5  # a scheduler may be lost so often
RETRIES = 2  # of a frame whose virga was killed
log = logging.getLogger("virga_engine")


class _Connection:
    """The server's end of it is sequence_cluster.c."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end

    def job(self) -> dict:
        (size,) = struct.unpack("<I", self._exactly(4))
        if size > MOST_JOB_BYTES:
            raise Failure(Status.TOO_LARGE, "the job is too long")
        return json.loads(self._exactly(size))

    def _exactly(self, size: int) -> bytes:
        found = bytearray()
        while len(found) < size:
            part = self._end.recv(min(1 << 20, size - len(found)))
            if not part:
                raise EOFError
            found += part
        return bytes(found)

    def item(self, number: int, flags: int = 0, body: bytes = b"") -> None:
        self._end.sendall(struct.pack("<IIQ", number, flags, len(body)) + body)

    def wait_for_the_end(self) -> None:
        """Returns when the other side has closed it."""
        poll = select.poll()
        poll.register(self._end, select.POLLIN | select.POLLHUP)
        poll.poll()


class Frames:
    """Has the frames of a job drawn. One thread."""

    def __init__(self, job: dict, connection: _Connection, cluster: Cluster, cancelled: Cancel) -> None:
        self._id = uuid4().hex
        self._job = json.dumps({**{key: value for key, value in job.items() if key != "frames"}, "id": self._id})
        self._left = deque(job["frames"])
        self._connection, self._cluster, self._cancelled = connection, cluster, cancelled

    def draw(self) -> None:
        """Raises Failure; what was drawn until then has been sent."""
        used: list = []
        for lost in range(LOST_TIMES):
            try:
                with self._cluster.using(self._cancelled) as client:
                    used.append(client)
                    self._draw_with(client, lost)
                return
            except SchedulerLost as failure:
                if lost + 1 == LOST_TIMES:
                    raise
                log.warning("%s: the frames that were on their way are drawn again", failure.message)
                wait_for_another(self._cluster, used, self._cancelled)

    def _draw_with(self, client, lost: int) -> None:
        """A few more frames are asked for than there are threads, so that none waits for this process and none fills memory."""
        from distributed import as_completed
        asked: dict = {}
        finished = as_completed(loop=client.loop)
        self._cancelled.on_cancel(lambda: _cancel(client, asked))
        try:
            while self._left or asked:
                self._cancelled.check()
                while self._left and len(asked) < self._most():
                    index = self._left.popleft()
                    future = client.submit(frame_on_worker.draw_frame, self._job, index, pure=False, retries=RETRIES, key=f"virga-frame-{self._id}-{index}-{lost}")
                    asked[future] = index
                    finished.add(future)
                future = next(finished)
                self._take(future, client, asked[future])
                del asked[future]
                future.release()
        finally:
            self._left.extendleft(sorted(asked.values(), reverse=True))
            for future in asked:
                future.release()
            self._end_makers(client)

    def _most(self) -> int:
        return max(2, 2 * self._cluster.state()["threads"])

    def _take(self, future, client, index: int) -> None:
        try:
            kind, flags, body = future.result()
        except Exception as error:
            self._cancelled.check()
            raise explain(error, client) from error
        if kind == "refused":
            raise Failure(Status.UNSUPPORTED, body)
        self._connection.item(index, flags, body)

    def _end_makers(self, client) -> None:
        try:
            client.run(frame_on_worker.end_makers, self._id, on_error="ignore")
        except Exception as error:  # a worker or the scheduler is gone, and what it had with it
            log.debug("ending what is left on workers: %r", error)


def _cancel(client, asked: dict) -> None:
    """So that nobody waits for them any more; what a scheduler that is gone says to it does not matter."""
    try:
        client.cancel(tuple(asked), force=True)
    except Exception as error:
        log.debug("giving frames up: %r", error)


def _end_with(connection: _Connection, cancelled: Cancel) -> None:
    connection.wait_for_the_end()
    cancelled.set()


def main() -> int:
    import cloudpickle
    options = options_of(None)
    end_with(options.parent)
    log_to_stderr()
    cloudpickle.register_pickle_by_value(frame_on_worker)
    connection, cancelled = _Connection(socket.socket(fileno=SOCKET)), Cancel()
    cluster = None
    try:
        job = connection.job()
        Thread(target=_end_with, args=(connection, cancelled), daemon=True).start()
        cluster = open_cluster(options.cluster, options.workers, options.idle, lambda: None)
        Frames(job, connection, cluster, cancelled).draw()
        connection.item(DONE)
        return 0
    except Failure as failure:
        if not cancelled.is_set():
            connection.item(FAILURE, 0, failure.message.encode())
        return 1
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return 0
    except Exception as error:  # noqa: BLE001 - a library may raise anything; the export gets one sentence
        log.debug("the export failed", exc_info=error)
        connection.item(FAILURE, 0, failure_of(error).message.encode())
        return 1
    finally:
        if cluster is not None:
            cluster.close()


if __name__ == "__main__":
    status = main()
    sys.stderr.flush()
    os._exit(status)
