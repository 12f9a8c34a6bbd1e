// SPDX-License-Identifier: Apache-2.0
// What of the layers is on the GPU: atlases, two time slots each, page tables, the skip grid. Joins loader and renderer.
import {LayerGpu} from './layer_gpu.js';
import {BrickAtlas} from './brick_atlas.js';
import {SkipGrid, cellRanges, cellVisibility, differenceVisibility} from '../data/skip_grid.js';
import {brickKey} from '../data/brick_store.js';
import {brickTexels} from '../workers/decode_brick.js';
import {selectBricks} from '../data/selection.js';

export class Stage {
    constructor(gl, renderer, loader, {atlasBytes, smooth = false}) {
        this.smooth = smooth;
        this.gl = gl;
        this.renderer = renderer;
        this.loader = loader;
        this.atlasBytes = atlasBytes;
        this.layers = [];
        this.skipDirty = false;
        this.lastSkip = 0;
    }

    // Layers that are drawn, in the view's order. Those no longer among them are forgotten.
    setLayers(layers) {
        for (const old of this.layers) if (!layers.includes(old)) this.#forget(old);
        this.layers = layers;
        this.skipGrid = null;
        this.skipDirty = true;
    }

    #forget(layer) {
        if (layer.gpu) layer.gpu.delete();
        layer.gpu = null;
        layer.slots = [null, null];
    }

    // Everything on the GPU was lost with its context.
    lost(gl, renderer) {
        this.gl = gl;
        this.renderer = renderer;
        for (const layer of this.layers) { layer.gpu = null; layer.slots = [null, null]; }
        this.skipGrid = null;
        this.skipDirty = true;
    }

    #ensure(layer, table) {
        const channels = layer.gpu?.atlas.channels === 2 || table.masked ? 2 : 1;
        layer.channels = channels;
        if (layer.gpu && layer.gpu.geometry === layer.geometry && layer.gpu.atlas.channels === channels) return;
        const keepAtlas = layer.gpu && layer.gpu.atlas.channels === channels ? layer.gpu.atlas : null;
        if (layer.gpu) { if (keepAtlas) layer.gpu.atlas = null; layer.gpu.delete(); }
        layer.gpu = new LayerGpu(this.gl, layer.geometry, layer.volume, {smooth: this.smooth});
        if (!keepAtlas) layer.slots = [null, null];
        const stacks = layer.pyramid.reduce((sum, level) => sum + level.bricks[0] * level.bricks[1], 0);
        layer.gpu.atlas = keepAtlas || new BrickAtlas(this.gl, layer.pyramid, channels, stacks * 2, this.atlasBytes / Math.max(1, this.layers.length));
    }

    // Whether a field's table and coarsest level are here.
    ready(layer, field) {
        const table = this.loader.table(field);
        if (!table) return false;
        const level = layer.coarsest, [nx, ny] = layer.pyramid[level].bricks, {kind} = table.levels[level];
        for (let index = 0; index < kind.length; index++)
            if (kind[index] > 1 && !this.loader.holds(field, level, [index % nx, Math.floor(index / nx) % ny, Math.floor(index / (nx * ny))])) return false;
        return true;
    }

    // Brings a field into the front (which = 'front') or back slot of its layer. null: the layer has nothing at this time.
    show(layer, which, field) {
        if (which === 'front' && layer.slots[1 - layer.front]?.field?.key === field?.key && field) { layer.front = 1 - layer.front; this.skipDirty = true; return; }
        const at = which === 'front' ? layer.front : 1 - layer.front;
        if (layer.slots[at] && layer.slots[at].field?.key === field?.key) return;
        if (field) this.#ensure(layer, this.loader.table(field));
        layer.slots[at] = {field, wanted: [], dirty: true, resident: 0, chosen: null};
        if (which === 'front') this.skipDirty = true;
    }

    // The layer's geometry is another now; its bricks stay.
    replaceGeometry(layer) {
        const field = this.slot(layer, 'front')?.field;
        if (layer.gpu && field) this.#ensure(layer, this.loader.table(field));
    }

    slot(layer, which) { return layer.slots[which === 'front' ? layer.front : 1 - layer.front]; }

    // Lists what the camera wants of each slot. camera: for selectBricks, or null.
    select(camera) {
        for (const layer of this.layers) for (const slot of layer.slots) {
            if (!slot || !slot.field || !layer.gpu) continue;
            const table = this.loader.table(slot.field);
            slot.wanted = selectBricks({pyramid: layer.pyramid, table, geometry: layer.geometry, levelHeights: layer.levelHeights, shows: layer.shows}, layer.volume ? camera : null);
            slot.fresh = true;
        }
    }

    // Uploads what is here and wanted, the front slots first, up to about `bytes`. → {uploaded, more}
    upload(bytes) {
        let used = 0, more = false, uploaded = 0;
        for (const layer of this.layers) layer.gpu?.atlas.beginFrame();
        for (const which of ['front', 'back']) for (const layer of this.layers) {
            const slot = this.slot(layer, which);
            if (!slot || !slot.field || !layer.gpu) continue;
            const {atlas} = layer.gpu, {field} = slot;
            let resident = 0;
            for (const {level, b} of slot.wanted) {
                if (atlas.has(field.key, level, b)) { atlas.touch(field.key, level, b); resident++; continue; }
                const entry = this.loader.peek(field, level, b);
                if (!entry) continue;
                if (used > bytes) { more = true; continue; }
                const texels = this.#texels(layer, entry, level, b);
                if (!atlas.put(field.key, level, b, texels)) { slot.full = true; continue; }
                this.loader.store.dropTexels(brickKey(field.key, level, b));
                used += texels.texels.byteLength;
                uploaded++;
                resident++;
                slot.dirty = true;
            }
            slot.resident = resident;
        }
        for (const layer of this.layers) layer.slots.forEach((slot, index) => {
            if (!slot || !slot.dirty || !layer.gpu) return;
            Object.assign(slot, layer.gpu.atlas.writePage(index, slot.field?.key, slot.field && this.loader.table(slot.field)));
            slot.dirty = false;
            this.skipDirty = true;
        });
        return {uploaded, more};
    }

    #texels(layer, entry, level, b) {
        const {channels} = layer.gpu.atlas, {lo, core} = layer.box(level, b), size = core[0] * core[1] * core[2];
        const made = entry.texels;
        if (made && made.texels.length === made.size[0] * made.size[1] * made.size[2] * channels && size) return made;
        return brickTexels(entry.brick, b, lo, core, channels);
    }

    // What is known of a slot's cells, or null where nothing is.
    #cells(layer, which) {
        const slot = this.slot(layer, which), table = slot?.field && slot.chosen ? this.loader.table(slot.field) : null;
        return table && {pyramid: layer.pyramid, table, chosen: slot.chosen, entryOf: (level, x, y, z) => this.loader.peek(slot.field, level, [x, y, z])};
    }

    #visible(layer, which) {
        const cells = this.#cells(layer, which);
        return cells && cellVisibility({...cells, shows: layer.shows});
    }

    // Where one of the two stands for both times, its front slot does.
    #differenceVisible(layer, which) {
        if (layer.view.visible === false || (which === 'back' && !this.#cells(layer, which) && !this.#cells(layer.minus, which))) return null;
        const [own, minus] = [layer, layer.minus].map((one) => this.#cells(one, which) ?? this.#cells(one, 'front'));
        return own && minus && differenceVisibility({own: cellRanges(own), minus: cellRanges(minus), heights: layer.heights, minusHeights: layer.minus.heights,
            ratio: layer.change.ratio, shows: layer.between});
    }

    // The skip grid again, where something changed. box: the scene's.
    updateSkip(box) {
        const volumes = this.layers.filter((layer) => layer.volume && !layer.view.taken && layer.gpu && this.slot(layer, 'front')?.chosen);
        this.skipDirty = false;
        if (!volumes.length) return false;
        this.skipGrid ??= new SkipGrid(volumes.map((layer) => layer.heights), box);
        this.skipGrid.begin();
        for (const layer of volumes) for (const which of ['front', 'back']) {
            const visible = layer.minus ? this.#differenceVisible(layer, which) : this.#visible(layer, which);
            if (visible) this.skipGrid.mark(layer.heights, visible);
        }
        this.skipGrid.finish();
        this.renderer.volumePass.setSkip(this.skipGrid);
        return true;
    }

    // For the renderer: layers with something to draw, split into volumes and drapes.
    drawn(blend) {
        const here = (layer) => layer.gpu && this.slot(layer, 'front')?.chosen;
        const drawable = this.layers.filter((layer) => !layer.view.taken && layer.view.visible !== false && here(layer) && (!layer.minus || here(layer.minus)));
        const blends = (layer) => { const back = this.slot(layer, 'back'); return blend > 0 && Boolean(back?.field && back.chosen); };
        const field = (layer, blended) => ({gpu: layer.gpu, slots: [layer.front, 1 - layer.front], blend: blended && blends(layer) ? blend : 0});
        const item = (layer) => {
            // Both of a difference are of the same moment: they blend together, but for what is constant.
            const together = !layer.minus || [layer, layer.minus].every((one) => one.variable.constant || blends(one));
            return {...field(layer, together), lookup: layer.lookup, shading: layer.view.shading !== false, row: layer.row,
                ...(layer.minus ? {minus: {...field(layer.minus, together), lookup: [0, 0], ratio: layer.change.ratio}} : {})};
        };
        return {volumes: mostOf(drawable.filter((layer) => layer.volume), (layer) => layer.minus ? 2 : 1).map(item), drapes: mostOf(drawable.filter((layer) => !layer.volume), () => 1).map(item)};
    }

    // What the camera wants of the step in view, and how much of it is on the GPU.
    share() {
        let wanted = 0, resident = 0, level = 0, dropped = 0, full = false;
        const levels = [];
        for (const layer of this.layers) {
            const slot = this.slot(layer, 'front');
            if (!slot || !slot.field) continue;
            wanted += slot.wanted.length;
            resident += slot.resident;
            full ||= Boolean(slot.full);
            dropped = Math.max(dropped, slot.dropped || 0);
            const finest = slot.chosen ? slot.wanted.reduce((least, item) => Math.min(least, layer.gpu.atlas.has(slot.field.key, item.level, item.b) ? item.level : least), layer.coarsest) : layer.coarsest;
            levels.push(finest);
            level = Math.max(level, finest);
        }
        return {wanted, resident, level, levels, dropped, full};
    }

    // Bricks of the slots that are neither here nor on their way, most wanted first.
    missing() {
        const items = [];
        for (const which of ['front', 'back']) for (const layer of this.layers) {
            const slot = this.slot(layer, which);
            if (!slot || !slot.field) continue;
            for (const {level, b} of slot.wanted) if (!this.loader.holds(slot.field, level, b)) items.push({field: slot.field, level, b});
        }
        return items;
    }
}

// The first layers of which no more than two fields are marched, or lie on the ground, at once.
function mostOf(layers, fields) {
    let count = 0;
    return layers.filter((layer) => { const more = fields(layer); if (count + more > 2) return false; count += more; return true; });
}
