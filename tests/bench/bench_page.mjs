// SPDX-License-Identifier: Apache-2.0
// The page on a big forecast, in a real browser that draws in software. One line a figure:
// first picture from the start of the server, frames a second while the camera moves, time to full quality at rest, and the
// memory of server and readers while all steps are played.
//
//     virga demo --size ukv --out ukv
//     node tests/bench/bench_page.mjs build/release/virga ukv
//
// The page is open before and reconnecting (to a server that had nothing to show), no brick is cached, and the file is in
// the system's page cache.
import {spawn} from "node:child_process";
import {mkdtempSync, readFileSync, readdirSync, rmSync, statSync} from "node:fs";
import {tmpdir} from "node:os";
import {join} from "node:path";
import {launchBrowser} from "../web/browser.mjs";

const [virga, forecast] = process.argv.slice(2);
if (!forecast) { console.error("usage: node tests/bench/bench_page.mjs VIRGA FORECAST"); process.exit(2); }

const state = mkdtempSync(join(tmpdir(), "virga-bench-"));
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

async function serve(name, ...flags) {
  const child = spawn(virga, ["serve", "--state", join(state, name), ...flags], {stdio: ["ignore", "pipe", "inherit"]});
  const port = await new Promise((done, failed) => {
    let text = "";
    child.stdout.on("data", (data) => {
      text += data;
      const found = text.match(/listening on http:\/\/[^:]+:(\d+)/);
      if (found) done(Number(found[1]));
    });
    child.once("exit", (code) => failed(new Error(`virga serve ended with ${code}`)));
  });
  return {child, port, stop: () => new Promise((done) => { child.once("exit", done); child.kill("SIGTERM"); })};
}

// Sum of Pss of a process and its children, in MiB.
function memory(pid) {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean);
  const pss = (id) => { try { return Number(readFileSync(`/proc/${id}/smaps_rollup`, "utf8").match(/^Pss:\s+(\d+)/m)[1]); } catch { return 0; } };
  return [String(pid), ...children].map(pss).reduce((sum, kib) => sum + kib, 0) / 1024;
}

const warm = (path) => statSync(path).isDirectory() ? readdirSync(path).forEach((name) => warm(join(path, name))) : readFileSync(path);
warm(forecast);

const browser = await launchBrowser();
const page = await (await browser.newContext({viewport: {width: 1608, height: 787}})).newPage();
const stats = () => page.evaluate(() => window.virga.viewer.stats());

const empty = await serve("empty", "--listen", "127.0.0.1:0", "--allow-empty");
await page.goto(`http://127.0.0.1:${empty.port}/`);
await page.waitForSelector(".blank, .message");
await empty.stop();
await sleep(1000);

const drawn = page.waitForFunction(() => {
  const now = window.virga.viewer.stats();
  return now.shown >= 0 && now.frames > 0 ? Date.now() : 0;
}, null, {polling: 20, timeout: 120000});
const began = Date.now();
const server = await serve("full", "--listen", `127.0.0.1:${empty.port}`, forecast);
const ready = Date.now();
console.log(`server ready\t${((ready - began) / 1000).toFixed(2)} s after its start`);
console.log(`first picture\t${((await (await drawn).jsonValue() - began) / 1000).toFixed(2)} s after the server's start, coarsest level`);

await page.evaluate(() => window.virga.viewer.settled(120000));
const whole = await stats();
console.log(`renderer\t${whole.renderer}`);
console.log(`whole view\t${((Date.now() - began) / 1000).toFixed(2)} s after the server's start, full quality, ${whole.bricksResident} bricks, ${(whole.bytesReceived / 1e6).toFixed(2)} MB`);

const canvas = await page.evaluate(() => window.virga.viewer.canvas.getBoundingClientRect().toJSON());  // 1280 × 720 beside the panels
const [x, y] = [canvas.x + canvas.width / 2, canvas.y + canvas.height / 2];
for (let round = 0; round < 3; round++) {
  await page.mouse.move(x, y);
  await page.mouse.down();
  const from = {at: Date.now(), ...(await stats())};
  let least = 1;
  for (let n = 0; Date.now() - from.at < 4000; n++) {
    await page.mouse.move(x + 120 * Math.sin(n / 8), y + 40 * Math.sin(n / 13));
    if (n % 10 === 0) least = Math.min(least, (await stats()).scale);
    await sleep(30);
  }
  const to = {at: Date.now(), ...(await stats())};
  await page.mouse.up();
  const rest = Date.now();
  await page.waitForFunction(() => window.virga.viewer.stats().fullQuality, null, {polling: 20, timeout: 60000});
  console.log(`camera moves\t${(1000 * (to.frames - from.frames) / (to.at - from.at)).toFixed(1)} frames a second on a canvas of ${canvas.width}×${canvas.height}, drawn at down to ${(100 * least).toFixed(0)} % resolution`);
  console.log(`at rest\t${((Date.now() - rest) / 1000).toFixed(2)} s to full quality`);
}

const count = await page.evaluate(() => window.virga.viewer.times.length);
let most = memory(server.child.pid);
const played = Date.now();
for (let step = 0; step < count; step++) {
  await page.evaluate((index) => window.virga.viewer.setTime(index, {direction: 1, rate: 4}), step);
  for (;;) {
    most = Math.max(most, memory(server.child.pid));
    const now = await stats();
    if (now.shown === step && now.allHere) break;
    await sleep(50);
  }
}
console.log(`all ${count} steps\t${((Date.now() - played) / 1000).toFixed(1)} s, each in full`);
console.log(`memory\t${most.toFixed(0)} MiB at most, sum of Pss of server and readers`);
const end = await stats();
console.log(`received\t${(end.bytesReceived / 1e6).toFixed(1)} MB in all`);

await browser.close();
await server.stop();
rmSync(state, {recursive: true});
