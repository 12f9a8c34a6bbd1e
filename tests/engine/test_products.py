# SPDX-License-Identifier: Apache-2.0
"""Statistics over members, maxima over windows and differences of runs, against numpy on the whole array."""
import uuid

import dask.array as da
import numpy as np
import pytest
import slab_control
from distributed import Client, LocalCluster
from test_cluster_reader import FixedCluster

from virga_engine import product_blocks
from virga_engine.arrays import StoredArray
from virga_engine.chunk_graph import ChunkGraph
from virga_engine.cluster_reader import ClusterReader
from virga_engine.datasets import Dataset, Dimension
from virga_engine.failure import Failure
from virga_engine.on_worker import Graph
from virga_engine.products import add_products, parse_product, windows_of
from virga_engine.lent_slab import LentSlab
from virga_engine.reader import DirectReader
from virga_engine.request import Cancel, ReadRequest, Reduction


def coordinate(name, numbers, **attributes):
    numbers = np.asarray(numbers)
    return StoredArray(name, (name,), numbers.shape, numbers.dtype, attributes=attributes, read=lambda slices: numbers[slices])


def variable(name, dimensions, numbers, chunks, on_cluster=True, **attributes):
    array = da.from_array(numbers, chunks=chunks)
    return StoredArray(name, dimensions, numbers.shape, numbers.dtype, attributes=attributes, read=lambda slices: numbers[slices],
                       dask=(lambda: array) if on_cluster else None, chunks=array.chunksize)


def dataset(*variables):
    dimensions = {}
    for v in variables:
        dimensions.update((d, Dimension(n)) for d, n in zip(v.dimensions, v.shape))
    return Dataset(dimensions, {v.name: v for v in variables}, {}, b"token", "made")


def whole(array):
    return array.read(tuple(slice(0, n) for n in array.shape))


MEMBERS = coordinate("realization", np.arange(5), standard_name="realization", units="1")


def ensemble(seed=0, on_cluster=True, chunks=(2, 2, 3, 4)):
    """Packed temperatures: a fifth of the numbers are missing, one column in all members."""
    dice = np.random.default_rng(seed)
    stored = dice.integers(0, 4000, (5, 3, 6, 7)).astype("i2")
    stored[dice.random(stored.shape) < 0.2] = -999
    stored[:, :, 0, 0] = -999
    stored[:4, 1, 1, 1] = -999
    field = variable("t", ("realization", "time", "y", "x"), stored, chunks, on_cluster, _FillValue=np.int16(-999), scale_factor=np.float64(0.01),
                     add_offset=np.float64(-5.0), units="degC", standard_name="air_temperature", coordinates="realization lat", cell_methods="time: point")
    values = np.where(stored == -999, np.nan, stored * 0.01 - 5.0)
    return dataset(MEMBERS, field), values


def half_present(values, answer):
    return np.where(2 * (~np.isnan(values)).sum(axis=0) >= len(values), answer, np.nan)


@pytest.mark.parametrize("on_cluster", [True, False])
@pytest.mark.parametrize("text, name, by_numpy", [
    ("t: mean", "t_mean", lambda v: np.nanmean(v, axis=0)),
    ("t: spread", "t_spread", lambda v: np.nanstd(v, axis=0, ddof=1)),
    ("t: percentile 90", "t_p90", lambda v: np.nanpercentile(v, 90, axis=0)),
    ("t: percentile 12.5", "t_p12_5", lambda v: np.nanpercentile(v, 12.5, axis=0)),
    ("t: probability > 20", "t_above_20", lambda v: (v > 20).sum(axis=0) / (~np.isnan(v)).sum(axis=0)),
    ("t: probability<-1.5", "t_below_minus_1_5", lambda v: (v < -1.5).sum(axis=0) / (~np.isnan(v)).sum(axis=0)),
])
@pytest.mark.filterwarnings("ignore:.*(empty|Degrees of freedom|All-NaN|invalid value)")
def test_over_members_is_numpys(text, name, by_numpy, on_cluster):
    made, values = ensemble(on_cluster=on_cluster)
    product = add_products(made, [parse_product(text)]).variables[name]
    assert product.dimensions == ("time", "y", "x") and product.shape == (3, 6, 7) and product.dtype == np.float32
    assert product.on_cluster == on_cluster
    with np.errstate(invalid="ignore", divide="ignore"):
        expected = half_present(values, by_numpy(values))
    np.testing.assert_allclose(whole(product), expected, rtol=2e-6, atol=1e-6)
    assert np.isnan(whole(product)[:, 0, 0]).all() and np.isnan(whole(product)[1, 1, 1])


def test_large_mean_does_not_eat_a_small_spread():
    numbers = (1e7 + np.array([-1, 0, 1], "f8")[:, None, None, None] * 1e-3) * np.ones((3, 1, 2, 2))
    made = dataset(coordinate("member", np.arange(3)), variable("p", ("member", "time", "y", "x"), numbers, 1))
    np.testing.assert_allclose(whole(add_products(made, [parse_product("p: spread")]).variables["p_spread"]), 1e-3, rtol=1e-6)


def test_attributes_are_cf():
    made, _ = ensemble()
    products = add_products(made, [parse_product(text) for text in ("t: mean", "t: spread", "t: probability > 20")]).variables
    mean, spread, above = products["t_mean"].attributes, products["t_spread"].attributes, products["t_above_20"].attributes
    assert mean["standard_name"] == "air_temperature" and mean["units"] == "degC" and mean["cell_methods"] == "time: point realization: mean"
    assert mean["long_name"] == "air temperature, mean of 5 members" and mean["coordinates"] == "lat"
    assert "standard_name" not in spread and spread["units"] == "K" and "realization: standard_deviation" in spread["cell_methods"]
    assert above["units"] == "1" and above["long_name"] == "air temperature, probability of more than 20 degC among 5 members"
    for attributes in (mean, spread, above):
        assert not {"_FillValue", "scale_factor", "add_offset"} & attributes.keys()


def test_star_means_every_field_with_members():
    made, _ = ensemble()
    more = made.with_variables({v.name: v for v in (
        variable("u", ("realization", "time", "y", "x"), np.zeros((5, 3, 6, 7), "f4"), 3),
        variable("dir", ("realization", "time", "y", "x"), np.zeros((5, 3, 6, 7), "f4"), 3, standard_name="wind_from_direction"),
        variable("kind", ("realization", "time", "y", "x"), np.zeros((5, 3, 6, 7), "i1"), 3, flag_values=np.array([0, 1], "i1")),
        variable("h", ("y", "x"), np.zeros((6, 7), "f4"), 3),
        variable("weight", ("realization",), np.zeros(5, "f4"), 5))})
    products = add_products(more, [parse_product("*: mean"), parse_product("t: mean"), parse_product("h: mean"), parse_product("none: mean")])
    assert [name for name in products.variables if name not in more.variables] == ["t_mean", "u_mean"]
    assert products.notes == ("h: mean: it has no dimension of members",)


@pytest.mark.parametrize("text", ["t", "t:", "t: median", "t: percentile 101", "t: percentile", "t: probability = 3", "t: probability > 1e", "t: maximum 0 h",
                                  "t: maximum 6", "t: mean spread", "t: probability > __import__", ": mean", "t: percentile 1.2.3"])
def test_what_is_no_product_is_refused(text):
    with pytest.raises(Failure, match="is no product"):
        parse_product(text)


TIMES = coordinate("time", [0.0, 1, 2, 4, 7, 8, 9, 15], standard_name="time", units="hours since 2026-01-01")


@pytest.mark.parametrize("chunk", [1, 3, 8])
@pytest.mark.parametrize("hours", [1, 3, 6])
def test_maximum_over_a_window(chunk, hours):
    values = np.random.default_rng(1).normal(size=(8, 4, 5)).astype("f4")
    values[2:4, 0] = np.nan
    made = dataset(TIMES, variable("gust", ("time", "y", "x"), values, (chunk, 2, 5), standard_name="wind_speed_of_gust", units="m s-1"))
    product = add_products(made, [parse_product(f"gust: maximum {hours} h")]).variables[f"gust_maximum_{hours}h"]
    times = whole(TIMES)
    for i, time in enumerate(times):
        inside = [j for j, t in enumerate(times) if time - hours < t <= time]
        expected = np.full((4, 5), np.nan) if time - hours < times[0] else np.fmax.reduce(values[inside])
        np.testing.assert_array_equal(whole(product)[i], expected)
    assert product.attributes["cell_methods"] == "time: maximum" and product.attributes["standard_name"] == "wind_speed_of_gust"


def test_window_longer_than_the_forecast_is_noted():
    made = dataset(TIMES, variable("gust", ("time", "y", "x"), np.zeros((8, 2, 2), "f4"), 2))
    assert add_products(made, [parse_product("gust: maximum 2 d")]).notes == ("gust: maximum: its times do not span 2 d",)
    assert windows_of(np.array([0.0, 3600, 7200]), 7200) == [None, None, (1, 3)]


@pytest.mark.parametrize("chunks", [(1, 1, 2, 2), (2, 3, 3, 3), (3, 4, 3, 3)])
@pytest.mark.parametrize("layout", ["periods", "times", "both"])
def test_difference_of_runs(chunks, layout):
    """Runs every 6 h, not in order; steps of 3 h."""
    runs = np.array([12, 0, 6])
    steps = np.array([0, 3, 6, 9])
    values = np.random.default_rng(2).normal(size=(3, 4, 3, 3)).astype("f4")
    run = coordinate("forecast_reference_time", runs, standard_name="forecast_reference_time", units="hours since 2026-01-01")
    valid = runs[:, None] + steps
    more = {"periods": [coordinate("step", steps, standard_name="forecast_period", units="hours")],
            "times": [coordinate("step", [12, 15, 18, 21], standard_name="time", units="hours since 2026-01-01")],
            "both": [StoredArray("valid", ("forecast_reference_time", "step"), valid.shape, valid.dtype, read=lambda s: valid[s],
                                 attributes={"standard_name": "time", "units": "hours since 2026-01-01"}), coordinate("step", np.arange(4))]}[layout]
    made = dataset(run, *more, variable("t", ("forecast_reference_time", "step", "y", "x"), values, chunks, units="K", standard_name="air_temperature"))
    if layout == "both":  # a dimension of steps that only the times tell of
        made.variables["step"].attributes["standard_name"] = "forecast_period"
    product = add_products(made, [parse_product("t: difference")]).variables["t_difference"]
    expected = np.full(values.shape, np.nan, "f4")
    for r, before in ((0, 2), (2, 1)):
        for s in range(4):
            other = [s] if layout == "times" else [k for k in range(4) if runs[before] + steps[k] == runs[r] + steps[s]]
            if other:
                expected[r, s] = values[r, s] - values[before, other[0]]
    np.testing.assert_array_equal(whole(product), expected)
    assert np.isfinite(expected).any() and product.attributes["units"] == "K" and "standard_name" not in product.attributes
    assert product.attributes["long_name"] == "air temperature, minus the run before at the same valid time"


@pytest.mark.parametrize("kind", ["mean", "spread", "probability > 1"])
def test_members_are_loaded_one_after_the_other(kind):
    made = dataset(coordinate("member", np.arange(40)), variable("t", ("member", "z", "y", "x"), np.ones((40, 1, 4, 4), "f4"), (1, 1, 4, 4)))
    array = list(add_products(made, [parse_product(f"t: {kind}")]).variables.values())[-1].dask
    graph = ChunkGraph(array)
    key = graph.key((0,) * array.ndim)
    cone = graph.cone([key])
    held = []

    class Counted(dict):
        def __setitem__(self, name, value):
            super().__setitem__(name, value)
            held.append(sum(isinstance(v, np.ndarray) for v in self.values()))

    import pickle
    nodes = dict(cone.nodes)
    from dask._task_spec import Task
    for leaf, pickled in cone.leaves.items():  # as if they were read: by a task
        nodes[leaf] = Task(leaf, pickle.loads, pickled)
    Graph(nodes, Counted(), [key]).take(key)
    assert len(held) > 80 and max(held) <= 2


def test_products_on_a_cluster():
    made, values = ensemble()
    products = add_products(made, [parse_product("t: mean"), parse_product("t: percentile 50")]).variables
    receiver = slab_control.Receiver()
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0", protocol="tcp") as cluster, Client(cluster) as client:
        reader = ClusterReader(FixedCluster(client), receiver.address)
        for name in ("t_mean", "t_p50"):
            asked = ReadRequest(Reduction.MEAN, (0, 0, 0), (3, 6, 7), (1, 2, 3), token=uuid.uuid4().bytes)
            numbers, taken = receiver.expect(asked.token, asked.points, 4, np.dtype("f8"))
            slab = LentSlab(bytearray(numbers.nbytes))
            assert reader.read(products[name], asked, slab, Cancel()).delivered == 1 and (taken == 1).all()
            slab_control.assert_is_answer(numbers, whole(products[name]), asked)
            direct = bytearray(numbers.nbytes)
            DirectReader().read(products[name], asked, LentSlab(direct), Cancel())
            np.testing.assert_allclose(np.frombuffer(direct).reshape(numbers.shape), numbers, rtol=1e-12)


def test_signed_type_that_holds_unsigned_numbers():
    stored = np.array([[[0, -1]], [[10, -56]]], "i1")
    made = dataset(coordinate("member", [0, 1]), variable("c", ("member", "y", "x"), stored, 1, _Unsigned="true", _FillValue=np.int8(-1)))
    mean = whole(add_products(made, [parse_product("c: mean")]).variables["c_mean"])
    assert mean.tolist() == [[5.0, 200.0]]
    assert product_blocks.decode(stored, product_blocks.Decoding((255.0,), True)).reshape(-1).tolist()[2:] == [10.0, 200.0]
