// SPDX-License-Identifier: Apache-2.0
// The picture: everything behind the canvas. The page's controls talk to this class alone.
//
//   const viewer = new Viewer(canvas, {base: './'});
//   viewer.setColourMaps({cloud: [[0, r, g, b], … [1, r, g, b]], …});   // 8-bit sRGB, from assets/colour_maps
//   const catalog = await viewer.loadCatalog();
//   viewer.setView(viewDocument);            // render/README.md; call again with a changed document, it is diffed
//
// Events (EventTarget; what is listed is in event.detail):
//   catalog        {catalog}                  loaded, or loaded again after the server said it changed
//   connection     {state: 'connecting' | 'open' | 'lost', message, transport: 'websocket' | 'http',
//                   retryAt: performance.now() of the next try, when lost}
//   badge          {level, levels, levelByLayer: [n], epsilon: [{variable, epsilon, units}], share: 0…1 resident of what
//                   the camera wants, state: 'loading' | 'improving' | 'final', resolution: 0…1 drawing scale,
//                   blended: bool, degraded: bool (the budget cut it), droppedBits: n, simplified: bool (larger steps
//                   or no gradients while moving), night: bool}
//   step           {index, iso, seconds, run: {time}, lead: hours or null}       the step now on screen
//   steps          {ready: [bool a time]}     which times can be shown without waiting
//   camera         {mode, eye, target, up, fov, byItself}     after each movement by the user; byItself: a domain was opened
//   engine         {state}                    the cluster's (server/PROTOCOL.md, "Users")
//   user           {known: bool, needed: bool}   whether the server knows the session's token; needed: everyone has one
//   exports        {all: bool, jobs: [JOB]}   after watchExports(true): all jobs, or those that changed (server/PROTOCOL.md)
//   pins           {all: bool, pins: [PIN]}   after watchPins(true), likewise
//   error          {message, fatal}
//   contextlost, contextrestored
import {Camera} from './view/camera.js';
import {Controls} from './view/controls.js';
import {FrameLoop} from './view/frame_loop.js';
import {Playhead} from './view/playhead.js';
import {firstInTime, resolveView, timesInView} from './view/view_resolve.js';
import {Renderer} from './gl/renderer.js';
import {Stage} from './gl/stage.js';
import {Loader} from './data/loader.js';
import {SliceStore} from './data/slices.js';
import {Sheets} from './data/sheets.js';
import {differenceRange, placeLayers} from './data/fields.js';
import {Interests} from './data/interests.js';
import {Probing} from './data/probing.js';
import {projectionOf} from './layers/projection.js';
import {AROUND, Basemap} from './layers/basemap.js';
import {boxOf, northAngle} from './layers/domain.js';
import {Labels} from './layers/labels.js';
import {lightOf} from './layers/light.js';

const MB = 1 << 20;
const SELECT_MS = 150, SKIP_MS = 140;

// All of a view but its time.
const lookOf = (view) => JSON.stringify({...view, time: null});

export class Viewer extends EventTarget {
    #view = null; #resolved = null; #loop; #probing; #interests; #playhead = new Playhead(); #shownIndex = -1; #sceneToken = 0;
    #selectDirty = true; #lastSelect = 0;
    #colourMaps = {}; #lastBadge = ''; #lastSteps = '';

    constructor(canvas, options = {}) {
        super();
        this.canvas = canvas;
        this.options = {base: './', websocket: true, storeBytes: Math.min(700, (navigator.deviceMemory || 8) * 100) * MB, atlasBytes: Math.min(420, (navigator.deviceMemory || 8) * 64) * MB, pixelRatio: null, ...options};
        this.#loop = new FrameLoop(this);
        this.camera_ = new Camera();
        this.layers = [];
        this.catalog = null;
        this.basemap = new Basemap((what) => this.#basemapReady(what));
        this.labels = new Labels(canvas);
        this.loader = new Loader(this.options.base, this.options, {
            state: (state, message, transport, retryAt) => { this.connectionState = {state, message, transport, retryAt}; this.#emit('connection', this.connectionState); this.#wake(); },
            table: () => { this.#selectDirty = true; this.#wake(); },
            brick: () => this.#wake(),
            done: (generation, degraded) => { this.#interests.done(generation, degraded); this.#selectDirty = true; this.#wake(); },
            catalog: () => this.loadCatalog().catch((error) => this.#error(error.message)),
            engine: (state) => this.#emit('engine', {state}),
            user: (known, needed) => this.#emit('user', {known, needed}),
            exports: (detail) => this.#emit('exports', detail),
            pins: (detail) => this.#emit('pins', detail),
            again: () => this.#again(),
            error: (message) => this.#error(message),
        });
        this.#interests = new Interests(this.loader, this.options.storeBytes);
        this.sheets = new Sheets(new SliceStore(this.options.base, (message) => { if (message) this.#error(message); this.#wake(true); }));
        this.#probing = new Probing(this, () => this.#shownIndex >= 0);
        this.controls = new Controls(canvas, this.camera_, {moved: () => this.#cameraMoved(true), placeAt: (x, y) => this.#placeAt(x, y)});
        canvas.addEventListener('webglcontextlost', (event) => { event.preventDefault(); this.renderer = null; this.#emit('contextlost', {}); });
        canvas.addEventListener('webglcontextrestored', () => { this.#openGl(); this.#emit('contextrestored', {}); });
        this.sizeWatch = new ResizeObserver(() => this.#wake(true));
        this.sizeWatch.observe(canvas);
        this.started = Renderer.load().then(() => this.#openGl(), (error) => this.#error(error.message, true));
    }

    #emit(type, detail) { this.dispatchEvent(new CustomEvent(type, {detail})); }
    #error(message, fatal = false) { this.#emit('error', {message, fatal}); }
    #wake(draw = false) { if (draw) this.#loop.invalidate(); else this.#loop.wake(); }

    #openGl() {
        const gl = this.canvas.getContext('webgl2', {antialias: false, alpha: false, depth: false, preserveDrawingBuffer: false, powerPreference: 'high-performance'});
        if (!gl) { this.#error('This browser has no WebGL2, which the picture needs. Try a current Firefox, Chrome, Edge or Safari with hardware acceleration switched on.', true); return; }
        this.gl = gl;
        gl.getExtension('EXT_color_buffer_float');
        gl.getExtension('EXT_color_buffer_half_float');
        const info = gl.getExtension('WEBGL_debug_renderer_info');
        this.rendererName = String(gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
        try {
            this.renderer = new Renderer(gl);
        } catch (error) { this.#error(`The picture cannot be drawn: ${error.message}`, true); return; }
        if (this.stage) this.stage.lost(gl, this.renderer);
        else this.stage = new Stage(gl, this.renderer, this.loader, {...this.options, smooth: this.options.smooth ?? this.#software});
        this.stage.setLayers(this.fields);
        this.layers.forEach((layer, row) => this.renderer.volumePass.setTransfer(row, layer.transfer));
        this.basemap.upload(this.renderer, this.#view?.map);
        this.#shownIndex = -1;
        this.#selectDirty = true;
        this.#loop.drawnOnce = false;
        this.#wake(true);
    }

    async loadCatalog() {
        this.catalog = await this.loader.catalog();
        this.#emit('catalog', {catalog: this.catalog});
        if (this.#view && this.catalog.datasets.some((dataset) => dataset.id === this.#view.dataset)) this.setView(this.#view);
        return this.catalog;
    }

    // A server that answers again may have other runs, or other numbers in the same files.
    async #again() {
        try { await this.loadCatalog(); } catch (error) { this.#error(error.message); }
        this.loader.connection.resume();
        this.#interests.due = true;
        this.#wake();
    }

    setColourMaps(maps) {
        this.#colourMaps = {...this.#colourMaps, ...maps};
        if (this.#view) this.#restyle();
    }

    setView(view) {
        if (!this.catalog) { this.#view = view; return; }
        let resolved;
        try { resolved = resolveView(view, this.catalog); } catch (error) { this.#error(error.message); return; }
        if (!resolved.times.length) { this.#error('None of the layers is in this run.'); return; }
        const before = this.#resolved, sameDataset = before && before.dataset.id === resolved.dataset.id && before.dataset.grid.proj === resolved.dataset.grid.proj;
        const elsewhere = this.times[this.#playhead.index]?.iso !== resolved.times[resolved.index]; // the playhead has moved since this view was given, or it never was there
        const timeAsked = !before || (this.#view.time !== view.time && elsewhere) || before.run.time !== resolved.run.time || !sameDataset;
        const cameraAsked = view.camera && JSON.stringify(view.camera) !== JSON.stringify(this.#view?.camera);
        const sameLook = before && sameDataset && !timeAsked && !cameraAsked && this.scene_ && lookOf(view) === lookOf(this.#view);
        this.#view = view;
        this.#resolved = resolved;
        this.camera_.exaggeration = view.exaggeration > 0 ? view.exaggeration : 1;
        const old = this.fields, wanted = this.times[this.#playhead.index], keys = this.#keysAt(wanted), known = old.map(({series}) => series);
        this.layers = placeLayers(resolved, old, this.#colourMaps);
        this.loader.setLayers(this.fields);
        if (timeAsked) { this.#playhead.index = resolved.index; }
        else if (this.times[this.#playhead.index]?.iso !== wanted?.iso) { this.#playhead.index = Math.max(0, this.times.findIndex(({iso}) => iso === wanted.iso)); }
        this.#playhead.index = Math.min(this.#playhead.index, resolved.times.length - 1);
        const kept = this.fields.length === old.length && this.fields.every((layer, n) => layer === old[n]);
        const same = old.every(({series}, n) => series.edition === known[n].edition) || this.#seriesChanged(old, known, wanted, keys);
        if (same && kept && sameLook) return; // a catalog that says nothing new of what is on screen
        if (!kept) { this.#shownIndex = -1; this.drawnFull = false; this.stage?.setLayers(this.fields); }
        this.layers.forEach((layer, row) => this.renderer?.volumePass.setTransfer(row, layer.transfer));
        if (cameraAsked) this.camera_.set(view.camera);
        this.cameraFromView = Boolean(view.camera && view.camera.eye);
        if (!this.scene_) this.#interests.tellEarly(this.#wanted);
        this.#openScene(!(sameDataset && this.scene_));
        this.#interests.due = true;
        this.#changed();
    }

    // Steps came, went or are of other files now; `wanted` and `keys` are of the step that was asked for. Whether that one is what it was: then the
    // picture is, too.
    #seriesChanged(layers, before, wanted, keys) {
        if (layers.some(({series}, n) => !before[n].times.every((iso, step) => series.times[step] === iso))) this.loader.connection.forget();
        const now = this.times[this.#playhead.index], same = this.#keysAt(now) === keys, shown = this.#shownIndex === wanted?.index;
        this.#shownIndex = same && shown ? this.#playhead.index : -1;
        this.#wake();
        return same && shown;
    }

    // What is shown of all layers at a time.
    #keysAt(time) {
        return time ? this.fields.map((layer) => { const step = layer.stepAt(time.seconds); return step < 0 ? "" : layer.field(step).key; }).join() : "";
    }

    // All that is fetched as bricks: the layers but slices, and what differences take away.
    get fields() { return this.#placed.filter((layer) => !layer.level); }
    get #placed() { return [...this.layers, ...this.layers.map((layer) => layer.minus).filter(Boolean)]; }

    #restyle() {
        this.layers.forEach((layer, row) => {
            layer.setView(layer.view, this.#colourMaps[layer.view.colour_map]);
            this.renderer?.volumePass.setTransfer(row, layer.transfer);
        });
        this.#changed();
    }

    #changed() {
        this.drawnFull = false;
        this.#selectDirty = true;
        if (this.stage) this.stage.skipDirty = true;
        if (this.renderer) this.renderer.lightDirty = true;
        this.#wake(true);
    }

    // Fetches the geometries that the layers need, then makes box, ground and lines.
    async #openScene(anew) {
        const token = ++this.#sceneToken, {dataset} = this.#resolved, index = this.#playhead.index;
        try {
            await Promise.all(this.#placed.map(async (layer) => {
                const id = layer.geometryId(Math.max(0, layer.stepAt(this.times[index]?.seconds ?? 0))) ?? 'surface';
                const geometry = await this.loader.geometry(dataset.id, id);
                layer.setGeometry(geometry);
            }));
            if (token !== this.#sceneToken) return;
            this.#makeScene(dataset, anew);
        } catch (error) { if (token === this.#sceneToken) this.#error(`The geometry could not be read: ${error.message}`); }
    }

    #makeScene(dataset, anew) {
        const volumes = this.layers.filter((layer) => layer.vertical), main = volumes[0] || this.layers[0], {geometry} = main;
        const box = boxOf((volumes.length ? volumes : [main]).map((layer) => layer.geometry));
        const key = `${dataset.id}|${dataset.grid.proj}|${[...box.low, ...box.high].join()}|${geometry.nx}|${geometry.ny}`;
        const newDomain = key !== this.domainKey;
        if (newDomain || !this.turn) this.turn = projectionOf(geometry, AROUND);
        this.datum = main.geometry.levelMap?.datum || 'sea';
        this.scene_ = {box, geometry, key};
        this.camera_.box = box;
        if (newDomain || anew) {
            this.domainKey = key;
            const ground = this.layers.map((layer) => layer.geometry).find((one) => one.ground && one.nx === geometry.nx && one.ny === geometry.ny);
            this.groundGeometry = ground || geometry;
            this.basemap.setDomain(geometry, (i, j) => this.groundGeometry.groundAt(i, j), this.turn, box);
            if (this.stage) this.stage.skipGrid = null;
        }
        if (newDomain && !this.cameraFromView) { this.camera_.reset(this.#aspect); this.#emit('camera', {...this.camera, byItself: true}); }
        this.basemap.upload(this.renderer, this.#view.map);
        this.north = northAngle(geometry, this.turn, this.basemap.centre);
        this.#interests.due = true;
        this.#changed();
    }

    #basemapReady(_what, error) {
        if (error) this.#error(`The coastlines could not be read: ${error.message}`);
        this.basemap.upload(this.renderer, this.#view?.map);
        this.#wake(true);
    }

    // ---- time

    get times() {
        const first = firstInTime(this.layers);
        if (!first) return [];
        const [from, to] = timesInView(first), {times, seconds} = first.series;
        return times.slice(from, to).map((iso, index) => ({index, iso, seconds: seconds[from + index]}));
    }

    get timeIndex() { return this.#playhead.index; }

    setTime(index, hint = {direction: 0, rate: 0}) {
        const {times} = this;
        if (!times.length) return;
        this.#playhead.seek(Math.min(times.length - 1, Math.max(0, Math.round(index))), hint);
        this.#interests.due = true;
        this.#selectDirty = true;
        this.#wake();
    }

    play({rate = 4, loop = true, direction = 1} = {}) {
        this.#playhead.play({rate, loop, direction}, performance.now());
        this.#interests.due = true;
        this.#wake();
    }

    pause() {
        if (!this.playing) return;
        this.#playhead.pause();
        this.#interests.due = true;
        this.#wake(true);
    }

    get playing() { return this.#playhead.playing; }
    // While playing, a picture may take most of a step.
    get frameBudget() { return this.playing ? Math.min(220, Math.max(110, 700 / this.#playhead.rate)) : undefined; }
    // While bricks arrive quickly, pictures in full would be begun in vain.
    get loading() { return !this.allHere && performance.now() - (this.uploadedAt ?? -Infinity) < 400; }

    // Moves the playhead. The next step is shown when its turn has come and its coarsest level is here.
    #advance(now) {
        const {times} = this, blends = Boolean(this.renderer && this.renderer.scale > 0.6);
        const what = this.#playhead.advance(now, {count: times.length, shown: this.#shownIndex, isReady: (index) => this.#allReady(index), blends, behind: (index) => this.#showBehind(times[index])});
        if (what === 'ended') this.pause();
        if (what === 'moved') this.#interests.due = this.#selectDirty = true;
    }

    #showBehind({seconds}) {
        for (const layer of this.fields) {
            const step = layer.stepAt(seconds);
            if (step < 0 || !layer.geometry || layer.variable.constant) continue;
            this.stage.show(layer, 'back', layer.field(step));
            this.#selectDirty = true;
        }
    }

    #allReady(index) {
        const {times} = this;
        return this.sheets.ready(this.#forecast, this.layers, times[index].seconds) && this.fields.every((layer) => {
            if (!layer.geometry) return false;
            const step = layer.stepAt(times[index].seconds);
            return step < 0 || this.stage.ready(layer, layer.field(step));
        });
    }

    // ---- every turn of the frame loop

    // Brings what has arrived to the GPU and asks for what is missing. true while something changes by itself.
    update(now) {
        if (!this.stage || !this.renderer || !this.scene_ || !this.layers.length) return false;
        if (this.#placed.some((layer) => !layer.geometry)) return false;
        this.#wantSlices();
        const {stage} = this, {times} = this, flown = this.controls.fly(now - (this.lastUpdate || now));
        this.lastUpdate = now;
        if (flown) this.#cameraMoved(true);
        this.#advance(now);
        if (this.#shownIndex !== this.#playhead.index && this.#allReady(this.#playhead.index)) this.#showStep();
        if (this.#selectDirty && now - this.#lastSelect > SELECT_MS) { this.#selectDirty = false; this.#lastSelect = now; stage.select(this.#selectCamera()); }
        const {uploaded, more} = stage.upload(this.playing || this.#loop.moving ? 8 * MB : 24 * MB);
        if (uploaded) { this.#loop.dirty = true; this.uploadedAt = now; }
        if (stage.skipDirty && (now - stage.lastSkip > SKIP_MS || !stage.skipGrid) && stage.updateSkip(this.scene_.box)) {
            stage.lastSkip = now;
            this.renderer.lightDirty = true;
            this.#loop.dirty = true;
        }
        this.#interests.tell(now, this.#wanted, () => stage.missing());
        this.#report();
        const waiting = this.#selectDirty || stage.skipDirty || more || this.#interests.due;
        return Boolean(this.playing || flown || more || (waiting && this.#soon()));
    }

    // Dataset and run, as sheets ask for them.
    get #forecast() { return {dataset: this.#resolved.dataset.id, run: this.#resolved.run.time}; }

    // The slices of the time in view, and of the next.
    #wantSlices() {
        const {times} = this, at = [this.#playhead.index, this.#playhead.index + (this.#playhead.hint.direction || 1)].filter((index) => times[index]).map((index) => times[index].seconds);
        this.sheets.want(this.#forecast, this.layers, at);
    }

    // Looks again a little later without drawing in between.
    #soon() {
        clearTimeout(this.soon);
        this.soon = setTimeout(() => this.#wake(), 60);
        return false;
    }

    #showStep() {
        const {times} = this, index = this.#playhead.index, {seconds, iso} = times[index];
        this.fields.forEach((layer) => {
            const step = layer.stepAt(seconds);
            this.stage.show(layer, 'front', step >= 0 ? layer.field(step) : null);
        });
        this.sheets.show(this.#forecast, seconds);
        this.#shownIndex = index;
        this.drawnFull = false;
        this.#selectDirty = false;
        this.#lastSelect = performance.now();
        this.stage.select(this.#selectCamera());
        this.#refreshGeometry(seconds);
        const run = this.#resolved.run;
        const lead = (seconds - Date.parse(run.time) / 1000) / 3600;
        this.#loop.dirty = true;
        this.#emit('step', {index, iso, seconds, run: {time: run.time}, lead: Number.isFinite(lead) ? lead : null});
    }

    // A level map may change with the step (heights that move).
    async #refreshGeometry(seconds) {
        for (const layer of this.#placed) {
            const id = layer.geometryId(Math.max(0, layer.stepAt(seconds)));
            if (id === null || layer.series.geometry.length < 2) continue;
            try {
                const geometry = await this.loader.geometry(this.#resolved.dataset.id, id);
                if (layer.geometry !== geometry && this.times[this.#shownIndex]?.seconds === seconds) { layer.setGeometry(geometry); this.stage.skipGrid = null; this.stage.replaceGeometry(layer); this.#changed(); }
            } catch (error) { this.#error(`The geometry could not be read: ${error.message}`); }
        }
    }

    #selectCamera() {
        if (!this.scene_) return null;
        return {matrices: this.camera_.matrices(this.#aspect), width: this.#size[0], height: this.#size[1], exaggeration: this.camera_.exaggeration};
    }

    // What a picture takes, of the time and from where it is looked at now.
    get #wanted() {
        const {eye, target, up, fov, exaggeration} = this.camera_, [width, height] = this.#size;
        return {...this.#forecast, member: this.#resolved.member, layers: this.fields, times: this.times, first: timesInView(firstInTime(this.layers))[0], playhead: this.#playhead,
            camera: {eye, target, up, fov, width, height, exaggeration}};
    }

    // ---- drawing

    get #size() {
        const ratio = this.#ratio;
        return [Math.max(1, Math.round((this.canvas.clientWidth || 300) * ratio)), Math.max(1, Math.round((this.canvas.clientHeight || 150) * ratio))];
    }

    get #software() { return /swiftshader|llvmpipe|software/i.test(this.rendererName || ''); }

    get #ratio() {
        if (this.options.pixelRatio) return this.options.pixelRatio;
        return Math.min(window.devicePixelRatio || 1, this.#software ? 1 : 2);
    }

    get #aspect() { const [width, height] = this.#size; return width / height; }

    // What the frame loop draws: {scene, matrices}, or null when there is nothing yet.
    scene() {
        if (!this.scene_ || !this.renderer || !this.basemap.mesh) return null;
        const [width, height] = this.#size, {canvas, renderer} = this;
        if (canvas.width !== width || canvas.height !== height) { canvas.width = width; canvas.height = height; }
        renderer.resize(width, height);
        const {volumes, drapes} = this.stage.drawn(this.#playhead.blend);
        renderer.volumes = volumes;
        renderer.drapes = drapes;
        renderer.slices = this.sheets.drawn(this.layers);
        const time = this.times[Math.max(0, this.#shownIndex)] || {seconds: 0}, [lon, lat] = this.basemap.centre;
        this.light = lightOf(this.#view.light, {seconds: time.seconds, lon, lat, north: this.north || 0});
        const lightKey = this.light.direction.map((v) => v.toFixed(3)).join() + this.camera_.exaggeration;
        if (lightKey !== this.lightKey) { this.lightKey = lightKey; renderer.lightDirty = true; }
        return {matrices: this.camera_.matrices(width / height),
            scene: {box: this.scene_.box, exaggeration: this.camera_.exaggeration, light: this.light, sky: this.light.sky, map: this.#view.map || {}, volumeCount: volumes.length, pixelRatio: this.#ratio}};
    }

    // A picture is begun: what is on screen is not it yet.
    begun() { this.drawnFull = false; }

    drawn({full, scale, ms, simplified}) {
        this.drawnFull = full;
        if (this.#shownIndex >= 0) this.basemap.pictureDrawn();
        this.drawnScale = full ? 1 : scale;
        this.simplified = simplified;
        this.frameMs = ms;
        this.#drawLabels();
        this.#report();
    }

    failed(error) { this.#error(`Drawing failed: ${error.message}`, true); this.#loop.stop(); }

    #drawLabels() {
        const {map = {}} = this.#view, matrices = this.camera_.matrices(this.#aspect), project = (place) => this.camera_.project(place, matrices);
        const toEye = matrices.eye, {box} = this.scene_, top = this.camera_.mode === 'top' || toEye[2] > 3 * Math.hypot(toEye[0] - (box.low[0] + box.high[0]) / 2, toEye[1] - (box.low[1] + box.high[1]) / 2);
        // Labels stand on the edges that face the eye.
        const middle = (box.low[1] + box.high[1]) / 2, facing = ({side}) => top || side[0] !== 0 || (side[1] > 0 ? toEye[1] > middle : toEye[1] < middle);
        this.labels.draw({project, box: {low: [box.low[0], box.low[1], Math.max(0, box.low[2])], high: box.high}, exaggeration: this.camera_.exaggeration,
            heights: map.height_axis !== false && this.layers.some((layer) => layer.vertical), datum: this.datum,
            degrees: map.graticule === false ? [] : this.basemap.degrees.filter(facing)}, this.#ratio);
    }

    // Tells the page what is on screen, when it changed.
    #report() {
        if (!this.stage || !this.layers.length) return;
        const share = this.stage.share(), part = share.wanted ? share.resident / share.wanted : this.#shownIndex >= 0 ? 1 : 0;
        const complete = this.#shownIndex === this.#playhead.index && part >= 1 && !this.#selectDirty;
        const doneLoading = complete || (this.#shownIndex === this.#playhead.index && share.full);
        this.allHere = doneLoading;
        const state = this.#shownIndex < 0 ? 'loading' : doneLoading && this.drawnFull && !this.#loop.dirty && !this.stage.skipDirty ? 'final' : 'improving';
        const detail = {level: share.level, levels: Math.max(...this.layers.map((layer) => layer.pyramid?.length ?? 1)), levelByLayer: share.levels,
            epsilon: this.layers.map(({variable, epsilon, view}) => ({variable: variable.id, layer: view, epsilon, units: variable.units})),
            share: Math.round(part * 1000) / 1000, state, resolution: Math.round((this.drawnScale || 0) * 100) / 100, blended: this.#playhead.blend > 0, degraded: this.#interests.degraded || share.full,
            droppedBits: share.dropped, simplified: Boolean(this.simplified), night: Boolean(this.light?.night)};
        const text = JSON.stringify(detail);
        if (text !== this.#lastBadge) { this.#lastBadge = text; this.#emit('badge', detail); }
        const now = performance.now();
        if (now - (this.lastStepsAt || 0) < 250) return;
        this.lastStepsAt = now;
        const ready = this.times.map(({index}) => this.#allReady(index)), steps = ready.join();
        if (steps !== this.#lastSteps) { this.#lastSteps = steps; this.#emit('steps', {ready}); }
    }

    #cameraMoved(byUser, told = true) {
        this.#loop.invalidate(byUser);
        this.#selectDirty = true;
        this.#interests.due = true;
        if (told) this.#emit('camera', this.camera);
    }

    // ---- camera

    resetCamera() { this.camera_.reset(this.#aspect); this.#cameraMoved(false); }
    topDown() { this.camera_.topDown(this.#aspect); this.#cameraMoved(false); }
    fly(on) { this.camera_.leaveTop(on ? 'fly' : 'orbit'); this.#cameraMoved(false); }
    get camera() { return this.camera_.document(); }
    // Somebody else's camera: no event says that it moved here.
    lookFrom(camera) { this.camera_.set(camera); this.#cameraMoved(true, false); }

    // As the pointer does: turn and pan in heights of the picture, zoom as the logarithm of the distance.
    steer({turn = [0, 0], zoom = 0, pan = [0, 0]}) {
        if (turn[0] || turn[1]) this.camera_.orbit(...turn);
        if (pan[0] || pan[1]) this.camera_.pan(...pan);
        if (zoom) this.camera_.zoom(Math.exp(Math.max(-2, Math.min(2, zoom))));
        this.#cameraMoved(true);
    }

    // ---- places

    get geometry() {
        if (!this.scene_) return null;
        const {geometry, box} = this.scene_, {turn} = this, corners = [[0, 0], [1, 0], [1, 1], [0, 1]].map(([a, b]) => turn.inverse(geometry.domain.x[a], geometry.domain.y[b]));
        return {proj: geometry.proj, domain: geometry.domain, box, kmPerUnit: geometry.kmPerUnit, corners, toLonLat: turn.inverse, fromLonLat: turn.forward,
            toScene: (x, y, height) => geometry.toScene(x, y, height), fromScene: (place) => geometry.fromScene(place),
            project: (place) => {
                const p = this.camera_.project(place, this.camera_.matrices(this.#aspect)), area = this.canvas.getBoundingClientRect();
                return p && [area.left + p[0] * area.width, area.top + p[1] * area.height];
            }};
    }

    #ray(clientX, clientY) {
        const area = this.canvas.getBoundingClientRect();
        return this.camera_.ray((clientX - area.left) / area.width, (clientY - area.top) / area.height, this.#aspect);
    }

    probe(clientX, clientY) { return this.#probing.atRay(this.#ray(clientX, clientY)); }
    probeAt(lon, lat, height) { return this.#probing.at(lon, lat, height); }
    sampleColumn(lon, lat) { return this.#probing.column(lon, lat); }

    // [smallest, largest] of a difference at the time in view, by what is here of its coarsest level, or null. layer: of the view.
    differenceRange(layer) {
        const state = this.layers.find(({view}) => view === layer), time = this.times[this.#playhead.index];
        return state?.minus && time ? differenceRange(state, time.seconds, this.loader) : null;
    }

    #placeAt(clientX, clientY) {
        const struck = this.#probing.strike(this.#ray(clientX, clientY));
        return struck && [struck.scene[0], struck.scene[1], struck.scene[2] * this.camera_.exaggeration];
    }

    // Tries the websocket now instead of after its delay.
    reconnect() { this.loader.connection.reconnect(); }

    // The session's token is another one now.
    tellUser() { this.loader.connection.sendUser(); }

    // The reader is somebody else to the server now.
    signedIn() { this.loader.connection.restart(); }

    // Whether the server is to tell about exports or pins; only a websocket can.
    watchExports(on) { this.loader.connection.watch('exports', on); }
    watchPins(on) { this.loader.connection.watch('pins', on); }
    get told() { return this.loader.connection.open; }

    // ---- figures

    stats() {
        const share = this.stage ? this.stage.share() : {wanted: 0, resident: 0}, {pool, store, connection} = this.loader;
        return {frameMs: this.frameMs || 0, movingFps: this.#loop.fps, resolution: this.drawnScale || 0, bytesReceived: connection.bytesReceived, bytesHeld: store.bytes, bricksHeld: store.entries.size,
            bricksResident: share.resident, bricksWanted: share.wanted, decodeMs: pool.decoded ? pool.totalMs / pool.decoded : 0, decoded: pool.decoded, renderer: this.rendererName || '',
            frames: this.renderer ? this.renderer.frames : 0, fullQuality: Boolean(this.drawnFull), scale: this.renderer ? this.renderer.scale : 0, shown: this.#shownIndex, allHere: Boolean(this.allHere), transport: connection.transport,
            sun: this.light && {azimuth: this.light.azimuth, elevation: this.light.elevation}};
    }

    async settled(ms = 30000) {
        const end = performance.now() + ms;
        for (;;) {
            if (this.allHere && this.drawnFull && this.#shownIndex === this.#playhead.index && !this.#loop.dirty && !this.#selectDirty && !this.stage.skipDirty && !this.renderer?.tiles && this.basemap.land) return;
            if (performance.now() > end) throw new Error('The picture is not final yet.');
            await new Promise((resolve) => setTimeout(resolve, 30));
        }
    }

    async screenshot() {
        const view = this.scene();
        if (!view) return null;
        this.renderer.beginFull(view.scene, view.matrices);
        while (!this.renderer.drawTiles(1)) await this.renderer.finished(performance.now());
        const out = document.createElement('canvas');
        out.width = this.canvas.width;
        out.height = this.canvas.height;
        const context = out.getContext('2d');
        context.drawImage(this.canvas, 0, 0);
        this.#drawLabels();
        context.drawImage(this.labels.canvas, 0, 0, out.width, out.height);
        return new Promise((resolve) => out.toBlob(resolve, 'image/png'));
    }

    dispose() {
        this.#loop.stop();
        this.controls.dispose();
        this.sizeWatch.disconnect();
        this.loader.dispose();
        this.sheets.dispose();
        this.labels.dispose();
        if (this.renderer) this.renderer.delete();
    }
}
