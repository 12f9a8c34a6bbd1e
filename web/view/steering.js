// SPDX-License-Identifier: Apache-2.0
// What a remote and its screen say to each other, as bytes that the server does not look into. A remote sends sums since it began, never steps, so
// that nothing is lost when only the newest arrives; sums wrap around, and differences of them do too.
//
// 36 bytes, little-endian:  u8 version 1 · u8 0 · u16 epoch (another for each remote that begins) · u16 ×4 counts: steps in time, presses of play,
// pins, resets of the camera · u16 count of seeks · u16 the step sought · i32 ×5 in 1/65536: turn right and up, zoom (natural logarithm of the
// distance), pan right and up; lengths in heights of the picture.

export const STEERING_BYTES = 36;
const VERSION = 1, UNIT = 65536, MOST_STATE = 512;
const COUNTS = ["steps", "plays", "pins", "resets", "seeks"], SUMS = ["turnX", "turnY", "zoom", "panX", "panY"];

/** A remote's sums. Add to its members; `step` is what was sought last. */
export function newSums(epoch) {
  return {epoch, step: 0, ...Object.fromEntries([...COUNTS, ...SUMS].map((name) => [name, 0]))};
}

export function encodeSums(sums) {
  const bytes = new Uint8Array(STEERING_BYTES), view = new DataView(bytes.buffer);
  view.setUint8(0, VERSION);
  view.setUint16(2, sums.epoch, true);
  COUNTS.forEach((name, i) => view.setUint16(4 + 2 * i, sums[name], true));
  view.setUint16(14, sums.step, true);
  SUMS.forEach((name, i) => view.setInt32(16 + 4 * i, Math.round(sums[name] * UNIT), true)); // modulo 2^32
  return bytes;
}

/** Holds a remote's newest sums against those before: what is to be done now. */
export class SteeringReader {
  #before = null;

  /** {steps, plays, pins, resets, seek: step or null, turn: [x, y], zoom, pan: [x, y]}, or null where the bytes are none that this page knows. */
  read(bytes) {
    if (bytes.length < STEERING_BYTES || bytes[0] !== VERSION) return null;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length), epoch = view.getUint16(2, true);
    const counts = COUNTS.map((_, i) => view.getInt16(4 + 2 * i, true)), sums = SUMS.map((_, i) => view.getInt32(16 + 4 * i, true));
    const before = this.#before?.epoch === epoch ? this.#before : {counts: counts.map(() => 0), sums: sums.map(() => 0)};
    const [steps, plays, pins, resets, seeks] = counts.map((count, i) => ((count - before.counts[i]) << 16) >> 16);
    const [turnX, turnY, zoom, panX, panY] = sums.map((sum, i) => ((sum - before.sums[i]) | 0) / UNIT);
    this.#before = {epoch, counts, sums};
    return {steps, plays, pins, resets, seek: seeks ? view.getUint16(14, true) : null, turn: [turnX, turnY], zoom, pan: [panX, panY]};
  }
}

/** The screen's state for its remotes: {title, valid, lead, index, count, playing, pins}. A title that is too long is cut. */
export function encodeState(state) {
  for (let title = [...(state.title ?? "")]; ; title = title.slice(0, title.length >> 1)) {
    const bytes = new TextEncoder().encode(JSON.stringify({...state, title: title.join("")}));
    if (bytes.length <= MOST_STATE || !title.length) return bytes.length <= MOST_STATE ? bytes : new TextEncoder().encode("{}");
  }
}

/** The same, checked member by member: what is missing or of another kind has a plain default. */
export function decodeState(bytes) {
  let said = null;
  try { said = JSON.parse(new TextDecoder().decode(bytes)); } catch { /* not this version's */ }
  const text = (name) => (typeof said?.[name] === "string" ? said[name] : ""), whole = (name) => (Number.isInteger(said?.[name]) && said[name] >= 0 ? said[name] : 0);
  return {title: text("title"), valid: text("valid"), lead: text("lead"), index: whole("index"), count: whole("count"), playing: said?.playing === true, pins: whole("pins")};
}
