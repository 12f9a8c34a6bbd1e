# SPDX-License-Identifier: Apache-2.0
"""The picture of a view, by the words of render/README.md ("The picture in words") alone: files through forecast.py, numbers in
double, march.c for the rays. Slow and plain; shares nothing with the program.

    layers = [picture.Layer(view["layers"][0], field.volume(0, 0), lattice)]     lattice: (v0, step) of `virga info --json`
    scene = picture.Scene(view, layers)
    rgba = scene.volume()              [height][width][4], the top row first: colour times alpha, and alpha
    image = scene.finished(rgba, bare)    [height][width][3] of 8 bits
"""
import ctypes
import datetime
import functools
import json
import math
import os
import pathlib
import subprocess
import tempfile

import numpy
import scipy.ndimage

HERE = pathlib.Path(__file__).resolve().parent
EARTH_KM = 6371.229
ENTRIES = 1024  # of the picture's table
FULL_STEP = 1.35
LIGHT_CELLS = (160, 160, 40)
DENSE = 32768  # entries of the table here: so many that it is the function

DOUBLES = ctypes.POINTER(ctypes.c_double)


class CField(ctypes.Structure):
    _fields_ = [("n", ctypes.c_int * 3), ("wraps", ctypes.c_int), ("x", DOUBLES), ("y", DOUBLES), ("heights", DOUBLES),
                ("ground", DOUBLES), ("values", DOUBLES), ("later", DOUBLES), ("blend", ctypes.c_double), ("entries", ctypes.c_int),
                ("low", ctypes.c_double), ("high", ctypes.c_double), ("look", DOUBLES), ("integral", DOUBLES),
                ("coarse", ctypes.c_double), ("lattice_step", ctypes.c_double), ("shading", ctypes.c_int)]


VECTOR, COUNTS = ctypes.c_double * 3, ctypes.c_int * 3


class CScene(ctypes.Structure):
    _fields_ = [("low", VECTOR), ("high", VECTOR), ("exaggeration", ctypes.c_double), ("eye", VECTOR), ("forward", VECTOR),
                ("right", VECTOR), ("top", VECTOR), ("light", VECTOR), ("colour", VECTOR), ("ambient", VECTOR),
                ("width", ctypes.c_int), ("height", ctypes.c_int), ("step", ctypes.c_double), ("shortest", ctypes.c_double),
                ("field_count", ctypes.c_int), ("fields", ctypes.POINTER(CField)), ("shadows", ctypes.c_int), ("cells", COUNTS),
                ("share", DOUBLES), ("net", ctypes.c_int * 2), ("net_heights", DOUBLES), ("leap_size", COUNTS),
                ("leap_low", VECTOR), ("leap_cell", VECTOR), ("leaps", ctypes.POINTER(ctypes.c_ubyte))]


@functools.lru_cache(maxsize=None)
def library():
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/march.so"
        compiler = os.environ.get("CC", "cc")
        subprocess.run([compiler, "-std=c17", "-O2", "-shared", "-fPIC", "-o", path, str(HERE / "march.c"), "-lm"], check=True)
        return ctypes.CDLL(path)


def array(numbers):
    return numpy.ascontiguousarray(numbers, numpy.float64)


def pointer(numbers):
    return numbers.ctypes.data_as(DOUBLES)


def curve(points, at, column=1):
    """The piecewise linear curve through [[x, y, …], …], held beyond its ends."""
    points = array(points)
    return numpy.interp(at, points[:, 0], points[:, column])


class Transfer:
    """Colour and tau of values, and the integrals of colour × tau and tau over them."""

    def __init__(self, layer):
        points = json.loads((HERE.parents[1] / "assets" / "colour_maps" / f"{layer['colour_map']}.json").read_text())["points"]
        low, high = layer["range"]
        self.low, self.high = min(low, layer["opacity"][0][0]), max(high, layer["opacity"][-1][0])
        values = numpy.linspace(self.low, self.high, DENSE)
        self.look = numpy.empty((DENSE, 4))
        for c in range(3):
            self.look[:, c] = curve(points, (values - low) / (high - low), c + 1) / 255
        self.look[:, 3] = -numpy.log(1 - numpy.clip(curve(layer["opacity"], values), 0, 0.9999))
        flow = numpy.concatenate([self.look[:, :3] * self.look[:, 3:], self.look[:, 3:]], axis=1)
        steps = (flow[1:] + flow[:-1]) / 2 * (self.high - self.low) / (DENSE - 1)
        self.integral = numpy.concatenate([numpy.zeros((1, 4)), numpy.cumsum(steps, axis=0)])


    def shows(self, values):
        """Whether anything between the least and the greatest of them has any opacity, to two entries of the picture's table."""
        if numpy.isnan(values).all():
            return False
        margin = 2 * (self.high - self.low) / (ENTRIES - 1)
        low, high = (numpy.clip(v, self.low, self.high) for v in (numpy.nanmin(values) - margin, numpy.nanmax(values) + margin))
        first, last = (int((v - self.low) / (self.high - self.low) * (DENSE - 1)) for v in (low, high))
        return bool(self.look[first:last + 1, 3].max() > 0)


class Layer:
    """One volume of a view: its style, its numbers (a place.Volume), the later step that is blended in. taken: of a difference the
    volume that is taken away, which stands at the same places, and its lattice."""

    def __init__(self, style, volume, lattice, later=None, blend=0.0, taken=None):
        self.style, self.volume, self.blend, self.step = style, volume, blend, lattice[1]
        self.values = self.on_lattice(volume, lattice)
        if taken:
            self.values = self.values - self.on_lattice(*taken)
        self.later = None if later is None or not blend else self.on_lattice(later, lattice)
        self.transfer = Transfer(style)

    @staticmethod
    def on_lattice(volume, lattice):
        v0, step = lattice
        return v0 + numpy.floor((volume.values - v0) / step + 0.5) * step


def km_per_unit(volume):
    if abs(volume.x).max() > 720:
        return 1e-3, 1e-3
    degree = math.pi / 180 * EARTH_KM
    return degree * math.cos(math.radians((volume.y[0] + volume.y[-1]) / 2)), degree


class Scene:
    def __init__(self, view, layers, step=FULL_STEP, shortest=1 / 4000, leaps=True, seconds=None):
        """view: a whole view document; layers: of what is visible, a volume at least. step, shortest, leaps: of rays, for finer pictures
        than the usual. seconds: of the valid time since 1970."""
        self.view, self.kept = view, []
        self.layers, self.drapes = ([layer for layer in layers if (layer.volume.heights is None) == flat] for flat in (False, True))
        self.exaggeration, (self.width, self.height) = view["exaggeration"], view["size"]
        first = self.layers[0].volume
        self.scale, self.centre = km_per_unit(first), ((first.x[0] + first.x[-1]) / 2, (first.y[0] + first.y[-1]) / 2)
        self.frame()
        self.light = light_of(view["light"], *self.middle(), seconds)
        self.c = self.filled(step, shortest)
        if leaps:
            self.leap()
        if self.light["shadows"]:
            library().cast_light(ctypes.byref(self.c))

    def km(self, volume):
        return (volume.x - self.centre[0]) * self.scale[0], (volume.y - self.centre[1]) * self.scale[1]

    def frame(self):
        """The box around all volumes, from the ground or the sea to the highest point, in km."""
        low, high = [math.inf, math.inf, 0.0], [-math.inf, -math.inf, 0.01]
        for layer in self.layers:
            volume = layer.volume
            x, y = self.km(volume)
            end = x[-1] + (x[1] - x[0] if volume.wraps else 0)
            top = max(volume.heights.max(), volume.ground.max() + 10) / 1000
            low = [min(low[0], x[0]), min(low[1], y[0]), min(low[2], volume.ground.min() / 1000)]
            high = [max(high[0], end), max(high[1], y[-1]), max(high[2], top)]
        self.low, self.high = low, high

    def middle(self):
        """Longitude and latitude of the scene's middle, and the bearing of true north from scene Y, degrees clockwise."""
        volume, (x, y) = self.layers[0].volume, self.centre
        lonlat = volume.to_lonlat or (lambda a, b: (a, b))
        if volume.wraps:
            x += (volume.x[1] - volume.x[0]) / 2
        lon, lat = lonlat(x, y)
        small = 0.05 / self.scale[1]
        (a, b), (c, d) = lonlat(x, y - small), lonlat(x, y + small)
        bearing = math.degrees(math.atan2(((c - a + 180) % 360 - 180) * math.cos(math.radians(lat)), d - b))
        return lon, lat, -bearing

    def keep(self, numbers):
        self.kept.append(array(numbers))
        return pointer(self.kept[-1])

    def field(self, layer):
        volume, transfer = layer.volume, layer.transfer
        x, y = self.km(volume)
        nz, ny, nx = volume.values.shape
        heights = None if volume.heights is None else self.keep(volume.heights)
        later = None if layer.later is None else self.keep(layer.later)
        return CField((nx, ny, nz), int(volume.wraps), self.keep(x), self.keep(y), heights, self.keep(volume.ground),
                      self.keep(layer.values), later, layer.blend, DENSE, transfer.low, transfer.high, self.keep(transfer.look),
                      self.keep(transfer.integral), 2 * (transfer.high - transfer.low) / (ENTRIES - 1), layer.step,
                      layer.style.get("shading", False))

    def net(self):
        """Heights of the ground at the vertices of an even net over the domain."""
        volume = self.layers[0].volume
        ny, nx = volume.ground.shape
        columns, rows = max(2, min(320, nx)), max(2, min(320, ny))
        x, y = self.km(volume)
        i = numpy.interp(numpy.linspace(self.low[0], self.high[0], columns), x, numpy.arange(nx)) if nx > 1 else numpy.zeros(columns)
        j = numpy.interp(numpy.linspace(self.low[1], self.high[1], rows), y, numpy.arange(ny)) if ny > 1 else numpy.zeros(rows)
        return bilinear(volume.ground, *numpy.meshgrid(i, j))

    def filled(self, step, shortest):
        camera, stretch = self.view["camera"], numpy.array([1, 1, self.exaggeration])
        eye, target = array(camera["eye"]) * stretch, array(camera["target"]) * stretch
        forward = (target - eye) / numpy.linalg.norm(target - eye)
        right = numpy.cross(forward, camera["up"])
        right /= numpy.linalg.norm(right)
        tall = math.tan(math.radians(camera["fov"]) / 2)
        net = self.net()
        fields = (CField * len(self.layers))(*map(self.field, self.layers))
        self.kept.append(fields)
        cells = numpy.ones(LIGHT_CELLS[::-1])
        self.kept.append(cells)
        lights = (VECTOR(*self.light[of]) for of in ("direction", "colour", "ambient"))
        return CScene(VECTOR(*self.low), VECTOR(*self.high), self.exaggeration, VECTOR(*eye), VECTOR(*forward),
                      VECTOR(*(right * tall * self.width / self.height)), VECTOR(*(numpy.cross(right, forward) * tall)), *lights,
                      self.width, self.height, step, shortest, len(self.layers), fields, self.light["shadows"],
                      COUNTS(*LIGHT_CELLS), pointer(cells), (ctypes.c_int * 2)(*net.shape[::-1]), self.keep(net))

    def leap(self):
        """Cells in which rays need not look: 8 × 8 columns × 1/48 of the box's height."""
        low, cell, size = [], [], []
        first = self.layers[0].volume
        for axis, (places, edge) in enumerate(zip(self.km(first), zip(self.low, self.high))):
            step = even_step(places)
            low.append(places[0] - 0.5 * step if step else edge[0])
            uneven = (places[-1] - places[0]) / math.ceil(len(places) / 8) if len(places) > 1 else edge[1] - edge[0]
            cell.append(8 * step or uneven)
            size.append(max(1, math.ceil((edge[1] - low[-1]) / cell[-1] - 1e-6)))
        low, cell, size = low + [self.low[2]], cell + [(self.high[2] - self.low[2]) / 48], size + [48]
        shown = numpy.zeros(size[::-1], bool)
        for layer in self.layers:
            self.mark(shown, layer, low, cell)
        empty = (~shown).astype(numpy.uint8)
        for reach, value in ((1, 2), (2, 3), (4, 5), (8, 9)):
            empty[~scipy.ndimage.maximum_filter(shown, 2 * reach + 1, mode="constant")] = value
        self.kept.append(numpy.ascontiguousarray(empty))
        self.c.leap_size = COUNTS(*size)
        self.c.leap_low, self.c.leap_cell = VECTOR(*low), VECTOR(*cell)
        self.c.leaps = self.kept[-1].ctypes.data_as(ctypes.POINTER(ctypes.c_ubyte))

    def mark(self, shown, layer, low, cell):
        """What a layer may show: cells of 8 × 8 × 8 voxels that have, with one voxel around them, values of any opacity."""
        volume = layer.volume
        places = self.km(volume)
        spans = [[span_of(axis, c, low[n], cell[n], shown.shape[2 - n]) for c in range(math.ceil(len(axis) / 8))]
                 for n, axis in enumerate(places)]
        over = volume.heights - volume.ground
        for k in range(math.ceil(len(volume.values) / 8)):
            bottom, top = level_at(over, 8 * k - 0.5), level_at(over, 8 * k + 7.5)
            for j, (y0, y1) in enumerate(spans[1]):
                for i, (x0, x1) in enumerate(spans[0]):
                    both = [numbers for numbers in (layer.values, layer.later) if numbers is not None]
                    if not any(layer.transfer.shows(numbers[around(numbers.shape, (k, j, i), volume.wraps)]) for numbers in both):
                        continue
                    columns = numpy.ix_(*(numpy.arange(max(0, 8 * n - 1), min(count, 8 * n + 9))
                                          for n, count in zip((j, i), volume.ground.shape)))
                    ground = volume.ground[columns]
                    foot, head = ground.min() + bottom[columns].min(), ground.max() + top[columns].max()
                    if k == 0:
                        foot = min(ground.min(), foot) - 1
                    z0, z1 = (math.floor((h / 1000 - low[2]) / cell[2]) for h in (foot, head))
                    heights = slice(max(0, z0), z1 + 1)
                    shown[heights, y0:y1 + 1, x0:x1 + 1] = True
                    if volume.wraps and i in (0, len(spans[0]) - 1):
                        shown[heights, y0:y1 + 1, -1] = True

    def volume(self):
        rgba = numpy.zeros((self.height, self.width, 4))
        library().draw(ctypes.byref(self.c), pointer(rgba))
        return rgba

    def ground(self, bare):
        """A picture of the domain's bare ground in full sunlight, 0 to 1, and what it is under drapes and in the volumes' shadow."""
        at, sunlight = numpy.empty((self.height, self.width, 3)), numpy.empty((self.height, self.width))
        library().draw_ground(ctypes.byref(self.c), pointer(at), pointer(sunlight))
        relief = self.relief(at)
        lit = lambda sun: (self.light["ambient"] * (1 + (relief - 1) * 0.35)[..., None]
                           + self.light["colour"] * (relief * sun)[..., None])
        colour = bare / lit(numpy.ones_like(sunlight))
        for layer in self.drapes:
            values = numpy.empty((self.height, self.width))
            library().draw_drape(ctypes.byref(self.c), ctypes.byref(self.field(layer)), pointer(at), pointer(values))
            places = numpy.linspace(layer.transfer.low, layer.transfer.high, DENSE)
            look = numpy.stack([numpy.interp(values, places, layer.transfer.look[:, c]) for c in range(4)], axis=-1)
            share = numpy.where(numpy.isnan(values), 0, 1 - numpy.exp(-look[..., 3]))[..., None]
            colour = colour * (1 - share) + numpy.nan_to_num(look[..., :3]) * share
        return numpy.where(numpy.isnan(at[..., :1]), bare, colour * lit(sunlight))

    def relief(self, at):
        """How brightly the slopes of the ground answer to the light, as if it were 12 times as steep."""
        heights = self.net() / 1000
        wide = numpy.pad(heights, 1, mode="edge")
        size = [self.high[axis] - self.low[axis] for axis in (0, 1)]
        slopes = [(wide[1:-1, 2:] - wide[1:-1, :-2]) / (2 * size[0] / (heights.shape[1] - 1)),
                  (wide[2:, 1:-1] - wide[:-2, 1:-1]) / (2 * size[1] / (heights.shape[0] - 1))]
        u = numpy.clip((numpy.nan_to_num(at[..., 0]) - self.low[0]) / size[0], 0, 1) * (heights.shape[1] - 1)
        v = numpy.clip((numpy.nan_to_num(at[..., 1]) - self.low[1]) / size[1], 0, 1) * (heights.shape[0] - 1)
        normal = numpy.stack([-12 * bilinear(slopes[0], u, v), -12 * bilinear(slopes[1], u, v), numpy.ones_like(u)], axis=-1)
        lamp = array(self.light["direction"][:2] + [max(self.light["direction"][2], 0.35)])
        lamp /= numpy.linalg.norm(lamp)
        return numpy.clip(normal @ lamp / numpy.linalg.norm(normal, axis=-1) / max(lamp[2], 0.2), 0.35, 1.5)

    def sky(self):
        up = (numpy.arange(self.height)[::-1] + 0.5) / self.height
        share = (up * up * (3 - 2 * up))[:, None, None]
        return numpy.broadcast_to(self.light["sky_low"] * (1 - share) + self.light["sky_top"] * share, (self.height, self.width, 3))

    def finished(self, rgba, bare=None):
        """The picture in 8 bits. bare: the picture without layers, 0 to 1; the sky if there is none."""
        below = self.sky() if bare is None else self.ground(bare)
        grainless = smoothed(rgba)
        colour = below * (1 - grainless[..., 3:]) + grainless[..., :3]
        return numpy.floor(numpy.clip(colour + dither(self.width, self.height)[..., None], 0, 1) * 255 + 0.5).astype(numpy.uint8)


def even_step(places):
    """The distance of columns that are evenly spaced; 0 where they are not."""
    if len(places) < 2:
        return 0
    step = (places[-1] - places[0]) / (len(places) - 1)
    return step if abs(places - places[0] - step * numpy.arange(len(places))).max() <= 1e-3 * step else 0


def span_of(places, cell, low, width, count):
    """First and last cell of the grid of leaps that a cell of 8 voxels reaches into."""
    step = even_step(places)
    ends = [8 * cell - 0.5, 8 * cell + 7.5]
    ends = [places[0] + step * end for end in ends] if step else numpy.interp(ends, numpy.arange(len(places)), places)
    return max(0, math.floor((ends[0] - low) / width + 1e-4)), min(count - 1, math.ceil((ends[1] - low) / width - 1e-4) - 1)


def level_at(heights, k):
    """Heights of a fractional level."""
    k = min(max(k, 0), len(heights) - 1)
    below = min(int(k), max(len(heights) - 2, 0))
    return heights[below] + (k - below) * (heights[min(below + 1, len(heights) - 1)] - heights[below])


def around(shape, cell, wraps):
    """Indices of a cell of 8 voxels and one voxel around it."""
    index = [numpy.arange(max(0, 8 * c - 1), min(n, 8 * c + 9)) for c, n in zip(cell, shape)]
    if wraps:
        index[2] = numpy.arange(8 * cell[2] - 1, min(8 * cell[2] + 8, shape[2]) + 1) % shape[2]
    return numpy.ix_(*index)


def bilinear(plane, i, j):
    """At fractional columns and rows, inside."""
    last = plane.shape[1] - 1, plane.shape[0] - 1
    i0, j0 = numpy.minimum(i.astype(int), max(last[0] - 1, 0)), numpy.minimum(j.astype(int), max(last[1] - 1, 0))
    i1, j1, a, b = numpy.minimum(i0 + 1, last[0]), numpy.minimum(j0 + 1, last[1]), i - i0, j - j0
    return (plane[j0, i0] * (1 - a) + plane[j0, i1] * a) * (1 - b) + (plane[j1, i0] * (1 - a) + plane[j1, i1] * a) * b


def smoothed(rgba):
    """The little cross over neighbouring pixels; beyond the edges they repeat."""
    wide = numpy.pad(rgba, ((1, 1), (1, 1), (0, 0)), mode="edge")
    return 0.32 * rgba + 0.17 * (wide[:-2, 1:-1] + wide[2:, 1:-1] + wide[1:-1, :-2] + wide[1:-1, 2:])


def dither(width, height):
    """Less than one 8-bit step, by the pixel; rows count from the bottom."""
    x, y = numpy.meshgrid(numpy.arange(width, dtype=numpy.uint32), numpy.arange(height, dtype=numpy.uint32)[::-1])
    hash_ = x * numpy.uint32(1597334677) ^ y * numpy.uint32(3812015801)
    hash_ = (hash_ ^ (hash_ >> numpy.uint32(15))) * numpy.uint32(2246822519)
    return ((hash_ >> numpy.uint32(8)) / 16777216 - 0.5) / 255


def sun(seconds, lon, lat):
    """Azimuth from north through east, and elevation, in degrees: Michalsky (1988), Solar Energy 40, 227-235, without refraction."""
    days = (seconds - datetime.datetime(2000, 1, 1, 12, tzinfo=datetime.timezone.utc).timestamp()) / 86400
    mean = math.radians((357.528 + 0.9856003 * days) % 360)
    ecliptic = math.radians((280.460 + 0.9856474 * days + 1.915 * math.sin(mean) + 0.020 * math.sin(2 * mean)) % 360)
    tilt = math.radians(23.439 - 0.0000004 * days)
    ascension = math.atan2(math.cos(tilt) * math.sin(ecliptic), math.cos(ecliptic))
    declination = math.asin(math.sin(tilt) * math.sin(ecliptic))
    sidereal = 6.697375 + 0.0657098242 * days + (seconds % 86400) / 3600
    hour = math.radians(sidereal * 15 + lon) - ascension
    phi = math.radians(lat)
    elevation = math.asin(math.sin(declination) * math.sin(phi) + math.cos(declination) * math.cos(phi) * math.cos(hour))
    azimuth = math.atan2(-math.cos(declination) * math.sin(hour),
                         math.sin(declination) * math.cos(phi) - math.cos(declination) * math.sin(phi) * math.cos(hour))
    return math.degrees(azimuth) % 360, math.degrees(elevation)


def light_of(light, lon, lat, north, seconds):
    """Direction to the light in the shown scene, its colour, that of the surroundings, and the sky's, by the view's words."""
    ambient, by_time = light["ambient"], light["sun"] == "time"
    azimuth, elevation = sun(seconds, lon, lat) if by_time else (light["sun"]["azimuth"], light["sun"]["elevation"])
    night = by_time and elevation < -4
    up = math.radians(max(9, 38 if night else elevation))
    turn = math.radians((215 if night else azimuth) + north)
    day = min(1, max(0, (elevation + 4) / 12)) if by_time else 1
    warm = min(1, max(0, (14 - elevation) / 16)) if by_time else 0
    colour = numpy.array([1, 0.985, 0.95]) * (1 - warm) + numpy.array([1, 0.78, 0.56]) * warm
    shade = numpy.array([0.86, 0.93, 1.04]) * ambient
    if by_time:
        shade = shade * (0.8 + 0.2 * day) * [1, 1, 1.03]
    colour = colour * (1 - 0.55 * ambient) * (0.55 + 0.45 * day if by_time else 1)
    if night:
        colour, shade = numpy.array([0.72, 0.82, 1.0]) * 0.46, numpy.array([0.80, 0.92, 1.12]) * ambient * 0.85
    mixed = lambda a, b: numpy.array(a) * day + numpy.array(b) * (1 - day)
    return {"direction": [math.sin(turn) * math.cos(up), math.cos(turn) * math.cos(up), math.sin(up)], "colour": colour, "ambient": shade,
            "shadows": bool(light["shadows"]), "sky_top": mixed([0.115, 0.175, 0.265], [0.030, 0.045, 0.090]),
            "sky_low": mixed([0.245, 0.325, 0.415], [0.075, 0.095, 0.150])}
