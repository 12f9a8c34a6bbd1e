// SPDX-License-Identifier: Apache-2.0
// What stands around the data: ground mesh, land and sea, coasts, borders, graticule, box. Made once a domain.
import {groundMesh, meshHeight} from '../gl/ground_pass.js';
import {landMap, loadWorld, sceneSegments} from './coastlines.js';
import {graticule} from './graticule.js';
import {boxSegments} from './height_axis.js';
import {wrap} from './projection.js';

const RAD = Math.PI / 180;
export const AROUND = 0.42;
const INKS = {coast: [0.80, 0.86, 0.90, 0.85], border: [0.75, 0.78, 0.80, 0.38], graticule: [0.80, 0.87, 0.95, 0.20], box: [0.80, 0.87, 0.95, 0.30], outer: [0.75, 0.82, 0.88, 0.28]};

// Where the middle is no place on Earth, some other part of the domain is.
function anyPlace(turn, {x, y}) {
    for (let n = 0; n < 400; n++) {
        const place = turn.inverse(x[0] + (x[1] - x[0]) * (n % 20 + 0.5) / 20, y[0] + (y[1] - y[0]) * (Math.floor(n / 20) + 0.5) / 20);
        if (place) return place;
    }
    return [0, 0];
}

export class Basemap {
    constructor(ready) {
        this.ready = ready;
        this.token = 0;
        this.lines = {};
        this.degrees = [];
        this.firstPicture = new Promise((resolve) => { this.pictureDrawn = resolve; });
    }

    // geometry: of the first layer; heightAt(i, j) metres; turn: of projection(); box in scene km.
    setDomain(geometry, heightAt, turn, box) {
        const token = ++this.token, {domain} = geometry, corners = [[0, 0], [1, 0], [0, 1], [1, 1]];
        const middle = [(domain.x[0] + domain.x[1]) / 2, (domain.y[0] + domain.y[1]) / 2];
        this.centre = turn.inverse(...middle) || anyPlace(turn, domain);
        if (geometry.plainGlobe) this.centre = [middle[0], middle[1]];
        const unwrap = (lon) => wrap(lon - this.centre[0]) + this.centre[0];
        const lonlatAt = (X, Y) => {
            const [x, y] = geometry.fromScene([X, Y, 0]);
            if (geometry.plainGlobe) return [x, y];
            const place = turn.inverse(x, y);
            return place ? [unwrap(place[0]), place[1]] : [...this.centre];
        };
        this.geometry = geometry;
        this.box = box;
        this.around = !geometry.wraps;
        const size = [box.high[0] - box.low[0], box.high[1] - box.low[1]];
        this.depth = Math.max(...size) * 0.012;
        this.#bounds(size, lonlatAt);
        this.placeAt = (X, Y) => {
            const [lon, lat] = lonlatAt(X, Y), l = (lon - this.centre[0]) * RAD, f = lat * RAD;
            return this.spherical ? [Math.cos(f) * Math.cos(l), Math.cos(f) * Math.sin(l), Math.sin(f)] : [lon, lat, 0];
        };
        this.mesh = groundMesh(geometry, heightAt, this.placeAt);
        const height = (X, Y) => meshHeight(this.mesh, X, Y);
        const toScene = (lon, lat) => {
            if (geometry.plainGlobe) { const x0 = domain.x[0]; const scene = geometry.toScene(x0 + ((lon - x0) % 360 + 360) % 360, lat); return [scene[0], scene[1]]; }
            const place = turn.forward(lon, lat);
            if (!place) return null;
            const x = geometry.angular ? middle[0] + wrap(place[0] - middle[0]) : place[0];
            const scene = geometry.toScene(x, place[1]);
            return [scene[0], scene[1]];
        };
        const inside = (X, Y) => X >= box.low[0] - 1e-6 && X <= box.high[0] + 1e-6 && Y >= box.low[1] - 1e-6 && Y <= box.high[1] + 1e-6;
        this.cutting = {toScene, inside, heightAt: height, near: (lon, lat) => this.#near(lon, lat), longest: Math.max(...size) / 3, shortest: Math.max(...size) / 900,
            cell: Math.min(...this.mesh.step)};
        this.lines = {box: boxSegments({low: [box.low[0], box.low[1], Math.max(0, box.low[2])], high: box.high})};
        this.#graticule(toScene, inside);
        this.land = null;
        // Coastlines cost as much time as the first picture: they come right after it, or soon where there is none.
        this.patience ??= setTimeout(this.pictureDrawn, 3000);
        this.firstPicture.then(() => this.#world(token, Math.max(...size))).then(() => { if (token === this.token) this.ready('world'); }, (error) => this.ready('world', error));
        return corners;
    }

    // Longitudes jump within a domain that holds a pole or goes around the globe on axes of its own: then all of them are in it.
    #bounds(size, lonlatAt) {
        const bound = (margin) => {
            const out = {west: Infinity, east: -Infinity, south: Infinity, north: -Infinity, jumps: false}, rows = [];
            for (let a = 0; a <= 24; a++) {
                const row = [];
                for (let b = 0; b <= 24; b++) {
                    const [lon, lat] = lonlatAt(this.box.low[0] - margin + (size[0] + 2 * margin) * a / 24, this.box.low[1] - margin + (size[1] + 2 * margin) * b / 24);
                    out.west = Math.min(out.west, lon); out.east = Math.max(out.east, lon); out.south = Math.min(out.south, lat); out.north = Math.max(out.north, lat);
                    out.jumps ||= b > 0 && Math.abs(lon - row[b - 1]) > 180 || a > 0 && Math.abs(lon - rows[a - 1][b]) > 180;
                    row.push(lon);
                }
                rows.push(row);
            }
            if (!out.jumps || this.geometry.plainGlobe) return out;
            const far = 2 * (out.north - out.south) / 24;
            return {...out, west: this.centre[0] - 180, east: this.centre[0] + 180, north: out.north + far > 90 ? 90 : out.north, south: out.south - far < -90 ? -90 : out.south};
        };
        this.bounds = bound(0);
        const wide = this.wide = bound(this.around ? AROUND * Math.max(...size) : 0), pad = 0.02 * (wide.east - wide.west + wide.north - wide.south);
        this.spherical = wide.jumps && !this.geometry.plainGlobe;
        if (!this.spherical) { wide.west -= pad; wide.east += pad; }
        wide.south = Math.max(-90, wide.south - pad); wide.north = Math.min(90, wide.north + pad);
    }

    #near(lon, lat) {
        const {west, east, south, north} = this.wide;
        if (lat < south - 2 || lat > north + 2) return false;
        for (const turn of [-360, 0, 360]) if (lon + turn >= west - 2 && lon + turn <= east + 2) return true;
        return false;
    }

    async #world(token, km) {
        if (token !== this.token) return;
        const world = await loadWorld(km < 1600 ? '10m' : km < 9000 ? '50m' : '110m');
        if (token !== this.token) return;
        const size = [this.box.high[0] - this.box.low[0], this.box.high[1] - this.box.low[1]], margin = AROUND * Math.max(...size);
        this.land = landMap(world, this.wide);
        this.lines.coast = sceneSegments(world.coasts, this.cutting);
        this.lines.coastQuick = sceneSegments(world.coasts, {...this.cutting, shortest: this.cutting.shortest * 4});
        this.lines.border = sceneSegments(world.borders, this.cutting);
        if (this.around) {
            const {box} = this, fade = margin * 0.7;
            const beyond = (X, Y) => !this.cutting.inside(X, Y) && X > box.low[0] - fade && X < box.high[0] + fade && Y > box.low[1] - fade && Y < box.high[1] + fade;
            this.lines.outer = sceneSegments(world.coasts, {...this.cutting, inside: beyond, heightAt: () => 0, shortest: this.cutting.shortest * 5, cell: Infinity});
        }
    }

    #graticule(toScene, inside) {
        const all = graticule(this.bounds), out = [];
        this.degrees = [];
        for (const {kind, value, line} of all) {
            const segments = sceneSegments([line], {...this.cutting, near: () => true, shortest: 0});
            for (const number of segments) out.push(number);
            if (segments.length < 6) continue;
            // Labels where the line leaves the domain, on all sides; those turned away are left out when drawn.
            const n = segments.length, ends = [[segments[0], segments[1], segments[2]], [segments[n - 3], segments[n - 2], segments[n - 1]]];
            for (const at of ends) {
                const side = this.#side(at);
                if (side) this.degrees.push({kind, value, at, side, out: [at[0] + side[0], at[1] + side[1], at[2]]});
            }
        }
        this.lines.graticule = Float32Array.from(out);
    }

    // Outward direction of the edge that a point lies on, or null inside.
    #side([X, Y]) {
        const {low, high} = this.box, near = 0.012 * Math.max(high[0] - low[0], high[1] - low[1]), reach = 10 * near;
        if (Y - low[1] < near) return [0, -reach];
        if (high[1] - Y < near) return [0, reach];
        if (X - low[0] < near) return [-reach, 0];
        if (high[0] - X < near) return [reach, 0];
        return null;
    }

    // Hands all to the GPU. map: of the view document.
    upload(renderer, map = {}) {
        if (!this.mesh || !renderer) return;
        if (this.uploadedTo !== renderer || this.uploadedMesh !== this.mesh) renderer.groundPass.setMesh(this.mesh, this.placeAt, {around: this.around, depth: this.depth, spherical: this.spherical, meridian: this.centre[0]});
        if (this.uploadedTo !== renderer || this.uploadedLand !== this.land) renderer.groundPass.setLand(this.land && this.land.canvas, this.land && this.land.of);
        this.uploadedTo = renderer;
        this.uploadedMesh = this.mesh;
        this.uploadedLand = this.land;
        const draw = (name, on, options) => renderer.linePass.set(name, on === false ? null : this.lines[name] || null, options);
        draw('graticule', map.graticule, {ink: INKS.graticule, width: 1, order: 1});
        draw('border', map.coastlines, {ink: INKS.border, width: 1, order: 2, when: 'full'});
        draw('outer', map.coastlines, {ink: INKS.outer, width: 1, order: 0});
        draw('coast', map.coastlines, {ink: INKS.coast, width: 1.5, order: 3, when: 'full'});
        draw('coastQuick', map.coastlines, {ink: INKS.coast, width: 1.5, order: 3, when: 'quick'});
        draw('box', map.height_axis, {ink: INKS.box, width: 1, order: 4});
    }
}
