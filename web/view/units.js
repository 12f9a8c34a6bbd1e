// SPDX-License-Identifier: Apache-2.0
// Units as they are shown. A file's unit is what values travel in; what people read may be another one of the same kind.

// Spellings of one unit, by the CF spelling.
const SPELLINGS = {
  K: ["K", "kelvin", "Kelvin", "degK", "deg_K", "degree_K", "degrees_K"],
  degC: ["degC", "deg_C", "celsius", "Celsius", "degree_C", "degrees_C", "degree_Celsius", "°C", "C"],
  "m s-1": ["m s-1", "m/s", "m s**-1", "m s^-1", "m.s-1", "m sec-1", "meters/second", "metre second-1", "meter second-1", "ms-1"],
  kt: ["kt", "kts", "knot", "knots"],
  Pa: ["Pa", "pascal", "Pascal", "pascals"],
  hPa: ["hPa", "mbar", "mb", "millibar", "millibars", "hectopascal"],
  1: ["1", "", "-", "fraction", "(0 - 1)", "0-1", "proportion"],
  "%": ["%", "percent", "Percent"],
  "kg kg-1": ["kg kg-1", "kg/kg", "kg kg**-1", "kg kg^-1", "kg.kg-1"],
  "g kg-1": ["g kg-1", "g/kg", "g kg**-1"],
  m: ["m", "metre", "metres", "meter", "meters", "gpm", "Meter"],
  km: ["km", "kilometre", "kilometer", "kilometers"],
  "kg m-2 s-1": ["kg m-2 s-1", "kg/m2/s", "kg m**-2 s**-1", "kg/m^2/s"],
  "mm h-1": ["mm h-1", "mm/h", "mm hr-1", "mm/hr"],
  degree: ["degree", "degrees", "deg", "°", "degree_true", "degrees_true"],
};

// Each kind: how a unit's number becomes the base's: base = number * scale + offset. The first is the base.
const KINDS = [
  {K: [1, 0], degC: [1, 273.15], degF: [5 / 9, 459.67 * 5 / 9]},
  {"m s-1": [1, 0], kt: [1852 / 3600, 0], "km h-1": [1 / 3.6, 0]},
  {Pa: [1, 0], hPa: [100, 0]},
  {1: [1, 0], "%": [0.01, 0]},
  {"kg kg-1": [1, 0], "g kg-1": [0.001, 0]},
  {m: [1, 0], km: [1000, 0], ft: [0.3048, 0]},
  {"kg m-2 s-1": [1, 0], "mm h-1": [1 / 3600, 0]},
];

const LABELS = {degC: "°C", degF: "°F", "m s-1": "m/s", "km h-1": "km/h", "kg kg-1": "kg/kg", "g kg-1": "g/kg", "mm h-1": "mm/h",
  degree: "°", 1: ""};
const PREFERRED = {K: "degC", Pa: "hPa", "kg kg-1": "g kg-1", "kg m-2 s-1": "mm h-1", 1: "%"};
const SUPERSCRIPTS = {"-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹"};

/** The CF spelling of a unit that is known, else the text as it is. */
export function canonicalUnits(units) {
  const text = (units ?? "").trim();
  for (const [name, spellings] of Object.entries(SPELLINGS)) if (spellings.includes(text)) return name;
  return text;
}

/** How a unit is written for people: "m/s", "°C", "kg m⁻² s⁻¹"; "" for a plain number. */
export function unitsLabel(units) {
  const name = canonicalUnits(units);
  if (Object.hasOwn(LABELS, name)) return LABELS[name];
  return name.replace(/(?<=[A-Za-z])(?:\*\*|\^)?(-?[0-9]+)/g, (_, power) => [...power].map((c) => SUPERSCRIPTS[c]).join(""));
}

function kindOf(units) {
  return KINDS.find((kind) => Object.hasOwn(kind, units));
}

/** {scale, offset} with to = from * scale + offset; null where the two units are not of one known kind. */
export function conversion(from, to) {
  const a = canonicalUnits(from);
  const b = canonicalUnits(to);
  if (a === b) return {scale: 1, offset: 0};
  const kind = kindOf(a);
  if (!kind || !Object.hasOwn(kind, b)) return null;
  return {scale: kind[a][0] / kind[b][0], offset: (kind[a][1] - kind[b][1]) / kind[b][0]};
}

/** The variable's own unit as CF spells it; the catalog knows more spellings than this page. */
export function ownUnits(variable) {
  return variable.units_canonical ?? canonicalUnits(variable.units);
}

// A spread is a difference: it changes units without offset, and one in degrees Celsius is one in kelvins.
function isDifference(variable) {
  return variable.statistic === "spread" || Boolean(variable.taken);
}

/** How the numbers of one variable become another's: {scale, offset}; null where they are of different kinds. */
export function conversionBetween(from, to) {
  const own = ownUnits(from), other = ownUnits(to);
  const choice = from.units_choices?.find(({units}) => units === other);
  const change = conversion(own, other) ?? (choice ? {scale: choice.scale, offset: choice.offset} : null);
  return change && isDifference(from) ? {scale: change.scale, offset: 0} : change;
}

/** A variable as its differences are shown: in units without offset, a difference of temperatures in its own. */
export function asDifference(variable, epsilon) {
  const choices = displayChoices(variable), own = choices.find(({units}) => units === ownUnits(variable)) ?? choices[0];
  const first = kindOf(own.units)?.K ? own : choices[0], kept = [];
  for (const choice of [first, own, ...choices]) if (!kept.some(({scale}) => Math.abs(scale - choice.scale) <= 1e-9 * Math.abs(scale))) kept.push({units: choice.units, scale: choice.scale, offset: 0});
  return {...variable, taken: true, epsilon, units_choices: kept};
}

/** The units a variable may be shown in, the usual one first: [{units, scale, offset}]. The catalog's where it tells them. */
export function displayChoices(variable) {
  if (variable.units_choices?.length) return variable.units_choices;
  const own = ownUnits(variable);
  return namesOfChoices(own, variable.standard_name ?? "").map((units) => ({units, ...conversion(own, units)}));
}

function namesOfChoices(own, standardName) {
  const kind = kindOf(own);
  if (!kind) return [own];
  if (own === "1" && !/fraction|humidity|probability|mask/.test(standardName)) return [own];
  if (kind.m && !/height|altitude|visibility|thickness/.test(standardName)) return [own];
  const first = /potential_temperature/.test(standardName) ? own : PREFERRED[own] ?? own;
  return [first, ...Object.keys(kind).filter((name) => name !== first)];
}

function choiceFor(variable, wanted) {
  const choices = displayChoices(variable);
  if (wanted === undefined) return choices[0];
  const named = canonicalUnits(wanted);
  const asked = isDifference(variable) && named === "degC" ? "K" : named;
  return choices.find(({units}) => units === asked || unitsLabel(units) === wanted) ?? choices[0];
}

/**
 * How a variable is shown: {units, label, scale, offset, toShown(value), toOwn(shown), spread(ε)}. `wanted` is the view's
 * choice; the usual unit where it is absent or cannot be had.
 */
export function displayUnits(variable, wanted) {
  const {units, scale, offset} = choiceFor(variable, wanted);
  return {
    units,
    label: unitsLabel(units),
    scale,
    offset,
    toShown: (value) => value * scale + offset,
    toOwn: (shown) => (shown - offset) / scale,
    spread: (epsilon) => epsilon * Math.abs(scale),
  };
}

/** Decimals that a number known to within `epsilon` deserves. */
export function decimalsFor(epsilon) {
  if (!(epsilon > 0) || !Number.isFinite(epsilon)) return 3;
  return Math.min(8, Math.max(0, Math.ceil(-Math.log10(epsilon) - 1e-9)));
}

/** A number with a real minus sign and fixed decimals; very large and very small ones as powers of ten. */
export function formatNumber(number, decimals) {
  if (number === null || number === undefined || Number.isNaN(number)) return "missing";
  const size = Math.abs(number);
  if (size !== 0 && (size >= 1e6 || decimals > 6)) return minus(number.toExponential(2)).replace(/e\+?(−?[0-9]+)/, " × 10^$1");
  const text = number.toFixed(decimals);
  return minus(/^-0(\.0*)?$/.test(text) ? text.slice(1) : text);
}

function minus(text) {
  return text.replace(/-/g, "−");
}

/** A short number for axes and fields: up to `digits` significant digits, no trailing zeros. */
export function shortNumber(number, digits = 6) {
  return minus(String(Number(number.toPrecision(digits))));
}

/** About `count` round values within [lo, hi], rising. */
export function niceTicks(lo, hi, count = 5) {
  if (!(hi > lo)) return [lo];
  const raw = (hi - lo) / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((m) => m * power).find((s) => s >= raw * 0.999);
  const ticks = [];
  const first = Math.ceil(lo / step - 1e-9);
  for (let i = first; i * step <= hi + step * 1e-9; i++) ticks.push(Number((i * step).toPrecision(12)));
  return ticks;
}
