// SPDX-License-Identifier: Apache-2.0
// Text over the picture, on a transparent canvas of its own: degrees along the domain's edges and kilometres up its side.
import {degreesText} from './graticule.js';
import {freeEdge, heightTicks} from './height_axis.js';

export class Labels {
    constructor(canvas) {
        this.below = canvas;
        this.canvas = document.createElement('canvas');
        this.canvas.className = 'viewer-labels';
        this.canvas.setAttribute('aria-hidden', 'true');
        Object.assign(this.canvas.style, {position: 'absolute', left: '0', top: '0', width: '100%', height: '100%', pointerEvents: 'none'});
        canvas.after(this.canvas);
    }

    // what: {project([X,Y,Z]) → [0…1, 0…1] or null, box, exaggeration, degrees: [{kind, value, at: [X, Y, Z], out: [X, Y, Z]}], heights: bool, datum, top: bool}
    draw(what, ratio) {
        const {canvas, below} = this, width = below.clientWidth, height = below.clientHeight;
        if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) { canvas.width = Math.round(width * ratio); canvas.height = Math.round(height * ratio); }
        const context = canvas.getContext('2d');
        context.setTransform(ratio, 0, 0, ratio, 0, 0);
        context.clearRect(0, 0, width, height);
        if (!what) return;
        this.taken = [];
        const place = (point) => { const p = what.project(point); return p && [p[0] * width, p[1] * height]; };
        context.font = '600 12px system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif';
        context.lineJoin = 'round';
        if (what.heights) this.#heights(context, what, place);
        for (const {kind, value, at, out} of what.degrees) {
            const p = place(at), q = place(out);
            if (!p || !q) continue;
            const away = Math.hypot(q[0] - p[0], q[1] - p[1]) || 1, x = p[0] + (q[0] - p[0]) / away * 16, y = p[1] + (q[1] - p[1]) / away * 16;
            this.#text(context, degreesText(kind, value), x, y, 'center', width, height);
        }
    }

    #heights(context, {box, exaggeration, datum}, place) {
        const n = freeEdge(box, place);
        if (n < 0) return;
        const x = n & 1 ? box.high[0] : box.low[0], y = n & 2 ? box.high[1] : box.low[1], low = place([x, y, box.low[2]]), high = place([x, y, box.high[2]]);
        if (!low || !high || Math.hypot(low[0] - high[0], low[1] - high[1]) < 40) return;
        const wanted = Math.max(2, Math.min(8, Math.hypot(low[0] - high[0], low[1] - high[1]) / 26)), {ticks} = heightTicks(Math.max(0, box.low[2]), box.high[2], wanted);
        context.strokeStyle = 'rgba(235, 240, 245, 0.85)';
        context.lineWidth = 1.25;
        context.beginPath();
        context.moveTo(...low);
        context.lineTo(...high);
        for (const km of ticks) { const p = place([x, y, km]); if (p) { context.moveTo(p[0] - 5, p[1]); context.lineTo(...p); } }
        context.stroke();
        ticks.forEach((km, index) => {
            const p = place([x, y, km]);
            if (!p) return;
            const text = index === ticks.length - 1 ? `${km} km${datum === 'ground' ? ' above ground' : ''}` : String(km), room = p[0] - 11 - context.measureText(text).width;
            // A text that finds no room on the axis's outer side stands on the other.
            if (room < -6) this.#text(context, text, p[0] + 9, p[1], 'left'); else this.#text(context, text, p[0] - 9 - Math.min(0, room), p[1], 'right');
        });
    }

    // Text with a dark rim, left out where it would cover another.
    #text(context, text, x, y, align, width = Infinity, height = Infinity) {
        const w = context.measureText(text).width, left = align === 'right' ? x - w : align === 'center' ? x - w / 2 : x;
        if (left < 2 && align === 'center' || y < 8 || left + w > width - 2 || y > height - 8) return;
        const area = [left - 4, y - 8, left + w + 4, y + 8];
        if (this.taken.some((other) => area[0] < other[2] && area[2] > other[0] && area[1] < other[3] && area[3] > other[1])) return;
        this.taken.push(area);
        context.textAlign = align;
        context.textBaseline = 'middle';
        context.strokeStyle = 'rgba(10, 16, 24, 0.85)';
        context.lineWidth = 3;
        context.strokeText(text, x, y);
        context.fillStyle = '#eef3f7';
        context.fillText(text, x, y);
    }

    clear() { this.draw(null, 1); }
    dispose() { this.canvas.remove(); }
}
