# SPDX-License-Identifier: Apache-2.0
"""Preloaded into workers by tests: how a stored chunk is read is said by a file, which may be another at any time.

VIRGA_TEST_GATE names the file: absent, chunks are read; "wait": each read waits until it says something else; "raise": it raises; "memory": it
takes memory until somebody ends the process. A read that begins leaves a file NAME.PID beside it.
"""
import os
import pathlib
import time

import zarr.storage._local as local

GATE = pathlib.Path(os.environ["VIRGA_TEST_GATE"])
ungated = local.__dict__.setdefault("_ungated", local._get)  # a worker preloads twice


def word() -> str:
    try:
        return GATE.read_text()
    except FileNotFoundError:
        return ""


def gated(path, *arguments):
    if "/c/" in str(path) and word():
        GATE.with_name(f"{GATE.name}.{os.getpid()}").touch()
        while word() == "wait":
            time.sleep(0.02)
        if word() == "raise":
            raise RuntimeError("the disk is on strike")
        held = []
        while word() == "memory":
            held.append(b"\1" * (32 << 20))
            time.sleep(0.02)
    return ungated(path, *arguments)


local._get = gated
