# SPDX-License-Identifier: Apache-2.0
"""Pins over HTTP and the websocket: made, read, changed by two editors, undone, deleted and brought back, limited, kept over restarts."""
import json
import threading

import pytest

from conftest import launched, running, wait_until
from pin_client import Pins, lasting
from token_place import FORGED, Place, heeded
from ws_client import Stream


@pytest.fixture(scope="module")
def pins(virga, demo_forecast, tmp_path_factory):
    """Of one server, which has the pins of earlier tests."""
    with running(virga, tmp_path_factory.mktemp("pins") / "server", demo_forecast) as server:
        yield Pins(server)


def list_lasting(pins):
    return [lasting(pin) for pin in pins.list()]


def ids(pins, among):
    return [pin["id"] for pin in pins if pin["id"] in among]


def test_a_pin_is_made_and_read(pins):
    view = pins.view(time="nearest to now")
    reply = pins.ask("POST", "", {"title": "Wind & rain", "group": "north", "position": 2.5, "view": view})
    pin = reply.json()
    assert reply.status == 201 and reply.headers["Location"] == f"/api/pins/{pin['id']}" and reply.headers["ETag"] == '"1"'
    assert len(pin["id"]) == 16 and int(pin["id"], 16) >= 0
    assert pin == {**pin, "title": "Wind & rain", "group": "north", "position": 2.5, "owner": "local", "changed_by": "local", "revision": 1, "may": True,
                   "live": None, "view": view} and pin["created"] == pin["changed"]
    assert "warning" not in pin
    reply = pins.ask("GET", f"/{pin['id']}")
    assert lasting(reply.json()) == lasting(pin) and reply.headers["ETag"] == '"1"' and reply.headers["Cache-Control"] == "no-store"
    assert lasting(pins.list()[0]) == {name: value for name, value in lasting(pin).items() if name != "view"}
    assert pins.ask("HEAD", f"/{pin['id']}").status == 200


def test_lists_are_newest_first_in_pages_and_by_group(pins):
    made = [pins.make(f"n{n}", group="even" if n % 2 == 0 else "", view=pins.view())["id"] for n in range(5)]
    assert [pin["id"] for pin in pins.list()][:5] == made[::-1]
    assert [pin["id"] for pin in pins.list("group=even")] == made[::-2]
    assert ids(pins.list("group="), made) == made[3::-2]
    assert [pin["id"] for pin in pins.ask("GET", f"?before={made[2]}").json()["pins"]][:2] == made[1::-1]
    many = [pins.make(f"m{n}", group="many", view=pins.view())["id"] for n in range(101)]
    assert [pin["id"] for pin in pins.list("group=many")] == many[::-1]
    assert pins.ask("GET", "?before=0123456789abcdef").status == 404


def test_a_new_pin_stands_behind_those_that_are_there(pins):
    first, second, placed = pins.make("first"), pins.make("second"), pins.make("placed", position=0)
    assert 0 < first["position"] < second["position"] and placed["position"] == 0
    assert pins.ask("GET", f"/{second['id']}").json()["position"] == second["position"]


def test_two_editors_do_not_overwrite_each_other(pins):
    pin = pins.make("one", group="g")
    for header in ({}, {"If-Match": None}):
        reply = pins.ask("PUT", f"/{pin['id']}", {"title": "x"}, header)
        assert reply.status == 428 and "If-Match" in reply.message
    reply = pins.put(pin, title="mine")
    assert reply.status == 200 and reply.headers["ETag"] == '"2"'
    assert lasting(reply.json()) == {**lasting(pin), "title": "mine", "revision": 2, "changed": reply.json()["changed"]}
    for method, path, body in (("PUT", "", {"title": "theirs"}), ("DELETE", "", None), ("POST", "/undo", {}), ("POST", "/restore", {"revision": 1})):
        late = pins.change(method, pin, body, path)
        assert late.status == 412 and late.headers["ETag"] == '"2"' and late.json()["pin"]["title"] == "mine" and late.json()["pin"]["view"], method
    for tag in ('"0"', "2", 'W/"2"', '"2', '"two"', '"99999999999999999999"', '"1", "3"', "x" * 200):
        assert pins.ask("PUT", f"/{pin['id']}", {"title": "x"}, {"If-Match": tag}).status == 412, tag
    assert pins.ask("PUT", f"/{pin['id']}", {"position": 7}, {"If-Match": "*"}).json()["revision"] == 3
    again = pins.change("PUT", pin, {"position": 7, "title": "mine"}, revision=3)
    assert again.status == 200 and again.json()["revision"] == 3  # nothing differs


def test_of_many_at_once_one_is_the_first(pins):
    pin = pins.make()
    answers, start = [], threading.Barrier(8)

    def edit(n):
        start.wait()
        answers.append(pins.put(pin, title=f"by {n}").status)

    threads = [threading.Thread(target=edit, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200] + [412] * 7
    assert pins.ask("GET", f"/{pin['id']}").json()["revision"] == 2


def test_changes_are_undone_one_after_the_other(pins):
    pin = pins.make("A")
    for title in ("B", "C"):
        pin = pins.put(pin, title=title).json()
    for title in ("B", "A"):
        pin = pins.change("POST", pin, {}, "/undo").json()
        assert pin["title"] == title
    nothing = pins.change("POST", pin, {}, "/undo")
    assert nothing.status == 409 and "earlier" in nothing.message
    pin = pins.change("POST", pin, {"revision": 3}, "/restore").json()
    assert pin["title"] == "C" and pin["revision"] == 6
    assert pins.change("POST", pin, {"revision": 60}, "/restore").status == 404
    history = pins.ask("GET", f"/{pin['id']}/history").json()
    assert [(r["revision"], r.get("as"), r["title"], r["what"]) for r in history["revisions"]] == [
        (6, 3, "C", ["restored"]), (5, 1, "A", ["undone"]), (4, 2, "B", ["undone"]), (3, None, "C", ["title"]), (2, None, "B", ["title"]),
        (1, None, "A", ["created"])]
    assert all(r["by"] == "local" and r["at"] and "view" not in r for r in history["revisions"])
    old = pins.ask("GET", f"/{pin['id']}/history/2").json()
    assert old["title"] == "B" and old["view"] == pin["view"]
    for path in ("/history/7", "/history/", "/history/x", "/history/99999999999", "/history/0"):
        assert pins.ask("GET", f"/{pin['id']}{path}").status == 404, path


def test_a_deleted_pin_can_be_brought_back(pins):
    pin = pins.make("A", group="g", position=3)
    pin = pins.put(pin, title="B").json()
    reply = pins.change("DELETE", pin)
    assert reply.status == 204 and reply.headers["ETag"] == '"3"'
    assert pins.ask("GET", f"/{pin['id']}").status == 404 and not ids(pins.list(), [pin["id"]])
    for method, path, body in (("PUT", "", {"title": "x"}), ("DELETE", "", None)):
        assert pins.change(method, pin, body, path, revision=3).status == 404
    gone = [p for p in pins.list("deleted=1") if p["id"] == pin["id"]]
    assert [(p["id"], p["revision"], p["title"]) for p in gone] == [(pin["id"], 3, "B")] and gone[0]["deleted"]
    back = pins.change("POST", gone[0], {}, "/undo").json()
    assert back["title"] == "B" and back["revision"] == 4 and "deleted" not in back and back["view"] == pin["view"]
    assert ids(pins.list(), [pin["id"]]) and not ids(pins.list("deleted=1"), [pin["id"]])
    assert pins.change("POST", back, {}, "/undo").json()["title"] == "A"  # not deleted again


def test_what_is_not_there_now_can_be_pinned_and_is_told(pins):
    for view in (pins.view(dataset="gone-tomorrow"), pins.view(run="2001-01-01T00:00:00Z")):
        pin = pins.make(view=view)
        assert pin["warning"] and pins.ask("GET", f"/{pin['id']}").json()["view"] == view


def test_a_pin_is_a_link(pins):
    pin = pins.make()
    for query, location in (("", f"/?pin={pin['id']}"), ("?embed=1", f"/?pin={pin['id']}&embed=1"), ("?embed=<x>", f"/?pin={pin['id']}")):
        reply = pins.visitor.get(f"pin/{pin['id']}{query}")
        assert reply.status == 302 and reply.headers["Location"] == location
    for path in ("pin/", "pin/0123", "pin/0123456789ABCDEF", "pin/../../etc/passwd"):
        assert pins.visitor.get(path).status == 404, path


def test_the_link_stands_below_the_base_path(serve, demo_forecast):
    with serve(demo_forecast, "--base-path", "/weather/") as server:
        pins = Pins(server)
        pin = pins.make()
        assert pins.visitor.get(f"pin/{pin['id']}").headers["Location"] == f"/weather/?pin={pin['id']}"


WRONG = [
    ({}, "title"), ([], "object"), ({"title": "a"}, "view"), ({"title": 7, "view": {}}, "title"), ({"title": "", "view": {}}, "title"),
    ({"title": "  ", "view": {}}, "title"), ({"title": "x" * 201, "view": {}}, "title"), ({"title": "a", "view": []}, "view"),
    ({"title": "a", "view": {"version": 1}}, "view"), ({"title": "a", "view": {}, "owner": "admin"}, "owner"), ({"title": "a", "view": {}, "id": "0" * 16}, "id"),
    ({"title": "a", "group": "x" * 81, "view": {}}, "group"), ({"title": "a", "position": "1", "view": {}}, "position"),
    ({"title": "a", "position": 1e10, "view": {}}, "position"), ({"title": "a\0b", "view": {}}, "JSON"),
]


@pytest.mark.parametrize("body, member", WRONG, ids=range(len(WRONG)))
def test_wrong_documents_are_refused_with_the_member(pins, body, member):
    before = list_lasting(pins)
    reply = pins.ask("POST", "", body)
    assert reply.status == 400 and member in reply.message
    assert list_lasting(pins) == before


def test_hostile_requests_are_refused(pins):
    view, before = pins.view(), list_lasting(pins)
    good = json.dumps({"title": "a", "view": view})
    for body, status in ((b"", 400), (b"{", 400), (b"\xff\xfe", 400), (b"[" * 60000, 400), (good.replace('"title"', '"title":"b","title"').encode(), 400),
                         (b'{"title":"a","view":' + b'{"a":' * 40 + b"1" + b"}" * 41, 400), (b"x" * 70000, 413)):
        assert pins.ask("POST", "", body).status == status, body[:40]
    assert pins.ask("POST", "", good.encode(), {"Content-Type": "text/plain"}).status == 415
    for name in ("view", "title", "group"):
        pin = {"title": "a", "view": {**view, "captions": {"title": "x" * 66000}}} if name == "view" else {"title": "a", "view": view, name: "é" * 300}
        assert pins.ask("POST", "", pin).status in (400, 413)
    for origin in ("http://evil.example", "null", None):
        assert pins.ask("POST", "", good.encode(), {"Origin": origin}).status == 403, origin
    assert pins.ask("POST", "", good.encode(), {"Host": "evil.example", "Origin": "http://evil.example"}).status == 403
    for method, path, status in (("GET", "/0123456789abcdef", 404), ("GET", "/nothing", 404), ("GET", "/0123456789abcdef/x", 404), ("POST", "/0123456789abcdef", 405),
                                 ("PUT", "", 405), ("DELETE", "", 405), ("GET", "/0123456789abcdef/undo", 405), ("DELETE", "/0123456789abcdef/history", 405)):
        body = {} if method in ("POST", "PUT") else None
        assert pins.ask(method, path, body, {"If-Match": '"1"'}).status == status, (method, path)
    assert pins.ask("PUT", "/0123456789abcdef", {"title": "a"}, {"If-Match": '"1"'}).status == 404
    assert list_lasting(pins) == before


def test_pins_outlive_the_server(virga, demo_forecast, tmp_path):
    server = launched(virga, tmp_path, demo_forecast)
    pins = Pins(server)
    kept, gone = pins.make("kept"), pins.make("gone")
    kept = pins.put(kept, title="changed", position=-1).json()
    pins.change("DELETE", gone)
    server.process.kill()
    server.process.wait()
    server = launched(virga, tmp_path, demo_forecast)
    try:
        pins = Pins(server)
        assert lasting(pins.ask("GET", f"/{kept['id']}").json()) == lasting(kept)
        assert [p["id"] for p in pins.list()] == [kept["id"]] and [p["id"] for p in pins.list("deleted=1")] == [gone["id"]]
        assert pins.change("POST", kept, {}, "/undo").json()["title"] == "kept"
    finally:
        assert server.stop() == 0


def test_only_so_many_revisions_are_kept(pins):
    pin = pins.make("0")
    for n in range(1, 106):
        pin = pins.put(pin, title=str(n)).json()
    revisions = pins.ask("GET", f"/{pin['id']}/history").json()["revisions"]
    assert len(revisions) == 100 and revisions[-1]["title"] == "6"
    assert pins.change("POST", pin, {"revision": 3}, "/restore").status == 404


# The websocket.

def told(stream, wanted, known=None):
    """Takes in messages until what is known of pins is as wanted."""
    known = {} if known is None else known
    while not wanted(known):
        message = stream.take()
        if not isinstance(message, dict) or message.get("type") != "pins":
            continue
        if message["all"]:
            known.clear()
        for pin in message["pins"]:
            assert "view" not in pin
            known[pin["id"]] = pin
            if pin.get("deleted"):
                assert pin == {"id": pin["id"], "deleted": True}
                del known[pin["id"]]
    return known


def test_a_watcher_is_told_at_once(pins):
    first = pins.make("first")
    others = {pin["id"] for pin in pins.list()} - {first["id"]}
    with Stream(pins.server.url, headers={"Origin": pins.origin}) as stream:
        stream.socket.say({"type": "pins", "watch": True})
        known = told(stream, lambda k: set(k) == {first["id"], *others})
        assert lasting(known[first["id"]]) == {name: value for name, value in lasting(first).items() if name != "view"}
        many = [pins.make(f"n{n}")["id"] for n in range(40)]
        told(stream, lambda k: set(k) == {first["id"], *many, *others}, known)
        pins.put(first, title="other")
        told(stream, lambda k: k[first["id"]]["title"] == "other", known)
        pins.change("DELETE", first, revision=2)
        told(stream, lambda k: first["id"] not in k, known)
    with Stream(pins.server.url) as stream:  # a newcomer gets all, in several messages
        stream.socket.say({"type": "pins", "watch": True})
        assert set(told(stream, lambda k: len(k) == 40 + len(others))) == {*many, *others}
    with Stream(pins.server.url) as stream:  # and knows from which on they are all
        stream.socket.say({"type": "pins", "watch": True})
        lists = [next(message for message in iter(stream.take, None) if isinstance(message, dict) and message.get("type") == "pins")]
        while lists[-1]["more"]:
            message = stream.take()
            lists += [message] if isinstance(message, dict) and message.get("type") == "pins" else []
        assert len(lists) > 1 and {pin["id"] for message in lists for pin in message["pins"]} == {*many, *others}


# People.

@pytest.fixture(scope="module")
def people(virga, demo_forecast, tmp_path_factory):
    """{name: Pins} of a server that believes tokens, as those see it who have one, and "nobody"."""
    roles = {"ann": "forecaster", "ben": "forecaster", "vi": "viewer", "chief": "admin"}
    with running(virga, tmp_path_factory.mktemp("people") / "server", demo_forecast, "--auth", "token") as server:
        place = Place(server, virga)
        visitors = {name: heeded(place, place.tokens.create(name, role)) for name, role in roles.items()}
        yield {name: Pins(server, visitor) for name, visitor in {**visitors, "nobody": place.anybody}.items()}


def test_only_its_owner_and_admins_change_a_pin(people):
    pin = people["ann"].make("mine")
    assert pin["owner"] == pin["changed_by"] == "ann"
    for name, may in (("ann", True), ("ben", False), ("vi", False), ("chief", True), ("nobody", False)):
        seen = people[name].ask("GET", f"/{pin['id']}").json()
        assert lasting(seen) == {**lasting(pin), "may": may} and people[name].list()[0]["may"] == may
    for name, status in (("ben", 403), ("vi", 403), ("nobody", 401)):
        for method, path, body in (("PUT", "", {"title": "x"}), ("DELETE", "", None), ("POST", "/undo", {}), ("POST", "/restore", {"revision": 1})):
            assert people[name].change(method, pin, body, path).status == status, (name, method, path)
    assert lasting(people["ann"].ask("GET", f"/{pin['id']}").json()) == lasting(pin)
    pin = people["chief"].put(pin, title="ours").json()
    assert pin["owner"] == "ann" and pin["changed_by"] == "chief"
    assert people["chief"].change("DELETE", pin).status == 204
    for name, sees in (("ann", True), ("ben", False), ("vi", False), ("chief", True), ("nobody", False)):
        assert bool(people[name].list("deleted=1")) == sees, name
        assert people[name].ask("GET", f"/{pin['id']}/history").status == (200 if sees else 404)
    assert people["ben"].change("POST", pin, {}, "/undo", revision=3).status == 403
    assert people["ann"].change("POST", pin, {}, "/undo", revision=3).json()["title"] == "ours"


def test_who_may_not_pin_makes_none(people):
    for name, status in (("vi", 403), ("nobody", 401)):
        assert people[name].ask("POST", "", {"title": "a", "view": people[name].view()}).status == status
    before = list_lasting(people["ann"])
    forged = Pins(people["ann"].server, people["nobody"].visitor.with_token(FORGED))
    assert forged.ask("POST", "", {"title": "a", "view": {}}).status == 401
    for headers in ({"Origin": "http://evil.example"}, {"X-Forwarded-User": "chief", "Authorization": None}):
        assert people["ann"].ask("POST", "", {"title": "a", "view": people["ann"].view()}, headers).status in (401, 403), headers
    assert list_lasting(people["ann"]) == before


def test_a_server_without_its_state_says_so(serve, demo_forecast, tmp_path):
    with serve(demo_forecast) as first:
        with running(first.process.args[0], tmp_path / "other", demo_forecast, "--state", str(first.state)) as second:
            for method, body in (("GET", None), ("POST", {"title": "a", "view": {}})):
                reply = Pins(second).ask(method, "", body)
                assert reply.status == 501 and "--state" in reply.message
            assert "nothing is remembered" in second.stderr
