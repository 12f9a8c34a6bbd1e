// SPDX-License-Identifier: Apache-2.0
// A browser with the viewer alone on a page, for tests.
import {readFileSync} from 'node:fs';
import {chromium} from 'playwright-core';
import {complaintsOf, FLAGS as DRAWING} from './browser.mjs';

export const FLAGS = ['--headless', ...DRAWING];

export function openBrowser() { return chromium.launch({executablePath: process.env.VIRGA_CHROMIUM || '/usr/bin/chromium', args: FLAGS}); }

const PAGE = `<!doctype html><meta charset="utf-8"><title>viewer</title><link rel="icon" href="data:,">
<style>html, body { margin: 0; height: 100%; background: #000 } #stage { position: relative; width: 100%; height: 100% } canvas { display: block; width: 100%; height: 100% }</style>
<div id="stage"><canvas id="canvas"></canvas></div><script type="module" src="viewer_page.js"></script>`;
const SCRIPT = `import {Viewer} from './viewer.js';
const options = Object.fromEntries(new URLSearchParams(location.search));
const viewer = new Viewer(document.getElementById('canvas'), {base: './', websocket: options.websocket !== '0'});
window.viewer = viewer;
window.events = [];
for (const type of ['catalog', 'connection', 'badge', 'step', 'steps', 'error', 'contextlost', 'contextrestored']) viewer.addEventListener(type, ({detail}) => { window.events.push([type, detail]); if (type === 'error') console.error(detail.message); });
const maps = ['cloud', 'temperature', 'grey', 'rain', 'wind', 'terrain'];
const loaded = await Promise.all(maps.map(async (name) => [name, (await (await fetch('assets/colour_maps/' + name + '.json')).json()).points]));
viewer.setColourMaps(Object.fromEntries(loaded));
await viewer.started;
await viewer.loadCatalog();
window.ready = true;`;
const PROBE = readFileSync(new URL('./shader_probe.js', import.meta.url), 'utf8');
export const VIEWER_FILES = {'/viewer.html': PAGE, '/viewer_page.js': SCRIPT, '/shader_probe.js': PROBE};

// A page with window.viewer ready. Errors of the page are collected in page.problems.
export async function openViewer(browser, server, {width = 640, height = 400, websocket = true} = {}) {
    const page = await browser.newPage({viewport: {width, height}});
    page.problems = complaintsOf(page);
    await page.goto(server.url + 'viewer.html' + (websocket ? '' : '?websocket=0'));
    await page.waitForFunction(() => window.ready, null, {timeout: 20000}).catch((error) => { throw new Error(error.message + ' ' + page.problems.join(' | ')); });
    return page;
}

export function view(dataset, layers, extra = {}) {
    return {version: 1, dataset, run: 'latest', time: 'T+0', member: 0, layers: layers.map((layer) => ({visible: true, colour_map: 'grey', units: '1', shading: false, ...layer})),
        light: {sun: 'time', shadows: true, ambient: 0.35}, exaggeration: 15, map: {coastlines: true, graticule: true, terrain: true, height_axis: true}, size: [1280, 720], ...extra};
}
