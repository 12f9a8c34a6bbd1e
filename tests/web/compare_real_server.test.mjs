// SPDX-License-Identifier: Apache-2.0
// Two views side by side over the real server: cameras and valid times go together, and the address holds both.
import assert from "node:assert/strict";
import {execFileSync} from "node:child_process";
import {mkdirSync, readdirSync, renameSync} from "node:fs";
import {join} from "node:path";
import {after, before} from "node:test";
import {readCompareHash} from "../../web/view/compare_address.js";
import {page, pageTests} from "./page_tests.mjs";
import {demo, serve, temporaryFolder, VIRGA, WITHOUT_VIRGA} from "./virga_server.mjs";

const WIDTH = 1000, HEIGHT = 540; // little to draw
const PATIENCE = 40000; // drawing in software on a busy machine takes its time
const inPage = pageTests({skip: WITHOUT_VIRGA, viewport: {width: WIDTH, height: HEIGHT}, excused: /ERR_CONNECTION|WebSocket connection/});
const SHOTS = process.env.VIRGA_SHOTS; // a folder for pictures to look at
let server = null;

before(async () => { server = WITHOUT_VIRGA ? null : await serve([demo(`${temporaryFolder()}/demo`, "60x48x20x9")]); });
after(() => server?.stop());

async function shoot(name) {
  if (!SHOTS) return;
  await page.evaluate((ms) => Promise.all([...document.querySelectorAll("iframe[src]")].map((frame) => frame.contentWindow.virga.viewer.settled(ms))), PATIENCE);
  await page.screenshot({path: `${SHOTS}/${name}.png`});
}
const side = (name) => page.evaluate((which) => {
  const {about, shown} = window.virga.sides[which].framed;
  return about && {run: about.run, dataset: about.dataset, names: about.names, shown, layers: about.view.layers};
}, name);
const cameraOf = (name) => page.evaluate((which) => window.virga.sides[which].pane.frame.contentWindow.virga.viewer.camera, name);
const until = (test, argument) => page.waitForFunction(test, argument, {timeout: PATIENCE});
const bothShow = (iso) => until((time) => ["left", "right"].every((name) => window.virga.sides[name].framed.shown === time), iso);

// The page of a comparison with the latest run at T+1 on its left.
async function openCompare(url = server.url) {
  const {datasets: [dataset]} = await (await fetch(`${url}api/catalog`)).json();
  const view = {version: 1, dataset: dataset.id, run: "latest", time: "T+1", layers: [{variable: dataset.variables.find(({vertical}) => vertical).id}], exaggeration: 12};
  await page.goto(`${url}compare.html#left=view:${encodeURIComponent(JSON.stringify(view))}`);
  await until(() => window.virga?.sides && ["left", "right"].every((name) => window.virga.sides[name].framed.shown));
}

// The address is written a little after the last change.
async function addressHolds(test) {
  for (;;) {
    const hash = await page.evaluate(() => window.location.hash);
    if (test(await readCompareHash(hash))) return;
    await until((old) => window.location.hash !== old, hash);
  }
}

// From the page itself.
async function openFromPage(url = server.url) {
  await page.goto(url);
  await until(() => window.virga?.state.shown);
  await page.evaluate(() => { const {state} = window.virga; state.view = {...state.view, time: "T+1"}; });
  await page.click("#sidebar-foot >> text=Compare");
  await until(() => window.virga?.sides && ["left", "right"].every((name) => window.virga.sides[name].framed.shown));
}

inPage("a view opens beside the run before, at one valid time and with one camera", async () => {
  await openFromPage();
  const [left, right] = [await side("left"), await side("right")];
  assert.deepEqual([left.run, right.run], ["2026-04-18T06:00:00Z", "2026-04-18T00:00:00Z"]);
  assert.deepEqual(left.names, right.names);
  await bothShow("2026-04-18T07:00:00Z");
  await shoot("compare-runs");
  const before = await cameraOf("left"), box = await page.locator(".pane[data-side=right] iframe").boundingBox();
  await page.mouse.move(box.x + 300, box.y + 300);
  await page.mouse.down();
  await page.mouse.move(box.x + 400, box.y + 280, {steps: 8});
  await page.mouse.up();
  await until((old) => {
    const [left, right] = ["left", "right"].map((name) => window.virga.sides[name].pane.frame.contentWindow.virga.viewer.camera.eye), apart = (eye) => Math.hypot(...left.map((v, i) => v - eye[i]));
    return apart(old) > 10 && apart(right) < 0.01;
  }, before.eye);
  assert.deepEqual(await cameraOf("left"), await cameraOf("right"));
});

inPage("one timeline moves both; a side without that time says so, and the address brings it all back", async () => {
  await openCompare();
  await bothShow("2026-04-18T07:00:00Z");
  await page.keyboard.press("ArrowRight");
  await bothShow("2026-04-18T08:00:00Z");
  await page.locator("#timeline .track").focus();
  await page.keyboard.press("End");
  await until(() => window.virga.sides.left.framed.shown === "2026-04-18T14:00:00Z" && window.virga.sides.right.framed.shown === "2026-04-18T08:00:00Z");
  assert.match(await page.textContent(".pane[data-side=right] .pane-apart"), /Nothing at Sat 18 Apr 14:00: Sat 18 Apr 08:00 is shown/);
  await page.locator("#timeline .track").focus();
  await page.keyboard.press("Home");
  await bothShow("2026-04-18T06:00:00Z");
  await addressHolds(({left}) => left?.time === "T+0");
  await page.reload();
  await until(() => window.virga?.sides && ["left", "right"].every((name) => window.virga.sides[name].framed.shown));
  assert.deepEqual([(await side("left")).run, (await side("right")).run], ["2026-04-18T06:00:00Z", "2026-04-18T00:00:00Z"]);
  await bothShow("2026-04-18T06:00:00Z");
});

inPage("two variables, the difference of two runs, and a divider to swipe", async () => {
  await openCompare();
  await page.click("#controls >> text=Difference");
  await until(() => window.virga.sides.difference.framed.shown);
  const {layers} = await side("difference");
  assert.deepEqual(layers[0].minus, {run: "2026-04-18T00:00:00Z"});
  await shoot("compare-difference");
  await page.click("#controls >> text=Difference");
  await page.click("#controls >> text=Two variables");
  await until(() => window.virga.sides.right.framed.about.names[0] !== window.virga.sides.left.framed.about.names[0]);
  await page.click("#controls >> text=Swipe");
  await page.locator(".divider").focus();
  await page.keyboard.press("ArrowRight");
  assert.equal(await page.getAttribute(".divider", "aria-valuenow"), "52");
  const box = await page.locator(".divider").boundingBox();
  await page.mouse.move(box.x + 12, box.y + 50);
  await page.mouse.down();
  await page.mouse.move(WIDTH / 4, box.y + 60, {steps: 6});
  await page.mouse.up();
  assert.equal(await page.getAttribute(".divider", "aria-valuenow"), "25");
  await until(() => window.virga.sides.right.framed.shown === window.virga.sides.left.framed.shown);
  await shoot("compare-swipe");
});

inPage("a click shows the files' own profile of both sides, and through time", async () => {
  await openCompare();
  await bothShow("2026-04-18T07:00:00Z");
  const asked = [];
  page.on("request", (request) => { if (request.url().includes("api/sample")) asked.push(request.url()); });
  const box = await page.locator(".pane[data-side=left] iframe").boundingBox();
  await page.mouse.click(box.x + box.width / 2, box.y + box.height * 0.6);
  await until(() => document.querySelectorAll(".sample-panel .plot-line").length === 2);
  assert.equal(asked.length, 2);
  assert.deepEqual(asked.map((url) => new URL(url).searchParams.get("run")), ["2026-04-18T06:00:00Z", "2026-04-18T00:00:00Z"]);
  await shoot("compare-profile");
  await page.click(".sample-panel >> text=Through time");
  await until(() => document.querySelector(".sample-panel .plot-line[data-side=right]")?.getAttribute("d").startsWith("M"));
  await until(() => (document.querySelector(".sample-panel .plot-line[data-side=left]")?.getAttribute("d").match(/L/g) ?? []).length === 8);
  assert.equal(asked.filter((url) => new URL(url).searchParams.has("height")).length, 9 + 3);
});

inPage("a run that lands rolls the latest, and the one before it beside it", async () => {
  const folder = temporaryFolder(), [made, live] = ["made", "live"].map((name) => join(folder, name));
  execFileSync(VIRGA, ["demo", "--out", made, "--size", "40x32x12x8", "--runs", "3", "--quiet"], {stdio: "pipe"});
  mkdirSync(live);
  const [first, second, third] = readdirSync(made).filter((name) => name.endsWith(".nc")).sort();
  for (const name of [first, second]) renameSync(join(made, name), join(live, name));
  const growing = await serve([live]);
  try {
    await openCompare(growing.url);
    assert.equal((await side("right")).run, "2026-04-18T00:00:00Z");
    renameSync(join(made, third), join(live, third));
    await until(() => window.virga.sides.left.framed.about.run === "2026-04-18T12:00:00Z" && window.virga.sides.right.framed.about.run === "2026-04-18T06:00:00Z");
  } finally {
    await page.close();
    await growing.stop();
  }
});
