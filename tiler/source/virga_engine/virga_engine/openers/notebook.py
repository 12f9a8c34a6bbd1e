# SPDX-License-Identifier: Apache-2.0
"""notebook:NAME: what the process that this engine runs in shows."""

from __future__ import annotations

from ..datasets import Dataset
from ..failure import Failure, Status
from . import Context


def open(place: str, context: Context) -> Dataset:  # noqa: A001
    """place: the name under which it is shown."""
    dataset = context.objects.get(place)
    if not isinstance(dataset, Dataset):
        raise Failure(Status.CHANGED, "the notebook shows nothing under this name any more")
    return dataset


def edition(place: str, context: Context) -> bytes:
    return open(place, context).token
