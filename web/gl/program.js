// SPDX-License-Identifier: Apache-2.0
// Shader files to programs. Files are fetched once and kept as text, so that a lost context needs no network.

const sources = new Map();

// Loads shader files by URL relative to shaders/. Must have resolved before Program is used.
export async function loadShaders(names) {
    await Promise.all(names.map(async (name) => {
        if (sources.has(name)) return;
        const response = await fetch(new URL('../shaders/' + name, import.meta.url));
        if (!response.ok) throw new Error(`shader ${name}: HTTP ${response.status}`);
        sources.set(name, await response.text());
    }));
}

export function shaderText(name) {
    const text = sources.get(name);
    if (text === undefined) throw new Error(`shader ${name} was not loaded`);
    return text;
}

// Replaces each @KEY of the text. Longer keys first, so that @N does not eat the start of @NAME.
export function fillIn(text, values) {
    const keys = Object.keys(values).sort((a, b) => b.length - a.length);
    for (const key of keys) text = text.replaceAll('@' + key, values[key]);
    return text;
}

// The part of a file between "// section name" and the next section.
export function section(text, name) {
    const parts = text.split(/^\/\/ section (\w+)\n/m);
    const at = parts.indexOf(name);
    if (at < 0) throw new Error(`no shader section ${name}`);
    return parts[at + 1];
}

export class Program {
    // attributes: names in the order of their locations. Throws Error with the driver's words and the line.
    constructor(gl, vertex, fragment, attributes = []) {
        this.gl = gl;
        const program = this.program = gl.createProgram();
        const shaders = [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]].map(([type, source]) => {
            const shader = gl.createShader(type);
            gl.shaderSource(shader, source);
            gl.compileShader(shader);
            gl.attachShader(program, shader);
            return [shader, source];
        });
        attributes.forEach((name, index) => gl.bindAttribLocation(program, index, name));
        gl.linkProgram(program);
        if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) {
            const words = shaders.map(([shader]) => gl.getShaderInfoLog(shader)).concat(gl.getProgramInfoLog(program)).filter(Boolean).join('\n');
            const line = /0:(\d+):/.exec(words);
            const text = line ? shaders.map(([, s]) => s.split('\n')[line[1] - 1]).join(' | ') : '';
            throw new Error(`shader: ${words} ${text}`);
        }
        for (const [shader] of shaders) gl.deleteShader(shader);
        this.uniforms = new Map();
        const count = gl.getProgramParameter(program, gl.ACTIVE_UNIFORMS) || 0;
        for (let index = 0; index < count; index++) {
            const info = gl.getActiveUniform(program, index);
            const name = info.name.replace(/\[0\]$/, '');
            this.uniforms.set(name, {location: gl.getUniformLocation(program, info.name), type: info.type});
        }
        this.nextUnit = 0;
    }

    use() { this.gl.useProgram(this.program); this.nextUnit = 0; return this; }

    // Sets what the program knows; names it does not use are passed over.
    set(values) {
        const {gl} = this;
        for (const [name, value] of Object.entries(values)) {
            const uniform = this.uniforms.get(name);
            if (!uniform) continue;
            const at = uniform.location;
            switch (uniform.type) {
            case gl.FLOAT: value.length === undefined ? gl.uniform1f(at, value) : gl.uniform1fv(at, value); break;
            case gl.FLOAT_VEC2: gl.uniform2fv(at, value); break;
            case gl.FLOAT_VEC3: gl.uniform3fv(at, value); break;
            case gl.FLOAT_VEC4: gl.uniform4fv(at, value); break;
            case gl.FLOAT_MAT4: gl.uniformMatrix4fv(at, false, value); break;
            case gl.INT: case gl.BOOL: gl.uniform1i(at, value); break;
            case gl.INT_VEC2: gl.uniform2iv(at, value); break;
            case gl.INT_VEC3: gl.uniform3iv(at, value); break;
            default: throw new Error(`uniform ${name}: type ${uniform.type} is not known here`);
            }
        }
        return this;
    }

    // Binds a texture to the next unit. target: gl.TEXTURE_2D or gl.TEXTURE_3D.
    texture(name, target, texture) {
        const {gl} = this, uniform = this.uniforms.get(name);
        if (!uniform) return this;
        gl.activeTexture(gl.TEXTURE0 + this.nextUnit);
        gl.bindTexture(target, texture);
        gl.uniform1i(uniform.location, this.nextUnit++);
        return this;
    }

    delete() { this.gl.deleteProgram(this.program); }
}

export function texture2d(gl, {format, width, height, data = null, type, from, filter = gl.NEAREST, wrap = gl.CLAMP_TO_EDGE}) {
    const texture = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, texture);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    gl.texStorage2D(gl.TEXTURE_2D, 1, format, width, height);
    if (data) gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, width, height, from, type, data);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, filter);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, filter);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, wrap);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, wrap);
    return texture;
}

export function texture3d(gl, {format, size, data = null, type, from, filter = gl.NEAREST}) {
    const texture = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_3D, texture);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    gl.texStorage3D(gl.TEXTURE_3D, 1, format, ...size);
    if (data) gl.texSubImage3D(gl.TEXTURE_3D, 0, 0, 0, 0, ...size, from, type, data);
    gl.texParameteri(gl.TEXTURE_3D, gl.TEXTURE_MIN_FILTER, filter);
    gl.texParameteri(gl.TEXTURE_3D, gl.TEXTURE_MAG_FILTER, filter);
    for (const wrap of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T, gl.TEXTURE_WRAP_R]) gl.texParameteri(gl.TEXTURE_3D, wrap, gl.CLAMP_TO_EDGE);
    return texture;
}
