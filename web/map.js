// SPDX-License-Identifier: Apache-2.0
// The flat map: fields on any surface as tiles that the server draws, for every browser. Built as main.js is: a change goes one way, from a control
// through change() into the document (view/map_view.js), from there to the map, the controls and the address.
import {FlatMap} from "./flat/flat_map.js";
import {JsonApi} from "./net/json_api.js";
import {Maps} from "./net/maps.js";
import {Pins} from "./net/pins.js";
import {Session, setSession} from "./net/session.js";
import {TextSocket} from "./net/text_socket.js";
import {createAddress} from "./tools/address.js";
import {listenForKeys} from "./tools/keyboard.js";
import {createMapLayers, resolveMap, shownLegends, stampOf, usualInterval, whatOf} from "./tools/map_layers.js";
import {createMapPicker} from "./tools/map_picker.js";
import {sayGone, sayRunNews} from "./tools/offer_news.js";
import {copyText} from "./tools/take_away.js";
import {createTimeTool} from "./tools/time_tool.js";
import {passDoor} from "./ui/door.js";
import {h, icon, iconButton} from "./ui/dom.js";
import {createLegends} from "./ui/legend.js";
import {createMapHelp} from "./ui/map_help.js";
import {createMapOptions, createMapPanel} from "./ui/map_panel.js";
import {createMapUse} from "./ui/map_use.js";
import {clearBlank, createMessages, showBlank} from "./ui/messages.js";
import {createProblemsDialog} from "./ui/problems_dialog.js";
import {createSourcePanel} from "./ui/source_panel.js";
import {createTimeCaption} from "./ui/time_caption.js";
import {createTimeline} from "./ui/timeline.js";
import {embedOptions} from "./view/embed.js";
import {stepSurface} from "./view/map_surfaces.js";
import {boundsOf, fromView, readMapHash, toView, writeMapHash} from "./view/map_view.js";
import {runsNow} from "./view/run_news.js";
import {loadColourMaps} from "./view/transfer_function.js";
import {encodeHash} from "./view/view_hash.js";
import {defaultView, resolveRun} from "./view/view_resolve.js";

const BASE = "./";
const TICK = 15000; // ms: what is nearest to now moves on, and ages are told in minutes
const PAN = 120;    // px
const $ = (id) => document.getElementById(id);

const state = {
  catalog: null, presets: null,
  view: null,      // the document; null before there is one
  resolved: null,  // what it names, looked up
  index: 0,        // step asked for
  shown: null,     // ISO time on screen, null before the first
  ready: [], rate: 2, loop: true,
  panelOpen: !window.matchMedia("(max-width: 760px), (max-height: 520px)").matches,
};

const messages = createMessages($("messages"));
let lookWhoItIs = () => {}; // once the door is passed
const session = new Session(BASE);
setSession(session);
const maps = new Maps(BASE);
const map = new FlatMap($("map"), maps);
const problems = createProblemsDialog(), help = createMapHelp();
const caption = createTimeCaption($("caption")), legends = createLegends($("legends"));
const source = createSourcePanel($("source"), {
  dataset: (id) => openDefault(id), run: chooseRun, member: (member) => change({member}, {newEntry: true}), problems: () => problems.open(state.catalog.problems ?? []),
});
const time = createTimeTool({state, viewer: () => map, write: () => address.write(state.view), shown: refreshTime});
const layers = createMapLayers({state, base: "", change, currentRule: () => time.rule(), maps, map: () => map, say: messages.show});
const panel = createMapPanel($("layers"), {add: layers.add, remove: layers.remove, up: layers.up, variable: layers.replace, change: layers.patch, reset: layers.reset, fit: (index) => layers.fit(index)});
const options = createMapOptions($("scene"), {lines: (lines) => map.setLines(lines), projection: (projection) => change({projection}, {newEntry: true})});
const timeline = createTimeline($("timeline"), {seek: (index) => time.seek(index, 0), step: time.stepBy, play: time.play, pause: time.pause, speed: time.setRate, loop: time.setLoop});
const picker = createMapPicker({state, map, maps, host: $("probe"), mark: $("mark")});
const use = createMapUse({state, map, copy: copyText, base: BASE});
const address = createAddress({onView: open, onError: sayBadView, decode: readMapHash, encode: async (view) => writeMapHash(view)});

// ---- The document.

/** Changes fields of the document; `newEntry`: Back undoes it. */
function change(patch, {newEntry = false} = {}) {
  if (!state.view) return;
  adopt({...state.view, ...patch});
  address.write(state.view, {newEntry});
}

// Takes a complete document over: looks up what it names, and tells the map and the controls.
function adopt(view) {
  state.resolved = resolveMap(view, state.catalog, state.presets);
  state.view = view;
  state.index = state.resolved.index;
  if (!state.resolved.times.includes(state.shown)) state.shown = null;
  tellMap();
  refresh();
}

function tellMap() {
  const {resolved} = state, {layers: entries, times} = resolved;
  map.setProjection(state.view.projection);
  map.setLayers(entries.filter(({layer, series}) => layer.visible !== false && series).map((entry) => ({
    id: JSON.stringify({...whatOf(resolved, entry, entry.series.times[0]), time: null}), what: (iso) => whatOf(resolved, entry, iso), stamp: (iso) => stampOf(entry, iso), lines: Boolean(entry.lines), opacity: entry.layer.opacity, title: entry.title,
  })), times);
  map.setTime(state.index);
}

/** Shows a document from outside: the presets fill it, and where it names what is not here a default stands in. */
async function open(view) {
  try {
    await show(view);
    messages.clear("view");
  } catch (error) {
    if (error.name !== "ViewError") throw error;
    sayBadView(error);
    await openDefault(view.dataset);
  }
}

async function show(view) {
  const whole = await layers.complete(view), before = state.resolved?.dataset;
  clearBlank($("stage"));
  if (view.at) map.goTo(view.at);
  adopt({...whole, at: view.at ?? null});
  if (!view.at && state.resolved.dataset !== before) map.fit(boundsOf(state.resolved.dataset));
  if (whole.layers.some(({fit}, n) => fit && !view.layers[n].range)) layers.refit();
  for (const notice of state.resolved.notices) messages.show("notice", {text: notice, seconds: 12});
}

async function openDefault(datasetId) {
  const draft = defaultView(state.catalog, state.presets, {datasetId});
  if (!draft) return sayEmpty();
  await show({...fromView({...draft, layers: draft.layers.map(({variable}) => ({variable}))}), projection: state.view?.projection ?? "mercator"});
  address.write(state.view, {newEntry: Boolean(datasetId)});
}

function chooseRun(rule) {
  const {dataset} = state.resolved;
  change({run: rule, time: time.rule(rule, dataset.runs[resolveRun(dataset, rule)])}, {newEntry: true});
}

function sayBadView(error) {
  messages.show("view", {kind: "warning", title: "The address holds no map that can be shown.", text: `${error.message}.`, seconds: 20});
}

function sayEmpty() {
  state.view = state.resolved = null;
  refresh();
  showBlank($("stage"), "No forecasts yet", ["The server has none that it can show. They appear here by themselves."]);
}

// ---- Telling the controls.

function refresh() {
  source.update(state);
  refreshTime();
  if (!state.resolved) return;
  const {dataset, layers: entries} = state.resolved;
  panel.update(state.resolved);
  refreshLegends(state.resolved);
  options.update(state.view.projection);
  document.title = `${dataset.title || dataset.id} · map · virga`;
  linkToPicture();
}

// How far contours are apart is the server's to choose where nobody did.
async function refreshLegends(resolved) {
  const show = () => { if (resolved === state.resolved) legends.update(shownLegends(resolved)); };
  show();
  const usual = resolved.layers.filter(({layer, series}) => series && layer.visible !== false && layer.draw.endsWith("contours") && !layer.interval);
  await Promise.all(usual.map(async (entry) => { entry.usualInterval = usualInterval(await maps.facts(whatOf(resolved, entry, entry.series.times[0])).catch(() => ({}))); }));
  if (usual.length) show();
}

// The same in 3D, and back by the browser's own button.
async function linkToPicture() {
  const hash = await encodeHash(toView(state.view));
  for (const link of document.querySelectorAll("[data-solid]")) link.href = `${BASE}${hash}`;
}

function refreshTime() {
  const {resolved} = state;
  timeline.update({times: resolved?.times ?? [], index: state.index, ready: state.ready, playing: map.playing, loop: state.loop, rate: state.rate, calendar: resolved?.calendar, runTime: resolved?.run.time});
  refreshCaption();
}

function refreshCaption() {
  const {resolved} = state;
  caption.update({resolved, shown: state.shown, wanted: resolved?.times[state.index] ?? null, live: state.view?.run === "latest"});
}

function tick() {
  if (time.hasPassed()) adopt(state.view);
  else refreshCaption();
}

function togglePanel(open = !state.panelOpen) {
  state.panelOpen = open;
  $("app").classList.toggle("panel-closed", !open);
  $("sidebar").hidden = !open;
  toolButtons.panel.setAttribute("aria-expanded", String(open));
  map.resized();
}

// The surface of the topmost layer that has others, up or down.
function moveSurface(by) {
  const index = state.resolved?.layers.findLastIndex(({layer, variable}) => layer.visible !== false && stepSurface(layer.level, variable, by) !== layer.level) ?? -1;
  if (index >= 0) layers.patch(index, {level: stepSurface(state.view.layers[index].level, state.resolved.layers[index].variable, by)});
}

// ---- Beginning.

const toolButtons = {
  panel: iconButton("layers", "Layers and settings", () => togglePanel(), "P"),
  whole: iconButton("reset", "The whole domain", () => fitDomain(), "R"),
  link: iconButton("link", "Copy a link to this map", () => copyLink()),
  help: iconButton("help", "Keys and help", () => help.open(), "?"),
};

function fitDomain() { if (state.resolved) map.fit(boundsOf(state.resolved.dataset)); }

async function copyLink() {
  await address.flush();
  messages.show("link", await copyText(window.location.href) ? {text: "The link to this map is copied.", seconds: 4} : {text: "The address bar holds the link to this map.", seconds: 6});
}

function listenToMap() {
  const on = (name, act) => map.addEventListener(name, ({detail}) => act(detail));
  on("step", (detail) => { time.onStep(detail); picker.refresh(); });
  on("steps", ({ready}) => { state.ready = ready; refreshTime(); });
  on("view", ({at}) => { picker.moved(); if (state.view) { state.view = {...state.view, at}; address.write(state.view); } });
  on("pick", (place) => picker.pick(place));
  on("error", ({error, layer}) => sayFailed(error, layer));
}

// What the files were when the catalog was read may be gone: then it is read again.
function sayFailed(error, layer) {
  if (error.status === 410) return loadCatalog();
  messages.show("tiles", {kind: "warning", title: `${layer.title ?? "A layer"} cannot be shown.`, text: error.message, seconds: 20});
}

function listenForMapKeys() {
  listenForKeys(window, {
    " ": () => (map.playing ? time.pause() : time.play()),
    ArrowLeft: (event) => (event.shiftKey ? map.panBy(-PAN, 0) : time.stepBy(-1)), ArrowRight: (event) => (event.shiftKey ? map.panBy(PAN, 0) : time.stepBy(1)),
    ArrowUp: (event) => (event.shiftKey ? map.panBy(0, -PAN) : moveSurface(1)), ArrowDown: (event) => (event.shiftKey ? map.panBy(0, PAN) : moveSurface(-1)),
    "+": () => map.zoomBy(1), "=": () => map.zoomBy(1), "-": () => map.zoomBy(-1),
    Home: () => time.seek(0, 0), End: () => time.seek((state.resolved?.times.length ?? 1) - 1, 0),
    l: () => time.setLoop(!state.loop), r: fitDomain, p: () => togglePanel(), v: () => picker.pickMiddle(), Escape: () => picker.close(), "?": () => help.open(),
  });
}

async function loadCatalog() {
  const said = await new JsonApi(BASE || "./", "api/").json("GET", "catalog");
  const before = runsNow(state.resolved);
  state.catalog = said;
  maps.forget();
  if (!state.view) return;
  if (!said.datasets.some(({id}) => id === state.view.dataset)) return leaveDataset();
  await open(state.view);
  sayRunNews(messages, before, state, () => chooseRun("latest"));
}

async function leaveDataset() {
  sayGone(messages, state);
  await openDefault();
}

function listenToServer() {
  const say = (connected, words) => {
    $("connection").dataset.state = connected;
    $("connection").textContent = words;
    lookWhoItIs(connected);
  };
  const socket = new TextSocket(BASE, {
    onOpen: () => {}, onState: say,
    onMessage: ({type}) => { if (type === "catalog") loadCatalog().then(() => { if (!state.view) openFirst(); }, (error) => messages.show("catalog", {kind: "warning", text: error.message, seconds: 10})); },
  }, {session});
  window.addEventListener("pagehide", () => socket.close());
}

// A map or view in the address, a pin's view, or a map of what is first.
async function openFirst() {
  const asked = new URLSearchParams(window.location.search), view = await address.first();
  if (view) return open(view);
  const pin = asked.get("pin");
  const pinned = pin ? await new Pins(BASE).get(pin).catch((error) => { messages.show("pin", {kind: "warning", title: "This pin cannot be shown.", text: error.message}); return null; }) : null;
  return pinned ? open(fromView(pinned.view)) : openDefault(asked.get("dataset") ?? undefined);
}

// In the frame of another page: the map with its caption and legends, and the times.
function readEmbedding() {
  const {embedded, bare, timeline: timed} = embedOptions(window.location.search);
  for (const [name, on] of [["embed", embedded], ["bare", bare], ["no-timeline", !timed]]) document.body.classList.toggle(name, on);
  if (embedded) state.panelOpen = false;
}

function fillPage() {
  $("sidebar-close").append(icon("close"));
  $("sidebar-close").addEventListener("click", () => togglePanel(false));
  $("solid").dataset.solid = "";
  const solid = h("a", {class: "small-button", "data-solid": true, href: BASE, title: "The same forecast and time in 3D"}, "See it in 3D");
  $("sidebar-foot").append(solid, h("button", {type: "button", class: "small-button", onclick: () => use.open()}, "In another program …"));
  $("tools").append(...Object.values(toolButtons));
  toolButtons.link.classList.add("extra");
}

async function begin() {
  readEmbedding();
  fillPage();
  togglePanel(state.panelOpen);
  if (new URLSearchParams(window.location.search).has("flat")) {
    messages.show("flat", {title: "This is the flat map.", text: "The picture in 3D needs WebGL2, which this browser or its graphics driver does not offer. Hardware acceleration may be switched off in its settings."});
  }
  const refused = await session.begin();
  if (refused) messages.show("session", {kind: "warning", title: "This link does not open what it was made for.", text: refused});
  lookWhoItIs = await passDoor(BASE);
  window.virga = {map, state, maps}; // for tests and the curious
  listenToMap();
  listenForMapKeys();
  setInterval(tick, TICK);
  await load();
  listenToServer();
}

async function load() {
  clearBlank($("stage"));
  try {
    const presets = async () => (await fetch(`${BASE}assets/presets.json`)).json();
    [state.presets] = await Promise.all([presets(), loadCatalog(), loadColourMaps(BASE)]);
  } catch (error) {
    return showBlank($("stage"), "The server does not answer", [error.status ? error.message : "", "Is it still running?"].filter(Boolean), {label: "Try again", run: load});
  }
  await openFirst();
}

begin().catch((error) => messages.show("error", {kind: "error", title: "The page has stopped.", text: error.message}));
