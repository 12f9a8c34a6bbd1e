# SPDX-License-Identifier: Apache-2.0
"""The command line: help, versions, exit status, messages, and what is in force."""
import json
import os
import pathlib
import signal
import subprocess

import pytest

import make_files

COMMANDS = ("serve", "info", "sample", "demo")


def settings(text):
    """key -> (value, where from) of `virga serve --check`."""
    rows = (line.partition(" = ") for line in text.splitlines())
    return {key: tuple(part.strip() for part in rest.rpartition("  ; ")[::2]) for key, _, rest in rows}


def test_help_names_every_command_and_goes_to_stdout(run):
    done = run("--help")
    assert done.returncode == 0 and done.stderr == ""
    for command in COMMANDS:
        assert f"  {command}" in done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help_with_an_example(run, command):
    done = run(command, "--help")
    assert done.returncode == 0 and done.stderr == ""
    assert done.stdout.startswith(f"Usage: virga {command}")
    assert "Example" in done.stdout


def test_version(run):
    done = run("--version")
    assert done.returncode == 0
    assert done.stdout.startswith("virga 0.")


def test_no_command_is_wrong_use(run):
    done = run()
    assert done.returncode == 2 and done.stdout == ""
    assert "Usage:" in done.stderr


def test_an_unknown_command_is_wrong_use(run):
    done = run("paint")
    assert done.returncode == 2
    assert '"paint"' in done.stderr and "--help" in done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_an_unknown_option_is_wrong_use_with_a_hint(run, command):
    done = run(command, "--frobnicate")
    assert done.returncode == 2
    assert "--frobnicate" in done.stderr and f"virga {command} --help" in done.stderr


def test_a_misspelt_option_names_the_nearest(run):
    assert "did you mean --listen?" in run("serve", "--lisen", ":0", "x").stderr


def test_an_option_without_its_value_is_wrong_use(run):
    done = run("serve", "x.nc", "--listen")
    assert done.returncode == 2
    assert "--listen needs a value" in done.stderr


@pytest.mark.parametrize("command", ("serve", "info", "sample"))
def test_no_path_is_wrong_use(run, command):
    done = run(command)
    assert done.returncode == 2
    assert "file" in done.stderr


@pytest.mark.parametrize("arguments", (["serve"], ["info"], ["sample", "--variable", "t", "--time", "T+0", "--lon", "0", "--lat", "0"]))
def test_an_absent_path_fails_and_is_named(run, arguments):
    done = run(*arguments, "absent.nc")
    assert done.returncode == 1 and done.stdout == ""
    assert "absent.nc" in done.stderr and "No such file" in done.stderr


def test_a_glob_that_matches_nothing_fails(run):
    done = run("info", "nothing-*.nc")
    assert done.returncode == 1
    assert "no file matches nothing-*.nc" in done.stderr


@pytest.mark.parametrize("command", ("info", "serve"))
def test_a_file_that_is_no_forecast_fails_with_the_reason(run, tmp_path, command):
    (tmp_path / "bad.nc").write_text("this is no netCDF file\n" * 100)
    done = run(command, "bad.nc")
    assert done.returncode == 1
    assert "bad.nc" in done.stderr


def test_config_environment_and_flags_win_in_this_order(run, tmp_path):
    config = tmp_path / "virga.ini"
    config.write_text("workers = 3\nreaders = 3\nidle-seconds = 3\n")
    done = run("serve", "--check", "--config", config, "--idle-seconds", 7,
               environment={"VIRGA_READERS": "5", "VIRGA_IDLE_SECONDS": "5"})
    assert done.returncode == 0, done.stderr
    found = settings(done.stdout)
    assert found["workers"] == ("3", f"{config}:1")
    assert found["readers"] == ("5", "VIRGA_READERS")
    assert found["idle-seconds"] == ("7", "--idle-seconds")
    assert found["listen"] == ("127.0.0.1:8080", "default")


def test_check_prints_a_file_that_says_the_same(run, tmp_path):
    first = run("serve", "--check", "--cache-memory", "1.5G", "--base-path", "/a/b", "--embed-host", "https://hub.example.org", "x y.nc")
    (tmp_path / "again.ini").write_text(first.stdout)
    second = run("serve", "--check", "--config", "again.ini")
    assert second.returncode == 0, second.stderr
    value = lambda text: {key: v for key, (v, _) in settings(text).items()}
    assert value(first.stdout) == value(second.stdout)
    assert value(second.stdout)["cache-memory"] == "1536M"
    assert value(second.stdout)["base-path"] == "/a/b/"
    assert value(second.stdout)["paths"] == "x y.nc"


def test_check_says_what_confines_the_readers(run):
    done = run("serve", "--check")
    assert done.returncode == 0, done.stderr
    said = [line[2:] for line in done.stdout.splitlines() if line.startswith("; ")]
    denied = [what for line in said if line.startswith("readers are denied: ") for what in line.partition(": ")[2].split(", ")]
    for what in ("network", "connecting", "reading a file", "writing a file", "running programs", "new processes", "leaving a lent folder"):
        assert what in denied
    assert any(line.startswith("readers: seccomp: in force") for line in said)
    assert any(line.startswith("readers: Landlock: ") for line in said)
    assert any(line.startswith("readers: limits: ") for line in said)
    assert "ALLOWED" not in done.stdout and "NOT READABLE" not in done.stdout


def test_check_fails_where_readers_are_not_confined(run, tmp_path):
    loose = tmp_path / "reader"
    loose.write_text("#!/bin/sh\necho 'network: ALLOWED'\nexit 1\n")
    loose.chmod(0o700)
    done = run("serve", "--check", "--reader", loose)
    assert done.returncode == 1 and "not confined" in done.stderr and "network: ALLOWED" in done.stdout
    done = run("serve", "--check", "--reader", tmp_path / "missing")
    assert done.returncode == 1 and "missing" in done.stderr


def test_the_users_own_configuration_is_found(run, tmp_path):
    (tmp_path / "xdg" / "virga").mkdir(parents=True)
    (tmp_path / "xdg" / "virga" / "virga.ini").write_text("log-level = debug\n")
    done = run("serve", "--check", environment={"XDG_CONFIG_HOME": str(tmp_path / "xdg")})
    assert settings(done.stdout)["log-level"][0] == "debug"


@pytest.mark.parametrize("text, message", (("[virga]\nlisten = nowhere\n", "virga.ini:2: listen = \"nowhere\""),
                                           ("colour = red\n", "virga.ini:1: there is no setting \"colour\""),
                                           ("cache-memory = much\n", "must be a size")))
def test_a_bad_configuration_is_wrong_use_and_is_located(run, tmp_path, text, message):
    (tmp_path / "virga.ini").write_text(text)
    done = run("serve", "--check", "--config", "virga.ini")
    assert done.returncode == 2 and done.stdout == ""
    assert message in done.stderr


def test_a_bad_environment_variable_is_named(run):
    done = run("serve", "--check", environment={"VIRGA_WORKERS": "several"})
    assert done.returncode == 2
    assert "VIRGA_WORKERS" in done.stderr


def test_serve_prints_one_line_with_its_address(serve, http_get, tmp_path):
    with serve(make_files.height_levels(tmp_path / "a.nc"), "--base-path", "/x/y") as server:
        assert server.url == f"http://127.0.0.1:{server.port}/x/y/"
        assert http_get(server.url + "healthz").status == 200


def test_the_state_folder_is_for_its_owner_alone(serve, tmp_path):
    with serve(make_files.height_levels(tmp_path / "a.nc")) as server:
        assert server.state.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("number", (signal.SIGINT, signal.SIGTERM))
def test_a_signal_stops_it_cleanly(serve, tmp_path, number):
    with serve(make_files.height_levels(tmp_path / "a.nc")) as server:
        server.process.send_signal(number)
        assert server.process.wait(20) == 0


def test_no_child_outlives_the_server(serve, tmp_path):
    with serve(make_files.height_levels(tmp_path / "a.nc"), "--readers", 2) as server:
        tasks = pathlib.Path(f"/proc/{server.process.pid}/task").glob("*/children")
        listed = " ".join(task.read_text() for task in tasks).split()
        assert len(listed) >= 2
        server.stop()
        assert not [pid for pid in listed if pathlib.Path(f"/proc/{pid}/exe").exists()]


def test_a_port_in_use_fails_and_is_named(serve, run, tmp_path):
    path = make_files.height_levels(tmp_path / "a.nc")
    with serve(path) as server:
        done = run("serve", "--listen", f"127.0.0.1:{server.port}", path)
        assert done.returncode == 1
        assert str(server.port) in done.stderr


def test_a_state_folder_that_cannot_be_made_fails(run, tmp_path):
    path = make_files.height_levels(tmp_path / "a.nc")
    done = run("serve", "--state", path / "below", "--listen", ":0", path)
    assert done.returncode == 1
    assert "--state" in done.stderr


def test_allow_empty_starts_with_nothing_to_show(serve, http_get, tmp_path):
    (tmp_path / "bad.nc").write_text("no")
    with serve(tmp_path / "bad.nc", "--allow-empty") as server:
        assert http_get(server.url + "api/catalog").json()["datasets"] == []
        assert "bad.nc" in server.stderr


def test_a_json_log_has_an_object_a_line(serve, tmp_path):
    make_files.height_levels(tmp_path / "a.nc")
    (tmp_path / "bad.nc").write_text("no")
    with serve(tmp_path, "--log-format", "json", "--log-level", "debug") as server:
        pass
    rows = [json.loads(line) for line in server.stderr.splitlines()]
    assert any("bad.nc" in row["message"] and row["level"] == "warning" for row in rows)


def test_a_closed_pipe_does_not_crash(virga, run, tmp_path):
    path = make_files.height_levels(tmp_path / "a.nc")
    ends = os.pipe()
    os.close(ends[0])
    done = subprocess.run([virga, "info", str(path)], stdout=ends[1], stderr=subprocess.PIPE, text=True)
    os.close(ends[1])
    assert done.returncode == 1


def test_demo_needs_a_folder(run):
    assert run("demo").returncode == 2


def test_demo_refuses_a_size_that_is_none(run, tmp_path):
    done = run("demo", "--out", tmp_path / "d", "--size", "10x")
    assert done.returncode == 2
    assert "10x" in done.stderr
