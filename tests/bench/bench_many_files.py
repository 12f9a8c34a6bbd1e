# SPDX-License-Identifier: Apache-2.0
"""Opening a folder of many files of one run: bench_many_files.py BUILD_FOLDER [files]. Makes its own (a step each of 200 × 200 × 30, five
variables on levels and two on the ground, hybrid height, an orography in each; deflated, and not) and prints one line a figure, medians of three.
"""
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "reference"))
import make_run

TURNS = 3


def seconds_of_info(virga, folder, state):
    start = time.monotonic()
    done = subprocess.run([virga, "info", "--json", "--state", state, folder], capture_output=True, check=True)
    taken = time.monotonic() - start
    answer = json.loads(done.stdout)
    assert len(answer["datasets"]) == 1 and not answer["problems"], "the files did not become one dataset"
    return taken


def seconds_of_serve(virga, folder, state):
    start = time.monotonic()
    server = subprocess.Popen([virga, "serve", "--listen", "127.0.0.1:0", "--state", state, folder], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        for line in server.stdout:
            if line.startswith("listening on "):
                return time.monotonic() - start
        raise SystemExit("the server did not start")
    finally:
        server.terminate()
        server.wait(30)


def main():
    build, count = pathlib.Path(sys.argv[1]).resolve(), int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    virga = build / "virga"
    base = pathlib.Path(tempfile.mkdtemp(prefix="virga-bench-"))
    try:
        for kind, deflated in (("deflated", True), ("plain", False)):
            folder = base / kind
            make_run.make_run(folder, count, deflated=deflated, values=deflated)
            size = sum(f.stat().st_size for f in folder.iterdir()) / 1e9
            info = [seconds_of_info(virga, folder, base / "state") for _ in range(TURNS)]
            serve = [seconds_of_serve(virga, folder, base / "state") for _ in range(TURNS)]
            print(f"{count} {kind} files of one run, {size:.1f} GB: virga info in {statistics.median(info):.2f} s", flush=True)
            print(f"{count} {kind} files of one run, {size:.1f} GB: virga serve listens after {statistics.median(serve):.2f} s", flush=True)
            shutil.rmtree(folder)
        print(f"processors: {len(os.sched_getaffinity(0))}")
    finally:
        shutil.rmtree(base, ignore_errors=True)


if __name__ == "__main__":
    main()
