// SPDX-License-Identifier: Apache-2.0
// Pins on the page, in a real browser, over a stub in place of the viewer and pins of the test's own.
import assert from "node:assert/strict";
import {after, before, beforeEach} from "node:test";
import {join} from "node:path";
import {label} from "./export_dialog.mjs";
import {fakeExports} from "./fake_exports.mjs";
import {changePin, fakePin, fakePins} from "./fake_pins.mjs";
import {madeUpCatalog} from "./made_up_catalog.js";
import {servePage} from "./page_server.mjs";
import {page, pageTests} from "./page_tests.mjs";

const inPage = pageTests({viewport: {width: 1280, height: 720}, excused: /status of [45]/});
let server = null;

before(async () => { server = await servePage(madeUpCatalog(), {prefix: "/some/where/"}); });
after(() => server.close());
beforeEach(() => {
  server.catalog = madeUpCatalog();
  server.pins = fakePins();
  server.exports = null;
});

const LAYER = {variable: "qcl", visible: true, shading: true, colour_map: "cloud", range: [0, 0.001], units: "kg kg-1", opacity: [[0, 0], [0.001, 1]]};
const CAMERA = {mode: "orbit", eye: [0, -1400, 950], target: [0, 0, 100], up: [0, 0, 1], fov: 40};
const VIEW = {version: 1, dataset: "demo-uk", run: "latest", time: "T+3", member: 0, layers: [LAYER], camera: CAMERA, light: {sun: {azimuth: 225, elevation: 40}, shadows: true, ambient: 0.35},
  exaggeration: 15, map: {coastlines: true, graticule: true, terrain: true, height_axis: true}};
const pinned = (more = {}) => fakePin(server.pins, {title: "Low cloud", view: structuredClone(VIEW), ...more});

const open = async (query = "", hash = "") => {
  await page.goto(`${server.url}${query}${hash}`);
  await page.waitForFunction(() => window.virga?.state.shown || document.querySelector(".blank"));
};
const text = (selector) => page.textContent(selector);
const says = (selector, pattern) => page.waitForFunction(([place, source]) => new RegExp(source).test(document.querySelector(place)?.textContent ?? ""), [selector, pattern.source]);
const view = () => page.evaluate(() => window.virga.state.view);
const tell = (pins, all = false) => page.evaluate((detail) => window.virga.viewer.emit("pins", detail), {all, pins: pins.map(({view: _, past: __, ...pin}) => pin)});
const button = (words) => page.locator("#pin").getByRole("button", {name: words, exact: true});
const turn = () => page.keyboard.press("t");
const changedHere = (words) => says("#pin", new RegExp(`Changed here only: ${words}`));
const picture = async (name) => { if (process.env.VIRGA_SCREENSHOTS) await page.screenshot({path: join(process.env.VIRGA_SCREENSHOTS, `${name}.png`)}); };
// A run six hours after the last, as the server would tell of it.
const rollRun = () => page.evaluate(() => {
  const {viewer} = window.virga;
  viewer.catalog = structuredClone(viewer.catalog);
  const {runs} = viewer.catalog.datasets[0], old = runs.at(-1);
  const later = (iso) => new Date(Date.parse(iso) + 6 * 3600e3).toISOString().replace(".000Z", "Z");
  const series = Object.fromEntries(Object.entries(old.series).map(([id, s]) => [id, {...s, times: s.times.map(later)}]));
  runs.push({time: later(old.time), complete: true, series});
  viewer.emit("catalog", {catalog: viewer.catalog});
});

inPage("a view is pinned by a rule in words, and the page is then that pin's", async () => {
  await open("", "#dataset=demo-uk&variable=qcl&time=T+3");
  await page.keyboard.press("n");
  const words = await page.locator("dialog[open] .choice label").allTextContents();
  assert.deepEqual(words.map((one) => one.split("Now:")[0]), ["Latest run, T+3", "Latest run, nearest to now", "Latest run, for Thu 19 Nov 06:00 UTC", "Always this run and time"]);
  assert.match(words[0], /Now: Run Thu 19 Nov 03:00 · T\+3 · valid Thu 19 Nov 2009 06:00 UTC/);
  await picture("pin_dialog");
  await label("Title").fill("Morning cloud");
  await label("Group").fill("Desk");
  await page.keyboard.press("Enter");
  await says(".message[data-key=pin]", /Morning cloud.*is pinned/);
  const [, , body] = server.pins.requests.find(([method]) => method === "POST");
  assert.deepEqual([body.title, body.group, body.view.run, body.view.time, body.view.layers[0].variable], ["Morning cloud", "Desk", "latest", "T+3", "qcl"]);
  assert.ok(body.view.camera);
  await page.waitForFunction((id) => location.search === `?pin=${id}` && location.hash === "", server.pins.pins[0].id);
  assert.equal(await text(".pin-title"), "Morning cloud");
  assert.match(await text("#pin .note"), /latest run, T\+3 · group Desk · by local/);
  assert.equal(await text("[data-role=pin-title]"), "Morning cloud");
});

inPage("each rule is kept as it is chosen; a title is needed", async () => {
  for (const [words, run, time] of [["Latest run, nearest to now", "latest", "nearest to now"], ["Latest run, for", "latest", "2009-11-19T06:00:00Z"], ["Always this run", "2009-11-19T03:00:00Z", "2009-11-19T06:00:00Z"]]) {
    await open("", "#dataset=demo-uk&variable=qcl&time=T+3");
    await page.keyboard.press("n");
    await label("Title").fill("");
    await page.locator("dialog[open] .check", {hasText: words}).click();
    await page.click("dialog[open] .primary");
    await says("[data-role=pin-message]", /needs a title/);
    await label("Title").fill(words);
    await page.click("dialog[open] .primary");
    await says(".pin-title", new RegExp(words));
    const kept = server.pins.pins.at(-1).view, shown = await view();
    assert.deepEqual([kept.run, kept.time, shown.run, shown.time], [run, time, run, time]);
    assert.ok(!(await button("Back to the pin").isVisible()));
  }
});

inPage("a pin opens by its link, and rolls with a new run", async () => {
  const pin = pinned({live: {state: "stale", words: "No new run since 03Z, 14 h ago", run: "2009-11-19T03:00:00Z", valid: "2009-11-19T06:00:00Z", lead_hours: 3, key: null}});
  await open(`?pin=${pin.id}`);
  assert.equal(await text("[data-role=pin-title]"), "Low cloud");
  assert.equal(await text("[data-role=lead]"), "T+3");
  assert.match(await text("[data-role=run]"), /Run Thu 19 Nov 03:00 UTC \(.* old\)/);
  assert.equal(await text("#caption .pin-warning"), "No new run since 03Z, 14 h ago");
  await picture("pin_open");
  const address = page.url();
  await rollRun();
  await says("[data-role=valid-time]", /Thu 19 Nov 2009 12:00 UTC/);
  assert.equal(await text("[data-role=lead]"), "T+3");
  assert.match(await text(".message[data-key=run]"), /new run.*Thu 19 Nov 09:00 UTC/);
  await tell([{...pin, live: {...pin.live, state: "fresh", words: null, run: "2009-11-19T09:00:00Z"}}]);
  await page.waitForSelector("#caption .pin-warning", {state: "hidden"});
  assert.equal(page.url(), address);
});

inPage("what is changed while looking is one's own, survives a reload, and goes back or into the pin", async () => {
  const pin = pinned();
  await open(`?pin=${pin.id}`);
  assert.ok(!(await button("Update pin").isVisible()));
  await turn();
  await changedHere("camera");
  await page.waitForFunction(() => location.hash.startsWith("#v1="));
  await page.reload();
  await page.waitForFunction(() => window.virga?.state.shown);
  await changedHere("camera\\.");
  assert.equal((await view()).camera.mode, "top");
  await picture("pin_changed");
  await button("Back to the pin").click();
  await page.waitForFunction(() => window.virga.state.view.camera.mode === "orbit" && location.hash === "");
  await page.keyboard.press("ArrowRight");
  await changedHere("time");
  await button("Update pin").click();
  await says(".message[data-key=pin]", /Saved/);
  assert.equal(pin.view.time, "T+4");
  assert.ok(!(await button("Update pin").isVisible()));
  await page.click(".message[data-key=pin] >> text=Undo");
  await says(".message[data-key=pin]", /Undone/);
  assert.equal(pin.view.time, "T+3");
  await says("[data-role=lead]", /^T\+3$/);
});

inPage("two editors: whoever is later says whose it is to be", async () => {
  const pin = pinned();
  await open(`?pin=${pin.id}`);
  await turn();
  await changedHere("camera");
  changePin(pin, {view: {...pin.view, time: "T+9"}});
  await button("Update pin").click();
  await page.waitForSelector("dialog[aria-label='This pin was changed'][open]");
  assert.match(await text("dialog[open]"), /ben changed “Low cloud”/);
  await picture("pin_conflict");
  await page.click("dialog[open] >> text=Not now");
  assert.equal(pin.revision, 2);
  await changedHere("camera");
  await button("Update pin").click();
  await page.click("dialog[open] >> text=Save mine over it");
  await says(".message[data-key=pin]", /Saved/);
  assert.deepEqual([pin.revision, pin.view.camera.mode, pin.view.time], [3, "top", "T+3"]);
  changePin(pin, {view: {...pin.view, time: "T+9"}});
  await page.keyboard.press("r");
  await changedHere("camera");
  await button("Update pin").click();
  await page.click("dialog[open] >> text=Show theirs");
  await says("[data-role=lead]", /^T\+9$/);
});

inPage("another's change is shown at once where nothing was changed here, else offered", async () => {
  const pin = pinned();
  await open(`?pin=${pin.id}`);
  await tell([changePin(pin, {view: {...pin.view, time: "T+9"}})]);
  await says("[data-role=lead]", /^T\+9$/);
  await says(".message[data-key=pin]", /ben changed this pin/);
  await turn();
  await changedHere("camera");
  await tell([changePin(pin, {view: {...pin.view, time: "T+12"}})]);
  await page.click(".message[data-key=pin] >> text=Show theirs");
  await says("[data-role=lead]", /^T\+12$/);
});

inPage("title, group and rule are edited; the view stays", async () => {
  const pin = pinned();
  await open(`?pin=${pin.id}`);
  await page.keyboard.press("ArrowRight");
  await changedHere("time");
  await button("Edit …").click();
  assert.deepEqual((await page.locator("dialog[open] .choice label").allTextContents()).map((one) => one.split("Now:")[0]),
    ["As it is: latest run, T+3", "Latest run, T+4", "Latest run, nearest to now", "Latest run, for Thu 19 Nov 07:00 UTC", "Always this run and time"]);
  await label("Title").fill("Named");
  await page.keyboard.press("Enter");
  await says(".pin-title", /Named/);
  assert.deepEqual([pin.view.time, (await view()).time], ["T+3", "T+4"]);
  await button("Back to the pin").click();
  await page.waitForSelector("text=Back to the pin", {state: "hidden"});
  await button("Edit …").click();
  await label("Title").fill("Renamed");
  await page.locator("dialog[open] .check", {hasText: "nearest to now"}).click();
  await page.click("dialog[open] .primary");
  await says(".pin-title", /Renamed/);
  await says("#pin .note", /latest run, nearest to now/);
  assert.deepEqual([pin.title, pin.view.time, pin.view.camera.eye[1]], ["Renamed", "nearest to now", -1400]);
  await says("[data-role=lead]", /^T\+36$/);
});

inPage("a pin is deleted, brought back by Undo, and from the list", async () => {
  const pin = pinned();
  await open(`?pin=${pin.id}`);
  await button("Delete").click();
  await says(".message[data-key=pin]", /is deleted/);
  assert.ok(!(await page.isVisible(".pin-title")));
  await page.waitForFunction(() => location.search === "" && location.hash.startsWith("#v1="));
  await page.click(".message[data-key=pin] >> text=Undo");
  await says(".pin-title", /Low cloud/);
  await button("Delete").click();
  await page.waitForSelector(".pin-title", {state: "hidden"});
  await page.keyboard.press("g");
  await page.locator("dialog[open]").getByLabel("Deleted").check();
  await page.click("dialog[open] >> text=Bring back");
  await page.waitForFunction(() => /Nothing was deleted/.test(document.querySelector("[data-role=pins-message]").textContent));
  assert.equal(server.pins.pins.length, 1);
});

inPage("the history says who, when and what, and brings one back", async () => {
  const pin = pinned();
  changePin(pin, {title: "Second", view: {...pin.view, time: "T+9"}});
  await open(`?pin=${pin.id}`);
  await button("History …").click();
  await page.waitForSelector(".pin-history li");
  assert.match(await text(".pin-history"), /ben.*as it is now.*ada/s);
  await picture("pin_history");
  await page.click(".pin-history >> text=Bring back");
  await says(".pin-title", /Low cloud/);
  await says("[data-role=lead]", /^T\+3$/);
});

inPage("the list is searched, and a pin of it opens without a reload", async () => {
  pinned();
  pinned({title: "Wind at Lerwick", group: "North", owner: "ben", may: false, view: {...VIEW, time: "T+6"}});
  await open();
  await page.evaluate(() => { window.same = true; });
  await page.keyboard.press("g");
  await page.waitForSelector(".pin-list li");
  await picture("pin_list");
  await label("Search pins").fill("lerw");
  assert.deepEqual(await page.locator(".pin-list strong").allTextContents(), ["Wind at Lerwick"]);
  await page.click(".pin-list a");
  await says(".pin-title", /Wind at Lerwick/);
  await says("[data-role=lead]", /^T\+6$/);
  assert.ok(await page.evaluate(() => window.same));
  await turn();
  await changedHere("camera");
  assert.ok(!(await button("Update pin").isVisible()) && !(await button("Edit …").isVisible()) && await button("Back to the pin").isVisible());
});

inPage("a remote's way to the next pin follows the wall's order, around its end", async () => {
  const at = (title, group, position) => pinned({title, group, position});
  const [b, a, c] = [at("B", "", 2), at("A", "", 1), at("C", "North", 0)];
  await open(`?pin=${a.id}`);
  for (const [by, title] of [[1, "B"], [1, "C"], [1, "A"], [-1, "C"]]) {
    await page.evaluate((n) => window.virga.nextPin(n), by);
    await says(".pin-title", new RegExp(`^${title}$`));
  }
  assert.equal(new URL(page.url()).searchParams.get("pin"), c.id);
  assert.notEqual(b.id, c.id);
});

inPage("Back and Forward lead through the pins that were opened, to the view before them and on again", async () => {
  const [one, two] = [pinned({title: "One"}), pinned({title: "Two", view: {...structuredClone(VIEW), time: "T+6"}})];
  await open("", "#dataset=demo-uk&variable=qcl&time=T+1");
  for (const title of ["One", "Two"]) {
    await page.keyboard.press("g");
    await page.locator("dialog[open] a", {hasText: title}).first().click();
    await says("[data-role=pin-title]", new RegExp(title));
  }
  const on = async (title, time) => { await says("[data-role=pin-title]", new RegExp(`^${title}$`)); await page.waitForFunction((wanted) => window.virga.state.view.time === wanted, time); };
  await page.goBack();
  await on("One", "T+3");
  assert.equal(new URL(page.url()).searchParams.get("pin"), one.id);
  await page.goBack();
  await on("", "T+1");
  await page.goForward();
  await page.goForward();
  await on("Two", "T+6");
  assert.equal(new URL(page.url()).searchParams.get("pin"), two.id);
});

inPage("a pin that is not there is said; one whose forecast is not there waits for it", async () => {
  await open("?pin=00000000000000ff");
  await says(".message[data-key=pin]", /cannot be opened.*no such pin/);
  const pin = pinned({view: {...VIEW, dataset: "later"}});
  await open(`?pin=${pin.id}`);
  await says(".blank", /cannot be shown now.*"later" is not on offer/);
  await picture("pin_waits");
  await button("Edit …").click();
  assert.equal(await page.locator("dialog[open] .choice label").count(), 1);
  await page.keyboard.press("Escape");
  await page.evaluate(() => {
    const {viewer} = window.virga;
    viewer.catalog.datasets.push({...viewer.catalog.datasets[0], id: "later"});
    viewer.emit("catalog", {catalog: viewer.catalog});
  });
  await says("[data-role=lead]", /^T\+3$/);
  assert.equal(await page.$(".blank"), null);
});

inPage("who may not is led to sign in, and goes on", async () => {
  Object.assign(server.pins, {token: "secret", refuse: 401, me: {name: null, role: "viewer", auth: ["token"], anonymous: true, sign_in: null}});
  await open("", "#dataset=demo-uk&variable=qcl&time=T+3");
  assert.equal(await text(".account"), "Sign in");
  await page.keyboard.press("n");
  await says("dialog[open] [role=status]", /needs the role forecaster/);
  await label("Token").fill("wrong");
  await page.keyboard.press("Enter");
  await says("[data-role=sign-in-message]", /does not know this token/);
  await picture("sign_in");
  await label("Token").fill("secret");
  await page.keyboard.press("Enter");
  await page.waitForSelector("dialog[aria-label='Pin this view'][open]");
  await page.keyboard.press("Enter");
  await says(".message[data-key=pin]", /is pinned/);
  assert.equal(await text(".account"), "ada");
  assert.deepEqual(await page.evaluate(() => window.virga.viewer.calls.filter(([name]) => name === "signedIn").length), 1);
  assert.ok(!page.url().includes("secret"));
  await page.click(".account");
  await page.click("dialog[open] >> text=Sign out");
  await says(".account", /Sign in/);
});

inPage("an export that the server refuses to a stranger leads to sign in", async () => {
  Object.assign(server.pins, {token: "secret", me: {name: null, role: "viewer", auth: ["token"], anonymous: true, sign_in: null}});
  server.exports = Object.assign(fakeExports(), {refuse: {status: 401, message: "sign in first"}});
  await open();
  await page.keyboard.press("x");
  await page.click("dialog[open] .export-side .primary");
  await says("dialog[aria-label='Sign in'][open] [role=status]", /Exporting pictures needs the role forecaster/);
  await label("Token").last().fill("secret");
  await page.keyboard.press("Enter");
  await says(".account", /ada/);
  assert.ok(await page.isVisible("dialog[aria-label='Export pictures']"));
});

inPage("where nobody may look without signing in, there is only that", async () => {
  Object.assign(server.pins, {token: "secret", me: {name: null, role: null, auth: ["token", "jupyterhub"], anonymous: false, sign_in: "hub/login"}});
  const from = server.requests.length;
  await open();
  await picture("locked");
  assert.ok(!server.requests.slice(from).includes("/some/where/api/catalog"));
  assert.equal(await page.getAttribute(".sign-in a", "href"), "hub/login");
  await page.fill("input[type=password]", "secret");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => window.virga?.state.shown);
  assert.ok(await page.isVisible("#sidebar"));
});

inPage("who may look only is told so after signing in, too", async () => {
  Object.assign(server.pins, {token: "secret", role: "viewer", me: {name: null, role: "viewer", auth: ["token"], anonymous: true, sign_in: null}});
  await open();
  await page.keyboard.press("n");
  await page.fill("input[type=password]", "secret");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".message[data-key=pin]");
  assert.match(await text(".message[data-key=pin]"), /not pinned.*may only look/);
  await page.click("#account button");
  assert.equal(await page.getAttribute("dialog[open]", "aria-label"), "Signed in");
});

inPage("whose token ends in mid-session is told so, looks on, and signs in again", async () => {
  Object.assign(server.pins, {token: "secret", me: {name: "ada", role: "forecaster", auth: ["token"], anonymous: true, sign_in: null}});
  await open();
  Object.assign(server.pins.me, {name: null, role: "viewer"});
  await page.waitForFunction(() => {
    window.virga.viewer.emit("connection", {state: "lost", message: "", transport: "http"});
    return document.querySelector(".message[data-key=account]");
  }, null, {polling: 200});
  assert.match(await text(".message[data-key=account]"), /signed out.*expired or was revoked/);
  assert.equal(await text("#account"), "Sign in");
  await page.click(".message[data-key=account] .small-button");
  await page.fill("input[type=password]", "secret");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".message[data-key=account]", {state: "detached"});
  assert.equal(await text("#account"), "ada");
});

inPage("a view that is no pin says when a newer run came, and shows it on request", async () => {
  await open("", "#dataset=demo-uk&variable=qcl&run=2009-11-19T03:00:00Z&time=T+3");
  await rollRun();
  await says(".message[data-key=run]", /newer run has come: Thu 19 Nov 09:00/);
  assert.match(await text("[data-role=run]"), /03:00/);
  await page.click(".message[data-key=run] >> text=Show it");
  await says("[data-role=run]", /09:00/);
});

inPage("nearest to now moves on with the clock, which is the server's", async () => {
  await page.clock.install({time: new Date("2009-11-22T07:10:00Z")}); // three days ahead
  server.time = Date.parse("2009-11-19T07:10:00Z");
  const pin = pinned({view: {...VIEW, time: "nearest to now"}});
  await open(`?pin=${pin.id}`);
  server.time = null;
  assert.equal(await text("[data-role=lead]"), "T+4");
  assert.match(await text("[data-role=run]"), /\(4 h old\)/);
  await page.clock.runFor(40 * 60000);
  await says("[data-role=lead]", /^T\+5$/);
  assert.ok(!(await button("Back to the pin").isVisible()));
});

inPage("without a websocket a pin is looked at once a minute, and rolls", async () => {
  await page.clock.install();
  const pin = pinned();
  await open(`?pin=${pin.id}`);
  await page.evaluate(() => { window.virga.viewer.deaf = true; });
  const {runs} = server.catalog.datasets[0], {series} = runs.at(-1);
  runs.push({time: "2009-11-19T06:00:00Z", complete: true, series});
  pin.live = {state: "stale", words: "No new run since 06Z, 9 h ago", run: "2009-11-19T06:00:00Z"};
  await page.clock.runFor(70000);
  await says("[data-role=run]", /Run Thu 19 Nov 06:00/);
  await says("#caption .pin-warning", /since 06Z/);
});

inPage("in the frame of another page: the picture, what it is, its legend; times where they are asked for", async () => {
  await page.setViewportSize({width: 480, height: 320});
  const pin = pinned();
  await open(`?pin=${pin.id}&embed=1`);
  for (const selector of ["[data-role=pin-title]", "[data-role=valid-time]", "[data-role=run]", ".legend"]) assert.ok(await page.isVisible(selector), selector);
  for (const selector of ["#sidebar", "#timeline", "#tools", ".badge"]) assert.ok(!(await page.isVisible(selector)), selector);
  await picture("embed");
  await open(`?pin=${pin.id}&embed=1&timeline=1`);
  assert.ok(await page.isVisible("#timeline"));
  await page.goto(`${server.url}?pin=${"f".repeat(16)}&embed=1`); // deleted: no other forecast passes for it
  await says(".blank", /cannot be opened.*deleted/s);
  assert.equal(await page.evaluate(() => window.virga.state.view), null);
});

for (const [width, height] of [[360, 640], [1280, 720]]) {
  inPage(`everything about pins fits and has a name at ${width} × ${height}`, async () => {
    await page.setViewportSize({width, height});
    const pin = pinned({title: "A title that somebody wrote at some length about low cloud over the northern isles", live: {state: "stale", words: "No new run since 03Z, 14 h ago", run: "2009-11-19T03:00:00Z"}});
    await open(`?pin=${pin.id}`);
    await turn();
    await picture(`pin_${width}`);
    if (width < 760) await page.click(".panel-toggle");
    await picture(`pin_panel_${width}`);
    for (const sidebar of ["#sidebar"]) assert.ok(await page.$eval(sidebar, (element) => element.scrollWidth <= element.clientWidth));
    const nameless = await page.evaluate(() => [...document.querySelectorAll("button, select, input, a")].filter((element) => element.checkVisibility()
      && !element.getAttribute("aria-label") && !element.labels?.length && !element.textContent.trim()).map((element) => element.outerHTML.slice(0, 80)));
    assert.deepEqual(nameless, []);
    await page.click("text=Edit …");
    await picture(`pin_edit_${width}`);
    assert.ok(await page.$eval("dialog[open]", (element) => element.scrollWidth <= element.clientWidth));
  });
}
