// SPDX-License-Identifier: Apache-2.0
// Pins with the real server in a real browser: kept over its restart, rolled by a run that lands, changed by two, kept from who may not.
import assert from "node:assert/strict";
import {execFileSync} from "node:child_process";
import {join} from "node:path";
import {afterEach} from "node:test";
import {label, says} from "./export_dialog.mjs";
import {page, pageTests} from "./page_tests.mjs";
import {landingRuns, pixels, VIRGA, WITHOUT_VIRGA} from "./virga_server.mjs";

const PATIENCE = 120000; // drawing in software on a busy machine takes its time
const inPage = pageTests({skip: WITHOUT_VIRGA, viewport: {width: 900, height: 560}, excused: /status of [45]|ERR_CONNECTION|WebSocket connection/});
let server = null;

afterEach(async () => {
  await server?.stop();
  server = null;
});

// Two runs, of which the server has the first.
function twoRuns() {
  const runs = landingRuns();
  return {...runs, start: async (...how) => { server = await runs.start(...how); }};
}

const shown = () => page.waitForFunction(() => window.virga?.state.shown || document.querySelector(".blank"), null, {timeout: PATIENCE});
const view = () => page.evaluate(() => window.virga.state.view);
const text = (selector) => page.textContent(selector);
const changedHere = () => says("#pin", /Changed here only/);

async function open(address) {
  page.setDefaultTimeout(PATIENCE);
  await page.goto(address);
  await shown();
}

async function picture() {
  await page.evaluate((ms) => window.virga.viewer.settled(ms), PATIENCE);
  const bytes = await page.evaluate(async () => Array.from(new Uint8Array(await (await window.virga.viewer.screenshot()).arrayBuffer())));
  return pixels(Buffer.from(bytes));
}

// The share of two pictures' pixels that differ by more than nobody sees; a camera's last digit moves an edge here and there.
function shareApart(a, b) {
  let apart = 0, all = 0;
  for (let y = 0; y < a.height; y++) for (let x = 0; x < a.width; x++, all++) if (a.at(x, y).some((value, c) => Math.abs(value - b.at(x, y)[c]) > 4)) apart++;
  return apart / all;
}

async function pinIt(title) {
  await page.keyboard.press("n");
  await label("Title").fill(title);
  await page.keyboard.press("Enter");
  await says(".message[data-key=pin]", /is pinned/);
  return new URL(page.url()).searchParams.get("pin");
}

inPage("pinned, closed, the server restarted, opened: the same view", async () => {
  const runs = twoRuns();
  await runs.start();
  await open(server.url);
  await page.keyboard.press("ArrowRight");
  await page.mouse.move(480, 150);
  await page.mouse.down();
  await page.mouse.move(520, 190, {steps: 3});
  await page.mouse.up();
  const id = await pinIt("Kept"), before = await view(), drawn = await picture();
  await page.goto("about:blank");
  const {port} = server;
  await server.stop();
  await runs.start([], port);
  await open(`${server.url}pin/${id}`);
  assert.equal(await text("[data-role=pin-title]"), "Kept");
  assert.deepEqual(await view(), before);
  const apart = shareApart(drawn, await picture());
  assert.ok(apart < 0.002, `${apart} of the pixels differ`);
  assert.equal(new URL(page.url()).hash, "");
});

inPage("a run that lands rolls a pin without a reload", async () => {
  const runs = twoRuns();
  await runs.start();
  await open(server.url);
  await page.keyboard.press("ArrowRight");
  await pinIt("Rolls");
  await page.evaluate(() => { window.same = true; });
  const valid = await text("[data-role=valid-time]");
  runs.land();
  await page.waitForFunction((old) => document.querySelector("[data-role=valid-time]").textContent !== old, valid);
  await says(".message[data-key=run]", /new run/);
  assert.equal(await text("[data-role=lead]"), "T+1");
  assert.ok(await page.evaluate(() => window.same) && !(await page.isVisible("text=Back to the pin")));
});

inPage("two editors: what one saves the other sees, and nothing is overwritten unasked", async () => {
  await twoRuns().start();
  await open(server.url);
  const id = await pinIt("Ours"), other = await page.context().newPage();
  await other.goto(`${server.url}?pin=${id}`);
  await other.waitForFunction(() => window.virga?.state.shown, null, {timeout: PATIENCE});
  await other.keyboard.press("End");
  await other.click("text=Update pin");
  await page.waitForFunction(() => document.querySelector("[data-role=lead]").textContent === "T+3");
  await page.keyboard.press("Home");
  await changedHere();
  await other.keyboard.press("ArrowLeft");
  await other.click("text=Update pin");
  await says(".message[data-key=pin]", /changed this pin/);
  await page.click("text=Update pin");
  await page.waitForSelector("dialog[aria-label='This pin was changed'][open]");
  await page.click("dialog[open] >> text=Save mine over it");
  await says(".message[data-key=pin]", /Saved/);
  await other.waitForFunction(() => document.querySelector("[data-role=lead]").textContent === "T+0");
  const {revision, view: {time}} = await (await fetch(`${server.url}api/pins/${id}`)).json();
  assert.deepEqual([revision, time], [4, "T+0"]);
  await page.click(".message[data-key=pin] >> text=Undo");
  await other.waitForFunction(() => document.querySelector("[data-role=lead]").textContent === "T+2");
  await page.click("#pin >> text=History …");
  await page.waitForSelector(".pin-history li:nth-child(5)");
  if (process.env.VIRGA_SCREENSHOTS) await page.screenshot({path: join(process.env.VIRGA_SCREENSHOTS, "real_history.png")});
  await page.keyboard.press("Escape");
  await page.click("#pin >> text=Delete");
  await says(".message[data-key=pin]", /is deleted/);
  await other.waitForSelector(".message[data-key=pin] >> text=was deleted");
  await page.click(".message[data-key=pin] >> text=Undo");
  await says(".pin-title", /Ours/);
});

inPage("where tokens say who may: a forged one is refused, a viewer sees and changes nothing, a forecaster pins until the token is revoked; nobody looks in unasked", async () => {
  const runs = twoRuns(), token = (role) => /[A-Za-z0-9_-]{40,}/.exec(execFileSync(VIRGA, ["token", "create", "--state", runs.state, "--name", role, "--role", role], {encoding: "utf8"}))[0];
  const [viewer, forecaster] = [token("viewer"), token("forecaster")];
  await runs.start(["--auth", "token", "--anonymous", "none"]);
  await open(server.url);
  assert.match(await text(".blank"), /Sign in to see these forecasts/);
  await page.fill("input[type=password]", "x".repeat(43));
  await page.keyboard.press("Enter");
  await says("[data-role=sign-in-message]", /does not know this token/);
  await page.fill("input[type=password]", viewer);
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => window.virga?.state.shown, null, {timeout: PATIENCE});
  assert.equal(await text(".account"), "viewer");
  await page.reload();
  await shown();
  await page.keyboard.press("n");
  await page.waitForSelector("dialog[aria-label='Signed in'][open]");
  await page.click("dialog[open] >> text=Sign out");
  await page.waitForSelector("text=Sign in to see these forecasts");
  await page.fill("input[type=password]", forecaster);
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.querySelector(".account")?.textContent === "forecaster");
  await shown();
  const id = await pinIt("Mine");
  const refused = await fetch(`${server.url}api/pins/${id}`);
  assert.equal(refused.status, 401);
  execFileSync(VIRGA, ["token", "revoke", "2", "--state", runs.state]);
  await page.waitForSelector("text=Sign in to see these forecasts");
});
