# SPDX-License-Identifier: Apache-2.0
"""A client of a scheduler that runs somewhere, for the kinds of cluster that have one."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ..failure import Failure, Status

if TYPE_CHECKING:
    from distributed import Client
    from distributed.security import Security

CONNECT_SECONDS = 3.0
_CLOSE_SECONDS = 2.0

_log = logging.getLogger("virga_engine.cluster")


def connect(address: str, security: Security | None = None) -> Client:
    """security: None for what dask's configuration says. Raises Failure."""
    from distributed import Client
    try:
        return Client(address, security=security, timeout=CONNECT_SECONDS, set_as_default=False, name="virga")
    except (TypeError, RuntimeError) as error:  # what distributed raises where certificates are missing or wrong
        if not address.startswith("tls://"):
            raise
        raise Failure(Status.SYSTEM, f"TLS needs distributed.comm.tls.ca-file and client.cert in dask's configuration ({error})") from error
    except OSError as error:
        raise Failure(Status.GONE, f"no scheduler answers at {address}; it is tried again") from error


def disconnect(client: Client | None) -> None:
    """Never raises, whatever has become of the scheduler."""
    if client is None:
        return
    try:
        client.close(timeout=_CLOSE_SECONDS)
    except Exception as error:  # many kinds, all of a connection that is gone anyway
        _log.debug("closing a client: %r", error)


def dashboard(client: Client) -> str | None:
    """The link to the scheduler's dashboard, or None where it has none."""
    try:
        return client.dashboard_link
    except KeyError:
        return None
