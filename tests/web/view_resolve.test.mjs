// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import {readFileSync} from "node:fs";
import {test} from "node:test";
import {completeView, defaultExaggeration, defaultView, favouriteVariable, memberLabels, resolveRun, resolveTime, resolveView, timeRule} from "../../web/view/view_resolve.js";
import {validateView} from "../../web/view/view_state.js";
import {madeUpCatalog} from "./made_up_catalog.js";

const presets = JSON.parse(readFileSync(new URL("../../assets/presets.json", import.meta.url), "utf8"));
const catalog = madeUpCatalog();
const [uk, climate] = catalog.datasets;
const RUN = "2009-11-19T03:00:00Z";
const TIMES = ["2009-11-19T03:00:00Z", "2009-11-19T06:00:00Z", "2009-11-19T12:00:00Z"];

test("latest is the last run, a time is the run of that time, another is none", () => {
  assert.equal(resolveRun(uk, "latest"), 1);
  assert.equal(resolveRun(uk, "2009-11-18T15:00Z"), 0);
  assert.equal(resolveRun(uk, "2009-11-17T15:00:00Z"), -1);
});

test("a lead time counts from the run", () => {
  assert.deepEqual(resolveTime(TIMES, RUN, "T+3"), {index: 1, exact: true});
  assert.deepEqual(resolveTime(TIMES, "2009-11-19T00:00:00Z", "T+3"), {index: 0, exact: true});
});

test("a lead time of a third of an hour is met within rounding", () => {
  assert.deepEqual(resolveTime(["2009-11-19T03:00:00Z", "2009-11-19T03:20:00Z"], RUN, "T+0.333333"), {index: 1, exact: true});
});

test("what is no step gives the nearest, the earlier of two as near, and says so", () => {
  assert.deepEqual(resolveTime(TIMES, RUN, "T+6"), {index: 1, exact: false});
  assert.deepEqual(resolveTime(TIMES, RUN, "2009-11-19T04:30:00Z"), {index: 0, exact: false});
  assert.deepEqual(resolveTime(TIMES, RUN, "T+99"), {index: 2, exact: false});
});

test("nearest to now is by the clock that is passed in", () => {
  const now = Date.parse("2009-11-19T11:00:00Z") / 1000;
  assert.deepEqual(resolveTime(TIMES, RUN, "nearest to now", {nowSeconds: now}), {index: 2, exact: true});
});

test("times of a 360-day calendar resolve in that calendar", () => {
  const times = climate.runs[0].series.ta.times;
  assert.deepEqual(resolveTime(times, "2049-02-28T00:00:00Z", "T+48", {calendar: "360_day"}), {index: 2, exact: true});
});

test("what is constant gives the picture no times, unless all is", () => {
  const layers = ["orography", "qcl"].map((variable) => ({variable})), constant = (one) => ({...one, constant: one.id === "orography"});
  const offer = {...catalog, datasets: [{...uk, variables: uk.variables.map(constant)}]};
  const times = (some) => resolveView(validateView({version: 1, dataset: "demo-uk", layers: some}), offer).times;
  assert.deepEqual(times(layers), uk.runs.at(-1).series.qcl.times);
  assert.deepEqual(times(layers.slice(0, 1)), uk.runs.at(-1).series.orography.times);
});

test("a time rule leads back to the step it was made for", () => {
  for (const runRule of ["latest", RUN]) {
    for (const [index, iso] of TIMES.entries()) {
      assert.deepEqual(resolveTime(TIMES, RUN, timeRule(runRule, RUN, iso)), {index, exact: true});
    }
  }
  assert.equal(timeRule("latest", RUN, TIMES[1]), "T+3");
  assert.equal(timeRule(RUN, RUN, TIMES[1]), TIMES[1]);
});

test("what is not on offer is named by its field", () => {
  const view = (more) => validateView({version: 1, dataset: "demo-uk", layers: [{variable: "qcl"}], ...more});
  assert.throws(() => resolveView(view({dataset: "gone"}), catalog), {field: "dataset"});
  assert.throws(() => resolveView(view({run: "2001-01-01T00:00:00Z"}), catalog), {field: "run"});
  assert.throws(() => resolveView(view({layers: [{variable: "qcl"}, {variable: "gone"}]}), catalog), {field: "layers[1].variable"});
  assert.throws(() => resolveView(view({member: 3}), catalog), {field: "member"});
});

test("a variable that the run lacks is shown as absent, with a notice", () => {
  const view = validateView({version: 1, dataset: "demo-uk", run: "2009-11-18T15:00:00Z", layers: [{variable: "qcl"}, {variable: "rain"}]});
  const {layers, notices, times} = resolveView(view, catalog);
  assert.equal(layers[1].series, null);
  assert.deepEqual(notices, ["rain is not in this run."]);
  assert.equal(times.length, 25);
});

test("the first view is of a cloud fraction in 3-D where there is one", () => {
  assert.equal(favouriteVariable(uk).id, "cloud_fraction");
  const view = defaultView(catalog, presets);
  assert.equal(view.dataset, "demo-uk");
  assert.equal(view.layers[0].colour_map, "cloud");
  assert.equal(view.camera, undefined);
  resolveView(view, catalog);
});

test("an empty catalog has no first view", () => {
  assert.equal(defaultView({datasets: []}, presets), null);
});

test("presets fill what a view leaves open and nothing else", () => {
  const view = validateView({version: 1, dataset: "demo-uk", layers: [{variable: "cloud_fraction", range: [0.5, 1], visible: false}]});
  const [layer] = completeView(view, catalog, presets).layers;
  assert.deepEqual(layer.range, [0.5, 1]);
  assert.equal(layer.visible, false);
  assert.equal(layer.colour_map, "cloud");
  assert.equal(layer.units, "%");
  validateView(completeView(view, catalog, presets));
});

test("members are a list, a count, or none", () => {
  assert.deepEqual(memberLabels({members: ["a", "b"]}), ["a", "b"]);
  assert.deepEqual(memberLabels({members: 3}), ["0", "1", "2"]);
  assert.deepEqual(memberLabels({members: 1}), [""]);
  assert.deepEqual(memberLabels(undefined), [""]);
});

test("heights are drawn so that weather is readable, whatever the domain's size", () => {
  const dataset = (lon) => ({grid: {corners: [[0, 0], [lon, 0], [lon, 5], [0, 5]]}});
  assert.equal(defaultExaggeration(dataset(0.1), {vertical: {heights: [190, 1300]}}), 2);
  assert.equal(defaultExaggeration(dataset(10), {vertical: {heights: [5, 40000]}}), 15);
  assert.equal(defaultExaggeration({grid: {corners: [[0, -90], [-1, -90], [-1, 90], [0, 90]], wraps: true}}, {vertical: null}), 60);
  assert.equal(defaultExaggeration({grid: {}}), 15);
});

test("each layer shows the view's member, or its only one", () => {
  const ensemble = {...uk, id: "ens", variables: uk.variables.map((v) => (v.id === "qcl" ? {...v, members: ["0", "5", "9"]} : v))};
  const view = (member, ...names) => validateView({version: 1, dataset: "ens", member, layers: names.map((variable) => ({variable}))});
  const resolve = (...given) => resolveView(view(...given), {datasets: [ensemble]});
  const other = ensemble.variables.find((v) => v.id !== "qcl").id;
  assert.deepEqual(resolve(2, other, "qcl").layers.map(({member}) => member), [0, 2]);
  assert.deepEqual(resolve(2, other, "qcl").members, ["0", "5", "9"]);
  assert.deepEqual(resolve(2, other).members, [""]);
  assert.throws(() => resolve(3, "qcl"), {field: "member"});
  const run = ensemble.runs.at(-1);
  const lagged = {...ensemble, runs: [{...run, series: {...run.series, qcl: {...run.series.qcl, members: [1, 2]}}}]};
  const late = (member) => resolveView(view(member, "qcl"), {datasets: [lagged]});
  assert.deepEqual([0, 1, 2].map((member) => late(member).member), [1, 1, 2]);
  assert.deepEqual(late(0).notices, []);  // nobody asked for a member
  assert.deepEqual(late(0).present, [1, 2]);
});
