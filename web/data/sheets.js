// SPDX-License-Identifier: Apache-2.0
// The slices on screen: which are asked for, drawn, probed and struck. Layers are LayerStates; those with a level are slices.
import {sampleSlice} from './slices.js';

const MOST = 2, STEPS = 400; // drawn at once, as in the program's own pictures; along a ray

const slicesOf = (layers) => layers.filter((layer) => layer.level);

export class Sheets {
    constructor(store) {
        this.store = store;
        this.last = new Map(); // of a layer's place in the view and its variable: the slice that was drawn last, which stays until the next is here
    }

    // forecast: {dataset, run}. seconds: valid times, the one in view first.
    want({dataset, run}, layers, seconds) {
        const wanted = seconds.flatMap((at) => slicesOf(layers).filter(({view}) => view.visible !== false).map((layer) => [layer, layer.stepAt(at)])).filter(([, step]) => step >= 0);
        this.store.want(dataset, run, wanted);
    }

    // Whether all that there will be at a valid time is here.
    ready({dataset, run}, layers, seconds) {
        return slicesOf(layers).every((layer) => {
            const step = layer.stepAt(seconds);
            return step < 0 || layer.view.visible === false || this.store.settled(dataset, run, layer, step);
        });
    }

    // From now on this valid time is in view.
    show(forecast, seconds) { Object.assign(this, {forecast, seconds}); }

    // For the renderer: [{slice, geometry, layer}].
    drawn(layers) {
        const drawn = [], last = new Map();
        for (const layer of slicesOf(layers)) {
            if (layer.view.visible === false || !layer.geometry || drawn.length === MOST) continue;
            const slice = this.#sliceOf(layer);
            if (!slice) continue;
            last.set(nameOf(layer), slice);
            drawn.push({slice, geometry: layer.geometry, layer});
        }
        this.last = last;
        return drawn;
    }

    #sliceOf(layer) {
        const step = this.forecast ? layer.stepAt(this.seconds) : -1;
        if (step < 0) return null;
        return this.store.get(this.forecast.dataset, this.forecast.run, layer, step) ?? this.last.get(nameOf(layer)) ?? null;
    }

    // {value, level, i, j} of a layer's slice over a place of the scene, or null outside, or where it is not here.
    valueAt(layer, scene) {
        const slice = this.#sliceOf(layer), ij = slice && locate(layer, scene);
        if (!ij) return null;
        const value = sampleSlice(slice, slice.values, ...ij);
        return {value: Number.isNaN(value) ? null : value, level: Math.log2(slice.scale), i: ij[0], j: ij[1], k: null};
    }

    // Where a ray (origin, direction in the exaggerated scene) first meets a sheet that has a value there: {scene, on, t} or null.
    strike(ray, layers, {box, exaggeration}) {
        let nearest = null;
        for (const {slice, layer} of this.drawn(layers)) {
            const found = strikeSheet(slice, layer, ray, box, exaggeration);
            if (found && (!nearest || found.t < nearest.t)) nearest = found;
        }
        return nearest;
    }

    dispose() { this.store.dispose(); }
}

const nameOf = (layer) => `${layer.row}|${layer.variable.id}`;

function locate({geometry}, scene) {
    const [x, y] = geometry.fromScene(scene);
    return geometry.locate(x, y);
}

function strikeSheet(slice, layer, {origin, direction}, box, exaggeration) {
    const place = (t) => origin.map((o, axis) => o + direction[axis] * t);
    // How far over the sheet a place of the ray is, km; NaN where there is none.
    const over = (t) => {
        const [X, Y, Z] = place(t), ij = locate(layer, [X, Y, Z / exaggeration]);
        return ij ? Z / exaggeration - sampleSlice({...slice, degrees: false}, slice.heights, ...ij) / 1000 : NaN;
    };
    let t0 = 0, t1 = Infinity;
    for (let axis = 0; axis < 2; axis++) {
        const d = direction[axis] || 1e-12, a = (box.low[axis] - origin[axis]) / d, b = (box.high[axis] - origin[axis]) / d;
        t0 = Math.max(t0, Math.min(a, b));
        t1 = Math.min(t1, Math.max(a, b));
    }
    if (!(t0 < t1)) return null;
    for (let n = 1, before = over(t0); n <= STEPS; n++) {
        const from = t0 + (t1 - t0) * (n - 1) / STEPS, to = t0 + (t1 - t0) * n / STEPS, now = over(to);
        if (before * now <= 0) {
            let a = from, b = to;
            for (let turn = 0; turn < 30; turn++) { const middle = (a + b) / 2; if (before * over(middle) > 0) a = middle; else b = middle; }
            const [X, Y, Z] = place(b), ij = locate(layer, [X, Y, Z / exaggeration]);
            if (ij && !Number.isNaN(sampleSlice(slice, slice.values, ...ij))) return {scene: [X, Y, Z / exaggeration], on: 'volume', t: b};
        }
        before = now;
    }
    return null;
}
