# SPDX-License-Identifier: Apache-2.0
"""Files that break libraries: each is read rightly, or refused with a reason, while others go on playing."""
import collections
import json
import random
import subprocess

import netCDF4
import numpy
import pytest

import agree
import conftest
import forecast
import hostile as bad
import make_files

# Not one number of these can be trusted: bad input by their source's own word. (Of what is only truncated, whole parts are right.)
INVALID_FOLDERS = ("pnetcdf_bad_headers", "hdf5_cve", "reported")
INVALID_FILES = ("byte_truncated.nc", "bad_cdf5_begin.nc", "ref_test_corrupt_magic.nc", "in_grp.cdl", "ref_contiguous.hdf4", "ref_notzarr.tar.gz")
PATIENCE = 10        # seconds that a player may wait for a step while readers crash beside it; below one is usual
RESTARTS_A_FILE = 4  # readers that one bad file may cost
PLAYED = 8           # steps of the good dataset
ROUNDS = 3           # of asking for everything
LEAST = 6            # seconds a player plays


def made_bad(folder):
    """Files that lie in ways of their own."""
    whole = make_files.pressure_levels(folder / "whole.nc").read_bytes()
    (folder / "whole.nc").unlink()
    for name, content in {
            "empty.nc": b"", "one_byte.nc": b"C", "zeros.nc": bytes(100000), "half.nc": whole[:len(whole) // 2], "header_only.h5": whole[:48],
            "claims_all.nc": b"CDF\x01" + b"\xff" * 200, "text.grib": b"no weather today\n" * 10, "grib_in_grib.grib": b"GRIB" * 5000,
            "grib_of_nothing.grib2": b"GRIB\xff\xff\x00\x02" + (1 << 40).to_bytes(8, "big") + bytes(500)}.items():
        (folder / name).write_bytes(content)
    with netCDF4.Dataset(folder / "huge.nc", "w") as file:  # 10²¹ numbers that take no room
        for name, size in (("time", 10**6), ("level", 10**5), ("lat", 10**5), ("lon", 10**5)):
            file.createDimension(name, size)
        file.createVariable("t", "f4", ("time", "level", "lat", "lon"), chunksizes=(1, 1, 100, 100), zlib=True).units = "K"


@pytest.fixture(scope="module")
def files(hostile, tmp_path_factory):
    """[(kind, path)]: each file in a folder of its own, f000 …, so that it makes datasets of its own, with ids that begin so."""
    root, made = tmp_path_factory.mktemp("files"), tmp_path_factory.mktemp("made")
    made_bad(made)
    found = []
    for kind, path in sorted([(p.parent.name, p) for p in hostile.glob("*/*")] + [("made here", p) for p in made.iterdir()]):
        folder = root / f"f{len(found):03}"
        folder.mkdir()
        (folder / path.name).write_bytes(path.read_bytes())
        found.append((kind, folder / path.name))
    return found


@pytest.fixture(scope="module")
def playing(tmp_path_factory):
    """A good dataset beside which the bad files are opened."""
    folder = tmp_path_factory.mktemp("good")
    make_files.pressure_levels(folder / "good.nc", shape=(5, 60, 70), steps=PLAYED)
    return folder


@pytest.fixture(scope="module")
def server(virga, tmp_path_factory, playing, files):
    paths = [playing, *(path for _, path in files)]
    with conftest.running(virga, tmp_path_factory.mktemp("hostile") / "server", paths, "--cache-memory", "64M", start_seconds=300) as running:
        yield running


@pytest.fixture(scope="module")
def catalog(server):
    asker = bad.Asker(server)
    yield asker.json("/api/catalog")
    asker.close()


def of_file(catalog, path):
    """What is shown of a file, and what is not and why: (datasets, reasons for the whole file, {variable: reason})."""
    datasets = [d for d in catalog["datasets"] if d["id"].startswith(path.parent.name + "-")]
    problems = [p for p in catalog["problems"] if p["file"] == str(path)]
    assert all(p["reason"].strip() for p in problems), problems
    return datasets, [p["reason"] for p in problems if not p["variable"]], {p["variable"]: p["reason"] for p in problems if p["variable"]}


def test_each_is_read_or_refused_with_a_reason(catalog, files, record_property):
    table, silent = collections.OrderedDict(), []
    for kind, path in files:
        datasets, reasons, variables = of_file(catalog, path)
        row = table.setdefault(kind, collections.Counter())
        row.update(files=1, read=bool(datasets), refused=not datasets, variables=sum(len(d["variables"]) for d in datasets), left_out=len(variables))
        if not datasets and not reasons and not variables:
            silent.append(f"{kind}/{path.name}")
    total = sum(table.values(), collections.Counter())
    print(f"\n{'folder':22}{'files':>7}{'read':>7}{'refused':>9}{'variables shown':>17}{'left out':>10}")
    for kind, row in [*table.items(), ("all", total)]:
        print(f"{kind:22}{row['files']:7}{row['read']:7}{row['refused']:9}{row['variables']:17}{row['left_out']:10}")
    assert not silent, f"neither read nor refused: {silent}"


def test_nothing_of_invalid_files_is_shown(catalog, files):
    wrong = [f"{kind}/{path.name}" for kind, path in files
             if (kind in INVALID_FOLDERS or path.name in INVALID_FILES) and of_file(catalog, path)[0]]
    assert not wrong


def test_others_play_on_and_nothing_grows(server, catalog, playing):
    good = next(d for d in catalog["datasets"] if d["id"].startswith(playing.name + "-"))
    variable = next(v for v in good["variables"] if v["vertical"])
    costs, waits, began = [], [], bad.cost(server)["restarts"]
    for _ in range(ROUNDS):
        player, asker = bad.Player(server, good["id"], variable["id"], PLAYED, LEAST), bad.Asker(server)
        for dataset in catalog["datasets"]:
            if dataset["id"] != good["id"]:
                bad.ask_for_all(asker, dataset)
        seen = player.finished()
        asker.close()
        assert not seen["errors"], seen["errors"]
        assert len(seen["waits"]) >= PLAYED and min(seen["bricks"]) > 0
        waits += seen["waits"]
        costs.append(bad.cost(server))
    print(f"\na player waited {numpy.median(waits):.3f} s for a step, {max(waits):.3f} s at most of {len(waits)}; costs: {costs}")
    assert max(waits) < PATIENCE, waits
    first, last = costs[0], costs[-1]
    assert last["descriptors"] <= first["descriptors"] + 4
    assert last["server"] < first["server"] + 48 and last["readers"] < 2 * first["readers"] + 64
    assert last["restarts"] - first["restarts"] <= 4, "what is known as bad costs readers again and again"
    assert first["restarts"] <= began + RESTARTS_A_FILE * len(catalog["datasets"])


def test_opening_costs_a_bounded_number_of_readers(server, files, catalog):
    assert bad.cost(server)["restarts"] <= RESTARTS_A_FILE * len(files)


def test_what_is_read_is_read_rightly(server, catalog, files):
    """At grid points the numbers are the file's, wherever the plain reader understands the file."""
    asker, compared, wrong = bad.Asker(server), collections.Counter(), []
    for kind, path in files:
        for dataset in of_file(catalog, path)[0]:
            try:
                compared[path.name] += numbers_agree(path, dataset, asker)
            except AssertionError as error:
                wrong.append(f"{kind}/{path.name}: {str(error)[:500]}")
    asker.close()
    print(f"\n{sum(compared.values())} columns of {sum(1 for n in compared.values() if n)} files compared; not judged: "
          f"{sorted(name for name, n in compared.items() if not n)}")
    assert not wrong, "\n".join(wrong)


def numbers_agree(path, dataset, asker):
    """How many columns agreed, of those that the independent reader understands."""
    dice, compared = random.Random(path.name), 0
    try:
        file = forecast.load(path)
        file.listed = {v["name"] for v in dataset["variables"]}
    except Exception:  # noqa: BLE001 - what the plain reader cannot read, it cannot judge
        return 0
    for variable, series in bad.fields(dataset):
        def profile(lon, lat):
            return asker.json("/api/sample", dataset=dataset["id"], variable=variable["id"], time=series["times"][0], lon=lon, lat=lat, profile=1)["source"]
        try:
            field = forecast.of_variable(file, variable)
            volume = field.volume(0 if field.times == [None] else field.times.index(series["times"][0]), 0)
        except Exception:  # noqa: BLE001
            compared += by_points(file, variable, dice, profile)
            continue
        present = volume.values[numpy.isfinite(volume.values)]
        slack = agree.CELL * float(numpy.ptp(present)) + 1e-6 if present.size else 0  # of places rounded to GRIB's millionths
        for _ in range(5):
            i, j = dice.randrange(volume.values.shape[2]), dice.randrange(volume.values.shape[1])
            mine = [None if numpy.isnan(x) else pytest.approx(x, rel=1e-4, abs=slack) for x in volume.values[:, j, i]]
            assert profile(*volume.lonlat(i, j)) == mine, (variable["name"], i, j)
            compared += 1
    return compared


def by_points(file, variable, dice, profile):
    """Where only the points' positions are known: what is shown at one of them is one of the numbers there."""
    compared = 0
    known = hasattr(file, "at_point") and not variable["derived"] and file.has_positions(variable["name"])
    for _ in range(5 if known else 0):
        lon, lat, numbers = file.at_point(variable["name"], dice)
        for shown in profile(lon, lat):
            if shown is not None:
                assert any(shown == pytest.approx(x, rel=1e-3, abs=1e-6) for x in numbers), (variable["name"], lon, lat, shown, numbers)
                compared += 1
    return compared


def test_info_of_each_alone_ends_with_0_or_1(catalog, files, tmp_path):
    for kind, path in files:
        done = subprocess.run([conftest.release(), "info", "--json", path], capture_output=True, text=True, errors="replace", timeout=180,
                              env=conftest.clean_environment(tmp_path))
        assert not conftest.SANITIZER.search(done.stderr), done.stderr
        assert done.returncode in (0, 1), (kind, path.name, done.returncode, done.stderr)
        answer = json.loads(done.stdout)
        assert bool(answer["datasets"]) == (done.returncode == 0) == bool(of_file(catalog, path)[0]), (kind, path.name, done.stderr)
        assert done.returncode == 0 or path.name in done.stderr, (kind, path.name, done.stderr)
