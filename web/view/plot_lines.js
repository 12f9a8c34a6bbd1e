// SPDX-License-Identifier: Apache-2.0
// Lines of a small plot: ranges, and the path through points with gaps where values are missing. No browser.

/** [low, high] of all numbers in lists, widened a little, and where all are one; null where there is none. */
export function rangeOf(lists) {
  const numbers = lists.flat().filter((value) => Number.isFinite(value));
  if (!numbers.length) return null;
  const low = Math.min(...numbers), high = Math.max(...numbers), more = high > low ? (high - low) * 0.04 : Math.abs(high) * 0.01 || 1;
  return [low - more, high + more];
}

/** Place of a value of the range on a line from a to b. */
export function place(value, [low, high], a, b) {
  return a + ((value - low) / (high - low)) * (b - a);
}

/** The "d" of an SVG path through points [[x, y]]; a point with null in it ends a piece, and one alone is drawn as a dot. */
export function pathThrough(points) {
  let text = "", begun = false;
  points.forEach(([x, y], i) => {
    const there = Number.isFinite(x) && Number.isFinite(y) && x !== null && y !== null;
    if (there) text += `${begun ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`;
    const after = points[i + 1], alone = there && !begun && (!after || after[0] === null || after[1] === null);
    if (alone) text += "h0";
    begun = there;
  });
  return text;
}
