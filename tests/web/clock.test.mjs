// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import {afterEach, test} from "node:test";
import {heardTime, timeNow} from "../../web/view/clock.js";
import {resolveTime} from "../../web/view/view_resolve.js";

const HOUR = 3600000;
const isAbout = (time) => Math.abs(timeNow() - time) < 60000;

afterEach(() => heardTime(Date.now()));

test("the time is the server's where this computer's clock is wrong", () => {
  heardTime(Date.now() - 7 * HOUR);
  assert.ok(isAbout(Date.now() - 7 * HOUR));
  heardTime(NaN); // an answer that tells none
  assert.ok(isAbout(Date.now() - 7 * HOUR));
  heardTime(Date.now() + 1400); // whole seconds, and the way here
  assert.equal(timeNow() - Date.now(), 0);
});

test("nearest to now is so by the server's clock", () => {
  const times = [-6, -3, 0, 3, 6].map((hours) => new Date(Date.now() + hours * HOUR).toISOString());
  assert.equal(resolveTime(times, times[0], "nearest to now").index, 2);
  heardTime(Date.now() - 3 * HOUR);
  assert.equal(resolveTime(times, times[0], "nearest to now").index, 1);
});
