# SPDX-License-Identifier: Apache-2.0
"""Bricks and step tables to numbers, in plain Python, from tiler/BRICK_FORMAT.md alone: what tests hold the program against.

step_table(data)                            -> StepTable
stored_box(level_n, brick, wraps)           -> ((lo, hi) along x, y, z) of the stored voxels, hi not included
brick(data, size, key=None)                 -> (q, present), arrays [z][y][x] of int64 and bool
level(fetch, table, number, wraps=False)    -> (q, present) of a whole pyramid level; fetch(level, x, y, z) -> bytes
"""
import struct
import zlib
from dataclasses import dataclass, field

import numpy as np

CORE = 32
MISSING, CONSTANT, FULL, MASKED = range(4)


@dataclass
class Level:
    n: tuple        # voxels along x, y, z
    bricks: tuple   # bricks along x, y, z
    kind: np.ndarray = field(default=None)  # [z][y][x]
    low: np.ndarray = field(default=None)
    high: np.ndarray = field(default=None)


@dataclass
class StepTable:
    lowest: float
    highest: float
    levels: list


def inflate(data):
    engine = zlib.decompressobj(-15)
    plain = engine.decompress(data) + engine.flush()
    if not engine.eof or engine.unused_data:
        raise ValueError("the deflate stream does not end where the data do")
    return plain


def planes(plain, count, number):
    """`number` byte planes of `count` bytes each, lowest first, to unsigned numbers."""
    a = np.frombuffer(plain, np.uint8, count * number).reshape(number, count).astype(np.int64)
    return sum((a[i] << (8 * i) for i in range(number)), np.zeros(count, np.int64))


def signed(values):
    """Modulo 2**32, as signed 32-bit numbers."""
    return (np.asarray(values, np.int64) + 2**31) % 2**32 - 2**31


def step_table(data):
    version, count, lowest, highest = struct.unpack_from("<IIdd", data)
    if version != 1:
        raise ValueError(f"step table of version {version}")
    levels = [Level(v[:3], v[3:]) for v in (struct.unpack_from("<6I", data, 24 + 24 * i) for i in range(count))]
    plain = inflate(data[24 + 24 * count:])
    at = 0
    for level in reversed(levels):
        b = level.bricks[0] * level.bricks[1] * level.bricks[2]
        shape = level.bricks[::-1]
        level.kind = np.frombuffer(plain, np.uint8, b, at).reshape(shape)
        level.low = signed(np.cumsum(planes(plain[at + b:], b, 4))).reshape(shape)
        level.high = signed(np.cumsum(planes(plain[at + 5 * b:], b, 4))).reshape(shape)
        at += 9 * b
    if at != len(plain):
        raise ValueError("the step table is too long")
    return StepTable(lowest, highest, levels)


def stored_box(level_n, at, wraps=False):
    box = []
    for axis, (n, b) in enumerate(zip(level_n, at)):
        if axis == 0 and wraps and n > 1:
            box.append((32 * b - 1, min(32 * b + 32, n) + 1))
        else:
            box.append((max(32 * b - 1, 0), min(32 * b + 33, n)))
    return tuple(box)


def brick(data, size, key=None):
    """size: stored voxels along x, y, z. key: q of the key step's brick, [z][y][x], with this brick's base where missing."""
    version, width, predictor, masked, base, _ = struct.unpack_from("<4BiI", data)
    if version != 1 or width not in (0, 1, 2, 4) or predictor > 4 or masked > 1:
        raise ValueError("not a brick of version 1")
    at, weights = 12, None
    if predictor == 4:
        weights = struct.unpack_from("<8h", data, 12)
        at = 28
    plain = inflate(data[at:])
    nx, ny, nz = size
    s = nx * ny * nz
    present = np.ones(s, bool)
    if masked:
        m = (s + 7) // 8
        present = np.unpackbits(np.frombuffer(plain, np.uint8, m), bitorder="little")[:s].astype(bool)
        plain = plain[m:]
    zigzag = residuals(plain, s, width)
    r = ((zigzag >> 1) ^ -(zigzag & 1)).tolist()
    d = restore(r, present.tolist(), size, predictor, weights, key, base)
    return signed(np.array(d, np.int64) + base).reshape(nz, ny, nx), present.reshape(nz, ny, nx)


def residuals(plain, s, width):
    if width:
        if len(plain) != width * s:
            raise ValueError("wrong number of residuals")
        return planes(plain, s, width)
    half = (s + 1) // 2
    packed = np.frombuffer(plain, np.uint8, half)
    zigzag = np.stack([packed & 15, packed >> 4], 1).reshape(-1)[:s].astype(np.int64)
    escaped = np.flatnonzero(zigzag == 15)
    if len(plain) != half + 4 * len(escaped):
        raise ValueError("wrong number of escapes")
    zigzag[escaped] = planes(plain[half:], len(escaped), 4)
    return zigzag


def wrap(v):
    return (v + 2**31) % 2**32 - 2**31


def restore(r, present, size, predictor, weights, key, base):
    nx, ny, nz = size
    d = [0] * (nx * ny * nz)

    def at(x, y, z):
        return d[(z * ny + y) * nx + x] if x >= 0 and y >= 0 and z >= 0 else 0

    def lorenzo(x, y, z):
        return (at(x - 1, y, z) + at(x, y - 1, z) + at(x, y, z - 1) - at(x - 1, y - 1, z) - at(x - 1, y, z - 1)
                - at(x, y - 1, z - 1) + at(x - 1, y - 1, z - 1))

    def median(x, y, z):
        if x == 0 and y == 0:
            return at(0, 0, z - 1)
        if y == 0:
            return at(x - 1, y, z)
        if x == 0:
            return at(x, y - 1, z)
        w, s = at(x - 1, y, z), at(x, y - 1, z)
        return sorted((w, s, wrap(w + s - at(x - 1, y - 1, z))))[1]

    def weighted(x, y, z):
        if not (x and y and z):
            return lorenzo(x, y, z)
        near = (at(x - 1, y, z), at(x, y - 1, z), at(x, y, z - 1), at(x - 1, y - 1, z), at(x - 1, y, z - 1),
                at(x, y - 1, z - 1), at(x - 1, y - 1, z - 1), 1)
        return wrap(sum(w * v for w, v in zip(weights, near))) >> 8

    def of_key(x, y, z):
        return wrap(int(key[z][y][x]) - base)

    predict = (lambda x, y, z: 0, lorenzo, median, of_key, weighted)[predictor]
    i = 0
    for z in range(nz):
        for y in range(ny):
            for x in range(nx):
                if present[i]:
                    d[i] = wrap(r[i] + predict(x, y, z))
                else:
                    d[i] = at(x - 1, y, z) if x else at(x, y - 1, z) if y else at(x, y, z - 1) if z else 0
                i += 1
    return d


def level(fetch, table, number, wraps=False):
    """A whole level put together from the cores of its bricks."""
    info = table.levels[number]
    nx, ny, nz = info.n
    q, present = np.zeros((nz, ny, nx), np.int64), np.zeros((nz, ny, nx), bool)
    for bz in range(info.bricks[2]):
        for by in range(info.bricks[1]):
            for bx in range(info.bricks[0]):
                core = tuple(slice(32 * b, min(32 * b + 32, n)) for b, n in zip((bz, by, bx), (nz, ny, nx)))
                kind = info.kind[bz, by, bx]
                if kind in (MISSING, CONSTANT):
                    q[core], present[core] = info.low[bz, by, bx], kind == CONSTANT
                    continue
                box = stored_box(info.n, (bx, by, bz), wraps)
                values, there = brick(fetch(number, bx, by, bz), [hi - lo for lo, hi in box])
                inside = tuple(slice(c.start - lo, c.stop - lo) for c, (lo, _) in zip(core, box[::-1]))
                q[core], present[core] = values[inside], there[inside]
    return q, present
