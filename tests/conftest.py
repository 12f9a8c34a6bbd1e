# SPDX-License-Identifier: Apache-2.0
"""What the end-to-end and fault tests share: the program, forecasts, a server of one's own."""
import contextlib
import json
import os
import pathlib
import re
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import pytest

with contextlib.suppress(ImportError):  # where the engine's Python runs this
    import pyproj  # noqa: F401  before netCDF4: the two wheels, loaded the other way round, end a process that ends with free() of the same memory twice

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "reference"))
SANITIZER = re.compile(r"(ERROR|WARNING): \w*Sanitizer|runtime error:|LeakSanitizer")


def built(name, variable):
    """A program: the environment variable names it, else it stands in build/."""
    path = pathlib.Path(os.environ.get(variable) or ROOT / "build" / name)
    if not path.exists():
        pytest.skip(f"{path} is not built (name another with {variable})")
    return str(path.resolve())


def release():
    """The release build where there is one, for what takes long; else the build under test."""
    path = pathlib.Path(os.environ.get("VIRGA_RELEASE", ""))
    return str(path.resolve()) if path.is_file() else built("virga", "VIRGA")


@pytest.fixture(scope="session")
def virga():
    return built("virga", "VIRGA")


@pytest.fixture(scope="session")
def reader(virga):
    return built(pathlib.Path(virga).parent / "virga-reader", "VIRGA_READER")


@pytest.fixture(scope="session")
def forecasts():
    """The folder of real forecasts, where there is one."""
    folder = ROOT.parent / "shared" / "forecasts"
    if not folder.is_dir():
        pytest.skip("../shared/forecasts is not there")
    return folder


@pytest.fixture(scope="session")
def hostile():
    """The folder of malformed files, where there is one."""
    folder = ROOT.parent / "shared" / "hostile"
    if not folder.is_dir():
        pytest.skip("../shared/hostile is not there")
    return folder


def clean_environment(home, **more):
    """The environment without settings of virga's own, and with a home of its own."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("VIRGA", "XDG_"))}
    kept.update(HOME=str(home), LC_ALL="C.UTF-8", **more)
    return kept


@pytest.fixture
def run(virga, tmp_path):
    """Runs virga with arguments to its end: run("info", path, environment={…}) gives a CompletedProcess with text."""
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)

    def call(*arguments, environment=None, timeout=120, **more):
        done = subprocess.run([virga, *map(str, arguments)], capture_output=True, text=True, timeout=timeout,
                              env=clean_environment(home, **(environment or {})), cwd=tmp_path, **more)
        assert not SANITIZER.search(done.stderr), done.stderr
        assert done.returncode >= 0, f"killed by signal {-done.returncode}: {done.stderr}"
        return done
    return call


@pytest.fixture(scope="session")
def virga_call(tmp_path_factory):
    """virga_call(*arguments): what the release build printed; it must have done what it was asked."""
    home = tmp_path_factory.mktemp("home")

    def call(*arguments, timeout=600):
        done = subprocess.run([release(), *map(str, arguments)], capture_output=True, text=True, timeout=timeout, env=clean_environment(home))
        assert done.returncode == 0, done.stderr
        return done.stdout
    return call


@pytest.fixture(scope="session")
def demo_forecast(virga, tmp_path_factory):
    """A folder with a demonstration forecast of 60 × 48 × 20 and 4 steps."""
    folder = tmp_path_factory.mktemp("demo")
    done = subprocess.run([virga, "demo", "--out", str(folder), "--size", "60x48x20x4"], capture_output=True, text=True,
                          timeout=300, env=clean_environment(folder))
    assert done.returncode == 0, done.stderr
    return folder


class Server:
    """A running `virga serve`. `url` ends with a slash; `stderr` is what it has logged so far."""

    def __init__(self, command, environment, folder, start_seconds=60):
        self.log_file = open(folder / "stderr.txt", "w+b")
        self.state = folder / "state"
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log_file, env=environment, text=True)
        self.url = self.wait_for_address(start_seconds)
        self.host, self.port = re.match(r"http://(\S+):(\d+)/", self.url).groups()
        self.port = int(self.port)
        self.drain = threading.Thread(target=self.process.stdout.read, daemon=True)
        self.drain.start()

    def wait_for_address(self, seconds):
        watch = threading.Timer(seconds, self.process.kill)
        watch.start()
        try:
            for line in self.process.stdout:
                if line.startswith("listening on "):
                    return line.split()[2]
        finally:
            watch.cancel()
        self.process.wait(10)
        raise AssertionError(f"the server did not start (status {self.process.returncode}):\n{self.stderr}")

    @property
    def stderr(self):
        return pathlib.Path(self.log_file.name).read_text(errors="replace")

    def stop(self, seconds=30):
        """Asks it to stop, as Ctrl-C would; gives its exit status."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise AssertionError(f"the server did not stop in {seconds} s:\n{self.stderr}") from None
        return self.process.returncode


def launched(virga, folder, paths, *flags, environment=None, start_seconds=60):
    """A server with its state and log in a folder that is there; who asked for it ends it, in whatever way."""
    paths = [paths] if isinstance(paths, (str, os.PathLike)) else paths
    command = [virga, "serve", "--listen", "127.0.0.1:0", "--state", str(folder / "state"), *map(str, flags), *map(str, paths)]
    return Server(command, clean_environment(folder, **(environment or {})), folder, start_seconds)


@contextlib.contextmanager
def running(virga, folder, paths, *flags, environment=None, start_seconds=60):
    """A server with its state and log in a folder of its own; at the end it must stop cleanly, with nothing from sanitizers."""
    folder.mkdir()
    server = launched(virga, folder, paths, *flags, environment=environment, start_seconds=start_seconds)
    try:
        yield server
    finally:
        status = server.stop()
    assert not SANITIZER.search(server.stderr), server.stderr
    assert status == 0, f"exit status {status}:\n{server.stderr}"


@pytest.fixture
def serve(virga, tmp_path):
    """with serve(path or paths, *flags) as server: … — see running."""
    count = iter(range(1000))
    return lambda paths, *flags, environment=None: running(virga, tmp_path / f"server-{next(count)}", paths, *flags, environment=environment)


@pytest.fixture(scope="module")
def serve_module(tmp_path_factory):
    """Likewise, of the release build, for what a whole file of tests shares."""
    folder, count = tmp_path_factory.mktemp("servers"), iter(range(1000))
    return lambda paths, *flags: running(release(), folder / f"server-{next(count)}", paths, *flags)


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)


@pytest.fixture
def http_get():
    """http_get(url, headers) gives status, headers and body, whatever the status is."""
    def get(url, headers=None, timeout=20):
        request = urllib.request.Request(url, headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=timeout) as response:
                return Answer(response.status, response.headers, response.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.headers, error.read())
    return get


def wait_until(what, seconds=30):
    """Asks until the answer is true; gives that answer."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = what()
        if answer:
            return answer
        time.sleep(0.02)
    raise AssertionError("it did not come true in time")
