// SPDX-License-Identifier: Apache-2.0
// The wall: all pins as live pictures, which the server draws when their run rolls and tells of over one websocket.
import {Pins} from "./net/pins.js";
import {Session, setSession} from "./net/session.js";
import {TextSocket} from "./net/text_socket.js";
import {createWallScreen} from "./tools/wall_screen.js";
import {fillSelect, h} from "./ui/dom.js";
import {passDoor} from "./ui/door.js";
import {createMessages} from "./ui/messages.js";
import {createWallDrag} from "./ui/wall_drag.js";
import {createWallTile} from "./ui/wall_tile.js";
import {createWallView} from "./ui/wall_view.js";
import {timeNow} from "./view/clock.js";
import {compareAddress} from "./view/compare_address.js";
import {columnsToFit, groupPins, movesTo} from "./view/wall_order.js";

const SIZES = {small: 240, medium: 340, large: 520, fit: 0};
const CYCLE_SECONDS = [10, 20, 30, 60];
const TICK = 20000; // ages are told in minutes
const $ = (id) => document.getElementById(id);

const settings = readSettings();
const state = {pins: new Map(), unsure: new Set(), told: false, arranging: false, cycling: false};
const tiles = new Map(); // id → tile
const host = $("wall");
const messages = createMessages($("messages"));
const session = new Session("./");
setSession(session);
const pins = new Pins("./");
const urls = {
  open: (id) => `./?pin=${id}`,
  embed: (id) => `./?pin=${id}&embed=1`,
  thumbnail: (id, key) => pins.thumbnailUrl(id, key),
  picture: (id, key) => `${pins.pictureUrl(id, {width: 1280})}&key=${key}`,
};
const view = createWallView(urls, {opened: () => keepBehind(true), closed: () => { keepBehind(false); stopCycle(); }, step: (by) => step(by), changed: () => pairing.changed(), compare: async (document) => window.location.assign(await compareAddress(document))});
const pairing = createWallScreen({view, step, count: () => state.pins.size, title: (id) => state.pins.get(id)?.title ?? ""});
document.body.append(view.element);
const grab = createWallDrag(host, place);
const controls = createControls();
let cycleTimer = 0;
let due = nothingDue(); // with the next frame

// ---- What is told.

// All pins come in several messages; until the last of them nothing goes that was there, nor does what is open close.
function take({all, more, pins: list}) {
  if (all) state.unsure = new Set(state.pins.keys());
  let moved = !state.told || (!more && state.unsure.size > 0);
  for (const pin of list) {
    const before = state.pins.get(pin.id);
    state.unsure.delete(pin.id);
    if (pin.deleted || pin.state === "deleted") state.pins.delete(pin.id);
    else state.pins.set(pin.id, pin);
    moved ||= !before || pin.deleted || before.position !== pin.position || before.group !== pin.group;
    due.ids.add(pin.id);
  }
  if (!more) for (const id of state.unsure) state.pins.delete(id);
  if (!more) state.unsure.clear();
  state.told = true;
  refreshSoon(moved);
}

// What is told ten times a second of a thousand pins is drawn once a frame, and where none came, went or moved, only the tiles in question.
function refreshSoon(moved) {
  due.moved ||= moved;
  due.frame ||= requestAnimationFrame(() => {
    const {ids} = due, all = due.moved;
    due = nothingDue();
    if (all) return refresh();
    for (const id of ids) tiles.get(id)?.update(state.pins.get(id), timeNow());
    refreshRest();
  });
}

function nothingDue() { return {frame: 0, moved: false, ids: new Set()}; }

function refresh() {
  const now = timeNow();
  for (const [id, tile] of tiles) if (!state.pins.has(id)) { tile.element.remove(); tiles.delete(id); }
  const groups = shownGroups();
  layOut(groups);
  for (const {pins: members} of groups) for (const pin of members) tiles.get(pin.id)?.update(pin, now); // none yet of one that came while another is dragged
  refreshRest();
}

function refreshRest() {
  if (view.id && state.pins.has(view.id)) view.update(state.pins.get(view.id), timeNow());
  else if (view.id) view.close();
  controls.update();
  pairing.changed();
}

function shownGroups() {
  const only = state.told && settings.group !== null && ![...state.pins.values()].some((pin) => (pin.group ?? "") === settings.group) ? null : settings.group;
  return groupPins(state.pins.values(), only);
}

function shownPins() { return shownGroups().flatMap((group) => group.pins); }

// Elements stay where they are if nothing changed, so that neither focus nor scroll position jump.
function layOut(groups) {
  host.querySelector(".wall-empty")?.remove();
  const held = host.querySelector(".tile.held");
  if (held) return;
  const sections = new Map([...host.querySelectorAll(".wall-group")].map((section) => [section.dataset.group, section]));
  let before = null;
  for (const group of groups) {
    const section = sections.get(group.name) ?? h("section", {class: "wall-group", "data-group": group.name, "aria-label": group.name || "Pins"}, h("h2", {dir: "auto"}, group.name), h("ul", {}));
    sections.delete(group.name);
    keepAfter(host, section, before);
    before = section;
    section.firstChild.hidden = !group.name;
    let tileBefore = null;
    for (const pin of group.pins) {
      if (!tiles.has(pin.id)) tiles.set(pin.id, newTile(pin.id));
      keepAfter(section.lastChild, tiles.get(pin.id).element, tileBefore);
      tileBefore = tiles.get(pin.id).element;
    }
  }
  for (const section of sections.values()) section.remove();
  if (state.told && !groups.length) host.append(emptyWall());
  fit(groups);
}

function keepAfter(parent, element, before) {
  const place = before ? before.nextSibling : parent.firstChild;
  if (element !== place) parent.insertBefore(element, place);
}

function newTile(id) {
  const tile = createWallTile(id, urls, {open, grab, move: moveBy});
  tile.arrange(state.arranging);
  return tile;
}

function emptyWall() {
  return h("div", {class: "wall-empty"}, h("h2", {}, "No pins yet"), h("p", {}, "Open a forecast, make the view you want to keep an eye on, and choose “Pin this view”. It appears here, and always shows the newest run."),
    h("a", {class: "big-button", href: "./"}, "Open the forecast"));
}

function fit(groups) {
  const counts = groups.map((group) => group.pins.length), headings = groups.filter((group) => group.name).length;
  const least = SIZES[settings.size] || columnsToFit(counts, host.clientWidth - 24, host.clientHeight - 24, {extra: 34 * headings + 4 * (groups.length - 1)}).width;
  host.style.setProperty("--tile", `${Math.max(200, least)}px`);
  host.classList.toggle("fitted", settings.size === "fit");
}

// ---- Arranging.

async function place(id, group, at, cancelled = false) {
  const pin = state.pins.get(id), others = groupPins(state.pins.values(), group)[0]?.pins.filter((one) => one.id !== id) ?? [];
  if (cancelled || !pin) return refresh();
  const moves = movesTo({...pin, group}, others, at), before = moves.map((moved) => state.pins.get(moved.id)), foreign = moves.find((moved) => !moved.may);
  if (foreign) messages.show("arrange", {kind: "warning", title: "Not moved.", text: `“${foreign.title}” would have to make room, and you may not change it.`});
  else await keepMoves(moves, before);
  refresh();
}

// The last first: should one fail, the others stand in order.
async function keepMoves(moves, before) {
  for (const moved of moves) state.pins.set(moved.id, moved);
  refresh();
  for (let n = moves.length - 1; n >= 0; n--) {
    const {id} = moves[n];
    try {
      const kept = await pins.update(moves[n]);
      state.pins.set(id, {...state.pins.get(id), ...kept, live: state.pins.get(id)?.live});
    } catch (error) {
      before.slice(0, n + 1).forEach((pin) => state.pins.set(pin.id, pin));
      if (error.pin) state.pins.set(id, {...before[n], ...error.pin, live: before[n].live});
      return messages.show("arrange", {kind: "error", title: "Not moved.", text: error.message});
    }
  }
}

function moveBy(id, by) {
  const {group} = state.pins.get(id), members = groupPins(state.pins.values(), group ?? "")[0].pins;
  const at = members.findIndex((pin) => pin.id === id) + by;
  if (at >= 0 && at < members.length) place(id, group ?? "", at).then(() => tiles.get(id)?.element.querySelector("a").focus());
}

// ---- Opening and cycling.

function open(id, options) {
  view.open(state.pins.get(id), options);
  view.update(state.pins.get(id), timeNow());
}

function step(by) {
  const shown = shownPins();
  if (!shown.length) return;
  const at = shown.findIndex((pin) => pin.id === view.id);
  open(shown[(at + by + shown.length) % shown.length].id, {in3d: !state.cycling});
}

// Nobody tabs into what an open pin covers.
function keepBehind(covered) {
  for (const element of document.querySelectorAll("body > .skip, #bar, #wall")) element.inert = covered;
}

function startCycle() {
  if (!shownPins().length) return;
  state.cycling = true;
  step(1);
  cycleTimer = setInterval(() => step(1), settings.seconds * 1000);
  controls.update();
}

function stopCycle() {
  clearInterval(cycleTimer);
  state.cycling = false;
  controls.update();
}

function toggleFullScreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else document.documentElement.requestFullscreen?.().catch(() => messages.show("full", {text: "This browser does not allow full screen here.", seconds: 6}));
}

// ---- The bar.

function createControls() {
  const group = h("select", {"aria-label": "Group", onchange: () => keep({group: group.value === "*" ? null : group.value.slice(1)})});
  const size = h("select", {"aria-label": "Size of the pictures", onchange: () => keep({size: size.value})});
  fillSelect(size, [{value: "fit", label: "Fit the screen"}, {value: "small", label: "Small"}, {value: "medium", label: "Medium"}, {value: "large", label: "Large"}], settings.size);
  const arrange = h("button", {type: "button", class: "small-button", onclick: toggleArranging}, "Arrange");
  const seconds = h("select", {"aria-label": "Seconds a pin", onchange: () => keep({seconds: Number(seconds.value)})});
  fillSelect(seconds, CYCLE_SECONDS.map((n) => ({value: n, label: `${n} s`})), settings.seconds);
  const cycle = h("button", {type: "button", class: "small-button", onclick: () => (state.cycling ? view.close() : startCycle())}, "Cycle");
  const full = h("button", {type: "button", class: "small-button", onclick: toggleFullScreen}, "Full screen");
  const pair = h("button", {type: "button", class: "small-button", title: "Steer this wall from a phone", onclick: () => pairing.open()}, "Phone …");
  $("controls").append(group, size, arrange, cycle, seconds, full, pair);

  function update() {
    const names = groupPins(state.pins.values()).map(({name}) => name);
    fillSelect(group, [{value: "*", label: "All groups"}, ...names.map((name) => ({value: `=${name}`, label: name || "No group"}))], settings.group !== null && names.includes(settings.group) ? `=${settings.group}` : "*");
    group.hidden = names.length < 2;
    const mine = [...state.pins.values()].some((pin) => pin.may);
    arrange.disabled = !mine;
    arrange.title = mine ? "Move pins by dragging them, or by the arrow keys" : "You may change no pin here, unless you sign in as somebody who may";
    arrange.setAttribute("aria-pressed", String(state.arranging));
    cycle.disabled = !state.pins.size;
    cycle.setAttribute("aria-pressed", String(state.cycling));
  }
  return {update};
}

function toggleArranging() {
  state.arranging = !state.arranging;
  for (const tile of tiles.values()) tile.arrange(state.arranging);
  document.body.classList.toggle("arranging", state.arranging);
  controls.update();
}

function keep(patch) {
  Object.assign(settings, patch);
  try { localStorage.setItem("virga-wall", JSON.stringify(settings)); } catch { /* for this time, then */ }
  const address = new URL(window.location.href);
  if (settings.group) address.searchParams.set("group", settings.group);
  else address.searchParams.delete("group");
  window.history.replaceState(null, "", address);
  refresh();
}

// A link may name the group; the rest is this browser's.
function readSettings() {
  const kept = {group: null, size: "medium", seconds: 20};
  try {
    const stored = JSON.parse(localStorage.getItem("virga-wall")) ?? {};
    if (Object.hasOwn(SIZES, stored.size)) kept.size = stored.size;
    if (CYCLE_SECONDS.includes(stored.seconds)) kept.seconds = stored.seconds;
  } catch { /* none, or none of ours */ }
  kept.group = new URLSearchParams(window.location.search).get("group") || null;
  return kept;
}

function sayConnection(connected, words) {
  const element = $("connection");
  element.dataset.state = connected;
  element.textContent = words;
  lookWhoItIs(connected);
  if (connected === "open") messages.clear("lost");
  else if (state.told && !messages.has("lost")) messages.show("lost", {kind: "warning", title: "Not connected.", text: "These pictures may be old. Trying again.", closable: false});
}

document.addEventListener("keydown", (event) => {
  if (event.target.closest?.("input, select, textarea") || event.altKey || event.ctrlKey || event.metaKey) return;
  if (view.id && event.key === "Escape") view.close();
  else if (view.id && event.key === "ArrowLeft") step(-1);
  else if (view.id && event.key === "ArrowRight") step(1);
  else if (event.key === "f") toggleFullScreen();
  else if (event.key === "c") state.cycling ? view.close() : startCycle();
  else return;
  event.preventDefault();
});
window.addEventListener("resize", () => fit(shownGroups()));
setInterval(refresh, TICK);

await session.begin();
const lookWhoItIs = await passDoor("./", {host: $("controls")});
const socket = new TextSocket("./", {
  onOpen: (send) => send({type: "pins", watch: true}),
  onMessage: (message) => {
    if (message.type === "pins" && Array.isArray(message.pins)) take(message);
    else if (message.type === "error") messages.show("error", {kind: "error", text: message.message});
  },
  onState: sayConnection,
}, {session});
window.addEventListener("pagehide", () => socket.close());
controls.update();
