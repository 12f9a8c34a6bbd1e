// SPDX-License-Identifier: Apache-2.0
// The geometry document (server/PROTOCOL.md) and the formulas from place to index (tiler/field/level_map.h), in doubles.
// What the shader computes is held against this file.

const MAGIC = 0x4f454756; // "VGEO"

// Parses an ArrayBuffer. Throws Error with a reason when it does not fit the format.
export function parseGeometry(buffer) {
    const view = new DataView(buffer);
    if (buffer.byteLength < 12 || view.getUint32(0, true) !== MAGIC) throw new Error('not a geometry document');
    if (view.getUint32(4, true) !== 2) throw new Error('geometry version is not 2');
    const jsonBytes = view.getUint32(8, true);
    if (jsonBytes > buffer.byteLength - 12) throw new Error('geometry document is cut short');
    const document = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 12, jsonBytes)));
    return new Geometry(document, buffer, 12 + jsonBytes + (4 - (12 + jsonBytes) % 4) % 4);
}

function arrayAt(buffer, start, name, count) {
    if (!name) return null;
    const {offset} = name;
    if (!(offset >= 0) || offset % 4 || name.count !== count || start + offset + 4 * count > buffer.byteLength)
        throw new Error('an array of the geometry document does not fit');
    return new Float32Array(buffer, start + offset, count);
}

export class Axis {
    constructor(axis, values) {
        this.n = axis.n;
        this.regular = !values;
        this.start = values ? values[0] : axis.start;
        this.step = values ? (values[this.n - 1] - values[0]) / Math.max(1, this.n - 1) : axis.step;
        this.values = values;
    }

    coordinate(index) {
        if (this.regular) return this.start + index * this.step;
        const at = Math.min(Math.max(Math.floor(index), 0), Math.max(0, this.n - 2));
        if (this.n === 1) return this.values[0];
        return this.values[at] + (index - at) * (this.values[at + 1] - this.values[at]);
    }

    // Fractional index, extended linearly outside.
    index(coordinate) {
        if (this.regular) return (coordinate - this.start) / (this.step || 1);
        let low = 0, high = this.n - 1;
        if (high === 0) return 0;
        while (high - low > 1) {
            const middle = (low + high) >> 1;
            if (this.values[middle] <= coordinate) low = middle; else high = middle;
        }
        return low + (coordinate - this.values[low]) / (this.values[low + 1] - this.values[low]);
    }
}

export class Geometry {
    constructor(document, buffer, start) {
        this.document = document;
        this.proj = document.proj;
        this.angular = Boolean(document.angular);
        this.wraps = Boolean(document.wraps);
        this.centre = document.centre;
        this.kmPerUnit = document.km_per_unit;
        const axis = (a) => new Axis(a, a.values ? arrayAt(buffer, start, a.values, a.n) : null);
        this.x = axis(document.x);
        this.y = axis(document.y);
        this.nx = this.x.n;
        this.ny = this.y.n;
        const columns = this.nx * this.ny;
        this.lonlat = document.lonlat ? document.lonlat.map((name) => arrayAt(buffer, start, name, columns)) : null;
        if (this.lonlat && (this.lonlat.length !== 2 || this.lonlat.includes(null))) throw new Error('a curvilinear grid without its places');
        // Longitudes that close the globe: the axes themselves say where things are.
        this.plainGlobe = this.wraps && /\+proj=(longlat|latlong)/.test(this.proj || '');
        this.ground = arrayAt(buffer, start, document.ground, columns);
        this.levelMap = document.level_map ? this.#parseLevelMap(document.level_map, buffer, start, columns) : null;
        this.nz = this.levelMap ? this.levelMap.levelCount : 1;
        this.#measure();
    }

    #parseLevelMap(map, buffer, start, columns) {
        const [columnsX, columnsY] = map.columns;
        const column = (name) => name === 'ground' ? this.ground : arrayAt(buffer, start, name, columns);
        const base = column(map.base), parameter = column(map.parameter), stretch = column(map.stretch);
        if (map.kind === 'by_surface' && !parameter) throw new Error('a level map by surface without its parameter');
        const rows = map.kind === 'coarse' ? map.level_count : map.height_count;
        return {
            kind: map.kind, datum: map.datum, method: map.method, coordinate: map.coordinate, levelCount: map.level_count,
            bottom: map.bottom, top: map.top, scale: map.scale, heightCount: map.height_count, columnsX, columnsY,
            coarseStep: map.coarse_step || 1, parameterStart: map.parameter_start || 0, parameterStep: map.parameter_step || 1,
            table: arrayAt(buffer, start, map.table, columnsX * columnsY * rows),
            base, parameter, stretch, nominal: map.nominal || [], maxError: map.max_error || 0, highest: map.highest,
            logSpan: Math.log(1 + (map.top - map.bottom) / map.scale),
        };
    }

    // Ranges of what stands on columns, and the highest point in metres.
    #measure() {
        this.groundRange = range(this.ground);
        const map = this.levelMap;
        this.top = this.groundRange[1];
        if (!map) return;
        map.baseRange = range(map.base);
        map.stretchRange = map.stretch ? range(map.stretch) : [1, 1];
        let highest = -Infinity;
        const count = map.columnsX * map.columnsY;
        for (let column = 0; column < count; column++) highest = Math.max(highest, this.#columnHeight(column, map.levelCount - 1));
        this.top = Number.isFinite(map.highest) ? map.highest : highest * (highest > 0 ? map.stretchRange[1] : map.stretchRange[0]) + map.baseRange[1];
        this.top = Math.max(this.top, this.groundRange[1] + 10);
    }

    // Height above base (before it is stretched) of level k in one column of the table: of a table of levels over heights the
    // inverse of a non-decreasing piecewise linear function.
    #columnHeight(column, k) {
        const map = this.levelMap, n = map.heightCount, at = column * n;
        if (map.kind === 'coarse') {
            const columns = map.columnsX * map.columnsY, k0 = Math.min(Math.max(Math.floor(k), 0), map.levelCount - 2), r = map.table[k0 * columns + column];
            return r + (map.table[(k0 + 1) * columns + column] - r) * (k - k0);
        }
        let low = 0, high = n - 1;
        if (map.table[at] >= k) high = 1;
        while (high - low > 1) {
            const middle = (low + high) >> 1;
            if (map.table[at + middle] < k) low = middle; else high = middle;
        }
        const k0 = map.table[at + low], k1 = map.table[at + high];
        const u = (low + (k1 > k0 ? Math.min(1, Math.max(0, (k - k0) / (k1 - k0))) : 0)) / (n - 1);
        return map.bottom + map.scale * (Math.exp(u * map.logSpan) - 1);
    }

    tableColumnHeight(column, k) { return this.#columnHeight(column, k); }

    // Bilinear value of a field on columns.
    columnValue(field, i, j) {
        if (!field) return 0;
        const {nx, ny} = this;
        let i0 = Math.floor(i), i1;
        if (this.wraps) { i0 = ((i0 % nx) + nx) % nx; i1 = (i0 + 1) % nx; } else { i0 = Math.min(Math.max(i0, 0), Math.max(0, nx - 2)); i1 = Math.min(i0 + 1, nx - 1); }
        const j0 = Math.min(Math.max(Math.floor(j), 0), Math.max(0, ny - 2)), j1 = Math.min(j0 + 1, ny - 1);
        const a = this.wraps ? i - Math.floor(i) : Math.min(Math.max(i - i0, 0), 1), b = Math.min(Math.max(j - j0, 0), 1);
        const low = field[j0 * nx + i0] * (1 - a) + field[j0 * nx + i1] * a;
        const high = field[j1 * nx + i0] * (1 - a) + field[j1 * nx + i1] * a;
        return low * (1 - b) + high * b;
    }

    groundAt(i, j) { return this.columnValue(this.ground, i, j); }

    // Fractional level at column (i, j) and height in metres above the datum, not clamped; no test of being inside.
    level(i, j, height) {
        const map = this.levelMap;
        if (map.kind === 'coarse') return this.#levelBySearch(i, j, height);
        const r = height - this.columnValue(map.base, i, j);
        const n = map.heightCount;
        const u = Math.min(Math.max(Math.log(Math.max(1e-9, 1 + (r - map.bottom) / map.scale)) / map.logSpan, 0), 1);
        const at = Math.min(Math.floor(u * (n - 1)), n - 2), f = u * (n - 1) - at;
        const read = (column) => map.table[column * n + at] * (1 - f) + map.table[column * n + at + 1] * f;
        if (map.kind === 'flat') return read(0);
        const c = Math.min(Math.max((this.columnValue(map.parameter, i, j) - map.parameterStart) / map.parameterStep, 0), map.columnsX - 1);
        const c0 = Math.min(Math.floor(c), Math.max(0, map.columnsX - 2)), g = c - c0;
        return read(c0) * (1 - g) + (g > 0 ? read(c0 + 1) * g : 0);
    }

    // Height above base at (i, j) of each level of a coarse map, before it is stretched: a function of whole levels.
    #coarseHeights(i, j) {
        const map = this.levelMap, columns = map.columnsX * map.columnsY;
        const [a0, a1, a] = coarse(i, map.coarseStep, map.columnsX, this.nx, this.wraps), [b0, b1, b] = coarse(j, map.coarseStep, map.columnsY, this.ny, false);
        return (k) => {
            const row = (y) => map.table[k * columns + y * map.columnsX + a0] * (1 - a) + map.table[k * columns + y * map.columnsX + a1] * a;
            return row(b0) * (1 - b) + row(b1) * b;
        };
    }

    #levelBySearch(i, j, height) {
        const map = this.levelMap, at = this.#coarseHeights(i, j);
        const r = (height - this.columnValue(map.base, i, j)) / (map.stretch ? this.columnValue(map.stretch, i, j) : 1);
        let low = 0, high = map.levelCount - 1;
        while (high - low > 1) {
            const middle = (low + high) >> 1;
            if (at(middle) <= r) low = middle; else high = middle;
        }
        const r0 = at(low), r1 = at(high);
        return low + (r1 > r0 ? (r - r0) / (r1 - r0) : 0);
    }

    // {k, inside}: k clamped below to 0 (values are held down to the ground).
    locateLevel(i, j, height) {
        if (!this.levelMap) return {k: 0, inside: height >= this.groundAt(i, j) - 1e-6};
        const k = this.level(i, j, height);
        return {k: Math.max(0, k), inside: height >= this.groundAt(i, j) - 1e-6 && k <= this.nz - 1};
    }

    // Height of fractional level k at (i, j), by bisection.
    levelHeight(i, j, k) {
        const map = this.levelMap;
        if (!map) return this.groundAt(i, j);
        const base = this.columnValue(map.base, i, j);
        if (map.kind === 'coarse') {
            const at = this.#coarseHeights(i, j), k0 = Math.min(Math.max(Math.floor(k), 0), map.levelCount - 2), r = at(k0);
            return base + (r + (at(k0 + 1) - r) * (k - k0)) * (map.stretch ? this.columnValue(map.stretch, i, j) : 1);
        }
        let low = base + map.bottom, high = base + map.top;
        for (let step = 0; step < 60; step++) {
            const middle = (low + high) / 2;
            if (this.level(i, j, middle) < k) low = middle; else high = middle;
        }
        return (low + high) / 2;
    }

    // Fractional (i, j) of axis coordinates, or null outside the grid.
    locate(x, y) {
        let i;
        if (this.wraps) {
            const turn = this.nx * this.x.step;
            i = this.x.index(this.x.start + ((((x - this.x.start) % turn) + turn) % turn));
            if (i >= this.nx) i -= this.nx;
        } else i = this.x.index(x);
        const j = this.y.index(y);
        const out = (index, n) => n === 1 ? Math.abs(index) > 0.5 : index < -1e-6 || index > n - 1 + 1e-6;
        if ((!this.wraps && out(i, this.nx)) || out(j, this.ny)) return null;
        return [this.wraps ? i : Math.min(Math.max(i, 0), this.nx - 1), Math.min(Math.max(j, 0), this.ny - 1)];
    }

    // Axis coordinates of the domain's edges. A wrapping grid closes at its first column again; an axis of one point is
    // given the width of one step.
    get domain() {
        const edge = (axis, wraps) => axis.n === 1 ? [axis.start - Math.abs(axis.step || 1) / 2, axis.start + Math.abs(axis.step || 1) / 2]
            : [axis.coordinate(0), wraps ? axis.start + axis.n * axis.step : axis.coordinate(axis.n - 1)];
        return {x: edge(this.x, this.wraps), y: edge(this.y, false), top: this.top};
    }

    toScene(x, y, height = 0) {
        return [(x - this.centre[0]) * this.kmPerUnit[0], (y - this.centre[1]) * this.kmPerUnit[1], height / 1000];
    }

    fromScene([X, Y, Z]) {
        return [X / this.kmPerUnit[0] + this.centre[0], Y / this.kmPerUnit[1] + this.centre[1], Z * 1000];
    }
}

function range(values) {
    if (!values || !values.length) return [0, 0];
    let low = Infinity, high = -Infinity;
    for (const value of values) { if (value < low) low = value; if (value > high) high = value; }
    return low <= high ? [low, high] : [0, 0];
}

// Table columns around a fractional column: columns stand at multiples of the step, the last one at n - 1; where the grid wraps
// the first follows the last.
function coarse(index, step, count, n, wraps) {
    if (wraps) index = ((index % n) + n) % n;
    if (wraps && index > n - 1) return [count - 1, 0, index - (n - 1)];
    const at = (c) => c === count - 1 ? n - 1 : c * step;
    const c0 = Math.min(Math.max(Math.floor(index / step), 0), Math.max(0, count - 2)), c1 = Math.min(c0 + 1, count - 1);
    const span = at(c1) - at(c0);
    return [c0, c1, span > 0 ? Math.min(Math.max((index - at(c0)) / span, 0), 1) : 0];
}
