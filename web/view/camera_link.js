// SPDX-License-Identifier: Apache-2.0
// A camera of one dataset carried over to another: its target keeps its longitude, latitude and height, its eye the same offset. Between datasets of
// one grid nothing changes. `geometry` is Viewer.geometry.

/** What tells where a camera is, for another page: {camera, place: [lon, lat] of its target or null, grid: text}. */
export function cameraAbroad(camera, geometry, dataset) {
  const grid = gridKey(dataset);
  if (!geometry) return {camera, place: null, grid};
  const [x, y] = geometry.fromScene(camera.target), place = geometry.toLonLat(x, y);
  return {camera, place: place ? [place[0], place[1]] : null, grid};
}

/** The camera for a page with this geometry and dataset, or null where its target is not on this map. */
export function cameraHere({camera, place, grid}, geometry, dataset) {
  if (grid === gridKey(dataset)) return camera;
  const here = place && geometry?.fromLonLat(place[0], place[1]);
  if (!here) return null;
  const [X, Y] = geometry.toScene(here[0], here[1], 0), shift = [X - camera.target[0], Y - camera.target[1], 0];
  const moved = (point) => point.map((value, axis) => value + shift[axis]);
  return {...camera, eye: moved(camera.eye), target: moved(camera.target)};
}

function gridKey({grid}) {
  return JSON.stringify([grid.proj, grid.centre, grid.km_per_unit]);
}
