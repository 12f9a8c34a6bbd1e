# SPDX-License-Identifier: Apache-2.0
"""Maps of a file's field, made independently of virga: netCDF4, numpy and pyproj alone.

    field = map_reference.load(path, "air_temperature", step=0, level=2)
    frame = map_reference.Frame("EPSG:3857", (left, bottom, right, top), 256, 256)
    bounds = field.bounds(frame)                    # what each pixel may be, were it up to half a pixel elsewhere
    colours = map_reference.Colours("temperature", 210, 310)
    map_reference.check(rgba, bounds, colours)      # AssertionError where a picture is something else

A value at a place is bilinear between the model's own columns, absent where those present have less than half of the weight and outside
the grid; longitudes wrap, and from the last row of a global grid to its pole the row's value is held. Longitude and latitude are the
model's, on whatever globe it has: no datum is shifted.
"""
import functools
import json
import pathlib

import netCDF4
import numpy
import pyproj

import place

COLOUR_MAPS = pathlib.Path(__file__).resolve().parents[2] / "assets" / "colour_maps"
PALETTE = 254     # the fewest colours of a picture that has all it can
ENTRIES = 8192    # of a colour map's table here
OUTSIDE = 1e-6    # of a cell, that still counts as inside
UPRIGHT = {"CRS:84": "OGC:CRS84"}


class Frame:
    """A picture's place: box is left, bottom, right, top, x before y, in the units of a CRS known to pyproj."""

    def __init__(self, crs, box, width, height):
        self.crs, self.box, self.width, self.height = crs, tuple(box), width, height

    def places(self, dx=0.0, dy=0.0):
        """Longitude and latitude [row][column] of the pixels' centres, dx and dy pixels to the right and down of them. inf: nowhere."""
        left, bottom, right, top = self.box
        x = left + (numpy.arange(self.width) + 0.5 + dx) * (right - left) / self.width
        y = top - (numpy.arange(self.height) + 0.5 + dy) * (top - bottom) / self.height
        x, y = numpy.meshgrid(x, y)
        back = degrees_of(self.crs)
        return back(x, y) if back else (x, y)


def tile(z, x, y, size=256, matrix_set="WebMercatorQuad"):
    """The frame of a tile; rows from the north."""
    half, crs, wide = (20037508.342789244, "EPSG:3857", 1) if matrix_set == "WebMercatorQuad" else (90.0, "CRS:84", 2)
    side = 2 * half / 2 ** z
    left, top = -half * wide + x * side, half - y * side
    return Frame(crs, (left, top - side, left + side, top), size, size)


@functools.lru_cache(maxsize=None)
def degrees_of(name):
    """A function from x and y of a CRS to degrees on its own globe; None where they are degrees."""
    crs = pyproj.CRS.from_user_input(UPRIGHT.get(name, name))
    if crs.is_geographic:
        return None
    return pyproj.Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True).transform


def onto_grid(mapping):
    """A function from longitude and latitude to a file's axes; None where these are they. mapping: attributes of CF's grid mapping."""
    if mapping is None or mapping["grid_mapping_name"] == "latitude_longitude":
        return None
    if mapping["grid_mapping_name"] == "rotated_latitude_longitude":
        return functools.partial(turned, mapping)
    crs = pyproj.CRS.from_cf(mapping)
    return pyproj.Transformer.from_crs(crs.geodetic_crs, crs, always_xy=True).transform


def turned(mapping, lon, lat):
    """Longitude and latitude on the globe whose pole is moved, by rotating unit vectors."""
    pole = numpy.radians([mapping["grid_north_pole_longitude"], mapping["grid_north_pole_latitude"]])
    lam, phi = numpy.radians(lon) - pole[0], numpy.radians(lat)
    along = numpy.cos(phi) * numpy.cos(lam)
    to_pole = along * numpy.cos(pole[1]) + numpy.sin(phi) * numpy.sin(pole[1])
    away = numpy.sin(phi) * numpy.cos(pole[1]) - along * numpy.sin(pole[1])
    east = numpy.degrees(numpy.arctan2(-numpy.cos(phi) * numpy.sin(lam), away))
    return east + mapping.get("north_pole_grid_longitude", 0.0), numpy.degrees(numpy.arcsin(numpy.clip(to_pole, -1, 1)))


class Bounds:
    """[row][column]: least and greatest value that a pixel may show (NaN where it may show none), and whether it may be empty."""

    def __init__(self, low, high, may_lack):
        self.low, self.high, self.may_lack = low, high, may_lack


class Field:
    """values[j, i] on rising axes y and x; NaN where missing. error: how far a value may be from the file's."""

    def __init__(self, values, x, y, to_xy=None, error=0.0):
        if y[0] > y[-1]:
            values, y = values[::-1], y[::-1]
        if x[0] > x[-1]:
            values, x = values[:, ::-1], x[::-1]
        self.values, self.x, self.y, self.to_xy, self.error = numpy.asarray(values, float), x, y, to_xy, error
        self.angular = to_xy is None or abs(x).max() <= 720 and abs(y).max() <= 90
        self.wraps = self.angular and abs(x[-1] - x[0] + x[1] - x[0] - 360) < 1e-3

    def indices(self, lon, lat):
        """Fractional (i, j) on the axes; NaN outside."""
        east, north = self.to_xy(lon, lat) if self.to_xy else (lon, lat)
        x, y, columns = self.x, self.y, numpy.arange(len(self.x))
        if self.wraps:
            x, columns = numpy.append(x, x[0] + 360), numpy.append(columns, len(columns))
        if self.angular:
            with numpy.errstate(invalid="ignore"):
                east = x[0] - OUTSIDE + (east - x[0] + OUTSIDE) % 360
            if not self.wraps:
                east = numpy.where(east > x[-1] + (360 - x[-1] + x[0]) / 2, east - 360, east)
        return between(x, columns, east), between(y, numpy.arange(len(y)), north, self.poles())

    def poles(self):
        """How far beyond the first and the last row of a global grid its values are held."""
        if not self.wraps or self.to_xy:
            return 0, 0
        step = abs(self.y[1] - self.y[0])
        return tuple(90 - abs(end) if 90 - abs(end) <= 1.5 * step else 0 for end in (self.y[0], self.y[-1]))

    def at(self, lon, lat):
        """Values of arrays of places; NaN where absent."""
        i, j = self.indices(lon, lat)
        there = numpy.isfinite(i) & numpy.isfinite(j)
        i, j = numpy.where(there, i, 0), numpy.where(there, j, 0)
        ny, nx = self.values.shape
        i0 = numpy.minimum(i.astype(int), nx - 1 if self.wraps else nx - 2)
        j0 = numpy.minimum(j.astype(int), ny - 2)
        total, share = numpy.zeros(i.shape), numpy.zeros(i.shape)
        for dj in (0, 1):
            for di in (0, 1):
                weight = abs(1 - di - (i - i0)) * abs(1 - dj - (j - j0))
                value = self.values[j0 + dj, (i0 + di) % nx]
                present = ~numpy.isnan(value)
                total += numpy.where(present, weight * value, 0)
                share += weight * present
        with numpy.errstate(all="ignore"):
            return numpy.where(there & (share >= 0.5 - 1e-9), total / share, numpy.nan)

    def map(self, frame, dx=0.0, dy=0.0):
        """[row][column] of a frame."""
        return self.at(*frame.places(dx, dy))

    def bounds(self, frame, slack=0.5, samples=5):
        """What pixels may be within ± slack pixels of where they stand."""
        offsets = numpy.linspace(-slack, slack, samples)
        low = high = numpy.full((frame.height, frame.width), numpy.nan)
        lacks = numpy.zeros((frame.height, frame.width), bool)
        for dy in offsets:
            for dx in offsets:
                values = self.map(frame, dx, dy)
                low, high = numpy.fmin(low, values), numpy.fmax(high, values)
                lacks |= numpy.isnan(values)
        return Bounds(low - self.error, high + self.error, lacks)


def between(axis, numbers, at, beyond=(0, 0)):
    """Fractional numbers on a rising axis, held `beyond` its ends; NaN outside."""
    low = axis[0] - OUTSIDE * (axis[1] - axis[0]) - beyond[0]
    high = axis[-1] + OUTSIDE * (axis[-1] - axis[-2]) + beyond[1]
    with numpy.errstate(invalid="ignore"):
        return numpy.where((at >= low) & (at <= high), numpy.interp(at, axis, numbers), numpy.nan)


def load(path, name, step=0, level=None, error=0.0):
    """The field of a variable at one step. level counts along its vertical dimension as the file has it. Dimensions are (time,) (level,) y, x,
    the last two with coordinate variables."""
    with netCDF4.Dataset(path) as file:
        variable = file[name]
        places = [step] if variable.dimensions[0].startswith("time") else []
        places += [level] if level is not None else []
        values = place.numbers(variable, tuple(places) or ...)
        y, x = (place.axis_metres(file[d]) for d in variable.dimensions[-2:])
        mapping = getattr(variable, "grid_mapping", None)
        mapping = vars(file[mapping]) if mapping in file.variables else None
    return Field(values, x, y, onto_grid(mapping), error)


class Colours:
    """A colour map over a range, even in the value or (log) in its logarithm; bands: that many colours, else as many as there are."""

    def __init__(self, name, low, high, log=False, bands=None, invert=False):
        points = numpy.array(json.loads((COLOUR_MAPS / f"{name}.json").read_text())["points"], float)
        at = numpy.linspace(0, 1, ENTRIES)
        self.bands = bands or PALETTE
        if bands:
            at = numpy.minimum(numpy.floor(at * bands), bands - 1) / max(bands - 1, 1)
        if invert:
            at = 1 - at
        self.table = numpy.stack([numpy.interp(at, points[:, 0], points[:, c]) for c in (1, 2, 3)], axis=1)
        self.low, self.high, self.log = low, high, log

    def positions(self, values):
        """0 to 1 in the range, held beyond its ends."""
        with numpy.errstate(all="ignore"):
            share = numpy.log(values / self.low) / numpy.log(self.high / self.low) if self.log else (values - self.low) / (self.high - self.low)
        return numpy.clip(share, 0, 1)

    def of(self, values):
        """Colours 0 to 255, not rounded; NaN becomes the first."""
        entry = numpy.nan_to_num(self.positions(values) * (ENTRIES - 1)).astype(int)
        return self.table[entry]

    def ranges(self, low, high, steps):
        """The least and the greatest of each channel between two values, and `steps` colours on either side."""
        margin = steps / self.bands
        first = numpy.floor(numpy.clip(self.positions(low) - margin, 0, 1) * (ENTRIES - 1))
        last = numpy.ceil(numpy.clip(self.positions(high) + margin, 0, 1) * (ENTRIES - 1))
        first, last = numpy.nan_to_num(first).astype(int), numpy.nan_to_num(last).astype(int)
        rank = numpy.log2(last - first + 1).astype(int)
        least, greatest = self.pyramids()
        other = last - (1 << rank) + 1
        return numpy.minimum(least[rank, first],
                             least[rank, other]), numpy.maximum(greatest[rank, first], greatest[rank, other])

    @functools.lru_cache(maxsize=4)
    def pyramids(self):
        """[rank][entry]: the extremes of 2^rank entries from each on."""
        least, greatest = [self.table], [self.table]
        reach = 1
        while 2 * reach <= ENTRIES:
            for rows, extreme in ((least, numpy.minimum), (greatest, numpy.maximum)):
                ahead = numpy.concatenate([rows[-1][reach:], numpy.repeat(rows[-1][-1:], reach, axis=0)])
                rows.append(extreme(rows[-1], ahead))
            reach *= 2
        return numpy.array(least), numpy.array(greatest)


def differences(picture, bounds, colours, steps=1.0, rounding=1.0, opaque=False):
    """(wrong colours, wrongly there or absent), bool [row][column] each. picture: RGBA of 8 bits, or RGB of one that is there everywhere.
    steps: of colours that a value may be off; rounding: 255ths that a channel may be off; opaque: something else shows where there is
    no value, so that only what is surely there is looked at."""
    picture = numpy.asarray(picture)
    may_show = ~numpy.isnan(bounds.low)
    there = picture[..., 3] > 127 if picture.shape[2] == 4 else numpy.ones(picture.shape[:2], bool)
    low, high = colours.ranges(bounds.low, bounds.high, steps)
    rgb = picture[..., :3].astype(float)
    off = ((rgb < low - rounding) | (rgb > high + rounding)).any(axis=2)
    if opaque:
        return ~bounds.may_lack & off, numpy.zeros_like(there)
    return there & may_show & off, numpy.where(there, ~may_show, ~bounds.may_lack)


def check(picture, bounds, colours, share=0.0, **tolerance):
    """Raises AssertionError unless all pixels but a share are what they may be (differences). Gives the share that is wrong."""
    assert numpy.shape(picture)[:2] == bounds.low.shape, f"the picture is {numpy.shape(picture)}, the frame {bounds.low.shape}"
    colour, presence = differences(picture, bounds, colours, **tolerance)
    wrong = (colour | presence).mean()
    if wrong > share:
        row, column = numpy.argwhere(colour | presence)[0]
        low, high = colours.ranges(bounds.low, bounds.high, tolerance.get("steps", 1))
        raise AssertionError(
            f"{wrong:.2%} of the pixels are wrong ({colour.mean():.2%} in colour, {presence.mean():.2%} there or absent); the first, row {row} "
            f"column {column}, is {numpy.asarray(picture)[row, column]}, may be {low[row, column]} to {high[row, column]} (values "
            f"{bounds.low[row, column]:.6g} to {bounds.high[row, column]:.6g}), may be empty: {bounds.may_lack[row, column]}")
    return wrong


def drawn(field, frame, colours):
    """The picture itself, RGBA."""
    values = field.map(frame)
    entry = numpy.floor(numpy.nan_to_num(colours.positions(values)) * (colours.bands - 1) + 0.5) / (colours.bands - 1)
    rgb = colours.table[(entry * (ENTRIES - 1)).astype(int)]
    alpha = numpy.where(numpy.isnan(values), 0, 255)
    return numpy.round(numpy.concatenate([rgb, alpha[..., None]], axis=2)).astype(numpy.uint8)
