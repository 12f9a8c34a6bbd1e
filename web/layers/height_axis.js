// SPDX-License-Identifier: Apache-2.0
// The domain's box and its height scale.

const STEPS = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50];

// Ticks in km from the box's bottom to its top.
export function heightTicks(low, high, wanted = 6) {
    const step = STEPS.find((one) => (high - low) / one <= wanted) ?? 100, ticks = [];
    for (let km = Math.ceil(low / step - 1e-9) * step; km <= high + 1e-9; km += step) ticks.push(Number(km.toFixed(4)));
    return {step, ticks};
}

// Edges of the box as segments.
export function boxSegments({low, high}) {
    const corner = (n) => [n & 1 ? high[0] : low[0], n & 2 ? high[1] : low[1], n & 4 ? high[2] : low[2]], out = [];
    for (const [a, b] of [[0, 1], [1, 3], [3, 2], [2, 0], [4, 5], [5, 7], [7, 6], [6, 4], [0, 4], [1, 5], [2, 6], [3, 7]]) out.push(...corner(a), ...corner(b));
    return Float32Array.from(out);
}

// The upright edge that stands free at the left of the picture: index 0 … 3 of the box's corners. project([X, Y, Z]) → [x, y] or null.
export function freeEdge({low, high}, project) {
    let best = -1, most = Infinity;
    for (let n = 0; n < 4; n++) {
        const foot = project([n & 1 ? high[0] : low[0], n & 2 ? high[1] : low[1], low[2]]);
        if (foot && foot[0] < most) { most = foot[0]; best = n; }
    }
    return best;
}
