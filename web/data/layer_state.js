// SPDX-License-Identifier: Apache-2.0
// One layer of the view: its variable in the run in view, its steps, its transfer function and its geometry. What a difference takes away is a
// layer of its own that is not drawn.
import {CORE, storedRange} from '../workers/decode_brick.js';
import {editionOf, fieldOf} from '../net/connection.js';
import {Transfer} from '../gl/transfer_texture.js';
import {CellHeights} from './skip_grid.js';
import {levelHeightsOf} from './selection.js';

export class LayerState {
    constructor(variable, series, member, level = null) {
        this.variable = variable;
        this.series = series;
        this.member = member;
        this.vertical = Boolean(variable.vertical);
        this.level = this.vertical ? level : null;   // the surface that it is sliced at
        this.volume = this.vertical && !this.level;
        this.row = 0;                // of its transfer function
        this.lattice = variable.lattice;
        this.shownLattice = variable.lattice;
        this.epsilon = variable.epsilon ?? variable.lattice.epsilon;
        this.minus = null;           // LayerState of what is taken away
        this.change = null;          // {scale, offset, ratio}: its values and its lattice's steps in this layer's
        this.run = null;             // where it is another than the view's
        this.pyramid = variable.pyramid ? variable.pyramid.map((level) => ({n: level.n, scale: level.scale, bricks: level.n.map((n) => Math.ceil(n / CORE))})) : null;
        this.identity = `${editionOf(series, 0)}/${member}`; // shape and lattice are in it, and it stays while the run grows
        this.geometry = null;
        this.gpu = null;
        this.slots = [null, null];   // what the two time slots hold: {field, chosen, dropped}
        this.front = 0;
        this.masked = false;
    }

    // Checks a step table against the pyramid, or takes the pyramid from it where the catalog did not tell. false: it does not fit.
    fits(table) {
        if (this.pyramid) return table.levels.length === this.pyramid.length && table.levels.every((level, l) => level.n.join() === this.pyramid[l].n.join());
        let scale = [1, 1, 1];
        this.pyramid = table.levels.map(({n, bricks}, l) => {
            if (l) scale = scale.map((s, axis) => n[axis] < table.levels[l - 1].n[axis] ? 2 * s : s);
            return {n, bricks, scale};
        });
        return true;
    }

    // The same series as it is now. What is here of steps that are as they were stays.
    renew({variable, series}) { Object.assign(this, {variable, series}); }

    get coarsest() { return this.pyramid.length - 1; }

    setView(view, colourMap) {
        this.view = view;
        this.transfer = new Transfer(colourMap, view.range, view.opacity);
        this.lookup = this.transfer.lookup(this.shownLattice);
        const {v0, step} = this.shownLattice;
        this.between = (min, max) => this.transfer.visible(v0 + min * step, v0 + max * step);
        // A hidden layer wants no more than its coarsest level; what one field of a difference holds does not say what shows.
        this.shows = view.visible === false ? () => false : this.volume && !this.minus ? this.between : null;
        if (this.minus) Object.assign(this.minus, {view: {visible: view.visible, taken: true}, shows: this.shows});
    }

    // From now on this layer is a difference, or none. minus: of a resolved view's layer, lattice likewise; state: its LayerState.
    setMinus(state, minus, lattice) {
        this.minus = state;
        this.change = minus ? {scale: minus.scale, offset: minus.offset, ratio: minus.ratio} : null;
        this.shownLattice = minus ? lattice : this.lattice;
        this.epsilon = minus ? lattice.epsilon : this.variable.epsilon ?? this.lattice.epsilon;
    }

    // The layer's own step with this valid time, or −1; a constant one's only step. A difference has those that both have.
    stepAt(seconds) {
        if (this.minus && this.minus.stepAt(seconds) < 0) return -1;
        if (this.variable.constant) return this.series.seconds.length ? 0 : -1;
        return this.series.seconds.findIndex((own) => Math.abs(own - seconds) < 1);
    }

    field(step) { return fieldOf(this.series, this.member, step); }

    // null: a 2-D variable, whose document is named `surface`.
    geometryId(step) {
        const ids = this.series.geometry;
        if (this.series.member_geometry && this.member > 0) return `${editionOf(this.series, step)}m${this.member}s${step}`;
        return ids && ids.length ? ids[Math.min(step, ids.length - 1)] : null;
    }

    setGeometry(geometry) {
        this.geometry = geometry;
        if (this.volume && !geometry.levelMap) throw new Error(`${this.variable.name}: its geometry has no level map`);
        this.heights = this.volume ? geometry.cellHeights ??= new CellHeights(geometry) : null;
        this.levelHeights = geometry.levelHeights ??= levelHeightsOf(geometry);
    }

    // Stored box and core of a brick: {lo, size, core}.
    box(level, b) {
        const {n} = this.pyramid[level], wraps = this.wraps;
        const ranges = b.map((index, axis) => storedRange(index, n[axis], axis === 0 && wraps));
        return {lo: ranges.map((r) => r.lo), size: ranges.map((r) => r.hi - r.lo), core: b.map((index, axis) => Math.min(CORE, n[axis] - CORE * index))};
    }
}
