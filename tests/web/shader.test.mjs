// SPDX-License-Identifier: Apache-2.0
// The shaders' arithmetic as numbers: known volumes are read back from the GPU at many places and held against plain code.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {openBrowser, openViewer, view, VIEWER_FILES} from './page.mjs';
import {startFakeServer} from './fake_server.mjs';

let server, browser, page;

before(async () => {
    server = await startFakeServer({files: VIEWER_FILES});
    browser = await openBrowser();
    page = await openViewer(browser, server, {width: 320, height: 200});
});
after(async () => { await browser?.close(); await server?.close(); });

const layer = (variable, extra = {}) => ({variable, range: [0, 1], opacity: [[0, 0.5]], ...extra});

async function show(dataset, layers, extra) {
    await page.evaluate((v) => { viewer.setView(v); }, view(dataset, layers, {light: {sun: {azimuth: 200, elevation: 45}, shadows: false, ambient: 0.4}, ...extra}));
    await page.waitForFunction(([d, variables]) => viewer.scene_?.key.startsWith(d + '|') && viewer.layers.map((l) => l.variable.id).join() === variables && viewer.stats().allHere && viewer.stage.drawn(0).volumes.length === variables.split(',').length, [dataset, layers.map((l) => l.variable).join()], {timeout: 60000});
    // Every brick of the finest level, whatever the camera wants.
    await page.waitForFunction(() => { viewer.stage.select(null); viewer.stage.upload(1e9); const {wanted, resident} = viewer.stage.share(); return wanted === resident; }, null, {timeout: 60000});
    await page.evaluate(() => { viewer.stage.updateSkip(viewer.scene_.box); viewer.scene(); });
}

// Reads, for scene places [X, Y, Z km], {i, j, k, q, inside, present} as the shader computes them.
function gpuAt(places) {
    return page.evaluate(async (list) => {
        const {readPlaces} = await import('./shader_probe.js');
        return readPlaces(viewer, list);
    }, places);
}

// The same from the page's double-precision geometry.
function expected(places) {
    return page.evaluate((list) => {
        const {geometry} = viewer.layers[0];
        return list.map((scene) => {
            const [x, y, h] = geometry.fromScene(scene), ij = geometry.locate(x, y);
            if (!ij) return {inside: false};
            const {k, inside} = geometry.locateLevel(ij[0], ij[1], h);
            return {i: ij[0], j: ij[1], k: Math.min(k, geometry.nz - 1), inside};
        });
    }, places);
}

function random(seed) { let s = seed >>> 0; return () => { s = Math.imul(s ^ s >>> 15, s | 1); s ^= s + Math.imul(s ^ s >>> 7, s | 61); return ((s ^ s >>> 14) >>> 0) / 4294967296; }; }

async function somePlaces(count, seed = 7) {
    const {low, high} = await page.evaluate(() => viewer.scene_.box), next = random(seed);
    return Array.from({length: count}, (_, n) => { seed = n; const r = random(n * 7919 + 13); r(); return [0, 1, 2].map((axis) => low[axis] + (high[axis] - low[axis]) * r()); });
}

for (const [variable, axis] of [['ramp_i', 'i'], ['ramp_j', 'j']]) {
    test(`a coordinate ramp has no drift: ${variable} equals the index at every place`, async () => {
        await show('known', [layer(variable)]);
        const places = await somePlaces(1000), got = await gpuAt(places), want = await expected(places);
        let worst = 0;
        got.forEach((g, n) => {
            assert.equal(g.inside, want[n].inside, `place ${places[n]}`);
            if (!g.inside) return;
            worst = Math.max(worst, Math.abs(g[axis] - want[n][axis]));
            // The value is the index to within the lattice (0.05) and the sampler's 8 bits of fraction.
            assert.ok(Math.abs(g.value - want[n][axis]) <= 0.05 + 1 / 256 + 1e-3, `value ${g.value} at ${axis} = ${want[n][axis]}`);
        });
        assert.ok(worst < 2e-4, `index drifts by ${worst}`);
    });
}

test('a ramp in height has the height as its value', async () => {
    await show('known', [layer('ramp_h')]);
    const places = await somePlaces(600), got = await gpuAt(places);
    for (const [n, g] of got.entries()) if (g.inside) assert.ok(Math.abs(g.value - places[n][2] * 10) < 0.05 + 5 / 256 + 0.02, `${g.value} at ${places[n][2]} km`);
});

for (const [dataset, variable] of [['known', 'ramp_i'], ['hybrid', 'level'], ['pressure', 'level'], ['waves', 'level'], ['global', 'wave']]) {
    test(`the level map on the GPU equals the formula: ${dataset}`, async () => {
        await show(dataset, [layer(variable)]);
        const places = await somePlaces(1000), got = await gpuAt(places), want = await expected(places);
        let worst = 0, inside = 0;
        got.forEach((g, n) => {
            if (!want[n].inside || !g.inside) { assert.ok(g.inside === want[n].inside || Math.abs((want[n].k ?? 0) - g.k) < 0.01, `inside at ${places[n]}`); return; }
            inside++;
            worst = Math.max(worst, Math.abs(g.k - want[n].k), Math.abs(g.j - want[n].j), Math.min(Math.abs(g.i - want[n].i), 96 - Math.abs(g.i - want[n].i)));
        });
        assert.ok(inside > 300, `${inside} places are inside`);
        assert.ok(worst < 2e-3, `an index differs by ${worst}`);
    });
}

test('values between voxels are trilinear in (i, j, k), across bricks and around the globe', async () => {
    await show('global', [layer('wave')]);
    const places = await somePlaces(1000, 3), got = await gpuAt(places), want = await page.evaluate((list) => list.map((scene) => {
        const {geometry} = viewer.layers[0], [x, y, h] = geometry.fromScene(scene), place = viewer.geometry.toLonLat(x, y);
        return viewer.probeAt(place[0], place[1], h)?.layers[0].value ?? null;
    }), places);
    let compared = 0;
    got.forEach((g, n) => { if (g.present && want[n] !== null) { compared++; assert.ok(Math.abs(g.value - want[n]) < 0.06, `${g.value} for ${want[n]} at ${places[n]}`); } });
    assert.ok(compared > 500, `${compared} compared`);
});

test('at the edge of missing data a sample is the mean of what is present, absent below half the weight', async () => {
    await show('known', [layer('holes')]);
    const places = [];
    const {centre} = await page.evaluate(() => ({centre: viewer.layers[0].geometry.centre}));
    for (let n = 0; n < 800; n++) { const r = random(n * 101 + 5); r(); places.push([(18 + 12 * r()) - centre[0] / 1000, (18 + 12 * r()) - centre[1] / 1000, 9.9 * r()]); }
    const got = await gpuAt(places), want = await page.evaluate((list) => list.map((scene) => {
        const {geometry} = viewer.layers[0], [x, y, h] = geometry.fromScene(scene), place = viewer.geometry.toLonLat(x, y);
        return viewer.probeAt(place[0], place[1], h)?.layers[0].value ?? null;
    }), places);
    let both = 0, absent = 0, odd = 0;
    got.forEach((g, n) => {
        if ((want[n] === null) === g.present) { odd++; return; }
        if (!g.present) { absent++; return; }
        both++;
        assert.ok(Math.abs(g.value - want[n]) < 0.12, `${g.value} for ${want[n]}`);
    });
    assert.ok(both > 200 && absent > 100, `${both} present, ${absent} absent`);
    assert.ok(odd <= 800 * 0.02, `${odd} places differ in presence; the sampler's fraction has 8 bits`);
});

test('numbers that span more than 4096 lattice steps lose only low bits', async () => {
    await show('known', [layer('wide', {range: [260, 340]})]);
    const places = await somePlaces(500), got = await gpuAt(places);
    const dropped = await page.evaluate(() => viewer.stage.share().dropped);
    assert.ok(dropped > 0);
    const want = await page.evaluate((list) => list.map((scene) => {
        const {geometry} = viewer.layers[0], [x, y, h] = geometry.fromScene(scene), place = viewer.geometry.toLonLat(x, y);
        return viewer.probeAt(place[0], place[1], h)?.layers[0].value ?? null;
    }), places);
    got.forEach((g, n) => { if (g.present && want[n] !== null) assert.ok(Math.abs(g.value - want[n]) < 0.001 * 2 ** dropped + 0.06, `${g.value} for ${want[n]}`); });
});

for (const dataset of ['hybrid', 'waves']) test(`columns read one by one give the same levels as columns filtered: ${dataset}`, async () => {
    await show(dataset, [layer('level')]);
    const places = await somePlaces(500, 11), filtered = await gpuAt(places);
    await page.evaluate(() => { viewer.stage.smooth = false; viewer.stage.setLayers([]); viewer.stage.setLayers(viewer.layers); viewer.stage.show(viewer.layers[0], 'front', viewer.layers[0].field(0)); });
    await page.waitForFunction(() => { viewer.stage.select(null); viewer.stage.upload(1e9); return viewer.stage.drawn(0).volumes.length === 1; });
    const exact = await gpuAt(places), variant = await page.evaluate(() => viewer.layers[0].gpu.smooth);
    await page.evaluate(() => { viewer.stage.smooth = true; viewer.stage.setLayers([]); viewer.stage.setLayers(viewer.layers); viewer.stage.show(viewer.layers[0], 'front', viewer.layers[0].field(0)); });
    assert.equal(variant, false);
    filtered.forEach((f, n) => { if (f.inside && exact[n].inside) assert.ok(Math.abs(f.k - exact[n].k) < 2e-3, `${f.k} and ${exact[n].k}`); });
});

test('two time slots are blended in the share that is asked for', async () => {
    await show('pressure', [layer('moving', {range: [0, 30], opacity: [[0, 0.4], [30, 0.4]]})]);
    await page.evaluate(() => { viewer.setTime(0, {direction: 1, rate: 1}); });
    await page.waitForFunction(() => { const l = viewer.layers[0], f = l.field(1); if (!viewer.stage.ready(l, f)) return false; viewer.stage.show(l, 'back', f); viewer.stage.select(null); viewer.stage.upload(1e9); const slot = viewer.stage.slot(l, 'back'); return slot.wanted.length > 0 && slot.wanted.length === slot.resident; }, null, {timeout: 30000});
    const places = await somePlaces(200, 5), got = await page.evaluate(async (list) => { const {readPlaces} = await import('./shader_probe.js'); return readPlaces(viewer, list, 0.3); }, places), want = await expected(places);
    let compared = 0;
    got.forEach((g, n) => { if (g.present && want[n].inside) { compared++; assert.ok(Math.abs(g.value - (3 + 0.1 * want[n].i)) < 0.03, `${g.value}`); } });
    assert.ok(compared > 80);
    const {error, filled} = await page.evaluate(async () => { const {blendedPixels} = await import('./shader_probe.js'); return blendedPixels(viewer, 0.5); });
    assert.equal(error, 0);
    assert.ok(filled > 1000);
});

// Alpha of the middle of a picture straight from above, over a volume of 10 km in which opacity is the same everywhere.
async function alphaFromAbove(opacity, stepFactor) {
    await show('known', [layer('constant', {range: [0, 10], opacity: [[0, opacity], [10, opacity]]})], {exaggeration: 3, camera: {mode: 'top', eye: [0, 0, 400], target: [0, 0, 0], up: [0, 1, 0], fov: 20}});
    return page.evaluate(async (factor) => { const {marchedAlpha} = await import('./shader_probe.js'); return marchedAlpha(viewer, factor); }, stepFactor);
}

test('opacity does not depend on the step: 1 − (1 − a)^r', async () => {
    for (const a of [0.05, 0.2]) for (const factor of [0.5, 1, 3.7]) {
        const alpha = await alphaFromAbove(a, factor);
        assert.ok(Math.abs(alpha - (1 - (1 - a) ** 10)) < 0.02, `a = ${a}, step ${factor}: ${alpha}`);
    }
});

test('a peak that is much narrower than a step is seen at its full strength, at any step', async () => {
    // The value is ten times the height in km: the peak from 48 to 52 lies in 400 m of it. Between its points a is linear.
    await show('known', [layer('ramp_h', {range: [0, 100], opacity: [[0, 0], [48, 0], [50, 0.9], [52, 0], [100, 0]]})], {exaggeration: 3, camera: {mode: 'top', eye: [0, 0, 400], target: [0, 0, 0], up: [0, 1, 0], fov: 20}});
    let tau = 0;
    for (let n = 0; n < 4000; n++) tau -= Math.log(1 - 0.9 * (1 - Math.abs((n + 0.5) / 2000 - 1))) * 0.4 / 4000;
    for (const factor of [0.5, 1, 3.7]) {
        const alpha = await page.evaluate(async (f) => { const {marchedAlpha} = await import('./shader_probe.js'); return marchedAlpha(viewer, f); }, factor);
        assert.ok(Math.abs(alpha - (1 - Math.exp(-tau))) < 0.02, `step ${factor}: ${alpha} for ${1 - Math.exp(-tau)}`);
    }
});

test('nothing is drawn where the transfer function shows nothing, and skipping loses nothing', async () => {
    await show('known', [layer('sphere', {range: [0, 20], opacity: [[0, 0], [9.99, 0], [10, 0.9], [20, 0.9]]})], {exaggeration: 3, camera: {mode: 'orbit', eye: [20, -120, 25], target: [0, 0, 5], up: [0, 0, 1], fov: 40}});
    const {withSkip, without} = await page.evaluate(async () => {
        const {coverage} = await import('./shader_probe.js');
        const withSkip = coverage(viewer);
        viewer.stage.skipGrid.values.fill(0);
        viewer.renderer.volumePass.setSkip(viewer.stage.skipGrid);
        const without = coverage(viewer);
        viewer.stage.skipDirty = true;
        return {withSkip, without};
    });
    assert.ok(without.filter((a) => a > 200).length > 300);
    const differing = withSkip.filter((a, n) => Math.abs(a - without[n]) > 24).length;
    assert.ok(differing <= withSkip.length * 0.002, `${differing} of ${withSkip.length} pixels differ`);
    assert.ok(withSkip.filter((a) => a === 0).length > withSkip.length / 2);
});

test('the page met no error', () => { assert.deepEqual(page.problems, []); });
