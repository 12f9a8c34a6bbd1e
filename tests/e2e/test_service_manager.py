# SPDX-License-Identifier: Apache-2.0
"""The server as a service: what it tells systemd (sd_notify), what it makes of SIGHUP, and the unit that comes with it."""
import os
import pty
import re
import shutil
import signal
import socket
import subprocess
import time

import pytest

from conftest import ROOT, SANITIZER, clean_environment, launched, wait_until
import make_files
from export_client import Exports
from visitor import Visitor
from ws_client import Closed, Socket, Stream

UNIT = ROOT / "assets" / "systemd" / "virga.service"


class Manager:
    """A service manager's end: what was said to it, message by message."""

    def __init__(self, folder):
        self.path = folder / "notify"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.path))
        self.said = []

    def wait(self, line, seconds=30):
        """Takes messages until one has this line; gives it as a dict."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.socket.settimeout(max(0.01, end - time.monotonic()))
            message = self.socket.recv(4096).decode()
            self.said.append(message)
            if line in message.splitlines():
                return dict(part.split("=", 1) for part in message.splitlines())
        raise AssertionError(f"{line} was not said; said was {self.said}")


@pytest.fixture
def start(virga, demo_forecast, tmp_path):
    """start(settings, *flags, environment={…}): a server with a configuration file of its own (server.file)."""
    servers = []

    def begin(settings="", *flags, environment=None):
        folder = tmp_path / f"server-{len(servers)}"
        folder.mkdir()
        file = folder / "virga.ini"
        file.write_text(settings)
        servers.append(launched(virga, folder, demo_forecast, "--config", file, *flags, environment=environment))
        servers[-1].file = file
        return servers[-1]
    yield begin
    for server in servers:
        server.stop()
        assert not SANITIZER.search(server.stderr), server.stderr


def reload(server, words):
    """Sends SIGHUP and waits until these words were logged once more."""
    before = server.stderr.count(words)
    server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: server.stderr.count(words) > before)


def test_a_service_manager_is_told_what_happens(start, tmp_path):
    manager = Manager(tmp_path)
    server = start(environment={"NOTIFY_SOCKET": str(manager.path), "WATCHDOG_USEC": "3000000"})
    ready = manager.wait("READY=1")
    assert re.match(r"listening on http://127\.0\.0\.1:\d+/", ready["STATUS"])
    for _ in range(2):
        manager.wait("WATCHDOG=1")
    server.process.send_signal(signal.SIGHUP)
    manager.wait("RELOADING=1")
    manager.wait("READY=1")
    server.process.send_signal(signal.SIGTERM)
    manager.wait("STOPPING=1")
    assert server.process.wait(20) == 0


def test_what_can_change_does_while_pages_stay(start):
    server = start("message-rate = 60\n")
    with Stream(server.url) as stream:
        for _ in range(30):
            stream.socket.say({"type": "ping", "id": 1})
            stream.take()
        server.file.write_text("message-rate = 1\nembed-host = https://hub.example.org\nlog-level = debug\n")
        reload(server, "message-rate = 1")
        with pytest.raises((Closed, OSError)):  # the same page, by the new rule
            for _ in range(200):
                stream.socket.say({"type": "ping", "id": 1})
                stream.take()
    with Socket(server.host, server.port) as client:
        assert "frame-ancestors 'self' https://hub.example.org" in client.request("/")[1]["content-security-policy"]
    assert re.search(r"config: embed-host = https://hub\.example\.org \(it was \)", server.stderr)
    server.file.write_text("message-rate = 60\n")
    reload(server, "embed-host =  (it was https://hub.example.org)")
    with Socket(server.host, server.port) as client:
        assert "hub.example.org" not in client.request("/")[1]["content-security-policy"]


def test_limits_of_exports_change(start):
    server = start("export-size = 320x240\n")
    exports = Exports(server)
    view = exports.view(size=[320, 240])
    assert exports.post(view).status == 201
    server.file.write_text("export-size = 100x100\n")
    reload(server, "export-size = 100x100")
    wait_until(lambda: exports.post(view).status == 400)
    server.file.write_text("export-size = 320x240\n")
    reload(server, "export-size = 320x240")
    wait_until(lambda: exports.post(view).status == 201)


def test_paths_and_rules_change_while_pages_stay(virga, tmp_path):
    """Datasets come and go, and which runs are on offer; a page is told."""
    made = {name: tmp_path / f"{name}.nc" for name in ("a", "b")}
    make_files.height_levels(made["a"])
    make_files.height_levels(made["b"], shape=(5, 9, 11))
    file, folder = tmp_path / "virga.ini", tmp_path / "server"
    file.write_text(f"paths = {made['a']}\n")
    folder.mkdir()
    server = launched(virga, folder, [], "--config", file)

    def levels():
        return sorted(dataset["variables"][0]["pyramid"][0]["n"][2] for dataset in Visitor(server).get("api/catalog").json()["datasets"])
    try:
        (before,) = levels()
        with Stream(server.url) as stream:
            file.write_text(f"paths = {made['a']}\npaths = {made['b']}\n")
            reload(server, "config: paths = ")
            while (message := stream.take())["type"] != "catalog":
                pass
            wait_until(lambda: levels() == sorted([before, 5]))
            file.write_text(f"paths = {made['b']}\nkeep-runs = 1\n")
            reload(server, "keep-runs = 1 (it was 0)")
            wait_until(lambda: levels() == [5])
            for settings, words in ((f"paths = {tmp_path}/nothing.nc\n", "cannot open"), ("keep-runs = 1\n", 'there are no "paths" any more')):
                file.write_text(settings)
                reload(server, "the configuration in force stays")
                assert words in server.stderr
            assert levels() == [5]
    finally:
        assert server.stop() == 0
    assert not SANITIZER.search(server.stderr), server.stderr


def test_who_may_what_changes_at_once(start):
    def settings(admins="ann", proxies="127.0.0.1", anonymous="view"):
        return f"auth = proxy\nauth-proxies = {proxies}\nauth-admins = {admins}\nanonymous = {anonymous}\n"
    server = start(settings())
    bob = Visitor(server, X_Forwarded_User="bob")
    assert bob.me()["role"] == "forecaster"
    server.file.write_text(settings(admins="bob"))
    reload(server, "auth-admins = bob")
    assert bob.me()["role"] == "admin"
    with Stream(server.url) as stream:
        server.file.write_text(settings(proxies="127.0.0.9", anonymous="none"))
        reload(server, "anonymous = none")
        assert bob.get("api/catalog").status == Visitor(server).get("api/catalog").status == 401
        with pytest.raises(Closed):
            while True:
                stream.take()
    server.file.write_text("auth = proxy\n")
    reload(server, "the configuration in force stays")
    assert bob.get("api/catalog").status == 401


def test_what_needs_another_start_is_said_and_stays(start):
    server = start("cache-memory = 64M\n")
    server.file.write_text("cache-memory = 128M\nworkers = 3\n")
    reload(server, "cache-memory = 128M needs another start; until then it is 64M")
    assert "workers = 3 needs another start" in server.stderr
    server.file.write_text("cache-memory = 64M\n")
    reload(server, "nothing changed")


def test_a_file_with_a_mistake_changes_nothing(start):
    server = start("idle-seconds = 100\n")
    for settings, words in (("message-rate = many\n", "virga.ini:1: message-rate"), ("idle-seconds = 5\nno line\n", "virga.ini:2: expected"),
                            ("there-is-none = 1\n", "there is no setting"), (None, "cannot read the configuration file")):
        if settings is None:
            server.file.unlink()
        else:
            server.file.write_text(settings)
        reload(server, "the configuration in force stays")
        assert words in server.stderr
    server.file.write_text("idle-seconds = 100\n")
    reload(server, "nothing changed")


def test_flags_win_over_the_file_that_is_read_again(start):
    server = start("idle-seconds = 100\n", "--idle-seconds", "77")
    server.file.write_text("idle-seconds = 200\n")
    reload(server, "nothing changed")


def test_signals_in_a_row_end_nothing(start):
    server = start("idle-seconds = 100\n")
    for n in range(50):
        server.process.send_signal(signal.SIGHUP)
    server.file.write_text("idle-seconds = 200\n")
    reload(server, "idle-seconds = 200")
    with Socket(server.host, server.port) as client:
        assert client.request("/healthz")[0] == 200


def in_a_terminal(virga, demo_forecast, tmp_path, ignored):
    """(process id, the terminal's other end, address) of a server that was started in a terminal."""
    child, terminal = pty.fork()
    if child == 0:
        signal.signal(signal.SIGHUP, signal.SIG_IGN if ignored else signal.SIG_DFL)
        os.execve(virga, [virga, "serve", "--listen", "127.0.0.1:0", "--state", str(tmp_path / "state"), str(demo_forecast)], clean_environment(tmp_path))
    said = b""
    while not (address := re.search(rb"listening on http://([\d.]+):(\d+)/", said)):
        said += os.read(terminal, 4096)
    return child, terminal, (address[1].decode(), int(address[2]))


def test_a_terminal_that_is_closed_ends_it(virga, demo_forecast, tmp_path):
    child, terminal, _ = in_a_terminal(virga, demo_forecast, tmp_path, False)
    os.close(terminal)
    assert wait_until(lambda: os.waitpid(child, os.WNOHANG)[0]) == child


def test_under_nohup_it_outlives_its_terminal(virga, demo_forecast, tmp_path):
    child, terminal, address = in_a_terminal(virga, demo_forecast, tmp_path, True)
    os.close(terminal)
    os.kill(child, signal.SIGHUP)
    with Socket(*address) as client:
        assert client.request("/healthz")[0] == 200
    os.kill(child, signal.SIGTERM)
    assert wait_until(lambda: os.waitpid(child, os.WNOHANG)[0]) == child


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not there")
def test_the_unit_leaves_little_to_whoever_breaks_in(tmp_path):
    def analyze(*arguments):
        return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, timeout=60)
    if "--offline" not in analyze("--help").stdout:
        pytest.skip("this systemd-analyze looks at running units only")
    done = analyze("security", "--offline=true", "--threshold=20", "--no-pager", str(UNIT))
    assert done.returncode == 0, done.stdout.splitlines()[-1] + done.stderr
    unit = tmp_path / UNIT.name
    unit.write_text(re.sub(r"(?m)^ExecStart=\S+", "ExecStart=/bin/true", UNIT.read_text()))
    done = analyze("verify", "--man=no", str(unit))
    assert "virga.service" not in done.stderr, done.stderr
