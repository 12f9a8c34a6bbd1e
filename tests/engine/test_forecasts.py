# SPDX-License-Identifier: Apache-2.0
"""Every forecast at hand, by way of netCDF-C and ecCodes in C, and of xarray, cfgrib, Iris and Zarr in the engine: the same numbers, bit for bit,
and the same picture within one step of the lattice."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from child import Child, Reader

ROOT = Path(__file__).resolve().parents[2]
FORECASTS = ROOT.parent / "shared" / "forecasts"
NETCDF = sorted(FORECASTS.glob("*.nc"))
GRIB = sorted([*FORECASTS.glob("*.grib"), *FORECASTS.glob("*.grib2")])
PP = FORECASTS / "uk_hires.pp"
PROGRAM = os.environ.get("VIRGA_RELEASE") or str(ROOT / "build" / "release" / "virga")
READER = str(Path(PROGRAM).with_name("virga-reader"))
pytestmark = [pytest.mark.skipif(not FORECASTS.is_dir(), reason="there are no forecasts beside the checkout"),
              pytest.mark.skipif(not os.access(READER, os.X_OK), reason="the program is not built")]


@pytest.fixture(scope="module")
def engine():
    with Child() as child:
        yield child


def name_of(path: Path) -> str:
    return path.name


def same(one, other, inventory, twin, name, twin_name=None) -> None:
    assert one.read(inventory, name).tobytes() == other.read(twin, twin_name or name).tobytes(), name


@pytest.mark.parametrize("path", NETCDF, ids=name_of)
def test_netcdf_by_xarray_is_netcdf_c(engine, path):
    with Reader(READER) as reader:
        stored, seen = reader.open_file(str(path)), engine.open(f"xarray:{path}")
        assert list(stored.variables) and stored.variables.keys() == seen.variables.keys()
        for name, variable in stored.variables.items():
            twin = seen.variables[name]
            assert (twin.type, twin.shape, twin.chunked, twin.dimensions) == (variable.type, variable.shape, variable.chunked, variable.dimensions), name
            assert twin.fill == variable.fill and twin.attributes.keys() == variable.attributes.keys(), name
            for key, value in variable.attributes.items():
                assert np.asarray(twin.attributes[key]).tobytes() == np.asarray(value).tobytes(), (name, key)
            if variable.type > 10:
                continue
            same(reader, engine, stored, seen, name)
            if variable.type < 10 and variable.shape:
                asked = {"reduction": 2, "block": tuple(min(5, n) for n in variable.shape), "missing": (-32767.0,), "scale": 0.5, "offset": 3.0}
                expected, means = reader.read(stored, name, **asked), engine.read(seen, name, **asked)
                assert np.allclose(means[0], expected[0], rtol=1e-13, atol=0, equal_nan=True), name
                assert means[1:].tobytes() == expected[1:].tobytes(), name
                stride = {"reduction": 1, "block": asked["block"]}
                assert engine.read(seen, name, **stride).tobytes() == reader.read(stored, name, **stride).tobytes(), name


def write_zarr(path: Path, store: Path, version: int) -> None:
    with xr.open_dataset(path, decode_cf=False, mask_and_scale=False) as raw:
        for variable in raw.variables.values():
            variable.encoding = {}
        raw.to_zarr(store, zarr_format=version, consolidated=False)


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("path", NETCDF, ids=name_of)
def test_zarr_is_netcdf_c(engine, tmp_path, path, version):
    write_zarr(path, tmp_path / "a.zarr", version)
    with Reader(READER) as reader:
        stored, seen = reader.open_file(str(path)), engine.open(f"zarr:{tmp_path}/a.zarr")
        numbers = [name for name, variable in stored.variables.items() if variable.type < 10]
        assert numbers
        for name in numbers:
            same(reader, engine, stored, seen, name)


def fields_of(path: Path):
    """Every message of a GRIB file by ecCodes itself: what identifies it, and its values in the order of the file."""
    eccodes = pytest.importorskip("eccodes")
    with open(path, "rb") as file:
        while (message := eccodes.codes_grib_new_from_file(file)) is not None:
            eccodes.codes_set(message, "missingValue", 1e36)
            values = eccodes.codes_get_values(message)
            values[values == 1e36] = np.nan
            yield eccodes.codes_get(message, "paramId"), eccodes.codes_get(message, "typeOfLevel"), eccodes.codes_get(message, "level"), values
            eccodes.codes_release(message)


@pytest.mark.parametrize("path", GRIB, ids=name_of)
def test_grib_by_cfgrib_is_eccodes(engine, path):
    """Each message's values stand in one variable of the engine, unchanged."""
    seen = engine.open(f"grib:{path}")
    planes = {}
    for name, variable in seen.variables.items():
        if "GRIB_paramId" not in variable.attributes:
            continue
        numbers = engine.read(seen, name).reshape(-1, *variable.shape[-2:])
        key = int(variable.attributes["GRIB_paramId"][0]), variable.attributes["GRIB_typeOfLevel"]
        planes.setdefault(key, set()).update(np.ascontiguousarray(plane).tobytes() for plane in numbers)
    messages = 0
    for number, level_type, level, values in fields_of(path):
        assert values.astype("f4").tobytes() in planes[number, level_type] or values.tobytes() in planes[number, level_type], (number, level_type, level)
        messages += 1
    assert messages > 10


@pytest.mark.parametrize("path", GRIB, ids=name_of)
def test_grib_by_cfgrib_is_the_c_reader(engine, path):
    """Variables that both name alike hold the same numbers at the same places, whichever way their axes run."""
    with Reader(READER) as reader:
        stored, seen = reader.open_file(str(path)), engine.open(f"grib:{path}")
        compared = 0
        for name in ("t", "u", "v", "q", "gh", "r", "lnsp", "z", "prmsl", "orog"):
            if name not in stored.variables or name not in seen.variables:
                continue
            one, other = reader.read(stored, name), engine.read(seen, name)
            one, other = one.reshape(-1, *one.shape[-2:]), other.reshape(-1, *other.shape[-2:])
            if one.shape != other.shape:
                continue  # another choice of what belongs together
            ways = [other[k, j, i] for k in (slice(None), slice(None, None, -1)) for j in (slice(None), slice(None, None, -1)) for i in (slice(None),)]
            assert any(np.ascontiguousarray(way).tobytes() == one.tobytes() for way in ways), name
            compared += 1
        assert compared >= 4


def test_pp_by_iris(engine):
    import iris
    seen = engine.open(f"iris:{PP}")
    theta, orography = iris.load(str(PP))
    assert engine.read(seen, "air_potential_temperature").tobytes() == theta.data.tobytes()
    assert engine.read(seen, "surface_altitude").tobytes() == orography.data.tobytes()
    assert seen.variables["air_potential_temperature"].attributes["um_stash_source"] == "m01s00i004"
    assert seen.variables["level_height"].attributes["formula_terms"] == "a: level_height b: sigma orog: surface_altitude"
    assert seen.variables["air_potential_temperature"].chunks == (1, 1, 204, 187)


@pytest.mark.parametrize("address", ["grib:file://{}/ifs_forecast_ml.grib", "iris:file://{}/uk_hires.pp"])
def test_a_url_is_fetched_whole(engine, address):
    """By a scheme that is allowed: cfgrib and Iris read files of this machine only."""
    place = address.format(FORECASTS)
    with Child("--schemes", "file") as other:
        seen, fetched = engine.open(place.replace("file://", "")), other.open(place)
        for name in ("t", "lnsp") if "grib" in address else ("air_potential_temperature", "level_height"):
            assert other.read(fetched, name).tobytes() == engine.read(seen, name).tobytes()


def virga(*arguments: str, given: str = "") -> object:
    done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=400, input=given)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def agree(one: str, other: str, variable: str, time: str, places: list[str]) -> None:
    """What two addresses store at places is the same, and what is shown of it is within one step of the lattice."""
    asked = ["sample", "--json", "--variable", variable, "--time", time, "--places", "-"]
    found, expected = (virga(*asked, path, given="\n".join(places) + "\n") for path in (one, other))
    assert len(found) == len(expected) == len(places) and any(sample["source"] is not None for sample in expected)
    for first, second in zip(found, expected):
        assert (first["source"] is None) == (second["source"] is None) and first["epsilon"] == second["epsilon"], (first, second)
        if first["source"] is not None:
            assert first["source"] == pytest.approx(second["source"], rel=1e-6), (first, second)
            assert abs(first["bricks"] - second["bricks"]) <= 2 * first["epsilon"], (first, second)


def test_pp_is_shown_with_its_orography(tmp_path):
    import iris
    with iris.FUTURE.context(save_split_attrs=True):
        iris.save(iris.load(str(PP)), str(tmp_path / "a.nc"))
    found, expected = (virga("info", "--json", str(path))["datasets"][0] for path in (PP, tmp_path / "a.nc"))
    assert found["terrain"] == "surface_altitude" and found["grid"] == expected["grid"]
    vertical = {variable["name"]: variable for variable in found["variables"]}["air_potential_temperature"]["vertical"]
    assert vertical["kind"] == "hybrid_height" and vertical["levels"] == 7 and vertical["datum"] == "sea"
    agree(str(PP), str(tmp_path / "a.nc"), "air_potential_temperature", "2009-11-19T11:00:00Z", ["-4.5 54.0 300", "-4.5 54.0 900", "-3.2 54.5 1500"])


@pytest.mark.parametrize("kind", ["xarray", "zarr2", "zarr3"])
def test_what_is_shown_is_the_same(tmp_path, kind):
    path = FORECASTS / "hybrid_height.nc"
    address = f"xarray:{path}"
    if kind != "xarray":
        write_zarr(path, tmp_path / "a.zarr", int(kind[-1]))
        address = f"zarr:{tmp_path}/a.zarr"
    agree(address, str(path), "air_potential_temperature", "2009-09-09T17:10:00Z", ["-3.1 52.42 500", "-3.1 52.42 900", "-3.15 52.4 700"])


@pytest.mark.parametrize("path, time, places", [
    ("ifs_forecast_ml.grib", "2018-11-15T12:00:00Z", ["5.3 48.1 900", "5.3 48.1 5000", "-20 70 200"]),
    ("nam.t00z.awp21100.tm00.grib2", "2018-09-17T00:00:00Z", ["-95.2 40.1 1200", "-95.2 40.1 6000", "-80 35 9000"])])
def test_grib_is_shown_as_by_the_c_reader(path, time, places):
    agree(f"grib:{FORECASTS / path}", str(FORECASTS / path), "t", time, places)
