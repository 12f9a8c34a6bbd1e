// SPDX-License-Identifier: Apache-2.0
// Runs in the page: what shaders/layer.glsl computes at given places, read back as floats.
import {Program, fillIn, shaderText, texture2d} from './gl/program.js';

// blend: share of the second time slot.
export function readPlaces(viewer, places, blend = 0) {
    const {gl} = viewer, item = viewer.stage.drawn(blend).volumes[0], width = 64, height = Math.ceil(places.length / width);
    if (!gl.getExtension('EXT_color_buffer_float')) throw new Error('this test needs float targets');
    const data = new Float32Array(width * height * 4);
    places.forEach((place, n) => data.set(place, 4 * n));
    const input = texture2d(gl, {format: gl.RGBA32F, width, height, data, from: gl.RGBA, type: gl.FLOAT});
    const source = fillIn(`#version 300 es
precision highp float; precision highp int; precision highp sampler3D;
#define BLENDED ${blend > 0 ? 1 : 0}
${item.gpu.defines(0)}
uniform highp sampler2D places;
${item.gpu.code(0)}
layout(location = 0) out vec4 first;
layout(location = 1) out vec4 second;
void main() {
    Place0 place = placeOf0(texelFetch(places, ivec2(gl_FragCoord.xy), 0).xyz);
    float q = 0.0;
    bool present = place.inside && valueAt0(place.ijk, q);
    first = vec4(place.ijk, place.inside ? 1.0 : 0.0);
    second = vec4(q, present ? 1.0 : 0.0, 0.0, 0.0);
}`, {});
    const program = new Program(gl, shaderText('screen.vert.glsl'), source), framebuffer = gl.createFramebuffer();
    gl.bindFramebuffer(gl.FRAMEBUFFER, framebuffer);
    const outputs = [0, 1].map((n) => {
        const texture = texture2d(gl, {format: gl.RGBA32F, width, height});
        gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0 + n, gl.TEXTURE_2D, texture, 0);
        return texture;
    });
    gl.drawBuffers([gl.COLOR_ATTACHMENT0, gl.COLOR_ATTACHMENT1]);
    gl.viewport(0, 0, width, height);
    gl.disable(gl.BLEND); gl.disable(gl.DEPTH_TEST); gl.disable(gl.SCISSOR_TEST);
    program.use();
    program.texture('places', gl.TEXTURE_2D, input);
    item.gpu.bind(program, 0, item);
    gl.bindVertexArray(viewer.renderer.empty);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    const read = (n) => { const out = new Float32Array(width * height * 4); gl.readBuffer(gl.COLOR_ATTACHMENT0 + n); gl.readPixels(0, 0, width, height, gl.RGBA, gl.FLOAT, out); return out; };
    const first = read(0), second = read(1), {v0, step} = viewer.layers[0].lattice;
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    for (const texture of [input, ...outputs]) gl.deleteTexture(texture);
    gl.deleteFramebuffer(framebuffer);
    program.delete();
    return places.map((_, n) => ({i: first[4 * n], j: first[4 * n + 1], k: first[4 * n + 2], inside: first[4 * n + 3] > 0.5, q: second[4 * n], value: v0 + second[4 * n] * step, present: second[4 * n + 1] > 0.5}));
}

function march(viewer, stepFactor, gradients) {
    const {scene, matrices} = viewer.scene(), {renderer, gl} = viewer, {width, height} = renderer;
    renderer.ground.bind();
    gl.clearColor(0, 0, 0, 0);
    gl.depthMask(true);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    renderer.groundPass.draw(scene, [], matrices, false);
    renderer.fine.bind();
    gl.clear(gl.COLOR_BUFFER_BIT);
    renderer.volumePass.draw(scene, renderer.volumes, {relative: matrices.relative, eye: matrices.eye, viewport: [width, height], depth: renderer.ground.depth, depthShare: [1, 1], stepFactor, gradients});
    const out = new Uint8Array(width * height * 4);
    gl.readPixels(0, 0, width, height, gl.RGBA, gl.UNSIGNED_BYTE, out);
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    return {out, width, height};
}

export function marchedAlpha(viewer, stepFactor) {
    const {out, width, height} = march(viewer, stepFactor, false);
    let sum = 0, count = 0;
    for (let y = (height >> 1) - 4; y < (height >> 1) + 4; y++) for (let x = (width >> 1) - 4; x < (width >> 1) + 4; x++) { sum += out[4 * (y * width + x) + 3]; count++; }
    return sum / count / 255;
}

export function coverage(viewer) {
    const {out, width, height} = march(viewer, 0.5, true);
    return Array.from({length: width * height}, (_, n) => out[4 * n + 3]);
}

// Pixels with something in them when two time slots are drawn blended.
export function blendedPixels(viewer, blend) {
    viewer.renderer.volumes = viewer.stage.drawn(blend).volumes;
    const {scene, matrices} = viewer.scene(), {renderer, gl} = viewer, {width, height} = renderer;
    renderer.volumes = viewer.stage.drawn(blend).volumes;
    renderer.volumePass.castLight(scene, renderer.volumes, 0.5);
    renderer.fine.bind();
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    renderer.volumePass.draw(scene, renderer.volumes, {relative: matrices.relative, eye: matrices.eye, viewport: [width, height], depth: renderer.ground.depth, depthShare: [1, 1], stepFactor: 1, gradients: true});
    const out = new Uint8Array(width * height * 4);
    gl.readPixels(0, 0, width, height, gl.RGBA, gl.UNSIGNED_BYTE, out);
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    return {error: gl.getError(), filled: out.filter((value, n) => n % 4 === 3 && value > 0).length};
}
