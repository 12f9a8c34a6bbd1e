// SPDX-License-Identifier: Apache-2.0
// The pin that the page shows: its name, what it follows, how live it is, and what can be done with it. Nothing where the view is no pin.
import {h, icon} from "./dom.js";

/**
 * on: {create(), list(), save(), back(), edit(), history(), remove(), link(), leave()}. update(null or {title, group, owner, rule, warning, changed: [text], may})
 */
export function createPinPanel(host, on) {
  const title = h("h2", {class: "pin-title", dir: "auto"});
  const about = h("p", {class: "note"});
  const warning = h("p", {class: "pin-warning", role: "status"});
  const changed = h("p", {class: "note", role: "status"});
  const button = (words, act, more = "") => h("button", {type: "button", class: `small-button ${more}`, onclick: () => act()}, words);
  const save = button("Update pin", on.save, "primary");
  const back = button("Back to the pin", on.back);
  const edit = button("Edit …", on.edit);
  const history = button("History …", on.history);
  const link = button("Copy link", on.link);
  const remove = button("Delete", on.remove);
  const leave = button("Leave", on.leave);
  leave.title = "Keep this view, and follow the pin no more";
  const own = h("div", {class: "pin-own", hidden: true}, h("div", {class: "pin-head"}, icon("pin"), title), about, warning, changed,
    h("div", {class: "pin-actions"}, save, back), h("div", {class: "pin-actions"}, edit, history, link, remove, leave));
  const create = button("", on.create);
  host.append(own, h("div", {class: "pin-actions"}, create, button("Pins …", on.list)));

  function update(pin) {
    own.hidden = !pin;
    host.classList.toggle("pinned", Boolean(pin));
    create.textContent = pin ? "Pin as a new one …" : "Pin this view …";
    if (!pin) return;
    title.textContent = pin.title;
    about.textContent = [pin.rule, pin.group && `group ${pin.group}`, pin.owner && `by ${pin.owner}`].filter(Boolean).join(" · ");
    warning.hidden = !pin.warning;
    warning.replaceChildren(...(pin.warning ? [icon("warning"), pin.warning] : []));
    changed.hidden = back.hidden = !pin.changed.length;
    changed.textContent = `Changed here only: ${pin.changed.join(", ")}.`;
    save.hidden = !pin.changed.length || !pin.may;
    edit.hidden = remove.hidden = !pin.may;
  }

  update(null);
  return {update};
}
