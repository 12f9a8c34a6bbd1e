// SPDX-License-Identifier: Apache-2.0
// Bricks, step tables, geometry and batches against plain encoders of their own.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {deflateRawSync} from 'node:zlib';
import {encodeBrick, encodeGeometry, encodeTable, flatLevelMap, hybridLevelMap, makeVolume} from './fake_volume.mjs';
import {brickTexels, cellRanges, compact, decodeBrick, storedRange} from '../../web/workers/decode_brick.js';
import {parseStepTable} from '../../web/data/step_table.js';
import {parseGeometry} from '../../web/data/geometry.js';
import {parseBatch, writeBatch} from '../../web/net/messages.js';

const lattice = {v0: 0, step: 0.1, epsilon: 0.05};
const volume = (value, extra = {}) => makeVolume({nx: 75, ny: 45, nz: 37, lattice, value, ...extra});
const wavy = (i, j, k) => 20 * Math.sin(i / 5) * Math.cos(j / 7) + k;
const holed = (i, j, k) => (i * 7 + j * 3 + k * 5) % 11 === 0 || i < 3 ? NaN : wavy(i, j, k);

function boxOf(v, level, b) {
    const {n} = v.levels[level], ranges = b.map((index, axis) => storedRange(index, n[axis], axis === 0 && v.wraps));
    return {n, lo: ranges.map((r) => r.lo), size: ranges.map((r) => r.hi - r.lo), core: b.map((index, axis) => Math.min(32, n[axis] - 32 * index))};
}

function check(v, level, b, bytes) {
    const {n, lo, size} = boxOf(v, level, b), {q, present} = v.levels[level], {base, d, mask} = decodeBrick(new Uint8Array(bytes), size);
    let s = 0;
    for (let z = 0; z < size[2]; z++) for (let y = 0; y < size[1]; y++) for (let x = 0; x < size[0]; x++, s++) {
        const from = ((lo[2] + z) * n[1] + lo[1] + y) * n[0] + (((lo[0] + x) % n[0]) + n[0]) % n[0];
        assert.equal(mask ? mask[s >> 3] >> (s & 7) & 1 : 1, present[from]);
        if (present[from]) assert.equal(base + d[s], q[from]);
    }
}

const everyBrick = (v, visit) => v.levels.forEach(({bricks}, level) => {
    for (let z = 0; z < bricks[2]; z++) for (let y = 0; y < bricks[1]; y++) for (let x = 0; x < bricks[0]; x++) visit(level, [x, y, z]);
});

for (const [name, value] of [['without holes', wavy], ['with holes', holed]]) for (const predictor of [0, 1, 2, 4]) for (const half of [false, true]) {
    test(`every voxel decodes exactly ${name}: predictor ${predictor}${half ? ', half bytes' : ''}`, () => {
        const v = volume(value, {wraps: predictor === 1});
        everyBrick(v, (level, b) => { const bytes = encodeBrick(v, level, b, predictor, {half}); if (bytes) check(v, level, b, bytes); });
    });
}

test('a brick predicted by a key step', () => {
    const key = volume(wavy), later = volume((i, j, k) => wavy(i, j, k) + (i % 3)), {size} = boxOf(later, 0, [0, 0, 0]);
    const keyBrick = decodeBrick(new Uint8Array(encodeBrick(key, 0, [0, 0, 0], 1)), size), S = size[0] * size[1] * size[2];
    const want = decodeBrick(new Uint8Array(encodeBrick(later, 0, [0, 0, 0], 1)), size), body = new Uint8Array(2 * S);
    for (let s = 0; s < S; s++) { const r = want.base + want.d[s] - keyBrick.base - keyBrick.d[s], z = ((r << 1) ^ (r >> 31)) >>> 0; body[s] = z; body[S + s] = z >> 8; }
    const head = Buffer.alloc(12); head[0] = 1; head[1] = 2; head[2] = 3; head.writeInt32LE(want.base, 4);
    const got = decodeBrick(new Uint8Array(Buffer.concat([head, deflateRawSync(body)])), size, keyBrick);
    assert.deepEqual(got.d, want.d);
    assert.throws(() => decodeBrick(new Uint8Array(Buffer.concat([head, deflateRawSync(body)])), size, null), /key step/);
});

test('whatever is cut, too long or unknown in a brick is refused', () => {
    const v = volume(wavy), {size} = boxOf(v, 0, [0, 0, 0]), good = new Uint8Array(encodeBrick(v, 0, [0, 0, 0], 1));
    for (const length of [0, 5, 12, 20, good.length - 40]) assert.throws(() => decodeBrick(good.slice(0, length), size));
    for (const [at, value] of [[0, 2], [1, 3], [2, 9], [3, 2]]) { const bad = good.slice(); bad[at] = value; assert.throws(() => decodeBrick(bad, size)); }
    assert.throws(() => decodeBrick(good, [size[0], size[1], size[2] + 1]));
});

test('texels are the exact integers about the middle, with the edge repeated beyond the grid', () => {
    const v = volume(holed), b = [2, 1, 1], {lo, size, core, n} = boxOf(v, 0, b), brick = compact(decodeBrick(new Uint8Array(encodeBrick(v, 0, b, 1)), size), size);
    const {texels, size: [tx, ty, tz], middle, shift} = brickTexels(brick, b, lo, core, 2), {q, present} = v.levels[0];
    const half = (bits) => { const e = bits >> 10 & 31, f = bits & 1023; return (bits >> 15 ? -1 : 1) * (e ? (1 + f / 1024) * 2 ** (e - 15) : f * 2 ** -24); };
    const clamp = (value, axis) => Math.min(n[axis] - 1, Math.max(0, value));
    for (let z = 0, t = 0; z < tz; z++) for (let y = 0; y < ty; y++) for (let x = 0; x < tx; x++, t++) {
        const from = (clamp(32 * b[2] - 1 + z, 2) * n[1] + clamp(32 * b[1] - 1 + y, 1)) * n[0] + clamp(32 * b[0] - 1 + x, 0);
        assert.equal(half(texels[2 * t + 1]), present[from]);
        assert.equal(half(texels[2 * t]) * 2 ** shift, present[from] ? q[from] - middle : 0);
    }
});

test('ranges of cells bound every voxel in them and one around', () => {
    const v = volume(wavy), b = [1, 0, 0], {lo, size, core, n} = boxOf(v, 0, b), brick = compact(decodeBrick(new Uint8Array(encodeBrick(v, 0, b, 2)), size), size), cells = cellRanges(brick, b, lo, core);
    const {q} = v.levels[0];
    for (let z = -1; z <= 8; z++) for (let y = 7; y <= 16; y++) for (let x = 15; x <= 24; x++) {
        const at = [32 + x, y, z];
        if (at.some((value, axis) => value < 0 || value >= n[axis])) continue;
        const cell = (0 * cells.count[1] + 1) * cells.count[0] + 2, value = q[(at[2] * n[1] + at[1]) * n[0] + at[0]];
        assert.ok(cells.min[cell] <= value && value <= cells.max[cell]);
    }
});

test('the step table names every brick', () => {
    const v = volume(holed), table = parseStepTable(new Uint8Array(encodeTable(v)));
    assert.equal(table.levels.length, v.levels.length);
    assert.equal(table.masked, true);
    everyBrick(v, (level, b) => {
        const {bricks} = v.levels[level], kind = table.levels[level].kind[(b[2] * bricks[1] + b[1]) * bricks[0] + b[0]];
        assert.equal(kind > 1, encodeBrick(v, level, b) !== null);
    });
    const good = new Uint8Array(encodeTable(v));
    for (const length of [0, 20, 60, good.length - 10]) assert.throws(() => parseStepTable(good.slice(0, length)));
});

test('a batch comes back as it was written, and one that is cut is refused', () => {
    const parts = [{kind: 1, layer: 1, level: 0, step: 7, b: [0, 0, 0], bytes: new Uint8Array([1, 2, 3])}, {kind: 2, layer: 0, level: 3, step: 70000, b: [4, 5, 6], bytes: new Uint8Array(100)}];
    const bytes = writeBatch(9, parts), got = parseBatch(bytes.buffer);
    assert.deepEqual(got, {generation: 9, parts, payload: 103});
    for (const length of [3, 11, 20, 40, bytes.length - 1]) assert.throws(() => parseBatch(bytes.slice(0, length).buffer));
});

test('a geometry whose arrays do not fit is refused', () => {
    const heights = [0, 100, 1000], axis = {n: 3, start: 0, step: 1}, grid = {proj: '+proj=longlat', angular: true, wraps: false, centre: [1, 1], km_per_unit: [1, 1], x: axis, y: axis};
    const good = encodeGeometry(grid, new Array(9).fill(5), flatLevelMap(heights)), exact = (buffer) => Uint8Array.from(buffer).buffer;
    assert.equal(parseGeometry(exact(good)).nz, 3);
    assert.throws(() => parseGeometry(exact(good.subarray(0, good.length - 8))));
    assert.throws(() => parseGeometry(exact(encodeGeometry(grid, new Array(8).fill(5), flatLevelMap(heights)))));
});

test('level and height are each other\'s inverse over hills', () => {
    const nx = 6, ny = 5, a = [10, 100, 500, 2000, 8000], b = [1, 0.9, 0.6, 0.2, 0], ground = Array.from({length: nx * ny}, (_, s) => (s * 53) % 700);
    const grid = {proj: '+proj=longlat', angular: true, wraps: false, centre: [0, 0], km_per_unit: [1, 1], x: {n: nx, start: 0, step: 1}, y: {n: ny, start: 0, step: 1}};
    const geometry = parseGeometry(Uint8Array.from(encodeGeometry(grid, ground, hybridLevelMap(a, b, ground))).buffer);
    for (let j = 0; j < ny; j++) for (let i = 0; i < nx; i++) for (let k = 0; k < a.length; k++) {
        const height = geometry.levelHeight(i, j, k);
        assert.ok(Math.abs(height - (a[k] + b[k] * ground[j * nx + i])) < 12 + 0.02 * height, `level ${k} at ${height}`);
        assert.ok(Math.abs(geometry.level(i, j, height) - k) < 1e-3);
    }
});
