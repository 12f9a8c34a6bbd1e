// SPDX-License-Identifier: Apache-2.0
// What a variable looks like before anybody touches it: assets/presets.json by CF standard name, else by unit, else by the range
// of the data. The results are parts of a view's layer, in the variable's own units.
import {asDifference, conversion, displayUnits, niceTicks, ownUnits} from "./units.js";

const LAST_RESORT = {colour_map: "lagoon", range: "data", opacity: {of: "range", points: [[0, 0], [0.2, 0.01], [0.6, 0.06], [1, 0.4]]}};
const DIFFERENCES = {colour_map: "blue_white_red", share: 0.02, opacity: {points: [[0, 0.4], [0.5, 0], [1, 0.4]]}, ground: {points: [[0, 0.85], [0.5, 0], [1, 0.85]]}};
const GROUND_OPACITY = 0.85;
const WEATHER_DEPTH = 10000; // m
const FITTED_MAPS = ["temperature", "thermal", "lagoon", "terrain"]; // where no colour has a meaning of its own
const SPREAD_STEPS = 256; // a spread of which nothing is known yet
const LITTLE = 0.4; // of a preset's range

/** The preset that holds for a variable, converted to its units; `range` may be "data". */
export function presetFor(variable, presets) {
  if (variable.statistic === "spread") return presets?.statistics?.spread ?? presets?.default ?? LAST_RESORT;
  const named = presets?.standard_names?.[variable.standard_name];
  const converted = named ? inUnitsOf(named, variable) : null;
  if (converted) return converted;
  const byUnit = presets?.units?.[ownUnits(variable)];
  return (byUnit ? inUnitsOf(byUnit, variable) : null) ?? presets?.default ?? LAST_RESORT;
}

function inUnitsOf(preset, variable) {
  if (preset.units === undefined) return preset;
  const change = toOwn(preset.units, variable);
  if (!change) return null;
  const to = (value) => roundOff(value * change.scale + change.offset);
  const relative = preset.opacity.of === "range";
  return {
    ...preset,
    range: Array.isArray(preset.range) ? preset.range.map(to) : preset.range,
    opacity: relative ? preset.opacity : {...preset.opacity, points: preset.opacity.points.map(([v, o]) => [to(v), o])},
  };
}

// How a preset's units become the variable's: by the page's table, or backwards by the catalog's choices; null where they cannot.
function toOwn(units, variable) {
  const change = conversion(units, ownUnits(variable));
  const choice = change ? null : variable.units_choices?.find((one) => one.units === units);
  return choice ? {scale: 1 / choice.scale, offset: -choice.offset / choice.scale} : change;
}

/** True where presetLayer makes use of the range of the data. */
export function needsDataRange(variable, presets) {
  const preset = presetFor(variable, presets);
  return preset.range === "data" || FITTED_MAPS.includes(preset.colour_map);
}

/**
 * {colour_map, range, units, opacity} for a variable; a slice of one looks as what lies on the ground does. `dataRange` is [smallest, largest] or null; without it a "data" range
 * is guessed from the lattice, whose ε is 1/4096 of the first step's range where no table names it.
 */
export function presetLayer(ofVariable, presets, dataRange = null, {difference = false, slice = false} = {}) {
  const variable = slice ? {...ofVariable, vertical: null} : ofVariable, preset = presetFor(variable, presets);
  if (difference) return differenceLayer(variable, preset, presets);
  const whole = Array.isArray(preset.range) ? preset.range : rising(rangeFromData(variable, dataRange));
  const range = fitted(whole, preset, dataRange);
  const [lo, hi] = range;
  let points = preset.opacity.points;
  if (range !== whole && preset.opacity.of !== "range") points = points.map(([value, opacity]) => [moved(value, whole, range), opacity]);
  if (preset.opacity.of === "range") points = points.map(([share, opacity]) => [roundOff(lo + share * (hi - lo)), opacity]);
  if (!variable.vertical && !["rain", "cloud"].includes(preset.colour_map)) points = [[lo, GROUND_OPACITY], [hi, GROUND_OPACITY]];
  if (variable.vertical) points = points.map(([value, opacity]) => [value, forDepth(opacity, variable)]);
  return {
    colour_map: preset.colour_map,
    range: [lo, hi],
    units: displayUnits(variable).label || "1",
    opacity: points.map((point) => [...point]),
  };
}

// From what a variable looks like to what its differences do: as far either way from 0 as they usually reach.
function differenceLayer(variable, preset, presets) {
  const [lo, hi] = Array.isArray(preset.range) ? preset.range : rising(rangeFromData(variable, null));
  const {colour_map, share, shares = {}, opacity, ground} = presets?.differences ?? DIFFERENCES;
  const reach = roundUp((shares[preset.colour_map] ?? share) * (hi - lo));
  const {points} = variable.vertical ? opacity : ground;
  return {
    colour_map,
    range: [-reach, reach],
    units: displayUnits(asDifference(variable)).label || "1",
    opacity: points.map(([at, most]) => [roundOff(-reach + at * (reach - -reach)), variable.vertical ? forDepth(most, variable) : most]),
  };
}

// A round number not much below another.
function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return roundOff(([1, 2, 5].find((multiple) => multiple * power >= value * 0.999) ?? 10) * power);
}

// A preset spans all weather; where the data fills little of it, as in a shallow volume, the colours span the data.
function fitted(range, preset, dataRange) {
  if (!FITTED_MAPS.includes(preset.colour_map) || preset.range === "data" || !dataRange || !(dataRange[1] > dataRange[0])) return range;
  if (dataRange[1] - dataRange[0] > LITTLE * (range[1] - range[0])) return range;
  const [first, second] = niceTicks(dataRange[0], dataRange[1], 10), step = second - first;
  if (!(step > 0)) return range;
  return [roundOff(Math.floor(dataRange[0] / step) * step), roundOff(Math.ceil(dataRange[1] / step) * step)];
}

function moved(value, [fromLow, fromHigh], [toLow, toHigh]) {
  return roundOff(toLow + ((value - fromLow) / (fromHigh - fromLow)) * (toHigh - toLow));
}

// The presets' opacities are for a volume as deep as the weather; a shallow one is made as visible as the whole of that would be.
function forDepth(opacity, variable) {
  const [low, high] = variable.vertical.heights ?? [0, WEATHER_DEPTH];
  const times = Math.min(12, Math.max(1, WEATHER_DEPTH / Math.max(1, high - low)));
  return Number((1 - (1 - opacity) ** times).toPrecision(4));
}

// Colours need two values; numbers of nine digits may have become one.
function rising([lo, hi]) {
  const margin = Math.max(Math.abs(lo) * 1e-6, 1e-6);
  return hi > lo ? [lo, hi] : [roundOff(lo - margin), roundOff(lo + margin)];
}

function rangeFromData(variable, dataRange) {
  if (variable.statistic === "spread") return [0, roundOff(dataRange?.[1] > 0 ? dataRange[1] : SPREAD_STEPS * (variable.epsilon || 1 / SPREAD_STEPS))];
  if (dataRange && Number.isFinite(dataRange[0]) && Number.isFinite(dataRange[1])) {
    const [lo, hi] = dataRange;
    if (hi > lo) return [roundOff(lo), roundOff(hi)];
    const margin = Math.max(Math.abs(lo) * 0.01, variable.epsilon ?? 1e-6);
    return [roundOff(lo - margin), roundOff(hi + margin)];
  }
  const v0 = variable.lattice?.v0 ?? 0;
  return [roundOff(v0), roundOff(v0 + 4096 * (variable.epsilon || 1 / 4096))];
}

function roundOff(number) {
  return Number(number.toPrecision(9));
}

/** What a variable is called in lists and legends: its long name (which for derived ones tells where from, and is too long; of what is made of all members it is what is before the last comma), else its standard name in words, else its own name. */
export function variableTitle(variable) {
  const text = (variable.statistic && variable.long_name && `${variable.long_name.replace(/, [^,]*$/, "")}, ${variable.statistic}`) || (variable.derived && variable.standard_name ? "" : variable.long_name) || (variable.standard_name ?? "").replaceAll("_", " ") || variable.name || variable.id;
  return text.charAt(0).toUpperCase() + text.slice(1);
}
