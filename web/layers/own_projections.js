// SPDX-License-Identifier: Apache-2.0
// Projections that proj4 lacks: orthographic on an ellipsoid, vertical perspective, transverse Mercator on a sphere.

const RAD = Math.PI / 180;

function earth({R, a, b, rf}) {
    const radius = R ?? a ?? 6378137, flattening = R ? 0 : rf ? 1 / rf : b ? 1 - b / radius : 0;
    return {a: radius, e2: flattening * (2 - flattening)};
}

// Parallel rays onto the plane that touches the ellipsoid at (lon_0, lat_0): the plane's own coordinates of a place in space.
// As EPSG method 9840 (IOGP guidance note 7-2). The far side is nowhere.
export function orthographic(p) {
    const {a, e2} = earth(p), lam0 = (p.lon_0 ?? 0) * RAD, s0 = Math.sin((p.lat_0 ?? 0) * RAD), c0 = Math.cos((p.lat_0 ?? 0) * RAD), x0 = p.x_0 ?? 0, y0 = p.y_0 ?? 0;
    // Places in space turned so that lon_0 is the first axis; the touching point, and how the plane stands.
    const n0 = a / Math.sqrt(1 - e2 * s0 * s0), touch = [n0 * c0, 0, n0 * (1 - e2) * s0], up = [c0, 0, s0], north = [-s0, 0, c0];
    return {
        forward(lon, lat) {
            const l = lon * RAD - lam0, s = Math.sin(lat * RAD), c = Math.cos(lat * RAD), n = a / Math.sqrt(1 - e2 * s * s);
            if (c * Math.cos(l) * c0 + s * s0 < 0) return null;
            const d = [n * c * Math.cos(l) - touch[0], n * c * Math.sin(l), n * (1 - e2) * s - touch[2]];
            return [x0 + d[1], y0 + d[0] * north[0] + d[2] * north[2]];
        },
        inverse(x, y) {
            // The ray through the plane's point meets the ellipsoid at two heights: the upper one is seen.
            const q = [touch[0] + (y - y0) * north[0], x - x0, touch[2] + (y - y0) * north[2]], w = 1 / (1 - e2);
            const A = up[0] * up[0] + w * up[2] * up[2], B = q[0] * up[0] + w * q[2] * up[2], C = q[0] * q[0] + q[1] * q[1] + w * q[2] * q[2] - a * a, under = B * B - A * C;
            if (!(under >= 0)) return null;
            const t = (-B + Math.sqrt(under)) / A, at = [q[0] + t * up[0], q[1], q[2] + t * up[2]];
            return [wrapped((Math.atan2(at[1], at[0]) + lam0) / RAD), Math.atan2(at[2] * w, Math.hypot(at[0], at[1])) / RAD];
        },
    };
}

// From a point h above (lon_0, lat_0), on a sphere of the ellipsoid's larger radius as PROJ has it (Snyder 1987, pages 173 to 176).
export function verticalPerspective(p) {
    const {a} = earth(p), P = 1 + p.h / a, lam0 = (p.lon_0 ?? 0) * RAD, s0 = Math.sin((p.lat_0 ?? 0) * RAD), c0 = Math.cos((p.lat_0 ?? 0) * RAD), x0 = p.x_0 ?? 0, y0 = p.y_0 ?? 0;
    return {
        forward(lon, lat) {
            const l = lon * RAD - lam0, s = Math.sin(lat * RAD), c = Math.cos(lat * RAD), cosine = s0 * s + c0 * c * Math.cos(l);
            if (cosine < 1 / P) return null;
            const k = a * (P - 1) / (P - cosine);
            return [x0 + k * c * Math.sin(l), y0 + k * (c0 * s - s0 * c * Math.cos(l))];
        },
        inverse(x, y) {
            const u = (x - x0) / a, v = (y - y0) / a, r = Math.hypot(u, v), under = 1 - r * r * (P + 1) / (P - 1);
            if (!(under >= 0)) return null;
            if (r === 0) return [wrapped(lam0 / RAD), p.lat_0 ?? 0];
            const sine = (P - Math.sqrt(under)) / ((P - 1) / r + r / (P - 1)), cosine = Math.sqrt(1 - sine * sine);
            const lat = Math.asin(Math.min(1, Math.max(-1, cosine * s0 + v * sine * c0 / r)));
            return [wrapped((lam0 + Math.atan2(u * sine, r * c0 * cosine - v * s0 * sine)) / RAD), lat / RAD];
        },
    };
}

// Snyder 1987, page 58. proj4 refuses spheres here.
export function sphericalTransverseMercator(p) {
    const scale = earth(p).a * (p.k_0 ?? p.k ?? 1), lam0 = (p.lon_0 ?? 0) * RAD, phi0 = (p.lat_0 ?? 0) * RAD, x0 = p.x_0 ?? 0, y0 = p.y_0 ?? 0;
    return {
        forward(lon, lat) {
            const l = wrapped(lon - lam0 / RAD) * RAD, f = lat * RAD, b = Math.cos(f) * Math.sin(l);
            return Math.abs(b) < 1 - 1e-12 ? [x0 + scale * Math.atanh(b), y0 + scale * (Math.atan2(Math.sin(f), Math.cos(f) * Math.cos(l)) - phi0)] : null;
        },
        inverse(x, y) {
            const d = (y - y0) / scale + phi0, u = (x - x0) / scale;
            return Math.abs(d) <= Math.PI ? [wrapped((lam0 + Math.atan2(Math.sinh(u), Math.cos(d))) / RAD), Math.asin(Math.sin(d) / Math.cosh(u)) / RAD] : null;
        },
    };
}

const wrapped = (degrees) => ((degrees + 180) % 360 + 360) % 360 - 180;
