// SPDX-License-Identifier: Apache-2.0
// Whether a layer is a volume or a slice, and of a slice at which surface: its kind, a number, and a slider over the usual ones.
import {parseSurface, SURFACE_KINDS, surfaceTitle, surfaceValues, writeSurface} from "../view/map_surfaces.js";
import {checkLevel} from "../view/view_check.js";
import {fillSelect, h} from "./dom.js";

const KINDS = ["pressure", "height", "above-ground", "flight-level", "theta", "level"];
const FIRST = {pressure: 850, height: 1500, "above-ground": 100, "flight-level": 100, theta: 300, level: 0};

const isLevel = (text) => {
  try { return Boolean(checkLevel(text, "level")); } catch { return false; }
};

/** chosen(level or null, {final}); final false while the slider is held. */
export function createSliceChoice(chosen) {
  const kind = h("select", {"aria-label": "Volume, or slice at a surface", onchange: () => chosen(kind.value ? first(kind.value) : null, {final: true})});
  const number = h("input", {type: "number", step: "any", "aria-label": "Slice at", onchange: () => chooseNumber()});
  const unit = h("span", {class: "map-unit"});
  const slide = (final) => chosen(writeSurface({kind: kind.value, value: values[Number(slider.value)]}), {final});
  const slider = h("input", {type: "range", min: 0, step: 1, "aria-label": "Slice, from the ground up", oninput: () => slide(false), onchange: () => slide(true)});
  const where = h("div", {class: "map-where"}, number, unit, slider);
  const element = h("div", {class: "slice-choice"}, kind, where);
  let variable = null, values = [];

  function first(wanted) {
    const usual = surfaceValues(wanted, variable), near = FIRST[wanted];
    return writeSurface({kind: wanted, value: usual.length ? usual.reduce((a, b) => (Math.abs(b - near) < Math.abs(a - near) ? b : a)) : near});
  }

  function chooseNumber() {
    const text = number.value === "" ? "" : writeSurface({kind: kind.value, value: Number(number.value)});
    const good = isLevel(text) && (kind.value !== "level" || Number(number.value) < values.length);
    number.setCustomValidity(good ? "" : kind.value === "level" ? `A whole number from 0 to ${values.length - 1}.` : "There is no such surface.");
    if (good) chosen(text, {final: true});
    else number.reportValidity();
  }

  function update(level, of) {
    const surface = level ? parseSurface(level) : null;
    variable = of;
    fillSelect(kind, [{value: "", label: "no: a volume"}, ...KINDS.map((name) => ({value: name, label: SURFACE_KINDS[name].label}))], surface?.kind ?? "");
    where.hidden = !surface;
    if (!surface) return;
    values = surfaceValues(surface.kind, variable);
    number.value = surface.value;
    number.setCustomValidity("");
    unit.textContent = SURFACE_KINDS[surface.kind].unit;
    slider.hidden = values.length < 2;
    slider.max = values.length - 1;
    slider.value = values.reduce((best, value, n) => (Math.abs(value - surface.value) < Math.abs(values[best] - surface.value) ? n : best), 0);
    slider.setAttribute("aria-valuetext", surfaceTitle(level));
  }

  return {element, update};
}
