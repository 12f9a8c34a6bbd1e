// SPDX-License-Identifier: Apache-2.0
// One brick (tiler/BRICK_FORMAT.md) from bytes to exact integers, to the texels of the atlas and to the ranges of its cells.
// Pure: runs in a worker, in tests and anywhere else.
import {inflateSync} from '../node_modules/fflate/esm/browser.js';

export const CORE = 32, SLOT = 34, CELL = 8;

// Half floats of the integers −2048 … 2048, all exact.
const HALF = new Uint16Array(4097);
{
    const one = new Float32Array(1), bits = new Uint32Array(one.buffer);
    for (let value = -2048; value <= 2048; value++) {
        one[0] = value;
        const sign = bits[0] >>> 16 & 0x8000, exponent = (bits[0] >>> 23 & 255) - 112, fraction = bits[0] >>> 13 & 1023;
        HALF[value + 2048] = value === 0 ? 0 : sign | exponent << 10 | fraction;
    }
}
const HALF_ONE = 0x3c00;

// The stored box of brick b along an axis of n voxels: {lo, hi} (hi beyond n or lo below 0 only where the axis wraps).
export function storedRange(b, n, wraps) {
    if (wraps && n > 1) return {lo: CORE * b - 1, hi: Math.min(CORE * b + CORE, n) + 1};
    return {lo: Math.max(CORE * b - 1, 0), hi: Math.min(CORE * b + CORE + 1, n)};
}

// bytes → {base, d: Int32Array of q − base, mask: Uint8Array of bits or null}. size: stored [x, y, z].
// key: {base, d, mask} of the same brick at the key step, for predictor 3. Throws Error on anything that does not fit.
export function decodeBrick(bytes, size, key = null) {
    const S = size[0] * size[1] * size[2];
    if (bytes.length < 13 || bytes[0] !== 1) throw new Error('brick: not version 1');
    const width = bytes[1], predictor = bytes[2], masked = bytes[3], head = predictor === 4 ? 28 : 12;
    if (![0, 1, 2, 4].includes(width) || predictor > 4 || masked > 1 || bytes.length <= head) throw new Error('brick: bad header');
    const base = bytes[4] | bytes[5] << 8 | bytes[6] << 16 | bytes[7] << 24;
    const M = masked ? S + 7 >> 3 : 0, most = M + (width ? width * S : (S + 1 >> 1) + 4 * S);
    let body;
    try { body = inflateSync(bytes.subarray(head), {out: new Uint8Array(most + 1)}); } catch (error) { throw new Error('brick: ' + error.message); }
    const d = new Int32Array(S), mask = masked ? body.slice(0, M) : null;
    if (width) { if (body.length !== most) throw new Error('brick: wrong length'); unzigzag(d, body, M, width, S); } else halves(d, body, M, S);
    if (predictor === 3) fromKey(d, base, key, S);
    if (mask) inOrder(d, size, mask, predictor, predictor === 4 ? weights(bytes) : null);
    else if (predictor === 1) lorenzo(d, ...size);
    else if (predictor === 2) median(d, ...size);
    else if (predictor === 4) weighted(d, size, weights(bytes));
    return {base, d, mask};
}

function unzigzag(d, body, at, width, S) {
    const p0 = at, p1 = at + S, p2 = at + 2 * S, p3 = at + 3 * S;
    if (width === 1) for (let s = 0; s < S; s++) { const r = body[p0 + s]; d[s] = r >>> 1 ^ -(r & 1); }
    else if (width === 2) for (let s = 0; s < S; s++) { const r = body[p0 + s] | body[p1 + s] << 8; d[s] = r >>> 1 ^ -(r & 1); }
    else for (let s = 0; s < S; s++) {
        const r = body[p0 + s] | body[p1 + s] << 8 | body[p2 + s] << 16 | body[p3 + s] << 24;
        d[s] = r >>> 1 ^ -(r & 1);
    }
}

// Half bytes; 15 stands for the next of the numbers behind them.
function halves(d, body, at, S) {
    const end = at + (S + 1 >> 1);
    if (body.length < end) throw new Error('brick: wrong length');
    let escapes = 0;
    for (let s = 0; s < S; s++) if ((body[at + (s >> 1)] >> (s & 1) * 4 & 15) === 15) escapes++;
    if (body.length !== end + 4 * escapes) throw new Error('brick: wrong length');
    for (let s = 0, e = end; s < S; s++) {
        let r = body[at + (s >> 1)] >> (s & 1) * 4 & 15;
        if (r === 15) { r = body[e] | body[e + escapes] << 8 | body[e + 2 * escapes] << 16 | body[e + 3 * escapes] << 24; e++; }
        d[s] = r >>> 1 ^ -(r & 1);
    }
}

function weights(bytes) {
    const view = new DataView(bytes.buffer, bytes.byteOffset + 12, 16);
    return Array.from({length: 8}, (_, n) => view.getInt16(2 * n, true));
}

function lorenzo(d, sx, sy, sz) {
    // Summing along each axis in turn undoes the three-dimensional difference.
    const plane = sx * sy, S = plane * sz;
    for (let s = 0; s < S; s += sx) for (let x = 1; x < sx; x++) d[s + x] = d[s + x] + d[s + x - 1] | 0;
    for (let z = 0; z < S; z += plane) for (let s = z + sx; s < z + plane; s++) d[s] = d[s] + d[s - sx] | 0;
    for (let s = plane; s < S; s++) d[s] = d[s] + d[s - plane] | 0;
}

function median(d, sx, sy, sz) {
    let s = 0;
    for (let z = 0; z < sz; z++) {
        if (z > 0) d[s] = d[s] + d[s - sx * sy] | 0;
        s++;
        for (let x = 1; x < sx; x++, s++) d[s] = d[s] + d[s - 1] | 0;
        for (let y = 1; y < sy; y++) {
            d[s] = d[s] + d[s - sx] | 0;
            s++;
            for (let x = 1; x < sx; x++, s++) d[s] = d[s] + medianOf(d[s - 1], d[s - sx], d[s - sx - 1]) | 0;
        }
    }
}

function medianOf(W, N, C) {
    const P = W + N - C, low = W < N ? W : N, high = W < N ? N : W;
    return P < low ? low : P > high ? high : P;
}

function weighted(d, [sx, sy, sz], [w1, w2, w3, w4, w5, w6, w7, c]) {
    const plane = sx * sy;
    let s = 0;
    for (let z = 0; z < sz; z++) for (let y = 0; y < sy; y++) {
        if (!y || !z) { for (let x = 0; x < sx; x++, s++) d[s] = d[s] + lorenzoAt(d, s, x, y, z, sx, plane) | 0; continue; }
        d[s] = d[s] + lorenzoAt(d, s, 0, y, z, sx, plane) | 0;
        s++;
        for (let x = 1; x < sx; x++, s++) {
            const p = (w1 * d[s - 1] + w2 * d[s - sx] + w3 * d[s - plane] + w4 * d[s - sx - 1] + w5 * d[s - plane - 1] + w6 * d[s - plane - sx] + w7 * d[s - plane - sx - 1] + c | 0) >> 8;
            d[s] = d[s] + p | 0;
        }
    }
}

function lorenzoAt(d, s, x, y, z, sx, plane) {
    const v = (dx, dy, dz) => (dx && !x) || (dy && !y) || (dz && !z) ? 0 : d[s - dx - dy * sx - dz * plane];
    return v(1, 0, 0) + v(0, 1, 0) + v(0, 0, 1) - v(1, 1, 0) - v(1, 0, 1) - v(0, 1, 1) + v(1, 1, 1) | 0;
}

// Voxel by voxel where some are missing: those hold a neighbour's value for later ones to be predicted from.
function inOrder(d, [sx, sy, sz], mask, predictor, w) {
    const plane = sx * sy;
    let s = 0;
    for (let z = 0; z < sz; z++) for (let y = 0; y < sy; y++) for (let x = 0; x < sx; x++, s++) {
        if (!(mask[s >> 3] >> (s & 7) & 1)) { d[s] = x ? d[s - 1] : y ? d[s - sx] : z ? d[s - plane] : 0; continue; }
        let p = 0;
        if (predictor === 4 && x && y && z)
            p = (w[0] * d[s - 1] + w[1] * d[s - sx] + w[2] * d[s - plane] + w[3] * d[s - sx - 1] + w[4] * d[s - plane - 1] + w[5] * d[s - plane - sx] + w[6] * d[s - plane - sx - 1] + w[7] | 0) >> 8;
        else if (predictor === 1 || predictor === 4) p = lorenzoAt(d, s, x, y, z, sx, plane);
        else if (predictor === 2) p = x && y ? medianOf(d[s - 1], d[s - sx], d[s - sx - 1]) : y ? d[s - sx] : x ? d[s - 1] : z ? d[s - plane] : 0;
        d[s] = d[s] + p | 0;
    }
}

// d becomes the residual plus the key's number; inOrder() with predictor 3 adds nothing more.
function fromKey(d, base, key, S) {
    if (!key || key.d.length !== S) throw new Error('brick: its key step is not here');
    const shift = key.base - base | 0;
    for (let s = 0; s < S; s++) if (!key.mask || key.mask[s >> 3] >> (s & 7) & 1) d[s] = d[s] + key.d[s] + shift | 0;
}

// What the page holds of a brick: exact integers as small as they fit, and their present range in lattice integers.
// → {base, d: Int16Array | Int32Array, mask, min, max, size} (min > max when all is missing)
export function compact({base, d, mask}, size) {
    let min = Infinity, max = -Infinity;
    for (let s = 0; s < d.length; s++) {
        if (mask && !(mask[s >> 3] >> (s & 7) & 1)) continue;
        if (d[s] < min) min = d[s];
        if (d[s] > max) max = d[s];
    }
    const small = min >= -32768 && max <= 32767;
    return {base, d: small ? Int16Array.from(d) : d, mask, min: min + base, max: max + base, size};
}

// Texels of the atlas: (core + 2)³ with the border repeated at the grid's edge. A texel is ((q − middle) >> shift) × presence
// and presence (RG) or the first alone (R, when `channels` is 1). box: {lo: [x,y,z] first stored voxel, core: [x,y,z] counts, b: [x,y,z]}.
// → {texels: Uint16Array of half floats, size: [x,y,z], middle, shift}: q = middle + texel × 2^shift
export function brickTexels(brick, b, lo, core, channels) {
    const [sx, sy, sz] = brick.size, size = core.map((n) => n + 2);
    const out = new Uint16Array(size[0] * size[1] * size[2] * channels);
    const middle = brick.min > brick.max ? brick.base : Math.floor((brick.min + brick.max) / 2);
    const reach = brick.min > brick.max ? 0 : Math.max(brick.max - middle, middle - brick.min);
    let shift = 0;
    while (reach / 2 ** shift > 2048) shift++;
    const {d, mask} = brick, offset = brick.base - middle, factor = 2 ** -shift;
    const columnOf = new Int32Array(size[0]);
    for (let x = 0; x < size[0]; x++) columnOf[x] = clamp(CORE * b[0] - 1 + x - lo[0], sx);
    let at = 0;
    for (let z = 0; z < size[2]; z++) {
        const zs = clamp(CORE * b[2] - 1 + z - lo[2], sz) * sy;
        for (let y = 0; y < size[1]; y++) {
            const row = (zs + clamp(CORE * b[1] - 1 + y - lo[1], sy)) * sx;
            for (let x = 0; x < size[0]; x++) {
                const s = row + columnOf[x];
                const present = !mask || mask[s >> 3] >> (s & 7) & 1;
                const value = present ? shift === 0 ? d[s] + offset : Math.round((d[s] + offset) * factor) : 0;
                out[at++] = HALF[value + 2048];
                if (channels === 2) out[at++] = present ? HALF_ONE : 0;
            }
        }
    }
    return {texels: out, size, middle, shift};
}

const clamp = (index, n) => index < 0 ? 0 : index >= n ? n - 1 : index;

// Range of present q in each cell of 8³ core voxels, widened by one voxel: bounds every interpolated sample in it.
// → {count: [x,y,z], min: Int32Array, max: Int32Array}, min > max where nothing is present.
export function cellRanges(brick, b, lo, core) {
    const count = core.map((n) => Math.ceil(n / CELL)), cells = count[0] * count[1] * count[2];
    const min = new Int32Array(cells).fill(0x7fffffff), max = new Int32Array(cells).fill(-0x80000000);
    const [sx, sy, sz] = brick.size, {d, mask, base} = brick;
    let cell = 0;
    const span = (axis, c, n) => [Math.max(CORE * b[axis] + CELL * c - 1 - lo[axis], 0), Math.min(CORE * b[axis] + CELL * c + CELL + 1 - lo[axis], n)];
    for (let cz = 0; cz < count[2]; cz++) for (let cy = 0; cy < count[1]; cy++) for (let cx = 0; cx < count[0]; cx++, cell++) {
        const [x0, x1] = span(0, cx, sx), [y0, y1] = span(1, cy, sy), [z0, z1] = span(2, cz, sz);
        let low = Infinity, high = -Infinity;
        for (let z = z0; z < z1; z++) for (let y = y0; y < y1; y++) for (let s = (z * sy + y) * sx + x0, end = s + x1 - x0; s < end; s++) {
            if (mask && !(mask[s >> 3] >> (s & 7) & 1)) continue;
            const value = d[s];
            if (value < low) low = value;
            if (value > high) high = value;
        }
        if (low <= high) { min[cell] = low + base; max[cell] = high + base; }
    }
    return {count, min, max};
}
