# SPDX-License-Identifier: Apache-2.0
"""Files of plain shapes, for pictures: air temperature around 280 K on levels of height over the open Atlantic, 2 K from the
thinnest to the densest, which is twenty steps of its lattice."""
import netCDF4
import numpy

import make_files

BASE, SPAN, STEP = 280.0, 2.0, 0.1 * (1 - 2**-10)
SHAPE = (28, 36, 44)  # levels, rows, columns
HEIGHTS = 250.0 * (numpy.arange(SHAPE[0]) + 1)


def values(kind, shape=SHAPE):
    """[level][row][column]; NaN where missing."""
    k, j, i = numpy.meshgrid(*(numpy.linspace(-1, 1, n) for n in shape), indexing="ij")
    if kind == "sphere":  # off the middle, so that no mirror is its own image
        away = numpy.sqrt(((i - 0.12) * 1.25) ** 2 + (j + 0.1) ** 2 * 1.5 + (k - 0.1) ** 2 * 1.2)
        return BASE + SPAN * numpy.clip(1.3 - away, 0, 1)
    if kind == "slab":
        inside = (abs(k - 0.1) < 0.55) & (i > -0.8) & (i < 0.9) & (j > -0.9) & (j < 0.7)
        return numpy.where(inside, BASE + 0.6 * SPAN, BASE)
    if kind == "ramp":
        return BASE + SPAN * (0.5 + 0.3 * i + 0.22 * j - 0.28 * k)
    if kind == "holes":
        hole = (i - 0.3) ** 2 + (j - 0.2) ** 2 + (k - 0.3) ** 2 < 0.25
        full = BASE + SPAN * (0.5 + 0.25 * numpy.sin(3 * i + 1) * numpy.cos(2 * j) + 0.2 * k)
        return numpy.where(hole | (i < -0.75) & (k > 0), numpy.nan, full)
    raise ValueError(kind)


def write(path, numbers, heights=HEIGHTS, x=None, y=None, name="air_temperature", steps=1):
    """numbers[level][row][column], or with a time before them where steps > 1. x, y: degrees of the columns."""
    numbers = numpy.asarray(numbers, "f4").reshape(steps, *numpy.shape(numbers)[-3:])
    _, nz, ny, nx = numbers.shape
    with netCDF4.Dataset(path, "w") as file:
        make_files.times(file, steps)
        make_files.axis(file, "height", heights[:nz], "altitude", "m", positive="up")
        make_files.axis(file, "latitude", 40 + 0.1 * numpy.arange(ny) if y is None else y, "latitude", "degrees_north")
        make_files.axis(file, "longitude", -40 + 0.13 * numpy.arange(nx) if x is None else x, "longitude", "degrees_east")
        v = file.createVariable(name, "f4", ("time", "height", "latitude", "longitude"), fill_value=numpy.float32(-9999))
        v.standard_name, v.units = "air_temperature", "K"
        v[:] = numpy.where(numpy.isnan(numbers), numpy.float32(-9999), numbers)
    return path
