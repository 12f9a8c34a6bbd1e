// SPDX-License-Identifier: Apache-2.0
// A server of made-up forecasts for the page's tests: HTTP and websocket as in server/PROTOCOL.md, bricks by fake_volume.mjs.
//
//   const server = await startFakeServer({port: 0, datasets: {...}, websocket: true});  // server.url, server.close(), server.state
// or on the command line: node fake_server.mjs [port] [ukv]
import {createHash} from 'node:crypto';
import {createServer} from 'node:http';
import {readFile} from 'node:fs/promises';
import {extname, join, normalize} from 'node:path';
import {fileURLToPath} from 'node:url';
import {gzipSync} from 'node:zlib';
import {WebSocketServer} from 'ws';
import {encodeBrick, encodeGeometry, encodeTable} from './fake_volume.mjs';
import {fakeDatasets} from './fake_datasets.mjs';
import {writeBatch} from '../../web/net/messages.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const TYPES = {'.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.css': 'text/css', '.json': 'application/json', '.glsl': 'text/plain', '.png': 'image/png', '.svg': 'image/svg+xml'};
const POLICY = "default-src 'self'; script-src 'self'; worker-src 'self'; connect-src 'self' ws:; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'";

class Fields {
    constructor(datasets) { this.datasets = datasets; this.volumes = new Map(); this.tables = new Map(); this.bricks = new Map(); }

    find(edition) {
        for (const dataset of Object.values(this.datasets)) for (const variable of dataset.variables) for (const run of dataset.runs)
            if (editionOf(dataset, run, variable) === edition) return {dataset, variable, run};
        return null;
    }

    volume(edition, member, step) {
        const key = `${edition}/${member}/${step}`;
        if (!this.volumes.has(key)) {
            const found = this.find(edition);
            if (!found || !(step >= 0 && step < found.variable.times)) return null;
            if (this.volumes.size > 24) { const old = this.volumes.keys().next().value; this.volumes.delete(old); }
            this.volumes.set(key, found.variable.volume(step, found.run));
        }
        return this.volumes.get(key);
    }

    table(edition, member, step) {
        const key = `${edition}/${member}/${step}`;
        if (!this.tables.has(key)) { const volume = this.volume(edition, member, step); if (!volume) return null; this.tables.set(key, encodeTable(volume)); }
        return this.tables.get(key);
    }

    // Buffer, null (no bytes) or undefined (no such brick)
    brick(edition, member, step, level, b) {
        const key = `${edition}/${member}/${step}/${level}/${b}`;
        if (!this.bricks.has(key)) {
            const volume = this.volume(edition, member, step), at = volume && volume.levels[level];
            if (!at || b.some((value, axis) => !(value >= 0 && value < at.bricks[axis]))) return undefined;
            this.bricks.set(key, encodeBrick(volume, level, b, [0, 1, 2, 4][(b[0] + b[1]) % 4], {half: b[1] % 2 === 1}));
        }
        return this.bricks.get(key);
    }
}

export function editionOf(dataset, run, variable) { return createHash('sha256').update(`${dataset.id}:${run.time}:${variable.id}`).digest('hex').slice(0, 32); }

function catalogOf(datasets) {
    const iso = (seconds) => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
    return {datasets: Object.values(datasets).map((dataset) => ({
        id: dataset.id, title: dataset.title, terrain: dataset.terrain || null,
        runs: dataset.runs.map((run) => ({time: run.time, complete: true, series: Object.fromEntries(dataset.variables.map((variable) => {
            const seconds = Array.from({length: variable.times}, (_, step) => Date.parse(run.time) / 1000 + 3600 * step);
            return [variable.id, {edition: editionOf(dataset, run, variable), times: seconds.map(iso), seconds, geometry: variable.geometry ? [variable.geometry] : null}];
        }))})),
        grid: {proj: dataset.grid.proj, nx: dataset.grid.x.n, ny: dataset.grid.y.n, angular: dataset.grid.angular, wraps: dataset.grid.wraps,
            centre: dataset.grid.centre, km_per_unit: dataset.grid.km_per_unit, corners: [[0, 0], [0, 0], [0, 0], [0, 0]]},
        variables: dataset.variables.map((variable) => ({
            id: variable.id, name: variable.id, standard_name: variable.standard_name || '', long_name: variable.title || variable.id, units: variable.units, derived: false,
            shape: variable.n, vertical: variable.heights ? {kind: 'height', levels: variable.heights.length, heights: [variable.heights[0], variable.heights.at(-1)], datum: 'sea', map_error: 0.5} : null,
            times: Array.from({length: variable.times}, (_, step) => iso(Date.parse(dataset.runs.at(-1).time) / 1000 + 3600 * step)),
            calendar: 'standard', members: [''], epsilon: variable.lattice.epsilon, lattice: variable.lattice, pyramid: pyramidOf(variable)})),
    })), problems: []};
}

function pyramidOf({n, cubicFrom = Infinity}) {
    const levels = [];
    let size = n, scale = [1, 1, 1];
    for (let level = 0; ; level++) {
        levels.push({n: size, scale});
        if (Math.max(...size) <= 64) return levels;
        const z = level + 1 >= cubicFrom;
        scale = [scale[0] * 2, scale[1] * 2, z ? scale[2] * 2 : scale[2]];
        size = [Math.ceil(size[0] / 2), Math.ceil(size[1] / 2), z ? Math.ceil(size[2] / 2) : size[2]];
    }
}

export async function startFakeServer({port = 0, datasets = fakeDatasets(), websocket = true, files = {}} = {}) {
    const fields = new Fields(datasets), state = {requests: [], interests: [], sockets: new Set(), paused: false, batchBytes: 0};
    const server = createServer(async (request, response) => {
        const url = new URL(request.url, 'http://localhost'), path = decodeURIComponent(url.pathname);
        state.requests.push(path);
        const answer = (status, type, body, headers = {}) => { response.writeHead(status, {'Content-Type': type, 'Content-Security-Policy': POLICY, ...headers}); response.end(body); };
        const immutable = {'Cache-Control': 'public, max-age=31536000, immutable'};
        try {
            if (path === '/api/catalog') return answer(200, 'application/json', JSON.stringify(catalogOf(datasets)));
            let match = /^\/api\/geometry\/([^/]+)\/([^/]+)$/.exec(path);
            if (match) {
                const dataset = datasets[match[1]], geometry = dataset && dataset.geometries[match[2]];
                if (!geometry) return answer(404, 'application/json', '{"error": {"status": 404, "message": "no such geometry"}}');
                return answer(200, 'application/octet-stream', gzipSync(encodeGeometry(dataset.grid, dataset.ground, geometry.map), {level: 1}), {...immutable, 'Content-Encoding': 'gzip'});
            }
            match = /^\/bricks\/([^/]+)\/(\d+)\/(\d+)\/table$/.exec(path);
            if (match) { const table = fields.table(match[1], +match[2], +match[3]); return table ? answer(200, 'application/octet-stream', table, immutable) : answer(404, 'text/plain', 'no'); }
            match = /^\/bricks\/([^/]+)\/(\d+)\/(\d+)\/(\d+)\/(\d+)\/(\d+)\/(\d+)$/.exec(path);
            if (match) {
                const brick = fields.brick(match[1], +match[2], +match[3], +match[4], [+match[7], +match[6], +match[5]]);
                return brick === undefined ? answer(404, 'text/plain', 'no') : brick === null ? answer(204, 'text/plain') : answer(200, 'application/octet-stream', brick, immutable);
            }
            if (files[path] !== undefined) return answer(200, TYPES[extname(path)] || 'text/plain', files[path]);
            const name = normalize(path === '/' ? '/index.html' : path);
            const file = name.startsWith('/tests/') || name.startsWith('/assets/') ? join(ROOT, name) : join(ROOT, 'web', name);
            return answer(200, TYPES[extname(file)] || 'application/octet-stream', await readFile(file));
        } catch (error) {
            return answer(error.code === 'ENOENT' ? 404 : 500, 'text/plain', String(error.message));
        }
    });
    const sockets = websocket ? new WebSocketServer({server, path: '/ws', handleProtocols: () => 'virga.1'}) : null;
    sockets?.on('connection', (socket) => talk(socket, fields, datasets, state));
    await new Promise((resolve, reject) => { server.on('error', reject); server.listen(port, '127.0.0.1', resolve); });
    return {url: `http://127.0.0.1:${server.address().port}/`, state, fields, datasets,
        dropSockets() { for (const socket of state.sockets) socket.terminate(); },
        close() { for (const socket of state.sockets) socket.terminate(); sockets?.close(); server.closeAllConnections(); return new Promise((resolve) => server.close(resolve)); }};
}

// The simplest session that keeps the protocol: tables, then bricks from coarse to fine, then the next steps.
function talk(socket, fields, datasets, state) {
    const window = 1 << 20;
    let inFlight = 0, queue = [], current = 0;
    const held = new Set();
    state.sockets.add(socket);
    socket.on('close', () => state.sockets.delete(socket));
    socket.send(JSON.stringify({type: 'hello', version: 1, server: 'virga fake', window}));
    socket.on('message', (data) => {
        let message;
        try { message = JSON.parse(String(data)); } catch { socket.close(1008, 'not JSON'); return; }
        if (message.type === 'ack') { inFlight -= message.bytes; if (inFlight < 0) { socket.close(1008, 'acknowledged more than was sent'); return; } pump(); return; }
        if (message.type === 'ping') { socket.send(JSON.stringify({type: 'pong', id: message.id})); return; }
        if (message.type !== 'interest') { socket.send(JSON.stringify({type: 'error', message: 'unknown type'})); return; }
        state.interests.push(message);
        current = message.generation;
        queue = plan(message);
        pump();
    });
    function plan(message) {
        const dataset = datasets[message.dataset];
        if (!dataset) { socket.send(JSON.stringify({type: 'error', generation: message.generation, message: 'no such dataset'})); return []; }
        const run = dataset.runs.find((r) => r.time === message.run) || dataset.runs.at(-1), items = [];
        for (let ahead = 0; ahead <= (message.steps || 0); ahead++) {
            const step = message.time + ahead * (message.direction || 1);
            const fine = [];
            message.layers.forEach((layer, index) => {
                const variable = dataset.variables.find((v) => v.id === layer.variable);
                if (!variable || step < 0 || step >= variable.times) return;
                const edition = editionOf(dataset, run, variable);
                items.push({kind: 1, layer: index, step, edition, level: 0, b: [0, 0, 0]});
                const pyramid = pyramidOf(variable);
                for (let level = pyramid.length - 1; level >= (message.max_level || 0); level--) {
                    const [bx, by, bz] = pyramid[level].n.map((m) => Math.ceil(m / 32));
                    for (let z = 0; z < bz; z++) for (let y = 0; y < by; y++) for (let x = 0; x < bx; x++)
                        (level === pyramid.length - 1 ? items : fine).push({kind: 2, layer: index, step, edition, level, b: [x, y, z]});
                }
            });
            items.push(...fine);
        }
        return items;
    }
    function pump() {
        while (!state.paused && queue.length && inFlight < window && socket.readyState === 1) {
            const parts = [];
            let size = 0;
            while (queue.length && size < 65536) {
                const item = queue.shift(), name = `${item.edition}/${item.step}/${item.kind}/${item.level}/${item.b}`;
                if (held.has(name)) continue;
                const bytes = item.kind === 1 ? fields.table(item.edition, 0, item.step) : fields.brick(item.edition, 0, item.step, item.level, item.b);
                held.add(name);
                if (!bytes) continue;
                parts.push({...item, bytes});
                size += bytes.length;
            }
            if (parts.length) { socket.send(writeBatch(current, parts)); inFlight += size; state.batchBytes += size; }
            if (!queue.length) socket.send(JSON.stringify({type: 'done', generation: current}));
        }
    }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
    const server = await startFakeServer({port: +(process.argv[2] || 0), datasets: fakeDatasets({ukv: process.argv[3] === 'ukv'})});
    console.log(server.url);
}
