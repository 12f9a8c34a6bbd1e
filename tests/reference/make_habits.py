# SPDX-License-Identifier: Apache-2.0
"""Forecasts as centres, tools and machine-learned models publish them where CF is followed by habit: made from one formula, so that a
test knows each number by its place, level and time."""
import netCDF4
import numpy

import make_files

LONS, LATS = -10 + 0.5 * numpy.arange(12), 50 - 0.5 * numpy.arange(9)  # rows from north to south
PRESSURES = (1000, 850, 500)
HOURS = "hours since 2026-01-01 00:00:00"


def value(lon, lat, level=0, step=0):
    """Smooth, the same in no two directions; level and step are counted."""
    x, y = numpy.radians(lon), numpy.radians(lat)
    return 250 + 10 * numpy.sin(x) * numpy.cos(y) + 5 * numpy.sin(2 * y) + 2.0 * level + 0.5 * step


def field(levels, steps, first=0):
    """[step][level][y][x]"""
    lon, lat = numpy.meshgrid(LONS, LATS)
    return numpy.array([[value(lon, lat, k, first + t) for k in range(levels)] for t in range(steps)])


def horizontal(file, **units):
    make_files.axis(file, "latitude", LATS, "latitude", "degrees_north")
    make_files.axis(file, "longitude", LONS, "longitude", "degrees_east")
    return "latitude", "longitude"


def bare(file, name, values, kind="i4", dimensions=None, **attributes):
    """A coordinate with no attributes but these."""
    if dimensions is None:
        file.createDimension(name, len(values))
    v = file.createVariable(name, kind, (name,) if dimensions is None else dimensions)
    v.setncatts(attributes)
    v[:] = values


def put(file, name, dimensions, values, units="K", **attributes):
    v = file.createVariable(name, "f4", dimensions)
    v.units = units
    v.setncatts(attributes)
    v[:] = values


def weather_bench(path):
    """WeatherBench 2: starts of runs are "time", leads have no standard name, levels no units; two runs."""
    with netCDF4.Dataset(path, "w") as file:
        bare(file, "time", [0, 12], units=HOURS, calendar="proleptic_gregorian")
        bare(file, "prediction_timedelta", [0, 6, 12], units="hours")
        bare(file, "level", PRESSURES[::-1])
        names = horizontal(file)
        put(file, "temperature", ("time", "prediction_timedelta", "level", *names), numpy.stack([field(3, 3, 10 * run)[:, ::-1] for run in range(2)]))


def graphcast(path):
    """Data to train on: hours without a date, dates beside them, a batch of one, levels without units."""
    with netCDF4.Dataset(path, "w") as file:
        file.createDimension("batch", 1)
        bare(file, "time", [0, 6], units="hours")
        bare(file, "datetime", [[0, 6]], dimensions=("batch", "time"), units=HOURS)
        bare(file, "level", PRESSURES)
        names = horizontal(file)
        put(file, "temperature", ("batch", "time", "level", *names), field(3, 2)[None])


def thredds(path):
    """THREDDS' TwoD collections: each time belongs to a run, of which there is one."""
    with netCDF4.Dataset(path, "w") as file:
        make_files.axis(file, "reftime", [0.0], "forecast_reference_time", "Hour since 2026-01-01T00:00:00Z")
        file.createDimension("time1", 2)
        bare(file, "time1", [[0, 6]], "f8", ("reftime", "time1"), units="Hour since 2026-01-01T00:00:00Z", standard_name="time")
        make_files.axis(file, "isobaric3", [100.0 * p for p in PRESSURES], "", "Pa", positive="down")
        names = horizontal(file)
        put(file, "temperature", ("reftime", "time1", "isobaric3", *names), field(3, 2)[None], coordinates="reftime time1 isobaric3 latitude longitude")


def wgrib2(path):
    """wgrib2 -netcdf: a zone that is only hours and minutes, columns by two-dimensional places."""
    lon, lat = numpy.meshgrid(LONS, LATS)
    with netCDF4.Dataset(path, "w") as file:
        file.createDimension("y", len(LATS))
        file.createDimension("x", len(LONS))
        for name, values, units in (("latitude", lat, "degrees_north"), ("longitude", lon + 360, "degrees_east")):
            put(file, name, ("y", "x"), values, units)
        bare(file, "time", [1767225600, 1767225600 + 6 * 3600], "f8", units="seconds since 1970-01-01 00:00:00.0 0:00")
        put(file, "temperature", ("time", "y", "x"), field(1, 2)[:, 0], level="850 mb", short_name="TMP_850mb")


def plain_numbers(path, name, numbers, **attributes):
    """Levels of which only the name and the numbers tell what they are."""
    with netCDF4.Dataset(path, "w") as file:
        bare(file, "time", [0, 6], units=HOURS)
        bare(file, name, numbers, **attributes)
        names = horizontal(file)
        put(file, "temperature", ("time", name, *names), field(len(numbers), 2))


FROM_NOTHING = {"radiation": ("J m-2", 0.0, 2e7), "noise": ("widgets", 1e-9, 5e3), "late": ("widgets", numpy.nan, 8.0), "small": ("widgets", 0.0, 1e-8)}


def from_nothing(path, steps=3):
    """Sums since the start, in units that say nothing of their size: the first step is nothing, or next to it, or missing."""
    with netCDF4.Dataset(path, "w") as file:
        bare(file, "time", numpy.arange(steps), units=HOURS)
        names = horizontal(file)
        for name, (units, first, scale) in FROM_NOTHING.items():
            values = scale * field(1, steps)[:, 0]
            values[0] = first * numpy.arange(values[0].size).reshape(values[0].shape)
            put(file, name, ("time", *names), values, units)


def layers(path, names):
    """Numbered layers from the top, and the heights or pressures of the layers or of the half levels around them: (name, standard_name, halves, pressure)."""
    name, standard_name, halves, pressure = names
    with netCDF4.Dataset(path, "w") as file:
        bare(file, "time", [0, 6], units=HOURS)
        bare(file, "lev", [1.0, 2, 3], "f8", units="layer", axis="Z")
        bare(file, "lev_2", [1.0, 2, 3, 4], "f8", units="layer", axis="Z")
        places = horizontal(file)
        put(file, "temperature", ("time", "lev", *places), field(3, 2))
        numbers = LAYER_PRESSURES if pressure else HALF_HEIGHTS if halves else LAYER_HEIGHTS
        heights = numpy.array(numbers)[:, None, None] + numpy.zeros((len(numbers), len(LATS), len(LONS)))
        put(file, name, ("lev_2" if halves else "lev", *places), heights, "Pa" if pressure else "m", standard_name=standard_name)


HALF_HEIGHTS, LAYER_HEIGHTS, LAYER_PRESSURES = (6000, 3000, 1000, 100), (4500, 2000, 550), (30000, 70000, 95000)


def at_one_level(path):
    """Variables each at one level that a scalar tells."""
    with netCDF4.Dataset(path, "w") as file:
        bare(file, "time", [0, 6], units=HOURS)
        names = horizontal(file)
        for name, number, standard_name, units in (("p", 850, "air_pressure", "hPa"), ("h", 2, "height", "m"), ("z", 1500, "altitude", "m")):
            v = file.createVariable(name, "f8", ())
            v.standard_name, v.units = standard_name, units
            v[...] = number
            put(file, f"at_{name}", ("time", *names), field(1, 2)[:, 0], coordinates=name)


ARRANGEMENTS = {"weather_bench": weather_bench, "graphcast": graphcast, "thredds": thredds}


def level_file(path, name, pressure, run, leads, values, members=None, **attributes):
    """One variable at one level that a scalar tells: values [step]([member])[y][x]."""
    with netCDF4.Dataset(path, "w") as file:
        make_files.times(file, len(leads), run=run)
        file["time"][:] = [run + lead for lead in leads]
        names = horizontal(file)
        if members:
            make_files.axis(file, "realization", range(members), "realization", "1")
        v = file.createVariable("isobaric", "f8", ())
        v.standard_name, v.units = "air_pressure", "hPa"
        v[...] = pressure
        put(file, name, ("time", *(["realization"] if members else []), *names), values, coordinates="isobaric forecast_reference_time", **attributes)


def a_file_a_level(folder, pressures=PRESSURES, run=0, leads=(6, 12), lacking=(), members=None):
    """A run of a model that publishes one file for each level and step, in no order; (pressure, lead) of `lacking` are not there."""
    for lead in leads[::-1]:
        for k, pressure in enumerate(pressures):
            if (pressure, lead) in lacking:
                continue
            values = field(1, 1, lead)[:, 0] + 2.0 * k + run
            values = numpy.stack([values + m for m in range(members)], axis=1) if members else values
            level_file(folder / f"T_{run:02d}_{pressure}_{lead:03d}.nc", "temperature", pressure, run, [lead], values, members)


def heights_and_winds_a_file_a_level(folder):
    """Heights of its own for each column, and winds, each level in its own file."""
    lon, lat = numpy.meshgrid(LONS, LATS)
    for k, pressure in enumerate(PRESSURES):
        for name, standard_name, units, values in (("gh", "geopotential_height", "m", 100 + 1500.0 * k + 10 * (lat - 40)), ("u", "eastward_wind", "m s-1", 3.0 + k + 0 * lon),
                                                   ("v", "northward_wind", "m s-1", 4.0 + 0 * lon), ("temperature", "air_temperature", "K", value(lon, lat, k))):
            with netCDF4.Dataset(folder / f"{name}_{pressure}.nc", "w") as file:
                make_files.times(file, 1)
                names = horizontal(file)
                v = file.createVariable("isobaric", "f8", ())
                v.standard_name, v.units = "air_pressure", "hPa"
                v[...] = pressure
                put(file, name, ("time", *names), values[None], units, standard_name=standard_name, coordinates="isobaric")


def cosmo(path, counted=True):
    """COSMO's own output: staggered winds along a rotated grid, levels of numbers alone or (not counted) of no coordinate, heights of half levels."""
    nx, ny = len(LONS), len(LATS)
    with netCDF4.Dataset(path, "w") as file:
        bare(file, "rotated_pole", 0, "i4", (), grid_mapping_name="rotated_latitude_longitude", grid_north_pole_latitude=40.0, grid_north_pole_longitude=-170.0)
        bare(file, "time", [0.0, 3600.0], "f8", units="seconds since 2026-01-01 00:00:00", standard_name="time")
        for name, start, count, standard_name in (("rlon", -2, nx, "grid_longitude"), ("srlon", -1.75, nx, "grid_longitude"), ("rlat", -3, ny, "grid_latitude"),
                                                  ("srlat", -2.75, ny, "grid_latitude")):
            bare(file, name, start + 0.5 * numpy.arange(count), "f4", standard_name=standard_name, units="degrees")
        for name, count in (("level", 3), ("level1", 4)):
            if counted:
                bare(file, name, 1.0 + numpy.arange(count), "f4")
            else:
                file.createDimension(name, count)
        k, j, i = numpy.meshgrid(numpy.arange(4.0), numpy.arange(ny), numpy.arange(nx), indexing="ij")
        half = numpy.array(HALF_HEIGHTS)[:, None, None] + 5 * i * (k == 3)
        for name, names, values, units, standard_name in (
                ("HHL", ("level1", "rlat", "rlon"), half, "m", "altitude"), ("W", ("level1", "rlat", "rlon"), k, "m s-1", "upward_air_velocity"),
                ("T", ("level", "rlat", "rlon"), 280 + k[:3] + i[:3], "K", "air_temperature"), ("U", ("level", "rlat", "srlon"), 10 + i[:3], "m s-1", "grid_eastward_wind"),
                ("V", ("level", "srlat", "rlon"), 0 * j[:3], "m s-1", "grid_northward_wind")):
            put(file, name, ("time", *names), numpy.stack([values, values]), units, standard_name=standard_name, grid_mapping="rotated_pole")


def statistics(folder):
    """Files whose variables have one name, level and time, and differ in their statistic over time or in a percentile alone."""
    kinds = {"at": (None, None, 0.0), "max": ("time: maximum (interval: 1 hour)", None, 5.0), "min": ("area: mean time: minimum", None, -5.0),
             "p10": (None, 10, -2.0), "p90": (None, 90, 2.0)}
    for name, (methods, percentile, more) in kinds.items():
        with netCDF4.Dataset(folder / f"{name}.nc", "w") as file:
            make_files.times(file, 2)
            names = horizontal(file)
            v = file.createVariable("height", "f8", ())
            v.standard_name, v.units = "height", "m"
            v[...] = 1.5
            coordinates = "height"
            if percentile:
                v = file.createVariable("percentile", "f8", ())
                v.units = "%"
                v[...] = percentile
                coordinates += " percentile"
            put(file, "temperature", ("time", *names), field(1, 2)[:, 0] + more, standard_name="air_temperature", coordinates=coordinates,
                **({"cell_methods": methods} if methods else {}))


STATISTICS = {"temperature": 0.0, "temperature_maximum_over_time": 5.0, "temperature_minimum_over_time": -5.0, "temperature_percentile_10": -2.0, "temperature_percentile_90": 2.0}


def members_by_text(path, kind, label="r02i00p00", more=0.0):
    """Members that are called by text: one a file ("alone"), on a dimension ("each"), or on one without any coordinate ("uncalled")."""
    with netCDF4.Dataset(path, "w") as file:
        make_files.times(file, 2)
        names = horizontal(file)
        file.createDimension("letters", 31)
        if kind == "alone":
            v = file.createVariable("realization", "S1", ("letters",))
            v.standard_name = "realization"
            v[:] = netCDF4.stringtochar(numpy.array([label], "S31"))[0]
            put(file, "temperature", ("time", *names), field(1, 2)[:, 0] + more, coordinates="realization")
            return
        file.createDimension("member", 3)
        if kind == "each":
            v = file.createVariable("member", "S1", ("member", "letters"))
            v[:] = netCDF4.stringtochar(numpy.array(["control", "low", "high"], "S31"))
        put(file, "temperature", ("time", "member", *names), numpy.stack([field(1, 2)[:, 0] + m for m in range(3)], axis=1))
