// SPDX-License-Identifier: Apache-2.0
// What the export dialog makes of its choices, and what it says of jobs; no browser.
import assert from "node:assert/strict";
import {test} from "node:test";
import {countFrames, defaultForm, exportView, formOfView, formProblem, shownTimes} from "../../web/view/export_view.js";
import {bytesWords, describeJob, durationWords, mergeJobs} from "../../web/view/export_words.js";
import {defaultView, resolveView} from "../../web/view/view_resolve.js";
import {madeUpCatalog} from "./made_up_catalog.js";
import {readFileSync} from "node:fs";

const presets = JSON.parse(readFileSync(new URL("../../assets/presets.json", import.meta.url)));
const catalog = madeUpCatalog();
const view = {...defaultView(catalog, presets), camera: {mode: "orbit", eye: [0, -900, 500], target: [0, 0, 0], up: [0, 0, 1], fov: 40}, light: {sun: "time", shadows: false, ambient: 0.5}};
const resolved = resolveView(view, catalog);
const made = (more, index = 7) => exportView(view, resolved, index, {...defaultForm(), ...more});

test("the page's own view is what is exported: camera, layers, light", () => {
  const {run, time, size, captions, sequence, transparent, ...rest} = made({});
  for (const [name, value] of Object.entries(rest)) assert.deepEqual(value, view[name], name);
  assert.equal(run, "2009-11-19T03:00:00Z"); // pinned: the latest when it was ordered
  assert.equal(time, "T+0");
  assert.deepEqual(size, [1280, 720]);
  assert.equal(transparent, false);
  assert.deepEqual(captions, {show: true, legend: true, attribution: ""});
  assert.deepEqual(sequence, {times: "all", format: "png"});
});

test("one time is one frame, or as many as a turn has", () => {
  assert.deepEqual(made({times: "step"}).sequence, {format: "png"});
  assert.equal(made({times: "step"}).time, "T+7");
  assert.deepEqual(made({times: "step", orbit: 360, frames: 90}).sequence, {orbit: 360, frames: 90, format: "png"});
  assert.deepEqual(made({times: "step", film: true}).sequence, {format: "png"});
});

test("a range is named by its ends, picked times one by one", () => {
  assert.deepEqual(made({times: "range", from: 3, to: 9}).sequence.times, {from: "T+3", to: "T+9"});
  assert.deepEqual(made({times: "range", from: 3, to: 9, stride: 3}).sequence.times, ["T+3", "T+6", "T+9"]);
  assert.deepEqual(made({times: "all", stride: 12}).sequence.times, ["T+0", "T+12", "T+24", "T+36"]);
  assert.equal(made({times: "range", from: 3, to: 9}).time, "T+3"); // which the preview shows
  const single = made({times: "range", from: 4, to: 4});
  assert.equal(single.sequence.times, undefined);
  assert.equal(single.time, "T+4");
});

test("a film has frames and times a second; a JPEG its quality; a PNG may be transparent", () => {
  assert.deepEqual(made({film: true, fps: 25, rate: 2, orbit: 45}).sequence, {times: "all", fps: 25, rate: 2, orbit: 45, format: "png"});
  assert.deepEqual(made({format: "jpeg", quality: 80, transparent: true}).sequence, {times: "all", format: "jpeg", quality: 80});
  assert.equal(made({format: "jpeg", transparent: true}).transparent, false);
  assert.equal(made({transparent: true}).transparent, true);
});

test("captions as they are wanted", () => {
  assert.deepEqual(made({captions: false, title: " Storm ", attribution: " A service "}).captions, {show: false, legend: true, attribution: "A service", title: "Storm"});
  assert.equal(made({title: "  "}).captions.title, undefined); // made from what is shown
});

test("a sequence that the view had gives way", () => {
  const {sequence} = exportView({...view, sequence: {times: ["T+1"], orbit: 10}}, resolved, 0, defaultForm());
  assert.deepEqual(sequence, {times: "all", format: "png"});
});

test("what a view brings along fills the form", () => {
  assert.deepEqual(formOfView(view), {});
  assert.deepEqual(formOfView({captions: {show: true, title: "Storm", attribution: "A"}, size: [640, 360], transparent: true, sequence: {times: "all", fps: 25, rate: 2, format: "jpeg"}}),
    {size: [640, 360], transparent: true, captions: true, title: "Storm", attribution: "A", film: true, fps: 25, rate: 2, format: "jpeg"});
});

test("times of another calendar are leads too", () => {
  const climate = resolveView({...defaultView(catalog, presets, {datasetId: "climate"})}, catalog);
  const {sequence} = exportView({...view, dataset: "climate", layers: [{variable: "ta"}]}, climate, 0, {...defaultForm(), stride: 2});
  assert.deepEqual(sequence.times, ["T+0", "T+48", "T+540"]);
});

test("frames are counted as the program counts them", () => {
  const form = defaultForm();
  assert.equal(countFrames(form, 37), 37);
  assert.equal(countFrames({...form, film: true, fps: 24, rate: 4}, 37), 217);
  assert.equal(countFrames({...form, film: true, fps: 10, rate: 3}, 2), 4);
  assert.equal(countFrames(form, 1), 1);
  assert.equal(countFrames({...form, orbit: 90, frames: 30}, 1), 30);
  assert.deepEqual(shownTimes({...form, times: "range", from: 5, to: Infinity, stride: 10}, 37, 0), [5, 15, 25, 35]);
  assert.deepEqual(shownTimes({...form, times: "all"}, 1, 0), [0]);
});

for (const [more, shown, words] of [
  [{}, 37, ""],
  [{}, 0, /before the first/],
  [{size: [1280, NaN]}, 1, /Width and height/],
  [{size: [8, 720]}, 1, /16 to 16384/],
  [{format: "jpeg", quality: 0}, 1, /quality/],
  [{quality: 0}, 1, ""],
  [{orbit: NaN}, 1, /turn/],
  [{film: true, fps: 0}, 2, /Frames a second/],
  [{film: true, fps: 0}, 1, ""],
  [{film: true, rate: NaN}, 2, /times a second/],
  [{orbit: 90, frames: 1.5}, 1, /number of frames/],
  [{film: true, fps: 240, rate: 0.001}, 37, /more than 100000/],
  [{stride: 2}, 1001, /1000 times/],
  [{title: "é".repeat(101)}, 1, /title is too long/],
]) {
  test(`choices ${JSON.stringify(more)} of ${shown} times: ${words || "fine"}`, () => {
    const said = formProblem({...defaultForm(), ...more}, shown);
    if (words) assert.match(said, words);
    else assert.equal(said, "");
  });
}

test("a job in words", () => {
  const job = {state: "running", frames: 361, done: 40, bytes: 12345678, rate: 6.31, seconds_left: 51.2};
  assert.deepEqual(describeJob(job), {state: "drawing", progress: "40 of 361 frames · 6.3 a second · 51 s left · 12 MB", share: 40 / 361});
  assert.deepEqual(describeJob({state: "queued", frames: null, done: 0, bytes: 0, rate: null, seconds_left: null}), {state: "waiting", progress: "0 frames", share: null});
  assert.equal(describeJob({...job, state: "done", frames: 1, done: 1}).progress, "1 of 1 frame · 12 MB");
  assert.deepEqual([0.4, 59.6, 200, 3600, 7500].map(durationWords), ["0 s", "1 min", "3 min 20 s", "1 h", "2 h 5 min"]);
  assert.deepEqual([999, 1500, 820000, 1234567, 5e9].map(bytesWords), ["999 bytes", "1.5 kB", "820 kB", "1.2 MB", "5.0 GB"]);
});

test("jobs are merged by id, newest first; the deleted go", () => {
  const a = {id: "a", created: "2026-01-01T00:00:00Z", done: 1}, b = {id: "b", created: "2026-01-02T00:00:00Z", done: 2};
  const all = mergeJobs(new Map([["old", {id: "old", created: "x"}]]), {all: true, jobs: [a, b]});
  assert.deepEqual([...all.keys()], ["b", "a"]);
  const later = mergeJobs(all, {all: false, jobs: [{id: "a", done: 5}, {id: "b", state: "deleted"}]});
  assert.deepEqual([...later.values()], [{...a, done: 5}]);
  assert.deepEqual(mergeJobs(later, {all: false, jobs: []}), later);
});
