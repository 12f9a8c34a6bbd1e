# SPDX-License-Identifier: Apache-2.0
"""Requests about exports that are hostile: other sites' and machines', bodies that are large, slow, broken or no JSON. The server answers, and goes on."""
import json
import socket as sockets
import time

import pytest

from conftest import wait_until
from export_client import STAND_IN, Exports
from ws_client import Closed, Socket, Stream


@pytest.fixture
def exports(serve, demo_forecast):
    with serve(demo_forecast, "--allow-origin", "https://weather.example.org", environment={"VIRGA_EXPORT_PROGRAM": str(STAND_IN)}) as server:
        yield Exports(server)
        assert Socket(server.host, server.port).request("/healthz")[2] == b"ok\n"


@pytest.mark.parametrize("headers", [{"Origin": None}, {"Origin": "null"}, {"Origin": "http://evil.example.org"}, {"Origin": "http://127.0.0.1:1"},
                                     {"Origin": "http://evil.example.org", "Host": "evil.example.org"}, {"Host": "evil.example.org:80"},
                                     {"Host": "rebound.example.org", "Origin": "http://rebound.example.org"}, {"Origin": "x" * 400}])
def test_other_sites_may_not_write(exports, headers):
    view = exports.view()
    for method, path, body in (("POST", "", {"view": view}), ("POST", "/preview", {"view": view}), ("POST", "/0123456789abcdef/cancel", None),
                               ("DELETE", "/0123456789abcdef", None)):
        reply = exports.ask(method, path, body, headers)
        assert reply.status == 403 and reply.message, (method, path, reply.body)
    assert exports.ask("GET").json()["jobs"] == []


def test_a_site_of_the_configuration_may(exports):
    assert exports.post(exports.view("frames=1"), headers={"Origin": "https://weather.example.org"}).status == 201
    assert exports.post(exports.view("frames=1"), headers={"Origin": "https://weather.example.org", "Host": "weather.example.org"}).status == 201
    assert "allow-origin" in exports.post(exports.view(), headers={"Origin": "https://other.example.org"}).message


def test_other_machines_may_not_write(serve, demo_forecast):
    """As far as one machine can tell: by an address of its own that is no loopback address."""
    with sockets.socket(sockets.AF_INET, sockets.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no address but loopback")
        address = probe.getsockname()[0]
    if address.startswith("127."):
        pytest.skip("this machine has no address but loopback")
    with serve(demo_forecast, "--listen", "0.0.0.0:0", "--open-to-all", "yes", environment={"VIRGA_EXPORT_PROGRAM": str(STAND_IN)}) as server:
        server.host = address
        exports = Exports(server)
        reply = exports.post(exports.view())
        assert reply.status == 403 and "this machine" in reply.message
        assert exports.ask("GET").status == 200


@pytest.mark.parametrize("body, words", [(b"", "JSON"), (b"{", "JSON"), (b"\xff\xfe", "JSON"), (b'{"view": {}}', "version"), (b"[" * 60000, "deep"), (b'{"view": ' * 5000, "deep"),
                                         (b'{"view": null}', "view"), (b'{"view": {}, "view": {}}', "JSON"), (b'{"view": {"version": 1e999}}', "JSON"), (b"\0" * 100, "JSON"),
                                         (b'{"view": {"version": 1, "dataset": "\\u0000"}}', ""), (b'"' + b"x" * 66000 + b'"', "JSON"), (b"[5]", "object"), (b'{"a\\nb": 1}', "unknown field")])
def test_bodies_that_are_no_request_are_refused(exports, body, words):
    for path in ("", "/preview"):
        reply = exports.ask("POST", path, body, {"Content-Type": "application/json"})
        assert reply.status == 400 and words in reply.message, reply.body


@pytest.mark.parametrize("headers, status", [({"Content_Type": None}, 415), ({"Content_Type": "text/plain"}, 415), ({"Content_Type": "application/jsonp"}, 415),
                                             ({"Content_Type": "application/json; charset=utf-8"}, 400), ({"Content_Length": None, "Transfer_Encoding": "chunked"}, 411),
                                             ({"Content_Length": "67585"}, 413), ({"Content_Length": "99999999999999999999"}, 400), ({"Content_Length": "-1"}, 400),
                                             ({"Content_Length": "5x"}, 400), ({"Content_Length": "1e3"}, 400)])
def test_headers_that_do_not_fit_are_refused(exports, headers, status):
    with Socket(exports.server.host, exports.server.port) as client:
        client.send(exports.head("2", **headers) + b"{}")
        assert client.answer()[0] == status


def test_a_body_that_comes_in_small_pieces_is_whole_in_the_end(exports):
    body = json.dumps({"view": exports.view("frames=1")}).encode()
    with Socket(exports.server.host, exports.server.port) as client:
        client.send(exports.head(len(body)))
        for i in range(0, len(body), 7):
            client.send(body[i:i + 7])
        status, headers, answer = client.answer()
        assert status == 201 and headers["connection"] == "close"
        with pytest.raises(Closed):
            client.more()


def test_a_body_that_does_not_come_is_not_waited_for(exports):
    began = time.monotonic()
    with Socket(exports.server.host, exports.server.port) as silent, Socket(exports.server.host, exports.server.port) as dripping:
        silent.send(exports.head(100))
        dripping.send(exports.head(60000))
        dripping.socket.settimeout(0.2)
        while time.monotonic() - began < 30:  # keeps the connection busy
            try:
                dripping.send(b" ")
                dripping.more()
            except TimeoutError:
                continue
            except (OSError, Closed):
                break
            if b"\r\n\r\n" in dripping.buffer:
                break
        assert time.monotonic() - began < 20
        assert not dripping.buffer or b" 408 " in dripping.buffer.split(b"\r\n")[0]
        silent.socket.settimeout(20)
        try:
            assert silent.head()[0] == 408
        except Closed:
            pass
        assert time.monotonic() - began < 20


def test_what_follows_a_body_is_not_taken_for_a_request(exports):
    body = json.dumps({"view": exports.view("frames=1")}).encode()
    with Socket(exports.server.host, exports.server.port) as client:
        client.send(exports.head(len(body)) + body + b"DELETE /api/exports/0123456789abcdef HTTP/1.1\r\nHost: x\r\n\r\n" * 50)
        assert client.head()[0] == 201
    assert len(exports.ask("GET").json()["jobs"]) == 1


def test_a_refused_bodys_answer_arrives_though_the_body_is_large(exports):
    for _ in range(20):
        reply = exports.ask("POST", "", b"x" * 67000, {"Origin": "http://evil.example.org", "Content-Type": "application/json"})
        assert reply.status == 403


def test_other_methods_are_told_which_there_are(exports):
    job_id = exports.make(exports.view("frames=1"))
    for method, path, allow in (("PUT", "", "GET"), ("DELETE", "", "GET"), ("PATCH", f"/{job_id}", "GET"), ("POST", f"/{job_id}", "DELETE"), ("GET", "/preview", "POST"),
                                ("DELETE", f"/{job_id}/zip", "GET"), ("GET", f"/{job_id}/cancel", "POST"), ("POST", f"/{job_id}/frames/0", "GET")):
        reply = exports.ask(method, path)
        assert reply.status == 405 and allow in reply.headers["Allow"], (method, path)


def test_many_at_once_are_answered_one_way_or_the_other(exports):
    body = json.dumps({"view": exports.view("frames=1")}).encode()
    clients = [Socket(exports.server.host, exports.server.port) for _ in range(100)]
    for client in clients:
        client.send(exports.head(len(body)) + body)
    statuses = [client.answer()[0] for client in clients]
    for client in clients:
        client.socket.close()
    assert set(statuses) <= {201, 503} and statuses.count(201) >= 32


def test_clients_that_hang_up_with_half_a_body_cost_nothing(exports):
    for _ in range(200):
        with Socket(exports.server.host, exports.server.port) as client:
            client.send(exports.head(1000) + b"{" * 10)
    assert wait_until(lambda: json.loads(Socket(exports.server.host, exports.server.port).request("/api/stats")[2])["connections"]["now"] < 5)


def test_a_client_that_watches_and_does_not_read_costs_nothing_that_grows(exports):
    with Stream(exports.server.url, receive_buffer=2048) as page:
        page.socket.say({"type": "exports", "watch": True})
        made = [exports.make(exports.view("frames=20 delay=0.01"), "x" * 100) for _ in range(10)]
        for job_id in made:
            exports.wait(job_id)
        known, message = {}, None
        while not known or any(job["state"] != "done" for job in known.values()) or len(known) < 10:
            message = page.socket.next()
            known.update((job["id"], job) for job in message.get("jobs", []))


@pytest.mark.parametrize("message", [{"type": "exports"}, {"type": "exports", "watch": 1}, {"type": "exports", "watch": None}])
def test_watching_is_yes_or_no(exports, message):
    with Stream(exports.server.url) as page:
        page.socket.say(message)
        with pytest.raises(Closed) as closed:
            page.socket.next()
        assert closed.value.code == 1008
