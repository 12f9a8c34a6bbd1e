// SPDX-License-Identifier: Apache-2.0
// The view document checked: the mirror of render/view.schema.json and render/view.c, with the same words for each error.
//
// validateView(value) returns a new, complete document (defaults filled in; what the presets give may be absent in layers, and
// camera and size may be absent) or throws a ViewError whose `field` names the place, as in "layers[0].opacity[1][0]".

export const VIEW_LIMITS = {bytes: 65536, layers: 8, opacityPoints: 32};

export class ViewError extends Error {
  constructor(field, problem) {
    super(`${field}: ${problem}`);
    this.name = "ViewError";
    this.field = field;
    this.problem = problem;
  }
}

const ID = /^[A-Za-z0-9_.-]+$/;
const COLOUR_MAP = /^[a-z0-9_]+$/;
const TIME = /^[0-9]{4,6}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?Z$/;
const LEAD = /^T[+-][0-9]{1,6}(\.[0-9]{1,6})?$/;
const DEFAULT_SUN = {azimuth: 225, elevation: 40};

function byteLength(text) {
  return new TextEncoder().encode(text).length;
}

/** Parses and checks a text. The text is refused before it is parsed when it is too long. */
export function parseView(text) {
  if (byteLength(text) > VIEW_LIMITS.bytes) throw new ViewError("view", `longer than ${VIEW_LIMITS.bytes} bytes`);
  let value;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ViewError("view", `not JSON (${error.message})`);
  }
  return validateView(value);
}

/** Checks a parsed document; see the head of this file. */
export function validateView(value) {
  checkObject(value, "view");
  required(value, "version", "version");
  if (value.version !== 1) throw new ViewError("version", "expected 1");
  const view = {
    version: 1,
    dataset: text(required(value, "dataset", "dataset"), "dataset", 200, ID, "an identifier"),
    run: optional(value, "run", "latest", checkRun),
    time: optional(value, "time", "T+0", checkTime),
    member: optional(value, "member", 0, (v, f) => integer(v, f, 0, 100000)),
    layers: list(required(value, "layers", "layers"), "layers", 0, VIEW_LIMITS.layers).map((v, i) => layer(v, `layers[${i}]`)),
    camera: optional(value, "camera", undefined, camera),
    light: light(value.light, "light"),
    exaggeration: optional(value, "exaggeration", 15, (v, f) => number(v, f, 0.1, 1000)),
    map: map(value.map, "map"),
    size: optional(value, "size", undefined, size),
  };
  noOthers(value, ["version", "dataset", "run", "time", "member", "layers", "camera", "light", "exaggeration", "map", "size"], "");
  return withoutUndefined(view);
}

function checkRun(value, field) {
  if (typeof value === "string" && value.length <= 31 && (value === "latest" || TIME.test(value))) return value;
  throw new ViewError(field, 'expected "latest" or a time such as "2009-11-19T03:00:00Z"');
}

function checkTime(value, field) {
  if (typeof value === "string" && value.length <= 31
      && (value === "nearest to now" || LEAD.test(value) || TIME.test(value))) return value;
  throw new ViewError(field, 'expected "T+6", "nearest to now" or a time such as "2009-11-19T10:00:00Z"');
}

function layer(value, field) {
  checkObject(value, field);
  const result = {
    variable: text(required(value, "variable", `${field}.variable`), `${field}.variable`, 200, ID, "an identifier"),
    visible: optional(value, "visible", true, boolean, field),
    colour_map: optional(value, "colour_map", undefined, (v, f) => text(v, f, 63, COLOUR_MAP, "the name of a colour map"), field),
    range: optional(value, "range", undefined, range, field),
    units: optional(value, "units", undefined, (v, f) => text(v, f, 40, null, ""), field),
    opacity: optional(value, "opacity", undefined, opacity, field),
    shading: optional(value, "shading", true, boolean, field),
  };
  noOthers(value, ["variable", "visible", "colour_map", "range", "units", "opacity", "shading"], field);
  return withoutUndefined(result);
}

function range(value, field) {
  const ends = list(value, field, 2, 2).map((v, i) => number(v, `${field}[${i}]`));
  if (!(ends[1] > ends[0])) throw new ViewError(field, "expected two rising numbers");
  return ends;
}

function opacity(value, field) {
  const points = list(value, field, 1, VIEW_LIMITS.opacityPoints).map((point, i) => {
    const pair = list(point, `${field}[${i}]`, 2, 2);
    return [number(pair[0], `${field}[${i}][0]`), number(pair[1], `${field}[${i}][1]`, 0, 1)];
  });
  for (let i = 1; i < points.length; i++) {
    if (points[i][0] < points[i - 1][0]) throw new ViewError(`${field}[${i}][0]`, "expected a value not below the one before");
  }
  return points;
}

function camera(value, field) {
  checkObject(value, field);
  const result = {
    mode: optional(value, "mode", "orbit", (v, f) => oneOf(v, f, ["orbit", "fly", "top"]), field),
    eye: vector(required(value, "eye", `${field}.eye`), `${field}.eye`),
    target: vector(required(value, "target", `${field}.target`), `${field}.target`),
    up: optional(value, "up", [0, 0, 1], vector, field),
    fov: optional(value, "fov", 40, (v, f) => number(v, f, 1, 120), field),
  };
  if (result.eye.every((v, i) => v === result.target[i])) throw new ViewError(`${field}.target`, "expected a place other than the eye's");
  noOthers(value, ["mode", "eye", "target", "up", "fov"], field);
  return result;
}

function vector(value, field) {
  return list(value, field, 3, 3).map((v, i) => number(v, `${field}[${i}]`, -1e7, 1e7));
}

function light(value, field) {
  if (value === undefined) value = {};
  checkObject(value, field);
  const result = {
    sun: optional(value, "sun", {...DEFAULT_SUN}, sun, field),
    shadows: optional(value, "shadows", true, boolean, field),
    ambient: optional(value, "ambient", 0.35, (v, f) => number(v, f, 0, 1), field),
  };
  noOthers(value, ["sun", "shadows", "ambient"], field);
  return result;
}

function sun(value, field) {
  if (value === "time") return value;
  if (typeof value === "string") throw new ViewError(field, 'expected "time" or an azimuth and an elevation');
  checkObject(value, field);
  const result = {
    azimuth: number(required(value, "azimuth", `${field}.azimuth`), `${field}.azimuth`, 0, 360),
    elevation: number(required(value, "elevation", `${field}.elevation`), `${field}.elevation`, -90, 90),
  };
  noOthers(value, ["azimuth", "elevation"], field);
  return result;
}

function map(value, field) {
  if (value === undefined) value = {};
  checkObject(value, field);
  const names = ["coastlines", "graticule", "terrain", "height_axis"];
  const result = {};
  for (const name of names) result[name] = optional(value, name, true, boolean, field);
  noOthers(value, names, field);
  return result;
}

function size(value, field) {
  return list(value, field, 2, 2).map((v, i) => integer(v, `${field}[${i}]`, 16, 16384));
}

// The kinds of value. Each returns the value or throws.

function checkObject(value, field) {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new ViewError(field, "expected an object");
}

function required(object, name, field) {
  if (!Object.hasOwn(object, name)) throw new ViewError(field, "missing");
  return object[name];
}

function optional(object, name, fallback, check, parent = "") {
  if (!Object.hasOwn(object, name) || object[name] === undefined) return fallback;
  return check(object[name], parent === "" ? name : `${parent}.${name}`);
}

function noOthers(object, names, parent) {
  for (const name of Object.keys(object)) {
    if (!names.includes(name)) throw new ViewError(parent === "" ? name : `${parent}.${name}`, "unknown field");
  }
}

function list(value, field, least, most) {
  if (!Array.isArray(value)) throw new ViewError(field, "expected a list");
  if (value.length < least || value.length > most) {
    throw new ViewError(field, least === most ? `expected ${least} entries` : `expected ${least} to ${most} entries`);
  }
  return value;
}

function number(value, field, least = -Infinity, most = Infinity) {
  if (typeof value !== "number" || !Number.isFinite(value)) throw new ViewError(field, "expected a number");
  if (value < least || value > most) throw new ViewError(field, `expected a number from ${least} to ${most}`);
  return value;
}

function integer(value, field, least, most) {
  if (typeof value !== "number" || !Number.isInteger(value)) throw new ViewError(field, "expected a whole number");
  if (value < least || value > most) throw new ViewError(field, `expected a whole number from ${least} to ${most}`);
  return value;
}

function boolean(value, field) {
  if (typeof value !== "boolean") throw new ViewError(field, "expected true or false");
  return value;
}

function oneOf(value, field, choices) {
  if (!choices.includes(value)) throw new ViewError(field, `expected one of ${choices.join(", ")}`);
  return value;
}

function text(value, field, most, pattern, words) {
  if (typeof value !== "string") throw new ViewError(field, "expected text");
  const length = byteLength(value);
  if (length < 1 || length > most) throw new ViewError(field, `expected 1 to ${most} bytes of text`);
  if (pattern && !pattern.test(value)) throw new ViewError(field, `expected ${words}`);
  if (/[\u0000-\u001f]/.test(value)) throw new ViewError(field, "expected text without control characters");
  return value;
}

function withoutUndefined(object) {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}
