# SPDX-License-Identifier: Apache-2.0
"""A hundred clients that play, one that seeks wildly and one that reads nothing, side by side: all are served, memory is bounded."""
import json
import os
import pathlib
import subprocess
import sys
import time
import urllib.request

import make_files
from conftest import ROOT

STEPS, SECONDS = 5, 8


def start(server, kind, count, dataset, variable):
    return subprocess.Popen([sys.executable, str(ROOT / "tests" / "reference" / "ws_players.py"), server.url, kind, str(count), str(SECONDS), dataset,
                             variable, str(STEPS)], stdout=subprocess.PIPE, text=True)


def resident(pid):
    with open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def test_players_a_seeker_and_a_stalled_client_are_served_side_by_side(serve, tmp_path):
    path = make_files.height_levels(tmp_path / "a.nc", shape=(40, 150, 150), steps=STEPS)
    with serve(path, "--cache-memory", "64M") as server:
        dataset = json.load(urllib.request.urlopen(server.url + "api/catalog"))["datasets"][0]
        variable = next(v["id"] for v in dataset["variables"] if v["vertical"])
        clients = [start(server, "stalled", 1, dataset["id"], variable), start(server, "seeker", 1, dataset["id"], variable)]
        clients += [start(server, "player", 25, dataset["id"], variable) for _ in range(4)]
        most = sessions = memory = in_flight = 0
        try:
            while any(client.poll() is None for client in clients):
                stats = json.load(urllib.request.urlopen(server.url + "api/stats", timeout=20))
                sessions = max(sessions, stats["sessions"]["now"])
                if stats["sessions"]["now"]:
                    memory = max(memory, stats["sessions"]["memory"] / stats["sessions"]["now"])
                in_flight = max(in_flight, stats["sessions"]["in_flight"])
                assert stats["store"]["memory"] <= 64 * 2**20 * 1.1
                most = max(most, resident(server.process.pid))
                time.sleep(0.2)
        finally:
            for client in clients:
                if client.poll() is None:
                    client.kill()
        results = [json.loads(client.communicate()[0]) for client in clients]
        assert [r["errors"] for r in results] == [[]] * len(results)
        assert results[1]["seeks"] > 20 and results[1]["bytes"] > 0
        waits = sorted(w for r in results[2:] for w in r["waits"])
        bricks = {b for r in results[2:] for b in r["bricks"]}
        print(f"{len(waits)} steps shown to 100 players; half waited {waits[len(waits) // 2]:.2f} s or less, the longest {waits[-1]:.2f} s; "
              f"{most / 2**20:.0f} MiB resident; {memory / 1024:.0f} KiB a session")
        assert sessions == 102
        assert len(bricks) == 1 and bricks.pop() > 0, "every player has every brick of every step"
        assert in_flight <= 102 * 2**20
        assert memory < 2**19
        if not pathlib.Path(server.process.args[0]).resolve().parent.name.endswith(("sanitize", "asan")):
            assert most < 400 * 2**20
        assert waits[-1] < SECONDS + 30
