# SPDX-License-Identifier: Apache-2.0
"""Answers of `virga sample` held against a place.Volume: what must be equal, and what each tolerance is for."""
import math

import numpy
import pytest

import place

CELL = 2e-3  # of a cell: axes stored as float32 are taken as evenly spaced within 1e-3


def block(volume, i, j, k=None):
    """The values around a place, two cells out: [level][row][column]."""
    nz, ny, nx = volume.values.shape
    levels = range(nz) if k is None else [min(max(int(k) + d, 0), nz - 1) for d in (-1, 0, 1, 2)]
    rows = [min(max(int(j) + d, 0), ny - 1) for d in (-1, 0, 1, 2)]
    columns = [(int(i) + d) % nx if volume.wraps else min(max(int(i) + d, 0), nx - 1) for d in (-1, 0, 1, 2)]
    return volume.values[numpy.ix_(levels, rows, columns)]


def spread(volume, lon, lat, k):
    """Largest difference between present neighbours around a place: what a whole cell's error could make."""
    around = block(volume, *volume.locate(lon, lat), k)
    return 0.0 if numpy.isnan(around).all() else float(numpy.nanmax(around) - numpy.nanmin(around))


def well_inside(volume, lon, lat, height, slack):
    """Whether nothing is missing near a place and no edge is: the usual case, found cheaply."""
    where = volume.locate(lon, lat)
    if where is None:
        return False
    i, j = where
    nz, ny, nx = volume.values.shape
    if not (volume.wraps or 0.1 < i < nx - 1.1) or not 0.1 < j < ny - 1.1 or numpy.isnan(block(volume, i, j)).any():
        return False
    if height is None:
        return True
    top, ground = volume.column_heights(i, j)[-1], volume.ground_at(i, j)
    return ground + slack + 1 < height < top - slack - 1


def near_an_edge(volume, lon, lat, height, slack):
    """Whether presence could change within the tolerances: then either answer is right."""
    if well_inside(volume, lon, lat, height, slack):
        return False

    def present(x, y, h):
        return not math.isnan(volume.value(x, y, h))
    dx = CELL * abs(volume.x[1] - volume.x[0]) if len(volume.x) > 1 else 0
    d = dx if abs(volume.x).max() <= 720 else dx / 111000
    heights = [None] if height is None else [height - slack - 0.01, height, height + slack + 0.01]
    answers = {present(lon + a * d, lat + b * d, h) for a in (-3, 0, 3) for b in (-3, 0, 3) for h in heights}
    return len(answers) > 1


def check(volume, answer, map_error, height_error=0.0):
    """Both of virga's numbers against the plain one. True if a value was there to compare.

    map_error: metres by which the picture's level map may be wrong; height_error: by which the two computations of a level's
    height may differ, so that the file's number may too.
    """
    lon, lat, height = answer["lon"], answer["lat"], answer["height"]
    expected = volume.value(lon, lat, height)
    context = f"at {lon} {lat} {height}: {answer}, expected {expected}"
    if near_an_edge(volume, lon, lat, height, map_error + height_error):
        return False
    if math.isnan(expected):
        assert answer["bricks"] is None and answer["source"] is None, context
        return False
    assert answer["bricks"] is not None and answer["source"] is not None, context
    k, near, far = 0, (expected, expected), (expected, expected)
    if height is not None:
        heights = volume.column_heights(*volume.locate(lon, lat))
        k = numpy.interp(height, heights, numpy.arange(len(heights)))
        near = place.reachable(volume, lon, lat, height, height_error) if height_error else near
        far = place.reachable(volume, lon, lat, height, map_error + height_error)
    slack = CELL * spread(volume, lon, lat, k) + 1e-6 * abs(expected)
    assert near[0] - slack <= answer["source"] <= near[1] + slack, context
    assert far[0] - answer["epsilon"] - slack <= answer["bricks"] <= far[1] + answer["epsilon"] + slack, context
    assert answer["difference"] == pytest.approx(answer["bricks"] - answer["source"], abs=1e-9), context
    return True
