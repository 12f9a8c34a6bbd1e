// SPDX-License-Identifier: Apache-2.0
// Which bricks the camera wants, most wanted first: the coarsest level, then visible bricks by screen error, centre first.
import {CORE} from '../workers/decode_brick.js';

// Screen size in pixels that a voxel may have before the next finer level is wanted.
const VOXEL_PIXELS = 1.4;

// layer: {pyramid, table, geometry, levelHeights(k) → [low, high] m, shows(min, max) or null}; camera: {matrices, width, height, exaggeration}
// or null for all. → [{level, b, index, priority, coarsest}] without bricks that have no bytes.
export function selectBricks(layer, camera, maxCount = Infinity) {
    const {pyramid, table, shows} = layer, wanted = [], last = pyramid.length - 1;
    if (!table) return wanted;
    const visit = (level, bx, by, bz) => {
        const {bricks} = pyramid[level], index = (bz * bricks[1] + by) * bricks[0] + bx, at = table.levels[level], kind = at.kind[index];
        if (kind === 0) return;
        const seen = !shows || shows(at.min[index], at.max[index]);
        const look = camera ? screenOf(layer, camera, level, bx, by, bz) : {inside: true, pixels: Infinity, centre: 0};
        if (level !== last && (!seen || !look.inside)) return;
        if (kind > 1) wanted.push({level, b: [bx, by, bz], index, priority: level === last ? Infinity : look.pixels / (1 + look.centre), coarsest: level === last});
        if (level === 0 || !seen || !look.inside || look.pixels <= VOXEL_PIXELS) return;
        const ratio = pyramid[level].scale.map((s, axis) => s / pyramid[level - 1].scale[axis]), finer = pyramid[level - 1].bricks;
        for (let z = bz * ratio[2]; z < Math.min(finer[2], (bz + 1) * ratio[2]); z++)
            for (let y = by * ratio[1]; y < Math.min(finer[1], (by + 1) * ratio[1]); y++)
                for (let x = bx * ratio[0]; x < Math.min(finer[0], (bx + 1) * ratio[0]); x++) visit(level - 1, x, y, z);
    };
    const {bricks} = pyramid[last];
    for (let z = 0; z < bricks[2]; z++) for (let y = 0; y < bricks[1]; y++) for (let x = 0; x < bricks[0]; x++) visit(last, x, y, z);
    wanted.sort((a, b) => b.level - a.level || b.priority - a.priority);
    return wanted.length > maxCount ? wanted.slice(0, maxCount) : wanted;
}

function screenOf({geometry, pyramid, levelHeights}, {matrices, width, height, exaggeration}, level, bx, by, bz) {
    const {scale, n} = pyramid[level], b = [bx, by, bz], last = pyramid[0].n;
    const span = [0, 1, 2].map((axis) => [CORE * b[axis], Math.min(CORE * b[axis] + CORE, n[axis])].map((voxel) => Math.min(last[axis] - 1, Math.max(0, voxel * scale[axis] - 0.5))));
    const X = span[0].map((i) => (geometry.x.coordinate(i) - geometry.centre[0]) * geometry.kmPerUnit[0]);
    const Y = span[1].map((j) => (geometry.y.coordinate(j) - geometry.centre[1]) * geometry.kmPerUnit[1]);
    const Z = [levelHeights(span[2][0])[0] / 1000 * exaggeration, levelHeights(span[2][1])[1] / 1000 * exaggeration];
    const m = matrices.all, outside = [0, 0, 0, 0, 0, 0];
    let centre = Infinity;
    for (let corner = 0; corner < 8; corner++) {
        const p = [X[corner & 1], Y[corner >> 1 & 1], Z[corner >> 2]];
        const clip = [0, 1, 2, 3].map((r) => m[r] * p[0] + m[4 + r] * p[1] + m[8 + r] * p[2] + m[12 + r]);
        for (let axis = 0; axis < 3; axis++) { if (clip[axis] < -clip[3]) outside[2 * axis]++; if (clip[axis] > clip[3]) outside[2 * axis + 1]++; }
        if (clip[3] > 0) centre = Math.min(centre, Math.hypot(clip[0] / clip[3], clip[1] / clip[3]));
    }
    const {eye} = matrices, away = Math.hypot(...[X, Y, Z].map(([lo, hi], axis) => Math.max(lo - eye[axis], 0, eye[axis] - hi)));
    const spacing = Math.max((X[1] - X[0]) / Math.max(1, Math.min(CORE, n[0]) - 1), (Y[1] - Y[0]) / Math.max(1, Math.min(CORE, n[1]) - 1));
    const pixels = spacing * matrices.projection[5] * height / 2 / Math.max(away, 1e-6);
    return {inside: !outside.some((count) => count === 8), pixels, centre: Math.min(centre, 4)};
}

// levelHeights for a geometry: lowest and highest point in metres of a level anywhere, remembered.
export function levelHeightsOf(geometry) {
    const known = new Map(), map = geometry.levelMap;
    return (k) => {
        if (!map) return geometry.groundRange;
        if (known.has(k)) return known.get(k);
        let low = Infinity, high = -Infinity;
        const columns = map.columnsX * map.columnsY, stride = Math.max(1, Math.floor(columns / 500));
        for (let c = 0; c < columns; c += stride) { const h = geometry.tableColumnHeight(c, k); low = Math.min(low, h); high = Math.max(high, h); }
        const [least, most] = map.stretchRange;
        const answer = [low * (low < 0 ? most : least) + map.baseRange[0], high * (high < 0 ? least : most) + map.baseRange[1]];
        known.set(k, answer);
        return answer;
    };
}
