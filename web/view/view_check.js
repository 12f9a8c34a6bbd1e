// SPDX-License-Identifier: Apache-2.0
// Checks of what several parts of a view document hold, as render/view_check.h has them.
import {parseSurface} from "./map_surfaces.js";
import {checkObject, list, number, oneOf, optional, required, ViewError} from "./document.js";

const TIME = /^[0-9]{4,6}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?Z$/;
const LEAD = /^T[+-][0-9]{1,6}(\.[0-9]{1,6})?$/;

export function isTime(value) {
  return typeof value === "string" && value.length <= 31 && TIME.test(value);
}

export function checkTime(value, field) {
  if (isTime(value) || (typeof value === "string" && value.length <= 31 && (value === "nearest to now" || LEAD.test(value)))) return value;
  throw new ViewError(field, 'expected "T+6", "nearest to now" or a time such as "2009-11-19T10:00:00Z"');
}

const LEVEL = /^(k[0-9]{1,4}|FL[0-9]{1,4}|-?[0-9]{1,6}(\.[0-9]{1,6})?(hPa|Pa|m|km|K|m-above-ground))$/;
// Of each kind of surface, as tiler/tile/surface.c has them.
const LIMITS = {level: [0, 9999], height: [-1000, 150000], "above-ground": [0, 150000], pressure: [1e-5, 2000], "flight-level": [0, 2000], theta: [50, 10000]};

/** The surface that a layer is sliced at. */
export function checkLevel(value, field) {
  const surface = typeof value === "string" && LEVEL.test(value) ? parseSurface(value) : null, limits = surface && LIMITS[surface.kind];
  if (limits && surface.value >= limits[0] && surface.value <= limits[1]) return value;
  throw new ViewError(field, 'expected a surface such as "850hPa", "1500m", "FL100", "300K" or "k5"');
}

/** A camera's members; others may stand beside them. */
export function checkCamera(value, field) {
  checkObject(value, field);
  const result = {
    mode: optional(value, "mode", "orbit", (v, f) => oneOf(v, f, ["orbit", "fly", "top"]), field),
    eye: vector(required(value, "eye", `${field}.eye`), `${field}.eye`),
    target: vector(required(value, "target", `${field}.target`), `${field}.target`),
    up: optional(value, "up", [0, 0, 1], vector, field),
    fov: optional(value, "fov", 40, (v, f) => number(v, f, 1, 120), field),
  };
  if (result.eye.every((v, i) => v === result.target[i])) throw new ViewError(`${field}.target`, "expected a place other than the eye's");
  return result;
}

function vector(value, field) {
  return list(value, field, 3, 3).map((v, i) => number(v, `${field}[${i}]`, -1e7, 1e7));
}
