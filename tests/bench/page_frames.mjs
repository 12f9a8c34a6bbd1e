// SPDX-License-Identifier: Apache-2.0
// Frames a second while the camera moves, and the time to full quality after it rests, in headless Chromium on SwiftShader.
//
//   node tests/bench/page_frames.mjs URL [dataset] [variable]     (a running `virga serve` with the UKV demonstration)
//
// Prints one JSON line: fps, scale (drawing scale while moving), full_ms (from the last movement to the picture in full),
// cpu_moving_ms and cpu_full_ms (processor time of the browser's GPU process a moving picture and for the full one).
import {readFileSync, readdirSync} from 'node:fs';
import {FLAGS} from '../web/page.mjs';
import {chromium} from '../web/node_modules/playwright-core/index.mjs';

const [url = 'http://127.0.0.1:8080/', datasetName = '', variableName = ''] = process.argv.slice(2);

const stat = (pid) => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
function isMine(pid) {
    for (let turn = 0; turn < 8 && pid > 1; turn++) { if (pid === process.pid) return true; pid = Number(stat(pid)[1]); }
    return false;
}
function gpuProcess() {
    for (const name of readdirSync('/proc')) {
        try { if (/^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, 'utf8').includes('--type=gpu-process') && isMine(Number(name))) return Number(name); } catch { /* it ended */ }
    }
    return null;
}
const cpuMs = (pid) => { const fields = stat(pid); return (Number(fields[11]) + Number(fields[12])) * 10; };

const browser = await chromium.launch({executablePath: process.env.VIRGA_CHROMIUM || '/usr/bin/chromium', args: FLAGS});
try {
    const page = await browser.newPage({viewport: {width: 1280, height: 720}});
    await page.goto(new URL('healthz', url).href);
    await page.evaluate(async ([base, dataset, variable]) => {
        document.body.innerHTML = '<div id="s"><canvas id="c"></canvas></div>';
        Object.assign(document.body.style, {margin: 0});
        Object.assign(document.getElementById('s').style, {position: 'relative', width: '1280px', height: '720px'});
        Object.assign(document.getElementById('c').style, {display: 'block', width: '100%', height: '100%'});
        const {Viewer} = await import(new URL('viewer.js', base).href);
        const viewer = window.viewer = new Viewer(document.getElementById('c'), {base});
        await viewer.started;
        const catalog = await viewer.loadCatalog(), found = catalog.datasets.find((d) => d.id === dataset) || catalog.datasets[0];
        const chosen = found.variables.find((v) => v.id === variable) || found.variables.find((v) => v.vertical);
        viewer.setView({version: 1, dataset: found.id, run: 'latest', time: found.runs.at(-1).series[chosen.id].times[0], member: 0, exaggeration: 12, size: [1280, 720],
            light: {sun: {azimuth: 225, elevation: 40}, shadows: true, ambient: 0.35}, map: {coastlines: true, graticule: true, terrain: true, height_axis: true},
            layers: [{variable: chosen.id, visible: true, colour_map: 'grey', range: [0, 1], units: chosen.units, opacity: [[0, 0], [0.12, 0], [0.35, 0.12], [0.7, 0.5], [1, 0.85]], shading: true}]});
        await viewer.settled(300000);
    }, [url, datasetName, variableName]);
    const gpu = gpuProcess();
    const move = async (seconds) => {
        const before = cpuMs(gpu), answer = await page.evaluate(async (ms) => {
            const {canvas, renderer} = viewer, send = (type, x, y) => canvas.dispatchEvent(new PointerEvent(type, {pointerId: 1, clientX: x, clientY: y, button: 0, bubbles: true}));
            const start = performance.now(), frames = renderer.frames;
            send('pointerdown', 600, 300);
            for (let n = 0; performance.now() - start < ms; n++) { send('pointermove', 600 + 120 * Math.sin(n / 25), 300 + 20 * Math.sin(n / 15)); await new Promise((resolve) => setTimeout(resolve, 16)); }
            send('pointerup', 600, 300);
            return {frames: renderer.frames - frames, ms: performance.now() - start, scale: renderer.scale};
        }, seconds * 1000);
        return {...answer, cpu: cpuMs(gpu) - before};
    };
    await move(3);   // the drawing scale finds its place
    const moved = await move(6), before = cpuMs(gpu);
    const fullMs = await page.evaluate(async () => {
        const start = performance.now();
        while (!(viewer.drawnFull && viewer.allHere)) await new Promise((resolve) => setTimeout(resolve, 5));
        return performance.now() - start;
    });
    console.log(JSON.stringify({fps: Number((1000 * moved.frames / moved.ms).toFixed(1)), scale: Number(moved.scale.toFixed(2)), full_ms: Math.round(fullMs),
        cpu_moving_ms: Math.round(moved.cpu / Math.max(1, moved.frames)), cpu_full_ms: cpuMs(gpu) - before, renderer: await page.evaluate(() => viewer.stats().renderer)}));
} finally {
    await browser.close();
}
