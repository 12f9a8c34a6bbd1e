# SPDX-License-Identifier: Apache-2.0
"""GRIB forecasts for forecast.py, message by message through eccodes' Python module. Positions are those that ecCodes computes."""
import datetime
import re

import eccodes
import numpy

import forecast
import heights
import place

LEVELS = {"isobaricInhPa": 100.0, "isobaricInPa": 1.0, "hybrid": None, "heightAboveSea": None, "heightAboveGround": None}
KEYS = ("shortName", "cfVarName", "typeOfLevel", "level", "stepRange", "stepType", "number", "dataDate", "dataTime", "validityDate", "validityTime",
        "paramId", "units", "gridType", "Nx", "Ny", "uvRelativeToGrid", "discipline", "parameterCategory", "parameterNumber",
        "alternativeRowScanning", "latitudeOfFirstGridPointInDegrees", "latitudeOfLastGridPointInDegrees",
        "scaleFactorOfFirstFixedSurface", "scaledValueOfFirstFixedSurface", "scaleFactorOfSecondFixedSurface", "scaledValueOfSecondFixedSurface")
MISSING = 9.969e36


def get(handle, key, other=None):
    try:
        return eccodes.codes_get(handle, key)
    except eccodes.KeyValueNotFoundError:
        return other


def get_array(handle, key):
    try:
        return eccodes.codes_get_array(handle, key)
    except eccodes.CodesInternalError:
        return None


def iso(date, time):
    stamp = datetime.datetime.strptime(f"{date:08d}{time:04d}", "%Y%m%d%H%M")
    return stamp.strftime("%Y-%m-%dT%H:%M:%SZ")


class Message:
    """One message's keys; its numbers are read when asked for."""

    def __init__(self, path, number, handle):
        self.path, self.number = path, number
        self.keys = {k: get(handle, k) for k in KEYS}
        self.member = self.keys["number"] or 0
        self.time = iso(self.keys["validityDate"], self.keys["validityTime"])
        self.run = iso(self.keys["dataDate"], self.keys["dataTime"])
        self.bases = {self.shortName, self.cfVarName, f"param_{self.discipline}_{self.parameterCategory}_{self.parameterNumber}"}

    def __getattr__(self, key):
        return self.keys[key]

    def surfaces(self):
        """The numbers of the one or two surfaces between which it holds (edition 2)."""
        for which in ("First", "Second"):
            factor, value = self.keys[f"scaleFactorOf{which}FixedSurface"], self.keys[f"scaledValueOf{which}FixedSurface"]
            if isinstance(factor, int) and isinstance(value, int) and abs(value) < 2**32 - 1:
                value = value if value < 2**31 else 2**31 - value  # sign and magnitude
                yield value * 10.0 ** -factor

    def describes(self, layer):
        """Whether it holds at what stands behind a name: "3000-0", "2e-06"."""
        numbers = [float(x) for x in re.findall(r"(?:(?<=[_])-)?\d[\d.]*(?:e-?\d+)?", layer)]
        mine = list(self.surfaces())
        return len(numbers) <= len(mine) and all(abs(a - b) <= 1e-5 * abs(b) for a, b in zip(numbers, mine))


class GribFile:
    def __init__(self, path):
        self.path, self.messages, self.handles, self.listed, self.by_name = path, [], [], set(), {}
        eccodes.codes_grib_multi_support_on()
        with open(path, "rb") as file:
            while (handle := eccodes.codes_grib_new_from_file(file)) is not None:
                self.messages.append(Message(path, len(self.messages), handle))
                self.handles.append(handle)
        self.cache = {}

    def __del__(self):
        for handle in self.handles:
            eccodes.codes_release(handle)

    def named(self, name):
        """[(message, whether by the plain name)]: a parameter's, with the kind of level behind it, and the layer where that has several."""
        if name not in self.by_name:
            whole, grid = name, re.search(r"_(\d+)x(\d+)$", name)  # several grids in one file
            name = name[:grid.start()] if grid else name
            messages = [m for m in self.messages if not grid or (m.Nx, m.Ny) == tuple(map(int, grid.groups()))]
            self.by_name[whole] = [(m, name == base) for m in messages for base in m.bases if name == base or name.startswith(
                f"{base}_{m.typeOfLevel}") and m.describes(name[len(f"{base}_{m.typeOfLevel}"):])]
            return self.by_name[whole]
        return self.by_name[name]

    def of(self, name):
        """A plain name stands for the kind of level that no longer name of those listed stands for."""
        found = self.named(name)
        if not any(plain for _, plain in found):
            return [m for m, _ in found]
        others = {m.number for other in self.listed - {name} for m, plain in self.named(other) if not plain}
        rest = [m for m, _ in found if m.number not in others]
        kinds = sorted({m.typeOfLevel for m in rest}, key=lambda kind: (kind not in LEVELS, kind))
        return [m for m in rest if m.typeOfLevel == kinds[0]] if kinds else []

    def silent(self, names):
        """What none of these names stands for."""
        self.listed = set(names)
        covered = {m.number for name in names for m in self.of(name)}
        return sorted({f"{m.shortName} {m.typeOfLevel} {m.level}" for m in self.messages if m.number not in covered})

    def plane(self, message):
        """[y][x] north up and eastward, NaN where missing; latitudes and longitudes likewise."""
        if message.number not in self.cache:
            handle = self.handles[message.number]
            eccodes.codes_set(handle, "missingValue", MISSING)
            values = eccodes.codes_get_values(handle)
            values = numpy.where(values == MISSING, numpy.nan, values)
            lat, lon = eccodes.codes_get_array(handle, "latitudes"), eccodes.codes_get_array(handle, "longitudes")
            self.cache[message.number] = self.arranged(message, values, lat, lon)
        return self.cache[message.number]

    def has_positions(self, name):
        """Whether there are such messages, and ecCodes knows the places of their points."""
        return all(get_array(self.handles[m.number], "latitudes") is not None for m in self.of(name)) and bool(self.of(name))

    def at_point(self, name, dice):
        """(lon, lat, numbers of all messages of a name there) of one of the points that ecCodes gives positions of: for any grid."""
        messages = self.of(name)
        values, lat, lon = zip(*(self.plane(m) for m in messages))
        at = dice.randrange(lat[0].shape[0]), dice.randrange(lat[0].shape[1])
        return float(lon[0][at]), float(lat[0][at]), [float(v[at]) for v in values]

    @staticmethod
    def arranged(message, values, lat, lon):
        shape = (message.Ny, message.Nx)
        values, lat, lon = (a.reshape(shape) for a in (values, lat, lon))
        if message.alternativeRowScanning:  # ecCodes' positions are as if it were not
            values = values.copy()
            values[1::2] = values[1::2, ::-1]
        if lat[0, 0] > lat[-1, 0]:
            values, lat, lon = values[::-1], lat[::-1], lon[::-1]
        return values, lat, lon

    def made(self, variable):
        """What is neither in the file nor of the kinds that forecast.py computes."""

    def field(self, name):
        messages = self.of(name)
        if not messages:
            raise KeyError(name)
        return GribField(self, messages).field()


class GribField:
    def __init__(self, owner, messages):
        self.owner, self.messages = owner, messages
        self.times = sorted({m.time for m in messages})
        self.members = sorted({m.member for m in messages})

    def field(self):
        labels = [str(m) for m in self.members] if len(self.members) > 1 else [""]
        units = self.messages[0].units.replace("**", "").replace("(", "").replace(")", "")
        return forecast.Field(self.times, labels, units, self.volume, self.messages[0].run)

    def at(self, step, member):
        """This field's messages, one a level, in the file's order."""
        return [m for m in self.messages if m.time == self.times[step] and m.member == self.members[member]]

    def volume(self, step, member):
        messages = self.at(step, member)
        planes = [self.owner.plane(m) for m in messages]
        values = numpy.stack([p[0] for p in planes])
        x, y, projection = self.axes(messages[0], *planes[0][1:])
        z = self.level_heights(messages, step, member) if len(messages) > 1 else None
        ground = self.ground(messages[0])
        return place.upright(values, x, y, projection, z, ground if z is not None else None, bool(messages[0].uvRelativeToGrid))

    def axes(self, message, lat, lon):
        if message.gridType == "regular_ll":  # by its ends: an increment may contradict them, and ecCodes would follow it
            ends = sorted((message.latitudeOfFirstGridPointInDegrees, message.latitudeOfLastGridPointInDegrees))
            lat = numpy.linspace(*ends, lat.shape[0])[:, None]
        if message.gridType in ("regular_ll", "regular_gg"):
            return numpy.rad2deg(numpy.unwrap(numpy.deg2rad(lon[0]))), lat[:, 0], None
        handle = self.owner.handles[message.number]
        if message.gridType != "lambert":
            raise ValueError(message.gridType)
        k = {key: float(get(handle, key)) for key in ("Latin1InDegrees", "Latin2InDegrees", "LoVInDegrees", "radius", "DxInMetres", "DyInMetres")}
        projection = place.projected(f"+proj=lcc +lat_1={k['Latin1InDegrees']!r} +lat_2={k['Latin2InDegrees']!r} +lat_0={k['Latin1InDegrees']!r} "
                                     f"+lon_0={k['LoVInDegrees']!r} +R={k['radius']!r}")
        px, py = projection(lon, lat)
        x, y = px[0, 0] + k["DxInMetres"] * numpy.arange(lat.shape[1]), py[0, 0] + k["DyInMetres"] * numpy.arange(lat.shape[0])
        assert abs(px - x).max() < 5 and abs(py - y[:, None]).max() < 5  # ecCodes rounds its positions
        return x, y, projection

    def other(self, step_of, short_names, kinds):
        """The messages of another parameter on one of these kinds of level, for the same time and member."""
        return [m for m in self.owner.messages if m.shortName in short_names and m.typeOfLevel in kinds and m.time == step_of.time and m.member == step_of.member]

    def ground(self, message):
        """Height of the ground above the sea in metres, where the file has it."""
        for m in self.other(message, ("orog",), ("surface",)):
            return self.owner.plane(m)[0]
        for m in self.other(message, ("z",), ("surface", "hybrid")):
            return self.owner.plane(m)[0] / heights.G
        return None

    def level_heights(self, messages, step, member):
        kind = messages[0].typeOfLevel
        if kind == "hybrid":
            return self.hybrid_heights(messages)
        if kind.startswith("isobaric"):
            above = {m.level * LEVELS[m.typeOfLevel]: m for m in self.other(messages[0], ("gh",), ("isobaricInhPa", "isobaricInPa"))}
            mine = [m.level * LEVELS[kind] for m in messages]
            if all(p in above for p in mine):
                return numpy.stack([self.owner.plane(above[p])[0] for p in mine])
            return heights.standard_atmosphere(mine)[:, None, None]
        return numpy.array([float(m.level) for m in messages])[:, None, None]

    def hybrid_heights(self, messages):
        """Hydrostatic, from this time's temperature, humidity, surface pressure and orography."""
        first = messages[0]
        coefficients = eccodes.codes_get_array(self.owner.handles[first.number], "pv")
        a, b = coefficients[:len(coefficients) // 2], coefficients[len(coefficients) // 2:]
        surface = numpy.exp(self.owner.plane(self.other(first, ("lnsp",), ("hybrid", "surface"))[0])[0])
        half = a[:, None, None] + b[:, None, None] * surface
        key = (first.time, first.member, "hydrostatic")
        if key not in self.owner.cache:
            temperature, humidity = (self.stack(self.other(first, (n,), ("hybrid",)), len(a) - 1) for n in ("t", "q"))
            self.owner.cache[key] = heights.hydrostatic(half, temperature, humidity, self.ground(first))
        return self.owner.cache[key][[m.level - 1 for m in messages]]

    def stack(self, messages, levels):
        by_level = {m.level: self.owner.plane(m)[0] for m in messages}
        return numpy.stack([by_level[k + 1] for k in range(levels)])
