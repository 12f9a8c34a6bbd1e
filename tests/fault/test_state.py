# SPDX-License-Identifier: Apache-2.0
"""The state: copied while it is written, put back, and taken over from an older virga."""
import json
import shutil
import sqlite3
import subprocess
import threading
import zlib

import pytest

from conftest import clean_environment, launched, running, wait_until
from export_client import STAND_IN, Exports
from pin_client import Pins
from state_kills import check_database

STAND_INS = {"VIRGA_EXPORT_PROGRAM": str(STAND_IN)}
FRAME = b"\x89PNG\r\n\x1a\n" + bytes(500)
# The tables of schema version 1.
OLD_TABLES = """
CREATE TABLE export_jobs (
 sequence INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, view TEXT NOT NULL,
 state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')), error TEXT NOT NULL,
 frames INTEGER NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL, jpeg INTEGER NOT NULL, attempts INTEGER NOT NULL,
 created REAL NOT NULL, began REAL NOT NULL, ended REAL NOT NULL) STRICT;
CREATE TABLE export_frames (
 job INTEGER NOT NULL REFERENCES export_jobs (sequence) ON DELETE CASCADE, number INTEGER NOT NULL, size INTEGER NOT NULL,
 crc INTEGER NOT NULL, PRIMARY KEY (job, number)) STRICT, WITHOUT ROWID;
PRAGMA user_version = 1;
"""


def backup(virga, state, out, *more):
    return subprocess.run([virga, "backup", "--state", str(state), "--out", str(out), *more], capture_output=True, text=True, timeout=120,
                          env=clean_environment(out.parent))


def write_old_state(state, view):
    """A state as version 1 left it: an export that is done, with its frames."""
    folder = state / "exports" / "00000000000000aa"
    folder.mkdir(parents=True)
    with sqlite3.connect(state / "virga.db") as database:
        database.executescript(OLD_TABLES)
        database.execute("INSERT INTO export_jobs VALUES (7, '00000000000000aa', 'old', ?, 'done', '', 2, 64, 48, 0, 0, 1.7e9, 1.7e9, 1.7e9)", [json.dumps(view)])
        for number in range(2):
            (folder / f"{number:05d}.png").write_bytes(FRAME)
            database.execute("INSERT INTO export_frames VALUES (7, ?, ?, ?)", [number, len(FRAME), zlib.crc32(FRAME)])
    database.close()


def test_an_older_state_is_brought_up_to_date(virga, demo_forecast, tmp_path):
    write_old_state(tmp_path / "state", {"version": 1})
    server = launched(virga, tmp_path, demo_forecast, "--export-keep", "0")
    try:
        exports, pins = Exports(server), Pins(server)
        job = exports.job("00000000000000aa")
        assert (job["name"], job["state"], job["frames"], job["done"]) == ("old", "done", 2, 2)
        assert exports.frames(job["id"]) == [FRAME, FRAME]
        pins.make("new")
    finally:
        assert server.stop() == 0
    check_database(tmp_path / "state" / "virga.db")


def test_what_is_wrong_leaves_an_older_state_as_it_was(virga, demo_forecast, tmp_path):
    state = tmp_path / "state"
    write_old_state(state, {"version": 1})
    with sqlite3.connect(state / "virga.db") as database:
        database.execute("CREATE TABLE pins (mine TEXT)")  # in the way of an upgrade
    database.close()
    server = launched(virga, tmp_path, demo_forecast)
    assert Pins(server).ask("GET").status == 501 and "nothing is remembered" in server.stderr
    server.stop()
    with sqlite3.connect(state / "virga.db") as database:
        assert database.execute("PRAGMA user_version").fetchone() == (1,)
        assert database.execute("SELECT count(*) FROM export_frames").fetchone() == (2,)
    database.close()


def test_a_copy_made_while_pins_are_written_is_whole(virga, demo_forecast, tmp_path):
    made, ending = [], threading.Event()
    with running(virga, tmp_path / "server", demo_forecast, environment=STAND_INS) as server:
        pins, exports = Pins(server), Exports(server)
        view = pins.view()
        job = exports.wait(exports.make(exports.view("frames=3")))
        (server.state / "note.json").write_text("{}")

        def write():
            while not ending.is_set():
                made.append(pins.make("a", view=view)["id"])

        writer = threading.Thread(target=write)
        writer.start()
        try:
            wait_until(lambda: len(made) >= 5)
            before = list(made)
            done = backup(virga, server.state, tmp_path / "copy")
        finally:
            ending.set()
            writer.join()
        assert done.returncode == 0 and "files" in done.stdout, done.stderr
        frames = exports.frames(job["id"])
    names = {entry.name for entry in (tmp_path / "copy").iterdir()}
    assert names >= {"virga.db", "exports", "note.json"} and not names & {"virga.lock", "spool", "virga.db-wal"}
    restored = tmp_path / "restored"
    restored.mkdir()
    shutil.copytree(tmp_path / "copy", restored / "state")
    server = launched(virga, restored, demo_forecast, environment=STAND_INS)
    try:
        there = {pin["id"] for pin in Pins(server).list()}
        assert set(before) <= there <= set(made)
        assert Exports(server).frames(job["id"]) == frames
    finally:
        assert server.stop() == 0
    check_database(restored / "state" / "virga.db")


def test_a_copy_can_do_without_exports_and_never_overwrites(virga, demo_forecast, tmp_path):
    with running(virga, tmp_path / "server", demo_forecast, environment=STAND_INS) as server:
        Pins(server).make()
        exports = Exports(server)
        exports.wait(exports.make(exports.view("frames=1")))
        done = backup(virga, server.state, tmp_path / "copy", "--without-exports")
        assert done.returncode == 0 and not (tmp_path / "copy" / "exports").exists()
        again = backup(virga, server.state, tmp_path / "copy")
        assert again.returncode == 2 and "already" in again.stderr
        nowhere = backup(virga, server.state, tmp_path / "absent" / "copy")
        assert nowhere.returncode == 1 and "absent" in nowhere.stderr
        nothing = backup(virga, tmp_path, tmp_path / "other")
        assert nothing.returncode == 1 and "--state" in nothing.stderr
        assert not list(tmp_path.glob("*.part"))
        (server.state / "virga.db").rename(server.state / "kept.db")
        (server.state / "virga.db").write_bytes(b"no database" * 1000)
        bad = backup(virga, server.state, tmp_path / "bad")
        assert bad.returncode == 1 and not (tmp_path / "bad").exists() and not list(tmp_path.glob("*.part"))
        (server.state / "kept.db").rename(server.state / "virga.db")


@pytest.mark.parametrize("arguments", [[], ["--nothing"]])
def test_wrong_use_is_said(virga, tmp_path, arguments):
    done = subprocess.run([virga, "backup", *arguments], capture_output=True, text=True, timeout=60, env=clean_environment(tmp_path))
    assert done.returncode == 2 and "virga backup" in done.stderr
