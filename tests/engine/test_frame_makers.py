# SPDX-License-Identifier: Apache-2.0
"""What a worker keeps of exports: no process and no folder of one whose exporter was killed."""

from __future__ import annotations

import json
import os
import signal
import tempfile

import pytest
from processes import until

from virga_engine.frame_on_worker import Kept, Maker, _try

RECORD = '{"program": "virga test"}'
JOB = {"view": "{}", "arguments": [], "paths": [], "record": RECORD}
# Says what a virga says that serves frames: its record, then for each number a frame of one byte.
PROGRAM = f"""#!/usr/bin/env python3
import struct, sys
out = sys.stdout.buffer
out.write(struct.pack("<IIQ", 2**32 - 1, 0, {len(RECORD)}) + {RECORD.encode()!r})
out.flush()
for line in sys.stdin:
    if line.strip() == "9":
        break
    out.write(struct.pack("<IIQ", int(line), 0, 1) + b"x")
    out.flush()
"""


@pytest.fixture
def made(tmp_path, monkeypatch):
    """Makes a Maker that has drawn: it, its folder, its process's number."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    program = tmp_path / "virga"
    program.write_text(PROGRAM)
    program.chmod(0o755)

    def make():
        maker = Maker(str(program), json.loads(json.dumps(JOB)))
        assert maker.draw(1) == (0, b"x")
        return maker, maker._folder.name, maker._process.pid
    return make


def gone(folder: str, pid: int) -> bool:
    """No zombie either."""
    return not os.path.exists(folder) and not os.path.exists(f"/proc/{pid}")


def kill(maker: Maker, pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


def test_what_is_kept_is_taken_again(made):
    kept, (maker, folder, pid) = Kept(), made()
    kept.put("job", maker)
    assert kept.take("another") is None and kept.take("job") is maker and kept.take("job") is None
    kept.put("job", maker)
    kept.end("job")
    assert gone(folder, pid)
    late, *where = made()
    kept.put("job", late)
    assert gone(*where) and kept.take("job") is None


@pytest.mark.parametrize("look", ["take", "put"])
def test_one_that_ended_goes_at_the_next_look(made, look):
    kept, (maker, folder, pid), (other, *where) = Kept(), made(), made()
    kept.put("killed", maker)
    kill(maker, pid)
    assert kept.take("other") is None if look == "take" else kept.put("other", other) is None
    assert gone(folder, pid) and kept.take("killed") is None
    other.end()
    assert gone(*where)


def test_one_without_work_goes_by_itself(made):
    kept, (maker, folder, pid) = Kept(0.1), made()
    kept.put("forgotten", maker)
    until(lambda: gone(folder, pid), "a virga that nobody wants to be ended")
    until(lambda: not kept._looks, "a timer that rests")


def test_one_that_ends_when_it_is_asked_gives_way(made):
    maker, folder, pid = made()
    assert _try(maker, "virga", 9, "here") is None and gone(folder, pid)
    killed, *where = made()
    kill(killed, where[1])
    with pytest.raises(OSError, match="signal 9 on the worker here"):
        _try(killed, "virga", 2, "here")
    assert gone(*where)
