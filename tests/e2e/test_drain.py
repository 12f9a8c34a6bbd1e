# SPDX-License-Identifier: Apache-2.0
"""A server that is asked to stop (SIGTERM): it listens no more, ends what it is answering, and sends its websockets to the next one."""
import http.client
import json
import os
import signal
import socket
import threading
import time

import pytest

from conftest import SANITIZER, launched, wait_until
from pin_client import Pins
from ws_client import Closed, Socket, Stream


LARGE = 8 << 20  # bytes, more than the system's buffers take


@pytest.fixture
def start(virga, demo_forecast, tmp_path):
    """start(*flags): a server that a test ends itself, whose page has a large file; one after the other, with one state."""
    servers, page = [], tmp_path / "page"
    page.mkdir()
    (page / "index.html").write_text("<!doctype html>")
    (page / "large.js").write_bytes(os.urandom(LARGE))

    def begin(*flags):
        folder = tmp_path / "server"
        folder.mkdir(exist_ok=True)
        servers.append(launched(virga, folder, demo_forecast, "--web-root", page, *flags))
        return servers[-1]
    yield begin
    for server in servers:
        server.stop()
        assert not SANITIZER.search(server.stderr), server.stderr


def refuses(server):
    try:
        socket.create_connection((server.host, server.port), timeout=5).close()
    except ConnectionRefusedError:
        return True
    return False


def ended(server, seconds=20):
    """Seconds until it has ended, as it should."""
    began = time.monotonic()
    assert server.process.wait(seconds) == 0, server.stderr
    return time.monotonic() - began


def ask_for_much(server):
    """A client that has asked for more than the system's buffers take, and has read one byte."""
    client = Socket(server.host, server.port, 30, receive_buffer=4096)
    client.send(f"GET /large.js HTTP/1.1\r\nHost: {server.host}\r\n\r\n".encode())
    client.buffer += client.take(1)
    return client


def test_nothing_to_wait_for_is_not_waited_for(start):
    server = start()
    server.process.send_signal(signal.SIGTERM)
    assert ended(server) < 9


def test_what_is_being_answered_is_sent_to_its_end(start):
    server = start("--drain-seconds", "120")
    with ask_for_much(server) as client:
        server.process.send_signal(signal.SIGTERM)
        wait_until(lambda: refuses(server))
        status, _, body = client.answer()
        assert status == 200 and len(body) == LARGE
    ended(server)


def test_a_connection_that_is_open_is_told(start):
    server = start("--drain-seconds", "120")
    with ask_for_much(server), Socket(server.host, server.port) as client:
        client.request("/readyz")
        server.process.send_signal(signal.SIGTERM)
        wait_until(lambda: refuses(server))
        status, headers, body = client.request("/readyz")
        assert status == 503 and json.loads(body)["reasons"] == ["the server is stopping"] and headers["connection"] == "close"
    ended(server)


def test_websockets_are_sent_to_the_next_server(start):
    server = start()
    with Stream(server.url) as stream:
        catalog = json.loads(Socket(server.host, server.port).request("/api/catalog")[2])["datasets"][0]
        stream.interest(catalog["id"], [catalog["variables"][0]["id"]])
        stream.until_done()
        server.process.send_signal(signal.SIGTERM)
        with pytest.raises(Closed) as closed:
            while True:
                stream.take()
        assert closed.value.code == 1012 and "restart" in closed.value.reason
    ended(server)


def test_who_does_not_read_is_broken_off_in_time(start):
    server = start("--drain-seconds", "1")
    with ask_for_much(server), Stream(server.url, receive_buffer=4096):
        server.process.send_signal(signal.SIGTERM)
        assert ended(server) < 15


def test_asked_twice_it_ends_at_once(start):
    server = start("--drain-seconds", "60")
    with ask_for_much(server):
        server.process.send_signal(signal.SIGTERM)
        wait_until(lambda: refuses(server))
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(5) == 128 + signal.SIGTERM


def test_nothing_acknowledged_is_lost_while_many_write(start):
    server = start()
    pins, made = Pins(server), []
    view = pins.view()

    def write(n):
        for i in range(1000):
            try:
                made.append(pins.make(f"{n}-{i}", view)["id"])
            except (OSError, http.client.HTTPException):  # not answered
                return
    writers = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for writer in writers:
        writer.start()
    wait_until(lambda: len(made) > 40)
    server.process.send_signal(signal.SIGTERM)
    ended(server)
    for writer in writers:
        writer.join()
    there = {pin["id"] for pin in Pins(start()).list()}
    assert set(made) <= there and len(there) <= len(made) + len(writers)
