// SPDX-License-Identifier: Apache-2.0
// Bricks from the server: over the websocket, and over HTTP (the same bytes) where there is none. Knows names and bytes,
// nothing of what they mean.
//
// handlers: onState(state, message, transport), onTable(field, bytes), onBrick(field, level, b, bytes), onDone(generation, degraded),
//   onCatalog(), onEngine(state), onUser(known, needed) when the server says whether it knows the session's token (needed: everyone has one), onExports({all, jobs}), onPins({all, pins}), onAgain() when the server answers after it was lost (then call resume()), onError(message). A field is {edition, member, step, key}.
import {ask, sentence} from './session.js';
import {PART_BRICK, PART_TABLE, parseBatch} from './messages.js';

// A server that restarts is found at once; one that stays away is asked ever less often.
const FIRST_DELAY = 400, PATIENT_TRIES = 75, LONGEST_DELAY = 15000, PARALLEL_FETCHES = 6, KEPT_GENERATIONS = 64;

export class Connection {
    constructor(base, handlers, options = {}) {
        this.base = new URL(base, document.baseURI);
        this.handlers = handlers;
        this.options = options;
        this.generation = 0;
        this.sent = new Map();       // generation → [layers: {series, member}]
        this.interest = null;
        this.bytesReceived = 0;
        this.transport = 'http';
        this.open = false;
        this.closed = false;
        this.attempts = 0;
        this.queue = [];
        this.fetching = new Map();
        this.users = false;          // each user of this server has a session
        this.watching = new Set();   // what the server tells about: 'exports', 'pins'
        if (options.websocket === false) handlers.onState('open', 'Fetching over HTTP', 'http'); else this.#connect();
    }

    #connect() {
        if (this.closed) return;
        this.handlers.onState('connecting', this.attempts ? 'Connecting again' : 'Connecting', this.transport);
        const address = new URL('ws', this.base);
        address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:';
        let socket;
        try { socket = new WebSocket(address, 'virga.1'); } catch (error) { this.#lost(error.message); return; }
        this.socket = socket;
        socket.binaryType = 'arraybuffer';
        socket.onmessage = ({data}) => typeof data === 'string' ? this.#text(data) : this.#batch(data);
        socket.onclose = (event) => { if (this.socket === socket) this.#lost(event.reason); };
    }

    #lost(reason) {
        const wasOpen = this.open;
        this.open = false;
        this.socket = null;
        if (this.closed) return;
        this.lostOnce ||= wasOpen;
        const delay = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** Math.max(0, this.attempts - PATIENT_TRIES)) * (0.75 + Math.random() / 2);
        this.attempts++;
        // Without a socket the same bricks come over HTTP, in the order the page asks.
        this.transport = 'http';
        this.timer = setTimeout(() => this.#connect(), delay);
        const why = this.lostOnce ? `${reason ? `${sentence(reason)} ` : ''}What is on screen stays, and may be old.` : `No websocket${reason ? `: ${reason}` : ''}. Fetching over HTTP and trying again.`;
        this.handlers.onState('lost', why, 'http', performance.now() + delay);
        this.#pump();
    }

    reconnect() {
        if (this.open || this.socket || this.closed || this.options.websocket === false) return;
        clearTimeout(this.timer);
        this.#connect();
    }

    // Connects anew: the server is to see who this is by now.
    restart() {
        if (!this.socket) return this.reconnect();
        this.socket.onclose = null;
        this.socket.close(1000);
        this.open = false;
        this.lostOnce = true;
        this.#connect();
    }

    #text(data) {
        let message;
        try { message = JSON.parse(data); } catch { return; }
        switch (message.type) {
        case 'hello':
            if (message.version !== 1) { this.handlers.onError(`The server speaks version ${message.version} of the protocol, this page version 1. Reload the page.`); return; }
            this.open = true;
            this.attempts = 0;
            this.unacknowledged = 0;
            this.transport = 'websocket';
            this.users = Boolean(message.users);
            if (this.options.session?.token) this.sendUser();
            else if (this.users) this.handlers.onUser?.(false, true);
            this.handlers.onState('open', 'Connected', 'websocket');
            for (const topic of this.watching) this.#sendWatch(topic);
            // What was named before may be something else by now: nothing is asked for until the catalog was read again.
            if (this.lostOnce && this.handlers.onAgain) { this.held = true; this.handlers.onAgain(); }
            else if (this.interest) this.sendInterest(this.interest.message, this.interest.layers);
            break;
        case 'done': this.handlers.onDone(message.generation, Boolean(message.degraded)); break;
        case 'error': this.handlers.onError(message.message || 'The server reported an error.'); break;
        case 'catalog': this.handlers.onCatalog(); break;
        case 'engine': this.handlers.onEngine?.(message.engine); break;
        case 'user': this.handlers.onUser?.(Boolean(message.known), this.users); break;
        case 'exports': if (Array.isArray(message.jobs)) this.handlers.onExports?.({all: Boolean(message.all), jobs: message.jobs}); break;
        case 'pins': if (Array.isArray(message.pins)) this.handlers.onPins?.({all: Boolean(message.all), pins: message.pins}); break;
        default: break;
        }
    }

    #batch(data) {
        this.bytesReceived += data.byteLength;
        let batch;
        try { batch = parseBatch(data); } catch (error) { this.handlers.onError(error.message); this.socket.close(); return; }
        const layers = this.sent.get(batch.generation);
        if (layers) for (const part of batch.parts) {
            const layer = layers[part.layer];
            if (!layer) continue;
            const field = fieldOf(layer.series, layer.member, part.step);
            if (part.kind === PART_TABLE) this.handlers.onTable(field, part.bytes);
            else if (part.kind === PART_BRICK) this.handlers.onBrick(field, part.level, part.b, part.bytes);
        }
        this.unacknowledged = (this.unacknowledged || 0) + batch.payload;
        this.acknowledge();
    }

    // Credit goes back when the decoders keep up: `options.backlog()` says how many bricks wait.
    acknowledge() {
        if (!this.unacknowledged || !this.socket || this.socket.readyState !== WebSocket.OPEN) return;
        if (this.options.backlog && this.options.backlog() > 96) return;
        this.socket.send(JSON.stringify({type: 'ack', bytes: this.unacknowledged}));
        this.unacknowledged = 0;
    }

    // After onAgain: interests are sent again.
    resume() { this.held = false; }

    // message: an interest without type and generation. layers: [{series, member}] in the same order. Returns the generation.
    sendInterest(message, layers) {
        this.interest = {message, layers};
        if (!this.open || this.held) return this.generation;
        const generation = ++this.generation;
        this.sent.set(generation, layers);
        if (this.sent.size > KEPT_GENERATIONS) this.sent.delete(this.sent.keys().next().value);
        // A new connection's server knows of nothing that is here; later it is told what was let go.
        this.socket.send(JSON.stringify({type: 'interest', generation, ...message, have: this.forgets ? 'none' : 'kept'}));
        this.forgets = false;
        return generation;
    }

    // The steps have other numbers now: what the server remembers to have sent is of no use.
    forget() { this.forgets = true; }

    // bricks: [[level, x, y, z], …] or null for the whole step.
    sendDrop(variable, step, bricks) {
        if (this.open) this.socket.send(JSON.stringify({type: 'drop', variable, step, ...(bricks ? {bricks} : {})}));
    }

    // Whether the server is to tell about 'exports' or 'pins'; asked again of a server that comes back.
    watch(topic, on) {
        if (on) this.watching.add(topic); else this.watching.delete(topic);
        if (this.open) this.#sendWatch(topic);
    }

    // Who the page is, from now on; before anything that only this user may see is asked for.
    sendUser() {
        if (this.open) this.socket.send(JSON.stringify({type: 'user', session: this.options.session.token}));
    }

    #sendWatch(topic) { this.socket.send(JSON.stringify({type: topic, watch: this.watching.has(topic)})); }

    // What to fetch over HTTP, most wanted first: [{field, level, b}] or {field, table: true}. Replaces the last list.
    want(list) { this.queue = list; this.#pump(); }

    #pump() {
        while (this.fetching.size < PARALLEL_FETCHES && this.queue.length) {
            const item = this.queue.shift(), {field} = item;
            const path = item.table ? 'table' : `${item.level}/${item.b[2]}/${item.b[1]}/${item.b[0]}`;
            const url = new URL(`bricks/${field.edition}/${field.member}/${field.step}/${path}`, this.base);
            if (this.fetching.has(url.href)) continue;
            const cancel = new AbortController();
            this.fetching.set(url.href, cancel);
            this.#fetch(url, item, cancel.signal).catch((error) => {
                if (!this.closed) this.handlers.onFetchFailed?.(item, error.message);
            }).finally(() => { this.fetching.delete(url.href); if (!this.closed) this.#pump(); });
        }
    }

    async #fetch(url, item, signal) {
        const response = await ask(url, {signal});
        if (!response.ok) throw new Error(`HTTP ${response.status}`);
        if (response.status === 204) return;
        const bytes = new Uint8Array(await response.arrayBuffer());
        this.bytesReceived += bytes.length;
        if (item.table) this.handlers.onTable(item.field, bytes); else this.handlers.onBrick(item.field, item.level, item.b, bytes);
    }

    isFetching(field, level, b) {
        return this.fetching.has(new URL(`bricks/${field.edition}/${field.member}/${field.step}/${level}/${b[2]}/${b[1]}/${b[0]}`, this.base).href);
    }

    dispose() {
        this.closed = true;
        clearTimeout(this.timer);
        for (const cancel of this.fetching.values()) cancel.abort();
        if (this.socket) this.socket.close(1000);
    }
}

/** A step of a catalog's series, by the edition of its own that it keeps while others come and go: {edition, member, step, key}. */
export function fieldOf(series, member, step) {
    const edition = editionOf(series, step);
    return {edition, member, step, key: `${edition}/${member}/${step}`};
}

export function editionOf(series, step) { return series.editions?.[step] ?? series.edition; }
