# SPDX-License-Identifier: Apache-2.0
"""Clients in a process of their own: python3 ws_players.py URL KIND COUNT SECONDS DATASET VARIABLE STEPS. One JSON line at the end.

player   plays all steps in a loop, waiting for each step's coarsest level as a page does
seeker   jumps to another time every few milliseconds, with whatever layers, cameras and budgets
stalled  asks for everything and reads nothing
"""
import json
import random
import sys
import threading
import time

from ws_client import Closed, Stream


def play(url, seconds, dataset, variable, steps, result):
    """Four steps a second; at the loop's end the page lets go of everything and begins anew."""
    end, now, have = time.monotonic() + seconds, 0, "none"
    with Stream(url) as stream:
        while time.monotonic() < end:
            start = time.monotonic()
            stream.interest(dataset, [variable], time=now, direction=1, rate=4, steps=min(3, steps - 1), have=have)
            stream.until_done(seconds + 60)
            waited = time.monotonic() - start
            result["waits"].append(waited)
            result["bricks"].append(sum(key[1] == now for key in stream.bricks))
            assert (0, now) in stream.tables
            time.sleep(max(0, 0.25 - waited))
            now, have = (now + 1) % steps, None
            if now == 0:
                stream.forget()
                have = "none"


def seek(url, seconds, dataset, variable, steps, result):
    chance, end = random.Random(1), time.monotonic() + seconds
    with Stream(url) as stream:
        stream.socket.socket.settimeout(0.02)
        while time.monotonic() < end:
            camera = {"eye": [chance.uniform(-500, 500), chance.uniform(-500, 500), chance.uniform(1, 400)], "target": [0, 0, 0], "up": [0, 0, 1],
                      "fov": chance.uniform(10, 90), "width": 1280, "height": 720, "exaggeration": chance.uniform(1, 30)}
            stream.interest(dataset, [variable] * chance.randrange(1, 5), time=chance.randrange(steps), direction=chance.randrange(-1, 2), rate=chance.randrange(5),
                            steps=chance.randrange(9), budget=chance.choice([0, 10**6, 10**8, 10**12]), camera=chance.choice([None, camera]),
                            have=chance.choice(["none", "kept"]))
            result["seeks"] += 1
            until = time.monotonic() + 0.03
            try:
                while time.monotonic() < until:
                    stream.take()
            except TimeoutError:
                pass
        result["bytes"] += stream.bytes


def stall(url, seconds, dataset, variable, steps, result):
    with Stream(url, receive_buffer=4096) as stream:
        for _ in range(20):
            stream.interest(dataset, [variable], time=0, direction=1, rate=4, steps=min(3, steps - 1), have="none")
            time.sleep(seconds / 20)


def main():
    url, kind, count, seconds, dataset, variable, steps = sys.argv[1:]
    result = {"waits": [], "bricks": [], "seeks": 0, "bytes": 0, "errors": []}

    def one():
        try:
            {"player": play, "seeker": seek, "stalled": stall}[kind](url, float(seconds), dataset, variable, int(steps), result)
        except (AssertionError, Closed, OSError) as error:
            result["errors"].append(repr(error))
    threads = [threading.Thread(target=one) for _ in range(int(count))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps(result))


main()
