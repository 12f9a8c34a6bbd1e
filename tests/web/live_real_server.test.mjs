// SPDX-License-Identifier: Apache-2.0
// A page that stays open while its run grows, a file is replaced and its dataset goes and comes back: never reloaded, and never stale.
import assert from "node:assert/strict";
import {existsSync, mkdirSync, renameSync} from "node:fs";
import {join} from "node:path";
import {afterEach} from "node:test";
import {page, pageTests} from "./page_tests.mjs";
import {python, serve, temporaryFolder, WITHOUT_VIRGA} from "./virga_server.mjs";

const PATIENCE = 150000;
const inPage = pageTests({skip: WITHOUT_VIRGA, viewport: {width: 700, height: 450}, excused: /404|status of 500/}); // of a file that was replaced meanwhile
let server = null, cases = 0;

afterEach(() => server?.stop());

/** A folder that a server watches, with steps of a temperature that is the same everywhere: put(step, value) and take(step). */
function steps() {
  const folder = temporaryFolder(), data = join(folder, `data${cases++}`), aside = join(folder, "aside.nc");
  mkdirSync(data);
  const file = (step) => join(data, `${step}.nc`);
  const put = (step, value) => {
    python(`
step, value = int(sys.argv[2]), float(sys.argv[3])
with netCDF4.Dataset(sys.argv[1], "w") as file:
    make_files.times(file, 1, step)
    lat, lon = make_files.plain_axes(file, 24, 20)
    make_files.axis(file, "height", [10.0, 2000.0, 6000.0, 12000.0], "height", "m", positive="up")
    make_files.temperature(file, ("time", "height", lat, lon), numpy.full((1, 4, 20, 24), value, "f4"))`, aside, String(step), String(value));
    renameSync(aside, file(step));
  };
  return {data, put, take: (step) => { assert.ok(existsSync(file(step))); renameSync(file(step), join(folder, "taken.nc")); }};
}

const times = (count) => page.waitForFunction((n) => window.virga.state.resolved?.times.length === n, count, {timeout: PATIENCE});
const probed = () => page.evaluate(() => window.virga.viewer.probeAt(-5, 55, 1500)?.layers[0].value ?? null);
const probes = (value) => page.waitForFunction((wanted) => Math.abs((window.virga.viewer.probeAt(-5, 55, 1500)?.layers[0].value ?? 0) - wanted) < 0.5, value, {timeout: PATIENCE});
const settled = () => page.evaluate((ms) => window.virga.viewer.settled(ms), PATIENCE);

async function open(files) {
  server = await serve([files.data]);
  await page.goto(server.url);
  await page.waitForFunction(() => window.virga?.state.shown, null, {timeout: PATIENCE});
  await settled();
}

inPage("a run that grows: the timeline does, too, and what is here is not sent again", async () => {
  const files = steps();
  files.put(1, 280);
  files.put(2, 285);
  await open(files);
  await times(2);
  assert.ok(Math.abs(await probed() - 280) < 0.5);
  const shown = await page.evaluate(() => {
    window.kept = window.virga.viewer.layers[0];
    window.sent = [];
    const {on} = window.virga.viewer.loader, heard = on.table;
    on.table = (field) => { window.sent.push(field.key); heard(field); };
    return window.virga.viewer.layers[0].field(0).key;
  });
  files.put(4, 290); // not the next one
  await times(3);
  await settled();
  assert.ok(!(await page.evaluate(() => window.sent)).includes(shown), "a step that is here came again");
  files.put(3, 295); // in between: the steps after it have other numbers now
  await times(4);
  await settled();
  assert.ok(await page.evaluate(() => window.virga.viewer.layers[0] === window.kept), "what is on the card is kept");
  assert.equal(await page.evaluate(() => window.virga.viewer.layers[0].field(0).key), shown);
  for (const [step, value] of [280, 285, 295, 290].entries()) {
    await page.evaluate((index) => window.virga.viewer.setTime(index), step);
    await probes(value);
  }
});

inPage("a file that is replaced: its numbers now, nothing of the old", async () => {
  const files = steps();
  files.put(1, 280);
  files.put(2, 285);
  await open(files);
  assert.ok(Math.abs(await probed() - 280) < 0.5);
  files.put(1, 300);
  await probes(300);
  assert.equal(await page.evaluate(() => performance.getEntriesByType("navigation").length), 1);
});

inPage("a dataset that is gone for a moment is shown again", async () => {
  const files = steps();
  files.put(1, 280);
  await open(files);
  files.take(1);
  await page.waitForFunction(() => !window.virga.state.view, null, {timeout: PATIENCE});
  assert.match(await page.textContent("#messages"), /no longer here/);
  files.put(1, 290);
  await page.waitForFunction(() => window.virga.state.view, null, {timeout: PATIENCE});
  await probes(290);
});
