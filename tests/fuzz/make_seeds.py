#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Seeds for fuzz_netcdf_metadata from netCDF files' headers, axes cut to a few points: make_seeds.py FOLDER FILE…"""
import pathlib
import sys

import netCDF4
import numpy

TYPES = ("i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8")
AXIS = 7


def attribute(name, value):
    if isinstance(value, str):
        return f"text {name} {' '.join(value.split())[:120]}"
    value = numpy.atleast_1d(value)
    if value.dtype.str[1:] not in TYPES:
        return f"text {name} {str(value[0])[:60]}"
    return f"numbers {name} {TYPES.index(value.dtype.str[1:])} " + " ".join(f"{x:.9g}" for x in value[:8])


def kept(dimension):
    return min(len(dimension), 19 if dimension.name == "DateStrLen" else AXIS)


def variable(file, v):
    kind = 10 if v.dtype == "S1" else 11 if v.dtype is str else TYPES.index(v.dtype.str[1:])
    yield f"var {kind} {v.name} {' '.join(v.dimensions)}"
    yield from (attribute(name, v.getncattr(name)) for name in v.ncattrs()[:14])
    numbers = numpy.ravel(v[tuple(slice(0, kept(file.dimensions[d])) for d in v.dimensions)]) if kind < 11 else []
    if kind == 10:
        numbers = numpy.frombuffer(numbers.tobytes(), "u1")
    if v.ndim < 3 or kind == 10:
        yield "data " + " ".join(f"{float(x):.9g}" for x in numbers[:60])
    else:
        yield f"data {float(numpy.nanmin(numbers)):.6g} {float(numpy.nanmax(numbers)):.6g}"


def text(path):
    with netCDF4.Dataset(path) as file:
        file.set_auto_maskandscale(False)
        yield from (f"dim {d.name} {kept(d)}" for d in file.dimensions.values())
        yield from (attribute(name, file.getncattr(name)) for name in file.ncattrs()[:6])
        for v in list(file.variables.values())[:30]:
            yield from variable(file, v)


for path in map(pathlib.Path, sys.argv[2:]):
    (pathlib.Path(sys.argv[1]) / path.stem).write_text("\n".join(text(path)) + "\n")
