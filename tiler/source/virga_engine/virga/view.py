# SPDX-License-Identifier: Apache-2.0
"""What show() returns: a page in a notebook."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

from .private_server import Publication, Refused, Server


class View:
    """Something that is shown, until it is closed. Displayed by a notebook as virga's page; a context manager that
    closes at its end.

    The address holds a code that lets one browser in, once; that browser then keeps its own token.
    """

    def __init__(self, server: Server, publication: Publication, base: str, title: str,
                 closed: Callable[[View], None]) -> None:
        self.server, self.title = server, title
        self.width, self.height = "100%", 620
        self._publication, self._base, self._closed = publication, base, closed
        self._is_open, self._is_fresh = True, True

    @property
    def url(self) -> str:
        """An address of the page with a code of its own, for the browser that shows the notebook: a path where
        Jupyter's own host serves it."""
        if self._is_fresh:
            self._is_fresh = False
            return self._base + self._publication.path
        try:
            return self._base + self.server.another_path(self._publication)
        except Refused:  # the server is gone: the page says so
            return self._base + self._publication.path.partition("#")[0]

    @property
    def dataset(self) -> str:
        """The dataset's name on the server."""
        return self._publication.dataset

    @property
    def is_open(self) -> bool:
        return self._is_open

    def close(self) -> None:
        """It is no longer shown nor published; a private server that shows nothing else ends. May be called again."""
        if self._is_open:
            self._is_open = False
            self._closed(self)

    def __enter__(self) -> View:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<virga.View {self.title!r}{'' if self._is_open else ', closed'}>"

    def _repr_html_(self) -> str:
        if not self._is_open:
            return "<div>virga: this view was closed; show it again with <code>virga.show</code></div>"
        url, other = escape(self.url, quote=True), escape(self.url, quote=True)
        return (f'<iframe src="{url}" title="virga: {escape(self.title, quote=True)}" width="{escape(str(self.width), quote=True)}" '
                f'height="{int(self.height)}" style="border: 0; display: block" allow="fullscreen; '
                f'xr-spatial-tracking" allowfullscreen></iframe>'
                f'<div style="font-size: small"><a href="{other}" target="_blank" rel="noopener">open in a '
                f'tab</a></div>')

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": self._repr_html_(), "text/plain": repr(self)}
