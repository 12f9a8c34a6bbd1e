// SPDX-License-Identifier: Apache-2.0
// A layer's transfer function as a table: colour (sRGB 0…1) and tau = −log(1 − opacity per km), evenly over the values
// that colours or opacities speak of; its integral, for the mean between two values; and the question whether anything
// shows between two values.

export const ENTRIES = 1024;
const GREY = [[0, 40, 40, 40], [1, 245, 245, 245]], MOST = 0.9999;

export function interpolate(points, at, column) {
    if (at <= points[0][0]) return points[0][column];
    for (let k = 1; k < points.length; k++) {
        if (at > points[k][0]) continue;
        const [a, b] = [points[k - 1], points[k]], f = (at - a[0]) / (b[0] - a[0] || 1);
        return a[column] + f * (b[column] - a[column]);
    }
    return points[points.length - 1][column];
}

export class Transfer {
    // colourMap: [[t, r, g, b], …]; range: [lo, hi]; opacity: [[value, a per km], …] increasing, or null for visible everywhere.
    constructor(colourMap, range, opacity) {
        const map = colourMap && colourMap.length ? colourMap : GREY;
        this.opacity = opacity && opacity.length ? [...opacity].sort((a, b) => a[0] - b[0]) : [[range[0], 0.3]];
        let [low, high] = [Math.min(range[0], range[1]), Math.max(range[0], range[1])];
        low = Math.min(low, this.opacity[0][0]);
        high = Math.max(high, this.opacity[this.opacity.length - 1][0]);
        if (!(high > low)) high = low + (Math.abs(low) * 1e-6 || 1);
        this.low = low;
        this.high = high;
        this.data = new Float32Array(ENTRIES * 4);
        this.integral = new Float32Array(ENTRIES * 4); // from the first entry up to each: colour × tau and tau, in entries
        this.visibleBefore = new Uint16Array(ENTRIES + 1);
        const span = range[1] - range[0] || 1;
        for (let k = 0; k < ENTRIES; k++) {
            const value = low + (high - low) * k / (ENTRIES - 1), t = (value - range[0]) / span;
            for (let c = 0; c < 3; c++) this.data[4 * k + c] = interpolate(map, t, c + 1) / 255;
            const a = Math.min(MOST, Math.max(0, interpolate(this.opacity, value, 1)));
            this.data[4 * k + 3] = -Math.log(1 - a);
            this.visibleBefore[k + 1] = this.visibleBefore[k] + (a > 0 ? 1 : 0);
        }
        this.#integrate();
    }

    #integrate() {
        const sum = [0, 0, 0, 0], {data} = this;
        for (let k = 1; k < ENTRIES; k++) for (let c = 0; c < 4; c++) {
            const a = data[4 * k - 4 + c] * (c < 3 ? data[4 * k - 1] : 1), b = data[4 * k + c] * (c < 3 ? data[4 * k + 3] : 1);
            this.integral[4 * k + c] = sum[c] += (a + b) / 2;
        }
    }

    // [x, y] so that texture coordinate = q x + y for lattice integers q.
    lookup({v0, step}) {
        const rate = (ENTRIES - 1) / ENTRIES / (this.high - this.low);
        return [step * rate, (v0 - this.low) * rate + 0.5 / ENTRIES];
    }

    #entry(value) { return (Math.min(this.high, Math.max(this.low, value)) - this.low) / (this.high - this.low) * (ENTRIES - 1); }

    // −log(1 − opacity per km) at a value.
    tau(value) {
        const at = this.#entry(value), k = Math.min(ENTRIES - 2, Math.floor(at)), f = at - k;
        return this.data[4 * k + 3] * (1 - f) + this.data[4 * k + 7] * f;
    }

    // Whether any value between the two (inclusive) is visible.
    visible(low, high) {
        const first = Math.max(0, Math.floor(this.#entry(low)) - 1), last = Math.min(ENTRIES - 1, Math.ceil(this.#entry(high)) + 1);
        return this.visibleBefore[last + 1] > this.visibleBefore[first];
    }
}
