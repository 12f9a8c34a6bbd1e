# SPDX-License-Identifier: Apache-2.0
"""netCDF forecasts for forecast.py: CF, the habits of older files, and WRF."""
import datetime
import math
import re

import netCDF4
import numpy

import forecast
import heights
import place

PRESSURE_UNITS = {"Pa": 1.0, "hPa": 100.0, "mbar": 100.0, "millibars": 100.0, "mb": 100.0}
GEOPOTENTIAL_HEIGHT = ("geopotential_height", "hgt", "gh", "Geopotential_height_isobaric")
WRF_RADIUS, WRF_G, KAPPA = 6370000.0, 9.81, 2 / 7  # module_model_constants of WRF


def iso(stamp):
    stamp = stamp.replace(microsecond=0) if getattr(stamp, "microsecond", 0) < 500000 else stamp + datetime.timedelta(microseconds=1000000 - stamp.microsecond)
    return f"{stamp.year:04d}-{stamp.month:02d}-{stamp.day:02d}T{stamp.hour:02d}:{stamp.minute:02d}:{stamp.second:02d}Z"


def decoded_times(variable):
    """ISO texts of a time variable, however its units are spelled."""
    units = re.sub(r"^Hour\b", "hours", variable.units)
    american = re.match(r"(\w+) since (\d+)/(\d+)/(\d{4}) (\d+):(\d+)$", units)
    if american:
        unit, month, day, year, hour, minute = american.groups()
        units = f"{unit} since {year}-{int(month):02d}-{int(day):02d} {hour}:{minute}:00"
    stamps = netCDF4.num2date(numpy.ma.filled(numpy.atleast_1d(variable[...]).astype(float)), units, getattr(variable, "calendar", "standard"),
                              only_use_cftime_datetimes=True)
    return [iso(stamp) for stamp in numpy.ravel(stamps)]


class NetcdfFile:
    def __init__(self, path):
        self.file = netCDF4.Dataset(path)
        self.file.set_auto_mask(False)
        self.wrf = "Times" in self.file.variables and "WRF" in str(getattr(self.file, "TITLE", ""))

    def names(self):
        """The variables that a forecaster would look for: numbers with two horizontal dimensions."""
        return [n for n, v in self.file.variables.items() if v.dtype.kind in "iuf" and self.horizontal_dimensions(v)]

    def silent(self, names):
        """What is not among these names."""
        return sorted(set(self.names()) - set(names))

    def horizontal_dimensions(self, v):
        """(y, x) names of the last two dimensions where they are horizontal, else None."""
        if len(v.dimensions) < 2 or v.name in self.auxiliary():
            return None
        if self.wrf:
            ok = v.dimensions[-2].startswith("south_north") and v.dimensions[-1].startswith("west_east")
            return v.dimensions[-2:] if ok else None
        axes = [self.file.variables.get(d) for d in v.dimensions[-2:]]
        return v.dimensions[-2:] if all(a is not None and self.is_horizontal(a) for a in axes) else None

    def auxiliary(self):
        return {n for n in self.file.variables if n.startswith(("XLAT", "XLONG")) or n.endswith(("_bnds", "_bounds"))}

    @staticmethod
    def is_horizontal(axis):
        return ("degrees" in getattr(axis, "units", "") or getattr(axis, "standard_name", "").startswith("projection_")
                or getattr(axis, "axis", "") in ("X", "Y"))

    def field(self, name):
        return WrfField(self, name).field() if self.wrf else CfField(self, name).field()

    def made(self, variable):
        """What WRF's variables stand for together, by the model's own definitions; None for all else."""
        name = variable["name"]
        if not self.wrf or not variable["derived"]:
            return None
        if name.endswith("_at_mass_points"):
            return WrfField(self, name.removesuffix("_at_mass_points")).field(mass=True)
        if name == "HGT_at_staggered_points":
            return self.staggered_ground(variable["shape"])
        made = {"air_potential_temperature": [lambda theta: theta + 300.0, "T"], "air_pressure": [numpy.add, "P", "PB"],
                "air_temperature": [lambda theta, p, pb: (theta + 300.0) * ((p + pb) / 1e5) ** KAPPA, "T", "P", "PB"]}.get(name)
        return WrfField(self, made[1]).field(made[0], made[1:]) if made else None

    def staggered_ground(self, shape):
        """The terrain between the mass points, along the axis on which that has so many points."""
        own = WrfField(self, "HGT").field()

        def volume(step, member):
            mass = own.volume(step, member)
            stagger = -1 if shape[1] > mass.values.shape[2] else -2
            x, y = (outward(mass.x), mass.y) if stagger == -1 else (mass.x, outward(mass.y))
            return place.upright(staggered(mass.values, stagger), x, y, WrfField(self, "HGT").projection(), None, None)
        return forecast.Field(own.times, [""], own.units, volume, own.run)


class CfField:
    def __init__(self, owner, name):
        self.file, self.v = owner.file, owner.file[name]
        self.roles = {d: self.role(d) for d in self.v.dimensions[:-2]}

    def role(self, dimension):
        """What a dimension before the horizontal ones counts: time, member or level."""
        axis = self.file.variables.get(dimension)
        if axis is not None and " since " in getattr(axis, "units", ""):
            return "time"
        return "member" if dimension in ("realization", "number", "member", "ensemble") else "level"

    def dimension_of(self, role):
        return next((d for d in self.v.dimensions if self.roles.get(d) == role), None)

    def scalar(self, standard_name):
        """A variable of no dimensions by its standard name, or None."""
        return next((v for v in self.file.variables.values() if getattr(v, "standard_name", "") == standard_name and not v.dimensions), None)

    def field(self):
        time = self.dimension_of("time")
        clock = self.file[time] if time else self.scalar("time")
        times = decoded_times(clock) if clock is not None else [None]
        reference = self.scalar("forecast_reference_time")
        run = decoded_times(reference)[0] if reference is not None else times[0]
        member = self.dimension_of("member")
        labels = self.file[member] if member else self.scalar("realization")
        members = [""] if labels is None else [str(int(m)) for m in numpy.ravel(labels[...])]
        return forecast.Field(times, members, getattr(self.v, "units", "1"), self.volume, run)

    def pick(self, variable, step, member):
        """A variable's numbers [level][y][x] at one step and member; dimensions that are not its own are ignored."""
        chosen = {"time": step, "member": member}
        roles = [self.role(d) for d in variable.dimensions[:-2]] + [None, None]
        return place.numbers(variable, tuple(chosen.get(role, slice(None)) for role in roles))

    def volume(self, step, member):
        values = self.pick(self.v, step, member)
        if values.ndim == 2:
            values = values[None]
        ydim, xdim = self.v.dimensions[-2:]
        y, x = place.axis_metres(self.file[ydim]), place.axis_metres(self.file[xdim])
        mapping = self.mapping(self.file[xdim])
        to_xy = place.horizontal(mapping) if mapping is not None else None
        level = self.dimension_of("level")
        z = ground = None
        if level and len(values) > 1:
            z, ground = self.level_heights(level, step, member)
        return place.upright(values, x, y, to_xy, z, ground, getattr(self.v, "standard_name", "") in ("x_wind", "y_wind"))

    def mapping(self, xaxis):
        """The grid mapping variable; where axes need one and none is named, the file's only one."""
        named = self.file.variables.get(getattr(self.v, "grid_mapping", ""))
        if named is None and getattr(xaxis, "standard_name", "").startswith(("grid_", "projection_")):
            (named,) = [v for v in self.file.variables.values() if "grid_mapping_name" in v.ncattrs()]
        return named

    def level_heights(self, level, step, member):
        """(heights, ground or None) in the file's order of levels."""
        for v in self.file.variables.values():
            terms = dict(re.findall(r"(\w+)\s*:\s*(\S+)", getattr(v, "formula_terms", "")))
            if v.dimensions == (level,) and "orog" in terms:
                ground = self.pick(self.file[terms["orog"]], step, member)
                return column(self.file[terms["a"]]) + column(self.file[terms["b"]]) * ground, ground
        axis = self.file[level]
        if "A_var" in axis.ncattrs():
            reference = self.file[axis.P0_var][...] if axis.P0_var in self.file.variables else 100000.0
            surface = self.pick(self.file[axis.PS_var], step, member)
            pressure = column(self.file[axis.A_var]) * float(reference) + column(self.file[axis.B_var]) * surface
            air = next(v for v in self.file.variables.values() if v.name == "T" or getattr(v, "standard_name", "") == "air_temperature")
            return heights.hydrostatic_levels(pressure, self.pick(air, step, member), surface, heights.standard_atmosphere(surface)), heights.standard_atmosphere(surface)
        if axis.units in PRESSURE_UNITS:
            found = self.geopotential_heights(axis, step, member)
            return (heights.standard_atmosphere(column(axis) * PRESSURE_UNITS[axis.units]) if found is None else found), None
        return column(axis), None

    def geopotential_heights(self, axis, step, member):
        """At the levels of `axis`, from the variable that holds them; None where the file has none, or not for all of them."""
        for v in self.file.variables.values():
            if len(v.dimensions) < 3 or not {getattr(v, "standard_name", ""), v.name} & set(GEOPOTENTIAL_HEIGHT):
                continue
            theirs = list(place.numbers(self.file[v.dimensions[-3]]) * PRESSURE_UNITS[self.file[v.dimensions[-3]].units])
            mine = place.numbers(axis) * PRESSURE_UNITS[axis.units]
            if all(p in theirs for p in mine):
                return self.pick(v, step, member)[[theirs.index(p) for p in mine]]
        return None


def column(variable):
    return place.numbers(variable)[:, None, None]


class WrfField:
    """The Weather Research and Forecasting model: eta levels, staggered grids, char Times."""

    def __init__(self, owner, name):
        self.owner, self.file, self.v = owner, owner.file, owner.file[name]

    def field(self, compute=None, names=(), mass=False):
        """mass: moved to the mass points. compute: of the values of these variables."""
        def volume(step, member):
            own = self.volume(step, member, mass)
            return forecast.replaced(own, compute(*(WrfField(self.owner, n).volume(step, member).values for n in names))) if compute else own
        stamps = [bytes(numpy.ravel(row)).decode().replace("_", "T") + "Z" for row in self.file["Times"][:]]
        run = str(getattr(self.file, "SIMULATION_START_DATE", self.file.START_DATE)).replace("_", "T") + "Z"
        return forecast.Field(stamps, [""], self.v.units.strip() or "1", volume, run)

    def projection(self):
        f = self.file
        if f.MAP_PROJ == 1:
            text = f"+proj=lcc +lat_1={float(f.TRUELAT1)!r} +lat_2={float(f.TRUELAT2)!r} +lat_0={float(f.MOAD_CEN_LAT)!r} +lon_0={float(f.STAND_LON)!r}"
        elif f.MAP_PROJ == 2:
            text = f"+proj=stere +lat_0={math.copysign(90, f.TRUELAT1)} +lat_ts={float(f.TRUELAT1)!r} +lon_0={float(f.STAND_LON)!r}"
        elif f.MAP_PROJ == 3:
            text = f"+proj=merc +lat_ts={float(f.TRUELAT1)!r} +lon_0={float(f.STAND_LON)!r}"
        else:
            raise ValueError(f.MAP_PROJ)
        return place.projected(text + f" +R={WRF_RADIUS}")

    def corner(self, step):
        """x and y of the first mass point, by all the positions that the file gives; they are stored as float32: a few metres."""
        lat, lon = place.numbers(self.file["XLAT"], step), place.numbers(self.file["XLONG"], step)
        px, py = self.projection()(lon, lat)
        x = px - float(self.file.DX) * numpy.arange(lon.shape[1])
        y = py - float(self.file.DY) * numpy.arange(lon.shape[0])[:, None]
        assert x.ptp() < 10 and y.ptp() < 10
        return x.mean(), y.mean()

    def axes(self, step):
        """x and y of the mass points of a grid that holds every step's, as a nest moves; and this step's place in it: (x, y, i, j)."""
        corners = numpy.array([self.corner(s) for s in range(len(self.file.dimensions["Time"]))])
        dx, dy = float(self.file.DX), float(self.file.DY)
        offsets = (corners - corners.min(axis=0)) / (dx, dy)
        whole = numpy.rint(offsets).astype(int)
        assert abs(offsets - whole).max() < 1e-3
        first = (corners - whole * (dx, dy)).mean(axis=0)
        nx, ny = (len(self.file.dimensions[d]) + whole[:, n].max() for n, d in enumerate(("west_east", "south_north")))
        return first[0] + dx * numpy.arange(nx), first[1] + dy * numpy.arange(ny), *whole[step]

    def volume(self, step, _, mass=False):
        """mass: moved to the mass points, as the wind is."""
        values = place.numbers(self.v, step)
        if values.ndim == 2:
            values = values[None]
        stagger = {"X": -1, "Y": -2, "Z": -3}.get(getattr(self.v, "stagger", ""))
        if mass and stagger:
            values, stagger = middle(values, stagger), None
        x, y, i, j = self.axes(step)
        ground = place.numbers(self.file["HGT"], step)
        z = None
        if len(values) > 1:
            z = (place.numbers(self.file["PH"], step) + place.numbers(self.file["PHB"], step)) / WRF_G
            if stagger != -3:
                z = middle(z, -3)
            if stagger in (-1, -2):
                z, ground = staggered(z, stagger), staggered(ground, stagger)
        if stagger in (-1, -2):
            x, y = (outward(x), y) if stagger == -1 else (x, outward(y))
        # Beside a nest nothing is known but where the levels would be: as at its edge.
        ends = [(j, len(y) - j - values.shape[1]), (i, len(x) - i - values.shape[2])]
        values = numpy.pad(values, [(0, 0), *ends], constant_values=numpy.nan)
        z = None if z is None else numpy.pad(z, [(0, 0), *ends], mode="edge")
        return place.upright(values, x, y, self.projection(), z, numpy.pad(ground, ends, mode="edge"), grid_winds=True)


def outward(axis):
    """The points between those of an axis and half a step beyond."""
    step = axis[1] - axis[0]
    return axis[0] - step / 2 + step * numpy.arange(len(axis) + 1)


def middle(values, axis):
    low, high = [slice(None)] * values.ndim, [slice(None)] * values.ndim
    low[axis], high[axis] = slice(None, -1), slice(1, None)
    return (values[tuple(low)] + values[tuple(high)]) / 2


def staggered(values, axis):
    """From mass points to the points between them; the outermost lie half a step outside and repeat."""
    ends = [(0, 0)] * values.ndim
    ends[axis] = (1, 1)
    return middle(numpy.pad(values, ends, mode="edge"), axis)
