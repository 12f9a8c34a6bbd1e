# SPDX-License-Identifier: Apache-2.0
"""Exports that are killed, stopped, or run out of what they need: what was finished stays, and the same command goes on."""
import json
import os
import resource
import shutil
import signal
import subprocess

import pytest

from conftest import SANITIZER, clean_environment, release
from export_kills import finish, hidden, kill_often, pictures, start, write_view


@pytest.fixture
def forecast(demo_forecast, tmp_path):
    """A copy of its own, for what damages it."""
    shutil.copytree(demo_forecast, tmp_path / "forecast")
    return tmp_path / "forecast"


@pytest.fixture
def folder(virga, forecast, tmp_path):
    write_view(virga, forecast, tmp_path)
    return tmp_path


def first_frame(process):
    """Waits until the first frame is told of."""
    for line in process.stdout:
        if json.loads(line)["event"] == "frame":
            return
    raise AssertionError(process.stderr.read())


def failed(process, status):
    _, err = process.communicate(timeout=120)
    assert not SANITIZER.search(err), err
    assert process.returncode == status, err
    return err


def test_ten_kills(demo_forecast, tmp_path):
    kill_often(release(), demo_forecast, tmp_path, 10, seed=1)


@pytest.mark.parametrize("number, status", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_it_between_two_frames(virga, forecast, folder, number, status):
    finish(start(virga, forecast, folder, "whole"))
    process = start(virga, forecast, folder, "frames")
    first_frame(process)
    process.send_signal(number)
    err = failed(process, status)
    there = pictures(folder / "frames")
    assert 1 <= len(there) < 13
    assert f"stopped: {len(there)} of 13 frames are there; run the same again to go on" in err
    assert hidden(folder / "frames") == [".%03d.png.virga-export"]
    told = finish(start(virga, forecast, folder, "frames"))
    assert told[0]["done"] == len(there) and told[-1]["written"] == 13 - len(there)
    assert pictures(folder / "frames") == pictures(folder / "whole")


def test_a_second_signal_stops_it_at_once(virga, forecast, folder):
    process = start(virga, forecast, folder, "frames")
    first_frame(process)
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGTERM)  # either before the first was seen to, or after
    process.communicate(timeout=120)
    assert process.returncode == 143
    assert hidden(folder / "frames") == [".%03d.png.virga-export"]


def test_nobody_listens_any_more(virga, forecast, folder):
    process = start(virga, forecast, folder, "frames")
    first_frame(process)
    process.stdout.close()
    assert process.wait(120) == 1 and "nobody reads the progress any more" in process.stderr.read()


def test_a_folder_has_one_export(virga, forecast, folder):
    process = start(virga, forecast, folder, "frames")
    first_frame(process)
    process.send_signal(signal.SIGSTOP)
    assert "another virga is writing into frames" in failed(start(virga, forecast, folder, "frames"), 1)
    process.send_signal(signal.SIGCONT)
    process.communicate(timeout=600)
    assert process.returncode == 0


def test_a_file_that_may_not_grow(virga, forecast, folder):
    one_time = ("--times", "T+0", "--frames", "13")  # all is read before the first frame: shared memory counts as files
    process = start(virga, forecast, folder, "frames", *one_time)
    first_frame(process)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (1000, 1000))
    err = failed(process, 1)
    there = pictures(folder / "frames")
    assert "it is larger than this process may write" in err and 1 <= len(there) < 13
    assert f"{len(there)} of 13 frames are there; run the same again to go on" in err
    assert hidden(folder / "frames") == [".%03d.png.virga-export"]
    assert finish(start(virga, forecast, folder, "frames", *one_time))[-1]["written"] == 13 - len(there)


@pytest.fixture
def small_disk(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(disk)], capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk(virga, forecast, folder, small_disk):
    process = start(virga, forecast, folder, small_disk, "--size", "240x135")
    err = failed(process, 1)
    there = pictures(small_disk)
    assert "No space left on device; what is finished stays: make room and run the same again" in err
    assert 1 <= len(there) < 13 and f"{len(there)} of 13 frames are there" in err
    assert hidden(small_disk) == [".%03d.png.virga-export"]
    subprocess.run(["mount", "-o", "remount,size=16m", str(small_disk)], check=True)
    finish(start(virga, forecast, folder, small_disk, "--size", "240x135"))
    finish(start(virga, forecast, folder, "whole", "--size", "240x135"))
    assert pictures(small_disk) == pictures(folder / "whole")


def test_a_folder_that_cannot_be_written_to(virga, forecast, folder):
    (folder / "file").write_text("x")
    assert "cannot make the folder file/frames: Not a directory" in failed(start(virga, forecast, folder, "file/frames"), 1)
    if os.geteuid() == 0:
        assert "cannot make the folder /proc/frames: No such file" in failed(start(virga, forecast, folder, "/proc/frames"), 1)
    else:
        (folder / "locked").mkdir(mode=0o500)
        assert "cannot write into locked: Permission denied" in failed(start(virga, forecast, folder, "locked"), 1)


def test_a_forecast_that_goes_away(virga, forecast, folder):
    process = start(virga, forecast, folder, "frames", "--cache-memory", "8M", "--spool-limit", "0")
    first_frame(process)
    process.send_signal(signal.SIGSTOP)
    for file in forecast.glob("*.nc"):
        file.write_bytes(file.read_bytes()[:5000])
    process.send_signal(signal.SIGCONT)
    err = failed(process, 1)
    there = pictures(folder / "frames")
    assert 1 <= len(there) < 13 and f"{len(there)} of 13 frames are there" in err
    assert ".nc" in err


def test_a_forecast_that_has_changed_is_another_one(virga, forecast, folder):
    process = start(virga, forecast, folder, "frames")
    first_frame(process)
    process.kill()
    process.communicate()
    for file in forecast.glob("*.nc"):
        data = file.read_bytes()
        file.unlink()
        file.write_bytes(data)
    assert "another export, which was made of files that have changed since" in failed(start(virga, forecast, folder, "frames"), 1)
    finish(start(virga, forecast, folder, "frames", "--overwrite"))
    assert len(pictures(folder / "frames")) == 13
