// SPDX-License-Identifier: Apache-2.0
// Where the domains of geometries (data/geometry.js) lie in the scene.

// {low, high: [X, Y, Z]} of all of them together, down to the lowest ground; never flat.
export function boxOf(geometries) {
    const low = [Infinity, Infinity, 0], high = [-Infinity, -Infinity, 0.01];
    for (const geometry of geometries) {
        const {x, y, top} = geometry.domain, a = geometry.toScene(x[0], y[0]), b = geometry.toScene(x[1], y[1], top);
        for (let axis = 0; axis < 2; axis++) { low[axis] = Math.min(low[axis], a[axis]); high[axis] = Math.max(high[axis], b[axis]); }
        high[2] = Math.max(high[2], b[2]);
        low[2] = Math.min(low[2], geometry.groundRange[0] / 1000);
    }
    return {low, high};
}

// Degrees from the scene's Y to north, clockwise, at a place; 0 where the projection does not reach. turn: of projectionOf().
export function northAngle({kmPerUnit}, turn, [lon, lat]) {
    const a = turn.forward(lon, lat - 0.05), b = turn.forward(lon, lat + 0.05);
    return a && b ? Math.atan2((b[0] - a[0]) * kmPerUnit[0], (b[1] - a[1]) * kmPerUnit[1]) * 180 / Math.PI : 0;
}
