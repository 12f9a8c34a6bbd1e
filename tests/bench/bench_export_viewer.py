# SPDX-License-Identifier: Apache-2.0
"""What an export costs a viewer: bench_export_viewer.py BUILD_FOLDER [switches [minutes [demonstration]]] [warm|cold].

A server shows the demonstration and runs an export. A viewer changes the time over its websocket, one step after the
other, and waits for all bricks of it. For every other switch, in an order by chance, the export is stopped from before
to after: such a one has none beside it. A switch counts only where nothing else on the machine used the processors for
more than MOST_OF_OTHERS seconds, or started a process, shortly before and during it, as the figures would else be about
that; on a busy machine this takes long, and ends after `minutes` (10) with what there is. Printed for a server that has
the steps in memory ("warm") and for one that must read them ("cold": a cache that holds next to nothing): p50, p90 and
p95 in milliseconds without and with an export, their ratios, and how many frames the export drew: where it drew none,
the figures say nothing.
"""
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from conftest import clean_environment, running
from export_client import Exports, children_of
from switching_viewer import Viewer, percentile

PAUSE = 0.1           # seconds before a switch: the export gets its turn
LOOK = 0.04           # the last of these, in which the machine must be calm
MOST_OF_OTHERS = 0.002
KINDS = {"warm": ("--cache-memory", "2G"), "cold": ("--cache-memory", "8M")}


def processor_seconds(own):
    """Used so far by all processes that are not our own."""
    total = 0
    for process in os.listdir("/proc"):
        if not process.isdigit() or int(process) in own:
            continue
        try:
            for thread in os.listdir(f"/proc/{process}/task"):
                total += int(pathlib.Path(f"/proc/{process}/task/{thread}/schedstat").read_text().split()[0])
        except OSError:
            pass
    return total * 1e-9


def processes_started():
    return next(int(line.split()[1]) for line in open("/proc/stat") if line.startswith("processes"))


def family(process):
    """The process and all that descend from it."""
    found, todo = {process}, [process]
    while todo:
        for child in children_of(todo.pop(), ""):
            found.add(child)
            todo.append(child)
    return found


class Calm:
    """with Calm(own) as calm: … — calm.kept says afterwards whether the others left the machine alone."""

    def __init__(self, own):
        self.own = own

    def __enter__(self):
        self.used, self.started = processor_seconds(self.own), processes_started()
        return self

    def __exit__(self, *_):
        self.kept = processor_seconds(self.own) - self.used < MOST_OF_OTHERS and processes_started() == self.started


class Job:
    """An export that goes on until it is ended."""

    def __init__(self, exports):
        self.exports = exports
        view = exports.view(size=[1280, 720], sequence={"times": "all", "fps": 25, "rate": 0.1})
        view["captions"] = {"show": True}
        self.id = exports.make(view)
        exports.wait(self.id, ["running"], seconds=120, until=lambda job: job["done"] >= 1)
        self.before, self.group = self.done(), children_of(exports.server.process.pid)[0]

    def done(self):
        return self.exports.job(self.id)["done"]

    def hold(self, still):
        os.killpg(self.group, signal.SIGSTOP if still else signal.SIGCONT)

    def end(self):
        self.hold(False)
        assert self.exports.ask("DELETE", f"/{self.id}").status == 204


def switch_counted(viewer, job, beside, own):
    """Milliseconds of a switch, or None where it does not count."""
    job.hold(not beside)
    time.sleep(PAUSE - LOOK)
    with Calm(own) as before:
        time.sleep(LOOK)
    with Calm(own) as during:
        took = viewer.switch()
    job.hold(False)
    return took if before.kept and during.kept else None


def compare(viewer, job, own, switches, until):
    """{whether an export runs: milliseconds}, and how many switches did not count."""
    chance, times, spoilt = random.Random(1), {False: [], True: []}, 0
    while min(map(len, times.values())) < switches and time.monotonic() < until:
        for beside in chance.sample((False, True), 2):
            took = switch_counted(viewer, job, beside, own)
            spoilt += took is None
            times[beside] += [took] if took else []
    return times, spoilt


def measure(virga, folder, forecast, kind, switches, minutes):
    with running(virga, folder / kind, forecast, "--message-rate", 10000, *KINDS[kind]) as server:
        exports = Exports(server)
        viewer, job = Viewer(exports), Job(exports)
        own = family(server.process.pid) | {os.getpid()}
        times, spoilt = compare(viewer, job, own, switches, time.monotonic() + 60 * minutes)
        drawn = job.done() - job.before
        job.end()
    counts = f"{len(times[False])} and {len(times[True])} switches, {spoilt} did not count; {drawn} frames drawn"
    for part in (0.5, 0.9, 0.95) if all(times.values()) else ():
        without, beside = (percentile(times[key], part) for key in (False, True))
        print(f"{kind} p{100 * part:.0f}: {without:.1f} ms without, {beside:.1f} ms with an export, "
              f"ratio {beside / without:.3f}", flush=True)
    print(f"{kind}: {counts}", flush=True)


def main():
    kinds = [a for a in sys.argv[1:] if a in KINDS] or list(KINDS)
    arguments = [a for a in sys.argv[1:] if a not in KINDS]
    virga = pathlib.Path(arguments[0]).resolve() / "virga"
    switches, minutes = (float(n) for n in arguments[1:3] + ["100", "10"][len(arguments[1:3]):])
    folder = pathlib.Path(tempfile.mkdtemp(prefix="virga-bench-"))
    try:
        forecast = arguments[3] if len(arguments) > 3 else folder / "demo"
        if len(arguments) <= 3:
            subprocess.run([virga, "demo", "--quiet", "--out", forecast], check=True, env=clean_environment(folder))
        for kind in kinds:
            measure(virga, folder, forecast, kind, switches, minutes)
    finally:
        shutil.rmtree(folder)


main()
