// SPDX-License-Identifier: Apache-2.0
// Everything that comes from the server and stays on the processor: geometries, step tables, decoded bricks.
import {Connection} from '../net/connection.js';
import {ask} from '../net/session.js';
import {DecoderPool} from '../workers/decoder_pool.js';
import {BrickStore, brickKey} from './brick_store.js';
import {parseGeometry} from './geometry.js';
import {parseStepTable} from './step_table.js';

const KEPT_TABLES = 512, KEPT_STEPS = 20000;

export class Loader {
    // on: {state(state, message, transport), table(field), brick(field, level, b), done(generation, degraded), catalog(), engine(state), user(known, needed), exports({all, jobs}), pins({all, pins}), error(message)}
    constructor(base, {websocket = true, storeBytes, session = null}, on) {
        this.base = new URL(base, document.baseURI);
        this.on = on;
        this.pool = new DecoderPool();
        this.store = new BrickStore(storeBytes, (key) => this.#letGo(key));
        this.dropped = new Map();     // variable and step → bricks let go that the server believes to be here
        this.tables = new Map();
        this.geometries = new Map();
        this.layers = new Map();      // edition and member of a step → LayerState
        this.failed = new Map();      // what could not be fetched: key → when
        this.pending = new Set();     // brick keys in the decoders
        this.connection = new Connection(base, {
            onState: on.state, onDone: on.done, onCatalog: on.catalog, onEngine: on.engine, onUser: on.user, onExports: on.exports, onPins: on.pins, onAgain: on.again, onError: on.error,
            onTable: (field, bytes) => this.#table(field, bytes), onBrick: (field, level, b, bytes) => this.#brick(field, level, b, bytes),
            onFetchFailed: (item) => this.failed.set(nameOf(item), performance.now()),
        }, {websocket, session, backlog: () => this.pool.busy});
    }

    async catalog() {
        const response = await ask(new URL('api/catalog', this.base), {cache: 'no-cache'});
        if (!response.ok) throw new Error(`The catalog could not be read: HTTP ${response.status}.`);
        const catalog = await response.json();
        if (!catalog || !Array.isArray(catalog.datasets)) throw new Error('The server answered without a catalog.');
        return catalog;
    }

    // Promise of a Geometry, fetched once.
    geometry(dataset, id) {
        const key = `${dataset}/${id}`;
        if (!this.geometries.has(key)) {
            const promise = ask(new URL(`api/geometry/${encodeURIComponent(dataset)}/${encodeURIComponent(id)}`, this.base)).then(async (response) => {
                if (!response.ok) throw new Error(`geometry ${id}: HTTP ${response.status}`);
                return parseGeometry(await response.arrayBuffer());
            });
            promise.catch(() => this.geometries.delete(key));
            this.geometries.set(key, promise);
        }
        return this.geometries.get(key);
    }

    // Every step of theirs leads to them; of those that were here long ago not for ever.
    setLayers(layers) {
        for (const layer of layers) for (const edition of layer.series.editions ?? [layer.series.edition]) {
            const key = `${edition}/${layer.member}`;
            this.layers.delete(key);
            this.layers.set(key, layer);
        }
        for (const key of this.layers.keys()) {
            if (this.layers.size <= KEPT_STEPS) break;
            this.layers.delete(key);
        }
    }

    table(field) { return this.tables.get(field.key) || null; }
    entry(field, level, b) { return this.store.get(brickKey(field.key, level, b)); }
    peek(field, level, b) { return this.store.peek(brickKey(field.key, level, b)); }
    holds(field, level, b) { return this.store.has(brickKey(field.key, level, b)); }
    arriving(field, level, b) { return this.pending.has(brickKey(field.key, level, b)); }

    #table(field, bytes) {
        let table;
        try { table = parseStepTable(bytes); } catch (error) { this.on.error(error.message); return; }
        const layer = this.layers.get(`${field.edition}/${field.member}`);
        if (layer && !layer.fits(table)) { this.on.error('A step table does not fit its variable.'); return; }
        this.tables.set(field.key, table);
        if (this.tables.size > KEPT_TABLES) this.#forgetTable(this.tables.keys().next().value);
        this.on.table(field);
    }

    #forgetTable(key) {
        this.tables.delete(key);
        const [edition, member, step] = key.split('/'), layer = this.layers.get(`${edition}/${member}`);
        if (layer) this.connection.sendDrop(layer.variable.id, +step, null);
        for (const name of [...this.store.entries.keys()]) if (name.startsWith(key + '|')) this.store.remove(name);
    }

    #letGo(key) {
        const [field, level, x, y, z] = key.split('|');
        if (!this.dropped.has(field)) this.dropped.set(field, []);
        this.dropped.get(field).push([+level, +x, +y, +z]);
    }

    // Tells the server what is no longer here, so that it may be sent again.
    tellDropped() {
        for (const [field, bricks] of this.dropped) {
            const [edition, member, step] = field.split('/'), layer = this.layers.get(`${edition}/${member}`);
            if (layer) for (let at = 0; at < bricks.length; at += 400) this.connection.sendDrop(layer.variable.id, +step, bricks.slice(at, at + 400));
        }
        this.dropped.clear();
    }

    async #brick(field, level, b, bytes) {
        const layer = this.layers.get(`${field.edition}/${field.member}`), key = brickKey(field.key, level, b);
        if (!layer || !layer.pyramid?.[level] || b.some((value, axis) => value >= layer.pyramid[level].bricks[axis]) || this.pending.has(key) || this.store.has(key)) { this.connection.acknowledge(); return; }
        const {lo, size, core} = layer.box(level, b), keyBrick = bytes[2] === 3 ? this.#keyOf(field, level, b, bytes) : null;
        this.pending.add(key);
        try {
            const {brick, texels, cells} = await this.pool.decode({bytes, size, b, lo, core, channels: layer.channels || 1, key: keyBrick});
            this.store.put(key, {brick, cells, texels});
            this.on.brick(field, level, b);
        } catch (error) {
            this.failed.set(key, performance.now());
            this.on.error(`A brick of ${layer.variable.name} could not be read: ${error.message}.`);
        } finally {
            this.pending.delete(key);
            this.connection.acknowledge();
        }
    }

    #keyOf(field, level, b, bytes) {
        const step = (bytes[8] | bytes[9] << 8 | bytes[10] << 16 | bytes[11] << 24) >>> 0;
        const entry = this.store.get(brickKey(`${field.edition}/${field.member}/${step}`, level, b));
        return entry ? {base: entry.brick.base, d: entry.brick.d, mask: entry.brick.mask} : null;
    }

    // Fetches over HTTP what is named, most wanted first, except what is here, on its way, or failed a moment ago.
    fetch(items) {
        const now = performance.now(), seen = new Set();
        this.connection.want(items.filter((item) => {
            const name = nameOf(item);
            if (seen.has(name) || (this.failed.get(name) ?? -Infinity) > now - 10000) return false;
            seen.add(name);
            return item.table ? !this.tables.has(item.field.key) : !this.store.has(name) && !this.pending.has(name);
        }));
    }

    dispose() { this.connection.dispose(); this.pool.dispose(); this.store.clear(); }
}

const nameOf = (item) => item.table ? `${item.field.key}|table` : brickKey(item.field.key, item.level, item.b);
