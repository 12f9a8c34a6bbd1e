// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import {test} from "node:test";
import {createLockedTime} from "../../web/tools/locked_time.js";

const TIMES = [0, 1, 2, 3].map((hour) => `2026-01-31T0${hour}:00Z`);

// A framed view that notes what it is told.
function framed(times = TIMES) {
  const one = {about: {times, index: 0}, shown: times[0], asked: null, ready: [], told: [], tell: (say, {iso}) => one.told.push(iso)};
  return one;
}

const until = async (holds) => { while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5)); };

function locked(...all) {
  const time = createLockedTime({framed: () => all, changed() {}});
  time.take(all[0].about);
  return time;
}

test("a step goes to all, and one that a view took by itself to the others", () => {
  const [a, b] = [framed(), framed()], time = locked(a, b);
  time.stepBy(1);
  assert.deepEqual([a.told, b.told], [[TIMES[1]], [TIMES[1]]]);
  time.follow(TIMES[3], a);
  assert.deepEqual([a.told, b.told], [[TIMES[1]], [TIMES[1], TIMES[3]]]);
  time.stepBy(1);
  assert.equal(time.iso, TIMES[0]); // around the end
});

test("while playing the next step waits until all show the last", async () => {
  const [a, b] = [framed(), framed()], time = locked(a, b);
  time.setRate(1000);
  time.play();
  await until(() => a.told.length === 1);
  a.shown = TIMES[1];
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(time.iso, TIMES[1]);
  assert.deepEqual(b.told, [TIMES[1]]);
  b.shown = TIMES[1];
  await until(() => time.iso === TIMES[2]);
  time.pause();
  assert.equal(time.state(a.about).playing, false);
});

test("a view that lacks the time is waited for at its nearest", async () => {
  const [a, b] = [framed(), framed([TIMES[0], TIMES[3]])], time = locked(a, b);
  time.setRate(1000);
  time.play();
  await until(() => a.told.length === 1);
  assert.equal(b.asked, TIMES[0]);
  a.shown = TIMES[1]; // b shows its nearest already
  await until(() => time.iso === TIMES[2]);
  assert.equal(b.asked, TIMES[3]);
  time.pause();
});

test("a tick is bright where all sides are ready for it", () => {
  const [a, b] = [framed(), framed()], time = locked(a, b);
  a.ready = [true, true, false, true];
  b.ready = [true, false, true, true];
  assert.deepEqual(time.state(a.about).ready, [true, false, false, true]);
});
