# SPDX-License-Identifier: Apache-2.0
"""Fields at surfaces, in the model's own columns, computed plainly from the file: netCDF4 and numpy, nothing of virga's.

    columns = surfaces.load(path, "cloud", step=0)
    low, high = columns.bounds("850hPa", slack=2.0)     # [j][i]; NaN where the surface is not there

Pressures are those of the levels (hybrid and sigma levels by the surface pressure, a field of pressure), else hydrostatic from temperature
between the levels' heights, else the standard atmosphere's at these. Between levels ln p and values are linear in the level's number; where
one of two levels is missing the nearer one stands. Potential temperature is met at its highest crossing.
"""
import math

import netCDF4
import numpy

import forecast_netcdf
import parametric
import place

G, DRY, KAPPA = 9.80665, 287.0597, 2 / 7
OWN_PRESSURE, OWN_HEIGHT = "pressure levels", "heights above sea"


def standard_pressure(height):
    """Pa at a height in the ICAO standard atmosphere, by bisection of its height at a pressure."""
    low, high = 1.0, 130000.0
    for _ in range(80):
        middle = (low * high) ** 0.5
        low, high = (middle, high) if place.standard_height(middle) > height else (low, middle)
    return low


class Columns:
    """Arrays [k][j][i], levels upward, as in place.Volume. own: what the levels themselves are."""

    def __init__(self, volume, pressure=None, surface_pressure=None, temperature=None, theta=None, own=None):
        self.values, self.heights, self.ground, self.own = volume.values, volume.heights, volume.ground, own
        self.theta, self.surface_pressure = theta, surface_pressure
        self.pressure = self.find_pressure(temperature) if pressure is None else pressure
        if theta is None and temperature is not None:
            self.theta = temperature * (1e5 / self.pressure) ** KAPPA

    def find_pressure(self, temperature):
        if self.heights is None:
            return None
        if temperature is None:
            return numpy.vectorize(standard_pressure)(self.heights)
        at_ground = self.surface_pressure if self.surface_pressure is not None else numpy.vectorize(standard_pressure)(self.ground)
        if self.surface_pressure is None:
            self.surface_pressure = at_ground
        logs, below, before = [], self.ground, (numpy.log(at_ground), temperature[0])
        for z, t in zip(self.heights, temperature):
            logs.append(before[0] - G * (z - below) / (DRY * (t + before[1]) / 2))
            below, before = z, (logs[-1], t)
        return numpy.exp(numpy.array(logs))

    def lowest(self):
        """The lowest level that counts in each column: the first above the ground where levels go through it."""
        if self.own is None:
            return numpy.zeros(self.ground.shape)
        return (self.heights < self.ground - 1e-6).sum(axis=0)

    # --- Fractional levels; NaN where the surface is not there.

    def by_pressure(self, target):
        k = crossing(numpy.log(self.pressure), math.log(target))
        if self.own != OWN_PRESSURE and self.surface_pressure is not None:
            held = (target <= self.surface_pressure) & (target >= self.pressure[0])
            k = numpy.where(held, 0.0, numpy.where(target > self.surface_pressure, numpy.nan, k))
        return k

    def by_height(self, target):
        target = numpy.broadcast_to(target, self.ground.shape)
        k = crossing(self.heights, target)
        if self.own == OWN_HEIGHT:
            return k
        return numpy.where(target < self.ground - 1e-6, numpy.nan, numpy.where(target < self.heights[0], 0.0, k))

    def by_theta(self, target):
        return crossing(self.theta, target, from_top=True, lowest=self.lowest())

    def at(self, k):
        """Values at fractional levels."""
        k0 = numpy.nan_to_num(numpy.floor(k)).astype(int).clip(0, max(len(self.values) - 2, 0))
        k1 = numpy.minimum(k0 + 1, len(self.values) - 1)
        low, high = (numpy.take_along_axis(self.values, at[None], 0)[0] for at in (k0, k1))
        share = k - k0
        value = numpy.where(share == 0, low, numpy.where(share == 1, high, low + (high - low) * share))
        value = numpy.where(numpy.isnan(high) & (share <= 0.5), low, value)
        value = numpy.where(numpy.isnan(low) & (share >= 0.5), high, value)
        return numpy.where(numpy.isnan(k), numpy.nan, value)

    def counted(self):
        """Values of the levels that count."""
        numbers = numpy.arange(len(self.values))[:, None, None]
        return numpy.where(numbers >= self.lowest(), self.values, numpy.nan)

    # --- By name.

    def surface(self, text, shift=0.0):
        """The field at a surface whose height is `shift` metres off."""
        if text.startswith("k"):
            return self.values[int(text[1:])]
        if text in ("max", "sum"):
            values = self.counted()
            with numpy.errstate(all="ignore"):
                found = numpy.nanmax(numpy.where(numpy.isnan(values), -numpy.inf, values), axis=0) if text == "max" else numpy.nansum(values, axis=0)
            return numpy.where(numpy.isnan(values).all(axis=0), numpy.nan, found)
        return self.at(self.level(text, shift))

    def level(self, text, shift=0.0):
        if text.endswith("hPa"):
            return self.by_pressure(float(text[:-3]) * 100)
        if text.startswith("FL"):
            return self.by_pressure(standard_pressure(float(text[2:]) * 30.48))
        if text.endswith("K"):
            return self.by_theta(float(text[:-1]))
        if text.endswith("m-above-ground"):
            return self.by_height(self.ground + float(text[:-len("m-above-ground")]) + shift)
        return self.by_height(float(text[:-1]) + shift)

    def edge(self, top, threshold):
        """Heights of the last (or the first) place with so much; down to the ground where the lowest level has it."""
        values, lowest = self.counted(), self.lowest().astype(int)
        ny, nx = self.ground.shape
        found = numpy.full((ny, nx), numpy.nan)
        for j in range(ny):
            for i in range(nx):
                column, z = values[:, j, i], self.heights[:, j, i]
                inside = numpy.flatnonzero(column >= threshold)
                if len(inside) == 0:
                    continue
                k = inside[-1] if top else inside[0]
                beside = k + 1 if top else k - 1
                if not top and k == lowest[j, i]:
                    found[j, i] = self.ground[j, i]
                elif beside >= len(column) or math.isnan(column[beside]):
                    found[j, i] = z[k]
                else:
                    share = (column[k] - threshold) / (column[k] - column[beside])
                    found[j, i] = z[k] + share * (z[beside] - z[k])
        return found

    def bounds(self, text, slack=0.0):
        """Least and greatest value that a surface within ± slack metres gives; NaN where the middle one is nowhere. Surfaces that do not
        follow from heights are exact."""
        middle = self.surface(text)
        if not text.endswith(("m", "m-above-ground")) or slack == 0:
            return middle, middle
        around = [self.surface(text, slack * n / 4) for n in range(-4, 5)] + [middle]
        with numpy.errstate(all="ignore"):
            stacked = numpy.stack(around)
            low = numpy.where(numpy.isnan(stacked), numpy.inf, stacked).min(axis=0)
            high = numpy.where(numpy.isnan(stacked), -numpy.inf, stacked).max(axis=0)
        there = ~numpy.isnan(middle)
        return numpy.where(there, low, numpy.nan), numpy.where(there, high, numpy.nan)

    def near_an_end(self, text, slack):
        """Where a surface within ± slack metres is there and is not: it may be either."""
        heights = text.endswith(("m", "m-above-ground"))
        ends = [numpy.isnan(self.surface(text, shift)) for shift in (-slack, slack)] if heights else [numpy.isnan(self.surface(text))] * 2
        return ends[0] != ends[1]


def crossing(quantity, target, from_top=False, lowest=None):
    """Fractional levels where a quantity [k][j][i] has a value: the lowest such place, or the highest."""
    found = numpy.full(quantity.shape[1:], numpy.nan)
    pairs = range(len(quantity) - 1)
    with numpy.errstate(all="ignore"):
        for k in pairs if from_top else reversed(pairs):
            low, high = quantity[k], quantity[k + 1]
            here = (target - low) * (target - high) <= 0
            if lowest is not None:
                here &= k >= lowest
            found = numpy.where(here, numpy.where(low == high, k + 1.0, k + (target - low) / (high - low)), found)
    return found


# --- From files.

def load(path, name, step=0):
    """Columns of a variable of a file with CF's vertical coordinates, or of WRF."""
    with netCDF4.Dataset(path) as file:
        return load_wrf(path, name, step) if "bottom_top" in file.dimensions else load_cf(file, path, name, step)


def load_cf(file, path, name, step):
    volume = place.load(path, name, step)
    variable = file[name]
    timed = variable.dimensions[0].startswith("time")
    dimension = variable.dimensions[1 if timed else 0]

    def numbers(v):
        return place.numbers(v, step if timed and v.dimensions[:1] == variable.dimensions[:1] else ...)
    axis = file.variables.get(dimension)
    own = {"air_pressure": OWN_PRESSURE, "altitude": OWN_HEIGHT}.get(getattr(axis, "standard_name", ""))
    if own is None and getattr(axis, "units", "") in ("hPa", "Pa", "mb"):
        own = OWN_PRESSURE
    if "lev" in parametric.terms_of(file, dimension)[1]:
        own = OWN_PRESSURE
    found = parametric.pressures(file, dimension, numbers)
    pressure, surface = (found[0], found[2]) if found else (None, parametric.surface_pressure(file, numbers))
    if own == OWN_PRESSURE and pressure is None:
        pressure = numbers(axis)[:, None, None] * {"hPa": 100, "mb": 100, "Pa": 1}[axis.units]
    warm = parametric.with_name(file, "air_temperature", "T", "ta")
    warm = numbers(warm) if warm is not None and dimension in warm.dimensions else None
    order = upward(file, volume, dimension, step, timed)
    south, west = (place.axis_metres(file[d]) for d in variable.dimensions[-2:])
    turn = lambda a: None if a is None else turned(numpy.broadcast_to(a, (len(order), *volume.values.shape[1:]))[order], south, west)
    flat = lambda a: None if a is None else turned(numpy.broadcast_to(a, volume.values.shape[1:]), south, west)
    return Columns(volume, turn(pressure), flat(surface), turn(warm), own=own)


def upward(file, volume, dimension, step, timed):
    heights, _ = place.level_heights(file, dimension, step, timed)
    return numpy.argsort(numpy.nanmean(numpy.broadcast_to(heights, volume.values.shape), axis=(1, 2)), kind="stable")


def turned(array, y, x):
    """Rows and columns rising, as place.upright has them."""
    array = array[..., ::-1, :] if y[0] > y[-1] else array
    return array[..., ::-1] if x[0] > x[-1] else array


def load_wrf(path, name, step):
    owner = forecast_netcdf.NetcdfFile(path)
    field = lambda n: forecast_netcdf.WrfField(owner, n).volume(step, 0)
    volume, file = field(name), owner.file
    surface = field("PSFC").values[0] if "PSFC" in file.variables else None
    return Columns(volume, field("P").values + field("PB").values, surface, theta=field("T").values + 300)
