// SPDX-License-Identifier: Apache-2.0
// Grids known by the places of their columns: there and back, beyond the edges, around the globe, and soon enough for coastlines.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {curvilinear} from '../../web/layers/curvilinear.js';

const RAD = Math.PI / 180;

// A stereographic plane that touches the sphere at (lon0, lat0); x, y in radians there, y to the north.
function planeToPlace(lon0, lat0, x, y) {
    const r = Math.hypot(x, y), c = 2 * Math.atan(r / 2), s = Math.sin(lat0 * RAD), k = Math.cos(lat0 * RAD);
    if (r === 0) return [lon0, lat0];
    return [lon0 + Math.atan2(x * Math.sin(c), r * k * Math.cos(c) - y * s * Math.sin(c)) / RAD, Math.asin(Math.cos(c) * s + y * Math.sin(c) * k / r) / RAD];
}

function about(lon0, lat0, nx, ny, step) {
    const lon = new Float64Array(nx * ny), lat = new Float64Array(nx * ny);
    for (let j = 0; j < ny; j++) for (let i = 0; i < nx; i++)
        [lon[j * nx + i], lat[j * nx + i]] = planeToPlace(lon0, lat0, (i - (nx - 1) / 2) * step, (j - (ny - 1) / 2) * step);
    return {nx, ny, wraps: false, lon, lat};
}

function random(seed) { let state = seed; return () => (state = (state * 1664525 + 1013904223) >>> 0) / 2 ** 32; }

for (const [lon0, lat0] of [[10, 50], [180, 0], [-179.5, -60], [33, 90], [0, -90], [75, 88]])
    test(`columns about ${lon0}, ${lat0} are found, and so are places between them`, () => {
        const grid = about(lon0, lat0, 43, 31, 0.012), turn = curvilinear(grid), dice = random(5);
        for (let n = 0; n < grid.nx * grid.ny; n++) {
            const found = turn.forward(grid.lon[n], grid.lat[n]);
            assert.ok(found && Math.abs(found[0] - n % 43) < 1e-6 && Math.abs(found[1] - Math.floor(n / 43)) < 1e-6);
        }
        for (let n = 0; n < 500; n++) {
            const at = [42 * dice(), 30 * dice()], back = turn.forward(...turn.inverse(...at));
            assert.ok(Math.hypot(back[0] - at[0], back[1] - at[1]) < 1e-8, `${at} ${back}`);
        }
        const [x, y] = turn.forward(...planeToPlace(lon0, lat0, 0.031, -0.047));
        assert.ok(Math.abs(x - (21 + 0.031 / 0.012)) < 2e-3 && Math.abs(y - (15 - 0.047 / 0.012)) < 2e-3);
        assert.equal(turn.forward(...planeToPlace(lon0, lat0, 0.3, 0)), null);
        assert.equal(turn.forward(lon0 + 180, -lat0), null);
        assert.equal(turn.inverse(43, 3), null);
    });

test('the world carries on around the grid about where a plane would', () => {
    const grid = about(10, 60, 60, 50, 0.004), turn = curvilinear({...grid, reach: [30, 30]});
    for (const [i, j] of [[-20, 10], [75, 45], [30, -25], [-15, -15], [80, 70]]) {
        const place = planeToPlace(10, 60, (i - 29.5) * 0.004, (j - 24.5) * 0.004), found = turn.forward(...place);
        assert.ok(found && Math.hypot(found[0] - i, found[1] - j) < 1.5, `${i} ${j}: ${found}`);
        const back = turn.inverse(...found);
        assert.ok(Math.abs(back[1] - place[1]) < 1e-6);
    }
});

test('a globe closes without a seam, and holes are outside', () => {
    const nx = 72, ny = 30, lon = new Float64Array(nx * ny), lat = new Float64Array(nx * ny), tilt = 2 * RAD;
    for (let j = 0; j < ny; j++) for (let i = 0; i < nx; i++) {
        const l = 5 * i * RAD, f = (-80 + 160 * j / (ny - 1)) * RAD, x = Math.cos(f) * Math.cos(l), y = Math.cos(f) * Math.sin(l), z = Math.sin(f);
        lon[j * nx + i] = Math.atan2(y, x * Math.cos(tilt) + z * Math.sin(tilt)) / RAD;
        lat[j * nx + i] = Math.asin(z * Math.cos(tilt) - x * Math.sin(tilt)) / RAD;
    }
    lon[10 * nx + 20] = NaN;
    const turn = curvilinear({nx, ny, wraps: true, lon, lat});
    for (let x = 70.5; x < 73.5; x += 0.1) {
        const found = turn.forward(...turn.inverse(x, 12.3));
        assert.ok(found[0] >= 0 && found[0] < 72 && Math.abs((found[0] - x + 108) % 72 - 36) < 1e-8 && Math.abs(found[1] - 12.3) < 1e-8);
    }
    assert.equal(turn.inverse(20.5, 10.5), null);
    assert.ok(turn.inverse(21, 10.5));
});

test('of a very fine grid some columns are enough', () => {
    const grid = about(10, 50, 2100, 1500, 0.0002), turn = curvilinear({...grid, reach: [600, 600]}), dice = random(9);
    for (let n = 0; n < 300; n++) {
        const at = [2099 * dice(), 1499 * dice()], place = planeToPlace(10, 50, (at[0] - 1049.5) * 0.0002, (at[1] - 749.5) * 0.0002), found = turn.forward(...place);
        assert.ok(found && Math.hypot(found[0] - at[0], found[1] - at[1]) < 0.01, `${at} ${found}`);
    }
});

test('a hundred thousand points of coastlines take no longer than a moment', () => {
    const grid = about(-60, 40, 600, 500, 0.002), start = performance.now(), turn = curvilinear({...grid, reach: [250, 250]}), made = performance.now();
    let found = 0;
    for (let n = 0; n < 100000; n++) {  // a line that wanders over the domain and out of it
        const t = n / 500;
        if (turn.forward(-60 + 60 * Math.sin(t) * Math.cos(0.13 * t), 40 + 40 * Math.sin(0.31 * t))) found++;
    }
    const end = performance.now();
    assert.ok(found > 10000);
    assert.ok(made - start < 6000 && end - made < 6000, `${made - start} ms to make, ${end - made} ms to find`);
    console.log(`made in ${(made - start).toFixed(0)} ms, 100,000 points in ${(end - made).toFixed(0)} ms, ${found} of them inside`);
});
