# SPDX-License-Identifier: Apache-2.0
"""Values as the attributes of odd files say, held against netCDF4-python's own unpacking and masking."""
import json

import netCDF4
import numpy
import pytest

import make_files

NX, NY = 7, 5
LONS, LATS = -10 + 0.5 * numpy.arange(NX), 60 - 0.5 * numpy.arange(NY)


def stored(kind, seed=1):
    rng = numpy.random.default_rng(seed)
    if numpy.dtype(kind).kind == "f":
        return rng.normal(0, 100, (NY, NX)).astype(kind)
    info = numpy.iinfo(kind)
    return rng.integers(max(info.min, -30000), min(info.max, 30000), (NY, NX), endpoint=True).astype(kind)


# name: (type, options, attributes set before data, what stands at some places)
KINDS = {
    "scale_only": ("i2", {}, {"scale_factor": numpy.float32(0.01)}, {}),
    "offset_only": ("i2", {}, {"add_offset": 273.15}, {}),
    "both_and_fill": ("i2", {"fill_value": -32768}, {"scale_factor": 0.01, "add_offset": -5.0}, {0: -32768, 9: -32768}),
    "unsigned_byte": ("i1", {"fill_value": -1}, {"_Unsigned": "true"}, {0: -1, 1: -2, 2: -128}),
    "unsigned_short": ("i2", {"fill_value": -1}, {"_Unsigned": "true", "scale_factor": 0.5}, {0: -1, 1: -2, 2: -32768}),
    "u1": ("u1", {"fill_value": 255}, {}, {0: 255, 1: 254}),
    "u2": ("u2", {"fill_value": 65535}, {}, {0: 65535, 1: 65534}),
    "u4": ("u4", {}, {}, {}),
    "i8": ("i8", {"fill_value": -999}, {}, {0: -999, 1: 2**40}),
    "u8": ("u8", {"fill_value": 0}, {}, {0: 0, 1: 10000000001}),
    "big_endian": ("f4", {"endian": "big"}, {}, {}),
    "big_endian_short": ("i2", {"endian": "big", "fill_value": -999}, {"scale_factor": 0.1}, {3: -999}),
    "missing_vector": ("i2", {}, {"missing_value": numpy.array([-1, -2, -3, -4, -5, -6], "i2")}, {n: -1 - n for n in range(6)}),
    "fill_and_missing": ("i4", {"fill_value": 1}, {"missing_value": numpy.int32(2)}, {0: 1, 1: 2, 2: 3}),
    "double_missing_in_float": ("f4", {}, {"missing_value": -9999.9}, {0: -9999.9, 5: -9999.8}),
    "nan_and_infinity": ("f4", {}, {}, {0: numpy.nan}),
    "denormal": ("f8", {}, {}, {0: 5e-324, 1: -5e-324}),
    "never_written": ("f4", {}, {}, {0: netCDF4.default_fillvals["f4"]}),
}


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    """The file, and each variable's values by netCDF4-python, NaN where it masks them."""
    path = tmp_path_factory.mktemp("odd") / "odd.nc"
    with netCDF4.Dataset(path, "w") as file:
        names = make_files.plain_axes(file, NX, NY)
        for name, (kind, options, attributes, special) in KINDS.items():
            v = file.createVariable(name, kind, names, **options)
            v.setncatts(attributes)
            v.set_auto_maskandscale(False)
            values = stored(kind)
            for at, number in special.items():
                values.flat[at] = number
            v[:] = values
    with netCDF4.Dataset(path) as file:
        expected = {name: numpy.ma.filled(file[name][:].astype("f8"), numpy.nan) for name in KINDS}
    expected["double_missing_in_float"].flat[0] = numpy.nan  # -9999.9 in float32 is what is stored for it; netCDF4-python compares in float64
    return path, expected


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", KINDS)
def test_values_are_those_of_netcdf4_python(run, tmp_path, odd, name):
    path, expected = odd
    (tmp_path / "places").write_text("".join(f"{lon} {lat}\n" for lat in LATS for lon in LONS))
    done = run("sample", path, "--variable", name, "--time", "T+0", "--places", tmp_path / "places", "--json")
    assert done.returncode == 0, done.stderr
    for answer, value in zip(json.loads(done.stdout), expected[name].flat):
        if numpy.isfinite(value):
            rounding = 1e-6 if any(isinstance(a, numpy.float32) for a in KINDS[name][2].values()) else 1e-12  # it computes in float32 then
            assert answer["source"] == pytest.approx(value, rel=rounding)
            assert abs(answer["bricks"] - value) <= answer["epsilon"] + rounding * abs(value)
        else:
            assert answer["source"] is None and answer["bricks"] is None


def test_codes_of_an_enumeration_are_numbers_and_said_to_be_codes(run, tmp_path):
    path = tmp_path / "enum.nc"
    with netCDF4.Dataset(path, "w") as file:
        names = make_files.plain_axes(file, NX, NY)
        clouds = file.createEnumType(numpy.uint8, "cloud_t", {"clear": 0, "stratus": 1, "cumulus": 2, "unknown": 255})
        v = file.createVariable("cloud_kind", clouds, names, fill_value=255)
        values = (numpy.arange(NX * NY) % 3).reshape(NY, NX).astype("u1")
        values[0, 0] = 255
        v[:] = values
    answer = json.loads(run("info", "--json", path).stdout)
    offered = answer["datasets"][0]["variables"][0]
    assert not answer["problems"]
    assert offered["name"] == "cloud_kind" and "codes" in offered["note"] and offered["epsilon"] == 0.5
    for j, i in ((0, 0), (0, 1), (4, 6), (2, 3)):
        done = run("sample", path, "--variable", "cloud_kind", "--time", "T+0", "--lon", LONS[i], "--lat", LATS[j], "--json")
        assert json.loads(done.stdout)["source"] == (None if values[j, i] == 255 else values[j, i])


def test_what_holds_no_numbers_is_named_or_no_data_at_all(run, tmp_path):
    path = tmp_path / "types.nc"
    with netCDF4.Dataset(path, "w") as file:
        names = make_files.plain_axes(file, NX, NY)
        file.createVariable("good", "f4", names)[:] = 1
        complex_type = file.createCompoundType(numpy.dtype([("real", "f4"), ("imaginary", "f4")]), "complex")
        file.createVariable("waves", complex_type, names)
        file.createVariable("words", str, names)
        file.createDimension("letters", 4)
        file.createVariable("station", "S1", ("latitude", "letters"))
        file.createVariable("height", "f4", ())
        file.createVariable("profile", "f4", ("latitude",))
    answer = json.loads(run("info", "--json", path).stdout)
    assert [v["name"] for v in answer["datasets"][0]["variables"]] == ["good"]
    assert len(answer["problems"]) == 1
    assert "waves" in json.dumps(answer["problems"][0]) and "compound" in answer["problems"][0]["reason"]


def test_variables_of_groups_use_the_dimensions_of_groups_above(run, tmp_path):
    path = tmp_path / "groups.nc"
    rng = numpy.random.default_rng(3)
    values = rng.normal(280, 5, (2, NY, NX)).astype("f4")
    with netCDF4.Dataset(path, "w") as file:
        names = make_files.plain_axes(file, NX, NY)
        make_files.times(file, 2)
        inner = file.createGroup("forecast").createGroup("surface")
        v = inner.createVariable("tas", "f4", ("time", *names))
        v.standard_name, v.units, v.coordinates = "air_temperature", "K", "forecast_reference_time"
        v[:] = values
        other = file.createGroup("other")  # its own dimension of a name that is taken above
        other.createDimension("longitude", 2)
        other.createVariable("lost", "f4", ("latitude", "longitude"))
    answer = json.loads(run("info", "--json", path).stdout)
    (variable,) = answer["datasets"][0]["variables"]
    assert variable["name"] == "forecast/surface/tas" and len(variable["times"]) == 2
    done = run("sample", path, "--variable", variable["id"], "--time", variable["times"][1], "--lon", LONS[3], "--lat", LATS[2], "--json")
    assert json.loads(done.stdout)["source"] == pytest.approx(float(values[1, 2, 3]), abs=1e-6)
    assert [p["variable"] for p in answer["problems"]] == ["other/lost"]


def test_each_point_of_a_dimension_without_a_role_is_a_variable(run, tmp_path):
    path = tmp_path / "slices.nc"
    rng = numpy.random.default_rng(4)
    soil, bands, sea = rng.normal(280, 5, (4, NY, NX)), rng.normal(5, 1, (NY, NX, 3)), rng.normal(15, 1, (2, NY, NX))
    with netCDF4.Dataset(path, "w") as file:
        y, x = make_files.plain_axes(file, NX, NY)
        file.createDimension("soil_layer", 4)
        c = file.createVariable("soil_layer", "f4", ("soil_layer",))
        c.units, c.long_name = "cm", "thickness"
        c[:] = [3.5, 17.5, 64, 195]
        file.createDimension("band", 3)
        make_files.axis(file, "depth", [0.5, 10], "depth", "m", positive="down")
        file.createDimension("many", 101)
        file.createDimension("two", 2)
        for name, names, values in (("tsoil", ("soil_layer", y, x), soil), ("radiance", (y, x, "band"), bands), ("thetao", ("depth", y, x), sea)):
            v = file.createVariable(name, "f8", names)
            v.long_name = f"the {name}"
            v[:] = values
        file.createVariable("too_many", "f4", ("many", y, x))
        file.createVariable("twice", "f4", ("two", "band", y, x))
    answer = json.loads(run("info", "--json", path).stdout)
    offered = {v["name"]: v for v in answer["datasets"][0]["variables"]}
    expected = {f"tsoil_soil_layer_{label}": soil[n] for n, label in enumerate(("3.5", "17.5", "64", "195"))}
    expected |= {f"radiance_band_{n + 1}": bands[:, :, n] for n in range(3)}
    expected |= {f"thetao_depth_{label}": sea[n] for n, label in enumerate(("0.5", "10"))}
    assert set(offered) == set(expected)
    assert offered["tsoil_soil_layer_17.5"]["long_name"] == "the tsoil, soil_layer 17.5 cm"
    assert offered["radiance_band_2"]["long_name"] == "the radiance, band 2 of 3"
    for name, values in expected.items():
        done = run("sample", path, "--variable", name, "--time", "T+0", "--lon", LONS[4], "--lat", LATS[1], "--json")
        got = json.loads(done.stdout)
        assert got["source"] == pytest.approx(values[1, 4], rel=1e-12) and abs(got["bricks"] - values[1, 4]) <= got["epsilon"]
    reasons = {p["variable"]: p["reason"] for p in answer["problems"]}
    assert set(reasons) == {"too_many", "twice"} and "many of length 101" in reasons["too_many"] and "no coordinate that says what it is" in reasons["twice"]


def test_packed_values_of_a_real_forecast(run, tmp_path, forecasts):
    path = forecasts / "ecmwf_packed_missing.nc"
    with netCDF4.Dataset(path) as file:
        name = next(v for v in file.variables if file[v].ndim >= 3)
        values = numpy.ma.filled(file[name][:].astype("f8"), numpy.nan).squeeze()
        lats, lons = (next(file[v][:] for v in file.variables if file[v].ndim == 1 and getattr(file[v], "units", "").startswith(f"degrees_{way}"))
                      for way in ("north", "east"))
    variable = next(v for v in json.loads(run("info", "--json", path).stdout)["datasets"][0]["variables"] if v["name"] == name)
    rng = numpy.random.default_rng(2)
    missing = 0
    for j, i in zip(rng.integers(0, len(lats), 12), rng.integers(0, len(lons), 12)):
        done = run("sample", path, "--variable", variable["id"], "--time", variable["times"][0], "--lon", float(lons[i]), "--lat", float(lats[j]), "--profile", "--json")
        answer = json.loads(done.stdout)
        for k, (bricks, source) in enumerate(zip(answer["bricks"], answer["source"])):
            value = values[k, j, i]  # 1000, 850, 500 hPa: upward already
            missing += bool(numpy.isnan(value))
            assert (source is None) == bool(numpy.isnan(value)) == (bricks is None)
            assert source is None or (source == pytest.approx(value, rel=1e-12) and abs(bricks - value) <= answer["epsilon"])
    assert missing > 0
