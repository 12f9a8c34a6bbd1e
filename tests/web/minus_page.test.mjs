// SPDX-License-Identifier: Apache-2.0
// Differences in the page, with the real server: what is probed is the difference of what the server samples of both, and the layer's card makes one.
import assert from "node:assert/strict";
import {join} from "node:path";
import {after, before} from "node:test";
import {page, pageTests} from "./page_tests.mjs";
import {demo, serve, temporaryFolder, VIRGA, WITHOUT_VIRGA} from "./virga_server.mjs";

const PATIENCE = 150000; // drawing in software on a busy machine takes its time
const inPage = pageTests({skip: WITHOUT_VIRGA, viewport: {width: 900, height: 600}});
const VARIABLE = "air_temperature", PLACES = [[-3, 54, 3000], [-1.5, 52.2, 900], [-5, 56, 9000]];
let server = null, dataset = null;

before(async () => {
  if (!VIRGA) return;
  server = await serve([demo(join(temporaryFolder(), "demo"), "40x32x12x9")]);
  [dataset] = (await (await fetch(`${server.url}api/catalog`)).json()).datasets;
});
after(() => server?.stop());

const settled = () => page.evaluate((ms) => window.virga.viewer.settled(ms), PATIENCE);

async function open(layers) {
  const view = {version: 1, dataset: dataset.id, time: "T+1", layers, size: [640, 360]};
  await page.goto(`${server.url}#view=${encodeURIComponent(JSON.stringify(view))}`);
  await page.waitForFunction(() => window.virga?.state.shown, null, {timeout: PATIENCE});
  await settled();
}

async function sampled(run, time, [lon, lat, height]) {
  const query = new URLSearchParams({dataset: dataset.id, variable: VARIABLE, run, time, lon, lat, height});
  return (await (await fetch(`${server.url}api/sample?${query}`)).json()).bricks;
}

inPage("what is probed is the difference of what both runs have at the place", async () => {
  await open([{variable: VARIABLE, minus: {run: "previous"}}]);
  const [before_, latest] = dataset.runs.map(({time}) => time), shown = await page.evaluate(() => window.virga.state.shown);
  for (const place of PLACES) {
    const found = await page.evaluate((at) => window.virga.viewer.probeAt(...at).layers[0], place);
    const expected = await sampled(latest, shown, place) - await sampled(before_, shown, place);
    assert.ok(Math.abs(found.value - expected) < 2e-3, `${found.value} at ${place}, not ${expected}`);
    assert.ok(Math.abs(found.epsilon - 0.1) < 1e-9);
  }
  assert.match(await page.textContent(".legend"), /Air temperature\s*run 06Z minus 00Z/);
  assert.equal(await page.evaluate(() => window.virga.state.resolved.times.length), 3); // that both runs have, of nine
});

// The range after "Fit", which says so while the difference is not here.
async function fitted() {
  const range = () => page.evaluate(() => window.virga.state.view.layers[0].range), before_ = await range();
  const end = Date.now() + PATIENCE;
  for (let now = before_; ; now = await range()) {
    if (now[1] !== before_[1] || Date.now() > end) return now;
    await page.getByRole("button", {name: "Fit"}).click();
  }
}

inPage("a layer's card takes away what is chosen, and gives it back", async () => {
  await open([{variable: VARIABLE}]);
  await page.evaluate(() => { document.querySelector(".layer-more").open = true; });
  const choose = (value) => page.selectOption("select[aria-label='What is taken away']", value);
  await choose(JSON.stringify({run: "previous"}));
  await page.waitForFunction(() => window.virga.state.view.layers[0].colour_map === "blue_white_red");
  await settled();
  assert.deepEqual(await page.evaluate(() => window.virga.state.view.layers[0].minus), {run: "previous"});
  assert.match(await page.textContent(".layer-card .note"), /^Run 06Z minus 00Z/);
  const [low, high] = await fitted();
  assert.ok(high > 0.1 && high < 2 && low === -high, `${low} to ${high}`); // two kelvins before
  await choose("null");
  await page.waitForFunction(() => window.virga.state.view.layers[0].colour_map === "temperature");
  assert.equal(await page.evaluate(() => window.virga.state.view.layers[0].minus), undefined);
});

inPage("it plays, beside the very field that it takes away", async () => {
  const opacity = [[-1, 0.3], [0, 0], [1, 0.3]];
  await open([{variable: VARIABLE, minus: {run: "previous"}, range: [-1, 1], opacity}, {variable: VARIABLE, visible: false}, {variable: "rainfall_flux", minus: {run: "previous"}}]);
  const first = await page.evaluate(() => window.virga.state.shown);
  await page.click("#timeline .play");
  await page.waitForFunction((before_) => window.virga.state.shown !== before_, first, {timeout: PATIENCE});
  await page.evaluate(() => window.virga.viewer.pause());
  await settled();
});

// Bytes of the canvas, red, green, blue and alpha.
const canvas = () => page.evaluate(async () => {
  const {viewer} = window.virga, bitmap = await createImageBitmap(await viewer.screenshot()), copy = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
  copy.drawImage(bitmap, 0, 0);
  return [...copy.getImageData(0, 0, bitmap.width, bitmap.height).data];
});

inPage("found by a geometry of its own, what is taken away is found at the same places", async () => {
  const opacity = [[-0.6, 0.6], [-0.1, 0], [0.1, 0], [0.6, 0.6]];
  await open([{variable: VARIABLE, minus: {run: "previous"}, range: [-0.6, 0.6], opacity}]);
  const bare = await page.evaluate(() => { const {viewer, state} = window.virga; viewer.setView({...state.view, layers: [{...state.view.layers[0], visible: false}]}); }).then(settled).then(canvas);
  await page.evaluate(() => { const {viewer, state} = window.virga; viewer.setView({...state.view}); });
  await settled();
  const together = await canvas();
  await page.evaluate(() => {
    const {viewer} = window.virga, [{minus}] = viewer.layers;
    minus.gpu.geometry = {...minus.gpu.geometry, domain: minus.gpu.geometry.domain};
    minus.heights = {...minus.heights};
    viewer.stage.skipDirty = true;
    viewer.renderer.lightDirty = true;
  });
  const apart = await canvas(), mean = (a, b) => a.reduce((sum, value, n) => sum + Math.abs(value - b[n]), 0) / a.length;
  assert.ok(mean(together, bare) > 1, "nothing is drawn");
  assert.ok(mean(together, apart) < 0.02 * mean(together, bare), `${mean(together, apart)} of ${mean(together, bare)}`);
});
