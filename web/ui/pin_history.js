// SPDX-License-Identifier: Apache-2.0
// What became of a pin: who changed it, when and what, and the way back.
import {formatTime} from "../view/times.js";
import {dialog, h} from "./dom.js";

const WORDS = {title: "another title", group: "another group", position: "moved on the wall", view: "another view"};

/** {open({title, may, read() → Promise of {revision, revisions} (PROTOCOL.md), restore(n, revision that is the newest) → Promise})} */
export function createPinHistory() {
  const message = h("p", {class: "note", role: "status", "data-role": "history-message"});
  const list = h("ol", {class: "pin-history"});
  const element = dialog("History of the pin", [message, list]);
  let order = null;

  async function open(wanted) {
    order = wanted;
    message.textContent = `What became of “${wanted.title}”, newest first.`;
    list.replaceChildren();
    element.showModal();
    try {
      const {revision, revisions} = await wanted.read();
      list.replaceChildren(...revisions.map((one) => row(one, revision)));
    } catch (error) {
      message.textContent = error.message;
    }
  }

  // `newest` may have come after the page read the pin.
  function row({revision, by, at, what = []}, newest) {
    const current = revision === newest;
    const button = h("button", {type: "button", class: "small-button", onclick: () => restore(revision, newest)}, "Bring back");
    return h("li", {"data-revision": revision}, h("span", {class: "pin-text"}, h("strong", {}, what.map((word) => WORDS[word] ?? word).join(", ")), h("span", {class: "note"}, `${formatTime(at)}${by ? ` · ${by}` : ""}`)),
      current ? h("span", {class: "note"}, "as it is now") : order.may ? button : null);
  }

  async function restore(revision, newest) {
    try {
      await order.restore(revision, newest);
      element.close();
    } catch (error) {
      message.textContent = error.message;
    }
  }

  return {open};
}
