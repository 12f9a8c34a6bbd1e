// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import {test} from "node:test";
import {cameraAbroad, cameraHere} from "../../web/view/camera_link.js";
import {embedOptions} from "../../web/view/embed.js";

test("an address says whether the page is part of another, and whether it has a timeline", () => {
  assert.deepEqual(embedOptions(""), {embedded: false, bare: false, timeline: true});
  assert.deepEqual(embedOptions("?embed"), {embedded: true, bare: false, timeline: true});
  assert.deepEqual(embedOptions("?embed=1"), {embedded: true, bare: true, timeline: false});
  assert.deepEqual(embedOptions("?embed=1&timeline"), {embedded: true, bare: true, timeline: true});
  assert.deepEqual(embedOptions("?dataset=x&embed=1&timeline=1"), {embedded: true, bare: true, timeline: true});
});

const CAMERA = {mode: "orbit", eye: [10, -40, 30], target: [10, 20, 5], up: [0, 0, 1], fov: 40};
// A map of whole degrees with 100 km each, about a centre.
const map = (lon, lat, proj = "a") => ({
  dataset: {grid: {proj, centre: [lon, lat], km_per_unit: [100, 100]}},
  geometry: {
    toLonLat: (x, y) => [x, y], fromLonLat: (x, y) => (Math.abs(y) > 90 ? null : [x, y]),
    fromScene: ([X, Y]) => [lon + X / 100, lat + Y / 100, 0], toScene: (x, y) => [(x - lon) * 100, (y - lat) * 100, 0],
  },
});

test("between datasets of one grid a camera stays as it is", () => {
  const one = map(0, 50), told = cameraAbroad(CAMERA, one.geometry, one.dataset);
  assert.equal(cameraHere(told, one.geometry, one.dataset), CAMERA);
});

test("on another grid a camera looks at the same place from the same side", () => {
  const one = map(0, 50), two = map(-2, 51), told = cameraAbroad(CAMERA, one.geometry, one.dataset);
  assert.deepEqual(told.place.map((n) => Number(n.toFixed(9))), [0.1, 50.2]);
  const here = cameraHere(told, two.geometry, two.dataset);
  assert.deepEqual(here.target.map(Math.round), [210, -80, 5]);
  assert.deepEqual(here.eye.map((v, i) => Math.round(v - here.target[i])), [0, -60, 25]);
});

test("a place that is not on this map leaves the camera alone", () => {
  const one = map(0, 50), far = cameraAbroad(CAMERA, one.geometry, one.dataset);
  assert.equal(cameraHere({...far, place: [0, 95]}, map(1, 1).geometry, map(1, 1).dataset), null);
  assert.equal(cameraHere(cameraAbroad(CAMERA, null, one.dataset), map(1, 1).geometry, map(1, 1).dataset), null);
});
