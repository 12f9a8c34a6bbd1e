# SPDX-License-Identifier: Apache-2.0
"""Pictures by the page in a real browser (tests/web/page_pictures.mjs)."""
import json
import pathlib
import shutil
import subprocess

import likeness

SCRIPT = pathlib.Path(__file__).resolve().parents[1] / "web" / "page_pictures.mjs"
BACK_ENDS = {"swiftshader": "SwiftShader", "llvmpipe": "llvmpipe"}


class Missing(Exception):
    """There is no browser here, or no node."""


def pictures(back_end, jobs, seconds=1500):
    """jobs: [{"url": of the server, "view": …, "out": path, "hidden": path or absent}]. Their pictures: [(out, hidden or None)]."""
    node = shutil.which("node") or shutil.which("nodejs")
    if not node:
        raise Missing("node is not installed")
    done = subprocess.run([node, SCRIPT], input=json.dumps({"back_end": back_end, "jobs": jobs}), capture_output=True, text=True,
                          timeout=seconds, cwd=SCRIPT.parent)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    if "missing" in told:
        raise Missing(told["missing"])
    assert BACK_ENDS[back_end] in told["renderer"], told["renderer"]
    assert not told["complaints"], told["complaints"]
    return [(likeness.read_png(job["out"]), likeness.read_png(job["hidden"]) if "hidden" in job else None) for job in jobs]
