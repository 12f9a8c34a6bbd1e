// SPDX-License-Identifier: Apache-2.0
// The export dialog in a real browser, over a stub in place of the viewer and exports of the test's own.
import assert from "node:assert/strict";
import {after, before, beforeEach} from "node:test";
import {label, says, start} from "./export_dialog.mjs";
import {fakeExports, fakeJob} from "./fake_exports.mjs";
import {madeUpCatalog} from "./made_up_catalog.js";
import {servePage} from "./page_server.mjs";
import {page, pageTests} from "./page_tests.mjs";

const inPage = pageTests({viewport: {width: 1280, height: 720}, excused: /status of [45]/});
let server = null;

before(async () => { server = await servePage(madeUpCatalog(), {prefix: "/some/where/"}); });
after(() => server.close());
beforeEach(() => { server.exports = fakeExports(); });

const open = async () => {
  await page.goto(server.url);
  await page.waitForFunction(() => window.virga?.state.shown);
  await page.keyboard.press("x");
  await page.waitForSelector(".export-form");
};
const text = (selector) => page.textContent(selector);
async function until(holds) {
  for (const end = Date.now() + 20000; !holds();) {
    if (Date.now() > end) throw new Error(`never: ${holds}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
const ordered = async (count = 1) => {
  await page.waitForFunction((n) => document.querySelectorAll(".export-job").length >= n, count);
  return server.exports.views.at(-1);
};
// What the server says over its websocket.
const tell = (all, jobs) => page.evaluate((detail) => window.virga.viewer.emit("exports", detail), {all, jobs});

inPage("the button and the key open it; Escape and the key of the page's help leave the page as it was", async () => {
  await open();
  assert.ok(await page.isVisible("dialog[aria-label='Export pictures']"));
  await page.keyboard.press("Escape");
  assert.ok(!await page.isVisible("dialog[aria-label='Export pictures']"));
  await page.click("[aria-label='Export pictures of all times']");
  assert.ok(await page.isVisible("dialog[aria-label='Export pictures']"));
  assert.deepEqual(await page.evaluate(() => window.virga.viewer.calls.filter(([name]) => name === "watchExports").map(([, on]) => on)), [true, false, true]);
});

inPage("what plays is stopped; keys for the page do nothing while it is open, and the focus stays inside", async () => {
  await page.goto(server.url);
  await page.waitForFunction(() => window.virga?.state.shown);
  await page.keyboard.press(" ");
  await page.keyboard.press("x");
  assert.equal(await page.evaluate(() => window.virga.viewer.playing), false);
  await page.keyboard.press("ArrowRight");
  assert.equal(await page.evaluate(() => window.virga.state.index), 0);
  for (let i = 0; i < 60; i++) {
    await page.keyboard.press("Tab");
    assert.ok(await page.evaluate(() => document.activeElement === document.body || document.activeElement.closest("dialog")));
  }
});

inPage("every control has a name", async () => {
  server.exports.jobs = [];
  fakeJob(server.exports, {state: "running", done: 3, frames: 9});
  await open();
  await page.waitForSelector(".export-job");
  const nameless = await page.$$eval("dialog[open] :is(input, select, button, a, progress)", (all) => all.filter((element) => !(element.ariaLabel || element.labels?.length || element.textContent.trim())).map((element) => element.outerHTML));
  assert.deepEqual(nameless, []);
});

inPage("the page's view is ordered, with its camera and layers, for all times", async () => {
  await page.goto(server.url);
  await page.waitForFunction(() => window.virga?.state.shown);
  await page.keyboard.press("t"); // from above
  await page.keyboard.press("x");
  await says("[data-role=estimate]", /37 frames · 1280 × 720/);
  await start();
  const view = await ordered(), here = await page.evaluate(() => window.virga.state.view);
  assert.deepEqual(view.camera, here.camera);
  assert.deepEqual(view.layers, here.layers);
  assert.equal(view.run, "2009-11-19T03:00:00Z");
  assert.deepEqual(view.sequence, {times: "all", format: "png"});
  assert.equal(await text(".export-name"), "Cloud fraction – Made-up forecast, UK");
});

inPage("every choice reaches the server", async () => {
  await open();
  await label("A range").check();
  await label("First").selectOption({label: "Thu 19 Nov 06:00 (T+3)"});
  await label("Last").selectOption({label: "Thu 19 Nov 15:00 (T+12)"});
  await label("Of these").selectOption("3");
  await label("A film, blended between times").check();
  await label("Frames a second").fill("12");
  await label("Forecast times a second").fill("2");
  await label("Turn around the middle, degrees").fill("-90");
  await label("Size").selectOption("1920 1080");
  await label("Format").selectOption("jpeg");
  await label("Quality").fill("75");
  await label("Title").fill("Storm");
  await label("Attribution").fill("A service");
  await label("Legends").uncheck();
  assert.equal(await text("[data-role=estimate]"), "19 frames · 1920 × 1080 · 1.6 s of film");
  await start();
  const {size, captions, transparent, sequence, time} = await ordered();
  assert.deepEqual({size, captions, transparent, sequence, time}, {size: [1920, 1080], captions: {show: true, legend: false, title: "Storm", attribution: "A service"}, transparent: false, time: "T+3",
    sequence: {times: ["T+3", "T+6", "T+9", "T+12"], fps: 12, rate: 2, orbit: -90, format: "jpeg", quality: 75}});
  assert.equal(await text(".export-name"), "Storm");
});

inPage("captions, size and film that the view's own document has are in the form", async () => {
  const document = {version: 1, dataset: "demo-uk", layers: [{variable: "cloud_fraction"}], size: [640, 480], captions: {title: "Storm", attribution: "A service"}, sequence: {times: "all", fps: 12, rate: 2}};
  await page.goto(`${server.url}#view=${encodeURIComponent(JSON.stringify(document))}`);
  await page.waitForFunction(() => window.virga?.state.shown);
  await page.keyboard.press("x");
  await says("[data-role=estimate]", /217 frames · 640 × 480 · 18 s of film/);
  assert.deepEqual(await Promise.all(["Title", "Attribution", "Width", "Frames a second"].map((words) => label(words).inputValue())), ["Storm", "A service", "640", "12"]);
  await label("Title").fill("");
  await page.keyboard.press("Escape");
  await page.waitForFunction(() => !document.activeElement.closest("dialog"));
  await page.keyboard.press("x");
  assert.equal(await label("Title").inputValue(), ""); // what was chosen stays
  await start();
  const {captions, size, sequence} = await ordered();
  assert.deepEqual({captions, size, sequence}, {captions: {show: true, legend: true, attribution: "A service"}, size: [640, 480], sequence: {times: "all", fps: 12, rate: 2, format: "png"}});
});

inPage("only what has a meaning can be chosen", async () => {
  await open();
  await label("This one").check();
  for (const hidden of ["First", "Of these", "Frames a second", "Quality", "In so many frames", "Width"]) assert.ok(!await label(hidden).isVisible(), hidden);
  await label("Turn around the middle, degrees").fill("360");
  assert.ok(await label("In so many frames").isVisible());
  assert.equal(await text("[data-role=estimate]"), "120 frames · 1280 × 720");
  await label("Size").selectOption("own");
  await label("Width").fill("8");
  assert.match(await text("[data-role=estimate]"), /16 to 16384/);
  assert.ok(await page.isDisabled(".export-side .primary"));
  await label("Width").fill("640");
  assert.equal(await text("[data-role=estimate]"), "120 frames · 640 × 720");
  await label("Without sky (transparent)").check();
  await label("Format").selectOption("jpeg");
  assert.ok(await label("Without sky (transparent)").isDisabled());
  await label("Captions").uncheck();
  assert.ok(!await label("Title").isVisible());
  await start();
  const view = await ordered();
  assert.deepEqual([view.size, view.transparent, view.captions.show], [[640, 720], false, false]);
});

inPage("the first frame is previewed, again after each choice, and a busy server is asked again", async () => {
  server.exports.previewBusy = 2;
  await open();
  await page.waitForSelector(".export-preview img:not([hidden])");
  assert.equal(server.exports.previews.length, 3);
  assert.deepEqual(server.exports.previews[0], {view: server.exports.previews[2].view, width: 480, time: "T+0"});
  await label("A range").check();
  await label("First").selectOption({index: 5});
  await until(() => server.exports.previews.at(-1).time === "T+5");
  await page.waitForFunction(() => !document.querySelector(".export-preview img.stale"));
  server.exports.previewRefuse = "layers[0].variable: cannot be read";
  await label("Captions").uncheck();
  await says(".export-preview .note", /No preview\. Layers\[0\]\.variable: cannot be read\./);
});

inPage("jobs go on as the server tells: state, frames, rate, time left, and what can be done", async () => {
  fakeJob(server.exports, {name: "Earlier", state: "done", frames: 5, done: 5, bytes: 5e6});
  await open();
  await says(".export-job", /Earlier/);
  const job = fakeJob(server.exports, {name: "Now", state: "running", frames: 40, done: 0});
  await tell(false, [job]);
  await says(".export-job", /Now/); // the newest first
  await tell(false, [{...job, done: 10, rate: 6.31, seconds_left: 4.8, bytes: 2.5e6}]);
  assert.equal(await text(".export-progress"), "10 of 40 frames · 6.3 a second · 5 s left · 2.5 MB · 1280 × 720 PNG");
  assert.equal(await page.$eval(".export-job progress", (bar) => bar.value), 0.25);
  assert.equal(await page.getAttribute(".export-job a", "href"), `${server.url}api/exports/${job.id}/zip`);
  await page.fill(".export-job [aria-label='Number of a frame']", "7");
  assert.equal(await page.getAttribute("[aria-label='Download frame 7']", "href"), `${server.url}api/exports/${job.id}/frames/6`);
  await page.fill(".export-job [aria-label='Number of a frame']", "99"); // not there yet
  assert.equal(await page.getAttribute("[aria-label='Download frame 10']", "href"), `${server.url}api/exports/${job.id}/frames/9`);
  await tell(false, [{...job, state: "failed", error: "no room on the disk; delete some exports", done: 10}]);
  assert.equal(await text(".export-state"), "failed");
  assert.equal(await text(".export-job .export-error"), "no room on the disk; delete some exports");
  assert.ok(!await page.isVisible(".export-job progress"));
  await tell(true, [server.exports.jobs[1]]); // all that is left
  await page.waitForFunction(() => document.querySelectorAll(".export-job").length === 1);
});

inPage("cancel, and delete after a question", async () => {
  const job = fakeJob(server.exports, {state: "running", frames: 40, done: 3});
  await open();
  await page.click("text=Cancel");
  await says(".export-state", /cancelled/);
  assert.equal(job.state, "cancelled");
  await page.click(".export-actions > button:text('Delete')");
  await page.click("text=Keep");
  assert.equal(server.exports.jobs.length, 1);
  await page.click(".export-actions > button:text('Delete')");
  await page.click(".export-really .danger");
  await page.waitForFunction(() => !document.querySelector(".export-job"));
  assert.equal(server.exports.jobs.length, 0);
  assert.ok(await page.isVisible("text=There are none yet."));
  assert.ok(await page.evaluate(() => Boolean(document.activeElement.closest("dialog")))); // the focus is not lost
});

inPage("all frames are downloaded as a file", async () => {
  fakeJob(server.exports, {state: "done", frames: 2, done: 2});
  await open();
  const [download] = await Promise.all([page.waitForEvent("download"), page.click("text=Download all")]);
  assert.equal(download.suggestedFilename(), "frames.zip");
});

inPage("without a websocket it asks", async () => {
  const job = fakeJob(server.exports, {state: "running", frames: 4, done: 1});
  await page.goto(server.url);
  await page.waitForFunction(() => window.virga?.state.shown);
  await page.evaluate(() => { window.virga.viewer.deaf = true; });
  await page.keyboard.press("x");
  await says(".export-progress", /1 of 4/);
  Object.assign(job, {state: "done", done: 4});
  await says(".export-progress", /4 of 4/);
});

for (const [refuse, words] of [
  [{status: 400, message: "sequence.times.to: expected a time that is not before the first"}, "Sequence.times.to: expected a time that is not before the first."],
  [{status: 403, message: "exports are taken from this machine only; name this origin in allow-origin"}, "Exports are taken from this machine only; name this origin in allow-origin."],
  [{status: 501, message: "x"}, "This server makes no exports."],
]) {
  inPage(`a refusal is said in words: ${refuse.status}`, async () => {
    server.exports.refuse = refuse;
    await open();
    await page.waitForFunction(() => !document.querySelector(".export-side .primary").disabled);
    await start();
    await says("[data-role=export-message]", new RegExp(words));
    assert.equal(await page.$eval(".export-side .primary", (button) => button.disabled), false); // and may be tried again
  });
}

inPage("a server without exports is told at once", async () => {
  server.exports = null;
  await open();
  await says("[data-role=export-message]", /knows nothing of exports/);
});

for (const [width, height] of [[360, 640], [560, 400], [1280, 720], [3840, 2160]]) {
  inPage(`it fits a window of ${width} × ${height}`, async () => {
    fakeJob(server.exports, {name: "A name that is much too long to stand in one line of a window as narrow as this", state: "running", frames: 400, done: 130, rate: 5, seconds_left: 400, bytes: 123456789});
    fakeJob(server.exports, {state: "failed", error: "a_word_without_end_".repeat(12), done: 3, frames: 9});
    await page.setViewportSize({width, height});
    await page.goto(server.url);
    await page.waitForFunction(() => window.virga?.state.shown);
    await page.keyboard.press("x");
    await page.waitForSelector(".export-job");
    await label("A film, blended between times").check();
    await label("Size").selectOption("own");
    await label("Format").selectOption("jpeg");
    const wide = await page.$eval("dialog[open]", (element) => [element.scrollWidth - element.clientWidth, element.getBoundingClientRect().right - window.innerWidth, element.getBoundingClientRect().bottom - window.innerHeight]);
    assert.ok(wide.every((by) => by <= 0.5), String(wide));
    const cut = await page.$$eval("dialog[open] :is(button, a, input, select, legend, label)", (all) => all.filter((element) => {
      const box = element.getBoundingClientRect(), outer = element.closest("dialog").getBoundingClientRect();
      return box.width && (box.left < outer.left - 1 || box.right > outer.right + 1);
    }).map((element) => element.outerHTML.slice(0, 80)));
    assert.deepEqual(cut, []);
    if (process.env.VIRGA_SCREENSHOTS) await page.screenshot({path: `${process.env.VIRGA_SCREENSHOTS}/export_${width}.png`});
  });
}
