# SPDX-License-Identifier: Apache-2.0
"""A forecast file read independently of virga: what its variables are, where and when their numbers hold.

    file = forecast.load(path)       netCDF by netCDF4, GRIB by eccodes' Python module
    field = file.field(name)         by the name that `virga info` lists; KeyError where the file has no such thing
    volume = field.volume(step, member)   a place.Volume: values, positions and heights

Fields that are computed from others (wind, ensembles) are computed here too, from the definitions and not from virga's code.
"""
import dataclasses
import math
import re
import typing

import numpy

import place


@dataclasses.dataclass
class Field:
    """One variable. times are ISO texts in the file's calendar; members are labels, [""] where there is no such axis."""
    times: list
    members: list
    units: str
    volume: typing.Callable  # (step, member index) -> place.Volume
    run: typing.Optional[str] = None


def load(path):
    import forecast_grib
    import forecast_netcdf
    with open(path, "rb") as file:
        head = file.read(64)
    return forecast_grib.GribFile(path) if b"GRIB" in head else forecast_netcdf.NetcdfFile(path)


def of_variable(file, variable):
    """The field of a variable of `virga info --json`, derived ones included."""
    name, text = variable["name"], variable["long_name"]
    made = file.made(variable)
    if made or not variable["derived"]:
        return made or file.field(name)
    if name.startswith("wind_"):
        u, v = re.search(r"(?:from|by) (\S+) and (\S+)$", text).groups()
        u, v = (file.made({"name": n, "derived": True}) or file.field(n) for n in (u, v))
        return wind(u, v, name.startswith("wind_speed"))
    for ending, compute in (("_mean", mean), ("_spread", spread)):
        if name.endswith(ending):
            return of_members(file.field(name[:-len(ending)]), compute)
    raise KeyError(f"{name}: {text}")


def replaced(volume, values):
    return place.Volume(values, volume.x, volume.y, volume.to_xy, volume.heights, volume.ground, volume.wraps, volume.to_lonlat, volume.grid_winds)


def wind(u, v, speed):
    def volume(step, member):
        east, north = u.volume(step, member), v.volume(step, member)
        if speed:
            return replaced(east, numpy.hypot(east.values, north.values))
        return replaced(east, direction(east, east.values, north.values))
    return Field(u.times, u.members, u.units if speed else "degree", volume, u.run)


def direction(grid, u, v):
    """Degrees clockwise from true north that the wind comes from; grid-relative components are turned by the grid's own axes."""
    towards = numpy.degrees(numpy.arctan2(u, v))
    return (towards + (bearings(grid) if grid.grid_winds else 0) + 180) % 360


def bearings(grid):
    """Bearing of each grid point's own y axis, from positions a thousandth of a cell apart."""
    ny, nx = grid.values.shape[1:]
    out = numpy.empty((ny, nx))
    for j in range(ny):
        for i in range(nx):
            lon, lat = grid.lonlat(i, j + 0.0005)
            lon0, lat0 = grid.lonlat(i, j - 0.0005)
            out[j, i] = math.degrees(math.atan2((lon - lon0 + 180) % 360 - 180, (lat - lat0) / math.cos(math.radians((lat + lat0) / 2))))
    return out


def mean(stack, count):
    return numpy.nansum(stack, axis=0) / count


def spread(stack, count):
    return numpy.sqrt(numpy.nansum((stack - numpy.nansum(stack, axis=0) / count) ** 2, axis=0) / (count - 1))


def of_members(field, compute):
    """Over the members that are present; nothing where fewer than half of them are."""
    def volume(step, _):
        volumes = [field.volume(step, m) for m in range(len(field.members))]
        stack = numpy.stack([v.values for v in volumes])
        count = (~numpy.isnan(stack)).sum(axis=0)
        with numpy.errstate(all="ignore"):
            values = numpy.where(count * 2 >= len(volumes), compute(stack, count), numpy.nan)
        return replaced(volumes[0], values)
    return Field(field.times, [""], field.units, volume, field.run)
