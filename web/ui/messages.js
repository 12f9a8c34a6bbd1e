// SPDX-License-Identifier: Apache-2.0
// What went wrong, where and what to do: a short stack over the picture. A message has a key; the next with the same key
// takes its place. Errors are read aloud at once, notes when there is a pause.
import {h, icon, iconButton} from "./dom.js";

export function createMessages(host) {
  const live = new Map(); // key → {element, timer}

  /**
   * kind: "error", "warning" or "note"; action: {label, run} or null; seconds: gone by itself, 0 for never. `countdown` is a
   * performance.now() to count down to, written after the text.
   */
  function show(key, {kind = "note", title = "", text, action = null, seconds = 0, countdown = 0, closable = true}) {
    clear(key);
    const count = h("span", {class: "countdown"});
    const element = h("div", {class: `message ${kind}`, role: kind === "error" ? "alert" : "status", "data-key": key},
      kind === "note" ? null : icon("warning"),
      h("div", {class: "message-text"}, title ? h("strong", {}, title) : null, h("span", {}, text), count),
      action ? h("button", {type: "button", class: "small-button", onclick: action.run}, action.label) : null,
      closable ? iconButton("close", "Dismiss", () => clear(key)) : null);
    const entry = {element, timer: 0};
    live.set(key, entry);
    host.append(element);
    if (countdown) {
      const tick = () => { count.textContent = ` Trying again in ${Math.max(0, Math.ceil((countdown - performance.now()) / 1000))} s.`; };
      tick();
      entry.timer = setInterval(tick, 500);
    } else if (seconds > 0) {
      entry.timer = setTimeout(() => clear(key), seconds * 1000);
    }
  }

  function clear(key) {
    const entry = live.get(key);
    if (!entry) return;
    clearInterval(entry.timer);
    clearTimeout(entry.timer);
    entry.element.remove();
    live.delete(key);
  }

  return {show, clear, has: (key) => live.has(key)};
}

/** A message that stands instead of the picture, when there can be none; returns its element. */
export function showBlank(host, title, lines, action = null) {
  host.querySelector(".blank")?.remove();
  const blank = h("div", {class: "blank", role: "alert"}, h("h2", {}, title), lines.map((line) => h("p", {}, line)),
    action ? h("button", {type: "button", class: "big-button", onclick: action.run}, action.label) : null);
  host.append(blank);
  return blank;
}

export function clearBlank(host) {
  host.querySelector(".blank")?.remove();
}
