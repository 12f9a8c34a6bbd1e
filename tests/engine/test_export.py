# SPDX-License-Identifier: Apache-2.0
"""`virga export --engine …`: frames drawn by a cluster's workers are those that this machine draws, byte for byte, whatever becomes of workers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import clean_environment, release
from processes import Process, alive, descendants, scheduler, until, worker

FRAMES = 24


@pytest.fixture(scope="module")
def forecast(tmp_path_factory):
    """A forecast, a view of it, and the frames that this machine draws."""
    folder = tmp_path_factory.mktemp("forecast")
    environment = clean_environment(folder)
    subprocess.run([release(), "demo", "--out", str(folder / "demo"), "--size", "60x48x20x4"], check=True, capture_output=True, env=environment)
    view = subprocess.run([release(), "view", str(folder / "demo")], check=True, capture_output=True, env=environment).stdout
    (folder / "view.json").write_bytes(view)
    done = export(folder, folder / "local", "--engine=none")
    assert done.returncode == 0, done.stderr
    return folder


def command(folder: Path, out: Path, *options: str) -> list[str]:
    return [release(), "export", str(folder / "view.json"), str(folder / "demo"), f"--frames={FRAMES}", "--orbit=90", "--size=320x180",
            "--progress=json", f"--out={out}/%04d.png", *options]


def export(folder: Path, out: Path, *options: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess:
    return subprocess.run(command(folder, out, *options), capture_output=True, text=True, timeout=120,
                          env=clean_environment(folder, **(environment or {})))


def assert_same(forecast: Path, out: Path) -> None:
    """All files, the record too, are those of the local export."""
    names = sorted(path.name for path in (forecast / "local").iterdir())
    assert len(names) == FRAMES + 1 and names == sorted(path.name for path in out.iterdir())
    for name in names:
        assert (out / name).read_bytes() == (forecast / "local" / name).read_bytes(), name


def frames_told(text: str) -> list[int]:
    events = [json.loads(line) for line in text.splitlines()]
    return [event["frame"] for event in events if event["event"] == "frame"]


def own_worker(folder: Path, address: str, name: str, **environment: str) -> Process:
    return worker(folder, address, name, environment={"VIRGA_PROGRAM": release(), "HOME": str(folder), **environment})


@pytest.fixture
def cluster(tmp_path):
    process, address = scheduler(tmp_path)
    with process:
        yield address


def test_a_killed_workers_frames_are_done_again_once(forecast, cluster, tmp_path):
    out = tmp_path / "frames"
    with own_worker(tmp_path, cluster, "one") as one, own_worker(tmp_path, cluster, "two"):
        run = subprocess.Popen(command(forecast, out, f"--engine={cluster}"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               env=clean_environment(forecast))
        # It draws, and has drawn before: then it is killed, with the virga that it runs.
        until(lambda: descendants(one.pid) or run.poll() is not None, "a worker that draws")
        until(lambda: len(list(out.glob("*.png"))) >= 3 or run.poll() is not None, "a few frames")
        assert run.poll() is None
        one.kill()
        told, errors = run.communicate(timeout=300)
        assert run.returncode == 0, errors
        assert sorted(frames_told(told)) == list(range(FRAMES))  # each once
        assert_same(forecast, out)


def test_an_export_goes_on_where_it_was_stopped(forecast, cluster, tmp_path):
    out = tmp_path / "frames"
    with own_worker(tmp_path, cluster, "one") as one:
        run = subprocess.Popen(command(forecast, out, f"--engine={cluster}"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               env=clean_environment(forecast))
        until(lambda: len(list(out.glob("*.png"))) >= 2 or run.poll() is not None, "a few frames")
        run.send_signal(signal.SIGTERM)
        _, errors = run.communicate(timeout=60)
        assert run.returncode == 128 + signal.SIGTERM and "frames are there" in errors
        there = len(list(out.glob("*.png")))
        assert 0 < there < FRAMES
        until(lambda: not alive(descendants(one.pid)), "a worker that draws no more")
        again = export(forecast, out, f"--engine={cluster}")
        assert again.returncode == 0, again.stderr
        assert len(frames_told(again.stdout)) == FRAMES - there
        assert_same(forecast, out)


def test_a_cluster_of_this_machine_needs_nothing_said(forecast, tmp_path):
    done = export(forecast, tmp_path / "frames", "--engine=local:2")
    assert done.returncode == 0, done.stderr
    assert_same(forecast, tmp_path / "frames")


def test_no_process_is_left_when_it_is_killed(forecast, tmp_path):
    run = subprocess.Popen(command(forecast, tmp_path / "frames", "--engine=local:2"), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           env=clean_environment(forecast))
    until(lambda: list((tmp_path / "frames").glob("*.png")), "a frame")
    started = descendants(run.pid)
    assert len(started) >= 4  # the driver, two workers, and what draws
    run.kill()
    run.wait()
    until(lambda: not alive(started), "processes that ended with the export", 30)


def test_a_lost_scheduler_is_waited_for(forecast, tmp_path):
    process, address = scheduler(tmp_path)
    out = tmp_path / "frames"
    with process, own_worker(tmp_path, address, "one"):
        run = subprocess.Popen(command(forecast, out, f"--engine={address}"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               env=clean_environment(forecast))
        until(lambda: len(list(out.glob("*.png"))) >= 2 or run.poll() is not None, "a few frames")
        process.kill()
        again, _ = scheduler(tmp_path, int(address.rpartition(":")[2]))
        with again, own_worker(tmp_path, address, "two"):
            told, errors = run.communicate(timeout=300)
        assert run.returncode == 0, errors
        assert sorted(frames_told(told)) == list(range(FRAMES))
        assert_same(forecast, out)


def refused(forecast: Path, cluster: str, out: Path, *options: str) -> str:
    done = export(forecast, out, f"--engine={cluster}", *options)
    assert done.returncode == 1
    assert json.loads(done.stdout.splitlines()[-1])["event"] == "error"
    assert "Traceback" not in done.stderr
    return done.stderr


def script(path: Path, text: str) -> str:
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)
    return str(path)


def test_workers_without_virga_are_named(forecast, cluster, tmp_path):
    with own_worker(tmp_path, cluster, "one", VIRGA_PROGRAM="/nowhere/virga"):
        words = refused(forecast, cluster, tmp_path / "frames")
        assert "virga is not installed on the worker tcp://127.0.0.1:" in words and "--worker-virga" in words
        # The same worker, where it is said.
        done = export(forecast, tmp_path / "frames", f"--engine={cluster}", f"--worker-virga={release()}")
        assert done.returncode == 0, done.stderr


def test_workers_without_the_files_are_named(forecast, cluster, tmp_path):
    """A worker whose virga is in another place, where the forecast is not."""
    program = script(tmp_path / "elsewhere", f'for last; do :; done\nset -- "$@" /nowhere\nexec {release()} "$@"\n')
    with own_worker(tmp_path, cluster, "one", VIRGA_PROGRAM=program):
        words = refused(forecast, cluster, tmp_path / "frames")
        assert "on the worker tcp://127.0.0.1:" in words and "/nowhere" in words


def test_workers_of_another_version_or_forecast_are_named(forecast, cluster, tmp_path):
    record = '{"program": "virga 9.9", "frames": 1}'
    other = script(tmp_path / "other", f"printf '\\377\\377\\377\\377\\0\\0\\0\\0\\{len(record):o}\\0\\0\\0\\0\\0\\0\\0%s' '{record}'\nread end\n")
    with own_worker(tmp_path, cluster, "one", VIRGA_PROGRAM=other):
        assert "it has virga 9.9, and this is virga" in refused(forecast, cluster, tmp_path / "frames")
    babble = script(tmp_path / "babble", "printf '0123456789012345678901234567890123456789'\nread end\n")
    with own_worker(tmp_path, cluster, "two", VIRGA_PROGRAM=babble):
        assert "install the same version" in refused(forecast, cluster, tmp_path / "frames")


def test_a_virga_that_is_killed_each_time_is_said(forecast, cluster, tmp_path):
    program = script(tmp_path / "killed", "kill -9 $$\n")
    with own_worker(tmp_path, cluster, "one", VIRGA_PROGRAM=program):
        words = refused(forecast, cluster, tmp_path / "frames")
        assert "ended by signal 9 on the worker" in words and "memory; give the workers more" in words


def test_workers_that_are_killed_each_time_are_said(forecast, tmp_path):
    """Where the worker goes with its virga, as when the machine has no memory left, it is the same failure."""
    program = script(tmp_path / "killed", "kill -9 $PPID\n")
    process, address = scheduler(tmp_path, environment={"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1"})
    with process, ThreadPoolExecutor(1) as one_thread:
        asked = one_thread.submit(refused, forecast, address, tmp_path / "frames")
        for name in ("one", "two"):  # one after the other: the second gets what the first had
            with own_worker(tmp_path, address, name, VIRGA_PROGRAM=program) as doomed:
                until(lambda: not doomed.running(), "a worker that is killed", 60)
        words = asked.result()
        assert "every worker that tried it ended, 2 times in a row" in words and "give the workers more" in words


def test_what_only_the_scheduler_has_is_refused_before(forecast, cluster, tmp_path):
    done = subprocess.run([release(), "export", str(forecast / "view.json"), "published:t", "--out=x.png", f"--engine={cluster}"], capture_output=True,
                          text=True, env=clean_environment(forecast), cwd=tmp_path)
    assert done.returncode == 2 and "--draw-here" in done.stderr


def test_it_draws_here_where_that_is_said(forecast, cluster, tmp_path):
    done = export(forecast, tmp_path / "frames", f"--engine={cluster}", "--draw-here")  # no worker is there
    assert done.returncode == 0, done.stderr
    assert_same(forecast, tmp_path / "frames")


def test_serving_frames_takes_only_numbers_of_frames(forecast, tmp_path):
    arguments = command(forecast, tmp_path / "none", "--serve-frames=0 2026-04-18T06:00:00Z", "--engine=none")
    arguments = [a for a in arguments if a != "--progress=json"] + ["--progress=none"]
    for asked in ("-1\n", f"{FRAMES}\n", "x\n", "1" * 100):
        done = subprocess.run(arguments, input=asked.encode(), capture_output=True, env=clean_environment(forecast))
        assert done.returncode == 2 and b"no frame of this number" in done.stderr
    assert subprocess.run(arguments, input=b"", capture_output=True, env=clean_environment(forecast)).returncode == 0
    assert not os.path.exists(tmp_path / "none")
