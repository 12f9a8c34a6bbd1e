// SPDX-License-Identifier: Apache-2.0
// One pin on the wall: its picture, valid time, run and age, and a plain warning where what is seen is old.
import {describePin} from "../view/wall_words.js";
import {h, icon} from "./dom.js";

// What is the same already is left alone, so that nothing is laid out anew for it.
function say(element, text, title = "") {
  if (element.textContent !== text) element.textContent = text;
  if (element.title !== title) element.title = title;
}

/** urls: {open(id), thumbnail(id, key)}; on: {open(id), grab(id, event), move(id, by)}. {element, update(pin, now), arrange(on)} */
export function createWallTile(id, urls, on) {
  const image = h("img", {alt: "", decoding: "async", draggable: "false"});
  const waiting = h("span", {class: "tile-waiting"}, "Not drawn yet");
  const warning = h("p", {class: "tile-warning", hidden: true}, icon("warning"));
  const warningText = h("span", {});
  warning.append(warningText);
  const picture = h("div", {class: "tile-picture"}, image, waiting, warning);
  const title = h("strong", {class: "tile-title", dir: "auto"});
  const valid = h("span", {class: "tile-valid"});
  const leads = ["tile-lead", "tile-lead narrow"].map((name) => h("span", {class: name})); // beside the valid time, or where that leaves no room, below it
  const run = h("span", {class: "tile-of"});
  const age = h("span", {class: "tile-age"});
  const link = h("a", {class: "tile-link", href: urls.open(id), draggable: "false", onclick: open}, picture,
    h("div", {class: "tile-words"}, title, h("div", {class: "tile-time"}, valid, leads[0]), h("div", {class: "tile-run"}, leads[1], run, age)));
  const element = h("li", {class: "tile", "data-id": id}, link);
  let pin = null, arranging = false, shownKey = null;

  link.addEventListener("pointerdown", (event) => { if (mayMove()) on.grab(id, event); });
  link.addEventListener("keydown", (event) => {
    const by = {ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1}[event.key];
    if (!by || !mayMove()) return;
    event.preventDefault();
    on.move(id, by);
  });

  const mayMove = () => arranging && pin?.may;

  // A new tab is the browser's business; while tiles are arranged nothing opens.
  function open(event) {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    if (!arranging) on.open(id);
  }

  // The old picture stays until the new one is there, decoded: a wall does not flicker.
  async function show(key) {
    if (!key || key === shownKey) return;
    shownKey = key;
    const next = new Image();
    next.src = urls.thumbnail(id, key);
    try { await next.decode(); } catch { return retry(key); }
    if (key !== shownKey) return;
    image.src = next.src;
    element.dataset.key = key;
    waiting.hidden = true;
  }

  // Drawn over by a newer one meanwhile, or the server restarts: the next message brings it.
  function retry(key) {
    if (key === shownKey) shownKey = null;
  }

  function update(newPin, now) {
    pin = newPin;
    const words = describePin(pin, now);
    element.dataset.state = words.state;
    say(title, pin.title, pin.owner ? `${pin.title} (${pin.owner})` : pin.title);
    say(valid, words.validShort, words.valid);
    for (const lead of leads) say(lead, words.lead);
    say(run, words.run);
    say(age, words.age);
    warning.hidden = !words.warning;
    say(warningText, words.warning, words.warning);
    if (link.getAttribute("aria-label") !== words.label) link.setAttribute("aria-label", words.label);
    arrange(arranging);
    show(pin.live?.key);
  }

  function arrange(wanted) {
    arranging = wanted;
    element.classList.toggle("movable", Boolean(mayMove()));
  }

  return {element, update, arrange};
}
