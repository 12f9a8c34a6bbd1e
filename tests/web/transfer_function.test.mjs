// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import {test} from "node:test";
import {buildTable, colourAt, colourMap, interpolate, isTransparent, loadColourMaps, MAX_OPACITY, opacityAt, tableDomain} from "../../web/view/transfer_function.js";

const MAP = {name: "m", points: [[0, 0, 0, 0], [0.5, 255, 0, 0], [1, 255, 255, 0]]};
const layer = (more = {}) => ({variable: "v", colour_map: "m", range: [10, 20], opacity: [[12, 0], [20, 0.8]], ...more});

test("curves are linear between points and held beyond", () => {
  const points = [[0, 0], [10, 1]];
  assert.equal(interpolate(points, -5), 0);
  assert.equal(interpolate(points, 2.5), 0.25);
  assert.equal(interpolate(points, 50), 1);
});

test("a step in a curve takes the later point's value beyond it", () => {
  const points = [[0, 0], [5, 0], [5, 1], [10, 1]];
  assert.equal(interpolate(points, 5.001), 1);
  assert.equal(interpolate(points, 4.999), 0);
});

test("table entries are the colours and opacities of their values", () => {
  const table = buildTable(layer(), 11, MAP);
  assert.equal(table.length, 44);
  const entry = (i) => [...table.slice(4 * i, 4 * i + 4)].map((n) => Number(n.toFixed(5)));
  assert.deepEqual(entry(0), [0, 0, 0, 0]);
  assert.deepEqual(entry(5), [1, 0, 0, 0.3]);
  assert.deepEqual(entry(10), [1, 1, 0, 0.8]);
});

test("a table spans the range and the opacity points", () => {
  assert.deepEqual(tableDomain(layer()), [10, 20]);
  assert.deepEqual(tableDomain(layer({opacity: [[0, 0], [30, 1]]})), [0, 30]);
  const [lo, hi] = tableDomain({range: [5, 5], opacity: [[5, 1]]});
  assert.ok(hi > lo);
});

test("colours beyond the range are those of its ends", () => {
  const table = buildTable(layer({opacity: [[0, 0.5], [30, 0.5]]}), 31, MAP);
  assert.deepEqual([...table.slice(0, 3)], [0, 0, 0]);
  assert.deepEqual([...table.slice(120, 123)], [1, 1, 0]);
});

test("full opacity stays short of one, so that its logarithm is finite", () => {
  assert.equal(opacityAt(layer({opacity: [[0, 1]]}), 0), MAX_OPACITY);
  assert.ok(Number.isFinite(Math.log(1 - MAX_OPACITY)));
});

test("an interval is transparent only where no value in it shows", () => {
  const peak = layer({opacity: [[10, 0], [14, 0], [15, 0.5], [16, 0], [20, 0]]});
  assert.ok(isTransparent(peak, 10, 14));
  assert.ok(!isTransparent(peak, 10, 20));
  assert.ok(!isTransparent(peak, 14.5, 14.6));
});

test("an unknown colour map is grey", () => {
  const [r, g, b] = colourAt(colourMap("nobody made this"), 0.5);
  assert.ok(r === g && g === b);
});

test("every colour map of the assets loads and has a table", async () => {
  const {readFile} = await import("node:fs/promises");
  const root = new URL("../../", import.meta.url);
  const names = await loadColourMaps("", async (url) => JSON.parse(await readFile(new URL(url, root), "utf8")));
  assert.ok(names.length >= 10);
  for (const name of names) assert.ok(buildTable(layer({colour_map: name}), 64).every((n) => n >= 0 && n <= 1), name);
});
