# SPDX-License-Identifier: Apache-2.0
"""One run of a model as many files, a step each: hybrid height over an orography that every file carries along, five variables on
levels and two on the ground, on a rotated pole."""
import datetime
import shutil
import subprocess

import netCDF4
import numpy

import make_files

LEVELS = {"air_temperature": "K", "specific_humidity": "kg kg-1", "cloud_volume_fraction_in_atmosphere_layer": "1", "x_wind": "m s-1",
          "y_wind": "m s-1"}


def make_step(path, shape, deflated, values):
    """A file with everything in it, its time 0 hours. Without `values` nothing is written on levels: the file has its size, and the disk does not."""
    nz, ny, nx = shape
    with netCDF4.Dataset(path, "w") as file:
        make_files.times(file, 1, 0)
        file.source, file.title = "Made model 1.0", "A run of many files"
        file.history = f"{datetime.date(2026, 1, 1)} made by a test"
        y, x = make_files.rotated_axes(file, nx, ny)
        make_files.hybrid_height_levels(file, nz, 20000)
        jj, ii = numpy.meshgrid(numpy.arange(ny), numpy.arange(nx), indexing="ij")
        orography = file.createVariable("surface_altitude", "f4", (y, x), zlib=deflated)
        orography.standard_name, orography.units, orography.grid_mapping = "surface_altitude", "m", "grid"
        orography[:] = 400 + 350 * numpy.sin(ii / 14.0) * numpy.cos(jj / 15.0)
        pressure = file.createVariable("surface_air_pressure", "f4", ("time", y, x), zlib=deflated)
        pressure.standard_name, pressure.units, pressure.grid_mapping = "surface_air_pressure", "Pa", "grid"
        pressure[:] = 100000 - 11 * orography[:]
        for name, units in LEVELS.items():
            chunks = (1, 1, ny, nx) if deflated else None
            v = file.createVariable(name, "f4", ("time", "level", y, x), zlib=deflated, chunksizes=chunks, contiguous=not deflated, fill_value=False)
            v.standard_name, v.units, v.grid_mapping = name, units, "grid"
            v.coordinates = "level_height sigma surface_altitude forecast_reference_time"
            if values:
                v[:] = numpy.round(make_files.field(shape)[None] * 8) / 8
    return path


def make_run(folder, count, shape=(30, 200, 200), deflated=True, values=True):
    """`count` files step_0000.nc, … an hour apart, of one run. Gives their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    first = make_step(folder / "first", shape, deflated, values)
    paths = []
    for n in range(count):
        path = folder / f"step_{n:04d}.nc"
        subprocess.run(["cp", "--sparse=always", first, path], check=True) if not values else shutil.copyfile(first, path)
        with netCDF4.Dataset(path, "a") as file:
            file["time"][:] = n + 1
        paths.append(path)
    first.unlink()
    return paths
