# SPDX-License-Identifier: Apache-2.0
"""Axes of every habit: the value stored for a column is found at that column's place, and half-way between at the seams; and
what makes no grid of two axes is refused in words."""
import json
import math
import random

import netCDF4
import numpy
import pyproj
import pytest

GAUSSIAN = numpy.degrees(numpy.arcsin(numpy.polynomial.legendre.leggauss(32)[0]))
DATE_LINE = (numpy.arange(150, 211, 5.0) + 180) % 360 - 180
EVEN = numpy.arange(-20, 21, 5.0)

# name: (longitudes, latitudes, type, wraps)
AXES = {
    "0 to 360, both ends": (numpy.arange(0, 361, 10.0), EVEN, "f8", True),
    "-180 to 180, both ends": (numpy.arange(-180, 181, 10.0), EVEN, "f8", True),
    "0 to 350": (numpy.arange(0, 360, 10.0), EVEN, "f8", True),
    "350 down to 0": (numpy.arange(0, 360, 10.0)[::-1], EVEN[::-1], "f8", True),
    "360 down to 0, both ends": (numpy.arange(0, 361, 10.0)[::-1], EVEN, "f8", True),
    "float32 and no binary fraction": (numpy.arange(1080) / 3, EVEN, "f4", True),
    "T42": (numpy.arange(128) * 2.8125, GAUSSIAN[::-1], "f4", True),
    "T42 to six digits": (numpy.round(numpy.arange(128) * 2.8125, 2), numpy.round(GAUSSIAN, 3), "f8", True),
    "across the date line": (DATE_LINE, EVEN, "f8", False),
    "across the date line, down": (DATE_LINE[::-1], EVEN[::-1], "f4", False),
    "west of Greenwich in 0 to 360": (numpy.arange(340, 381, 4.0) % 360, EVEN, "f4", False),
    "poles": (numpy.arange(0, 360, 30.0), numpy.linspace(-90, 90, 19), "f4", True),
    "rows just off the poles": (numpy.arange(0, 360, 30.0), numpy.linspace(-89.5, 89.5, 180), "f8", True),
    "poles by a hair": (numpy.arange(0, 360, 30.0), numpy.linspace(-90.0000005, 90.0000005, 19), "f8", True),
    "uneven": (numpy.array([0, 1, 3, 6, 10, 15.0]), numpy.array([50, 50.5, 52, 55.0]), "f8", False),
    "one column": (numpy.array([10.0]), EVEN, "f8", False),
    "one row": (numpy.arange(0, 50, 5.0), numpy.array([47.0]), "f8", False),
    "one place": (numpy.array([10.0]), numpy.array([47.0]), "f8", False),
}


def write(path, lon, lat, kind, order=("y", "x")):
    values = 250 + numpy.arange(len(lat) * len(lon)).reshape(len(lat), len(lon)) % 97
    with netCDF4.Dataset(path, "w") as file:
        for name, axis, units in (("x", lon, "degrees_east"), ("y", lat, "degrees_north")):
            file.createDimension(name, len(axis))
            v = file.createVariable(name, kind, (name,))
            v.units = units
            v[:] = axis
        v = file.createVariable("t", "f4", order)
        v.units = "K"
        v[:] = values if order == ("y", "x") else values.T
    return values


def sample(run, tmp_path, path, places):
    (tmp_path / "places.txt").write_text("".join(f"{lon!r} {lat!r}\n" for lon, lat in places))
    done = run("sample", path, "--variable", "t", "--time", "T+0", "--json", "--places", tmp_path / "places.txt")
    assert done.returncode == 0, done.stderr
    return [answer["source"] for answer in json.loads(done.stdout)]


@pytest.mark.parametrize("name", AXES)
def test_every_column_is_at_its_place(run, tmp_path, name):
    lon, lat, kind, wraps = AXES[name]
    path = tmp_path / "a.nc"
    order = ("x", "y") if len(name) % 2 else ("y", "x")
    values = write(path, lon, lat, kind, order)
    grid = json.loads(run("info", "--json", path).stdout)["datasets"][0]["grid"]
    repeated = wraps and abs(abs(lon[-1] - lon[0]) - 360) < 1e-9
    assert grid["wraps"] == wraps and grid["nx"] == len(lon) - repeated and grid["ny"] == len(lat)
    dice = random.Random(name)
    columns = [(dice.randrange(len(lon)), dice.randrange(len(lat))) for _ in range(60)]
    shown = [(i, j) for i, j in columns if not (repeated and i == (0 if lon[0] > lon[-1] else len(lon) - 1))]
    stored = lambda axis, n: float(numpy.asarray(axis[n], kind))
    places = [(stored(lon, i) + dice.choice((-360, 0, 360)), min(90.0, max(-90.0, stored(lat, j)))) for i, j in shown]
    for (i, j), place, value in zip(shown, places, sample(run, tmp_path, path, places)):
        # what an axis of float32 may be off its even steps, times the difference to the neighbours
        slack = 0.2 if kind == "f4" or "digits" in name else 1e-3
        assert value == pytest.approx(values[j, i], abs=slack), (i, j, place)


@pytest.mark.parametrize("name", [name for name, axes in AXES.items() if axes[3]])
def test_the_seam_is_inside(run, tmp_path, name):
    lon, lat, kind, _ = AXES[name]
    path = tmp_path / "a.nc"
    write(path, lon, lat, kind)
    with netCDF4.Dataset(path, "a") as file:
        file["t"][:] = 280 + 10 * numpy.cos(numpy.radians(lon))[None, :] + 0 * lat[:, None]  # the same on both sides
    step = 360 / len(numpy.unique(numpy.round(lon % 360, 3)))
    first = min(lon)
    places = [(first - step * share, float(lat[len(lat) // 2])) for share in (0.001, 0.25, 0.5, 0.75, 0.999)]
    for (at, _), value in zip(places, sample(run, tmp_path, path, places)):
        assert value is not None and abs(value - (280 + 10 * math.cos(math.radians(at)))) < 10 * (1 - math.cos(math.radians(step / 2))) + 2e-3, at


def test_what_lies_outside_is_outside(run, tmp_path):
    write(tmp_path / "a.nc", *AXES["across the date line"][:3])
    assert sample(run, tmp_path, tmp_path / "a.nc", [(149.9, 0), (-149.9, 0), (180, 20.1), (0, 0)]) == [None] * 4
    write(tmp_path / "b.nc", *AXES["rows just off the poles"][:3])
    assert sample(run, tmp_path, tmp_path / "b.nc", [(0, 89.9), (0, -90)]) == [None, None]


# --- what is no grid ---------------------------------------------------------------------------------------------------


def mesh(file):
    file.createDimension("nface", 20)
    file.createVariable("mesh", "i4", ()).setncatts({"cf_role": "mesh_topology", "topology_dimension": 2, "node_coordinates": "x y"})
    v = file.createVariable("t", "f4", ("level", "nface"))
    v.setncatts({"units": "K", "mesh": "mesh", "location": "face"})


def icon(file):
    file.createDimension("cell", 20)
    for name, standard_name in (("clon", "longitude"), ("clat", "latitude")):
        file.createVariable(name, "f8", ("cell",)).setncatts({"standard_name": standard_name, "units": "radian"})
    file.createVariable("t", "f4", ("level", "cell")).setncatts({"units": "K", "coordinates": "clat clon", "CDI_grid_type": "unstructured"})


def stations(file):
    file.featureType = "timeSeries"
    file.createDimension("station", 20)
    for name, units in (("lon", "degrees_east"), ("lat", "degrees_north")):
        file.createVariable(name, "f8", ("station",)).units = units
    file.createVariable("t", "f4", ("level", "station")).setncatts({"units": "K", "coordinates": "lat lon"})


def reduced(file):
    file.createDimension("reduced_points", 20)
    for name, units in (("lon", "degrees_east"), ("lat", "degrees_north")):
        file.createVariable(name, "f8", ("reduced_points",)).units = units
    file.createVariable("t", "f4", ("level", "reduced_points")).units = "K"


def cubed(file):
    for name, length in (("nf", 6), ("Ydim", 4), ("Xdim", 4)):
        file.createDimension(name, length)
    for name, units in (("lons", "degrees_east"), ("lats", "degrees_north")):
        file.createVariable(name, "f8", ("nf", "Ydim", "Xdim")).units = units
    file.createVariable("t", "f4", ("level", "nf", "Ydim", "Xdim")).setncatts({"units": "K", "coordinates": "lons lats"})


@pytest.mark.parametrize("make,words", ((mesh, "unstructured mesh (UGRID, mesh)"), (icon, "an unstructured mesh"), (stations, "stations, profiles or a track"),
                                        (reduced, "a reduced Gaussian grid"), (cubed, "6 tiles (dimension nf)")), ids=lambda a: getattr(a, "__name__", ""))
def test_what_makes_no_grid_says_why(run, tmp_path, make, words):
    with netCDF4.Dataset(tmp_path / "a.nc", "w") as file:
        file.createDimension("level", 3)
        v = file.createVariable("level", "f8", ("level",))
        v.units, v.positive = "hPa", "down"
        v[:] = [1000, 850, 500]
        make(file)
    done = run("info", tmp_path / "a.nc")
    assert done.returncode != 0 and words in done.stderr and done.stderr.count("a.nc") == 1, done.stderr


# --- awkward files of others -------------------------------------------------------------------------------------------


def corners_of(run, path):
    done = run("info", "--json", path)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["datasets"][0]["grid"]


def check_corners(grid, places):
    for (lon, lat), (other_lon, other_lat) in zip(grid["corners"], places):
        assert abs(math.remainder(lon - other_lon, 360)) < 1e-5 and abs(lat - other_lat) < 1e-5, (grid["corners"], places)


@pytest.mark.parametrize("name,variable,crs", (
    ("nc_lonwrap.nc", "Band1", None), ("netcdf-4d.nc", "t", None), ("reduce-cgcms.nc", "tas", None),
    ("actual_range_with_order_different_than_latitude.nc", "CRW_HOTSPOT", None),
    ("bad_x_y_actual_range.nc", "Band1", "transverse_mercator"), ("expanded_form_of_grid_mapping.nc", "temp", "crsOSGB"),
    ("rotated_pole.nc", "tg", {"grid_mapping_name": "rotated_latitude_longitude", "grid_north_pole_longitude": -162.0, "grid_north_pole_latitude": 39.25,
                               "earth_radius": 6367470.0})))
def test_awkward_files_stand_where_they_say(run, hostile, name, variable, crs):
    path = hostile / "gdal_autotest" / name
    with netCDF4.Dataset(path) as file:
        file.set_auto_maskandscale(False)
        y, x = (numpy.sort(file[d][:].astype(float)) for d in file[variable].dimensions[-2:])
        if name == "nc_lonwrap.nc":
            x = numpy.array([-1, 1.5, 4])
        attributes = crs if not isinstance(crs, str) else {key: file[crs].getncattr(key) for key in file[crs].ncattrs() if key != "crs_wkt"}
    places = [(x[0], y[0]), (x[-1], y[0]), (x[-1], y[-1]), (x[0], y[-1])]
    if attributes:
        own = pyproj.CRS.from_cf(attributes)
        turn = pyproj.Transformer.from_crs(own, own.source_crs or own.geodetic_crs, always_xy=True)
        places = [turn.transform(*place) for place in places]
    grid = corners_of(run, path)
    check_corners(grid, places)
    assert (grid["nx"], grid["ny"]) == (len(x), len(y))
    assert grid["wraps"] == (name == "reduce-cgcms.nc")


def test_regional_climate_model_columns(run, tmp_path, hostile):
    """Two-dimensional longitude and latitude, transposed; on levels of our own, for the file does not tell where its are."""
    with netCDF4.Dataset(hostile / "odd_model_data" / "u.89335.1_subset_time361.nc") as of, netCDF4.Dataset(tmp_path / "a.nc", "w") as file:
        lon, lat, u = of["lon"][:], of["lat"][:], of["u"][:].filled(numpy.nan)  # (xcoord, ycoord)
        for name, length in (("height", u.shape[0]), ("xcoord", u.shape[1]), ("ycoord", u.shape[2])):
            file.createDimension(name, length)
        for name, values, dimensions, units in (("height", 15000 * (1 - of["sigma"][:]) + 10, ("height",), "m"), ("lon", lon, ("xcoord", "ycoord"), "degrees_east"),
                                                ("lat", lat, ("xcoord", "ycoord"), "degrees_north"), ("t", u, ("height", "xcoord", "ycoord"), "m s-1")):
            v = file.createVariable(name, "f4", dimensions)
            v.units = units
            v[:] = values
        file["t"].coordinates = "lat lon"
    grid = corners_of(run, tmp_path / "a.nc")
    assert grid["proj"] is None and (grid["nx"], grid["ny"]) == lon.shape
    check_corners(grid, [(lon[0, 0], lat[0, 0]), (lon[-1, 0], lat[-1, 0]), (lon[-1, -1], lat[-1, -1]), (lon[0, -1], lat[0, -1])])
    dice = random.Random(5)
    columns = [(dice.randrange(lon.shape[0]), dice.randrange(lon.shape[1])) for _ in range(40)]
    (tmp_path / "places.txt").write_text("".join(f"{float(lon[i, j])!r} {float(lat[i, j])!r} 20\n" for i, j in columns))
    done = run("sample", tmp_path / "a.nc", "--variable", "t", "--time", "T+0", "--json", "--places", tmp_path / "places.txt")
    for (i, j), answer in zip(columns, json.loads(done.stdout)):
        expected = u[-1, i, j]  # the lowest level holds down to the ground
        if math.isnan(expected):
            assert answer["source"] is None
        else:
            assert answer["source"] == pytest.approx(expected, abs=1e-3)
