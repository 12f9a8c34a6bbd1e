# SPDX-License-Identifier: Apache-2.0
"""Fixtures of tests of tiles: the release build serves a forecast on each grid of make_maps, to a client that stays connected."""
import json

import pytest

import make_maps
from ws_client import Socket


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return make_maps.every(tmp_path_factory.mktemp("maps"))


@pytest.fixture(scope="module")
def server(serve_module, files):
    with serve_module(list(files.values())) as running:
        yield running


@pytest.fixture
def client(server):
    with Socket(server.host, server.port) as socket:
        yield socket


@pytest.fixture(scope="module")
def datasets(server):
    """{name of the grid: dataset}"""
    with Socket(server.host, server.port) as client:
        found = json.loads(client.request("/api/catalog")[2])["datasets"]
    return {dataset["title"]: dataset for dataset in found}
