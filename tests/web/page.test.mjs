// SPDX-License-Identifier: Apache-2.0
// The page's controls in a real browser, over a stub in place of the viewer and a made-up catalog.
import assert from "node:assert/strict";
import {after, before, beforeEach} from "node:test";
import {deflateRawSync} from "node:zlib";
import {madeUpCatalog} from "./made_up_catalog.js";
import {servePage} from "./page_server.mjs";
import {page, pageTests} from "./page_tests.mjs";

const inPage = pageTests({viewport: {width: 1280, height: 720}, excused: /status of [45]|WebSocket/});
let server = null;

before(async () => { server = await servePage(madeUpCatalog(), {prefix: "/some/where/"}); });
after(() => server.close());

beforeEach(() => {
  server.catalog = madeUpCatalog();
  server.failing.clear();
  server.table = null;
});

const hashOf = (view) => `#v1=${deflateRawSync(JSON.stringify(view)).toString("base64url")}`;
const open = async (hash = "", query = "") => {
  await page.goto(`${server.url}${query}${hash}`);
  await page.waitForFunction(() => window.virga?.state.shown || document.querySelector(".blank"));
};
const text = (selector) => page.textContent(selector);
const calls = (name) => page.evaluate((wanted) => window.virga.viewer.calls.filter(([call]) => call === wanted), name);
const view = () => page.evaluate(() => window.virga.state.view);
const addressChanges = (from) => page.waitForFunction((old) => location.href !== old, from);
const spread = (selector) => page.$$eval(selector, (elements) => elements.map((element) => element.textContent));

inPage("the first view is the latest run's cloud fraction at its first time", async () => {
  await open();
  assert.equal(await text("[data-role=valid-time]"), "Thu 19 Nov 2009 03:00 UTC");
  assert.equal(await text("[data-role=lead]"), "T+0");
  assert.match(await text("[data-role=run]"), /Run Thu 19 Nov 03:00 UTC/);
  assert.equal(await text(".legend-name"), "Cloud fraction");
  assert.equal(await text(".badge-text"), "full resolution · ±0.5 % · 100 %");
  assert.equal((await view()).camera, undefined);
});

inPage("everything is fetched below the base path", async () => {
  const from = server.requests.length;
  await open();
  assert.ok(server.requests.slice(from).every((path) => path.startsWith("/some/where/")));
});

inPage("stepping, and time and lead follow what is drawn", async () => {
  await open();
  await page.keyboard.press("ArrowRight");
  await page.click("[aria-label='One step on']");
  assert.deepEqual((await calls("setTime")).map(([, index]) => index), [1, 2]);
  assert.equal(await text("[data-role=valid-time]"), "Thu 19 Nov 2009 05:00 UTC");
  assert.equal(await text("[data-role=lead]"), "T+2");
  await page.keyboard.press("Home");
  await page.keyboard.press("ArrowLeft");
  assert.equal(await text("[data-role=lead]"), "T+36");
});

inPage("play, pause, speed and loop reach the viewer; the time follows the steps it draws", async () => {
  await open();
  await page.selectOption(".speed", "8");
  await page.keyboard.press("l");
  await page.keyboard.press(" ");
  assert.deepEqual(await calls("play"), [["play", {rate: 8, loop: false, direction: 1}]]);
  assert.equal(await page.getAttribute(".play", "aria-label"), "Pause");
  await page.evaluate(() => window.virga.viewer.advance());
  assert.equal(await text("[data-role=lead]"), "T+1");
  assert.equal((await view()).time, "T+1");
  await page.click(".play");
  assert.equal((await calls("pause")).length, 1);
});

inPage("dragging along the track seeks to the nearest real time", async () => {
  await open();
  const box = await (await page.$(".track")).boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + 20);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width - 2, box.y + 20, {steps: 4});
  await page.mouse.up();
  assert.equal(await text("[data-role=lead]"), "T+36");
  assert.equal(await page.getAttribute(".track", "aria-valuenow"), "36");
  assert.match(await page.getAttribute(".track", "aria-valuetext"), /Fri 20 Nov 2009 15:00 UTC, T\+36/);
});

inPage("ticks of uneven steps stand at true distance, in their calendar, which is named", async () => {
  await open("#dataset=climate&variable=ta");
  assert.equal(await text("[data-role=valid-time]"), "28 Feb 2049 00:00 UTC (360-day calendar)");
  await page.keyboard.press("End");
  assert.equal(await text("[data-role=lead]"), "T+540");
  assert.match(await text("[data-role=run]"), /incomplete/);
});

inPage("a ground field and a second volume are added; a third volume hides the first", async () => {
  await open();
  await page.selectOption(".adder", "mslp");
  await page.selectOption(".adder", "air_temperature");
  await page.selectOption(".adder", "qcl");
  await page.waitForFunction(() => window.virga.state.view.layers.length === 4);
  assert.deepEqual((await view()).layers.map((layer) => [layer.variable, layer.visible]),
    [["cloud_fraction", false], ["mslp", true], ["air_temperature", true], ["qcl", true]]);
  assert.equal((await page.$$(".legend")).length, 3);
});

inPage("the list is grouped, and says what a run lacks", async () => {
  await open("#dataset=demo-uk&variable=qcl&run=2009-11-18T15:00:00Z");
  assert.deepEqual(await page.$$eval(".adder optgroup", (groups) => groups.map((group) => group.label)), ["3-D fields", "3-D fields, derived", "Ground fields"]);
  assert.ok(await page.$eval(".adder option[value=rain]", (option) => option.disabled));
});

inPage("changing the run keeps the valid time where it can", async () => {
  await open("#dataset=demo-uk&variable=qcl&time=T+3");
  await page.selectOption("#source .row select", "2009-11-18T15:00:00Z");
  assert.equal(await text("[data-role=valid-time]"), "Thu 19 Nov 2009 06:00 UTC");
  assert.equal(await text("[data-role=lead]"), "T+15");
});

inPage("members can be picked where there are some", async () => {
  await open("#dataset=climate&variable=ta");
  await page.selectOption("#source .row .field:nth-child(2) select", "2");
  assert.equal((await view()).member, 2);
  assert.match(await text("[data-role=source]"), /member 2/);
});

inPage("colours, range and unit change the layer and its legend", async () => {
  await open("#dataset=demo-uk&variable=air_temperature");
  await page.click(".layer-more > summary");
  await page.selectOption(".layer-card .three select", "K");
  assert.equal(await text(".legend-units"), "K");
  await page.fill("[aria-label='Lowest colour at']", "260");
  await page.keyboard.press("Tab");
  assert.deepEqual((await view()).layers[0].range, [260, 310]);
  assert.deepEqual(await spread(".legend .ticks span"), ["260", "270", "280", "290", "300", "310"]);
  await page.click(".colour-picker > summary");
  await page.click(".swatch >> text=Indigo, red, yellow");
  assert.equal((await view()).layers[0].colour_map, "thermal");
  await page.click(".layer-card >> text=Reset");
  await page.waitForFunction(() => window.virga.state.view.layers[0].colour_map === "temperature");
});

inPage("a range upside down is refused and the layer keeps its own", async () => {
  await open("#dataset=demo-uk&variable=air_temperature");
  await page.click(".layer-more > summary");
  await page.fill("[aria-label='Lowest colour at']", "900");
  await page.keyboard.press("Enter");
  assert.deepEqual((await view()).layers[0].range, [210, 310]);
});

inPage("points of the opacity curve are dragged, added and removed", async () => {
  await open();
  await page.click(".layer-more > summary");
  const curve = await (await page.$(".curve")).boundingBox();
  const before = (await view()).layers[0].opacity;
  await page.mouse.move(curve.x + curve.width * 0.53, curve.y + 20);
  await page.mouse.down();
  await page.mouse.move(curve.x + curve.width * 0.6, curve.y + 12, {steps: 3});
  await page.mouse.up();
  const added = (await view()).layers[0].opacity;
  assert.equal(added.length, before.length + 1);
  const calm = (await calls("setView")).at(-1)[1].layers[0].opacity;
  assert.equal(calm.length, added.length);
  await page.keyboard.press("Delete");
  assert.deepEqual((await view()).layers[0].opacity, before);
  await page.focus(".curve-point[data-index='1']");
  await page.keyboard.press("ArrowUp");
  assert.ok((await view()).layers[0].opacity[1][1] > before[1][1]);
});

inPage("a point never passes its neighbours", async () => {
  await open();
  await page.click(".layer-more > summary");
  await page.focus(".curve-point[data-index='1']");
  for (let i = 0; i < 8; i++) await page.keyboard.press("Shift+ArrowRight");
  const {opacity} = (await view()).layers[0];
  assert.equal(opacity[1][0], opacity[2][0]);
});

inPage("scene controls change the view", async () => {
  await open();
  await page.focus("[aria-label='Vertical exaggeration']");
  await page.keyboard.press("End");
  assert.equal((await view()).exaggeration, 100);
  assert.match(await text("[data-role=source]"), /height × 100/);
  await page.click("text=Coastlines");
  assert.equal((await view()).map.coastlines, false);
  await page.click("text=Sun as at the valid time");
  assert.equal((await view()).light.sun, "time");
  await page.click("text=Shadows");
  assert.equal((await view()).light.shadows, false);
});

inPage("the camera's keys reach the viewer and its camera enters the address", async () => {
  await open();
  const before = page.url();
  await page.keyboard.press("t");
  await addressChanges(before);
  assert.equal((await view()).camera.mode, "top");
  await page.keyboard.press("r");
  await page.keyboard.press("f");
  assert.equal((await calls("topDown")).length, 1);
  assert.equal((await calls("resetCamera")).length, 1);
  assert.equal(await page.getAttribute("#tools [aria-keyshortcuts=F]", "aria-pressed"), "true");
});

inPage("a reload shows the same view", async () => {
  await open("#dataset=demo-uk&variable=air_temperature&variable=mslp&time=T+7");
  const before = page.url();
  await page.click("text=Graticule");
  await page.keyboard.press("t");
  await addressChanges(before);
  const kept = await view();
  await page.reload();
  await page.waitForFunction(() => window.virga?.state.shown);
  assert.deepEqual(await view(), kept);
  assert.equal(await text("[data-role=lead]"), "T+7");
});

inPage("Back and Forward go between views", async () => {
  await open();
  await page.waitForFunction(() => location.hash === "" || true);
  const before = page.url();
  await page.selectOption(".adder", "air_temperature");
  await addressChanges(before);
  const middle = page.url();
  await page.click("[aria-label='Remove this layer']");
  await addressChanges(middle);
  await page.goBack();
  await page.waitForFunction(() => window.virga.state.view.layers.length === 2);
  await page.goForward();
  await page.waitForFunction(() => window.virga.state.view.layers.length === 1);
  assert.equal((await view()).layers[0].variable, "air_temperature");
});

for (const [name, hash, field] of [
  ["a bad field", hashOf({version: 1, dataset: "demo-uk", layers: [{variable: "qcl", range: [1, 0]}]}), "layers[0].range: expected two rising numbers"],
  ["an unknown dataset", hashOf({version: 1, dataset: "gone", layers: []}), "dataset: \"gone\" is not on offer"],
  ["an unknown variable", "#dataset=demo-uk&variable=gone", "layers[0].variable: \"gone\" is not in this dataset"],
  ["a cut-off address", "#v1=abc", "view: "],
]) {
  inPage(`${name} is named and a default is shown`, async () => {
    await open(hash);
    assert.ok((await text(".message[data-key=view]")).includes(field));
    assert.equal(await text(".legend-name"), "Cloud fraction");
  });
}

inPage("a time that is no step is said, and the nearest shown", async () => {
  await open("#dataset=demo-uk&variable=qcl&time=2009-11-19T04:20:00Z");
  assert.match(await text(".message[data-key=notice]"), /Thu 19 Nov 2009 04:20 UTC is not a step/);
  assert.equal(await text("[data-role=valid-time]"), "Thu 19 Nov 2009 04:00 UTC");
});

inPage("the probe says place, height, value and how exact, and missing", async () => {
  await open("#dataset=demo-uk&variable=cloud_fraction&variable=qcl");
  await page.mouse.move(800, 400);
  await page.waitForSelector("#probe:not([hidden])");
  assert.match(await text(".probe-place"), /53\.250° N/);
  assert.match(await text(".probe-height"), /3\u202f240 m/);
  assert.deepEqual((await spread("#probe td")).map((cell) => cell.replace("\u00a0", " ")), ["43.5", "± 0.5 %", "missing", ""]);
  await page.mouse.move(800, 60);
  await page.waitForSelector("#probe", {state: "hidden"});
});

inPage("colours of a variable that no preset knows span the data", async () => {
  const table = Buffer.alloc(64);
  table.writeUInt32LE(1, 0);
  table.writeDoubleLE(-3, 8);
  table.writeDoubleLE(9, 16);
  server.table = table;
  await open("#dataset=demo-uk&variable=tracer");
  assert.deepEqual((await view()).layers[0].range, [-3, 9]);
});

inPage("colours are fitted to the values at this time", async () => {
  await open("#dataset=demo-uk&variable=air_temperature");
  const table = Buffer.alloc(64);
  table.writeUInt32LE(1, 0);
  table.writeDoubleLE(271, 8);
  table.writeDoubleLE(289.5, 16);
  server.table = table;
  await page.click(".layer-more > summary");
  await page.click(".layer-card >> text=Fit");
  await page.waitForFunction(() => window.virga.state.view.layers[0].range[0] === 271);
  assert.deepEqual((await view()).layers[0].range, [271, 289.5]);
});

inPage("a lost connection is said with its countdown, and a regained one too", async () => {
  await open();
  await page.evaluate(() => window.virga.viewer.emit("connection", {state: "lost", message: "The server went away.", retryAt: performance.now() + 9000}));
  assert.match(await text(".message[data-key=connection]"), /Connection lost.*The server went away\. Trying again in [89] s/);
  assert.equal(await text("#connection"), "connection lost");
  await page.evaluate(() => window.virga.viewer.emit("connection", {state: "open", transport: "websocket"}));
  assert.match(await text(".message[data-key=connection]"), /Connected again/);
});

inPage("where no websocket gets through, data over HTTP is no lost connection", async () => {
  await open();
  await page.evaluate(() => {
    window.virga.state.everOpen = false;
    window.virga.viewer.emit("connection", {state: "lost", transport: "http", message: "No websocket.", retryAt: performance.now() + 9000});
  });
  assert.equal(await text("#connection"), "connected over HTTP");
  assert.equal(await page.$(".message[data-key=connection]"), null);
});

inPage("a lost graphics context and errors are said", async () => {
  await open();
  await page.evaluate(() => window.virga.viewer.emit("contextlost"));
  assert.match(await text(".message[data-key=context]"), /comes back by itself/);
  await page.evaluate(() => window.virga.viewer.emit("error", {message: "brick 3 of qcl is damaged <b>", fatal: false}));
  assert.match(await text(".message[data-key=error]"), /brick 3 of qcl is damaged <b>/);
});

inPage("a new run appears in a view of the latest, at the same lead time", async () => {
  await open("#dataset=demo-uk&variable=qcl&time=T+3");
  await page.evaluate(() => {
    const {viewer} = window.virga;
    const old = viewer.catalog.datasets[0].runs.at(-1);
    const later = (iso) => new Date(Date.parse(iso) + 6 * 3600e3).toISOString().replace(".000Z", "Z");
    const series = Object.fromEntries(Object.entries(old.series).map(([id, s]) => [id, {...s, times: s.times.map(later)}]));
    viewer.catalog.datasets[0].runs.push({time: later(old.time), complete: true, series});
    viewer.emit("catalog", {catalog: viewer.catalog});
  });
  await page.waitForFunction(() => document.querySelector("[data-role=valid-time]").textContent === "Thu 19 Nov 2009 12:00 UTC");
  assert.equal(await text("[data-role=lead]"), "T+3");
  assert.match(await text(".message[data-key=run]"), /new run/);
});

inPage("an empty catalog says what to do, and what could not be read", async () => {
  server.catalog = {datasets: [], problems: [{file: "a.nc", variable: null, reason: "it is no netCDF file"}]};
  await open();
  assert.match(await text(".blank"), /could read none/);
  await page.click(".blank button");
  assert.match(await text("dialog[open]"), /It is no netCDF file.*a\.nc/);
});

inPage("many problems stay legible: what has one reason stands together, and a word finds it", async () => {
  const many = Array.from({length: 300}, (_, i) => ({file: `/data/run/${String(i).padStart(4, "0")}.nc`, variable: null, reason: "it is no netCDF file"}));
  const odd = Array.from({length: 60}, (_, i) => ({file: "/data/odd.nc", variable: `field_${i}`, reason: `its dimension d${i} of length 800 has no coordinate that says what it is`}));
  server.catalog.problems = [...many, ...odd];
  await open();
  assert.match(await text(".problems-button"), /^61 things/);
  await page.click(".problems-button");
  assert.equal(await page.$$eval(".problems li", (items) => items.length), 61);
  assert.match(await text(".problems li"), /^It is no netCDF file\/data\/run\/0000\.nc.*and 297 more files/);
  const [list, body] = await page.$$eval(".problems, .dialog[open]", (elements) => elements.map((element) => [element.scrollWidth, element.clientWidth]));
  assert.ok(list[0] <= list[1] && body[0] <= body[1], "nothing is wider than the dialog");
  await page.fill(".problem-search", "FIELD_17");
  assert.equal(await page.$$eval(".problems li", (items) => items.length), 1);
  await page.fill(".problem-search", "no such word");
  assert.ok(await page.isVisible(".dialog[open] .note"));
});

inPage("values outside the range that a file calls valid are said to be shown", async () => {
  const table = Buffer.alloc(64);
  table.writeUInt32LE(1, 0);
  table.writeDoubleLE(-3, 8);
  table.writeDoubleLE(9, 16);
  server.table = table;
  const tracer = server.catalog.datasets[0].variables.find(({id}) => id === "tracer");
  tracer.valid_range = [0, 5];
  await open("#dataset=demo-uk&variable=tracer");
  await page.waitForFunction(() => document.querySelector(".layer-card .note").textContent.includes("shown as stored"));
  assert.match(await text(".layer-card .note"), /values go down to −3 and up to 9; the file calls those valid from 0 to 5/);
});

inPage("a server that does not answer can be tried again", async () => {
  server.failing.add("api/catalog");
  await open();
  assert.match(await text(".blank"), /does not answer/);
  server.failing.clear();
  await page.click(".blank button");
  await page.waitForFunction(() => window.virga.state.shown);
  assert.equal(await page.$(".blank"), null);
});

const withoutWebGL2 = () => page.addInitScript(() => {
  const original = HTMLCanvasElement.prototype.getContext;
  HTMLCanvasElement.prototype.getContext = function getContext(kind, ...rest) {
    return kind === "webgl2" ? null : original.call(this, kind, ...rest);
  };
});

inPage("without WebGL2 the flat map opens by itself, with the same forecast and time", async () => {
  await withoutWebGL2();
  await page.goto(`${server.url}#dataset=demo-uk&variable=t2m&time=T+3`);
  await page.waitForURL(/map\.html\?flat#/);
  await page.waitForFunction(() => window.virga?.state.shown);
  assert.match(await text("#messages"), /needs WebGL2/);
  assert.deepEqual([await text("[data-role=valid-time]"), await text(".legend-name")], ["Thu 19 Nov 2009 06:00 UTC", "Temperature at 1.5 m"]);
});

inPage("a frame without WebGL2 has the flat map; one of the wall stays, and says where that is", async () => {
  await withoutWebGL2();
  await page.goto(`${server.url}?embed#dataset=demo-uk&variable=t2m`);
  await page.waitForURL(/map\.html\?flat&embed#/);
  await page.waitForFunction(() => window.virga?.state.shown);
  assert.ok(await page.isHidden("#sidebar"));
  await page.goto(`${server.url}?pin=x&embed=1#dataset=demo-uk&variable=t2m`);
  assert.match(await text(".blank"), /WebGL2/);
  assert.equal(await page.getAttribute(".blank a", "href"), "map.html?flat&pin=x#dataset=demo-uk&variable=t2m");
});

inPage("the flat map of this view is one key away, and leads back", async () => {
  await open("#dataset=demo-uk&variable=t2m&time=T+2");
  await page.keyboard.press("m");
  await page.waitForURL(/map\.html#/);
  await page.waitForFunction(() => window.virga?.state.shown);
  assert.equal(await text("[data-role=valid-time]"), "Thu 19 Nov 2009 05:00 UTC");
  await page.click("text=See it in 3D");
  await page.waitForFunction(() => window.virga?.viewer && window.virga.state.shown);
  assert.deepEqual([await text("[data-role=valid-time]"), (await view()).layers[0].variable], ["Thu 19 Nov 2009 05:00 UTC", "t2m"]);
});

inPage("help opens with its key and closes with Escape", async () => {
  await open();
  await page.keyboard.press("?");
  assert.ok(await page.isVisible("dialog[open]"));
  await page.keyboard.press("Escape");
  assert.equal(await page.$("dialog[open]"), null);
});

inPage("embedded, time, run, lead, legend and badge stay in sight", async () => {
  await page.setViewportSize({width: 480, height: 320});
  await open("", "?embed");
  for (const selector of ["[data-role=valid-time]", "[data-role=lead]", "[data-role=run]", ".legend", ".badge-text", ".play"]) {
    const box = await (await page.$(selector)).boundingBox();
    assert.ok(box && box.x >= 0 && box.y >= 0 && box.x + box.width <= 480 && box.y + box.height <= 320, selector);
  }
  assert.ok(!(await page.isVisible("#sidebar")));
});

for (const [width, height] of [[360, 640], [390, 844], [844, 390], [1280, 720], [3840, 2160]]) {
  inPage(`nothing is cut off at ${width} × ${height}`, async () => {
    await page.setViewportSize({width, height});
    await open("#dataset=demo-uk&variable=cloud_fraction&variable=air_temperature");
    const outside = await page.evaluate(() => [...document.querySelectorAll("#stage button, #timeline button, #timeline select, .caption, .badge, .legend, .track")]
      .filter((element) => element.getClientRects().length > 0)
      .filter((element) => {
        const box = element.getBoundingClientRect();
        return box.left < -1 || box.top < -1 || box.right > innerWidth + 1 || box.bottom > innerHeight + 1;
      }).map((element) => `${element.className} ${element.getAttribute("aria-label")}`));
    assert.deepEqual(outside, []);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
    if (width < 760) {
      await page.click(".panel-toggle");
      assert.ok(await page.evaluate(() => document.querySelector("#sidebar").scrollWidth <= document.querySelector("#sidebar").clientWidth));
    }
  });
}

inPage("what lies over the picture does not overlap", async () => {
  for (const [width, height] of [[360, 640], [390, 844], [844, 390], [900, 600], [1000, 600], [1280, 720]]) {
    await page.setViewportSize({width, height});
    await open("#dataset=demo-uk&variable=cloud_fraction&variable=air_temperature");
    const overlaps = await page.evaluate(() => {
      const boxes = ["#caption", ".badge", ".legends", "#tools"].map((selector) => [selector, document.querySelector(selector).getBoundingClientRect()]);
      const found = [];
      boxes.forEach(([a, x], i) => boxes.slice(i + 1).forEach(([b, y]) => {
        if (x.left < y.right && y.left < x.right && x.top < y.bottom && y.top < x.bottom) found.push(`${a} ${b}`);
      }));
      return found;
    });
    assert.deepEqual(overlaps, [], `${width} × ${height}`);
  }
});

inPage("no text is smaller than 13 px, and every control has a name", async () => {
  await open();
  await page.click(".layer-more > summary");
  const small = await page.evaluate(() => [...document.querySelectorAll("body *")].filter((element) => element.checkVisibility()
    && [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim()) && parseFloat(getComputedStyle(element).fontSize) < 13)
    .map((element) => element.outerHTML.slice(0, 80)));
  assert.deepEqual(small, []);
  const nameless = await page.evaluate(() => [...document.querySelectorAll("button, select, input, [role=slider]")]
    .filter((element) => !element.getAttribute("aria-label") && !element.labels?.length && !element.textContent.trim()).map((element) => element.outerHTML.slice(0, 80)));
  assert.deepEqual(nameless, []);
});
