# SPDX-License-Identifier: Apache-2.0
"""A client of a part of the server's API, with the headers that a page's own requests have."""
import http.client
import json


class Reply:
    def __init__(self, response):
        self.status, self.headers, self.body = response.status, response.headers, response.read()

    def json(self):
        return json.loads(self.body)

    @property
    def message(self):
        return self.json()["error"]["message"]


class Api:
    """Addresses below one (`below`, "api/exports") of a server, asked as a page or a script would."""

    def __init__(self, server, below):
        self.server = server
        self.origin = f"http://{server.host}:{server.port}"
        self.base = "/" + server.url.split("/", 3)[3] + below

    def ask(self, method, path="", body=None, headers=None, timeout=60):
        """A request with the headers that a page's own would have; `headers` replace them, None leaves one out."""
        all_headers = {"Origin": self.origin, **({"Content-Type": "application/json"} if body is not None else {}), **(headers or {})}
        connection = http.client.HTTPConnection(self.server.host, self.server.port, timeout=timeout)
        try:
            data = json.dumps(body).encode() if isinstance(body, (dict, list)) else body
            connection.putrequest(method, self.base + path, skip_host="Host" in all_headers)
            if data is not None or method in ("POST", "PUT"):
                all_headers.setdefault("Content-Length", str(len(data or b"")))
            for name, value in all_headers.items():
                if value is not None:
                    connection.putheader(name, value)
            connection.endheaders()
            if data is not None:
                connection.send(data)
            return Reply(connection.getresponse())
        finally:
            connection.close()

    def head(self, length, path="", **headers):
        """The header of a POST as bytes, for who sends the body by hand; `headers` (with _ for -) replace those of a good one, None
        leaves one out."""
        all_headers = {"Host": self.origin[7:], "Origin": self.origin, "Content_Type": "application/json", "Content_Length": length, **headers}
        lines = [f"POST {self.base}{path} HTTP/1.1", *(f"{k.replace('_', '-')}: {v}" for k, v in all_headers.items() if v is not None)]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def catalog(self):
        connection = http.client.HTTPConnection(self.server.host, self.server.port, timeout=60)
        connection.request("GET", "/" + self.server.url.split("/", 3)[3] + "api/catalog")
        return Reply(connection.getresponse()).json()
