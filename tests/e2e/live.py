# SPDX-License-Identifier: Apache-2.0
"""Runs that land while a server shows them: files of one step, and waiting for what the server says of them."""
import contextlib
import json
import os
import pathlib
import sys
import time
import urllib.request

import netCDF4
import numpy

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "reference"))
import make_files  # noqa: E402
from ws_client import Socket  # noqa: E402

WAIT = 30  # seconds until a test gives up


def step_bytes(folder, run, step, value=280.0, nx=12, ny=10):
    """The bytes of a file with one step (hours after the run, which is in hours after the epoch) of a temperature that is `value` everywhere."""
    path = pathlib.Path(folder) / f".{run}-{step}-{value}.nc"
    with netCDF4.Dataset(path, "w") as file:
        make_files.times(file, 1, run + step, run)
        lat, lon = make_files.plain_axes(file, nx, ny)
        make_files.temperature(file, ("time", lat, lon), numpy.full((1, ny, nx), value, "f4"))
    content = path.read_bytes()
    path.unlink()
    return content


class Folder:
    """A folder of steps; `made` is one outside it, where their bytes are made."""

    def __init__(self, path, made):
        self.path, self.made = pathlib.Path(path), pathlib.Path(made)
        self.path.mkdir(parents=True, exist_ok=True)
        self.made.mkdir(parents=True, exist_ok=True)

    def file(self, run, step):
        return self.path / f"{run:03}_{step:03}.nc"

    def content(self, run, step, value=280.0):
        return step_bytes(self.made, run, step, value)

    def put(self, run, *steps, value=280.0):
        """Renames steps into place."""
        for step in steps:
            whole = self.made / "whole"
            whole.write_bytes(self.content(run, step, value))
            os.replace(whole, self.file(run, step))


def runs_of(catalog):
    """{hour of the run: [hours of its steps after it]} of the catalog's only dataset; {} where there is none."""
    if not catalog["datasets"]:
        return {}
    assert len(catalog["datasets"]) == 1, [d["id"] for d in catalog["datasets"]]
    series = [(run, run["series"]["air_temperature"]["seconds"]) for run in catalog["datasets"][0]["runs"]]
    epoch = 1767225600  # 2026-01-01
    starts = [hour_of(run["time"]) for run, _ in series]
    return {start: [round((s - epoch) / 3600 - start) for s in seconds] for start, (_, seconds) in zip(starts, series)}


def hour_of(iso):
    return round((numpy.datetime64(iso.rstrip("Z")) - numpy.datetime64("2026-01-01T00:00:00")) / numpy.timedelta64(1, "h"))


def latest_of(catalog):
    return hour_of(catalog["datasets"][0]["latest"]) if catalog["datasets"] else None


class Page:
    """A websocket that hears of changes, as a page does."""

    def __init__(self, server):
        self.server = server
        self.socket = Socket(server.host, server.port, timeout=WAIT)
        assert self.socket.ask_upgrade() == 101
        self.told = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.socket.close()

    def catalog(self):
        with urllib.request.urlopen(self.server.url + "api/catalog", timeout=WAIT) as answer:
            return json.load(answer)

    def until(self, is_so):
        """The first catalog of which is_so(catalog) holds, looked at after each message that it changed; fails after WAIT seconds."""
        end = time.monotonic() + WAIT
        while True:
            catalog = self.catalog()
            if is_so(catalog):
                return catalog
            assert time.monotonic() < end, f"still {runs_of(catalog)}, {catalog['problems']}:\n{self.server.stderr}"
            self.hear()

    def hear(self):
        message = {}
        while message.get("type") != "catalog":
            with contextlib.suppress(UnicodeDecodeError):
                message = self.socket.next()
            if not isinstance(message, dict):
                message = {}
        self.told.append(message.get("datasets"))

    def sample(self, run, step):
        """The stored value of a step at a place."""
        time_iso = str(numpy.datetime64("2026-01-01T00:00:00") + numpy.timedelta64(run + step, "h")) + "Z"
        run_iso = str(numpy.datetime64("2026-01-01T00:00:00") + numpy.timedelta64(run, "h")) + "Z"
        url = f"{self.server.url}api/sample?variable=air_temperature&run={run_iso}&time={time_iso}&lon=-8&lat=58"
        with urllib.request.urlopen(url, timeout=WAIT) as answer:
            return json.load(answer)["source"]
