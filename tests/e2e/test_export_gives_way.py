# SPDX-License-Identifier: Apache-2.0
"""Exports stand still while viewers wait for what must be read, and yet come to their end; when they end, nothing is left."""
import contextlib
import pathlib
import subprocess
import threading

import pytest

from conftest import clean_environment, launched, wait_until
from export_client import FOREGROUND, Exports, children_of
from ws_client import Closed, Stream

# The least memory, and no spool: each switch reads its step.
FLAGS = ("--cache-memory", "8M", "--spool-limit", "0", "--message-rate", "10000")


@pytest.fixture(scope="module")
def forecast(virga, tmp_path_factory):
    """Steps of which the smallest cache holds none for long."""
    folder = tmp_path_factory.mktemp("demo")
    subprocess.run([virga, "demo", "--quiet", "--out", folder, "--size", "160x120x40x5"], check=True, timeout=300,
                   env=clean_environment(folder))
    return folder


@pytest.fixture
def server(serve, forecast):
    with serve(forecast, *FLAGS, environment=FOREGROUND) as one:
        yield one


class Viewer(threading.Thread):
    """Asks for one step after the other, without a pause, until `over` or the end of the server."""

    def __init__(self, exports):
        super().__init__(daemon=True)
        dataset = exports.catalog()["datasets"][0]
        self.dataset, self.url, self.over, self.switches = dataset["id"], exports.server.url, False, 0
        self.start()

    def run(self):
        with contextlib.suppress(Closed, OSError), Stream(self.url) as page:
            while not self.over:
                page.interest(self.dataset, ["air_temperature"], time=self.switches % 5, have="none")
                page.until_done()
                page.forget()
                self.switches += 1


@contextlib.contextmanager
def viewers(exports, count=2):
    all_of_them = [Viewer(exports) for _ in range(count)]
    try:
        yield all_of_them
    finally:
        for viewer in all_of_them:
            viewer.over = True
        for viewer in all_of_them:
            viewer.join()


def group_states(leader):
    """{process id: state letter} of the process group, without those that have ended and are not waited for yet."""
    found = {}
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            pid, rest = stat.read_text().split(" (", 1)
            state, _, group = rest.rsplit(") ", 1)[1].split()[:3]
            if int(group) == leader and state not in "ZX":
                found[int(pid)] = state
    return found


def await_still(server):
    """The job's process group, once all of it stands still."""
    def look():
        for leader in children_of(server.process.pid):
            states = group_states(leader)
            if len(states) > 1 and set(states.values()) == {"T"}:
                return leader
        return None
    return wait_until(look, 60)


def long_view(exports):
    return exports.view(sequence={"times": "all", "fps": 25, "rate": 0.1})


def test_it_comes_to_its_end_beside_viewers_that_never_stop_asking(server):
    exports = Exports(server)
    view = exports.view(size=[200, 120], sequence={"times": "all"})
    undisturbed = exports.frames(exports.wait(exports.make(view), seconds=120)["id"])
    with viewers(exports) as asking:
        job_id = exports.make(view)
        await_still(server)
        before = [viewer.switches for viewer in asking]
        job = exports.wait(job_id, seconds=300)
        assert all(viewer.is_alive() and viewer.switches > n for viewer, n in zip(asking, before))
    assert job["error"] is None and exports.frames(job_id) == undisturbed


def test_it_goes_on_when_they_have_what_they_asked_for(server):
    exports = Exports(server)
    with viewers(exports):
        job_id = exports.make(long_view(exports))
        leader = await_still(server)
    wait_until(lambda: "T" not in group_states(leader).values())
    done = exports.job(job_id)["done"]
    exports.wait(job_id, ["running"], until=lambda job: job["done"] > done + 1)


@pytest.mark.parametrize("how", ["cancel", "delete"])
def test_one_that_stands_still_is_ended(server, how):
    exports = Exports(server)
    with viewers(exports):
        job_id = exports.make(long_view(exports))
        leader = await_still(server)
        reply = exports.ask("POST", f"/{job_id}/cancel") if how == "cancel" else exports.ask("DELETE", f"/{job_id}")
        assert reply.status == (200 if how == "cancel" else 204)
        wait_until(lambda: not group_states(leader))


def test_one_that_stands_still_ends_with_its_server(server):
    exports = Exports(server)
    with viewers(exports):
        exports.make(long_view(exports))
        leader = await_still(server)
        assert server.stop() == 0
    wait_until(lambda: not group_states(leader))


def test_a_killed_server_leaves_none_that_stands_still(virga, forecast, tmp_path):
    server = launched(virga, tmp_path, forecast, *FLAGS, environment=FOREGROUND)
    try:
        exports = Exports(server)
        with viewers(exports):
            exports.make(long_view(exports))
            leader = await_still(server)
            server.process.kill()
    finally:
        server.process.kill()
        server.process.wait()
    wait_until(lambda: not group_states(leader))
