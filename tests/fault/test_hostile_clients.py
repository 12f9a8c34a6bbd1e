# SPDX-License-Identifier: Apache-2.0
"""What a client can do wrong, each tried against a running server that goes on serving everybody else in bounded memory."""
import contextlib
import json
import os
import random
import socket
import struct
import time

import pytest

from conftest import running, wait_until
from ws_client import BINARY, CLOSE, CONTINUE, TEXT, Closed, Socket, Stream

MAX_CONNECTIONS = 200


@pytest.fixture(scope="module")
def server(virga, demo_forecast, tmp_path_factory):
    """One server for all of these: what one test does to it, the next would feel."""
    with running(virga, tmp_path_factory.mktemp("hostile") / "server", demo_forecast, "--max-connections", MAX_CONNECTIONS,
                 "--allow-origin", "https://friend.example.org") as one:
        yield one


def resident(server):
    """MiB."""
    with open(f"/proc/{server.process.pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE") / 2**20


def dataset_and_variable(server):
    with Socket(server.host, server.port) as client:
        dataset = json.loads(client.request("/api/catalog")[2])["datasets"][0]
    return dataset["id"], next(v["id"] for v in dataset["variables"] if v["vertical"])


@pytest.fixture(autouse=True)
def others_are_served(server):
    """Before and after each of these a well-behaved client gets its picture, and memory has not grown by much."""
    dataset, variable = dataset_and_variable(server)

    def look():
        end = time.monotonic() + 10
        while True:
            try:
                with Stream(server.url) as stream:
                    stream.interest(dataset, [variable], time=1)
                    stream.until_done()
                    return len(stream.bricks)
            except Closed:  # all MAX_CONNECTIONS are taken until the server has noticed that they were closed
                if time.monotonic() > end:
                    raise
    bricks, before = look(), resident(server)
    yield
    assert server.process.poll() is None, server.stderr
    assert look() == bricks > 0
    assert resident(server) < before + 150, "memory grew"


def raw(server, timeout=10):
    return Socket(server.host, server.port, timeout)


def opened(server, **more):
    client = raw(server)
    assert client.ask_upgrade(**more) == 101
    assert client.next()["type"] == "hello"
    return client


def ends(client):
    """Whether the server closes the connection, after whatever it says."""
    try:
        while True:
            client.next() if client.buffer[:1] >= b"\x80" else client.more()
            client.buffer.clear()
    except (Closed, ConnectionError):
        return True
    except TimeoutError:
        return False


def closes_with(client):
    try:
        while True:
            client.next()
    except Closed as closed:
        return closed.code, closed.reason
    except ConnectionError:
        return None, "reset"


# Messages.

@pytest.mark.parametrize("text", [
    "", "{", "[]", "7", "null", '{"type": 3}', '{"type": "ack"}', '{"type": "ack", "bytes": -1}', '{"type": "ack", "bytes": 1e300}',
    '{"type": "ack", "bytes": NaN}', '{"type": "ack", "bytes": 99999999999999999999999}', '{"type": "interest"}',
    '{"type": "interest", "generation": 1, "dataset": "x", "layers": [{"variable": "y"}], "time": -1, "budget": 1}',
    '{"type": "interest", "generation": 1, "dataset": "x", "layers": [{"variable": "y"}], "time": 0, "budget": -1}',
    '{"type": "interest", "generation": 1, "dataset": "x", "layers": [], "time": 0, "budget": 1}',
    '{"type": "interest", "generation": 1, "dataset": "x", "layers": [{"variable": "y"}], "time": 4000000000, "budget": 1}',
    '{"type": "drop", "variable": "x", "step": 0, "bricks": [[0, -1, 0, 0]]}', "[" * 5000, '{"a":' * 3000, '"' * 3000,
    '{"type": "ping", "id": 1, "id": 2}'])
def test_bad_messages_close_with_a_reason(server, text):
    with opened(server) as client:
        client.frame(TEXT, text.encode())
        code, reason = closes_with(client)
        assert code == 1008 and reason


def test_unknown_messages_are_answered_and_harmless(server):
    with opened(server) as client:
        for name in ("wave", "", "x" * 5000, "interest2"):
            client.say({"type": name})
            assert client.next()["type"] == "error"
        client.say({"type": "ping", "id": 5})
        assert client.next() == {"type": "pong", "id": 5}


def test_interest_in_huge_indices_is_answered(server):
    dataset, variable = dataset_and_variable(server)
    with opened(server) as client:
        for n, change in enumerate([{"time": 2**31 - 1}, {"member": 999999}, {"dataset": "a" * 255}, {"max_level": 20},
                                    {"budget": 0}, {"budget": 2**50}, {"camera": {"eye": [1e6] * 3, "target": [1e6] * 3, "up": [0, 0, 0], "fov": 179,
                                                                                 "width": 65536, "height": 1, "exaggeration": 10000}}]):
            client.say({"type": "interest", "generation": n, "dataset": dataset, "layers": [{"variable": variable}], "time": 0, "budget": 10**9, **change})
            while True:
                message = client.next()
                if isinstance(message, dict) and message["type"] in ("error", "done") and message["generation"] == n:
                    break
                if isinstance(message, bytes):
                    client.say({"type": "ack", "bytes": len(message)})


def test_acknowledging_more_than_was_sent_gains_nothing(server):
    dataset, variable = dataset_and_variable(server)
    with opened(server) as client:
        for _ in range(20):
            client.say({"type": "ack", "bytes": 2**52})
        client.say({"type": "interest", "generation": 1, "dataset": dataset, "layers": [{"variable": variable}], "time": 0, "budget": 10**9})
        while client.next() != {"type": "done", "generation": 1}:
            pass


def test_binary_from_a_client_is_refused(server):
    with opened(server) as client:
        client.frame(BINARY, b"VBAT" + bytes(100))
        assert closes_with(client)[0] == 1008


def test_text_that_is_no_utf8_is_refused(server):
    with opened(server) as client:
        client.frame(TEXT, b'{"type": "\xff\xfe"}')
        assert closes_with(client)[0] in (1007, 1008)


def test_a_message_in_pieces_is_understood(server):
    with opened(server) as client:
        whole = json.dumps({"type": "ping", "id": 77}).encode()
        client.frame(TEXT, whole[:3], final=False)
        for byte in whole[3:-1]:
            client.frame(CONTINUE, bytes([byte]), final=False)
        client.frame(CONTINUE, whole[-1:])
        assert client.next() == {"type": "pong", "id": 77}


@pytest.mark.parametrize("size", [16385, 20000, 65536, 10**6])
def test_messages_over_the_limit_close(server, size):
    with opened(server) as client:
        with contextlib.suppress(ConnectionError):
            client.frame(TEXT, b" " * size)
        assert closes_with(client)[0] in (1008, 1009, None)


@pytest.mark.parametrize("length", [2**31 - 1, 2**32, 2**62, 2**63 - 1])
def test_frames_that_claim_huge_sizes_close(server, length):
    with opened(server) as client:
        with contextlib.suppress(ConnectionError):
            client.frame(TEXT, b"{" * 100, length=length)
        assert ends(client)


def test_an_endless_message_in_pieces_closes(server):
    with opened(server) as client:
        with contextlib.suppress(ConnectionError):
            client.frame(TEXT, b" ", final=False)
            for _ in range(100):
                client.frame(CONTINUE, b" " * 1000, final=False)
        assert closes_with(client)[0] in (1008, 1009, None)


def test_truncated_frames_and_hang_ups_are_survived(server):
    message = json.dumps({"type": "ping", "id": 1}).encode()
    frame = bytes([0x81, 0x80 | len(message)]) + b"abcd" + bytes(c ^ b"abcd"[i % 4] for i, c in enumerate(message))
    for cut in range(len(frame)):
        with opened(server) as client:
            client.send(frame[:cut])


@pytest.mark.parametrize("first", [0x83, 0x87, 0x8B, 0x8F, 0xC1, 0xA1, 0x91, 0xF1, 0x09, 0x80])
def test_frames_that_break_the_standard_close(server, first):
    """Reserved opcodes and bits, fragmented control frames, a continuation of nothing."""
    with opened(server) as client:
        client.send(bytes([first, 0x84]) + b"\0\0\0\0" + b"{}  ")
        client.say({"type": "ping", "id": 1})
        assert ends(client)


def test_frames_that_are_not_masked_do_no_harm(server):
    with opened(server) as client:
        client.frame(TEXT, b'{"type": "ping", "id": 3}', masked=False)
        with contextlib.suppress(Closed, ConnectionError, TimeoutError):
            client.socket.settimeout(2)
            client.next()


def test_control_frames_of_any_kind_do_no_harm(server):
    for frame in ([0x89, 0x80], [0x8A, 0x80], [0x89, 0xFE, 0x01, 0x00], [0x88, 0x80], [0x88, 0x81], [0x88, 0x82]):
        with opened(server) as client:
            client.send(bytes(frame) + os.urandom(4) + bytes(300))
            with contextlib.suppress(Closed, ConnectionError, TimeoutError, AssertionError):
                client.socket.settimeout(1)
                client.next()


def test_a_flood_of_messages_is_cut_off(server):
    with opened(server) as client:
        sent = 0
        with contextlib.suppress(ConnectionError):
            for sent in range(100_000):
                client.say({"type": "ping", "id": sent})
        assert sent < 100_000 - 1 or closes_with(client)[1] in ("too many messages", "reset")


def test_random_bytes_after_the_handshake_do_no_harm(server):
    noise = random.Random(20260101)
    for _ in range(100):
        with opened(server) as client, contextlib.suppress(ConnectionError):
            client.send(noise.randbytes(noise.randrange(1, 3000)))


def test_mutilated_interests_do_no_harm(server):
    dataset, variable = dataset_and_variable(server)
    good = json.dumps({"type": "interest", "generation": 1, "dataset": dataset, "run": "latest", "layers": [{"variable": variable, "opacity": [[0, 0], [1, 1]]}],
                       "time": 0, "direction": 1, "rate": 1, "steps": 2, "budget": 10**8, "max_level": 0,
                       "camera": {"eye": [0, -500, 300], "target": [0, 0, 0], "up": [0, 0, 1], "fov": 40, "width": 800, "height": 600, "exaggeration": 10}}).encode()
    noise = random.Random(7)
    for _ in range(150):
        text = bytearray(good)
        for _ in range(noise.randrange(1, 4)):
            at = noise.randrange(len(text))
            text[at:at + noise.randrange(3)] = noise.choice([b"-", b"9", b"e9", b"null", b"[", b"}", b"0", b'"', b"1e308", bytes([noise.randrange(256)])])
        with opened(server) as client, contextlib.suppress(ConnectionError):
            client.frame(TEXT, bytes(text))


# Opening.

@pytest.mark.parametrize("origin, status", [("http://evil.example.org", 403), ("null", 403), ("https://friend.example.org", 101), ("{own}", 101),
                                            ("https://friend.example.org.evil.org", 403), ("{own}.evil.org", 403), ("file://", 403),
                                            ("http://127.0.0.1", 403), ("ftp://{host}", 403), ("x" * 400, 403), ("http://user@{host}", 403)])
def test_only_known_origins_may_open(server, origin, status):
    host = f"{server.host}:{server.port}"
    with raw(server) as client:
        assert client.ask_upgrade(headers={"Origin": origin.format(own=f"http://{host}", host=host)}) == status


@pytest.mark.parametrize("change, status", [
    ({"Upgrade": "h2c", "HTTP2-Settings": "AAMAAABkAARAAAAAAAIAAAAA", "Connection": "Upgrade, HTTP2-Settings"}, 400),
    ({"Upgrade": "h2c"}, 400), ({"Sec-WebSocket-Protocol": "other.1"}, 400), ({"Sec-WebSocket-Protocol": "(http)"}, 400),
    ({"Sec-WebSocket-Protocol": "virga.12"}, 400), ({"Sec-WebSocket-Version": "8"}, 426), ({"Sec-WebSocket-Version": "x"}, 426),
    ({"Content-Length": "5"}, 413), ({"Transfer-Encoding": "chunked"}, 413)])
def test_upgrades_to_anything_else_are_refused(server, change, status):
    with raw(server) as client:
        assert client.ask_upgrade(headers=change) == status
        assert ends(client)


@pytest.mark.parametrize("path", ["/", "/wsx", "/ws/x", "/bricks/ws", "/api/catalog"])
def test_only_one_address_speaks_websocket(server, path):
    with raw(server) as client:
        assert client.ask_upgrade(path) == 404


def test_other_upgrades_on_a_connection_that_was_used_are_refused(server):
    """The library answers these itself and goes on with a header that it has thrown away."""
    for upgrade in ("foo", "h2c", "TLS/1.0, HTTP/1.1", "websocket2", "WebSocket, h2c"):
        with raw(server) as client:
            assert client.request("/healthz")[0] == 200
            client.send(f"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: {upgrade}\r\n\r\nGET /healthz HTTP/1.1\r\n\r\n".encode())
            with contextlib.suppress(Closed, ConnectionError):
                while True:
                    client.more()


def test_extensions_are_declined(server):
    with raw(server) as client:
        assert client.ask_upgrade(headers={"Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits"}) == 101
        assert "sec-websocket-extensions" not in client.headers


def test_handshakes_cut_anywhere_are_survived(server):
    whole = (f"GET /ws HTTP/1.1\r\nHost: {server.host}:{server.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: virga.1\r\n\r\n").encode()
    for cut in range(0, len(whole), 3):
        with raw(server) as client:
            client.send(whole[:cut])


def test_messages_in_the_handshakes_packet_are_read(server):
    with raw(server) as client:
        message = json.dumps({"type": "ping", "id": 9}).encode()
        client.send((f"GET /ws HTTP/1.1\r\nHost: {client.host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: virga.1\r\n\r\n").encode()
                    + bytes([0x81, 0x80 | len(message)]) + bytes(4) + message)
        assert client.head()[0] == 101
        assert client.next()["type"] == "hello" and client.next() == {"type": "pong", "id": 9}


# HTTP.

@pytest.mark.parametrize("path", [
    "/../../etc/passwd", "/..%2f..%2fetc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/%2e%2e%2f%2e%2e%2fetc%2fpasswd", "/assets/../../server/main.c",
    "/....//....//etc/passwd", "/assets/..%5c..%5cetc", "//etc/passwd", "/%00", "/index.html%00.png", "/main.js%00", "/%c0%ae%c0%ae/etc/passwd",
    "/.git/config", "/.gitignore", "/node_modules/../package.json", "/web/../../../etc/passwd", "/%", "/%2", "/%zz", "/index.html/", "/index.html/..",
    "/~root", "/" + "a" * 6000, "/" + "../" * 1000, "/" + "%2e%2e/" * 500, "/?" + "a=b&" * 60, "/bricks/../../../etc/passwd", "/api/geometry/../../etc"],
    ids=range(28))
def test_path_tricks_reach_nothing(server, path):
    with raw(server) as client:
        client.send(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode("latin-1"))
        with contextlib.suppress(Closed, ConnectionError):
            status, _, body = client.answer()
            assert status in (200, 400, 403, 404)
            assert b"root:" not in body and b"[core]" not in body and b"#include" not in body
            if status == 200:  # it was the page's own
                assert body.startswith((b"<!doctype html>", b"//", b"/*"))


def test_headers_that_come_slowly_are_cut_off(server):
    clients = [raw(server, timeout=20) for _ in range(20)]
    start = time.monotonic()
    for client in clients:
        client.send(b"GET / HTTP/1.1\r\nHost: x\r\n")
    closed = set()
    while len(closed) < len(clients) and time.monotonic() < start + 20:
        for n, client in enumerate(clients):
            if n in closed:
                continue
            try:
                client.send(b"X-a: b\r\n")
                client.socket.settimeout(0.01)
                if client.socket.recv(1000) == b"":
                    closed.add(n)
            except TimeoutError:
                pass
            except OSError:
                closed.add(n)
    assert len(closed) == len(clients) and time.monotonic() - start < 12
    for client in clients:
        client.socket.close()


def test_connections_that_say_nothing_are_cut_off(server):
    with raw(server, timeout=20) as client:
        start = time.monotonic()
        assert ends(client) and time.monotonic() - start < 15


@pytest.mark.parametrize("head", [
    b"X" * 20000, b"GET / HTTP/1.1\r\n" + b"X-a: " + b"b" * 20000, b"GET / HTTP/1.1\r\n" + b"X-a: b\r\n" * 5000, b"GET " + b"/" * 20000,
    b"\0" * 1000, b"\r\n" * 100, b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET / HTTP/2.0\r\n\r\n", b"GET /\r\n\r\n", b"FROB / HTTP/1.1\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", b"CONNECT x:1 HTTP/1.1\r\n\r\n", b"GET http://evil.example.org/ HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nGET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 300, b"GET * HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n", b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n", b"OPTIONS * HTTP/1.1\r\n\r\n"], ids=range(21))
def test_requests_that_are_none_are_ended(server, head):
    with raw(server, timeout=12) as client:
        with contextlib.suppress(OSError):
            client.send(head + b"\r\n\r\n")
            client.socket.shutdown(socket.SHUT_WR)
        assert ends(client)


@pytest.mark.parametrize("headers", [["Content-Length: 5"], ["Content-Length: 5000000000"], ["Content-Length: 0x5"], ["Transfer-Encoding: chunked"],
                                     ["Content-Length: 0", "Content-Length: 9"]])
def test_requests_with_a_body_are_refused(server, headers):
    with raw(server) as client:
        assert client.request("/", headers=headers)[0] == 413
        assert ends(client)


def test_a_smuggled_request_is_not_answered(server):
    with raw(server) as client:
        client.send(b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 44\r\n\r\nGET /api/catalog HTTP/1.1\r\nHost: x\r\nX: 1234\r\n\r\n")
        with contextlib.suppress(Closed, ConnectionError):
            while True:
                client.more()
        assert client.buffer.count(b"HTTP/1.1") <= 1


def test_random_requests_do_no_harm(server):
    noise = random.Random(11)
    seeds = [b"GET /api/sample?variable=air_temperature&time=T%2B0&lon=0&lat=50&height=100 HTTP/1.1\r\nHost: x\r\n\r\n",
             b"GET /bricks/00000000000000000000000000000000/0/0/0/0/0/0 HTTP/1.1\r\nHost: x\r\n\r\n",
             b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
             b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: virga.1\r\n\r\n"]
    for _ in range(300):
        text = bytearray(noise.choice(seeds))
        for _ in range(noise.randrange(1, 5)):
            at = noise.randrange(len(text))
            text[at:at + noise.randrange(3)] = noise.choice([b"%", b"%2", b"\0", b"\r\n", b" ", b"/", b"..", b"&", b"?", b":", noise.randbytes(3)])
        with raw(server) as client, contextlib.suppress(ConnectionError):
            client.send(bytes(text))


def test_answers_left_unread_hold_nothing_up_and_end(server):
    """Pipelined requests for a large file, none of them read: the connection ends, and its memory is bounded."""
    clients = []
    for _ in range(10):
        client = Socket(server.host, server.port, 2, receive_buffer=4096)
        with contextlib.suppress(OSError):
            client.send(b"GET /node_modules/world-atlas/countries-10m.json HTTP/1.1\r\nHost: x\r\n\r\n" * 500)
        clients.append(client)
    with raw(server) as good:
        start = time.monotonic()
        for _ in range(20):
            assert good.request("/healthz")[0] == 200
        assert time.monotonic() - start < 5
    for client in clients:
        client.socket.close()


def test_clients_that_wait_cost_no_processor_time(server):
    """Idle, stalled, half-open and badly ended ones: the loop sleeps."""
    dataset, variable = dataset_and_variable(server)

    def used():
        with open(f"/proc/{server.process.pid}/stat") as file:
            return sum(map(int, file.read().rsplit(")", 1)[1].split()[11:13])) / os.sysconf("SC_CLK_TCK")
    with contextlib.ExitStack() as stack:
        for n in range(10):
            client = stack.enter_context(opened(server))
            client.say({"type": "interest", "generation": n, "dataset": dataset, "layers": [{"variable": variable}], "time": n % 4, "direction": 1, "rate": 1,
                        "steps": 3, "budget": 10**9})  # nobody acknowledges
            half = stack.enter_context(raw(server))
            half.request("/healthz")
            half.send(b"GET / HT")
            idle = stack.enter_context(raw(server))
            idle.request("/api/catalog")
            cut = stack.enter_context(opened(server))
            cut.frame(TEXT, b"{", length=1000)
        time.sleep(1)  # until what they asked for is made
        before = used()
        time.sleep(2)
        assert used() - before < 0.5


def test_too_many_connections_are_turned_away_and_room_comes_back(server):
    clients = [Socket(server.host, server.port, 5) for _ in range(MAX_CONNECTIONS + 50)]
    alive = 0
    for client in clients:
        try:
            alive += client.request("/healthz")[0] == 200
        except (Closed, OSError):
            pass
    assert 0 < alive <= MAX_CONNECTIONS
    for client in clients:
        client.socket.close()

    def answered():
        try:
            with raw(server) as client:
                return client.request("/healthz")[0] == 200
        except (Closed, OSError):
            return False
    wait_until(answered, 20)


def test_resets_at_any_moment_are_survived(server):
    dataset, variable = dataset_and_variable(server)
    noise = random.Random(5)
    for _ in range(60):
        client = opened(server)
        client.say({"type": "interest", "generation": 1, "dataset": dataset, "layers": [{"variable": variable}], "time": noise.randrange(4), "budget": 10**9})
        for _ in range(noise.randrange(4)):
            with contextlib.suppress(OSError, TimeoutError):
                client.next()
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset, not an end
        client.socket.close()


def test_closing_in_good_order_is_answered(server):
    with opened(server) as client:
        client.frame(CLOSE, struct.pack("!H", 1000))
        assert closes_with(client)[0] in (1000, None)
