# SPDX-License-Identifier: Apache-2.0
"""What an export costs a viewer: bench_export_viewer.py BUILD_FOLDER [pairs of blocks [switches a block [demonstration]]] [apart].

A server shows the demonstration. A viewer changes the time over its websocket, again and again, and waits for all bricks of the step; in every other
block an export runs. Each pair of blocks shows the same steps in the same order, and which of the two comes first alternates. Printed for a server that
has the steps in memory ("warm") and one that must read them ("cold": a cache that holds next to nothing): p50 and p95 in milliseconds without and with
an export, their ratio, the median of the ratios of the single pairs, and how many frames the export drew meanwhile: where other work keeps the machine
busy, an export stands still, and the figures say nothing. "apart" (for root) sets the others aside: viewer and server are real-time processes, and the
export, which gives way to them as an idle one does on a machine of its own, comes before all others.
"""
import json
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from conftest import clean_environment, running
from export_client import Exports
from ws_client import Stream

PAUSE = 0.1  # seconds between two switches: an export gets its turn
APART = """#!/usr/bin/python3
import os, sys
os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
os.setpriority(os.PRIO_PROCESS, 0, -10)
os.execv({!r}, [a for a in sys.argv if a != "--background"])
"""
KINDS = {"warm": ("--cache-memory", "2G"), "cold": ("--cache-memory", "8M")}


def percentile(values, part):
    return sorted(values)[min(len(values) - 1, int(part * len(values)))]


class Viewer:
    def __init__(self, server):
        self.stream = Stream(server.url)
        dataset = json.load(urllib.request.urlopen(server.url + "api/catalog"))["datasets"][0]
        self.dataset, self.variable = dataset["id"], "air_temperature"
        self.steps = len(dataset["runs"][-1]["series"][self.variable]["times"])

    def switch(self, step):
        """Milliseconds until all of the step is there."""
        began = time.monotonic()
        self.stream.interest(self.dataset, [self.variable], time=step, have="none")
        self.stream.until_done()
        took = time.monotonic() - began
        assert self.stream.bricks
        self.stream.forget()
        return 1000 * took


class Job:
    """An export that goes on until it is ended. `drawn` counts the frames of all."""
    drawn = 0

    def __init__(self, exports):
        self.exports = exports
        view = exports.view(size=[1280, 720], sequence={"times": "all", "fps": 25, "rate": 0.1})
        view["captions"] = {"show": True}
        self.id = exports.make(view)
        exports.wait(self.id, ["running"], seconds=120, until=lambda job: job["done"] >= 1)
        self.before = exports.job(self.id)["done"]

    def end(self):
        Job.drawn += self.exports.job(self.id)["done"] - self.before
        assert self.exports.ask("DELETE", f"/{self.id}").status == 204


def block(viewer, steps, exports):
    job = Job(exports) if exports else None
    times = []
    for step in steps:
        times.append(viewer.switch(step))
        time.sleep(PAUSE)
    if job:
        job.end()
    return times


def set_apart(virga, folder):
    """Gives the environment of such a server."""
    os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    program = folder / "export"
    program.write_text(APART.format(str(virga)))
    program.chmod(0o755)
    return {"VIRGA_EXPORT_PROGRAM": str(program), "VIRGA_EXPORT_FOREGROUND": "1"}


def measure(virga, folder, forecast, kind, pairs, switches, environment):
    chance = random.Random(kind)
    times = {False: [], True: []}
    Job.drawn = 0
    with running(virga, folder / kind, forecast, "--message-rate", 10000, *KINDS[kind], environment=environment) as server:
        viewer, exports = Viewer(server), Exports(server)
        for step in range(viewer.steps):
            viewer.switch(step)
        for pair in range(pairs):
            steps = [chance.randrange(viewer.steps) for _ in range(switches)]
            for busy in (False, True) if pair % 2 else (True, False):
                times[busy].append(block(viewer, steps, exports if busy else None))
    ratios = [percentile(a, 0.95) / percentile(b, 0.95) for a, b in zip(times[True], times[False])]
    quiet, busy = (sum(times[key], []) for key in (False, True))
    for part in (0.5, 0.95):
        a, b = percentile(quiet, part), percentile(busy, part)
        print(f"{kind} p{100 * part:.0f}: {a:.1f} ms without, {b:.1f} ms with an export, ratio {b / a:.3f}", flush=True)
    print(f"{kind}: median of {pairs} pairs' p95 ratios {statistics.median(ratios):.3f}; {len(quiet)} switches each; {Job.drawn} frames drawn", flush=True)


def main():
    arguments = [a for a in sys.argv[1:] if a != "apart"]
    virga = pathlib.Path(arguments[0]).resolve() / "virga"
    pairs, switches = (int(n) for n in (arguments[1:3] + ["10", "30"][len(arguments[1:3]):]))
    folder = pathlib.Path(tempfile.mkdtemp(prefix="virga-bench-"))
    try:
        forecast = arguments[3] if len(arguments) > 3 else folder / "demo"
        if len(arguments) <= 3:
            subprocess.run([virga, "demo", "--quiet", "--out", forecast], check=True, env=clean_environment(folder))
        environment = set_apart(virga, folder) if "apart" in sys.argv else None
        for kind in KINDS:
            measure(virga, folder, forecast, kind, pairs, switches, environment)
    finally:
        shutil.rmtree(folder)


main()
