// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import {readFileSync} from "node:fs";
import {test} from "node:test";
import {needsDataRange, presetFor, presetLayer, variableTitle} from "../../web/view/presets.js";
import {parseRange} from "../../web/view/data_range.js";
import {validateView} from "../../web/view/view_state.js";

const presets = JSON.parse(readFileSync(new URL("../../assets/presets.json", import.meta.url), "utf8"));
const vertical = {kind: "pressure", levels: 3};

test("a standard name comes before a unit, a unit before the data", () => {
  assert.equal(presetFor({standard_name: "upward_air_velocity", units: "m s-1"}, presets).colour_map, "purple_white_green");
  assert.equal(presetFor({standard_name: "", units: "m/s"}, presets).colour_map, "wind");
  assert.equal(presetFor({standard_name: "", units: "Bq m-3"}, presets).range, "data");
});

test("presets are in the file's own units", () => {
  const cloud = presetLayer({standard_name: "cloud_area_fraction_in_atmosphere_layer", units: "%", vertical}, presets);
  assert.deepEqual(cloud.range, [0, 100]);
  assert.equal(cloud.opacity.at(-1)[0], 100);
  const celsius = presetLayer({standard_name: "air_temperature", units: "degC", vertical}, presets);
  assert.deepEqual(celsius.range, [-63.15, 36.85]);
});

test("a name whose unit does not fit falls back", () => {
  assert.equal(presetFor({standard_name: "air_temperature", units: "Pa"}, presets).colour_map, "pressure");
});

test("ranges by data are the data's", () => {
  const tracer = {standard_name: "", units: "Bq m-3", epsilon: 0.01, vertical};
  assert.ok(needsDataRange(tracer, presets));
  const layer = presetLayer(tracer, presets, [2, 12]);
  assert.deepEqual(layer.range, [2, 12]);
  assert.deepEqual(layer.opacity.map(([value]) => value), [2, 4, 8, 12]);
});

test("a field of one value still has a range", () => {
  const [lo, hi] = presetLayer({standard_name: "", units: "Bq m-3", epsilon: 0.01, vertical}, presets, [1e13, 1e13 + 4]).range; // one in nine digits
  assert.ok(hi > lo);
  const {range} = presetLayer({standard_name: "", units: "Bq m-3", epsilon: 0.01, vertical}, presets, [5, 5]);
  assert.ok(range[1] > range[0]);
});

test("fields on the ground can be seen", () => {
  const layer = presetLayer({standard_name: "air_temperature", units: "K", vertical: null}, presets);
  assert.ok(layer.opacity.every(([, opacity]) => opacity > 0.5));
});

test("every preset makes a layer that a view accepts", () => {
  for (const [name, preset] of Object.entries(presets.standard_names)) {
    for (const shape of [vertical, null]) {
      const layer = presetLayer({standard_name: name, units: preset.units, vertical: shape}, presets, [0, 1]);
      validateView({version: 1, dataset: "d", layers: [{variable: "v", ...layer}]});
    }
  }
});

test("a variable is called by its long name, else its standard name, else its own", () => {
  assert.equal(variableTitle({id: "a", name: "a", standard_name: "air_temperature", long_name: "temperature at 1.5 m"}), "Temperature at 1.5 m");
  assert.equal(variableTitle({id: "a", name: "a", standard_name: "air_temperature", long_name: ""}), "Air temperature");
  assert.equal(variableTitle({id: "a", name: "a"}), "A");
});

test("a spread has colours of its own, from nothing to its most", () => {
  const spread = {standard_name: "", statistic: "spread", units: "K", long_name: "air temperature, standard deviation of 4 members (n - 1)", epsilon: 0.0125, vertical};
  assert.ok(needsDataRange(spread, presets));
  assert.deepEqual(presetLayer(spread, presets, [0.25, 6]).range, [0, 6]);
  assert.equal(presetLayer(spread, presets, [0.25, 6]).colour_map, "thermal");
  assert.ok(presetLayer(spread, presets, null).range[1] > 0);
  assert.equal(presetLayer(spread, presets, [0, 0]).range[0], 0);
});

test("what is made of all members is called so", () => {
  const mean = {name: "t_mean", standard_name: "air_temperature", long_name: "air temperature, mean of 4 members", derived: true, statistic: "mean"};
  assert.equal(variableTitle(mean), "Air temperature, mean");
  assert.equal(variableTitle({...mean, statistic: "spread", long_name: "rain, snow and hail, standard deviation of 4 members (n - 1)"}), "Rain, snow and hail, spread");
});

test("a unit that only the catalog understands finds its preset", () => {
  assert.equal(presetFor({standard_name: "", units: "metres every second", units_canonical: "m s-1"}, presets).colour_map, "wind");
});

test("a step table's head gives the data's range, or nothing", () => {
  const buffer = new ArrayBuffer(40);
  const view = new DataView(buffer);
  view.setUint32(0, 1, true);
  view.setFloat64(8, -2.5, true);
  view.setFloat64(16, 7, true);
  assert.deepEqual(parseRange(buffer), [-2.5, 7]);
  view.setFloat64(8, NaN, true);
  assert.equal(parseRange(buffer), null);
  assert.equal(parseRange(new ArrayBuffer(8)), null);
});

test("a shallow volume is as easy to see as a deep one", () => {
  const at = (heights) => presetLayer({standard_name: "wet_bulb_temperature", units: "K", vertical: {heights}}, presets).opacity[0][1];
  assert.equal(at([0, 20000]), 0.02);
  assert.ok(Math.abs((1 - at([0, 2000])) ** 2 - (1 - 0.02) ** 10) < 1e-3);
});

test("colours of a temperature that hardly varies span what there is", () => {
  const variable = {standard_name: "air_temperature", units: "K", vertical: {heights: [0, 2000]}};
  const layer = presetLayer(variable, presets, [281.3, 288.9]);
  assert.deepEqual(layer.range, [281, 289]);
  assert.ok(layer.opacity.every(([value]) => value >= 281 && value <= 289));
  assert.deepEqual(presetLayer(variable, presets, [215, 300]).range, [210, 310]);
});

test("colours with a meaning of their own are not moved by the data", () => {
  const variable = {standard_name: "cloud_area_fraction_in_atmosphere_layer", units: "1", vertical};
  assert.ok(!needsDataRange(variable, presets));
  assert.deepEqual(presetLayer(variable, presets, [0, 0.1]).range, [0, 1]);
});
