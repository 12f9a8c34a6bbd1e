# SPDX-License-Identifier: Apache-2.0
"""Signing in by a JupyterHub that is one: build/hub is a Python environment with the package jupyterhub (VIRGA_HUB_PYTHON names another's Python)."""
from __future__ import annotations

import http.cookiejar
import json
import os
import re
import socket
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, launched, release, wait_until
from visitor import Visitor

SERVICE_TOKEN = "a-service-token-of-this-test-0123456789abcdef"
# The hub alone, without the proxy before it and without notebooks: what it says of people is all that is asked.
CONFIG = """
from jupyterhub.proxy import Proxy
class NoProxy(Proxy):
    should_start = False
    async def add_route(self, routespec, target, data): pass
    async def delete_route(self, routespec): pass
    async def get_all_routes(self): return {{}}
c.JupyterHub.proxy_class = NoProxy
c.JupyterHub.bind_url = "http://127.0.0.1:{port}"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{port}"
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = "open"
c.Authenticator.allowed_users = {{"ada", "eve"}}
c.Authenticator.admin_users = {{"root"}}
c.JupyterHub.spawner_class = "simple"
c.JupyterHub.db_url = "sqlite:///{folder}/hub.sqlite"
c.JupyterHub.cookie_secret_file = "{folder}/cookie"
c.ConfigurableHTTPProxy.pid_file = "{folder}/pid"
c.JupyterHub.services = [
    {{"name": "virga", "api_token": "{token}", "oauth_redirect_uri": "{callback}", "oauth_no_confirm": True}},
    {{"name": "maker", "api_token": "maker-{token}"}},
]
c.JupyterHub.load_roles = [
    {{"name": "weather", "users": ["ada"], "scopes": ["access:services!service=virga", "self"]}},
    {{"name": "maker", "services": ["maker"], "scopes": ["tokens", "users", "access:services"]}},
]
"""


@pytest.fixture(scope="module")
def python() -> str:
    path = Path(os.environ.get("VIRGA_HUB_PYTHON") or ROOT / "build" / "hub" / "bin" / "python3")
    if not path.exists():
        pytest.skip(f"{path} is not there: python3 -m venv build/hub && build/hub/bin/pip install jupyterhub")
    return str(path)


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@pytest.fixture(scope="module")
def place(python: str, tmp_path_factory: pytest.TempPathFactory, demo_forecast: Path) -> Iterator[tuple[str, Any]]:
    """The hub's address and a server of ours that asks it."""
    folder = tmp_path_factory.mktemp("hub")
    port, ours = free_port(), free_port()
    (folder / "config.py").write_text(CONFIG.format(port=port, folder=folder, token=SERVICE_TOKEN, callback=f"http://127.0.0.1:{ours}/oauth_callback"))
    with open(folder / "hub.log", "w") as log:
        hub = subprocess.Popen([python, "-m", "jupyterhub", "-f", str(folder / "config.py")], stdout=log, stderr=log, cwd=folder)
    try:
        def is_up() -> bool:
            assert hub.poll() is None, (folder / "hub.log").read_text()
            try:
                return urllib.request.urlopen(f"http://127.0.0.1:{port}/hub/api/", timeout=2).status == 200
            except OSError:
                return False
        wait_until(is_up, 60)
        server = launched(release(), folder, demo_forecast, "--listen", f"127.0.0.1:{ours}", "--auth", "jupyterhub", "--auth-hub", f"http://127.0.0.1:{port}", "--auth-hub-callback",
                          f"http://127.0.0.1:{ours}/oauth_callback", "--anonymous", "none", environment={"JUPYTERHUB_API_TOKEN": SERVICE_TOKEN})
        yield f"http://127.0.0.1:{port}", server
        assert server.stop() == 0, server.stderr
    finally:
        hub.terminate()
        hub.wait(30)


def user_token(hub: str, name: str) -> str:
    request = urllib.request.Request(f"{hub}/hub/api/users/{name}/tokens", b"{}", {"Authorization": f"token maker-{SERVICE_TOKEN}"}, method="POST")
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.loads(answer.read())["token"]


def test_programs_show_a_token_of_the_hub(place):
    hub, server = place
    visitor = Visitor(server)
    assert visitor.get("api/catalog").status == 401
    assert visitor.with_token(user_token(hub, "ada")).me()["name"] == "ada"
    assert visitor.with_token(user_token(hub, "eve")).get("api/me").status == 401  # a user of the hub, but not of this service
    assert visitor.with_token("forged").get("api/me").status == 401
    assert visitor.with_token(SERVICE_TOKEN).get("api/me").status == 401


def browser() -> tuple[urllib.request.OpenerDirector, http.cookiejar.CookieJar]:
    jar = http.cookiejar.CookieJar()
    return urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar)), jar


def sign_in(hub: str, server: Any, name: str) -> tuple[int, urllib.request.OpenerDirector]:
    """As somebody who opens the sign-in address and fills in the hub's form."""
    opener, jar = browser()
    with opener.open(server.url + "api/sign-in", timeout=20) as page:
        text, where = page.read().decode(), page.url
    assert "/hub/login" in where, where
    xsrf = re.search(r'name="_xsrf" value="([^"]+)"', text)[1]
    form = urllib.parse.urlencode({"username": name, "password": "open", "_xsrf": xsrf}).encode()
    try:
        with opener.open(urllib.request.Request(where, form), timeout=30) as page:
            page.read()
            return page.status, opener
    except urllib.error.HTTPError as error:
        with error:
            return error.code, opener


def test_browsers_sign_in_at_the_hub(place):
    hub, server = place
    status, opener = sign_in(hub, server, "ada")
    assert status == 200
    with opener.open(server.url + "api/me", timeout=20) as answer:
        me = json.loads(answer.read())
    assert (me["name"], me["role"]) == ("ada", "forecaster")
    status, opener = sign_in(hub, server, "eve")
    assert status == 403
