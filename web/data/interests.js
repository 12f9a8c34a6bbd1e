// SPDX-License-Identifier: Apache-2.0
// What is asked of the server for a picture: over the websocket as interests (server/PROTOCOL.md), and piece by piece where there is none, or where it sent
// all that it would and something is missing still.
//
// What is wanted is told each time as {dataset, run, member, layers: those fetched as bricks, times: as viewer.times, first: the number of times[0] in
// the run, playhead, camera: as in an interest, without what the server need not know}.
import {groupedByField, opacityOf} from './fields.js';

const AGAIN_MS = 120;
const KEEP_AHEAD = 3;

export class Interests {
    degraded = false;  // the budget cut what was sent last
    due = false;       // what is wanted changed since it was told
    #loader; #budget; #sentAt = 0; #generation; #doneGeneration = -1;

    // budget: bytes that bricks may take here.
    constructor(loader, budget) {
        this.#loader = loader;
        this.#budget = budget;
    }

    // The server has sent all of a generation that it will.
    done(generation, degraded) {
        this.#doneGeneration = generation;
        this.degraded = degraded;
    }

    // Before anything is known of the scene: the server shall begin to read, and send the coarsest level.
    tellEarly(wanted) {
        const {layers} = wanted;
        if (!layers.length || layers.some((layer) => !layer.pyramid)) return;
        this.#tell({...wanted, camera: null}, {steps: 0, max_level: Math.min(...layers.map((layer) => layer.coarsest))});
    }

    // Tells what is wanted, if it changed and was not told just now; fetches what is missing, where that is left to do. missing(): bricks of the step in view.
    tell(now, wanted, missing) {
        if (this.due && now - this.#sentAt > AGAIN_MS) {
            this.due = false;
            this.#sentAt = now;
            this.#tell(wanted, {steps: KEEP_AHEAD, max_level: 0});
        }
        if (this.#loader.connection.transport === 'http' || this.#doneGeneration >= this.#generation) this.#fetch(wanted, missing);
    }

    #tell({dataset, run, member, layers, first, playhead, camera}, {steps, max_level}) {
        if (!layers.length) return; // slices are fetched by themselves
        this.#loader.tellDropped();
        const fields = groupedByField(layers);
        this.#generation = this.#loader.connection.sendInterest({
            dataset, run, member: member || 0,
            layers: fields.map((same) => ({variable: same[0].variable.id, opacity: opacityOf(same), edition: same[0].series.edition, ...(same[0].run ? {run: same[0].run} : {}), member: same[0].member})),
            time: playhead.index + first, ...playhead.hint, steps, camera, budget: this.#budget, max_level,
        }, fields.map(([layer]) => ({series: layer.series, member: layer.member})));
    }

    #fetch({layers, times, playhead: {index: inView, hint: {direction}}}, missing) {
        const items = [], ahead = [];
        for (let n = 0; n <= (direction ? KEEP_AHEAD : 1); n++) {
            const time = times[inView + n * (direction || 1)];
            if (time) for (const layer of layers) (n ? ahead : items).push(...this.#coarsest(layer, time));
        }
        this.#loader.fetch([...items, ...missing(), ...ahead]);
    }

    // Of a layer at a time: its table, or once that is here all bricks of its coarsest level.
    #coarsest(layer, {seconds}) {
        const step = layer.stepAt(seconds);
        if (step < 0) return [];
        const field = layer.field(step), table = this.#loader.table(field), level = layer.coarsest;
        if (!table) return [{field, table: true}];
        const [nx, ny] = layer.pyramid[level].bricks;
        return [...table.levels[level].kind].flatMap((what, at) => (what > 1 ? [{field, level, b: [at % nx, Math.floor(at / nx) % ny, Math.floor(at / (nx * ny))]}] : []));
    }
}
