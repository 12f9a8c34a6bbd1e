// SPDX-License-Identifier: Apache-2.0
// Sets of line segments in the scene: coasts, borders, graticule, box.
import {Program, shaderText} from './program.js';

export class LinePass {
    constructor(gl) {
        this.gl = gl;
        this.program = new Program(gl, shaderText('line.vert.glsl'), shaderText('line.frag.glsl'), ['a', 'b']);
        this.sets = new Map();
    }

    // segments: Float32Array of [a, b] × 3 scene km before exaggeration, or null to forget. ink: [r, g, b, a], width in pixels.
    set(name, segments, {ink = [1, 1, 1, 0.5], width = 1, order = 0} = {}) {
        const {gl} = this, old = this.sets.get(name);
        if (old) { gl.deleteBuffer(old.buffer); gl.deleteVertexArray(old.array); this.sets.delete(name); }
        if (!segments || !segments.length) return;
        const array = gl.createVertexArray(), buffer = gl.createBuffer();
        gl.bindVertexArray(array);
        gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
        gl.bufferData(gl.ARRAY_BUFFER, segments, gl.STATIC_DRAW);
        for (const [location, offset] of [[0, 0], [1, 12]]) {
            gl.enableVertexAttribArray(location);
            gl.vertexAttribPointer(location, 3, gl.FLOAT, false, 24, offset);
            gl.vertexAttribDivisor(location, 1);
        }
        gl.bindVertexArray(null);
        this.sets.set(name, {array, buffer, count: segments.length / 6, ink, width, order});
        this.sets = new Map([...this.sets].sort((a, b) => a[1].order - b[1].order));
    }

    draw(scene, matrices, viewport) {
        const {gl} = this;
        gl.enable(gl.DEPTH_TEST);
        gl.depthFunc(gl.LEQUAL);
        gl.depthMask(false);
        gl.enable(gl.BLEND);
        gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
        this.program.use().set({all: matrices.all, exaggeration: scene.exaggeration, viewport});
        const thick = scene.pixelRatio || 1;
        for (const set of this.sets.values()) {
            this.program.set({ink: set.ink, width: set.width * thick});
            gl.bindVertexArray(set.array);
            gl.drawArraysInstanced(gl.TRIANGLES, 0, 6, set.count);
        }
        gl.disable(gl.BLEND);
        gl.depthMask(true);
    }

    delete() { for (const name of [...this.sets.keys()]) this.set(name, null); this.program.delete(); }
}
