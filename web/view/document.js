// SPDX-License-Identifier: Apache-2.0
// Checks a document member by member, as render/document.c does: each check returns the value or throws a ViewError that names its place.

export class ViewError extends Error {
  constructor(field, problem) {
    super(`${field}: ${problem}`);
    this.name = "ViewError";
    this.field = field;
    this.problem = problem;
  }
}

export function byteLength(text) {
  return new TextEncoder().encode(text).length;
}

export function checkObject(value, field) {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new ViewError(field, "expected an object");
}

export function required(object, name, field) {
  if (!Object.hasOwn(object, name)) throw new ViewError(field, "missing");
  return object[name];
}

export function optional(object, name, fallback, check, parent = "") {
  if (!Object.hasOwn(object, name) || object[name] === undefined) return fallback;
  return check(object[name], parent === "" ? name : `${parent}.${name}`);
}

export function noOthers(object, names, parent) {
  for (const name of Object.keys(object)) {
    if (!names.includes(name)) throw new ViewError(parent === "" ? name : `${parent}.${name}`, "unknown field");
  }
}

export function list(value, field, least, most) {
  if (!Array.isArray(value)) throw new ViewError(field, "expected a list");
  if (value.length < least || value.length > most) {
    throw new ViewError(field, least === most ? `expected ${least} entries` : `expected ${least} to ${most} entries`);
  }
  return value;
}

export function number(value, field, least = -Infinity, most = Infinity) {
  if (typeof value !== "number" || !Number.isFinite(value)) throw new ViewError(field, "expected a number");
  if (value < least || value > most) throw new ViewError(field, `expected a number from ${least} to ${most}`);
  return value;
}

export function integer(value, field, least, most) {
  if (typeof value !== "number" || !Number.isInteger(value)) throw new ViewError(field, "expected a whole number");
  if (value < least || value > most) throw new ViewError(field, `expected a whole number from ${least} to ${most}`);
  return value;
}

export function boolean(value, field) {
  if (typeof value !== "boolean") throw new ViewError(field, "expected true or false");
  return value;
}

export function oneOf(value, field, choices) {
  if (!choices.includes(value)) throw new ViewError(field, `expected one of ${choices.join(", ")}`);
  return value;
}

export function text(value, field, most, pattern, words) {
  if (typeof value !== "string") throw new ViewError(field, "expected text");
  const length = byteLength(value);
  if (length < 1 || length > most) throw new ViewError(field, `expected 1 to ${most} bytes of text`);
  if (pattern && !pattern.test(value)) throw new ViewError(field, `expected ${words}`);
  if (/[\u0000-\u001f]/.test(value)) throw new ViewError(field, "expected text without control characters");
  return value;
}

export function withoutUndefined(object) {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}
