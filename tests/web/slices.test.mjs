// SPDX-License-Identifier: Apache-2.0
// Slices: the server's bytes taken apart, values between columns, the sheet's corners, which are asked for, and the surfaces that a layer may have.
import assert from "node:assert/strict";
import {test} from "node:test";

globalThis.document = {baseURI: "http://here/"};
const {parseSlice, sampleSlice, SliceStore} = await import("../../web/data/slices.js");
const {sliceMesh} = await import("../../web/gl/slice_pass.js");
const {Sheets} = await import("../../web/data/sheets.js");
const {makeRoom} = await import("../../web/ui/layers_panel.js");

function bytes(head, values, heights = null) {
  const numbers = [...values, ...(heights ?? [])], json = new TextEncoder().encode(JSON.stringify({...head,
    values: {offset: 0, count: values.length}, heights: heights && {offset: 4 * values.length, count: heights.length}}));
  const start = 12 + 4 * Math.ceil(json.length / 4), buffer = new ArrayBuffer(start + 4 * numbers.length), view = new DataView(buffer);
  new Uint8Array(buffer).set(new TextEncoder().encode("VSLC"));
  view.setUint32(4, 1, true);
  view.setUint32(8, json.length, true);
  new Uint8Array(buffer).set(json, 12);
  numbers.forEach((number, n) => view.setFloat32(start + 4 * n, number, true));
  return buffer;
}

const GRID = {nx: 4, ny: 3, scale: 1, wraps: false};
const SLOPE = Array.from({length: 12}, (_, n) => n % 4 + 10 * Math.floor(n / 4));

test("an answer is taken apart", () => {
  const slice = parseSlice(bytes({...GRID, level: "850hPa"}, SLOPE, SLOPE.map((v) => 100 * v)));
  assert.equal(slice.level, "850hPa");
  assert.deepEqual([...slice.values], SLOPE);
  assert.equal(slice.heights[5], 1100);
  assert.equal(parseSlice(bytes(GRID, SLOPE)).heights, null);
});

test("what is no slice, or ends early, is refused", () => {
  const good = bytes(GRID, SLOPE);
  for (const wrong of [new ArrayBuffer(0), new ArrayBuffer(12), good.slice(0, 30), good.slice(0, good.byteLength - 4), bytes({...GRID, nx: 5}, SLOPE)]) assert.throws(() => parseSlice(wrong));
});

test("between columns it is bilinear over what is present", () => {
  const holed = SLOPE.map((value, n) => (n === 0 ? NaN : value));
  assert.equal(sampleSlice(GRID, SLOPE, 1.5, 0.25), 4);
  assert.equal(sampleSlice(GRID, holed, 0.75, 0), 1);
  assert.ok(Number.isNaN(sampleSlice(GRID, holed, 0.25, 0)));
  assert.equal(sampleSlice({...GRID, wraps: true}, SLOPE, 3.5, 0), 1.5);
  assert.equal(sampleSlice({...GRID, scale: 2}, SLOPE, 2.5, 0.5), 1);
  assert.equal(sampleSlice({...GRID, scale: 2}, SLOPE, 0, 0), 0);
  assert.ok(Math.abs(sampleSlice({...GRID, nx: 2, ny: 1, degrees: true}, [350, 30], 0.5, 0) - 10) < 1e-9);
});

const geometry = {nx: 4, ny: 3, wraps: false, x: {index: (x) => x}, y: {index: (y) => y}, fromScene: ([X, Y, Z]) => [X, Y, 1000 * Z],
  locate: (x, y) => (x >= 0 && y >= 0 && x <= 3 && y <= 2 ? [x, y] : null)};
const box = {low: [0, 0, 0], high: [3, 2, 5]};

test("a sheet stands at its heights, and a corner that lacks one has its neighbours' mean", () => {
  const heights = SLOPE.map((v) => 1000 * v);
  const whole = sliceMesh({...GRID, heights}, geometry, box);
  assert.equal(whole.indices.length, 3 * 2 * 3 * 2);
  assert.deepEqual([...whole.vertices.slice(5 * 5, 5 * 6)], [1, 1, 11, 1, 1]);
  const holed = sliceMesh({...GRID, heights: heights.map((v, n) => (n === 0 ? NaN : v))}, geometry, box);
  assert.equal(holed.indices.length, whole.indices.length);
  assert.ok(Math.abs(holed.vertices[2] - (1 + 10 + 11) / 3) < 1e-5);
  assert.equal(sliceMesh({...GRID, heights: heights.map(() => NaN)}, geometry, box).indices.length, 0);
});

const layerOf = (level, visible = true) => ({level, row: 0, member: 0, variable: {id: "t", name: "t"}, view: {visible}, geometry, stepAt: () => 0,
  series: {edition: "e", times: ["2026-01-01T00:00:00Z"], seconds: [0]}});
const forecast = {dataset: "d", run: "2026-01-01T00:00:00Z"};

test("the last slice stays until the next is here, and a ray meets the nearest", () => {
  const at = {"1km": {...GRID, values: SLOPE, heights: SLOPE.map(() => 1000)}, "3km": {...GRID, values: SLOPE.map(() => NaN), heights: SLOPE.map(() => 3000)}};
  const sheets = new Sheets({get: (dataset, run, layer) => at[layer.level] ?? null, settled: () => true, want() {}, dispose() {}});
  sheets.show(forecast, 0);
  assert.equal(sheets.drawn([layerOf("1km")]).length, 1);
  assert.equal(sheets.drawn([layerOf("2km")])[0].slice, at["1km"]);
  assert.equal(sheets.drawn([layerOf("1km", false), layerOf(null)]).length, 0);
  const down = {origin: [1.2, 1, 20], direction: [0.001, 0, -1]};
  const struck = sheets.strike(down, [layerOf("1km"), {...layerOf("3km"), row: 1}], {box, exaggeration: 2});
  assert.ok(Math.abs(struck.scene[2] - 1) < 1e-3); // the upper one has no value there
  assert.ok(Math.abs(sheets.valueAt(layerOf("1km"), struck.scene).value - (10 + struck.scene[0])) < 1e-6);
  assert.equal(sheets.strike({origin: [9, 9, 9], direction: [0, 0, -1]}, [layerOf("1km")], {box, exaggeration: 2}), null);
});

test("what is wanted no more is given up", async () => {
  const asked = [];
  globalThis.fetch = (url, {signal}) => new Promise((_, reject) => { asked.push([url.searchParams.get("level"), signal]); signal.addEventListener("abort", () => reject(new Error("gone"))); });
  const store = new SliceStore("./", () => assert.fail("nobody asked"));
  store.want("d", forecast.run, [[layerOf("1km"), 0]]);
  store.want("d", forecast.run, [[layerOf("2km"), 0]]);
  store.want("d", forecast.run, [[layerOf("2km"), 0]]);
  await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual(asked.map(([level, signal]) => [level, signal.aborted]), [["1km", true], ["2km", false]]);
  store.dispose();
});

test("slices have room beside volumes", () => {
  const volume = {vertical: {}}, layers = [{visible: true}, {visible: true}, {visible: true, level: "1km"}, {visible: true, level: "k1"}];
  assert.ok(makeRoom(layers, [volume, volume, volume, volume], 3).every(({visible}) => visible));
  assert.deepEqual(makeRoom([...layers, {visible: true, level: "k2"}], Array(5).fill(volume), 4).map(({visible}) => visible), [true, true, false, true, true]);
});
