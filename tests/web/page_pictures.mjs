// SPDX-License-Identifier: Apache-2.0
// The page's own pictures of views, for tests in Python (tests/reference/page.py): takes {back_end, jobs: [{url, view, out, hidden}]} as JSON on its
// standard input and writes a PNG a job, the canvas alone: `out` with the view as it is, `hidden` with its layers hidden. Says what drew them.
import {writeFileSync} from "node:fs";
import {complaintsOf, FLAGS, launchBrowser} from "./browser.mjs";

const PATIENCE = 240000; // drawing in software on a busy machine takes its time
const LLVMPIPE = ["--use-gl=angle", "--use-angle=gl-egl", "--ignore-gpu-blocklist"];
const flagsOf = (backEnd) => backEnd === "swiftshader" ? FLAGS : [...FLAGS.filter((flag) => !/gl|swiftshader/.test(flag)), ...LLVMPIPE];

async function input() {
  let text = "";
  for await (const piece of process.stdin) text += piece;
  return JSON.parse(text);
}

// The picture in full, when all that it needs is here.
async function picture(page, path) {
  await page.evaluate((ms) => window.virga.viewer.settled(ms), PATIENCE);
  const bytes = await page.evaluate(async () => {
    const blob = await window.virga.viewer.screenshot(), data = new Uint8Array(await blob.arrayBuffer());
    let text = "";
    for (let at = 0; at < data.length; at += 8192) text += String.fromCharCode(...data.subarray(at, at + 8192));
    return btoa(text);
  });
  writeFileSync(path, Buffer.from(bytes, "base64"));
}

async function show(browser, {url, view, out, hidden}) {
  const [width, height] = view.size, page = await browser.newPage({viewport: {width: Math.max(900, width), height: Math.max(600, height)}});
  const complaints = complaintsOf(page);
  await page.goto(`${url}?embed#view=${encodeURIComponent(JSON.stringify(view))}`);
  await page.waitForFunction(() => window.virga?.state.shown, null, {timeout: PATIENCE});
  await page.evaluate(([w, h]) => Object.assign(document.querySelector("#picture").style, {position: "fixed", left: "0", top: "0", width: `${w}px`, height: `${h}px`}), view.size);
  await page.waitForFunction(([w, h]) => { const {width, height} = window.virga.viewer.canvas; return width === w && height === h; }, view.size, {timeout: PATIENCE});
  await picture(page, out);
  const renderer = await page.evaluate(() => window.virga.viewer.rendererName);
  if (hidden) {
    await page.evaluate(() => { const {viewer, state} = window.virga; viewer.setView({...state.view, layers: state.view.layers.map((layer) => ({...layer, visible: false}))}); });
    await picture(page, hidden);
  }
  await page.close();
  return {renderer, complaints};
}

const {back_end: backEnd, jobs} = await input(), browser = await launchBrowser(flagsOf(backEnd));
if (!browser) { console.log(JSON.stringify({missing: "no Chromium at /usr/bin/chromium"})); process.exit(0); }
const shown = [];
try {
  for (const job of jobs) shown.push(await show(browser, job));
} finally {
  await browser.close();
}
console.log(JSON.stringify({renderer: shown.at(-1)?.renderer ?? "", complaints: shown.flatMap(({complaints}) => complaints)}));
