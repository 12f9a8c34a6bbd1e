# SPDX-License-Identifier: Apache-2.0
"""published:NAME: a dataset that somebody published on the cluster's scheduler (Client.publish_dataset)."""

from __future__ import annotations

from typing import Any

from ..datasets import Dataset
from ..failure import Failure, Status
from . import Context
from .objects import of_object, token_of


def open(place: str, context: Context) -> Dataset:  # noqa: A001
    """place: the name, as a scheduler knows it; it is looked up and nothing else. The scheduler is trusted: what it
    sends is unpickled."""
    with context.cluster.using() as client, client.as_current():
        return of_object(_get(client, place), scheduler=context.cluster.client)


def edition(place: str, context: Context) -> bytes:
    with context.cluster.using() as client, client.as_current():
        return token_of(_get(client, place))


def _get(client: Any, name: str) -> Any:
    try:
        return client.get_dataset(name)
    except KeyError:
        raise Failure(Status.NOT_FOUND, "nothing is published on the scheduler under this name") from None
