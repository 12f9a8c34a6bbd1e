# SPDX-License-Identifier: Apache-2.0
"""What the tests of bad files share: asking a server for all it offers, watching what it costs, and a player beside it."""
import collections
import json
import os
import pathlib
import subprocess
import sys
import urllib.parse

from ws_client import Closed, Socket

SURFACES = ("k0", "850hPa", "1500m", "100m-above-ground", "FL100", "300K", "max", "sum", "top:0.5", "base:0.5")
PLAYERS = pathlib.Path(__file__).resolve().parents[1] / "reference" / "ws_players.py"


class Asker:
    """One connection to a server, made anew where the server ended it. Counts answers by HTTP status."""

    def __init__(self, server, timeout=180):
        self.server, self.timeout, self.socket = server, timeout, None
        self.statuses = collections.Counter()

    def get(self, path, **query):
        """(status, body); an error's body must say why."""
        path += "?" + urllib.parse.urlencode(query) if query else ""
        for again in (True, False):
            try:
                self.socket = self.socket or Socket(self.server.host, self.server.port, self.timeout)
                status, _, body = self.socket.request(path)
                break
            except (Closed, ConnectionError):
                self.close()
                assert again, f"the connection ends at {path}"
        self.statuses[status] += 1
        if status >= 400:
            assert json.loads(body)["error"]["message"].strip(), (path, body)
        return status, body

    def json(self, path, **query):
        status, body = self.get(path, **query)
        assert status == 200, (path, status, body[:300])
        return json.loads(body)

    def close(self):
        if self.socket:
            self.socket.socket.close()
        self.socket = None


def fields(dataset):
    """(variable, its series in the latest run that has it)."""
    for variable in dataset["variables"]:
        for run in reversed(dataset["runs"]):
            if variable["id"] in run["series"]:
                yield variable, run["series"][variable["id"]]
                break


def ask_for_all(asker, dataset, variables=None):
    """Table, a brick, geometry, a profile and a map of every variable's first and last step. Gives {(variable, time): profile or error}."""
    found = {}
    for variable, series in fields(dataset):
        if variables is not None and variable["id"] not in variables:
            continue
        (lon, lat), times = dataset["grid"]["corners"][0], series["times"]
        if dataset["grid"]["nx"] * dataset["grid"]["ny"] > 1:
            lon, lat = middle(dataset)
        for step in sorted({0, len(times) - 1}):
            at = f"/bricks/{series['edition']}/0/{step}"
            if asker.get(at + "/table")[0] == 200:
                asker.get(at + "/0/0/0/0")
            status, body = asker.get("/api/sample", dataset=dataset["id"], variable=variable["id"], time=times[step], lon=lon, lat=lat, profile=1)
            found[variable["name"], times[step]] = json.loads(body) if status == 200 else json.loads(body)["error"]["message"]
            ask_for_map(asker, dataset, variable, times[step], len(found))
        geometry = (series["geometry"] or ["surface"])[0]
        asker.get(f"/api/geometry/{dataset['id']}/{geometry}")
    return found


def ask_for_map(asker, dataset, variable, time, number):
    """A tile of the whole globe and one of a quarter of it, at one surface after another; pictures, or a word why not."""
    level = {"level": SURFACES[number % len(SURFACES)]} if variable["vertical"] else {}
    for where in ("0/0/0.png", "1/1/0.png"):
        status, body = asker.get(f"/tiles/{dataset['id']}/{variable['id']}/{where}", time=time, **level)
        assert status != 200 or body[:4] == b"\x89PNG", (dataset["id"], variable["id"], level)


def middle(dataset):
    """A place inside the grid: between its first and third corner, the short way round."""
    (west, south), _, (east, north), _ = dataset["grid"]["corners"]
    return west + ((east - west + 180) % 360 - 180) / 2, max(-90, min(90, (south + north) / 2))


def children(pid):
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        found += [int(child) for child in (task / "children").read_text().split()]
    return found


def cost(server):
    """Open descriptors of the server, MiB of it, MiB of its readers, and how often readers were replaced."""
    pid = server.process.pid

    def pss(process):
        try:
            lines = pathlib.Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        except OSError:  # it ended
            return 0
        return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
    asker = Asker(server)
    restarts = asker.json("/api/stats")["readers"]["restarts"]
    asker.close()
    return {"descriptors": len(os.listdir(f"/proc/{pid}/fd")), "server": pss(pid), "readers": sum(map(pss, children(pid))), "restarts": restarts}


class Player:
    """Plays a dataset in a process of its own for some seconds; finished() gives what it saw."""

    def __init__(self, server, dataset, variable, steps, seconds):
        self.process = subprocess.Popen([sys.executable, str(PLAYERS), server.url, "player", "1", str(seconds), dataset, variable, str(steps)],
                                        stdout=subprocess.PIPE, text=True)

    def playing(self):
        return self.process.poll() is None

    def finished(self):
        out, _ = self.process.communicate(timeout=300)
        return json.loads(out)
