import {chromium} from 'playwright-core';
import {FLAGS, view} from '/work/main/tests/web/page.mjs';
import {readFileSync} from 'node:fs';
const [,, which, variable, out='/tmp/real.png', cmd='', extra='{}', time='T+0'] = process.argv;
const presets = JSON.parse(readFileSync('/work/main/assets/presets.json'));
const browser = await chromium.launch({executablePath:'/usr/bin/chromium', args: FLAGS});
const page = await browser.newPage({viewport:{width:1280,height:720}});
const problems=[]; page.on('pageerror', e=>problems.push(String(e))); page.on('console', m=>{ if(m.type()==='error') problems.push(m.text()); });
const base = process.env.BASE || 'http://127.0.0.1:8391/';
await page.goto(base + 'healthz');
await page.evaluate(async ([which, variable, presets, extra, time])=>{
  document.head.innerHTML = ''; document.body.innerHTML='<div id=s><canvas id=c></canvas></div>';
  const st=(e,o)=>Object.assign(e.style,o); st(document.body,{margin:0}); st(document.documentElement,{height:'100%'}); st(document.body,{height:'100%'}); st(s,{position:'relative',width:'100%',height:'100%'}); st(c,{display:'block',width:'100%',height:'100%'});
  const {Viewer} = await import('/viewer.js');
  const v = window.viewer = new Viewer(c, {base:'/'}); window.events=[]; 
  for (const t of ['connection','badge','step','steps','error']) v.addEventListener(t, ({detail})=>{ window.events.push([t,detail,Math.round(performance.now())]); if(t==='error') console.error(detail.message); });
  const pr = presets.standard_names || presets.names || {};
  await v.started; const cat = await v.loadCatalog();
  const ds = cat.datasets.find(d=>d.id.startsWith(which)||d.title===which) || cat.datasets[+which];
  const ids = variable.split(',');
  const maps={}; const layers=[];
  for (const id of ids) { const va = ds.variables.find(x=>x.id===id); const p = pr[va.standard_name] || {colour_map:'temperature', range:[va.min??200, va.max??320], opacity:{points:[[0,0.05],[1,0.3]], of:'range'}};
    let range = p.range==='data'?[200,320]:p.range; let pts = p.opacity.points; if (p.opacity.of==='range') pts=pts.map(([t,a])=>[range[0]+t*(range[1]-range[0]),a]);
    maps[p.colour_map]=null; layers.push({variable:id, visible:true, colour_map:p.colour_map, range, opacity:pts, shading:true, units:va.units}); }
  for (const n of Object.keys(maps)) { const r = await fetch('/assets/colour_maps/'+n+'.json'); if (r.ok) maps[n]=(await r.json()).points; else console.error('map '+n+' '+r.status); }
  v.setColourMaps(maps);
  window.t0=performance.now();
  v.setView({version:1, dataset: ds.id, run:'latest', time, member:0, layers, exaggeration:15, light:{sun:'time',shadows:true,ambient:0.35}, map:{coastlines:true,graticule:true,terrain:true,height_axis:true}, size:[1280,720], ...JSON.parse(extra)});
}, [which, variable, presets, extra, time]);
if (cmd) await page.evaluate(cmd);
const t0=Date.now();
try { await page.evaluate(()=>viewer.settled(60000)); } catch(e) { console.log('not settled', e.message.slice(0,200)); }
console.log('settled ms', Date.now()-t0, JSON.stringify(await page.evaluate(()=>viewer.stats())));
console.log(JSON.stringify(await page.evaluate(()=>window.events.filter(e=>e[0]!=='badge').slice(-4))).slice(0,400), JSON.stringify(await page.evaluate(()=>window.events.filter(e=>e[0]==='badge').slice(-1))));
if (process.env.DBG) console.log(await page.evaluate(process.env.DBG)); console.log(JSON.stringify(await page.evaluate(()=>viewer.probe(640,360))));
console.log(problems.slice(0,8));
await page.screenshot({path: out});
await browser.close();
