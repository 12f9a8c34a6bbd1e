// SPDX-License-Identifier: Apache-2.0
// The wall with the real server in a real browser: pictures that roll with the runs, without a reload, and come back by themselves.
import assert from "node:assert/strict";
import {execFileSync} from "node:child_process";
import {join} from "node:path";
import {afterEach} from "node:test";
import {page, pageTests} from "./page_tests.mjs";
import {landingRuns, VIRGA, WITHOUT_VIRGA} from "./virga_server.mjs";

const PATIENCE = 120000; // drawing in software on a busy machine takes its time
const onWall = pageTests({skip: WITHOUT_VIRGA, viewport: {width: 1100, height: 700}, excused: /status of [45]|ERR_CONNECTION|WebSocket connection/});
let server = null, credentials = {};

afterEach(async () => {
  await server?.stop();
  server = null;
  credentials = {};
});

async function ask(path, method = "GET", body = undefined) {
  const answer = await fetch(server.url + path, {method, body: body && JSON.stringify(body), headers: {"Content-Type": "application/json", Origin: new URL(server.url).origin, ...credentials}});
  assert.ok(answer.ok, `${method} ${path}: ${answer.status}`);
  return answer.json();
}

async function pinned(...titles) {
  const [{id, variables}] = (await ask("api/catalog")).datasets, variable = variables.find(({name}) => name.startsWith("cloud_area")).id;
  const view = (time) => ({version: 1, dataset: id, run: "latest", time, layers: [{variable}]});
  return Promise.all(titles.map((title, position) => ask("api/pins", "POST", {title, view: view(`T+${position}`), position, group: position > 1 ? "Others" : ""})));
}

async function openWall() {
  page.setDefaultTimeout(PATIENCE);
  await page.goto(`${server.url}wall.html`);
  await page.evaluate(() => { window.isThisPage = true; });
}

const tiles = () => page.$$eval(".tile", (list) => list.map((tile) => ({title: tile.querySelector(".tile-title").textContent, run: tile.querySelector(".tile-run").textContent, key: tile.dataset.key})));
const drawn = (hour, but = []) => page.waitForFunction(([wanted, old]) => {
  const all = [...document.querySelectorAll(".tile")];
  return all.length && all.every((tile) => tile.querySelector(".tile-run").textContent.includes(wanted) && tile.querySelector("img").naturalWidth > 0 && tile.dataset.key && !old.includes(tile.dataset.key));
}, [hour, but]);
const picture = (name) => process.env.VIRGA_SCREENSHOTS && page.screenshot({path: join(process.env.VIRGA_SCREENSHOTS, `${name}.png`)});

onWall("every pin rolls when a run lands, back when it goes, and comes back with the server; nothing is reloaded", async () => {
  const runs = landingRuns();
  server = await runs.start();
  await pinned("One", "Two", "Three");
  await openWall();
  await drawn("00:00");
  const before = (await tiles()).map(({key}) => key);
  runs.land();
  await drawn("06:00", before);
  await picture("wall_rolled");
  runs.take();
  await drawn("00:00");
  assert.deepEqual((await tiles()).map(({key}) => key), before, "the same pictures as before");
  const {port} = server;
  await server.stop();
  await page.waitForSelector("#connection[data-state=lost]");
  server = await runs.start([], port);
  await page.waitForSelector("#connection[data-state=open]");
  await drawn("00:00");
  assert.equal(await page.evaluate(() => window.isThisPage), true);
});

onWall("a pin that is open stays open when the server comes back, also of more pins than one message has", async () => {
  const runs = landingRuns();
  server = await runs.start();
  await pinned(...Array.from({length: 40}, (_, n) => `Pin ${n}`).fill("Same", 4)); // of four steps
  await openWall();
  await page.waitForFunction(() => document.querySelectorAll(".tile").length === 40);
  await page.locator(".tile").last().click();
  const open = () => page.isVisible(".wall-view");
  await page.evaluate(() => {
    window.fewest = 40;
    new MutationObserver(() => { window.fewest = Math.min(window.fewest, document.querySelectorAll(".tile").length); }).observe(document.querySelector("#wall"), {childList: true, subtree: true});
  });
  assert.ok(await open());
  const {port} = server;
  await server.stop("SIGKILL");
  await page.waitForSelector("#connection[data-state=lost]", {state: "attached"});
  server = await runs.start([], port);
  await page.waitForSelector("#connection[data-state=open]", {state: "attached"});
  const {id} = await ask("api/pins", "POST", {title: "New", view: {version: 1, dataset: "nowhere", run: "latest", time: "T+1", layers: [{variable: "x"}]}});
  await page.waitForSelector(`.tile[data-id="${id}"]`, {state: "attached"}); // so all were told by now
  assert.ok(await open());
  assert.equal(await page.evaluate(() => window.fewest), 40, "none was ever gone");
});

onWall("what is told of a pin touches its tile alone", async () => {
  server = await landingRuns().start();
  const [, two] = await pinned("One", "Two");
  await openWall();
  await drawn("00:00");
  await page.evaluate(() => {
    window.touched = new Set();
    const observer = new MutationObserver((changes) => changes.forEach(({target}) => window.touched.add((target.closest ? target : target.parentElement).closest(".tile")?.dataset.id ?? "the wall")));
    observer.observe(document.querySelector("#wall"), {subtree: true, childList: true, characterData: true, attributes: true});
  });
  const changed = await fetch(`${server.url}api/pins/${two.id}`, {method: "PUT", body: JSON.stringify({title: "Second"}), headers: {"Content-Type": "application/json", "If-Match": "*", Origin: new URL(server.url).origin}});
  assert.equal(changed.status, 200);
  await page.waitForSelector(".tile-title:text-is('Second')");
  assert.deepEqual(await page.evaluate(() => [...window.touched]), [two.id]);
});

onWall("ages are told by the server's clock, whatever this computer's says", async () => {
  server = await landingRuns().start();
  await pinned("One");
  await page.clock.install({time: Date.now() - 100 * 86400000});
  await openWall();
  await drawn("00:00");
  const run = (await ask("api/pins")).pins[0].live.run, days = Math.round((Date.now() - Date.parse(run)) / 86400000).toLocaleString("en");
  assert.match(await page.textContent(".tile-age"), new RegExp(`^${days} days old$`));
});

onWall("a pin opens over the wall at once, and then live; the keys lead on and back", async () => {
  server = await landingRuns().start();
  await pinned("One", "Two");
  await openWall();
  await drawn("00:00");
  await page.click(".tile >> text=One");
  assert.equal(await page.$eval(".wall-view img", (image) => image.naturalWidth > 0), true, "its picture, before anything is fetched");
  await page.waitForSelector(".wall-view iframe.shown");
  await picture("wall_open");
  await page.locator(".wall-view").press("ArrowRight");
  assert.equal(await page.textContent(".wall-view strong"), "Two");
  await page.locator(".wall-view").press("Escape");
  assert.equal(await page.isHidden(".wall-view"), true);
  assert.equal(await page.evaluate(() => document.activeElement.closest(".tile")?.querySelector(".tile-title").textContent), "One", "the focus is where it was");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".wall-view iframe.shown");
  assert.ok(await page.$$eval(".skip, #bar, #wall", (behind) => behind.every(({inert}) => inert)), "nobody tabs into what is covered");
  await page.mouse.click(550, 400); // the keys are the live view's now
  await page.waitForFunction(() => document.activeElement.tagName === "IFRAME");
  await page.keyboard.press("Escape");
  await page.waitForSelector(".wall-view", {state: "hidden"});
  assert.equal(await page.evaluate(() => document.querySelector("#wall").inert), false);
  assert.equal(await page.evaluate(() => document.activeElement.closest(".tile")?.querySelector(".tile-title").textContent), "One");
});

onWall("pins are moved by keys and by dragging, also to another group, and stay there", async () => {
  server = await landingRuns().start();
  await pinned("One", "Two", "Three");
  await openWall();
  await drawn("00:00");
  await page.click("text=Arrange");
  await page.focus(".tile:has-text('One') a");
  await page.keyboard.press("ArrowRight");
  await page.waitForFunction(() => document.querySelector(".tile .tile-title").textContent === "Two");
  const box = (title) => page.locator(`.tile:has-text('${title}')`).boundingBox();
  const from = await box("One"), to = await box("Three");
  await page.mouse.move(from.x + 100, from.y + 60);
  await page.mouse.down();
  await page.mouse.move(to.x + 20, to.y + 60, {steps: 3});
  const moved = await box("Three"); // it has given way
  await page.mouse.move(moved.x + moved.width - 20, moved.y + 60, {steps: 2});
  await page.mouse.up();
  await page.waitForFunction(() => document.querySelector(".wall-group[data-group=Others]").textContent.includes("One"));
  const kept = async () => (await ask("api/pins")).pins.find(({title}) => title === "One").group;
  for (const until = Date.now() + PATIENCE; await kept() !== "Others" && Date.now() < until;) await page.evaluate(() => new Promise(requestAnimationFrame));
  assert.equal(await page.isHidden(".wall-view"), true, "nothing opens while pins are arranged");
  await page.reload();
  await page.waitForSelector(".tile");
  assert.deepEqual((await tiles()).map(({title}) => title), ["Two", "Three", "One"]);
});

onWall("what cannot be drawn says so, and a wall without pins what to do", async () => {
  server = await landingRuns().start();
  await openWall();
  await page.waitForSelector(".wall-empty a");
  await ask("api/pins", "POST", {title: "Gone", view: {version: 1, dataset: "nowhere", run: "latest", time: "T+1", layers: [{variable: "x"}]}});
  await page.waitForSelector(".tile[data-state=failed]");
  assert.match(await page.textContent(".tile-warning"), /nowhere/);
  assert.equal(await page.isVisible(".wall-empty"), false);
  await picture("wall_failed");
  await page.click(".tile");
  assert.match(await page.innerText(".wall-view"), /cannot be shown now.*nowhere/s);
});

onWall("a picture whose forecast has gone is not seen any more, as it has no time", async () => {
  const runs = landingRuns();
  server = await runs.start();
  const {variables, id} = (await ask("api/catalog")).datasets[0], run = (await ask("api/catalog")).datasets[0].latest;
  await ask("api/pins", "POST", {title: "Fixed", view: {version: 1, dataset: id, run, time: "T+1", layers: [{variable: variables.find(({name}) => name.startsWith("cloud_area")).id}]}});
  await openWall();
  await drawn("00:00");
  assert.equal(await page.isVisible(".tile img"), true);
  runs.land();
  runs.takeFirst();
  await page.waitForSelector(".tile[data-state=failed]");
  assert.equal(await page.isVisible(".tile img"), false);
  assert.match(await page.textContent(".tile-warning"), /^Run .* is not on offer/);
});

onWall("pins that stand at one position are moved among them", async () => {
  server = await landingRuns().start();
  const [{id, variables}] = (await ask("api/catalog")).datasets, view = {version: 1, dataset: id, run: "latest", time: "T+1", layers: [{variable: variables[0].id}]};
  for (const title of ["A", "B", "C", "D"]) await ask("api/pins", "POST", {title, view, position: 0});
  await openWall();
  await page.waitForFunction(() => document.querySelectorAll(".tile").length === 4);
  const order = async () => (await tiles()).map(({title}) => title), [first, ...others] = await order();
  await page.click("text=Arrange");
  await page.focus(`.tile:has-text('${first}') a`);
  await page.keyboard.press("ArrowRight");
  await page.waitForFunction((title) => document.querySelectorAll(".tile-title")[1].textContent === title, first);
  const wanted = [others[0], first, ...others.slice(1)], kept = async () => (await ask("api/pins")).pins.sort((a, b) => a.position - b.position).map(({title}) => title).join("");
  for (const until = Date.now() + PATIENCE; await kept() !== wanted.join("") && Date.now() < until;) await page.evaluate(() => new Promise(requestAnimationFrame));
  await page.reload();
  await page.waitForFunction(() => document.querySelectorAll(".tile").length === 4);
  assert.deepEqual(await order(), wanted);
});

function tokenOf(name, runs) {
  return /[A-Za-z0-9_-]{40,}/.exec(execFileSync(VIRGA, ["token", "create", "--state", runs.state, "--name", name, "--role", "forecaster"], {encoding: "utf8"}))[0];
}

onWall("who looks on without being known signs in on the wall, and then moves their pins", async () => {
  const runs = landingRuns(), token = tokenOf("ann", runs);
  server = await runs.start(["--auth", "token"]);
  credentials = {Authorization: `Bearer ${token}`};
  await pinned("One", "Two");
  await openWall();
  await page.waitForFunction(() => document.querySelectorAll(".tile").length === 2);
  const arrange = page.getByRole("button", {name: "Arrange"});
  assert.ok(await arrange.isDisabled());
  await page.getByRole("button", {name: "Sign in"}).click();
  await page.fill("dialog[open] input[type=password]", token);
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => !window.isThisPage && document.querySelectorAll(".tile").length === 2);
  await page.getByRole("button", {name: "ann"}).waitFor();
  await picture("wall_signed_in");
  assert.ok(await arrange.isEnabled());
});

onWall("where nobody looks in unasked, the wall asks for a token and then shows its pins", async () => {
  const runs = landingRuns(), token = tokenOf("ann", runs);
  server = await runs.start(["--auth", "token", "--anonymous", "none"]);
  await openWall();
  await page.waitForSelector(".door");
  assert.equal(await page.locator(".tile").count(), 0);
  await picture("wall_door");
  await page.fill(".door input[type=password]", token);
  await page.keyboard.press("Enter");
  await page.waitForSelector("#connection[data-state=open]");
  await page.waitForSelector(".wall-empty");
  assert.equal(await page.locator(".door").count(), 0);
  execFileSync(VIRGA, ["token", "revoke", "--state", runs.state, "1"]); // in mid-session
  await page.waitForSelector(".door");
  assert.equal(await page.locator(".tile").count(), 0);
});
