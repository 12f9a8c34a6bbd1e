// SPDX-License-Identifier: Apache-2.0
// The cluster that computes fields: how it is, in a line over the picture, and more when opened. Nothing where there is none.
import {h} from "./dom.js";

const KINDS = {
  local: "Fields are read and reduced by workers on the server's own machine.",
  shared: "Fields are read and reduced by a shared Dask cluster.",
  gateway: "Fields are read and reduced by a Dask cluster that was made for this.",
};

const STATES = {
  none: {tone: "idle", text: "cluster at rest", fact: "No worker runs. It starts by itself when a field is asked for."},
  starting: {tone: "busy", text: "cluster starting"},
  running: {tone: "good", text: "cluster"},
  idle: {tone: "idle", text: "cluster at rest", fact: "No worker runs. Workers come by themselves when a field is asked for."},
  lost: {tone: "bad", text: "cluster lost, looking for it", fact: "The connection to the cluster broke. What is on screen stays; new fields come when it is found again."},
  stopped: {tone: "idle", text: "cluster stopped", fact: "It starts again by itself when a field is asked for."},
  failed: {tone: "bad", text: "cluster failed", fact: "Fields that it reads cannot be shown now."},
};

/** Bytes for people. */
export function describeBytes(bytes) {
  if (bytes < 1e6) return `${Math.round(bytes / 1e3)} kB`;
  return bytes < 1e9 ? `${Math.round(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(bytes < 1e10 ? 1 : 0)} GB`;
}

const counted = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;

/**
 * Words for a state of the server's (PROTOCOL.md, "Users"): {tone, text, more: [text], facts: [[name, value]], notes: [text], dashboard, button, action}, or null
 * where nothing is to be said. waited: seconds since it began to start.
 */
export function describeEngine(state, waited = 0) {
  const {tone, text, fact} = STATES[state?.state] ?? STATES.none;
  if (!state || (state.cluster === "none" && state.state !== "failed")) return null;
  const parts = [state.cluster === "none" ? "reading failed" : text], facts = [], notes = [KINDS[state.cluster], fact, state.message].filter(Boolean);
  if (state.state === "starting" && waited >= 1) parts.push(`${Math.floor(waited)} s`);
  if (state.state === "running") describeWork(state, parts, facts);
  if (state.started_seconds !== null && state.started_seconds !== undefined && state.state !== "starting") facts.push(["Started in", `${Math.max(1, Math.round(state.started_seconds))} s`]);
  const running = ["running", "starting", "idle", "lost"].includes(state.state);
  return {tone, text: parts[0], more: parts.slice(1), facts, notes, dashboard: running ? state.dashboard : null,
    button: buttonWords(state, running), action: state.may && state.cluster !== "none" ? (running ? "stop" : "start") : null};
}

// A scheduler that others use, too, is never stopped: it is left.
function buttonWords({cluster, own}, running) {
  if (cluster === "shared") return running ? "Leave the cluster" : "Join the cluster";
  return `${running ? "Stop" : "Start"} ${own ? "my" : "the"} cluster`;
}

function describeWork({workers, wanted, threads, memory, memory_limit: limit, tasks}, parts, facts) {
  const most = Array.isArray(wanted) && wanted[1] ? ` of at most ${wanted[1]}` : "";
  parts.push(counted(workers ?? 0, "worker"));
  facts.push(["Workers", `${workers ?? 0}${most}${threads ? `, ${counted(threads, "thread")}` : ""}`]);
  if (memory !== null && limit) {
    const share = Math.round(100 * memory / limit);
    if (share >= 1) parts.push(`memory ${share} %`);
    facts.push(["Memory", `${describeBytes(memory)} of ${describeBytes(limit)}`]);
  }
  if (tasks) parts.push(counted(tasks, "task"));
  facts.push(["Tasks", tasks ? `${tasks} running or waiting` : "none"]);
}

/** on: {action("start" | "stop") → Promise, rejects with an Error for people}. */
export function createEngineChip(host, on) {
  const text = h("span", {class: "text"});
  const more = h("span", {class: "more"});
  const body = h("div", {class: "engine-panel"});
  const failed = h("p", {class: "engine-failed", role: "alert"});
  const button = h("button", {type: "button", class: "small-button", onclick: () => act()});
  const element = h("details", {class: "badge engine", hidden: true}, h("summary", {title: "The cluster that computes fields"}, h("span", {class: "dot"}), h("span", {}, text, more)), body);
  host.append(element);
  let state = null;
  let since = 0;
  let timer = 0;
  let action = null;

  function update(next) {
    if (next?.state === "starting" && state?.state !== "starting") since = performance.now();
    state = next;
    clearInterval(timer);
    timer = state?.state === "starting" ? setInterval(draw, 1000) : 0;
    draw();
  }

  function draw() {
    const words = describeEngine(state, (performance.now() - since) / 1000);
    element.hidden = !words;
    if (!words) return;
    element.dataset.tone = words.tone;
    text.textContent = words.text;
    more.textContent = words.more.map((part) => ` · ${part}`).join("");
    action = words.action;
    button.textContent = words.button;
    const rows = words.facts.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]);
    body.replaceChildren(...words.notes.map((note) => h("p", {}, note)), ...(rows.length ? [h("dl", {}, rows)] : []),
      ...(words.dashboard ? [h("a", {href: words.dashboard, target: "_blank", rel: "noopener noreferrer"}, "Dask dashboard")] : []),
      ...(action ? [button] : []), failed);
  }

  async function act() {
    button.disabled = true;
    failed.textContent = "";
    try {
      await on.action(action);
    } catch (error) {
      failed.textContent = error.message;
    }
    button.disabled = false;
  }

  return {update};
}
