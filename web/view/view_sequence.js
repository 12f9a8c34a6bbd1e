// SPDX-License-Identifier: Apache-2.0
// The member "sequence" of a view document checked: the mirror of render/sequence.c, with the same words for each error.
import {checkObject, integer, list, number, oneOf, optional, required, noOthers, ViewError, withoutUndefined} from "./document.js";
import {checkCamera, checkTime} from "./view_check.js";

export const SEQUENCE_LIMITS = {times: 1000, keys: 256, frames: 100000};

/** Returns the checked member. Nothing is filled in but cameras: what is absent has a meaning of its own. */
export function checkSequence(value, field) {
  checkObject(value, field);
  const result = {
    times: optional(value, "times", undefined, checkTimes, field),
    fps: optional(value, "fps", undefined, (v, f) => number(v, f, 0.1, 240), field),
    rate: optional(value, "rate", undefined, (v, f) => number(v, f, 0.001, 1000), field),
    orbit: optional(value, "orbit", undefined, (v, f) => number(v, f, -36000, 36000), field),
    frames: optional(value, "frames", undefined, (v, f) => integer(v, f, 1, SEQUENCE_LIMITS.frames), field),
    camera_path: optional(value, "camera_path", undefined, checkPath, field),
    format: optional(value, "format", undefined, (v, f) => oneOf(v, f, ["png", "jpeg"]), field),
    quality: optional(value, "quality", undefined, (v, f) => integer(v, f, 1, 100), field),
  };
  if (result.fps === undefined) checkNoFilm(result, field);
  noOthers(value, Object.keys(result), field);
  return withoutUndefined(result);
}

function checkTimes(value, field) {
  if (Array.isArray(value)) return list(value, field, 1, SEQUENCE_LIMITS.times).map((v, i) => checkTime(v, `${field}[${i}]`));
  if (typeof value === "object" && value !== null) return checkSpan(value, field);
  if (value !== "all") throw new ViewError(field, 'expected "all", a list of times, or from and to');
  return value;
}

function checkSpan(value, field) {
  const result = {
    from: checkTime(required(value, "from", `${field}.from`), `${field}.from`),
    to: checkTime(required(value, "to", `${field}.to`), `${field}.to`),
    every: optional(value, "every", undefined, (v, f) => number(v, f, 0.01, 10000), field),
  };
  noOthers(value, ["from", "to", "every"], field);
  return withoutUndefined(result);
}

const PLACES = {
  frame: (v, f) => integer(v, f, 0, SEQUENCE_LIMITS.frames - 1),
  second: (v, f) => number(v, f, 0, 1e6),
  time: checkTime,
};

function checkKey(value, field) {
  checkObject(value, field);
  const places = Object.keys(PLACES).filter((name) => Object.hasOwn(value, name));
  if (places.length !== 1) throw new ViewError(field, "expected one of frame, second, time");
  const [place] = places;
  const result = {[place]: PLACES[place](value[place], `${field}.${place}`), ...checkCamera(value, field)};
  noOthers(value, Object.keys(result), field);
  return result;
}

// Of the order, what can be told before the forecast is known: that of two keys after another which count alike.
function checkPath(value, field) {
  const keys = list(value, field, 1, SEQUENCE_LIMITS.keys).map((v, i) => checkKey(v, `${field}[${i}]`));
  for (let i = 1; i < keys.length; i++) {
    for (const place of ["frame", "second"]) {
      if (keys[i][place] <= keys[i - 1][place]) throw new ViewError(`${field}[${i}].${place}`, "expected more than the one before");
    }
  }
  return keys;
}

// Members that mean nothing without frames a second.
function checkNoFilm({rate, camera_path: path = []}, field) {
  if (rate !== undefined) throw new ViewError(`${field}.rate`, "expected only beside fps");
  const key = path.findIndex(({second}) => second !== undefined);
  if (key >= 0) throw new ViewError(`${field}.camera_path[${key}].second`, "expected only beside fps");
}
