// SPDX-License-Identifier: Apache-2.0
// The code that a screen shows, and who steers it.
import {dialog, h} from "./dom.js";

const LOCAL = /^(localhost|127\.[0-9.]+|\[::1\])$/;

/** on: {offer() another code, end() all pairing} */
export function createPairDialog(on) {
  const code = h("output", {class: "pair-code", "aria-live": "polite"});
  const words = h("p", {class: "note", role: "status"});
  const address = h("strong", {class: "pair-address"});
  const list = h("ul", {class: "pair-remotes"});
  const another = h("button", {type: "button", class: "big-button", onclick: () => on.offer()}, "New code");
  const end = h("button", {type: "button", class: "big-button", onclick: () => on.end()}, "End for all");
  const element = dialog("Steer this screen from a phone", [
    h("p", {}, "On the phone, or in another browser, open ", address, " and type:"), code, words, list, h("div", {class: "buttons"}, another, end),
  ]);
  element.classList.add("pair-dialog");
  address.textContent = new URL("remote.html", document.baseURI).href.replace(/^https?:\/\//, "");
  let state = {code: null, remotes: [], until: 0, refused: null, lost: false};
  let timer = 0;

  /** Patch of {code or null, seconds, remotes, refused, lost}. */
  function update(patch) {
    state = {...state, refused: null, ...patch};
    if (patch.code) state.until = performance.now() + patch.seconds * 1000;
    clearInterval(timer);
    timer = state.code ? setInterval(show, 1000) : 0;
    show();
  }

  function show() {
    const left = Math.ceil((state.until - performance.now()) / 1000);
    if (state.code && left <= 0) return update({code: null});
    code.textContent = state.code ?? "";
    code.hidden = !state.code;
    words.textContent = wordsOf(state, left);
    another.textContent = state.remotes.length ? "Let another in" : "New code";
    end.hidden = !state.remotes.length;
    list.replaceChildren(...state.remotes.map(({name, here}) => h("li", {class: here ? "" : "away"}, name, h("span", {class: "note"}, here ? "steers" : "is away"))));
  }

  function wordsOf({refused, lost, remotes}, left) {
    if (refused) return refused;
    if (lost) return "The server does not answer. A new code appears when it does.";
    if (state.code) return `The code lets one device in and holds for ${left > 60 ? `${Math.ceil(left / 60)} minutes` : `${left} s`}.${LOCAL.test(window.location.hostname) ? " This address is of this machine alone: open the page by the one that the phone can reach." : ""}`;
    return remotes.length ? "" : "The code is used or void: ask for a new one.";
  }

  element.addEventListener("close", () => clearInterval(timer));
  return {open: () => { element.showModal(); show(); if (state.code) update({}); }, update, get isOpen() { return element.open; }};
}
