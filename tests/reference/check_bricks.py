# SPDX-License-Identifier: Apache-2.0
"""Decodes the bricks in a folder with brick_decoder and compares: NAME.brick, NAME.key (optional), NAME.q with int32 sizes x y z,
base, then the voxels, -2**31 where missing. Exit 0 if all agree; 77 without numpy."""
import pathlib
import sys

try:
    import numpy as np
except ImportError:
    print("no numpy")
    sys.exit(77)
import brick_decoder

MISSING = -2**31
checked = 0
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.brick")):
    expected = np.fromfile(path.with_suffix(".q"), "<i4")
    size, base, expected = expected[:3].tolist(), int(expected[3]), expected[4:]
    shape = tuple(size[::-1])
    key = None
    if path.with_suffix(".key").exists():
        key = np.fromfile(path.with_suffix(".key"), "<i4").astype(np.int64).reshape(shape)
        key = np.where(key == MISSING, base, key)
    q, present = brick_decoder.brick(path.read_bytes(), size, key)
    expected = expected.reshape(shape)
    if not (present == (expected != MISSING)).all() or not (q[present] == expected[present]).all():
        sys.exit(f"{path.name} differs")
    checked += 1
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.table")):
    table = brick_decoder.step_table(path.read_bytes())
    expected = np.fromfile(path.with_suffix(".entries"), "<i4").reshape(-1, 3)
    got = np.concatenate([np.stack([a.reshape(-1).astype(np.int64) for a in (l.kind, l.low, l.high)], 1) for l in table.levels])
    if got.shape != expected.shape or not (got == expected).all():
        sys.exit(f"{path.name} differs")
    checked += 1
print(f"{checked} agree")
sys.exit(0 if checked else "nothing to check")
