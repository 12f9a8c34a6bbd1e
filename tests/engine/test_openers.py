# SPDX-License-Identifier: Apache-2.0
"""Every kind of address, against the numbers that were written."""

import functools
import http.server
import json
import pickle
import shutil
import threading
from pathlib import Path

import fsspec
import numcodecs
import numpy as np
import pytest
import xarray as xr
import zarr

from child import Child, Refused
from virga_engine.address import parse
from virga_engine.failure import Failure
from virga_engine.openers import Context, objects, open_address

URLS = frozenset({"memory", "http", "file", "s3"})


@pytest.fixture(scope="module")
def engine():
    with Child("--schemes", "http,file") as child:
        yield child


def example(units: str = "hours since 2026-01-01", first: int = 0) -> xr.Dataset:
    chance = np.random.default_rng(first)
    packed = chance.integers(-9000, 9000, (3, 20, 30)).astype("i2")
    return xr.Dataset(
        {"t": (("time", "y", "x"), chance.random((3, 20, 30), dtype="f4"), {"units": "K"}),
         "p": (("time", "y", "x"), packed, {"scale_factor": np.float32(0.01), "add_offset": 270.0, "_FillValue": np.int16(-32767), "flags": np.array([1, 2], "i1")}),
         "member": ((), np.int32(4))},
        coords={"time": ("time", first + np.arange(3.0), {"units": units}), "x": ("x", np.arange(30.0))}, attrs={"title": "ä"})


def whole(array) -> np.ndarray:
    return array.read(tuple(slice(0, n) for n in array.shape))


def same(dataset, expected: xr.Dataset, names=("t", "p", "time", "x", "member")) -> None:
    for name in names:
        array = dataset.variables[name]
        assert array.dimensions == expected[name].dims
        assert whole(array).tobytes() == expected[name].values.tobytes(), name
        assert np.asarray(array.dask.compute(scheduler="threads")).tobytes() == expected[name].values.tobytes(), name


def zarr_of(path, version: int, consolidated: bool) -> None:
    example().to_zarr(path, zarr_format=version, consolidated=consolidated, encoding={"t": {"chunks": (1, 8, 16)}, "p": {"chunks": (1, 8, 16)}})


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("consolidated", [True, False])
def test_zarr(tmp_path, engine, version, consolidated):
    zarr_of(tmp_path / "a.zarr", version, consolidated)
    inventory = engine.open(f"zarr:{tmp_path}/a.zarr")
    assert inventory.format.startswith(f"Zarr {version} (")
    assert inventory.variables["t"].chunks == (1, 8, 16) and inventory.variables["t"].chunked
    packing = inventory.variables["p"].attributes
    assert packing["scale_factor"] == np.float32(0.01) and packing["add_offset"] == 270 and packing["_FillValue"].dtype == np.int16
    assert packing["_FillValue"] == -32767 and inventory.attributes["title"] == "ä"
    for name in ("t", "p", "time", "x", "member"):
        assert engine.read(inventory, name).tobytes() == example()[name].values.tobytes()
    values = example()["p"].values.astype("f8")
    means = engine.read(inventory, "p", reduction=2, start=(0, 4, 1), count=(3, 15, 29), block=(1, 4, 5), missing=(-32767.0,), scale=0.5, offset=1)
    block = values[1, 8:12, 6:11]
    assert means[0, 1, 1, 1] == pytest.approx(block.mean() * 0.5 + 1, rel=1e-14)
    assert (means[1, 1, 1, 1], means[2, 1, 1, 1], means[3, 1, 1, 1]) == (block.min() * 0.5 + 1, block.max() * 0.5 + 1, 20)
    assert engine.counts == (values.size * 2, 0)  # each chunk once, decoded
    same(open_address(f"zarr:{tmp_path}/a.zarr", Context()), example())


def test_zarr_in_a_zip_file_and_by_urls(tmp_path):
    zarr_of(tmp_path / "a.zarr", 3, True)
    shutil.make_archive(str(tmp_path / "b"), "zip", tmp_path / "a.zarr")
    memory = fsspec.filesystem("memory")
    memory.put(str(tmp_path / "a.zarr"), "/virga-test/a.zarr", recursive=True)
    with serving(tmp_path) as url:
        for address in (f"zarr:{tmp_path}/b.zip", f"file://{tmp_path}/a.zarr", f"zarr:{url}/b.zip", f"{url}/a.zarr", "memory://virga-test/a.zarr"):
            same(open_address(address, Context(schemes=URLS | {"zip"})), example())
    with pytest.raises(Failure, match="memory:// are not allowed"):
        open_address("memory://virga-test/a.zarr", Context())


def serving(folder):
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_GET(self):
            wanted = self.headers.get("Range")
            path = Path(self.translate_path(self.path))
            if not wanted or not path.is_file():
                return super().do_GET()
            first, last = wanted.removeprefix("bytes=").split("-")
            raw = path.read_bytes()
            part = raw[int(first):int(last or len(raw)) + 1]
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {first}-{int(first) + len(part) - 1}/{len(raw)}")
            self.send_header("Content-Length", str(len(part)))
            self.end_headers()
            self.wfile.write(part)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))

    class Serving:
        def __enter__(self):
            threading.Thread(target=server.serve_forever, daemon=True).start()
            return f"http://127.0.0.1:{server.server_port}"

        def __exit__(self, *_):
            server.shutdown()
            server.server_close()

    return Serving()


def test_s3(tmp_path, monkeypatch):
    """Against a real S3 server on this machine, by s3fs."""
    moto = pytest.importorskip("moto.server")
    zarr_of(tmp_path / "a.zarr", 3, True)
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        for name, value in {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_DEFAULT_REGION": "us-east-1"}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        files = fsspec.filesystem("s3", skip_instance_cache=True)
        files.mkdir("forecasts")
        files.put(str(tmp_path / "a.zarr"), "forecasts/a.zarr", recursive=True)
        same(open_address("s3://forecasts/a.zarr", Context(schemes=URLS)), example())
    finally:
        server.stop()


@pytest.mark.parametrize("version", [2, 3])
def test_zarr_of_any_type(tmp_path, engine, version):
    root = zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=version)
    numbers = {"big": np.arange(6, dtype=">f4"), "flag": np.array([True, False] * 3), "u": np.array([0, 2**64 - 1] * 3, "u8"),
               "small": np.arange(6, dtype="i1"), "half": np.arange(6, dtype="f2"), "when": np.arange(6).astype("M8[s]"),
               "text": np.array(["a", "bb"] * 3)}
    for name, values in numbers.items():
        extra = {"dimension_names": ["n"]} if version == 3 else {}
        made = root.create_array(f"g/{name}" if name == "small" else name, shape=values.shape, chunks=(4,), dtype=values.dtype, **extra)
        made[:] = values
        if version == 2:
            made.attrs["_ARRAY_DIMENSIONS"] = ["n"]
    root.attrs["list"] = [1, 2]
    inventory = engine.open(f"zarr:{tmp_path}/a.zarr")
    assert inventory.dimensions == {"n": (6, 0)} and list(inventory.attributes["list"]) == [1, 2]
    for name in ("big", "u"):
        assert np.array_equal(engine.read(inventory, name), numbers[name]), name
    assert np.array_equal(engine.read(inventory, "flag"), [1, 0, 1, 0, 1, 0]) and inventory.variables["flag"].type == 1
    assert np.array_equal(engine.read(inventory, "g/small"), np.arange(6))
    assert np.array_equal(engine.read(inventory, "when"), np.arange(6))
    assert inventory.variables["when"].attributes["units"] == "seconds since 1970-01-01"
    assert inventory.variables["text"].type == 11 and inventory.variables["half"].type == 12
    with pytest.raises(Refused) as refused:
        engine.read(inventory, "u", start=(0,), count=(7,))
    assert refused.value.status == -3


def test_a_pickle_in_a_store_is_not_run(tmp_path, engine):
    """numcodecs' pickle codec would run what a chunk says."""
    marker = tmp_path / "ran"

    class Evil:
        def __reduce__(self):
            return (open, (str(marker), "w"))

    store = tmp_path / "a.zarr"
    (store / "x").mkdir(parents=True)
    (store / ".zgroup").write_text('{"zarr_format": 2}')
    codec = {"id": "pickle", "protocol": 5}
    (store / "x" / ".zarray").write_text(json.dumps({"zarr_format": 2, "shape": [1], "chunks": [1], "dtype": "<f8", "compressor": codec,
                                                    "fill_value": 0, "order": "C", "filters": None}))
    (store / "x" / "0").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(Refused):
        engine.read(engine.open(f"zarr:{store}"), "x")
    assert not marker.exists() and numcodecs.registry is not None


def test_netcdf_with_groups_and_text(tmp_path, engine):
    import netCDF4
    with netCDF4.Dataset(tmp_path / "a.nc", "w") as file:
        file.createDimension("time", None)
        file.createDimension("n", 4)
        file.createVariable("a", "i2", ("time", "n"), chunksizes=(1, 4))[:] = np.arange(8).reshape(2, 4)
        group = file.createGroup("g")
        group.createVariable("b", "f8", ("n",))[:] = [1, 2, 3, 4]
        group.createVariable("c", "S1", ("n",))[:] = np.array(list("word"), "S1")
        group.createVariable("words", str, ("n",))[:] = np.array(["a", "b", "c", "d"], object)
        group["b"].flag_values = np.array([1, 2], "i1")
    inventory = engine.open(f"xarray:{tmp_path}/a.nc")
    assert inventory.dimensions["time"] == (2, 1) and inventory.dimensions["n"] == (4, 0)
    assert np.array_equal(engine.read(inventory, "a"), np.arange(8).reshape(2, 4)) and inventory.variables["a"].fill == -32767
    assert np.array_equal(engine.read(inventory, "g/b"), [1, 2, 3, 4]) and inventory.variables["g/b"].dimensions == ["n"]
    assert engine.read(inventory, "g/c").tobytes() == b"word" and inventory.variables["g/words"].type == 11
    assert inventory.variables["g/b"].attributes["flag_values"].dtype == np.int8


def files_of_time(folder, change=lambda i, dataset: dataset) -> xr.Dataset:
    parts = [change(i, example(first=3 * i)) for i in range(3)]
    for i, part in enumerate(parts):
        part.to_netcdf(folder / f"{i}.nc", unlimited_dims=["time"])
    return parts


def test_files_joined_along_time(tmp_path, engine):
    parts = files_of_time(tmp_path)
    inventory = engine.open(f"xarray:{tmp_path}/*.nc")
    for name in ("t", "p", "time"):
        assert engine.read(inventory, name).tobytes() == np.concatenate([part[name].values for part in parts]).tobytes(), name
    assert engine.read(inventory, "member") == 4 and inventory.variables["p"].attributes["scale_factor"] == np.float32(0.01)


def test_files_with_other_epochs_and_packing(tmp_path, engine):
    def change(i, dataset):
        dataset["time"] = ("time", np.arange(3.0), {"units": f"hours since 2026-01-01 {3 * i:02d}:00"})
        dataset["p"].attrs["scale_factor"] = np.float32(0.01 * (i + 1))
        dataset["p"].attrs["_FillValue"] = dataset["p"].values[0, 0, 0]
        return dataset

    parts = files_of_time(tmp_path, change)
    inventory = engine.open(f"xarray:{tmp_path}/*.nc")
    assert np.array_equal(engine.read(inventory, "time"), np.arange(9.0))
    unpacked = engine.read(inventory, "p")
    assert unpacked.dtype == np.float64 and any("p" in note for note in inventory.notes) and np.isnan(unpacked[3, 0, 0])
    assert unpacked[8, 5, 5] == pytest.approx(float(parts[2]["p"].values[2, 5, 5]) * float(np.float32(0.03)) + 270, rel=1e-6)


def test_files_that_do_not_join_are_refused(tmp_path, engine):
    example().to_netcdf(tmp_path / "0.nc")
    example().isel(x=slice(0, 7)).to_netcdf(tmp_path / "1.nc")
    with pytest.raises(Refused, match="join"):
        engine.open(f"xarray:{tmp_path}/*.nc")


def test_opening_reads_no_field(tmp_path, monkeypatch):
    """Neither of one file nor of several, nor of a store: each library's way to the numbers is watched."""
    from xarray.backends import netCDF4_
    files_of_time(tmp_path)
    zarr_of(tmp_path / "a.zarr", 3, False)
    read = []
    before = netCDF4_.NetCDF4ArrayWrapper._getitem
    monkeypatch.setattr(netCDF4_.NetCDF4ArrayWrapper, "_getitem", lambda self, key: read.append(self.variable_name) or before(self, key))
    chunk = zarr.storage.LocalStore.get

    async def get(self, key, *arguments, **options):
        read.append(key)
        return await chunk(self, key, *arguments, **options)

    monkeypatch.setattr(zarr.storage.LocalStore, "get", get)
    for address in (f"xarray:{tmp_path}/0.nc", f"xarray:{tmp_path}/*.nc", f"zarr:{tmp_path}/a.zarr"):
        dataset = open_address(address, Context())
        assert dataset.variables["t"].dask is not None
        assert not [name for name in read if name in ("t", "p") or "/c/" in name], read
    whole(dataset.variables["t"])
    assert [name for name in read if "t/c/" in name]


@pytest.mark.parametrize("shape", [lambda d: d, lambda d: d["t"], lambda d: pytest.importorskip("ncdata.iris_xarray").cubes_from_xarray(d)])
def test_an_object_s_edition_is_its_dataset_s(shape):
    """Also without the dataset, and another one when a number is."""
    tokens = [objects.token_of(shape(example(first=first))) for first in (0, 0, 1)]
    assert tokens[0] == tokens[1] == objects.of_object(shape(example())).token != tokens[2]


def references(folder) -> dict:
    kerchunk = pytest.importorskip("kerchunk.hdf")
    example().to_netcdf(folder / "a.nc", engine="h5netcdf", encoding={"t": {"chunksizes": (1, 10, 30)}})
    return kerchunk.SingleHdf5ToZarr(str(folder / "a.nc"), inline_threshold=200).translate()


def test_kerchunk(tmp_path):
    from kerchunk.df import refs_to_dataframe
    found = references(tmp_path)
    (tmp_path / "a.json").write_text(json.dumps(found))
    named = json.loads(json.dumps(found).replace(str(tmp_path / "a.nc"), "{{u}}"))
    (tmp_path / "b.json").write_text(json.dumps({**named, "templates": {"u": "a.nc"}}))
    refs_to_dataframe(found, str(tmp_path / "c.parq"))
    for name in ("a.json", "b.json", "c.parq"):
        dataset = open_address(f"kerchunk:{tmp_path}/{name}", Context())
        same(dataset, example(), ("t", "p", "time", "x"))
        assert dataset.variables["t"].chunks == (1, 10, 30)


def test_references_open_only_what_is_allowed(tmp_path):
    found = references(tmp_path)
    outside = tmp_path / "elsewhere"
    outside.mkdir()
    for change, words in (({"u": "s3://bucket/a.nc"}, "s3:// are not allowed"), ({"u": "/etc/passwd"}, "not beside them"),
                          ({"u": str(tmp_path / "a.nc")}, "not beside them"), ({"u": "../a.nc"}, "not beside them"),
                          ({"u": "shell://x"}, "not allowed")):
        text = json.dumps(found).replace(str(tmp_path / "a.nc"), change["u"])
        (outside / "a.json").write_text(text)
        with pytest.raises(Failure, match=words):
            open_address(f"kerchunk:{outside}/a.json", Context())
    for document in ({**found, "gen": [{"key": "{{i}}", "url": "x", "dimensions": {"i": [1]}}]},
                     {"version": 1, "refs": {**found["refs"], "t/0.0.0": ["{{ cycler.__init__ }}", 0, 1]}}):
        (outside / "a.json").write_text(json.dumps(document))
        with pytest.raises(Failure, match="not evaluated"):
            open_address(f"kerchunk:{outside}/a.json", Context())
    from kerchunk.df import refs_to_dataframe
    refs_to_dataframe(found, str(outside / "a.parq"))
    with pytest.raises(Failure, match="not beside them"):
        open_address(f"kerchunk:{outside}/a.parq", Context())


@pytest.mark.parametrize("text, kind", [("s3://b/a.zarr", "zarr"), ("https://x/a.nc", "xarray"), ("zarr:/a", "zarr"), ("zip::s3://b/a.zarr", "zarr"),
                                        ("published:a b", "published"), ("/a/b.pp", "iris"), ("s3://b/refs.json", "kerchunk"), ("grib:/x", "grib")])
def test_addresses(text, kind):
    assert parse(text, frozenset({"s3", "https", "zip"})).kind == kind


@pytest.mark.parametrize("text", ["s3://b/a.zarr", "simplecache::https://x/a.zarr", "zarr:file:///etc", "ftp://x/a.nc", "x", "zarr:", "a:b",
                                  "kerchunk:https://x/r.json", "xarray:HTTP://x/a.nc"])
def test_addresses_that_are_not_allowed(text):
    with pytest.raises(Failure):
        parse(text, frozenset({"gs"}))
