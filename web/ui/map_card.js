// SPDX-License-Identifier: Apache-2.0
// One layer of the flat map: which variable, on which surface, drawn how, how strong, and between which values its colours are.
import {DRAWS, hasWind} from "../view/map_view.js";
import {parseSurface, stepSurface, SURFACE_KINDS, surfaceKinds, surfaceValues, writeSurface} from "../view/map_surfaces.js";
import {colourMap, colourMapNames} from "../view/transfer_function.js";
import {displayChoices, displayUnits, shortNumber, unitsLabel} from "../view/units.js";
import {field, fillSelect, h, icon, iconButton} from "./dom.js";

/** on: {change(patch), variable(id), remove(), up(), reset(), fit()}; `patch` holds fields of the map's layer. */
export function createMapCard(on) {
  const eye = iconButton("eye", "Show this layer", () => on.change({visible: layer.visible === false}));
  const picker = h("select", {class: "variable-picker", "aria-label": "Variable", onchange: () => on.variable(picker.value)});
  const up = iconButton("up", "Draw it above the next", () => on.up());
  const removal = iconButton("close", "Remove this layer", () => on.remove());
  const kind = h("select", {"aria-label": "Surface", onchange: () => chooseKind(kind.value)});
  const number = h("input", {type: "number", step: "any", "aria-label": "Where", onchange: () => chooseNumber()});
  const unit = h("span", {class: "map-unit"});
  const slider = h("input", {type: "range", min: 0, step: 1, "aria-label": "Surface, from the ground up", oninput: () => choose({kind: kind.value, value: values[Number(slider.value)]})});
  const lower = iconButton("down", "Next surface down", () => on.change({level: stepSurface(layer.level, variable, -1)}), "ArrowDown");
  const higher = iconButton("up", "Next surface up", () => on.change({level: stepSurface(layer.level, variable, 1)}), "ArrowUp");
  const where = h("div", {class: "map-where"}, lower, number, unit, higher);
  const draw = h("select", {onchange: () => on.change({draw: draw.value})});
  const strength = h("input", {type: "range", min: 0, max: 1, step: 0.05, oninput: () => on.change({opacity: Number(strength.value)})});
  const share = h("span", {class: "value"});
  const colours = h("select", {onchange: () => on.change({colour_map: colours.value})});
  const low = endInput("Lowest colour at", 0), high = endInput("Highest colour at", 1);
  const units = h("select", {onchange: () => on.change({units: unitsLabel(units.value) || "1"})});
  const spacing = h("input", {type: "number", step: "any", min: 0, placeholder: "usual", onchange: () => chooseSpacing()});
  const drawField = field("Drawn as", draw), strengthField = field("Opacity", strength, share), spacingField = field("Contours every", spacing), coloursField = field("Colours", colours);
  const ends = h("div", {class: "row three"}, field("From", low), field("To", high), field("Unit", units));
  const more = h("details", {class: "layer-more"}, h("summary", {}, "Colours, range, units …"), coloursField, ends, spacingField,
    h("div", {class: "row between"}, h("span", {class: "buttons"},
      h("button", {type: "button", class: "small-button", title: "Colours from the smallest to the largest value in sight", onclick: () => on.fit()}, "Fit"),
      h("button", {type: "button", class: "small-button", title: "Everything as it comes for this variable", onclick: () => on.reset()}, "Reset"))));
  const note = h("p", {class: "note"});
  const surface = h("div", {class: "map-surface"}, field("Surface", kind), where, slider);
  const element = h("section", {class: "layer-card map-card"}, h("header", {}, eye, picker, up, removal), note, surface, h("div", {class: "row"}, drawField, strengthField), more);
  let layer = null, variable = null, shown = null, values = [];

  function endInput(label, end) {
    const input = h("input", {type: "number", step: "any", "aria-label": label, onchange: () => setEnd(end, input)});
    return input;
  }

  function setEnd(end, input) {
    const range = [...layer.range];
    range[end] = shown.toOwn(Number(input.value));
    const good = input.value !== "" && Number.isFinite(range[end]) && range[1] > range[0];
    input.setCustomValidity(good ? "" : end ? "It must be above the lower end." : "It must be below the upper end.");
    if (good) on.change({range});
    else input.reportValidity();
  }

  function choose(wanted) { on.change({level: writeSurface(wanted)}); }

  // Another kind begins where people look first: the middle of what is usual, or what stands for all of a column.
  function chooseKind(wanted) {
    const usual = surfaceValues(wanted, variable), first = {pressure: 850, height: 1000, "above-ground": 100, "flight-level": 100, theta: 300, level: 0}[wanted];
    const value = SURFACE_KINDS[wanted].threshold ? threshold() : usual.length ? usual.reduce((a, b) => (Math.abs(b - first) < Math.abs(a - first) ? b : a)) : null;
    choose({kind: wanted, value});
  }

  const threshold = () => (variable.units === "%" ? 50 : ["1", ""].includes(variable.units) ? 0.5 : /^kg kg-1$|^kg\/kg$/.test(variable.units) ? 1e-5 : layer.range[0] + 0.1 * (layer.range[1] - layer.range[0]));

  function chooseNumber() {
    const value = Number(number.value), whole = kind.value !== "level" || (Number.isInteger(value) && value >= 0 && value < values.length);
    const good = number.value !== "" && Number.isFinite(value) && whole && parseSurface(writeSurface({kind: kind.value, value})) !== null;
    number.setCustomValidity(good ? "" : kind.value === "level" ? `A whole number from 0 to ${values.length - 1}.` : "There is no such surface.");
    if (good) choose({kind: kind.value, value});
    else number.reportValidity();
  }

  function chooseSpacing() {
    const value = Number(spacing.value) / Math.abs(shown.scale);
    on.change({interval: spacing.value !== "" && value > 0 ? value : null});
  }

  /** An entry of a resolved map, and with it groups: options of the variable picker; last: none is above it. */
  function update({layer: next, variable: of, shown: as, dataset, series, groups, calmNote, last}) {
    [layer, variable] = [next, of];
    shown = displayUnits(as, layer.units);
    element.dataset.variable = variable.id;
    element.classList.toggle("off", layer.visible === false);
    element.setAttribute("aria-label", groups.flatMap(({options}) => options).find(({value}) => value === variable.id)?.label ?? variable.name);
    eye.replaceChildren(icon(layer.visible === false ? "hidden" : "eye"));
    eye.setAttribute("aria-pressed", String(layer.visible !== false));
    eye.title = layer.visible === false ? "Show this layer" : "Hide this layer";
    up.hidden = last;
    fillSelect(picker, groups, variable.id);
    note.textContent = series ? calmNote : "Not in this run.";
    note.hidden = note.textContent === "";
    updateSurface();
    const wind = hasWind(dataset, variable);
    fillSelect(draw, Object.entries(DRAWS).filter(([name]) => wind || !["barbs", "arrows"].includes(name)).map(([value, label]) => ({value, label})), layer.draw);
    strength.value = layer.opacity;
    share.textContent = `${Math.round(100 * layer.opacity)} %`;
    fillSelect(colours, colourMapNames().map((name) => ({value: name, label: colourMap(name).title ?? name})), layer.colour_map);
    for (const [input, end] of [[low, 0], [high, 1]]) input.value = shortNumber(shown.toShown(layer.range[end])).replace("−", "-");
    const choices = displayChoices(as);
    fillSelect(units, choices.map(({units: name}) => ({value: name, label: unitsLabel(name) || "number"})), shown.units);
    units.disabled = choices.length < 2;
    const fills = layer.draw.startsWith("fill"), lines = layer.draw.endsWith("contours");
    coloursField.hidden = !fills;
    spacingField.hidden = !lines;
    spacing.value = layer.interval ? shortNumber(layer.interval * Math.abs(shown.scale)) : "";
  }

  function updateSurface() {
    const {kind: now, value} = parseSurface(layer.level), facts = SURFACE_KINDS[now];
    surface.hidden = !variable.vertical;
    fillSelect(kind, surfaceKinds(variable).map((name) => ({value: name, label: SURFACE_KINDS[name].label})), now);
    values = surfaceValues(now, variable);
    where.hidden = value === null && !facts.threshold;
    number.value = value ?? "";
    unit.textContent = facts.threshold ? `${unitsLabel(variable.units)} or more` : facts.unit ?? "";
    for (const button of [lower, higher]) button.hidden = values.length < 2;
    lower.disabled = stepSurface(layer.level, variable, -1) === layer.level;
    higher.disabled = stepSurface(layer.level, variable, 1) === layer.level;
    slider.hidden = values.length < 2;
    slider.max = values.length - 1;
    slider.value = value === null ? 0 : values.reduce((best, one, n) => (Math.abs(one - value) < Math.abs(values[best] - value) ? n : best), 0);
    slider.setAttribute("aria-valuetext", facts.title(value));
  }

  return {element, update};
}
