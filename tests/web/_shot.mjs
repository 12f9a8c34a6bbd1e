import {startFakeServer} from '/work/main/tests/web/fake_server.mjs';
import {openBrowser, openViewer, view, VIEWER_FILES} from '/work/main/tests/web/page.mjs';
import {fakeDatasets} from '/work/main/tests/web/fake_datasets.mjs';
const [,, which='weather', out='/tmp/shot.png', cmd=''] = process.argv;
const server = await startFakeServer({files: VIEWER_FILES, datasets: fakeDatasets({ukv: which==='ukv'})});
const browser = await openBrowser();
const page = await openViewer(browser, server, {width: 1280, height: 720});
const CLOUD = {variable:'cloud', colour_map:'cloud', range:[0,1], opacity:[[0,0],[0.15,0],[1,0.9]], shading:true};
const views = {
 weather: view('weather', [CLOUD]),
 ukv: view('ukv', [CLOUD]),
 sphere: view('known', [{variable:'sphere', range:[0,20], colour_map:'temperature', opacity:[[0,0],[2,0.0],[2.01,0.9],[20,0.95]], shading:true}]),
 global: view('global', [{variable:'wave', range:[-10,16], colour_map:'temperature', opacity:[[-10,0.6],[0,0],[5,0],[16,0.5]], shading:true}], {exaggeration: 150}),
};
const t0=Date.now();
await page.evaluate((v)=>viewer.setView(v), views[which]);
if (cmd) await page.evaluate(cmd);
try { await page.evaluate(()=>viewer.settled(60000)); } catch(e) { console.log('not settled', e.message.slice(0,200)); }
console.log('settled ms', Date.now()-t0);
console.log(JSON.stringify(await page.evaluate(()=>viewer.stats())));
console.log(JSON.stringify((await page.evaluate(()=>window.events.filter(e=>e[0]!=='badge'))).slice(-6)).slice(0,800));
console.log(JSON.stringify((await page.evaluate(()=>window.events.filter(e=>e[0]==='badge').slice(-1)))));
console.log(page.problems.slice(0,8));
await page.screenshot({path: out});
await browser.close(); await server.close();
