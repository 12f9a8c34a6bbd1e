# SPDX-License-Identifier: Apache-2.0
"""Time and field switches of many viewers at once: bench_switch.py BUILD_FOLDER [clients [seconds [demonstration]]].

A server shows the demonstration, all of whose volumes and steps it has in memory. Each of 100 clients is a page's websocket: it asks for another step or
another variable by chance (an interest in the whole volume from the page's first camera, which holds nothing yet, so that every brick that the camera can see
comes, down to the finest level), takes in and acknowledges all batches, and waits a second, half to one and a half, before the next. Measured is the
time from sending the interest until its "done" has come, behind all its bricks. The clients are one C program on the same machine (bench_stream switch).
Printed: p50, p95 and the longest in milliseconds, switches a second and bytes a switch; for one client, for all, and for all without a pause, which is as
much as server and clients can do.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from conftest import clean_environment, running
from ws_client import Stream

CAMERA = {"eye": [-239.6, -1374.8, 80.3], "target": [98.9, -72.9, -4.3], "up": [0, 0, 1], "fov": 40, "width": 1280, "height": 720, "exaggeration": 12}


def interests(dataset):
    """The messages: every volume at every step of the latest run."""
    run = dataset["runs"][-1]
    for variable in (v["id"] for v in dataset["variables"] if v["vertical"]):
        for step in range(len(run["series"][variable]["times"])):
            yield {"type": "interest", "generation": 1, "dataset": dataset["id"], "run": run["time"], "member": 0, "time": step, "direction": 0, "rate": 0, "steps": 0,
                   "camera": CAMERA, "budget": 1 << 40, "max_level": 0, "have": "none", "layers": [{"variable": variable, "opacity": None}]}


def warm(url, messages):
    with Stream(url) as stream:
        for message in messages:
            stream.socket.say(message)
            stream.generation = 1
            stream.until_done()
            stream.forget()


def measure(client, url, clients, seconds, file, pause):
    host, port = url.split("/")[2].split(":")
    done = subprocess.run([client, "switch", host, port, str(clients), str(seconds), str(file), str(pause)], check=True, capture_output=True, text=True)
    switches = [line.split() for line in done.stdout.splitlines()]
    times = sorted(float(t) for t, _ in switches)
    p50, p95 = (times[min(len(times) - 1, int(part * len(times)))] for part in (0.5, 0.95))
    mean = sum(int(b) for _, b in switches) / len(switches)
    print(f"{clients} clients, pause {pause} s: p50 {p50:.1f} ms, p95 {p95:.1f} ms, longest {times[-1]:.1f} ms; {len(times) / (0.7 * seconds):.0f} switches/s of "
          f"{mean / 1e3:.0f} kB", flush=True)


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    clients, seconds = (int(n) for n in (sys.argv[2:4] + ["100", "15"][len(sys.argv[2:4]):]))
    folder = pathlib.Path(tempfile.mkdtemp(prefix="virga-bench-"))
    os.environ["no_proxy"] = "*"
    try:
        forecast = sys.argv[4] if len(sys.argv) > 4 else folder / "demo"
        if len(sys.argv) <= 4:
            subprocess.run([build / "virga", "demo", "--quiet", "--out", forecast], check=True, env=clean_environment(folder))
        with running(build / "virga", folder / "server", forecast, "--cache-memory", "2G", "--message-rate", "10000") as server:
            dataset = json.load(urllib.request.urlopen(server.url + "api/catalog"))["datasets"][0]
            messages = list(interests(dataset))
            warm(server.url, messages)
            (folder / "interests").write_text("".join(json.dumps(m) + "\n" for m in messages))
            for count, pause in ((1, 0.05), (clients, 1), (clients, 0)):
                measure(build / "tests" / "bench" / "bench_stream", server.url, count, seconds, folder / "interests", pause)
    finally:
        shutil.rmtree(folder)


main()
