# SPDX-License-Identifier: Apache-2.0
"""GRIB files, made for the purpose and real ones: what `virga info` lists and `virga sample` gives, against plain functions and
against ecCodes' Python interface."""
import json
import random

import numpy
import pytest

eccodes = pytest.importorskip("eccodes")
import make_grib  # noqa: E402


@pytest.fixture
def info(run):
    def call(path, status=0):
        done = run("info", "--json", path)
        assert done.returncode == status, done.stderr
        return json.loads(done.stdout) if status == 0 else done.stderr
    return call


@pytest.fixture
def source(run, tmp_path):
    """The file's own numbers at places (longitude, latitude), NaN where there is none."""
    def call(path, variable, time, lons, lats, *more):
        places = tmp_path / "places"
        places.write_text("".join(f"{lon:.9f} {lat:.9f} 0\n" for lon, lat in zip(numpy.ravel(lons), numpy.ravel(lats))))
        done = run("sample", path, "--variable", variable, "--time", time, "--places", places, "--json", *more)
        assert done.returncode == 0, done.stderr
        return numpy.array([numpy.nan if a["source"] is None else a["source"] for a in json.loads(done.stdout)])
    return call


def variables(answer):
    return {v["name"]: v for d in answer["datasets"] for v in d["variables"]}


def inside(lon, lat):
    """All columns but those of the rim, where a place may lie outside by rounding."""
    return lon[1:-1, 1:-1], lat[1:-1, 1:-1]


@pytest.mark.parametrize("edition", [1, 2])
def test_every_scanning_mode_puts_numbers_in_their_places(tmp_path, source, info, edition):
    path = tmp_path / "modes.grib"
    x, y, count = make_grib.scanning(path, edition)
    assert list(variables(info(path))) == ["t2m"]
    lon, lat = inside(*numpy.meshgrid(x, y))
    for step in range(count):
        found = source(path, "t2m", f"T+{step}", lon, lat)
        assert numpy.abs(found - make_grib.value(lon, lat, step).ravel()).max() < 0.01, f"mode {step}"


@pytest.mark.parametrize("kind, edition", [(k, e) for e in (1, 2) for k in ("lambert", "polar", "south", "mercator", "ellipsoid", "equal_area")
                                           if (k, e) != ("equal_area", 1)])
def test_projections_are_where_proj_puts_them(tmp_path, source, kind, edition):
    path = tmp_path / f"{kind}.grib"
    lon, lat = inside(*make_grib.projected(path, kind, edition))
    found = source(path, "t2m", "T+0", lon, lat)
    assert numpy.abs(found - make_grib.value(lon, lat).ravel()).max() < 0.01


@pytest.mark.parametrize("edition", [1, 2])
@pytest.mark.parametrize("make", [make_grib.rotated, make_grib.gaussian, lambda p, e: make_grib.gaussian(p, e, 16, True)], ids=["rotated", "gaussian", "rotated gaussian"])
def test_rotated_and_gaussian_grids(tmp_path, source, make, edition):
    path = tmp_path / "grid.grib"
    lon, lat = inside(*make(path, edition))
    found = source(path, "t2m", "T+0", lon, lat)
    assert numpy.abs(found - make_grib.value(lon, lat).ravel()).max() < 0.01


def test_fields_of_one_message_share_its_grid_and_bitmap(tmp_path, source, info):
    path = tmp_path / "several.grib2"
    x, y, missing = make_grib.several_in_one(path)
    assert set(variables(info(path))) >= {"u10", "v10", "t2m"}
    lon, lat = inside(*numpy.meshgrid(x, y))
    for step, name in enumerate(["u10", "v10", "t2m"]):
        found = source(path, name, f"T+{step}", lon, lat)
        gone = missing[1:-1, 1:-1].ravel()
        assert numpy.isnan(found[gone]).all(), name
        assert numpy.abs(found - make_grib.value(lon, lat, step).ravel())[~gone].max() < 0.01, name


def test_editions_headers_and_broken_ends(tmp_path, source, info):
    x, y = make_grib.axes(7, 5)
    messages = [make_grib.lonlat(e, x, y, 0x40, step, shortName="2t").bytes() for step, e in enumerate([1, 2, 2])]
    path = tmp_path / "mixed.grib"
    header = b"\001\r\r\n123\r\r\nHTXB85 ECMF 311200\r\r\n"
    path.write_bytes(header + messages[0] + b"\r\r\n\003" + b"junk GRIB here" + header + messages[1] + messages[2][:-40])
    answer = info(path)
    assert "cut off" in " ".join(p["reason"] for p in answer["problems"])
    lon, lat = inside(*numpy.meshgrid(x, y))
    names = list(variables(answer))
    assert names[0] == "t2m"
    found = [source(path, "t2m" if len(names) == 1 else names[n], f"T+{n}", lon, lat) for n in range(2)]
    for step in range(2):
        assert numpy.abs(found[step] - make_grib.value(lon, lat, step).ravel()).max() < 0.01


def test_runs_members_levels_and_what_is_missing(tmp_path, run, info):
    path = tmp_path / "ensemble.grib2"
    x, y = make_grib.ensemble(path)
    answer = info(path)
    assert [r["time"] for r in answer["datasets"][0]["runs"]] == ["2026-01-31T00:00:00Z", "2026-01-31T06:00:00Z"]
    assert variables(answer)["t"]["members"] == ["0", "1", "2"]
    for number, time, member in [(0, "T+0", 0), (1, "T+6", 1), (1, "T+6", 2)]:
        done = run("sample", path, "--variable", "t", "--time", time, "--run", f"2026-01-31T0{6 * number}:00Z", "--member", str(member),
                   "--lon", x[2], "--lat", y[3], "--profile", "--json")
        assert done.returncode == 0, done.stderr
        step = int(time[2:])
        expected = [make_grib.value(x[2], y[3], 10 * number + member + step, level) for level in (850, 500)]
        found = json.loads(done.stdout)["source"]
        if (number, step, member) == (1, 6, 2):
            assert found[1] is None
            found, expected = found[:1], expected[:1]
        assert numpy.abs(numpy.array(found) - expected).max() < 0.01


@pytest.mark.parametrize("edition", [1, 2])
def test_model_levels_stand_where_their_coefficients_say(tmp_path, run, info, edition):
    path = tmp_path / "hybrid.grib"
    x, y, a, b = make_grib.hybrid(path, edition)
    listed = variables(info(path))
    assert listed["t"]["shape"] == [5, 5, 6] and {"lnsp", "z"} <= set(listed)
    done = run("sample", path, "--variable", "t", "--time", "T+0", "--lon", x[2], "--lat", y[3], "--profile", "--json")
    assert done.returncode == 0, done.stderr
    answer, upward = json.loads(done.stdout), [20, 19, 15, 7, 3]
    assert numpy.abs(numpy.array(answer["source"]) - [make_grib.value(x[2], y[3], 0, n) for n in upward]).max() < 0.01
    # The made column has nearly the same temperature all the way up.
    surface = numpy.exp(numpy.log(100000.0) + 0.001 * (y[3] - 40))
    pressures = [(a[n - 1] + a[n]) / 2 + (b[n - 1] + b[n]) / 2 * surface for n in upward]
    ground = 98.0 * (x[2] - 5) / 9.80665
    for height, pressure in zip(answer["height"], pressures):
        assert height == pytest.approx(ground + 287.05 * make_grib.value(x[2], y[3]) / 9.80665 * numpy.log(surface / pressure), rel=0.01, abs=10)


@pytest.mark.parametrize("step", (0, 3))
def test_layers_stand_midway_between_the_heights_of_half_levels(tmp_path, run, info, step):
    x, y = make_grib.layers_of_height(tmp_path / "a.grib")
    assert variables(info(tmp_path / "a.grib"))["t"]["vertical"]["datum"] == "sea"
    done = run("sample", tmp_path / "a.grib", "--variable", "t", "--time", f"T+{step}", "--lon", x[2], "--lat", y[3], "--profile", "--json")
    assert done.returncode == 0, done.stderr
    answer, upward = json.loads(done.stdout), range(make_grib.LAYERS - 1, -1, -1)
    half = [make_grib.half_level(x[2], y[3], k) for k in range(make_grib.LAYERS + 1)]
    assert answer["height"] == pytest.approx([(half[k] + half[k + 1]) / 2 for k in upward], abs=1)
    assert answer["source"] == pytest.approx([make_grib.value(x[2], y[3], step, 100 * k) for k in upward], abs=1e-3)


# --- real files ----------------------------------------------------------------------------------------------------------

REAL = ["gfs.t12z.pgrbf120.2p5deg.grib2", "nam.t00z.awp21100.tm00.grib2", "ifs_forecast_ml.grib"]
AWKWARD = ["cfgrib/tp_on_different_grid_resolutions.grib", "cfgrib/lambert_grid.grib", "cfgrib/fields_with_missing_values.grib",
           "iris_test_data/40bytes.grib", "gdal_autotest/spatial_differencing_order_1.grb2",
           "gdal_autotest/broken_combined_grib2_grib1.grb2", "gdal_autotest/lambert_azimuthal_equal_area.grb2",
           "odd_model_data/fh.0012_tl.press_gr.awp211.grb2"]


def messages(path):
    """Each field's keys, latitudes, longitudes and values, as ecCodes has them."""
    eccodes.codes_grib_multi_support_on()
    with open(path, "rb") as f:
        while True:
            try:
                handle = eccodes.codes_grib_new_from_file(f)
            except eccodes.CodesInternalError:
                continue
            if handle is None:
                return
            yield handle
            eccodes.codes_release(handle)


def places_of(handle):
    """(longitudes, latitudes, values) of 200 grid points, NaN where missing."""
    eccodes.codes_set(handle, "missingValue", -1e30)
    values = eccodes.codes_get_values(handle)
    lats, lons = eccodes.codes_get_array(handle, "latitudes"), eccodes.codes_get_array(handle, "longitudes")
    chosen = random.Random(7).sample(range(len(values)), min(200, len(values)))
    return lons[chosen], lats[chosen], numpy.where(values == -1e30, numpy.nan, values)[chosen]


def agree(found, expected):
    """Presence may differ by rounding where a hole is next to a place; values may not."""
    spread = numpy.nanmax(expected) - numpy.nanmin(expected) if not numpy.isnan(expected).all() else 0
    both = ~numpy.isnan(found) & ~numpy.isnan(expected)
    assert numpy.count_nonzero(numpy.isnan(expected) & ~numpy.isnan(found)) == 0
    assert both.sum() >= 0.85 * (~numpy.isnan(expected)).sum()  # the rim of a limited area may round outside
    assert not both.any() or numpy.abs(found - expected)[both].max() <= 1e-3 * spread + 1e-6 * numpy.abs(expected[both]).max()


def stamp(date, hour):
    return f"{date // 10000:04}-{date // 100 % 100:02}-{date % 100:02}T{hour // 100:02}:{hour % 100:02}:00Z"


def single_levels(path, datasets):
    """The fields that are 2-D variables here, each found by name, shape and time: (handle, dataset, variable, run, time)."""
    for handle in messages(path):
        names = {eccodes.codes_get(handle, "cfVarName"), eccodes.codes_get(handle, "shortName")}
        keys = ["table2Version", "indicatorOfParameter"] if eccodes.codes_get(handle, "edition") == 1 else ["discipline", "parameterCategory", "parameterNumber"]
        if names == {"unknown"}:
            names = {"param_" + "_".join(str(eccodes.codes_get_long(handle, key)) for key in keys)}
        shape = [eccodes.codes_get(handle, "Nj"), eccodes.codes_get(handle, "Ni")]
        run = stamp(eccodes.codes_get(handle, "dataDate"), eccodes.codes_get(handle, "dataTime"))
        time = stamp(eccodes.codes_get(handle, "validityDate"), eccodes.codes_get(handle, "validityTime"))
        for dataset in datasets:
            for v in dataset["variables"]:
                if v["name"] in names and v["shape"] == shape and run in [r["time"] for r in dataset["runs"]] and time in v["times"]:
                    yield handle, dataset["id"], v["name"], run, time


@pytest.mark.parametrize("file", REAL)
def test_real_single_levels_agree_with_eccodes(forecasts, info, source, file):
    check_single_levels(forecasts / file, info, source, 6)


@pytest.mark.parametrize("file", AWKWARD)
def test_awkward_files_agree_with_eccodes(hostile, info, source, file):
    check_single_levels(hostile / file, info, source, 6)


def check_single_levels(path, info, source, most):
    datasets, done = info(path)["datasets"], set()
    for handle, *where in single_levels(path, datasets):
        dataset, name, run, time = where
        # A plain name may be that of other levels too.
        others = [v for d in datasets if d["id"] == dataset for v in d["variables"] if v["name"].startswith(f"{name}_")]
        if len(done) == most or tuple(where) in done or others:
            continue
        lons, lats, expected = places_of(handle)
        agree(source(path, name, time, lons, lats, "--run", run, "--dataset", dataset), expected)
        done.add(tuple(where))
    assert done


def check_order(path, source, lon, lat, rows):
    """Against the stored numbers, put in rows from north to south here: ecCodes' own places are wrong for this file."""
    handle = next(messages(path))
    values = rows(eccodes.codes_get_values(handle).reshape(lat.size, lon.size))
    x, y = numpy.meshgrid(lon, lat)
    chosen = random.Random(7).sample(range(values.size), 200)
    agree(source(path, "t2m", stamp(eccodes.codes_get(handle, "validityDate"), eccodes.codes_get(handle, "validityTime")), x.ravel()[chosen], y.ravel()[chosen]),
          values.ravel()[chosen])


def test_a_wrong_increment_gives_way_to_first_and_last(hostile, info, source):
    path = hostile / "cfgrib" / "regular_ll_wrong_increment.grib"
    assert "increment" in info(path)["problems"][0]["reason"]
    check_order(path, source, numpy.arange(72) * 5.0, 90 - numpy.arange(37) * 5.0, lambda v: v)


def test_rows_that_go_to_and_fro(hostile, source):
    def turned(values):
        values[1::2] = values[1::2, ::-1].copy()
        return values
    check_order(hostile / "cfgrib" / "alternate-scanning.grib", source, -10 + numpy.arange(291) * 0.1, 51 - numpy.arange(171) * 0.1, turned)


def test_real_pressure_levels_agree_with_eccodes(forecasts, run):
    for file, name in [("gfs.t12z.pgrbf120.2p5deg.grib2", "t"), ("nam.t00z.awp21100.tm00.grib2", "r")]:
        path, levels = forecasts / file, {}
        for handle in messages(path):
            if eccodes.codes_get(handle, "shortName") == name and eccodes.codes_get(handle, "typeOfLevel").startswith("isobaric"):
                lons, lats, expected = places_of(handle)
                levels[eccodes.codes_get(handle, "level")] = expected[:4]
                step = eccodes.codes_get(handle, "step")
        for n in range(4):
            done = run("sample", path, "--variable", name, "--time", f"T+{step}", "--lon", lons[n], "--lat", lats[n], "--profile", "--json")
            assert done.returncode == 0, done.stderr
            found = numpy.array([numpy.nan if v is None else v for v in json.loads(done.stdout)["source"]])
            expected = numpy.array([levels[level][n] for level in sorted(levels, reverse=True)])
            assert numpy.abs(found - expected).max() < 1e-3


REFUSED = {"cfgrib/spherical_harmonics.grib": "spherical harmonics", "gdal_autotest/template_4_65535.grb2": "product definition",
           "gdal_autotest/byte_wrong_earth_shape.grib2": "shape of the earth"}


@pytest.mark.parametrize("file", REFUSED)
def test_what_cannot_be_placed_is_refused_with_the_reason(hostile, info, file):
    assert REFUSED[file] in info(hostile / file, status=1)


def test_pp_files_need_the_engine(forecasts, run):
    done = run("info", "--engine-python", "/nowhere/python3", forecasts / "uk_hires.pp")
    assert done.returncode == 1 and "the engine is not installed" in done.stderr and "server/engine" in done.stderr
