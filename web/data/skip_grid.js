// SPDX-License-Identifier: Apache-2.0
// Where nothing can be seen: a grid over the scene whose cells say how far around them every interpolated sample of every
// layer is invisible under the transfer functions. Cells are about 8 × 8 columns × a height interval.
import {CELL, CORE} from '../workers/decode_brick.js';

const BINS = 48, RADII = [[1, 2], [2, 3], [4, 5], [8, 9]];

// What of a geometry the grid needs, computed once: heights between which each cell of 8³ voxels lies.
export class CellHeights {
    constructor(geometry, volume = true) {
        this.geometry = geometry;
        const nz = volume ? geometry.nz : 1;
        this.count = [Math.ceil(geometry.nx / CELL), Math.ceil(geometry.ny / CELL), Math.ceil(nz / CELL)];
        const [cx, cy, cz] = this.count, map = geometry.levelMap;
        this.low = new Float32Array(cx * cy * cz);
        this.high = new Float32Array(cx * cy * cz);
        const boundaries = Array.from({length: cz + 1}, (_, b) => Math.min(nz - 1, Math.max(0, CELL * b - 0.5)));
        const columns = map ? map.columnsX * map.columnsY : 0;
        const heights = boundaries.map((k) => Float32Array.from({length: columns}, (_, c) => geometry.tableColumnHeight(c, k)));
        for (let y = 0; y < cy; y++) for (let x = 0; x < cx; x++) {
            const box = [CELL * x - 1, CELL * x + CELL, CELL * y - 1, CELL * y + CELL];
            const base = map ? this.#range(map.base, box) : [0, 0], stretch = map?.stretch ? this.#range(map.stretch, box) : [1, 1], ground = this.#range(geometry.ground, box), used = map ? this.#columnsUsed(map, box) : [];
            for (let z = 0; z < cz; z++) {
                let low = Infinity, high = -Infinity;
                for (const c of used) { low = Math.min(low, heights[z][c]); high = Math.max(high, heights[z + 1][c]); }
                low *= low < 0 ? stretch[1] : stretch[0];
                high *= high < 0 ? stretch[0] : stretch[1];
                const at = (z * cy + y) * cx + x;
                // The lowest level is held down to the ground.
                this.low[at] = z === 0 ? Math.min(ground[0], base[0] + low) - 1 : base[0] + low;
                this.high[at] = base[1] + high;
            }
        }
    }

    #range(field, [x0, x1, y0, y1]) {
        if (!field) return [0, 0];
        const {nx, ny} = this.geometry;
        let low = Infinity, high = -Infinity;
        for (let j = Math.max(0, y0); j <= Math.min(ny - 1, y1); j++) for (let i = Math.max(0, x0); i <= Math.min(nx - 1, x1); i++) {
            const value = field[j * nx + i];
            if (value < low) low = value;
            if (value > high) high = value;
        }
        return [low, high];
    }

    #columnsUsed(map, box) {
        if (map.kind === 'flat') return [0];
        if (map.kind === 'by_surface') {
            const [low, high] = this.#range(map.parameter, box).map((value) => (value - map.parameterStart) / map.parameterStep);
            const first = Math.max(0, Math.floor(low)), last = Math.min(map.columnsX - 1, Math.ceil(high)), used = [];
            for (let c = Math.min(first, map.columnsX - 1); c <= Math.max(last, 0); c++) used.push(c);
            return used;
        }
        const used = [], span = (from, to, count) => [Math.max(0, Math.min(count - 2, Math.floor(from / map.coarseStep))), Math.min(count - 1, Math.ceil(to / map.coarseStep))];
        const [x0, x1] = span(box[0], box[1], map.columnsX), [y0, y1] = span(box[2], box[3], map.columnsY);
        for (let y = Math.max(0, y0); y <= y1; y++) {
            for (let x = Math.max(0, x0); x <= x1; x++) used.push(y * map.columnsX + x);
            if (this.geometry.wraps && x1 === map.columnsX - 1) used.push(y * map.columnsX);  // the first follows the last
        }
        return used;
    }
}

export class SkipGrid {
    // heights: CellHeights of each volume layer, box: {low, high} scene km before exaggeration. Cells follow the first layer's columns.
    constructor(heights, box) {
        const {geometry, count} = heights[0];
        const edge = (axis, row, index) => ((axis.regular ? axis.start + index * axis.step : axis.coordinate(index)) - geometry.centre[row]) * geometry.kmPerUnit[row];
        this.size = [count[0], count[1], BINS];
        const width = geometry.x.n > 1 ? geometry.x.regular ? CELL * geometry.x.step * geometry.kmPerUnit[0] : (edge(geometry.x, 0, geometry.nx - 1) - edge(geometry.x, 0, 0)) / count[0] : box.high[0] - box.low[0];
        const depth = geometry.y.n > 1 ? geometry.y.regular ? CELL * geometry.y.step * geometry.kmPerUnit[1] : (edge(geometry.y, 1, geometry.ny - 1) - edge(geometry.y, 1, 0)) / count[1] : box.high[1] - box.low[1];
        this.cell = [width, depth, (box.high[2] - box.low[2]) / BINS];
        this.low = [geometry.x.regular && geometry.x.n > 1 ? edge(geometry.x, 0, -0.5) : box.low[0], geometry.y.regular && geometry.y.n > 1 ? edge(geometry.y, 1, -0.5) : box.low[1], box.low[2]];
        this.size[0] = Math.max(1, Math.ceil((box.high[0] - this.low[0]) / this.cell[0] - 1e-6));
        this.size[1] = Math.max(1, Math.ceil((box.high[1] - this.low[1]) / this.cell[1] - 1e-6));
        this.active = new Uint8Array(this.size[0] * this.size[1] * BINS);
        this.values = new Uint8Array(this.active.length);
    }

    begin() { this.active.fill(0); }

    // Marks what one layer may show. heights: its CellHeights; visible(cx, cy, cz) for cells of 8³ level-0 voxels.
    mark(heights, visible) {
        const {geometry, count: [cx, cy, cz]} = heights, [gx, gy, gz] = this.size;
        const spans = (axis, row, count, n) => Array.from({length: count}, (_, c) => {
            const place = (index) => ((axis.regular ? axis.start + index * axis.step : axis.coordinate(Math.min(axis.n - 1, Math.max(0, index)))) - geometry.centre[row]) * geometry.kmPerUnit[row];
            const from = (place(CELL * c - 0.5) - this.low[row]) / this.cell[row], to = (place(CELL * c + CELL - 0.5) - this.low[row]) / this.cell[row];
            return [Math.max(0, Math.floor(from + 1e-4)), Math.min(n - 1, Math.ceil(to - 1e-4) - 1)];
        });
        const xs = spans(geometry.x, 0, cx, gx), ys = spans(geometry.y, 1, cy, gy);
        const around = geometry.wraps ? gx - 1 : -1;   // the last half cell of a wrapping grid is shared with the first column
        for (let z = 0, at = 0; z < cz; z++) for (let y = 0; y < cy; y++) for (let x = 0; x < cx; x++, at++) {
            if (!visible(x, y, z)) continue;
            const z0 = Math.max(0, Math.floor((heights.low[at] / 1000 - this.low[2]) / this.cell[2])), z1 = Math.min(gz - 1, Math.floor((heights.high[at] / 1000 - this.low[2]) / this.cell[2]));
            for (let c = z0; c <= z1; c++) for (let b = ys[y][0]; b <= ys[y][1]; b++) {
                const row = (c * gy + b) * gx;
                this.active.fill(1, row + xs[x][0], row + xs[x][1] + 1);
                if (around >= 0 && (x === 0 || x === cx - 1)) this.active[row + around] = 1;
            }
        }
    }

    // → values: 0 where something may be, else 1 + the number of cells around that are empty too (capped).
    finish() {
        const {size: [nx, ny, nz], active, values} = this;
        let reach = Uint8Array.from(active), covered = 0;
        for (let s = 0; s < values.length; s++) values[s] = active[s] ? 0 : 1;
        for (const [radius, value] of RADII) {
            const grow = radius - covered;
            covered = radius;
            reach = dilate(reach, nx * ny * nz, 1, nx, grow);
            reach = dilate(reach, nx * ny * nz, nx, ny, grow);
            reach = dilate(reach, nx * ny * nz, nx * ny, nz, grow);
            for (let s = 0; s < values.length; s++) if (!reach[s]) values[s] = value;
        }
        return values;
    }
}

// Spreads ones along an axis by `radius` cells. stride: between neighbours, n: cells along the axis.
function dilate(from, total, stride, n, radius) {
    const out = Uint8Array.from(from), block = stride * n;
    for (let start = 0; start < total; start += block) for (let a = 0; a < stride; a++) {
        let since = radius + 1;
        for (let i = 0, s = start + a; i < n; i++, s += stride) { since = from[s] ? 0 : since + 1; if (since <= radius) out[s] = 1; }
        since = radius + 1;
        for (let i = n - 1, s = start + a + (n - 1) * stride; i >= 0; i--, s -= stride) { since = from[s] ? 0 : since + 1; if (since <= radius) out[s] = 1; }
    }
    return out;
}

// Lattice integers between which level-0 cells lie, from what is resident: (cx, cy, cz) → [min, max], or null where nothing is. As cellVisibility has them.
export function cellRanges({pyramid, table, chosen, entryOf}) {
    const [nx, ny] = pyramid[0].bricks, perBrick = CORE / CELL;
    return (cx, cy, cz) => {
        const x = Math.floor(cx / perBrick), y = Math.floor(cy / perBrick), z = Math.floor(cz / perBrick), level = chosen[(z * ny + y) * nx + x];
        const {scale, bricks} = pyramid[level], bx = Math.floor(x / scale[0]), by = Math.floor(y / scale[1]), bz = Math.floor(z / scale[2]);
        const index = (bz * bricks[1] + by) * bricks[0] + bx, {kind, min, max} = table.levels[level];
        if (kind[index] === 0) return null;
        const cells = kind[index] > 1 ? entryOf(level, bx, by, bz)?.cells : null;
        if (!cells) return [min[index], max[index]];
        const [sx, sy] = cells.count, at = (c, s, b) => Math.floor(c / s) - perBrick * b;
        const cell = (at(cz, scale[2], bz) * sy + at(cy, scale[1], by)) * sx + at(cx, scale[0], bx);
        return cells.min[cell] <= cells.max[cell] ? [cells.min[cell], cells.max[cell]] : null;
    };
}

// Visibility of level-0 cells of a difference, q − ratio × q of minus. own, minus: of cellRanges; heights, minusHeights: their CellHeights, the same where
// both stand at the same places; shows(min, max): whether differences between these show.
export function differenceVisibility({own, minus, heights, minusHeights, ratio, shows}) {
    const [nx, ny] = heights.count, nz = minusHeights.count[2], cellAt = (x, y, z) => (z * ny + y) * nx + x;
    // Of what is taken away at the heights of a cell, where its own cells stand elsewhere.
    const between = (cx, cy, cz) => {
        const at = cellAt(cx, cy, cz), found = [Infinity, -Infinity];
        for (let z = 0; z < nz; z++) {
            const other = cellAt(cx, cy, z);
            const range = minusHeights.high[other] < heights.low[at] || minusHeights.low[other] > heights.high[at] ? null : minus(cx, cy, z);
            if (range) { found[0] = Math.min(found[0], range[0]); found[1] = Math.max(found[1], range[1]); }
        }
        return found[0] <= found[1] ? found : null;
    };
    return (cx, cy, cz) => {
        const a = own(cx, cy, cz), b = a && (heights === minusHeights ? minus(cx, cy, cz) : between(cx, cy, cz));
        return Boolean(b) && shows(a[0] - ratio * b[1], a[1] - ratio * b[0]);
    };
}

// Visibility of level-0 cells from what is resident: cells of the brick that the page table chose, else the table's range.
// shows(min, max): whether anything between these lattice integers is visible; entryOf(level, bx, by, bz): {cells} or null.
export function cellVisibility({pyramid, table, chosen, entryOf, shows}) {
    const [nx, ny] = pyramid[0].bricks, perBrick = CORE / CELL;
    const cached = new Map();
    const brickOf = (level, bx, by, bz) => {
        const key = ((level * 4096 + bz) * 4096 + by) * 4096 + bx;
        let known = cached.get(key);
        if (known) return known;
        const {bricks} = pyramid[level], index = (bz * bricks[1] + by) * bricks[0] + bx, at = table.levels[level];
        const kind = at.kind[index];
        const any = kind !== 0 && shows(at.min[index], at.max[index]);
        const entry = any && kind > 1 ? entryOf(level, bx, by, bz) : null;
        known = {any, cells: entry && entry.cells, flags: null};
        if (known.cells) known.flags = Uint8Array.from(entry.cells.min, (min, c) => min <= entry.cells.max[c] && shows(min, entry.cells.max[c]) ? 1 : 0);
        cached.set(key, known);
        return known;
    };
    return (cx, cy, cz) => {
        const x = Math.floor(cx / perBrick), y = Math.floor(cy / perBrick), z = Math.floor(cz / perBrick), level = chosen[(z * ny + y) * nx + x];
        const {scale} = pyramid[level], bx = Math.floor(x / scale[0]), by = Math.floor(y / scale[1]), bz = Math.floor(z / scale[2]);
        const brick = brickOf(level, bx, by, bz);
        if (!brick.any) return false;
        if (!brick.cells) return true;
        const [sx, sy] = brick.cells.count;
        const at = (c, s, b) => Math.floor(c / s) - perBrick * b;
        return Boolean(brick.flags[(at(cz, scale[2], bz) * sy + at(cy, scale[1], by)) * sx + at(cx, scale[0], bx)]);
    };
}
