// SPDX-License-Identifier: Apache-2.0
// The step table (tiler/BRICK_FORMAT.md): which bricks a field has, what they are, and between which lattice integers.
import {inflateSync} from '../node_modules/fflate/esm/browser.js';

export const MISSING = 0, CONSTANT = 1, CODED = 2, MASKED = 3;
const MAX_LEVELS = 32, MAX_BRICKS = 1 << 24;

// bytes: Uint8Array. → {levels: [{n: [x,y,z], bricks: [x,y,z], kind, min, max}], smallest, largest, masked};
// levels[0] is the model's own grid. Throws Error when it does not fit the format.
export function parseStepTable(bytes) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (bytes.byteLength < 24 || view.getUint32(0, true) !== 1) throw new Error('step table: not version 1');
    const count = view.getUint32(4, true);
    if (count < 1 || count > MAX_LEVELS || 24 + 24 * count > bytes.byteLength) throw new Error('step table is cut short');
    const levels = [];
    let total = 0;
    for (let level = 0; level < count; level++) {
        const number = (k) => view.getUint32(24 + 24 * level + 4 * k, true);
        const n = [number(0), number(1), number(2)], bricks = [number(3), number(4), number(5)];
        if (n.some((length, axis) => bricks[axis] !== Math.ceil(length / 32) || length < 1)) throw new Error('step table: brick counts do not fit');
        const bricksInAll = bricks[0] * bricks[1] * bricks[2];
        total += bricksInAll;
        if (total > MAX_BRICKS) throw new Error('step table: too many bricks');
        levels.push({n, bricks, count: bricksInAll});
    }
    const body = inflateSync(bytes.subarray(24 + 24 * count), {out: new Uint8Array(total * 9)});
    if (body.length !== total * 9) throw new Error('step table: wrong length');
    let at = 0, masked = false;
    for (let level = count - 1; level >= 0; level--) {
        const entry = levels[level], n = entry.count;
        entry.kind = body.slice(at, at + n);
        entry.min = planes(body, at + n, n);
        entry.max = planes(body, at + 5 * n, n);
        at += 9 * n;
        for (const kind of entry.kind) {
            if (kind > MASKED) throw new Error('step table: unknown kind of brick');
            if (kind === MASKED || kind === MISSING) masked = true;
        }
    }
    return {levels, smallest: view.getFloat64(8, true), largest: view.getFloat64(16, true), masked};
}

function planes(body, at, n) {
    const out = new Int32Array(n);
    let value = 0;
    for (let i = 0; i < n; i++) {
        value = (value + (body[at + i] | body[at + n + i] << 8 | body[at + 2 * n + i] << 16 | body[at + 3 * n + i] << 24)) | 0;
        out[i] = value;
    }
    return out;
}
