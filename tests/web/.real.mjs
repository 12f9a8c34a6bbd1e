import {launchBrowser} from "./browser.mjs";
const [,, url, out, hash="", w="1280", hh="720", wait="15000", script=""] = process.argv;
const browser = await launchBrowser();
const context = await browser.newContext({viewport:{width:+w,height:+hh}});
const page = await context.newPage();
page.on("console", m => console.log("console", m.type(), m.text().slice(0,300)));
page.on("pageerror", e => console.log("pageerror", e.message, e.stack?.slice(0,400)));
await page.goto(url+hash);
const t0=Date.now();
try { await page.waitForFunction(() => window.virga?.state.shown || document.querySelector(".blank"), null, {timeout:60000}); } catch(e) {console.log("no step", e.message)}
console.log("shown after", Date.now()-t0);
try { await page.evaluate((ms)=>window.virga.viewer.settled(ms), +wait); console.log("settled", Date.now()-t0);} catch(e){console.log("not settled", e.message.slice(0,200))}
if (script) { await eval(`(async()=>{${script}})()`); await page.waitForTimeout(1500); }
console.log(await page.textContent(".badge-text"), "|", await page.$$eval(".message", e=>e.map(x=>x.textContent)));
await page.screenshot({path:out});
await browser.close();
