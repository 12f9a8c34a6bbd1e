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


def hybrid_height_levels(file, nz, top):
    """Levels up to `top` metres that follow the hills near the ground."""
    file.createDimension("level", nz)
    a = file.createVariable("level_height", "f4", ("level",))
    a.standard_name, a.units, a.positive = "atmosphere_hybrid_height_coordinate", "m", "up"
    a.formula_terms = "a: level_height b: sigma orog: surface_altitude"
    eta = (numpy.arange(nz) + 1) / nz
    a[:] = 20 + (top - 20) * eta ** 2
    b = file.createVariable("sigma", "f4", ("level",))
    b.units = "1"
    b[:] = numpy.maximum(0, 1 - eta) ** 2


def hybrid_height(path, shape=(12, 21, 26), steps=2, run=0):
    """Rotated pole, hybrid height over hills, two hourly steps."""
    nz, ny, nx = shape
    with netCDF4.Dataset(path, "w") as file:
        times(file, steps, run + 6, run)
        y, x = rotated_axes(file, nx, ny)
        hybrid_height_levels(file, nz, 10000)
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


# --- vertical coordinates of every kind --------------------------------------------------------------------------------

def on_levels(file, name, values, **attributes):
    v = file.createVariable(name, "f8", ("lev",))
    v.setncatts(attributes)
    v[:] = values
    return v


def plane(file, axes, name, values, **attributes):
    v = file.createVariable(name, "f8", axes)
    v.setncatts(attributes)
    v[:] = values


def constant(file, name, value, units):
    v = file.createVariable(name, "f8", ())
    v.units = units
    v[...] = value


def hills(ny, nx):
    jj, ii = numpy.meshgrid(numpy.arange(ny), numpy.arange(nx), indexing="ij")
    return 600 + 500 * numpy.sin(ii / 3.0) * numpy.cos(jj / 4.0), 300 * numpy.sin(ii / 7.0 + jj / 9.0)


def hybrid_coefficients(count):
    """a / p0 and b at the half levels, from the top down."""
    eta = numpy.linspace(0, 1, count + 1)
    b = numpy.clip((eta - 0.2) / 0.8, 0, 1) ** 1.7
    return (eta - b) * (0.9 + 0.1 * eta) * (eta > 0), b


def hybrid_pressure(file, axes, form, orography, pressure, shape):
    a, b = hybrid_coefficients(shape[0])
    lev = on_levels(file, "lev", numpy.arange(shape[0]) + 1, positive="down")
    full = [(v[1:] + v[:-1]) / 2 for v in (a, b)]
    if form == "habit":
        lev.setncatts({"units": "hybrid_sigma_pressure", "A_var": "hyam", "B_var": "hybm", "P0_var": "P0", "PS_var": "PS"})
        on_levels(file, "hyam", full[0])
        on_levels(file, "hybm", full[1])
        plane(file, axes, "PS", pressure, units="Pa")
        return
    name, scale = ("ap", 100000.0) if form in ("ap", "layers", "lnsp") else ("a", 1.0)
    surface = "lnsp" if form == "lnsp" else "ps"
    lev.standard_name = "atmosphere_hybrid_sigma_pressure_coordinate"
    lev.formula_terms = f"{name}: {name} b: b ps: {surface}" + (" p0: p0" if name == "a" else "")
    more = [{"bounds": "a_bnds"}, {"bounds": "b_bnds"}] if form == "layers" else [{}, {}]
    on_levels(file, name, full[0] * scale, units="Pa" if name == "ap" else "1", **more[0])
    on_levels(file, "b", full[1], units="1", **more[1])
    if name == "a":
        constant(file, "p0", 100000.0, "Pa")
    if form == "layers":
        file.createDimension("bnds", 2)
        for bounds, half in (("a_bnds", a * scale), ("b_bnds", b)):
            file.createVariable(bounds, "f8", ("lev", "bnds"))[:] = numpy.stack([half[:-1], half[1:]], axis=1)
    if form == "lnsp":
        plane(file, axes, "lnsp", numpy.log(pressure), units="1", long_name="logarithm of surface pressure")
        plane(file, axes, "z", orography * 9.80665, standard_name="surface_geopotential", units="m2 s-2")
    else:
        plane(file, axes, "ps", pressure, standard_name="surface_air_pressure", units="Pa")
        plane(file, axes, "orog", orography, standard_name="surface_altitude", units="m")


LEVEL_KINDS = ("ap", "a p0", "layers", "habit", "lnsp", "sigma", "ln_pressure", "sleve", "altitude", "air_pressure", "pressure")


def levels(path, kind, moist=True, shape=(9, 17, 22)):
    """A cloud field on levels of one of LEVEL_KINDS over hills, with temperature (and humidity) where heights follow from pressures."""
    nz, ny, nx = shape
    with netCDF4.Dataset(path, "w") as file:
        times(file, 1)
        axes = plain_axes(file, nx, ny)
        file.createDimension("lev", nz)
        orography, small = hills(ny, nx)
        pressure = 101325 * numpy.exp(-orography / 8200) + 300 * numpy.cos(numpy.arange(nx) / 5)
        down = numpy.linspace(0.05, 0.99, nz)
        if kind in ("ap", "a p0", "layers", "habit", "lnsp"):
            hybrid_pressure(file, axes, kind, orography, pressure, shape)
        else:
            plane(file, axes, "orog", orography, standard_name="surface_altitude", units="m")
        if kind in ("sigma", "air_pressure", "pressure"):
            plane(file, axes, "ps", pressure, standard_name="surface_air_pressure", units="Pa")
        if kind == "sigma":
            on_levels(file, "lev", down, standard_name="atmosphere_sigma_coordinate", formula_terms="sigma: lev ps: ps ptop: ptop")
            constant(file, "ptop", 20.0, "hPa")
        if kind == "ln_pressure":
            on_levels(file, "lev", 0.35 * numpy.arange(nz), standard_name="atmosphere_ln_pressure_coordinate", formula_terms="p0: p0 lev: lev")
            constant(file, "p0", 1000.0, "hPa")
        if kind == "sleve":
            on_levels(file, "lev", numpy.arange(nz), standard_name="atmosphere_sleve_coordinate",
                      formula_terms="a: a b1: b1 b2: b2 ztop: ztop zsurf1: orog zsurf2: small")
            on_levels(file, "a", 0.002 + (1 - down) ** 1.5)
            on_levels(file, "b1", down ** 2)
            on_levels(file, "b2", down ** 4)
            constant(file, "ztop", 18000.0, "m")
            plane(file, axes, "small", small, units="m")
        if kind in ("altitude", "air_pressure"):
            on_levels(file, "lev", numpy.arange(nz), standard_name="model_level_number", units="1")
            column = down[:, None, None]
            values = (1 - column) * 15000 + column ** 2 * orography + 10 if kind == "altitude" else 3000 + column * (pressure - 3000)
            plane(file, ("lev", *axes), "levels", values, standard_name=kind, units="m" if kind == "altitude" else "Pa")
        if kind == "pressure":
            on_levels(file, "lev", numpy.linspace(100, 1000, nz), standard_name="air_pressure", units="hPa")
        if kind in ("ap", "a p0", "layers", "habit", "lnsp", "sigma", "air_pressure", "pressure"):
            plane(file, ("lev", *axes), "ta", 210 + 80 * down[:, None, None] + 2 * field(shape, 0) / 10, standard_name="air_temperature", units="K")
            if moist:
                plane(file, ("lev", *axes), "hus", 0.012 * down[:, None, None] ** 3 + 0 * field(shape), standard_name="specific_humidity", units="1")
        cloud = file.createVariable("cloud", "f4", ("time", "lev", *axes))
        cloud.standard_name, cloud.units = "cloud_area_fraction_in_atmosphere_layer", "1"
        cloud[:] = (0.5 + 0.1 * (field(shape, 0) / 10))[None]
    return path
