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
  orbit: "M12 8a4 4 0 1 1 0 8 4 4 0 0 1 0-8zM2 12c0-3 4.500-5 10-5v1.800c-4.500 0-8 1.400-8 3.200 0 1.400 2 2.500 5 3v-2l4 3-4 3v-2c-4-.600-7-2.400-7-5zM22 12c0 2-1.800 3.500-4.500 4.400l-.6-1.800c2-.600 3.100-1.600 3.100-2.600 0-1-1.200-2-3-2.600l.5-1.800C20.200 8.500 22 10 22 12z",
  fly: "M2 13l20-9-6 17-4.500-6zM11.500 15l8-8.500L11 21z",
  top: "M12 3l9 5-9 5-9-5zM3 12l9 5 9-5v2l-9 5-9-5zM3 16l9 5 9-5v2l-9 5-9-5z",
  reset: "M12 5V1L6 6l6 5V7a5.500 5.500 0 1 1-5.500 5.500h-2A7.500 7.500 0 1 0 12 5z",
  help: "M11 17h2.200v2.200H11zM12 4.500c2.900 0 4.800 1.700 4.800 4.200 0 1.800-.9 2.800-2.300 3.800-1 .7-1.300 1.100-1.300 2V15h-2.300v-.8c0-1.600.7-2.500 2-3.400 1-.7 1.400-1.200 1.400-2 0-1.100-.8-1.900-2.200-1.900-1.500 0-2.400.9-2.500 2.300H7.200C7.300 6.400 9.200 4.500 12 4.500z",
  eye: "M12 5c5 0 8.500 4 10 7-1.500 3-5 7-10 7S3.500 15 2 12c1.500-3 5-7 10-7zm0 2c-3.700 0-6.300 2.700-7.700 5 1.400 2.300 4 5 7.700 5s6.300-2.700 7.700-5C18.300 9.700 15.700 7 12 7zm0 1.800a3.200 3.200 0 1 1 0 6.400 3.200 3.200 0 0 1 0-6.400z",
  hidden: "M4 3l17 17-1.300 1.300-3.200-3.100A11 11 0 0 1 12 19c-5 0-8.500-4-10-7a14 14 0 0 1 4-4.800L2.700 4.300zM7.300 8.600A11 11 0 0 0 4.300 12c1.400 2.300 4 5 7.700 5 1 0 2-.2 2.900-.600l-1.700-1.700a3.200 3.200 0 0 1-3.900-3.900zM12 5c5 0 8.500 4 10 7a15 15 0 0 1-2.800 3.700l-1.300-1.300a11 11 0 0 0 1.800-2.400C18.300 9.700 15.700 7 12 7q-1 0-1.800.200L8.600 5.600A10 10 0 0 1 12 5z",
  close: "M5.400 4l6.600 6.600L18.600 4 20 5.400 13.400 12l6.600 6.600-1.400 1.400-6.600-6.600L5.400 20 4 18.600l6.600-6.600L4 5.400z",
  link: "M10.600 13.400a1 1 0 0 1 0-1.400 1 1 0 0 1 1.400 0 2 2 0 0 0 2.800 0l3.600-3.600a2 2 0 0 0-2.800-2.800l-1.300 1.300-1.400-1.400 1.300-1.300a4 4 0 0 1 5.600 5.600l-3.600 3.600a4 4 0 0 1-5.600 0zM13.400 10.600a1 1 0 0 1 0 1.400 1 1 0 0 1-1.400 0 2 2 0 0 0-2.800 0l-3.600 3.600a2 2 0 0 0 2.800 2.800l1.300-1.300 1.400 1.400-1.300 1.300a4 4 0 0 1-5.600-5.600l3.600-3.600a4 4 0 0 1 5.600 0z",
  picture: "M8 5l1.500-2h5L16 5h4q1.500 0 1.500 1.500v12Q21.500 20 20 20H4q-1.500 0-1.500-1.500v-12Q2.500 5 4 5zm4 3a4.700 4.700 0 1 0 0 9.400A4.700 4.700 0 0 0 12 8zm0 2a2.700 2.700 0 1 1 0 5.400 2.700 2.700 0 0 1 0-5.400z",
  layers: "M12 2l10 5.500L12 13 2 7.500zM2 12l10 5.500L22 12v2.300l-10 5.500-10-5.500z",
  plus: "M11 4h2v7h7v2h-7v7h-2v-7H4v-2h7z",
  warning: "M12 3l10 18H2zm-1 7v5h2v-5zm0 6.500v2h2v-2z",
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
