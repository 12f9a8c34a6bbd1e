# SPDX-License-Identifier: Apache-2.0
"""GRIB files of every kind, made with ecCodes. What stands at a place is a plain function of it, so that a reader's answer can be
checked without reading the file by the same library."""
import math
import struct

import eccodes
import numpy
import pyproj

FIRST = (2026, 1, 31, 12)  # reference time


def value(lon, lat, step=0.0, level=0.0):
    """Smooth, and the same in no two directions."""
    x, y = numpy.radians(lon), numpy.radians(lat)
    return 280 + 12 * numpy.sin(2 * y) + 7 * numpy.cos(y) * numpy.cos(x - 0.4) + 3 * numpy.cos(y) * numpy.sin(3 * x) + step + 0.01 * level


class Message:
    def __init__(self, sample):
        self.handle = eccodes.codes_grib_new_from_samples(sample)
        self.edition = eccodes.codes_get(self.handle, "edition")
        year, month, day, hour = FIRST
        self.set(dataDate=year * 10000 + month * 100 + day, dataTime=hour * 100)

    def set(self, **keys):
        for key, number in keys.items():
            eccodes.codes_set(self.handle, key, number)
        return self

    def values(self, stored, bits=16, missing=None):
        stored = numpy.asarray(stored, dtype=float).ravel()
        if missing is not None:
            eccodes.codes_set(self.handle, "missingValue", 9999.0)
            eccodes.codes_set(self.handle, "bitmapPresent", 1)
            stored = numpy.where(numpy.asarray(missing).ravel(), 9999.0, stored)
        eccodes.codes_set(self.handle, "bitsPerValue", bits)
        eccodes.codes_set_values(self.handle, stored)
        return self

    def bytes(self):
        return eccodes.codes_get_message(self.handle)


def axes(nx, ny, west=5.0, south=40.0, dx=2.0, dy=1.5):
    return west + dx * numpy.arange(nx), south + dy * numpy.arange(ny)


def order(field, mode):
    """A field of rows from south to north, columns from west to east, as a scanning mode stores it: WMO's flag table 3.4."""
    f = field if mode & 0x40 else field[::-1]
    f = f[:, ::-1] if mode & 0x80 else f
    f = f.T if mode & 0x20 else f
    f = f.copy()
    if mode & 0x10:
        f[1::2] = f[1::2, ::-1]
    return f


def lonlat_keys(x, y, mode):
    first = (x[-1] if mode & 0x80 else x[0], y[0] if mode & 0x40 else y[-1])
    last = (x[0] if mode & 0x80 else x[-1], y[-1] if mode & 0x40 else y[0])
    return dict(Ni=len(x), Nj=len(y), longitudeOfFirstGridPointInDegrees=first[0] % 360, latitudeOfFirstGridPointInDegrees=first[1],
                longitudeOfLastGridPointInDegrees=last[0] % 360, latitudeOfLastGridPointInDegrees=last[1],
                iDirectionIncrementInDegrees=x[1] - x[0], jDirectionIncrementInDegrees=y[1] - y[0], scanningMode=mode)


def lonlat(edition, x, y, mode=0x40, step=0, level=0.0, kind="sfc", missing=None, bits=16, **keys):
    m = Message(f"regular_ll_{kind}_grib{edition}").set(**lonlat_keys(x, y, mode))
    m.set(stepRange=step) if edition == 1 else m.set(forecastTime=step)
    m.set(**keys)
    field = value(*numpy.meshgrid(x, y), step, level)
    return m.values(order(field, mode), bits, None if missing is None else order(missing, mode))


def write(path, *messages):
    with open(path, "wb") as f:
        for m in messages:
            f.write(m if isinstance(m, bytes) else m.bytes())
    return path


def scanning(path, edition):
    """Every scanning mode a step of its own, all on the same columns."""
    x, y = axes(7, 5)
    modes = [n << 4 for n in range(16)] if edition == 2 else [n << 5 for n in range(8)]
    write(path, *(lonlat(edition, x, y, mode, step, shortName="2t") for step, mode in enumerate(modes)))
    return x, y, len(modes)


def projected(path, kind, edition=2):
    """A 2-D temperature on a projection: longitudes and latitudes of its columns, south to north and west to east."""
    nx, ny, sphere = 9, 7, dict(R=6371229) if edition == 2 else dict(R=6367470)
    m = Message(f"regular_ll_sfc_grib{edition}")
    names = dict(lambert=("lcc", 30000.0, 25000.0), polar=("stere", 60000.0, 60000.0), south=("stere", 60000.0, 50000.0), mercator=("merc", 40000.0, 40000.0),
                 equal_area=("laea", 20000.0, 20000.0), ellipsoid=("lcc", 30000.0, 30000.0))
    proj, dx, dy = names[kind]
    lon0, lat0 = (174.0, -60.0) if kind == "south" else (-170.0, 12.0) if kind == "mercator" else (8.0, 47.0)
    if kind == "ellipsoid":
        sphere = dict(ellps="WGS84") if edition == 2 else dict(a=6378160, b=6356775)
    earth = dict(shapeOfTheEarth=5 if kind == "ellipsoid" else 6) if edition == 2 else {}
    shape = dict(lambert=dict(lat_1=40, lat_2=55, lat_0=40, lon_0=10), ellipsoid=dict(lat_1=40, lat_2=55, lat_0=40, lon_0=10), polar=dict(lat_0=90, lat_ts=60, lon_0=20),
                 south=dict(lat_0=-90, lat_ts=-60, lon_0=150), mercator=dict(lat_ts=20, lon_0=lon0), equal_area=dict(lat_0=54.9, lon_0=-2.5))[kind]
    p = pyproj.Proj(proj=proj, **shape, **sphere)
    x0, y0 = p(lon0, lat0)
    xs, ys = numpy.meshgrid(x0 + dx * numpy.arange(nx), y0 + dy * numpy.arange(ny))
    lon, lat = p(xs, ys, inverse=True)
    last = (lon[-1, -1] % 360, lat[-1, -1])
    template = {"lcc": "lambert", "stere": "polar_stereographic", "merc": "mercator", "laea": "lambert_azimuthal_equal_area"}[proj]
    m.set(gridType=template, **earth, latitudeOfFirstGridPointInDegrees=lat0, longitudeOfFirstGridPointInDegrees=lon0 % 360)
    unit = 1000 if edition == 2 else 1  # millimetres and metres
    if template == "lambert":
        m.set(Nx=nx, Ny=ny, LoVInDegrees=10, Latin1InDegrees=40, Latin2InDegrees=55, DxInMetres=dx, DyInMetres=dy)
        if edition == 2:
            m.set(LaDInDegrees=40)
    elif template == "polar_stereographic":
        m.set(Nx=nx, Ny=ny, DxInMetres=dx, DyInMetres=dy, projectionCentreFlag=128 if kind == "south" else 0)
        m.set(orientationOfTheGridInDegrees=shape["lon_0"])
        if edition == 2:
            m.set(LaDInDegrees=shape["lat_ts"])
    elif template == "mercator":
        m.set(Ni=nx, Nj=ny, LaDInDegrees=20, DiInMetres=dx, DjInMetres=dy, longitudeOfLastGridPointInDegrees=last[0], latitudeOfLastGridPointInDegrees=last[1])
    else:
        m.set(Nx=nx, Ny=ny, standardParallelInDegrees=54.9, centralLongitudeInDegrees=357.5, xDirectionGridLengthInMillimetres=int(dx * unit),
              yDirectionGridLengthInMillimetres=int(dy * unit))
    m.set(scanningMode=0x40, shortName="2t").values(value(lon, lat))
    write(path, m)
    return lon, lat


def gaussian(path, edition=2, n=16, rotated=False):
    """A global Gaussian grid: Gauss-Legendre nodes of numpy are its latitudes."""
    y = numpy.degrees(numpy.arcsin(numpy.polynomial.legendre.leggauss(2 * n)[0]))
    x = 360 / (4 * n) * numpy.arange(4 * n)
    keys = lonlat_keys(x, y, 0)
    del keys["jDirectionIncrementInDegrees"]
    m = Message(f"{'rotated' if rotated else 'regular'}_gg_sfc_grib{edition}").set(**keys, N=n)
    if rotated:
        m.set(latitudeOfSouthernPoleInDegrees=-35, longitudeOfSouthernPoleInDegrees=15)
    m.set(shortName="2t")
    lon, lat = numpy.meshgrid(x, y)
    if rotated:
        lon, lat = true_places(lon, lat, -35, 15)
    write(path, m.values(order(value(lon, lat), 0), bits=20))
    return lon, lat


def true_places(x, y, south_latitude, south_longitude):
    """Longitudes and latitudes of rotated ones, by turning vectors: the rotated origin lies 90 degrees north of the south pole."""
    x, y, up = numpy.radians(x), numpy.radians(y), math.radians(90 + south_latitude)
    a, b, c = numpy.cos(y) * numpy.cos(x), numpy.cos(y) * numpy.sin(x), numpy.sin(y)
    a, c = math.cos(up) * a - math.sin(up) * c, math.sin(up) * a + math.cos(up) * c
    return (numpy.degrees(numpy.arctan2(b, a)) + south_longitude + 180) % 360 - 180, numpy.degrees(numpy.arcsin(c))


def rotated(path, edition=2):
    x, y = axes(9, 8, -6, -5, 0.5, 0.5)
    lon, lat = true_places(*numpy.meshgrid(x, y), -39.25, 18)
    m = Message(f"rotated_ll_sfc_grib{edition}").set(**lonlat_keys(x, y, 0x40), latitudeOfSouthernPoleInDegrees=-39.25, longitudeOfSouthernPoleInDegrees=18)
    write(path, m.set(shortName="2t").values(value(lon, lat)))
    return lon, lat


def coefficients(levels):
    """Half levels of a hybrid coordinate, top to ground: a in Pa and b."""
    eta = numpy.linspace(0, 1, levels + 1)
    b = eta ** 2.5
    return numpy.float32(100000 * (eta - b) * (1 - eta) + 0), numpy.float32(b)


def hybrid(path, edition=2, levels=20, kept=(20, 3, 7, 15, 19)):
    """Temperature at some of the levels, in no order, with the logarithm of surface pressure at level 1, as the IFS has it."""
    x, y = axes(6, 5)
    a, b = coefficients(levels)
    pv = [float(v) for v in numpy.concatenate([a, b])]
    messages = []
    for name, level in [("t", n) for n in kept] + [("lnsp", 1), ("z", 1)]:
        m = Message(f"regular_gg_ml_grib{edition}").set(gridType="regular_ll", **lonlat_keys(x, y, 0), shortName=name, level=level)
        eccodes.codes_set_array(m.handle, "pv", pv)
        lon, lat = numpy.meshgrid(x, y)
        field = value(lon, lat, 0, level) if name == "t" else numpy.full(lon.shape, math.log(100000.0)) + 0.001 * (lat - 40) if name == "lnsp" else 98.0 * (lon - 5)
        messages.append(m.values(order(field, 0), bits=24))
    write(path, *messages)
    return x, y, a, b


def ensemble(path, runs=2, members=3, steps=(0, 6), levels=(850, 500)):
    """Pressure levels of an ensemble; one message is missing."""
    x, y = axes(6, 5)
    messages = []
    for run in range(runs):
        for member in range(members):
            for step in steps:
                for level in levels:
                    if (run, member, step, level) == (1, 2, steps[-1], levels[-1]):
                        continue
                    m = Message("regular_ll_pl_grib2").set(productDefinitionTemplateNumber=1, **lonlat_keys(x, y, 0), dataTime=100 * 6 * run)
                    m.set(shortName="t", level=level, forecastTime=step, perturbationNumber=member, numberOfForecastsInEnsemble=members)
                    messages.append(m.values(order(value(*numpy.meshgrid(x, y), 10 * run + member + step, level), 0)))
    write(path, *messages)
    return x, y


def sections(message):
    """Edition 2: (number, bytes) of each section between the first and the end."""
    at, found = 16, []
    while message[at:at + 4] != b"7777":
        length = struct.unpack(">I", message[at:at + 4])[0]
        found.append((message[at + 4], message[at:at + length]))
        at += length
    return found


def joined(messages):
    """Several fields of one grid in one message; a bitmap that is the same as before is not repeated."""
    out, bitmap = b"", None
    for n, message in enumerate(messages):
        for number, section in sections(message):
            if number < 4 and n > 0:
                continue
            if number == 6 and section[5] == 0:
                if section == bitmap:
                    section = struct.pack(">IBB", 6, 6, 254)
                else:
                    bitmap = section
            out += section
    return b"GRIB\0\0" + messages[0][6:8] + struct.pack(">Q", 16 + len(out) + 4) + out + b"7777"


def several_in_one(path):
    """u, v and t of one grid in one message, with one bitmap for all."""
    x, y = axes(8, 6)
    missing = numpy.zeros((6, 8), dtype=bool)
    missing[2:4, 3:6] = True
    fields = [lonlat(2, x, y, 0x40, step, missing=missing, shortName=name) for step, name in enumerate(["10u", "10v"])]
    fields.append(lonlat(2, x, y, 0x40, 2, missing=missing, shortName="2t"))
    write(path, joined([m.bytes() for m in fields]))
    return x, y, missing


def a_file_a_level(folder, levels=(850, 1000, 500), steps=(0, 3)):
    """One message a file, as some centres publish theirs."""
    x, y = axes(7, 6)
    for level in levels:
        for step in steps:
            m = Message("regular_ll_pl_grib2").set(**lonlat_keys(x, y, 0x40), shortName="t", level=level, forecastTime=step)
            write(folder / f"TMP_ISBL_{level}_P{step:03d}.grib2", m.values(order(value(*numpy.meshgrid(x, y), step, level), 0x40), 24))
    return x, y


LAYERS = 12


def half_level(lon, lat, k):
    """Height of half level k from the top (0) to the ground (LAYERS), over hills."""
    down = k / LAYERS
    return 20000 * (1 - down) ** 1.5 + 100 + (50 + 10 * (lon - 5)) * down ** 3


def layers_of_height(path, steps=(0, 3)):
    """Layers of a generalized height coordinate, as COSMO and ICON store them: numbers from the top, and once the heights of the half levels."""
    x, y = axes(7, 6)
    lon, lat = numpy.meshgrid(x, y)

    def message(number, second, first_value, second_value, values, step=0):
        m = Message("regular_ll_sfc_grib2").set(**lonlat_keys(x, y, 0x40), centre="edzw", discipline=0, parameterCategory=number[0], parameterNumber=number[1])
        m.set(forecastTime=step, genVertHeightCoords=1, typeOfFirstFixedSurface=150, typeOfSecondFixedSurface=second, nlev=LAYERS + 1, numberOfVGridUsed=1)
        m.set(scaleFactorOfFirstFixedSurface=0, scaledValueOfFirstFixedSurface=first_value)
        if second_value:
            m.set(scaleFactorOfSecondFixedSurface=0, scaledValueOfSecondFixedSurface=second_value)
        return m.values(order(values, 0x40), 24)
    air = [message((0, 0), 150, k + 1, k + 2, value(lon, lat, step, 100 * k), step) for k in range(LAYERS) for step in steps]
    heights = [message((3, 6), 101, k + 1, None, half_level(lon, lat, k)) for k in range(LAYERS + 1)]
    write(path, *air, *heights)
    return x, y
