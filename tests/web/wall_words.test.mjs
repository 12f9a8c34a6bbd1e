// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import {test} from "node:test";
import {columnsToFit, groupPins, movesTo, positionAt} from "../../web/view/wall_order.js";
import {describePin, formatAge} from "../../web/view/wall_words.js";

const NOW = Date.parse("2026-11-25T14:00:00Z");
const pin = (more) => ({id: "a".repeat(16), title: "Rain", group: "", position: 0, created: "2026-11-25T00:00:00Z", ...more});

test("an age is told in the unit that a person would take", () => {
  assert.deepEqual([5, 60 * 35, 3600 * 2, 3600 * 30, 86400 * 17 * 365].map(formatAge), ["just now", "35 min", "2 h", "30 h", "6,205 days"]);
  assert.equal(formatAge(-7200), "in 2 h");
  assert.equal(formatAge(NaN), "");
});

test("a pin says valid time, lead, run and age, and warns where what is seen is old", () => {
  const live = {run: "2026-11-25T12:00:00Z", valid: "2026-11-25T18:00:00Z", lead_hours: 6, state: "fresh", words: null, key: "ab"};
  assert.deepEqual(describePin(pin({live}), NOW), {
    state: "fresh", valid: "Wed 25 Nov 2026 18:00 UTC", validShort: "Wed 25 Nov 18:00 UTC", lead: "T+6", run: "Run Wed 25 Nov 12:00 UTC", age: "2 h old", warning: "",
    label: "Rain, valid Wed 25 Nov 2026 18:00 UTC, T+6, Run Wed 25 Nov 12:00 UTC, 2 h old"});
  assert.equal(describePin(pin({live: {...live, state: "stale", words: "No new run since 12Z, 14 h ago."}}), NOW).warning, "No new run since 12Z, 14 h ago.");
  assert.equal(describePin(pin({live: {...live, state: "stale"}}), NOW).warning, "No newer run has come.");
  assert.match(describePin(pin({live: null}), NOW).label, /not drawn yet/);
});

test("groups go by name, pins by position, and then by age", () => {
  const pins = [pin({id: "1", group: "Storm 10"}), pin({id: "2", group: "Storm 2", position: 5}), pin({id: "3", group: "Storm 2", position: -1}), pin({id: "4"}),
    pin({id: "5", created: "2026-11-24T00:00:00Z"})];
  assert.deepEqual(groupPins(pins).map(({name, pins: members}) => [name, members.map(({id}) => id)]), [["", ["5", "4"]], ["Storm 2", ["3", "2"]], ["Storm 10", ["1"]]]);
  assert.deepEqual(groupPins(pins, "Storm 10").map(({pins: members}) => members.map(({id}) => id)), [["1"]]);
});

test("a pin is put before, between and after others", () => {
  const others = [{position: 1}, {position: 2}];
  assert.deepEqual([0, 1, 2].map((at) => positionAt(others, at)), [0, 1.5, 3]);
  assert.equal(positionAt([], 0), 0);
});

test("a pin finds its place, too, where many stand at one position", () => {
  const at = (id, position) => ({id, position}), order = (pin, others, n) => {
    const moves = movesTo(pin, others, n), all = [...others.map((one) => moves.find(({id}) => id === one.id) ?? one), moves[0]];
    return [all.sort((a, b) => a.position - b.position).map(({id}) => id).join(""), moves.map(({id}) => id).join("")];
  };
  const same = [at("a", 0), at("b", 0), at("c", 0), at("d", 9)];
  assert.deepEqual(order(at("x", 0), same, 1), ["axbcd", "xbc"]);
  assert.deepEqual(order(at("x", 0), same, 0), ["xabcd", "x"]);
  assert.deepEqual(order(at("x", 0), same, 4), ["abcdx", "x"]);
  assert.deepEqual(order(at("x", 5), [at("a", 1), at("b", 2)], 1), ["axb", "x"]);
  assert.deepEqual(order(at("x", 5), [at("a", 1), at("b", 1 + Number.EPSILON), at("c", 3)], 1), ["axbc", "xbc"]);
});

test("as many columns as make the pictures largest", () => {
  assert.equal(columnsToFit([1], 1920, 1000).columns, 1);
  assert.equal(columnsToFit([4], 1920, 1080).columns, 2);
  const {columns, width} = columnsToFit([7, 5], 1920, 1080, {extra: 68}), rows = Math.ceil(7 / columns) + Math.ceil(5 / columns);
  assert.ok(rows * (width * 9 / 16 + 74 + 10) - 10 + 68 <= 1080 && columns * (width + 10) - 10 <= 1920, `${columns} of ${width}`);
});
