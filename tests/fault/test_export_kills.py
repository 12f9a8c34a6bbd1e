# SPDX-License-Identifier: Apache-2.0
"""Exports through kills of the server and of what draws them, crashes, lies and damage: what is finished in the end has the same bytes."""
import http.client
import os
import pathlib
import random
import shutil
import signal
import time

import pytest

from conftest import wait_until
from export_client import FOREGROUND, STAND_IN, Exports, children_of
from restartable import Restartable

FRAMES = {"times": "all", "fps": 8}


@pytest.fixture
def restartable(virga, demo_forecast, tmp_path):
    made = []

    def make(*flags, stand_in=False, name="server", paths=demo_forecast):
        environment = {"VIRGA_EXPORT_PROGRAM": str(STAND_IN)} if stand_in else FOREGROUND
        made.append(Restartable(virga, tmp_path / name, paths, *flags, environment=environment))
        return made[-1]
    yield make
    for one in made:
        if one.server and one.server.process.poll() is None:
            one.stop()


def alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().split(") ")[1][0] not in "ZX"
    except OSError:
        return False


@pytest.fixture(scope="module")
def undisturbed(virga, demo_forecast, tmp_path_factory):
    """(view, frames, zip) of an export by virga itself that nothing disturbs."""
    one = Restartable(virga, tmp_path_factory.mktemp("undisturbed"), demo_forecast, environment=FOREGROUND)
    exports = one.start()
    view = exports.view(sequence=FRAMES)
    job_id = exports.make(view)
    job = exports.wait(job_id, seconds=120)
    result = view, exports.frames(job_id), exports.ask("GET", f"/{job_id}/zip").body
    assert job["frames"] == len(result[1]) > 4 and all(frame[:8] == b"\x89PNG\r\n\x1a\n" for frame in result[1])
    one.stop()
    return result


def test_a_killed_server_leaves_no_child_and_finishes_after_a_restart(restartable, undisturbed):
    view, frames, archive = undisturbed
    one = restartable()
    exports = one.start()
    job_id = exports.make(view, "kept")
    for done in (1, 3):
        exports.wait(job_id, ["running"], seconds=120, until=lambda job: job["done"] >= done)
        children = children_of(one.server.process.pid)
        assert children
        one.kill()
        wait_until(lambda: not any(alive(pid) for pid in children))
        exports = one.start()
    assert exports.wait(job_id, seconds=120)["name"] == "kept"
    assert exports.frames(job_id) == frames and exports.ask("GET", f"/{job_id}/zip").body == archive


def test_a_server_that_was_stopped_goes_on(restartable, undisturbed):
    view, frames, _ = undisturbed
    one = restartable()
    exports = one.start()
    job_id, waiting = exports.make(view), exports.make(view)
    exports.wait(job_id, ["running"], seconds=120, until=lambda job: job["done"] >= 2)
    children = children_of(one.server.process.pid)
    one.stop()
    assert not any(alive(pid) for pid in children)
    exports = one.start()
    for one_id in (job_id, waiting):
        exports.wait(one_id, seconds=120)
        assert exports.frames(one_id) == frames


def test_killed_children_are_started_again(restartable, undisturbed):
    view, frames, archive = undisturbed
    one = restartable()
    exports = one.start()
    job_id = exports.make(view)
    for done, how in (1, signal.SIGKILL), (2, signal.SIGTERM), (4, signal.SIGKILL):  # a system that shuts down sends the second
        exports.wait(job_id, ["running"], seconds=120, until=lambda job: job["done"] >= done)
        for pid in children_of(one.server.process.pid):
            os.kill(pid, how)
    exports.wait(job_id, ("done",), seconds=120)
    assert exports.frames(job_id) == frames and exports.ask("GET", f"/{job_id}/zip").body == archive
    assert "tried again" in one.server.stderr


def test_many_random_kills(restartable):
    """Of server or child, with a stand-in that is quick."""
    chance = random.Random(5)
    calm, one = restartable(stand_in=True, name="calm"), restartable(stand_in=True)
    exports = calm.start()
    view = exports.view("frames=60 delay=0.02 size=20000")
    frames = exports.frames(exports.wait(exports.make(view))["id"])
    exports = one.start()
    job_id = exports.make(view)
    for _ in range(10):
        time.sleep(chance.random() * 0.3)  # the moment of a kill, whatever is going on then
        if exports.job(job_id)["state"] == "done":
            break
        if chance.random() < 0.5:
            for pid in children_of(one.server.process.pid):
                os.kill(pid, signal.SIGKILL)
        else:
            one.kill()
            exports = one.start()
    exports.wait(job_id)
    assert exports.frames(job_id) == frames


def test_a_child_that_crashes_each_time_fails_with_its_last_words(restartable):
    exports = restartable(stand_in=True).start()
    job = exports.wait(exports.make(exports.view("frames=3 crash=1")), ["failed"])
    assert "status 3" in job["error"] and "out of luck" in job["error"] and job["done"] == 1
    job = exports.wait(exports.make(exports.view("frames=3 lie=1")), ["failed"])
    assert "0 of 3 frames" in job["error"]
    job = exports.wait(exports.make(exports.view("frames=3 error=2")), ["failed"])
    assert job["error"] == "frame 2 cannot be made: the files are gone" and job["done"] == 2


def test_a_child_that_dies_once_is_forgiven(restartable):
    exports = restartable(stand_in=True).start()
    assert exports.wait(exports.make(exports.view("frames=4 die=2 noise=1")))["done"] == 4


def test_a_program_that_is_not_there_fails_the_job(restartable, tmp_path):
    one = restartable(name="no-program")
    one.environment["VIRGA_EXPORT_PROGRAM"] = str(tmp_path / "nothing")
    exports = one.start()
    job = exports.wait(exports.make(exports.view()), ["failed"])
    assert "127" in job["error"]


def test_a_vanished_forecast_is_the_jobs_failure(demo_forecast, tmp_path, restartable):
    data = tmp_path / "data"
    shutil.copytree(demo_forecast, data)
    one = restartable(paths=data)
    exports = one.start()
    view = exports.view(sequence=FRAMES)
    for path in data.iterdir():
        path.unlink()
    job = exports.wait(exports.make(view), ["failed"], seconds=120)
    assert job["error"] and job["done"] == 0
    one.stop()


def test_a_damaged_database_is_moved_aside(restartable):
    one = restartable(stand_in=True)
    exports = one.start()
    exports.wait(exports.make(exports.view("frames=2")))
    one.stop()
    state = one.folder / "state"
    (state / "virga.db").write_bytes(b"this is no database" * 1000)
    exports = one.start()
    assert exports.ask("GET").json()["jobs"] == [] and "is damaged" in one.server.stderr
    assert list(state.glob("virga.db.damaged-*")) and list(state.glob("exports.damaged-*/*/00001.png"))
    assert exports.wait(exports.make(exports.view("frames=1")))["done"] == 1


def test_two_servers_of_one_state_folder_do_not_share_it(restartable):
    first, second = restartable(stand_in=True), restartable(stand_in=True)
    exports = first.start()
    other = second.start()
    assert other.ask("GET").status == 501 and "--state" in other.ask("GET").message and "another server" in second.server.stderr
    assert exports.wait(exports.make(exports.view("frames=1")))["done"] == 1
    first.stop()
    second.stop()
    assert Exports(restartable(stand_in=True).start().server).ask("GET").json()["jobs"]


def test_files_that_are_taken_away_are_made_again_or_missing(restartable):
    one = restartable(stand_in=True)
    exports = one.start()
    done, cut = exports.make(exports.view("frames=3")), exports.make(exports.view("frames=3 hang=2"))
    exports.wait(done)
    exports.wait(cut, ["running"], until=lambda job: job["done"] == 2)
    folder = one.folder / "state" / "exports"
    (folder / done / "00001.png").unlink()
    assert exports.ask("GET", f"/{done}/frames/1").status == 404
    with pytest.raises(http.client.IncompleteRead):
        exports.ask("GET", f"/{done}/zip", timeout=10)  # begun, and cut off: what was promised is not there
    one.kill()
    (folder / cut / "00000.png").unlink()
    exports = one.start()
    job = exports.wait(cut, ["running"], until=lambda job: job["done"] == 2)  # 0 anew, and 1
    assert exports.ask("GET", f"/{cut}/frames/0").status == 200 and job["bytes"] == 2000
