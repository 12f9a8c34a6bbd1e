# SPDX-License-Identifier: Apache-2.0
"""The page's pictures beside those of `virga export` and of picture.py, for the tests that hold them against each other.

The bounds of likeness hold over the pixels that the volume covers in either picture, captions and map layers off.
"""
import contextlib
import dataclasses
import json
import typing

import numpy
import pytest

import cases
import likeness
import page

SSIM, MEAN = 0.98, 2.0  # of page and export, mean of 255
# Where a second volume leaves nothing to leap over, tiny differences in the lengths of steps add up along the way, and the grain of steep
# clouds falls elsewhere; on average it is the same.
GRAIN = {"two volumes": 0.965}


@dataclasses.dataclass
class Drawn:
    """A case by the page, with and without its layers, by the program, and by the words."""
    case: cases.Case
    shown: typing.Any
    bare: typing.Any
    exported: typing.Any
    alpha: typing.Any
    written: typing.Any

    def covered(self, *alphas):
        """Pixels that the volume covers visibly in either picture; a step of 8 bits may be rounding."""
        mask = (numpy.abs(self.shown[..., :3].astype(int) - self.bare[..., :3]).max(axis=2) > 1)
        for alpha in alphas:
            mask |= alpha >= 1 / 255
        return mask


def alike(found, name=""):
    return found.ssim >= GRAIN.get(name, SSIM) and found.mean <= MEAN


def hold(drawn, name):
    """Page and program agree, and the page shows what is written."""
    if name not in drawn:
        pytest.skip("../shared/forecasts is not there")
    one = drawn[name]
    exported = likeness.Likeness(one.shown, one.exported, one.covered(one.alpha))
    written = likeness.Likeness(one.shown, one.written, one.covered(one.alpha))
    print(f"\n{name}: page and program {exported}\n{' ' * len(name)}  page and words {written}")
    assert exported.covered >= 0.3
    assert alike(exported, name), f"page and program: {exported}"
    assert written.ssim >= 0.96 and written.mean <= MEAN, f"page and words: {written}"


def export(virga, case, folder, view=None, **flags):
    """The picture of a view by the program: [height][width][3 or 4]."""
    (image,) = exported(virga, case, folder, view or case.view, ".png", flags)
    return image


def film(virga, case, folder, **flags):
    """Likewise of a sequence."""
    return exported(virga, case, folder, case.view, "-%03d.png", flags)


def exported(virga, case, folder, view, ending, flags):
    name = f"{case.name.replace(' ', '_')}-{len(list(folder.iterdir()))}"
    (folder / f"{name}.json").write_text(json.dumps(view))
    options = [text for key, value in flags.items() for text in ([f"--{key}"] if value is True else [f"--{key}", str(value)])]
    virga("export", folder / f"{name}.json", case.path, "--out", folder / (name + ending), "--no-captions", "--antialiasing", 1,
          "--progress", "none", *options)
    return [likeness.read_png(path) for path in sorted(folder.glob(f"{name}*.png"))]


SIZE = (640, 360)


def draw(virga, serve, folder, back_end, kit, names):
    """{name: Drawn} of a kit's cases, all pages in one browser; skips where that is missing. serve(path): a context with a running server."""
    all_cases = [case for case in (kit.case(name, SIZE) for name in names) if case]
    with contextlib.ExitStack() as stack:
        jobs = []
        for case in all_cases:
            name = case.name.replace(" ", "_")
            jobs.append({"url": stack.enter_context(serve(case.path)).url, "view": case.view,
                         "out": str(folder / f"{name}.{back_end}.png"), "hidden": str(folder / f"{name}.{back_end}.bare.png")})
        try:
            pictures = page.pictures(back_end, jobs)
        except page.Missing as missing:
            pytest.skip(str(missing))
    drawn = {}
    for case, (shown, bare) in zip(all_cases, pictures):
        scene = case.scene()
        volume = scene.volume()
        drawn[case.name] = Drawn(case, shown, bare, export(virga, case, folder), volume[..., 3],
                                 scene.finished(volume, bare[..., :3] / 255))
    return drawn
