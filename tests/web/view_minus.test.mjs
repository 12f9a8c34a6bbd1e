// SPDX-License-Identifier: Apache-2.0
// Differences in a view: what is taken away, how it is called, which times there are, and what cannot be. tests/unit/render/test_view_resolve.c has the program's.
import assert from "node:assert/strict";
import {readFileSync} from "node:fs";
import {test} from "node:test";
import {differenceVisibility} from "../../web/data/skip_grid.js";
import {makeRoom} from "../../web/ui/layers_panel.js";
import {takingChoices} from "../../web/ui/minus_choice.js";
import {displayUnits} from "../../web/view/units.js";
import {completeView, resolveView} from "../../web/view/view_resolve.js";
import {validateView} from "../../web/view/view_state.js";

const presets = JSON.parse(readFileSync(new URL("../../assets/presets.json", import.meta.url), "utf8"));
const iso = (hour) => `2009-11-19T${String(hour).padStart(2, "0")}:00:00Z`;
const series = (edition, ...hours) => ({edition, times: hours.map(iso), seconds: hours.map((hour) => Date.parse(iso(hour)) / 1000), geometry: ["a"]});
const pyramid = [{n: [10, 10, 5], scale: [1, 1, 1]}];
const variable = (id, standard_name, units, more = {}) => ({id, name: id, standard_name, units, vertical: {levels: 5, heights: [0, 10000]}, pyramid, members: ["0", "1"], lattice: {v0: 0, step: 0.1}, epsilon: 0.05, ...more});
const catalog = {datasets: [{id: "d", grid: {}, latest: iso(9), variables: [
  variable("ta", "air_temperature", "K"), variable("dew", "dew_point_temperature", "degC", {lattice: {v0: -100, step: 0.2}, epsilon: 0.1}),
  variable("wind", "wind_speed", "m s-1"), variable("skin", "surface_temperature", "K", {vertical: null, pyramid: [{n: [10, 10, 1], scale: [1, 1, 1]}]}),
], runs: [
  {time: iso(3), series: {ta: series("a", 3, 8, 9, 10), wind: series("b", 3)}},
  {time: iso(9), series: {ta: series("c", 9, 10, 11), dew: series("d", 9, 10, 11), wind: series("e", 9, 10, 11), skin: series("f", 9)}},
]}]};
const resolve = (layer, more = {}) => resolveView(validateView({version: 1, dataset: "d", layers: [layer], ...more}), catalog);
const difference = (minus, more) => resolve({variable: "ta", minus}, more);

test("the run before is taken away, at the times that both have", () => {
  const {layers: [entry], times} = difference({run: "previous"});
  assert.equal(entry.minus.series.edition, "a");
  assert.deepEqual({...entry.lattice}, {v0: 0, step: 0.1, epsilon: 0.1});
  assert.equal(entry.minus.ratio, 1);
  assert.deepEqual(times, [iso(9), iso(10)]);
  assert.equal(entry.title, "Air temperature, run 09Z minus 03Z");
});

test("another variable is taken away in this one's units", () => {
  const {layers: [entry]} = difference({variable: "dew"});
  assert.equal(entry.title, "Air temperature minus dew point temperature");
  assert.equal(entry.minus.ratio, 2);
  assert.ok(Math.abs(entry.lattice.v0 - (100 - 273.15)) < 1e-9 && Math.abs(entry.lattice.epsilon - 0.15) < 1e-12);
});

test("members and all that differs are named", () => {
  assert.equal(difference({member: 1}).layers[0].difference, "member 0 minus member 1");
  assert.equal(difference({member: 1, run: iso(3)}).layers[0].difference, "run 09Z, member 0 minus 03Z, member 1");
  assert.equal(difference({run: "latest"}).layers[0].difference, "minus itself");
});

test("what cannot be taken away is said by field", () => {
  const refused = (minus, words) => assert.throws(() => difference(minus), (error) => error.name === "ViewError" && error.message.startsWith(words));
  refused({variable: "no"}, 'layers[0].minus.variable: "no" is not in this dataset');
  refused({variable: "wind"}, 'layers[0].minus.variable: "wind" is in m s-1, which cannot be taken from K');
  refused({variable: "skin"}, 'layers[0].minus.variable: "skin" is on other levels or columns than "ta"');
  refused({member: 2}, "layers[0].minus.member: 2 is not on offer, there are 2");
});

test("a run that is not there is a notice, not an error", () => {
  for (const [minus, more, words] of [[{run: "previous"}, {run: iso(3)}, /no run before/], [{run: "2001-01-01T00:00:00Z"}, {}, /not on offer/]]) {
    const {layers: [entry], notices} = difference(minus, more);
    assert.equal(entry.series, null);
    assert.match(notices.join(), words);
  }
  assert.match(resolve({variable: "wind", minus: {run: "previous"}}).notices.join(), /no valid time in common/);
});

test("a difference looks like one, about zero and without offset", () => {
  const view = completeView(validateView({version: 1, dataset: "d", layers: [{variable: "ta", minus: {run: "previous"}}]}), catalog, presets);
  const [layer] = view.layers, points = layer.opacity;
  assert.deepEqual([layer.colour_map, layer.range, layer.units], ["blue_white_red", [-2, 2], "K"]);
  points.forEach(([value, opacity], n) => assert.deepEqual([-value, opacity], points[points.length - 1 - n].map((number) => number + 0)));
  const {shown} = difference({run: "previous"}).layers[0];
  assert.equal(displayUnits(shown, "°C").toShown(1), 1);
  assert.equal(shown.epsilon, 0.1);
});

test("a difference of volumes takes the places of two", () => {
  const of = (minus) => ({variable: "ta", visible: true, ...(minus ? {minus} : {})}), [ta] = catalog.datasets[0].variables;
  const visible = (...layers) => makeRoom(layers, layers.map(() => ta), layers.length - 1).map((layer) => layer.visible);
  assert.deepEqual(visible(of(), of(), of({run: "previous"})), [false, false, true]);
  assert.deepEqual(visible(of({run: "previous"}), of()), [false, true]);
  assert.deepEqual(visible(of(), of()), [true, true]);
});

test("what could be taken away is offered", () => {
  const resolved = resolve({variable: "ta"});
  assert.deepEqual(takingChoices(resolved, resolved.layers[0]).map(({label, options}) => [label, options.map(({value}) => JSON.parse(value))]),
    [["Runs", [{run: "previous"}, {run: iso(3)}]], ["Members", [{member: 1}]], ["Variables", [{variable: "dew"}]]]);
});

test("cells show where differences of their ranges do, and of those at the same heights", () => {
  const heights = {count: [1, 1, 2], low: [0, 100], high: [100, 200]}, higher = {count: [1, 1, 2], low: [100, 200], high: [200, 300]};
  const of = (...ranges) => (_x, _y, z) => ranges[z], shows = (low, high) => high > 5 || low < -5;
  const visible = (own, minus, minusHeights) => { const at = differenceVisibility({own, minus, heights, minusHeights, ratio: 2, shows}); return [at(0, 0, 0), at(0, 0, 1)]; };
  assert.deepEqual(visible(of([10, 12], [10, 12]), of([5, 6], [1, 6]), heights), [false, true]);
  assert.deepEqual(visible(of([10, 12], [10, 12]), of([5, 6], null), heights), [false, false]);
  // Each reaches the cells that it touches: the lower one the lowest of what is taken away, the upper one both.
  assert.deepEqual(visible(of([10, 12], [10, 12]), of([5, 6], [1, 6]), higher), [false, true]);
});
