// SPDX-License-Identifier: Apache-2.0
// A projection made of the longitude and latitude of every column, with the mathematics of tiler/field/grid_mesh.c: between four columns a
// place is the direction of the bilinear mean of their unit vectors. Axis coordinates are column numbers. Around the grid a few
// wide rows of made-up columns carry on along great circles, for the world around the data only.

const RAD = Math.PI / 180, LONGEST = 0.35, FAR_LARGER = 30, EDGE = 1e-9, BLOCK = 4, TESTS = 1 << 16;
const BEYOND = [0.125, 0.25, 0.5, 1];
// Of finer grids only every so manieth column is kept: their cells are so small that places in between are straight enough.
const COLUMNS_MAX = 1 << 20;

// lon, lat: [ny][nx] degrees, NaN where unknown. reach: how many columns and rows to carry on beyond the edges.
// → {forward(lon, lat) → [x, y] or null, inverse(x, y) → [lon, lat] or null}
export function curvilinear({nx, ny, wraps, lon, lat, reach = [0, 0]}) {
    const table = extended(nx, ny, wraps, lon, lat, reach), tree = new Tree(table);
    let last = -1;
    return {
        forward(longitude, latitude) {
            const a = longitude * RAD, b = latitude * RAD, q = [Math.cos(b) * Math.cos(a), Math.cos(b) * Math.sin(a), Math.sin(b)];
            // Points of a line lie near each other: most are in the cell of the one before.
            const found = (last >= 0 && tree.inCell(last, q)) || tree.find(q);
            if (!found) return null;
            last = found.cell;
            const {xs, ys} = table, i = found.cell % (xs.length - 1), j = Math.floor(found.cell / (xs.length - 1));
            const x = xs[i] + found.u * (xs[i + 1] - xs[i]), y = ys[j] + found.v * (ys[j + 1] - ys[j]);
            return [wraps && x >= nx ? x - nx : x, y];
        },
        inverse: (x, y) => place(table, wraps ? x - nx * Math.floor(x / nx) : x, y),
    };
}

// The columns as unit vectors at non-decreasing axis coordinates xs, ys, with those made up around.
function extended(nx, ny, wraps, lon, lat, reach) {
    const before = (n, far) => far > 0 && n > 1 ? BEYOND.map((part) => -part * far).reverse() : [];
    const after = (n, far) => before(n, far).map((v) => n - 1 - v).reverse();
    const stride = Math.ceil(Math.sqrt(nx * ny / COLUMNS_MAX));
    const inner = (n) => Array.from({length: Math.ceil((n - 1) / stride) + 1}, (_, k) => Math.min(k * stride, n - 1));
    const columns = inner(wraps ? nx + 1 : nx), rows = inner(ny);
    const xs = wraps ? columns : [...before(nx, reach[0]), ...columns, ...after(nx, reach[0])];
    const ys = [...before(ny, reach[1]), ...rows, ...after(ny, reach[1])];
    const left = wraps ? 0 : before(nx, reach[0]).length, low = before(ny, reach[1]).length, width = xs.length, height = ys.length;
    const points = new Float64Array(3 * width * height).fill(NaN);
    rows.forEach((row, j) => columns.forEach((column, i) => {
        const from = row * nx + column % nx, a = lon[from] * RAD, b = lat[from] * RAD, at = 3 * ((j + low) * width + i + left);
        points[at] = Math.cos(b) * Math.cos(a);
        points[at + 1] = Math.cos(b) * Math.sin(a);
        points[at + 2] = Math.sin(b);
    }));
    const table = {xs, ys, points, width, height, stride};
    if (left) for (let j = 0; j < rows.length; j++) carryOn(table, xs, left, columns.length, (k) => (j + low) * width + k);
    if (low) for (let i = 0; i < width; i++) carryOn(table, ys, low, rows.length, (k) => k * width + i);
    return table;
}

// Fills one line beyond both its ends: along the great circle through its end and a point some way in.
function carryOn({points}, coordinates, first, count, at) {
    const base = Math.max(1, Math.min(count - 1, Math.round(count / 8))), get = (k) => points.subarray(3 * at(k), 3 * at(k) + 3);
    for (const [end, inward] of [[first, base], [first + count - 1, -base]]) {
        const a = get(end), b = get(end + inward), angle = Math.atan2(Math.hypot(...cross(a, b)), dot(a, b));
        if (!(angle > 1e-9)) continue;
        for (let k = end - Math.sign(inward); k >= 0 && k < coordinates.length; k -= Math.sign(inward)) {
            const t = Math.abs((coordinates[k] - coordinates[end]) / (coordinates[end + inward] - coordinates[end])) * angle;
            if (t > 1.2) break;
            for (let d = 0; d < 3; d++) get(k)[d] = a[d] * Math.cos(t) - (b[d] - a[d] * Math.cos(angle)) / Math.sin(angle) * Math.sin(t);
        }
    }
}

const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
const chord = (a, b) => Math.hypot(b[0] - a[0], b[1] - a[1], b[2] - a[2]);

function interval(list, value) {
    let low = 0, high = list.length - 1;
    while (high - low > 1) { const middle = (low + high) >> 1; if (list[middle] <= value) low = middle; else high = middle; }
    return low;
}

function place({xs, ys, points, width}, x, y) {
    if (!(x >= xs[0] && x <= xs[xs.length - 1] && y >= ys[0] && y <= ys[ys.length - 1]) || xs.length < 2 || ys.length < 2) return null;
    const i = interval(xs, x), j = interval(ys, y), u = (x - xs[i]) / (xs[i + 1] - xs[i]), v = (y - ys[j]) / (ys[j + 1] - ys[j]), sum = [0, 0, 0];
    for (const [di, dj, weight] of [[0, 0, (1 - u) * (1 - v)], [1, 0, u * (1 - v)], [1, 1, u * v], [0, 1, (1 - u) * v]])
        if (weight > 0) for (let d = 0; d < 3; d++) sum[d] += weight * points[3 * ((j + dj) * width + i + di) + d];
    return dot(sum, sum) > 1e-6 ? [Math.atan2(sum[1], sum[0]) / RAD, Math.atan2(sum[2], Math.hypot(sum[0], sum[1])) / RAD] : null;
}

// Twice the area of the turn a, b, c seen from outside; positive counter-clockwise.
function turn(a, b, c) {
    return dot(cross([b[0] - a[0], b[1] - a[1], b[2] - a[2]], [c[0] - b[0], c[1] - b[1], c[2] - b[2]]), b);
}

// Boxes around blocks of cells in the space of unit vectors, in levels of halves.
class Tree {
    constructor(table) {
        this.table = table;
        this.nx = Math.max(0, table.width - 1);
        this.ny = Math.max(0, table.height - 1);
        this.good = new Uint8Array(this.nx * this.ny);
        this.levels = [];
        if (!this.good.length) return;
        this.#findGood();
        this.#blocks();
        for (let l = this.levels[0]; l.nx > 1 || l.ny > 1;) this.levels.push(l = halved(l));
    }

    corners(cell) {
        const {points, width} = this.table, i = cell % this.nx, at = (cell - i) / this.nx * width + i, get = (n) => points.subarray(3 * n, 3 * n + 3);
        return [get(at), get(at + 1), get(at + 1 + width), get(at + width)];
    }

    // As is_good in grid_mesh.c: whole, convex, turned the right way and not far larger than the others by their width in columns.
    #findGood() {
        const {xs, ys} = this.table, edges = [[], []], count = this.good.length, stride = Math.floor(count / 20000) + 1;
        const across = (cell) => [xs[cell % this.nx + 1] - xs[cell % this.nx], ys[Math.floor(cell / this.nx) + 1] - ys[Math.floor(cell / this.nx)]];
        for (let cell = 0; cell < count; cell += stride) {
            const p = this.corners(cell), [w, h] = across(cell), along = [chord(p[0], p[1]) / w, chord(p[0], p[3]) / h];
            if (along[0] > 0 && along[1] > 0) along.forEach((length, d) => edges[d].push(length));
        }
        const limits = edges.map((list) => FAR_LARGER * (list.sort((a, b) => a - b)[list.length >> 1] ?? 0));
        for (let cell = 0; cell < count; cell++) {
            const p = this.corners(cell), [w, h] = across(cell), made = Math.max(w, h) > this.table.stride;
            const alongX = Math.max(chord(p[0], p[1]), chord(p[3], p[2])), alongY = Math.max(chord(p[0], p[3]), chord(p[1], p[2]));
            if (!(alongX <= limits[0] * w && alongY <= limits[1] * h) || Math.max(alongX, alongY) > (made ? 1 : LONGEST)) continue;
            let area = 0, least = 0;
            for (let c = 0; c < 4; c++) { const t = turn(p[c], p[(c + 1) & 3], p[(c + 2) & 3]); area += t / 2; least = Math.min(least, t); }
            this.good[cell] = area > 1e-6 * Math.max(alongX, alongY) ** 2 * (made ? 1e-4 : 1) && least >= -1e-9 * area ? 1 : 0;
        }
    }

    #blocks() {
        const nx = Math.ceil(this.nx / BLOCK), ny = Math.ceil(this.ny / BLOCK), boxes = emptyBoxes(nx * ny);
        for (let cell = 0; cell < this.good.length; cell++) {
            if (!this.good[cell]) continue;
            const p = this.corners(cell), diagonal = Math.max(chord(p[0], p[2]), chord(p[1], p[3])), margin = 0.25 * diagonal * diagonal + 1e-6;
            const i = cell % this.nx, j = (cell - i) / this.nx, at = 6 * (Math.floor(j / BLOCK) * nx + Math.floor(i / BLOCK));
            for (let d = 0; d < 3; d++) for (const corner of p) {
                boxes[at + d] = Math.min(boxes[at + d], corner[d] - margin);
                boxes[at + 3 + d] = Math.max(boxes[at + 3 + d], corner[d] + margin);
            }
        }
        this.levels.push({nx, ny, boxes});
    }

    find(q) {
        if (!this.levels.length) return null;
        this.left = TESTS;
        return this.#descend(this.levels.length - 1, 0, 0, q);
    }

    #descend(level, x, y, q) {
        const {nx, ny, boxes} = this.levels[level], at = 6 * (y * nx + x);
        if (x >= nx || y >= ny || --this.left < 0) return null;
        for (let d = 0; d < 3; d++) if (q[d] < boxes[at + d] || q[d] > boxes[at + 3 + d]) return null;
        if (level > 0) {
            for (let n = 0; n < 4; n++) { const found = this.#descend(level - 1, 2 * x + (n & 1), 2 * y + (n >> 1), q); if (found) return found; }
            return null;
        }
        for (let j = y * BLOCK; j < Math.min(this.ny, (y + 1) * BLOCK); j++) for (let i = x * BLOCK; i < Math.min(this.nx, (x + 1) * BLOCK); i++) {
            const found = --this.left >= 0 && this.inCell(j * this.nx + i, q);
            if (found) return found;
        }
        return null;
    }

    // Where the ray q meets the cell: both components of the bilinear mean across q vanish, which is a quadratic in u.
    inCell(cell, q) {
        if (!this.good[cell]) return null;
        if (q !== this.seen) this.#look(q);
        const {points, width} = this.table, {e0, e1} = this, i = cell % this.nx, at = 3 * ((cell - i) / this.nx * width + i), up = at + 3 * width;
        if (points[at] * q[0] + points[at + 1] * q[1] + points[at + 2] * q[2] <= 0) return null;
        const across = (e, o) => e[0] * points[o] + e[1] * points[o + 1] + e[2] * points[o + 2];
        const ax = across(e0, at), bx = across(e0, at + 3), cx = across(e0, up + 3), dx = across(e0, up);
        if (Math.min(ax, bx, cx, dx) > 1e-9 || Math.max(ax, bx, cx, dx) < -1e-9) return null;
        const ay = across(e1, at), by = across(e1, at + 3), cy = across(e1, up + 3), dy = across(e1, up);
        const Bx = bx - ax, By = by - ay, Cx = dx - ax, Cy = dy - ay, Dx = cx - bx - Cx, Dy = cy - by - Cy;
        const k0 = ax * Cy - ay * Cx, k1 = ax * Dy - ay * Dx + Bx * Cy - By * Cx, k2 = Bx * Dy - By * Dx, under = k1 * k1 - 4 * k0 * k2;
        if (!(under >= 0)) return null;
        const h = -0.5 * (k1 + (k1 < 0 ? -1 : 1) * Math.sqrt(under));
        for (let root = 0; root < 2; root++) {
            const u = root ? h / k2 : k0 / h;
            if (!(u >= -EDGE && u <= 1 + EDGE)) continue;
            const wx = Cx + Dx * u, wy = Cy + Dy * u, ww = wx * wx + wy * wy, v = ww > 0 ? -((ax + Bx * u) * wx + (ay + By * u) * wy) / ww : 0;
            if (v >= -EDGE && v <= 1 + EDGE) return {cell, u: Math.min(Math.max(u, 0), 1), v: Math.min(Math.max(v, 0), 1)};
        }
        return null;
    }

    // Two directions across q.
    #look(q) {
        const least = Math.abs(q[0]) < Math.abs(q[1]) ? (Math.abs(q[0]) < Math.abs(q[2]) ? 0 : 2) : (Math.abs(q[1]) < Math.abs(q[2]) ? 1 : 2);
        const e = [0, 1, 2].map((d) => (d === least ? 1 : 0) - q[least] * q[d]), length = Math.hypot(...e);
        this.seen = q;
        this.e0 = e.map((v) => v / length);
        this.e1 = cross(q, this.e0);
    }
}

function emptyBoxes(count) {
    const boxes = new Float64Array(6 * count);
    for (let n = 0; n < count; n++) boxes.set([2, 2, 2, -2, -2, -2], 6 * n);
    return boxes;
}

function halved({nx, ny, boxes}) {
    const half = {nx: Math.ceil(nx / 2), ny: Math.ceil(ny / 2)};
    half.boxes = emptyBoxes(half.nx * half.ny);
    for (let y = 0; y < ny; y++) for (let x = 0; x < nx; x++) {
        const from = 6 * (y * nx + x), to = 6 * ((y >> 1) * half.nx + (x >> 1));
        for (let d = 0; d < 3; d++) {
            half.boxes[to + d] = Math.min(half.boxes[to + d], boxes[from + d]);
            half.boxes[to + 3 + d] = Math.max(half.boxes[to + 3 + d], boxes[from + 3 + d]);
        }
    }
    return half;
}
