# SPDX-License-Identifier: Apache-2.0
"""The control of maps is itself right, and sees what is wrong: it equals the other reference at places, and refuses pictures that are
one pixel or five colours off."""
import numpy
import pytest

import make_maps
import map_reference
import place

FRAMES = {"globe": map_reference.tile(2, 1, 1),
          "date_line": map_reference.Frame("EPSG:3857", (17500000, -6500000, 22700000, -2000000), 300, 260),
          "rotated": map_reference.Frame("EPSG:4326", (-8, 50, 6, 60), 280, 200),
          "lambert": map_reference.Frame("EPSG:3857", (-13000000, 3300000, -8500000, 6300000), 300, 200),
          "polar": map_reference.Frame("EPSG:3413", (-2100000, -2100000, 2100000, 2100000), 256, 256)}


@pytest.fixture(scope="module", params=make_maps.GRIDS)
def drawn(request, tmp_path_factory):
    """(path, field, frame, picture, bounds) of each grid."""
    path = make_maps.write(tmp_path_factory.mktemp("maps") / "a.nc", request.param)
    field, frame = map_reference.load(path, make_maps.SURFACE, 1), FRAMES[request.param]
    return path, field, frame, map_reference.drawn(field, frame, make_maps.colours()), field.bounds(frame)


def test_values_are_those_of_the_other_reference(drawn):
    path, field, frame, _, _ = drawn
    if not field.angular:
        pytest.skip("place.py has neither Lambert's conformal cones nor polar stereographic by a standard parallel")
    volume, random = place.load(path, make_maps.SURFACE, 1), numpy.random.default_rng(3)
    lon, lat = frame.places()
    for row, column in zip(random.integers(frame.height, size=200), random.integers(frame.width, size=200)):
        here = lon[row, column], lat[row, column]
        assert field.at(*(numpy.array([v]) for v in here))[0] == pytest.approx(volume.value(*here), abs=1e-6,
                                                                               nan_ok=True)


def test_the_right_picture_is_taken_and_others_are_not(drawn):
    _, _, _, picture, bounds = drawn
    colours = make_maps.colours()
    assert map_reference.check(picture, bounds, colours) == 0
    for wrong in (numpy.roll(picture, 1, 0), numpy.roll(picture, 1, 1), picture[::-1], picture[:, ::-1], 255 - picture):
        with pytest.raises(AssertionError, match="wrong"):
            map_reference.check(wrong, bounds, colours, share=0.05)
    with pytest.raises(AssertionError, match="wrong"):  # five colours further
        map_reference.check(picture, map_reference.Bounds(bounds.low + 1.4, bounds.high + 1.4, bounds.may_lack),
                            colours, share=0.05)
    opaque = picture.copy()
    opaque[..., 3] = 255
    if bounds.may_lack.any():
        with pytest.raises(AssertionError, match="there or absent"):
            map_reference.check(opaque, bounds, colours)
    with pytest.raises(AssertionError, match="there or absent"):
        map_reference.check(picture * numpy.array([1, 1, 1, 0], numpy.uint8), bounds, colours)


def test_tiles_meet_and_have_their_places():
    assert map_reference.tile(0, 0, 0).box[2] == pytest.approx(20037508.342789244)
    assert map_reference.tile(1, 0, 1, matrix_set="WorldCRS84Quad").box == (-180, -90, -90, 0)
    left, right = map_reference.tile(3, 4, 2), map_reference.tile(3, 5, 2)
    assert left.box[2] == pytest.approx(right.box[0]) and left.box[0] < right.box[0]
    lon, lat = map_reference.tile(1, 1, 0).places(-0.5, 255.5)  # corners of a pixel are half a pixel from its centre
    assert lon[0, 0] == pytest.approx(0, abs=1e-9) and lat[0, 0] == pytest.approx(0, abs=1e-9)
