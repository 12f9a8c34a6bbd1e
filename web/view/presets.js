// SPDX-License-Identifier: Apache-2.0
// What a variable looks like before anybody touches it: assets/presets.json by CF standard name, else by unit, else by the range
// of the data. The results are parts of a view's layer, in the variable's own units.
import {canonicalUnits, conversion, displayUnits} from "./units.js";

const LAST_RESORT = {colour_map: "lagoon", range: "data", opacity: {of: "range", points: [[0, 0], [0.2, 0.01], [0.6, 0.06], [1, 0.4]]}};
const GROUND_OPACITY = 0.85;

/** The preset that holds for a variable, converted to its units; `range` may be "data". */
export function presetFor(variable, presets) {
  const named = presets?.standard_names?.[variable.standard_name];
  const converted = named ? inUnitsOf(named, variable) : null;
  if (converted) return converted;
  const byUnit = presets?.units?.[canonicalUnits(variable.units)];
  return (byUnit ? inUnitsOf(byUnit, variable) : null) ?? presets?.default ?? LAST_RESORT;
}

function inUnitsOf(preset, variable) {
  if (preset.units === undefined) return preset;
  const change = conversion(preset.units, variable.units);
  if (!change) return null;
  const to = (value) => roundOff(value * change.scale + change.offset);
  const relative = preset.opacity.of === "range";
  return {
    ...preset,
    range: Array.isArray(preset.range) ? preset.range.map(to) : preset.range,
    opacity: relative ? preset.opacity : {...preset.opacity, points: preset.opacity.points.map(([v, o]) => [to(v), o])},
  };
}

/** True where the layer's range must be known from the data before presetLayer can be complete. */
export function needsDataRange(variable, presets) {
  return presetFor(variable, presets).range === "data";
}

/**
 * {colour_map, range, units, opacity} for a variable. `dataRange` is [smallest, largest] or null; without it a "data" range
 * is guessed from the lattice, whose ε is 1/4096 of the first step's range where no table names it.
 */
export function presetLayer(variable, presets, dataRange = null) {
  const preset = presetFor(variable, presets);
  const range = Array.isArray(preset.range) ? [...preset.range] : rangeFromData(variable, dataRange);
  const [lo, hi] = range;
  let points = preset.opacity.points;
  if (preset.opacity.of === "range") points = points.map(([share, opacity]) => [roundOff(lo + share * (hi - lo)), opacity]);
  if (!variable.vertical && !["rain", "cloud"].includes(preset.colour_map)) points = [[lo, GROUND_OPACITY], [hi, GROUND_OPACITY]];
  return {
    colour_map: preset.colour_map,
    range,
    units: displayUnits(variable).label || "1",
    opacity: points.map((point) => [...point]),
  };
}

function rangeFromData(variable, dataRange) {
  if (dataRange && Number.isFinite(dataRange[0]) && Number.isFinite(dataRange[1])) {
    const [lo, hi] = dataRange;
    if (hi > lo) return [roundOff(lo), roundOff(hi)];
    const margin = Math.max(Math.abs(lo) * 0.01, variable.epsilon ?? 1e-6);
    return [roundOff(lo - margin), roundOff(hi + margin)];
  }
  const v0 = variable.lattice?.v0 ?? 0;
  return [v0, v0 + 4096 * (variable.epsilon || 1 / 4096)];
}

function roundOff(number) {
  return Number(number.toPrecision(9));
}

/** What a variable is called in lists and legends: its long name, else its standard name in words, else its own name. */
export function variableTitle(variable) {
  const text = variable.long_name || (variable.standard_name ?? "").replaceAll("_", " ") || variable.name || variable.id;
  return text.charAt(0).toUpperCase() + text.slice(1);
}
