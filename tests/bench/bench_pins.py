#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Pins written a second: bench_pins.py PROGRAM [CLIENTS] [SECONDS]. Clients, a process each, make pins and change them over HTTP, every write answered when it is on the
disk; then the server is killed and started again, and everything that was acknowledged must be there. One line a figure, the disk's own syncs beside it."""
import collections
import http.client
import json
import multiprocessing
import os
import pathlib
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

CHANGES = 9  # of each pin


def start(program, folder, state):
    process = subprocess.Popen([program, "serve", "--listen", "127.0.0.1:0", "--state", state, f"{folder}/demo"], stdout=subprocess.PIPE, text=True)
    for line in process.stdout:
        if line.startswith("listening on "):
            return process, int(line.split(":")[-1].split("/")[0])
    raise SystemExit("the server did not start")


def ask(port, method, path, body=None, revision=None):
    """Status, answer and seconds."""
    began = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Origin": f"http://127.0.0.1:{port}", "Content-Type": "application/json", **({"If-Match": f'"{revision}"'} if revision else {})}
    connection.request(method, f"/api/pins{path}", json.dumps(body) if body is not None else None, headers)
    reply = connection.getresponse()
    answer = json.loads(reply.read() or b"null")
    connection.close()
    return reply.status, answer, time.monotonic() - began


def write(port, view, until, queue):
    """Pins made and changed until a moment; puts {id: (revision, title)} as acknowledged, seconds of each, and how many were refused."""
    acknowledged, seconds, refused = {}, [], collections.Counter()
    while time.monotonic() < until:
        status, pin, took = ask(port, "POST", "", {"title": "0", "view": view})
        for n in range(CHANGES + 1):
            if status not in (200, 201):
                refused[status] += 1
                break
            seconds.append(took)
            acknowledged[pin["id"]] = (pin["revision"], pin["title"])
            if n < CHANGES and time.monotonic() < until:
                status, pin, took = ask(port, "PUT", f"/{pin['id']}", {"title": str(n + 1), "position": n}, pin["revision"])
    queue.put((acknowledged, seconds, refused))


def disk_syncs(folder, count=200):
    """Seconds of a write of 4 KiB with its sync."""
    took = []
    with open(f"{folder}/sync", "wb") as file:
        for _ in range(count):
            began = time.monotonic()
            file.write(b"x" * 4096)
            file.flush()
            os.fdatasync(file.fileno())
            took.append(time.monotonic() - began)
    return statistics.median(took)


def run(program, folder, clients, seconds, view):
    state = f"{folder}/state-{clients}"
    process, port = start(program, folder, state)
    queue, began = multiprocessing.Queue(), time.monotonic()
    writers = [multiprocessing.Process(target=write, args=(port, view, began + seconds, queue)) for _ in range(clients)]
    for writer in writers:
        writer.start()
    results = [queue.get() for _ in writers]
    took = time.monotonic() - began
    process.kill()
    process.wait()
    process, port = start(program, folder, state)
    lost = 0
    for acknowledged, _, _ in results:
        for pin_id, (revision, title) in acknowledged.items():
            status, pin, _ = ask(port, "GET", f"/{pin_id}")
            lost += status != 200 or pin["revision"] < revision or (pin["revision"] == revision and pin["title"] != title)
    process.terminate()
    process.wait()
    with sqlite3.connect(f"{state}/virga.db") as database:
        whole = database.execute("PRAGMA integrity_check").fetchone()[0]
    each = sorted(s for _, all_seconds, _ in results for s in all_seconds)
    refused = sum((r for _, _, r in results), collections.Counter())
    print(f"{clients} clients: {len(each) / took:.0f} writes/s ({len(each)} in {took:.1f} s), median {1000 * each[len(each) // 2]:.1f} ms, "
          f"p95 {1000 * each[len(each) * 95 // 100]:.1f} ms; refused {dict(refused)}; lost after a kill {lost}; integrity {whole}", flush=True)


def main():
    program, seconds = os.path.abspath(sys.argv[1]), float(sys.argv[3]) if len(sys.argv) > 3 else 5
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([program, "demo", "--out", f"{folder}/demo", "--size", "40x50x10x3", "--runs", "1", "--quiet"], check=True)
        view = json.loads(subprocess.run([program, "view", "--compact", f"{folder}/demo"], check=True, capture_output=True, text=True,
                                         env={**os.environ, "XDG_STATE_HOME": folder}).stdout)
        print(f"a sync of 4 KiB: {1000 * disk_syncs(pathlib.Path(folder)):.2f} ms; a view of {len(json.dumps(view))} bytes", flush=True)
        for clients in [int(sys.argv[2])] if len(sys.argv) > 2 else [1, 4, 16]:
            run(program, folder, clients, seconds, view)


if __name__ == "__main__":
    main()
