// SPDX-License-Identifier: Apache-2.0
// Land in the page: rings across the date line and around the pole.
import assert from "node:assert/strict";
import {readFileSync} from "node:fs";
import {test} from "node:test";
import {feature} from "../../web/node_modules/topojson-client/src/index.js";
import {unrolledRing} from "../../web/layers/coastlines.js";

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

for (const detail of ["110m", "50m", "10m"]) test(`land is where it is in the ${detail} world`, () => {
  const world = JSON.parse(readFileSync(new URL(`../../web/node_modules/world-atlas/countries-${detail}.json`, import.meta.url)));
  const land = feature(world, world.objects.land), geometries = (land.features ?? [land]).map(({geometry}) => geometry);
  const polygons = geometries.flatMap(({type, coordinates}) => type === "Polygon" ? [coordinates] : coordinates).map((rings) => rings.map(unrolledRing));
  const isLand = (lon, lat) => polygons.some((rings) => [-360, 0, 360].some((turn) => rings.filter((ring) => within(ring, lon + turn, lat)).length % 2 === 1));
  for (const [lon, lat] of [[100, 66.5], [60, 67], [-178, 66.5], [175, 67], [20, -88], [-150, -84], [10, 50], [-60, -15]])
    assert.ok(isLand(lon, lat), `${lon} ${lat} is land`);
  for (const [lon, lat] of [[0, 85], [-30, 66], [-170, 20], [170, -60], [-40, -70], [5, 66.5]]) assert.ok(!isLand(lon, lat), `${lon} ${lat} is sea`);
});
