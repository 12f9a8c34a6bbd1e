# SPDX-License-Identifier: Apache-2.0
"""GDAL reads virga's maps as rasters: its WMS driver in both versions, layers that it finds in the capabilities, and tiles by their
numbers; what it reads is what an independent reprojection says."""
import urllib.parse

import numpy
import pytest

from map_clients import FRAMES, TIMES, maps  # noqa: F401 - a fixture
from map_reference import Frame

gdal = pytest.importorskip("osgeo.gdal", reason="python3-gdal is not installed")
gdal.UseExceptions()
gdal.SetConfigOption("GDAL_HTTP_TIMEOUT", "120")

WMS = """<GDAL_WMS><Service name="WMS"><Version>{version}</Version><ServerUrl>{url}</ServerUrl><{key}>{crs}</{key}><ImageFormat>image/png</ImageFormat>
<Layers>{layer}</Layers><Styles></Styles><Transparent>TRUE</Transparent><BBoxOrder>{order}</BBoxOrder></Service>
<DataWindow><UpperLeftX>{left}</UpperLeftX><UpperLeftY>{top}</UpperLeftY><LowerRightX>{right}</LowerRightX><LowerRightY>{bottom}</LowerRightY>
<SizeX>{width}</SizeX><SizeY>{height}</SizeY></DataWindow><Projection>{projection}</Projection><BandsCount>4</BandsCount>
<BlockSizeX>{block}</BlockSizeX><BlockSizeY>{block}</BlockSizeY></GDAL_WMS>"""

TILES = """<GDAL_WMS><Service name="TMS"><ServerUrl>{url}</ServerUrl></Service><DataWindow><UpperLeftX>{left}</UpperLeftX><UpperLeftY>{top}</UpperLeftY>
<LowerRightX>{right}</LowerRightX><LowerRightY>{bottom}</LowerRightY><TileLevel>{level}</TileLevel><TileCountX>{across}</TileCountX>
<TileCountY>1</TileCountY><YOrigin>top</YOrigin></DataWindow><Projection>{projection}</Projection><BlockSizeX>{size}</BlockSizeX>
<BlockSizeY>{size}</BlockSizeY><BandsCount>4</BandsCount><ZeroBlockHttpCodes>204,404</ZeroBlockHttpCodes></GDAL_WMS>"""

HALF = 20037508.342789244


def pixels(dataset, window=None):
    """RGBA of a window (column, row, width, height), or of all."""
    return numpy.moveaxis(dataset.ReadAsArray(*(window or ())), 0, 2)


def as_wms(maps, name, frame, version, block=1024, more=""):
    left, bottom, right, top = frame.box
    north_first = version == "1.3.0" and frame.crs == "EPSG:4326"
    return gdal.Open(WMS.format(version=version, url=f"{maps.url}wms?{more}",
                                key="CRS" if version == "1.3.0" else "SRS", crs=frame.crs, left=left, top=top,
                                right=right, bottom=bottom, width=frame.width, height=frame.height,
                                projection=frame.crs.replace("CRS:84", "EPSG:4326"),
                                layer=maps.layer(name), block=block, order="yxYX" if north_first else "xyXY"))


@pytest.mark.parametrize("version", ["1.3.0", "1.1.1"])
@pytest.mark.parametrize("name", FRAMES)
def test_a_map_by_wms(maps, name, version):
    frame = FRAMES[name]
    maps.check(pixels(as_wms(maps, name, frame, version, more=f"TIME={TIMES[1]}&amp;")), name, frame, step=1)


def test_a_map_of_many_blocks_has_no_seams(maps):
    frame = FRAMES["globe"]
    maps.check(pixels(as_wms(maps, "globe", frame, "1.3.0", block=96)), "globe", frame)


def test_longitude_first_by_crs_84(maps):
    frame = Frame("CRS:84", (-30, -60, 60, 0), 360, 240)
    maps.check(pixels(as_wms(maps, "globe", frame, "1.3.0")), "globe", frame)


@pytest.mark.parametrize("version", ["1.3.0", "1.1.1"])
def test_layers_are_found_in_the_capabilities_and_opened_as_they_are(maps, version):
    top = gdal.Open(f"WMS:{maps.url}wms?SERVICE=WMS&VERSION={version}&REQUEST=GetCapabilities")
    (address,) = [address for address,
                  _ in top.GetSubDatasets() if f"LAYERS={maps.layer('rotated')}&" in urllib.parse.unquote(address) + "&"]
    layer = gdal.Open(address)
    assert layer.RasterCount in (3, 4)
    # Some of it: it opens the map at a size without end, and takes the next finer of its halvings.
    small = gdal.Translate("", layer, format="MEM", width=300, height=200, projWin=[-4, 57, 6, 53],
                           projWinSRS="EPSG:4326")
    left, across, _, top, _, down = small.GetGeoTransform()
    frame = Frame("EPSG:4326", (left, top + 200 * down, left + 300 * across, top), 300, 200)
    maps.check(pixels(small), "rotated", frame, slack=1.5, share=0.02, opaque=small.RasterCount == 3,
               rounding=14)  # JPEG


@pytest.mark.parametrize("size", [256, 512])
def test_tiles_of_the_web_mercator_quad(maps, size):
    url = maps.tiles("globe", "${z}/${x}/${y}.png", time=TIMES[2], size=size).replace("%24", "$").replace("&", "&amp;")
    dataset = gdal.Open(TILES.format(url=url, left=-HALF, top=HALF, right=HALF, bottom=-HALF, level=3, across=1,
                                     projection="EPSG:3857", size=size))
    side = 8 * size
    assert (dataset.RasterXSize, dataset.RasterYSize) == (side, side)
    width, row, column = 3 * size // 2, 2 * size + 7, 3 * size - 31  # cuts through tiles
    cell = 2 * HALF / side
    box = (-HALF + column * cell, HALF - (row + width) * cell, -HALF + (column + width) * cell, HALF - row * cell)
    maps.check(pixels(dataset, (column, row, width, width)), "globe", Frame("EPSG:3857", box, width, width), step=2)


def test_tiles_of_the_quad_of_degrees(maps):
    url = maps.tiles("date_line", "${z}/${x}/${y}.png", tms="WorldCRS84Quad").replace("&", "&amp;")
    dataset = gdal.Open(TILES.format(url=url, left=-180, top=90, right=180, bottom=-90, level=2, across=2,
                                     projection="EPSG:4326", size=256))
    assert (dataset.RasterXSize, dataset.RasterYSize) == (2048, 1024)
    cell = 180 / 1024
    for column in (1900, 0):  # on either side of the date line
        window, box = (column, 600, 148, 200), (-180 + column * cell, 90 - 800 * cell, -180 + (column + 148) * cell,
                                                90 - 600 * cell)
        maps.check(pixels(dataset, window), "date_line", Frame("EPSG:4326", box, 148, 200))
