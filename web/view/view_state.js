// SPDX-License-Identifier: Apache-2.0
// The view document checked: the mirror of render/view.schema.json and render/view.c, with the same words for each error.
//
// validateView(value) returns a new, complete document (defaults filled in; what the presets give may be absent in layers, and
// camera, size and what only the program's own pictures have may be absent) or throws a ViewError whose `field` names the place,
// as in "layers[0].opacity[1][0]".

import {
  boolean, byteLength, checkObject, integer, list, noOthers, number, optional, required, text, ViewError, withoutUndefined,
} from "./document.js";
import {checkCamera, checkLevel, checkTime, isTime} from "./view_check.js";
import {checkSequence} from "./view_sequence.js";

export {ViewError};
export const VIEW_LIMITS = {bytes: 65536, layers: 8, opacityPoints: 32};

const ID = /^[A-Za-z0-9_.-]+$/;
const COLOUR_MAP = /^[a-z0-9_]+$/;
const DEFAULT_SUN = {azimuth: 225, elevation: 40};

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
    captions: optional(value, "captions", undefined, captions),
    antialiasing: optional(value, "antialiasing", undefined, (v, f) => integer(v, f, 1, 4)),
    transparent: optional(value, "transparent", undefined, boolean),
    sequence: optional(value, "sequence", undefined, checkSequence),
  };
  noOthers(value, ["version", "dataset", "run", "time", "member", "layers", "camera", "light", "exaggeration", "map", "size", "captions", "antialiasing",
    "transparent", "sequence"], "");
  return withoutUndefined(view);
}

function checkRun(value, field) {
  if (value === "latest" || isTime(value)) return value;
  throw new ViewError(field, 'expected "latest" or a time such as "2009-11-19T03:00:00Z"');
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
    level: optional(value, "level", undefined, checkLevel, field),
    minus: optional(value, "minus", undefined, minus, field),
  };
  noOthers(value, ["variable", "visible", "colour_map", "range", "units", "opacity", "shading", "level", "minus"], field);
  if (result.level !== undefined && result.minus) throw new ViewError(field, "a difference has no level");
  return withoutUndefined(result);
}

function minus(value, field) {
  checkObject(value, field);
  const result = withoutUndefined({
    variable: optional(value, "variable", undefined, (v, f) => text(v, f, 200, ID, "an identifier"), field),
    run: optional(value, "run", undefined, checkMinusRun, field),
    member: optional(value, "member", undefined, (v, f) => integer(v, f, 0, 100000), field),
  });
  noOthers(value, ["variable", "run", "member"], field);
  if (!Object.keys(result).length) throw new ViewError(field, "expected a variable, a run or a member");
  return result;
}

function checkMinusRun(value, field) {
  if (value === "previous" || value === "latest" || isTime(value)) return value;
  throw new ViewError(field, 'expected "previous", "latest" or a time such as "2009-11-19T03:00:00Z"');
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
  const result = checkCamera(value, field);
  noOthers(value, Object.keys(result), field);
  return result;
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

// Of pictures that the program draws; the page keeps them as they are.
function captions(value, field) {
  checkObject(value, field);
  const result = {
    show: optional(value, "show", undefined, boolean, field),
    title: optional(value, "title", undefined, caption, field),
    attribution: optional(value, "attribution", undefined, caption, field),
    legend: optional(value, "legend", undefined, boolean, field),
  };
  noOthers(value, ["show", "title", "attribution", "legend"], field);
  return withoutUndefined(result);
}

function caption(value, field) {
  if (typeof value === "string" && byteLength(value) > 200) throw new ViewError(field, "expected at most 200 bytes of text");
  return value === "" ? value : text(value, field, 200, null, "");
}
