// SPDX-License-Identifier: Apache-2.0
// What stands at a place of the picture, or where a ray meets it: exact values of all its layers, from what is on screen.
import {wrap} from '../layers/projection.js';
import {differenceOf} from './fields.js';
import {strike, valueAt} from './probe.js';

export class Probing {
    #scene; #isShown;

    // scene: the viewer, for its layers, stage, loader, sheets, camera and ground, as they are when asked. isShown(): whether a step is on screen.
    constructor(scene, isShown) {
        this.#scene = scene;
        this.#isShown = isShown;
    }

    // {scene: [X, Y, Z], on: 'volume' | 'ground' | …} where a ray (camera.ray) meets what contributes most to its pixel, or null.
    strike(ray) {
        const {scene_, stage, sheets, layers, camera_: {exaggeration}} = this.#scene;
        if (!scene_ || !stage || !this.#isShown()) return null;
        const {geometry, box} = scene_, sheet = sheets.strike(ray, layers, {box, exaggeration});
        const inDomain = (X, Y) => { const [x, y] = geometry.fromScene([X, Y, 0]); return geometry.locate(x, y); };
        const struck = strike(ray, {box, exaggeration,
            layers: layers.filter((layer) => layer.volume && layer.view.visible !== false && stage.slot(layer, 'front')?.field),
            valueOf: (layer, scene) => this.#value(layer, scene)?.value ?? null,
            groundAt: (X, Y) => { const ij = inDomain(X, Y); return ij ? this.#scene.groundGeometry.groundAt(...ij) / 1000 : null; }});
        const far = ({scene: [X, Y, Z]}) => Math.hypot(X - ray.origin[0], Y - ray.origin[1], Z * exaggeration - ray.origin[2]);
        return sheet && (!struck || far(sheet) < far(struck)) ? sheet : struck;
    }

    atRay(ray) {
        const struck = this.strike(ray);
        return struck && this.#at(struck.scene, struck.on);
    }

    // height: metres above the datum; none: on the ground.
    at(lon, lat, height) {
        const {scene_, turn, groundGeometry} = this.#scene, place = scene_ && turn.forward(lon, lat), onGround = height === null || height === undefined;
        const ij = place && scene_.geometry.locate(...place);
        if (!ij) return null;
        return this.#at(scene_.geometry.toScene(place[0], place[1], onGround ? groundGeometry.groundAt(...ij) : height), onGround ? 'ground' : 'volume');
    }

    // Heights and values of all levels of each volume above a place.
    column(lon, lat) {
        const {scene_, stage, turn, layers} = this.#scene, place = scene_ && turn.forward(lon, lat);
        if (!place || !stage) return [];
        return layers.filter((layer) => layer.volume).map((layer) => {
            const {geometry} = layer, ij = geometry.locate(...place), slot = stage.slot(layer, 'front'), heights = [], values = [];
            if (ij && slot?.field) for (let k = 0; k < geometry.nz; k++) {
                heights.push(geometry.levelHeight(ij[0], ij[1], k));
                values.push(this.#change(layer, this.#stored(layer, slot.field, ij, k), geometry.toScene(place[0], place[1], heights[k]))?.value ?? null);
            }
            return {variable: layer.variable.id, units: layer.variable.units, heights, values};
        });
    }

    #at(scene, on) {
        const {scene_: {geometry}, turn, groundGeometry, datum, layers} = this.#scene;
        const [x, y, height] = geometry.fromScene(scene), ij = geometry.locate(x, y), place = turn.inverse(x, y);
        if (!ij || !place) return null;
        const ground = groundGeometry.ground ? groundGeometry.groundAt(...ij) : null;
        return {on, lon: wrap(place[0]), lat: place[1], height, datum, x, y, i: ij[0], j: ij[1], ground,
            layers: layers.map((layer) => {
                const found = this.#value(layer, [scene[0], scene[1], on === 'ground' && layer.volume ? Math.max(scene[2], (ground ?? 0) / 1000) : scene[2]]);
                return {variable: layer.variable.id, layer: layer.view, value: found ? found.value : null, units: layer.variable.units, epsilon: layer.epsilon, level: found ? found.level : null, volume: layer.volume};
            })};
    }

    // {value, level, i, j, k} or null outside the layer's volume.
    #value(layer, scene) { return this.#change(layer, this.#own(layer, scene), scene); }

    // A layer's own value less what it takes away at the place.
    #change(layer, own, scene) {
        if (!own || !layer.minus) return own;
        const less = this.#own(layer.minus, scene);
        return less && differenceOf(own, less, layer.change);
    }

    #own(layer, scene) {
        if (layer.level) return this.#scene.sheets.valueAt(layer, scene);
        const {geometry} = layer, slot = this.#scene.stage.slot(layer, 'front');
        if (!slot || !slot.field) return null;
        const [x, y, height] = geometry.fromScene(scene), ij = geometry.locate(x, y);
        if (!ij) return null;
        const {k, inside} = layer.volume ? geometry.locateLevel(ij[0], ij[1], height) : {k: 0, inside: true};
        if (!inside) return null;
        const found = this.#stored(layer, slot.field, ij, Math.min(k, geometry.nz - 1));
        return found && {...found, i: ij[0], j: ij[1], k};
    }

    #stored(layer, field, [i, j], k) {
        const {loader} = this.#scene;
        return valueAt(layer, field, loader.table(field), (of, level, b) => loader.peek(of, level, b), i, j, k);
    }
}
