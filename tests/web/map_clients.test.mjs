// SPDX-License-Identifier: Apache-2.0
// Leaflet with a time dimension, OpenLayers, MapLibre and Cesium show maps of the real server unmodified, from a site of their own: what each has on
// screen is held against an independent reprojection of the file, within half a pixel and one colour step.
import assert from "node:assert/strict";
import {after, before} from "node:test";
import {SIZE, serveClients} from "./map_clients.mjs";
import {checkPictures, makeMaps} from "./map_pictures.mjs";
import {page, pageTests} from "./page_tests.mjs";
import {serve, temporaryFolder, WITHOUT_VIRGA} from "./virga_server.mjs";

const PATIENCE = 60000; // drawing in software on a busy machine takes its time
const SHOTS = process.env.VIRGA_SHOTS; // a folder for pictures to look at
const inPage = pageTests({skip: WITHOUT_VIRGA, viewport: {width: 600, height: 560}});
let server = null, clients = null, folder = null, file = null, dataset = null;

before(async () => {
  if (WITHOUT_VIRGA) return;
  folder = temporaryFolder();
  file = makeMaps(`${folder}/maps`).globe;
  [server, clients] = await Promise.all([serve([file]), serveClients()]);
  [dataset] = (await (await fetch(`${server.url}api/catalog`)).json()).datasets;
});
after(async () => { await server?.stop(); await clients?.close(); });

async function shows(name, more = {}, check = {}) {
  const {times} = dataset.variables.find(({id}) => id === "surface_temperature"), query = new URLSearchParams({server: server.url, dataset: dataset.id, time: times[1], ...more});
  await page.goto(`${clients.url}${name}.html?${query}`);
  await page.waitForFunction(() => window.shown, null, {timeout: PATIENCE});
  const picture = `${folder}/${name}${more.how ?? ""}.png`, {crs, box} = await page.evaluate(() => ({crs: window.crs, box: [...window.box]}));
  await page.screenshot({path: picture, clip: {x: 0, y: 0, width: SIZE, height: SIZE}});
  if (SHOTS) await page.screenshot({path: `${SHOTS}/client_${name}${more.how ?? ""}.png`});
  const [said] = checkPictures([{file, variable: "surface_temperature", step: 1, crs, box, picture, colour_map: "temperature", range: [250, 320], opaque: true, ...check}]);
  assert.equal(said.message, "");
}

for (const how of ["1.1.1", "1.3.0"]) inPage(`Leaflet with a time dimension: WMS ${how}, times from the capabilities`, async () => {
  await shows("leaflet_timedimension", {how});
  const {times} = dataset.variables.find(({id}) => id === "surface_temperature");
  assert.deepEqual((await page.evaluate(() => window.times)).map((iso) => iso.replace(".000Z", "Z")), times);
});
inPage("OpenLayers: WMS 1.3.0 in EPSG:4326, whose first axis is the latitude", () => shows("openlayers_wms"));
inPage("OpenLayers: tiles", () => shows("openlayers_xyz"));
inPage("OpenLayers: OGC API Tiles", () => shows("openlayers_ogc"));
inPage("MapLibre: tiles by TileJSON", () => shows("maplibre"));
inPage("Cesium: WMS", () => shows("cesium", {how: "wms"}));
inPage("Cesium: tiles of WGS 84", () => shows("cesium", {how: "tiles"}));
