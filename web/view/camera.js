// SPDX-License-Identifier: Apache-2.0
// The camera: a document part (render/README.md: positions in scene kilometres before exaggeration) and its movements.
// Movements are made in the exaggerated scene, where they look right.
import {add, cross, dot, invert, length, lookAt, multiply, normalise, perspective, scale, sub, transform} from './matrix.js';

const MODES = ['orbit', 'fly', 'top'], FOV = 40, TOP_FOV = 8;   // from above nearly parallel, so that high air stands over its ground

export class Camera {
    constructor() {
        this.mode = 'orbit';
        this.eye = [0, -1000, 60];
        this.target = [0, 0, 0];
        this.up = [0, 0, 1];
        this.fov = FOV;
        this.exaggeration = 1;
        this.box = {low: [-500, -500, 0], high: [500, 500, 15]};   // scene, not exaggerated
    }

    document() { return {mode: this.mode, eye: this.eye.map(round), target: this.target.map(round), up: this.up.map(round), fov: this.fov}; }

    set({mode, eye, target, up, fov}) {
        const usable = (v) => Array.isArray(v) && v.length === 3 && v.every(Number.isFinite);
        if (MODES.includes(mode)) this.mode = mode;
        if (usable(eye)) this.eye = [...eye];
        if (usable(target)) this.target = [...target];
        if (usable(up) && length(up) > 0) this.up = normalise(up);
        if (fov >= 1 && fov <= 120) this.fov = fov;
        if (length(sub(this.eye, this.target)) < 1e-6) this.eye = add(this.target, [0, -1, 1]);
    }

    #show(p) { return [p[0], p[1], p[2] * this.exaggeration]; }
    #hide(p) { return [p[0], p[1], p[2] / this.exaggeration]; }
    get shownEye() { return this.#show(this.eye); }
    get shownTarget() { return this.#show(this.target); }

    // Matrices for a picture of this aspect. `relative` maps clip to the scene as seen from the eye (without its position).
    matrices(aspect) {
        const eye = this.shownEye, target = this.shownTarget;
        const low = this.#show(this.box.low), high = this.#show(this.box.high);
        const size = length(sub(high, low)), away = length(eye.map((value, axis) => Math.max(low[axis] - value, 0, value - high[axis])));
        const near = Math.max(away * 0.7, size * 0.002), far = away + size * 2.4;
        const projection = perspective(this.fov, aspect, near, far), view = lookAt(eye, target, this.up);
        const turn = Float64Array.from(view);
        turn[12] = turn[13] = turn[14] = 0;
        return {eye, view, projection, all: multiply(projection, view), relative: invert(multiply(projection, turn)), near, far};
    }

    // Looks at the whole box from the south, a little from above.
    reset(aspect = 16 / 9) {
        const {low, high} = this.box, size = sub(this.#show(high), this.#show(low));
        this.mode = 'orbit';
        this.up = [0, 0, 1];
        this.fov = FOV;
        const direction = normalise([-0.26, -1, 0.78]), length3 = length(size);
        this.target = this.#hide([(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, (low[2] + high[2]) / 2]);
        this.eye = this.#hide(add(this.shownTarget, scale(direction, length3)));
        this.#fit(aspect);
    }

    // Comes as near as the whole box allows, and slides so that it stands in the middle.
    #fit(aspect) {
        const {low, high} = this.box, corners = Array.from({length: 8}, (_, n) => [n & 1 ? high[0] : low[0], n & 2 ? high[1] : low[1], n & 4 ? high[2] : low[2]]);
        for (let turn = 0; turn < 8; turn++) {
            const matrices = this.matrices(aspect), seen = corners.map((corner) => this.project(corner, matrices));
            if (seen.some((p) => !p)) break;
            const span = (axis) => [Math.min(...seen.map((p) => p[axis])), Math.max(...seen.map((p) => p[axis]))], [x0, x1] = span(0), [y0, y1] = span(1);
            const arm = sub(this.shownEye, this.shownTarget), reach = length(arm), tall = 2 * Math.tan(this.fov * Math.PI / 360) * reach, {right, top} = this.#axes();
            const slide = add(scale(right, ((x0 + x1) / 2 - 0.5) * tall * aspect), scale(top, (0.5 - (y0 + y1) / 2) * tall));
            const target = add(this.shownTarget, slide), nearer = Math.max((x1 - x0) / 0.9, (y1 - y0) / 0.86);
            this.target = this.#hide(target);
            this.eye = this.#hide(add(target, scale(arm, Math.min(2, Math.max(0.5, nearer)))));
        }
    }

    topDown(aspect = 16 / 9) {
        this.mode = 'top';
        this.fov = TOP_FOV;
        const {low, high} = this.box, size = sub(high, low), tall = Math.tan(this.fov * Math.PI / 360);
        this.up = [0, 1, 0];
        this.target = [(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, 0];
        const reach = 1.06 * Math.max(size[0] / 2 / (tall * aspect), size[1] / 2 / tall) + high[2] * this.exaggeration;
        this.eye = this.#hide(add(this.target, [0, 0, reach]));
    }

    // Leaves the view from above: as large on screen as before, with the usual perspective.
    leaveTop(mode) {
        if (this.mode === 'top') {
            const nearer = Math.tan(this.fov * Math.PI / 360) / Math.tan(FOV * Math.PI / 360);
            this.fov = FOV;
            this.eye = this.#hide(add(this.shownTarget, scale(sub(this.shownEye, this.shownTarget), nearer)));
        }
        this.mode = mode;
    }

    // dx, dy: share of the picture's height that the pointer moved.
    orbit(dx, dy) {
        if (this.mode === 'fly') { this.turn(dx, dy); return; }
        if (this.mode === 'top') this.leaveTop('orbit');
        const target = this.shownTarget, arm = sub(this.shownEye, target), reach = length(arm);
        let azimuth = Math.atan2(arm[1], arm[0]), elevation = Math.asin(Math.min(1, Math.max(-1, arm[2] / reach)));
        if (Math.hypot(arm[0], arm[1]) < 1e-6 * reach) azimuth = Math.atan2(-this.up[1], -this.up[0]);
        azimuth -= dx * Math.PI;
        elevation = Math.min(Math.PI / 2 - 0.002, Math.max(-0.15, elevation + dy * Math.PI));
        this.up = [0, 0, 1];
        this.eye = this.#hide(add(target, [reach * Math.cos(elevation) * Math.cos(azimuth), reach * Math.cos(elevation) * Math.sin(azimuth), reach * Math.sin(elevation)]));
    }

    // Flight: looks elsewhere from the same place.
    turn(dx, dy) {
        const eye = this.shownEye, look = sub(this.shownTarget, eye), reach = length(look);
        const azimuth = Math.atan2(look[1], look[0]) + dx * Math.PI / 2;
        const elevation = Math.min(1.5, Math.max(-1.5, Math.asin(Math.min(1, Math.max(-1, look[2] / reach))) + dy * Math.PI / 2));
        this.up = [0, 0, 1];
        this.target = this.#hide(add(eye, [reach * Math.cos(elevation) * Math.cos(azimuth), reach * Math.cos(elevation) * Math.sin(azimuth), reach * Math.sin(elevation)]));
    }

    #axes() {
        const forward = normalise(sub(this.shownTarget, this.shownEye));
        let right = cross(forward, this.up);
        if (length(right) < 1e-9) right = [1, 0, 0];
        right = normalise(right);
        return {forward, right, top: cross(right, forward)};
    }

    // Slides the picture: the ground under the pointer follows it.
    pan(dx, dy) {
        const {right, top, forward} = this.#axes(), reach = length(sub(this.shownTarget, this.shownEye)), tall = 2 * Math.tan(this.fov * Math.PI / 360) * reach;
        let along = this.mode === 'top' ? top : normalise([forward[0], forward[1], 0]);
        if (Math.abs(forward[2]) > 0.98 || length(along) < 0.5) along = normalise([top[0], top[1], 0]);
        const slant = this.mode === 'top' ? 1 : Math.max(0.25, Math.abs(forward[2]));
        this.#move(add(scale(right, -dx * tall), scale(along, dy * tall / slant)));
    }

    #move(step) {
        const {low, high} = this.box, size = sub(high, low);
        const target = add(this.shownTarget, step);
        const held = [Math.min(high[0] + size[0] / 2, Math.max(low[0] - size[0] / 2, target[0])), Math.min(high[1] + size[1] / 2, Math.max(low[1] - size[1] / 2, target[1])), target[2]];
        const really = sub(held, this.shownTarget);
        this.eye = this.#hide(add(this.shownEye, really));
        this.target = this.#hide(held);
    }

    // factor < 1 comes nearer. towards: a place in the exaggerated scene that stays under the pointer, or null.
    zoom(factor, towards = null) {
        const target = this.shownTarget, arm = sub(this.shownEye, target), size = length(sub(this.#show(this.box.high), this.#show(this.box.low)));
        const farthest = 3 * Math.tan(FOV * Math.PI / 360) / Math.tan(this.fov * Math.PI / 360);
        const reach = Math.min(size * farthest, Math.max(size * 0.004, length(arm) * factor)), real = reach / length(arm);
        let centre = target;
        if (towards && real < 1) centre = add(target, scale(sub(towards, target), 1 - real));
        this.target = this.#hide(centre);
        this.eye = this.#hide(add(centre, scale(arm, real)));
    }

    // Flight: right, forward and up in shares of the domain's size.
    fly(right, forward, up) {
        const axes = this.#axes(), size = Math.max(...sub(this.box.high, this.box.low));
        const step = scale(add(add(scale(axes.right, right), scale(axes.forward, forward)), [0, 0, up]), size);
        const eye = add(this.shownEye, step);
        if (eye[2] < 0.5) step[2] += 0.5 - eye[2];
        this.eye = this.#hide(add(this.shownEye, step));
        this.target = this.#hide(add(this.shownTarget, step));
    }

    // Ray through a point of the picture (x right, y down, 0 … 1), in the exaggerated scene.
    ray(x, y, aspect) {
        const {relative, eye} = this.matrices(aspect), far = transform(relative, [2 * x - 1, 1 - 2 * y, 1, 1]);
        return {origin: eye, direction: normalise(scale(far, 1 / far[3]))};
    }

    // Where a place of the scene (not exaggerated) is in the picture: [x, y] in 0 … 1 from the top left, or null behind the eye.
    project(place, matrices) {
        const clip = transform(matrices.all, [...this.#show(place), 1]);
        return clip[3] > 0 ? [(clip[0] / clip[3] + 1) / 2, (1 - clip[1] / clip[3]) / 2] : null;
    }
}

const round = (value) => Number(value.toPrecision(7));
export {dot};
