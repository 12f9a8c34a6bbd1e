# SPDX-License-Identifier: Apache-2.0
"""Small files as WRF writes them, in each of its projections. Places come from the spherical formulas themselves (Snyder 1987, and
a rotation in space for the rotated pole), not from PROJ."""
import netCDF4
import numpy

RADIUS = 6370000.0
G = 9.81
STEP = 12000.0


def lambert(x, y, attributes):
    one, two = numpy.radians(attributes["TRUELAT1"]), numpy.radians(attributes["TRUELAT2"])
    quarter = numpy.pi / 4
    n = numpy.sin(one) if one == two else numpy.log(numpy.cos(one) / numpy.cos(two)) / numpy.log(numpy.tan(quarter + two / 2) / numpy.tan(quarter + one / 2))
    f = numpy.cos(one) * numpy.tan(quarter + one / 2) ** n / n
    rho0 = RADIUS * f / numpy.tan(quarter + numpy.radians(attributes["MOAD_CEN_LAT"]) / 2) ** n
    sign = numpy.sign(n)
    rho = sign * numpy.hypot(x, rho0 - y)
    theta = numpy.arctan2(sign * x, sign * (rho0 - y))
    return attributes["STAND_LON"] + numpy.degrees(theta / n), numpy.degrees(2 * numpy.arctan((RADIUS * f / rho) ** (1 / n)) - numpy.pi / 2)


def polar(x, y, attributes):
    sign = numpy.sign(attributes["TRUELAT1"])
    c = 2 * numpy.arctan(numpy.hypot(x, y) / (RADIUS * (1 + numpy.sin(numpy.radians(abs(attributes["TRUELAT1"]))))))
    return attributes["STAND_LON"] + numpy.degrees(numpy.arctan2(x, -sign * y)), sign * (90 - numpy.degrees(c))


def mercator(x, y, attributes):
    k = RADIUS * numpy.cos(numpy.radians(attributes["TRUELAT1"]))
    return attributes["STAND_LON"] + numpy.degrees(x / k), numpy.degrees(numpy.arctan(numpy.sinh(y / k)))


def plain(x, y, attributes):
    return x, y


def rotated(x, y, attributes):
    """The equator of the rotated grid goes through the centre of the domain."""
    lat0, lon0 = numpy.radians(90 - attributes["POLE_LAT"]), numpy.radians(-attributes["STAND_LON"])
    lon, lat = numpy.radians(x), numpy.radians(y)
    p = numpy.stack([numpy.cos(lat) * numpy.cos(lon), numpy.cos(lat) * numpy.sin(lon), numpy.sin(lat)])
    tilt = numpy.array([[numpy.cos(lat0), 0, -numpy.sin(lat0)], [0, 1, 0], [numpy.sin(lat0), 0, numpy.cos(lat0)]])
    turn = numpy.array([[numpy.cos(lon0), -numpy.sin(lon0), 0], [numpy.sin(lon0), numpy.cos(lon0), 0], [0, 0, 1]])
    p = numpy.einsum("ab,bji->aji", turn @ tilt, p)
    return numpy.degrees(numpy.arctan2(p[1], p[0])), numpy.degrees(numpy.arcsin(p[2]))


# name: inverse projection, x and y of the south-west mass point, step, attributes
PROJECTIONS = {
    "lambert": (lambert, (-40000, 25000), STEP, dict(MAP_PROJ=1, TRUELAT1=30.0, TRUELAT2=60.0, STAND_LON=-98.0, MOAD_CEN_LAT=39.0)),
    "lambert_one_parallel": (lambert, (300000, -70000), STEP, dict(MAP_PROJ=1, TRUELAT1=45.0, TRUELAT2=45.0, STAND_LON=10.0, MOAD_CEN_LAT=45.0)),
    "lambert_south": (lambert, (-40000, -25000), STEP, dict(MAP_PROJ=1, TRUELAT1=-25.0, TRUELAT2=-50.0, STAND_LON=140.0, MOAD_CEN_LAT=-35.0)),
    "polar_over_the_pole": (polar, (-50000, -40000), STEP, dict(MAP_PROJ=2, TRUELAT1=70.0, STAND_LON=25.0, MOAD_CEN_LAT=90.0)),
    "polar_south": (polar, (400000, 900000), STEP, dict(MAP_PROJ=2, TRUELAT1=-71.0, STAND_LON=-170.0, MOAD_CEN_LAT=-80.0)),
    "mercator": (mercator, (100000, 2000000), STEP, dict(MAP_PROJ=3, TRUELAT1=20.0, STAND_LON=-60.0, MOAD_CEN_LAT=18.0)),
    "mercator_date_line": (mercator, (19730000, -1500000), STEP, dict(MAP_PROJ=3, TRUELAT1=0.0, STAND_LON=2.0, MOAD_CEN_LAT=-13.0)),
    "latitude_longitude": (plain, (7.25, 40.0), 0.125, dict(MAP_PROJ=6, POLE_LAT=90.0, POLE_LON=0.0, STAND_LON=0.0, MOAD_CEN_LAT=40.0)),
    "rotated_pole": (rotated, (-0.4, -0.3), 0.1, dict(MAP_PROJ=6, POLE_LAT=38.0, POLE_LON=180.0, STAND_LON=-11.0, MOAD_CEN_LAT=52.0)),
}


def places(projection, shape, shift=(0.0, 0.0), start=(0, 0)):
    """Longitude and latitude of shape[0] rows and shape[1] columns; shift and start in cells."""
    inverse, (x0, y0), step, attributes = PROJECTIONS[projection]
    x = x0 + step * (numpy.arange(shape[1]) + shift[0] + start[0])
    y = y0 + step * (numpy.arange(shape[0]) + shift[1] + start[1])
    lon, lat = inverse(*numpy.meshgrid(x, y), attributes)
    return (lon + 180) % 360 - 180, lat


def smooth(shape, seed, low, high):
    """A smooth field without symmetry between two bounds, as float32."""
    grids = numpy.meshgrid(*(numpy.arange(n) for n in shape), indexing="ij")
    field = sum(numpy.sin(g / (2.3 + d + seed) + seed + d) for d, g in enumerate(grids))
    return (low + (high - low) * (field + len(shape)) / (2 * len(shape))).astype("f4")


def write(path, projection="lambert", shape=(5, 7, 9), times=("2026-03-01_06:00:00", "2026-03-01_07:30:00"), start="2026-03-01_00:00:00",
          moves=None, without=(), kind="NETCDF4", seed=0):
    """moves: for each time how many cells the nest has gone (east, north). without: variables to leave out."""
    nz, ny, nx = shape
    nt = len(times)
    moves = moves or [(0, 0)] * nt
    with netCDF4.Dataset(path, "w", format=kind) as file:
        attributes = PROJECTIONS[projection][3]
        file.TITLE = " OUTPUT FROM WRF V4.2 MODEL"
        file.SIMULATION_START_DATE = start
        file.START_DATE = start
        for name, value in attributes.items():
            file.setncattr(name, numpy.int32(value) if name == "MAP_PROJ" else numpy.float32(value))
        file.DX = file.DY = numpy.float32(STEP)
        for name, n in {"Time": None, "DateStrLen": 19, "west_east": nx, "south_north": ny, "bottom_top": nz, "bottom_top_stag": nz + 1,
                        "west_east_stag": nx + 1, "south_north_stag": ny + 1, "soil_layers_stag": 4}.items():
            file.createDimension(name, n)
        if "Times" not in without:
            file.createVariable("Times", "S1", ("Time", "DateStrLen"))[:] = numpy.array([list(t) for t in times], "S1")

        def put(name, dimensions, values, units, description, coordinates="XLONG XLAT XTIME"):
            if name in without:
                return
            v = file.createVariable(name, "f4", ("Time",) + dimensions)
            v.setncatts(dict(FieldType=numpy.int32(104), MemoryOrder="XYZ", description=description, units=units, coordinates=coordinates))
            v[:] = values

        mass, on_u, on_v = ("south_north", "west_east"), ("south_north", "west_east_stag"), ("south_north_stag", "west_east")
        for suffix, dimensions, n, shift in (("", mass, (ny, nx), (0, 0)), ("_U", on_u, (ny, nx + 1), (-0.5, 0)), ("_V", on_v, (ny + 1, nx), (0, -0.5))):
            lonlat = [places(projection, n, shift, move) for move in moves]
            put("XLONG" + suffix, dimensions, numpy.stack([p[0] for p in lonlat]), "degree_east", "LONGITUDE, WEST IS NEGATIVE")
            put("XLAT" + suffix, dimensions, numpy.stack([p[1] for p in lonlat]), "degree_north", "LATITUDE, SOUTH IS NEGATIVE")
        ground = smooth((nt, ny, nx), seed, 0, 900)
        half = ground[:, None] + numpy.cumsum(smooth((nt, nz + 1, ny, nx), seed + 1, 120, 700), axis=1) - 120
        half[:, 0] = ground
        base = smooth((nz + 1, ny, nx), seed + 2, 0, 40000)
        put("HGT", mass, ground, "m", "Terrain Height")
        put("PHB", ("bottom_top_stag",) + mass, numpy.broadcast_to(base, half.shape), "m2 s-2", "base-state geopotential")
        put("PH", ("bottom_top_stag",) + mass, half * G - base, "m2 s-2", "perturbation geopotential")
        levels = ("bottom_top",)
        full = (nt, nz, ny, nx)
        put("U", levels + on_u, smooth((nt, nz, ny, nx + 1), seed + 3, -20, 30), "m s-1", "x-wind component", "XLONG_U XLAT_U XTIME")
        put("V", levels + on_v, smooth((nt, nz, ny + 1, nx), seed + 4, -25, 15), "m s-1", "y-wind component", "XLONG_V XLAT_V XTIME")
        put("W", ("bottom_top_stag",) + mass, smooth((nt, nz + 1, ny, nx), seed + 5, -1, 2), "m s-1", "z-wind component")
        put("T", levels + mass, smooth(full, seed + 6, -10, 40), "K", "perturbation potential temperature (theta-t0)")
        put("P", levels + mass, smooth(full, seed + 7, -500, 900), "Pa", "perturbation pressure")
        put("PB", levels + mass, numpy.broadcast_to(numpy.linspace(98000, 45000, nz)[None, :, None, None], full), "Pa", "BASE STATE PRESSURE")
        put("QVAPOR", levels + mass, smooth(full, seed + 8, 0, 0.018), "kg kg-1", "Water vapor mixing ratio")
        put("T2", mass, smooth((nt, ny, nx), seed + 9, 270, 300), "K", "TEMP at 2 M")
        put("RAINNC", mass, smooth((nt, ny, nx), seed + 10, 0, 30), "mm", "ACCUMULATED TOTAL GRID SCALE PRECIPITATION")
        put("TSLB", ("soil_layers_stag",) + mass, smooth((nt, 4, ny, nx), seed + 11, 270, 290), "K", "SOIL TEMPERATURE")
        if "XTIME" not in without:
            xtime = file.createVariable("XTIME", "f4", ("Time",))
            xtime.units = xtime.description = "minutes since " + start.replace("_", " ")
            xtime[:] = [netCDF4.date2num(netCDF4.num2date(0, "days since " + t.replace("_", " ")), xtime.units) for t in times]
    return path
