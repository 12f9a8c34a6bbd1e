# SPDX-License-Identifier: Apache-2.0
"""Where a browser that shows this notebook finds a private server's page."""

from __future__ import annotations

import importlib.util
import os
from urllib.parse import urlsplit

from .private_server import PrivateServer, Server


def page_base(server: Server) -> str:
    """The address of the server's page as the notebook's page may name it, with a slash at its end.

    VIRGA_PROXY where it is set ({port} stands for the port; empty: the server's own address). Behind JupyterHub, and
    where jupyter-server-proxy is installed, its path there: then the page comes from Jupyter's own host, under its
    login. Else the server's own address, which works where browser and kernel are on one machine.
    """
    port = urlsplit(server.url).port
    if not isinstance(server, PrivateServer):
        return server.url
    wanted = os.environ.get("VIRGA_PROXY")
    if wanted is not None:
        return wanted.replace("{port}", str(port)).rstrip("/") + "/" if wanted else server.url
    base = os.environ.get("JUPYTERHUB_SERVICE_PREFIX") or _jupyter_base()
    if base is None:
        return server.url
    return f"{base.rstrip('/')}/proxy/{port}/"


def _jupyter_base() -> str | None:
    """The URL path of the Jupyter server that started this kernel; None where none did, or it has no proxy."""
    if not all(importlib.util.find_spec(name) for name in ("jupyter_server", "jupyter_server_proxy")):
        return None
    from jupyter_server.serverapp import list_running_servers
    ancestors = _ancestors()
    for running in list_running_servers():
        if running.get("pid") in ancestors:
            return str(running.get("base_url", "/"))
    return None


def _ancestors() -> set[int]:
    found, at = set(), os.getppid()
    while at > 1 and at not in found:
        found.add(at)
        try:
            with open(f"/proc/{at}/stat", encoding="utf-8", errors="replace") as status:
                at = int(status.read().rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            break
    return found
