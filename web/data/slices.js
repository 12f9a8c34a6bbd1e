// SPDX-License-Identifier: Apache-2.0
// Slices of layers with a level: values and heights of a surface in the model's own columns, as the server makes them (server/PROTOCOL.md, "Slices").
import {ask} from '../net/session.js';
import {editionOf} from '../net/connection.js';
import {memberLabels} from '../view/view_resolve.js';

const MOST_VALUES = 1 << 20; // as SLICE_MOST in render/slice_draw.h
const DEGREE = Math.PI / 180, KEPT = 12, AGAIN_MS = 5000;

/** Takes an answer of api/slice apart: its head, and values and heights (metres), row after row from the south, NaN where missing. */
export function parseSlice(buffer) {
    const view = new DataView(buffer), mark = String.fromCharCode(...new Uint8Array(buffer, 0, Math.min(4, buffer.byteLength)));
    if (buffer.byteLength < 12 || mark !== 'VSLC' || view.getUint32(4, true) !== 1) throw new Error('no slice');
    const length = view.getUint32(8, true), start = 12 + 4 * Math.ceil(length / 4);
    if (start > buffer.byteLength) throw new Error('a slice that ends early');
    const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 12, length))), count = head.nx * head.ny;
    const array = ({offset, count: numbers}) => {
        if (numbers !== count || !(count > 0) || start + offset + 4 * count > buffer.byteLength) throw new Error('a slice that ends early');
        return new Float32Array(buffer, start + offset, count);
    };
    return {...head, values: array(head.values), heights: head.heights && array(head.heights)};
}

/** The value at fractional indices of the grid, as plane_sample_level in tiler/tile/plane.c: bilinear over what is present (of directions by unit vectors), NaN where that is under one half. */
export function sampleSlice({nx, ny, scale, wraps, degrees = false}, values, i, j) {
    const [x, fx] = around(own(i, scale, nx, wraps), nx, wraps), [y, fy] = around(own(j, scale, ny, false), ny, false);
    let sum = 0, present = 0, east = 0, north = 0;
    for (let corner = 0; corner < 4; corner++) {
        const weight = (corner & 1 ? fx : 1 - fx) * (corner & 2 ? fy : 1 - fy), value = values[y[corner >> 1] * nx + x[corner & 1]];
        if (!weight || Number.isNaN(value)) continue;
        present += weight;
        sum += weight * value;
        if (!degrees) continue;
        east += weight * Math.sin(value * DEGREE);
        north += weight * Math.cos(value * DEGREE);
    }
    if (!(present >= 0.5 * (1 - 1e-12))) return NaN;
    return degrees ? (Math.atan2(east, north) / DEGREE + 360) % 360 : sum / present;
}

// From an index of the grid to one of coarser values.
function own(at, scale, n, wraps) {
    if (scale === 1) return Math.min(Math.max(0, at), wraps ? n : n - 1);
    const index = (at + 0.5) / scale - 0.5;
    if (index < 0) return wraps ? index + n : 0;
    return !wraps && index > n - 1 ? n - 1 : index;
}

function around(at, n, wraps) {
    const first = Math.floor(at);
    return [[first < n ? first : 0, first + 1 < n ? first + 1 : wraps ? first + 1 - n : Math.min(first, n - 1)], at - first];
}

/** Slices that were fetched, the last ones used. */
export class SliceStore {
    // changed(message): one has come, or cannot be had.
    constructor(base, changed) {
        this.base = new URL(base, document.baseURI);
        this.changed = changed;
        this.kept = new Map();   // key → {slice} or {failed: when}; in order of use
        this.asked = new Map();  // key → AbortController
    }

    #key(dataset, run, layer, step) { return [dataset, run, layer.variable.id, layer.level, layer.member, step, editionOf(layer.series, step)].join('|'); }

    /** The slice of a layer's step, or null where it is not here (yet). */
    get(dataset, run, layer, step) {
        const key = this.#key(dataset, run, layer, step), found = this.kept.get(key);
        if (!found?.slice) return null;
        this.kept.delete(key);
        this.kept.set(key, found);
        return found.slice;
    }

    /** Whether nothing more will come of it for now. */
    settled(dataset, run, layer, step) { return this.kept.has(this.#key(dataset, run, layer, step)); }

    /** Asks for these, [[layer, step]], and gives up what was asked for before and is not among them. */
    want(dataset, run, wanted) {
        const keys = wanted.map(([layer, step]) => this.#key(dataset, run, layer, step));
        for (const [key, cancel] of this.asked) if (!keys.includes(key)) { cancel.abort(); this.asked.delete(key); }
        wanted.forEach(([layer, step], n) => {
            const known = this.kept.get(keys[n]);
            if (known && !(known.failed && performance.now() - known.failed > AGAIN_MS)) return;
            if (!this.asked.has(keys[n])) this.#fetch(keys[n], dataset, run, layer, step);
        });
    }

    async #fetch(key, dataset, run, layer, step) {
        const cancel = new AbortController(), url = new URL('api/slice', this.base), member = memberLabels(layer.variable)[layer.member];
        const query = {dataset, variable: layer.variable.id, run, time: layer.series.times[step], level: layer.level, heights: 1, most: MOST_VALUES, ...(member ? {member} : {})};
        for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
        this.asked.set(key, cancel);
        let entry, message = null;
        try {
            const response = await ask(url, {signal: cancel.signal, cache: 'no-cache'});
            if (!response.ok) throw new Error((await response.json().catch(() => null))?.error ?? `HTTP ${response.status}`);
            entry = {slice: parseSlice(await response.arrayBuffer())};
        } catch (error) {
            if (cancel.signal.aborted) return;
            entry = {failed: performance.now()};
            message = `The slice of ${layer.variable.name} at ${layer.level} could not be read: ${error.message}`;
        }
        this.asked.delete(key);
        this.kept.set(key, entry);
        for (const old of this.kept.keys()) if (this.kept.size > KEPT) this.kept.delete(old);
        this.changed(message);
    }

    dispose() { for (const cancel of this.asked.values()) cancel.abort(); }
}
