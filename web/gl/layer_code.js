// SPDX-License-Identifier: Apache-2.0
// The code that shaders are given for their layers. Layers are numbered as they are drawn; what differences take away has the numbers after them.
import {fillIn, section, shaderText} from './program.js';

const rowOf = (row) => ((row + 0.5) / 4).toFixed(6);
const samePlaces = ({gpu, minus}) => minus.gpu.geometry === gpu.geometry;

// layers: [{gpu, slots, blend, lookup, shading, row, minus: {gpu, slots, blend, lookup, ratio} or undefined}]
export class LayerCode {
    constructor(layers) {
        let next = layers.length;
        this.layers = layers.map((layer, n) => ({layer, n, m: layer.minus ? next++ : n}));
    }

    // What a program must be compiled anew for.
    get variant() {
        return this.layers.map(({layer}) => layer.gpu.variant + (layer.minus ? `-${+samePlaces(layer)}${layer.minus.gpu.variant}` : '')).join('|');
    }

    get defines() {
        return this.layers.map(({layer, n, m}) => `#define MINUS${n} ${+Boolean(layer.minus)}\n${layer.gpu.defines(n)}${layer.minus ? layer.minus.gpu.defines(m) : ''}`).join('');
    }

    get code() {
        return this.layers.map(({layer, n, m}) => `${layer.gpu.code(n)}\n${layer.minus ? `uniform float ratio${n};\n${layer.minus.gpu.code(m)}\n` : ''}`).join('');
    }

    // A section of march_layer.glsl for every layer. `places`: it finds places, which what is taken away needs as well.
    each(name, {places = false} = {}) {
        const text = section(shaderText('march_layer.glsl'), name);
        return this.layers.map(({layer, n, m}) => {
            const own = fillIn(text, {N: n, M: m, ROW: rowOf(layer.row), LINE: layer.row, PLACE: `placeOf${n}(scene)`, LESS: layer.minus ? placeOf(layer, n, m, 'place') : '',
                TAKEN: layer.minus ? `, Place${m} lessPlace, Brick${m} lessBrick` : '', GIVEN: layer.minus ? ', lessPlace, lessBrick' : '', FOUND: layer.minus ? `, place${m}, brick${m}` : ''});
            return places && layer.minus ? own + fillIn(text, {N: m, PLACE: placeOf(layer, n, m, `place${n}`)}) : own;
        }).join('');
    }

    bind(program) {
        for (const {layer, n, m} of this.layers) {
            layer.gpu.bind(program, n, layer);
            program.set({['shade' + n]: layer.shading ? 1 : 0});
            if (!layer.minus) continue;
            layer.minus.gpu.bind(program, m, layer.minus);
            program.set({['ratio' + n]: layer.minus.ratio});
        }
    }
}

// The place of what is taken away: found by its own geometry, or the layer's where that is the same.
function placeOf(layer, n, m, own) {
    return samePlaces(layer) ? `Place${m}(${own}.ijk, ${own}.density, ${own}.inside, ${own}.above)` : `placeOf${m}(scene)`;
}
