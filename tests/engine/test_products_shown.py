# SPDX-License-Identifier: Apache-2.0
"""Products from the settings to the program's list and samples, without a cluster and through one, against numpy."""
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

PROGRAM = os.environ.get("VIRGA_RELEASE") or str(Path(__file__).resolve().parents[2] / "build/release/virga")
pytestmark = pytest.mark.skipif(not os.access(PROGRAM, os.X_OK), reason="the program is not built")
PRODUCTS = ["*: mean", "t: spread", "t: percentile 75", "t: probability > 280", "t: maximum 6 h", "t: difference", "t: median"]


@pytest.fixture(scope="module")
def ensemble(tmp_path_factory):
    """Two runs of five members; one member is missing in the west."""
    values = np.random.default_rng(3).normal(280, 5, (2, 5, 4, 3, 8, 9)).astype("f4")
    values[:, 2, ..., :4] = np.nan
    axes = {"forecast_reference_time": ([0, 6], "forecast_reference_time", "hours since 2026-01-01"), "realization": (np.arange(5), "realization", "1"),
            "step": ([0, 3, 6, 9], "forecast_period", "hours"), "height": ([10.0, 100, 1000], "height", "m"),
            "lat": (np.arange(50.0, 58), "latitude", "degrees_north"), "lon": (np.arange(9.0), "longitude", "degrees_east")}
    coordinates = {name: (name, numbers, {"standard_name": called, "units": units}) for name, (numbers, called, units) in axes.items()}
    data = xr.Dataset({"t": (tuple(axes), values, {"standard_name": "air_temperature", "units": "K"})}, coordinates)
    store = tmp_path_factory.mktemp("ensemble") / "run.zarr"
    data.chunk(forecast_reference_time=1, realization=1, step=1, lat=3).to_zarr(store, consolidated=False)
    return f"zarr:{store}", values.astype("f8")


def virga(command, address, folder, *more):
    arguments = [PROGRAM, command, "--json", "--state", str(folder / "state"), "--engine-python", sys.executable]
    done = subprocess.run([*arguments, *(f"--engine-product={p}" for p in PRODUCTS), *more, address], capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


def test_products_are_listed_once_beside_what_is_stored(ensemble, tmp_path):
    answer, words = virga("info", ensemble[0], tmp_path)
    (dataset,) = answer["datasets"]
    names = [v["name"] for v in dataset["variables"]]
    assert len(names) == len(set(names))
    assert {"t", "t_mean", "t_spread", "t_p75", "t_above_280", "t_maximum_6h", "t_difference"} <= set(names)
    mean = next(v for v in dataset["variables"] if v["name"] == "t_mean")
    assert mean["standard_name"] == "air_temperature" and not mean.get("derived") and len(mean["members"]) == 1
    assert "'t: median' is no product" in words


@pytest.mark.parametrize("cluster, names", [("none", ["t_mean", "t_p75", "t_above_280", "t_difference"]), ("local:2", ["t_spread"])])
def test_samples_are_numpys(ensemble, tmp_path, cluster, names):
    """The later run at T+3, the level at 100 m, 53 N 2 E: where four members are present."""
    address, values = ensemble
    here = values[:, :, :, 1, 3, 2]
    with np.errstate(invalid="ignore"):
        expected = {"t_mean": np.nanmean(here[1, :, 1]), "t_spread": np.nanstd(here[1, :, 1], ddof=1), "t_p75": np.nanpercentile(here[1, :, 1], 75),
                    "t_above_280": np.sum(here[1, :, 1] > 280) / 4, "t_difference": here[1, 0, 1] - here[0, 0, 3]}
    for name in names:
        number = expected[name]
        answer, _ = virga("sample", address, tmp_path, "--engine", cluster, "--variable", name, "--time", "2026-01-01T09:00Z", "--lon", "2", "--lat", "53",
                          "--height", "100")
        assert answer["source"] == pytest.approx(number, abs=2e-4), name
        assert abs(answer["bricks"] - number) <= answer["epsilon"] * 1.01 + 2e-4, name
