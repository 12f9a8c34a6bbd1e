// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import {test} from "node:test";
import {Playhead} from "../../web/view/playhead.js";

// What it is told at each turn; `behind` collects which steps were to be there first.
const turn = (changes = {}) => ({count: 3, shown: 0, isReady: () => true, blends: true, behind: () => {}, ...changes});

test("it goes on when the next step's turn has come and that step is ready", () => {
  const head = new Playhead();
  head.play({rate: 4}, 1000);
  assert.equal(head.advance(1100, turn()), "");
  assert.equal(head.advance(1300, turn({isReady: () => false})), "");
  assert.equal(head.index, 0);
  assert.equal(head.advance(1301, turn()), "moved");
  assert.equal(head.index, 1);
  assert.equal(head.advance(1600, turn()), "", "step 1 is not on screen yet");
  assert.equal(head.advance(1610, turn({shown: 1})), "", "time that was spent waiting does not count");
});

test("between two steps it blends, where that is worth while", () => {
  const head = new Playhead(), behind = [];
  head.play({rate: 4}, 0);
  head.advance(125, turn({behind: (index) => behind.push(index)}));
  assert.deepEqual([head.blend, behind], [0.5, [1]]);
  head.advance(150, turn({blends: false}));
  assert.equal(head.blend, 0);
  head.play({rate: 16}, 0);
  head.advance(10, turn());
  assert.equal(head.blend, 0, "too fast to be seen");
});

test("at the end it begins again, or ends", () => {
  const head = new Playhead(), last = turn({shown: 2, behind: () => assert.fail("the first step is not blended over the last")});
  head.seek(2, {});
  head.play({rate: 4, loop: true}, 0);
  assert.equal(head.advance(100, last), "");
  assert.equal(head.blend, 0);
  assert.equal(head.advance(300, last), "moved");
  assert.equal(head.index, 0);
  head.seek(0, {});
  head.play({rate: 4, loop: false, direction: -5}, 0);
  assert.deepEqual(head.hint, {direction: -1, rate: 4});
  assert.equal(head.advance(300, turn()), "ended");
});

test("seeking and pausing show no blend, and pausing expects nothing next", () => {
  const head = new Playhead();
  head.play({}, 0);
  head.advance(100, turn());
  assert.ok(head.playing && head.blend > 0);
  head.seek(1, {direction: 12, rate: 3});
  assert.deepEqual([head.index, head.blend, head.hint, head.playing], [1, 0, {direction: 1, rate: 3}, true]);
  head.pause();
  assert.deepEqual([head.index, head.hint, head.playing], [1, {direction: 0, rate: 0}, false]);
});
