// SPDX-License-Identifier: Apache-2.0
// Horizontal surfaces and quantities of columns, as texts in addresses (tiler/tile/surface.h) and as choices for people. Pure.
//
// A surface is {kind, value}; value null where the kind has none. "850hPa" 850 (hPa), "1500m", "100m-above-ground" (m), "FL100", "300K", "k5",
// "max", "sum", "top:0.5", "base:0.5" (in the variable's units), "" for a field on the ground.

const FORMS = [
  ["pressure", /^([0-9.]+)hPa$/, (value) => `${value}hPa`],
  ["pressure", /^([0-9.]+)Pa$/, null, 0.01],
  ["height", /^(-?[0-9.]+)m$/, (value) => `${value}m`],
  ["height", /^(-?[0-9.]+)km$/, null, 1000],
  ["above-ground", /^([0-9.]+)m-above-ground$/, (value) => `${value}m-above-ground`],
  ["flight-level", /^FL([0-9.]+)$/, (value) => `FL${value}`],
  ["theta", /^([0-9.]+)K$/, (value) => `${value}K`],
  ["level", /^k([0-9]+)$/, (value) => `k${value}`],
  ["max", /^max$/, () => "max"],
  ["sum", /^sum$/, () => "sum"],
  ["top", /^top(?::(-?[0-9.eE+-]+))?$/, (value) => (value === null ? "top" : `top:${value}`)],
  ["base", /^base(?::(-?[0-9.eE+-]+))?$/, (value) => (value === null ? "base" : `base:${value}`)],
  ["own", /^$/, () => ""],
];

const DEEP = 4000; // m

// label: in the list; unit: beside the number; title: of the picture.
export const SURFACE_KINDS = {
  pressure: {label: "Pressure", unit: "hPa", title: (value) => `${value} hPa`, values: [1000, 950, 925, 900, 850, 800, 700, 600, 500, 400, 300, 250, 200, 150, 100, 70, 50, 30, 20, 10]},
  height: {label: "Height above the sea", unit: "m", title: (value) => `${value} m`, values: [10, 50, 100, 200, 300, 500, 750, 1000, 1500, 2000, 2500, 3000, 4000, 5000, 6000, 7000, 8000, 9000, 10000, 12000, 15000, 20000, 30000]},
  "above-ground": {label: "Height above the ground", unit: "m", title: (value) => `${value} m above ground`, values: [10, 20, 50, 80, 100, 150, 200, 300, 500, 750, 1000, 1500, 2000, 3000, 5000]},
  "flight-level": {label: "Flight level", unit: "FL", title: (value) => `FL${String(value).padStart(3, "0")}`, values: [10, 20, 30, 50, 70, 100, 140, 180, 210, 240, 270, 300, 320, 340, 360, 390, 430, 450]},
  theta: {label: "Potential temperature", unit: "K", title: (value) => `θ = ${value} K`, values: [270, 280, 290, 300, 305, 310, 315, 320, 325, 330, 335, 340, 350, 360, 370, 380, 400, 450, 500]},
  level: {label: "Model level", unit: "", title: (value) => `model level ${value}`, values: null},
  max: {label: "Largest of the column", title: () => "column maximum"},
  sum: {label: "Sum of the column", title: () => "sum of the column"},
  top: {label: "Top", threshold: true, title: (value) => (value === null ? "top" : `top of ≥ ${value}`)},
  base: {label: "Base", threshold: true, title: (value) => (value === null ? "base" : `base of ≥ ${value}`)},
  own: {label: "On the ground", title: () => ""},
};

/** {kind, value}, or null for a text that is none. */
export function parseSurface(text) {
  for (const [kind, pattern, , times = 1] of FORMS) {
    const found = pattern.exec(text ?? "");
    if (!found) continue;
    const value = found[1] === undefined ? null : Number(found[1]) * times;
    return value === null || Number.isFinite(value) ? {kind, value} : null;
  }
  return null;
}

/** The text of a surface. */
export function writeSurface({kind, value}) {
  return FORMS.find(([name, , write]) => name === kind && write)[2](value);
}

/** For people: "850 hPa", "FL100", "θ = 300 K"; "" for a field on the ground. */
export function surfaceTitle(text) {
  const surface = parseSurface(text);
  return surface ? SURFACE_KINDS[surface.kind].title(surface.value) : text;
}

/** Whether values on it are heights in metres and not the variable's own. */
export function givesHeights(text) {
  return ["top", "base"].includes(parseSurface(text)?.kind);
}

/** Kinds that a variable can be shown on, its usual one first is not said here: [kind]. */
export function surfaceKinds(variable) {
  if (!variable.vertical) return ["own"];
  const kinds = Object.keys(SURFACE_KINDS).filter((kind) => kind !== "own");
  return isAmount(variable) ? kinds : kinds.filter((kind) => !["sum", "top", "base"].includes(kind));
}

// What there can be none of, so that a column has a sum, a top and a base.
function isAmount({standard_name: name = ""}) {
  return /cloud|mass_fraction|mixing_ratio|mass_concentration|number_concentration|precipitation|rain|snow|graupel|hail/.test(name) || name === "";
}

/** Usual numbers of a kind for a variable, from the ground up; [] where it has none. */
export function surfaceValues(kind, variable) {
  const {values} = SURFACE_KINDS[kind], {levels = 1, heights} = variable.vertical ?? {};
  if (kind === "level") return Array.from({length: levels}, (_, k) => k);
  if (!values) return [];
  if (kind === "height" && heights) return values.filter((metres) => metres >= heights[0] && metres <= heights[1]);
  if (kind === "above-ground" && heights) return values.filter((metres) => metres <= heights[1]);
  const top = heights ? standardPressure(heights[1]) : 10;
  if (kind === "pressure") return values.filter((pressure) => pressure >= top - 1);
  if (kind === "flight-level" && heights) return values.filter((level) => level * 30.48 <= heights[1]);
  return values;
}

// hPa of the standard atmosphere, roughly: which surfaces are worth offering.
function standardPressure(metres) {
  return metres < 11000 ? 1013.25 * (1 - 2.25577e-5 * metres) ** 5.2559 : 226.32 * Math.exp((11000 - metres) / 6341.6);
}

/** The surface that a map of a variable begins with: what there is of clouds and rain anywhere above, else 850 hPa, else the lowest level (of shallow volumes, which may reach up there over mountains only). */
export function usualSurface(variable) {
  if (!variable.vertical) return "";
  if (isAmount(variable) && variable.standard_name) return "max";
  return (variable.vertical.heights?.[1] ?? 0) >= DEEP ? "850hPa" : "k0";
}

/** The next usual number up (1) or down (−1) from a surface; the surface itself where there is none. */
export function stepSurface(text, variable, by) {
  const surface = parseSurface(text);
  if (!surface || surface.value === null) return text;
  const values = surfaceValues(surface.kind, variable), downward = surface.kind === "pressure";
  const above = (value) => (downward ? value < surface.value : value > surface.value), below = (value) => (downward ? value > surface.value : value < surface.value);
  const next = by > 0 ? values.find(above) : values.findLast(below);
  return next === undefined ? text : writeSurface({kind: surface.kind, value: next});
}
