// SPDX-License-Identifier: Apache-2.0
// Land in the page: rings across the date line and around the pole.
import assert from "node:assert/strict";
import {readFileSync} from "node:fs";
import {test} from "node:test";
import {feature} from "../../web/node_modules/topojson-client/src/index.js";
import {sceneSegments, unrolledRing} from "../../web/layers/coastlines.js";

const within = (ring, lon, lat) => {  // even-odd rule
  let inside = false;
  for (let a = 0, b = ring.length - 1; a < ring.length; b = a++) {
    const [x0, y0] = ring[a], [x1, y1] = ring[b];
    if ((y0 > lat) !== (y1 > lat) && lon < x0 + (lat - y0) / (y1 - y0) * (x1 - x0)) inside = !inside;
  }
  return inside;
};

test("a ring across the date line runs on", () => {
  const ring = unrolledRing([[170, 60], [-170, 60], [-170, 70], [170, 70], [170, 60]]);
  assert.deepEqual(ring, [[170, 60], [190, 60], [190, 70], [170, 70], [170, 60]]);
});

test("a ring around the pole is closed along it", () => {
  const ring = unrolledRing([[-120, -70], [0, -65], [120, -70], [-120, -70]]);
  assert.deepEqual(ring.slice(-2), [[240, -90], [-120, -90]]);
  assert.ok(within(ring, 10, -88) && within(ring, 200, -80) && !within(ring, 10, -60));
});

test("a plain ring stays as it is", () => {
  const ring = [[0, 0], [10, 0], [10, 10], [0, 0]];
  assert.deepEqual(unrolledRing(ring), ring);
});

test("a long line follows the ground cell by cell", () => {
  const height = (X) => Math.max(0, 10 - Math.abs(X - 50)), options = {toScene: (lon, lat) => [lon, lat], inside: (X) => X >= 0, heightAt: height, near: () => true, longest: 1000};
  const segments = sceneSegments([[[-20, 0], [100, 0]]], {...options, cell: 7});
  assert.equal(segments.length % 6, 0);
  for (let n = 0; n < segments.length; n += 6) {
    assert.ok(segments[n + 3] - segments[n] <= 7.001 && Math.abs(segments[n + 2] - height(segments[n])) < 1e-4 && Math.abs(segments[n + 5] - height(segments[n + 3])) < 1e-4);
    if (n) assert.deepEqual([...segments.subarray(n, n + 3)], [...segments.subarray(n - 3, n)]);
  }
  assert.ok(Math.abs(segments[0]) < 0.1 && segments.at(-3) === 100);
  assert.equal(sceneSegments([[[-20, 0], [100, 0]]], options).length, 6);
});

for (const detail of ["110m", "50m", "10m"]) test(`land is where it is in the ${detail} world`, () => {
  const world = JSON.parse(readFileSync(new URL(`../../web/node_modules/world-atlas/countries-${detail}.json`, import.meta.url)));
  const land = feature(world, world.objects.land), geometries = (land.features ?? [land]).map(({geometry}) => geometry);
  const polygons = geometries.flatMap(({type, coordinates}) => type === "Polygon" ? [coordinates] : coordinates).map((rings) => rings.map(unrolledRing));
  const isLand = (lon, lat) => polygons.some((rings) => [-360, 0, 360].some((turn) => rings.filter((ring) => within(ring, lon + turn, lat)).length % 2 === 1));
  for (const [lon, lat] of [[100, 66.5], [60, 67], [-178, 66.5], [175, 67], [20, -88], [-150, -84], [10, 50], [-60, -15]])
    assert.ok(isLand(lon, lat), `${lon} ${lat} is land`);
  for (const [lon, lat] of [[0, 85], [-30, 66], [-170, 20], [170, -60], [-40, -70], [5, 66.5]]) assert.ok(!isLand(lon, lat), `${lon} ${lat} is sea`);
});
