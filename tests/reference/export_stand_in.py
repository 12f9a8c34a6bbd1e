#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Stands in for `virga export` where a test needs one that misbehaves: frames that depend on the view alone, told of as `--progress json` does.
The view's captions.title says what to do, as words NAME=NUMBER (frames, delay, size, crash, hang, error, garbage, deaf):

frames=N   pictures in all (3)          delay=S    seconds for each (0)          size=B     bytes of each (1000)
crash=N    ends with status 3 before frame N, each time; die=N kills itself there with SIGKILL, the first time only
error=N    says that it failed before frame N       hang=N     sleeps there for ever       lie=1      says "done" without its frames
noise=1    writes lines that are no events, long ones too, and many to standard error
"""
import json
import os
import pathlib
import random
import signal
import sys
import time


def say(**event):
    print(json.dumps(event), flush=True)


def picture(view, number, size):
    return random.Random(f"{json.dumps(view, sort_keys=True)} {number}").randbytes(size)


def write_whole(path, data):
    part = path.with_name(f".{path.name}.part")
    with open(part, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)


def main():
    arguments = dict(a[2:].split("=", 1) for a in sys.argv if a.startswith("--") and "=" in a)
    view = json.load(sys.stdin)
    words = dict(w.split("=") for w in view.get("captions", {}).get("title", "").split() if "=" in w)
    wish = {name: float(number) for name, number in words.items()}
    folder, pattern = os.path.split(arguments["out"])
    folder = pathlib.Path(folder.replace("%%", "%"))
    frames, died = int(wish.get("frames", 3)), folder / ".died"
    say(event="begin", frames=frames, done=0, size=view.get("size", [1280, 720]), out=arguments["out"])
    for number in range(frames):
        path = folder / (pattern % number)
        if path.exists():
            continue
        if wish.get("noise"):
            print("x" * 100000, "\n{\"event\": 5}\n[[[[\n\0", flush=True)
            print("a warning\n" * 1000, file=sys.stderr, flush=True)
        if wish.get("crash") == number:
            print("out of luck", file=sys.stderr)
            sys.exit(3)
        if wish.get("die") == number and not died.exists():
            died.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if wish.get("error") == number:
            say(event="error", message=f"frame {number} cannot be made: the files are gone")
            sys.exit(1)
        if wish.get("hang") == number:
            time.sleep(3600)
        time.sleep(wish.get("delay", 0))
        if not wish.get("lie"):
            write_whole(path, picture(view, number, int(wish.get("size", 1000))))
            say(event="frame", frame=number, file=path.name, bytes=path.stat().st_size)
    say(event="done", frames=frames, written=frames, seconds=0.0)


if __name__ == "__main__":
    main()
