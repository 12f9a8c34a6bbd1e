// SPDX-License-Identifier: Apache-2.0
// Views side by side, each the page itself in a frame; this page keeps their cameras and valid times together. The address holds both.
import {Session, ask, setSession} from "./net/session.js";
import {TextSocket} from "./net/text_socket.js";
import {createCompareSamples} from "./tools/compare_samples.js";
import {FramedView} from "./tools/framed_view.js";
import {listenForKeys} from "./tools/keyboard.js";
import {createLockedTime} from "./tools/locked_time.js";
import {createPairedScreen} from "./tools/paired_screen.js";
import {checkbox, h} from "./ui/dom.js";
import {createComparePane} from "./ui/compare_pane.js";
import {passDoor} from "./ui/door.js";
import {createMessages} from "./ui/messages.js";
import {createSwipeDivider} from "./ui/swipe_divider.js";
import {createTimeline} from "./ui/timeline.js";
import {compareHash, readCompareHash} from "./view/compare_address.js";
import {apartWords, differenceOf, withDataset, withOtherRun, withOtherVariable, withRun, withVariable} from "./view/compare_views.js";
import {formatLead, formatTime, leadHours} from "./view/times.js";
import {encodeHash} from "./view/view_hash.js";

const WRITE_MS = 400;
const $ = (id) => document.getElementById(id);

const state = {catalog: {datasets: []}, show: "side", camera: true, time: true, leader: "left", difference: false, preset: null};
const messages = createMessages($("messages"));
const session = new Session("./");
setSession(session);

const sides = Object.fromEntries([["left", "Left"], ["right", "Right"], ["difference", "Left minus right"]].map(([name, words]) => [name, newSide(name, words)]));
const time = createLockedTime({framed: () => shownSides().map(({framed}) => framed), changed: refreshTime});
const timeline = createTimeline($("timeline"), {seek: time.seek, step: time.stepBy, play: time.play, pause: time.pause, speed: time.setRate, loop: time.setLoop});
const pairing = createPairedScreen({state: pairedState, does: {camera: (moves) => sides.left.framed.tell("steer", moves), reset: () => sides.left.framed.tell("reset"),
  step: time.stepBy, seek: time.seek, play: time.toggle}});
const samples = createCompareSamples({host: document.body, base: "./", catalog: () => state.catalog,
  sides: () => [sides.left, sides.right].map(({name, framed}) => ({name, about: framed.about, shown: framed.shown}))});
const controls = createControls();
let writing = 0;

function newSide(name, words) {
  const pane = createComparePane(name, words, {
    dataset: (id) => choose(name, withDataset(viewOf(name), id, state.catalog, time.iso)),
    run: (rule) => choose(name, withRun(viewOf(name), rule, time.iso)),
    variable: (id) => choose(name, withVariable(viewOf(name), id, time.iso)),
    entered: () => { state.leader = name; },
  }, {chooses: name !== "difference"});
  const framed = new FramedView(pane.frame, {
    view: () => viewCame(name),
    camera: (there) => cameraMoved(name, there),
    step: (iso) => { if (state.time) time.follow(iso, framed); },
    shown: () => { time.shown(); samples.again(); },
    place: (where) => samples.at(where),
    ready: () => refreshTime(),
  });
  $("panes").append(pane.element);
  return {name, pane, framed, camera: null};
}

const shownSides = () => [sides.left, sides.right, ...(state.difference ? [sides.difference] : [])];
/** A side's view with the camera it has by now. */
function viewOf(name) {
  const {framed, camera} = sides[name], view = framed.about?.view;
  return view && camera ? {...view, camera: camera.camera} : view;
}

// ---- What the frames say.

function viewCame(name) {
  const {framed, pane} = sides[name];
  pane.update(framed.about, state.catalog);
  arrange(sides[name]);
  if (name === "left") time.take(framed.about);
  if (state.time) time.tell(framed);
  const leader = sides[state.leader];
  if (state.camera && leader.camera && leader !== sides[name]) framed.tell("camera", leader.camera);
  if (name === "left" && !sides.right.framed.begun) sides.right.framed.begin(beside(viewOf("left")));
  if (name !== "difference") followDifference();
  refreshTime();
  samples.again();
  write();
}

function cameraMoved(name, there) {
  sides[name].camera = there;
  if (state.camera) for (const side of shownSides()) if (side.name !== name) {
    side.framed.tell("camera", there);
    side.camera = null; // it tells where it is once it moves by itself
  }
  if (state.camera) state.leader = name;
  write();
}

// What stands beside a view that came alone.
function beside(view) {
  const iso = time.iso, other = withOtherRun(view, state.catalog, iso);
  state.preset = other ? "runs" : null;
  return other ?? withOtherVariable(view, state.catalog, iso) ?? view;
}

// ---- What is chosen.

function choose(name, view) {
  state.preset = null;
  show(name, view);
}

function show(name, view) {
  sides[name].camera = null;
  sides[name].framed.tell("view", {view});
}

function usePreset(preset) {
  const view = viewOf("left");
  if (!view) return;
  const other = preset === "runs" ? withOtherRun(view, state.catalog, time.iso) : withOtherVariable(view, state.catalog, time.iso);
  if (!other) return messages.show("preset", {text: preset === "runs" ? "This forecast has a single run." : "This forecast has a single variable.", seconds: 6});
  state.preset = preset;
  show("right", other);
}

function swap() {
  const [left, right] = [viewOf("left"), viewOf("right")];
  if (!left || !right) return;
  choose("left", right);
  choose("right", left);
}

function toggleDifference() {
  state.difference = !state.difference;
  followDifference();
  if (!state.difference) sides.difference.framed.end();
  lay();
}

// The difference is of what both sides show now.
function followDifference() {
  const [left, right] = [viewOf("left"), viewOf("right")], {framed} = sides.difference;
  if (!state.difference || !left || !right) return;
  const {view, problem} = differenceOf(left, right, state.catalog), key = view && JSON.stringify([view.dataset, view.run, view.layers]);
  messages.clear("difference");
  if (problem) messages.show("difference", {kind: "warning", title: "No difference.", text: problem, seconds: 12});
  else if (!framed.begun) framed.begin({...view, time: time.iso ?? view.time});
  else if (key !== sides.difference.key) show("difference", {...view, time: time.iso ?? view.time});
  sides.difference.key = key;
}

// ---- How it is laid out.

function lay() {
  $("panes").classList.toggle("swipe", state.show === "swipe");
  document.body.classList.toggle("own-times", !state.time);
  sides.difference.pane.show(state.difference && state.show !== "swipe");
  for (const side of shownSides()) arrange(side);
  controls.update();
  write();
}

function arrange({name, framed}) {
  framed.tell("arrange", {timeline: !state.time, caption: state.show !== "swipe", legends: state.show === "swipe" && name === "left" ? "left" : "right"});
}

function lockCamera(on) {
  state.camera = on;
  const {camera, framed} = sides[state.leader];
  if (on && camera) cameraMoved(state.leader, camera);
  else if (on) framed.tell("hello");
  lay();
}

function lockTime(on) {
  state.time = on;
  const {framed} = sides[state.leader];
  if (!on) time.pause();
  else if (framed.shown) time.follow(framed.shown, framed);
  for (const side of on ? shownSides() : []) time.tell(side.framed);
  lay();
}

function refreshTime() {
  const {about} = sides.left.framed;
  timeline.update(time.state(about));
  for (const {pane, framed} of shownSides()) pane.apart(state.time && framed.about ? apartWords(framed.about.times, time.iso, framed.about.calendar) : "");
  pairing.changed();
  write();
}

function pairedState() {
  const {about} = sides.left.framed, {index, times, playing} = time.state(about);
  return {title: [sides.left, sides.right].map(({framed}) => framed.about?.names.join(", ") ?? "").join(" | "), valid: time.iso ? formatTime(time.iso, about?.calendar) : "",
    lead: about && time.iso ? formatLead(leadHours(about.run, time.iso, about.calendar)) : "", index, count: times.length, playing};
}

function createControls() {
  const button = (words, act, title) => h("button", {type: "button", class: "small-button", title, onclick: act}, words);
  const runs = button("Two runs", () => usePreset("runs"), "The run before beside this one");
  const variables = button("Two variables", () => usePreset("variables"));
  const difference = button("Difference", toggleDifference, "Left minus right, beside both");
  const swipe = button("Swipe", () => { state.show = state.show === "swipe" ? "side" : "swipe"; lay(); }, "One over the other, with a divider (S)");
  const camera = checkbox("Same camera", lockCamera), times = checkbox("Same time", lockTime);
  $("controls").append(h("div", {class: "group"}, runs, variables, difference), h("div", {class: "group"}, swipe, button("Swap", swap, "Left to the right")),
    h("div", {class: "group"}, camera.element, times.element),
    h("div", {class: "group end"}, button("Top", () => leaderTell("top"), "Look down (T)"), button("Reset", () => leaderTell("reset"), "The whole domain (R)"), button("Copy link", copyLink), button("Phone …", () => pairing.open(), "Steer from a phone")));

  function update() {
    difference.setAttribute("aria-pressed", String(state.difference));
    swipe.setAttribute("aria-pressed", String(state.show === "swipe"));
    camera.input.checked = state.camera;
    times.input.checked = state.time;
  }
  return {update};
}

function leaderTell(say) { sides[state.leader].framed.tell(say); }

async function copyLink() {
  await flush();
  try {
    await navigator.clipboard.writeText(window.location.href);
    messages.show("link", {text: "The link to this comparison is copied.", seconds: 4});
  } catch {
    messages.show("link", {text: "The address bar holds the link to this comparison.", seconds: 6});
  }
}

// ---- The address.

function write() {
  clearTimeout(writing);
  writing = setTimeout(flush, WRITE_MS);
}

async function flush() {
  clearTimeout(writing);
  const [left, right] = ["left", "right"].map(timedView);
  if (!left || !right) return;
  window.history.replaceState(null, "", await compareHash(left, right, state));
  $("back").href = `./${await encodeHash(left)}`;
}

function timedView(name) {
  const view = viewOf(name), {framed} = sides[name];
  const camera = (state.camera ? sides[state.leader] : sides[name]).camera?.camera ?? view?.camera;
  return view && {...view, ...(camera ? {camera} : {}), ...(framed.shown && view.time !== "nearest to now" ? {time: timeOf(view, framed)} : {})};
}

// A view of the latest run keeps its lead time, so that the link stays live.
function timeOf(view, {about, shown}) {
  const lead = leadHours(about.run, shown, about.calendar);
  return view.run === "latest" && lead !== null ? `T${lead < 0 ? "-" : "+"}${Number(Math.abs(lead).toFixed(6))}` : shown;
}

// ---- Beginning.

async function loadCatalog() {
  const answer = await ask("api/catalog");
  if (!answer.ok) throw new Error(`api/catalog: HTTP ${answer.status}`);
  state.catalog = await answer.json();
  for (const {pane, framed} of shownSides()) pane.update(framed.about, state.catalog);
}

// A newer run: the frame of the latest rolls by itself, and where it stands beside the run before it, that one follows.
async function catalogChanged() {
  await loadCatalog();
  const view = viewOf("left");
  if (state.preset !== "runs" || view?.run !== "latest") return;
  const other = withOtherRun(view, state.catalog, time.iso);
  if (other && other.run !== viewOf("right")?.run) show("right", other);
}

function listen(lookWhoItIs) {
  listenForKeys(window, {" ": time.toggle, ArrowLeft: () => time.stepBy(-1), ArrowRight: () => time.stepBy(1), Home: () => time.seek(0), End: () => time.seek(Infinity),
    t: () => leaderTell("top"), r: () => leaderTell("reset"), s: () => { state.show = state.show === "swipe" ? "side" : "swipe"; lay(); }});
  const socket = new TextSocket("./", {onOpen() {}, onState: lookWhoItIs, onMessage: ({type}) => { if (type === "catalog") catalogChanged().catch(say); }}, {session});
  window.addEventListener("pagehide", () => socket.close());
}

function say(error) { messages.show("error", {kind: "error", text: error.message}); }

async function begin() {
  $("panes").append(createSwipeDivider($("panes")));
  await session.begin();
  const lookWhoItIs = await passDoor("./");
  let asked = {left: null, right: null};
  try {
    asked = await readCompareHash(window.location.hash);
    Object.assign(state, {show: asked.show, camera: asked.camera, time: asked.time});
  } catch (error) {
    messages.show("view", {kind: "warning", title: "This link's views cannot be shown.", text: `${error.message}. A default is shown instead.`});
  }
  await loadCatalog();
  lay();
  sides.left.framed.begin(asked.left);
  if (asked.right) sides.right.framed.begin(asked.right);
  listen(lookWhoItIs);
  window.virga = {state, sides, time}; // for tests and the curious
}

begin().catch(say);
