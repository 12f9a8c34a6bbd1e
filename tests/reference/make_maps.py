# SPDX-License-Identifier: Apache-2.0
"""Forecasts for maps, one a grid that maps find hard: temperatures in waves so steep that half a pixel shows, a hole in each, two hours apart.

    paths = make_maps.every(folder)     {name of GRIDS: path}
Each has surface_temperature (time, y, x), which the program's presets colour from 250 to 320 K; the globe has air_temperature on levels of
pressure too, and the wind at 10 m.
"""
import netCDF4
import numpy

import make_files
from map_reference import Colours

SURFACE, LOW, HIGH = "surface_temperature", 250.0, 320.0
LEVELS = numpy.array([1000.0, 850.0, 500.0, 250.0])  # hPa
HOURS = (6, 7, 8)


def colours(**more):
    """Those of surface_temperature as the program has them."""
    return Colours("temperature", LOW, HIGH, **more)


def waves(ny, nx, rows, columns, hour=0.0, base=285.0):
    """A crest every so many rows and columns, slanting, that moves by the hour; a hole off the middle."""
    j, i = numpy.meshgrid(numpy.arange(ny), numpy.arange(nx), indexing="ij")
    values = base + 33 * numpy.sin(2 * numpy.pi * (i / columns + j / (3 * rows) + hour / 12)) * numpy.cos(2 * numpy.pi * j / rows + 0.4)
    hole = ((i - 0.35 * nx) / (0.08 * nx)) ** 2 + ((j - 0.6 * ny) / (0.07 * ny)) ** 2 < 1
    return numpy.where(hole, numpy.nan, values)


def globe(file, run):
    """One degree, longitudes from 0, rows from the north; no row on the poles."""
    make_files.axis(file, "latitude", 89.5 - numpy.arange(180), "latitude", "degrees_north")
    make_files.axis(file, "longitude", numpy.arange(360.0), "longitude", "degrees_east")
    make_files.axis(file, "pressure", LEVELS, "air_pressure", "hPa", positive="down")
    make_files.temperature(file, ("time", "pressure", "latitude", "longitude"), numpy.stack([
        [waves(180, 360, 30, 40 - 3 * k, hour + run,
               280 - 12 * k) for k in range(len(LEVELS))] for hour in HOURS]).astype("f4"))
    for name, quarter in (("eastward_wind", 0), ("northward_wind", 3)):
        v = file.createVariable(name, "f4", ("time", "latitude", "longitude"))
        v.standard_name, v.units = name, "m s-1"
        v[:] = numpy.stack([waves(180, 360, 45, 60, hour + quarter, 5.0) for hour in HOURS])
    return "latitude", "longitude", 30, 40


def date_line(file, _):
    make_files.axis(file, "latitude", -50 + 0.5 * numpy.arange(61), "latitude", "degrees_north")
    make_files.axis(file, "longitude", 160 + 0.5 * numpy.arange(91), "longitude", "degrees_east")
    return "latitude", "longitude", 22, 26


def rotated(file, _):
    return *make_files.rotated_axes(file, 120, 90), 26, 30


def lambert(file, _):
    make_files.mapping(file, grid_mapping_name="lambert_conformal_conic", standard_parallel=[30.0, 60.0],
                       longitude_of_central_meridian=-97.0,
                       latitude_of_projection_origin=39.0, false_easting=0.0, false_northing=0.0,
                       earth_radius=6370000.0)
    make_files.axis(file, "y", -900000 + 20000.0 * numpy.arange(91), "projection_y_coordinate", "m")
    make_files.axis(file, "x", -1200000 + 20000.0 * numpy.arange(121), "projection_x_coordinate", "m")
    return "y", "x", 26, 30


def polar(file, _):
    """The North Pole is inside, between columns."""
    make_files.mapping(file, grid_mapping_name="polar_stereographic", standard_parallel=70.0,
                       straight_vertical_longitude_from_pole=-45.0,
                       latitude_of_projection_origin=90.0, false_easting=0.0, false_northing=0.0,
                       semi_major_axis=6378137.0,
                       inverse_flattening=298.257223563)
    make_files.axis(file, "y", -2010000 + 40000.0 * numpy.arange(101), "projection_y_coordinate", "m")
    make_files.axis(file, "x", -1990000 + 40000.0 * numpy.arange(101), "projection_x_coordinate", "m")
    return "y", "x", 28, 32


GRIDS = {grid.__name__: grid for grid in (globe, date_line, rotated, lambert, polar)}


def write(path, name, run=0):
    """A forecast on one of GRIDS, of a run so many hours after the first."""
    with netCDF4.Dataset(path, "w") as file:
        file.title, file.source = name, name
        make_files.times(file, len(HOURS), run + HOURS[0], run)
        y, x, rows, columns = GRIDS[name](file, run)
        ny, nx = len(file.dimensions[y]), len(file.dimensions[x])
        v = file.createVariable(SURFACE, "f4", ("time", y, x), fill_value=numpy.float32(-9999))
        v.standard_name, v.units = SURFACE, "K"
        if "grid" in file.variables:
            v.grid_mapping = "grid"
        values = numpy.stack([waves(ny, nx, rows, columns, hour + run) for hour in HOURS])
        v[:] = numpy.where(numpy.isnan(values), numpy.float32(-9999), values)
    return path


def every(folder, names=tuple(GRIDS)):
    return {name: write(folder / f"{name}.nc", name) for name in names}
