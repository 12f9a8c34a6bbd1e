// SPDX-License-Identifier: Apache-2.0
// Framebuffers that the passes draw into, made again when the canvas changes its size.
import {texture2d} from './program.js';

export class Target {
    constructor(gl, width, height, {depth = false, filter = gl.NEAREST} = {}) {
        this.gl = gl;
        this.width = width;
        this.height = height;
        this.colour = texture2d(gl, {format: gl.RGBA8, width, height, filter});
        this.depth = depth ? texture2d(gl, {format: gl.DEPTH_COMPONENT24, width, height}) : null;
        this.framebuffer = gl.createFramebuffer();
        gl.bindFramebuffer(gl.FRAMEBUFFER, this.framebuffer);
        gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, this.colour, 0);
        if (depth) gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.DEPTH_ATTACHMENT, gl.TEXTURE_2D, this.depth, 0);
        gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    }

    bind(width = this.width, height = this.height) {
        const {gl} = this;
        gl.bindFramebuffer(gl.FRAMEBUFFER, this.framebuffer);
        gl.viewport(0, 0, width, height);
    }

    delete() {
        const {gl} = this;
        gl.deleteFramebuffer(this.framebuffer);
        gl.deleteTexture(this.colour);
        if (this.depth) gl.deleteTexture(this.depth);
    }
}
