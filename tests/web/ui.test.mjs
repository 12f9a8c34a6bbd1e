// SPDX-License-Identifier: Apache-2.0
// The parts of the controls that need no browser.
import assert from "node:assert/strict";
import {test} from "node:test";
import {describeBadge} from "../../web/ui/fidelity_badge.js";
import {makeRoom, variableGroups} from "../../web/ui/layers_panel.js";
import {outsideNote} from "../../web/ui/layer_card.js";
import {findProblems, groupProblems} from "../../web/ui/problems_dialog.js";
import {formatHeight, formatPlace, formatProbeValue} from "../../web/ui/probe_readout.js";
import {compass, exaggerationToSlider, sliderToExaggeration} from "../../web/ui/scene_panel.js";
import {labelledTicks, nearestPosition, timePositions} from "../../web/ui/timeline.js";

const BADGE = {level: 0, levels: 4, epsilon: [{variable: "t", epsilon: 0.05, units: "K"}], share: 1, state: "final", resolution: 1, blended: false, degraded: false,
  droppedBits: 0, simplified: false, night: false};
const badge = (more) => describeBadge({...BADGE, ...more});

test("the badge says full resolution only where it is", () => {
  assert.deepEqual(badge().text, "full resolution · ±0.05 K · 100 %");
  assert.equal(badge().state, "final");
  assert.equal(badge({level: 2, state: "improving", share: 0.439}).text, "level 2 of 3 · ±0.05 K · improving 43 %");
  assert.equal(badge({level: 1}).state, "degraded");
});

test("nearly all is not all", () => {
  assert.match(badge({share: 0.9999, state: "improving"}).text, /improving 99 %/);
});

for (const [more, words] of [
  [{resolution: 0.5}, "drawn at 50 %"],
  [{simplified: true}, "simplified while moving"],
  [{blended: true}, "blended in time"],
  [{degraded: true}, "reduced to fit memory"],
  [{droppedBits: 2}, "low 2 bits dropped"],
  [{night: true}, "night: sun is down"],
]) {
  test(`the badge says: ${words}`, () => {
    assert.ok(badge(more).text.includes(words));
    if (!more.night) assert.notEqual(badge(more).state, "final");
  });
}

test("a picture drawn coarsely is not called full resolution", () => {
  assert.equal(badge({resolution: 0.13, simplified: true, state: "improving", share: 0.25}).text, "finest data · drawn at 13 % · simplified while moving · improving 25 %");
});

test("before any data the badge claims nothing", () => {
  assert.equal(describeBadge(null).state, "idle");
});

test("ε is in the unit that is shown", () => {
  const layers = [{variable: {id: "t", name: "t", units: "1", standard_name: "cloud_area_fraction"}, layer: {units: "%"}}];
  assert.match(describeBadge({...BADGE, epsilon: [{variable: "t", epsilon: 0.005, units: "1"}]}, layers).text, /±0\.5 %/);
});

test("places are read as people write them", () => {
  assert.equal(formatPlace(-0.1184, 51.5021), "51.502° N  0.118° W");
  assert.equal(formatPlace(190, -33), "33.000° S  170.000° W");
});

test("heights are in metres and feet, and say above what", () => {
  assert.equal(formatHeight(3240, "sea"), "3\u202f240 m (10\u202f630 ft) above sea level");
  assert.equal(formatHeight(10, "ground"), "10 m (30 ft) above the ground");
});

test("probe values carry their ε, and missing is missing", () => {
  const variable = {id: "t", units: "K", standard_name: "air_temperature", epsilon: 0.05};
  assert.deepEqual(formatProbeValue({value: 281.354, epsilon: 0.05}, variable, "K"), {value: "281.35", spread: "± 0.05", units: "K"});
  assert.deepEqual(formatProbeValue({value: 281.354, epsilon: 0.05}, variable, "°C"), {value: "8.20", spread: "± 0.05", units: "°C"});
  assert.deepEqual(formatProbeValue({value: null, epsilon: 0.05}, variable, "K"), {value: "missing", spread: "", units: ""});
});

test("ticks stand at true distance", () => {
  const times = ["2009-11-19T00:00:00Z", "2009-11-19T01:00:00Z", "2009-11-19T04:00:00Z"];
  assert.deepEqual(timePositions(times, "standard"), [0, 0.25, 1]);
  assert.deepEqual(timePositions(times.slice(0, 1), "standard"), [0.5]);
  assert.equal(nearestPosition([0, 0.25, 1], 0.6), 1);
});

test("tick labels do not touch, and each day is named once", () => {
  const times = Array.from({length: 73}, (_, i) => new Date(Date.UTC(2009, 10, 19, 3 + i)).toISOString().replace(".000Z", "Z"));
  const positions = timePositions(times, "standard");
  for (const pixels of [260, 500, 1500, 3500]) {
    const labels = labelledTicks(times, positions, pixels, "standard");
    assert.ok(labels.length >= 2);
    assert.deepEqual(labels[0], {index: 0, day: true});
    for (let i = 1; i < labels.length; i++) assert.ok((positions[labels[i].index] - positions[labels[i - 1].index]) * pixels >= 58);
    const days = labels.filter(({day}) => day).map(({index}) => times[index].slice(0, 10));
    assert.equal(new Set(days).size, days.length);
  }
});

test("a label that is moved in from the track's end touches no other", () => {
  const times = Array.from({length: 13}, (_, i) => new Date(Date.UTC(2009, 10, 19, 23 + i)).toISOString().replace(".000Z", "Z")), positions = timePositions(times, "standard");
  for (const pixels of [400, 700, 968, 1000, 1100]) {
    const [first, second] = labelledTicks(times, positions, pixels, "standard", {margin: 30});
    assert.deepEqual(first, {index: 0, day: true}); // from 24 pixels before its tick to 72 behind it
    assert.ok(positions[second.index] * pixels - (second.day ? 48 : 29) >= 72, `${second.index} at ${pixels}`);
  }
});

test("a thousand steps are labelled quickly", () => {
  const times = Array.from({length: 5000}, (_, i) => new Date(Date.UTC(2009, 0, 1, i)).toISOString().replace(".000Z", "Z"));
  const start = performance.now();
  labelledTicks(times, timePositions(times, "standard"), 1500, "standard");
  assert.ok(performance.now() - start < 500);
});

test("the height slider and its number agree", () => {
  for (const value of [1, 2, 5, 15, 40, 100]) assert.equal(sliderToExaggeration(exaggerationToSlider(value)), value);
});

test("compass points", () => {
  assert.deepEqual([0, 44, 46, 225, 359].map(compass), ["N", "NE", "NE", "SW", "N"]);
});

test("a third volume makes the first give way, a ground field none of them", () => {
  const variables = [{vertical: {}}, {vertical: {}}, {vertical: {}}, {vertical: null}];
  const layers = variables.map((_, i) => ({variable: `v${i}`, visible: true}));
  assert.deepEqual(makeRoom(layers, variables, 2).map((layer) => layer.visible), [false, true, true, true]);
  assert.deepEqual(makeRoom(layers.slice(0, 2).concat(layers[3]), [{vertical: {}}, {vertical: {}}, {vertical: null}], 2).map((layer) => layer.visible), [true, true, true]);
});

test("what is made of all members stands apart in the list", () => {
  const variables = [{id: "t", name: "t", vertical: {}}, {id: "w", name: "w", vertical: {}, derived: true}, {id: "t_mean", name: "t_mean", vertical: {}, derived: true, statistic: "mean"}];
  const run = {series: {t: {}, w: {}, t_mean: {}}};
  assert.deepEqual(variableGroups({variables}, run).map(({label, options}) => [label, options.map(({value}) => value)]),
    [["3-D fields", ["t"]], ["3-D fields, derived", ["w"]], ["3-D fields, of all members", ["t_mean"]]]);
});

test("what has one reason is one entry, for many variables and for many files", () => {
  const problems = [{file: "a", variable: "u", reason: "r"}, {file: "a", variable: "v", reason: "r"}, {file: "b", variable: null, reason: "r"}, {file: "a", variable: "w", reason: "s"},
    {file: "c", variable: null, reason: "r"}];
  assert.deepEqual(groupProblems(problems), [{reason: "r", variables: ["u", "v"], files: ["a"]}, {reason: "r", variables: [], files: ["b", "c"]}, {reason: "s", variables: ["w"], files: ["a"]}]);
});

test("problems are found by a word of theirs", () => {
  const entries = groupProblems([{file: "/data/one.nc", variable: "Theta", reason: "it has no levels"}, {file: "/data/two.nc", variable: null, reason: "no netCDF file"}]);
  assert.equal(findProblems(entries, " theta ").length, 1);
  assert.equal(findProblems(entries, "NO").length, 2);
  assert.equal(findProblems(entries, "two.nc")[0].reason, "no netCDF file");
  assert.equal(findProblems(entries, "").length, 2);
  assert.equal(findProblems(entries, "grib").length, 0);
});

test("values outside the range that a file calls valid are said to be shown", () => {
  const variable = {units: "1", valid_range: [0, 5], vertical: null};
  assert.equal(outsideNote(variable, [0, 5]), "");
  assert.equal(outsideNote(variable, null), "");
  assert.match(outsideNote(variable, [-2, 4]), /down to −2.*valid from 0 to 5.*shown as stored/);
  assert.match(outsideNote({...variable, valid_range: [null, 5]}, [-2, 9]), /up to 9.*valid to 5/);
  assert.equal(outsideNote({...variable, valid_range: undefined}, [-2, 9]), "");
});

test("all here but not yet drawn is not called improving", () => {
  assert.match(badge({state: "improving", share: 1}).text, /all here, still drawing/);
});
