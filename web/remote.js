// SPDX-License-Identifier: Apache-2.0
// A remote: steers a screen that shows a code. What is done here is added up and sent thirty times a second at most.
import {PairLink} from "./net/pair_link.js";
import {listenForKeys} from "./tools/keyboard.js";
import {passDoor} from "./ui/door.js";
import {createJoinForm, createSteerPanel} from "./ui/remote_panel.js";
import {decodeState, encodeSums, newSums} from "./view/steering.js";

const SEND_MS = 1000 / 30, KEY = `virga-remote ${new URL("./", document.baseURI).pathname}`;
const $ = (id) => document.getElementById(id);

const freshSums = () => newSums(crypto.getRandomValues(new Uint16Array(1))[0]);
const sums = freshSums();
const form = createJoinForm({join});
const panel = createSteerPanel({add, seek});
const sent = {updates: 0, bytes: 0};
let joined = false, dirty = false, current = null;

function add(name, amount) {
  sums[name] += amount;
  dirty = true;
}

function seek(step) {
  sums.step = step;
  add("seeks", 1);
}

function flush() {
  if (!dirty || !joined) return;
  const bytes = encodeSums(sums);
  if (!link.send(bytes)) return; // the sums grow, and go when there is room
  dirty = false;
  sent.updates++;
  sent.bytes += bytes.length;
}

function join(code) {
  if (link.join(code, deviceName())) form.say("Asking …", false);
  else form.say("The server does not answer.", true);
}

function deviceName() {
  const words = navigator.userAgent, device = ["iPhone", "iPad", "Android", "Windows", "Macintosh", "Linux"].find((name) => words.includes(name));
  return {Android: /Mobile/.test(words) ? "Android phone" : "Android tablet", Macintosh: "Mac", Windows: "Windows PC", Linux: "Linux PC"}[device] ?? device ?? "Browser";
}

function show(steering) {
  joined = steering;
  $("leave").hidden = !steering;
  $("remote").replaceChildren(steering ? panel.element : form.element);
  if (!steering) form.focus();
}

// A reload, or a phone that slept, comes back to its screen.
function keepKey(key) {
  try {
    if (key) sessionStorage.setItem(KEY, key);
    else sessionStorage.removeItem(KEY);
  } catch { /* then a code is asked for again */ }
}

function keptKey() {
  try { return sessionStorage.getItem(KEY); } catch { return null; }
}

function letGo(words, bad) {
  keepKey(null);
  show(false);
  form.say(words, bad);
}

const lookWhoItIs = await passDoor("./");
const link = new PairLink("./", {
  link(open) {
    $("connection").dataset.state = open ? "open" : "lost";
    $("connection").textContent = open ? "connected" : "connection lost";
    panel.away(!open);
    lookWhoItIs(open ? "open" : "lost");
  },
  joined(_, key) {
    if (key !== current) Object.assign(sums, freshSums()); // another screen knows of nothing yet
    current = key;
    keepKey(key);
    show(true);
    panel.away(false);
  },
  refused: (words) => letGo(`${words.charAt(0).toUpperCase()}${words.slice(1)}.`, true),
  unpaired: () => letGo("The screen has ended it. Ask it for another code.", true),
  told: (bytes) => panel.update(decodeState(bytes)),
});

$("leave").addEventListener("click", () => {
  link.end();
  letGo("You no longer steer the screen.", false);
});
listenForKeys(window, {
  ArrowLeft: () => add("steps", -1),
  ArrowRight: () => add("steps", 1),
  " ": () => add("plays", 1),
  r: () => add("resets", 1),
});
setInterval(flush, SEND_MS);
panel.update(decodeState(new Uint8Array()));
show(false);
if (keptKey()) link.comeBack(keptKey());
window.virga = {sums, sent, steer: add}; // for tests and the curious
