# SPDX-License-Identifier: Apache-2.0
"""The page's canvas and `virga export` of the same view, in a real browser on both software renderers; and the page's canvas and
the written equation (picture.py). Pixels count that the volume covers in either picture; captions and map layers are off."""
import numpy
import pytest

import agreement
import cases
import likeness
import make_shapes
import page


@pytest.fixture(scope="module")
def kit(virga_call, tmp_path_factory):
    return cases.Kit(virga_call, tmp_path_factory.mktemp("files"), cases.real_forecasts())


@pytest.fixture(scope="module", params=sorted(page.BACK_ENDS, reverse=True))
def drawn(request, kit, virga_call, serve_module, tmp_path_factory):
    """{name: agreement.Drawn}, one browser for all."""
    return agreement.draw(virga_call, serve_module, tmp_path_factory.mktemp("pictures"), request.param, kit, cases.USUAL)


@pytest.mark.parametrize("name", cases.USUAL)
def test_the_page_shows_what_is_exported(drawn, name):
    agreement.hold(drawn, name)


# ---- what must not pass

def moved(*by):
    return lambda values: cases.shifted(values, by)


WRONG = {"a voxel up": moved(1, 0, 0), "a voxel north": moved(0, 1, 0), "a voxel east": moved(0, 0, 1), "a voxel down": moved(-1, 0, 0),
         "a lattice step": lambda values: values + make_shapes.STEP, "a lattice step less": lambda values: values - make_shapes.STEP,
         "upside down": lambda values: values[::-1], "north for south": lambda values: values[:, ::-1],
         "east for west": lambda values: values[:, :, ::-1]}


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("name", ["sphere", "slab", "ramp"])
def test_what_is_wrong_does_not_pass(drawn, kit, virga_call, tmp_path, name, wrong):
    """The page's picture of a file beside the program's of another whose numbers are off by so much."""
    true = drawn[name]
    other = kit.shape(f"{name} {wrong}", WRONG[wrong](make_shapes.values(name)), agreement.SIZE)
    image = agreement.export(virga_call, other, tmp_path, {**true.case.view, "dataset": other.view["dataset"]})
    covered = true.covered(true.alpha) | (numpy.abs(image[..., :3].astype(int) - true.bare[..., :3]).max(axis=2) > 1)
    found = likeness.Likeness(true.shown, image, covered)
    assert not agreement.alike(found), f"{wrong} passes: {found}"
