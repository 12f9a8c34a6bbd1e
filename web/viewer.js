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
//   connection     {state: 'connecting' | 'open' | 'lost', message, transport: 'websocket' | 'http'}
//   badge          {level, levels, levelByLayer: [n], epsilon: [{variable, epsilon, units}], share: 0…1 resident of what
//                   the camera wants, state: 'loading' | 'improving' | 'final', resolution: 0…1 drawing scale,
//                   blended: bool, degraded: bool (the budget cut it), droppedBits: n, simplified: bool (larger steps
//                   or no gradients while moving), night: bool}
//   step           {index, iso, seconds, run: {time}, lead: hours or null}       the step now on screen
//   steps          {ready: [bool a time]}     which times can be shown without waiting
//   camera         {mode, eye, target, up, fov}                                  after each movement by the user
//   error          {message, fatal}
//   contextlost, contextrestored
export class Viewer extends EventTarget {
    // canvas: an element that fills its place; a transparent canvas for labels is laid over it in the same parent, so
    // the parent must be positioned. options.base: URL of the server's base path, relative or absolute.
    constructor(canvas, options = {}) { super(); this.canvas = canvas; this.options = options; this.catalog = null; }

    // Fetches api/catalog. Resolves with it; rejects when the server cannot be reached or answers nonsense.
    async loadCatalog() { return this.catalog; }

    // name → points [[t 0…1, r, g, b 0…255], …]. Names that a view uses and that are not known are drawn grey.
    setColourMaps(_maps) {}

    // Makes the picture follow the document. Unknown datasets, runs and variables give an 'error' event (not fatal) and
    // leave the picture as it is. view.time is resolved here: ISO, 'T+6', 'nearest to now'.
    setView(_view) {}

    // The times of the first layer's variable in the run in view: [{index, iso, seconds}].
    get times() { return []; }
    // Index into times of what is asked for (not necessarily drawn yet: see 'step').
    get timeIndex() { return 0; }
    // Shows times[index] as soon as its coarsest level is here. direction −1, 0, 1 and rate (steps a second) tell the
    // server what to send next; both 0 when not playing.
    setTime(_index, _hint = {direction: 0, rate: 0}) {}
    // Plays by itself, blending between steps (the badge says so), waiting for steps that are not here.
    play(_options = {rate: 4, loop: true, direction: 1}) {}
    pause() {}
    get playing() { return false; }

    // What is under a point of the window (client coordinates): the place along the ray that gives most to the pixel's
    // colour or, where the ray passes no visible volume, the ground. null outside the domain. Values come from the exact
    // integers of the finest resident bricks at the step in view, never from textures and never blended:
    //   {on: 'volume' | 'ground', lon, lat, height (m above the datum), datum: 'sea' | 'ground', i, j, ground: m or null,
    //    x, y (grid coordinates), layers: [{variable, value: number or null, units, epsilon, level (pyramid level used)}]}
    probe(_clientX, _clientY) { return null; }
    // The same at a place: height in metres, or null for the ground.
    probeAt(_lon, _lat, _height) { return null; }
    // Values of each volume layer on the model's levels over a place: [{variable, units, heights: [m], values: [n or null]}].
    sampleColumn(_lon, _lat) { return []; }

    // The camera. Dragging orbits (left), pans (right, or shift), wheel zooms; in fly mode W A S D Q E and drag.
    resetCamera() {}
    topDown() {}
    fly(_on) {}
    get camera() { return {mode: 'orbit', eye: [0, -1000, 800], target: [0, 0, 0], up: [0, 0, 1], fov: 40}; }

    // Place ↔ scene. null before a view is set. {proj, domain: {x: [min, max], y: [min, max], top (m)}, kmPerUnit,
    //   toLonLat(x, y) → [lon, lat], fromLonLat(lon, lat) → [x, y], toScene(x, y, height) → [X, Y, Z km],
    //   project([X, Y, Z]) → [clientX, clientY] or null, corners: [[lon, lat] × 4]}
    get geometry() { return null; }

    // Figures for tests and the badge: {frameMs, movingFps, resolution, bytesReceived, bytesHeld, bricksHeld,
    //   bricksResident, bricksWanted, decodeMs, renderer, steps: {index: fraction}, frames, fullQuality: bool, sun}.
    stats() { return {}; }
    // Resolves when the picture is final (full quality, all that is wanted resident), or rejects after ms.
    async settled(_ms = 30000) {}
    // PNG blob of the picture with its labels, at the canvas' own size.
    async screenshot() { return null; }
    // Ends everything: worker threads, connection, GL objects.
    dispose() {}
}
