// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import {test} from "node:test";
import {pathThrough, place, rangeOf} from "../../web/view/plot_lines.js";
import {apartWords, differenceOf, withDataset, withOtherRun, withOtherVariable} from "../../web/view/compare_views.js";

const TIMES = ["2026-01-31T06:00Z", "2026-01-31T12:00Z"];
const variable = (id, more = {}) => ({id, name: id, standard_name: id, units: "K", units_canonical: "K", vertical: {}, calendar: "standard", ...more});
const run = (time, ids) => ({time, series: Object.fromEntries(ids.map((id) => [id, {times: TIMES, seconds: []}]))});
const catalog = {datasets: [
  {id: "a", variables: [variable("t"), variable("ground", {vertical: null}), variable("u", {units: "m s-1", units_canonical: "m s-1"})],
    runs: [run("2026-01-31T00:00Z", ["t"]), run("2026-01-31T06:00Z", ["t", "ground", "u"])]},
  {id: "b", variables: [variable("x", {standard_name: "t"})], runs: [run("2026-01-31T00:00Z", ["x"])]},
]};
const view = (more = {}) => ({version: 1, dataset: "a", run: "latest", time: "T+0", member: 0, layers: [{variable: "t", visible: true}], camera: {}, ...more});

test("beside a run stands the one before, at the same valid time", () => {
  const other = withOtherRun(view(), catalog, TIMES[1]);
  assert.deepEqual([other.run, other.time, other.layers], ["2026-01-31T00:00Z", TIMES[1], view().layers]);
  assert.equal(withOtherRun(view({run: "2026-01-31T00:00Z"}), catalog).run, "2026-01-31T06:00Z");
  assert.equal(withOtherRun(view({dataset: "b", layers: [{variable: "x"}]}), catalog), null);
});

test("beside a volume stands another, of the same run", () => {
  assert.equal(withOtherVariable(view(), catalog).layers[0].variable, "u");
  assert.equal(withOtherVariable(view({run: "2026-01-31T00:00Z"}), catalog), null);
});

test("another dataset shows what is called the same, by its own camera", () => {
  const other = withDataset(view(), "b", catalog, TIMES[0]);
  assert.deepEqual([other.dataset, other.layers[0].variable, other.camera, other.time], ["b", "x", undefined, TIMES[0]]);
});

test("a difference is of two runs, two variables or two members of one forecast", () => {
  const earlier = view({run: "2026-01-31T00:00Z"});
  assert.deepEqual(differenceOf(view(), earlier, catalog).view.layers[0].minus, {run: "2026-01-31T00:00Z"});
  assert.deepEqual(differenceOf(view(), view({member: 2}), catalog).view.layers[0].minus, {member: 2});
  assert.match(differenceOf(view(), view(), catalog).problem, /the same/);
  assert.match(differenceOf(view(), view({layers: [{variable: "u"}]}), catalog).problem, /units/);
  assert.match(differenceOf(view(), view({dataset: "b"}), catalog).problem, /one forecast/);
});

test("a side without a step at the time says what it shows instead", () => {
  assert.equal(apartWords(TIMES, TIMES[1]), "");
  assert.equal(apartWords(TIMES, "2026-01-31T10:00Z"), "Nothing at Sat 31 Jan 10:00: Sat 31 Jan 12:00 is shown");
  assert.equal(apartWords([], TIMES[1]), "");
});

test("a line of a plot has gaps where values are missing, and a value alone is a dot", () => {
  assert.equal(pathThrough([[0, 1], [1, 2], [null, null], [3, 4], [4, null], [5, 5]]), "M0.0 1.0L1.0 2.0M3.0 4.0h0M5.0 5.0h0");
  assert.equal(rangeOf([[null], []]), null);
  const range = rangeOf([[1, null], [3]]);
  assert.ok(range[0] < 1 && range[1] > 3 && place(2, range, 0, 100) === 50);
  assert.ok(rangeOf([[5]])[0] < 5);
});
