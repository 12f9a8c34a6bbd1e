// SPDX-License-Identifier: Apache-2.0
// What can be chosen for an export: times, film, turn, size, format, captions.
import {defaultForm} from "../view/export_view.js";
import {formatLead, formatTimeShort, leadHours} from "../view/times.js";
import {checkbox, field, fillSelect, h, radioGroup} from "./dom.js";

const SIZES = [["1280 × 720", 1280, 720], ["1920 × 1080 (HD)", 1920, 1080], ["2560 × 1440", 2560, 1440], ["3840 × 2160 (4K)", 3840, 2160], ["1080 × 1080 (square)", 1080, 1080],
  ["1080 × 1920 (upright)", 1080, 1920]];
const STRIDES = [1, 2, 3, 4, 6, 8, 12, 24];

/**
 * onchange(): something was chosen. {element, form, fill(some of the form's members), update({times, run, calendar, screen: [width, height]})}
 */
export function createExportForm(onchange) {
  const form = defaultForm();
  let screen = [1280, 720];
  let wantedSize = "1280 720"; // as the select has it

  const put = (name, value) => { form[name] = value; show(); onchange(); };
  const inputs = new Map(); // name → element that holds it
  const keep = (name, element) => { inputs.set(name, element); return element; };
  const number = (name, attributes) => keep(name, h("input", {type: "number", ...attributes, oninput: (event) => put(name, event.target.value === "" ? NaN : Number(event.target.value))}));
  const select = (name, read = (text) => text) => h("select", {onchange: (event) => put(name, read(event.target.value))});
  const text = (name, placeholder) => keep(name, h("input", {type: "text", placeholder, maxlength: 200, autocomplete: "off", oninput: (event) => put(name, event.target.value)}));

  const times = radioGroup("Times", [["step", "This one"], ["range", "A range"], ["all", "All"]], form.times, (value) => put("times", value));
  const from = select("from", Number);
  const to = select("to", Number);
  const stride = select("stride", Number);
  const range = h("div", {class: "row"}, field("First", from), field("Last", to));
  const every = field("Of these", stride);
  const kind = radioGroup("Frames", [["", "One for each time"], ["film", "A film, blended between times"]], "", (value) => put("film", value === "film"));
  const film = h("div", {class: "row"}, field("Frames a second", number("fps", {min: 0.1, max: 240, step: "any"})), field("Forecast times a second", number("rate", {min: 0.001, max: 1000, step: "any"})));
  const orbit = field("Turn around the middle, degrees", number("orbit", {min: -36000, max: 36000, step: "any"}));
  const frames = field("In so many frames", number("frames", {min: 1, max: 100000, step: 1}));
  const size = h("select", {onchange: () => chooseSize(size.value)});
  const side = (index) => h("input", {type: "number", min: 16, max: 16384, step: 1, oninput: (event) => {
    form.size = form.size.map((old, i) => (i === index ? Number(event.target.value) : old));
    onchange();
  }});
  const [width, height] = [side(0), side(1)];
  const sides = h("div", {class: "row"}, field("Width", width), field("Height", height));
  const format = keep("format", h("select", {onchange: () => put("format", format.value)}, h("option", {value: "png"}, "PNG, exact"), h("option", {value: "jpeg"}, "JPEG, smaller")));
  const quality = field("Quality", number("quality", {min: 1, max: 100, step: 1}));
  const transparent = checkbox("Without sky (transparent)", (value) => put("transparent", value), "What nothing covers is transparent; PNG only");
  const captions = checkbox("Captions", (value) => put("captions", value), "Title, times, legends and attribution on the picture");
  const legend = checkbox("Legends", (value) => put("legend", value));
  const words = h("div", {class: "export-group"}, field("Title", text("title", "Made from what is shown")), field("Attribution", text("attribution", "Whose data this is")));

  const element = h("form", {class: "export-form", "aria-label": "What to export", novalidate: true, onsubmit: (event) => event.preventDefault()},
    times.element, range, every, kind.element, film,
    h("div", {class: "row"}, orbit, frames),
    h("div", {class: "row"}, field("Size", size), field("Format", format), quality), sides,
    h("div", {class: "checks"}, captions.element, legend.element, transparent.element), words);

  function chooseSize(value) {
    wantedSize = value;
    form.ownSize = value === "own";
    if (value !== "own") form.size = value === "screen" ? [...screen] : value.split(" ").map(Number);
    show();
    onchange();
  }

  function show() {
    const several = form.times !== "step" && from.options.length > 1;
    range.hidden = form.times !== "range" || !several;
    every.hidden = kind.element.hidden = !several;
    film.hidden = !several || !form.film;
    frames.hidden = several || !form.orbit;
    quality.hidden = form.format !== "jpeg";
    transparent.input.disabled = form.format !== "png";
    transparent.input.checked = form.transparent && form.format === "png";
    captions.input.checked = form.captions;
    legend.input.checked = form.legend && form.captions;
    legend.input.disabled = !form.captions;
    words.hidden = !form.captions;
    sides.hidden = !form.ownSize;
    if (document.activeElement !== width) width.value = String(form.size[0]);
    if (document.activeElement !== height) height.value = String(form.size[1]);
  }

  function fill(values) {
    Object.assign(form, values);
    for (const [name, input] of inputs) input.value = String(form[name]);
    kind.choose(form.film ? "film" : "");
    const [w, k] = form.size;
    form.ownSize = !SIZES.some(([, width, height]) => width === w && height === k);
    wantedSize = form.ownSize ? "own" : `${w} ${k}`;
    show();
  }

  function update({times: all, run, calendar, screen: shown}) {
    screen = shown;
    fillTimes(all, run, calendar);
    fillSelect(stride, STRIDES.filter((n) => n < Math.max(2, all.length)).map((n) => ({value: String(n), label: n === 1 ? "every one" : `one in ${n}`})), String(form.stride));
    fillSelect(size, [...SIZES.map(([label, w, k]) => ({value: `${w} ${k}`, label})), {value: "screen", label: `As on screen: ${shown[0]} × ${shown[1]}`}, {value: "own", label: "Another …"}],
      wantedSize);
    if (size.value === "screen") form.size = [...shown];
    show();
  }

  function fillTimes(all, run, calendar) {
    const options = all.map((iso, i) => ({value: String(i), label: `${formatTimeShort(iso, calendar)} (${formatLead(leadHours(run.time, iso, calendar))})`}));
    form.to = Math.min(form.to, Math.max(0, all.length - 1));
    form.from = Math.min(form.from, form.to);
    if (form.stride >= Math.max(2, all.length)) form.stride = 1;
    fillSelect(from, options, String(form.from));
    fillSelect(to, options, String(form.to));
    times.disable("range", all.length < 2);
    times.disable("all", all.length < 2);
  }

  fill({});
  return {element, form, fill, update};
}
