# SPDX-License-Identifier: Apache-2.0
"""Signing in by a JupyterHub, which a stand-in answers for: programs by a token of the hub's, browsers by its page."""
from __future__ import annotations

import subprocess
import threading
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import clean_environment, launched, release
from hub_stand_in import SERVICE_TOKEN, Hub
from visitor import Reply, Visitor

ADDRESSES = iter(range(1, 65000))


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    hub = Hub()
    yield hub
    hub.close()


@pytest.fixture(scope="module")
def server(hub: Hub, tmp_path_factory: pytest.TempPathFactory, demo_forecast: Path) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("hub")
    (folder / "token").write_text(SERVICE_TOKEN + "\n")
    made = subprocess.run([release(), "token", "create", "--name", "ada", "--role", "admin", "--state", str(folder / "state")], capture_output=True, text=True, timeout=60,
                          env=clean_environment(folder))
    assert made.returncode == 0, made.stderr
    server = launched(release(), folder, demo_forecast, "--auth", "jupyterhub", "--auth-hub", hub.url, "--auth-hub-token-file", str(folder / "token"), "--auth-admins", "chief",
                      "--anonymous", "none")
    server.own_token = made.stdout.strip()
    yield server
    assert server.stop() == 0, server.stderr
    assert SERVICE_TOKEN not in server.stderr


@pytest.fixture
def visitor(server: Any, hub: Hub) -> Iterator[Visitor]:
    """At an address from where nothing wrong came yet."""
    number = next(ADDRESSES)
    hub.broken = ""
    yield Visitor(server, f"127.2.{number // 250}.{1 + number % 250}")
    hub.broken = ""


def test_a_token_of_the_hub_is_believed_for_a_minute(visitor, hub):
    ada, chief = visitor.with_token(hub.person("ada")), visitor.with_token(hub.person("chief", ("read:users", "access:services")))
    before = len(hub.asked)
    assert ada.me() == {"name": "ada", "role": "forecaster", "auth": ["jupyterhub"], "anonymous": False, "sign_in": "api/sign-in"}
    assert all(ada.get("api/catalog").status == 200 for _ in range(5)) and len(hub.asked) == before + 1
    assert chief.me()["role"] == "admin"
    head = ada.ask("HEAD", "api/catalog")
    assert head.status == 200 and head.body == b""


def test_the_first_request_waits_for_the_hub_with_its_body(visitor, hub):
    chief = visitor.with_token(hub.person("chief"))
    assert chief.ask("POST", "api/engine", {"action": "no such"}).status == 400  # let in, and read
    ada = visitor.with_token(hub.person("ada"))
    assert ada.ask("POST", "api/engine", {"action": "stop"}).status == 403
    assert visitor.with_token(hub.person("ada")).ask("DELETE", "api/exports/0123456789abcdef").status == 404


@pytest.mark.parametrize("name, scopes, kind", [("eve", (), "user"), ("eve", ("access:services!service=other",), "user"), ("eve", ("access:servers",), "user"),
                                                ("virga", ("access:services",), "service"), ("local", ("access:services",), "user"), ("a\nb", ("access:services",), "user")])
def test_who_may_not_use_the_service_is_refused(visitor, hub, name, scopes, kind):
    token = hub.person(name, scopes, kind)
    assert visitor.with_token(token).get("api/me").status == 401
    assert visitor.with_token(token).ask("POST", "api/engine", {"action": "stop"}).status == 401
    assert visitor.with_token(token).ask("POST", "api/login").status == 401


def test_tokens_that_the_hub_does_not_know_are_refused_and_few(visitor, hub):
    for text in ("forged", "x" * 600, "a b", ""):
        assert visitor.with_token(text).get("api/catalog").status == 401, text
    before = len(hub.asked)
    said = [visitor.with_token(f"guess{number}").get("api/catalog").status for number in range(30)]
    assert said[-1] == 429 and set(said) <= {401, 429} and len(hub.asked) - before <= 20


def test_tokens_of_ours_are_none_where_the_hub_alone_is_asked(visitor, server):
    assert visitor.with_token(server.own_token).get("api/catalog").status == 401


@pytest.mark.parametrize("how", ["status", "text", "redirect", "large"])
def test_a_hub_that_answers_nonsense_lets_nobody_in(visitor, hub, how):
    token = hub.person("ada")
    hub.broken = how
    reply = visitor.with_token(token).get("api/catalog")
    assert reply.status in (401, 503), reply.body
    assert "/stolen" not in hub.asked
    assert visitor.get("healthz").status == 200


def test_a_browser_signs_in_at_the_hub(visitor, hub):
    hub.signed_in = hub.person("ada")
    begun = visitor.get("api/sign-in")
    assert begun.status == 302 and begun.headers["Location"].startswith(hub.url + "/hub/api/oauth2/authorize?")
    state = begun.cookie("virga-state")
    assert state["httponly"] and state["samesite"] == "Lax" and state["path"] == "/oauth_callback"
    back = come_back(visitor, hub, begun, state.value)
    assert back.status == 302 and back.headers["Location"] == "/" and back.headers["Cache-Control"].endswith("no-store"), back.body
    cookie = back.cookie()
    assert cookie["httponly"] and cookie["samesite"] == "Strict" and 0 < int(cookie["max-age"]) <= 12 * 3600
    browser = visitor.but(Cookie=f"virga={cookie.value}")
    assert browser.me()["name"] == "ada" and browser.get("api/catalog").status == 200
    assert browser.ask("POST", "api/logout").status == 200 and browser.me()["name"] == ""


def come_back(visitor: Visitor, hub: Hub, begun: Reply, cookie: str, **changed: str) -> Reply:
    """As a browser that the hub sends back."""
    query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(begun.headers["Location"]).query))
    there = Visitor(type("There", (), {"host": "127.0.0.1", "port": hub.server.server_port, "url": hub.url + "/"})()).get("hub/api/oauth2/authorize?" + urllib.parse.urlencode(query))
    came = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(there.headers["Location"]).query))
    return visitor.get("oauth_callback?" + urllib.parse.urlencode({**came, **changed}), Cookie=f"virga-state={cookie}" if cookie else None)


def test_who_did_not_begin_here_is_not_signed_in(visitor, hub):
    hub.signed_in = hub.person("ada")
    begun, other = visitor.get("api/sign-in"), visitor.get("api/sign-in")
    state = begun.cookie("virga-state").value
    for cookie, changed in (("", {}), (other.cookie("virga-state").value, {}), (state, {"state": "A" * 43}), (state, {"state": ""}), (state, {"code": "forged"}), (state, {"code": ""}),
                            (state, {"code": "x" * 600})):
        reply = come_back(visitor, hub, begun, cookie, **changed)
        assert reply.status == 403 and reply.cookie() is None, (cookie, changed)
    hub.signed_in = ""
    assert come_back(visitor, hub, begun, state).status == 403
    hub.signed_in = hub.person("eve", ())
    assert come_back(visitor, hub, begun, state).status == 403


def test_a_program_may_have_a_cookie_for_its_token(visitor, hub):
    browser = visitor.signed_in(hub.person("chief"))
    assert browser.me() == {"name": "chief", "role": "admin", "auth": ["jupyterhub"], "anonymous": False, "sign_in": "api/sign-in"}
    status, socket = browser.websocket(Origin=browser.origin)
    with socket:
        assert status == 101


def test_a_slow_hub_keeps_nobody_else_waiting(visitor, hub):
    known = visitor.with_token(hub.person("ada"))
    assert known.me()["name"] == "ada"
    hub.broken = "slow"
    hub.go.clear()
    slow = visitor.with_token(hub.person("bob"))
    status, socket = slow.websocket()
    with socket:
        assert status == 401  # a websocket is not kept waiting
    said: list[int] = []
    asking = threading.Thread(target=lambda: said.append(slow.get("api/catalog").status))
    asking.start()
    assert known.get("api/catalog").status == 200 and visitor.get("healthz").status == 200 and not said
    hub.go.set()
    asking.join(30)
    assert said == [200]
