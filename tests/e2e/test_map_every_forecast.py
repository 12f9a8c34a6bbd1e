# SPDX-License-Identifier: Apache-2.0
"""Maps of every real forecast, held against an independent reading and reprojection of the file: one of some thirty columns in the middle and one
over a corner, in degrees and in Web Mercator, at the model's own levels. Of some variables here, of all in test_map_every_forecast_long."""
import urllib.parse
import urllib.request

import numpy
import pyproj
import pytest

import conftest
import forecast
import map_reference
import png
from map_clients import Maps
from map_reference import Colours, Frame

FILES = ("GFS_Puerto_Rico_191km_20090730_0000.nc", "GFS_test.nc", "ecmwf_packed_missing.nc",
         "gfs.t12z.pgrbf120.2p5deg.grib2", "hybrid_height.nc",
         "ifs_forecast_ml.grib", "mogreps_g_temperature_on_pressure_levels.nc", "mogreps_uk_wet_bulb_temperature.nc",
         "nam.t00z.awp21100.tm00.grib2", "nio-ex5.nc", "vinth2p.nc", "wrf_ci_test_file.nc")
WIDTH, HEIGHT = 60, 40  # pixels
CELL = 0.02             # of a pixel, besides half a one: axes stored as float32 are taken as evenly spaced within 1e-3 of a cell
MERCATOR = pyproj.Transformer.from_crs("OGC:CRS84", "EPSG:3857", always_xy=True)


@pytest.fixture(scope="module")
def most():
    """How many variables of a file."""
    return 8


@pytest.fixture(scope="module", params=FILES)
def served(request, tmp_path_factory, forecasts):
    path = forecasts / request.param
    with conftest.running(conftest.built("virga", "VIRGA"), tmp_path_factory.mktemp("every") / "server",
                          path) as server:
        maps, file = Maps(server.url, {}), forecast.load(path)
        file.listed = {v["name"] for d in maps.catalog["datasets"] for v in d["variables"]}
        yield maps, file


def frames(volume):
    """Over the middle and over a corner, two pixels a column or so."""
    ny, nx = volume.values.shape[1:]
    for i, j, crs in (((nx - 1) / 2, (ny - 1) / 2, "CRS:84"), (nx - 1, ny - 1, "EPSG:3857")):
        half = min(nx / 3, 15), min(ny / 3, 10)
        corners = [volume.lonlat(min(max(i + a * half[0], 0), nx - 1),
                                 min(max(j + b * half[1], 0), ny - 1)) for a in (-1, 0, 1) for b in (-1, 0, 1)]
        lon, lat = numpy.array(corners).T
        lon = lon[0] + (lon - lon[0] + 180) % 360 - 180
        size = max(lon.max() - lon.min(), 1e-3), max(lat.max() - lat.min(), 1e-3)
        limit = 90 if crs == "CRS:84" else 84
        box = lon.min() - 0.1 * size[0], max(lat.min() - 0.1 * size[1],
                                             -limit), lon.max() + 0.1 * size[0], min(lat.max() + 0.1 * size[1], limit)
        if box[1] < box[3]:
            yield Frame(crs, box if crs == "CRS:84" else [*MERCATOR.transform(*box[:2]), *MERCATOR.transform(*box[2:])],
                        WIDTH, HEIGHT)


def vectorised(to_xy):
    """place.py's projections take one place at a time."""
    if to_xy is None:
        return None
    one = numpy.vectorize(lambda lon, lat: to_xy(lon, lat) if numpy.isfinite(lon) else (numpy.nan, numpy.nan))
    return lambda lon, lat: one(lon, lat)


def check_variable(maps, dataset, variable, field):
    step, member = len(field.times) - 1, len(field.members) - 1
    volume = field.volume(step, member)
    level = volume.values.shape[0] // 2
    epsilon = variable["lattice"]["epsilon"]
    values = volume.values[level]
    low, high = float(numpy.nanmin(values)), float(numpy.nanmax(values))
    low, high = low - 2 * epsilon, max(high, low + 100 * epsilon) + 2 * epsilon
    flat = map_reference.Field(values, volume.x, volume.y, vectorised(volume.to_xy), error=epsilon)
    flat.wraps = volume.wraps
    colours, compared = Colours("thermal", low, high), 0
    for frame in frames(volume):
        query = {"SERVICE": "WMS", "VERSION": "1.3.0", "REQUEST": "GetMap",
                 "LAYERS": f"{dataset['id']}/{variable['id']}", "STYLES": "fill/thermal", "CRS": frame.crs,
                 "BBOX": ",".join(f"{x:.12g}" for x in frame.box), "WIDTH": WIDTH, "HEIGHT": HEIGHT,
                 "FORMAT": "image/png", "TRANSPARENT": "TRUE",
                 "TIME": field.times[step] if variable.get("times") else "", "COLORSCALERANGE": f"{low!r},{high!r}"}
        if field.members[member]:
            query["DIM_MEMBER"] = field.members[member]
        if variable["vertical"]:
            query.update(LAYERS=query["LAYERS"] + "/model-level", ELEVATION=level)
        with urllib.request.urlopen(f"{maps.url}wms?{urllib.parse.urlencode(query)}", timeout=120) as reply:
            body = reply.read()
        assert body[:4] == b"\x89PNG", body[-600:]
        pixels = png.Image(body).pixels
        bounds = flat.bounds(frame, 0.5 + CELL, 3)
        map_reference.check(pixels, bounds, colours, share=0.003, steps=1.05)
        compared += (~numpy.isnan(bounds.low)).sum()
    return compared


def test_every_variable(served, most):
    maps, file = served
    failed, total = [], 0
    shown = [(d, v) for d in maps.catalog["datasets"] for v in d["variables"] if v["standard_name"] != "wind_from_direction"]  # which goes round
    for dataset, variable in shown[::-(-len(shown) // most)]:
        try:
            total += check_variable(maps, dataset, variable, forecast.of_variable(file, variable))
        except (AssertionError, KeyError, ValueError) as error:
            failed.append(f"{dataset['id']} {variable['name']}: {type(error).__name__} {str(error)[:500]}")
    assert not failed and total, "\n".join([f"{len(failed)} variables:", *failed])
