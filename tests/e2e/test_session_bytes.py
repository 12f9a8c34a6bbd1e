# SPDX-License-Identifier: Apache-2.0
"""Bytes are counted: who looks at little gets little. This process is the client, the server is another."""
import json
import math
import urllib.request

import numpy as np
import pytest

import brick_decoder
import make_files
from ws_client import Stream

SHAPE = (30, 480, 480)


@pytest.fixture
def served(serve, tmp_path):
    path = make_files.height_levels(tmp_path / "a.nc", shape=SHAPE)
    with serve(path) as server, Stream(server.url, timeout=120) as stream:
        dataset = json.load(urllib.request.urlopen(server.url + "api/catalog"))["datasets"][0]
        variable = next(v for v in dataset["variables"] if v["vertical"])
        stream.interest(dataset["id"], [variable["id"]])
        stream.until_done()
        table = brick_decoder.step_table(stream.tables[(0, 0)])
        yield stream, dataset, variable, table


def sizes(stream, table):
    """Bytes of the coarsest level, and of all beyond it."""
    top = len(table.levels) - 1
    coarsest = sum(len(data) for key, data in stream.bricks.items() if key[2] == top)
    return coarsest, sum(len(data) for data in stream.bricks.values()) - coarsest


def test_a_camera_on_a_tenth_of_the_domain_gets_at_most_a_quarter(served):
    stream, dataset, variable, table = served
    _, whole = sizes(stream, table)
    stream.forget()
    side = math.sqrt(SHAPE[1] * SHAPE[2] / 10) * 2.0  # km; the columns are 2 km apart
    camera = {"eye": [50, 70, side / 2 / math.tan(math.radians(20)) + 9], "target": [50, 70, 0], "up": [0, 1, 0], "fov": 40, "width": 1500, "height": 1500,
              "exaggeration": 1}
    stream.interest(dataset["id"], [variable["id"]], camera=camera, have="none")
    stream.until_done()
    coarsest, part = sizes(stream, table)
    print(f"a tenth of the domain: {part / whole:.1%} of the bytes beyond the coarsest level")
    assert coarsest > 0 and 0 < part <= whole / 4
    # All of what is in the middle of the picture has come, down to the finest level.
    x, y = ((50 / 2 + SHAPE[2] / 2) // 32, (70 / 2 + SHAPE[1] / 2) // 32)
    assert (0, 0, 0, int(x), int(y), 0) in stream.bricks


def test_opacity_on_a_twentieth_of_the_bricks_gets_at_most_a_quarter(served):
    stream, dataset, variable, table = served
    _, whole = sizes(stream, table)
    stream.forget()
    fine = table.levels[0]
    threshold = variable["lattice"]["v0"] + variable["lattice"]["step"] * float(np.quantile(fine.high, 0.95))
    curve = [[threshold, 0], [threshold + 1, 2]]
    stream.interest(dataset["id"], [{"variable": variable["id"], "opacity": curve}], have="none")
    stream.until_done()
    _, part = sizes(stream, table)
    shown = {key for key in stream.bricks if key[2] == 0}
    expected = {(0, 0, 0, x, y, z) for z, y, x in np.argwhere((fine.kind >= brick_decoder.FULL) & (variable["lattice"]["v0"] + fine.high *
                                                                                               variable["lattice"]["step"] > threshold))}
    print(f"opacity on {len(expected) / fine.kind.size:.1%} of the bricks: {part / whole:.1%} of the bytes beyond the coarsest level")
    assert shown == expected and len(expected) > 0
    assert 0 < part <= whole / 4


def test_a_small_budget_degrades_fine_levels_first_and_says_so(served):
    stream, dataset, variable, table = served
    stream.forget()
    top = len(table.levels) - 1
    bricks = int((table.levels[top].kind >= 2).sum() + (table.levels[top - 1].kind >= 2).sum()) + 5
    stream.interest(dataset["id"], [variable["id"]], have="none", budget=bricks * 34**3 * 4)
    assert stream.until_done().get("degraded") is True
    assert len(stream.bricks) == bricks
    assert sum(key[2] >= top - 1 for key in stream.bricks) == bricks - 5


def test_a_finest_level_that_is_asked_for_is_kept_to(served):
    stream, dataset, variable, table = served
    stream.forget()
    stream.interest(dataset["id"], [variable["id"]], have="none", max_level=1)
    stream.until_done()
    assert {key[2] for key in stream.bricks} == set(range(1, len(table.levels)))
