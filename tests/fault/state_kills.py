# SPDX-License-Identifier: Apache-2.0
"""A server that is killed at random moments while pins are written, runs come and exports are made: what was acknowledged is there, each time, and in the end the
database holds together. What starts it again is a loop that only starts it again, as systemd's Restart=always does."""
import http.client
import os
import random
import shutil
import sqlite3
import threading
import time

from export_client import STAND_IN, Exports
from pin_client import Pins
from restartable import Restartable

LOST = (OSError, http.client.HTTPException)  # the server went while it was asked
WRITERS, MOST = 3, 100  # pins of a writer
MADE = ("title", "position", "group")


class Writer(threading.Thread):
    """Writes pins until it is told to end. Of each pin it knows what was acknowledged last and, where the answer was lost, what may be instead."""

    def __init__(self, port, host, seed, known):
        super().__init__(daemon=True)
        self.host, self.port, self.dice, self.known, self.ending = host, port, random.Random(seed), known, threading.Event()
        self.writes, self.refused = 0, []

    def run(self):
        server = type("Server", (), {"host": self.host, "port": self.port, "url": f"http://{self.host}:{self.port}/"})
        pins = Pins(server)
        try:
            view = pins.view()
            while not self.ending.is_set():
                self.write(pins, view)
        except LOST:
            pass

    def write(self, pins, view):
        there = [pin_id for pin_id, pin in self.known.items() if not pin["unsure"]]
        kind = self.dice.choice(("make" if len(self.known) < MOST else "put", "put", "put", "delete", "undo")) if there else "make"
        if kind == "make":
            reply = pins.ask("POST", "", {"title": f"t{self.dice.random()}", "view": view})
            self.take(reply, 201)
            return
        pin_id = self.dice.choice(there)
        known = self.known[pin_id]
        known["unsure"] = kind
        pin = {"id": pin_id, "revision": known["revision"]}
        if kind == "put" and not known["deleted"]:
            known["may_be"] = {"title": f"t{self.dice.random()}", "position": self.dice.randrange(100)}
            self.take(pins.put(pin, **known["may_be"]), 200)
        elif kind == "delete" and not known["deleted"]:
            assert pins.change("DELETE", pin).status == 204
            known.update(revision=known["revision"] + 1, deleted=True, unsure=None)
            self.writes += 1
        elif kind == "undo":
            reply = pins.change("POST", pin, {}, "/undo")
            if reply.status == 409:  # it is as it was made
                known["unsure"] = None
            else:
                self.take(reply, 200)
        else:
            known["unsure"] = None

    def take(self, reply, status):
        if reply.status != status:
            self.refused.append((reply.status, reply.body))
            raise OSError
        pin = reply.json()
        self.known[pin["id"]] = {**{name: pin[name] for name in MADE}, "revision": pin["revision"], "deleted": False, "unsure": None}
        self.writes += 1


def check(pins, known):
    """What was acknowledged is there; where the answer was lost, the next revision may be there as well. Takes over what is."""
    there = {pin["id"]: pin for pin in pins.list()}
    deleted = {pin["id"]: pin for pin in pins.list("deleted=1")}
    for own in known:
        check_own(own, there, deleted)


def check_own(known, there, deleted):
    for pin_id, was in known.items():
        pin = there.get(pin_id) or deleted.get(pin_id)
        assert pin, f"pin {pin_id} is lost"
        ahead = pin["revision"] - was["revision"]
        assert ahead == 0 or (ahead == 1 and was["unsure"]), (pin, was)
        if not ahead:
            assert (pin_id in deleted) == was["deleted"] and (was["deleted"] or all(pin[name] == was[name] for name in MADE)), (pin, was)
        elif was["unsure"] == "put":
            assert all(pin[name] == value for name, value in was["may_be"].items()), (pin, was)
        known[pin_id] = {**{name: pin[name] for name in MADE}, "revision": pin["revision"], "deleted": pin_id in deleted, "unsure": None}


def check_database(path):
    with sqlite3.connect(path) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
        rows = database.execute("SELECT revision, (SELECT count(*) FROM pin_revisions WHERE pin = sequence AND revision <= pins.revision),"
                                " (SELECT max(revision) FROM pin_revisions WHERE pin = sequence) FROM pins").fetchall()
    assert rows and all(revision == last and count == min(revision, 100) for revision, count, last in rows)


def kill_often(program, forecast, folder, kills, seed):
    shown, runs = folder / "shown", sorted(forecast.glob("*.nc"))
    shown.mkdir()
    shutil.copy(runs[0], shown)
    one = Restartable(program, folder / "server", shown, "--export-queue", kills, environment={"VIRGA_EXPORT_PROGRAM": str(STAND_IN)})
    try:
        kill_one(one, shown, runs[-1], kills, random.Random(seed))
    finally:
        if one.server and one.server.process.poll() is None:
            one.kill()
    check_database(one.server.state / "virga.db")


def write_and_kill(one, known, dice, run, jobs):
    """Writers and a client of exports, who are at it when the server is killed; how much was written."""
    exports = Exports(one.server)
    writers = [Writer(one.server.port, one.server.host, dice.random(), own) for own in known]
    for writer in writers:
        writer.start()
    if dice.random() < 0.7:
        reply = exports.post(exports.view(f"frames={dice.randrange(1, 30)} delay=0.01 size=2000"))
        assert reply.status == 201, reply.body
        jobs.append(reply.json()["id"])
    if dice.random() < 0.5:
        run()
    time.sleep(dice.uniform(0, 0.4))  # the moment of a kill, whatever is going on then
    one.kill()
    for writer in writers:
        writer.ending.set()
        writer.join(60)
        assert not writer.is_alive() and not writer.refused, writer.refused
    return sum(writer.writes for writer in writers)


def kill_one(one, shown, run, kills, dice):
    jobs, known, writes = [], [{} for _ in range(WRITERS)], 0  # each writer's pins
    one.launch()
    for _ in range(kills):
        writes += write_and_kill(one, known, dice, lambda: roll(run, shown), jobs)
        one.launch()
        check(Pins(one.server), known)
        listed = {job["id"] for job in Exports(one.server).ask("GET").json()["jobs"]}
        assert set(jobs) <= listed, "an export is lost"
    exports = Exports(one.server)
    for job_id in jobs:
        job = exports.wait(job_id)
        assert job["done"] == job["frames"]
    check(Pins(one.server), known)
    assert writes > kills  # the moments were ones that matter
    one.stop()


def roll(run, shown):
    """A run comes, or comes again: written beside it and renamed into place."""
    part = shown / f".{run.name}.part"
    shutil.copy(run, part)
    os.rename(part, shown / run.name)
