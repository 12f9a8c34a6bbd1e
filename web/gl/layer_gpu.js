// SPDX-License-Identifier: Apache-2.0
// A layer on the GPU: its geometry's textures, its atlas, and the code and uniforms of shaders/layer.glsl.
import {fillIn, shaderText, texture2d} from './program.js';

const KINDS = {flat: 1, by_surface: 2, coarse: 3}, GUESSES = 4096, LEVEL_GUESSES = 1024;

export class LayerGpu {
    // options.smooth: whether the machine filters floats exactly (software renderers do), so that columns need no four reads.
    constructor(gl, geometry, volume, {smooth = false} = {}) {
        this.gl = gl;
        this.filters = Boolean(gl.getExtension('OES_texture_float_linear'));
        this.smooth = smooth && this.filters;
        this.geometry = geometry;
        this.kind = volume && geometry.levelMap ? KINDS[geometry.levelMap.kind] : 0;
        this.irregular = !geometry.x.regular || !geometry.y.regular;
        this.textures = [];
        const map = volume ? geometry.levelMap : null;
        this.hasColumns = Boolean(map && (this.kind === KINDS.coarse || map.base || map.parameter || geometry.ground));
        this.levels = this.kind === KINDS.coarse ? this.#heightTexture(map) : this.#levelTexture(map);
        this.columns = this.#columnTexture(map);
        this.axes = this.#axesTexture();
        this.atlas = null;
    }

    #keep(texture) { this.textures.push(texture); return texture; }

    // Nodes of a level table are so close that a filter's 8 bits of fraction do not matter.
    #levelTexture(map) {
        const {gl} = this;
        this.fold = 1;
        this.filtered = false;
        if (!map) return null;
        const columns = map.columnsX * map.columnsY, n = map.heightCount, largest = gl.getParameter(gl.MAX_TEXTURE_SIZE);
        this.filtered = this.filters && columns <= largest;
        if (!this.filtered) this.fold = Math.max(1, Math.min(columns, Math.floor(largest / n)));
        const rows = Math.ceil(columns / this.fold), data = new Float32Array(rows * this.fold * n * 2);
        for (let s = 0; s < map.table.length; s++) {
            data[2 * s] = map.table[s];
            // The change from a node to the next one stands half-way between them; at the node itself, where a filter begins, is the mean of both sides'.
            const before = s % n ? map.table[s] - map.table[s - 1] : map.table[s + 1] - map.table[s], after = s % n < n - 1 ? map.table[s + 1] - map.table[s] : before;
            data[2 * s + 1] = this.filtered ? (before + after) / 2 : after;
        }
        return this.#keep(texture2d(gl, {format: gl.RG32F, width: n * this.fold, height: rows, data, from: gl.RG, type: gl.FLOAT, filter: this.filtered ? gl.LINEAR : gl.NEAREST}));
    }

    // A coarse table: each level a block of columns, with the first column after the last where the grid wraps, so many blocks side
    // by side. A texel has the level's height and the distance to the next. Below the blocks stand levels to begin a search
    // with, at even steps of the logarithm of height over the mean column.
    #heightTexture(map) {
        const {gl, geometry} = this, across = map.columnsX + (geometry.wraps ? 1 : 0), n = map.levelCount, largest = gl.getParameter(gl.MAX_TEXTURE_SIZE);
        this.filtered = this.smooth;
        this.fold = Math.max(1, Math.min(n, Math.floor(largest / across), Math.ceil(Math.sqrt(n * map.columnsY / across))));
        const width = this.fold * across, blocks = Math.ceil(n / this.fold) * map.columnsY, data = new Float32Array(width * (blocks + Math.ceil(LEVEL_GUESSES / width)) * 2);
        const columns = map.columnsX * map.columnsY, means = new Float64Array(n);
        for (let k = 0; k < n; k++) for (let y = 0; y < map.columnsY; y++) for (let x = 0; x < across; x++) {
            const c = y * map.columnsX + x % map.columnsX, r = map.table[k * columns + c], from = k < n - 1 ? k : n - 2;
            const at = 2 * (((Math.floor(k / this.fold) * map.columnsY + y) * this.fold + k % this.fold) * across + x);
            data[at] = r;
            data[at + 1] = map.table[(from + 1) * columns + c] - map.table[from * columns + c];
            means[k] += x < map.columnsX ? r / columns : 0;
        }
        const scale = 1000, bottom = means[0], logSpan = Math.log(1 + Math.max(1, means[n - 1] - bottom) / scale);
        for (let g = 0, k = 0; g < LEVEL_GUESSES; g++) {
            const r = bottom + scale * (Math.exp((g + 0.5) / LEVEL_GUESSES * logSpan) - 1);
            while (k < n - 2 && means[k + 1] <= r) k++;
            data[2 * (blocks * width + g)] = k;
        }
        this.search = {map: [bottom, scale, LEVEL_GUESSES / logSpan, LEVEL_GUESSES - 1], table: [across, blocks, map.columnsX, map.columnsY]};
        return this.#keep(texture2d(gl, {format: gl.RG32F, width, height: data.length / 2 / width, data, from: gl.RG, type: gl.FLOAT, filter: this.filtered ? gl.LINEAR : gl.NEAREST}));
    }

    #columnTexture(map) {
        if (!this.hasColumns) return null;
        const {gl, geometry} = this, filter = this.smooth ? gl.LINEAR : gl.NEAREST, wrap = geometry.wraps ? gl.REPEAT : gl.CLAMP_TO_EDGE;
        // With hybrid heights all three are the ground.
        this.oneColumn = this.kind !== KINDS.coarse && geometry.ground && map.base === geometry.ground && (!map.parameter || map.parameter === geometry.ground);
        if (this.oneColumn) return this.#keep(texture2d(gl, {format: gl.R32F, width: geometry.nx, height: geometry.ny, data: geometry.ground, from: gl.RED, type: gl.FLOAT, filter, wrap}));
        const count = geometry.nx * geometry.ny, data = new Float32Array(count * 4);
        for (let c = 0; c < count; c++) {
            if (map.base) data[4 * c] = map.base[c];
            if (this.kind === KINDS.coarse) data[4 * c + 1] = map.stretch ? map.stretch[c] : 1;
            else if (map.parameter) data[4 * c + 1] = map.parameter[c];
            if (geometry.ground) data[4 * c + 2] = geometry.ground[c];
        }
        return this.#keep(texture2d(gl, {format: gl.RGBA32F, width: geometry.nx, height: geometry.ny, data, from: gl.RGBA, type: gl.FLOAT, filter, wrap}));
    }

    // Rows 0 and 1: scene kilometres of the grid's columns along X and Y; rows 2 and 3: index guesses for even places.
    #axesTexture() {
        if (!this.irregular) return null;
        const {gl, geometry} = this, width = Math.max(GUESSES, geometry.nx, geometry.ny), data = new Float32Array(width * 4);
        this.guess = [];
        [geometry.x, geometry.y].forEach((axis, row) => {
            const km = (index) => (axis.coordinate(index) - geometry.centre[row]) * geometry.kmPerUnit[row];
            for (let i = 0; i < axis.n; i++) data[row * width + i] = km(i);
            if (axis.n === 1) data[row * width + 1] = data[row * width] + Math.abs(axis.step || 1) * geometry.kmPerUnit[row];
            const first = km(0), last = km(Math.max(1, axis.n - 1)), rate = (GUESSES - 1) / (last - first || 1);
            for (let g = 0, i = 0; g < GUESSES; g++) {
                while (i < axis.n - 2 && km(i + 1) <= first + g / rate) i++;
                data[(row + 2) * width + g] = i;
            }
            this.guess.push(first, rate);
        });
        return this.#keep(texture2d(gl, {format: gl.R32F, width, height: 4, data, from: gl.RED, type: gl.FLOAT}));
    }

    // What a program must be compiled anew for.
    get variant() {
        return [this.kind, this.#columnKind, +Boolean(this.oneColumn), +this.filtered, +this.irregular, +this.geometry.wraps, +(this.atlas.channels === 2)].join('');
    }

    get #columnKind() { return this.hasColumns ? this.smooth ? 2 : 1 : 0; }

    defines(number) {
        return [['KIND', this.kind], ['COLUMNS', this.#columnKind], ['ONE_COLUMN', +Boolean(this.oneColumn)], ['FILTERED', +this.filtered], ['IRREGULAR', +this.irregular], ['WRAPS', +this.geometry.wraps],
            ['MASKED', +(this.atlas.channels === 2)]].map(([name, value]) => `#define ${name}${number} ${value}\n`).join('');
    }

    code(number) { return fillIn(shaderText('layer.glsl'), {N: number}); }

    // slots: which page half holds the step in view and the one after it. lookup: of Transfer.lookup().
    bind(program, number, {slots, blend, lookup}) {
        const {gl, geometry, atlas} = this, map = this.kind ? geometry.levelMap : null;
        const name = (word) => word + number;
        program.texture(name('atlas'), gl.TEXTURE_3D, atlas.texture).texture(name('page'), gl.TEXTURE_3D, atlas.page);
        if (this.levels) program.texture(name('levels'), gl.TEXTURE_2D, this.levels);
        if (this.columns) program.texture(name('columns'), gl.TEXTURE_2D, this.columns);
        if (this.axes) program.texture(name('axes'), gl.TEXTURE_2D, this.axes);
        const rate = (axis, row) => {
            const a = 1 / (axis.step * geometry.kmPerUnit[row]);
            return [a, (geometry.centre[row] - axis.start) / axis.step];
        };
        const scales = new Float32Array(48).fill(1);
        atlas.pyramid.forEach((level, index) => scales.set(level.scale, 3 * index));
        const finest = atlas.pyramid[0].bricks;
        program.set({
            [name('indexOf')]: [...rate(geometry.x, 0), ...rate(geometry.y, 1)], [name('guess')]: this.guess || [0, 0, 0, 0],
            [name('size')]: atlas.pyramid[0].n, [name('scale')]: scales, [name('texel')]: atlas.size.map((n) => 1 / n), [name('bricks')]: finest,
            [name('slots')]: slots.map((slot) => slot * finest[2]), [name('blend')]: blend, [name('lookup')]: lookup, [name('fold')]: this.fold,
        });
        if (map) program.set({
            [name('map')]: this.search ? this.search.map : [map.bottom, map.scale, 1 / map.logSpan, map.heightCount - 1],
            [name('table')]: this.search ? this.search.table : [map.parameterStart, 1 / map.parameterStep, map.columnsX, map.columnsY], [name('coarseStep')]: map.coarseStep,
        });
    }

    delete() { for (const texture of this.textures) this.gl.deleteTexture(texture); if (this.atlas) this.atlas.delete(); }
}
