# SPDX-License-Identifier: Apache-2.0
"""Zarr stores (version 2) by path and inside a searched folder: as netCDF-C's NCZarr writes them, and as xarray does, written here
file by file. Values are held against the netCDF file that the store repeats."""
import gzip
import json
import shutil
import zlib

import netCDF4
import numpy
import pytest

import make_files

PACK = {None: bytes, "zlib": lambda data: zlib.compress(data, 1), "gzip": gzip.compress}


def stored(store, name, values, dimensions, attributes, chunks, compressor=None):
    """One array as xarray writes it."""
    folder = store / name
    folder.mkdir(parents=True)
    values = numpy.asarray(values)
    (folder / ".zarray").write_text(json.dumps({
        "zarr_format": 2, "shape": values.shape, "chunks": chunks, "dtype": values.dtype.str, "order": "C", "filters": None,
        "fill_value": "NaN" if values.dtype.kind == "f" else None, "compressor": compressor and {"id": compressor, "level": 1}}))
    (folder / ".zattrs").write_text(json.dumps({"_ARRAY_DIMENSIONS": dimensions, **attributes}))
    for place in numpy.ndindex(*[-(-n // c) for n, c in zip(values.shape, chunks)]):
        part = values[tuple(slice(p * c, (p + 1) * c) for p, c in zip(place, chunks))]
        whole = numpy.full(chunks, -999 if values.dtype.kind != "u" else 0, values.dtype)
        whole[tuple(slice(n) for n in part.shape)] = part
        (folder / (".".join(map(str, place)) or "0")).write_bytes(PACK[compressor](whole.tobytes()))


def plain(value):
    return value.item() if hasattr(value, "item") and getattr(value, "size", 1) == 1 else value.tolist() if hasattr(value, "tolist") else value


def as_xarray_does(path, store, compressor):
    """The netCDF file as a Zarr store, with chunks that do not divide the shape."""
    with netCDF4.Dataset(path) as file:
        file.set_auto_maskandscale(False)
        store.mkdir()
        (store / ".zgroup").write_text('{"zarr_format": 2}')
        (store / ".zattrs").write_text(json.dumps({k: plain(file.getncattr(k)) for k in file.ncattrs()}))
        for name, v in file.variables.items():
            attributes = {k: plain(v.getncattr(k)) for k in v.ncattrs() if k != "_FillValue"}
            chunks = [max(1, (n + 1) // 2) for n in v.shape]
            stored(store, name, v[...], list(v.dimensions), attributes, chunks, compressor)


def as_netcdf_does(path, store, mode):
    with netCDF4.Dataset(path) as file, netCDF4.Dataset(f"file://{store}#mode={mode},file", "w") as out:
        file.set_auto_maskandscale(False)
        for name, d in file.dimensions.items():
            out.createDimension(name, len(d))
        for name, v in file.variables.items():
            if not v.dimensions:
                continue  # this library's writer has no scalars
            new = out.createVariable(name, v.dtype, v.dimensions, chunksizes=[max(1, (n + 1) // 2) for n in v.shape])
            new.setncatts({k: v.getncattr(k) for k in v.ncattrs() if k != "_FillValue"})
            new[...] = v[...]


@pytest.fixture(scope="module")
def forecast(tmp_path_factory):
    path = tmp_path_factory.mktemp("zarr") / "plain.nc"
    with netCDF4.Dataset(path, "w") as file:
        make_files.times(file, 3)
        y, x = make_files.plain_axes(file, 9, 7)
        make_files.axis(file, "height", [10.0, 100.0, 500.0, 1500.0], "height", "m", positive="up")
        values = numpy.stack([make_files.field((4, 7, 9)) + step for step in range(3)])
        make_files.temperature(file, ("time", "height", y, x), values)
    return path


def samples(run, path):
    found = []
    for lon, lat, height in ((-9.3, 59.1, 200.0), (-7.0, 58.0, 1000.0), (-6.05, 57.2, 12.0)):
        done = run("sample", path, "--variable", "air_temperature", "--time", "T+7", "--json", "--lon", lon, "--lat", lat, "--height", height)
        assert done.returncode == 0, done.stderr
        answer = json.loads(done.stdout)
        found.append((answer["source"], answer["bricks"]))
    return found


@pytest.mark.parametrize("compressor", [None, "zlib", "gzip"])
def test_a_store_of_xarrays_reads_as_the_file_it_repeats(run, forecast, tmp_path, compressor):
    store = tmp_path / "plain.zarr"
    as_xarray_does(forecast, store, compressor)
    assert samples(run, store) == samples(run, forecast)


@pytest.mark.parametrize("mode", ["nczarr", "zarr"])
def test_a_store_of_netcdf_reads_as_the_file_it_repeats(run, forecast, tmp_path, mode):
    store = tmp_path / "plain.zarr"
    try:
        as_netcdf_does(forecast, store, mode)
    except OSError as error:
        pytest.skip(f"this netCDF library writes no NCZarr: {error}")
    shown = json.loads(run("info", "--json", store).stdout)["datasets"][0]
    assert [v["name"] for v in shown["variables"]] == ["air_temperature"]
    for (value, _), (expected, _) in zip(samples_at_valid_time(run, store), samples_at_valid_time(run, forecast)):
        assert value == expected


def samples_at_valid_time(run, path):
    done = run("sample", path, "--variable", "air_temperature", "--time", "2026-01-01T07:00:00Z", "--json", "--lon", -9.3, "--lat", 59.1,
               "--height", 200)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    return [(answer["source"], answer["bricks"])]


def test_a_store_in_a_folder_is_one_file_of_it(run, forecast, tmp_path):
    """It is not searched through, and joins what it belongs to."""
    as_xarray_does(forecast, tmp_path / "run.zarr", "zlib")
    shutil.copy(forecast, tmp_path / "run.zarr" / "hidden.nc")
    answer = json.loads(run("info", "--json", tmp_path).stdout)
    assert len(answer["datasets"]) == 1 and not answer["problems"]
    assert answer["datasets"][0]["variables"][0]["name"] == "air_temperature"


def test_what_cannot_be_read_says_why_and_what_to_do(run, forecast, tmp_path):
    as_xarray_does(forecast, tmp_path / "blosc.zarr", None)
    for document in (tmp_path / "blosc.zarr").glob("*/.zarray"):
        said = json.loads(document.read_text())
        said["compressor"] = {"id": "blosc", "cname": "lz4", "clevel": 5, "shuffle": 1}
        document.write_text(json.dumps(said))
    without = "--engine-python", "/nowhere/python3"
    done = run("info", *without, tmp_path / "blosc.zarr")
    assert done.returncode != 0 and "blosc" in done.stderr and "server/engine" in done.stderr
    (tmp_path / "three.zarr").mkdir()
    (tmp_path / "three.zarr" / "zarr.json").write_text('{"zarr_format": 3, "node_type": "group"}')
    done = run("info", *without, tmp_path / "three.zarr")
    assert done.returncode != 0 and "version 3" in done.stderr and "server/engine" in done.stderr
    archive = shutil.make_archive(str(tmp_path / "store"), "zip", tmp_path / "blosc.zarr")
    done = run("info", archive)
    assert done.returncode != 0 and "unpack" in done.stderr
