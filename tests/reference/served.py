# SPDX-License-Identifier: Apache-2.0
"""A running server's voxels beside the file's own numbers: bricks over HTTP through brick_decoder, files through netCDF4.

with Served(server) as served: served.level(…) fetches and decodes every brick of a pyramid level, borders held against neighbours.
source(path, name, {dimension: index}) reads [level][y][x] in double, NaN where missing, levels upward, y north, x east.
"""
import json

import netCDF4
import numpy

import brick_decoder
from brick_decoder import CONSTANT, FULL, MASKED, MISSING
from ws_client import Socket


class Served:
    """Keeps one connection to a server. Catalog as of when it was opened."""

    def __init__(self, server):
        self.socket = Socket(server.host, server.port, 120)
        self.catalog = json.loads(self.get("/api/catalog"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.socket.close()

    def get(self, path):
        status, _, body = self.socket.request(path)
        assert status in (200, 204), (path, status, body)
        return body

    def variable(self, name, dataset=0):
        """(dataset, variable) by name."""
        dataset = self.catalog["datasets"][dataset]
        (variable,) = [v for v in dataset["variables"] if v["name"] == name]
        return dataset, variable

    def series(self, name, run=-1, dataset=0):
        dataset, variable = self.variable(name, dataset)
        return dataset["runs"][run]["series"][variable["id"]]

    def table(self, edition, step=0, member=0):
        return brick_decoder.step_table(self.get(f"/bricks/{edition}/{member}/{step}/table"))

    def values(self, name, step=0, member=0, run=-1, dataset=0):
        """Level 0 in the variable's units, NaN where missing."""
        found, variable = self.variable(name, dataset)
        edition = self.series(name, run, dataset)["edition"]
        q, present = self.level(edition, self.table(edition, step, member), 0, found["grid"]["wraps"], step, member)
        return numpy.where(present, variable["lattice"]["v0"] + q * variable["lattice"]["step"], numpy.nan)

    def level(self, edition, table, number, wraps, step=0, member=0):
        """(q, present) [z][y][x] of a pyramid level; every stored voxel, border too, must be that level's, and the table true."""
        info = table.levels[number]
        q, present = numpy.zeros(info.n[::-1], numpy.int64), numpy.zeros(info.n[::-1], bool)
        places = [(x, y, z) for z in range(info.bricks[2]) for y in range(info.bricks[1]) for x in range(info.bricks[0])]
        stored = {}
        for place in places:
            x, y, z = place
            box = brick_decoder.stored_box(info.n, place, wraps)
            size = [hi - lo for lo, hi in box]
            data = self.get(f"/bricks/{edition}/{member}/{step}/{number}/{z}/{y}/{x}")
            kind = info.kind[z, y, x]
            if kind in (MISSING, CONSTANT):
                assert not data, f"{place}: bytes of a brick that needs none"
                stored[place] = numpy.full(size[::-1], info.low[z, y, x]), numpy.full(size[::-1], kind == CONSTANT)
            else:
                assert data[2] != 3, f"{place}: over HTTP a brick stands alone"
                stored[place] = brick_decoder.brick(data, size)
            core = tuple(slice(32 * b, min(32 * b + 32, n)) for b, n in zip((z, y, x), info.n[::-1]))
            inside = tuple(slice(c.start - lo, c.stop - lo) for c, (lo, _) in zip(core, box[::-1]))
            q[core], present[core] = stored[place][0][inside], stored[place][1][inside]
        for place in places:
            check_brick(info, place, stored[place], q, present, wraps)
        return q, present


def check_brick(info, place, stored, q, present, wraps):
    """A brick's stored box against the level its neighbours make, and its entry in the step table."""
    x, y, z = place
    box = brick_decoder.stored_box(info.n, place, wraps)
    index = numpy.ix_(*(numpy.arange(lo, hi) % n for (lo, hi), n in zip(box[::-1], info.n[::-1])))
    there, numbers = present[index], q[index]
    assert (stored[1] == there).all(), f"{place}: the border's mask is not the neighbour's"
    assert (stored[0][there] == numbers[there]).all(), f"{place}: the border is not the neighbour's"
    kind, low, high = info.kind[z, y, x], info.low[z, y, x], info.high[z, y, x]
    if not there.any():
        assert (kind, low, high) == (MISSING, 0, 0), place
        return
    assert (low, high) == (numbers[there].min(), numbers[there].max()), f"{place}: the table's range"
    if not there.all():
        assert kind == MASKED, place
    else:
        assert kind == (CONSTANT if low == high else FULL), place


def source(path, name, at=None):
    """The file's own numbers: what netCDF4 masks, NaN and infinite values are NaN; unpacked here, in double."""
    at = at or {}
    with netCDF4.Dataset(path) as file:
        variable = file[name]
        index = tuple(at.get(dimension, slice(None)) for dimension in variable.dimensions)
        missing = numpy.ma.getmaskarray(numpy.ma.asarray(variable[index]))
        variable.set_auto_maskandscale(False)
        values = numpy.asarray(variable[index]).astype(float)
        values = values * float(getattr(variable, "scale_factor", 1)) + float(getattr(variable, "add_offset", 0))
        values[missing | ~numpy.isfinite(values)] = numpy.nan
        for axis, dimension in enumerate(d for d in variable.dimensions if d not in at):
            values = values.take(upward(file, dimension), axis)
    return values if values.ndim == 3 else values[None]


def upward(file, dimension):
    """The order in which a dimension's coordinate grows: to the east (around the globe, too), the north, and up."""
    named = [file[dimension]] if dimension in file.variables else []
    named += [v for v in file.variables.values() if v.dimensions == (dimension,) and getattr(v, "positive", "") == "up"]
    if not named:
        return numpy.arange(len(file.dimensions[dimension]))
    coordinate = numpy.asarray(named[0][:], float)
    units = getattr(named[0], "units", "")
    if units in ("Pa", "hPa", "mbar", "millibars"):
        return numpy.argsort(-coordinate, kind="stable")
    if units == "degrees_east":
        coordinate = numpy.unwrap(coordinate, period=360)
    return numpy.argsort(coordinate, kind="stable")


def coarse(values, scale):
    """(mean, present) of values [z][y][x] over boxes of scale (x, y, z): present where half of a box is or more."""
    total, count, size = numpy.nan_to_num(values), (~numpy.isnan(values)).astype(float), numpy.ones(values.shape)
    for axis, width in enumerate(scale[::-1]):
        starts = numpy.arange(0, values.shape[axis], width)
        total, count, size = (numpy.add.reduceat(a, starts, axis) for a in (total, count, size))
    with numpy.errstate(invalid="ignore", divide="ignore"):
        return total / count, count * 2 >= size


def compare(served, name, expected, step=0, member=0, run=-1, dataset=0):
    """Every voxel of every pyramid level against the source's numbers, within epsilon; masks exact; the table's own range true."""
    found, variable = served.variable(name, dataset)
    lattice, wraps = variable["lattice"], found["grid"]["wraps"]
    edition = served.series(name, run, dataset)["edition"]
    table = served.table(edition, step, member)
    assert [level.n for level in table.levels] == [tuple(level["n"]) for level in variable["pyramid"]]
    assert table.levels[0].n == expected.shape[::-1]
    assert max(table.levels[-1].n) <= 64 and all(max(level.n) > 64 for level in table.levels[:-1])
    epsilon = lattice["epsilon"]
    assert epsilon == variable["epsilon"] and lattice["step"] <= 2 * epsilon
    for number, (level, described) in enumerate(zip(table.levels, variable["pyramid"])):
        mean, there = coarse(expected, described["scale"])
        assert level.n == mean.shape[::-1]
        q, present = served.level(edition, table, number, wraps, step, member)
        assert (present == there).all(), f"level {number}: the mask differs in {(present != there).sum()} voxels"
        value = lattice["v0"] + q[present] * lattice["step"]
        if number == 0:
            bounds = (table.lowest, table.highest) if present.any() else None
            assert bounds is None and numpy.isnan(table.lowest) or numpy.allclose(bounds, (value.min(), value.max()), rtol=1e-12)
        worst = abs(value - mean[present]).max(initial=0)
        assert worst <= epsilon * (1 + 1e-9), f"level {number}: {worst} from the source, epsilon is {epsilon}"
        small = abs(value) <= 2**14 * epsilon
        slack = abs(value) * 2.0**-24 if number else 0  # a mean may lie half-way between a packed source's own steps
        over = (abs(value.astype("f4").astype(float) - mean[present]) - slack)[small].max(initial=0)
        assert over <= epsilon * (1 + 1e-9), f"level {number}: as float32 {over} from the source, epsilon is {epsilon}"
    return variable
