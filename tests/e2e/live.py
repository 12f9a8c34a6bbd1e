# SPDX-License-Identifier: Apache-2.0
"""Runs that land while a server shows them: files of one step, and waiting for what the server says of them."""
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

WAIT = 60  # seconds until a test gives up
EPOCH = numpy.datetime64("2026-01-01T00:00:00")


class Folder:
    """A folder of files of one step each, all on a grid of its own width (nx), so that it is a dataset of its own beside others'.

    `made` is a folder elsewhere in the same file system, where files are made before they are put here.
    """

    def __init__(self, path: pathlib.Path, made: pathlib.Path, nx: int = 12):
        self.path, self.made, self.nx = pathlib.Path(path), pathlib.Path(made), nx
        self.path.mkdir(parents=True, exist_ok=True)
        self.made.mkdir(parents=True, exist_ok=True)

    def beside(self, path: pathlib.Path) -> "Folder":
        """Another folder of the same grid."""
        return Folder(path, self.made, self.nx)

    def file(self, run: int, step: int) -> pathlib.Path:
        return self.path / f"{run:03}_{step:03}.nc"

    def content(self, run: int, step: int, value: float = 280.0, count: int = 1) -> bytes:
        """The bytes of steps from one on (hours after the run, which is in hours after the epoch) of a temperature that is `value` everywhere."""
        path = self.made / f".{os.getpid()}.nc"
        with netCDF4.Dataset(path, "w") as file:
            make_files.times(file, count, run + step, run)
            lat, lon = make_files.plain_axes(file, self.nx, 10)
            make_files.temperature(file, ("time", lat, lon), numpy.full((count, 10, self.nx), value, "f4"))
        content = path.read_bytes()
        path.unlink()
        return content

    def put(self, run: int, *steps: int, value: float = 280.0) -> None:
        """Renames steps into place."""
        for step in steps:
            whole = self.made / "whole"
            whole.write_bytes(self.content(run, step, value))
            os.replace(whole, self.file(run, step))


def hour_of(iso: str) -> int:
    return round((numpy.datetime64(iso.rstrip("Z")) - EPOCH) / numpy.timedelta64(1, "h"))


def iso_of(hour: int) -> str:
    return f"{EPOCH + numpy.timedelta64(hour, 'h')}Z"


class Page:
    """A websocket that hears of changes, as a page does, and looks at the dataset of one width."""

    def __init__(self, server, nx: int = 12):
        self.server, self.nx = server, nx
        self.socket = Socket(server.host, server.port, timeout=WAIT)
        assert self.socket.ask_upgrade() == 101
        self.told = []  # what the messages said: lists of ids, or None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.socket.close()

    def catalog(self) -> dict:
        with urllib.request.urlopen(self.server.url + "api/catalog", timeout=WAIT) as answer:
            return json.load(answer)

    def dataset(self, catalog: dict | None = None) -> dict | None:
        found = [d for d in (catalog or self.catalog())["datasets"] if d["grid"]["nx"] == self.nx]
        assert len(found) < 2, [d["id"] for d in found]
        return found[0] if found else None

    def runs(self, catalog: dict | None = None) -> dict[int, list[int]]:
        """{hour of the run: [hours of its steps after it]}; {} where there is no dataset."""
        dataset = self.dataset(catalog)
        return {hour_of(run["time"]): [hour_of(iso) - hour_of(run["time"]) for iso in run["series"]["air_temperature"]["times"]]
                for run in dataset["runs"]} if dataset else {}

    def edition(self, catalog: dict | None = None, step: int | None = None) -> str | None:
        """Of the first run, or of one of its steps."""
        dataset = self.dataset(catalog)
        series = dataset["runs"][0]["series"]["air_temperature"] if dataset else None
        return None if series is None else series["edition"] if step is None else series["editions"][step]

    def until(self, is_so) -> dict:
        """The first catalog of which is_so(catalog) holds, looked at after each message that it changed; fails after WAIT seconds."""
        end = time.monotonic() + WAIT
        while True:
            catalog = self.catalog()
            if is_so(catalog):
                return catalog
            assert time.monotonic() < end, f"still {self.runs(catalog)}, {catalog['problems']}:\n{self.server.stderr}"
            self.hear()

    def until_runs(self, wanted: dict) -> dict:
        """The dataset once it has exactly these runs and steps."""
        return self.dataset(self.until(lambda catalog: self.runs(catalog) == {run: list(steps) for run, steps in wanted.items()}))

    def hear(self) -> None:
        message = None
        while not isinstance(message, dict) or message.get("type") != "catalog":
            message = self.socket.next()
        self.told.append(message.get("datasets"))

    def sample(self, run: int, step: int) -> float:
        """The stored value of a step at a place."""
        url = (f"{self.server.url}api/sample?dataset={self.dataset()['id']}&variable=air_temperature&run={iso_of(run)}&time={iso_of(run + step)}"
               "&lon=-8&lat=58")
        with urllib.request.urlopen(url, timeout=WAIT) as answer:
            return json.load(answer)["source"]
