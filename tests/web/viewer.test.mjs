// SPDX-License-Identifier: Apache-2.0
// The viewer in a real browser against the fake server: loading, stepping, probing, and recovery when something fails.
import assert from 'node:assert/strict';
import {after, afterEach, before, beforeEach, test} from 'node:test';
import {openBrowser, openViewer, view, VIEWER_FILES} from './page.mjs';
import {startFakeServer} from './fake_server.mjs';

let server, browser, page;
const CLOUD = {variable: 'cloud', colour_map: 'cloud', range: [0, 1], opacity: [[0, 0], [0.15, 0], [1, 0.9]], shading: true};
const RAMP = {variable: 'ramp_i', range: [0, 75], opacity: [[0, 0.02], [75, 0.02]]};

before(async () => { browser = await openBrowser(); });
after(async () => { await browser?.close(); });
beforeEach(async () => { server = await startFakeServer({files: VIEWER_FILES}); });
afterEach(async () => { await page?.close(); await server.close(); });

async function open(options) { page = await openViewer(browser, server, {width: 400, height: 260, ...options}); }
const show = (document) => page.evaluate((v) => { viewer.setView(v); }, document);
const settle = (ms = 60000) => page.evaluate((limit) => viewer.settled(limit), ms);
const badge = () => page.evaluate(() => window.events.filter(([type]) => type === 'badge').at(-1)[1]);
const until = (condition, argument) => page.waitForFunction(condition, argument, {timeout: 60000});

test('a view becomes a final picture over the websocket, and the badge says so', async () => {
    await open();
    await show(view('weather', [CLOUD]));
    await settle();
    await until(() => window.events.filter(([type]) => type === 'badge').at(-1)[1].state === 'final');
    const told = await badge();
    assert.deepEqual([told.share, told.resolution, told.blended, told.degraded], [1, 1, false, false]);
    assert.equal(told.epsilon[0].epsilon, 0.005);
    assert.equal(await page.evaluate(() => viewer.stats().transport), 'websocket');
    assert.deepEqual(page.problems, []);
});

test('without a websocket the same bricks come over HTTP', async () => {
    await open({websocket: false});
    await show(view('weather', [CLOUD]));
    await settle();
    assert.ok(server.state.requests.filter((path) => path.startsWith('/bricks/')).length > 10);
    assert.equal(server.state.interests.length, 0);
});

test('a lost socket is opened again, and what is on screen stays', async () => {
    await open();
    await show(view('known', [RAMP]));
    await settle();
    server.dropSockets();
    await until(() => window.events.some(([type, detail]) => type === 'connection' && detail.state === 'lost' && /stays, and may be old/.test(detail.message)));
    assert.ok((await page.evaluate(() => viewer.probeAt(-2.7, 55.2, 2000))).layers[0].value > 0);
    await until(() => { const states = window.events.filter(([type]) => type === 'connection').map(([, detail]) => detail.state); return states.lastIndexOf('open') > states.indexOf('lost'); });
    await page.evaluate((v) => viewer.setView(v), view('known', [{...RAMP, variable: 'ramp_j'}]));
    await until(() => viewer.layers[0].variable.id === 'ramp_j' && viewer.stats().allHere);
});

test('a probe gives the exact integer of the voxel, the place and the units', async () => {
    await open();
    await show(view('hybrid', [{variable: 'height', units: 'm', range: [0, 14000], opacity: [[0, 0.3]]}]));
    await settle();
    const found = await page.evaluate(() => {
        const {geometry} = viewer.layers[0], i = 23, j = 40, k = 5, h = geometry.levelHeight(i, j, k), [lon, lat] = viewer.geometry.toLonLat(geometry.x.coordinate(i), geometry.y.coordinate(j));
        return {probe: viewer.probeAt(lon, lat, h), h, lon, lat};
    });
    assert.ok(Math.abs(found.probe.i - 23) < 1e-6 && Math.abs(found.probe.j - 40) < 1e-6);
    assert.ok(Math.abs(found.probe.layers[0].value - found.h) < 25, `${found.probe.layers[0].value} at ${found.h}`);
    assert.ok(Math.abs(found.probe.lon - found.lon) < 1e-9);
    assert.equal(found.probe.layers[0].units, 'm');
    const struck = await page.evaluate(() => { const area = viewer.canvas.getBoundingClientRect(); return viewer.probe(area.width / 2, area.height / 2); });
    assert.equal(struck.on, 'volume');
    assert.equal(await page.evaluate(() => viewer.probeAt(40, 10, 100)), null);
});

test('stepping shows the step that was asked for, with its time, run and lead', async () => {
    await open();
    await show(view('weather', [CLOUD]));
    await settle();
    await page.evaluate(() => viewer.setTime(3, {direction: 1, rate: 0}));
    await until(() => viewer.stats().shown === 3 && viewer.stats().allHere);
    const step = await page.evaluate(() => window.events.filter(([type]) => type === 'step').at(-1)[1]);
    assert.deepEqual([step.index, step.iso, step.lead], [3, '2026-06-21T09:00:00Z', 3]);
    const own = server.fields.volume(server.fields.datasets && [...server.fields.volumes.keys()].find((key) => key.endsWith('/3')).split('/')[0], 0, 3);
    const value = await page.evaluate(() => { const {geometry} = viewer.layers[0], [lon, lat] = viewer.geometry.toLonLat(geometry.x.coordinate(70), geometry.y.coordinate(90)); return viewer.probeAt(lon, lat, geometry.levelHeight(70, 90, 8)).layers[0].value; });
    assert.ok(Math.abs(value - own.source[(8 * 180 + 90) * 150 + 70]) < 0.02, `${value}`);
});

test('playing moves through the steps and tells the server which way', async () => {
    await open();
    await show(view('weather', [CLOUD]));
    await settle();
    await page.evaluate(() => viewer.play({rate: 8, loop: true}));
    await until(() => new Set(window.events.filter(([type]) => type === 'step').map(([, detail]) => detail.index)).size >= 4);
    await page.evaluate(() => viewer.pause());
    assert.equal(await page.evaluate(() => viewer.playing), false);
    assert.ok(server.state.interests.some((interest) => interest.direction === 1 && interest.rate === 8));
});

test('a lost WebGL context is restored with its picture', async () => {
    await open();
    await show(view('known', [RAMP]));
    await settle();
    await page.evaluate(() => { window.loser = viewer.gl.getExtension('WEBGL_lose_context'); window.loser.loseContext(); });
    await until(() => window.events.some(([type]) => type === 'contextlost'));
    await page.evaluate(() => window.loser.restoreContext());
    await until(() => window.events.some(([type]) => type === 'contextrestored'));
    await settle();
    const pixels = await page.evaluate(async () => { const {coverage} = await import('./shader_probe.js'); return coverage(viewer).filter((a) => a > 0).length; });
    assert.ok(pixels > 2000, `${pixels} pixels of volume`);
});

test('while the camera moves the picture is coarser and says so, and is in full after it rests', async () => {
    await open({width: 900, height: 600});
    await show(view('weather', [CLOUD]));
    await settle();
    await page.mouse.move(400, 300);
    await page.mouse.down();
    for (let n = 0; n < 40; n++) await page.mouse.move(400 + 4 * n, 300 + n);
    const moving = await badge();
    await page.mouse.up();
    assert.notEqual(moving.state, 'final');
    assert.ok(moving.resolution < 1 || moving.simplified);
    await settle();
    assert.equal((await badge()).resolution, 1);
});

test('2-D layers lie on the ground and are probed there', async () => {
    await open();
    await show(view('weather', [{variable: 'rain', colour_map: 'rain', range: [0, 6], opacity: [[0, 0], [0.1, 0.8]], units: 'mm h-1'}]));
    await settle();
    const found = await page.evaluate(() => viewer.probeAt(-2, 53, null));
    assert.equal(found.on, 'ground');
    assert.equal(typeof found.layers[0].value, 'number');
    assert.deepEqual(page.problems, []);
});

test('what the opacity hides is not asked for', async () => {
    await open({websocket: false, width: 900, height: 600});
    const cut = {...CLOUD, opacity: [[0, 0], [0.985, 0], [1, 0.9]]};
    await show(view('weather', [cut]));
    await settle();
    const few = server.state.requests.filter((path) => /\/bricks\/.*\/0\/\d+\/\d+\/\d+$/.test(path)).length;
    await show(view('weather', [CLOUD]));
    await until(() => viewer.layers[0].transfer.opacity[1][0] === 0.15 && viewer.stats().allHere);
    await settle();
    const more = server.state.requests.filter((path) => /\/bricks\/.*\/0\/\d+\/\d+\/\d+$/.test(path)).length;
    assert.ok(few < more * 0.8, `${few} fine bricks, then ${more}`);
});

test('an unknown variable is an error that leaves the picture as it is', async () => {
    await open();
    await show(view('known', [RAMP]));
    await settle();
    await show(view('known', [{...RAMP, variable: 'nothing'}]));
    const errors = await page.evaluate(() => window.events.filter(([type]) => type === 'error').map(([, detail]) => detail));
    assert.equal(errors.length, 1);
    assert.equal(errors[0].fatal, false);
    assert.equal(await page.evaluate(() => viewer.layers[0].variable.id), 'ramp_i');
});
