# SPDX-License-Identifier: Apache-2.0
"""An export that is killed again and again until it is finished has the very bytes of one that nobody disturbed."""
import json
import random
import signal
import subprocess
import time

from conftest import clean_environment

FRAMES = ("--times", "T+0/T+3", "--fps", "16", "--rate", "4", "--orbit", "30", "--size", "128x72", "--progress", "json")


def write_view(program, forecast, folder):
    done = subprocess.run([program, "info", "--json", str(forecast)], capture_output=True, text=True, timeout=120, env=clean_environment(folder))
    dataset = json.loads(done.stdout)["datasets"][0]["id"]
    view = {"version": 1, "dataset": dataset, "layers": [{"variable": "cloud_area_fraction_in_atmosphere_layer"}], "map": {"coastlines": False}}
    (folder / "view.json").write_text(json.dumps(view))


def start(program, forecast, folder, out, *more):
    command = [program, "export", "view.json", str(forecast), "--out", f"{out}/%03d.png", *FRAMES, *more]
    return subprocess.Popen(command, cwd=folder, env=clean_environment(folder), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process):
    out, err = process.communicate(timeout=600)
    assert process.returncode == 0, err
    return [json.loads(line) for line in out.splitlines()]


def pictures(folder):
    return {entry.name: entry.read_bytes() for entry in folder.iterdir() if entry.suffix == ".png"}


def hidden(folder):
    return sorted(entry.name for entry in folder.iterdir() if entry.name.startswith("."))


def kill_once(process, dice, start_up, pace):
    """Kills it while it starts, or some frames later, between or while they are written. Whether it was alive by then."""
    wait = dice.uniform(0, start_up)
    if dice.random() < 0.8:
        begin = json.loads(process.stdout.readline() or "{}")
        for _ in range(dice.randrange(begin.get("frames", 1) - begin.get("done", 0) + 1)):
            process.stdout.readline()
        wait = dice.uniform(0, pace)
    try:
        process.wait(wait)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
    process.communicate()
    return process.returncode == -signal.SIGKILL


def kill_often(program, forecast, folder, kills, seed):
    """Kills `kills` times at random moments, over as many exports as that takes; each is finished and held against an undisturbed one."""
    dice = random.Random(seed)
    write_view(program, forecast, folder)
    began = time.monotonic()
    told = finish(start(program, forecast, folder, "whole"))
    start_up, pace, whole = time.monotonic() - began - told[-1]["seconds"], told[-1]["seconds"] / 13, pictures(folder / "whole")
    assert len(whole) == 13
    killed = exports = midway = 0
    while killed < kills:
        out = f"killed-{exports}"
        exports += 1
        for _ in range(6):  # six kills at most for one export, then another begins from nothing
            killed += kill_once(start(program, forecast, folder, out), dice, start_up, pace)
            there = pictures(folder / out) if (folder / out).is_dir() else {}
            midway += 0 < len(there) < len(whole)
            assert all(whole[name] == data for name, data in there.items())  # at every moment: whole or not at all
            if len(there) == len(whole) or killed == kills:
                break
        told = finish(start(program, forecast, folder, out))
        assert told[-1]["event"] == "done" and told[0]["done"] + told[-1]["written"] == 13
        assert pictures(folder / out) == whole
        assert hidden(folder / out) == [".%03d.png.virga-export"]
    assert midway  # the moments were ones that matter
