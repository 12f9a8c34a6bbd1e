// SPDX-License-Identifier: Apache-2.0
// A phone steers the page over the real server.
import assert from "node:assert/strict";
import {after, before} from "node:test";
import {complaintsOf} from "./browser.mjs";
import {complaints, page, pageTests} from "./page_tests.mjs";
import {demo, serve, temporaryFolder, WITHOUT_VIRGA} from "./virga_server.mjs";

const PATIENCE = 90000; // drawing in software on a busy machine takes its time
const inPage = pageTests({skip: WITHOUT_VIRGA, viewport: {width: 900, height: 600}, excused: /ERR_CONNECTION|WebSocket connection/});
const SHOTS = process.env.VIRGA_SHOTS; // a folder for pictures to look at
let server = null;

before(async () => { server = WITHOUT_VIRGA ? null : await serve([demo(`${temporaryFolder()}/demo`, "60x48x20x4")]); });
after(() => server?.stop());

const code = () => page.textContent(".pair-code");
const camera = () => page.evaluate(() => window.virga.viewer.camera);
const step = () => page.evaluate(() => window.virga.state.index);
const shoot = (whom, name) => SHOTS && whom.screenshot({path: `${SHOTS}/${name}.png`});

async function openScreen() {
  await page.goto(server.url);
  await page.waitForFunction(() => window.virga?.state.shown, null, {timeout: PATIENCE});
  await page.click("#sidebar-foot >> text=Steer from a phone");
  await page.waitForFunction(() => /^[0-9]{4}$/.test(document.querySelector(".pair-code").textContent));
}

async function openRemote() {
  const phone = await page.context().browser().newPage({viewport: {width: 390, height: 844}, hasTouch: true, isMobile: true});
  const said = complaintsOf(phone, /ERR_CONNECTION|WebSocket connection/);
  await phone.goto(`${server.url}remote.html`);
  await phone.waitForSelector("#connection[data-state=open]");
  return {phone, said};
}

async function paired() {
  await openScreen();
  return pairPhone();
}

async function pairPhone() {
  const {phone, said} = await openRemote();
  await phone.fill("#code", await code());
  await phone.waitForSelector(".pad");
  await page.waitForSelector(".pair-remotes li");
  return {phone, said};
}

const drag = async (phone, dx, dy) => {
  const box = await phone.locator(".pad").boundingBox(), [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  await phone.mouse.move(x, y);
  await phone.mouse.down();
  await phone.mouse.move(x + dx, y + dy, {steps: 12});
  await phone.mouse.up();
};

inPage("a phone joins by the code, turns the camera, zooms, steps, seeks and plays", async () => {
  const {phone, said} = await paired();
  await shoot(page, "screen-paired");
  await page.keyboard.press("Escape");
  await phone.waitForFunction(() => /UTC/.test(document.querySelector(".now").textContent));
  assert.equal(await phone.textContent(".remote-time .note"), "1 of 4");
  const before = await camera();
  await drag(phone, 80, -20);
  await page.waitForFunction((eye) => Math.hypot(...window.virga.viewer.camera.eye.map((v, i) => v - eye[i])) > 10, before.eye);
  const turned = await camera();
  assert.deepEqual(turned.target, before.target);
  await phone.tap("[aria-label='Closer']");
  await page.waitForFunction((there) => { const {eye, target} = window.virga.viewer.camera; return Math.hypot(...eye.map((v, i) => v - target[i])) < there; },
    Math.hypot(...turned.eye.map((v, i) => v - turned.target[i])) - 1);
  await phone.tap("[aria-label='One step on']");
  await page.waitForFunction(() => window.virga.state.index === 1);
  await phone.waitForFunction(() => document.querySelector(".remote-time .note").textContent === "2 of 4");
  await phone.locator(".remote-time input").fill("3");
  await page.waitForFunction(() => window.virga.state.index === 3);
  await phone.tap("[aria-label='Play or pause']");
  await page.waitForFunction(() => window.virga.viewer.playing);
  await phone.tap("[aria-label='Play or pause']");
  await page.waitForFunction(() => !window.virga.viewer.playing);
  await shoot(phone, "remote");
  await phone.tap("[aria-label='Whole domain']");
  await page.waitForFunction((there) => JSON.stringify(window.virga.viewer.camera.eye) === there, JSON.stringify(before.eye));
  const {updates, bytes} = await phone.evaluate(() => window.virga.sent);
  assert.ok(bytes / updates <= 64, `${bytes} bytes in ${updates} updates`);
  assert.deepEqual(said, []);
  await phone.close();
});

inPage("a wrong code is refused in words, and one that was used is void", async () => {
  await openScreen();
  const {phone} = await openRemote(), used = await code();
  await shoot(phone, "remote-join");
  await shoot(page, "screen-code");
  await phone.fill("#code", used === "1234" ? "1235" : "1234");
  await phone.waitForFunction(() => /No screen shows this code/.test(document.querySelector("#join-words").textContent));
  await phone.fill("#code", used);
  await phone.waitForSelector(".pad");
  await page.waitForFunction(() => document.querySelector(".pair-code").hidden);
  await phone.close();
});

inPage("a phone that reloads comes back; when the screen ends it, the phone is told", async () => {
  const {phone} = await paired();
  await phone.reload();
  await phone.waitForSelector(".pad");
  await phone.tap("[aria-label='One step on']");
  await page.waitForFunction(() => window.virga.state.index === 1);
  assert.equal(await step(), 1);
  await page.click(".pair-dialog .big-button:last-child");
  await phone.waitForSelector(".join");
  assert.match(await phone.textContent("#join-words"), /screen has ended it/);
  assert.deepEqual(complaints, []);
  await phone.close();
});

inPage("a phone goes through the pins of a wall, and steers the one that is open", async () => {
  await page.goto(server.url);
  await page.waitForFunction(() => window.virga?.state.shown, null, {timeout: PATIENCE});
  await page.evaluate(async () => {
    for (const title of ["First", "Second"]) await fetch("api/pins", {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({title, view: window.virga.state.view})});
  });
  await page.goto(`${server.url}wall.html`);
  await page.waitForFunction(() => document.querySelectorAll(".tile").length === 2);
  await page.click("#controls >> text=Phone");
  await page.waitForFunction(() => /^[0-9]{4}$/.test(document.querySelector(".pair-code").textContent));
  const {phone, said} = await pairPhone();
  await page.keyboard.press("Escape");
  await phone.tap("text=Next pin");
  await page.waitForSelector(".wall-view:not([hidden])");
  const first = await page.textContent(".wall-view-title strong");
  await phone.tap("text=Next pin");
  await page.waitForFunction((title) => document.querySelector(".wall-view-title strong").textContent !== title, first);
  await phone.waitForFunction(() => /of 4/.test(document.querySelector(".remote-time .note").textContent), null, {timeout: PATIENCE});
  await shoot(phone, "remote-wall");
  await phone.tap("[aria-label='One step on']");
  await phone.waitForFunction(() => document.querySelector(".remote-time .note").textContent === "2 of 4", null, {timeout: PATIENCE});
  await shoot(page, "wall-paired");
  assert.deepEqual(said, []);
  await phone.close();
});
