# SPDX-License-Identifier: Apache-2.0
"""The assets hold what assets/SOURCES.md says of them."""
import json
import subprocess
import sys

import pytest

from conftest import ROOT

ASSETS = ROOT / "assets"
MAPS = json.loads((ASSETS / "colour_maps" / "index.json").read_text())["colour_maps"]
PRESETS = json.loads((ASSETS / "presets.json").read_text())
LATTICE = json.loads((ASSETS / "quantisation.json").read_text())


def points(name):
    return json.loads((ASSETS / "colour_maps" / f"{name}.json").read_text())["points"]


def lightness(rgb):
    """CIE L* of an 8-bit sRGB colour."""
    linear = [c / 255 / 12.92 if c <= 10.31475 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in rgb]
    y = sum(w * c for w, c in zip((0.2126729, 0.7151522, 0.0721750), linear))
    return 116 * y ** (1 / 3) - 16 if y > (6 / 29) ** 3 else y * (29 / 3) ** 3


@pytest.mark.parametrize("name", MAPS)
def test_a_colour_map_goes_from_0_to_1_in_8_bit_srgb(name):
    rows = points(name)
    assert rows[0][0] == 0 and rows[-1][0] == 1
    assert all(a[0] < b[0] for a, b in zip(rows, rows[1:]))
    assert all(isinstance(c, int) and 0 <= c <= 255 for row in rows for c in row[1:])


@pytest.mark.parametrize("name", MAPS)
def test_lightness_is_ordered_as_the_kind_says(name):
    kind = json.loads((ASSETS / "colour_maps" / f"{name}.json").read_text())["kind"]
    light = [lightness(row[1:]) for row in points(name)]
    steps = [b - a for a, b in zip(light, light[1:])]
    if kind == "sequential":
        assert all(s > 0 for s in steps) or all(s < 0 for s in steps)
    elif kind == "diverging":
        middle = len(steps) // 2
        assert all(s > 0 for s in steps[:middle]) and all(s < 0 for s in steps[middle:])
    elif kind == "cyclic":
        assert points(name)[0][1:] == points(name)[-1][1:] and max(light) - min(light) < 3


def test_colour_maps_are_those_their_program_writes(tmp_path):
    program = tmp_path / "make_colour_maps.py"
    program.write_bytes((ASSETS / "colour_maps" / "make_colour_maps.py").read_bytes())
    subprocess.run([sys.executable, program], check=True)
    for name in (*MAPS, "index"):
        assert (tmp_path / f"{name}.json").read_bytes() == (ASSETS / "colour_maps" / f"{name}.json").read_bytes()


@pytest.mark.parametrize("preset", [*PRESETS["standard_names"].values(), *PRESETS["units"].values(), *PRESETS["statistics"].values(), PRESETS["default"]],
                         ids=[*PRESETS["standard_names"], *PRESETS["units"], *PRESETS["statistics"], "default"])
def test_a_preset_is_drawable(preset):
    assert preset["colour_map"] in MAPS
    opacity = preset["opacity"]
    values = [value for value, _ in opacity["points"]]
    assert opacity["kind"] == "per km of true height"
    assert values == sorted(values) and all(0 <= share <= 1 for _, share in opacity["points"])
    if preset["range"] != "data":
        low, high = preset["range"]
        assert low < high
        if opacity.get("of") != "range":
            assert low <= values[0] and values[-1] <= high
    else:
        assert opacity.get("of") == "range"
    if opacity.get("of") == "range":
        assert values[0] == 0 and values[-1] == 1


def test_every_lattice_is_a_positive_step_in_a_unit():
    for name, entry in {**LATTICE["standard_names"], **LATTICE["units"]}.items():
        assert entry["units"] and entry["epsilon"] > 0 and isinstance(entry["v0"], (int, float)), name


def test_presets_and_lattice_speak_of_the_same_units():
    for name, preset in PRESETS["standard_names"].items():
        if name in LATTICE["standard_names"]:
            assert preset["units"] == LATTICE["standard_names"][name]["units"], name


def test_the_lattice_is_finer_than_a_preset_can_show():
    for name, preset in PRESETS["standard_names"].items():
        if name in LATTICE["standard_names"] and preset["range"] != "data":
            low, high = preset["range"]
            assert (high - low) / LATTICE["standard_names"][name]["epsilon"] >= 100, name
