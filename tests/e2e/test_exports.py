# SPDX-License-Identifier: Apache-2.0
"""Exports as jobs of the server, with a stand-in that makes pictures: made, watched, fetched with ranges, cancelled, deleted, limited."""
import hashlib
import io
import json
import sqlite3
import time
import zipfile

import pytest

from conftest import wait_until
from export_client import STAND_IN, Exports
from ws_client import Socket, Stream


@pytest.fixture
def export_server(serve, demo_forecast):
    """export_server(*flags) starts a server whose exports a stand-in makes."""
    return lambda *flags: serve(demo_forecast, *flags, environment={"VIRGA_EXPORT_PROGRAM": str(STAND_IN)})


@pytest.fixture
def exports(export_server):
    with export_server() as server:
        yield Exports(server)


def test_a_job_is_made_and_its_frames_and_zip_fetched(exports):
    made = exports.post(exports.view("frames=4 size=3000"), "Wind & rain")
    job = made.json()
    assert made.status == 201 and made.headers["Location"] == f"/api/exports/{job['id']}"
    assert job["state"] == "queued" and job["name"] == "Wind & rain" and job["frames"] is None and job["size"] == [64, 48]
    job = exports.wait(job["id"])
    assert (job["frames"], job["done"], job["bytes"], job["error"], job["files"]) == (4, 4, 12000, None, "%05d.png")
    assert job["created"] <= job["began"] <= job["ended"]
    frames = exports.frames(job["id"])
    assert len({hashlib.sha256(f).digest() for f in frames}) == 4 and all(len(f) == 3000 for f in frames)
    reply = exports.ask("GET", f"/{job['id']}/frames/2")
    assert reply.headers["Content-Type"] == "image/png" and "immutable" in reply.headers["Cache-Control"] and reply.headers["ETag"][0] == '"'
    assert reply.headers["Cross-Origin-Resource-Policy"] == "same-origin" and reply.headers["X-Content-Type-Options"] == "nosniff"
    reply = exports.ask("GET", f"/{job['id']}/zip")
    assert reply.headers["Content-Type"] == "application/zip" and "virga-Wind-rain.zip" in reply.headers["Content-Disposition"]
    with zipfile.ZipFile(io.BytesIO(reply.body)) as archive:
        assert archive.testzip() is None and archive.namelist() == [f"{n:05d}.png" for n in range(4)]
        assert [archive.read(name) for name in archive.namelist()] == frames
    for path in ("/frames/4", "/frames/-1", "/frames/01", "/frames/", "/frames/0x1", "/frames/99999999", "/frames/0/", "/zip/", "/nothing", "/"):
        assert exports.ask("GET", f"/{job['id']}{path}").status == 404, path


def test_the_list_is_newest_first(exports):
    made = [exports.make(exports.view("frames=1"), f"n{n}") for n in range(3)]
    reply = exports.ask("GET")
    assert [job["id"] for job in reply.json()["jobs"]] == made[::-1] and reply.json()["more"] is False
    assert reply.headers["Cache-Control"] == "no-store"
    assert [job["id"] for job in exports.ask("GET", f"?before={made[1]}").json()["jobs"]] == [made[0]]
    assert exports.ask("GET", "?before=0123456789abcdef").status == 404
    assert exports.ask("GET", "/0123456789abcdef").status == 404 and exports.ask("GET", "/..%2f..%2fetc").status == 404


def test_one_runs_at_a_time_and_the_others_wait_in_order(exports):
    made = [exports.make(exports.view("frames=3 delay=0.1")) for _ in range(3)]
    ended = [exports.wait(job_id) for job_id in made]
    assert all(a["ended"] <= b["ended"] for a, b in zip(ended, ended[1:]))
    seen = set()
    made = [exports.make(exports.view("frames=3 delay=0.1")) for _ in range(2)]
    while not all(exports.job(job_id)["state"] == "done" for job_id in made):
        states = [job["state"] for job in exports.ask("GET").json()["jobs"]]
        seen.add(states.count("running"))
    assert max(seen) == 1


def test_a_cut_download_goes_on_where_it_stopped(exports):
    job_id = exports.make(exports.view("frames=5 size=70000"))
    exports.wait(job_id)
    whole = exports.ask("GET", f"/{job_id}/zip")
    assert whole.headers["Accept-Ranges"] == "bytes" and len(whole.body) > 350000
    with Socket(exports.server.host, exports.server.port, receive_buffer=4096) as socket:  # takes a part, and hangs up
        socket.send(f"GET /api/exports/{job_id}/zip HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        _, headers = socket.head()
        first = socket.take(100001)
    rest = exports.ask("GET", f"/{job_id}/zip", headers={"Range": f"bytes={len(first)}-", "If-Range": headers["etag"]})
    assert rest.status == 206 and rest.headers["Content-Range"] == f"bytes {len(first)}-{len(whole.body) - 1}/{len(whole.body)}"
    assert first + rest.body == whole.body
    for text, begin, end in (("bytes=0-0", 0, 1), ("bytes=-100", -100, None), ("bytes=69990-70200", 69990, 70201), ("bytes=350000-9999999", 350000, None)):
        part = exports.ask("GET", f"/{job_id}/zip", headers={"Range": text})
        assert part.status == 206 and part.body == whole.body[begin:end], text
    frame = exports.ask("GET", f"/{job_id}/frames/3")
    part = exports.ask("GET", f"/{job_id}/frames/3", headers={"Range": "bytes=69000-"})
    assert part.status == 206 and part.body == frame.body[69000:] and part.headers["ETag"] == frame.headers["ETag"]
    outside = exports.ask("GET", f"/{job_id}/zip", headers={"Range": "bytes=99999999-"})
    assert outside.status == 416 and outside.headers["Content-Range"] == f"bytes */{len(whole.body)}"
    other = exports.ask("GET", f"/{job_id}/zip", headers={"Range": "bytes=5-", "If-Range": '"other"'})
    assert other.status == 200 and other.body == whole.body
    assert exports.ask("GET", f"/{job_id}/zip", headers={"If-None-Match": whole.headers["ETag"]}).status == 304
    head = exports.ask("HEAD", f"/{job_id}/zip")
    assert head.status == 200 and head.headers["Content-Length"] == str(len(whole.body)) and head.body == b""


def test_the_zip_depends_on_its_frames_only(exports):
    view = exports.view("frames=3")
    first, second = exports.make(view), exports.make(view, "another name")
    exports.wait(first)
    exports.wait(second)
    assert exports.ask("GET", f"/{first}/zip").body == exports.ask("GET", f"/{second}/zip").body
    assert exports.ask("GET", f"/{first}/zip").body == exports.ask("GET", f"/{first}/zip").body


def test_frames_can_be_fetched_while_others_are_made(exports):
    job_id = exports.make(exports.view("frames=3 hang=2"))
    exports.wait(job_id, ["running"], until=lambda job: job["done"] == 2)
    assert exports.ask("GET", f"/{job_id}/frames/1").status == 200 and exports.ask("GET", f"/{job_id}/frames/2").status == 404
    with zipfile.ZipFile(io.BytesIO(exports.ask("GET", f"/{job_id}/zip").body)) as archive:
        assert archive.namelist() == ["00000.png", "00001.png"]


def test_a_cancelled_one_ends_at_once_and_keeps_its_frames(exports):
    job_id, waiting = exports.make(exports.view("frames=9 hang=2")), exports.make(exports.view("frames=1"))
    exports.wait(job_id, ["running"], until=lambda job: job["done"] == 2)
    assert exports.ask("POST", f"/{waiting}/cancel").json()["state"] == "cancelled"
    reply = exports.ask("POST", f"/{job_id}/cancel")
    assert reply.status == 200 and reply.json()["state"] == "cancelled" and reply.json()["done"] == 2
    assert exports.ask("GET", f"/{job_id}/frames/1").status == 200
    assert exports.ask("POST", f"/{job_id}/cancel").status == 409 and exports.ask("POST", "/0123456789abcdef/cancel").status == 404
    assert exports.wait(exports.make(exports.view("frames=1")))["done"] == 1  # the next may run


def test_a_deleted_one_leaves_nothing(exports):
    job_id, running = exports.make(exports.view("frames=2")), exports.make(exports.view("frames=3 hang=1"))
    exports.wait(job_id)
    exports.wait(running, ["running"], until=lambda job: job["done"] == 1)
    for one in (job_id, running):
        assert (exports.server.state / "exports" / one).is_dir()
        assert exports.ask("DELETE", f"/{one}").status == 204
        assert exports.ask("GET", f"/{one}").status == 404 and exports.ask("GET", f"/{one}/zip").status == 404
        assert not (exports.server.state / "exports" / one).exists()
    assert exports.ask("DELETE", f"/{job_id}").status == 404 and exports.ask("GET").json()["jobs"] == []


def test_what_is_wrong_with_a_view_is_said(exports):
    view = exports.view()
    bad_layer = {**view, "layers": [{"variable": "nothing_like_it"}]}
    for body, field in (({"view": {**view, "exaggeration": "much"}}, "exaggeration"), ({"view": bad_layer}, "layers[0].variable"), ({"name": "x"}, "view"),
                        ({"view": view, "colour": "blue"}, "colour"), ({"view": view, "name": 5}, "name"), ({"view": view, "name": "x" * 500}, "name"),
                        ({"view": {**view, "sequence": {"fps": -1}}}, "fps"), ({"view": {**view, "dataset": "nowhere"}}, "dataset"), ({"view": 5}, "view"),
                        ([], "object"), ({"view": {**view, "sequence": {"format": "gif"}}}, "format")):
        reply = exports.ask("POST", "", body)
        assert reply.status == 400 and field in reply.message, reply.body
    assert exports.ask("GET").json()["jobs"] == []


def test_the_moment_is_written_down(exports):
    """Run and "nearest to now" are those of the request, whenever the job goes on."""
    job_id = exports.make(exports.view("frames=1", time="nearest to now", sequence={"times": ["T+0", "nearest to now"]}))
    exports.wait(job_id)
    with sqlite3.connect(f"file:{exports.server.state}/virga.db?mode=ro", uri=True) as database:
        view = json.loads(database.execute("SELECT view FROM export_jobs").fetchone()[0])
    assert view["run"] == exports.catalog()["datasets"][0]["runs"][-1]["time"]
    assert view["time"].endswith("Z") and view["sequence"]["times"] == ["T+0", view["time"]]


def test_changes_are_told_over_the_websocket(exports):
    before = exports.make(exports.view("frames=1"))
    exports.wait(before)
    with Stream(exports.server.url) as page:
        page.socket.say({"type": "exports", "watch": True})
        first = page.socket.next()
        assert first["type"] == "exports" and first["all"] is True and [job["id"] for job in first["jobs"]] == [before]
        job_id, messages = exports.make(exports.view("frames=20 delay=0.02")), []
        began = time.monotonic()
        while not messages or messages[-1]["state"] != "done":
            message = page.socket.next()
            assert message["type"] == "exports" and message["all"] is False
            messages += [job for job in message["jobs"] if job["id"] == job_id]
        assert len(messages) <= 3 + 6 * (time.monotonic() - began) and messages[-1]["done"] == 20
        assert all(a["done"] <= b["done"] for a, b in zip(messages, messages[1:]))
        assert exports.ask("DELETE", f"/{job_id}").status == 204
        assert page.socket.next() == {"type": "exports", "all": False, "jobs": [{"id": job_id, "state": "deleted"}]}
        page.socket.say({"type": "exports", "watch": False})
        page.socket.say({"type": "ping", "id": 1})
        assert page.socket.next()["type"] == "pong"
        exports.wait(exports.make(exports.view("frames=1")))
        page.socket.say({"type": "ping", "id": 2})
        assert page.socket.next() == {"type": "pong", "id": 2}


def test_a_preview_is_small_and_one_picture(exports):
    view = exports.view("size=5000", size=[1920, 1080], sequence={"times": "all"})
    reply = exports.ask("POST", "/preview", {"view": view, "width": 320, "time": "T+1"})
    assert reply.status == 200 and reply.headers["Content-Type"] == "image/jpeg" and len(reply.body) == 5000
    assert reply.headers["Cache-Control"] == "no-store"
    reply = exports.ask("POST", "/preview", {"view": {**view, "transparent": True}})
    assert reply.status == 200 and reply.headers["Content-Type"] == "image/png"
    for more, field in (({"width": 641}, "width"), ({"width": "x"}, "width"), ({"time": "soon"}, "time"), ({"time": 5}, "time"), ({"size": [1, 1]}, "size")):
        reply = exports.ask("POST", "/preview", {"view": view, **more})
        assert reply.status == 400 and field in reply.message, reply.body
    reply = exports.ask("POST", "/preview", {"view": exports.view("error=0")})
    assert reply.status == 500 and "the files are gone" in reply.message
    assert exports.ask("GET").json()["jobs"] == [] and not list((exports.server.state / "exports").glob("preview*"))


def test_a_preview_that_nobody_waits_for_is_ended(exports):
    body = json.dumps({"view": exports.view("hang=0")}).encode()
    with Socket(exports.server.host, exports.server.port) as socket:
        socket.send(exports.head(len(body), "/preview") + body)
        wait_until(lambda: list((exports.server.state / "exports").glob("preview*")))
    wait_until(lambda: not list((exports.server.state / "exports").glob("preview*")))
    assert exports.ask("POST", "/preview", {"view": exports.view()}).status == 200


def test_too_many_previews_are_refused(exports):
    body = json.dumps({"view": exports.view("hang=0")}).encode()
    sockets = [Socket(exports.server.host, exports.server.port) for _ in range(4)]
    for socket in sockets:
        socket.send(exports.head(len(body), "/preview") + body)
    wait_until(lambda: list((exports.server.state / "exports").glob("preview*")))
    reply = wait_until(lambda: (r := exports.ask("POST", "/preview", {"view": exports.view()})) and r.status == 503 and r)
    assert reply.headers["Retry-After"] and "preview" in reply.message
    for socket in sockets:
        socket.socket.close()
    assert wait_until(lambda: exports.ask("POST", "/preview", {"view": exports.view()}).status == 200)


# Limits.

def test_no_exports_where_there_are_to_be_none(export_server):
    with export_server("--export-jobs", 0) as server:
        exports = Exports(server)
        assert exports.post(exports.view()).status == 501 and "export-jobs" in exports.ask("GET").message
        with Stream(server.url) as page:
            page.socket.say({"type": "exports", "watch": True})
            assert page.socket.next() == {"type": "exports", "all": True, "jobs": []}


def test_sizes_counts_and_queues_are_limited(export_server):
    with export_server("--export-size", "100x50", "--export-frames", 5, "--export-queue", 2) as server:
        exports = Exports(server)
        assert "export-size" in exports.post(exports.view(size=[101, 50])).message
        assert exports.post(exports.view(size=[16, 16])).status == 201
        failed = exports.wait(exports.make(exports.view("frames=6")), ["failed"])
        assert "export-frames" in failed["error"] and failed["done"] == 0
        running = exports.make(exports.view("frames=1 hang=0"))
        exports.wait(running, ["running"])
        waiting = [exports.make(exports.view("frames=1")) for _ in range(2)]
        reply = exports.post(exports.view("frames=1"))
        assert reply.status == 503 and "export-queue" in reply.message and reply.headers["Retry-After"]
        exports.ask("POST", f"/{running}/cancel")
        assert all(exports.wait(job_id)["done"] == 1 for job_id in waiting)


def test_the_disk_is_limited(export_server):
    with export_server("--export-disk", "1M") as server:
        exports = Exports(server)
        job_id = exports.make(exports.view("frames=100 size=100000"))
        failed = exports.wait(job_id, ["failed"])
        assert "export-disk" in failed["error"] and failed["done"] <= 12 and failed["bytes"] <= 1200000
        assert exports.ask("GET", f"/{job_id}/frames/0").status == 200
        reply = exports.post(exports.view("frames=1"))
        assert reply.status == 507 and "delete" in reply.message
        exports.ask("DELETE", f"/{job_id}")
        assert exports.wait(exports.make(exports.view("frames=1")))["done"] == 1


def test_old_ones_are_deleted(export_server):
    with export_server("--export-keep", "0.01m") as server:
        exports = Exports(server)
        job_id = exports.make(exports.view("frames=1"))
        wait_until(lambda: exports.ask("GET", f"/{job_id}").status == 404)
