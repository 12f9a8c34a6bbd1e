# SPDX-License-Identifier: Apache-2.0
"""From the last byte of a step's file to that step on the screen of a connected page: bench_live.py BUILD_FOLDER [steps, 39].

The demonstration (160 × 200 columns, 38 levels, 13 steps a run), a file a step, in watched folders. Steps land one after another, in turn written
where they are and renamed into place, each when the picture of the one before is no longer improved; the page in headless Chromium (software drawing, on the
same machine) goes to each as soon as it is told.
Prints p50, p95 and the slowest, and the same for when a client of the websocket hears of it.
"""
import contextlib
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "reference"))
import netCDF4
from ws_client import Closed, Socket

HERE = pathlib.Path(__file__).resolve().parent


def split(source, folder):
    """A file for each time of a demonstration's file: [(valid time, run, path)] in order."""
    made = []
    with netCDF4.Dataset(source) as whole:
        times = whole["time"]
        run = netCDF4.num2date(whole["forecast_reference_time"][...].item(), whole["forecast_reference_time"].units)
        for n, moment in enumerate(netCDF4.num2date(times[:], times.units)):
            path = folder / f"{run.strftime('%Y%m%dT%H')}_{n:03}.nc"
            copy_time(whole, path, n)
            made.append((moment.strftime("%Y-%m-%dT%H:%M:%SZ"), run.strftime("%Y-%m-%dT%H:%M:%SZ"), path))
    return made


def copy_time(whole, path, n):
    with netCDF4.Dataset(path, "w") as part:
        part.setncatts({name: whole.getncattr(name) for name in whole.ncattrs()})
        for name, dimension in whole.dimensions.items():
            part.createDimension(name, 1 if name == "time" else len(dimension))
        for name, variable in whole.variables.items():
            attributes = {key: variable.getncattr(key) for key in variable.ncattrs()}
            new = part.createVariable(name, variable.dtype, variable.dimensions, fill_value=attributes.pop("_FillValue", None), zlib=variable.ndim > 2, complevel=1)
            new.setncatts(attributes)
            variable.set_auto_maskandscale(False)
            new.set_auto_maskandscale(False)
            new[...] = variable[n:n + 1] if "time" in variable.dimensions else variable[...]


def land(content, place, folder, rename):
    """Puts a file there; gives the wall clock when its last byte was there."""
    if rename:
        part = folder / ".part"
        part.write_bytes(content)
        os.replace(part, place)
        return time.time()
    with open(place, "wb") as file:
        file.write(content)
    return time.time()


class Lines(threading.Thread):
    """Lines of JSON that a process prints, kept as they come."""

    def __init__(self, stream):
        super().__init__(daemon=True)
        self.stream, self.lines, self.came = stream, [], threading.Condition()
        self.start()

    def run(self):
        for line in self.stream:
            with self.came:
                self.lines.append(json.loads(line))
                self.came.notify_all()

    def wait(self, is_it, seconds=60):
        end = time.monotonic() + seconds
        with self.came:
            while True:
                found = next((line for line in self.lines if is_it(line)), None)
                if found:
                    return found
                if not self.came.wait(max(0, end - time.monotonic())):
                    raise SystemExit("the page did not show the step")


class Ears(threading.Thread):
    """When a websocket hears of a change."""

    def __init__(self, url):
        super().__init__(daemon=True)
        host, port = url.split("/")[2].split(":")
        self.socket, self.heard = Socket(host, int(port), timeout=600), []
        self.socket.ask_upgrade()
        self.start()

    def run(self):
        with contextlib.suppress(Closed, OSError):
            while True:
                message = self.socket.next()
                if isinstance(message, dict) and message.get("type") == "catalog":
                    self.heard.append(time.time())


def said(name, seconds):
    ordered = sorted(seconds)
    p95 = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    print(f"{name}: p50 {1000 * statistics.median(ordered):.0f} ms, p95 {1000 * p95:.0f} ms, slowest {1000 * ordered[-1]:.0f} ms, of {len(ordered)} steps")


def main():
    build, most = pathlib.Path(sys.argv[1]).resolve(), int(sys.argv[2]) if len(sys.argv) > 2 else 39
    os.environ["no_proxy"] = "*"
    with tempfile.TemporaryDirectory(prefix="virga-bench-") as name:
        folder = pathlib.Path(name)
        subprocess.run([build / "virga", "demo", "--quiet", "--runs", "4", "--out", folder / "demo"], check=True)
        watched, made = folder / "watched", folder / "made"
        watched.mkdir(), made.mkdir()
        steps = [step for file in sorted((folder / "demo").rglob("*.nc")) for step in split(file, made)]
        steps.sort(key=lambda step: (step[1], step[0]))
        first = [step for step in steps if step[1] == steps[0][1]]
        for _, _, path in first:
            os.replace(path, watched / path.name)
        virga = subprocess.Popen([build / "virga", "serve", "--listen", "127.0.0.1:0", "--state", folder / "state", "--expected-steps", "1", watched],
                                 stdout=subprocess.PIPE, stderr=open(folder / "log", "wb"), text=True)
        page = None
        try:
            url = next(line.split()[2] for line in virga.stdout if line.startswith("listening"))
            page = subprocess.Popen(["node", HERE / "page_live.mjs", url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            lines, ears = Lines(page.stdout), Ears(url)
            lines.wait(lambda line: line.get("open"), 180)
            shown, told = [], []
            for n, (iso, run, path) in enumerate(steps[len(first):len(first) + most]):
                content, before = path.read_bytes(), len(ears.heard)
                ended = land(content, watched / path.name, made, rename=n % 2)
                line = lines.wait(lambda line, iso=iso, run=run: line.get("iso") == iso and line.get("run") == run)
                shown.append(line["at"] / 1000 - ended)
                told.extend(at - ended for at in ears.heard[before:before + 1])
                lines.wait(lambda line, key=f"{run} {iso}": line.get("rests") == key)
            said("told", told)
            said("on screen", shown)
        finally:
            if page:
                page.stdin.close()
                page.wait()
            virga.terminate()
            virga.wait()


main()
