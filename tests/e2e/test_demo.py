# SPDX-License-Identifier: Apache-2.0
"""The demonstration forecast as a file and as virga reads it, and the command server/demo before it builds anything."""
import json
import os
import signal
import socket
import subprocess

import netCDF4
import numpy
import pyproj
import pytest

from conftest import ROOT, clean_environment, wait_until


@pytest.fixture(scope="module")
def runs(demo_forecast):
    files = [netCDF4.Dataset(path) for path in sorted(demo_forecast.glob("*.nc"))]
    yield files
    for file in files:
        file.close()


def fields(file):
    return {name: v for name, v in file.variables.items() if v.ndim >= 3}


def test_two_runs_are_six_hours_apart_with_hourly_steps(runs):
    times = [netCDF4.num2date(f["time"][:], f["time"].units) for f in runs]
    references = [netCDF4.num2date(f["forecast_reference_time"][...], f["forecast_reference_time"].units) for f in runs]
    assert [r.isoformat() for r in references] == ["2026-04-18T00:00:00", "2026-04-18T06:00:00"]
    for file, reference, valid in zip(runs, references, times):
        hours = [(t - reference).total_seconds() / 3600 for t in valid]
        assert hours == list(file["forecast_period"][:]) == list(range(len(valid)))


def test_true_coordinates_are_those_of_the_grid_mapping(runs):
    mapping = runs[0]["rotated_latitude_longitude"]
    crs = pyproj.CRS.from_cf({name: mapping.getncattr(name) for name in mapping.ncattrs()})
    to_true = pyproj.Transformer.from_crs(crs, pyproj.CRS.from_dict({"proj": "longlat", "R": mapping.earth_radius}), always_xy=True)
    x, y = numpy.meshgrid(runs[0]["grid_longitude"][:], runs[0]["grid_latitude"][:])
    lon, lat = to_true.transform(x, y)
    assert numpy.abs(lon - runs[0]["longitude"][:]).max() < 1e-5
    assert numpy.abs(lat - runs[0]["latitude"][:]).max() < 1e-5


def test_every_field_says_what_and_where_it_is(runs):
    for file in runs:
        assert file.Conventions == "CF-1.8"
        for name, field in fields(file).items():
            assert field.standard_name == name and field.units
            assert field.grid_mapping in file.variables
            assert all(coordinate in file.variables for coordinate in field.coordinates.split())
            assert "_FillValue" not in field.ncattrs() and numpy.isfinite(field[:]).all()


def test_heights_follow_from_the_formula_and_rise(runs):
    level = runs[0]["level_height"]
    assert level.standard_name == "atmosphere_hybrid_height_coordinate" and level.positive == "up"
    terms = level.formula_terms.split()
    a, b, ground = (runs[0][terms[terms.index(f"{term}:") + 1]][:] for term in ("a", "b", "orog"))
    heights = a[:, None, None] + b[:, None, None] * ground
    assert (numpy.diff(heights, axis=0) > 0).all() and (heights[0] > ground).all()
    assert numpy.ptp(heights[-1]) == 0


def test_runs_tell_nearly_but_not_quite_the_same(virga, tmp_path):
    command = [virga, "demo", "--out", str(tmp_path), "--size", "40x50x12x8", "--variables", "air_temperature", "--quiet"]
    subprocess.run(command, check=True, env=clean_environment(tmp_path))
    older, newer = (netCDF4.Dataset(path) for path in sorted(tmp_path.glob("*.nc")))
    same_hour = numpy.abs(older["air_temperature"][7] - newer["air_temperature"][1]).mean()
    an_earlier_hour = numpy.abs(older["air_temperature"][0] - newer["air_temperature"][1]).mean()
    assert 0 < same_hour < an_earlier_hour / 3


def test_the_same_command_writes_the_same_numbers(virga, tmp_path):
    written = []
    for name in ("one", "two"):
        subprocess.run([virga, "demo", "--out", str(tmp_path / name), "--size", "30x20x8x2", "--runs", "1", "--quiet"], check=True,
                       env=clean_environment(tmp_path))
        (path,) = (tmp_path / name).glob("*.nc")
        with netCDF4.Dataset(path) as file:
            written.append({name: v[...].tobytes() for name, v in file.variables.items()})
    assert written[0] == written[1]


def test_virga_reads_all_of_it(run, demo_forecast, runs):
    answer = json.loads(run("info", "--json", demo_forecast).stdout)
    (dataset,) = answer["datasets"]
    assert [r["time"] for r in dataset["runs"]] == ["2026-04-18T00:00:00Z", "2026-04-18T06:00:00Z"]
    assert all(r["complete"] for r in dataset["runs"])
    assert dataset["problems"] == []
    listed = {v["name"]: v for v in dataset["variables"]}
    for name, field in fields(runs[0]).items():
        vertical = listed[name]["vertical"]
        assert listed[name]["units"] == field.units
        assert (vertical is None) == (field.ndim == 3)
        if vertical:
            assert vertical["kind"] == "hybrid_height" and vertical["levels"] == len(runs[0]["level_height"])
            assert vertical["map_error"] < 5


def test_what_is_there_is_left_alone(run, tmp_path):
    arguments = ("demo", "--out", tmp_path / "d", "--size", "20x20x5x1")
    assert run(*arguments).returncode == 0
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "d").iterdir()}
    again = run(*arguments)
    assert again.returncode == 0 and "already" in again.stderr
    assert {path.name: path.stat().st_mtime_ns for path in (tmp_path / "d").iterdir()} == before


def test_a_killed_demo_leaves_no_half_file_under_a_forecasts_name(virga, tmp_path):
    command = [virga, "demo", "--out", str(tmp_path / "d"), "--size", "300x300x40x200", "--quiet"]
    process = subprocess.Popen(command, env=clean_environment(tmp_path))
    wait_until(lambda: list((tmp_path / "d").glob("*.part")))
    process.kill()
    process.wait()
    assert not list((tmp_path / "d").glob("*.nc"))


@pytest.mark.parametrize("place", ["a file", "no permission"])
def test_a_folder_that_cannot_be_written_is_named(run, tmp_path, place):
    if place == "a file":
        (tmp_path / "d").write_text("")
        out = tmp_path / "d"
    else:
        out = "/proc/d"
    done = run("demo", "--out", out, "--size", "20x20x5x1")
    assert done.returncode == 1 and str(out) in done.stderr


def test_too_large_a_forecast_is_refused_at_once(run, tmp_path):
    done = run("demo", "--out", tmp_path, "--size", "20000x20000x500x1000", timeout=20)
    assert done.returncode == 1 and "GB free" in done.stderr


def test_server_demo_tells_of_a_busy_port_before_it_does_anything():
    with socket.create_server(("127.0.0.1", 0)) as busy:
        address = "127.0.0.1:%d" % busy.getsockname()[1]
        for arguments, environment in ((["--listen", address], {}), ([f"--listen={address}"], {}), ([], {"VIRGA_LISTEN": address})):
            done = subprocess.run([ROOT / "server" / "demo", *arguments], env={**os.environ, **environment}, capture_output=True, text=True, timeout=30)
            assert done.returncode == 1
            assert f"listens on {address} already" in done.stderr


def test_server_demo_explains_itself():
    done = subprocess.run([ROOT / "server" / "demo", "--help"], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0 and done.stdout.startswith("usage: server/demo")


def test_an_interrupt_ends_a_demo_within_a_moment(virga, tmp_path):
    process = subprocess.Popen([virga, "demo", "--out", str(tmp_path / "d"), "--size", "300x300x40x200", "--quiet"], env=clean_environment(tmp_path))
    wait_until(lambda: list((tmp_path / "d").glob("*.part")))
    process.send_signal(signal.SIGINT)
    process.wait(20)
    assert process.returncode != 0
    assert not list((tmp_path / "d").iterdir())
