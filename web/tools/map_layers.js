// SPDX-License-Identifier: Apache-2.0
// The layers of the flat map: filled in from the presets, added, exchanged, changed, their colours fitted to what is in sight.
import {dataRange} from "../view/data_range.js";
import {givesHeights, parseSurface, surfaceTitle} from "../view/map_surfaces.js";
import {completeLayer, layerQuery} from "../view/map_view.js";
import {needsDataRange, presetFor, presetLayer, variableTitle} from "../view/presets.js";
import {displayUnits, niceTicks, shortNumber} from "../view/units.js";
import {findSeries, findVariable, memberLabels, resolveView} from "../view/view_resolve.js";

const FADING = ["rain", "cloud", "cloud_water", "ice"]; // colour maps that are made to stand over a map
const SAME_TIME = 2;  // seconds
const FIT_TILES = 6;  // at most, in sight
const FOR_ALL = ["temperature", "thermal", "wind"]; // colour maps by which surfaces are compared, though data fill little of their range
const HEIGHTS = [{units: "m", scale: 1, offset: 0}, {units: "km", scale: 0.001, offset: 0}, {units: "ft", scale: 1 / 0.3048, offset: 0}];
const LINES = {contours: "Contours", barbs: "Barbs: half 5 kt, whole 10 kt, pennant 50 kt", arrows: "Arrows"};

/** A variable as a surface shows it: of a top or a base that is a height. */
function asShown(variable, level) {
  if (parseSurface(level)?.kind === "sum") return {...variable, epsilon: NaN};
  if (!givesHeights(level)) return variable;
  return {...variable, units: "m", units_canonical: "m", units_choices: HEIGHTS, standard_name: "altitude", statistic: undefined, epsilon: NaN, valid_range: null};
}

/** page: {state: {catalog, presets, view, resolved}, base, change(patch, {newEntry}), currentRule() → time, maps, map() → FlatMap, say(key, message)}. */
export function createMapLayers({state, base, change, currentRule, maps, map, say}) {
  /** A map's document with nothing left open; throws ViewError where it names what is not here. */
  async function complete(view) {
    const {dataset, layers} = resolveView(view, state.catalog);
    return {...view, layers: await Promise.all(layers.map(({layer, variable, series, member}) => filled(layer, variable, dataset, series, member)))};
  }

  async function filled(layer, variable, dataset, series, member) {
    const level = completeLayer(layer, variable, dataset, {}).level, shown = asShown(variable, level), heights = shown !== variable && givesHeights(level);
    const open = !layer.range && !heights && needsDataRange(variable, state.presets), range = open ? await dataRange(series, member, 0, base) : null;
    const preset = presetLayer(shown, state.presets, range), sum = parseSurface(level)?.kind === "sum";
    const fit = !layer.range && (sum || open && Boolean(variable.vertical) && !FOR_ALL.includes(preset.colour_map));
    return completeLayer({...(fit ? {fit} : {}), ...layer}, variable, dataset, heights ? {...preset, range: [0, Math.min(16000, variable.vertical?.heights?.[1] ?? 16000)]} : preset);
  }

  async function fresh(id, patch = {}) {
    const {dataset, run, member} = state.resolved, variable = findVariable(dataset, id);
    const given = Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== "" && value !== undefined));
    return filled({variable: id, ...given}, variable, dataset, findSeries(run, variable), member < memberLabels(variable).length ? member : 0);
  }

  // "nearest to now" and lead times are kept, and what is on screen stays there.
  const show = (layers) => change({layers, time: currentRule()}, {newEntry: true});

  async function add(id, patch) {
    show([...state.view.layers, await fresh(id, patch)]);
    await refit();
  }

  /** Fits the ranges that follow what is on the surface. */
  async function refit() {
    for (const [index, {fit: follows, visible}] of state.view.layers.entries()) if (follows && visible !== false) await fit(index, true);
  }

  // Another variable where one was: on its surface, where it has that.
  async function replace(index, id) {
    const {level, draw, visible, opacity} = state.view.layers[index], vertical = findVariable(state.resolved.dataset, id).vertical;
    const kept = vertical && level && !level.startsWith("k") && !/^(max|sum|top|base)/.test(level) ? {level} : {};
    await exchange(index, await fresh(id, {draw, visible, opacity, ...kept}));
  }

  async function reset(index) {
    const {variable, level, draw} = state.view.layers[index];
    await exchange(index, await fresh(variable, {level, draw}));
  }

  async function exchange(index, layer) {
    show(state.view.layers.map((old, n) => (n === index ? layer : old)));
    if (layer.fit) await fit(index, true);
  }

  function remove(index) { show(state.view.layers.filter((_, n) => n !== index)); }

  function up(index) {
    const layers = [...state.view.layers];
    layers.splice(index + 1, 0, ...layers.splice(index, 1));
    show(layers);
  }

  // A surface of another kind of values has colours of its own; a range that was chosen is kept.
  async function patch(index, changes) {
    const old = state.view.layers[index], next = {...old, ...(changes.range ? {fit: false} : {}), ...changes}, kind = (level) => (givesHeights(level) ? "height" : parseSurface(level)?.kind === "sum" ? "sum" : "");
    if (changes.level !== undefined && kind(changes.level) !== kind(old.level)) return exchange(index, await fresh(old.variable, {level: next.level, draw: next.draw, visible: next.visible, opacity: next.opacity}));
    change({layers: state.view.layers.map((one, n) => (n === index ? next : one)), time: currentRule()}, {newEntry: changes.opacity === undefined && changes.level === undefined});
    if (next.fit && changes.level !== undefined) await fit(index, true);
    return undefined;
  }

  /** Colours from the smallest to the largest value in sight at the step on screen. follows: again on each surface, and nothing is said where there are no values. */
  async function fit(index, follows = false) {
    const entry = state.resolved.layers[index], what = whatOf(state.resolved, entry, state.resolved.times[state.index]);
    if (!what) return;
    const said = follows ? () => {} : say;
    let low = Infinity, high = -Infinity;
    try {
      for (const {values} of await Promise.all(map().tilesInSight(FIT_TILES).map((tile) => maps.values(what, tile)))) for (const value of values) if (!Number.isNaN(value)) [low, high] = [Math.min(low, value), Math.max(high, value)];
    } catch (error) {
      return said("fit", {kind: "warning", text: `The values could not be had: ${error.message}`, seconds: 8});
    }
    if (state.resolved?.layers[index]?.layer !== entry.layer) return undefined; // something else is there by now
    if (!(high > low)) return said("fit", {text: high === low ? "All values in sight are the same." : "There are no values in sight.", seconds: 6});
    return patch(index, {range: roundedRange([low, high], displayUnits(entry.shown, entry.layer.units)), fit: follows});
  }

  return {complete, add, replace, reset, remove, up, patch, fit, refit};
}

// Ends that are round numbers where they are shown, a little outside.
function roundedRange([low, high], shown) {
  const [a, b] = [shown.toShown(low), shown.toShown(high)].sort((x, y) => x - y), ticks = niceTicks(a, b, 12), step = ticks.length > 1 ? ticks[1] - ticks[0] : b - a;
  return [Math.floor(a / step + 1e-9) * step, Math.ceil(b / step - 1e-9) * step].map((end) => Number(shown.toOwn(end).toPrecision(9))).sort((x, y) => x - y);
}

// Index of a layer's step at a time; -1 where it has none.
function stepOf({variable, series}, iso) {
  if (!series) return -1;
  return variable.constant ? 0 : series.times.findIndex((time) => time === iso || Math.abs(Date.parse(time) - Date.parse(iso)) <= 1000 * SAME_TIME);
}

/** What net/maps.js takes for a layer of a resolved map at a step's time; null where the layer has no such step. */
export function whatOf({dataset, run}, {layer, variable, series, member, fade}, iso) {
  const step = stepOf({variable, series}, iso);
  if (step < 0) return null;
  return {dataset: dataset.id, variable: variable.id, run: run.time, time: variable.constant ? null : series.times[step], ...layerQuery(layer, memberLabels(variable)[member] ?? "", fade)};
}

/** A text that changes with what a layer's step is made from. */
export function stampOf(entry, iso) {
  return entry.series?.editions?.[stepOf(entry, iso)] ?? entry.series?.edition ?? "";
}

/** Looks up what a complete map names, as resolveView does; of each layer also `shown`, `fade`, `place` (the surface in words) and `lines` (it is drawn in lines alone). */
export function resolveMap(view, catalog, presets) {
  const resolved = resolveView(view, catalog);
  for (const entry of resolved.layers) {
    const {layer, variable} = entry, preset = presetFor(variable, presets);
    entry.shown = asShown(variable, layer.level);
    entry.place = surfaceTitle(layer.level);
    entry.title = [variableTitle(variable), entry.place].filter(Boolean).join(", ");
    entry.fade = entry.shown === variable && FADING.includes(preset.colour_map) && layer.colour_map === preset.colour_map;
    entry.lines = !layer.draw.startsWith("fill");
    entry.opacity = entry.fade ? presetLayer({...variable, vertical: null}, presets).opacity : [[0, 1]];
  }
  return resolved;
}

/** What the server says in a layer's TileJSON of the distance of its contours; null where it says nothing. */
export function usualInterval({virga}) {
  const interval = Number(/;interval=([0-9.eE+-]+)/.exec(virga?.style ?? "")?.[1] ?? NaN);
  return interval > 0 ? interval : null;
}

/** What ui/legend.js shows for the visible layers, the topmost first. `usualInterval` of an entry is what contours have where the layer says nothing. */
export function shownLegends({layers}) {
  return layers.filter(({layer}) => layer.visible !== false).map((entry) => {
    const {layer, place} = entry, interval = layer.interval ?? entry.usualInterval, units = displayUnits(entry.shown, layer.units);
    const every = interval ? `${LINES.contours} every ${shortNumber(interval * Math.abs(units.scale), 4)}` : LINES.contours;
    const words = entry.lines ? (layer.draw === "contours" ? every : LINES[layer.draw]) : null;
    return {...entry, lines: words, place: [place, layer.draw === "fill-contours" ? every.toLowerCase() : ""].filter(Boolean).join(", "), layer: {...layer, opacity: entry.opacity}};
  }).reverse();
}
