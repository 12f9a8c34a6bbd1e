# SPDX-License-Identifier: Apache-2.0
"""A client of a part of the server's API, as a page on the server's machine or somebody else is."""
from visitor import Visitor


class Api:
    """Addresses below one (`below`, "api/exports"). visitor: who asks; the page on this machine if nobody is named."""

    def __init__(self, server, below, visitor=None):
        self.server, self.below, self.visitor = server, below, visitor or Visitor(server, None, Origin=f"http://{server.host}:{server.port}")
        self.origin = self.visitor.origin
        self.base = "/" + server.url.split("/", 3)[3] + below

    def ask(self, method, path="", body=None, headers=None, timeout=60):
        """`headers` replace those that the visitor sends; None leaves one out."""
        return self.visitor.ask(method, self.below + path, body, headers, timeout)

    def head(self, length, path="", **headers):
        """The header of a POST as bytes, for who sends the body by hand; `headers` (with _ for -) replace those of a good one, None
        leaves one out."""
        all_headers = {"Host": self.origin[7:], "Origin": self.origin, "Content_Type": "application/json", "Content_Length": length, **headers}
        lines = [f"POST {self.base}{path} HTTP/1.1", *(f"{k.replace('_', '-')}: {v}" for k, v in all_headers.items() if v is not None)]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def catalog(self):
        return self.visitor.get("api/catalog").json()
