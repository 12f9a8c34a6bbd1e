// SPDX-License-Identifier: Apache-2.0
// The fields that the layers of a view are made of: one each, and what a difference takes away.
import {LayerState} from './layer_state.js';

const MOST_FIELDS = 4; // held at once

/** LayerStates of the layers of a resolved view that the run has, as far as there is room for their fields; what is known of a field among `old` is kept. */
export function placeLayers({layers, dataset}, old, colourMaps) {
    const left = [...old];
    const stateOf = ({variable, series, member, layer}) => {
        const fresh = new LayerState(variable, series, member || 0, layer?.level ?? null), at = fresh.level ? -1 : left.findIndex((one) => one.identity === fresh.identity && one.variable.id === variable.id);
        fresh.wraps = dataset.grid.wraps;
        if (at < 0) return fresh;
        const [kept] = left.splice(at, 1);
        kept.renew(fresh);
        return kept;
    };
    return placeable(layers).map(({layer, variable, series, member, minus, lattice}, row) => {
        const state = stateOf({variable, series, member, layer}), taken = minus ? stateOf(minus) : null;
        taken?.setMinus(null, null, null);
        if (taken) taken.run = minus.run.time;
        state.setMinus(taken, minus, lattice);
        state.run = null;
        state.row = row;
        state.setView(layer, colourMaps[layer.colour_map]);
        return state;
    });
}

const fieldsOf = ({minus}) => minus ? 2 : 1;

// Of the layers of a resolved view those that there is room for, MOST_FIELDS in all; where that is not enough, hidden ones go first.
function placeable(layers) {
    const all = layers.reduce((sum, layer) => sum + fieldsOf(layer), 0);
    let held = 0;
    return layers.filter((layer) => {
        if (all > MOST_FIELDS && layer.layer.visible === false) return false;
        held += fieldsOf(layer);
        return held <= MOST_FIELDS && layer.series && layer.series.times.length;
    });
}

/** Layers by field: one that several show is asked for once. */
export function groupedByField(layers) {
    const groups = new Map();
    for (const layer of layers) groups.set(layer.identity, [...(groups.get(layer.identity) ?? []), layer]);
    return [...groups.values()];
}

/** What of a field shows, as an interest says it. Of a difference, or where several layers show it, anything may: null. */
export function opacityOf(layers) {
    if (layers.every((layer) => layer.view.visible === false)) return [[0, 0]];
    return layers.length === 1 && layers[0].volume && layers[0].shows === layers[0].between && layers[0].between ? layers[0].transfer.opacity : null;
}

/** Of two found values; what is taken away may be finer or coarser. */
export function differenceOf(own, less, {scale, offset}) {
    return {...own, value: own.value === null || less.value === null ? null : own.value - (scale * less.value + offset), level: Math.max(own.level, less.level)};
}

/** [smallest, largest] difference at a valid time among the voxels of the coarsest level, or null where they are not all here. */
export function differenceRange(layer, seconds, loader) {
    const {minus, change: {ratio}, shownLattice: {v0, step}, coarsest: level} = layer, steps = [layer, minus].map((one) => one.stepAt(seconds));
    if (steps.some((own) => own < 0)) return null;
    const fields = [layer.field(steps[0]), minus.field(steps[1])], tables = fields.map((field) => loader.table(field)), [nx, ny, nz] = layer.pyramid[level].bricks;
    if (!tables.every(Boolean)) return null;
    const found = [Infinity, -Infinity];
    for (let z = 0; z < nz; z++) for (let y = 0; y < ny; y++) for (let x = 0; x < nx; x++) {
        const b = [x, y, z], size = layer.box(level, b).size, [own, less] = fields.map((field, n) => voxelsOf(loader, field, tables[n], layer, level, b));
        if (!own || !less) return null;
        for (let at = 0; at < size[0] * size[1] * size[2]; at++) {
            const difference = own(at) - ratio * less(at);
            if (Number.isNaN(difference)) continue;
            found[0] = Math.min(found[0], difference);
            found[1] = Math.max(found[1], difference);
        }
    }
    return found[0] <= found[1] ? found.map((q) => v0 + q * step) : null;
}

// The lattice integer of each voxel of a brick's stored box, NaN where it is missing; null where the brick is not here.
function voxelsOf(loader, field, table, {pyramid}, level, [x, y, z]) {
    const {bricks} = pyramid[level], index = (z * bricks[1] + y) * bricks[0] + x, kind = table.levels[level].kind[index];
    if (kind === 0) return () => NaN;
    if (kind === 1) return () => table.levels[level].min[index];
    const brick = loader.peek(field, level, [x, y, z])?.brick;
    return brick ? (at) => brick.mask && !(brick.mask[at >> 3] >> (at & 7) & 1) ? NaN : brick.base + brick.d[at] : null;
}
