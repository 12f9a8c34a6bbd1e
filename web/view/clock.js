// SPDX-License-Identifier: Apache-2.0
// What time it is by the server's clock: ages, and "nearest to now", mean the same on every page and in the pictures that the server draws, also where this
// computer's clock is wrong.

const SAME = 5000; // ms: an answer takes its time, and tells whole seconds

let ahead = 0;

/** The server has just told its time (ms since 1970; NaN where it told none). */
export function heardTime(time, here = Date.now()) {
  if (Number.isFinite(time)) ahead = Math.abs(time - here) > SAME ? time - here : 0;
}

/** ms since 1970. */
export function timeNow() { return Date.now() + ahead; }
