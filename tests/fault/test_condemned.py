# SPDX-License-Identifier: Apache-2.0
"""A file whose readers end while they read it is refused after a while, and the catalogue says so while the server runs."""
import os
import pathlib
import signal
import threading

import netCDF4
import numpy
import pytest

import make_files
from conftest import wait_until

STEPS = 40


@pytest.fixture
def forecast(tmp_path):
    path = tmp_path / "steps.nc"
    with netCDF4.Dataset(path, "w") as file:
        make_files.times(file, STEPS)
        y, x = make_files.plain_axes(file, 9, 7)
        make_files.axis(file, "height", [10.0, 100.0, 500.0], "height", "m", positive="up")
        make_files.temperature(file, ("time", "height", y, x), numpy.stack([make_files.field((3, 7, 9)) + step for step in range(STEPS)]))
    return path


def state_of(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
    except (FileNotFoundError, ProcessLookupError):
        return "gone"


def readers_of(server):
    lists = pathlib.Path(f"/proc/{server.process.pid}/task").glob("*/children")
    return [int(pid) for names in lists for pid in names.read_text().split() if state_of(pid) not in ("Z", "gone")]


def test_a_file_that_ends_readers_becomes_a_problem(serve, http_get, forecast):
    with serve(forecast, "--readers", 1) as server:
        def catalog():
            return http_get(server.url + "api/catalog").json()

        def ask(step):
            return http_get(f"{server.url}api/sample?dataset={dataset['id']}&variable=air_temperature&time={times[step]}&lon=-8&lat=58&height=200")

        first = http_get(server.url + "api/catalog")
        dataset = first.json()["datasets"][0]
        times = dataset["variables"][0]["times"]
        assert first.json()["problems"] == [] and ask(0).status == 200
        pid = None
        for step in range(1, STEPS):  # one that was not read yet, and whose reader stops before it answers
            pid = wait_until(lambda: [p for p in readers_of(server) if p != pid])[0]
            os.kill(pid, signal.SIGSTOP)
            wait_until(lambda: state_of(pid) in ("T", "gone"))
            asked = threading.Thread(target=ask, args=(step,))
            asked.start()
            asked.join(0.5)  # as a rule it is with the reader by then; where not, the next round tries again
            os.kill(pid, signal.SIGABRT)  # as a library would do
            os.kill(pid, signal.SIGCONT)
            asked.join()
            if catalog()["problems"]:
                break
        found = catalog()
        assert [p["file"] for p in found["problems"]] == [str(forecast)] and "reader" in found["problems"][0]["reason"]
        assert found["datasets"][0]["problems"] == found["problems"]
        assert http_get(server.url + "api/catalog", {"If-None-Match": first.headers["ETag"]}).status == 200
        before = wait_until(lambda: readers_of(server))
        assert all(ask(step).status != 200 for step in range(STEPS - 3, STEPS))
        assert readers_of(server) == before
