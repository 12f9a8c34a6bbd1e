// SPDX-License-Identifier: Apache-2.0
// Sets of line segments in the scene: coasts, borders, graticule, box.
import {Program, shaderText} from './program.js';

export class LinePass {
    constructor(gl) {
        this.gl = gl;
        this.program = new Program(gl, shaderText('line.vert.glsl'), shaderText('line.frag.glsl'), ['a', 'b', 'corner']);
        this.sets = new Map();
    }

    // when: 'always', 'quick' or 'full': for which pictures; slow machines draw fewer segments while something moves.
    // segments: Float32Array of [a, b] × 3 scene km before exaggeration, or null to forget. ink: [r, g, b, a], width in pixels.
    set(name, segments, {ink = [1, 1, 1, 0.5], width = 1, order = 0, when = 'always'} = {}) {
        const {gl} = this, old = this.sets.get(name);
        if (old) { gl.deleteBuffer(old.buffer); gl.deleteBuffer(old.indexBuffer); gl.deleteVertexArray(old.array); this.sets.delete(name); }
        if (!segments || !segments.length) return;
        // Four corners a segment, written out: software renderers are slow at instances.
        const count = segments.length / 6, corners = new Float32Array(count * 28), indices = new Uint32Array(count * 6);
        for (let n = 0; n < count; n++) {
            for (let corner = 0; corner < 4; corner++) {
                corners.set(segments.subarray(6 * n, 6 * n + 6), (4 * n + corner) * 7);
                corners[(4 * n + corner) * 7 + 6] = corner;
            }
            indices.set([0, 1, 2, 1, 3, 2].map((corner) => 4 * n + corner), 6 * n);
        }
        const array = gl.createVertexArray(), buffer = gl.createBuffer(), indexBuffer = gl.createBuffer();
        gl.bindVertexArray(array);
        gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
        gl.bufferData(gl.ARRAY_BUFFER, corners, gl.STATIC_DRAW);
        [[3, 0], [3, 12], [1, 24]].forEach(([size, offset], location) => {
            gl.enableVertexAttribArray(location);
            gl.vertexAttribPointer(location, size, gl.FLOAT, false, 28, offset);
        });
        gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, indexBuffer);
        gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, indices, gl.STATIC_DRAW);
        gl.bindVertexArray(null);
        this.sets.set(name, {array, buffer, indexBuffer, count: indices.length, ink, width, order, when});
        this.sets = new Map([...this.sets].sort((a, b) => a[1].order - b[1].order));
    }

    draw(scene, matrices, viewport, quick = false) {
        const {gl} = this;
        gl.enable(gl.DEPTH_TEST);
        gl.depthFunc(gl.LEQUAL);
        gl.depthMask(false);
        gl.enable(gl.BLEND);
        gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
        this.program.use().set({all: matrices.all, exaggeration: scene.exaggeration, viewport});
        const thick = scene.pixelRatio || 1;
        for (const set of this.sets.values()) {
            if (set.when === (quick ? 'full' : 'quick')) continue;
            this.program.set({ink: set.ink, width: set.width * thick});
            gl.bindVertexArray(set.array);
            gl.drawElements(gl.TRIANGLES, set.count, gl.UNSIGNED_INT, 0);
        }
        gl.disable(gl.BLEND);
        gl.depthMask(true);
    }

    delete() { for (const name of [...this.sets.keys()]) this.set(name, null); this.program.delete(); }
}
