# SPDX-License-Identifier: Apache-2.0
"""Exported frames against a plain float64 rendering of the written equation (render/README.md, "The picture in words"; picture.py
and march.c), that one against sums done by hand, and what neither may let pass."""
import math

import numpy
import pytest

import agreement
import cases
import forecast
import likeness
import make_shapes
import picture

# Of all but the last bits. Steep clouds are drawn with steps that see little of them: where these fall is told by what heights of
# levels are to seven digits, so that their grain differs here and there.
SSIM, MEAN, GRAINY_SSIM, GRAINY_MEAN = 0.997, 0.4, 0.96, 1.5
GRAINY = set(cases.DEMONSTRATIONS)


@pytest.fixture(scope="module")
def kit(virga_call, tmp_path_factory):
    return cases.Kit(virga_call, tmp_path_factory.mktemp("files"), cases.real_forecasts())


@pytest.fixture(scope="module")
def exported(virga_call, kit, tmp_path_factory):
    """exported(name): (case, its picture by the program, and that without layers), each made once."""
    folder, known = tmp_path_factory.mktemp("pictures"), {}

    def get(name):
        if name not in known:
            case = kit.case(name)
            if case is None:
                pytest.skip("../shared/forecasts is not there")
            bare = agreement.export(virga_call, case, folder, case.bare())
            known[name] = case, agreement.export(virga_call, case, folder), bare
        return known[name]
    return get


def compare(image, bare, scene):
    """A picture of the program and one of the words."""
    volume = scene.volume()
    covered = (volume[..., 3] >= 1 / 255) | (numpy.abs(image[..., :3].astype(int) - bare[..., :3]).max(axis=2) > 1)
    return likeness.Likeness(image, scene.finished(volume, bare[..., :3] / 255), covered)


def alike(found, grainy=False):
    return found.ssim >= (GRAINY_SSIM if grainy else SSIM) and found.mean <= (GRAINY_MEAN if grainy else MEAN)


@pytest.mark.parametrize("name", cases.NAMES)
def test_a_frame_is_the_picture_of_the_words(exported, name):
    case, image, bare = exported(name)
    found = compare(image, bare, case.scene())
    print(f"\n{name}: {found}")
    assert found.covered >= 0.3
    assert alike(found, name in GRAINY), found


def test_between_steps_values_are_blended(kit, virga_call, tmp_path):
    """A film of the demonstration's temperature: each frame is the picture of values mixed by their share in time."""
    case = kit.case("demonstration")
    warm = cases.of_file(virga_call, "warm", case.path, ["air_temperature"], run=next(case.path.glob("*T0600Z.nc")),
                         styles=[cases.WARM_STYLE], look_from={"closeness": 1.45, "elevation": 40})
    warm.view["layers"][0].update({"range": [270, 290], "opacity": [[270, 0], [272, 0], [290, 0.4]]})
    frames = agreement.film(virga_call, warm, tmp_path, times="T+0/T+1", fps=3, rate=1)
    bare = agreement.export(virga_call, warm, tmp_path, warm.bare())
    assert len(frames) >= 3
    now, later = warm.volumes(), warm.volumes(1)
    shares = (0, 1 / 3, 2 / 3, 1)
    found = [[compare(image, bare, warm.scene(now, later=later, blend=share)).mean for share in shares] for image in frames]
    for n, means in enumerate(found[:3]):
        assert numpy.argmin(means) == n and means[n] <= MEAN, found


def test_a_transparent_frame_over_the_sky_is_the_usual_one(kit, virga_call, tmp_path):
    for name in ("sphere", "demonstration"):
        case = kit.case(name)
        usual = agreement.export(virga_call, case, tmp_path)
        clear = agreement.export(virga_call, case, tmp_path, transparent=True) / 255
        assert clear.shape[2] == 4 and clear[..., 3].min() == 0 and clear[..., 3].max() == 1
        over = clear[..., :3] * clear[..., 3:] + case.scene().sky() * (1 - clear[..., 3:])
        assert numpy.abs(over - usual[..., :3] / 255).max() < 2.6 / 255


# ---- what must be noticed

def moved_by(*by):
    return lambda case: case.scene([cases.moved(volume, by) for volume in case.volumes()])


def mirrored(axis):
    return lambda case: case.scene([cases.mirrored(volume, axis) for volume in case.volumes()])


def one_step_more(case):
    return case.scene([forecast.replaced(volume, volume.values + step) for volume, (_, step) in zip(case.volumes(), case.lattices)])


def half_a_step_more(case):
    return case.scene(lattices=[(v0 + step / 2, step) for v0, step in case.lattices])


def twice_the_step(case):
    return case.scene(lattices=[(v0, 2 * step) for v0, step in case.lattices])


def opacity_of_exaggerated_lengths(case):
    """As if a kilometre on screen, not of true height, took the share."""
    scene = case.scene()
    for n in range(scene.c.field_count):
        stretched(scene.c.fields[n], scene, 1.25)
    return scene


def stretched(field, scene, factor):
    look = scene.layers[0].transfer.look.copy()
    look[:, 3] *= factor
    field.look = scene.keep(look)
    integral = scene.layers[0].transfer.integral.copy()
    integral *= factor
    field.integral = scene.keep(integral)


def light_from_the_other_side(case):
    scene = case.scene()
    scene.c.light[0], scene.c.light[1] = -scene.c.light[0], -scene.c.light[1]
    return scene


WRONG = {"a voxel up": moved_by(1, 0, 0), "a voxel north": moved_by(0, 1, 0), "a voxel east": moved_by(0, 0, 1),
         "a voxel west": moved_by(0, 0, -1), "upside down": mirrored(0), "north for south": mirrored(1), "east for west": mirrored(2),
         "a lattice step": one_step_more, "half a lattice step": half_a_step_more, "a lattice of twice the step": twice_the_step,
         "opacity of other lengths": opacity_of_exaggerated_lengths,
         "light from the other side": light_from_the_other_side}


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("name", ["sphere", "slab", "ramp"])
def test_what_is_wrong_is_noticed(exported, name, wrong):
    case, image, bare = exported(name)
    found = compare(image, bare, WRONG[wrong](case))
    assert not alike(found), f"{wrong} passes: {found}"


@pytest.mark.parametrize("wrong", ["a voxel up", "a voxel north", "a voxel east", "upside down", "north for south", "east for west"])
@pytest.mark.parametrize("name", ["demonstration", "pressures with geopotential"])
def test_what_is_wrong_is_noticed_in_weather(exported, name, wrong):
    case, image, bare = exported(name)
    found = compare(image, bare, WRONG[wrong](case))
    assert not alike(found, name in GRAINY), f"{wrong} passes: {found}"


# ---- by hand

TAUS = (0.02, 0.1, 0.5)  # a kilometre


def slab(kit, tau, name, **options):
    """The same value everywhere, of the same opacity."""
    opacity = 1 - math.exp(-tau)
    value = round(281 / make_shapes.STEP) * make_shapes.STEP
    style = {"range": [value - 1, value + 1], "opacity": [[value - 1, opacity], [value + 1, opacity]], "shading": False}
    return kit.shape(name, numpy.full(make_shapes.SHAPE, value), (160, 90), styles=[style], **options)


def lengths(case):
    """Kilometres of true height that each pixel's ray goes through the box: the camera and the box, from their definitions."""
    view, volume = case.view, case.volumes()[0]
    stretch = numpy.array([1, 1, view["exaggeration"]])
    eye, target = (numpy.array(view["camera"][end]) * stretch for end in ("eye", "target"))
    forward = (target - eye) / numpy.linalg.norm(target - eye)
    right = numpy.cross(forward, view["camera"]["up"])
    right /= numpy.linalg.norm(right)
    width, height = view["size"]
    tall = math.tan(math.radians(view["camera"]["fov"] / 2))
    u, v = (numpy.arange(width) + 0.5) / width * 2 - 1, 1 - (numpy.arange(height) + 0.5) / height * 2
    rays = forward + u[None, :, None] * right * tall * width / height + v[:, None, None] * numpy.cross(right, forward) * tall
    rays /= numpy.linalg.norm(rays, axis=2, keepdims=True)
    degree = math.pi / 180 * 6371.229
    wide, deep = volume.x[-1] - volume.x[0], volume.y[-1] - volume.y[0]
    half = [wide / 2 * degree * math.cos(math.radians(volume.y.mean())), deep / 2 * degree]
    low, high = numpy.array([-half[0], -half[1], 0]), numpy.array([*half, make_shapes.HEIGHTS[-1] / 1000 * view["exaggeration"]])
    a, b = (low - eye) / rays, (high - eye) / rays
    way = numpy.maximum(a, b).min(axis=2) - numpy.maximum(0, numpy.minimum(a, b).max(axis=2))
    return numpy.maximum(0, way) / view["exaggeration"]


@pytest.mark.parametrize("tau", TAUS)
@pytest.mark.parametrize("look_from", [{"elevation": 12}, {"elevation": 50, "azimuth": 130}, {"top": True}], ids=["low", "high", "from above"])
def test_a_slab_takes_the_light_that_its_depth_takes(kit, virga_call, tmp_path, tau, look_from):
    """alpha = 1 − exp(−tau d), and the colour is the map's in this light: of the words to 1e-6, of an exported frame to a step of 8 bits."""
    case = slab(kit, tau, "constant", look_from={"closeness": 1.3, **look_from})
    alpha, scene = 1 - numpy.exp(-tau * lengths(case)), case.scene()
    alpha[alpha > 0.992] = 1
    volume = scene.volume()
    inner = lengths(case) > 0.05  # but for edges that a ray only touches
    assert inner.mean() > 0.3
    assert numpy.abs(volume[..., 3] - alpha)[inner].max() < 1e-6
    lit = scene.layers[0].transfer.look[picture.DENSE // 2, :3] * (scene.light["ambient"] + scene.light["colour"])
    some = inner & (volume[..., 3] < 1)
    assert numpy.abs(volume[some][:, :3] / volume[some][:, 3:] - lit).max() < 1e-4
    image, bare = agreement.export(virga_call, case, tmp_path), agreement.export(virga_call, case, tmp_path, case.bare())
    expected = bare[..., :3] / 255 * (1 - picture.smoothed(volume)[..., 3:]) + lit * picture.smoothed(volume)[..., 3:]
    core = some & numpy.roll(inner, 1, 0) & numpy.roll(inner, -1, 0) & numpy.roll(inner, 1, 1) & numpy.roll(inner, -1, 1)
    assert numpy.abs(image[..., :3] / 255 - expected)[core].max() < 2.1 / 255


@pytest.mark.parametrize("name", ["sphere", "holes"])
def test_opacity_does_not_change_with_step_length(kit, name):
    """Steps of half and twice the length, and very short ones: the same opacity but for grain, none of it to one side."""
    case = kit.case(name, (160, 90))
    fine = case.scene(step=0.02, shortest=0, leaps=False).volume()[..., 3]
    covered = fine > 1 / 255
    for step in (0.5, 1, 2):
        difference = (case.scene(step=step).volume()[..., 3] - fine)[covered]
        assert abs(difference.mean()) < 0.004 * step and numpy.sqrt((difference ** 2).mean()) < 0.012 * step, step


def test_missing_matter_lets_all_light_through(kit):
    style = {"range": [280, 282], "opacity": [[280, 1], [282, 1]], "shading": False}
    case = kit.shape("missing", numpy.full(make_shapes.SHAPE, numpy.nan), (64, 36), styles=[style])
    assert not case.scene().volume().any()


def test_likeness_knows_how_alike_pictures_are():
    random = numpy.random.default_rng(1)
    image = random.integers(0, 256, (40, 60, 3)).astype(numpy.uint8)
    everywhere = numpy.ones((40, 60), bool)
    assert likeness.Likeness(image, image, everywhere).ssim == pytest.approx(1)
    other = numpy.clip(image.astype(int) + 3, 0, 255).astype(numpy.uint8)
    assert likeness.Likeness(image, other, image.max(axis=2) <= 252).mean == pytest.approx(3)
    assert abs(likeness.Likeness(image, image[::-1].copy(), everywhere).ssim) < 0.1
    flat, brighter = numpy.full((40, 60, 3), 100, numpy.uint8), numpy.full((40, 60, 3), 110, numpy.uint8)
    assert likeness.Likeness(flat, brighter, everywhere).ssim == pytest.approx((2 * 100 * 110 + 6.5025) / (100 ** 2 + 110 ** 2 + 6.5025), abs=1e-6)
