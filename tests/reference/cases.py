# SPDX-License-Identifier: Apache-2.0
"""Pictures that are drawn by the page, by `virga export` and by picture.py: a view document each, with the numbers that it shows.

    kit = cases.Kit(virga, folder, forecasts)     virga(*arguments): what the program printed; folder: for files; forecasts:
                                                  the folder of real ones, or None
    case = kit.case("sphere", size)               one of NAMES; None where it needs a real forecast and there is none
    case.view, case.path; case.scene() is picture.Scene
"""
import copy
import json
import math
import pathlib

import numpy

import forecast
import make_shapes
import picture

NO_MAP = {"coastlines": False, "graticule": False, "terrain": False, "height_axis": False}
FIXED_SUN = {"azimuth": 205, "elevation": 38}


class Case:
    """styles and variables in the order of the view's layers."""

    def __init__(self, name, path, view, fields, lattices, step=0, member=0, taken=None):
        """taken: of each layer the (field, lattice) that it takes away, or None."""
        self.name, self.path, self.view = name, path, view
        self.fields, self.lattices, self.step, self.member = fields, lattices, step, member
        self.taken = taken or [None] * len(fields)

    def __str__(self):
        return self.name

    def volumes(self, later=0):
        """place.Volume of each visible layer, at the view's step or a later one; None for those that are hidden."""
        def of(field):
            return field.volume(min(self.step + later, len(field.times) - 1), self.member if len(field.members) > 1 else 0)
        return [of(field) if style.get("visible", True) else None for field, style in zip(self.fields, self.view["layers"])]

    def scene(self, volumes=None, lattices=None, later=None, blend=0.0, **options):
        """volumes, lattices: in place of the true ones, for what must be noticed; later: volumes that are blended in."""
        volumes = volumes or self.volumes()
        layers = [picture.Layer(style, volume, lattice, after, blend, self.less(taken))
                  for style, volume, lattice, after, taken
                  in zip(self.view["layers"], volumes, lattices or self.lattices, later or volumes, self.taken) if volume is not None]
        return picture.Scene(self.view, layers, seconds=self.seconds(), **options)

    def less(self, taken):
        """The volume, and its lattice, that is taken away at the view's time."""
        if taken is None:
            return None
        field, lattice = taken
        return field.volume(field.times.index(self.fields[0].times[self.step]), 0), lattice

    def seconds(self):
        return numpy.datetime64(self.fields[0].times[self.step].rstrip("Z"), "s").astype(float)

    def bare(self):
        """The view with its layers hidden."""
        view = copy.deepcopy(self.view)
        for style in view["layers"]:
            style["visible"] = False
        return view


def framed(volume, exaggeration, azimuth=215, elevation=32, closeness=1.0, top=False):
    """A camera that looks at the middle of a volume from a side, so near that it fills much of the picture."""
    scale = picture.km_per_unit(volume)
    wide, deep = (volume.x[-1] - volume.x[0]) * scale[0], (volume.y[-1] - volume.y[0]) * scale[1]
    low, high = volume.ground.min() / 1000, volume.heights.max() / 1000
    middle = [0, 0, (low + high) / 2]
    if top:
        reach = 1.06 * deep / 2 / math.tan(math.radians(4)) / closeness
        return {"mode": "top", "eye": [0, 0, round((reach + high * exaggeration) / exaggeration, 4)], "target": [0, 0, 0], "up": [0, 1, 0], "fov": 8}
    reach = math.sqrt(wide ** 2 + deep ** 2 + ((high - low) * exaggeration) ** 2) / closeness
    a, b = math.radians(azimuth), math.radians(elevation)
    eye = [reach * math.sin(a) * math.cos(b), reach * math.cos(a) * math.cos(b), middle[2] + reach * math.sin(b) / exaggeration]
    return {"mode": "orbit", "eye": [round(v, 4) for v in eye], "target": [round(v, 4) for v in middle], "up": [0, 0, 1], "fov": 32}


def styled(variable, volume, colour_map="temperature", low=0.05, high=0.95, most=0.3, shading=False):
    """A layer over most of the values that there are, the higher the denser; most: opacity per km of the highest."""
    present = volume.values[~numpy.isnan(volume.values)]
    a, b = (float(f"{v:.6g}") for v in (numpy.quantile(present, [low, high]) if len(present) else (0, 1)))
    if not b > a:
        b = a + max(abs(a) * 0.01, 1e-3)
    return {"variable": variable["id"], "visible": True, "colour_map": colour_map, "range": [a, b],
            "units": variable["units"], "opacity": [[a, 0], [a + 0.3 * (b - a), most / 5], [b, most]], "shading": shading}


def of_file(virga, name, path, variables, step=0, member=0, run=None, size=(320, 180), exaggeration=None, camera=None,
            shading=False, shadows=False, light=None, styles=None, look_from=None, minus=None):
    """path: what is served; variables: names, the first layer first; styles: what differs from styled(), a dictionary a layer;
    minus: of the first layer, what it takes away: the name of a variable and the file of its run."""
    dataset = json.loads(virga("info", path, "--json"))["datasets"][0]
    found = [next(v for v in dataset["variables"] if v["name"] == variable) for variable in variables]
    file = forecast.load(run or path)
    fields = [forecast.of_variable(file, variable) for variable in found]
    volumes = [field.volume(step, member if len(field.members) > 1 else 0) for field in fields]
    first = next((v for v in volumes if v.heights is not None), None)
    if exaggeration is None:
        width = (first.x[-1] - first.x[0]) * picture.km_per_unit(first)[0]
        exaggeration = round(min(900.0, max(1.0, 0.3 * width / (first.heights.max() / 1000))), 2)
    layers = [{**styled(variable, volume, shading=shading), **(styles[n] if styles else {})}
              for n, (variable, volume) in enumerate(zip(found, volumes))]
    view = {"version": 1, "dataset": dataset["id"], "run": "latest", "time": fields[0].times[step], "member": member, "layers": layers,
            "camera": camera or framed(first, exaggeration, **(look_from or {})),
            "light": light or {"sun": FIXED_SUN, "shadows": shadows, "ambient": 0.35},
            "exaggeration": exaggeration, "map": NO_MAP, "size": list(size)}
    lattices = [(v["lattice"]["v0"], v["lattice"]["step"]) for v in found]
    if minus is None:
        return Case(name, path, view, fields, lattices, step, member)
    less = next(v for v in dataset["variables"] if v["name"] == minus[0])
    taken = forecast.of_variable(forecast.load(minus[1]), less), (less["lattice"]["v0"], less["lattice"]["step"])
    return Case(name, path, view, fields, lattices, step, member, [taken] + [None] * (len(fields) - 1))


SHAPE_STYLE = {"range": [280, 282], "opacity": [[280, 0], [280.4, 0], [281.2, 0.1], [282, 0.4]], "shading": True}
CLOUD, RAIN, TEMPERATURE = "cloud_area_fraction_in_atmosphere_layer", "rainfall_flux", "air_temperature"
CLOUD_STYLE = {"colour_map": "cloud", "range": [0, 1], "opacity": [[0, 0], [0.12, 0], [0.35, 0.12], [0.7, 0.5], [1, 0.85]], "shading": True}
WARM_STYLE = {"range": [240, 290], "opacity": [[240, 0.01], [290, 0.02]], "shading": False}
RAIN_STYLE = {"colour_map": "rain", "range": [0, 0.002], "opacity": [[0, 0], [2e-5, 0.3], [0.001, 0.9]], "shading": False}
FORECASTS = {
    "hybrid heights": ("hybrid_height.nc", ["air_potential_temperature"], {"shading": True, "shadows": True}),
    "pressures with geopotential": ("GFS_test.nc", ["Temperature_isobaric"], {}),
    "heights over a projection": ("mogreps_uk_wet_bulb_temperature.nc", ["wet_bulb_temperature"], {"shading": True}),
    "eta levels": ("wrf_ci_test_file.nc", ["T"], {"step": 1}),
    "model levels": ("ifs_forecast_ml.grib", ["t"], {}),
    "projected pressures": ("nam.t00z.awp21100.tm00.grib2", ["r"], {}),
    "missing under the ground": ("mogreps_g_temperature_on_pressure_levels.nc", ["air_temperature"], {}),
}
SHAPES = {
    "sphere": ("sphere", {}),
    "slab": ("slab", {}),
    "ramp": ("ramp", {}),
    "holes": ("holes", {}),
    "shadows": ("sphere", {"shadows": True}),
    "night": ("sphere", {"light": {"sun": "time", "shadows": True, "ambient": 0.35}}),
    "from above": ("holes", {"look_from": {"top": True}}),
    "from within": ("ramp", {"camera": {"mode": "fly", "eye": [-60, -30, 3], "target": [40, 30, 3.5], "up": [0, 0, 1], "fov": 70}}),
}
DEMONSTRATIONS = {
    "demonstration": ([CLOUD], {"shadows": True, "styles": [CLOUD_STYLE]}),
    "two volumes": ([CLOUD, TEMPERATURE], {"shadows": True, "styles": [CLOUD_STYLE, WARM_STYLE]}),
    "on the ground": ([CLOUD, RAIN], {"shadows": True, "styles": [CLOUD_STYLE, RAIN_STYLE]}),
}
DIFFERENCES = {
    "between runs": (TEMPERATURE, {"run": "previous"}, TEMPERATURE, "*T0000Z.nc",
                     {"colour_map": "blue_white_red", "range": [-0.6, 0.6], "shading": True,
                      "opacity": [[-0.6, 0.6], [-0.2, 0.1], [-0.06, 0], [0.06, 0], [0.2, 0.1], [0.6, 0.6]]}),
    "between variables": ("x_wind", {"variable": "y_wind"}, "y_wind", "*T0600Z.nc",
                          {"colour_map": "blue_white_red", "range": [-30, 30], "shading": True,
                           "opacity": [[-30, 0.5], [-10, 0], [10, 0], [30, 0.5]]}),
}
USUAL = ("sphere", "slab", "ramp", "demonstration", "hybrid heights", "pressures with geopotential", "eta levels", "between runs")
NAMES = (*SHAPES, "sunrise", "uneven axes", "around the globe", *DEMONSTRATIONS, *DIFFERENCES, *FORECASTS)
OTHERS = tuple(name for name in NAMES if name not in USUAL)


def real_forecasts():
    """Their folder, or None."""
    folder = pathlib.Path(__file__).resolve().parents[2].parent / "shared" / "forecasts"
    return folder if folder.is_dir() else None


class Kit:
    def __init__(self, virga, folder, forecasts=None):
        self.virga, self.folder, self.forecasts = virga, folder, forecasts

    def case(self, name, size=(320, 180)):
        if name in SHAPES:
            kind, options = SHAPES[name]
            return self.shape(name, make_shapes.values(kind), size, **options)
        if name == "uneven axes":
            gaps = 1 + 0.6 * numpy.sin(numpy.arange(44) / 3)
            x, y = -40 + 0.13 * numpy.cumsum(gaps), 40 + 0.1 * numpy.cumsum(gaps[:36][::-1])
            return self.shape(name, make_shapes.values("holes"), size, x=x, y=y, heights=60.0 * (numpy.arange(28) + 1) ** 1.5)
        if name == "around the globe":
            return self.globe(name, size)
        if name == "sunrise":  # six o'clock UTC in January
            return self.shape(name, make_shapes.values("sphere"), size, x=30 + 0.13 * numpy.arange(44),
                              light={"sun": "time", "shadows": True, "ambient": 0.35})
        if name in DEMONSTRATIONS:
            variables, options = DEMONSTRATIONS[name]
            return of_file(self.virga, name, self.demonstration(), variables, size=size, step=2,
                           run=next(self.demonstration().glob("*T0600Z.nc")), look_from={"closeness": 1.45, "elevation": 40}, **options)
        if name in DIFFERENCES:
            own, asked, taken, run, style = DIFFERENCES[name]
            folder = self.demonstration("two_runs", 9)  # so that they have valid times in common
            return of_file(self.virga, name, folder, [own], size=size, step=2, run=next(folder.glob("*T0600Z.nc")), shadows=True,
                           look_from={"closeness": 1.45, "elevation": 40}, styles=[{**style, "minus": asked}],
                           minus=(taken, next(folder.glob(run))))
        file, variables, options = FORECASTS[name]
        if self.forecasts is None:
            return None
        return of_file(self.virga, name, self.forecasts / file, variables, size=size, **{"look_from": {"closeness": 1.3}, **options})

    def own_folder(self, name):
        """Datasets are named after folders."""
        folder = self.folder / name.replace(" ", "_")
        folder.mkdir(exist_ok=True)
        return folder

    # The file of a name is written once.
    def shape(self, name, numbers, size, x=None, y=None, heights=make_shapes.HEIGHTS, **options):
        path = self.own_folder(name) / "shape.nc"
        if not path.exists():
            make_shapes.write(path, numbers, heights, x, y)
        options = {"styles": [SHAPE_STYLE], "look_from": {"closeness": 1.6}, **options}
        return of_file(self.virga, name, path, ["air_temperature"], size=size, **options)

    def globe(self, name, size):
        k, j, i = numpy.meshgrid(numpy.linspace(0, 1, 20), numpy.radians(numpy.linspace(-90, 90, 37)),
                                 numpy.radians(5 * numpy.arange(72)), indexing="ij")
        numbers = 281 + numpy.cos(j) * (0.5 * numpy.sin(i + 0.4) + 0.4 * numpy.cos(3 * i) * (1 - k)) + 0.1 * k
        return self.shape(name, numbers, size, 5.0 * numpy.arange(72), numpy.linspace(-90, 90, 37), 400.0 * (numpy.arange(20) + 1),
                          look_from={"closeness": 1.8, "azimuth": 100, "elevation": 45})

    def demonstration(self, name="demonstration", steps=4):
        folder = self.folder / name
        if not folder.exists():
            self.virga("demo", "--out", folder, "--size", f"60x48x20x{steps}")
        return folder


# --- what must not pass for the same picture --------------------------------------------------------------------------

def shifted(values, by):
    """By whole voxels along (level, y, x); what comes in at the edge is the edge's."""
    for axis, n in enumerate(by):
        values = values.take(numpy.clip(numpy.arange(values.shape[axis]) - n, 0, values.shape[axis] - 1), axis)
    return values


def moved(volume, by):
    return forecast.replaced(volume, shifted(volume.values, by))


def mirrored(volume, axis):
    return forecast.replaced(volume, numpy.flip(volume.values, axis))
