// SPDX-License-Identifier: Apache-2.0
// The ground as a mesh: terrain, the sides of the block, and a fading stretch of the world around it.
import {LayerCode} from './layer_code.js';
import {Program, fillIn, shaderText} from './program.js';

const MOST = 320, AROUND = 56;

// Mesh of the domain. heightAt(i, j) metres, placeAt(X km, Y km) → where on Earth, as three numbers for the shader. Vertices: position 3, slope 3, place 3.
export function groundMesh(geometry, heightAt, placeAt, most = MOST) {
    const {domain} = geometry, [x0, y0] = geometry.toScene(domain.x[0], domain.y[0]), [x1, y1] = geometry.toScene(domain.x[1], domain.y[1]);
    const nx = Math.max(2, Math.min(most, geometry.nx)), ny = Math.max(2, Math.min(most, geometry.ny));
    const vertices = new Float32Array(nx * ny * 9), columns = [];
    for (let x = 0; x < nx; x++) {
        const X = x0 + (x1 - x0) * x / (nx - 1);
        columns.push(X);
    }
    const heights = new Float32Array(nx * ny);
    for (let y = 0, v = 0; y < ny; y++) for (let x = 0; x < nx; x++, v++) {
        const X = columns[x], Y = y0 + (y1 - y0) * y / (ny - 1), [gx, gy] = geometry.fromScene([X, Y, 0]);
        const i = geometry.nx === 1 ? 0 : geometry.x.index(gx), j = geometry.ny === 1 ? 0 : geometry.y.index(gy);
        heights[v] = heightAt(Math.min(geometry.wraps ? geometry.nx : geometry.nx - 1, Math.max(0, i)), Math.min(geometry.ny - 1, Math.max(0, j))) / 1000;
        vertices.set([X, Y, heights[v]], 9 * v);
        vertices.set(placeAt(X, Y), 9 * v + 6);
    }
    const dx = (x1 - x0) / (nx - 1), dy = (y1 - y0) / (ny - 1), at = (x, y) => heights[Math.min(ny - 1, Math.max(0, y)) * nx + Math.min(nx - 1, Math.max(0, x))];
    for (let y = 0, v = 0; y < ny; y++) for (let x = 0; x < nx; x++, v++)
        vertices.set([(at(x + 1, y) - at(x - 1, y)) / (2 * dx), (at(x, y + 1) - at(x, y - 1)) / (2 * dy), 1], 9 * v + 3);
    return {vertices, indices: gridIndices(nx, ny), coarse: gridIndices(nx, ny, 3), nx, ny, heights, low: [x0, y0], step: [dx, dy]};
}

// stride: only every so manieth vertex, and the last.
function gridIndices(nx, ny, stride = 1) {
    const along = (n) => Array.from({length: Math.ceil((n - 1) / stride) + 1}, (_, k) => Math.min(n - 1, k * stride)), xs = along(nx), ys = along(ny), indices = [];
    for (let y = 0; y + 1 < ys.length; y++) for (let x = 0; x + 1 < xs.length; x++) {
        const [a, b, c, d] = [ys[y] * nx + xs[x], ys[y] * nx + xs[x + 1], ys[y + 1] * nx + xs[x], ys[y + 1] * nx + xs[x + 1]];
        indices.push(a, b, c, b, d, c);
    }
    return Uint32Array.from(indices);
}

// Height in km of the mesh at scene X, Y: what lines lie on.
export function meshHeight(mesh, X, Y) {
    const x = Math.min(mesh.nx - 1.001, Math.max(0, (X - mesh.low[0]) / mesh.step[0])), y = Math.min(mesh.ny - 1.001, Math.max(0, (Y - mesh.low[1]) / mesh.step[1]));
    const x0 = Math.floor(x), y0 = Math.floor(y), a = x - x0, b = y - y0, h = (i, j) => mesh.heights[(y0 + j) * mesh.nx + x0 + i];
    return a + b <= 1 ? h(0, 0) + a * (h(1, 0) - h(0, 0)) + b * (h(0, 1) - h(0, 0)) : h(1, 1) + (1 - a) * (h(0, 1) - h(1, 1)) + (1 - b) * (h(1, 0) - h(1, 1));
}

function sideMesh(mesh, depth) {
    const {nx, ny, vertices} = mesh, edge = [];
    for (let x = 0; x < nx; x++) edge.push(x);
    for (let y = 1; y < ny; y++) edge.push(y * nx + nx - 1);
    for (let x = nx - 2; x >= 0; x--) edge.push((ny - 1) * nx + x);
    for (let y = ny - 2; y >= 0; y--) edge.push(y * nx);
    const out = new Float32Array(edge.length * 18), indices = [];
    edge.forEach((v, n) => {
        for (const low of [0, 1]) {
            out.set(vertices.subarray(9 * v, 9 * v + 9), 18 * n + 9 * low);
            if (low) { out[18 * n + 11] = -depth; out[18 * n + 14] = 0; }
        }
        if (n) indices.push(2 * n - 2, 2 * n - 1, 2 * n, 2 * n - 1, 2 * n + 1, 2 * n);
    });
    return {vertices: out, indices: Uint32Array.from(indices)};
}

function aroundMesh(mesh, placeAt) {
    const size = [mesh.step[0] * (mesh.nx - 1), mesh.step[1] * (mesh.ny - 1)], margin = 0.42 * Math.max(...size), n = AROUND;
    const low = mesh.low.map((v) => v - margin), step = size.map((s) => (s + 2 * margin) / (n - 1)), vertices = new Float32Array(n * n * 9);
    for (let y = 0, v = 0; y < n; y++) for (let x = 0; x < n; x++, v++) {
        const X = low[0] + x * step[0], Y = low[1] + y * step[1];
        vertices.set([X, Y, -0.02, 0, 0, 1, ...placeAt(X, Y)], 9 * v);
    }
    return {vertices, indices: gridIndices(n, n)};
}

export class GroundPass {
    constructor(gl, volumePass) {
        this.gl = gl;
        this.volumePass = volumePass;
        this.programs = new Map();
        this.meshes = {};
        this.land = null;
    }

    // mesh: of groundMesh(). around: whether the world goes on beyond the edges. spherical: places are directions seen from the Earth's centre, the
    // first axis on the meridian `meridian`; else longitude, latitude and nothing.
    setMesh(mesh, placeAt, {around, depth, spherical, meridian}) {
        this.#drop();
        this.mesh = mesh;
        this.sphere = [spherical ? 1 : 0, meridian];
        this.meshes.ground = this.#upload(mesh);
        this.meshes.side = this.#upload(sideMesh(mesh, depth));
        if (around) this.meshes.around = this.#upload(aroundMesh(mesh, placeAt));
    }

    #upload({vertices, indices, coarse = null}) {
        const {gl} = this, array = gl.createVertexArray(), vertexBuffer = gl.createBuffer(), indexBuffer = gl.createBuffer();
        gl.bindVertexArray(array);
        gl.bindBuffer(gl.ARRAY_BUFFER, vertexBuffer);
        gl.bufferData(gl.ARRAY_BUFFER, vertices, gl.STATIC_DRAW);
        [[3, 0], [3, 12], [3, 24]].forEach(([size, offset], location) => {
            gl.enableVertexAttribArray(location);
            gl.vertexAttribPointer(location, size, gl.FLOAT, false, 36, offset);
        });
        gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, indexBuffer);
        const all = coarse ? Uint32Array.from([...indices, ...coarse]) : indices;
        gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, all, gl.STATIC_DRAW);
        gl.bindVertexArray(null);
        return {array, vertexBuffer, indexBuffer, count: indices.length, coarse: coarse ? coarse.length : 0};
    }

    // image: canvas whose red says how much is land; of: [ax, ay, bx, by] from lon/lat to texture coordinates.
    setLand(image, of) {
        const {gl} = this;
        if (this.land) gl.deleteTexture(this.land);
        this.land = null;
        if (!image) return;
        this.land = gl.createTexture();
        gl.bindTexture(gl.TEXTURE_2D, this.land);
        gl.pixelStorei(gl.UNPACK_FLIP_Y_WEBGL, true);
        gl.texImage2D(gl.TEXTURE_2D, 0, gl.R8, gl.RED, gl.UNSIGNED_BYTE, image);
        gl.pixelStorei(gl.UNPACK_FLIP_Y_WEBGL, false);
        gl.generateMipmap(gl.TEXTURE_2D);
        gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR_MIPMAP_LINEAR);
        gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
        gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
        this.landOf = of;
    }

    #program(layers) {
        const blended = layers.some((layer) => layer.blend > 0 || layer.minus?.blend > 0), parts = new LayerCode(layers), key = `${blended}|${parts.variant}`;
        let program = this.programs.get(key);
        if (program) return program;
        const source = fillIn(shaderText('ground.frag.glsl'), {BLENDED: +blended, LAYERS: layers.length, DEFINES: parts.defines, LAYER_CODE: parts.code, DRAPE_CODE: parts.each('drape')});
        program = new Program(this.gl, shaderText('ground.vert.glsl'), source, ['position', 'normal', 'where']);
        this.programs.set(key, program);
        return program;
    }

    // quick: a coarser mesh, for pictures while something moves.
    draw(scene, layers, matrices, quick = false) {
        const {gl} = this;
        if (!this.mesh) return;
        const program = this.#program(layers).use(), {box, exaggeration, light} = scene;
        const low = [box.low[0], box.low[1], box.low[2] * exaggeration], high = [box.high[0], box.high[1], box.high[2] * exaggeration];
        program.texture('transfer', gl.TEXTURE_2D, this.volumePass.transfer);
        program.texture('land', gl.TEXTURE_2D, this.land || this.volumePass.transfer).texture('light', gl.TEXTURE_3D, this.volumePass.light || this.volumePass.dark);
        new LayerCode(layers).bind(program);
        const half = [(high[0] - low[0]) / 2, (high[1] - low[1]) / 2];
        program.set({all: matrices.all, exaggeration, boxLow: low, boxHigh: high, lightDirection: light.direction, lightColour: light.colour, ambientColour: light.ambient,
            shadows: light.shadows && this.volumePass.light && scene.volumeCount ? 1 : 0, lightRate: high.map((h, axis) => 1 / (h - low[axis])), hasLand: this.land ? 1 : 0,
            landOf: this.landOf || [0, 0, 0, 0], sphere: this.sphere, tinted: scene.map.terrain === false ? 0 : 1, reach: half, middle: [low[0] + half[0], low[1] + half[1]], side: 0, outside: 0, haze: scene.sky.low});
        gl.enable(gl.DEPTH_TEST);
        gl.depthFunc(gl.LEQUAL);
        gl.enable(gl.POLYGON_OFFSET_FILL);
        gl.polygonOffset(1, 2);
        this.#elements(this.meshes.ground, quick);
        program.set({side: 1});
        this.#elements(this.meshes.side);
        if (this.meshes.around) {
            program.set({side: 0, outside: 1});
            gl.enable(gl.BLEND);
            gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
            gl.depthMask(false);
            this.#elements(this.meshes.around);
            gl.depthMask(true);
            gl.disable(gl.BLEND);
        }
        gl.disable(gl.POLYGON_OFFSET_FILL);
        gl.bindVertexArray(null);
    }

    // The ground's own depth, over that which draw() pushed back a little for the lines: where rays end. After the lines, in the same target.
    drawDepth(scene, layers, matrices) {
        const {gl} = this;
        if (!this.mesh) return;
        this.#program(layers).use().set({all: matrices.all, exaggeration: scene.exaggeration, side: 1, outside: 0});
        gl.enable(gl.DEPTH_TEST);
        gl.depthFunc(gl.LEQUAL);
        gl.colorMask(false, false, false, false);
        this.#elements(this.meshes.ground);
        this.#elements(this.meshes.side);
        gl.colorMask(true, true, true, true);
        gl.bindVertexArray(null);
    }

    #elements(mesh, quick = false) {
        const {gl} = this;
        gl.bindVertexArray(mesh.array);
        if (quick && mesh.coarse) gl.drawElements(gl.TRIANGLES, mesh.coarse, gl.UNSIGNED_INT, mesh.count * 4);
        else gl.drawElements(gl.TRIANGLES, mesh.count, gl.UNSIGNED_INT, 0);
    }

    #drop() {
        const {gl} = this;
        for (const mesh of Object.values(this.meshes)) { gl.deleteVertexArray(mesh.array); gl.deleteBuffer(mesh.vertexBuffer); gl.deleteBuffer(mesh.indexBuffer); }
        this.meshes = {};
    }

    delete() {
        this.#drop();
        this.setLand(null);
        for (const program of this.programs.values()) program.delete();
    }
}
