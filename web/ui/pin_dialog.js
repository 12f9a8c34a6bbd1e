// SPDX-License-Identifier: Apache-2.0
// Pinning a view, and changing what a pin is called and follows.
import {dialog, field, h, nameDialog, radioGroup} from "./dom.js";

const MOST = {title: 200, group: 80}; // bytes, as the server has it

/** {open({heading, button, title, group, groups: [name], rules: [{id, words, now}], rule, save(form) → Promise, failed(error) → words})} */
export function createPinDialog() {
  const title = h("input", {type: "text", dir: "auto", autocomplete: "off", required: true});
  const groups = h("datalist", {id: "pin-groups"});
  const group = h("input", {type: "text", dir: "auto", autocomplete: "off", placeholder: "None", list: groups.id});
  const rulesPlace = h("div", {class: "pin-rules"});
  const message = h("p", {class: "export-error", role: "alert", "data-role": "pin-message", hidden: true});
  const button = h("button", {type: "submit", class: "big-button primary"}, "Pin");
  const form = h("form", {class: "pin-form", novalidate: true, onsubmit: (event) => { event.preventDefault(); save(); }},
    field("Title", title), field("Group", group), groups, rulesPlace, message, h("div", {class: "pin-actions"}, button));
  const element = dialog("Pin this view", [form]);
  let rules = null;
  let order = null;

  function open(wanted) {
    order = wanted;
    nameDialog(element, wanted.heading);
    button.textContent = wanted.button;
    title.value = wanted.title;
    group.value = wanted.group;
    groups.replaceChildren(...wanted.groups.map((name) => h("option", {value: name})));
    rules = radioGroup("What it follows", wanted.rules.map(({id, words, now}) => [id, words, now && `Now: ${now}`]), wanted.rule, () => say(""));
    rulesPlace.replaceChildren(rules.element);
    say("");
    button.disabled = false;
    element.showModal();
    title.select();
  }

  function say(text) {
    message.hidden = !text;
    message.textContent = text;
  }

  function problem() {
    if (!title.value.trim()) return "A pin needs a title.";
    for (const [name, input] of [["title", title], ["group", group]]) {
      if (new TextEncoder().encode(input.value.trim()).length > MOST[name]) return `The ${name} is too long; ${MOST[name]} bytes are the most.`;
    }
    return "";
  }

  async function save() {
    const words = problem();
    say(words);
    if (words || button.disabled) return;
    button.disabled = true;
    try {
      await order.save({title: title.value.trim(), group: group.value.trim(), rule: rules.value});
      element.close();
    } catch (error) {
      say(order.failed(error));
    }
    button.disabled = false;
  }

  return {open, close: () => element.close()};
}
