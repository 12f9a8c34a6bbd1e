# SPDX-License-Identifier: Apache-2.0
"""Heights of model levels from what files tell of them, plainly: numpy, nothing of virga's.

Arrays are [level][y][x] in the file's own order of levels; pressures in Pa, temperatures in K, heights in metres.
"""
import numpy

G = 9.80665
DRY_AIR = 287.0597  # J kg-1 K-1, as the IFS has it
VAPOUR_OVER_DRY = 461.5250 / 287.0597
# ICAO Doc 7488, to 84.852 km, and its last lapse rate above: foot of each layer in geopotential metres, lapse rate in K per metre
LAYERS = ((0, -0.0065), (11000, 0), (20000, 0.001), (32000, 0.0028), (47000, 0), (51000, -0.0028), (71000, -0.002))


def standard_atmosphere(pressure):
    """Geopotential height of pressures in the ICAO standard atmosphere; below sea level the lowest layer goes on."""
    pressure = numpy.asarray(pressure, float)
    g_over_r = G / 287.05287
    temperature, foot = 288.15, 101325.0
    height = numpy.full(pressure.shape, numpy.nan)
    for n, (low, lapse) in enumerate(LAYERS):
        with numpy.errstate(all="ignore"):
            here = (low - numpy.log(pressure / foot) * temperature / g_over_r if lapse == 0
                    else low + temperature / lapse * ((pressure / foot) ** (-lapse / g_over_r) - 1))
        belongs = pressure <= foot if n else numpy.ones(pressure.shape, bool)
        height = numpy.where(belongs, here, height)
        if n + 1 < len(LAYERS):
            depth = LAYERS[n + 1][0] - low
            foot *= (numpy.exp(-g_over_r * depth / temperature) if lapse == 0
                     else (1 + lapse * depth / temperature) ** (-g_over_r / lapse))
            temperature += lapse * depth
    return height


def hydrostatic(half_pressure, temperature, humidity, ground):
    """Heights of full model levels, from the top of the model down, over the ground (geopotential metres).

    half_pressure has one level more than temperature and specific humidity. The finite-difference form of Simmons and Burridge
    (1981), as in the IFS documentation, CY47R1, part III, equations 2.21 and 2.22.
    """
    virtual = temperature * (1 + (VAPOUR_OVER_DRY - 1) * humidity)
    heights = numpy.empty(temperature.shape)
    below = ground * G  # geopotential at the half level under the current layer
    for k in range(len(temperature) - 1, -1, -1):
        upper, lower = half_pressure[k], half_pressure[k + 1]
        if k == 0 and (upper <= 0).all():
            thickness, alpha = None, numpy.log(2)
        else:
            thickness = numpy.log(lower / upper)
            alpha = 1 - upper / (lower - upper) * thickness
        heights[k] = (below + DRY_AIR * virtual[k] * alpha) / G
        if thickness is not None:
            below = below + DRY_AIR * virtual[k] * thickness
    return heights


def hydrostatic_levels(pressure, temperature, surface_pressure, ground):
    """Likewise where only the levels' own pressures are known, of dry air: temperature is linear in the logarithm of pressure between
    levels, and rises by 6.5 K a kilometre from the lowest down to the surface."""
    heights = numpy.empty(temperature.shape)
    lapse, last = 0.0065, len(temperature) - 1
    heights[last] = ground + temperature[last] / lapse * ((surface_pressure / pressure[last]) ** (DRY_AIR * lapse / G) - 1)
    for k in range(last - 1, -1, -1):
        mean = (temperature[k] + temperature[k + 1]) / 2
        heights[k] = heights[k + 1] + DRY_AIR / G * mean * numpy.log(pressure[k + 1] / pressure[k])
    return heights
