# SPDX-License-Identifier: Apache-2.0
"""The value at a place, computed plainly: netCDF4, numpy and PROJ, nothing of virga's.

Locate (i, j) on the axes and k among the exact heights of the levels above that point; then trilinear in (i, j, k).
Absent where present values hold less than half of the eight neighbours' weight. Held from the lowest level down to the
ground; absent below the ground, above the top level and outside the grid. Global longitudes wrap.
"""
import math

import netCDF4
import numpy
import pyproj

import parametric

EARTH = 6371229.0
TOLERANCE = 1e-6  # of a cell


class Volume:
    """values[k, j, i], levels upward, y and x increasing, NaN where missing; heights[k, j, i] in metres; ground[j, i]."""

    def __init__(self, values, x, y, to_xy, heights=None, ground=None, wraps=False, to_lonlat=None, grid_winds=False):
        self.values, self.x, self.y, self.to_xy, self.wraps = values, x, y, to_xy, wraps
        self.to_lonlat, self.grid_winds = to_lonlat, grid_winds
        shape = values.shape
        self.heights = None if heights is None else numpy.broadcast_to(heights, shape)
        self.ground = numpy.zeros(shape[1:]) if ground is None else ground

    def locate(self, lon, lat):
        """Fractional (i, j), or None outside."""
        x, y = self.to_xy(lon, lat)
        i, j = locate_x(self.x, x, self.wraps), locate(self.y, y)
        return None if i is None or j is None else (i, j)

    def lonlat(self, i, j):
        """Degrees of fractional (i, j); beyond the last column around the globe, too."""
        x = numpy.interp(i, numpy.arange(len(self.x) + 1), numpy.append(self.x, self.x[0] + 360)) if self.wraps else along(self.x, i)
        lon, lat = self.to_lonlat(float(x), float(along(self.y, j))) if self.to_lonlat else (float(x), float(along(self.y, j)))
        return lon, lat

    def corners(self, i, j):
        """The four columns around (i, j): (column, row, weight)."""
        i0, j0 = int(math.floor(i)), int(math.floor(j))
        if not self.wraps:
            i0 = min(i0, max(len(self.x) - 2, 0))
        j0 = min(j0, max(len(self.y) - 2, 0))
        for dj in (0, 1):
            for di in (0, 1):
                weight = abs(1 - di - (i - i0)) * abs(1 - dj - (j - j0))
                if weight:
                    yield (i0 + di) % len(self.x), j0 + dj, weight

    def column_heights(self, i, j):
        return sum(weight * self.heights[:, row, column] for column, row, weight in self.corners(i, j))

    def ground_at(self, i, j):
        return sum(weight * self.ground[row, column] for column, row, weight in self.corners(i, j))

    def at_level(self, i, j, k):
        k0 = min(int(math.floor(k)), max(self.values.shape[0] - 2, 0))
        total = share = 0.0
        for level, along in ((k0, 1 - (k - k0)), (k0 + 1, k - k0)):
            for column, row, weight in self.corners(i, j) if along else ():
                value = self.values[level, row, column]
                if not math.isnan(value):
                    total += weight * along * value
                    share += weight * along
        return total / share if share >= 0.5 - 1e-9 else math.nan

    def value(self, lon, lat, height=None):
        place = self.locate(lon, lat)
        if place is None:
            return math.nan
        if self.heights is None:
            return self.at_level(*place, 0)
        heights = self.column_heights(*place)
        if height < self.ground_at(*place) or height > heights[-1]:
            return math.nan
        k = numpy.interp(height, heights, numpy.arange(len(heights)))
        return self.at_level(*place, float(k))

    def profile(self, lon, lat):
        """(heights, values), an entry a level from the ground up."""
        place = self.locate(lon, lat)
        if place is None:
            return None
        return self.column_heights(*place), [self.at_level(*place, k) for k in range(self.values.shape[0])]


def along(axis, index):
    """The axis at a fractional index; a little beyond its ends in its last steps."""
    if len(axis) == 1:
        return axis[0]
    low = min(max(int(math.floor(index)), 0), len(axis) - 2)
    return axis[low] + (index - low) * (axis[low + 1] - axis[low])


def locate(axis, at):
    if len(axis) == 1:
        return 0.0 if abs(at - axis[0]) < 1e-9 else None
    n = len(axis)
    if at < axis[0] - TOLERANCE * (axis[1] - axis[0]) or at > axis[-1] + TOLERANCE * (axis[-1] - axis[-2]):
        return None
    return float(numpy.interp(at, axis, numpy.arange(n)))


def locate_x(axis, at, wraps):
    if not wraps:
        return locate(axis, at)
    at = axis[0] + (at - axis[0]) % 360
    return float(numpy.interp(at, numpy.append(axis, axis[0] + 360), numpy.arange(len(axis) + 1)))


def standard_height(pressure):
    """Height in metres of a pressure in Pa in the ICAO standard atmosphere, to 32 km."""
    layers = ((0, 288.15, -0.0065), (11000, 216.65, 0), (20000, 216.65, 0.001), (32000, 228.65, 0.0028), (47000, 270.65, 0))
    foot, g_over_r = 101325.0, 9.80665 / 287.05287
    for (low, temperature, lapse), (high, *_) in zip(layers, layers[1:] + ((1e9,),)):
        def pressure_at(z, low=low, temperature=temperature, lapse=lapse, foot=foot):
            if lapse == 0:
                return foot * math.exp(-g_over_r * (z - low) / temperature)
            return foot * (1 + lapse * (z - low) / temperature) ** (-g_over_r / lapse)
        if high > 1e8 or pressure >= pressure_at(high):
            if lapse == 0:
                return low - math.log(pressure / foot) * temperature / g_over_r
            return low + temperature / lapse * ((pressure / foot) ** (-lapse / g_over_r) - 1)
        foot = pressure_at(high)
    raise ValueError(pressure)


def numbers(variable, index=...):
    """Unpacked float64, NaN where missing."""
    variable.set_auto_maskandscale(False)
    stored = numpy.asarray(variable[index])
    values = stored.astype(float)
    for name in ("_FillValue", "missing_value"):
        if name in variable.ncattrs():
            values[numpy.isin(stored, numpy.asarray(variable.getncattr(name)))] = math.nan
    if "_FillValue" not in variable.ncattrs() and stored.dtype.str[1:] in netCDF4.default_fillvals and stored.dtype.itemsize > 1:
        values[stored == netCDF4.default_fillvals[stored.dtype.str[1:]]] = math.nan
    scale = float(getattr(variable, "scale_factor", 1.0))
    return values * scale + float(getattr(variable, "add_offset", 0.0))


class Projection:
    """Called with a longitude and latitude it gives x and y; back(x, y) is the other way."""

    def __init__(self, forward, back):
        self.forward, self.back = forward, back

    def __call__(self, lon, lat):
        return self.forward(lon, lat)


def unit_vector(lon, lat):
    a, b = math.radians(lon), math.radians(lat)
    return numpy.array([math.cos(b) * math.cos(a), math.cos(b) * math.sin(a), math.sin(b)])


def rotated(pole_lon, pole_lat, central=0.0):
    """Longitude and latitude to those of a rotated pole, by rotating unit vectors."""
    lam, phi = math.radians(pole_lon), math.radians(pole_lat)
    # the rotated grid's own axes on Earth: z to its pole, x to its (0, 0)
    z = numpy.array([math.cos(phi) * math.cos(lam), math.cos(phi) * math.sin(lam), math.sin(phi)])
    x = numpy.array([-math.sin(phi) * math.cos(lam), -math.sin(phi) * math.sin(lam), math.cos(phi)])
    y = numpy.cross(z, x)

    def forward(lon, lat):
        p = unit_vector(lon, lat)
        grid_lat = math.degrees(math.asin(max(-1.0, min(1.0, p @ z))))
        return math.degrees(math.atan2(p @ y, p @ x)) + central, grid_lat

    def back(grid_lon, grid_lat):
        p = unit_vector(grid_lon - central, grid_lat)
        p = p[0] * x + p[1] * y + p[2] * z
        return math.degrees(math.atan2(p[1], p[0])), math.degrees(math.asin(max(-1.0, min(1.0, p[2]))))
    return Projection(forward, back)


def projected(text):
    """From degrees on the projection's own globe, as a model means them: no change of datum."""
    project = pyproj.Proj(text)
    return Projection(lambda lon, lat: project(lon, lat), lambda x, y: project(x, y, inverse=True))


def horizontal(mapping):
    """Longitude and latitude to axis coordinates, by the grid mapping variable (None: longitude and latitude themselves)."""
    if mapping is None:
        return None
    get = lambda name, other=None: float(getattr(mapping, name, other))
    name = mapping.grid_mapping_name
    if name == "rotated_latitude_longitude":
        return rotated(get("grid_north_pole_longitude"), get("grid_north_pole_latitude"), get("north_pole_grid_longitude", 0.0))
    if name == "latitude_longitude":
        return None
    radius = getattr(mapping, "earth_radius", None)
    globe = f"+R={float(radius)!r}" if radius is not None else f"+a={get('semi_major_axis')!r} +b={get('semi_minor_axis')!r}"
    common = (f"{globe} +lon_0={get('longitude_of_projection_origin')!r} +lat_0={get('latitude_of_projection_origin')!r} "
              f"+x_0={get('false_easting', 0.0)!r} +y_0={get('false_northing', 0.0)!r}")
    if name == "lambert_azimuthal_equal_area":
        return projected("+proj=laea " + common)
    if name == "stereographic":
        return projected(f"+proj=stere +k_0={get('scale_factor_at_projection_origin')!r} " + common)
    raise ValueError(name)


def axis_metres(variable):
    return numbers(variable) * (1000.0 if getattr(variable, "units", "") == "km" else 1.0)


def load(path, name, step=0):
    """The volume of one variable at one step. Dimensions must be (time,) level, y, x, each with its coordinate variable."""
    with netCDF4.Dataset(path) as file:
        variable = file[name]
        dimensions = list(variable.dimensions)
        timed = dimensions[0].startswith("time")
        values = numbers(variable, step if timed else ...)
        if timed:
            dimensions = dimensions[1:]
        if len(dimensions) == 2:
            values = values[None]
        y, x = axis_metres(file[dimensions[-2]]), axis_metres(file[dimensions[-1]])
        to_xy = horizontal(file[variable.grid_mapping]) if getattr(variable, "grid_mapping", "") in file.variables else None
        heights, ground = level_heights(file, dimensions[0], step, timed) if len(dimensions) == 3 else (None, None)
        if len(values) == 1:
            heights = None  # one level is a surface: its value holds at whatever height
        return upright(values, x, y, to_xy, heights, ground)


def level_heights(file, dimension, step, timed):
    """(heights [k] or [k, j, i], ground or None) by what the file says of its levels."""
    def at_step(variable):
        return numbers(variable, step if timed and variable.dimensions[:1] == ("time",) else ...)
    found = parametric.heights(file, dimension, at_step, standard_height)
    if found is not None:
        return found
    for name in file.variables:
        terms = dict(zip(*[iter(getattr(file[name], "formula_terms", "").replace(":", "").split())] * 2))
        if file[name].dimensions == (dimension,) and "orog" in terms:
            ground = numbers(file[terms["orog"]])
            if ground.ndim == 3:
                ground = ground[0]
            return numbers(file[terms["a"]])[:, None, None] + numbers(file[terms["b"]])[:, None, None] * ground, ground
    level = file[dimension]
    factor = {"Pa": 1, "hPa": 100, "m": None}[level.units]
    if factor is None:
        return numbers(level)[:, None, None], None
    for name in file.variables:
        other = file[name]
        if "geopotential_height" in (getattr(other, "standard_name", ""), name.lower()[:19]) or other.name == "hgt":
            above = file[other.dimensions[-3]]  # may have more levels than this variable, in an order of its own
            found = [list(numbers(above)).index(p) for p in numbers(level) if p in numbers(above)]
            if above.units == level.units and len(found) == len(level):
                return numbers(other, step if timed else ...)[found], None
    return numpy.array([standard_height(p * factor) for p in numbers(level)])[:, None, None], None


def upright(values, x, y, to_xy, heights, ground, grid_winds=False):
    """Levels upward, axes increasing; longitudes understood modulo 360."""
    if heights is not None:
        heights = numpy.broadcast_to(heights, values.shape)
        order = numpy.argsort(numpy.nanmean(heights, axis=(1, 2)), kind="stable")
        values, heights = values[order], heights[order]
    if len(y) > 1 and y[0] > y[-1]:
        y, values = y[::-1], values[:, ::-1]
        heights = None if heights is None else heights[:, ::-1]
        ground = None if ground is None else ground[::-1]
    if len(x) > 1 and x[0] > x[-1]:
        x, values = x[::-1], values[:, :, ::-1]
        heights = None if heights is None else heights[:, :, ::-1]
        ground = None if ground is None else ground[:, ::-1]
    plain = to_xy or (lambda lon, lat: (lon, lat))
    angular = to_xy is None or abs(x).max() <= 720
    wraps = angular and len(x) > 1 and abs((x[-1] - x[0]) + (x[1] - x[0]) - 360) < 1e-3

    def near_axis(lon, lat):
        east, north = plain(lon, lat)
        if angular:
            middle = (x[0] + x[-1]) / 2
            east = middle + (east - middle + 180) % 360 - 180
        return east, north
    return Volume(values, x, y, near_axis, heights, ground, wraps, getattr(to_xy, "back", None), grid_winds)


def reachable(volume, lon, lat, height, slack):
    """Smallest and largest value within ± slack metres of a height: what a height wrong by that much may give. NaN excluded."""
    steps = [volume.value(lon, lat, height + slack * s / 4) for s in range(-4, 5)]
    heights = volume.column_heights(*volume.locate(lon, lat))
    steps += [volume.value(lon, lat, h) for h in heights if abs(h - height) <= slack]
    present = [s for s in steps if not math.isnan(s)]
    return (min(present), max(present)) if present else (math.nan, math.nan)
