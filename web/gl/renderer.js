// SPDX-License-Identifier: Apache-2.0
// Draws the picture, as fine as the machine allows: coarse and often while something moves, then tile by tile in full.
// Knows nothing of the network. What to draw is handed over in `scene` and `volumes`, `drapes`, `slices`, `lines`.
import {Program, loadShaders, shaderText} from './program.js';
import {Target} from './targets.js';
import {VolumePass} from './volume_pass.js';
import {GroundPass} from './ground_pass.js';
import {LinePass} from './line_pass.js';
import {SlicePass} from './slice_pass.js';

const SHADERS = ['screen.vert.glsl', 'composite.frag.glsl', 'layer.glsl', 'march.frag.glsl', 'march_layer.glsl', 'light.frag.glsl', 'ground.vert.glsl', 'ground.frag.glsl', 'line.vert.glsl', 'line.frag.glsl', 'slice.vert.glsl', 'slice.frag.glsl'];
// Voxels a step in a picture in full.
const FULL_STEP = 1.35;
const SMALLEST = 1 / 8, MOVING_MS = 110, SMOOTH_MS = 24, TILE_MS = 160;

export class Renderer {
    static load() { return loadShaders(SHADERS); }

    // onFrame({full, scale, simplified}) after each picture.
    constructor(gl, onFrame) {
        this.gl = gl;
        this.onFrame = onFrame;
        this.volumePass = new VolumePass(gl);
        this.groundPass = new GroundPass(gl, this.volumePass);
        this.linePass = new LinePass(gl);
        this.slicePass = new SlicePass(gl, this.volumePass);
        this.composite = new Program(gl, shaderText('screen.vert.glsl'), shaderText('composite.frag.glsl'));
        this.empty = gl.createVertexArray();
        this.scale = 0.4;          // drawing scale while moving
        this.cost = null;          // measured ms a million rays
        this.frameMs = 0;
        this.frames = 0;
        this.full = false;
        this.tiles = null;
        this.lightDirty = true;
        this.volumes = [];
        this.drapes = [];
        this.slices = [];
        this.tilePixels = 128 * 128;
    }

    resize(width, height) {
        if (this.width === width && this.height === height && this.ground) return;
        const {gl} = this;
        for (const target of [this.ground, this.coarse, this.fine]) if (target) target.delete();
        this.width = width;
        this.height = height;
        this.ground = new Target(gl, width, height, {depth: true, filter: gl.LINEAR});
        this.coarse = new Target(gl, width, height, {filter: gl.LINEAR});
        this.fine = new Target(gl, width, height, {filter: gl.LINEAR});
        this.full = false;
        this.tiles = null;
    }

    // Light and ground for the scene in view. matrices of Camera.matrices().
    #prepare(scene, matrices, detail, scale = 1) {
        const {gl} = this, width = Math.round(this.width * scale), height = Math.round(this.height * scale);
        if ((this.lightDirty || this.lightDetail < detail) && scene.light.shadows && this.volumes.length && this.volumePass.skip) {
            this.volumePass.castLight(scene, this.volumes, detail);
            this.lightDirty = false;
            this.lightDetail = detail;
        }
        this.groundShare = [width / this.width, height / this.height];
        this.ground.bind(width, height);
        gl.clearColor(0, 0, 0, 0);
        gl.depthMask(true);
        gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
        this.groundPass.draw(scene, this.drapes, matrices, scale < 1);
        this.linePass.draw(scene, matrices, [width, height], this.scale < 0.5 && scale < 1);
        if (scale === 1) this.groundPass.drawDepth(scene, this.drapes, matrices);
        this.slicePass.draw(scene, this.slices, matrices);
    }

    // One whole picture at a drawing scale, with larger steps and without gradients. Returns when its commands are given.
    drawMoving(scene, matrices) {
        const {gl} = this, width = Math.max(1, Math.round(this.width * this.scale)), height = Math.max(1, Math.round(this.height * this.scale));
        this.#prepare(scene, matrices, 0.5, Math.min(1, Math.max(0.4, this.scale * 1.5)));
        this.coarse.bind(width, height);
        gl.clearColor(0, 0, 0, 0);
        gl.clear(gl.COLOR_BUFFER_BIT);
        this.volumePass.draw(scene, this.volumes, {relative: matrices.relative, eye: matrices.eye, viewport: [width, height], depth: this.ground.depth, depthShare: this.groundShare, stepFactor: Math.min(3.5, Math.max(FULL_STEP, 0.8 / this.scale)), gradients: this.scale >= 1});
        this.#compose(scene, this.coarse, [width / this.width, height / this.height]);
        this.full = false;
        this.tiles = null;
        this.frames++;
    }

    // Starts a picture in full. Then drawTiles until it answers true.
    beginFull(scene, matrices) {
        this.#prepare(scene, matrices, 1);
        this.tiles = [];
        const size = Math.max(32, Math.round(Math.sqrt(this.tilePixels) / 16) * 16);
        for (let y = 0; y < this.height; y += size) for (let x = 0; x < this.width; x += size)
            this.tiles.push({x, y, w: Math.min(size, this.width - x), h: Math.min(size, this.height - y)});
        const far = (tile) => Math.hypot((tile.x + tile.w / 2) / this.width - 0.5, (tile.y + tile.h / 2) / this.height - 0.5);
        this.tiles.sort((a, b) => far(a) - far(b));
        this.fullScene = {scene, matrices};
    }

    // Draws `count` tiles; true when the picture is complete and on screen.
    drawTiles(count) {
        const {gl} = this, {scene, matrices} = this.fullScene;
        this.fine.bind();
        gl.enable(gl.SCISSOR_TEST);
        let pixels = 0;
        for (let n = 0; n < count && this.tiles.length; n++) {
            const tile = this.tiles.shift();
            gl.scissor(tile.x, tile.y, tile.w, tile.h);
            gl.clearColor(0, 0, 0, 0);
            gl.clear(gl.COLOR_BUFFER_BIT);
            this.volumePass.draw(scene, this.volumes, {relative: matrices.relative, eye: matrices.eye, viewport: [this.width, this.height], depth: this.ground.depth, depthShare: [1, 1], stepFactor: FULL_STEP, gradients: true});
            pixels += tile.w * tile.h;
        }
        gl.disable(gl.SCISSOR_TEST);
        this.drawnPixels = pixels;
        if (this.tiles.length) return false;
        this.tiles = null;
        this.#compose(scene, this.fine, [1, 1]);
        this.full = true;
        this.frames++;
        return true;
    }

    #compose(scene, volume, share) {
        const {gl} = this;
        gl.bindFramebuffer(gl.FRAMEBUFFER, null);
        gl.viewport(0, 0, this.width, this.height);
        gl.disable(gl.DEPTH_TEST);
        gl.disable(gl.BLEND);
        gl.bindVertexArray(this.empty);
        this.composite.use().texture('ground', gl.TEXTURE_2D, this.ground.colour).texture('volume', gl.TEXTURE_2D, volume.colour)
            .set({viewport: [this.width, this.height], share, groundShare: this.groundShare, smoothing: volume === this.fine ? 1 : 0, skyTop: scene.sky.top, skyLow: scene.sky.low});
        gl.drawArrays(gl.TRIANGLES, 0, 3);
    }

    // Resolves with milliseconds when the GPU has done what was asked so far.
    async finished(start) {
        const {gl} = this, sync = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
        gl.flush();
        if (!sync) return performance.now() - start;
        for (;;) {
            await new Promise((resolve) => setTimeout(resolve, 2));
            if (gl.isContextLost()) return 0;
            const state = gl.getSyncParameter(sync, gl.SYNC_STATUS);
            if (state === gl.SIGNALED || state === null) break;
        }
        gl.deleteSync(sync);
        return performance.now() - start;
    }

    // After a moving picture took ms: the scale for the next one. Smooth where the machine can, else so many a second as
    // `target` ms allow. Below a quarter about half of the time does not depend on the scale.
    adapt(ms, slow = MOVING_MS) {
        this.frameMs = ms;
        const area = this.scale * this.scale, fixed = this.scale < 0.25 ? 0.5 * ms : 0.15 * ms, perShare = (ms - fixed) / area;
        const target = fixed + perShare * 0.25 < SMOOTH_MS ? SMOOTH_MS : slow;
        const wanted = Math.sqrt(Math.max(0, target - fixed) / Math.max(perShare, 0.1));
        this.scale = Math.min(1, Math.max(SMALLEST, this.scale + (Math.min(1, wanted) - this.scale) * 0.6));
    }

    adaptTiles(ms) {
        const rate = TILE_MS / Math.max(1, ms);
        this.tilePixels = Math.min(1 << 21, Math.max(48 * 48, this.tilePixels * Math.min(2, Math.max(0.5, rate))));
    }

    delete() {
        for (const target of [this.ground, this.coarse, this.fine]) if (target) target.delete();
        this.volumePass.delete();
        this.groundPass.delete();
        this.linePass.delete();
        this.slicePass.delete();
        this.composite.delete();
    }
}
