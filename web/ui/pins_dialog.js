// SPDX-License-Identifier: Apache-2.0
// All pins, to look for one and open it; those that were deleted can be brought back.
import {dialog, h, radioGroup} from "./dom.js";

const MOST_SHOWN = 200;
const THUMBNAIL = 160; // pixels wide
const isDeleted = (pin) => Boolean(pin.deleted) || pin.state === "deleted";

/**
 * on: {list({deleted}) → Promise of pins, open(id), bringBack(pin) → Promise}; urls: {link(id), picture(id, width), wall}; words(pin) → {text, age, warning}.
 * {open(), told(pins that changed)}
 */
export function createPinsDialog(on, urls, words) {
  const search = h("input", {type: "text", "aria-label": "Search pins", autofocus: true, placeholder: "Search by title, group or owner", oninput: () => show()});
  const which = radioGroup("Show", [["pins", "Pins"], ["deleted", "Deleted"]], "pins", () => fetchPins());
  const list = h("ul", {class: "pin-list"});
  const message = h("p", {class: "note", role: "status", "data-role": "pins-message"});
  const wall = h("a", {class: "small-button", href: urls.wall}, "All on a wall");
  const element = dialog("Pins", [h("div", {class: "pin-search"}, search, wall), which.element, message, list]);
  element.classList.add("wide");
  let pins = [];
  let asked = 0;

  function open() {
    if (element.open) return element.close();
    search.value = "";
    which.choose("pins");
    element.showModal();
    fetchPins();
  }

  async function fetchPins() {
    const mine = ++asked;
    try {
      const answer = await on.list({deleted: which.value === "deleted"});
      if (mine !== asked) return;
      pins = answer;
      show();
    } catch (error) {
      if (mine !== asked) return;
      pins = [];
      show();
      message.textContent = error.message;
    }
  }

  function show() {
    const wanted = search.value.trim().toLocaleLowerCase();
    const found = pins.filter((pin) => [pin.title, pin.group, pin.owner].some((text) => text?.toLocaleLowerCase().includes(wanted)));
    const shown = found.sort((a, b) => (a.group ?? "").localeCompare(b.group ?? "") || a.title.localeCompare(b.title)).slice(0, MOST_SHOWN);
    list.replaceChildren(...shown.map(row));
    message.textContent = !pins.length ? (which.value === "deleted" ? "Nothing was deleted." : "There are no pins yet. Make a view, then “Pin this view”.")
      : !found.length ? "No pin is called so." : found.length > shown.length ? `The first ${shown.length} of ${found.length}.` : "";
  }

  function row(pin) {
    const said = words(pin);
    const text = h("span", {class: "pin-text"}, h("strong", {dir: "auto"}, pin.title), h("span", {class: "note"}, [pin.group, pin.owner && `by ${pin.owner}`].filter(Boolean).join(" · ")),
      h("span", {class: "note"}, [said.text, said.age].filter(Boolean).join(" · ")), said.warning ? h("span", {class: "pin-warning"}, said.warning) : null);
    if (which.value === "deleted") return h("li", {"data-id": pin.id}, h("div", {class: "pin-row"}, text, h("button", {type: "button", class: "small-button", onclick: () => bringBack(pin)}, "Bring back")));
    const picture = h("img", {alt: "", loading: "lazy", width: 96, height: 54, onerror: (event) => { event.target.hidden = true; }});
    if (pin.live?.key) picture.src = urls.picture(pin.id, THUMBNAIL);
    else picture.hidden = true;
    return h("li", {"data-id": pin.id}, h("a", {class: "pin-row", href: urls.link(pin.id), onclick: (event) => choose(event, pin.id)}, h("span", {class: "pin-picture"}, picture), text));
  }

  function choose(event, id) {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    element.close();
    on.open(id);
  }

  async function bringBack(pin) {
    try {
      await on.bringBack(pin);
      await fetchPins();
    } catch (error) {
      message.textContent = error.message;
    }
  }

  // What the server tells meanwhile.
  function told(changed) {
    if (!element.open || which.value !== "pins" || !asked) return;
    const known = new Map(pins.map((pin) => [pin.id, pin]));
    for (const pin of changed) {
      if (isDeleted(pin)) known.delete(pin.id);
      else known.set(pin.id, {...known.get(pin.id), ...pin});
    }
    pins = [...known.values()];
    show();
  }

  return {open, told};
}
