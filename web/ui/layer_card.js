// SPDX-License-Identifier: Apache-2.0
// One layer: which variable, shown or not, its colours, range, unit and opacity.
import {colourAt, colourMap, colourMapNames} from "../view/transfer_function.js";
import {displayChoices, displayUnits, shortNumber, unitsLabel} from "../view/units.js";
import {canvasContext, checkbox, field, fillSelect, h, icon, iconButton} from "./dom.js";
import {createMinusChoice} from "./minus_choice.js";
import {createOpacityEditor} from "./opacity_editor.js";
import {createSliceChoice} from "./slice_choice.js";

/**
 * on: {change(patch, {final}), variable(id), minus(document or null), level(text or null, {final}), remove(), preset(), fit()}; `patch` holds fields of the view's layer.
 */
export function createLayerCard(on) {
  const eye = iconButton("eye", "Show this layer", () => on.change({visible: !layer.visible}, {final: true}));
  const picker = h("select", {class: "variable-picker", "aria-label": "Variable", onchange: () => on.variable(picker.value)});
  const removal = iconButton("close", "Remove this layer", () => on.remove());
  const maps = h("div", {class: "swatches", role: "radiogroup", "aria-label": "Colours"});
  const mapName = h("span", {class: "map-name"});
  const preview = h("canvas", {class: "map-preview", "aria-hidden": "true"});
  const colours = h("details", {class: "colour-picker"}, h("summary", {}, h("span", {class: "label"}, "Colours"), preview, mapName), maps);
  const low = rangeInput("Lowest colour at", 0);
  const high = rangeInput("Highest colour at", 1);
  const unit = h("select", {onchange: () => on.change({units: unitsLabel(unit.value) || "1"}, {final: true})});
  const shading = checkbox("Shade by light", (value) => on.change({shading: value}, {final: true}), "Light and shadow make shapes readable; without it colours are exact");
  const editor = createOpacityEditor((opacity, final) => on.change({opacity}, {final}));
  const minus = createMinusChoice((document) => on.minus(document));
  const minusField = field("Minus", minus.element);
  const slice = createSliceChoice((level, options) => on.level(level, options));
  const sliceField = field("Slice", slice.element);
  const fit = h("button", {type: "button", class: "small-button", onclick: () => on.fit()}, "Fit");
  const more = h("details", {class: "layer-more"}, h("summary", {}, "Colours, opacity, minus …"),
    minusField,
    colours,
    h("div", {class: "row three"}, field("From", low), field("To", high), field("Unit", unit)),
    editor.element,
    h("div", {class: "row between"}, shading.element, h("span", {class: "buttons"},
      fit,
      h("button", {type: "button", class: "small-button", onclick: () => on.preset(), title: "Colours, range and opacity as they come for this variable"}, "Reset"))));
  const note = h("p", {class: "note"});
  const element = h("section", {class: "layer-card"}, h("header", {}, eye, picker, removal), note, sliceField, more);
  let layer = null;
  let units = null;

  function rangeInput(label, end) {
    const input = h("input", {type: "number", step: "any", "aria-label": label, onchange: () => setRange(end, input)});
    return input;
  }

  function setRange(end, input) {
    const range = [...layer.range];
    range[end] = units.toOwn(Number(input.value));
    const good = input.value !== "" && Number.isFinite(range[end]) && range[1] > range[0];
    input.setCustomValidity(good ? "" : end ? "It must be above the lower end." : "It must be below the upper end.");
    if (good) on.change({range}, {final: true});
    else input.reportValidity();
  }

  function swatch(name) {
    const canvas = h("canvas", {"aria-hidden": "true"});
    const input = h("input", {type: "radio", class: "visually-hidden", name: `map-${element.dataset.key}`, value: name,
      onchange: () => on.change({colour_map: name}, {final: true})});
    const label = h("label", {class: "swatch", title: colourMap(name).title ?? name}, input, canvas, h("span", {}, colourMap(name).title ?? name));
    return label;
  }

  function paintSwatches() {
    for (const label of maps.children) paintMap(label.querySelector("canvas"), label.querySelector("input").value);
  }
  colours.addEventListener("toggle", paintSwatches);
  more.addEventListener("toggle", () => {
    if (layer) paintMap(preview, layer.colour_map);
  });

  /** An entry of a resolved view, and with it groups: options of the variable picker; key: a name of this card unique among cards; taking: what could be taken away. */
  function update({layer: newLayer, variable, shown, title, difference, lacks, series, groups, key, calmNote, range, taking}) {
    layer = newLayer;
    units = displayUnits(shown, layer.units);
    element.dataset.key = key;
    element.dataset.variable = variable.id;
    element.classList.toggle("off", !layer.visible);
    element.setAttribute("aria-label", title);
    eye.replaceChildren(icon(layer.visible ? "eye" : "hidden"));
    eye.setAttribute("aria-pressed", String(layer.visible));
    eye.title = layer.visible ? "Hide this layer" : "Show this layer";
    fillSelect(picker, groups, variable.id);
    const said = layer.minus ? [difference && `${difference.charAt(0).toUpperCase()}${difference.slice(1)}`, calmNote] : [calmNote, outsideNote(variable, range)];
    note.textContent = series ? said.filter(Boolean).join(". ") : lacks || "Not in this run.";
    minus.update(layer.minus, taking);
    minusField.hidden = Boolean(layer.level);
    slice.update(layer.level, variable);
    sliceField.hidden = !variable.vertical || Boolean(layer.minus);
    fit.title = layer.minus ? "Colours as far either way from 0 as the difference reaches at this time" : "Colours from the smallest to the largest value at this time";
    note.hidden = note.textContent === "";
    if (maps.children.length !== colourMapNames().length) maps.replaceChildren(...colourMapNames().map(swatch));
    for (const label of maps.children) label.querySelector("input").checked = label.querySelector("input").value === layer.colour_map;
    mapName.textContent = colourMap(layer.colour_map).title ?? layer.colour_map;
    paintMap(preview, layer.colour_map);
    low.value = shortNumber(units.toShown(layer.range[0])).replace("−", "-");
    high.value = shortNumber(units.toShown(layer.range[1])).replace("−", "-");
    const choices = displayChoices(shown);
    fillSelect(unit, choices.map(({units: name}) => ({value: name, label: unitsLabel(name) || "number"})), units.units);
    unit.disabled = choices.length < 2;
    shading.input.checked = layer.shading !== false;
    shading.element.hidden = !variable.vertical || Boolean(layer.level);
    editor.update(layer, shown);
  }

  return {element, update, expand: () => { more.open = true; }};
}

function paintMap(canvas, name) {
  const {context, width, height} = canvasContext(canvas);
  const map = colourMap(name);
  for (let x = 0; x < width; x++) {
    const [r, g, b] = colourAt(map, (x + 0.5) / width);
    context.fillStyle = `rgb(${r.toFixed(0)} ${g.toFixed(0)} ${b.toFixed(0)})`;
    context.fillRect(x, 0, 1.5, height);
  }
}

/** Words about a variable for its card: its vertical coordinate, how exact its heights are, and what the catalog has to say of it. */
export function variableNote(variable) {
  return [levelsNote(variable), variable.note].filter(Boolean).join(". ");
}

/** What a file calls valid is said where its own values, [smallest, largest] of a step, are not within it; "" where they are. */
export function outsideNote(variable, range) {
  const [low, high] = variable.valid_range ?? [null, null];
  if (!range || variable.note?.includes("valid range") || !((low !== null && range[0] < low) || (high !== null && range[1] > high))) return "";
  const units = displayUnits(variable);
  const shown = (value) => shortNumber(units.toShown(value), 4);
  const reach = [low !== null && range[0] < low ? `down to ${shown(range[0])}` : "", high !== null && range[1] > high ? `up to ${shown(range[1])}` : ""].filter(Boolean).join(" and ");
  const valid = [low === null ? "" : `from ${shown(low)}`, high === null ? "" : `to ${shown(high)}`].filter(Boolean).join(" ");
  return `At the first time values go ${reach}; the file calls those ${valid ? `valid ${valid}` : "valid"}. They are shown as stored`;
}

function levelsNote(variable) {
  if (!variable.vertical) return "On the ground";
  const {kind, levels, heights, map_error: error, datum} = variable.vertical;
  const span = heights ? `, ${shortHeight(heights[0])} to ${shortHeight(heights[1])} above ${datum === "ground" ? "the ground" : "sea level"}` : "";
  const exact = error > 1 ? `, heights within ${shortNumber(error, 2)} m` : "";
  return `${levels} levels${kind ? ` (${String(kind).replaceAll("_", " ")})` : ""}${span}${exact}`;
}

function shortHeight(metres) {
  return Math.abs(metres) < 10000 ? `${shortNumber(Math.round(metres))} m` : `${shortNumber(metres / 1000, 3)} km`;
}
