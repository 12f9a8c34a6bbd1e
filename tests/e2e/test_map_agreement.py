# SPDX-License-Identifier: Apache-2.0
"""Tiles equal an independent reprojection of the file, within half a pixel and one colour: on every grid, across the date line and at poles, in
both tile matrix sets and sizes, at levels and times, in bands and logarithms, as JPEG and as numbers; what is made smaller is averaged."""
import json
import urllib.request

import netCDF4
import numpy
import pytest

import make_files
import make_maps
import png
from map_clients import TIMES, Maps, maps  # noqa: F401 - a fixture
from map_reference import Colours, tile

TILES = [("globe", 1, 0, 0), ("globe", 3, 4, 2), ("globe", 3, 0, 7), ("globe", 5, 31, 12), ("globe", 8, 130, 90),
         ("date_line", 5, 0, 19), ("date_line", 5, 31, 19), ("date_line", 3, 7, 5),
         ("rotated", 5, 15, 10), ("rotated", 6, 31, 20), ("lambert", 5, 7, 11), ("lambert", 4, 3, 5),
         ("polar", 2, 1, 0), ("polar", 4, 5, 1), ("polar", 5, 15, 5)]
DEGREES = [("globe", 2, 0, 0), ("globe", 2, 7, 3), ("globe", 4, 15, 9), ("date_line", 3, 15, 4), ("date_line", 3, 0, 4),
           ("polar", 2, 0, 0), ("polar", 3, 8, 0), ("polar", 3, 15, 0)]


def fetched(url):
    with urllib.request.urlopen(url, timeout=120) as reply:
        return png.Image(reply.read())


def with_alpha(pixels):
    return pixels if pixels.shape[2] == 4 else numpy.dstack([pixels, numpy.full(pixels.shape[:2], 255, numpy.uint8)])


def rgba(url):
    return with_alpha(fetched(url).pixels)


@pytest.mark.parametrize("name, z, x, y", TILES)
def test_web_mercator(maps, name, z, x, y):
    maps.check(rgba(maps.tiles(name, f"{z}/{x}/{y}.png", time=TIMES[1])), name, tile(z, x, y), step=1)


@pytest.mark.parametrize("name, z, x, y", DEGREES)
def test_degrees(maps, name, z, x, y):
    maps.check(rgba(maps.tiles(name, f"{z}/{x}/{y}.png", time=TIMES[0], tms="WorldCRS84Quad")), name,
               tile(z, x, y, matrix_set="WorldCRS84Quad"), step=0)


@pytest.mark.parametrize("name, z, x, y", [TILES[1], TILES[6], TILES[9]])
def test_the_larger_size_shows_more_of_the_same_place(maps, name, z, x, y):
    maps.check(rgba(maps.tiles(name, f"{z}/{x}/{y}.png", size=512)), name, tile(z, x, y, 512))
    maps.check(rgba(maps.tiles(name, f"{z}/{x}/{y}@2x.png")), name, tile(z, x, y, 512))


@pytest.mark.parametrize("level", range(len(make_maps.LEVELS)))
def test_levels_by_number_and_by_pressure(maps, level):
    for text in (f"k{level}", f"{make_maps.LEVELS[level]:g}hPa"):
        picture = rgba(maps.tiles("globe", "3/4/3.png", "air_temperature", time=TIMES[2], level=text))
        maps.check(picture, "globe", tile(3, 4, 3), step=2, variable="air_temperature", level=level,
                   colours=Colours("temperature", 210, 310))


@pytest.mark.parametrize("style, colours",
                         [("fill;range=255,300", ("temperature", 255, 300)),
                          ("fill/thermal;range=240,330", ("thermal", 240, 330)),
                                            ("fill/wind-inv;range=250,320", ("wind", 250, 320))])
def test_ranges_and_colour_maps(maps, style, colours):
    made = Colours(*colours, invert="-inv" in style)
    maps.check(rgba(maps.tiles("globe", "3/4/2.png", style=style)), "globe", tile(3, 4, 2), colours=made)


@pytest.mark.parametrize("bands", [2, 7, 20])
def test_bands(maps, bands):
    picture = rgba(maps.tiles("globe", "3/4/2.png", bands=bands))
    assert len(numpy.unique(picture.reshape(-1, 4), axis=0)) == bands
    maps.check(picture, "globe", tile(3, 4, 2), colours=make_maps.colours(bands=bands), steps=0.01)


def test_a_logarithmic_scale(maps):
    picture = rgba(maps.tiles("globe", "3/4/2.png", style="fill/thermal;range=200,400;log"))
    maps.check(picture, "globe", tile(3, 4, 2), colours=Colours("thermal", 200, 400, log=True))


def test_jpeg_is_the_same_map(maps):
    image = pytest.importorskip("PIL.Image")
    with urllib.request.urlopen(maps.tiles("globe", "3/4/2.jpg", quality=95), timeout=60) as reply:
        assert reply.headers["Content-Type"] == "image/jpeg"
        picture = numpy.asarray(image.open(reply).convert("RGB"))
    maps.check(picture, "globe", tile(3, 4, 2), rounding=14, share=0.005)


@pytest.mark.parametrize("name, z, x, y", [("globe", 3, 4, 2), ("rotated", 6, 31, 20), ("polar", 4, 5, 1)])
def test_numbers(maps, name, z, x, y):
    """value = offset + scale × (65536 R + 256 G + B), absent where alpha is 0; nothing of colours."""
    image = fetched(maps.tiles(name, f"{z}/{x}/{y}.png", style="values", time=TIMES[0]))
    pixels = with_alpha(image.pixels)
    with urllib.request.urlopen(maps.tiles(name, "tilejson.json", style="values"), timeout=60) as reply:
        told = json.load(reply)["virga"]
    offset, scale = float(image.texts["offset"]), float(image.texts["scale"])
    assert (offset, scale) == pytest.approx((told["offset"], told["scale"]), rel=1e-12)
    r, g, b, a = (pixels[..., c].astype(float) for c in range(4))
    values, bounds = offset + scale * (65536 * r + 256 * g + b), maps.field(name, step=0).bounds(tile(z, x, y))
    there = a == 255
    assert ((a == 0) | there).all() and (there | bounds.may_lack).all() and not (there & numpy.isnan(bounds.low)).any()
    assert (values >= bounds.low - scale)[there].all() and (values <= bounds.high + scale)[there].all()


def test_what_is_made_smaller_is_averaged(serve, tmp_path):
    """Columns that alternate between 250 K and 320 K, nine a pixel, show 285 K; without it they would flicker."""
    path = tmp_path / "a.nc"
    with netCDF4.Dataset(path, "w") as file:
        make_files.times(file, 1)
        make_files.axis(file, "latitude", -10 + 0.01 * numpy.arange(512), "latitude", "degrees_north")
        make_files.axis(file, "longitude", 0.01 * numpy.arange(600), "longitude", "degrees_east")
        v = file.createVariable(make_maps.SURFACE, "f4", ("time", "latitude", "longitude"))
        v.standard_name, v.units = make_maps.SURFACE, "K"
        v[:] = numpy.where((numpy.arange(512)[:, None] + numpy.arange(600)) % 2, 250, 320)[None]
    with serve(path) as server:
        maps = Maps(server.url, {"a": path})
        dataset = maps.catalog["datasets"][0]
        variable = dataset["variables"][0]["id"]
        picture = rgba(f"{server.url}tiles/{dataset['id']}/{variable}/4/8/8.png")  # nine columns a pixel
        there = picture[..., 3] > 0
        low, high = make_maps.colours().ranges(numpy.array(283.0), numpy.array(287.0), 1)
        inside = there & numpy.roll(there, 2, 0) & numpy.roll(there, -2,
                                                              0) & numpy.roll(there, 2, 1) & numpy.roll(there, -2, 1)
        assert inside.sum() > 500
        rgb = picture[..., :3].astype(float)[inside]
        assert ((rgb >= low - 1) & (rgb <= high + 1)).all(), (rgb.min(axis=0), rgb.max(axis=0), low, high)
