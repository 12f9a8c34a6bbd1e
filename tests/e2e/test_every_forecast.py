# SPDX-License-Identifier: Apache-2.0
"""Every variable that is shown of every real forecast, against a reader that shares no code with virga: values, heights,
positions, times. test_every_forecast_long asks at more places."""
import gzip
import json
import random
import struct
import urllib.parse

import numpy
import pyproj
import pytest

import agree
import conftest
import forecast
from ws_client import Socket

FILES = ("GFS_Puerto_Rico_191km_20090730_0000.nc", "GFS_test.nc", "ecmwf_packed_missing.nc", "gfs.t12z.pgrbf120.2p5deg.grib2", "hybrid_height.nc",
         "ifs_forecast_ml.grib", "mogreps_g_temperature_on_pressure_levels.nc", "mogreps_uk_wet_bulb_temperature.nc",
         "nam.t00z.awp21100.tm00.grib2", "nio-ex5.nc", "vinth2p.nc", "wrf_ci_test_file.nc")
FIELDS = 4  # steps and members among which a variable's places are spread
# Metres between the two computations of a level's height: float32 has a centimetre at 60 km, and sums over 137 levels some more.
HEIGHT_ERROR = 0.05
LOW, LOW_ERROR, HIGH_ERROR = 3000, 5, 20  # metres: the level map's largest error below and above


class Asked:
    """A server with one file, asked over one connection."""

    def __init__(self, server):
        self.socket = Socket(server.host, server.port, 300)
        self.catalog = json.loads(self.get("/api/catalog"))

    def get(self, path, **query):
        status, _, body = self.socket.request(path + ("?" + urllib.parse.urlencode(query) if query else ""))
        assert status == 200, (path, query, status, body[:300])
        return body

    def sample(self, dataset, variable, time, member, **place):
        return json.loads(self.get("/api/sample", dataset=dataset["id"], variable=variable["id"], time=time, member=member, **place))


@pytest.fixture(scope="module")
def places():
    """At how many a variable is asked for."""
    return 40


@pytest.fixture(scope="module", params=FILES)
def asked(request, virga, tmp_path_factory, forecasts):
    path = forecasts / request.param
    with conftest.running(virga, tmp_path_factory.mktemp("every") / "server", path) as server:
        asked_of, file = Asked(server), forecast.load(path)
        file.listed = {v["name"] for d in asked_of.catalog["datasets"] for v in d["variables"]}
        yield path, file, asked_of


def listed(asked):
    """(dataset, variable, the independent field) of all that is shown."""
    for dataset in asked.catalog["datasets"]:
        for variable in dataset["variables"]:
            yield dataset, variable


def chosen_fields(variable, field, dice):
    """Some (step, member) pairs: the first, the last and others."""
    every = [(s, m) for s in range(len(field.times)) for m in range(len(field.members))]
    return every if len(every) <= FIELDS else [every[0], every[-1]] + dice.sample(every[1:-1], FIELDS - 2)


def random_place(volume, dice):
    """(lon, lat, height or None): mostly inside, at all levels, down to the ground."""
    nz, ny, nx = volume.values.shape
    beyond = 0.1 if dice.random() < 0.1 else 0
    i, j = dice.uniform(-beyond, nx - (0 if volume.wraps else 1) + beyond), dice.uniform(-beyond, ny - 1 + beyond)
    i = i % nx if volume.wraps else i
    lon, lat = volume.lonlat(i, j)
    if not -90 <= lat <= 90:
        return random_place(volume, dice)
    if volume.heights is None:
        return round(lon, 9), round(lat, 9), None
    where = volume.locate(lon, lat)
    column = volume.column_heights(*where) if where else volume.heights[:, 0, 0]
    foot = volume.ground_at(*where) if where else column[0]
    k = dice.uniform(-0.5, nz - 0.9)
    height = numpy.interp(k, numpy.arange(nz), column) if k >= 0 else column[0] + k * (column[0] - foot)
    return round(lon, 9), round(lat, 9), round(float(height), 3)


def check_fields(asked, dataset, variable, field, height_error, places):
    dice = random.Random(variable["id"])
    fields = chosen_fields(variable, field, dice)
    compared = 0
    for step, member in fields:
        volume = field.volume(step, member)
        assert variable["shape"][-3:] == list(volume.values.shape)[-len(variable["shape"]):]
        context = dataset, variable, field.times[step], field.members[member]
        check_levels(asked, context, volume, dice, height_error)
        map_error = variable["vertical"]["map_error"] if variable["vertical"] else 0
        for _ in range(-(-places // len(fields))):
            lon, lat, height = random_place(volume, dice)
            answer = asked.sample(*context, lon=lon, lat=lat, **({} if height is None else {"height": height}))
            compared += agree.check(volume, answer, map_error, height_error)
    return compared, volume


def check_levels(asked, context, volume, dice, height_error):
    """Heights of all levels above some places."""
    if volume.heights is None:
        return
    for _ in range(3):
        lon, lat, _ = random_place(volume, dice)
        where = volume.locate(lon, lat)
        if where is not None:
            theirs = asked.sample(*context, lon=lon, lat=lat, profile=1)["height"]
            assert theirs == pytest.approx(list(volume.column_heights(*where)), abs=height_error), (context[1]["name"], lon, lat)


def test_values_heights_and_times(asked, places):
    _, file, server = asked
    assert server.catalog["datasets"], server.catalog["problems"]
    failed = []
    for dataset, variable in listed(server):
        try:
            field = forecast.of_variable(file, variable)
            assert variable["times"] == field.times
            assert [m or "" for m in variable["members"]] == field.members
            assert dataset["runs"][-1]["time"] == field.run
            compared, volume = check_fields(server, dataset, variable, field, HEIGHT_ERROR, places)
            present = numpy.isfinite(volume.values).mean()
            assert compared >= 0.6 * present * places - 8, f"only {compared} places could be compared"
        except (AssertionError, KeyError, ValueError) as error:
            failed.append(f"{dataset['id']} {variable['name']}: {type(error).__name__} {str(error)[:600]}")
    assert not failed, "\n".join([f"{len(failed)} of {sum(1 for _ in listed(server))} variables:", *failed])


def to_lonlat(head, x, y):
    """The page's way from axis coordinates to degrees, by PROJ from its text."""
    if head["proj"].startswith("+proj=longlat"):
        return x, y
    steps = ["+proj=unitconvert +xy_in=deg +xy_out=rad"] if head["angular"] else []
    steps += ["+inv " + head["proj"], "+proj=unitconvert +xy_in=rad +xy_out=deg"]
    return pyproj.Transformer.from_pipeline("+proj=pipeline +step " + " +step ".join(steps)).transform(x, y)


def positions(document, count, dice):
    """((i, j), lon, lat) of grid points, as the page places them: from the geometry document's axes and projection text."""
    document = gzip.decompress(document)
    magic, version, size = struct.unpack_from("<4sII", document)
    assert (magic, version) == (b"VGEO", 2)
    head = json.loads(document[12:12 + size])
    arrays = numpy.frombuffer(document, "<f4", offset=12 + (size + 3) // 4 * 4)

    def array(at):
        return arrays[at["offset"] // 4:at["offset"] // 4 + at["count"]].astype(float)

    def axis(a):
        return array(a["values"]) if "values" in a else a["start"] + a["step"] * numpy.arange(a["n"])
    x, y = axis(head["x"]), axis(head["y"])
    for _ in range(count):
        i, j = dice.randrange(len(x)), dice.randrange(len(y))
        if head["proj"]:
            yield (i, j), *to_lonlat(head, x[i], y[j])
        else:
            at = j * len(x) + i
            yield (i, j), array(head["lon"])[at], array(head["lat"])[at]


def test_positions(asked):
    """North is up and nothing is mirrored: grid points lie where the file says, within 1e-5 degrees and what float32 axes lose."""
    _, file, server = asked
    seen = set()
    for dataset, variable in listed(server):
        if (dataset["id"], tuple(variable["shape"])) in seen:
            continue
        seen.add((dataset["id"], tuple(variable["shape"])))
        dice = random.Random(7)
        volume = forecast.of_variable(file, variable).volume(0, 0)
        ny, nx = volume.values.shape[1:]
        geometry = (dataset["runs"][-1]["series"][variable["id"]]["geometry"] or ["surface"])[0]
        for (i, j), lon, lat in positions(server.get(f"/api/geometry/{dataset['id']}/{geometry}"), 50, dice):
            expected = volume.lonlat(i, j)
            assert lat == pytest.approx(expected[1], abs=1e-5), (variable["name"], i, j)
            assert (lon - expected[0] + 180) % 360 - 180 == pytest.approx(0, abs=1e-5 / max(numpy.cos(numpy.radians(lat)), 1e-5)), (variable["name"], i, j)
        for corner, (i, j) in zip(dataset["grid"]["corners"], ((0, 0), (nx - 1, 0), (nx - 1, ny - 1), (0, ny - 1))):
            lon, lat = volume.lonlat(i, j)
            assert corner[1] == pytest.approx(lat, abs=1e-5) and (corner[0] - lon + 180) % 360 - 180 == pytest.approx(0, abs=1e-5)


def test_nothing_is_left_out_in_silence(asked):
    path, file, server = asked
    shown = {variable["name"] for _, variable in listed(server)}
    refused = {p["variable"]: p["reason"] for p in server.catalog["problems"] if p["file"] == str(path)}
    silent = file.silent(shown | set(refused) - {None})
    assert not silent, f"neither shown nor refused: {silent}"
    assert all(refused.values())


def test_level_maps_are_precise(asked):
    _, _, server = asked
    for _, variable in listed(server):
        vertical = variable["vertical"]
        if vertical:
            low, high = vertical.get("map_error_low", vertical["map_error"]), vertical.get("map_error_high", vertical["map_error"])
            assert low < LOW_ERROR and high < HIGH_ERROR, f"{variable['name']}: {low} m below {LOW} m, {high} m above"
