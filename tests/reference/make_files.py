# SPDX-License-Identifier: Apache-2.0
"""Small CF forecasts of each kind that virga reads, with values from formulas that tests can repeat."""
import netCDF4
import numpy
import pyproj

EPOCH = "hours since 2026-01-01 00:00:00"


def field(shape, base=280.0):
    """A smooth field without symmetry, as float32."""
    k, j, i = numpy.meshgrid(*(numpy.arange(n) for n in shape), indexing="ij")
    return (base + 6 * numpy.sin(i / 5) + 4 * numpy.cos(j / 7 + 0.3) - 0.7 * k + 0.01 * i * j).astype("f4")


def times(file, count, start=6, run=0, calendar="standard"):
    file.createDimension("time", count)
    t = file.createVariable("time", "f8", ("time",))
    t.standard_name, t.units, t.calendar = "time", EPOCH, calendar
    t[:] = numpy.arange(count) + start
    r = file.createVariable("forecast_reference_time", "f8", ())
    r.standard_name, r.units, r.calendar = "forecast_reference_time", EPOCH, calendar
    r[...] = run


def axis(file, name, values, standard_name, units, **more):
    file.createDimension(name, len(values))
    a = file.createVariable(name, "f8", (name,))
    a.standard_name, a.units = standard_name, units
    a.setncatts(more)
    a[:] = values


def mapping(file, **attributes):
    file.createVariable("grid", "i4", ()).setncatts(attributes)


def rotated_axes(file, nx, ny):
    mapping(file, grid_mapping_name="rotated_latitude_longitude", grid_north_pole_latitude=37.5, grid_north_pole_longitude=177.5,
            north_pole_grid_longitude=0.0, earth_radius=6371229.0)
    axis(file, "grid_latitude", -1 + 0.1 * numpy.arange(ny), "grid_latitude", "degrees")
    axis(file, "grid_longitude", 359 + 0.1 * numpy.arange(nx), "grid_longitude", "degrees")
    return "grid_latitude", "grid_longitude"


def laea_axes(file, nx, ny):
    mapping(file, grid_mapping_name="lambert_azimuthal_equal_area", longitude_of_projection_origin=-2.5,
            latitude_of_projection_origin=54.9, false_easting=0.0, false_northing=0.0, semi_major_axis=6378137.0,
            semi_minor_axis=6356752.314140356)
    axis(file, "y", -20000 + 2000.0 * numpy.arange(ny), "projection_y_coordinate", "m")
    axis(file, "x", -30000 + 2000.0 * numpy.arange(nx), "projection_x_coordinate", "m")
    return "y", "x"


def plain_axes(file, nx, ny):
    axis(file, "latitude", 60 - 0.5 * numpy.arange(ny), "latitude", "degrees_north")  # north to south
    axis(file, "longitude", -10 + 0.5 * numpy.arange(nx), "longitude", "degrees_east")
    return "latitude", "longitude"


def temperature(file, dimensions, values, kind="f4", **attributes):
    fill = attributes.pop("_FillValue", None)
    v = file.createVariable("air_temperature", kind, dimensions, fill_value=fill)
    v.standard_name, v.units = "air_temperature", "K"
    if "grid" in file.variables:
        v.grid_mapping = "grid"
    v.setncatts(attributes)
    v.set_auto_maskandscale(False)
    v[:] = values
    return v


def hybrid_height(path, shape=(12, 21, 26), steps=2, run=0):
    """Rotated pole, hybrid height over hills, two hourly steps."""
    nz, ny, nx = shape
    with netCDF4.Dataset(path, "w") as file:
        times(file, steps, run + 6, run)
        y, x = rotated_axes(file, nx, ny)
        file.createDimension("level", nz)
        a = file.createVariable("level_height", "f4", ("level",))
        a.standard_name, a.units, a.positive = "atmosphere_hybrid_height_coordinate", "m", "up"
        a.formula_terms = "a: level_height b: sigma orog: surface_altitude"
        eta = (numpy.arange(nz) + 1) / nz
        a[:] = 20 + 9980 * eta ** 2
        b = file.createVariable("sigma", "f4", ("level",))
        b.units = "1"
        b[:] = numpy.maximum(0, 1 - eta) ** 2
        orog = file.createVariable("surface_altitude", "f4", (y, x))
        orog.standard_name, orog.units, orog.grid_mapping = "surface_altitude", "m", "grid"
        jj, ii = numpy.meshgrid(numpy.arange(ny), numpy.arange(nx), indexing="ij")
        orog[:] = 400 + 350 * numpy.sin(ii / 4.0) * numpy.cos(jj / 5.0)
        values = numpy.stack([field(shape) + t for t in range(steps)])
        temperature(file, ("time", "level", y, x), values, coordinates="level_height sigma surface_altitude forecast_reference_time")
    return path


def height_levels(path, shape=(7, 20, 33), steps=1, run=0):
    """LAEA, heights above the ground."""
    with netCDF4.Dataset(path, "w") as file:
        times(file, steps, run + 6, run)
        y, x = laea_axes(file, shape[2], shape[1])
        axis(file, "height", 10.0 * (numpy.arange(shape[0]) + 1) ** 2, "height", "m", positive="up")
        temperature(file, ("time", "height", y, x), numpy.stack([field(shape) + t for t in range(steps)]))
    return path


def pressure_levels(path, shape=(5, 19, 24), steps=1, run=0):
    """Longitude and latitude (north to south), pressure from the ground up."""
    with netCDF4.Dataset(path, "w") as file:
        times(file, steps, run + 6, run)
        y, x = plain_axes(file, shape[2], shape[1])
        axis(file, "pressure", numpy.array([1000.0, 850, 700, 500, 300])[:shape[0]], "air_pressure", "hPa", positive="down")
        temperature(file, ("time", "pressure", y, x), numpy.stack([field(shape) + t for t in range(steps)]))
    return path


def packed(path, shape=(5, 19, 24)):
    """int16 with scale, offset and missing values: the first two columns at the lowest level, and one whole corner."""
    with netCDF4.Dataset(path, "w") as file:
        times(file, 1)
        y, x = plain_axes(file, shape[2], shape[1])
        axis(file, "height", 100.0 * (numpy.arange(shape[0]) + 1), "height", "m", positive="up")
        stored = numpy.round((field(shape) - 280) / 0.01).astype("i2")
        stored[0, :, :2] = -32767
        stored[:, :6, -6:] = -32767
        temperature(file, ("time", "height", y, x), stored[None], "i2", scale_factor=0.01, add_offset=280.0, _FillValue=numpy.int16(-32767))
    return path


def around_the_globe(path, shape=(4, 19, 36)):
    """Longitudes 0 to 350: the gap between the last column and the first is inside."""
    with netCDF4.Dataset(path, "w") as file:
        times(file, 1)
        axis(file, "height", 100.0 * (numpy.arange(shape[0]) + 1), "height", "m", positive="up")
        axis(file, "latitude", -90 + 10.0 * numpy.arange(shape[1]), "latitude", "degrees_north")
        axis(file, "longitude", 10.0 * numpy.arange(shape[2]), "longitude", "degrees_east")
        temperature(file, ("time", "height", "latitude", "longitude"), field(shape)[None])
    return path


def ensemble(path, members=3, shape=(5, 19, 24)):
    """Members 0, 1, 2 that differ by 1 K each."""
    with netCDF4.Dataset(path, "w") as file:
        times(file, 1)
        y, x = plain_axes(file, shape[2], shape[1])
        axis(file, "realization", numpy.arange(members), "realization", "1")
        axis(file, "height", 100.0 * (numpy.arange(shape[0]) + 1), "height", "m", positive="up")
        temperature(file, ("time", "realization", "height", y, x), numpy.stack([field(shape) + m for m in range(members)])[None])
    return path


def surface(path, ny=20, nx=33):
    """A 2-D variable with NaN in a corner and no _FillValue."""
    with netCDF4.Dataset(path, "w") as file:
        times(file, 1)
        y, x = plain_axes(file, nx, ny)
        values = field((1, ny, nx))
        values[0, :5, :5] = numpy.nan
        temperature(file, ("time", y, x), values)
    return path


def columns(path, twin, order="yx", down=False):
    """The forecast of another file (LAEA, heights), without its projection and axes: with longitude and latitude of every column
    instead, stored in the order given, from the north down or from the south up."""
    with netCDF4.Dataset(twin) as of, netCDF4.Dataset(path, "w") as file:
        times(file, len(of.dimensions["time"]))
        axis(file, "height", of["height"][:], "height", "m", positive="up")
        crs = pyproj.Proj("+proj=laea +lat_0=54.9 +lon_0=-2.5 +a=6378137 +b=6356752.314140356")
        lon, lat = crs(*numpy.meshgrid(of["x"][:], of["y"][:]), inverse=True)
        stored = {name: len(of.dimensions[name]) for name in order}
        for name, count in stored.items():
            file.createDimension("index_" + name, count)
        dimensions = tuple("index_" + name for name in order)
        turn = (lambda a: a[..., ::-1, :]) if down else (lambda a: a)
        swap = (lambda a: a.swapaxes(-1, -2)) if order == "xy" else (lambda a: a)
        for name, values, units in (("lon", lon, "degrees_east"), ("lat", lat, "degrees_north")):
            v = file.createVariable(name, "f8", dimensions)
            v.units = units
            v[:] = swap(turn(values))
        temperature(file, ("time", "height", *dimensions), swap(turn(of["air_temperature"][:].filled(numpy.nan))), coordinates="lon lat")
    return path
