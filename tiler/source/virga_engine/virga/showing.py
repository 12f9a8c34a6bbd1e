# SPDX-License-Identifier: Apache-2.0
"""show() and close(): where an object's numbers come from, and which server shows them."""

from __future__ import annotations

import atexit
import os
import secrets
import sys
from collections.abc import Callable
from threading import RLock
from typing import Any

from . import kernel_engine
from .linked_server import LinkedServer
from .page_address import page_base
from .private_server import PrivateServer, Refused, RemoteServer, Server
from .view import View

_LOCK = RLock()
_views: list[View] = []                      # guarded by _LOCK, as all below
_servers: dict[tuple, PrivateServer | LinkedServer] = {}  # that are this process's, by whose numbers they show or where
_OF_KERNEL = ("kernel",)                     # its engine is this process


def show(obj: Any, *, server: str | None = None, token: str | None = None, client: Any = None, title: str | None = None,
         width: str = "100%", height: int = 620, program: str | None = None) -> View:
    """Shows obj and returns a View, which a notebook displays as virga's page.

    obj      an xarray DataArray or Dataset, or an Iris cube or list of cubes. Units, coordinates and times are taken
             as CF says.
    client   a dask.distributed Client; None: the current one, where there is one. What is backed by Dask is published
             on its scheduler under a name that nobody can guess, so that the workers' numbers go to the server without
             passing through this process; what is in memory (and what another process cannot reach: a cluster inside
             of this process, a gateway's) this process answers for itself.
    server   address of a virga server that runs; what is published on a scheduler it reads there, so it must use the
             same one. None: VIRGA_URL, else a private one of this process's own on a free port, which ends with it.
    token    that server's publish token; None: VIRGA_TOKEN.
    title    what the page calls it. width, height: of the frame in the notebook; height in pixels.
    program  the virga program of a private server; None: VIRGA_PROGRAM, `virga` on the path, or this installation's
             build.

    Raises TypeError for other objects, RuntimeError with what to do where it cannot be shown.
    """
    dataset = kernel_engine.dataset_of(obj)  # also tells what cannot be shown before anything is started
    client = client if client is not None else _current_client()
    title = title or _name_of(obj)
    address, token = server or os.environ.get("VIRGA_URL"), token or os.environ.get("VIRGA_TOKEN")
    with _LOCK:
        try:
            if client is not None and _has_dask(obj) and _is_reachable(client):
                on = RemoteServer(address, token) if address else _server_of_cluster(client, program)
                view = _published(obj, on, client, title)
            else:
                on = _linked_to(address, token) if address else _server_of_kernel(program)
                view = _from_here(dataset, on, client, title)
        except Refused as refused:
            raise RuntimeError(f"virga cannot show it: {refused}") from None
        view.width, view.height = width, height
        _views.append(view)
        return view


def close() -> None:
    """Closes every view: nothing stays published, and private servers end. Also done when the process ends by
    itself."""
    with _LOCK:
        while _views:
            _views[-1].close()
        for server in list(_servers.values()):
            _forget(server)


atexit.register(close)


def _current_client() -> Any:
    distributed = sys.modules.get("distributed")
    if distributed is None:
        return None
    try:
        return distributed.default_client()
    except ValueError:
        return None


def _has_dask(obj: Any) -> bool:
    """Whether any of its numbers are a dask array's."""
    if isinstance(obj, (list, tuple)):
        return any(_has_dask(one) for one in obj)
    if hasattr(obj, "has_lazy_data"):
        return bool(obj.has_lazy_data())
    if hasattr(obj, "data_vars"):
        return any(variable.chunks is not None for variable in obj.variables.values())
    return bool(getattr(obj, "chunks", None))


def _is_reachable(client: Any) -> bool:
    """Whether another process can be a client of this scheduler by its address alone."""
    return str(client.scheduler.address).startswith("tcp://")


def _linked_to(address: str, token: str | None) -> Server:
    return _running(("linked", address, token), lambda: LinkedServer(address, token))


def _server_of_kernel(program: str | None) -> Server:
    return _running(_OF_KERNEL, lambda: PrivateServer(program, engine=kernel_engine.start()))


def _server_of_cluster(client: Any, program: str | None) -> Server:
    scheduler = str(client.scheduler.address)
    return _running(("cluster", scheduler), lambda: PrivateServer(program, cluster=scheduler))


def _running(key: tuple, make: Callable[[], PrivateServer | LinkedServer]) -> Server:
    """The server that there is, or another where it has ended."""
    if key not in _servers or not _servers[key].runs():
        _servers[key] = make()
    return _servers[key]


def _published(obj: Any, server: Server, client: Any, title: str) -> View:
    name = f"virga-{secrets.token_urlsafe(24)}"
    client.publish_dataset(obj, name=name)

    def unpublish() -> None:
        if client.status == "running":
            client.unpublish_dataset(name)

    return _view(server, f"published:{name}", title, unpublish)


def _from_here(dataset: Any, server: Server, client: Any, title: str) -> View:
    """This process answers for the numbers."""
    name = kernel_engine.offer(dataset, client)
    return _view(server, f"notebook:{name}", title, lambda: kernel_engine.withdraw(name))


def _view(server: Server, address: str, title: str, withdraw: Callable[[], None]) -> View:
    """withdraw: what ends the offer of this address, when the view is closed or where there is none."""
    try:
        publication = server.publish(address, title)
        base = page_base(server)
    except BaseException:
        withdraw()
        raise

    def closed(view: View) -> None:
        with _LOCK:
            if view in _views:
                _views.remove(view)
            try:
                server.unpublish(publication)
            finally:
                withdraw()
                if not any(other.server is server for other in _views):
                    _forget(server)

    return View(server, publication, base, title, closed)


def _forget(server: Server) -> None:
    """A private server with nothing to show ends, a connection to another, too."""
    for key in [key for key, known in _servers.items() if known is server]:
        del _servers[key]
        if key == _OF_KERNEL:
            kernel_engine.stop()
    server.close()


def _name_of(obj: Any) -> str:
    name = getattr(obj, "name", None)
    name = name() if callable(name) else name
    return str(name or getattr(obj, "attrs", {}).get("title") or "notebook")[:150]
