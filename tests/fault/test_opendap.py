# SPDX-License-Identifier: Apache-2.0
"""Datasets behind OPeNDAP: the same numbers as from the file, only from hosts that are allowed, and no server can do harm."""
import contextlib
import json
import os
import pathlib
import random
import shutil
import socket
import ssl
import subprocess
import threading
import time

import numpy
import pytest

import make_files
from conftest import clean_environment, wait_until
from dap_server import BAD, DapServer


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dap")
    make_files.hybrid_height(folder / "hybrid.nc")
    make_files.packed(folder / "packed.nc")
    make_files.pressure_levels(folder / "pressure.nc")
    make_files.ensemble(folder / "ensemble.nc")
    make_files.surface(folder / "surface.nc")
    make_files.height_levels(folder / "large.nc", shape=(20, 330, 340), steps=1)  # 9 MB: more than one request brings
    return folder


@pytest.fixture(scope="module")
def server(folder):
    with DapServer(folder) as server:
        yield server


class Listener:
    """A port where nobody is to connect."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.host = f"127.0.0.1:{self.socket.getsockname()[1]}"

    def met_nobody(self):
        try:
            self.socket.accept()[0].close()
            return False
        except BlockingIOError:
            return True


@pytest.fixture
def listener():
    listener = Listener()
    with contextlib.closing(listener.socket):
        yield listener


@pytest.fixture
def info(run, server):
    """info(address, …, hosts=[…]) asks with the server's host allowed: what `virga info --json` did, and its answer."""
    def call(*addresses, hosts=(), **more):
        done = run("info", "--json", *addresses, "--opendap-hosts", ",".join([server.host, *hosts]), **more)
        return done, json.loads(done.stdout) if done.stdout.startswith("{") else None
    return call


def reason(done, answer):
    """Why there is nothing, or what is wrong, in words."""
    problems = answer["problems"] if answer else []
    return " ".join([done.stderr, *(p["reason"] for p in problems)])


@pytest.mark.parametrize("name", ["hybrid.nc", "packed.nc", "pressure.nc", "ensemble.nc", "surface.nc", "large.nc"])
def test_the_numbers_are_those_of_the_file(run, server, folder, name):
    chance = random.Random(name)
    set_of = json.loads(run("info", "--json", folder / name).stdout)["datasets"][0]
    corners = numpy.array(set_of["grid"]["corners"])
    low, high = corners.min(axis=0), corners.max(axis=0)
    top = max(v["vertical"]["heights"][1] if v["vertical"] else 1 for v in set_of["variables"] if v["name"] == "air_temperature")
    places = "".join(f"{chance.uniform(low[0], high[0])} {chance.uniform(low[1], high[1])} {chance.uniform(0, top)}\n" for _ in range(60))
    arguments = ["--variable", "air_temperature", "--time", "T+6", "--json", "--places", "-"]
    here = run("sample", folder / name, *arguments, input=places)
    there = run("sample", server.url(f"data/{name}"), "--opendap-hosts", server.host, *arguments, input=places)
    assert here.returncode == 0 and there.returncode == 0, here.stderr + there.stderr
    wanted, got = json.loads(here.stdout), json.loads(there.stdout)
    assert len(wanted) == len(got) == 60
    for a, b in zip(wanted, got):
        assert all(a[key] == b[key] for key in a if key != "dataset"), (a, b)
    assert sum(a["source"] is not None for a in wanted) > 20


def test_the_catalogue_is_that_of_the_file(run, server, folder, info):
    for name in ("hybrid.nc", "packed.nc", "ensemble.nc"):
        _, there = info(server.url(f"data/{name}"))
        here = json.loads(run("info", "--json", folder / name).stdout)
        assert not there["problems"]
        variables = [{v["name"]: v for v in answer["datasets"][0]["variables"]} for answer in (here, there)]
        assert variables[0] == variables[1]
        assert here["datasets"][0]["grid"] == there["datasets"][0]["grid"]


def test_real_forecasts_are_the_same(run, forecasts):
    """Every netCDF file there: axes, times, heights and precision, and the values of one field of the smaller ones."""
    chance = random.Random(11)
    with DapServer(forecasts) as server:
        for path in sorted(forecasts.glob("*.nc")):
            address = [server.url(f"data/{path.name}"), "--opendap-hosts", server.host]
            answers = [json.loads(run("info", "--json", *asked).stdout) for asked in ([path], address)]
            here, there = ({(d["grid"]["nx"], d["grid"]["ny"], v["id"]): v for d in a["datasets"] for v in d["variables"]} for a in answers)
            assert here == there, path.name
            if path.stat().st_size > 1e6:
                continue
            first = answers[0]["datasets"][0]
            variable = next(v for v in first["variables"] if not v["derived"])
            corners = numpy.array(first["grid"]["corners"])
            low, high = corners.min(axis=0), corners.max(axis=0)
            places = "".join(f"{chance.uniform(low[0], high[0])} {chance.uniform(low[1], high[1])} {chance.uniform(0, 5000)}\n" for _ in range(40))
            asked = ["--variable", variable["id"], "--time", variable["times"][0], "--json", "--places", "-"]
            samples = [run("sample", *s, "--dataset", a["datasets"][0]["id"], *asked, input=places) for s, a in zip(([path], address), answers)]
            wanted, got = (json.loads(s.stdout) for s in samples)
            assert [(w["source"], w["bricks"]) for w in wanted] == [(g["source"], g["bricks"]) for g in got], path.name


def test_opening_asks_for_no_field(server, info):
    server.seen.clear()
    info(server.url("data/hybrid.nc"))
    asked = [path for _, path in server.seen]
    assert asked and not any("air_temperature" in path.partition("?")[2] for path in asked), asked


def test_without_the_setting_nothing_is_asked(run, listener):
    for command in ("info", "serve"):
        done = run(command, f"http://{listener.host}/a.nc")
        assert done.returncode != 0
        assert "opendap-hosts" in done.stderr and listener.host in done.stderr
    assert listener.met_nobody()


def test_another_port_of_an_allowed_host_is_another_host(info, listener):
    done, _ = info(f"http://{listener.host}/a.nc")
    assert done.returncode != 0 and "opendap-hosts" in done.stderr
    assert listener.met_nobody()


@pytest.mark.parametrize("address,word", [("http://user:word@{}/a.nc", "password"), ("ftp://{}/a.nc", "engine-schemes"), ("http://{}/a.nc#mode=bytes", "fragment"),
                                          ("file:///etc/passwd", "engine-schemes"), ("http://{}/a b", "escaped")])
def test_other_addresses_are_refused(info, server, address, word):
    done, _ = info(address.format(server.host))
    assert done.returncode != 0 and word in done.stderr


def test_a_redirect_to_a_forbidden_host_is_not_followed(info, server, listener):
    done, answer = info(server.url(f"redirect/{listener.host}/hybrid.nc"), server.url(f"redirect/tls-{listener.host}/hybrid.nc"))
    assert len(answer["problems"]) == 2
    assert all("opendap-hosts" in p["reason"] and listener.host in p["reason"] for p in answer["problems"])
    assert listener.met_nobody()


def test_a_redirect_to_an_allowed_host_is_followed(folder, server, info):
    with DapServer(folder) as other:
        done, answer = info(server.url(f"redirect/{other.host}/hybrid.nc"), hosts=[other.host])
        assert not answer["problems"] and answer["datasets"][0]["variables"], done.stderr
        assert other.seen


def test_a_redirect_in_a_circle_ends(info, server):
    done, answer = info(server.url("loop/hybrid.nc"))
    assert not answer or not answer["datasets"], done.stdout
    assert 1 < sum(path.startswith("/loop/") for _, path in server.seen) < 200


@pytest.fixture(scope="module")
def secure(folder, tmp_path_factory):
    """An https server with a certificate that nobody vouches for, and that certificate."""
    if not shutil.which("openssl"):
        pytest.skip("openssl makes the certificate")
    place = tmp_path_factory.mktemp("tls")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", place / "key.pem", "-out", place / "cert.pem", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(place / "cert.pem", place / "key.pem")
    server = DapServer(folder)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    with server:
        yield f"localhost:{server.server_address[1]}", place / "cert.pem"


def test_a_certificate_that_is_not_trusted_is_refused(run, secure):
    done = run("info", f"https://{secure[0]}/data/hybrid.nc", "--opendap-hosts", secure[0])
    assert done.returncode == 1 and "certificate" in done.stderr


def test_a_certificate_that_is_trusted_is_accepted(virga, secure, tmp_path):
    """In a view of the file system of its own, where the certificate is among those that the machine trusts."""
    trusted = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")
    if os.geteuid() or not trusted.is_file() or subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode:
        pytest.skip("only the superuser may add a certificate for a while")
    (tmp_path / "bundle").write_text(trusted.read_text() + secure[1].read_text())
    command = f"mount --bind '{tmp_path}/bundle' {trusted} && exec '{virga}' info --json https://{secure[0]}/data/hybrid.nc --opendap-hosts {secure[0]}"
    done = subprocess.run(["unshare", "-m", "sh", "-c", command], capture_output=True, text=True, timeout=120, env=clean_environment(tmp_path))
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert not answer["problems"] and len(answer["datasets"][0]["variables"]) == 2


def test_what_is_not_there_is_said(info, server):
    done, _ = info(server.url("data/none.nc"))
    assert done.returncode == 1 and "404" in done.stderr


def test_a_host_that_does_not_answer_is_named(run):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        host = f"127.0.0.1:{closed.getsockname()[1]}"
    done = run("info", f"http://{host}/a.nc", "--opendap-hosts", host)
    assert done.returncode == 1 and f"{host} cannot be reached" in done.stderr


@pytest.mark.parametrize("how", ["truncated", "short", "wrong"])
def test_values_that_are_not_sent_are_not_made_up(info, server, how):
    done, answer = info(server.url(f"{how}/hybrid.nc"))
    shown = {v["name"] for d in answer["datasets"] for v in d["variables"]} if answer else set()
    assert "air_temperature" not in shown  # its heights need the orography, which did not come
    assert reason(done, answer).strip()


def test_values_that_are_cut_off_fail_where_metadata_are_right(run, server):
    for how in ("truncated", "short", "endless"):
        done = run("sample", server.url(f"{how}/surface.nc"), "--opendap-hosts", server.host, "--variable", "air_temperature", "--time", "T+6",
                   "--lon", "0", "--lat", "55", "--json")
        assert done.returncode != 0 and done.stderr.strip(), done.stdout


@pytest.mark.parametrize("how,word", [("endless/none.nc", "MiB"), ("headers/none.nc", "header"), ("silent/none.nc", "in time"), ("slow/none.nc", "within")])
def test_answers_without_end_are_ended(info, server, how, word):
    begin, sent = time.monotonic(), server.sent
    done, answer = info(server.url(how))
    assert word in reason(done, answer)
    assert time.monotonic() - begin < 60
    assert server.sent - sent < 200e6


def test_bad_metadata_end_in_a_problem_each(info, server):
    addresses = [server.url(f"bad/{name}") for name in BAD] + [server.url("data/hybrid.nc")]
    done, answer = info(*addresses, timeout=300)
    assert done.returncode == 0, done.stderr
    files = {p["file"] for p in answer["problems"]}
    assert files >= set(addresses[:-1])
    assert {v["name"] for v in answer["datasets"][0]["variables"]} >= {"air_temperature"}


def test_other_datasets_go_on_while_one_hangs(serve, server, folder, http_get):
    """A server that keeps its values to itself holds up nobody who reads a file."""
    with serve([folder / "hybrid.nc", server.url("hanging/large.nc")], "--opendap-hosts", server.host) as virga:
        sets = {d["grid"]["nx"]: d["id"] for d in http_get(virga.url + "api/catalog").json()["datasets"]}
        query = "&variable=air_temperature&time=T%2B6&height=900"
        answers = []
        ask = threading.Thread(target=lambda: answers.append(http_get(virga.url + f"api/sample?dataset={sets[340]}&lon=-2.5&lat=55.5{query}", timeout=200)))
        ask.start()
        wait_until(lambda: any("hanging" in path and "?air_temperature" in path for _, path in server.seen))
        done = http_get(virga.url + f"api/sample?dataset={sets[26]}&lon=-2&lat=52.5{query}")
        assert ask.is_alive()
        assert done.status == 200 and done.json()["source"] is not None, done.body
        ask.join(200)
        assert answers[0].status != 200 and b"in time" in answers[0].body, answers[0].body


def test_a_dataset_that_changed_is_not_read_on(server, serve, http_get):
    """Its attributes are others at each look, and readers that met bad datasets are replaced: the new ones look again."""
    bad = [server.url(f"bad/{name}") for name in ("text", "open", "error", "names", "deep", "empty")]
    with serve([server.url("changing/large.nc"), *bad], "--opendap-hosts", server.host, "--allow-empty") as virga:
        catalog = http_get(virga.url + "api/catalog").json()
        said = " ".join(p["reason"] for p in catalog["problems"])
        for d in catalog["datasets"]:
            said += http_get(virga.url + f"api/sample?dataset={d['id']}&variable=air_temperature&time=T%2B6&lon=-2.5&lat=54.9&height=900").body.decode()
        assert "changed since it was opened" in said, said
