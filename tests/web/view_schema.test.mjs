// SPDX-License-Identifier: Apache-2.0
// The published schema says the same as the checkers, by a reading of its own that knows the few keywords it uses.
import assert from "node:assert/strict";
import {readdirSync, readFileSync} from "node:fs";
import {test} from "node:test";

const schema = JSON.parse(readFileSync(new URL("../../render/view.schema.json", import.meta.url), "utf8"));
const folder = (name) => new URL(`../view/${name}/`, import.meta.url);

function fits(value, rule) {
  if (rule.$ref) return fits(value, schema.$defs[rule.$ref.replace("#/$defs/", "")]);
  if ("const" in rule && value !== rule.const) return false;
  if (rule.enum && !rule.enum.includes(value)) return false;
  if (rule.anyOf && !rule.anyOf.some((option) => fits(value, option))) return false;
  return fitsType(value, rule.type) && fitsText(value, rule) && fitsNumber(value, rule) && fitsList(value, rule) && fitsObject(value, rule);
}

function fitsType(value, type) {
  if (type === undefined) return true;
  if (type === "object") return typeof value === "object" && value !== null && !Array.isArray(value);
  if (type === "array") return Array.isArray(value);
  if (type === "integer") return Number.isInteger(value);
  return typeof value === type;
}

function fitsText(value, rule) {
  if (typeof value !== "string") return true;
  return value.length >= (rule.minLength ?? 0) && value.length <= (rule.maxLength ?? Infinity) && (!rule.pattern || new RegExp(rule.pattern).test(value));
}

function fitsNumber(value, rule) {
  return typeof value !== "number" || (value >= (rule.minimum ?? -Infinity) && value <= (rule.maximum ?? Infinity));
}

function fitsList(value, rule) {
  if (!Array.isArray(value)) return true;
  if (value.length < (rule.minItems ?? 0) || value.length > (rule.maxItems ?? Infinity)) return false;
  return value.every((entry, i) => fits(entry, rule.prefixItems?.[i] ?? rule.items ?? {}));
}

function fitsObject(value, rule) {
  if (!fitsType(value, "object")) return true;
  if ((rule.required ?? []).some((name) => !Object.hasOwn(value, name))) return false;
  if (rule.properties === undefined) return true;
  return Object.entries(value).every(([name, entry]) => (Object.hasOwn(rule.properties, name) ? fits(entry, rule.properties[name]) : rule.additionalProperties !== false));
}

// What the schema's description says that it cannot express.
const BEYOND = ["layer_level_and_minus", "layer_level_beyond", "layer_level_negative_pressure", "not_json", "empty", "too_long",
  "layer_range_falling", "layer_range_equal", "layer_units_control", "opacity_not_rising", "camera_same_place", "sequence_key_same_place",
  "sequence_key_two_places", "sequence_keys_not_rising", "sequence_rate_alone", "sequence_second_alone"];

for (const file of readdirSync(folder("good"))) {
  test(`the schema accepts ${file}`, () => {
    assert.ok(fits(JSON.parse(readFileSync(new URL(file, folder("good")), "utf8")), schema));
  });
}

for (const file of readdirSync(folder("bad")).filter((name) => name.endsWith(".json"))) {
  if (BEYOND.includes(file.replace(".json", ""))) continue;
  test(`the schema refuses ${file}`, () => {
    assert.ok(!fits(JSON.parse(readFileSync(new URL(file, folder("bad")), "utf8")), schema));
  });
}
