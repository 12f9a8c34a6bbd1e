# SPDX-License-Identifier: Apache-2.0
"""Stride and mean of boxes, and the sums that tasks share, against a mean made block by block."""
import random

import numpy as np
import pytest
import slab_control

from virga_engine import block_sums
from virga_engine.block_sums import Sums, boxes_of, finish_means
from virga_engine.reduction import reduce_box, terms_of
from virga_engine.request import ReadRequest, Reduction

TYPES = ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"]


def numbers(shape, dtype, seed=1):
    some = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "f":
        made = some.normal(280, 20, shape).astype(dtype)
        made[some.random(shape) < 0.2] = np.nan
        made[some.random(shape) < 0.02] = np.inf
        return made
    info = np.iinfo(dtype)
    return some.integers(max(info.min, -30000), min(info.max, 30000), shape, dtype=dtype, endpoint=True)


def request(shape, reduction, block, **more):
    return ReadRequest(reduction, (0,) * len(shape), tuple(shape), tuple(block), **more)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("block", [(1, 1, 1), (1, 4, 4), (2, 3, 5), (9, 9, 9), (1, 1, 70)])
@pytest.mark.parametrize("reduction", list(Reduction))
def test_box_is_as_defined(dtype, block, reduction):
    stored = numbers((5, 7, 150 if block[2] > 9 else 11), dtype)
    asked = request(stored.shape, reduction, block, scale=0.5, offset=-3.0) if reduction else request(stored.shape, reduction, (1, 1, 1))
    slab_control.assert_is_answer(reduce_box(stored, asked), stored, asked)


def test_first_block_may_lack_points():
    stored = numbers((5, 7, 11), "f4")
    asked = ReadRequest(Reduction.MEAN, (-1, 0, -3), (6, 7, 14), (2, 3, 4), scale=-0.5)
    slab_control.assert_is_answer(reduce_box(stored[asked.slices], asked), stored, asked)


def test_missing_numbers_and_negative_scale():
    stored = np.array([[1, 2, -99, 4], [5, -99, 7, 7], [-99, -99, 3, 300]], np.int16)
    asked = request(stored.shape, Reduction.MEAN, (1, 2), missing=(-99.0, 300.0), scale=-2.0, offset=10.0)
    answer = reduce_box(stored, asked)
    slab_control.assert_is_answer(answer, stored, asked)
    assert answer[:, 0, 0].tolist() == [7.0, 6.0, 8.0, 2.0] and np.isnan(answer[:3, 2, 0]).all() and answer[3, 2, 0] == 0


def test_scalar_and_characters():
    asked = request((), Reduction.MEAN, (), scale=2.0)
    assert reduce_box(np.array(3.0, np.float32), asked).tolist() == [6.0, 6.0, 6.0, 1.0]
    letters = np.array([[b"a", b"b", b"c"]], "S1")
    assert reduce_box(letters, request(letters.shape, Reduction.STRIDE, (1, 2))).tolist() == [[[b"a", b"c"]]]


def test_huge_numbers_whose_sum_overflows():
    stored = np.full((4,), 1.7e308)
    answer = reduce_box(stored, request((4,), Reduction.MEAN, (1,)))
    assert answer[0].tolist() == stored.tolist() and answer[3].tolist() == [1, 1, 1, 1]


@pytest.mark.parametrize("seed", range(30))
def test_sums_of_boxes_in_any_order(seed, monkeypatch):
    """Any cutting into boxes, read in pieces of any size, gives the same blocks; each is whole when all of it was
    added."""
    dice = random.Random(seed)
    monkeypatch.setattr(block_sums, "PIECE_ELEMENTS", dice.choice([1, 7, 50, 1 << 19]))
    rank = dice.randint(1, 4)
    shape = [dice.randint(1, 14) for _ in range(rank)]
    block = [dice.randint(1, 8) for _ in range(rank)]
    stored = numbers(shape, dice.choice(TYPES), seed)
    leads = tuple(dice.choice([0, dice.randrange(b)]) for b in block)
    asked = ReadRequest(Reduction.MEAN, tuple(-lead for lead in leads), tuple(n + lead for n, lead in zip(shape, leads)), tuple(block), (280.0, 3.0))
    cuts = [sorted({0, n, *(dice.randrange(n + 1) for _ in range(2))}) for n in shape]
    boxes = [()]
    for edges in cuts:
        boxes = [(*box, slice(a, b)) for box in boxes for a, b in zip(edges, edges[1:])]
    dice.shuffle(boxes)
    sums = Sums(((0,) * rank, asked.points), terms_of(asked), asked.count, asked.leads)
    for i, box in enumerate(boxes):
        assert (sums.covered <= sums.expected).all() and (sums.covered != sums.expected).any()
        sums.add(stored[box], tuple(s.start + lead for s, lead in zip(box, leads)))
    np.testing.assert_array_equal(sums.covered, sums.expected)
    slab_control.assert_is_answer(finish_means(sums.sums, sums.terms), stored, asked)


@pytest.mark.parametrize("seed", range(10))
def test_boxes_hold_each_point_once(seed):
    dice = np.random.default_rng(seed)
    mask = dice.random((4, 5, 6)) < dice.random()
    count = np.zeros(mask.shape, int)
    for start, size in boxes_of(mask):
        count[tuple(slice(s, s + n) for s, n in zip(start, size))] += 1
    np.testing.assert_array_equal(count, mask)


def test_boxes_of_a_shell_are_few():
    mask = np.ones((20, 30, 40), bool)
    mask[1:-1, 1:-1, 1:-1] = False
    assert len(boxes_of(mask)) <= 6 and boxes_of(np.array(True)) == [((), ())] and boxes_of(np.zeros((3, 0), bool)) == []
