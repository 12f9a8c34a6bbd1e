// SPDX-License-Identifier: Apache-2.0
// The page: starts the viewer, keeps the one view document that everything follows, and tells the controls about it.
//
// A change goes one way: a control calls change() with a new document, which goes to the viewer, to the controls and, soon after,
// into the address. The viewer's events go to the controls only, but for the camera and the step, which enter the document.
import {Exports} from "./net/exports.js";
import {Pins} from "./net/pins.js";
import {Session, sentence, setSession} from "./net/session.js";
import {createAddress} from "./tools/address.js";
import {createHostChannel} from "./tools/host_channel.js";
import {listenForKeys} from "./tools/keyboard.js";
import {createLayerTool} from "./tools/layer_tool.js";
import {createPinTool, linkedPin} from "./tools/pin_tool.js";
import {createPairedScreen, viewState} from "./tools/paired_screen.js";
import {createProbeTool} from "./tools/probe_tool.js";
import {createSessionTool} from "./tools/session_tool.js";
import {createSignIn} from "./tools/sign_in.js";
import {createTakeAway} from "./tools/take_away.js";
import {sayGone, sayRunNews} from "./tools/offer_news.js";
import {placeBefore} from "./tools/way_back.js";
import {createTimeTool} from "./tools/time_tool.js";
import {createCameraTools} from "./ui/camera_tools.js";
import {createConnectionLine} from "./ui/connection_line.js";
import {h, icon} from "./ui/dom.js";
import {createExportDialog} from "./ui/export_dialog.js";
import {createFidelityBadge} from "./ui/fidelity_badge.js";
import {createHelpDialog} from "./ui/help_dialog.js";
import {createLayersPanel} from "./ui/layers_panel.js";
import {createLegends} from "./ui/legend.js";
import {clearBlank, createMessages, showBlank} from "./ui/messages.js";
import {createProbeReadout} from "./ui/probe_readout.js";
import {createProblemsDialog} from "./ui/problems_dialog.js";
import {createScenePanel} from "./ui/scene_panel.js";
import {createSourcePanel} from "./ui/source_panel.js";
import {createTimeCaption} from "./ui/time_caption.js";
import {createTimeline} from "./ui/timeline.js";
import {compareAddress} from "./view/compare_address.js";
import {dataRange} from "./view/data_range.js";
import {embedOptions} from "./view/embed.js";
import {runsNow} from "./view/run_news.js";
import {colourMap, colourMapNames, loadColourMaps} from "./view/transfer_function.js";
import {encodeHash} from "./view/view_hash.js";
import {defaultView, resolveRun, resolveView} from "./view/view_resolve.js";
import {Viewer} from "./viewer.js";

const BASE = "";
const TICK = 15000; // ms: ages are told in minutes, and what is nearest to now moves on
const $ = (id) => document.getElementById(id);

const state = {
  catalog: null,
  presets: null,
  view: null,      // the document; null before there is one
  left: null,      // the one whose dataset is no longer here, until something else is chosen
  resolved: null,  // what it names, looked up
  index: 0,        // step asked for
  shown: null,     // ISO time on screen, null before the first
  ready: [],
  badge: null,
  ranges: {}, // variable id → [smallest, largest] of its first step, of this dataset
  rate: 4,
  loop: true,
  ownCluster: false, // each user has one
  engine: null,    // the state of the cluster, once the server told it
  everOpen: false, // has there been a websocket?
  panelOpen: !window.matchMedia("(max-width: 760px), (max-height: 520px)").matches,
};

let viewer = null;
let viewerWaits = false; // a setView is due with the next frame

const messages = createMessages($("messages"));
const session = new Session(BASE || "./");
setSession(session);
const signIn = createSignIn({base: BASE || "./", messages, host: $("account"), stage: $("stage"), changed: () => viewer?.signedIn()});
const connectionLine = createConnectionLine($("connection"), {messages, hasPicture: () => state.shown !== null, reconnect: () => viewer.reconnect()});
const {onUser, onEngine} = createSessionTool({state, session, viewer: () => viewer, messages, base: BASE || "./", host: $("engine"),
  changed: () => { if (state.presets && !hasForecasts()) sayEmpty(); }}); // perhaps they are on their way
const problems = createProblemsDialog();
const help = createHelpDialog();
const exportDialog = createExportDialog(new Exports(BASE), {
  view: () => state.view,
  resolved: () => state.resolved,
  index: () => state.index,
  screen: () => [$("picture").width, $("picture").height],
  title: () => shownTitle(state.resolved),
  watch: (on) => viewer.watchExports(on),
  isTold: () => viewer.told,
  signIn: () => signIn.open("Exporting pictures needs the role forecaster."),
});
const pin = createPinTool({
  state, messages, pins: new Pins(BASE || "./"), host: $("pin"),
  title: () => shownTitle(state.resolved),
  show: showPinned,
  change,
  complete: (view) => layers.complete(view),
  changed: refreshCaption,
  write: () => { if (state.view) address.write(state.view); },
  readAddress: () => address.read(),
  watch: (on) => viewer.watchPins(on),
  isTold: () => viewer.told,
  signIn: signIn.open,
  camera: () => viewer.camera,
  lookAgain: () => viewer.loadCatalog(),
  mayPin: signIn.mayPin,
});
const caption = createTimeCaption($("caption"));
const badge = createFidelityBadge($("badge"));
const legends = createLegends($("legends"));
const readout = createProbeReadout($("probe"));
const source = createSourcePanel($("source"), {
  dataset: (id) => chooseDataset(id),
  run: (rule) => chooseRun(rule),
  member: (member) => change({member}, {newEntry: true}),
  problems: () => problems.open(state.catalog.problems ?? []),
});
const layers = createLayerTool({state, base: BASE, change, currentRule: () => time.rule(), say: messages.show,
  differenceRange: (layer) => viewer.differenceRange(layer)});
const layersPanel = createLayersPanel($("layers"), {
  add: (id) => layers.add(id),
  remove: (index) => layers.remove(index),
  variable: (index, id) => layers.replace(index, id),
  minus: (index, minus) => layers.setMinus(index, minus),
  level: (index, level, {final}) => layers.setLevel(index, level, final),
  change: (index, patch, {final}) => layers.patch(index, patch, final),
  preset: (index) => layers.replace(index, state.view.layers[index].variable),
  fit: (index) => layers.fit(index),
});
const scene = createScenePanel($("scene"), {change: (patch, {final}) => change(patch, {quiet: !final})});
const cameraTools = createCameraTools($("tools"), {
  orbit: () => camera(() => viewer.fly(false)),
  fly: () => camera(() => viewer.fly(true)),
  top: () => camera(() => viewer.topDown()),
  reset: () => camera(() => viewer.resetCamera()),
  link: () => takeAway.link(),
  picture: () => takeAway.picture(),
  export: () => openExport(),
  pin: () => pin.create(),
  help: () => help.open(),
  panel: () => togglePanel(),
});
const time = createTimeTool({state, viewer: () => viewer, write: (view) => address.write(view), shown: refreshTimeline});
const timeline = createTimeline($("timeline"), {
  seek: (index) => time.seek(index, 0),
  step: time.stepBy,
  play: time.play,
  pause: time.pause,
  speed: time.setRate,
  loop: time.setLoop,
});
const pairing = createPairedScreen({
  state: () => ({...viewState(state, Boolean(viewer?.playing)), pins: pin.count()}),
  does: {camera: (moves) => viewer.steer(moves), reset: () => camera(() => viewer.resetCamera()), step: time.stepBy, seek: (index) => time.seek(index, 0), play: () => togglePlay(), pin: (by) => pin.next(by)},
});
const host = createHostChannel({state, viewer: () => viewer, open, seek: time.seek, took: takeCamera, camera, play: () => togglePlay()});
const address = createAddress({onView: (view) => open(view), onError: (error) => sayBadView(error), isImplied: () => pin.isAsSaved()});
const takeAway = createTakeAway({state, viewer: () => viewer, messages, address});

// ---- The document.

/** Changes fields of the view. `newEntry`: Back undoes it; `quiet`: one of many while something is dragged. */
function change(patch, {newEntry = false, quiet = false} = {}) {
  if (!state.view) return;
  state.left = null;
  adopt({...state.view, ...patch});
  if (!quiet) address.write(state.view, {newEntry});
}

// Takes a complete document over: looks up what it names, and tells the viewer and the controls.
function adopt(view) {
  const before = state.resolved?.dataset;
  state.resolved = resolveView(view, state.catalog);
  if (state.resolved.dataset !== before) state.ranges = {};
  state.view = view;
  state.index = state.resolved.index;
  if (!state.resolved.times.includes(state.shown)) state.shown = null;
  tellViewer();
  refresh();
}

function tellViewer() {
  if (viewerWaits) return;
  viewerWaits = true;
  requestAnimationFrame(() => {
    viewerWaits = false;
    const iso = state.resolved.times[state.index];
    viewer.setView(forViewer(iso));
    if (iso && !viewer.playing && viewer.timeIndex !== time.viewerIndex(iso)) viewer.setTime(time.viewerIndex(iso), {direction: 0, rate: 0});
  });
}

// The document with the very step that is meant.
function forViewer(iso) {
  return {...state.view, time: iso ?? state.view.time};
}

/** Shows a document from outside: the presets fill it, and where it names what is not here a default stands in. */
async function open(view) {
  const error = await tryToShow(view);
  if (!error) return;
  sayBadView(error);
  await openDefault(view.dataset);
}

// Resolves with null, or with the ViewError that says why it cannot be shown.
async function tryToShow(view) {
  try {
    adopt(await layers.complete(view));
  } catch (error) {
    if (error.name !== "ViewError") throw error;
    return error;
  }
  clearBlank($("stage"));
  messages.clear("view");
  for (const notice of state.resolved.notices) messages.show("notice", {text: notice, seconds: 12});
  return null;
}

// The view of a pin: where it cannot be shown nothing else stands in for it.
async function showPinned(view) {
  const error = await tryToShow(view);
  if (!error) return true;
  state.view = state.resolved = null;
  refresh();
  showBlank($("stage"), "This pin cannot be shown now", [sentence(error.message), "It appears here by itself when its forecast is there."]);
  return false;
}

async function openDefault(datasetId) {
  const draft = defaultView(state.catalog, state.presets, {datasetId});
  if (!draft) return sayEmpty();
  const bare = {...draft, layers: draft.layers.map(({variable}) => ({variable, visible: true, shading: true}))};
  adopt(await layers.complete(bare));
  clearBlank($("stage"));
}

function chooseRun(rule) {
  const run = state.resolved.dataset.runs[resolveRun(state.resolved.dataset, rule)];
  change({run: rule, time: time.rule(rule, run)}, {newEntry: true});
}

async function chooseDataset(id) {
  state.left = null;
  const {map, light, captions, antialiasing, transparent} = state.view; // the rest is of the other dataset
  const draft = defaultView(state.catalog, state.presets, {datasetId: id});
  const bare = draft.layers.map(({variable}) => ({variable, visible: true, shading: true}));
  adopt(await layers.complete({...draft, layers: bare, map, light, captions, antialiasing, transparent}));
  address.write(state.view, {newEntry: true});
}

// ---- Telling the controls.

function refresh() {
  source.update(state);
  pin.refresh();
  if (!state.resolved) return;
  layersPanel.update(state.resolved, state.ranges);
  lookAtRanges(state.resolved);
  legends.update(state.resolved.layers);
  scene.update(state.view, {hasTerrain: Boolean(state.resolved.dataset.terrain)});
  badge.update(state.badge, state.resolved.layers);
  refreshCamera();
  refreshTimeline();
  exportDialog.viewChanged();
  host.viewChanged();
  document.title = `${pin.words()?.title ?? (state.resolved.dataset.title || state.resolved.dataset.id)} – virga`;
}

// Where a file calls a range of values valid, the first step's own values are held against it.
function lookAtRanges(resolved) {
  for (const {variable, series, member} of resolved.layers) {
    if (!variable.valid_range || state.ranges[variable.id] !== undefined) continue;
    state.ranges[variable.id] = null;
    dataRange(series, member, 0, BASE).then((range) => {
      if (resolved.dataset !== state.resolved?.dataset) return;
      state.ranges[variable.id] = range;
      layersPanel.update(state.resolved, state.ranges);
    });
  }
}

function refreshTimeline() {
  const {resolved} = state;
  timeline.update({
    times: resolved?.times ?? [],
    index: state.index,
    ready: state.ready,
    playing: Boolean(viewer?.playing),
    loop: state.loop,
    rate: state.rate,
    calendar: resolved?.calendar,
    runTime: resolved?.run.time,
  });
  pairing.changed();
  host.stepChanged();
  refreshCaption();
  pin.refresh();
}

function refreshCaption() {
  const {resolved} = state;
  caption.update({resolved, shown: state.shown, wanted: resolved?.times[state.index] ?? null, exaggeration: state.view?.exaggeration ?? 1, pin: pin.words(), live: state.view?.run === "latest"});
}

function tick() {
  if (time.hasPassed()) adopt(state.view);
  else refreshCaption();
}

function refreshCamera() {
  cameraTools.update({mode: state.view?.camera?.mode ?? "orbit", panelOpen: state.panelOpen});
}

function camera(move) {
  if (!state.view) return;
  move();
  takeCamera(viewer.camera);
  $("picture").focus({preventScroll: true});
}

function takeCamera(detail) {
  if (!state.view || !detail?.eye) return;
  const {mode, eye, target, up, fov} = detail;
  state.view = {...state.view, camera: {mode, eye: [...eye], target: [...target], up: [...up], fov}};
  pin.cameraTaken();
  address.write(state.view);
  refreshCamera();
  pin.refresh();
}

function togglePanel(openIt = !state.panelOpen) {
  state.panelOpen = openIt;
  $("app").classList.toggle("panel-closed", !openIt);
  refreshCamera();
}

function togglePlay() {
  if (viewer.playing) time.pause();
  else time.play();
}

// Beside another run, variable or forecast: a page of its own, which finds what to put beside this view.
async function openCompare() {
  if (state.view) window.location.assign(await compareAddress(state.view));
}

async function openMap() {
  if (state.view) window.location.assign(`${BASE}map.html${await encodeHash(state.view)}`);
}

function showTimeline(show) { document.body.classList.toggle("no-timeline", !show); }

// ---- Words.

function sayBadView(error) {
  messages.show("view", {kind: "warning", title: "This link's view cannot be shown.", text: `${error.message}. A default view is shown instead.`});
}

function sayEmpty() {
  const cluster = state.engine && state.engine.cluster !== "none" ? state.engine.state : null;
  if (state.ownCluster && ["starting", "running", null].includes(cluster))
    return showBlank($("stage"), "Forecasts are being opened", [cluster === "running" ? "The cluster reads what they hold." : "The cluster that reads them is starting.", "They appear here by themselves."]);
  if (linkedDataset()) return showBlank($("stage"), "Nothing to show here", ["The dataset of this link is no longer published, or this browser is not the one that it was opened in.", "Show it again from the notebook."]);
  const count = state.catalog.problems?.length ?? 0;
  showBlank($("stage"), "No forecast to show", [
    count ? "The server found files, but could read none of them." : "The server has no forecast files yet.",
    "Start it with the path of a netCDF or GRIB file or a folder: virga serve FILE.",
  ], count ? {label: "See what could not be read", run: () => problems.open(state.catalog.problems)} : null);
}

function shownTitle({dataset, layers}) {
  const names = layers.filter(({layer}) => layer.visible).map(({title}) => title);
  return [names.join(", "), dataset.title || dataset.id].filter(Boolean).join(" – ");
}

function openExport() {
  if (!state.resolved?.times.length) return;
  if (viewer.playing) time.pause();
  exportDialog.open();
}

// ---- Beginning.

const probeTool = createProbeTool({
  canvas: $("picture"),
  probe: (x, y) => (state.resolved ? viewer.probe(x, y) : null),
  show: (answer, x, y) => readout.show(answer, state.resolved.layers, x, y, state.badge?.blended ? "The values are of one real step, not of the blend on screen." : ""),
  hide: () => readout.hide(),
});

function listenToViewer() {
  const on = (name, act) => viewer.addEventListener(name, (event) => act(event.detail ?? {}));
  on("connection", (detail) => {
    state.everOpen ||= detail.state === "open";
    signIn.lookAgain(detail.state);
    connectionLine.update(detail, state.everOpen);
  });
  on("step", (detail) => { time.onStep(detail); probeTool.refresh(); });
  on("steps", ({ready}) => { state.ready = ready; refreshTimeline(); });
  on("badge", (detail) => { state.badge = detail; badge.update(detail, state.resolved?.layers ?? []); });
  on("camera", takeCamera);
  on("error", ({message, fatal}) => messages.show("error", {kind: fatal ? "error" : "warning", title: fatal ? "The picture has stopped." : "", text: message,
    action: fatal ? {label: "Reload", run: () => window.location.reload()} : null, seconds: fatal ? 0 : 20}));
  on("contextlost", () => messages.show("context", {kind: "warning", title: "The graphics card was taken away.", text: "The picture comes back by itself when the browser returns it.",
    action: {label: "Reload", run: () => window.location.reload()}, closable: false}));
  on("contextrestored", () => messages.show("context", {text: "The graphics card is back.", seconds: 3}));
  on("engine", onEngine);
  on("user", onUser);
  on("exports", (detail) => exportDialog.told(detail));
  on("pins", pin.onPins);
  on("catalog", ({catalog}) => { if (state.presets) onCatalog(catalog ?? viewer.catalog); });
}

// The server's offer changed: the same view of it, which may be of a newer run.
async function onCatalog(catalog) {
  const before = runsNow(state.resolved);
  state.catalog = catalog;
  if (pin.id() && !pin.shown) return pin.catalogChanged();
  if (state.left && isOffered(state.left.dataset)) return comeBack();
  if (!state.view) return openFirst(null);
  if (pin.id()) await showPinned(state.view);
  else if (isOffered(state.view.dataset)) await open(state.view);
  else return leaveDataset();
  sayRunNews(messages, before, state, () => chooseRun("latest"));
}

// What is shown is no longer on offer: not to be confused with a link that never was.
async function leaveDataset() {
  sayGone(messages, state);
  const left = state.view;
  state.view = state.resolved = null;
  refresh();
  if (hasForecasts()) await openDefault();
  else sayEmpty();
  state.left = left;
}

// A dataset whose files were written anew is gone for a moment only; unless something else was chosen meanwhile it is shown again.
async function comeBack() {
  const view = state.left;
  state.left = null;
  messages.clear("dataset");
  await open(view);
}

async function openFirst(view) {
  refresh();
  const pinned = linkedPin();
  if (pinned && await openPin(pinned, view)) return;
  if (pinned && !view && embedOptions(window.location.search).bare) return sayNoPin();
  if (!hasForecasts()) return sayEmpty();
  if (view) await open(view);
  else await openLinked();
}

// A pin by its link; a view in the address is the reader's own of it.
async function openPin(id, view) {
  const own = Boolean(view && !(await tryToShow(view)));
  return await pin.open(id, {own}) || pin.id() !== null;
}

// Who looks at a frame did not choose what is in it: another forecast must not pass for the pin's.
function sayNoPin() {
  messages.clear("pin");
  showBlank($("stage"), "This pin cannot be opened", ["There is no such pin, or it was deleted."]);
}

// The dataset of a link from a notebook: ?dataset=ID.
const linkedDataset = () => new URLSearchParams(window.location.search).get("dataset") ?? undefined;
const hasForecasts = () => state.catalog.datasets.some((dataset) => dataset.variables.length > 0);
const isOffered = (id) => state.catalog.datasets.some((dataset) => dataset.id === id);

async function openLinked() {
  const id = linkedDataset();
  if (id && !isOffered(id)) messages.show("dataset", {kind: "warning", title: "The dataset of this link is not here.", text: "It is no longer published, or this browser is not the one that it was opened in."});
  await openDefault(id);
}

function listenForPageKeys() {
  listenForKeys(window, {
    " ": () => togglePlay(),
    ArrowLeft: () => time.stepBy(-1),
    ArrowRight: () => time.stepBy(1),
    Home: () => time.seek(0, 0),
    End: () => time.seek((state.resolved?.times.length ?? 1) - 1, 0),
    l: () => time.setLoop(!state.loop),
    r: () => camera(() => viewer.resetCamera()),
    t: () => camera(() => viewer.topDown()),
    o: () => camera(() => viewer.fly(false)),
    f: () => camera(() => viewer.fly(true)),
    p: () => togglePanel(),
    x: () => openExport(),
    n: () => pin.create(),
    g: () => pin.openList(),
    c: () => openCompare(),
    m: () => openMap(),
    "?": () => help.open(),
  });
}

function hasWebGL2() {
  return Boolean(document.createElement("canvas").getContext("webgl2"));
}

// The flat map shows the same forecast and time to browsers that cannot draw in 3D, also in a frame; but a frame of the wall or of a comparison is talked to.
function goFlat() {
  const {search, hash} = window.location, flat = `${BASE}map.html?flat${search ? `&${search.slice(1)}` : ""}${hash}`;
  if (!embedOptions(search).bare) window.location.replace(flat);
  showBlank($("stage"), "This browser cannot draw it in 3D", ["The picture needs WebGL2, which this browser or its graphics driver does not offer; hardware acceleration may be switched off in its settings.",
    "The same forecast is there as a flat map, which needs none."]).append(h("a", {class: "big-button", href: flat.replace(/[?&]embed=[^&#]*/, ""), target: "_top"}, "Open the flat map"));
}

function readEmbedding() {
  const {embedded, bare, timeline: timed} = embedOptions(window.location.search);
  document.body.classList.toggle("embed", embedded);
  document.body.classList.toggle("bare", bare);
  if (embedded) state.panelOpen = false;
  showTimeline(timed);
}

function fillSidebar() {
  $("sidebar-close").append(icon("close"));
  $("sidebar-close").addEventListener("click", () => togglePanel(false));
  const footButton = (words, act, title) => h("button", {type: "button", class: "small-button", title, onclick: act}, words);
  $("sidebar-foot").append(footButton("Export pictures …", () => openExport()), footButton("Compare …", () => openCompare(), "Beside another run, variable or forecast (C)"),
    footButton("Flat map", () => openMap(), "The same forecast and time on a map, at any surface (M)"),
    footButton("Steer from a phone …", () => pairing.open(), "By a code of four digits"));
}

async function begin() {
  const place = placeBefore();
  if (place && new URL(place).pathname + new URL(place).search !== window.location.pathname) return window.location.replace(place);
  if (place) window.history.replaceState(null, "", place);
  readEmbedding();
  fillSidebar();
  togglePanel(state.panelOpen);
  if (!hasWebGL2()) return goFlat();
  const refused = await session.begin();
  if (refused) messages.show("session", {kind: "warning", title: "This link does not open what it was made for.", text: refused});
  await signIn.pass();
  await start();
}

async function start() {
  viewer = new Viewer($("picture"), {base: "./", session});
  window.virga = {viewer, state, nextPin: pin.next}; // for tests and the curious
  listenToViewer();
  listenForPageKeys();
  setInterval(tick, TICK);
  await load();
}

async function load() {
  clearBlank($("stage"));
  try {
    const [presets, catalog] = await Promise.all([loadPresets(), viewer.loadCatalog(), loadColourMaps(BASE)]);
    state.catalog = catalog;
    state.presets = presets;
  } catch (error) {
    return showBlank($("stage"), "The server does not answer", [error.message, "Is it still running?"], {label: "Try again", run: load});
  }
  viewer.setColourMaps(Object.fromEntries(colourMapNames().map((name) => [name, colourMap(name).points])));
  await openFirst(await address.first());
}

async function loadPresets() {
  const answer = await fetch(`${BASE}assets/presets.json`);
  if (!answer.ok) throw new Error(`assets/presets.json: HTTP ${answer.status}`);
  return answer.json();
}

begin().catch((error) => messages.show("error", {kind: "error", title: "The page has stopped.", text: error.message}));
