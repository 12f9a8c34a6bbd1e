# SPDX-License-Identifier: Apache-2.0
"""A client of a scheduler that runs somewhere, for the kinds of cluster that have one."""

from __future__ import annotations

import logging
from functools import cache
from typing import TYPE_CHECKING, Any

from ..failure import Failure, Status

if TYPE_CHECKING:
    from distributed import Client
    from distributed.security import Security

CONNECT_SECONDS = 3.0
_CLOSE_SECONDS = 2.0

_log = logging.getLogger("virga_engine.cluster")


@cache
def _client_class() -> type[Client]:
    """Imported when first needed: it takes a second."""
    from distributed import Client

    class OwnClient(Client):
        """One that leaves nothing behind where it cannot be made, and that only disconnect() ends.

        distributed's own ends itself when it is collected. That may happen in any thread at any moment, also within the start of another
        client, which holds the very lock that the end waits for: no client could be made any more.
        """

        def __init__(self, *args: Any, **options: Any) -> None:
            try:
                super().__init__(*args, **options)
            except BaseException:
                disconnect(self)
                raise

        def __del__(self) -> None:
            pass

    return OwnClient


def client_of(scheduler: Any, **options: Any) -> Client:
    """A client of an address or a cluster, which is nobody's default. Raises what distributed raises."""
    return _client_class()(scheduler, set_as_default=False, name="virga", **options)


def connect(address: str, security: Security | None = None) -> Client:
    """security: None for what dask's configuration says. Raises Failure."""
    try:
        return client_of(address, security=security, timeout=CONNECT_SECONDS)
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
    try:
        client._loop_runner.stop()  # close() leaves its thread where connecting had failed
    except Exception as error:  # as above
        _log.debug("ending a client's thread: %r", error)


def dashboard(client: Client) -> str | None:
    """The link to the scheduler's dashboard, or None where it has none."""
    try:
        return client.dashboard_link
    except KeyError:
        return None
