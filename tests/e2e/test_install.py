# SPDX-License-Identifier: Apache-2.0
"""What `cmake --install` puts into a prefix runs from there: program, readers, page, unit."""
import pathlib
import re
import shutil
import subprocess

import pytest

from conftest import running
from ws_client import Socket


@pytest.fixture(scope="module")
def prefix(virga, tmp_path_factory):
    if not shutil.which("cmake"):
        pytest.skip("cmake is not there")
    folder = tmp_path_factory.mktemp("prefix")
    done = subprocess.run(["cmake", "--install", str(pathlib.Path(virga).parent), "--prefix", str(folder)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


def test_an_installed_server_finds_its_parts(prefix, demo_forecast, tmp_path):
    with running(str(prefix / "bin" / "virga"), tmp_path / "server", demo_forecast) as server, Socket(server.host, server.port) as client:
        status, _, page = client.request("/")
        assert status == 200
        for path in re.findall(rb'(?:src|href)="([^"#:]+)"', page):
            assert client.request("/" + path.decode())[0] == 200, path
        assert client.request("/assets/presets.json")[0] == client.request("/api/view-schema")[0] == 200
        used = pathlib.Path(f"/proc/{server.process.pid}/exe").readlink()
        readers = subprocess.run(["pgrep", "-P", str(server.process.pid), "-a"], capture_output=True, text=True).stdout
    assert used == prefix / "bin" / "virga" and str(prefix / "libexec" / "virga" / "virga-reader") in readers


def test_the_unit_and_its_user_stand_where_systemd_looks(prefix):
    unit = (prefix / "lib" / "systemd" / "system" / "virga.service").read_text()
    assert re.search(r"^ExecStart=/usr/local/bin/virga serve ", unit, re.M) and re.search(r"^User=virga$", unit, re.M)
    assert re.search(r"^u virga ", (prefix / "lib" / "sysusers.d" / "virga.conf").read_text(), re.M)
