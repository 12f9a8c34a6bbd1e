// SPDX-License-Identifier: Apache-2.0
// Vectors and 4 × 4 matrices (column major, as WebGL takes them), in doubles.

export const add = (a, b) => [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
export const sub = (a, b) => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
export const scale = (a, s) => [a[0] * s, a[1] * s, a[2] * s];
export const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
export const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
export const length = (a) => Math.hypot(a[0], a[1], a[2]);
export const normalise = (a) => scale(a, 1 / (length(a) || 1));

export function multiply(a, b) {
    const out = new Float64Array(16);
    for (let c = 0; c < 4; c++) for (let r = 0; r < 4; r++) {
        let sum = 0;
        for (let k = 0; k < 4; k++) sum += a[4 * k + r] * b[4 * c + k];
        out[4 * c + r] = sum;
    }
    return out;
}

export function transform(m, [x, y, z, w = 1]) {
    return [0, 1, 2, 3].map((r) => m[r] * x + m[4 + r] * y + m[8 + r] * z + m[12 + r] * w);
}

export function perspective(fovDegrees, aspect, near, far) {
    const f = 1 / Math.tan(fovDegrees * Math.PI / 360), out = new Float64Array(16);
    out[0] = f / aspect; out[5] = f; out[10] = (far + near) / (near - far); out[11] = -1; out[14] = 2 * far * near / (near - far);
    return out;
}

export function lookAt(eye, target, up) {
    const back = normalise(sub(eye, target));
    let right = cross(up, back);
    if (length(right) < 1e-9) right = cross([0, 1, 0], back);
    if (length(right) < 1e-9) right = [1, 0, 0];
    right = normalise(right);
    const top = cross(back, right);
    return Float64Array.from([right[0], top[0], back[0], 0, right[1], top[1], back[1], 0, right[2], top[2], back[2], 0, -dot(right, eye), -dot(top, eye), -dot(back, eye), 1]);
}

export function invert(m) {
    const a = Array.from({length: 4}, (_, r) => [m[r], m[4 + r], m[8 + r], m[12 + r], ...[0, 1, 2, 3].map((c) => c === r ? 1 : 0)]);
    for (let c = 0; c < 4; c++) {
        let pivot = c;
        for (let r = c + 1; r < 4; r++) if (Math.abs(a[r][c]) > Math.abs(a[pivot][c])) pivot = r;
        [a[c], a[pivot]] = [a[pivot], a[c]];
        const divisor = a[c][c] || 1e-300;
        for (let k = 0; k < 8; k++) a[c][k] /= divisor;
        for (let r = 0; r < 4; r++) if (r !== c) { const f = a[r][c]; for (let k = 0; k < 8; k++) a[r][k] -= f * a[c][k]; }
    }
    const out = new Float64Array(16);
    for (let r = 0; r < 4; r++) for (let c = 0; c < 4; c++) out[4 * c + r] = a[r][4 + c];
    return out;
}
