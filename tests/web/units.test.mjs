// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import {test} from "node:test";
import {canonicalUnits, conversion, decimalsFor, displayChoices, displayUnits, formatNumber, niceTicks, shortNumber, unitsLabel} from "../../web/view/units.js";

const near = (a, b) => assert.ok(Math.abs(a - b) < 1e-9 * Math.max(1, Math.abs(b)), `${a} is not ${b}`);
const convert = (value, from, to) => {
  const {scale, offset} = conversion(from, to);
  return value * scale + offset;
};

test("units of a kind convert", () => {
  near(convert(273.15, "K", "°C"), 0);
  near(convert(0, "K", "degF"), -459.67);
  near(convert(212, "degF", "celsius"), 100);
  near(convert(1, "m/s", "kt"), 3600 / 1852);
  near(convert(10, "m s**-1", "km h-1"), 36);
  near(convert(101325, "Pa", "mb"), 1013.25);
  near(convert(0.5, "1", "%"), 50);
  near(convert(0.001, "kg/kg", "g kg-1"), 1);
  near(convert(1 / 3600, "kg m-2 s-1", "mm/h"), 1);
});

test("units of different kinds do not", () => {
  assert.equal(conversion("K", "Pa"), null);
  assert.equal(conversion("furlong", "m"), null);
});

test("spellings are one unit, unknown ones stay as they are", () => {
  assert.equal(canonicalUnits("m s^-1"), "m s-1");
  assert.equal(canonicalUnits(" degrees_C"), "degC");
  assert.equal(canonicalUnits("furlong"), "furlong");
});

test("units are written as people write them", () => {
  assert.equal(unitsLabel("m s-1"), "m/s");
  assert.equal(unitsLabel("1"), "");
  assert.equal(unitsLabel("K m2 kg-1 s-1"), "K m² kg⁻¹ s⁻¹");
  assert.equal(unitsLabel("s**-1"), "s⁻¹");
});

test("a share of one is shown in percent, another plain number is not", () => {
  assert.equal(displayUnits({units: "1", standard_name: "cloud_area_fraction"}).units, "%");
  assert.equal(displayUnits({units: "1", standard_name: ""}).units, "1");
});

test("the view's unit holds where it can be had", () => {
  const temperature = {units: "K", standard_name: "air_temperature"};
  assert.equal(displayUnits(temperature).label, "°C");
  assert.equal(displayUnits(temperature, "K").label, "K");
  assert.equal(displayUnits(temperature, "°F").units, "degF"); // as views have it from the presets: by its label
  assert.equal(displayUnits(temperature, "hPa").label, "°C");
  assert.ok(displayChoices({units: "m s-1"}).some(({units}) => units === "kt"));
});

test("the catalog's choices of units come before the page's own", () => {
  const choices = [{units: "hPa", scale: 0.01, offset: 0}, {units: "Pa", scale: 1, offset: 0}];
  const pressure = {units: "pascals of old", units_canonical: "Pa", units_choices: choices, standard_name: "air_pressure"};
  assert.deepEqual(displayChoices(pressure), choices);
  near(displayUnits(pressure).toShown(101325), 1013.25);
  assert.equal(displayUnits(pressure, "Pa").label, "Pa");
  assert.equal(displayUnits({units: "m s**-1 or so", units_canonical: "m s-1"}, "kt").units, "kt");
});

test("a spread of temperatures in °C is one in K, and has no offset in °F", () => {
  const spread = {units: "K", statistic: "spread", units_choices: [{units: "K", scale: 1, offset: 0}, {units: "degF", scale: 1.8, offset: 0}]};
  near(displayUnits(spread, "°C").toShown(2), 2);
  assert.equal(displayUnits(spread, "°C").label, "K");
  near(displayUnits(spread, "degF").toShown(2), 3.6);
});

test("ε is scaled but never shifted", () => {
  near(displayUnits({units: "K"}).spread(0.05), 0.05);
  near(displayUnits({units: "Pa"}).spread(10), 0.1);
});

test("numbers carry the decimals that their ε deserves", () => {
  assert.equal(decimalsFor(0.05), 2);
  assert.equal(decimalsFor(0.1), 1);
  assert.equal(decimalsFor(5), 0);
  assert.equal(formatNumber(-0.001, 2), "0.00");
  assert.equal(formatNumber(-12.5, 1), "−12.5");
  assert.equal(formatNumber(NaN, 1), "missing");
  assert.equal(formatNumber(null, 1), "missing");
  assert.equal(formatNumber(1.5e-7, 8), "1.50 × 10^−7");
  assert.equal(shortNumber(0.30000000000000004), "0.3");
});

test("ticks are round and within", () => {
  assert.deepEqual(niceTicks(0, 100, 4), [0, 25, 50, 75, 100]);
  assert.deepEqual(niceTicks(-63.15, 36.85, 4), [-50, -25, 0, 25]);
  assert.deepEqual(niceTicks(3, 3), [3]);
});
