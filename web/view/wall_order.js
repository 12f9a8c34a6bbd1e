// SPDX-License-Identifier: Apache-2.0
// The order of pins on the wall: groups by name, those without one first; within a group by position, then by age. Pure.

const byText = (a, b) => Number(a > b) - Number(a < b);

function comparePins(a, b) {
  return a.position - b.position || byText(String(a.created), String(b.created)) || byText(a.id, b.id);
}

/** [{name, pins}] of pins in any order; `only`: the name of a group that is shown alone, or null. */
export function groupPins(pins, only = null) {
  const groups = new Map();
  for (const pin of pins) {
    const name = pin.group ?? "";
    if (only !== null && name !== only) continue;
    if (!groups.has(name)) groups.set(name, []);
    groups.get(name).push(pin);
  }
  return [...groups].sort(([a], [b]) => a.localeCompare(b, "en", {numeric: true})).map(([name, members]) => ({name, pins: members.sort(comparePins)}));
}

/** The position that puts a pin before index `at` of others in order (which do not hold it). */
export function positionAt(others, at) {
  const before = others[at - 1]?.position, after = others[at]?.position;
  if (before === undefined && after === undefined) return 0;
  if (before === undefined) return after - 1;
  if (after === undefined) return before + 1;
  return (before + after) / 2;
}

/** What puts a pin before index `at` of others: the pin with its position, and behind it those that have to make room for it because many stand at one position. */
export function movesTo(pin, others, at) {
  const before = others[at - 1]?.position ?? -Infinity, between = positionAt(others, at);
  const moves = [{...pin, position: between > before ? between : before + 1}];
  for (const next of others.slice(at)) {
    if (next.position > moves.at(-1).position) break;
    moves.push({...next, position: moves.at(-1).position + 1});
  }
  return moves;
}

/**
 * How wide pictures may be so that all groups, of so many pins each, fit into a window without scrolling: {columns, width}. A picture has this shape
 * (width / height) and `words` pixels below it; rows and groups are `gap` apart, and `extra` pixels are taken by headings.
 */
export function columnsToFit(counts, width, height, {shape = 16 / 9, words = 74, gap = 10, extra = 0} = {}) {
  let best = {columns: 1, width: 0};
  for (let columns = 1; columns <= Math.max(1, ...counts); columns++) {
    const rows = counts.reduce((sum, count) => sum + Math.ceil(count / columns), 0);
    const each = Math.min((width - gap * (columns - 1)) / columns, ((height - extra - gap * (rows - 1)) / Math.max(1, rows) - words) * shape);
    if (each > best.width) best = {columns, width: Math.floor(each)};
  }
  return best;
}
