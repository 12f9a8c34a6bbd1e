# SPDX-License-Identifier: Apache-2.0
"""Who may do what: tokens, cookies and proxies that are believed, and that all else is refused."""
from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import launched, release, wait_until
from token_place import FORGED, TOKEN, Place, heeded
from visitor import Visitor
from ws_client import Closed, Socket

PROXY = "127.0.0.9"


@pytest.fixture(scope="module")
def begin(tmp_path_factory: pytest.TempPathFactory, demo_forecast: Path) -> Iterator[Callable[..., Place]]:
    """begin(*flags): a server of the release build for these tests, ended after all of them; nothing that was shown may stand in its log."""
    servers: list[Any] = []

    def call(*flags: str) -> Place:
        servers.append(launched(release(), tmp_path_factory.mktemp("access"), demo_forecast, *flags))
        return Place(servers[-1], release())
    yield call
    for server in servers:
        assert server.stop() == 0, server.stderr


@pytest.fixture(scope="module")
def place(begin: Callable[..., Place]) -> Place:
    """Tokens and a proxy are believed; anybody may look."""
    return begin("--auth", "token proxy", "--auth-proxies", PROXY, "--auth-admins", "chief")


@pytest.fixture(scope="module")
def closed(begin: Callable[..., Place]) -> Place:
    """Nobody sees anything without a token."""
    return begin("--auth", "token", "--anonymous", "none", "--base-path", "/wall/")


def stop_cluster(visitor: Visitor, **headers: str | None) -> int:
    """The status of something that only admins may: 501 where it was let in, as there is no cluster to start."""
    return visitor.ask("POST", "api/engine", {"action": "start"}, headers).status


def is_admin(visitor: Visitor) -> bool:
    return stop_cluster(visitor) not in (401, 403, 429)


# What the settings are.

@pytest.mark.parametrize("flags, words", [
    (("--listen", "0.0.0.0:0"), "nobody has to sign in"),
    (("--listen", "[::]:0"), "nobody has to sign in"),
    (("--anonymous", "none"), "anonymous"),
    (("--auth", "proxy"), "auth-proxies"),
    (("--auth", "jupyterhub"), "auth-hub"),
    (("--auth", "password"), "token, proxy"),
    (("--auth", "none token"), "token, proxy"),
    (("--auth-proxies", "10.0.0.1/8"), "networks"),
    (("--auth-header", "Cookie"), "header"),
    (("--auth-role", "god"), "viewer"),
    (("--auth-admins", "local"), "names"),
])
def test_settings_that_do_not_go_together_are_refused(run, demo_forecast, tmp_path, flags, words):
    listen = () if "--listen" in flags else ("--listen", "127.0.0.1:0")
    done = run("serve", *listen, "--state", tmp_path / "state", *flags, demo_forecast)
    assert done.returncode == 2 and words in done.stderr, done.stderr


def test_beyond_this_machine_it_listens_with_authentication_or_when_told_so(tmp_path_factory, demo_forecast):
    for flags in (("--auth", "token"), ("--open-to-all", "yes")):
        server = launched(release(), tmp_path_factory.mktemp("open"), demo_forecast, "--listen", "0.0.0.0:0", *flags)
        assert server.stop() == 0


def test_without_authentication_the_page_on_this_machine_is_an_admin(begin):
    place = begin()
    me = place.anybody.me()
    assert (me["name"], me["role"], me["auth"], me["anonymous"], me["sign_in"]) == ("local", "admin", [], True, None)
    assert place.anybody.but(Host="weather.example.org").me()["role"] == "viewer"
    assert place.anybody.but(Origin="http://evil.example.org").me()["role"] == "viewer"
    assert is_admin(place.anybody)
    assert stop_cluster(place.anybody, Origin="http://evil.example.org") == 403
    assert stop_cluster(place.anybody, Origin=None) == 403
    for header in ("X_Forwarded_For", "X_Real_IP", "Forwarded"):  # through a proxy on it, whose clients may be anywhere
        assert stop_cluster(place.anybody.but(**{header: "for=203.0.113.9" if header == "Forwarded" else "203.0.113.9"})) == 403, header
    assert place.anybody.ask("POST", "api/login", headers={"Authorization": f"Bearer {FORGED}"}).status == 501


# Tokens.

def test_a_token_says_who_somebody_is_and_what_they_may(place):
    for role in ("viewer", "forecaster", "admin"):
        visitor = heeded(place, place.tokens.create(f"{role}-1", role))
        me = visitor.me()
        assert (me["name"], me["role"]) == (f"{role}-1", role) and me["auth"] == ["token", "proxy"]
        assert is_admin(visitor) == (role == "admin")
    assert place.anybody.me()["role"] == "viewer" and place.anybody.me()["name"] == ""
    assert stop_cluster(place.anybody) == 401
    assert place.anybody.get("api/catalog").status == 200


def test_tokens_that_are_none_have_expired_or_were_revoked_are_refused(place):
    good = place.tokens.create("gone", "admin")
    visitor = heeded(place, good)
    assert is_admin(visitor)
    place.tokens.revoke("gone")
    wait_until(lambda: place.anybody.with_token(good).get("api/me").status == 401, 1.5)  # within a second
    assert stop_cluster(visitor) == 401 and visitor.get("api/catalog").status == 401

    late = place.tokens.create("late", "admin")
    visitor = heeded(place, late)
    database = sqlite3.connect(place.server.state / "virga.db")
    with database:
        database.execute("UPDATE access_tokens SET expires = 1000 WHERE name = 'late'")
    database.close()
    wait_until(lambda: place.anybody.with_token(late).get("api/me").status == 401, 5)
    assert "expired" in place.tokens.run("list").stdout

    for text in (FORGED, "", "A", good[:-1], good + "A", "x" * 2000, "nonsense with spaces"):
        reply = place.anybody.but(Authorization=f"Bearer {text}").get("api/catalog")
        assert reply.status == 401 and "Bearer" in reply.headers["WWW-Authenticate"], text


def test_what_is_kept_of_tokens_and_cookies_are_hashes_and_the_log_has_none(place):
    token = place.tokens.create("secretive", "viewer")
    heeded(place, token)
    browser = place.anybody.signed_in(token)
    cookie = browser.headers["Cookie"].split("=")[1]
    browser.but(Authorization="Bearer " + FORGED[:-1] + "Z").get("api/catalog")
    files = b"".join(path.read_bytes() for path in place.server.state.rglob("virga.db*"))
    for text in (token, cookie, FORGED[:-1] + "Z"):
        assert text.encode() not in files and text not in place.server.stderr
    assert place.tokens.run("list").stdout.count("secretive") == 1 and token not in place.tokens.run("list").stdout


def test_when_a_token_was_last_used_is_known_to_the_day(place):
    heeded(place, place.tokens.create("used", "viewer"))
    def row() -> list[str]:
        return next(line for line in place.tokens.run("list").stdout.splitlines() if line.endswith("  used")).split()
    wait_until(lambda: "never" not in row(), 5)
    database = sqlite3.connect(place.server.state / "virga.db")
    (used,) = database.execute("SELECT used FROM access_tokens WHERE name = 'used'").fetchone()
    database.close()
    assert used > 0 and used % 86400 == 0


@pytest.mark.parametrize("words, said", [
    (("create",), "--name"), (("create", "--name", ""), "--name"), (("create", "--name", "local"), "--name"), (("create", "--name", "a\nb"), "--name"),
    (("create", "--name", "x" * 65), "--name"), (("create", "--name", "ada", "--role", "god"), "--role"), (("create", "--name", "ada", "--expires", "soon"), "--expires"),
    (("revoke",), "revoke"), (("revoke", "x"), "number"), (("revoke", "99999"), "no token"), (("list", "--name", "ada"), "create"), ((), "create"), (("list", "all"), "create"),
])
def test_token_says_what_is_wrong(run, tmp_path, words, said):
    (tmp_path / "state").mkdir()
    done = run("token", *words, "--state", tmp_path / "state")
    assert done.returncode in (1, 2) and said in done.stderr and not done.stdout


# Cookies.

def test_a_browser_signs_in_by_a_token_and_out(place):
    token = place.tokens.create("browser", "admin", "--expires", "1h")
    heeded(place, token)
    reply = place.anybody.ask("POST", "api/login", headers={"Authorization": f"Bearer {token}"})
    assert reply.status == 200 and reply.json()["name"] == "browser" and reply.headers["Cache-Control"].endswith("no-store")
    cookie = reply.cookie()
    assert TOKEN.fullmatch(cookie.value) and cookie["httponly"] and cookie["samesite"] == "Strict" and cookie["path"] == "/" and not cookie["secure"]
    assert 0 < int(cookie["max-age"]) <= 3600  # it ends with its token
    assert token.encode() not in reply.body and cookie.value.encode() not in reply.body

    browser = place.anybody.but(Cookie=f"other=1; virga={cookie.value}; more=2")
    assert browser.me()["name"] == "browser" and is_admin(browser)
    gone = browser.ask("POST", "api/logout")
    assert gone.status == 200 and gone.cookie().value == "" and gone.cookie()["max-age"] == "0" and gone.json()["name"] == ""
    assert browser.me()["name"] == "" and stop_cluster(browser) == 401
    assert browser.get("api/me").cookie()["max-age"] == "0"  # and the browser is told to forget it


def test_pages_of_other_sites_get_nothing_out_of_a_cookie(place):
    token = place.tokens.create("victim", "admin")
    heeded(place, token)
    browser = place.anybody.signed_in(token)
    assert is_admin(browser)
    for origin in (None, "null", "http://evil.example.org", browser.origin + ".evil.example.org", "http://localhost:1", "x" * 400):
        assert stop_cluster(browser, Origin=origin) == 403, origin
        assert browser.ask("POST", "api/logout", headers={"Origin": origin}).status == 403
        status, socket = browser.websocket(**({"Origin": origin} if origin else {}))
        with socket:
            assert status == 403, origin
    assert is_admin(browser)
    status, socket = browser.websocket(Origin=browser.origin)
    with socket:
        assert status == 101


def test_cookies_that_are_none_are_nobodys(place):
    token = place.tokens.create("twice", "admin")
    heeded(place, token)
    own = place.anybody.signed_in(token).headers["Cookie"].split("=")[1]
    for text in (f"virga={FORGED}", "virga=", f"virga={own[:-1]}", f"virga={own}x", f"virga={token}", f"xvirga={own}", f"virga={own}; virga={FORGED}", f"virga={FORGED}; virga={own}",
                 f"virga={own}; virga=", "virga", "=", ";;;", "virga=" + "x" * 5000):
        visitor = place.anybody.but(Cookie=text)
        assert visitor.me()["name"] == "", text
        assert stop_cluster(visitor) == 401, text


def test_logins_end_with_their_token(place):
    token = place.tokens.create("short", "admin")
    heeded(place, token)
    browser = place.anybody.signed_in(token)
    status, socket = browser.websocket(Origin=browser.origin)
    with socket:
        assert status == 101
        place.tokens.revoke("short")
        with pytest.raises(Closed) as closed:
            while True:
                socket.next()
        assert closed.value.reason == "signed out"
    assert browser.me()["name"] == ""


def test_logins_survive_a_restart_and_each_token_has_few(begin, tmp_path_factory, demo_forecast):
    folder = tmp_path_factory.mktemp("restarted")
    server = launched(release(), folder, demo_forecast, "--auth", "token")
    place = Place(server, release())
    token = place.tokens.create("ada")
    heeded(place, token)
    first = place.anybody.signed_in(token)
    others = [place.anybody.signed_in(token) for _ in range(20)]
    assert first.me()["name"] == "" and others[0].me()["name"] == "ada"
    assert server.stop() == 0
    server = launched(release(), folder, demo_forecast, "--auth", "token")
    try:
        again = Visitor(server).but(Cookie=others[-1].headers["Cookie"])
        assert again.me()["name"] == "ada"
    finally:
        assert server.stop() == 0


# Proxies.

def test_a_proxy_that_is_believed_says_who_asks(place):
    proxy = Visitor(place.server, PROXY)
    assert proxy.but(X_Forwarded_User="ada").me()["role"] == "forecaster"
    assert proxy.but(X_Forwarded_User="chief").me()["role"] == "admin"
    assert is_admin(proxy.but(X_Forwarded_User="chief"))
    assert proxy.me()["name"] == ""
    for name in ("local", "", " ", "x" * 65, "a\tb", "\xff\xfe"):
        assert proxy.but(X_Forwarded_User=name).me()["name"] == "", name
    for origin in (None, "null", "http://evil.example.org"):
        assert stop_cluster(proxy.but(X_Forwarded_User="chief"), Origin=origin) == 403


def test_headers_of_whoever_is_no_proxy_count_for_nothing(place):
    for header in ("X-Forwarded-User", "X-Remote-User", "Remote-User"):
        visitor = place.anybody.but(**{header.replace("-", "_"): "chief", "X_Forwarded_For": PROXY})
        assert visitor.me()["name"] == "" and stop_cluster(visitor) == 401
        status, socket = visitor.websocket(Origin=visitor.origin)
        socket.socket.close()
        assert status == 101  # as anybody


def test_over_https_a_cookie_is_secure(place):
    token = place.tokens.create("secure")
    heeded(place, token)
    bearer = {"Authorization": f"Bearer {token}"}
    proxy = Visitor(place.server, PROXY, X_Forwarded_Proto="https")
    assert proxy.ask("POST", "api/login", headers=bearer).cookie()["secure"]
    assert not place.anybody.but(X_Forwarded_Proto="https").ask("POST", "api/login", headers=bearer).cookie()["secure"]


# Exports.

VIEW = {"version": 1, "dataset": "demonstration", "layers": [{"variable": "air_temperature"}], "size": [64, 48]}


def test_an_export_is_its_owners(place):
    ada, bob, chief = (heeded(place, place.tokens.create(name, role)) for name, role in (("e-ada", "forecaster"), ("e-bob", "forecaster"), ("e-chief", "admin")))
    viewer = heeded(place, place.tokens.create("e-viewer", "viewer"))
    dataset = place.anybody.get("api/catalog").json()["datasets"][0]
    body = {"view": {**VIEW, "dataset": dataset["id"]}, "name": "mine"}
    assert place.anybody.ask("POST", "api/exports", body).status == 401
    assert viewer.ask("POST", "api/exports", body).status == 403
    assert viewer.ask("POST", "api/exports/preview", {"view": body["view"]}).status == 403
    made = ada.ask("POST", "api/exports", body)
    assert made.status == 201, made.body
    job = made.json()
    path = f"api/exports/{job['id']}"
    assert job["owner"] == "e-ada" and ada.get(path).json()["owner"] == "e-ada"
    wait_until(lambda: ada.get(path).json()["state"] == "done", 60)
    for below in ("", "/frames/0", "/zip"):
        assert ada.get(path + below).status == 200 and chief.get(path + below).status == 200, below
        assert bob.get(path + below).status == 404 and viewer.get(path + below).status == 403 and place.anybody.get(path + below).status == 401, below
    assert [j["id"] for j in ada.get("api/exports").json()["jobs"]] == [job["id"]] and bob.get("api/exports").json()["jobs"] == []
    assert job["id"] in [j["id"] for j in chief.get("api/exports").json()["jobs"]]
    for somebody, seen in ((ada, [job["id"]]), (bob, []), (place.anybody.with_token(ada.headers["Authorization"][7:] ), [job["id"]])):
        status, socket = somebody.websocket()
        with socket:
            assert status == 101
            socket.say({"type": "exports", "watch": True})
            assert [j["id"] for j in told(socket)] == seen
    for method, below in (("POST", "/cancel"), ("DELETE", "")):
        assert bob.ask(method, path + below).status == 404
        assert viewer.ask(method, path + below).status == 403
        assert place.anybody.ask(method, path + below).status == 401
    assert chief.ask("DELETE", path).status == 204 and ada.get(path).status == 404


def told(socket: Socket) -> list[dict[str, Any]]:
    """The exports that a websocket is told of first."""
    while True:
        message = socket.next()
        if isinstance(message, dict) and message["type"] == "exports":
            return message["jobs"]


# Pins.

def test_another_site_cannot_have_a_pin_changed(place):
    token = place.tokens.create("p-ada")
    ada = heeded(place, token)
    dataset = place.anybody.get("api/catalog").json()["datasets"][0]
    made = ada.ask("POST", "api/pins", {"title": "mine", "view": {**VIEW, "dataset": dataset["id"]}})
    assert made.status == 201, made.body
    path, tag = f"api/pins/{made.json()['id']}", {"If-Match": made.headers["ETag"]}
    browser = place.anybody.signed_in(token)
    for origin in (None, "null", "http://evil.example.org"):
        for method, below, change in (("PUT", "", {"title": "taken"}), ("DELETE", "", None), ("POST", "/undo", {})):
            assert browser.ask(method, path + below, change, {**tag, "Origin": origin}).status == 403, (method, origin)
    assert place.anybody.but(X_Forwarded_User="p-ada").ask("PUT", path, {"title": "taken"}, tag).status == 401
    assert ada.get(path).json()["revision"] == made.json()["revision"]
    assert browser.ask("PUT", path, {"title": "by its owner's browser"}, tag).status == 200


# Nobody is let in.

def test_without_a_person_nothing_is_shown(closed):
    visitor = closed.anybody
    for path in ("api/catalog", "api/stats", "api/sample", "api/exports", "bricks/x/0/0/table", "api/geometry/a/b", "api/engine"):
        assert visitor.get(path).status == 401, path
    for path in ("api/session", "api/exports", "api/exports/preview", "api/engine", "api/datasets"):
        assert visitor.ask("POST", path, {}).status == 401, path
    status, socket = visitor.websocket(Origin=visitor.origin)
    with socket:
        assert status == 401
    for path in ("", "main.js", "healthz", "api/me"):
        assert visitor.get(path).status == 200, path
    assert visitor.get("pin/0123456789abcdef").headers["Location"] == "/wall/?pin=0123456789abcdef"  # the page says more
    for path in ("pin/0123456789abcdef.png", "pin/0123456789abcdef.jpg?width=64", "pin/0123456789abcdef/0123456789abcdef.jpg", "api/pins", "api/pins/0123456789abcdef"):
        assert visitor.get(path).status == 401, path
        assert visitor.ask("HEAD", path).status == 401, path
    me = visitor.me()
    assert me["role"] == "nobody" and me["anonymous"] is False
    token = closed.tokens.create("ada", "viewer")
    ada = heeded(closed, token)
    catalog = ada.get("api/catalog")
    assert catalog.status == 200 and catalog.headers["Cache-Control"].startswith("private")
    assert visitor.ask("POST", "api/login", headers={"Authorization": f"Bearer {token}"}).cookie()["path"] == "/wall/"
    browser = visitor.signed_in(token)
    assert browser.get("api/catalog").status == 200
    status, socket = browser.websocket(Origin=browser.origin)
    with socket:
        assert status == 101


def test_guesses_are_few(begin):
    place = begin("--auth", "token", "--auth-proxies", PROXY)
    token = place.tokens.create("ada", "admin")
    ada = heeded(place, token)
    guesser = Visitor(place.server, "127.0.0.5")
    said = [guesser.but(Authorization=f"Bearer {number:043d}").get("api/me").status for number in range(40)]
    assert said.count(401) <= 22 and said[-1] == 429 and set(said) == {401, 429}
    assert guesser.ask("POST", "api/login", headers={"Authorization": f"Bearer {FORGED}"}).status == 429
    assert ada.me()["name"] == "ada"  # others are not shut out
    # Behind a proxy each client is counted, and not what a client makes up.
    proxy = Visitor(place.server, PROXY)
    for number in range(40):
        said.append(proxy.but(X_Forwarded_For=f"203.0.113.{number}, 198.51.100.7", Authorization=f"Bearer {number:043d}").get("api/me").status)
    assert said[-1] == 429
    assert proxy.but(X_Forwarded_For="198.51.100.8", Authorization=f"Bearer {FORGED}").get("api/me").status == 401
