# SPDX-License-Identifier: Apache-2.0
"""What a cluster is doing, asked of its scheduler: about a kilobyte a worker."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..failure import Failure, Status

if TYPE_CHECKING:
    from distributed import Client

ANSWER_SECONDS = 5.0  # a scheduler that takes longer is looked at again
_MIB = 1 << 20
_UNFINISHED = {"constrained", "executing", "fetch", "flight", "long-running", "ready", "waiting"}  # states of a task on a worker


@dataclass(frozen=True)
class Usage:
    """memory and memory_limit in bytes, the sum over workers; tasks: running or waiting, this engine's or anybody's."""

    workers: int = 0
    threads: int = 0
    memory: int = 0
    memory_limit: int = 0
    tasks: int = 0


def ask(client: Client) -> Usage:
    """Waits ANSWER_SECONDS at most. Raises OSError where the scheduler does not answer.

    By the scheduler's own words and no function of ours, which each scheduler would write a line into its log for.
    """
    known = client.sync(client.scheduler.identity, n_workers=-1, callback_timeout=ANSWER_SECONDS)
    workers = list(known["workers"].values())
    metrics = [worker.get("metrics") or {} for worker in workers]
    theirs = sum(count for m in metrics for state, count in m.get("task_counts", {}).items() if state in _UNFINISHED)
    ours = sum(future.status == "pending" for future in list(client.futures.values()))
    return Usage(len(workers), sum(w["nthreads"] for w in workers), sum(int(m.get("memory", 0)) for m in metrics) // _MIB * _MIB,
                 sum(int(w["memory_limit"] or 0) for w in workers), max(ours, theirs))


def require_same_python(client: Client) -> None:
    """Functions travel as byte code, which another Python takes wrongly: a scheduler of another version is refused."""
    theirs = str(client.sync(client.scheduler.versions, callback_timeout=ANSWER_SECONDS)["host"]["python"])
    ours = "%d.%d" % sys.version_info[:2]
    if theirs.split(".")[:2] != ours.split("."):
        raise Failure(Status.UNSUPPORTED, f"the cluster runs Python {theirs} and the engine {ours}: "
                                          "install the engine with the cluster's Python, or set engine-python to one")
