# SPDX-License-Identifier: Apache-2.0
"""Every CF grid mapping, by name or by text, against pyproj's own understanding of the same attributes; and odd axes."""
import json
import math

import netCDF4
import numpy
import pyproj
import pytest

SPHERE = {"earth_radius": 6371229.0}
WGS84 = {"semi_major_axis": 6378137.0, "inverse_flattening": 298.257223563}
AIRY = {"semi_major_axis": 6377563.396, "semi_minor_axis": 6356256.909}
LCC = {"grid_mapping_name": "lambert_conformal_conic", "longitude_of_central_meridian": 10.0, "latitude_of_projection_origin": 45.0}
POLAR = {"grid_mapping_name": "polar_stereographic", "straight_vertical_longitude_from_pole": -45.0}
GEOS = {"grid_mapping_name": "geostationary", "longitude_of_projection_origin": -75.0, "latitude_of_projection_origin": 0.0,
        "perspective_point_height": 35786023.0, "semi_major_axis": 6378137.0, "semi_minor_axis": 6356752.31414}
ORIGIN = {"longitude_of_projection_origin": 20.0, "latitude_of_projection_origin": 40.0}
METRES = (numpy.array([-4e5, -1e5, 2e5, 5e5]), numpy.array([-3e5, 0, 3e5]))

# name: (attributes, axes in metres)
MAPPINGS = {
    "lcc one parallel": ({**LCC, "standard_parallel": 45.0, **SPHERE}, METRES),
    "lcc two parallels": ({**LCC, "standard_parallel": [30.0, 60.0], **WGS84}, METRES),
    "lcc false origin": ({**LCC, "standard_parallel": [30.0, 60.0], "false_easting": 1e5, "false_northing": -2e5, **SPHERE}, METRES),
    "lcc south": ({**LCC, "standard_parallel": [-30.0, -60.0], "latitude_of_projection_origin": -45.0, **SPHERE}, METRES),
    "aea": ({"grid_mapping_name": "albers_conical_equal_area", "standard_parallel": [29.5, 45.5], "longitude_of_central_meridian": -96.0,
             "latitude_of_projection_origin": 23.0, **WGS84}, METRES),
    "laea": ({"grid_mapping_name": "lambert_azimuthal_equal_area", **ORIGIN, **WGS84}, METRES),
    "aeqd": ({"grid_mapping_name": "azimuthal_equidistant", **ORIGIN, **WGS84}, METRES),
    "ortho sphere": ({"grid_mapping_name": "orthographic", **ORIGIN, **SPHERE}, METRES),
    "ortho ellipsoid": ({"grid_mapping_name": "orthographic", **ORIGIN, **WGS84}, METRES),
    "polar true at 60": ({**POLAR, "latitude_of_projection_origin": 90.0, "standard_parallel": 60.0, **SPHERE}, METRES),
    "polar ellipsoid": ({**POLAR, "latitude_of_projection_origin": 90.0, "standard_parallel": 70.0, **WGS84}, METRES),
    "polar south": ({**POLAR, "latitude_of_projection_origin": -90.0, "standard_parallel": -71.0, **WGS84}, METRES),
    "polar scale": ({**POLAR, "latitude_of_projection_origin": 90.0, "scale_factor_at_projection_origin": 0.93, **SPHERE}, METRES),
    "stereographic": ({"grid_mapping_name": "stereographic", **ORIGIN, "scale_factor_at_projection_origin": 0.9999, **SPHERE}, METRES),
    "mercator parallel": ({"grid_mapping_name": "mercator", "longitude_of_projection_origin": 10.0, "standard_parallel": 20.0, **WGS84}, METRES),
    "mercator scale": ({"grid_mapping_name": "mercator", "longitude_of_projection_origin": 10.0, "scale_factor_at_projection_origin": 0.9, **SPHERE}, METRES),
    "tmerc": ({"grid_mapping_name": "transverse_mercator", "longitude_of_central_meridian": -2.0, "latitude_of_projection_origin": 49.0,
               "scale_factor_at_central_meridian": 0.9996012717, "false_easting": 4e5, "false_northing": -1e5, **AIRY}, METRES),
    "omerc": ({"grid_mapping_name": "oblique_mercator", "azimuth_of_central_line": 53.3158, "latitude_of_projection_origin": 4.0,
               "longitude_of_projection_origin": 115.0, "scale_factor_at_projection_origin": 0.99984, "false_easting": 590476.87,
               "false_northing": 442857.65, **WGS84}, METRES),
    "cea parallel": ({"grid_mapping_name": "lambert_cylindrical_equal_area", "longitude_of_central_meridian": 20.0, "standard_parallel": 30.0, **WGS84}, METRES),
    "sinusoidal": ({"grid_mapping_name": "sinusoidal", "longitude_of_projection_origin": 20.0, **SPHERE}, METRES),
    "geostationary x": ({**GEOS, "sweep_angle_axis": "x"}, METRES),
    "geostationary y": ({**GEOS, "sweep_angle_axis": "y"}, METRES),
    "geostationary fixed": ({**GEOS, "fixed_angle_axis": "y"}, METRES),
    "vertical perspective": ({"grid_mapping_name": "vertical_perspective", **ORIGIN, "perspective_point_height": 3.5e7, **SPHERE}, METRES),
    "rotated": ({"grid_mapping_name": "rotated_latitude_longitude", "grid_north_pole_latitude": 39.25, "grid_north_pole_longitude": -162.0, **SPHERE},
                (numpy.array([-35.25, -10, 0, 24.59]), numpy.array([-23.65, 0, 23.43]))),
    "rotated twice": ({"grid_mapping_name": "rotated_latitude_longitude", "grid_north_pole_latitude": 30.0, "grid_north_pole_longitude": 100.0,
                       "north_pole_grid_longitude": 25.0, **SPHERE}, (numpy.array([-35.25, -10, 0, 24.59]), numpy.array([-23.65, 0, 23.43]))),
    "by ellipsoid name": ({**LCC, "standard_parallel": 45.0, "reference_ellipsoid_name": "Bessel 1841"}, METRES),
}


def write(path, attributes, axes, units=("m", "m"), scale=1.0, standard_name="projection_{}_coordinate"):
    with netCDF4.Dataset(path, "w") as file:
        file.createVariable("crs", "i4", ()).setncatts(attributes)
        for name, values, unit in zip("xy", axes, units):
            file.createDimension(name, len(values))
            v = file.createVariable(name, "f8", (name,))
            v.units, v.standard_name = unit, standard_name.format(name)
            v[:] = values * scale
        v = file.createVariable("t", "f4", ("y", "x"))
        v.units, v.grid_mapping = "K", "crs"
        v[:] = 280
    return path


def corners(run, path):
    done = run("info", "--json", path)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["datasets"][0]["grid"]


def expected(crs, axes):
    to_lonlat = pyproj.Transformer.from_crs(crs, crs.source_crs or crs.geodetic_crs, always_xy=True)
    (x, y) = axes
    return [to_lonlat.transform(*place) for place in ((x[0], y[0]), (x[-1], y[0]), (x[-1], y[-1]), (x[0], y[-1]))]


def same_places(grid, places, tolerance=1e-7):
    for (lon, lat), (other_lon, other_lat) in zip(grid["corners"], places):
        assert math.isfinite(other_lon)
        assert abs(math.remainder(lon - other_lon, 360)) * math.cos(math.radians(lat)) < tolerance and abs(lat - other_lat) < tolerance, (grid, places)


@pytest.mark.parametrize("name", MAPPINGS)
def test_grid_mappings_agree_with_pyproj(run, tmp_path, name):
    attributes, axes = MAPPINGS[name]
    angular = attributes["grid_mapping_name"].startswith("rotated")
    path = write(tmp_path / "a.nc", attributes, axes, ("degrees", "degrees") if angular else ("m", "m"))
    crs = pyproj.CRS.from_cf(attributes)
    if name == "omerc":  # CF has no angle of the rectified grid: PROJ's own default, where pyproj writes 0
        crs = pyproj.CRS("+proj=omerc +lat_0=4 +lonc=115 +alpha=53.3158 +k_0=0.99984 +x_0=590476.87 +y_0=442857.65 +ellps=WGS84")
    same_places(corners(run, path), expected(crs, axes))


@pytest.mark.parametrize("name", [name for name in MAPPINGS if not name.startswith(("geostationary fixed", "vertical"))])
@pytest.mark.filterwarnings("ignore")  # pyproj's, on what a language cannot say
@pytest.mark.parametrize("language", ("WKT1_GDAL", "WKT2_2019", "PROJ"))
def test_text_alone_is_understood_or_refused(run, tmp_path, name, language):
    """A variable with nothing but the text of its reference system."""
    attributes, axes = MAPPINGS[name]
    crs = pyproj.CRS.from_cf(attributes)
    try:
        text = crs.to_proj4() if language == "PROJ" else crs.to_wkt(language)
    except pyproj.exceptions.CRSError:
        pytest.skip("pyproj has no such text")
    if not text:
        pytest.skip("pyproj has no such text")
    angular = name.startswith("rotated")
    path = write(tmp_path / "a.nc", {"proj4" if language == "PROJ" else "crs_wkt": text}, axes, ("degrees", "degrees") if angular else ("m", "m"))
    same_places(corners(run, path), expected(crs, axes))


def test_kilometres_and_their_false_origin(run, tmp_path):
    attributes, axes = MAPPINGS["lcc false origin"]
    in_km = {**attributes, "false_easting": 100.0, "false_northing": -200.0}
    path = write(tmp_path / "a.nc", in_km, axes, ("km", "km"), 1e-3)
    same_places(corners(run, path), expected(pyproj.CRS.from_cf(attributes), axes))


@pytest.mark.parametrize("units,per_metre", (("rad", 1 / 35786023.0), ("microradian", 1e6 / 35786023.0), ("degree", math.degrees(1 / 35786023.0))))
def test_scan_angles(run, tmp_path, units, per_metre):
    attributes, axes = MAPPINGS["geostationary x"]
    path = write(tmp_path / "a.nc", attributes, axes, (units, units), per_metre, "projection_{}_angular_coordinate")
    same_places(corners(run, path), expected(pyproj.CRS.from_cf(attributes), axes), 1e-6)


def test_a_prime_meridian_other_than_greenwich(run, tmp_path):
    attributes, axes = {**LCC, "longitude_of_central_meridian": 0.0, "standard_parallel": 46.8, "latitude_of_projection_origin": 46.8, **WGS84}, METRES
    paris = 2.337229166666667
    greenwich = expected(pyproj.CRS.from_cf({**attributes, "longitude_of_central_meridian": paris}), axes)
    for more in ({"longitude_of_prime_meridian": paris}, {"prime_meridian_name": "Paris"}):
        same_places(corners(run, write(tmp_path / "a.nc", {**attributes, **more}, axes)), greenwich)
    plain = {"grid_mapping_name": "latitude_longitude", "longitude_of_prime_meridian": paris, **WGS84}
    degrees = (numpy.array([0.0, 1, 2]), numpy.array([45.0, 46, 47]))
    grid = corners(run, write(tmp_path / "b.nc", plain, degrees, ("degrees_east", "degrees_north"), 1, "{}"))
    same_places(grid, [(paris, 45), (paris + 2, 45), (paris + 2, 47), (paris, 47)])


def test_mercator_across_its_own_cut(run, tmp_path):
    attributes = {"grid_mapping_name": "mercator", "longitude_of_projection_origin": 0.0, "standard_parallel": 0.0, **SPHERE}
    degree = 6371229 * math.pi / 180
    axes = (numpy.arange(170, 191, 2.0) * degree, numpy.arange(-5, 6, 1.0) * degree)
    path = write(tmp_path / "a.nc", attributes, axes)
    for lon in (171, 179.5, 180, -179, -171):
        done = run("sample", path, "--variable", "t", "--time", "T+0", "--lon", str(lon), "--lat", "0.3", "--json")
        assert json.loads(done.stdout)[0]["source"] == 280 if done.stdout.lstrip().startswith("[") else json.loads(done.stdout)["source"] == 280, lon


@pytest.mark.parametrize("attributes,words", (
    ({"grid_mapping_name": "mollweide"}, "not one that can be placed"),
    ({"long_name": "no name"}, "no grid_mapping_name"),
    ({"crs_wkt": "PROJCS[\"x\",GEOGCS[\"y\",DATUM[\"z\",SPHEROID[\"s\",6378137,298]]],PROJECTION[\"Krovak\"]]"}, "no grid_mapping_name"),
    ({"crs_wkt": "PROJCS[" * 5000}, "no grid_mapping_name"),
    ({"proj4": "+proj=pipeline +step +proj=lcc"}, "no grid_mapping_name"),
    ({**LCC, "standard_parallel": [45.0, -45.0]}, "opposite"),
    ({**LCC}, "standard_parallel is absent"),
    ({**POLAR, "latitude_of_projection_origin": 50.0}, "no pole"),
    ({**GEOS, "perspective_point_height": 0.0}, "perspective_point_height"),
))
def test_mappings_that_cannot_be_used_say_why(run, tmp_path, attributes, words):
    done = run("info", write(tmp_path / "a.nc", attributes, METRES))
    assert done.returncode != 0 and words in done.stderr, done.stderr
