// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import {readdirSync, readFileSync} from "node:fs";
import {test} from "node:test";
import {parseView, validateView, ViewError} from "../../web/view/view_state.js";

const folder = (name) => new URL(`../view/${name}/`, import.meta.url);
const stems = (name) => readdirSync(folder(name)).filter((file) => file.endsWith(".json")).map((file) => file.slice(0, -5));
const read = (name, file) => readFileSync(new URL(file, folder(name)), "utf8");

for (const stem of stems("good")) {
  test(`accepted: ${stem}`, () => {
    parseView(read("good", `${stem}.json`));
  });
}

for (const stem of stems("bad")) {
  test(`refused by field: ${stem}`, () => {
    const expected = read("bad", `${stem}.txt`).trim();
    assert.throws(() => parseView(read("bad", `${stem}.json`)), (error) => {
      assert.ok(error instanceof ViewError);
      assert.ok(error.message.startsWith(expected), `"${error.message}" should begin with "${expected}"`);
      return true;
    });
  });
}

test("there are good and bad documents to check", () => {
  assert.ok(stems("good").length >= 10);
  assert.ok(stems("bad").length >= 50);
});

test("a checked document is complete", () => {
  const view = validateView({version: 1, dataset: "d", layers: [{variable: "v"}]});
  assert.deepEqual(view, {
    version: 1, dataset: "d", run: "latest", time: "T+0", member: 0, layers: [{variable: "v", visible: true, shading: true}],
    light: {sun: {azimuth: 225, elevation: 40}, shadows: true, ambient: 0.35}, exaggeration: 15,
    map: {coastlines: true, graticule: true, terrain: true, height_axis: true},
  });
});

test("a checked document is a fixed point and shares nothing with what it came from", () => {
  const once = parseView(read("good", "full.json"));
  const twice = validateView(once);
  assert.deepEqual(twice, once);
  twice.layers[0].opacity[0][0] = 99;
  assert.notEqual(once.layers[0].opacity[0][0], 99);
});

test("a name that every object has is no field", () => {
  assert.throws(() => parseView('{"version": 1, "dataset": "d", "layers": [], "toString": 1}'), {message: "toString: unknown field"});
});
