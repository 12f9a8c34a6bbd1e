# SPDX-License-Identifier: Apache-2.0
"""Live pictures of pins: drawn when a pin is made or changed, told over the websocket, the same as an export's, kept over restarts, refused where nothing can be shown."""
import json
import struct
import subprocess
import time

import pytest

from conftest import clean_environment, launched, release, running, wait_until
from live import Folder, Page
from pin_client import Pins
from visitor import Visitor
from ws_client import Stream

NEVER_STALE = ("--stale-after", "3650d")


@pytest.fixture(scope="module")
def server(serve_module, demo_forecast):
    with serve_module(demo_forecast, *NEVER_STALE) as server:
        yield server


@pytest.fixture
def pins(server):
    pins = Pins(server)
    yield pins
    for pin in pins.list():
        pins.change("DELETE", pin)


def view_of(pins, **more):
    return pins.view(time="T+1", map={"coastlines": False}, **more)


def live_of(pins, pin):
    return pins.ask("GET", f"/{pin['id']}").json()["live"]


def drawn(pins, pin, after=None):
    """What is told of a pin once it has a picture, other than the one with the key `after`."""
    def look():
        live = live_of(pins, pin)
        return live if live and live["state"] in ("fresh", "stale", "failed") and (not live["key"] or live["key"] != after) else None
    return wait_until(look, 60)


def picture(pins, path, headers=None, method="GET"):
    return Visitor(pins.server).ask(method, f"pin/{path}", headers=headers)


def jpeg_size(data):
    """Width and height, from the frame header."""
    assert data[:2] == b"\xff\xd8" and data[-2:] == b"\xff\xd9"
    at = 2
    while data[at + 1] not in (0xC0, 0xC2):
        at += 2 + int.from_bytes(data[at + 2:at + 4], "big")
    height, width = struct.unpack(">HH", data[at + 5:at + 9])
    return width, height


def without_comments(data):
    out, at = data[:2], 2
    while data[at + 1] != 0xDA:
        length = 2 + int.from_bytes(data[at + 2:at + 4], "big")
        out += b"" if data[at + 1] == 0xFE else data[at:at + length]
        at += length
    return out + data[at:]


def test_a_new_pin_gets_a_picture_and_watchers_are_told(pins):
    with Stream(pins.server.url, headers={"Origin": pins.origin}) as stream:
        stream.socket.say({"type": "pins", "watch": True})
        pin = pins.make("Cloud", view=view_of(pins))
        live = None
        while not live or live["state"] != "fresh":
            message = stream.take()
            for told in message["pins"] if isinstance(message, dict) and message.get("type") == "pins" else ():
                live = told.get("live")
    run = pins.catalog()["datasets"][0]["runs"][-1]
    assert live["run"] == run["time"] and live["lead_hours"] == 1 and live["run_complete"] and live["missing"] == 0 and live["expected"] == 4
    assert live["valid"] > live["run"] and live["words"] is None and live["drawn"] and len(live["key"]) == 32
    reply = picture(pins, f"{pin['id']}/{live['key']}.jpg")
    assert reply.status == 200 and reply.headers["Content-Type"] == "image/jpeg" and "immutable" in reply.headers["Cache-Control"]
    assert jpeg_size(reply.body) == (400, 225)
    tag = reply.headers["ETag"]
    assert tag == f'"{live["key"]}"'
    assert picture(pins, f"{pin['id']}/{live['key']}.jpg", {"If-None-Match": tag}).status == 304
    head = picture(pins, f"{pin['id']}/{live['key']}.jpg", method="HEAD")
    assert head.status == 200 and not head.body and int(head.headers["Content-Length"]) == len(reply.body)


def test_the_picture_is_that_of_an_export(pins, demo_forecast, tmp_path):
    view = {**view_of(pins), "size": [400, 225], "exaggeration": 20}
    pin = pins.make("Cloud", view=view)
    live = drawn(pins, pin)
    mine = picture(pins, f"{pin['id']}/{live['key']}.jpg").body
    document = tmp_path / "view.json"
    document.write_text(json.dumps({**view, "captions": {"show": False}, "antialiasing": 1}))
    subprocess.run([release(), "export", document, demo_forecast, "--out", tmp_path / "same.jpg", "--format", "jpeg", "--quality", "85"], check=True,
                   capture_output=True, env=clean_environment(tmp_path))  # the same build: others round otherwise
    assert without_comments(mine) == without_comments((tmp_path / "same.jpg").read_bytes())


def test_the_picture_of_the_moment(pins):
    pin = pins.make("Cloud", view=view_of(pins, size=[800, 600]))
    reply = picture(pins, f"{pin['id']}.jpg")
    assert reply.status == 200 and reply.headers["Cache-Control"] == "no-cache" and jpeg_size(reply.body) == (640, 480)
    tag = reply.headers["ETag"]
    assert not tag.startswith("W/") and picture(pins, f"{pin['id']}.jpg", {"If-None-Match": tag}).status == 304
    assert picture(pins, f"{pin['id']}.jpg").body == reply.body
    head = picture(pins, f"{pin['id']}.jpg", method="HEAD")
    assert head.status == 200 and not head.body and head.headers["ETag"] == tag
    png = picture(pins, f"{pin['id']}.png?width=100")
    assert png.status == 200 and png.headers["Content-Type"] == "image/png" and struct.unpack(">II", png.body[16:24]) == (100, 75)
    assert png.headers["ETag"] != tag
    # Another title is written on another picture.
    pin = pins.put(pin, title="Clouds").json()
    other = picture(pins, f"{pin['id']}.jpg", {"If-None-Match": tag})
    assert other.status == 200 and other.headers["ETag"] != tag and other.body != reply.body


def test_what_is_no_picture_is_refused(pins):
    pin = pins.make("Cloud", view=view_of(pins))
    live = drawn(pins, pin)
    for width in ("0", "15", "1281", "-1", "abc", "", "99999999999", "1e3"):
        reply = picture(pins, f"{pin['id']}.jpg?width={width}")
        assert reply.status == 400 and "width" in reply.message, width
    for path in (".gif", ".jpg/x", ".jpeg", "/", f"/{live['key']}", f"/{live['key']}.png", f"/{live['key'][:-1]}.jpg", f"/{'0' * 32}.jpg", f"/{live['key'].upper()}x.jpg"):
        assert picture(pins, pin["id"] + path).status == 404, path
    for path in (f"0123456789abcdef/{live['key']}.jpg", "0123456789abcdef.jpg", "0123456789abcdef.png", "../../etc/passwd.jpg", ".jpg"):
        assert picture(pins, path).status == 404, path
    assert picture(pins, f"{pin['id']}.jpg", method="DELETE").status == 405


def test_another_view_is_another_picture(pins):
    pin = pins.make("Cloud", view=view_of(pins))
    first = drawn(pins, pin)
    old = picture(pins, f"{pin['id']}/{first['key']}.jpg").body
    pin = pins.put(pin, view={**view_of(pins), "exaggeration": 40}).json()
    second = drawn(pins, pin, first["key"])
    new = picture(pins, f"{pin['id']}/{second['key']}.jpg")
    assert new.status == 200 and new.body != old
    assert picture(pins, f"{pin['id']}/{first['key']}.jpg").body == old  # for pages that have not been told yet
    # Another title or place changes nothing of it.
    pin = pins.put(pin, title="Other", position=4).json()
    assert wait_until(lambda: live_of(pins, pin))["key"] == second["key"]
    pins.change("DELETE", pin)
    assert picture(pins, f"{pin['id']}/{second['key']}.jpg").status == 404 and picture(pins, f"{pin['id']}.jpg").status == 404
    assert wait_until(lambda: not list((pins.server.state / "pins").iterdir()))


def test_what_shows_nothing_says_why(pins):
    for more, word in (({"dataset": "gone"}, "gone"), ({"run": "2001-01-01T00:00:00Z"}, "2001"), ({"time": "T+99"}, "T+99"),
                       ({"layers": [{"variable": "nothing"}]}, "nothing"), ({"member": 7}, "ember 7 is not")):
        pin = pins.make("Cloud", view={**view_of(pins), **more})
        live = drawn(pins, pin)
        assert live["state"] == "failed" and word in live["words"] and live["key"] is None, more
        reply = picture(pins, f"{pin['id']}.jpg")
        assert reply.status in (404, 409) and word in reply.message
    pin = pins.put(pin, view=view_of(pins)).json()
    wait_until(lambda: live_of(pins, pin)["state"] == "fresh")


def test_pictures_outlive_the_server(virga, demo_forecast, tmp_path):
    server = launched(virga, tmp_path, demo_forecast, *NEVER_STALE)
    pins = Pins(server)
    pin = pins.make("Cloud", view=view_of(pins))
    before = drawn(pins, pin)
    body = picture(pins, f"{pin['id']}/{before['key']}.jpg").body
    folder = server.state / "pins"
    wait_until(lambda: list(folder.iterdir()))
    server.process.kill()
    server.process.wait()
    name, = (path.name for path in folder.iterdir())
    (folder / f"{pin['id']}-{'0' * 32}.jpg").write_bytes(body)  # of what it meant once
    (folder / "rubbish").write_bytes(b"x")
    server = launched(virga, tmp_path, demo_forecast, *NEVER_STALE)
    try:
        pins = Pins(server)
        after = wait_until(lambda: live_of(pins, pin))
        assert after["key"] == before["key"] and after["state"] == "fresh"
        assert abs(seconds_of(after["drawn"]) - seconds_of(before["drawn"])) <= 1
        assert picture(pins, f"{pin['id']}/{before['key']}.jpg").body == body
        assert [path.name for path in folder.iterdir()] == [name]
    finally:
        assert server.stop() == 0


def seconds_of(iso):
    return time.mktime(time.strptime(iso, "%Y-%m-%dT%H:%M:%SZ"))


def test_a_picture_that_was_spoilt_is_drawn_again(virga, demo_forecast, tmp_path):
    server = launched(virga, tmp_path, demo_forecast, *NEVER_STALE)
    pins = Pins(server)
    pin = pins.make("Cloud", view=view_of(pins))
    live = drawn(pins, pin)
    body = picture(pins, f"{pin['id']}/{live['key']}.jpg").body
    wait_until(lambda: list((server.state / "pins").iterdir()))
    assert server.stop() == 0
    path, = (server.state / "pins").iterdir()
    path.write_bytes(body[:1000])
    server = launched(virga, tmp_path, demo_forecast, *NEVER_STALE)
    try:
        pins = Pins(server)
        drawn(pins, pin)
        assert picture(pins, f"{pin['id']}/{live['key']}.jpg").body == body
    finally:
        assert server.stop() == 0


def test_a_pin_of_an_old_run_is_stale(virga, demo_forecast, tmp_path):
    with running(release(), tmp_path / "server", demo_forecast, "--stale-after", "1h") as server:
        pins = Pins(server)
        latest, fixed = pins.make("latest", view=view_of(pins)), pins.make("fixed", view=view_of(pins, run=pins.catalog()["datasets"][0]["runs"][0]["time"]))
        live = drawn(pins, latest)
        assert live["state"] == "stale" and live["words"].startswith("No new run since 18 Apr 06Z, ") and live["key"]
        assert drawn(pins, fixed)["state"] == "fresh"


def test_many_who_ask_at_once_are_answered_or_told_to_wait(pins):
    import concurrent.futures
    pin = pins.make("Cloud", view=view_of(pins))
    with concurrent.futures.ThreadPoolExecutor(60) as pool:
        replies = list(pool.map(lambda n: picture(pins, f"{pin['id']}.jpg?width={100 + n // 4}"), range(120)))
    assert {reply.status for reply in replies} <= {200, 503} and sum(reply.status == 200 for reply in replies) >= 30
    assert all(reply.headers["Retry-After"] for reply in replies if reply.status == 503)
    assert picture(pins, f"{pin['id']}.jpg?width=100").status == 200


# Runs that land.

@pytest.fixture
def folder(tmp_path):
    folder = Folder(tmp_path / "data", tmp_path / "made")
    folder.put(0, 0, 1, 2, value=270)
    return folder


def temperature(pins, time_rule="T+1", **more):
    """A view whose colours tell one temperature from another."""
    layer = {"variable": "air_temperature", "range": [250, 300], "opacity": [[250, 0.5], [300, 0.5]]}
    return {"version": 1, "dataset": pins.catalog()["datasets"][0]["id"], "run": "latest", "time": time_rule, "layers": [layer], "map": {"coastlines": False}, **more}


class Told:
    """What a page is told of a pin, in order."""

    def __init__(self, pins, pin):
        self.pin, self.stream = pin, Stream(pins.server.url, headers={"Origin": pins.origin})
        self.stream.socket.say({"type": "pins", "watch": True})
        self.lives = []

    def __enter__(self):
        self.stream.__enter__()
        return self

    def __exit__(self, *all):
        self.stream.__exit__(*all)

    def until(self, is_so):
        while True:
            message = self.stream.take()
            for pin in message["pins"] if isinstance(message, dict) and message.get("type") == "pins" else ():
                if pin["id"] == self.pin["id"] and pin.get("live"):
                    self.lives.append(pin["live"])
                    if is_so(pin["live"]):
                        return pin["live"]


def test_a_pin_rolls_when_its_run_is_whole_and_not_before(serve, folder):
    with serve(folder.path, *NEVER_STALE) as server:
        pins = Pins(server)
        pin = pins.make("T", view=temperature(pins))
        with Told(pins, pin) as told:
            first = told.until(lambda live: live["state"] == "fresh")
            old = picture(pins, f"{pin['id']}/{first['key']}.jpg").body
            folder.put(6, 0, 1, value=290)  # the step is there, but the run is not whole
            folder.file(6, 2).write_bytes(folder.content(6, 2, 290)[:3000])  # nor is this file
            with Page(server) as page:
                page.until(lambda catalog: 6 in page.runs(catalog))
            assert live_of(pins, pin) == first
            folder.put(6, 2, value=290)
            second = told.until(lambda live: live["state"] == "fresh" and live["run"] != first["run"])
        assert {live["run"] for live in told.lives} == {first["run"], second["run"]}
        for live in told.lives:  # what is told belongs together
            assert (live["run"] == second["run"]) == (live["key"] == second["key"])
        new = picture(pins, f"{pin['id']}/{second['key']}.jpg").body
        assert new != old and picture(pins, f"{pin['id']}/{first['key']}.jpg").body == old


def test_a_file_that_is_replaced_or_deleted_shows(serve, folder):
    with serve(folder.path, *NEVER_STALE) as server:
        pins = Pins(server)
        pin, other = pins.make("T", view=temperature(pins)), pins.make("T+2", view=temperature(pins, "T+2"))
        first, still = drawn(pins, pin), drawn(pins, other)
        body = picture(pins, f"{pin['id']}/{first['key']}.jpg").body
        folder.put(0, 1, value=295)
        second = drawn(pins, pin, first["key"])
        assert second["run"] == first["run"] and picture(pins, f"{pin['id']}/{second['key']}.jpg").body != body
        assert live_of(pins, other) == still  # another step is another picture
        folder.file(0, 1).unlink()
        failed = wait_until(lambda: (live := live_of(pins, pin))["state"] == "failed" and live)
        assert failed["key"] is None and "T+1" in failed["words"]
        assert picture(pins, f"{pin['id']}.jpg").status == 409
        assert live_of(pins, other)["key"] == still["key"]
        folder.put(0, 1, value=270)
        wait_until(lambda: live_of(pins, pin)["state"] == "fresh")


def test_a_step_that_is_to_come_is_waited_for(serve, folder):
    with serve(folder.path, *NEVER_STALE, "--expected-steps", "5") as server:
        pins = Pins(server)
        pin, known = pins.make("T", view=temperature(pins, "T+4")), pins.make("T", view=temperature(pins))
        waiting = wait_until(lambda: live_of(pins, pin))
        assert waiting["state"] == "waiting" and "3 of 5" in waiting["words"] and waiting["key"] is None
        before = drawn(pins, known)
        assert before["run_complete"] is False and before["missing"] == 2
        folder.put(0, 3, 4)
        wait_until(lambda: live_of(pins, pin)["state"] == "fresh")
        after = wait_until(lambda: (live := live_of(pins, known))["run_complete"] and live)
        assert after == {**before, "run_complete": True, "missing": 0}  # the same picture
