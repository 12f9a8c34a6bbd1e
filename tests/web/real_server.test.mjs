// SPDX-License-Identifier: Apache-2.0
// The page with the real server in a real browser: what is drawn, said and probed is what the files hold.
import assert from "node:assert/strict";
import {execFileSync} from "node:child_process";
import {existsSync, mkdirSync, renameSync} from "node:fs";
import {join} from "node:path";
import {afterEach} from "node:test";
import {complaints, page, pageTests} from "./page_tests.mjs";
import {demo, FORECASTS, pixels, python, serve, temporaryFolder, VIRGA, WITHOUT_VIRGA} from "./virga_server.mjs";

const PATIENCE = 150000; // drawing in software on a busy machine takes its time
const inPage = pageTests({skip: WITHOUT_VIRGA, viewport: {width: 900, height: 600}, excused: /ERR_CONNECTION|WebSocket connection/});
const folder = temporaryFolder();
let servers = [], demoFolder = null;

afterEach(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  servers = [];
});

async function started(paths, options) {
  const server = await serve(Array.isArray(paths) ? paths : [paths], options);
  servers.push(server);
  return server;
}

const demoFiles = () => demoFolder ??= demo(join(folder, "demo"), "60x48x20x4");
const settled = () => page.evaluate((ms) => window.virga.viewer.settled(ms), PATIENCE);
const text = (selector) => page.textContent(selector);
const json = async (url) => (await fetch(url)).json();

async function open(url, hash = "", query = "") {
  await page.goto(url + query + hash);
  await page.waitForFunction(() => window.virga?.state.shown || document.querySelector(".blank"), null, {timeout: PATIENCE});
  await settled();
}

inPage("a link's code leaves the address at once, and one that is void is said to be", async () => {
  const server = await started(demoFiles());
  const code = "A".repeat(43);
  let asked = null;
  page.on("request", (request) => { if (request.url().endsWith("/api/session")) asked = request; });
  await open(server.url, `#code=${code}`);
  assert.ok(!page.url().includes("code"), page.url());
  assert.equal(JSON.parse(asked.postData()).code, code);
  assert.match(await text("#messages"), /does not open what it was made for/);
  assert.equal(await page.evaluate(() => performance.getEntriesByType("navigation").length && history.length), 2); // Back does not return to it
  assert.ok(await page.evaluate(() => window.virga.state.view), "what all see is shown all the same");
  assert.deepEqual(complaints.filter((words) => !words.includes("403")), []);
  complaints.length = 0;
});

// ---- what the page says

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const two = (n) => String(n).padStart(2, "0");

function words(iso, withYear) {
  const date = new Date(iso);
  return `${DAYS[date.getUTCDay()]} ${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}${withYear ? ` ${date.getUTCFullYear()}` : ""} ${two(date.getUTCHours())}:${two(date.getUTCMinutes())} UTC`;
}

async function captionSays(iso, run) {
  assert.equal(await text("[data-role=valid-time]"), words(iso, true));
  assert.ok((await text("[data-role=run]")).includes(words(run, false)), await text("[data-role=run]"));
  const hours = (new Date(iso) - new Date(run)) / 3600000;
  assert.equal(await text("[data-role=lead]"), `T+${hours}`);
}

// ---- probes against the file

let seed = 1;
const chance = () => (seed = (seed * 48271) % 2147483647) / 2147483647;

// The file's number at a place, and how far a probe may be from it. A share in place of a height is one of the column there.
async function samples(url, variable, time, lon, lat, {height, share}) {
  const where = new URLSearchParams({dataset: variable.dataset, variable: variable.id, time, lon, lat});
  const profile = await json(`${url}api/sample?${where}&profile=1`);
  if (profile.height === null) return {source: null, slack: 0, height};
  if (share !== undefined) height = profile.height[0] + share * (profile.height.at(-1) - profile.height[0]);
  const one = await json(`${url}api/sample?${where}&height=${height}`);
  return {source: one.source, slack: slackOf(profile, height, variable), height};
}

// ε, and what a height that is wrong by map_error can make of the value at this place.
function slackOf(profile, height, {epsilon, map_error}) {
  let steepest = 0;
  for (let k = 1; k < profile.height.length; k++) {
    const [low, high] = [profile.height[k - 1], profile.height[k]];
    if (profile.source[k] === null || profile.source[k - 1] === null || high < height - map_error || low > height + map_error) continue;
    steepest = Math.max(steepest, Math.abs((profile.source[k] - profile.source[k - 1]) / (high - low)));
  }
  return epsilon * 1.001 + steepest * map_error * 1.01 + 1e-6 * Math.abs(profile.source.find((v) => v !== null) ?? 0);
}

async function shownVariable(url) {
  const catalog = await json(`${url}api/catalog`), view = await page.evaluate(() => window.virga.state.view);
  const dataset = catalog.datasets.find(({id}) => id === view.dataset), run = dataset.runs.at(-1);
  const found = dataset.variables.find(({id}) => id === view.layers[0].variable);
  return {dataset, run, series: run.series[found.id], variable: {...found, dataset: dataset.id, map_error: found.vertical?.map_error ?? 0}};
}

// Places spread over the grid: longitude, latitude and a share of the column's height.
function somewhere({grid: {corners}}, count) {
  return Array.from({length: count}, () => {
    const [u, v] = [0.04 + 0.92 * chance(), 0.04 + 0.92 * chance()];
    const mix = (axis) => (1 - v) * ((1 - u) * corners[0][axis] + u * corners[1][axis]) + v * ((1 - u) * corners[3][axis] + u * corners[2][axis]);
    return [mix(0), mix(1), chance() ** 2];
  });
}

async function probesAgree(url, {dataset, variable}, time, count = 50) {
  let compared = 0;
  for (const [lon, lat, share] of somewhere(dataset, count)) {
    const {source, slack, height} = await samples(url, variable, time, lon, lat, {share});
    if (source === null) continue;
    const probe = await page.evaluate((place) => window.virga.viewer.probeAt(...place), [lon, lat, height]);
    const here = `at ${lon} ${lat} ${height}: probe ${JSON.stringify(probe)}, file ${source} ± ${slack}`;
    assert.ok(probe, here);
    assert.equal(probe.layers[0].level, 0, here);
    assert.ok(Math.abs(probe.layers[0].value - source) <= slack, here);
    compared++;
  }
  assert.ok(compared >= count * 0.7, `only ${compared} of ${count} places have a value`);
}

// What is under the pointer lies on that pixel's ray, and has the file's value there. The volume is made dense, so that it is met.
async function pointerAgrees(url, {variable}, time) {
  await page.evaluate(() => {
    const {viewer, state} = window.virga;
    viewer.setView({...state.view, layers: state.view.layers.map((layer) => ({...layer, opacity: layer.opacity.map(([value, opacity]) => [value, Math.max(opacity, 0.95)])}))});
  });
  const area = await (await page.$("#picture")).boundingBox();
  let found = 0;
  for (let n = 0; n < 40; n++) {
    const [x, y] = [area.x + area.width * (0.15 + 0.7 * chance()), area.y + area.height * (0.2 + 0.6 * chance())];
    const answer = await page.evaluate(([px, py]) => {
      const {viewer} = window.virga, probe = viewer.probe(px, py);
      return probe && {...probe, back: viewer.geometry.project(viewer.geometry.toScene(...viewer.geometry.fromLonLat(probe.lon, probe.lat), probe.height))};
    }, [x, y]);
    const atEdge = answer && [[answer.i, variable.shape.at(-1)], [answer.j, variable.shape.at(-2)]].some(([at, n]) => at < 0.01 || at > n - 1.01);
    if (!answer || (answer.on === "ground" && atEdge)) continue; // the block's side stands for the ground above it
    assert.ok(Math.hypot(answer.back[0] - x, answer.back[1] - y) < 0.5, `pixel ${x} ${y}: the place probed is drawn at ${answer.back}`);
    if (answer.on !== "volume" || answer.layers[0].value === null) continue;
    const {source, slack} = await samples(url, variable, time, answer.lon, answer.lat, answer);
    if (source === null) continue; // the very edge
    assert.ok(Math.abs(answer.layers[0].value - source) <= slack, `${JSON.stringify(answer)}, file ${source} ± ${slack}`);
    found++;
  }
  return found;
}

// Straight from above, without the volume: a place drawn on the ground is the place that its pixel tells.
async function groundAgrees({dataset, variable}) {
  const wrong = await page.evaluate(async (places) => {
    const {viewer, state} = window.virga;
    viewer.setView({...state.view, layers: state.view.layers.map((layer) => ({...layer, visible: false}))});
    viewer.topDown();
    const {geometry} = viewer, worst = [];
    for (const [lon, lat] of places) {
      const at = geometry.fromLonLat(lon, lat), here = viewer.probeAt(lon, lat, null);
      if (!here) continue;
      const pixel = geometry.project(geometry.toScene(...at, here.height)), probe = viewer.probe(...pixel);
      const off = probe && Math.hypot((probe.x - at[0]) * geometry.kmPerUnit[0], (probe.y - at[1]) * geometry.kmPerUnit[1]);
      worst.push(probe === null ? Infinity : off / (geometry.box.high[0] - geometry.box.low[0]));
    }
    viewer.setView(state.view);
    return worst;
  }, somewhere(dataset, 50));
  assert.ok(wrong.length >= 30);
  assert.ok(Math.max(...wrong) < 5e-4, `off by ${Math.max(...wrong)} of the domain's width`);
}

async function showsTheFile(paths, {levels, epsilon}) {
  const {url} = await started(paths);
  await open(url);
  const shown = await shownVariable(url), time = shown.series.times[0];
  await captionSays(time, shown.run.time);
  const badge = await text(".badge-text");
  assert.ok(badge.startsWith("full resolution · ") && badge.endsWith(" · 100 %"), badge);
  assert.ok(badge.includes(`±${epsilon}`), badge);
  assert.equal(shown.variable.vertical.levels, levels);
  assert.deepEqual(await page.$$eval(".message", (all) => all.map((one) => one.textContent)), []);
  await probesAgree(url, shown, time);
  assert.ok(await pointerAgrees(url, shown, time) >= 5, "the pointer meets the volume");
  await groundAgrees(shown);
}

inPage("what virga view prints is what the page begins with, and what it shows from its address", async () => {
  const {url} = await started(demoFiles()), printed = JSON.parse(execFileSync(VIRGA, ["view", "--compact", "--state", join(folder, "printed"), demoFiles()]));
  const state = () => page.evaluate(() => window.virga.state.view);
  await open(url);
  const first = await state();
  for (const name of ["dataset", "run", "time", "member", "layers", "light", "exaggeration", "map"]) assert.deepEqual(first[name], printed[name], name);
  await page.goto("about:blank");
  await open(url, `#view=${encodeURIComponent(JSON.stringify(printed))}`);
  assert.deepEqual(await state(), printed);
  assert.deepEqual(await page.evaluate(() => window.virga.viewer.camera), printed.camera);
});

inPage("an orography stays where it is while time goes on", async () => {
  const {url} = await started(demoFiles()), [{id}] = (await json(`${url}api/catalog`)).datasets;
  await open(url, `#dataset=${id}&variable=surface_altitude&variable=air_temperature&time=T+2`);
  const steps = () => page.evaluate(() => window.virga.viewer.layers.map((layer) => layer.slots[layer.front]?.field?.step ?? null));
  assert.deepEqual(await steps(), [0, 2]);
  await page.keyboard.press("ArrowRight");
  await page.waitForFunction(() => window.virga.viewer.stats().shown === 3, null, {timeout: PATIENCE});
  assert.deepEqual(await steps(), [0, 3]);
});

inPage("the demonstration is shown as its files have it", () => showsTheFile(demoFiles(), {levels: 20, epsilon: "0.5 %"}));
for (const [name, levels, epsilon] of [["hybrid_height", 15, "0.05 K"], ["mogreps_uk_wet_bulb_temperature", 21, "0.05 K"], ["GFS_test", 26, "0."],
  ["GFS_Puerto_Rico_191km_20090730_0000", 6, "0.05 K"]]) {
  const path = join(FORECASTS, `${name}.nc`);
  inPage(`${name} is shown as the file has it`, () => showsTheFile(path, {levels, epsilon}), existsSync(path) ? false : "../shared/forecasts is not there");
}

inPage("columns known by their longitude and latitude alone are shown where they are", async () => {
  const path = join(folder, "columns.nc");
  python("make_files.columns(sys.argv[1], make_files.height_levels(sys.argv[1] + '.twin', (7, 30, 33)), 'xy', True)", path);
  await showsTheFile(path, {levels: 7, epsilon: "0.05 K"});
  assert.equal(await page.evaluate(() => window.virga.viewer.geometry.proj), null);
});

// ---- coordinates drawn as colours

const RAMP = [[0, 0, 60, 200], [1, 200, 60, 0]];
const [NX, NY, HEIGHTS] = [61, 47, [500, 700, 1100, 1900, 2500]];

// Columns 1 km apart and five flat levels (or none); values by a formula of i, j, z (km), t.
function made(name, formula, {steps = 1, flat = false, run = 0, at = folder} = {}) {
  const path = join(at, `${name}.nc`);
  python(`
path, formula, steps, flat, run = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4] == "true", int(sys.argv[5])
nx, ny, heights = ${NX}, ${NY}, numpy.array(${JSON.stringify(HEIGHTS)}, float)
with netCDF4.Dataset(path, "w") as file:
    make_files.times(file, steps, run=run)
    file["time"][:] = run + 6 + numpy.cumsum(numpy.arange(steps))
    make_files.mapping(file, grid_mapping_name="lambert_azimuthal_equal_area", longitude_of_projection_origin=-2.5, latitude_of_projection_origin=54.9,
                       false_easting=0.0, false_northing=0.0, semi_major_axis=6378137.0, semi_minor_axis=6356752.314140356)
    make_files.axis(file, "y", 1000.0 * numpy.arange(ny) - 23000, "projection_y_coordinate", "m")
    make_files.axis(file, "x", 1000.0 * numpy.arange(nx) - 30000, "projection_x_coordinate", "m")
    if not flat: make_files.axis(file, "height", heights, "altitude", "m", positive="up")
    t, k, j, i = numpy.meshgrid(numpy.arange(steps), numpy.arange(len(heights)), numpy.arange(ny), numpy.arange(nx), indexing="ij")
    z = heights[k] / 1000
    values = numpy.asarray(eval(formula), "f4") + 0 * i
    v = file.createVariable("made_up", "f4", ("time", "y", "x") if flat else ("time", "height", "y", "x"))
    v.units, v.grid_mapping, v.long_name = "1", "grid", "made up"
    v[:] = values[:, 0] if flat else values
`, path, formula, String(steps), String(flat), String(run));
  return path;
}

const DOWN = {mode: "top", eye: [0, 0, 560], target: [0, 0, 0], up: [0, 1, 0], fov: 5};
const ACROSS = {mode: "orbit", eye: [0, -423, 1.25], target: [0, 0, 1.25], up: [0, 0, 1], fov: 5};

// Shows the made file's variable opaque in the ramp's colours.
async function showRamp(url, range, {camera = DOWN, exaggeration = 1, opacity = 1} = {}) {
  const {datasets: [{id}]} = await json(`${url}api/catalog`);
  const layer = {variable: "made_up", visible: true, colour_map: "ramp", range, units: "1", opacity: [[range[0], opacity], [range[1], opacity]], shading: false};
  const view = {version: 1, dataset: id, run: "latest", time: "T+6", member: 0, layers: [layer], camera, light: {sun: {azimuth: 180, elevation: 60}, shadows: false, ambient: 0.35},
    exaggeration, map: {coastlines: false, graticule: false, terrain: false, height_axis: false}};
  await open(url, `#view=${encodeURIComponent(JSON.stringify(view))}`, "?embed");
  await page.evaluate((ramp) => window.virga.viewer.setColourMaps({ramp}), RAMP);
  await settled();
}

// The canvas alone, as it is on screen, and the value that a pixel's colour stands for (0 … 1 of the range).
async function picture() {
  await page.evaluate(() => document.querySelectorAll("#stage > :not(#picture)").forEach((one) => { one.style.visibility = "hidden"; }));
  const image = pixels(await page.locator("#picture").screenshot());
  const lamp = await page.evaluate(() => window.virga.viewer.light.colour.map((c, n) => c + window.virga.viewer.light.ambient[n]));
  const value = (x, y) => { const [r, , b] = image.at(x, y); return r / lamp[0] / (r / lamp[0] + b / lamp[2]); };
  return {...image, value};
}

// Values along a line of pixels against what stands there: each within one step of colour and half a pixel, and no drift on the whole.
function noDrift(pairs, perPixel) {
  const colourStep = 1.5 / 200;
  const off = pairs.map(([value, expected]) => value - expected);
  off.forEach((d, n) => assert.ok(Math.abs(d) <= colourStep + perPixel / 2, `pixel ${n} of ${off.length}: ${pairs[n]}`));
  for (const part of [0, 1, 2]) {
    const third = off.slice(part * off.length / 3, (part + 1) * off.length / 3), mean = third.reduce((a, b) => a + b, 0) / third.length;
    assert.ok(Math.abs(mean) <= perPixel / 2, `third ${part}: off by ${mean / perPixel} pixels`);
  }
}

// Screen to scene for the camera from above, at a height in km (the matrices are not asked).
function fromAbove({width, height}, z) {
  const km = 2 * (560 - z) * Math.tan(2.5 * Math.PI / 180) / height;
  return {km, x: (px) => (px + 0.5 - width / 2) * km, y: (py) => (height / 2 - py - 0.5) * km, px: (x) => x / km + width / 2 - 0.5, py: (y) => height / 2 - 0.5 - y / km};
}

for (const [axis, count, flat] of [["i", NX, false], ["j", NY, false], ["i", NX, true], ["j", NY, true]]) {
  inPage(`a ramp along ${axis} is drawn ${flat ? "on the ground" : "in the volume"} where it is`, async () => {
    const {url} = await started(made(`ramp_${axis}_${flat}`, axis, {flat}));
    await showRamp(url, [0, count - 1]);
    const image = await picture(), screen = fromAbove(image, flat ? 0 : 2.45), pairs = [];
    const reach = count / 2 - 2.5;
    for (let along = -reach; along <= reach; along += 0.11) {
      for (const across of [-20.5, -7.3, 3.1, 20.5]) {
        const [px, py] = [Math.round(screen.px(axis === "i" ? along : across)), Math.round(screen.py(axis === "i" ? across : along))];
        const place = axis === "i" ? screen.x(px) + 30 : screen.y(py) + 23;
        pairs.push([image.value(px, py), place / (count - 1)]);
      }
    }
    noDrift(pairs, screen.km / (count - 1));
    const [px, py] = await page.evaluate(() => {
      const {geometry, canvas} = window.virga.viewer, area = canvas.getBoundingClientRect(), [x, y] = geometry.project(geometry.toScene(12000, -9000, 0));
      return [x - area.left, y - area.top];
    });
    const ground = fromAbove(image, 0);
    assert.ok(Math.abs(px - 0.5 - ground.px(12)) < 0.1 && Math.abs(py - 0.5 - ground.py(-9)) < 0.1, "the viewer projects to the same pixels");
  });
}

inPage("a ramp of height is drawn at its heights, uneven levels between", async () => {
  const {url} = await started(made("ramp_z", "z"));
  await showRamp(url, [0, 2.5], {camera: ACROSS, exaggeration: 12});
  const image = await picture(), km = 2 * 401.3 * Math.tan(2.5 * Math.PI / 180) / image.height / 12, pairs = [];
  for (let z = 0.1; z <= 2.4; z += 0.013) {
    const py = Math.round(image.height / 2 - 0.5 - (z - 1.25) / km), here = 1.25 + (image.height / 2 - py - 0.5) * km;
    for (const share of [0.35, 0.5, 0.65]) pairs.push([image.value(Math.round(image.width * share), py), Math.max(0.5, here) / 2.5]);
  }
  noDrift(pairs, km / 2.5);
});

inPage("a hole is transparent, up to half-way to the voxels around it", async () => {
  const {url} = await started(made("hole", "numpy.where((i >= 20) & (i <= 29) & (j >= 15) & (j <= 24), numpy.nan, 1.0)"));
  await showRamp(url, [0, 1]);
  const on = await picture();
  await page.evaluate(() => { const {viewer, state} = window.virga; viewer.setView({...state.view, layers: state.view.layers.map((layer) => ({...layer, visible: false}))}); });
  await settled();
  const off = await picture(), screen = fromAbove(on, 2.45), row = Math.round(screen.py(19.5 - 23)), column = Math.round(screen.px(24.5 - 30));
  const differs = (x, y) => Math.max(...on.at(x, y).map((c, n) => Math.abs(c - off.at(x, y)[n])));
  const ground = fromAbove(on, 0); // looked at through the hole, whose walls lean away from the middle
  for (let i = 20.5; i <= 28.5; i += 0.5) for (let j = 16; j <= 23; j += 0.5) assert.ok(differs(Math.round(ground.px(i - 30)), Math.round(ground.py(j - 23))) <= 2, `something is drawn in the hole at ${i} ${j}`);
  for (let i = 2; i <= 58; i += 4) if (i < 19 || i > 30) assert.ok(differs(Math.round(screen.px(i - 30)), row) > 40, `nothing is drawn at ${i}`);
  const full = differs(Math.round(screen.px(10 - 30)), row); // where half of that is left, there is the edge
  const edges = (along, at) => Array.from({length: along}, (_, n) => n).filter((n) => n > 0 && (at(n) > full / 2) !== (at(n - 1) > full / 2));
  const across = edges(on.width, (x) => differs(x, row)).filter((x) => Math.abs(screen.x(x)) < 28), up = edges(on.height, (y) => differs(column, y)).filter((y) => Math.abs(screen.y(y)) < 21);
  assert.equal(across.length, 2);
  assert.equal(up.length, 2);
  across.forEach((x, n) => assert.ok(Math.abs(x - 0.5 - screen.px([19.5, 29.5][n] - 30)) <= 1.5, `edge ${x - 0.5 - screen.px([19.5, 29.5][n] - 30)} pixels off`));
  up.forEach((y, n) => assert.ok(Math.abs(y - 0.5 - screen.py([24.5, 14.5][n] - 23)) <= 1.5, `edge ${y - 0.5 - screen.py([24.5, 14.5][n] - 23)} pixels off`));
});

// ---- time

inPage("each step's own picture, with its own uneven time beside it", async () => {
  const {url} = await started(made("steps", "t * 1.0", {steps: 4}));
  await showRamp(url, [0, 3]);
  const {datasets: [{runs: [run]}]} = await json(`${url}api/catalog`), {times} = run.series.made_up;
  assert.deepEqual(times.map((iso) => iso.slice(11, 13)), ["06", "07", "09", "12"]);
  for (const step of [0, 1, 2, 3, 2, 0]) {
    await page.evaluate((n) => { const {state} = window.virga; const by = n - state.index; for (let i = 0; i < Math.abs(by); i++) window.dispatchEvent(new KeyboardEvent("keydown", {key: by > 0 ? "ArrowRight" : "ArrowLeft", bubbles: true})); }, step);
    await page.waitForFunction((iso) => window.virga.state.shown === iso, times[step], {timeout: PATIENCE});
    await settled();
    await captionSays(times[step], run.time);
    const image = await picture();
    assert.equal(Math.round(3 * image.value(image.width >> 1, image.height >> 1)), step, `the picture of ${times[step]}`);
  }
});

// ---- when something fails

async function lostAndFound(server, restart) {
  await server.stop("SIGKILL");
  await page.waitForFunction(() => /connection lost|no websocket/i.test(document.querySelector("#messages").textContent), null, {timeout: PATIENCE});
  assert.equal(await page.getAttribute("#connection", "data-state"), "lost");
  servers.splice(servers.indexOf(server), 1);
  await restart();
  await page.waitForFunction(() => document.querySelector("#connection").dataset.state === "open", null, {timeout: PATIENCE});
}

inPage("a server that ends is told; when it is back the page goes on, with the run that came meanwhile", async () => {
  const data = join(folder, "coming"), state = temporaryFolder();
  mkdirSync(data);
  made("first", "t * 1.0", {steps: 4, at: data});
  const server = await started(data, {state});
  await showRamp(server.url, [0, 3]);
  await lostAndFound(server, () => {
    made("second", "3.0 - t", {steps: 4, run: 12, at: data});
    return started(data, {state, port: server.port});
  });
  const {datasets: [{runs: [, run]}]} = await json(`${server.url}api/catalog`), {times} = run.series.made_up;
  await page.waitForFunction((iso) => window.virga.state.shown === iso, times[0], {timeout: PATIENCE});
  await settled();
  await captionSays(times[0], run.time);
  assert.equal(Math.round(3 * (await picture()).value(300, 200)), 3);
  await page.keyboard.press("End");
  await page.waitForFunction((iso) => window.virga.state.shown === iso, times[3], {timeout: PATIENCE});
  await settled();
  assert.equal(Math.round(3 * (await picture()).value(300, 200)), 0);
});

inPage("a server that comes back with other numbers in the file: the new picture, nothing of the old", async () => {
  const data = join(folder, "changing"), state = temporaryFolder();
  mkdirSync(data);
  made("a", "1.0 + 0 * i", {at: data});
  const server = await started(data, {state});
  await showRamp(server.url, [0, 3]);
  assert.equal(Math.round(3 * (await picture()).value(300, 200)), 1);
  await lostAndFound(server, () => {
    made("b", "2.0 + 0.2 * ((i + j) % 2)", {at: data});
    renameSync(join(data, "b.nc"), join(data, "a.nc"));
    return started(data, {state, port: server.port});
  });
  const {datasets: [dataset]} = await json(`${server.url}api/catalog`);
  await page.waitForFunction((edition) => { const {resolved} = window.virga.state; return resolved.layers[0].series.edition === edition; }, dataset.runs[0].series.made_up.edition, {timeout: 60000});
  await settled();
  await page.waitForFunction(() => { const probe = window.virga.viewer.probeAt(-2.5, 54.9, 1000); return probe && probe.layers[0].value > 1.9; }, null, {timeout: PATIENCE});
  await settled();
  assert.equal(Math.round(3 * (await picture()).value(300, 200)), 2);
});

// Pixels, one in five each way, that differ by more than the dither.
function differences(a, b) {
  let count = 0;
  for (let y = 5; y < a.height - 5; y += 5) for (let x = 5; x < a.width - 5; x += 5) if (a.at(x, y).some((c, n) => Math.abs(c - b.at(x, y)[n]) > 3)) count++;
  return count;
}

// The picture when it is no longer improved.
async function restingPicture() {
  for (let last = await picture(); ;) {
    await settled();
    const now = await picture();
    if (differences(last, now) === 0) return now;
    last = now;
  }
}

inPage("a lost WebGL context: told, and the same picture comes back", async () => {
  const {url} = await started(made("context", "i * 1.0"));
  await showRamp(url, [0, NX - 1]);
  const before = await restingPicture();
  await page.evaluate(() => { window.lost = window.virga.viewer.gl.getExtension("WEBGL_lose_context"); window.lost.loseContext(); });
  await page.waitForFunction(() => /graphics card/i.test(document.querySelector("#messages").textContent), null, {timeout: PATIENCE});
  await page.evaluate(() => window.lost.restoreContext());
  await page.waitForFunction(() => window.virga.viewer.renderer, null, {timeout: PATIENCE});
  await settled();
  const back = await restingPicture();
  assert.equal(differences(before, back), 0);
});

// ---- several layers

inPage("two volumes at once, each with its legend and its own probe", async () => {
  const {url} = await started(demoFiles());
  const {datasets: [dataset]} = await json(`${url}api/catalog`);
  const volumes = ["cloud_area_fraction_in_atmosphere_layer", "air_temperature"].map((name) => dataset.variables.find((v) => v.standard_name === name));
  await open(url, `#dataset=${dataset.id}&${volumes.map(({id}) => `variable=${id}`).join("&")}`);
  assert.equal((await page.$$(".legend-name")).length, 2);
  const time = dataset.runs.at(-1).series[volumes[0].id].times[0];
  let compared = 0;
  for (const [lon, lat, share] of somewhere(dataset, 12)) {
    const {height} = await samples(url, {...volumes[0], dataset: dataset.id, map_error: 0}, time, lon, lat, {share});
    const probe = await page.evaluate((place) => window.virga.viewer.probeAt(...place), [lon, lat, height]);
    for (const [n, volume] of volumes.entries()) {
      const variable = {...volume, dataset: dataset.id, map_error: volume.vertical.map_error};
      const {source, slack} = await samples(url, variable, time, lon, lat, {height});
      if (source === null) continue;
      assert.ok(probe, `${lon} ${lat} ${height}`);
      assert.equal(probe.layers[n].variable, volume.id);
      assert.ok(Math.abs(probe.layers[n].value - source) <= slack, `${JSON.stringify(probe)}, file ${source} ± ${slack}`);
      compared++;
    }
  }
  assert.ok(compared >= 12);
});

inPage("around the globe: across the gap between last and first longitude", async () => {
  const path = join(folder, "globe.nc");
  python("make_files.around_the_globe(sys.argv[1])", path);
  const {url} = await started(path);
  await open(url);
  const shown = await shownVariable(url), time = shown.series.times[0];
  for (const lon of [351, 355, 359, -5, -0.5, 0.5]) {
    const {source, slack} = await samples(url, shown.variable, time, lon, 12, {height: 250});
    const probe = await page.evaluate((place) => window.virga.viewer.probeAt(...place), [lon, 12, 250]);
    assert.ok(probe && probe.layers[0].value !== null && Math.abs(probe.layers[0].value - source) <= slack, `${lon}: ${JSON.stringify(probe)}, file ${source} ± ${slack}`);
  }
});
