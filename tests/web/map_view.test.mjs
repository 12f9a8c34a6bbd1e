// SPDX-License-Identifier: Apache-2.0
// The flat map's document, its address and its surfaces.
import assert from "node:assert/strict";
import {test} from "node:test";
import {parseSurface, stepSurface, surfaceKinds, surfaceTitle, surfaceValues, usualSurface, writeSurface} from "../../web/view/map_surfaces.js";
import {boundsOf, completeLayer, fromView, hasWind, layerQuery, readMapHash, toView, windOf, writeMapHash} from "../../web/view/map_view.js";
import {validateView} from "../../web/view/view_state.js";
import {madeUpCatalog} from "./made_up_catalog.js";

const [uk, climate] = madeUpCatalog().datasets;
const variableOf = (id) => uk.variables.find((variable) => variable.id === id);

test("surfaces are read and written as the server has them", () => {
  for (const text of ["850hPa", "1500m", "100m-above-ground", "FL100", "300K", "k5", "max", "sum", "top", "top:0.5", "base:0.00001", ""]) {
    const surface = parseSurface(text);
    assert.ok(surface, text);
    assert.deepEqual(parseSurface(writeSurface(surface)), surface);
  }
  assert.deepEqual([parseSurface("85000Pa"), parseSurface("1.5km")], [{kind: "pressure", value: 850}, {kind: "height", value: 1500}]);
  for (const text of ["850", "hPa", "k-1", "k1.5", "top:", "850hPa ", "FLx", "..m", "max:1"]) assert.equal(parseSurface(text), null, text);
});

test("surfaces have names for people", () => {
  assert.deepEqual(["850hPa", "1500m", "100m-above-ground", "FL50", "300K", "k5", "max", "top:0.5", ""].map(surfaceTitle),
    ["850 hPa", "1500 m", "100 m above ground", "FL050", "θ = 300 K", "model level 5", "column maximum", "top of ≥ 0.5", ""]);
});

test("a variable is offered the surfaces that it can have", () => {
  assert.deepEqual(surfaceKinds(variableOf("t2m")), ["own"]);
  assert.ok(surfaceKinds(variableOf("qcl")).includes("top"));
  assert.ok(!surfaceKinds(variableOf("air_temperature")).includes("sum"));
  assert.equal(surfaceValues("level", variableOf("qcl")).length, 37);
  assert.ok(surfaceValues("pressure", climate.variables[0]).every((pressure) => pressure >= 100));
  assert.deepEqual([usualSurface(variableOf("air_temperature")), usualSurface(variableOf("cloud_fraction")), usualSurface(variableOf("t2m"))], ["850hPa", "max", ""]);
  assert.equal(usualSurface({...variableOf("air_temperature"), vertical: {levels: 7, heights: [-9, 2019]}}), "k0");
});

test("surfaces go up and down in steps that stay within the variable", () => {
  const variable = variableOf("air_temperature");
  assert.deepEqual([stepSurface("850hPa", variable, 1), stepSurface("850hPa", variable, -1), stepSurface("860hPa", variable, 1)], ["800hPa", "900hPa", "850hPa"]);
  assert.deepEqual([stepSurface("1000hPa", variable, -1), stepSurface("k36", variable, 1), stepSurface("max", variable, 1)], ["1000hPa", "k36", "max"]);
});

test("a map and its address say the same", async () => {
  const map = {dataset: "demo-uk", run: "2009-11-19T03:00:00Z", time: "T+6", member: 2, projection: "lonlat", at: [51.5, -0.1, 6], layers: [
    {variable: "air_temperature", level: "850hPa", draw: "fill", opacity: 0.8, colour_map: "thermal", range: [250, 290.5], units: "°C", fit: true},
    {variable: "wind;odd & id", level: "k3", draw: "barbs", visible: false}]};
  assert.deepEqual(await readMapHash(writeMapHash(map)), map);
  assert.match(writeMapHash(map), /^#dataset=demo-uk&run=2009-11-19T03:00:00Z&time=T\+6&member=2&projection=lonlat&layer=air_temperature;level=850hPa;draw=fill;/);
});

test("addresses that are no good are named by what is wrong", async () => {
  const field = (hash) => readMapHash(hash).then(() => null, (error) => error.field);
  assert.equal(await field("#layer=t"), "dataset");
  assert.equal(await field("#dataset=a&layer=t;level=850"), "layer[0].level");
  assert.equal(await field("#dataset=a&layer=t;range=2,1"), "layer[0].range");
  assert.equal(await field("#dataset=a&layer=t;opacity="), "layer[0].opacity");
  assert.equal(await field("#dataset=a&layer=t;constructor=x"), "layer[0].constructor");
  assert.equal(await field("#dataset=a&layer=t;draw=constructor"), "layer[0].draw");
  assert.equal(await field("#dataset=a&layer=t;colours=../x"), "layer[0].colours");
  assert.equal(await field("#dataset=a&layer=t&at=1,2"), "at");
  assert.equal(await field("#dataset=a&layer=t&time=soon"), "time");
  assert.equal(await field("#dataset=a&layer=%zz"), "view");
  assert.equal(await field(`#dataset=a${"&layer=t".repeat(7)}`), "layer");
  assert.equal(await field(`#dataset=a&layer=${"t".repeat(5000)}`), "view");
});

test("an address of the page in 3D opens as a map, and a map as a view", async () => {
  const map = await readMapHash("#dataset=demo-uk&variable=t2m&variable=qcl&time=T+6&member=1");
  assert.deepEqual(map, {dataset: "demo-uk", run: "latest", time: "T+6", member: 1, at: null, projection: "mercator", layers: [{variable: "t2m", visible: true}, {variable: "qcl", visible: true}]});
  const view = validateView(toView({...map, layers: [...map.layers, {variable: "t2m", draw: "contours"}].map((layer) => ({...layer, colour_map: "thermal", range: [0, 1], units: "K", level: "k2", opacity: 0.5}))}));
  assert.deepEqual(view.layers.map(({variable, range, level}) => [variable, range, level]), [["t2m", [0, 1], "k2"], ["qcl", [0, 1], "k2"]]);
  const lookOf = (level) => validateView(toView({...map, layers: [{variable: "qcl", level, range: [0, 9000], units: "m"}]})).layers[0];
  assert.deepEqual(["850hPa", "max", "top:0.5", "sum"].map((level) => [lookOf(level).level, lookOf(level).units]), [["850hPa", "m"], [undefined, "m"], [undefined, undefined], [undefined, undefined]]);
  const visible = (...draws) => toView({...map, layers: draws.map((draw, n) => ({variable: `v${n}`, draw}))}).layers.map((layer) => layer.visible);
  assert.deepEqual([visible("fill", "barbs"), visible("barbs", "contours")], [[true, false], [true, true]]);
  assert.equal(await readMapHash(""), null);
  assert.equal(fromView(null), null);
});

test("what a layer leaves open is filled in, and barbs need a wind", () => {
  const preset = {colour_map: "thermal", range: [0, 1], units: "K"};
  assert.deepEqual(completeLayer({variable: "t2m", draw: "barbs", level: "850hPa"}, variableOf("t2m"), uk, preset),
    {variable: "t2m", visible: true, opacity: 1, draw: "fill", level: "", interval: null, fit: false, ...preset});
  assert.equal(completeLayer({variable: "air_temperature", level: "300K"}, variableOf("air_temperature"), uk, preset).level, "300K");
  const speed = variableOf("wind_speed"), winds = {...uk, variables: [...uk.variables, {...speed, id: "from", standard_name: "wind_from_direction"}]};
  assert.deepEqual([hasWind(uk, speed), hasWind(winds, speed), windOf(winds, variableOf("air_temperature"))?.id, windOf(winds, variableOf("t2m"))], [false, true, "wind_speed", undefined]);
});

test("a layer asks for its very colours, so that its legend holds", () => {
  const layer = {level: "850hPa", draw: "fill", colour_map: "thermal", range: [250, 290], interval: null};
  assert.deepEqual(layerQuery(layer, "", false), {level: "850hPa", member: "", style: "fill/thermal;range=250,290;fade=false"});
  assert.equal(layerQuery({...layer, draw: "contours", interval: 2}, "1", false).style, "contours;interval=2");
  assert.equal(layerQuery({...layer, draw: "barbs"}, "", false).style, "barbs");
});

test("a dataset's bounds are those of its corners, also across the date line", () => {
  assert.deepEqual(boundsOf(uk), [[49, -11], [60, 4]]);
  assert.deepEqual(boundsOf({grid: {corners: [[170, -20], [-170, -20], [-170, 10], [170, 10]]}}), [[-20, 170], [10, 190]]);
  assert.deepEqual(boundsOf(climate), [[-60, -180], [75, 180]]);
});
