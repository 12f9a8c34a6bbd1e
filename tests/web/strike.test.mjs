// SPDX-License-Identifier: Apache-2.0
// What a ray meets: the ground, or the volume before it once that gives more of the pixel.
import assert from "node:assert/strict";
import {test} from "node:test";
import {strike} from "../../web/data/probe.js";

const BOX = {low: [-50, -50, 0], high: [50, 50, 10]};
const DOWN = {origin: [3, 4, 100], direction: [0, 0, -1]};
const ACROSS = {origin: [0, -200, 5], direction: [0, 1, 0]};

// A layer of `tau` per km between two heights in km; all of it lets exp(-tau (high - low)) of the light through.
const look = (ray, {tau = 0, from = 0, to = 10, ground = () => 0, exaggeration = 1} = {}) =>
  strike(ray, {box: BOX, exaggeration, layers: [{transfer: {tau: (value) => value}}], valueOf: (layer, [, , z]) => (z >= from && z <= to ? tau : null), groundAt: ground});

test("nothing in the way: the ground", () => {
  const found = look(DOWN);
  assert.equal(found.on, "ground");
  assert.deepEqual(found.scene, [3, 4, 0]);
});

test("haze that takes a third of the light leaves the ground", () => assert.equal(look(DOWN, {tau: 0.04}).on, "ground"));

test("haze that takes most of the light is what is met, however thin each part of it is", () => assert.equal(look(DOWN, {tau: 0.12}).on, "volume"));

test("a cloud is met where it begins", () => {
  const {on, scene} = look(DOWN, {tau: 5, from: 4, to: 6});
  assert.equal(on, "volume");
  assert.ok(Math.abs(scene[2] - 6) < 0.05, `${scene}`);
});

test("without ground behind it, what is faintly there is met and empty air is not", () => {
  const open = {ground: () => null};
  assert.equal(look(ACROSS, {tau: 0.01, ...open}).on, "volume");
  assert.equal(look(ACROSS, open), null);
});

test("opacity is of true kilometres, before exaggeration", () => {
  const ray = {origin: [3, 4, 1000], direction: [0, 0, -1]};
  assert.equal(look(ray, {tau: 0.04, exaggeration: 10}).on, "ground");
  assert.equal(look(ray, {tau: 0.12, exaggeration: 10}).on, "volume");
});

test("a hill is met where the ray enters it", () => {
  const found = look(ACROSS, {ground: (x, y) => (y > 10 ? 8 : 0)});
  assert.equal(found.on, "ground");
  assert.ok(Math.abs(found.scene[1] - 10) < 1e-3, `${found.scene}`);
});
