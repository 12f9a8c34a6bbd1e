// SPDX-License-Identifier: Apache-2.0
// The flat map in a real browser without WebGL, over made-up tiles and a made-up catalog.
import assert from "node:assert/strict";
import {after, before, beforeEach} from "node:test";
import {fakeValue, saltOf} from "./fake_tiles.mjs";
import {madeUpCatalog} from "./made_up_catalog.js";
import {servePage} from "./page_server.mjs";
import {page, pageTests} from "./page_tests.mjs";

const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-3d-apis", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const inPage = pageTests({viewport: {width: 1000, height: 640}, excused: /WebSocket|status of [45]/, flags: FLAGS});
let server = null;

before(async () => { server = await servePage(madeUpCatalog(), {prefix: "/some/where/"}); });
after(() => server.close());
beforeEach(() => {
  server.catalog = madeUpCatalog();
  Object.assign(server, {tileAnswer: null, queries: []});
});

const open = async (hash = "", query = "") => {
  await page.goto(`${server.url}map.html${query}${hash}`);
  await page.waitForFunction(() => window.virga?.state.shown || document.querySelector(".blank"));
};
const text = (selector) => page.textContent(selector);
const layers = () => page.evaluate(() => window.virga.state.view.layers);
const settled = () => page.evaluate(() => window.virga.map.settled());
// Parts of the addresses of tiles that were asked for since the last call.
const asked = (name) => { const values = new Set(server.queries.splice(0).map((query) => query.get(name))); return [...values].sort(); };
const T = "#dataset=demo-uk&run=latest&time=T+0&layer=air_temperature;level=850hPa";

inPage("WebGL is not there, and the map is", async () => {
  await open();
  assert.equal(await page.evaluate(() => document.createElement("canvas").getContext("webgl2")), null);
  assert.equal(await text("[data-role=valid-time]"), "Thu 19 Nov 2009 03:00 UTC");
  assert.equal(await text(".legend-name"), "Cloud fractioncolumn maximum");
  assert.ok(await page.$$eval(".field-tile", (tiles) => tiles.length >= 4 && tiles.every((tile) => tile.naturalWidth === 256)));
  assert.ok(await page.$eval(".flat-map", (map) => map.querySelectorAll("canvas.world-tile").length > 4));
});

inPage("tiles are asked for by run, time, level, colours and edition, below the base path", async () => {
  await open(T);
  const query = server.queries.at(-1);
  assert.deepEqual(["run", "time", "level", "style", "member"].map((name) => query.get(name)), ["2009-11-19T03:00:00Z", "2009-11-19T03:00:00Z", "850hPa", "fill/temperature;range=210,310;fade=false", null]);
  assert.match(query.get("edition"), /^e[0-9]+$/);
  assert.ok(server.requests.every((path) => path.startsWith("/some/where/")));
});

inPage("steps by keys, by the track and by playing; a step is shown when all its tiles are there", async () => {
  await open(T);
  await page.keyboard.press("ArrowRight");
  await page.click("[aria-label='One step on']");
  await settled();
  assert.equal(await text("[data-role=lead]"), "T+2");
  await page.selectOption(".speed", "16");
  await page.focus("#map");
  await page.keyboard.press(" ");
  await page.waitForFunction(() => Number(document.querySelector("[data-role=lead]").textContent.slice(2)) > 4);
  await page.keyboard.press(" ");
  assert.equal(await page.getAttribute(".play", "aria-label"), "Play");
  const shown = await page.$$eval(".field-tile", (tiles) => tiles.filter((tile) => getComputedStyle(tile.closest(".leaflet-layer")).opacity > 0).every((tile) => tile.naturalWidth));
  assert.ok(shown);
});

inPage("no step is shown before it is whole", async () => {
  await open(T);
  const gates = [];
  server.tileWait = () => new Promise((resolve) => gates.push(resolve));
  await page.keyboard.press("ArrowRight");
  await page.waitForSelector(".waiting:not([hidden])");
  assert.equal(await text("[data-role=lead]"), "T+0");
  assert.match(await text(".waiting"), /Loading Thu 19 Nov 04:00/);
  server.tileWait = null;
  while (gates.length) gates.pop()();
  await settled();
  assert.equal(await text("[data-role=lead]"), "T+1");
});

inPage("surfaces: kinds, numbers, the slider and keys", async () => {
  await open(T);
  server.queries.length = 0;
  await page.keyboard.press("ArrowUp");
  await settled();
  assert.deepEqual(asked("level"), ["800hPa"]);
  await page.selectOption("[aria-label=Surface]", "flight-level");
  await settled();
  assert.deepEqual(asked("level"), ["FL100"]);
  await page.fill("[aria-label=Where]", "95");
  await page.keyboard.press("Enter");
  await settled();
  assert.deepEqual(asked("level"), ["FL95"]);
  assert.equal(await text(".legend-difference"), "FL095");
  await page.selectOption("[aria-label=Surface]", "level");
  await page.fill("[aria-label=Where]", "37");
  await page.keyboard.press("Enter");
  assert.equal((await layers())[0].level, "k0");
});

inPage("layers are added, drawn as lines, put above others, hidden and removed", async () => {
  await open(T);
  await page.selectOption(".adder", "mslp");
  await page.waitForFunction(() => window.virga.state.view.layers.length === 2);
  await page.selectOption(".map-card[data-variable=mslp] >> text=ColoursContours", "contours").catch(() => page.selectOption(".map-card[data-variable=mslp] select[id]:has(option[value=contours])", "contours"));
  await settled();
  assert.ok(asked("style").includes("contours"));
  assert.deepEqual(await page.$$eval(".legend-name", (names) => names.map((name) => name.firstChild.textContent)), ["Pressure at mean sea level", "Air temperature"]);
  await page.click(".map-card[data-variable=air_temperature] [aria-label='Draw it above the next']");
  assert.deepEqual((await layers()).map(({variable}) => variable), ["mslp", "air_temperature"]);
  await page.click(".map-card[data-variable=mslp] [aria-label='Show this layer']");
  assert.equal((await page.$$(".legend")).length, 1);
  await page.click(".map-card[data-variable=mslp] [aria-label='Remove this layer']");
  assert.equal((await layers()).length, 1);
});

inPage("barbs over colours are one click, at the surface below them", async () => {
  server.catalog.datasets[0].variables.push({...server.catalog.datasets[0].variables.find(({id}) => id === "wind_speed"), id: "wind_from", standard_name: "wind_from_direction", units: "degree"});
  for (const run of server.catalog.datasets[0].runs) if (run.series.wind_speed) run.series.wind_from = {...run.series.wind_speed, edition: "from"};
  await open(T);
  await page.click("text=Wind barbs over it");
  await page.waitForFunction(() => window.virga.state.view.layers.length === 2);
  const [, barbs] = await layers();
  assert.deepEqual([barbs.variable, barbs.draw, barbs.level], ["wind_speed", "barbs", "850hPa"]);
  assert.match(await text(".legend-lines"), /half 5 kt/);
  assert.ok(await page.isHidden("text=Wind barbs over it"));
});

inPage("opacity changes what is on the map, and asks for nothing", async () => {
  await open(T);
  server.queries.length = 0;
  await page.$eval(".map-card .field input[type=range]", (input) => { input.value = 0.4; input.dispatchEvent(new Event("input")); });
  assert.equal(await page.$eval(".field-tile", (tile) => getComputedStyle(tile.closest(".leaflet-layer")).opacity), "0.4");
  assert.equal(server.queries.length, 0);
});

inPage("a click reads the value at the place, exactly, and each step's anew", async () => {
  await open(`${T}&at=52,0,6`);
  const box = await (await page.$("#map")).boundingBox();
  await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
  const expected = async () => {
    const salt = saltOf(new URLSearchParams({time: await page.evaluate(() => window.virga.state.shown), level: "850hPa"}));
    return (fakeValue(0, 52, salt) - 273.15).toFixed(1);
  };
  const value = async () => (await text(".map-probe td")).replace("−", "-").replace(/ °C$/, "");
  await page.waitForFunction(() => /°C/.test(document.querySelector(".map-probe td")?.textContent));
  assert.match(await text(".map-probe .probe-place"), /^5[12]\.\d{3}° N {2}\d\.\d{3}° [EW]$/);
  assert.ok(Math.abs(await value() - await expected()) < 0.25, `${await value()} and ${await expected()}`);
  await page.keyboard.press("ArrowRight");
  await settled();
  await page.waitForFunction(() => /04:00/.test(document.querySelector(".map-probe .probe-height").textContent) && /°C/.test(document.querySelector(".map-probe td").textContent));
  assert.ok(Math.abs(await value() - await expected()) < 0.25);
  await page.keyboard.press("Escape");
  assert.ok(await page.isHidden(".map-probe"));
});

inPage("what is missing says so", async () => {
  await open(`${T}&at=75,0,3`);
  await page.focus("#map");
  await page.keyboard.press("v");
  await page.waitForFunction(() => document.querySelector(".map-probe td")?.textContent === "missing");
});

inPage("colours are fitted to what is in sight", async () => {
  await open(`${T}&at=52,0,6`);
  await page.click(".map-card .layer-more summary");
  await page.click(".map-card >> text=Fit");
  await page.waitForFunction(() => window.virga.state.view.layers[0].range[0] !== 210);
  const [low, high] = (await layers())[0].range;
  assert.ok(high > low && low > 235 && high < 305 && high - low < 40, `${low} to ${high}`);
});

inPage("the range of what differs by surface follows the surface, until one is chosen", async () => {
  await open("#dataset=demo-uk&run=latest&time=T+0&layer=tracer;level=850hPa");
  await page.waitForFunction(() => window.virga.state.view.layers[0].range[0] > 200);
  const range = async () => (await layers())[0].range, before = await range();
  await page.keyboard.press("ArrowUp");
  await page.waitForFunction((old) => window.virga.state.view.layers[0].range.join() !== old, before.join());
  await page.click(".map-card .layer-more summary");
  await page.fill("[aria-label='Highest colour at']", "299");
  await page.keyboard.press("Enter");
  assert.deepEqual([(await range())[1], (await layers())[0].fit], [299, false]);
  const queries = server.queries.length;
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press("ArrowUp");
  await settled();
  assert.ok(server.queries.slice(queries).every((query) => query.get("style") !== "values"));
  assert.equal((await range())[1], 299);
});

inPage("the address holds the map, and Back returns", async () => {
  await open(T);
  await page.selectOption("[aria-label=Surface]", "theta");
  await page.waitForFunction(() => /level=300K/.test(location.hash));
  await page.evaluate(() => window.virga.map.goTo([40, 10, 5]));
  await page.waitForFunction(() => /at=(39\.9|40\.0)[0-9]*,(9\.9|10\.0)[0-9]*,5/.test(location.hash));
  const address = page.url();
  await page.goto("about:blank");
  await page.goto(address);
  await page.waitForFunction(() => window.virga?.state.shown);
  assert.equal((await layers())[0].level, "300K");
  assert.deepEqual(await page.evaluate(() => window.virga.map.at.map(Math.round)), [40, 10, 5]);
});

inPage("an address that is no good is told, and another map shown", async () => {
  await open("#dataset=demo-uk&layer=air_temperature;level=high");
  assert.match(await text("#messages"), /layer\[0\]\.level/);
  assert.equal((await layers()).length, 1);
});

inPage("longitude and latitude instead of Mercator", async () => {
  await open(`${T}&at=52,0,5`);
  server.queries.length = 0;
  await page.selectOption("#scene select", "lonlat");
  await settled();
  assert.deepEqual(asked("tms"), ["WorldCRS84Quad"]);
  assert.deepEqual(await page.evaluate(() => window.virga.map.at.map(Math.round)), [52, 0, 5]);
});

inPage("a busy server is asked again; one that refuses is quoted", async () => {
  let refused = 0;
  server.tileAnswer = () => (refused++ < 3 ? {status: 503, headers: {"Retry-After": "0"}} : null);
  await open(T);
  assert.ok(refused > 3);
  assert.equal(await text("#messages"), "");
  server.tileAnswer = () => ({status: 400, body: JSON.stringify({error: {status: 400, message: "level=FL5: this variable has no such surface"}})});
  await page.keyboard.press("ArrowRight");
  await page.waitForSelector(".message.warning");
  assert.match(await text(".message.warning"), /Level=FL5: this variable has no such surface/);
});

inPage("addresses for other programs", async () => {
  await open(T);
  await page.click("text=In another program");
  const codes = await page.$$eval(".use-list code", (elements) => elements.map((element) => element.textContent));
  assert.ok(codes[0].startsWith(`${server.url}wms/demo-uk?service=WMS`));
  assert.match(codes[1], /tiles\/demo-uk\/air_temperature\/\{z\}\/\{x\}\/\{y\}\.png\?run=latest&time=T%2B0&level=850hPa/);
});

for (const [width, height] of [[360, 640], [640, 360], [3840, 2160]]) {
  inPage(`nothing sticks out at ${width} × ${height}`, async () => {
    await page.setViewportSize({width, height});
    await open(T);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth && document.documentElement.scrollHeight <= window.innerHeight));
    const boxes = await page.$$eval("#caption, #tools, #legends, .play, .track", (elements) => elements.map((element) => { const {left, top, right, bottom} = element.getBoundingClientRect(); return [left, top, right, bottom]; }));
    for (const [left, top, right, bottom] of boxes) assert.ok(left >= 0 && top >= 0 && right <= width && bottom <= height, `${[left, top, right, bottom]}`);
  });
}
