// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import {test} from "node:test";
import {compareHash, readCompareHash} from "../../web/view/compare_address.js";
import {decodeState, encodeState, encodeSums, newSums, STEERING_BYTES, SteeringReader} from "../../web/view/steering.js";
import {validateView} from "../../web/view/view_state.js";

const still = {steps: 0, plays: 0, pins: 0, resets: 0, seek: null, turn: [0, 0], zoom: 0, pan: [0, 0]};

test("an update takes few bytes, and says what was done since the last", () => {
  const reader = new SteeringReader(), sums = newSums(7);
  sums.turnX += 0.25;
  sums.steps += 1;
  const bytes = encodeSums(sums);
  assert.ok(bytes.length === STEERING_BYTES && bytes.length <= 64);
  assert.deepEqual(reader.read(bytes), {...still, steps: 1, turn: [0.25, 0]});
  assert.deepEqual(reader.read(bytes), still);
});

test("nothing is lost where only the newest arrives", () => {
  const reader = new SteeringReader(), sums = newSums(7);
  reader.read(encodeSums(sums));
  for (let i = 0; i < 100; i++) {
    sums.turnX += 0.01;
    sums.zoom -= 0.5 / 16;
    sums.steps -= 1;
    encodeSums(sums); // overtaken
  }
  const {turn, zoom, steps} = reader.read(encodeSums(sums));
  assert.ok(Math.abs(turn[0] - 1) < 1 / 65536 && zoom === -100 / 32 && steps === -100);
});

test("sums may wrap around", () => {
  const reader = new SteeringReader(), sums = {...newSums(7), steps: 32767, plays: 65535, turnX: 32767.75};
  reader.read(encodeSums(sums));
  sums.steps += 3;
  sums.plays += 2;
  sums.turnX += 0.5;
  const {steps, plays, turn} = reader.read(encodeSums(sums));
  assert.deepEqual([steps, plays, turn[0]], [3, 2, 0.5]);
});

test("a remote that begins anew does not move the screen back", () => {
  const reader = new SteeringReader();
  reader.read(encodeSums({...newSums(7), turnX: 5, steps: 9}));
  assert.deepEqual(reader.read(encodeSums({...newSums(8), turnX: 0.5})), {...still, turn: [0.5, 0]});
});

test("a step that is sought is told once", () => {
  const reader = new SteeringReader(), sums = newSums(7);
  sums.seeks += 1;
  sums.step = 12;
  assert.equal(reader.read(encodeSums(sums)).seek, 12);
  assert.equal(reader.read(encodeSums(sums)).seek, null);
});

test("bytes of another kind steer nothing", () => {
  const reader = new SteeringReader();
  assert.equal(reader.read(new Uint8Array(STEERING_BYTES)), null);
  assert.equal(reader.read(new Uint8Array(3).fill(1)), null);
});

test("a screen's state fits, is read member by member, and what is odd is left out", () => {
  const state = {title: "Europe", valid: "Thu 19 Nov 2009 10:00 UTC", lead: "T+7", index: 3, count: 37, playing: true, pins: 0};
  assert.deepEqual(decodeState(encodeState(state)), state);
  const long = encodeState({...state, title: "é".repeat(2000)});
  assert.ok(long.length <= 512 && decodeState(long).valid === state.valid);
  assert.deepEqual(decodeState(new TextEncoder().encode('{"title": 7, "index": -1, "playing": "yes"}')), {title: "", valid: "", lead: "", index: 0, count: 0, playing: false, pins: 0});
  assert.equal(decodeState(new TextEncoder().encode("no JSON")).count, 0);
});

test("a comparison's address holds both views and what is locked", async () => {
  const view = (variable) => validateView({version: 1, dataset: "a.b-c", layers: [{variable}]});
  const read = await readCompareHash(await compareHash(view("t"), view("u"), {show: "swipe", camera: false}));
  assert.deepEqual([read.left, read.right], [view("t"), view("u")]);
  assert.deepEqual([read.show, read.camera, read.time], ["swipe", false, true]);
  assert.deepEqual(await readCompareHash(""), {left: null, right: null, show: "side", camera: true, time: true});
  await assert.rejects(readCompareHash("#left=v1:AAAA&right=v1:AAAA"), {name: "ViewError"});
});
