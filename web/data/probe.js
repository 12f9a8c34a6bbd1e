// SPDX-License-Identifier: Apache-2.0
// Values from the exact integers, in doubles: the value at a place, and what a ray meets.

// The value of a layer at fractional level-0 indices, from the finest resident brick: {value: number or null, level} or null
// when nothing is resident there. loader.peek, tables as in data/loader.js.
export function valueAt(layer, field, table, peek, i, j, k) {
    for (let level = 0; level < layer.pyramid.length; level++) {
        const at = layer.pyramid[level], [sx, sy, sz] = at.scale, n0 = layer.pyramid[0].n;
        let x = i;
        if (layer.geometry.wraps && x >= n0[0] - 0.5) x -= n0[0];
        const I = (x + 0.5) / sx - 0.5, J = (j + 0.5) / sy - 0.5, K = (k + 0.5) / sz - 0.5;
        const b = [x + 0.5, j + 0.5, k + 0.5].map((v, axis) => Math.min(at.bricks[axis] - 1, Math.max(0, Math.floor(v / at.scale[axis] / 32))));
        const index = (b[2] * at.bricks[1] + b[1]) * at.bricks[0] + b[0], kind = table.levels[level].kind[index];
        if (kind === 0) return {value: null, level};
        if (kind === 1) return {value: toValue(layer, table.levels[level].min[index]), level};
        const entry = peek(field, level, b);
        if (!entry) continue;
        return {value: toValue(layer, trilinear(entry.brick, layer.box(level, b).lo, I, J, K)), level};
    }
    return null;
}

const toValue = ({lattice}, q) => q === null ? null : lattice.v0 + q * lattice.step;

// q at fractional indices of the brick's level; null where less than half of the eight neighbours' weight is present.
function trilinear({d, base, mask, size: [nx, ny, nz]}, lo, I, J, K) {
    const [x, y, z] = [I - lo[0], J - lo[1], K - lo[2]], x0 = Math.floor(x), y0 = Math.floor(y), z0 = Math.floor(z);
    const clamp = (v, n) => v < 0 ? 0 : v >= n ? n - 1 : v;
    let sum = 0, weight = 0;
    for (let corner = 0; corner < 8; corner++) {
        const a = corner & 1, b = corner >> 1 & 1, c = corner >> 2;
        const w = (a ? x - x0 : 1 - x + x0) * (b ? y - y0 : 1 - y + y0) * (c ? z - z0 : 1 - z + z0);
        if (w === 0) continue;
        const s = (clamp(z0 + c, nz) * ny + clamp(y0 + b, ny)) * nx + clamp(x0 + a, nx);
        if (mask && !(mask[s >> 3] >> (s & 7) & 1)) continue;
        sum += w * d[s];
        weight += w;
    }
    return weight >= 0.5 - 1e-12 ? base + sum / weight : null;
}

// Marches a ray (origin, direction in the exaggerated scene) and gives the place that contributes most to the pixel: on the ground where
// more light comes from there than from all that is before it, else where most of the volumes' share comes from:
// {scene: [X, Y, Z], on: 'volume' | 'ground'} or null. layers: volume layers with field, table, peek.
export function strike(ray, {box, exaggeration, layers, valueOf, groundAt}) {
    const low = [box.low[0], box.low[1], box.low[2] * exaggeration], high = [box.high[0], box.high[1], box.high[2] * exaggeration];
    let t0 = 0, t1 = Infinity;
    for (let axis = 0; axis < 3; axis++) {
        const d = ray.direction[axis] || 1e-12, a = (low[axis] - ray.origin[axis]) / d, b = (high[axis] - ray.origin[axis]) / d;
        t0 = Math.max(t0, Math.min(a, b));
        t1 = Math.min(t1, Math.max(a, b));
    }
    if (t0 >= t1) return null;
    const place = (t) => ray.origin.map((o, axis) => o + ray.direction[axis] * t), steps = 700, dt = (t1 - t0) / steps;
    let through = 1, best = 0, found = null, before = t0;
    for (let n = 0; n <= steps; n++) {
        const t = t0 + n * dt, at = place(t), scene = [at[0], at[1], at[2] / exaggeration];
        const ground = groundAt(scene[0], scene[1]);
        if (ground !== null && scene[2] <= ground) {
            let a = before, b = t;
            for (let turn = 0; turn < 30; turn++) { const m = (a + b) / 2, p = place(m), g = groundAt(p[0], p[1]); if (g !== null && p[2] / exaggeration <= g) b = m; else a = m; }
            const p = place(b);
            return through > 0.5 || !found ? {scene: [p[0], p[1], groundAt(p[0], p[1]) ?? p[2] / exaggeration], on: 'ground'} : found;
        }
        before = t;
        let tau = 0;
        for (const layer of layers) {
            const value = valueOf(layer, scene);
            if (value !== null) tau += layer.transfer.tau(value);
        }
        const alpha = 1 - Math.exp(-tau * dt / exaggeration), share = through * alpha;
        if (share > best) { best = share; found = {scene, on: 'volume'}; }
        through *= 1 - alpha;
        if (through < 0.02) break;
    }
    return through < 0.97 ? found : null;
}
