# SPDX-License-Identifier: Apache-2.0
"""A client of a server's exports, as a page or a script would be: Exports(server) posts jobs, watches and fetches them."""
import pathlib
import time

from api_client import Api

STAND_IN = pathlib.Path(__file__).with_name("export_stand_in.py")
FOREGROUND = {"VIRGA_EXPORT_FOREGROUND": "1"}  # environment of a server whose jobs need not wait for the tests beside this one


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


class Exports(Api):
    def __init__(self, server):
        super().__init__(server, "api/exports")

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
