# SPDX-License-Identifier: Apache-2.0
"""A wall of pins whose run rolls, and what that costs a viewer: bench_wall.py BUILD_FOLDER [rolls [demonstration]].

A server shows the demonstration's first run and 100 pins of the latest run: five variables at four lead times, from five sides. Its second run is renamed into
place, time after time: pages are told of each pin, fetch its new picture, and p50, p95 and the largest time from the renaming to the picture's last byte are printed
for each roll and for all. Between two rolls the file is deleted, and the pins go back. Each time it is another file, so that nothing of it is known.

Meanwhile a viewer of the first run changes the time. Rolls and times without any take turns; the viewer's p50 and p95 in both, and their ratio, are printed. Of a
roll only switches that began while pins still had to be drawn count. The viewer stands for one whose machine is not the server's: it runs as soon as there is something
for it (at real-time priority, for which this needs root or CAP_SYS_NICE), and does not wait for a processor that the server's threads use.
"""
import concurrent.futures
import http.client
import json
import math
import multiprocessing
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import types

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from conftest import clean_environment, running
from export_client import children_of
from pin_client import Pins
from switching_viewer import Viewer, percentile
from ws_client import Closed, Stream

VARIABLES = ("cloud_area_fraction_in_atmosphere_layer", "mass_fraction_of_cloud_liquid_water_in_air", "mass_fraction_of_rain_in_air", "air_temperature", "relative_humidity")
LEADS = (0, 3, 6, 12)
SIDES = 5
PAUSE = 0.05          # seconds between two switches


def views(pins, virga, forecast, folder):
    """As the page would make them: the default camera turned around its target."""
    done = subprocess.run([virga, "view", forecast], check=True, capture_output=True, env=clean_environment(folder))
    view = json.loads(done.stdout)
    eye, target = view["camera"]["eye"], view["camera"]["target"]
    away = [eye[n] - target[n] for n in range(2)]
    for variable in VARIABLES:
        for lead in LEADS:
            for side in range(SIDES):
                angle = math.radians(-40 + 20 * side)
                turned = (away[0] * math.cos(angle) - away[1] * math.sin(angle), away[0] * math.sin(angle) + away[1] * math.cos(angle))
                camera = {**view["camera"], "eye": [target[0] + turned[0], target[1] + turned[1], eye[2]]}
                yield {**view, "dataset": pins.catalog()["datasets"][0]["id"], "run": "latest", "time": f"T+{lead}", "layers": [{"variable": variable}], "camera": camera}


class Wall:
    """A page that is told of all pins and fetches each new picture, on threads of its own."""

    def __init__(self, pins):
        self.pins, self.lock = pins, threading.Condition()
        self.shown = {}     # pin: (run, when its picture had come)
        self.pool, self.local = concurrent.futures.ThreadPoolExecutor(4), threading.local()
        self.stream = Stream(pins.server.url, headers={"Origin": pins.origin})
        self.stream.socket.say({"type": "pins", "watch": True})
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            try:
                message = self.stream.take()
            except (Closed, OSError):  # the server ends
                return
            for pin in message["pins"] if isinstance(message, dict) and message.get("type") == "pins" else ():
                live = pin.get("live") or {}
                if live.get("state") in ("fresh", "stale"):
                    self.pool.submit(self.fetch, pin["id"], live)

    def fetch(self, pin, live):
        if not hasattr(self.local, "connection"):
            self.local.connection = http.client.HTTPConnection(self.pins.server.host, self.pins.server.port)
        self.local.connection.request("GET", f"/pin/{pin}/{live['key']}.jpg")
        answer = self.local.connection.getresponse()
        body = answer.read()
        with self.lock:
            if answer.status == 200 and body.endswith(b"\xff\xd9") and self.shown.get(pin, ("",))[0] != live["run"]:
                self.shown[pin] = (live["run"], time.monotonic())
                self.lock.notify()

    def lacking(self, run):
        return sum(shown[0] != run for shown in self.shown.values())

    def wait(self, run, seconds=120):
        """When each had a picture of this run."""
        with self.lock:
            assert self.lock.wait_for(lambda: not self.lacking(run), seconds), f"{self.lacking(run)} pins did not roll"
            return [when for _, when in self.shown.values()]


KINDS = ("", "alone", "roll")  # what goes on; the first does not count


def run_at_once():
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except PermissionError:
        print("viewer's switch: times count what the viewer waits for a processor, as this may not run at real-time priority", flush=True)


def switch_on(server, kind, ended, results):
    """A viewer that changes the time again and again: milliseconds by what went on meanwhile."""
    run_at_once()
    viewer, times = Viewer(Pins(server)), {name: [] for name in KINDS}
    while not ended.value:
        time.sleep(PAUSE)
        began = KINDS[kind.value]
        took = viewer.switch()
        times[began].append(took)
    results.put(times)


class Switches:
    """A viewer in a process of its own, as threads of a Python wait for one another."""

    def __init__(self, server):
        self.kind, self.ended, self.results = multiprocessing.Value("i", 0), multiprocessing.Value("i", 0), multiprocessing.Queue()
        self.process = multiprocessing.Process(target=switch_on, args=(server, self.kind, self.ended, self.results))
        self.process.start()

    def while_it_is(self, kind):
        self.kind.value = KINDS.index(kind)

    def end(self):
        self.ended.value = 1
        self.times = self.results.get(timeout=60)
        self.process.join()


def processor_seconds(pid):
    """Of the server and its readers."""
    found = 0.0
    for process in (pid, *children_of(pid, "")):
        fields = pathlib.Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
        found += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return found


def roll(wall, switches, source, there, runs):
    """Seconds from the renaming to each pin's picture, and those that processors worked for them."""
    made = there.with_name(".made")
    shutil.copyfile(source, made)
    switches.while_it_is("roll")
    worked = processor_seconds(wall.pins.server.process.pid)
    began = time.monotonic()
    os.replace(made, there)
    took = sorted(when - began for when in wall.wait(runs[1]))
    worked = processor_seconds(wall.pins.server.process.pid) - worked
    switches.while_it_is("")
    there.unlink()
    wall.wait(runs[0])
    return took, worked


def tell(name, seconds, more=""):
    print(f"{name}: {len(seconds)} pictures, p50 {percentile(seconds, 0.5):.2f} s, p95 {percentile(seconds, 0.95):.2f} s, last {seconds[-1]:.2f} s{more}", flush=True)


def measure(virga, folder, forecast, rolls):
    files, shown = sorted(forecast.glob("*.nc")), folder / "shown"
    shown.mkdir()
    shutil.copyfile(files[0], shown / "first.nc")
    with running(virga, folder / "server", shown, "--message-rate", 10000, "--stale-after", "3650d", "--cache-memory", "1G") as server:
        pins = Pins(server)
        first = pins.catalog()["datasets"][0]["latest"]
        switches = Switches(types.SimpleNamespace(url=server.url, host=server.host, port=server.port))
        os.nice(10)  # this page stands for others, which do not run on the server's machine
        wall = Wall(pins)
        ids = [pins.make(f"pin {n}", view=view)["id"] for n, view in enumerate(views(pins, virga, shown, folder))]
        wall.shown = {pin: wall.shown.get(pin, ("", 0)) for pin in ids}
        wall.wait(first)
        second = subprocess.run([virga, "info", "--json", files[1]], check=True, capture_output=True, text=True, env=clean_environment(folder)).stdout
        runs = (first, json.loads(second)["datasets"][0]["latest"])
        all_of_them = []
        for number in range(rolls):
            switches.while_it_is("alone")
            time.sleep(4)
            took, worked = roll(wall, switches, files[1], shown / "second.nc", runs)
            tell(f"roll {number + 1}", took, f"; {worked:.2f} s of processors")
            all_of_them += took
        switches.end()
    tell("all", sorted(all_of_them))
    for part in (0.5, 0.95):
        alone, beside = (percentile(switches.times[kind], part) for kind in ("alone", "roll"))
        print(f"viewer's switch, p{100 * part:.0f}: {alone:.2f} ms alone, {beside:.2f} ms while pins roll, ratio {beside / alone:.2f} "
              f"({len(switches.times['alone'])} and {len(switches.times['roll'])} switches)", flush=True)


def main():
    virga, rolls = pathlib.Path(sys.argv[1]).resolve() / "virga", int(sys.argv[2]) if len(sys.argv) > 2 else 5
    folder = pathlib.Path(tempfile.mkdtemp(prefix="virga-bench-"))
    try:
        forecast = pathlib.Path(sys.argv[3]) if len(sys.argv) > 3 else folder / "demo"
        if len(sys.argv) <= 3:
            subprocess.run([virga, "demo", "--quiet", "--out", forecast], check=True, env=clean_environment(folder))
        measure(virga, folder, forecast, rolls)
    finally:
        shutil.rmtree(folder)


main()
