// SPDX-License-Identifier: Apache-2.0
// What a remote shows: the code's four digits to begin with, then a pad to turn, zoom and pan by, and time, play and pins under the thumb.
import {Controls} from "../view/controls.js";
import {h, icon, set} from "./dom.js";

/** on: {join(code)}. Returns {element, say(words, bad), focus()}. */
export function createJoinForm(on) {
  const digits = h("input", {class: "digits", id: "code", type: "text", inputmode: "numeric", pattern: "[0-9]{4}", maxlength: 4, autocomplete: "one-time-code", "aria-describedby": "join-words"});
  const words = h("p", {class: "note", id: "join-words", role: "status"}, "The screen shows it: open its dialog “Steer from a phone”.");
  const element = h("form", {class: "join", onsubmit: (event) => { event.preventDefault(); submit(); }},
    h("label", {for: "code"}, "The code on the screen"), digits, h("button", {type: "submit", class: "big-button primary"}, "Steer it"), words);
  digits.addEventListener("input", () => {
    digits.value = digits.value.replace(/\D/g, "").slice(0, 4);
    if (digits.value.length === 4) submit();
  });

  function submit() {
    if (/^[0-9]{4}$/.test(digits.value)) on.join(digits.value);
    else say("A code has four digits.", true);
  }

  function say(text, bad) {
    words.textContent = text;
    words.classList.toggle("bad", bad);
    if (bad) digits.select();
  }

  return {element, say, focus: () => digits.focus()};
}

/** add(name, amount): to a sum of view/steering.js; seek(step). Returns {element, update(state), away(bool)}. */
export function createSteerPanel({add, seek}) {
  const title = h("div", {class: "title"}), valid = h("span", {class: "valid"}), lead = h("span", {class: "lead"}), readout = h("div", {class: "note"});
  const slider = h("input", {type: "range", min: 0, max: 0, "aria-label": "Step in time", oninput: () => { count(Number(slider.value)); seek(Number(slider.value)); }});
  const press = (name, label, act, more = "") => h("button", {type: "button", class: `round ${more}`, "aria-label": label, title: label, onclick: act}, name);
  const play = press(icon("play"), "Play or pause", () => add("plays", 1), "play");
  const zoomers = h("div", {class: "zoomers"}, press("+", "Closer", () => add("zoom", -0.25)), press("−", "Further", () => add("zoom", 0.25)));
  const pad = h("div", {class: "pad", tabindex: 0, role: "application", "aria-label": "Turn by dragging, zoom and move with two fingers"},
    h("p", {}, "Drag to turn", h("br"), "two fingers zoom and move"), zoomers);
  const pins = h("div", {class: "pin-presses", hidden: true}, h("button", {type: "button", class: "big-button", onclick: () => add("pins", -1)}, "Previous pin"),
    h("button", {type: "button", class: "big-button", onclick: () => add("pins", 1)}, "Next pin"));
  const presses = h("div", {class: "presses"}, press(icon("reset"), "Whole domain", () => add("resets", 1)), press(icon("back"), "One step back", () => add("steps", -1)),
    play, press(icon("next"), "One step on", () => add("steps", 1)));
  const element = h("div", {class: "steer"}, h("div", {class: "now", role: "status"}, h("div", {}, valid, " ", lead), title), pad, h("div", {class: "remote-time"}, slider, readout), pins, presses);
  for (const button of zoomers.children) button.addEventListener("pointerdown", (event) => event.stopPropagation());
  let state = {count: 0};

  // The page's own pointer control, with sums in place of a camera.
  const sums = {mode: "orbit", orbit: (dx, dy) => { add("turnX", dx); add("turnY", dy); }, pan: (dx, dy) => { add("panX", dx); add("panY", dy); }, zoom: (factor) => add("zoom", Math.log(factor))};
  new Controls(pad, sums, {moved() {}, placeAt: () => null});

  function count(index) { readout.textContent = state.count > 1 ? `${index + 1} of ${state.count}` : ""; }

  function update(now) {
    state = now;
    title.textContent = now.title;
    valid.textContent = now.valid || (now.title ? "\u00a0" : "Waiting for the screen …");
    lead.textContent = now.lead;
    set(slider, {max: Math.max(0, now.count - 1), disabled: now.count < 2});
    if (document.activeElement !== slider || !slider.matches(":active")) slider.value = now.index;
    count(now.index);
    play.replaceChildren(icon(now.playing ? "pause" : "play"));
    pins.hidden = now.pins < 2;
    element.classList.toggle("with-pins", now.pins >= 2);
  }

  return {element, update, away: (away) => pad.classList.toggle("away", away)};
}
