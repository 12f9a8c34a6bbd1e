# SPDX-License-Identifier: Apache-2.0
"""Slices in 3-D: the page's canvas and `virga export` of the same view, in a real browser, where a sheet covers the picture; and that a sheet is where
its surface is."""
import contextlib
import json

import numpy
import pytest

import agreement
import cases
import likeness
import make_files
import page
import wrf_files

SIZE = (640, 360)
MEAN = 2.5  # of 255: what is laid over the ground is kept in whole steps of 8 bits by the page
CASES = {
    "height": ("hybrid height", [{"level": "1500m"}]),
    "potential temperature": ("hybrid height", [{"level": "300K"}]),
    "two sheets": ("pressures", [{"level": "400hPa"}, {"level": "k1"}]),
    "in a volume": ("hybrid height", [{"level": "3km"}, {}]),
    "around the globe": ("globe", [{"level": "k1"}]),
    "cut by mountains": ("wrf", [{"level": "500m"}]),
}


def made(folder):
    return {"pressures": (make_files.pressure_levels(folder / "pressure.nc"), "air_temperature"),
            "hybrid height": (make_files.hybrid_height(folder / "height.nc"), "air_temperature"),
            "globe": (make_files.around_the_globe(folder / "globe.nc"), "air_temperature"),
            "wrf": (wrf_files.write(folder / "wrfout_d01", shape=(12, 25, 30)), "QVAPOR")}


def view_of(virga, path, variable, layers):
    """A view whose slices let a little of the ground through, and whose volumes are as those of other tests."""
    view = cases.of_file(virga, "slices", path, [variable] * len(layers), size=SIZE, look_from={"elevation": 40}).view
    for layer, more in zip(view["layers"], layers):
        layer.update(more, **({"opacity": [[end, 0.85] for end in layer["range"]]} if more else {}))
    return view


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return made(tmp_path_factory.mktemp("files"))


@pytest.fixture(scope="module")
def views(virga_call, files):
    """name: (path, view)."""
    return {name: (files[kind][0], view_of(virga_call, *files[kind], layers)) for name, (kind, layers) in CASES.items()}


@pytest.fixture(scope="module")
def drawn(views, virga_call, serve_module, tmp_path_factory):
    """name: (the page's picture, the page's without layers, the program's)."""
    folder = tmp_path_factory.mktemp("pictures")
    with contextlib.ExitStack() as stack:
        servers, jobs = {}, []
        for number, (path, view) in enumerate(views.values()):
            if path not in servers:
                servers[path] = stack.enter_context(serve_module(path)).url
            jobs.append({"url": servers[path], "view": view, "out": str(folder / f"{number}.page.png"), "hidden": str(folder / f"{number}.bare.png")})
        try:
            shown = page.pictures("llvmpipe", jobs)
        except page.Missing as missing:
            pytest.skip(str(missing))
    pictures = {}
    for number, (name, (path, view)) in enumerate(views.items()):
        pictures[name] = *shown[number], exported(virga_call, folder, path, view, number)
    return pictures


def exported(virga, folder, path, view, number):
    (folder / f"{number}.json").write_text(json.dumps(view))
    virga("export", folder / f"{number}.json", path, "--out", folder / f"{number}.export.png", "--no-captions", "--antialiasing", 1, "--progress", "none")
    return likeness.read_png(folder / f"{number}.export.png")


@pytest.mark.parametrize("name", CASES)
def test_the_page_shows_what_is_exported(drawn, name):
    page_shown, bare, program = drawn[name]
    covered = numpy.abs(page_shown[..., :3].astype(int) - bare[..., :3]).max(axis=2) > 1
    covered |= numpy.abs(program[..., :3].astype(int) - bare[..., :3]).max(axis=2) > 2
    found = likeness.Likeness(page_shown, program, covered)
    print(f"\n{name}: {found}")
    assert found.covered >= 0.05
    assert found.ssim >= agreement.SSIM and found.mean <= MEAN, str(found)


def test_another_surface_does_not_pass(drawn, views, virga_call, tmp_path):
    """What the comparison is worth: the same sheet a little higher is told apart."""
    page_shown, bare, _ = drawn["height"]
    path, view = views["height"]
    view = {**view, "layers": [{**view["layers"][0], "level": "2500m"}]}
    other = exported(virga_call, tmp_path, path, view, 0)
    covered = numpy.abs(page_shown[..., :3].astype(int) - bare[..., :3]).max(axis=2) > 1
    assert not agreement.alike(likeness.Likeness(page_shown, other, covered))
