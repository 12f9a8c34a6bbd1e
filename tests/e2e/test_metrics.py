# SPDX-License-Identifier: Apache-2.0
"""What whoever runs a server is told of it: /healthz, /readyz and /metrics, which Prometheus' own parser reads."""
import json
import os
import re
import sqlite3
import stat
import subprocess

import pytest

from conftest import running, wait_until
from pin_client import Pins
from prometheus_client.parser import text_string_to_metric_families
from ws_client import Socket, Stream


@pytest.fixture(scope="module")
def server(virga, demo_forecast, tmp_path_factory):
    with running(virga, tmp_path_factory.mktemp("servers") / "server", demo_forecast) as one_for_all:
        yield one_for_all


def ask(server, path, headers=None):
    with Socket(server.host, server.port) as client:
        return client.request(path, headers=headers or [])


def metrics(server):
    """{name: {labels as a frozen set of pairs: value}} of all samples."""
    status, headers, body = ask(server, "/metrics")
    assert status == 200 and headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert headers["cache-control"] == "no-store"
    found = {}
    for family in text_string_to_metric_families(body.decode()):
        assert family.documentation and family.type in ("counter", "gauge", "histogram"), family
        for sample in family.samples:
            assert frozenset(sample.labels.items()) not in found.setdefault(sample.name, {}), f"{sample} twice"
            found[sample.name][frozenset(sample.labels.items())] = sample.value
    return found


def one(found, name, **labels):
    return found.get(name, {}).get(frozenset(labels.items()), 0)


def rise(before, after, name, **labels):
    return one(after, name, **labels) - one(before, name, **labels)


def test_every_name_has_a_help_and_a_type_and_stands_once(server):
    text = ask(server, "/metrics")[2].decode()
    helps, types = re.findall(r"^# HELP (\S+) .", text, re.M), re.findall(r"^# TYPE (\S+) (?:counter|gauge|histogram)$", text, re.M)
    assert helps == types and len(set(types)) == len(types)
    for line in text.splitlines():
        if not line.startswith("#"):
            name = re.sub(r"_(bucket|sum|count)$", "", re.match(r"\w+", line)[0])
            assert name in types or re.match(r"\w+", line)[0] in types, line


def test_counters_tell_what_a_page_did(server):
    before = metrics(server)
    assert one(before, "virga_sessions") == 0 and one(before, "virga_datasets") == 1 and one(before, "virga_readers") >= 1
    with Stream(server.url) as stream:
        catalog = json.loads(ask(server, "/api/catalog")[2])["datasets"][0]
        variable = next(v["id"] for v in catalog["variables"] if v["vertical"])
        stream.interest(catalog["id"], [variable])
        stream.until_done()
        after = metrics(server)
    assert one(after, "virga_sessions") == rise(before, after, "virga_sessions_total") == 1
    assert rise(before, after, "virga_sent_bricks_total") == len(stream.bricks) > 0
    assert rise(before, after, "virga_sent_bytes_total") > stream.bytes
    assert one(after, "virga_store_misses_total") > 0 and one(after, "virga_store_memory_bytes") > 0
    assert one(after, "virga_steps_read_total") == one(after, "virga_step_build_seconds_count") == 1
    assert rise(before, after, "virga_first_batch_seconds_count") == rise(before, after, "virga_interest_seconds_count") == 1
    assert 0 < one(after, "virga_first_batch_seconds_sum") <= one(after, "virga_interest_seconds_sum") < 60
    assert one(after, "virga_dataset_run_age_seconds", dataset=catalog["id"]) > 0
    wait_until(lambda: one(metrics(server), "virga_sessions") == 0)


def test_pins_and_their_pictures_are_counted(server):
    before = metrics(server)
    pins = Pins(server)
    pins.make("counted", pins.view(time="T+0"))
    after = wait_until(lambda: (found := metrics(server)) and rise(before, found, "virga_pin_pictures_total") and found)
    assert rise(before, after, "virga_pins") == rise(before, after, "virga_pin_picture_seconds_count") == 1
    assert sum(after["virga_pin_states"].values()) == one(after, "virga_pins") and one(after, "virga_pin_picture_memory_bytes") > 0


def test_requests_are_counted_by_route_and_class(server):
    before = metrics(server)
    ask(server, "/")
    ask(server, "/healthz")
    ask(server, "/nothing")
    ask(server, "/bricks/nothing/0/0/table")
    found = metrics(server)
    for route, status in (("page", "2xx"), ("/healthz", "2xx"), ("none", "4xx"), ("/bricks/*", "4xx")):
        assert rise(before, found, "virga_http_requests_total", route=route, status=status) == 1, (route, found["virga_http_requests_total"])
        assert rise(before, found, "virga_http_request_seconds_count", route=route) == 1
        assert rise(before, found, "virga_http_request_seconds_bucket", route=route, le="+Inf") == 1


def test_what_clients_name_makes_no_series(server):
    ask(server, "/")
    ask(server, "/api/exports/0")
    ask(server, "/bricks/a/0/0/table")
    before = metrics(server)
    for n in range(50):
        ask(server, f"/made/up/{n}")
        ask(server, f"/bricks/{n}/0/0/table")
        ask(server, f"/api/exports/{n:016x}")
    after = metrics(server)
    routes = [{dict(labels)["route"] for labels in found["virga_http_requests_total"]} for found in (before, after)]
    assert routes[1] - routes[0] <= {"/metrics", "none"}


@pytest.mark.parametrize("header", ["X-Forwarded-For: 192.0.2.1", "Forwarded: for=192.0.2.1", "X-Real-IP: 192.0.2.1"])
def test_who_comes_through_a_proxy_sees_no_metrics(server, header):
    assert ask(server, "/metrics", [header])[0] == 403


def test_a_server_that_serves_is_ready(server):
    status, headers, body = ask(server, "/readyz")
    assert (status, json.loads(body)) == (200, {"ready": True, "reasons": []}) and headers["cache-control"] == "no-store"
    assert ask(server, "/healthz")[2] == b"ok\n"


def test_a_database_that_cannot_be_written_is_not_ready(server):
    assert ask(server, "/readyz")[0] == 200
    other = sqlite3.connect(server.state / "virga.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    body = wait_until(lambda: (answer := ask(server, "/readyz"))[0] == 503 and answer[2])
    assert json.loads(body)["ready"] is False and "database" in json.loads(body)["reasons"][0]
    other.execute("ROLLBACK")
    other.close()
    wait_until(lambda: ask(server, "/readyz")[0] == 200)


def test_without_readers_it_is_not_ready(virga, reader, serve, demo_forecast, tmp_path):
    copy = tmp_path / "reader"
    copy.write_bytes(open(reader, "rb").read())
    copy.chmod(copy.stat().st_mode | stat.S_IXUSR)
    with serve(demo_forecast, "--readers", "1", "--reader", str(copy)) as server:
        assert ask(server, "/readyz")[0] == 200
        copy.rename(tmp_path / "gone")
        children = subprocess.run(["pgrep", "-P", str(server.process.pid)], capture_output=True, text=True).stdout.split()
        for child in children:
            os.kill(int(child), 9)
        body = wait_until(lambda: (answer := ask(server, "/readyz"))[0] == 503 and answer[2])
        assert any("reader" in reason for reason in json.loads(body)["reasons"])
        (tmp_path / "gone").rename(copy)
        wait_until(lambda: ask(server, "/readyz")[0] == 200)
