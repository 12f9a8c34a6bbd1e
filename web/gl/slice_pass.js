// SPDX-License-Identifier: Apache-2.0
// Slices as sheets at their surface's own heights, over the ground (render/slice_draw.h says what they are; render/slice_mesh.c has the same corners).
import {Program, shaderText, texture2d} from './program.js';
import {sampleSlice} from '../data/slices.js';

const MOST = 320, MISSING = -3.4e38;

/** Corners of a sheet: vertices X, Y, height (km), i, j; and the triangles that have all theirs. */
export function sliceMesh(slice, geometry, box) {
    const nx = Math.min(MOST, Math.max(2, geometry.nx)), ny = Math.min(MOST, Math.max(2, geometry.ny));
    const [xs, is] = along(box.low[0], box.high[0], nx, (X) => geometry.x.index(geometry.fromScene([X, box.low[1], 0])[0]), geometry.nx - (geometry.wraps ? 0 : 1));
    const [ys, js] = along(box.low[1], box.high[1], ny, (Y) => geometry.y.index(geometry.fromScene([box.low[0], Y, 0])[1]), geometry.ny - 1);
    const found = new Float32Array(nx * ny), vertices = new Float32Array(nx * ny * 5), indices = [];
    let sum = 0, present = 0;
    for (let v = 0; v < found.length; v++) {
        found[v] = sampleSlice({...slice, degrees: false}, slice.heights, is[v % nx], js[Math.floor(v / nx)]) / 1000;
        if (!Number.isNaN(found[v])) { sum += found[v]; present++; }
    }
    const heights = found.map((height, v) => Number.isNaN(height) ? beside(found, nx, ny, v % nx, Math.floor(v / nx)) : height);
    for (let v = 0; v < heights.length; v++) vertices.set([xs[v % nx], ys[Math.floor(v / nx)], heights[v], is[v % nx], js[Math.floor(v / nx)]], 5 * v);
    const triangle = (...corners) => { if (corners.every((v) => !Number.isNaN(heights[v]))) indices.push(...corners); };
    for (let y = 0; y + 1 < ny; y++) for (let x = 0; x + 1 < nx; x++) {
        const a = y * nx + x;
        triangle(a, a + 1, a + nx);
        triangle(a + 1, a + nx + 1, a + nx);
    }
    return {vertices, indices: Uint32Array.from(indices), height: present ? sum / present : 0};
}

function along(low, high, n, indexAt, last) {
    const at = Array.from({length: n}, (_, k) => low + (high - low) * k / (n - 1));
    return [at, at.map((km) => { const index = n > 1 ? indexAt(km) : 0; return Number.isFinite(index) ? Math.min(last, Math.max(0, index)) : 0; })];
}

// The mean of a corner's neighbours that are there.
function beside(heights, nx, ny, x, y) {
    let sum = 0, count = 0;
    for (let j = Math.max(0, y - 1); j <= Math.min(ny - 1, y + 1); j++) for (let i = Math.max(0, x - 1); i <= Math.min(nx - 1, x + 1); i++) {
        const height = heights[j * nx + i];
        if (!Number.isNaN(height)) { sum += height; count++; }
    }
    return count ? sum / count : NaN;
}

export class SlicePass {
    constructor(gl, volumePass) {
        this.gl = gl;
        this.volumePass = volumePass;
        this.sheets = new Map(); // slice → what of it is on the GPU
    }

    #sheet({slice, geometry}, box) {
        const known = this.sheets.get(slice), {gl} = this;
        if (known && known.box === box && known.geometry === geometry) return known;
        if (known) this.#drop(known);
        const {vertices, indices, height} = sliceMesh(slice, geometry, box), array = gl.createVertexArray(), buffers = [gl.createBuffer(), gl.createBuffer()];
        gl.bindVertexArray(array);
        gl.bindBuffer(gl.ARRAY_BUFFER, buffers[0]);
        gl.bufferData(gl.ARRAY_BUFFER, vertices, gl.STATIC_DRAW);
        [[3, 0], [2, 12]].forEach(([size, offset], location) => {
            gl.enableVertexAttribArray(location);
            gl.vertexAttribPointer(location, size, gl.FLOAT, false, 20, offset);
        });
        gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, buffers[1]);
        gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, indices, gl.STATIC_DRAW);
        gl.bindVertexArray(null);
        const values = texture2d(gl, {format: gl.R32F, width: slice.nx, height: slice.ny, data: slice.values.map((value) => Number.isNaN(value) ? MISSING : value), type: gl.FLOAT, from: gl.RED});
        const sheet = {array, buffers, values, count: indices.length, height, box, geometry};
        this.sheets.set(slice, sheet);
        return sheet;
    }

    // slices: [{slice: of parseSlice, geometry, layer}], over the ground that is drawn already in the bound target. The farthest first.
    draw(scene, slices, matrices) {
        const {gl} = this;
        for (const [slice, sheet] of this.sheets) if (!slices.some((one) => one.slice === slice)) { this.#drop(sheet); this.sheets.delete(slice); }
        if (!slices.length) return;
        this.program ??= new Program(gl, shaderText('slice.vert.glsl'), shaderText('slice.frag.glsl'), ['position', 'where']);
        const sheets = slices.map((one) => ({...one, sheet: this.#sheet(one, scene.box)}));
        const away = ({sheet}) => Math.abs(sheet.height * scene.exaggeration - matrices.eye[2]);
        gl.enable(gl.DEPTH_TEST);
        gl.depthFunc(gl.LEQUAL);
        for (const {slice, layer, sheet} of sheets.sort((a, b) => away(b) - away(a))) {
            const {v0, step} = layer.shownLattice, [x, y] = layer.lookup, {light} = scene;
            this.program.use().texture('transfer', gl.TEXTURE_2D, this.volumePass.transfer).texture('values', gl.TEXTURE_2D, sheet.values);
            this.program.set({all: matrices.all, exaggeration: scene.exaggeration, row: (layer.row + 0.5) / 4, lookup: [x / step, y - v0 * x / step], size: [slice.nx, slice.ny],
                scale: slice.scale, wraps: slice.wraps ? 1 : 0, turns: slice.degrees ? 1 : 0, lit: light.ambient.map((ambient, c) => ambient + light.colour[c])});
            gl.bindVertexArray(sheet.array);
            // Its nearest parts first, then their colours once: a sheet that folds over itself is seen through once.
            gl.colorMask(false, false, false, false);
            gl.drawElements(gl.TRIANGLES, sheet.count, gl.UNSIGNED_INT, 0);
            gl.colorMask(true, true, true, true);
            gl.enable(gl.BLEND);
            gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
            gl.drawElements(gl.TRIANGLES, sheet.count, gl.UNSIGNED_INT, 0);
            gl.disable(gl.BLEND);
        }
        gl.bindVertexArray(null);
    }

    #drop({array, buffers, values}) {
        const {gl} = this;
        gl.deleteVertexArray(array);
        for (const buffer of buffers) gl.deleteBuffer(buffer);
        gl.deleteTexture(values);
    }

    delete() {
        for (const sheet of this.sheets.values()) this.#drop(sheet);
        this.sheets.clear();
        this.program?.delete();
    }
}
