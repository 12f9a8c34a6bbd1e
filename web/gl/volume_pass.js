// SPDX-License-Identifier: Apache-2.0
// Marching up to two volumes, and the light that reaches into them.
import {LayerCode} from './layer_code.js';
import {Program, fillIn, shaderText, texture2d, texture3d} from './program.js';
import {ENTRIES} from './transfer_texture.js';

const LIGHT_CELLS = [160, 160, 40];

// Rendered, not filtered, half or full floats need this extension; without it light is kept in 8 bits.
function lightFormat(gl) {
    return gl.getExtension('EXT_color_buffer_float') || gl.getExtension('EXT_color_buffer_half_float')
        ? {format: gl.R16F} : {format: gl.R8};
}

export class VolumePass {
    constructor(gl) {
        this.gl = gl;
        this.programs = new Map();
        this.transfer = texture2d(gl, {format: gl.RGBA16F, width: ENTRIES, height: 4, filter: gl.LINEAR});
        this.integral = texture2d(gl, {format: gl.RGBA32F, width: ENTRIES, height: 4});
        this.skip = null;
        this.light = null;
        // Every sampler needs a texture of its kind, though it is not read.
        this.dark = texture3d(gl, {format: gl.R8, size: [1, 1, 1]});
        this.empty = gl.createVertexArray();
    }

    setTransfer(row, {data, integral}) {
        const {gl} = this;
        for (const [texture, numbers] of [[this.transfer, data], [this.integral, integral]]) {
            gl.bindTexture(gl.TEXTURE_2D, texture);
            gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, row, ENTRIES, 1, gl.RGBA, gl.FLOAT, numbers);
        }
    }

    setSkip(grid) {
        const {gl} = this;
        const name = grid.size.join();
        if (this.skipName !== name) {
            if (this.skip) gl.deleteTexture(this.skip);
            this.skip = texture3d(gl, {format: gl.R8UI, size: grid.size});
            this.skipName = name;
        }
        gl.bindTexture(gl.TEXTURE_3D, this.skip);
        gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
        gl.texSubImage3D(gl.TEXTURE_3D, 0, 0, 0, 0, ...grid.size, gl.RED_INTEGER, gl.UNSIGNED_BYTE, grid.values);
        this.skipGrid = {low: grid.low, cell: grid.cell};
    }

    // layers: as LayerCode has them
    #program(name, layers, options) {
        const parts = new LayerCode(layers), key = [name, options.blended, options.gradients, parts.variant].join('|');
        let program = this.programs.get(key);
        if (program) return program;
        const source = fillIn(shaderText(name), {
            BLENDED: +options.blended, LAYERS: layers.length, DEFINES: `#define GRADIENTS ${+options.gradients}\n#define ENTRIES ${ENTRIES}.0\n` + parts.defines,
            LAYER_CODE: parts.code, SHADE_CODE: parts.each('shade'), DENSITY_CODE: parts.each('density', {places: true}),
            BEGIN_CODE: parts.each('begin', {places: true}), VALUE_CODE: parts.each('value'), TAU_CODE: parts.each('tau'),
        });
        program = new Program(this.gl, shaderText('screen.vert.glsl'), source);
        this.programs.set(key, program);
        return program;
    }

    // scene: {box {low, high}, exaggeration, light {direction, colour, ambient, shadows}}
    #common(program, scene, layers) {
        const {gl} = this, {box, exaggeration, light} = scene;
        const low = [box.low[0], box.low[1], box.low[2] * exaggeration], high = [box.high[0], box.high[1], box.high[2] * exaggeration];
        program.texture('transfer', gl.TEXTURE_2D, this.transfer).texture('integral', gl.TEXTURE_2D, this.integral);
        program.set({boxLow: low, boxHigh: high, exaggeration, lightDirection: light.direction, lightColour: light.colour, ambientColour: light.ambient,
            shadows: light.shadows && this.light ? 1 : 0, lightRate: high.map((h, axis) => 1 / (h - low[axis]))});
        new LayerCode(layers).bind(program);
    }

    // Draws into the bound framebuffer. view: {relative, eye, viewport: [w, h], depth: texture, stepFactor, gradients, seed}
    draw(scene, layers, view) {
        const {gl} = this;
        if (!layers.length || !this.skip) return;
        const program = this.#program('march.frag.glsl', layers, {blended: isBlended(layers), gradients: view.gradients}).use();
        this.#common(program, scene, layers);
        const {exaggeration} = scene, {low, cell} = this.skipGrid;
        program.texture('depth', gl.TEXTURE_2D, view.depth).texture('skip', gl.TEXTURE_3D, this.skip);
        program.texture('light', gl.TEXTURE_3D, this.light || this.dark);
        program.set({inverseView: view.relative, eye: view.eye, viewport: view.viewport, depthShare: view.depthShare, stepFactor: view.stepFactor, seed: view.seed || [0, 0],
            skipLow: [low[0], low[1], low[2] * exaggeration], skipRate: [1 / cell[0], 1 / cell[1], 1 / (cell[2] * exaggeration)]});
        gl.disable(gl.DEPTH_TEST);
        gl.disable(gl.BLEND);
        gl.bindVertexArray(this.empty);
        gl.drawArrays(gl.TRIANGLES, 0, 3);
    }

    // Sunlight through the volumes, slice by slice from the top. Each slice is drawn from the one above and copied into the grid.
    castLight(scene, layers, detail = 1) {
        const {gl} = this, cells = LIGHT_CELLS.map((n, axis) => Math.max(8, Math.round(n * (axis < 2 ? detail : 1))));
        if (!this.slices || this.lightCells.join() !== cells.join()) this.#makeLight(cells);
        if (!layers.length) { this.litEmpty = true; }
        const program = this.#program('light.frag.glsl', layers, {blended: isBlended(layers), gradients: false});
        gl.disable(gl.DEPTH_TEST);
        gl.disable(gl.BLEND);
        gl.bindVertexArray(this.empty);
        gl.viewport(0, 0, cells[0], cells[1]);
        program.use();
        this.#common(program, scene, layers);
        const unit = program.nextUnit;
        for (let slice = cells[2] - 1, turn = 0; slice >= 0; slice--, turn ^= 1) {
            program.nextUnit = unit;
            program.texture('above', gl.TEXTURE_2D, this.slices[turn ^ 1].texture);
            program.set({cells, slice});
            gl.bindFramebuffer(gl.FRAMEBUFFER, this.slices[turn].framebuffer);
            gl.drawArrays(gl.TRIANGLES, 0, 3);
            gl.activeTexture(gl.TEXTURE0 + unit + 1);
            gl.bindTexture(gl.TEXTURE_3D, this.light);
            gl.copyTexSubImage3D(gl.TEXTURE_3D, 0, 0, 0, slice, 0, 0, cells[0], cells[1]);
        }
        gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    }

    #makeLight(cells) {
        const {gl} = this, {format} = lightFormat(gl);
        this.#dropLight();
        this.lightCells = cells;
        this.light = texture3d(gl, {format, size: cells, filter: gl.LINEAR});
        this.slices = [0, 1].map(() => {
            const texture = texture2d(gl, {format, width: cells[0], height: cells[1], filter: gl.LINEAR}), framebuffer = gl.createFramebuffer();
            gl.bindFramebuffer(gl.FRAMEBUFFER, framebuffer);
            gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture, 0);
            return {texture, framebuffer};
        });
    }

    #dropLight() {
        const {gl} = this;
        if (this.light) gl.deleteTexture(this.light);
        for (const slice of this.slices || []) { gl.deleteTexture(slice.texture); gl.deleteFramebuffer(slice.framebuffer); }
        this.light = null;
        this.slices = null;
    }

    delete() {
        const {gl} = this;
        this.#dropLight();
        gl.deleteTexture(this.transfer);
        gl.deleteTexture(this.integral);
        gl.deleteTexture(this.dark);
        if (this.skip) gl.deleteTexture(this.skip);
        for (const program of this.programs.values()) program.delete();
    }
}

const isBlended = (layers) => layers.some((layer) => layer.blend > 0 || layer.minus?.blend > 0);
