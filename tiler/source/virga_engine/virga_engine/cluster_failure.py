# SPDX-License-Identifier: Apache-2.0
"""What went wrong on a cluster, as one sentence for a person."""

from __future__ import annotations

from concurrent.futures import CancelledError

from distributed import Client
from distributed.client import ClosedClientError, FutureCancelledError
from distributed.comm import CommClosedError
from distributed.scheduler import KilledWorker

from .failure import Failure, Status


class SchedulerLost(Failure):
    """The scheduler went away under a request; the same request may be tried once more."""


def first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


def explain(error: BaseException, client: Client) -> Failure:
    """The failure to tell, of reads and of frames; the server puts address and variable in front."""
    if isinstance(error, Failure):
        return error
    if isinstance(error, KilledWorker):
        return Failure(Status.NO_MEMORY, f"every worker that tried it ended, {_times(error)} in a row, likely for want of memory; give the "
                                         "workers more, or fewer threads each; their logs tell whether it was a crash")
    if type(error).__name__ == "NotWanted":  # a class of delivery.py that came back by value
        return Failure(Status.GONE, "the server does not wait for this slab any more; ask again")
    if isinstance(error, (FutureCancelledError, CancelledError)):
        return _lost_future(error, client)
    if isinstance(error, ClosedClientError) or _is_loss(error, client):
        return SchedulerLost(Status.GONE, "the connection to the Dask scheduler was lost while it was read; try again")
    words = first_line(error)
    if isinstance(error, OSError) and "ended by signal" in words:  # frame_on_worker.py: not the worker, but what it runs
        return Failure(Status.NO_MEMORY, f"{words}; give the workers more, or fewer threads each")
    if isinstance(error, MemoryError):
        return Failure(Status.NO_MEMORY, f"a worker has too little memory for it ({words}); give the workers more")
    if isinstance(error, FileNotFoundError):
        return Failure(Status.NOT_FOUND, f"a worker cannot find its data ({words}); workers must see the same files as "
                                         "this host")
    if isinstance(error, (ImportError, AttributeError)):
        return Failure(Status.UNSUPPORTED, f"a worker lacks a package to read it ({words}); install it on the workers")
    return Failure(Status.UNREADABLE, f"it cannot be read on the cluster ({type(error).__name__}: {words})")


def _is_loss(error: BaseException, client: Client) -> bool:
    """The client itself may not have noticed yet; then the error names the scheduler's address."""
    if not isinstance(error, (CommClosedError, TimeoutError)):
        return False
    address = getattr(client.scheduler, "address", None)
    return client.status != "running" or isinstance(error, CommClosedError) and address is not None and f"remote={address}>" in str(error)


def _times(error: KilledWorker) -> str:
    failures = getattr(error, "allowed_failures", None)
    return f"{failures + 1} times" if isinstance(failures, int) else "several times"


def _lost_future(error: BaseException, client: Client) -> Failure:
    reason = getattr(error, "reason", "") or ""
    if client.status != "running" or "scheduler" in reason or "connection" in reason:
        return SchedulerLost(Status.GONE, "the Dask scheduler went away while it was read; try again")
    if "lost" in reason:
        return Failure(Status.CHANGED, "its data is no longer on the cluster; publish it again")
    return SchedulerLost(Status.GONE, f"the cluster gave up reading it ({reason or first_line(error)}); try again")
