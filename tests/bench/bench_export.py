#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Frames a second of image sequences: bench_export.py PROGRAM [FRAMES]. Writes the demonstration forecast, then exports sequences of 360 frames
(or FRAMES) at 1280 x 720 with captions: a still camera through all times, an orbit around one time, both, and the first again as JPEG. One line a figure;
beside each the processor time a frame, of both the drawing and the writing, and the largest resident size."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

STEPS = 13  # of the demonstration


def sequences(frames):
    film = ["--times", "T+0/T+12", "--fps", str((frames - 1) / (STEPS - 1)), "--rate", "1"]
    orbit = ["--orbit", "360"]
    return {
        "film": ("png", film),
        "orbit": ("png", ["--times", "T+6", "--frames", str(frames), *orbit]),
        "film and orbit": ("png", film + orbit),
        "film, JPEG": ("jpg", film),
    }


def measure(command, folder):
    """Seconds from the first frame's beginning to the end, frames, and what the process used."""
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)
    said = [json.loads(line) for line in process.stdout]
    _, status, used = os.wait4(process.pid, 0)
    assert status == 0 and said[-1]["event"] == "done", said[-1]
    return said[-1]["seconds"], said[-1]["written"], used


def main():
    program, frames = os.path.abspath(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 360
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_STATE_HOME"] = folder
        subprocess.run([program, "demo", "--out", f"{folder}/demo", "--runs", "1", "--quiet"], check=True)
        info = json.loads(subprocess.run([program, "info", "--json", f"{folder}/demo"], check=True, capture_output=True, text=True).stdout)
        view = {"version": 1, "dataset": info["datasets"][0]["id"], "layers": [{"variable": "cloud_area_fraction_in_atmosphere_layer"}]}
        pathlib.Path(folder, "view.json").write_text(json.dumps(view))
        for name, (suffix, options) in sequences(frames).items():
            out = f"{name.replace(' ', '-')}/%04d.{suffix}"
            began = time.monotonic()
            seconds, count, used = measure([program, "export", "view.json", "demo", "--out", out, "--progress", "json", *options], folder)
            whole, busy = time.monotonic() - began, used.ru_utime + used.ru_stime
            print(f"{name}: {count / seconds:.2f} frames/s ({count} in {seconds:.1f} s, {whole:.1f} s with the start), "
                  f"{1000 * busy / count:.0f} ms of processor a frame, {used.ru_maxrss / 1024:.0f} MiB", flush=True)


if __name__ == "__main__":
    main()
