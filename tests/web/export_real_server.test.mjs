// SPDX-License-Identifier: Apache-2.0
// The export dialog with the real server in a real browser: what is ordered is drawn, told, and downloaded whole.
import assert from "node:assert/strict";
import {execFileSync} from "node:child_process";
import {readdirSync, readFileSync, statSync} from "node:fs";
import {join} from "node:path";
import {afterEach} from "node:test";
import {label, says, start} from "./export_dialog.mjs";
import {page, pageTests} from "./page_tests.mjs";
import {demo, pixels, serve, temporaryFolder, WITHOUT_VIRGA} from "./virga_server.mjs";

const PATIENCE = 150000; // drawing in software on a busy machine takes its time
const onPage = pageTests({skip: WITHOUT_VIRGA, viewport: {width: 1000, height: 700}, acceptDownloads: true, excused: /status of [45]/});
const folder = temporaryFolder();
let server = null, demoFolder = null;

afterEach(async () => {
  await server?.stop();
  server = null;
});

// A test with a server of its own and the dialog open.
const inPage = (name, body) => onPage(name, async () => {
  server = await serve([demoFolder ??= demo(join(folder, "demo"), "60x48x20x4")]);
  page.setDefaultTimeout(PATIENCE);
  await page.goto(server.url);
  await page.waitForFunction(() => window.virga?.state.shown);
  await page.keyboard.press("x");
  await page.waitForSelector("dialog[open] .export-form");
  await body();
});

async function size(width, height) {
  await label("Size").selectOption("own");
  await label("Width").fill(String(width));
  await label("Height").fill(String(height));
}

async function downloaded(selector, name) {
  const [download] = await Promise.all([page.waitForEvent("download"), page.click(selector)]);
  const path = join(folder, name);
  await download.saveAs(path);
  return {path, suggested: download.suggestedFilename()};
}

inPage("three frames are previewed, drawn, told and downloaded", async () => {
  await label("A range").check();
  await label("Last").selectOption({index: 2});
  await size(320, 180);
  await label("Title").fill("Three pictures");
  assert.equal(await page.textContent("[data-role=estimate]"), "3 frames · 320 × 180");
  await page.waitForFunction(() => document.querySelector(".export-preview img:not([hidden])")?.naturalWidth >= 16);
  const preview = await page.$eval(".export-preview img", (image) => image.naturalWidth / image.naturalHeight);
  assert.ok(Math.abs(preview - 320 / 180) < 0.02);
  if (process.env.VIRGA_SCREENSHOTS) await page.screenshot({path: join(process.env.VIRGA_SCREENSHOTS, "export_real.png")});
  await start();
  await says(".export-state", /done/);
  await says(".export-progress", /^3 of 3 frames/);
  assert.equal(await page.textContent(".export-name"), "Three pictures");
  const zip = await downloaded("text=Download all", "frames.zip");
  assert.match(zip.suggested, /\.zip$/);
  const out = join(folder, "unzipped");
  execFileSync("/usr/bin/python3", ["-m", "zipfile", "-e", zip.path, out]); // checks the sums too
  const names = readdirSync(out).sort();
  assert.equal(names.length, 3);
  const frames = names.map((name) => readFileSync(join(out, name)));
  for (const frame of frames) {
    const {width, height} = pixels(frame);
    assert.deepEqual([width, height], [320, 180]);
  }
  assert.ok(!frames[0].equals(frames[1]) && !frames[1].equals(frames[2]));
  await label("Number of a frame").fill("2");
  const one = await downloaded("[aria-label='Download frame 2']", "one.png");
  assert.ok(readFileSync(one.path).equals(frames[1]));
});

inPage("a long one is cancelled, keeps what is done, and is deleted", async () => {
  await label("A film, blended between times").check();
  await label("Frames a second").fill("240");
  await size(1920, 1080);
  await start();
  await page.waitForFunction(() => /^([1-9]\d*) of 181 frames .* a second/.test(document.querySelector(".export-progress")?.textContent));
  assert.ok(await page.$eval(".export-job progress", (bar) => bar.value > 0 && bar.value < 1));
  await page.click(".export-actions > button:text-is('Cancel')");
  await says(".export-state", /cancelled/);
  const zip = await downloaded("text=Download all", "part.zip");
  assert.ok(statSync(zip.path).size > 1000);
  await page.click(".export-actions > button:text-is('Delete')");
  await page.click(".export-really .danger");
  await page.waitForSelector("text=There are none yet.", {state: "visible"});
  assert.deepEqual((await (await fetch(`${server.url}api/exports`)).json()).jobs, []);
});

inPage("what the server refuses is said in its words", async () => {
  await size(16384, 16384);
  await start();
  await says("[data-role=export-message]", /size|large/);
  assert.equal(await page.$(".export-job"), null);
});
