# SPDX-License-Identifier: Apache-2.0
"""Lines and symbols of maps: contours stand where an independent reprojection has their values, tiles meet without seams, every style that is
offered is drawn, legends too."""
import io
import urllib.parse

import numpy
import pytest
from PIL import Image

import make_maps
import map_reference
from map_site import client, datasets, files, server  # noqa: F401 - fixtures

INTERVAL, CELSIUS = 10.0, 273.15  # lines stand at round degrees Celsius
LABEL = 8  # pixels around a line within which its label is


def tile(client, dataset, variable, place, **query):
    """RGBA of a tile."""
    path = f"/tiles/{dataset['id']}/{variable}/{place[0]}/{place[1]}/{place[2]}.png?" + urllib.parse.urlencode(query)
    status, headers, body = client.request(path)
    assert status == 200 and headers["content-type"] == "image/png", (path, body[:300])
    return numpy.array(Image.open(io.BytesIO(body)).convert("RGBA")).astype(int)


def grown(mask, by):
    """Where a mask is set within so many pixels along each axis."""
    padded, out = numpy.pad(mask, by), numpy.zeros_like(mask)
    for dy in range(2 * by + 1):
        for dx in range(2 * by + 1):
            out |= padded[dy:dy + mask.shape[0], dx:dx + mask.shape[1]]
    return out


def numbers(values):
    """Which line is the next below a value."""
    return numpy.floor((values - CELSIUS) / INTERVAL)


@pytest.mark.parametrize("grid, matrix_set, place", [
    ("globe", "WebMercatorQuad", (3, 2, 2)), ("date_line", "WebMercatorQuad", (3, 0, 4)), ("rotated", "WebMercatorQuad", (6, 31, 20)),
    ("lambert", "WorldCRS84Quad", (3, 3, 2)), ("polar", "WorldCRS84Quad", (2, 2, 0))])
def test_contours_stand_where_the_values_are(client, datasets, files, grid, matrix_set, place):
    style = f"contours;interval={INTERVAL};ink=000000"
    picture = tile(client, datasets[grid], make_maps.SURFACE, place, time="T+7", tms=matrix_set, style=style)
    ink = (picture[..., 3] == 255) & (picture[..., :3].max(axis=-1) < 60)
    assert ink.sum() > 200, "there are no lines"
    frame, field = map_reference.tile(*place, matrix_set=matrix_set), map_reference.load(files[grid], make_maps.SURFACE, step=1)
    # Half the width of a heavy line, and half a pixel for the reprojection.
    near, around = field.bounds(frame, slack=1.5), field.bounds(frame, slack=LABEL, samples=17)
    with numpy.errstate(invalid="ignore"):
        on_line, by_line = numbers(near.low) != numbers(near.high), numbers(around.low) != numbers(around.high)
    assert by_line[ink].all(), f"{(~by_line[ink]).sum()} pixels of ink are by no line"
    labels = grown(ink & ~on_line, 3)
    assert (ink & labels).sum() < 0.5 * ink.sum()
    # The other way round: what is crossed between a pixel and its neighbours has ink, but for labels, the hole's edge, and rings of a few pixels.
    values = field.map(frame)
    here = numbers(values)
    crossed = numpy.zeros(here.shape, bool)
    crossed[:, :-1] |= numpy.isfinite(here[:, 1:] - here[:, :-1]) & (here[:, 1:] != here[:, :-1])
    crossed[:-1] |= numpy.isfinite(here[1:] - here[:-1]) & (here[1:] != here[:-1])
    crossed &= ~grown(~numpy.isfinite(values), 6)
    inked = grown(picture[..., 3] > 100, 2)
    assert (crossed & inked).sum() > 0.93 * crossed.sum()


@pytest.mark.parametrize("variable, style", [("eastward_wind", "barbs"), ("eastward_wind", "arrows/wind"), (make_maps.SURFACE, "contours;interval=40")])
def test_tiles_meet_without_a_seam(client, datasets, variable, style):
    z, x, y = 3, 2, 2
    whole = tile(client, datasets["globe"], variable, (z, x, y), time="T+7", style=style, size=512)
    parts = [[tile(client, datasets["globe"], variable, (z + 1, 2 * x + dx, 2 * y + dy), time="T+7", style=style) for dx in (0, 1)] for dy in (0, 1)]
    together = numpy.concatenate([numpy.concatenate(row, axis=1) for row in parts])
    assert (whole[..., 3] > 128).sum() > 300, "nothing is drawn"
    difference = abs(whole * whole[..., 3:] - together * together[..., 3:]).max(axis=-1) / 255
    if style.startswith("contours"):  # labels are placed anew in each picture, none within two pixels of its edge
        edge = numpy.zeros(difference.shape, bool)
        edge[255:257] = edge[:, 255:257] = True
        labels = grown((difference > 48), 12) & ~edge
        difference[labels] = 0
        assert labels.mean() < 0.25
    assert difference.max() <= 48


def test_every_style_on_offer_is_drawn(client, datasets):
    drawn = {}
    for style in ("fill", "fill/rain", "fill/thermal-inv", "contours", "fill-contours", "barbs", "arrows", "barbs/wind"):
        drawn[style] = tile(client, datasets["globe"], "eastward_wind", (1, 0, 0), time="T+7", style=style)
        assert drawn[style][..., 3].any()
        status, headers, body = client.request(f"/tiles/{datasets['globe']['id']}/eastward_wind/legend.png?" + urllib.parse.urlencode({"style": style}))
        assert status == 200 and headers["content-type"] == "image/png"
        assert min(Image.open(io.BytesIO(body)).size) > 40
    assert len({picture.tobytes() for picture in drawn.values()}) == len(drawn)


@pytest.mark.parametrize("style", ["barbs", "arrows"])
def test_what_is_no_wind_has_no_barbs(client, datasets, style):
    status, _, body = client.request(f"/tiles/{datasets['globe']['id']}/{make_maps.SURFACE}/0/0/0.png?style={style}")
    assert status == 400 and b"wind" in body


def test_twice_the_pixels_have_lines_twice_as_wide(client, datasets):
    ink = []
    for size, scale in ((256, 1), (512, 2)):
        picture = tile(client, datasets["globe"], make_maps.SURFACE, (2, 1, 1), time="T+7", style="contours;interval=20;ink=000000", size=size, scale=scale)
        ink.append(((255 - picture[..., 0]) * picture[..., 3]).sum() / 255 ** 2)
    assert 3 < ink[1] / ink[0] < 5
