# SPDX-License-Identifier: Apache-2.0
"""Heights of levels that follow from coefficients, pressures or variables of their own: numpy, nothing of virga's.

Pressures become heights by hydrostatic balance where there is a temperature, else by the standard atmosphere; both stand on
the ground. Arrays are [level][y][x] in the file's own order of levels, metres and Pa.
"""
import re

import numpy

G, DRY, LAPSE = 9.80665, 287.0597, 0.0065
VAPOUR_OVER_DRY = 461.5250 / 287.0597


def with_name(file, *names):
    for name in names:
        for variable in file.variables.values():
            if name in (getattr(variable, "standard_name", None), variable.name):
                return variable
    return None


def terms_of(file, dimension):
    for variable in file.variables.values():
        terms = dict(re.findall(r"(\w+)\s*:\s*(\S+)", getattr(variable, "formula_terms", "")))
        if terms and variable.dimensions == (dimension,):
            return variable, terms
    return None, {}


def ground_of(file, numbers):
    height, geopotential = with_name(file, "surface_altitude"), with_name(file, "surface_geopotential")
    if height is not None:
        return numbers(height)
    return None if geopotential is None else numbers(geopotential) / G


def surface_pressure(file, numbers):
    logarithm, plain = with_name(file, "lnsp"), with_name(file, "surface_air_pressure", "PS", "ps")
    if logarithm is not None:
        return numpy.exp(numbers(logarithm))
    return None if plain is None else numbers(plain)


def pressures(file, dimension, numbers):
    """(full levels, half levels or None, surface or None) in Pa, or None where the levels are no pressures."""
    coordinate, terms = terms_of(file, dimension)
    column = lambda name: numbers(file[name])[:, None, None]
    ps = surface_pressure(file, numbers)
    if "ptop" in terms:
        top = float(numbers(file[terms["ptop"]])) * {"hPa": 100, "Pa": 1}[file[terms["ptop"]].units]
        return top + column(terms["sigma"]) * (ps - top), None, ps
    if "lev" in terms:
        p0 = float(numbers(file[terms["p0"]])) * {"hPa": 100, "Pa": 1}[file[terms["p0"]].units]
        return p0 * numpy.exp(-column(terms["lev"])), None, ps
    if ps is not None and ("ap" in terms or "a" in terms and "p0" in terms):
        scale = 1.0 if "ap" in terms else float(numbers(file[terms["p0"]]))
        a, half = terms.get("ap", terms.get("a")), None
        if "bounds" in file[a].ncattrs():
            faces = [numbers(file[file[n].bounds]) for n in (a, terms["b"])]
            half = [scale * faces[0][:, side, None, None] + faces[1][:, side, None, None] * ps for side in (0, 1)]
            half = numpy.maximum(*half), numpy.minimum(*half)
        return scale * column(a) + column(terms["b"]) * ps, half, ps
    if "hyam" in file.variables and file["hyam"].dimensions == (dimension,):
        p0 = float(numbers(file["P0"])) if "P0" in file.variables else 100000.0
        return column("hyam") * p0 + column("hybm") * ps, None, ps
    axis = file.variables.get(dimension)
    if getattr(axis, "standard_name", "") == "air_pressure" and ps is not None and ground_of(file, numbers) is not None:
        if virtual_temperature(file, dimension, numbers) is not None:
            return numbers(axis)[:, None, None] * {"hPa": 100, "Pa": 1}[axis.units] + 0 * ps, None, ps
    field = with_name(file, "air_pressure")
    if field is not None and len(field.dimensions) == 3 and field.dimensions[0] == dimension:
        return numbers(field) * {"hPa": 100, "Pa": 1}[field.units], None, ps
    return None


def virtual_temperature(file, dimension, numbers):
    warm, moist = with_name(file, "air_temperature", "T", "ta"), with_name(file, "specific_humidity", "hus")
    if warm is None or dimension not in warm.dimensions:
        return None
    return numbers(warm) * (1 + (VAPOUR_OVER_DRY - 1) * (0 if moist is None else numbers(moist)))


def by_layers(below, above, warm, ground):
    heights, foot = numpy.empty(warm.shape), ground * G
    for k in numpy.argsort(-below.mean(axis=(1, 2))):
        low, high = below[k], above[k]
        thickness = numpy.log(low / numpy.where(high > 0, high, 1))
        alpha = numpy.where(high > 0, 1 - high / (low - high) * thickness, numpy.log(2))
        heights[k] = (foot + DRY * warm[k] * alpha) / G
        foot = foot + DRY * warm[k] * thickness
    return heights


def by_levels(pressure, warm, ps, ground):
    heights, before = numpy.empty(warm.shape), None
    for k in numpy.argsort(-pressure.mean(axis=(1, 2))):
        from_surface = ground - warm[k] / LAPSE * (1 - (ps / pressure[k]) ** (DRY * LAPSE / G))
        if before is None:
            heights[k] = from_surface
        else:
            p, t, h = before
            onward = h + DRY / G * (t + warm[k]) / 2 * numpy.log(p / pressure[k])
            heights[k] = numpy.where((pressure[k] >= ps) | (p >= ps), from_surface, onward)
        before = pressure[k], warm[k], heights[k]
    return heights


def heights(file, dimension, numbers, standard):
    """(heights, ground or None), or None for levels of another kind. standard: height of a pressure in the standard atmosphere."""
    _, terms = terms_of(file, dimension)
    standard = numpy.vectorize(standard)
    ground = ground_of(file, numbers)
    if "zsurf1" in terms:
        column = lambda name: numbers(file[terms[name]])[:, None, None]
        return column("a") * float(numbers(file[terms["ztop"]])) + column("b1") * numbers(file[terms["zsurf1"]]) + column("b2") * numbers(file[terms["zsurf2"]]), ground
    field = with_name(file, "altitude")
    if field is not None and len(field.dimensions) == 3 and field.dimensions[0] == dimension:
        return numbers(field), ground
    found = pressures(file, dimension, numbers)
    if found is None:
        return None
    pressure, half, ps = found
    if ps is None:
        return standard(pressure), ground
    if ground is None:
        ground = standard(ps)
    warm = virtual_temperature(file, dimension, numbers)
    if warm is None:
        return ground + standard(pressure) - standard(ps), ground
    return (by_levels(pressure, warm, ps, ground) if half is None else by_layers(*half, warm, ground)), ground
