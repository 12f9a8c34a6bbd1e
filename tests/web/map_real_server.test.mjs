// SPDX-License-Identifier: Apache-2.0
// The flat map over the real server, in a browser without WebGL: what is on screen is held against an independent reprojection of the file, and what a click says against the file.
import assert from "node:assert/strict";
import {after, before} from "node:test";
import {checkPictures, makeMaps} from "./map_pictures.mjs";
import {page, pageTests} from "./page_tests.mjs";
import {landingRuns, python, serve, temporaryFolder, WITHOUT_VIRGA} from "./virga_server.mjs";

const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-3d-apis", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const inPage = pageTests({skip: WITHOUT_VIRGA, viewport: {width: 900, height: 560}, flags: FLAGS});
const PATIENCE = 40000;
const SHOTS = process.env.VIRGA_SHOTS; // a folder for pictures to look at
let server = null, maps = null, folder = null;

before(async () => {
  if (WITHOUT_VIRGA) return;
  folder = temporaryFolder();
  maps = makeMaps(`${folder}/maps`);
  server = await serve(Object.values(maps));
});
after(() => server?.stop());

const ids = async () => Object.fromEntries((await (await fetch(`${server.url}api/catalog`)).json()).datasets.map(({id, title, variables}) =>
  [Object.keys(maps).find((name) => id.includes(name) || title.includes(name)) ?? id, {id, times: variables.find((variable) => variable.id === "surface_temperature").times}]));

async function open(hash) {
  await page.goto(`${server.url}map.html${hash}`);
  await page.waitForFunction(() => window.virga?.state.shown, null, {timeout: PATIENCE});
  await page.evaluate(() => window.virga.map.settled());
}

// The map alone, without what lies over it, as it is on screen.
async function shoot(name) {
  if (SHOTS) await page.screenshot({path: `${SHOTS}/${name}.png`});
  const path = `${folder}/${name}.png`;
  await page.evaluate(() => {
    for (const element of document.querySelectorAll("#stage > :not(#map), .leaflet-control-container, #sidebar, #timeline")) element.style.setProperty("display", "none");
    Object.assign(document.querySelector("#app").style, {display: "block"});
  });
  await page.evaluate(() => { window.virga.map.setLines({coastlines: false, graticule: false}); Object.assign(document.querySelector("#stage").style, {position: "fixed", left: "0", top: "0", width: "512px", height: "512px"}); window.virga.map.resized(); });
  await page.waitForFunction(() => { const {x, y} = window.virga.map.leaflet.getSize(); return x === 512 && y === 512; });
  await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 0)));
  await page.waitForFunction(() => [...document.querySelectorAll(".field-tile")].every((tile) => tile.complete && tile.naturalWidth));
  await page.screenshot({path, clip: {x: 0, y: 0, width: 512, height: 512}});
  const box = await page.evaluate(() => {
    const map = window.virga.map.leaflet, {min, max} = map.getPixelBounds(), {crs} = map.options, zoom = map.getZoom();
    const at = (x, y) => (window.virga.map.projection === "mercator" ? crs.project(crs.pointToLatLng({x, y}, zoom)) : (({lat, lng}) => ({x: lng, y: lat}))(crs.pointToLatLng({x, y}, zoom)));
    const a = at(min.x, max.y), b = at(max.x, min.y);
    return [a.x, a.y, b.x, b.y];
  });
  return {picture: path, box};
}

for (const [grid, at, projection] of [["globe", "40.0000,10.0000,3", "mercator"], ["date_line", "-30.0000,180.0000,4", "mercator"], ["rotated", "53.0000,-2.0000,6", "mercator"], ["globe", "20.0000,10.0000,2", "lonlat"]]) {
  inPage(`what is on screen agrees with the file: ${grid}, ${projection}`, async () => {
    const {id, times} = (await ids())[grid];
    await open(`#dataset=${id}&run=latest&time=${times[1]}&projection=${projection}&layer=surface_temperature;colours=temperature;range=250,320&at=${at}`);
    const shot = await shoot(`flat_${grid}_${projection}`);
    const [said] = checkPictures([{file: maps[grid], variable: "surface_temperature", step: 1, crs: projection === "mercator" ? "EPSG:3857" : "CRS:84", colour_map: "temperature", range: [250, 320], opaque: true, ...shot}]);
    assert.equal(said.message, "");
  });
}

inPage("the value at a place is the file's, and missing where that has none", async () => {
  const {id, times} = (await ids()).globe, lookUp = `
with netCDF4.Dataset(sys.argv[1]) as file:
    values = file["surface_temperature"][1]
    print(json.dumps([[float(file["latitude"][j]), float(file["longitude"][i]), None if numpy.ma.is_masked(values[j, i]) or numpy.isnan(values[j, i]) else float(values[j, i])] for j, i in ((60, 10), (100, 300), (108, 126), (5, 359))]))`;
  await open(`#dataset=${id}&run=latest&time=${times[1]}&layer=surface_temperature`);
  for (const [lat, lon, expected] of JSON.parse(python(lookUp, maps.globe))) {
    const value = await page.evaluate(([what, place]) => window.virga.maps.valueAt(what, place), [{dataset: id, variable: "surface_temperature", time: times[1]}, {lat, lon}]);
    if (expected === null) assert.ok(Number.isNaN(value), `${lat} ${lon}: ${value}`);
    else assert.ok(Math.abs(value - expected) < 0.06, `${lat} ${lon}: ${value} and not ${expected}`);
  }
});

inPage("a new run is shown when it lands, at the same lead time, and the one before it when that goes", async () => {
  const runs = landingRuns(), live = await runs.start();
  try {
    await page.goto(`${live.url}map.html`);
    await page.waitForFunction(() => window.virga?.state.shown && document.querySelector(".connection").dataset.state === "open", null, {timeout: PATIENCE});
    await page.keyboard.press("ArrowRight");
    const first = await page.evaluate(() => window.virga.state.resolved.run.time), shows = (run, same) => page.waitForFunction(([iso, equal]) => {
      const {resolved, shown, index} = window.virga.state;
      return resolved && (resolved.run.time === iso) === equal && shown === resolved.times[index] && document.querySelector("[data-role=lead]").textContent === "T+1";
    }, [run, same], {timeout: PATIENCE});
    await shows(first, true);
    runs.land();
    await shows(first, false);
    assert.match(await page.textContent("#messages"), /A new run has arrived/);
    assert.ok(await page.$$eval(".field-tile", (tiles) => tiles.length > 0 && tiles.every((tile) => tile.naturalWidth)));
    runs.take();
    await shows(first, true);
  } finally {
    await page.close();
    await live.stop();
  }
});
