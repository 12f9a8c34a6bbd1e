// SPDX-License-Identifier: Apache-2.0
// Elements, made without markup: text is always text, and styles go through the CSS object model, so a strict policy holds.

const SVG = "http://www.w3.org/2000/svg";

/**
 * An element. In `attributes`, `on…` are listeners, `style` is an object, `value`, `checked`, `disabled`, `hidden`, `selected`
 * and `open` are properties, null and undefined are left out, the rest are attributes. Children are elements or texts.
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  set(element, attributes);
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** The same for SVG. */
export function s(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  set(element, attributes);
  element.append(...children.flat());
  return element;
}

const PROPERTIES = new Set(["value", "checked", "disabled", "hidden", "selected", "open", "htmlFor"]);

export function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style") for (const [key, text] of Object.entries(value)) element.style.setProperty(key, text);
    else if (PROPERTIES.has(name)) element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  return element;
}

const ICONS = {
  play: "M7 4l13 8-13 8z",
  pause: "M6 4h4v16H6zM14 4h4v16h-4z",
  back: "M6 5h2v14H6zM20 5v14L9 12z",
  next: "M16 5h2v14h-2zM4 5v14l11-7z",
  first: "M4 5h2v14H4zM14 5v14L7 12zM22 5v14l-7-7z",
  last: "M18 5h2v14h-2zM2 5v14l7-7zM10 5v14l7-7z",
  loop: "M7 7h9V4l5 4.5-5 4.5v-3H9v4H6V8q0-1 1-1zM17 17H8v3l-5-4.5L8 11v3h7v-4h3v6q0 1-1 1z",
  orbit: "M12 2l9 5v10l-9 5-9-5V7zM12 4.3L6.2 7.5l5.8 3.3 5.8-3.3zM5 9.2v6.6l6 3.4v-6.6zM19 9.2l-6 3.4v6.6l6-3.4z",
  fly: "M2 13l20-9-6 17-4.5-6zM11.5 15l8-8.5L11 21z",
  top: "M11 2h2v8l2.8-2.8 1.4 1.4L12 13.8 6.8 8.6l1.4-1.4L11 10zM5 13.5L12 17l7-3.5 3 1.5-10 5.5L2 15z",
  reset: "M12 5V1L6 6l6 5V7a5.5 5.5 0 1 1-5.5 5.5h-2A7.5 7.5 0 1 0 12 5z",
  help: "M11 17h2.2v2.2H11zM12 4.5c2.9 0 4.8 1.7 4.8 4.2 0 1.8-.9 2.8-2.3 3.8-1 .7-1.3 1.1-1.3 2V15h-2.3v-.8c0-1.6.7-2.5 2-3.4 1-.7 1.4-1.2 1.4-2 0-1.1-.8-1.9-2.2-1.9-1.5 0-2.4.9-2.5 2.3H7.2C7.3 6.4 9.2 4.5 12 4.5z",
  eye: "M12 5c5 0 8.5 4 10 7-1.5 3-5 7-10 7S3.5 15 2 12c1.5-3 5-7 10-7zm0 2c-3.7 0-6.3 2.7-7.7 5 1.4 2.3 4 5 7.7 5s6.3-2.7 7.7-5C18.3 9.7 15.7 7 12 7zm0 1.8a3.2 3.2 0 1 1 0 6.4 3.2 3.2 0 0 1 0-6.4z",
  hidden: "M4 3l17 17-1.3 1.3-3.2-3.1A11 11 0 0 1 12 19c-5 0-8.5-4-10-7a14 14 0 0 1 4-4.8L2.7 4.3zM7.3 8.6A11 11 0 0 0 4.3 12c1.4 2.3 4 5 7.7 5 1 0 2-.2 2.9-.6l-1.7-1.7a3.2 3.2 0 0 1-3.9-3.9zM12 5c5 0 8.5 4 10 7a15 15 0 0 1-2.8 3.7l-1.3-1.3a11 11 0 0 0 1.8-2.4C18.3 9.7 15.7 7 12 7q-1 0-1.8.2L8.6 5.6A10 10 0 0 1 12 5z",
  close: "M5.4 4l6.6 6.6L18.6 4 20 5.4 13.4 12l6.6 6.6-1.4 1.4-6.6-6.6L5.4 20 4 18.6l6.6-6.6L4 5.4z",
  link: "M10.6 13.4a1 1 0 0 1 0-1.4 1 1 0 0 1 1.4 0 2 2 0 0 0 2.8 0l3.6-3.6a2 2 0 0 0-2.8-2.8l-1.3 1.3-1.4-1.4 1.3-1.3a4 4 0 0 1 5.6 5.6l-3.6 3.6a4 4 0 0 1-5.6 0zM13.4 10.6a1 1 0 0 1 0 1.4 1 1 0 0 1-1.4 0 2 2 0 0 0-2.8 0l-3.6 3.6a2 2 0 0 0 2.8 2.8l1.3-1.3 1.4 1.4-1.3 1.3a4 4 0 0 1-5.6-5.6l3.6-3.6a4 4 0 0 1 5.6 0z",
  picture: "M8 5l1.5-2h5L16 5h4q1.5 0 1.5 1.5v12Q21.5 20 20 20H4q-1.5 0-1.5-1.5v-12Q2.5 5 4 5zm4 3a4.7 4.7 0 1 0 0 9.4A4.7 4.7 0 0 0 12 8zm0 2a2.7 2.7 0 1 1 0 5.4 2.7 2.7 0 0 1 0-5.4z",
  film: "M3 4h18v16H3zM5 6v2h2V6zm0 4v2h2v-2zm0 4v2h2v-2zm0 4h2v1H5zM17 6v2h2V6zm0 4v2h2v-2zm0 4v2h2v-2zM9 6v5h6V6zm0 7v5h6v-5z",
  layers: "M3 6h9.2a3 3 0 0 1 5.6 0H21v2h-3.2a3 3 0 0 1-5.6 0H3zM3 16h3.2a3 3 0 0 1 5.6 0H21v2h-9.2a3 3 0 0 1-5.6 0H3zM15 6a1 1 0 1 0 0 2 1 1 0 0 0 0-2zM9 16a1 1 0 1 0 0 2 1 1 0 0 0 0-2z",
  up: "M12 6l8 9-1.5 1.4L12 9.1l-6.5 7.3L4 15z",
  down: "M12 18l-8-9 1.5-1.4 6.5 7.3 6.5-7.3L20 9z",
  plus: "M11 4h2v7h7v2h-7v7h-2v-7H4v-2h7z",
  pin: "M8 3h8v2l-1.5 1v5l3 3v2H13v5l-1 2-1-2v-5H6.5v-2l3-3V6L8 5z",
  pins: "M3 3h8v7H3zM13 3h8v7h-8zM3 12h8v7H3zM13 12h8v7h-8zM5 5v3h4V5zM15 5v3h4V5zM5 14v3h4v-3zM15 14v3h4v-3z",
  warning: "M12 3l10 18H2zm-1 7v5h2v-5zm0 6.5v2h2v-2z",
};

/** An icon for use within a labelled button; it says nothing by itself. */
export function icon(name) {
  return s("svg", {viewBox: "0 0 24 24", width: 20, height: 20, "aria-hidden": "true", class: "icon", "data-icon": name},
    s("path", {d: ICONS[name], fill: "currentColor", "fill-rule": "evenodd"}));
}

/** A button with an icon alone; `label` is read aloud and shown as a tooltip, with its key if there is one. */
export function iconButton(name, label, onclick, key = "") {
  return h("button", {type: "button", class: "icon-button", "aria-label": label, title: key ? `${label} (${key})` : label,
    "aria-keyshortcuts": key || undefined, onclick}, icon(name));
}

let ids = 0;

/** A label above a control. */
export function field(label, control, extra = null) {
  control.id ||= `control-${++ids}`;
  return h("div", {class: "field"}, h("label", {for: control.id}, label), control, extra);
}

/** A checkbox with its label beside it. */
export function checkbox(label, onchange, title = "") {
  const input = h("input", {type: "checkbox", id: `control-${++ids}`, onchange: () => onchange(input.checked)});
  return {element: h("label", {class: "check", for: input.id, title: title || undefined}, input, h("span", {}, label)), input};
}

/** Makes the options of a select: [{value, label, disabled, title}] or groups {label, options}; keeps what has not changed. */
export function fillSelect(select, options, value) {
  const signature = JSON.stringify(options);
  if (select.dataset.signature !== signature) {
    const option = (o) => h("option", {value: o.value, disabled: Boolean(o.disabled), title: o.title}, o.label);
    select.replaceChildren(...options.map((o) => (o.options ? h("optgroup", {label: o.label}, o.options.map(option)) : option(o))));
    select.dataset.signature = signature;
  }
  select.value = value;
}

/** A dialog that closes on Escape, its button and a click beside it. */
export function dialog(title, body) {
  const element = h("dialog", {class: "dialog", "aria-label": title});
  element.append(
    h("header", {}, h("h2", {}, title), iconButton("close", "Close", () => element.close())),
    h("div", {class: "dialog-body"}, body),
  );
  element.addEventListener("click", (event) => {
    if (event.target === element) element.close();
  });
  document.body.append(element);
  return element;
}

/** Another heading for a dialog that serves several ends. */
export function nameDialog(element, title) {
  element.setAttribute("aria-label", title);
  element.querySelector("h2").textContent = title;
}

/** A group of radio buttons: {element, value, choose(value), disable(value, disabled)}. choices: [[value, words, more words or null]]. */
export function radioGroup(label, choices, chosen, onchange) {
  const group = `radio-${++ids}`;
  const inputs = new Map();
  const buttons = choices.map(([value, words, more]) => {
    const input = h("input", {type: "radio", name: group, value, checked: value === chosen, onchange: () => onchange(value)});
    inputs.set(value, input);
    return h("label", {class: "check"}, input, h("span", {}, words, more ? h("small", {class: "note"}, more) : null));
  });
  const element = h("fieldset", {class: "choice"}, h("legend", {class: "label"}, label), h("div", {class: "choices"}, buttons));
  return {
    element,
    get value() { return [...inputs].find(([, input]) => input.checked)?.[0]; },
    choose: (value) => { inputs.get(value).checked = true; },
    disable: (value, disabled) => { inputs.get(value).disabled = disabled; },
  };
}

/** Sizes a canvas for its element's pixels; returns its 2-D context scaled to CSS pixels, and the width and height. */
export function canvasContext(canvas) {
  const ratio = window.devicePixelRatio || 1;
  const width = canvas.clientWidth;
  const height = canvas.clientHeight;
  const context = canvas.getContext("2d");
  if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
  if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return {context, width, height};
}
