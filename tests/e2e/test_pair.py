# SPDX-License-Identifier: Apache-2.0
"""A remote steers a screen over the server, by a code of four digits."""
import struct

import pytest

from conftest import running
from ws_client import BINARY, CONTINUE, Closed, Stream


@pytest.fixture(scope="module")
def server(virga, demo_forecast, tmp_path_factory):
    with running(virga, tmp_path_factory.mktemp("pair") / "server", demo_forecast, "--message-rate", 1) as one:
        yield one


class Peer(Stream):
    """A websocket whose messages of other kinds than the one waited for are left out."""

    def pair(self, **more):
        self.socket.say({"type": "pair", **more})

    def hear(self, kind):
        while True:
            message = self.socket.next()
            if isinstance(message, dict) and message["type"] == kind:
                return message

    def bytes_of(self, mark):
        """(index, what was said), of the next message with this mark."""
        while True:
            message = self.socket.next()
            if isinstance(message, bytes) and message[:4] == mark:
                return message[4], message[8:]

    def steer(self, data):
        self.socket.frame(BINARY, data)

    def here(self):
        """Everything that was said to the server before has been dealt with; what came meanwhile."""
        self.socket.say({"type": "ping", "id": 5})
        came = []
        while not (isinstance(message := self.socket.next(), dict) and message["type"] == "pong"):
            came.append(message)
        return came


@pytest.fixture
def screen(server):
    with Peer(server.url) as one:
        yield one


@pytest.fixture
def remote(server):
    with Peer(server.url) as one:
        yield one


def paired(screen, remote, **more):
    """Pairs them; gives the remote's key."""
    screen.pair()
    remote.pair(code=screen.hear("pair")["code"], **more)
    key = remote.hear("paired")["key"]
    screen.hear("remotes")
    return key


def test_a_remote_joins_by_the_code_and_steers(screen, remote):
    screen.pair()
    offered = screen.hear("pair")
    assert len(offered["code"]) == 4 and offered["code"].isdigit() and offered["seconds"] == 300
    remote.pair(code=offered["code"], name="Phone")
    assert remote.hear("paired")["index"] == 0
    assert screen.hear("remotes")["remotes"] == [{"index": 0, "name": "Phone", "here": True}]
    remote.steer(b"left")
    assert screen.bytes_of(b"VREM") == (0, b"left")
    screen.steer(b"12 UTC")
    assert remote.bytes_of(b"VSCR") == (0, b"12 UTC")


def test_a_screen_that_does_not_read_gets_the_newest_only(screen, remote):
    paired(screen, remote)
    for n in range(1500):
        remote.steer(struct.pack("<I", n))
    remote.here()
    got = [struct.unpack("<I", message[8:])[0] for message in screen.here() if isinstance(message, bytes)]
    while not got or got[-1] != 1499:
        got.append(struct.unpack("<I", screen.bytes_of(b"VREM")[1])[0])
    assert got == sorted(got)


def test_the_screens_end_is_told_and_nothing_leads_back(server, screen, remote):
    key = paired(screen, remote)
    screen.pair(end=True)
    assert remote.hear("unpaired")
    remote.steer(b"late")
    assert remote.hear("unpaired")
    remote.pair(key=key)
    assert "no screen" in remote.hear("pair")["refused"]


def test_a_remote_that_lost_its_connection_comes_back(server, screen):
    with Peer(server.url) as remote:
        key = paired(screen, remote, name="Phone")
        screen.steer(b"as it is")
    assert screen.hear("remotes")["remotes"] == [{"index": 0, "name": "Phone", "here": False}]
    with Peer(server.url) as again:
        again.pair(key=key)
        assert again.hear("paired")["index"] == 0
        assert screen.hear("remotes")["remotes"][0]["here"]
        assert again.bytes_of(b"VSCR") == (0, b"as it is")
        again.pair(end=True)
        assert screen.hear("remotes")["remotes"] == []


def test_guessing_is_stopped_and_the_right_code_is_not_told_then(virga, demo_forecast, tmp_path):
    with running(virga, tmp_path / "server", demo_forecast) as server, Peer(server.url) as screen, Peer(server.url) as guesser:
        screen.pair()
        code = screen.hear("pair")["code"]
        words = []
        for n in range(1, 40):
            guesser.pair(code=f"{(int(code) + n) % 10000:04d}")
            words.append(guesser.hear("pair")["refused"])
        assert 1 <= sum("no screen" in text for text in words) <= 10
        assert "try again in a minute" in words[-1]
        guesser.pair(code=code)
        assert "try again in a minute" in guesser.hear("pair")["refused"]


@pytest.mark.parametrize("message", [{"code": "12"}, {"code": 1234}, {"code": "12a4"}, {"name": 7, "code": "1234"}, {"key": 7}])
def test_what_breaks_the_rules_closes_the_connection(server, message):
    with Peer(server.url) as peer, pytest.raises(Closed) as closed:
        peer.pair(**message)
        peer.here()
    assert closed.value.code == 1008


def test_bytes_of_who_is_not_paired_and_too_many_bytes_close_the_connection(server, screen, remote):
    with Peer(server.url) as nobody, pytest.raises(Closed) as closed:
        nobody.steer(b"left")
        nobody.here()
    assert closed.value.code == 1008
    paired(screen, remote)
    remote.steer(bytes(65))
    with pytest.raises(Closed) as closed:
        remote.here()
    assert (closed.value.code, closed.value.reason) == (1008, "what steers is too long")
    screen.steer(bytes(513))
    with pytest.raises(Closed):
        screen.here()


def test_updates_in_pieces_are_put_together(screen, remote):
    paired(screen, remote)
    remote.socket.frame(BINARY, b"le", final=False)
    remote.socket.frame(CONTINUE, b"ft")
    assert screen.bytes_of(b"VREM") == (0, b"left")


def test_an_endless_stream_of_updates_closes_the_connection(screen, remote):
    paired(screen, remote)
    with pytest.raises((Closed, ConnectionError)):
        for _ in range(4000):
            remote.steer(b"x")
        remote.here()
    remote.socket.socket.close()
    assert screen.hear("remotes")["remotes"][0]["here"] is False


def test_updates_of_thirty_a_second_do_not_count_as_messages(screen, remote):
    """The server lets a client say one message a second."""
    paired(screen, remote)
    for _ in range(900):  # half a minute's
        remote.steer(b"x")
    remote.here()
