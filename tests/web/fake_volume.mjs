// SPDX-License-Identifier: Apache-2.0
// Volumes made from functions, cut into bricks by plain code of its own (tiler/BRICK_FORMAT.md). For tests of the page.
import {deflateRawSync} from 'node:zlib';

// value(i, j, k) → number or NaN. → {n, scaleOf, levels: [{n, scale, bricks, q: Int32Array, present: Uint8Array}], lattice}
export function makeVolume({nx, ny, nz, wraps = false, lattice, cubicFrom = Infinity, value}) {
    let n = [nx, ny, nz], scale = [1, 1, 1];
    const source = new Float64Array(nx * ny * nz);
    for (let k = 0, s = 0; k < nz; k++) for (let j = 0; j < ny; j++) for (let i = 0; i < nx; i++, s++) source[s] = value(i, j, k);
    const levels = [];
    for (let level = 0; ; level++) {
        levels.push(quantise(n, scale, source, [nx, ny, nz], lattice));
        if (Math.max(...n) <= 64) break;
        const halvesZ = level + 1 >= cubicFrom;
        scale = [scale[0] * 2, scale[1] * 2, halvesZ ? scale[2] * 2 : scale[2]];
        n = [Math.ceil(n[0] / 2), Math.ceil(n[1] / 2), halvesZ ? Math.ceil(n[2] / 2) : n[2]];
    }
    return {n: [nx, ny, nz], wraps, lattice, levels, source};
}

function quantise(n, scale, source, full, lattice) {
    const [nx, ny, nz] = n, q = new Int32Array(nx * ny * nz), present = new Uint8Array(nx * ny * nz);
    let s = 0;
    for (let k = 0; k < nz; k++) for (let j = 0; j < ny; j++) for (let i = 0; i < nx; i++, s++) {
        let sum = 0, here = 0, all = 0;
        for (let z = k * scale[2]; z < Math.min((k + 1) * scale[2], full[2]); z++)
            for (let y = j * scale[1]; y < Math.min((j + 1) * scale[1], full[1]); y++)
                for (let x = i * scale[0]; x < Math.min((i + 1) * scale[0], full[0]); x++) {
                    const v = source[(z * full[1] + y) * full[0] + x];
                    all++;
                    if (Number.isFinite(v)) { sum += v; here++; }
                }
        if (here > 0 && 2 * here >= all) { present[s] = 1; q[s] = Math.round((sum / here - lattice.v0) / lattice.step); }
    }
    return {n, scale, bricks: n.map((m) => Math.ceil(m / 32)), q, present};
}

function stored(volume, level, b) {
    const {n, q, present} = volume.levels[level];
    const lo = [], hi = [];
    for (let axis = 0; axis < 3; axis++) {
        const around = axis === 0 && volume.wraps && n[0] > 1;
        lo[axis] = around ? 32 * b[0] - 1 : Math.max(32 * b[axis] - 1, 0);
        hi[axis] = around ? Math.min(32 * b[0] + 32, n[0]) + 1 : Math.min(32 * b[axis] + 33, n[axis]);
    }
    const size = hi.map((h, axis) => h - lo[axis]), values = new Int32Array(size[0] * size[1] * size[2]), mask = new Uint8Array(values.length);
    let s = 0;
    for (let z = lo[2]; z < hi[2]; z++) for (let y = lo[1]; y < hi[1]; y++) for (let x = lo[0]; x < hi[0]; x++, s++) {
        const from = (z * n[1] + y) * n[0] + ((x % n[0]) + n[0]) % n[0];
        values[s] = q[from];
        mask[s] = present[from];
    }
    return {size, values, mask};
}

function describe({values, mask}) {
    let min = Infinity, max = -Infinity, missing = 0;
    values.forEach((value, s) => { if (!mask[s]) { missing++; return; } min = Math.min(min, value); max = Math.max(max, value); });
    const kind = missing === values.length ? 0 : missing === 0 && min === max ? 1 : missing ? 3 : 2;
    return {kind, min: kind ? min : 0, max: kind ? max : 0};
}

const WEIGHTS = [200, 180, 160, -120, -100, -90, 30, 3];

// A brick's bytes, or null when the table says all. predictor: 0, 1, 2 or 4; half: half bytes with escapes.
export function encodeBrick(volume, level, b, predictor = 1, {half = false} = {}) {
    const box = stored(volume, level, b), {kind, min, max} = describe(box);
    if (kind < 2) return null;
    const {size: [sx, sy, sz], values, mask} = box, S = values.length, base = Math.floor((min + max) / 2);
    const d = new Int32Array(S), r = new Uint32Array(S);
    const at = (x, y, z) => x < 0 || y < 0 || z < 0 ? 0 : d[(z * sy + y) * sx + x];
    const around = (x, y, z) => [at(x - 1, y, z), at(x, y - 1, z), at(x, y, z - 1), at(x - 1, y - 1, z), at(x - 1, y, z - 1), at(x, y - 1, z - 1), at(x - 1, y - 1, z - 1)];
    let top = 0;
    for (let z = 0, s = 0; z < sz; z++) for (let y = 0; y < sy; y++) for (let x = 0; x < sx; x++, s++) {
        if (!mask[s]) { d[s] = x ? at(x - 1, y, z) : y ? at(x, y - 1, z) : at(x, y, z - 1); continue; }
        let p = 0;
        if (predictor === 1 || predictor === 4) p = around(x, y, z).reduce((sum, value, n) => sum + [1, 1, 1, -1, -1, -1, 1][n] * value, 0);
        if (predictor === 4 && x && y && z) p = (around(x, y, z).reduce((sum, value, n) => sum + WEIGHTS[n] * value, WEIGHTS[7]) | 0) >> 8;
        if (predictor === 2) {
            const W = at(x - 1, y, z), N = at(x, y - 1, z), C = at(x - 1, y - 1, z);
            p = x === 0 && y === 0 ? at(0, 0, z - 1) : y === 0 ? W : x === 0 ? N : [W, N, W + N - C].sort((m, n) => m - n)[1];
        }
        const residual = (values[s] - base - p) | 0;
        d[s] = (residual + p) | 0;
        r[s] = ((residual << 1) ^ (residual >> 31)) >>> 0;
        top = Math.max(top, r[s]);
    }
    const width = half ? 0 : top < 256 ? 1 : top < 65536 ? 2 : 4, M = kind === 3 ? (S + 7) >> 3 : 0, head = Buffer.alloc(predictor === 4 ? 28 : 12), maskBytes = Buffer.alloc(M);
    if (M) mask.forEach((present, s) => { if (present) maskBytes[s >> 3] |= 1 << (s & 7); });
    head.writeUInt8(1, 0); head.writeUInt8(width, 1); head.writeUInt8(predictor, 2); head.writeUInt8(kind === 3 ? 1 : 0, 3);
    head.writeInt32LE(base, 4);
    if (predictor === 4) WEIGHTS.forEach((weight, n) => head.writeInt16LE(weight, 12 + 2 * n));
    return Buffer.concat([head, deflateRawSync(Buffer.concat([maskBytes, half ? halves(r) : bytePlanes(r, width)]))]);
}

function bytePlanes(numbers, width) {
    const out = Buffer.alloc(width * numbers.length);
    for (let plane = 0; plane < width; plane++) numbers.forEach((number, s) => { out[plane * numbers.length + s] = number >>> (8 * plane); });
    return out;
}

function halves(numbers) {
    const low = Buffer.alloc((numbers.length + 1) >> 1), escapes = [];
    numbers.forEach((number, s) => { low[s >> 1] |= Math.min(number, 15) << (4 * (s & 1)); if (number >= 15) escapes.push(number); });
    return Buffer.concat([low, bytePlanes(Uint32Array.from(escapes), 4)]);
}

export function encodeTable(volume) {
    const L = volume.levels.length, head = Buffer.alloc(24 + 24 * L);
    head.writeUInt32LE(1, 0); head.writeUInt32LE(L, 4);
    let low = NaN, high = NaN;
    volume.levels[0].q.forEach((q, s) => {
        if (!volume.levels[0].present[s]) return;
        const v = volume.lattice.v0 + q * volume.lattice.step;
        if (!(low <= v)) low = v;
        if (!(high >= v)) high = v;
    });
    head.writeDoubleLE(low, 8); head.writeDoubleLE(high, 16);
    const parts = [];
    for (let level = L - 1; level >= 0; level--) {
        const {n, bricks} = volume.levels[level];
        [...n, ...bricks].forEach((value, k) => head.writeUInt32LE(value, 24 + 24 * level + 4 * k));
        const B = bricks[0] * bricks[1] * bricks[2], kinds = Buffer.alloc(B), mins = [], maxs = [];
        let index = 0;
        for (let z = 0; z < bricks[2]; z++) for (let y = 0; y < bricks[1]; y++) for (let x = 0; x < bricks[0]; x++, index++) {
            const {kind, min, max} = describe(stored(volume, level, [x, y, z]));
            kinds[index] = kind; mins.push(min); maxs.push(max);
        }
        parts.push(kinds, planes(mins), planes(maxs));
    }
    return Buffer.concat([head, deflateRawSync(Buffer.concat(parts))]);
}

function planes(values) {
    const n = values.length, out = Buffer.alloc(4 * n);
    let last = 0;
    values.forEach((value, i) => {
        const difference = (value - last) >>> 0;
        last = value;
        for (let plane = 0; plane < 4; plane++) out[plane * n + i] = difference >>> (8 * plane);
    });
    return out;
}

// A geometry document. grid: {proj, angular, wraps, centre, km_per_unit, x, y}; axes {n, start, step} or {n, values: []}.
// map: level_map keys with table, base, stretch, parameter as arrays (or "ground").
export function encodeGeometry(grid, ground, map) {
    const arrays = [];
    let offset = 0;
    const add = (values) => {
        if (values === null || values === undefined) return null;
        if (typeof values === 'string') return values;
        const array = Float32Array.from(values), name = {offset, count: array.length};
        arrays.push(Buffer.from(array.buffer));
        offset += array.byteLength;
        return name;
    };
    const axis = (a) => a.values ? {n: a.n, values: add(a.values)} : a;
    const document = {...grid, x: axis(grid.x), y: axis(grid.y), ground: add(ground),
        level_map: map ? {...map, table: add(map.table), base: add(map.base), stretch: add(map.stretch), parameter: add(map.parameter)} : null};
    const json = Buffer.from(JSON.stringify(document)), head = Buffer.alloc(12);
    head.write('VGEO', 0, 'latin1'); head.writeUInt32LE(2, 4); head.writeUInt32LE(json.length, 8);
    const pad = Buffer.alloc((4 - (12 + json.length) % 4) % 4);
    return Buffer.concat([head, json, pad, ...arrays]);
}

// A flat level map for levels at heights (metres, increasing).
export function flatLevelMap(heights, extra = {}) {
    const count = 1024, bottom = heights[0], top = heights[heights.length - 1] + (heights.length === 1 ? 1 : 0), scale = Math.max(50, (top - bottom) / 20);
    const span = Math.log(1 + (top - bottom) / scale);
    const table = Array.from({length: count}, (_, node) => {
        const r = bottom + scale * (Math.exp(node / (count - 1) * span) - 1);
        if (heights.length === 1) return 0;
        let at = 0;
        while (at < heights.length - 2 && heights[at + 1] <= r) at++;
        return at + (r - heights[at]) / (heights[at + 1] - heights[at]);
    });
    return {kind: 'flat', datum: 'sea', method: 'coordinate', coordinate: 'height', level_count: heights.length, bottom, top, scale,
        height_count: count, columns: [1, 1], coarse_step: 1, parameter_start: 0, parameter_step: 1, table, base: null, parameter: null,
        nominal: heights, max_error: 0.5, ...extra};
}

// Hybrid heights: level k stands at a_k + b_k ground. Tables by ground height.
export function hybridLevelMap(a, b, ground) {
    const highest = Math.max(...ground), parameterStep = 100, columns = Math.ceil(highest / parameterStep) + 2;
    const count = 1024, bottom = 0, top = a[a.length - 1], scale = 200, span = Math.log(1 + (top - bottom) / scale);
    const table = [];
    for (let c = 0; c < columns; c++) {
        const g = c * parameterStep, heights = a.map((value, k) => value + b[k] * g - g);
        for (let node = 0; node < count; node++) {
            const r = bottom + scale * (Math.exp(node / (count - 1) * span) - 1);
            let at = 0;
            while (at < heights.length - 2 && heights[at + 1] <= r) at++;
            table.push(at + (r - heights[at]) / (heights[at + 1] - heights[at]));
        }
    }
    return {kind: 'by_surface', datum: 'sea', method: 'hybrid height', coordinate: 'hybrid_height', level_count: a.length, bottom, top, scale,
        height_count: count, columns: [columns, 1], coarse_step: 1, parameter_start: 0, parameter_step: parameterStep, table, base: 'ground',
        parameter: 'ground', nominal: a, max_error: 2};
}

// Heights that vary from column to column in their own way: heightOf(i, j, k) metres. Heights at every `step` columns and the last,
// relative to the lowest and the highest level.
export function coarseLevelMap(nx, ny, nz, step, heightOf) {
    const stands = (n) => { const at = []; for (let c = 0; c < n - 1; c += step) at.push(c); at.push(n - 1); return at; }, xs = stands(nx), ys = stands(ny);
    const columns = Array.from({length: nx * ny}, (_, c) => [c % nx, Math.floor(c / nx)]), base = columns.map(([i, j]) => heightOf(i, j, 0));
    const depth = columns.map(([i, j]) => heightOf(i, j, nz - 1) - heightOf(i, j, 0)), mean = depth.reduce((a, b) => a + b, 0) / depth.length;
    const stretch = depth.map((d) => d / mean), table = [];
    for (let k = 0; k < nz; k++) for (const j of ys) for (const i of xs) table.push((heightOf(i, j, k) - base[j * nx + i]) / stretch[j * nx + i]);
    return {kind: 'coarse', datum: 'sea', method: 'geopotential height', coordinate: 'pressure', level_count: nz, bottom: 0, top: mean, scale: 1, height_count: 0,
        columns: [xs.length, ys.length], coarse_step: step, parameter_start: 0, parameter_step: 1, table, base, stretch, parameter: null, nominal: Array.from({length: nz}, (_, k) => heightOf(0, 0, k)), max_error: 5};
}
