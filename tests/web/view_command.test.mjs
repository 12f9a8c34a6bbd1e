// SPDX-License-Identifier: Apache-2.0
// `virga view` and the page begin with the same picture, and give the same look to every variable: what the program computes is held
// against the page's modules over a real server's catalog, on the demonstration and on made files with units of all kinds.
import assert from "node:assert/strict";
import {execFile, spawnSync} from "node:child_process";
import {existsSync, readFileSync} from "node:fs";
import {join} from "node:path";
import {before, test} from "node:test";
import {promisify} from "node:util";
import {parseGeometry} from "../../web/data/geometry.js";
import {Camera} from "../../web/view/camera.js";
import {dataRange} from "../../web/view/data_range.js";
import {needsDataRange, variableTitle} from "../../web/view/presets.js";
import {displayUnits, unitsLabel} from "../../web/view/units.js";
import {decodeHash, encodeHash} from "../../web/view/view_hash.js";
import {completeView, defaultView, findSeries, resolveView} from "../../web/view/view_resolve.js";
import {parseView} from "../../web/view/view_state.js";
import {demo, FORECASTS, python, serve, temporaryFolder, VIRGA, WITHOUT_VIRGA} from "./virga_server.mjs";

const presets = JSON.parse(readFileSync(new URL("../../assets/presets.json", import.meta.url), "utf8"));
const skip = WITHOUT_VIRGA;
const fast = existsSync(process.env.VIRGA_RELEASE ?? "") ? process.env.VIRGA_RELEASE : VIRGA; // it is run a hundred times
const ASPECT = 1280 / 720, MOST = 8;
let folder = null;

// Variables whose units and values put presets to the test: named and not, of other spellings, shallow, of one value, all missing.
const MADE = `
folder = sys.argv[1]
for name in ("hybrid_height", "height_levels", "pressure_levels", "around_the_globe", "ensemble", "surface"):
    getattr(make_files, name)(folder + "/" + name + ".nc")
make_files.columns(folder + "/columns.nc", folder + "/height_levels.nc")
kinds = [("cloud", "cloud_area_fraction_in_atmosphere_layer", "%", 0, 100), ("celsius", "air_temperature", "degC", -5, 12),
  ("shallow", "air_temperature", "K", 280, 281.3), ("fahrenheit", "surface_temperature", "degF", 30, 90), ("odd", "", "furlong", -3, 7), ("few", "", "Bq m-3", 2, 2),
  ("speed", "", "m/s", 0, 31), ("knots", "wind_speed", "kt", 0, 80), ("grams", "specific_humidity", "g kg**-1", 0, 9), ("share", "relative_humidity", "1", 0, 1),
  ("flux", "precipitation_flux", "mm h-1", 0, 4), ("flux_s", "rainfall_flux", "mm s-1", 0, 1e-3), ("flux_day", "precipitation_flux", "mm day-1", 0, 60),
  ("rate", "lwe_precipitation_rate", "mm/h", 0, 9), ("depth", "precipitation_amount", "mm", 0, 12), ("water", "lwe_thickness_of_precipitation_amount", "mm", 0, 12),
  ("theta", "air_potential_temperature", "K", 285, 330), ("pressure", "air_pressure", "hPa", 700, 1010), ("direction", "wind_from_direction", "degrees", 0, 359),
  ("geopotential", "geopotential_height", "gpm", 0, 900), ("vorticity", "ertel_potential_vorticity", "K m2 kg-1 s-1", 0, 4e-6), ("dbz", "equivalent_reflectivity_factor", "dBZ", -10, 50),
  ("wrong", "air_temperature", "Pa", 0, 10), ("gone", "air_temperature", "K", numpy.nan, numpy.nan), ("huge", "", "K", 1e13, 1.0000000000004e13), ("ozone", "mass_fraction_of_ozone_in_air", "kg kg-1", 1e-8, 3e-6)]
for deep in (True, False):
    with netCDF4.Dataset(folder + ("/deep.nc" if deep else "/flat.nc"), "w") as file:
        make_files.times(file, 3, start=3)
        y, x = make_files.plain_axes(file, 12, 10)
        make_files.axis(file, "height", 50.0 + 120 * numpy.arange(6) ** 1.5, "height", "m", positive="up")
        for name, standard_name, units, low, high in kinds:
            dimensions = ("time", "height", y, x) if deep else ("time", y, x)
            v = file.createVariable(name if deep else name + "_2d", "f8", dimensions)
            v.units = units
            if standard_name: v.standard_name = standard_name
            v.long_name = name + " of the air, made, with a name"
            shape = (3, 6, 10, 12) if deep else (3, 10, 12)
            v[:] = low + (high - low) * numpy.linspace(0, 1, numpy.prod(shape)).reshape(shape)
`;

before(() => {
  if (!VIRGA) return;
  folder = temporaryFolder();
  python(MADE, folder);
  demo(join(folder, "demo"), "60x48x20x4");
});

const json = async (url) => (await fetch(url)).json();
const run = promisify(execFile);

async function virgaView(...words) {
  const {stdout} = await run(fast, ["view", "--state", join(folder, "state"), ...words], {encoding: "utf8", maxBuffer: 1 << 24});
  return parseView(stdout);
}

// As complete() in web/main.js.
async function complete(view, catalog, url) {
  const ranges = {};
  for (const {layer, variable, series, member} of resolveView(view, catalog).layers)
    if (!layer.range && needsDataRange(variable, presets)) ranges[variable.id] = await dataRange(series, member, 0, url);
  return completeView(view, catalog, presets, ranges);
}

const bare = (view, ids) => ({...view, layers: ids.map((variable) => ({variable, visible: true, shading: true}))});

// As #makeScene in web/viewer.js, then the camera that the page begins with.
async function camera(view, catalog, url, top = false) {
  const {dataset, layers, index} = resolveView(view, catalog), placed = layers.slice(0, 4);
  const geometries = await Promise.all(placed.map(async ({series}) => {
    const id = series.geometry ? series.geometry[Math.min(index, series.geometry.length - 1)] : "surface";
    const answer = await fetch(`${url}api/geometry/${dataset.id}/${id}`);
    assert.ok(answer.ok, `${answer.url}: ${answer.status}`);
    return parseGeometry(await answer.arrayBuffer());
  }));
  const volumes = geometries.filter((_, n) => placed[n].variable.vertical), low = [Infinity, Infinity, 0], high = [-Infinity, -Infinity, 0.01];
  for (const geometry of volumes.length ? volumes : [geometries[0]]) {
    const {domain} = geometry, a = geometry.toScene(domain.x[0], domain.y[0]), b = geometry.toScene(domain.x[1], domain.y[1], domain.top);
    for (let axis = 0; axis < 2; axis++) { low[axis] = Math.min(low[axis], a[axis]); high[axis] = Math.max(high[axis], b[axis]); }
    high[2] = Math.max(high[2], b[2]);
    low[2] = Math.min(low[2], geometry.groundRange[0] / 1000);
  }
  const made = Object.assign(new Camera(), {box: {low, high}, exaggeration: view.exaggeration});
  if (top) made.topDown(ASPECT); else made.reset(ASPECT);
  return made.document();
}

function near(actual, expected, what) {
  assert.equal(actual.mode, expected.mode, what);
  assert.equal(actual.fov, expected.fov, what);
  const size = Math.hypot(...expected.eye.map((v, axis) => v - expected.target[axis]));
  for (const name of ["eye", "target", "up"])
    expected[name].forEach((value, axis) => assert.ok(Math.abs(actual[name][axis] - value) <= 0.002 + 1e-6 * size, `${what} ${name}: ${actual[name]} is not ${expected[name]}`));
}

const without = ({camera: _, size: _1, captions: _2, antialiasing: _3, transparent: _4, ...rest}) => rest;

// How variables are called and their numbers written, in each of the units that they may have, and as the view writes them.
function compareWords({id, variables}) {
  if (!process.env.VIRGA_RENDER_PROBE) return;
  const cases = variables.flatMap((variable) => [undefined, ...variable.units_choices.flatMap(({units}) => [units, unitsLabel(units) || "1"]), "furlong"].map((wanted) => ({variable, wanted})));
  const {stdout} = spawnSync(process.env.VIRGA_RENDER_PROBE, {input: cases.map((one) => JSON.stringify({what: "variable", ...one})).join("\n"), encoding: "utf8", maxBuffer: 1 << 26});
  stdout.trim().split("\n").map((line) => JSON.parse(line)).forEach((mine, n) => {
    const {variable, wanted} = cases[n], {units, label, scale, offset} = displayUnits(variable, wanted), what = `${id} ${variable.id} in ${wanted}`;
    assert.deepEqual([mine.title, mine.units, mine.label], [variableTitle(variable), units, label], what);
    assert.ok(Math.abs(mine.scale - scale) <= 1e-12 * Math.abs(scale) && Math.abs(mine.offset - offset) <= 1e-9 * Math.max(1, Math.abs(offset)), what);
  });
}

async function compareAll(paths) {
  const server = await serve(paths, {state: folder});
  try {
    const catalog = await json(`${server.url}api/catalog`);
    assert.ok(catalog.datasets.length > 0);
    for (const dataset of catalog.datasets) {
      compareWords(dataset);
      await compareDefault(dataset, catalog, server.url, paths);
      await compareVariables(dataset, catalog, server.url, paths);
    }
  } finally {
    await server.stop();
  }
}

async function compareDefault(dataset, catalog, url, paths) {
  const draft = defaultView(catalog, presets, {datasetId: dataset.id});
  const expected = await complete(bare(draft, draft.layers.map(({variable}) => variable)), catalog, url);
  const mine = await virgaView("--dataset", dataset.id, ...paths), {exact, times, index} = resolveView(mine, catalog);
  assert.ok(exact, `${mine.time} is a step`);
  assert.equal(times[index], resolveView(expected, catalog).times[resolveView(expected, catalog).index]);
  assert.deepEqual(without(mine), {...expected, time: mine.time}, dataset.id);
  assert.deepEqual(mine.size, [1280, 720]);
  near(mine.camera, await camera(expected, catalog, url), dataset.id);
  near((await virgaView("--dataset", dataset.id, "--top", ...paths)).camera, await camera(expected, catalog, url, true), `${dataset.id} from above`);
  assert.deepEqual(await decodeHash(await encodeHash(mine)), mine, "as an address, and back");
}

async function compareVariables(dataset, catalog, url, paths) {
  const ids = dataset.variables.filter((variable) => findSeries(dataset.runs.at(-1), variable)).map(({id}) => id);
  for (let from = 0; from < ids.length; from += MOST) {
    const some = ids.slice(from, from + MOST), draft = {...defaultView(catalog, presets, {datasetId: dataset.id})};
    delete draft.exaggeration;
    const expected = await complete(bare(draft, some), catalog, url);
    const mine = await virgaView("--dataset", dataset.id, ...some.flatMap((id) => ["--variable", id]), ...paths);
    assert.equal(mine.exaggeration, expected.exaggeration, `${dataset.id} ${some[0]}`);
    const volumes = some.filter((id) => dataset.variables.find((one) => one.id === id).vertical);
    mine.layers.forEach((layer, n) => {
      const of = some.filter((id) => volumes.includes(id) === volumes.includes(layer.variable)), {visible: _, ...look} = layer, {visible: _1, ...wanted} = expected.layers[n];
      assert.deepEqual(look, wanted, `${dataset.id} ${layer.variable}`);
      if (some.length <= 4) assert.equal(layer.visible, of.indexOf(layer.variable) < 2, `${layer.variable} is visible or not`);
    });
  }
}

test("the demonstration", {skip}, () => compareAll([join(folder, "demo")]));

for (const name of ["hybrid_height", "height_levels", "pressure_levels", "around_the_globe", "ensemble", "surface", "columns", "deep", "flat"]) {
  test(`made files: ${name}`, {skip}, () => compareAll([join(folder, `${name}.nc`)]));
}

for (const name of ["GFS_test.nc", "wrf_ci_test_file.nc", "nam.t00z.awp21100.tm00.grib2", "ifs_forecast_ml.grib", "vinth2p.nc", "mogreps_g_temperature_on_pressure_levels.nc"]) {
  test(`a real forecast: ${name}`, {skip: skip || (existsSync(join(FORECASTS, name)) ? false : "../shared/forecasts is not there")}, () => compareAll([join(FORECASTS, name)]));
}
