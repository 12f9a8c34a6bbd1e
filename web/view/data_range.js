// SPDX-License-Identifier: Apache-2.0
// The smallest and largest value of a field, from the head of its step table (tiler/BRICK_FORMAT.md): for colours of variables that no
// preset knows. A range is asked for once and kept.

import {fieldOf} from "../net/connection.js";
import {ask} from "../net/session.js";

const PATIENCE = 6000; // ms
const kept = new Map(); // edition, member and step → promise

/** [smallest, largest] of a step of a series, or null where it cannot be had; never rejects. */
export function dataRange(series, member, step = 0, base = "", get = ask) {
  if (!series?.edition) return Promise.resolve(null);
  const {key} = fieldOf(series, member, step);
  if (!kept.has(key)) {
    kept.set(key, readRange(`${base}bricks/${key}/table`, get).then((range) => {
      if (!range) kept.delete(key);
      return range;
    }));
  }
  return kept.get(key);
}

async function readRange(url, get) {
  try {
    const answer = await get(url, {signal: AbortSignal.timeout(PATIENCE)});
    if (!answer.ok) return null;
    return parseRange(await answer.arrayBuffer());
  } catch {
    return null;
  }
}

/** [smallest, largest] from the bytes of a step table; null where they are too few or all is missing. */
export function parseRange(buffer) {
  if (buffer.byteLength < 24) return null;
  const view = new DataView(buffer);
  const range = [view.getFloat64(8, true), view.getFloat64(16, true)];
  return view.getUint32(0, true) === 1 && range.every(Number.isFinite) ? range : null;
}
