# SPDX-License-Identifier: Apache-2.0
"""A client of a server's exports, as a page or a script would be: Exports(server) posts jobs, watches and fetches them."""
import http.client
import json
import pathlib
import time

STAND_IN = pathlib.Path(__file__).with_name("export_stand_in.py")
FOREGROUND = {"VIRGA_EXPORT_FOREGROUND": "1"}  # environment of a server whose jobs need not wait for the tests beside this one


class Reply:
    def __init__(self, response):
        self.status, self.headers, self.body = response.status, response.headers, response.read()

    def json(self):
        return json.loads(self.body)

    @property
    def message(self):
        return self.json()["error"]["message"]


def children_of(pid, word="export"):
    """Process ids of a process' children whose command line has the word."""
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            for child in (task / "children").read_text().split():
                if word.encode() in pathlib.Path(f"/proc/{child}/cmdline").read_bytes():
                    found.append(int(child))
        except OSError:
            pass
    return found


class Exports:
    def __init__(self, server):
        self.server = server
        self.origin = f"http://{server.host}:{server.port}"
        self.base = "/" + server.url.split("/", 3)[3] + "api/exports"

    def ask(self, method, path="", body=None, headers=None, timeout=60):
        """A request with the headers that a page's own would have; `headers` replace them, None leaves one out."""
        all_headers = {"Origin": self.origin, **({"Content-Type": "application/json"} if body is not None else {}), **(headers or {})}
        connection = http.client.HTTPConnection(self.server.host, self.server.port, timeout=timeout)
        try:
            data = json.dumps(body).encode() if isinstance(body, (dict, list)) else body
            connection.putrequest(method, self.base + path, skip_host="Host" in all_headers)
            if data is not None or method == "POST":
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
        connection.request("GET", self.base.replace("exports", "catalog"))
        return Reply(connection.getresponse()).json()

    def view(self, title="", **more):
        """A view of the first volume; the title tells a stand-in what to do."""
        dataset = self.catalog()["datasets"][0]
        variable = next(v for v in dataset["variables"] if v["vertical"])
        return {"version": 1, "dataset": dataset["id"], "layers": [{"variable": variable["id"]}], "size": [64, 48],
                "captions": {"title": title or " "}, **more}

    def post(self, view, name=None, headers=None):
        return self.ask("POST", "", {"view": view, **({"name": name} if name else {})}, headers)

    def make(self, view, name=None):
        reply = self.post(view, name)
        assert reply.status == 201, reply.body
        return reply.json()["id"]

    def job(self, job_id):
        reply = self.ask("GET", f"/{job_id}")
        assert reply.status == 200, reply.body
        return reply.json()

    def wait(self, job_id, states=("done",), seconds=60, until=lambda job: True):
        """Asks until the job is in one of the states, and what is hoped for is true of it."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            job = self.job(job_id)
            if job["state"] in states and until(job):
                return job
            assert "done" in states or job["state"] not in ("done", "failed"), job
            time.sleep(0.02)
        raise AssertionError(f"{states} did not come true: {job}")

    def frames(self, job_id):
        """All frames' bytes."""
        return [self.ask("GET", f"/{job_id}/frames/{n}").body for n in range(self.job(job_id)["frames"])]
