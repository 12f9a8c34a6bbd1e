// SPDX-License-Identifier: Apache-2.0
// From a value to colour and opacity: the tables that the shaders read.
//
// A layer of the view document says `range` (what the colour map spans) and `opacity` ([[value, opacity per km of true
// height], …], rising values), both in the variable's own units. Between points everything is linear; beyond the ends the end
// values hold. Colours are sRGB-encoded and not premultiplied, because the colour maps are linear in sRGB between their points.
//
// A table spans tableDomain(layer) = [lo, hi], the hull of the range and the opacity points. Entry i stands for the value
// lo + (hi - lo) i / (size - 1), so a shader looks up texel centre (t (size - 1) + 0.5) / size with t = (value - lo) / (hi - lo).
// Opacity a is the share of light that one kilometre takes; over r kilometres it is 1 - (1 - a)^r.

export const MAX_OPACITY = 0.9999; // per km: what a point of opacity 1 is drawn with, so that its logarithm is finite

const colourMaps = new Map(); // name → {name, title, kind, points: [[position, r, g, b]]}, from assets/colour_maps

const FALLBACK = {name: "grey", title: "Black to white", kind: "sequential", points: [[0, 20, 20, 20], [1, 245, 245, 245]]};

/** Makes a colour map known by its name. `map.points` are [position 0–1, r, g, b 0–255], positions rising. */
function registerColourMap(map) {
  colourMaps.set(map.name, map);
}

export function colourMapNames() {
  return [...colourMaps.keys()];
}

/** The map of that name; a grey ramp where the name is not known (the page says so elsewhere). */
export function colourMap(name) {
  return colourMaps.get(name) ?? FALLBACK;
}

/** Loads every colour map named in assets/colour_maps/index.json below `base`. Rejects when the index cannot be had. */
export async function loadColourMaps(base = "", fetchJson = defaultFetchJson) {
  const index = await fetchJson(`${base}assets/colour_maps/index.json`);
  await Promise.all(index.colour_maps.map(async (name) => {
    registerColourMap(await fetchJson(`${base}assets/colour_maps/${name}.json`));
  }));
  return colourMapNames();
}

async function defaultFetchJson(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url}: HTTP ${answer.status}`);
  return answer.json();
}

/** The piecewise linear curve through points [[x, y…], …] at x, held beyond its ends: y of column `column`. */
export function interpolate(points, x, column = 1) {
  if (points.length === 0) return 0;
  if (!(x > points[0][0])) return points[0][column];
  const last = points[points.length - 1];
  if (x >= last[0]) return last[column];
  let high = 1;
  while (points[high][0] < x) high++;
  const a = points[high - 1];
  const b = points[high];
  const span = b[0] - a[0];
  const share = span > 0 ? (x - a[0]) / span : 1;
  return a[column] + (b[column] - a[column]) * share;
}

/** [r, g, b], each 0–255 and not rounded, of a colour map at a position from 0 to 1. */
export function colourAt(map, position) {
  const t = Math.min(1, Math.max(0, position));
  return [interpolate(map.points, t, 1), interpolate(map.points, t, 2), interpolate(map.points, t, 3)];
}

/** Position of a value within a range, 0 to 1, clamped; a range of no width gives 0.5. */
export function rangePosition(range, value) {
  const width = range[1] - range[0];
  if (width === 0) return 0.5;
  return Math.min(1, Math.max(0, (value - range[0]) / width));
}

/** The values [lo, hi] that a layer's table spans; never of no width. */
export function tableDomain(layer) {
  const values = [layer.range[0], layer.range[1]];
  for (const point of layer.opacity ?? []) values.push(point[0]);
  let lo = Math.min(...values);
  let hi = Math.max(...values);
  if (!(hi > lo)) {
    const margin = Math.max(Math.abs(lo) * 1e-3, 1e-6);
    lo -= margin;
    hi += margin;
  }
  return [lo, hi];
}

/** Opacity per km of true height at a value: 0 to MAX_OPACITY. A layer without a curve is opaque nowhere but present: 0.1. */
export function opacityAt(layer, value) {
  const points = layer.opacity;
  const opacity = points && points.length > 0 ? interpolate(points, value) : 0.1;
  return Math.min(MAX_OPACITY, Math.max(0, opacity));
}

/**
 * The table of a layer: Float32Array of 4 × size numbers, r, g, b (sRGB-encoded, 0–1) and opacity per km (0–MAX_OPACITY).
 * `map` overrides the registered colour map of the layer's name.
 */
export function buildTable(layer, size = 1024, map = colourMap(layer.colour_map)) {
  const [lo, hi] = tableDomain(layer);
  const table = new Float32Array(4 * size);
  for (let i = 0; i < size; i++) {
    const value = lo + ((hi - lo) * i) / (size - 1);
    const rgb = colourAt(map, rangePosition(layer.range, value));
    table[4 * i] = rgb[0] / 255;
    table[4 * i + 1] = rgb[1] / 255;
    table[4 * i + 2] = rgb[2] / 255;
    table[4 * i + 3] = opacityAt(layer, value);
  }
  return table;
}

/** True where no value in [lo, hi] has any opacity: such a cell can be skipped and need not be asked for. */
export function isTransparent(layer, lo, hi) {
  if (opacityAt(layer, lo) > 0 || opacityAt(layer, hi) > 0) return false;
  return !(layer.opacity ?? []).some(([value, opacity]) => value > lo && value < hi && opacity > 0);
}
