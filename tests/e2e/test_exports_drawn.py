# SPDX-License-Identifier: Apache-2.0
"""Exports as jobs of the server with nothing made up: the pictures that virga itself draws, as a page orders, watches and fetches them."""
import io
import json
import os
import pathlib
import subprocess
import zipfile

import pytest

import png
from conftest import clean_environment, wait_until
from export_client import FOREGROUND, Exports, children_of
from ws_client import Stream


@pytest.fixture
def exports(serve, demo_forecast):
    with serve(demo_forecast, environment=FOREGROUND) as server:
        yield Exports(server)


def png_size(data):
    image = png.Image(data)
    return image.width, image.height


def test_a_job_is_watched_and_its_frames_are_those_of_the_command(exports, virga, demo_forecast, tmp_path):
    run = exports.catalog()["datasets"][0]["runs"][-1]["time"]
    view = exports.view(run=run, time="T+1", sequence={"times": "all"})
    told = []
    with Stream(exports.server.url) as page:
        page.socket.say({"type": "exports", "watch": True})
        assert page.socket.next()["jobs"] == []
        job_id = exports.make(view, "Clouds")
        while not told or told[-1]["state"] != "done":
            told += page.socket.next()["jobs"]
    assert {job["id"] for job in told} == {job_id} and told[-1]["done"] == told[-1]["frames"] == 4 and told[-1]["error"] is None
    assert [job["state"] for job in told] == sorted((job["state"] for job in told), key=["queued", "running", "done"].index)
    frames = exports.frames(job_id)
    assert len(set(frames)) == 4 and all(png_size(frame) == (64, 48) for frame in frames) and told[-1]["bytes"] == sum(map(len, frames))
    (tmp_path / "view.json").write_text(json.dumps(view))
    subprocess.run([virga, "export", tmp_path / "view.json", demo_forecast, "--out", tmp_path / "%04d.png", "--progress", "none"], check=True, timeout=120,
                   env=clean_environment(tmp_path))
    assert [(tmp_path / f"{n:04d}.png").read_bytes() for n in range(4)] == frames


def test_its_zip_is_fetched_in_parts_and_unpacked(exports):
    job_id = exports.make(exports.view(size=[200, 120], sequence={"times": "all", "format": "jpeg", "quality": 70}), "Clouds")
    job = exports.wait(job_id, seconds=120)
    frames = exports.frames(job_id)
    assert job["format"] == "jpeg" and job["size"] == [200, 120] and all(frame[:3] == b"\xff\xd8\xff" for frame in frames)
    whole = exports.ask("GET", f"/{job_id}/zip")
    size, data = len(whole.body), b""
    while len(data) < size:
        part = exports.ask("GET", f"/{job_id}/zip", headers={"Range": f"bytes={len(data)}-{len(data) + 9999}", "If-Range": whole.headers["ETag"]})
        assert part.status == 206 and part.headers["Content-Range"].endswith(f"/{size}")
        data += part.body
    assert data == whole.body
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None and [archive.read(f"{n:05d}.jpg") for n in range(4)] == frames


def test_one_is_cancelled_while_it_draws(exports):
    job_id = exports.make(exports.view(sequence={"times": "all", "fps": 100, "rate": 0.1}))
    exports.wait(job_id, ["running"], seconds=120, until=lambda job: job["done"] >= 2)
    cancelled = exports.ask("POST", f"/{job_id}/cancel").json()
    assert cancelled["state"] == "cancelled" and 2 <= cancelled["done"] < cancelled["frames"] and exports.job(job_id) == cancelled
    names = wait_until(lambda: sorted(path.name for path in (exports.server.state / "exports" / job_id).iterdir()))
    assert names == [f"{n:05d}.png" for n in range(cancelled["done"])]
    with zipfile.ZipFile(io.BytesIO(exports.ask("GET", f"/{job_id}/zip").body)) as archive:
        assert archive.namelist() == names and all(png_size(archive.read(name)) == (64, 48) for name in names)


def test_a_preview_is_the_view_at_that_time(exports):
    view = exports.view(size=[1280, 720], sequence={"times": "all", "orbit": 90}, transparent=True)
    first, second = (exports.ask("POST", "/preview", {"view": view, "width": 160, "time": time}).body for time in ("T+0", "T+2"))
    assert png_size(first) == png_size(second) == (160, 90) and first != second
    assert exports.ask("POST", "/preview", {"view": view, "width": 160, "time": "T+0"}).body == first
    assert exports.ask("POST", "/preview", {"view": {**view, "transparent": False}}).body[:3] == b"\xff\xd8\xff"


def test_what_cannot_be_drawn_is_said(exports):
    reply = exports.ask("POST", "/preview", {"view": exports.view(), "time": "T+1.5"})
    assert reply.status == 400 and "T+1.5" in reply.message
    failed = exports.wait(exports.make(exports.view(sequence={"times": ["T+1.5"]})), ["failed"], seconds=120)
    assert "T+1.5" in failed["error"] and failed["done"] == 0


def test_a_job_and_all_its_threads_and_readers_give_way(serve, demo_forecast):
    with serve(demo_forecast) as server:
        exports = Exports(server)
        exports.make(exports.view(sequence={"times": "all", "fps": 100, "rate": 0.1}))
        child = wait_until(lambda: children_of(server.process.pid))[0]
        readers = wait_until(lambda: children_of(child, "reader"), seconds=120)
        policies = {os.sched_getscheduler(int(task.name)) for pid in (child, *readers) for task in pathlib.Path(f"/proc/{pid}/task").iterdir()}
        assert policies == {os.SCHED_IDLE} and os.getpriority(os.PRIO_PROCESS, child) == 19
        assert len(os.sched_getaffinity(child)) == max(1, len(os.sched_getaffinity(0)) - 1)
        assert os.sched_getscheduler(server.process.pid) in (os.SCHED_OTHER, os.SCHED_RR | os.SCHED_RESET_ON_FORK)
