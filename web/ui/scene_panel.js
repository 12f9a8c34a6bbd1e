// SPDX-License-Identifier: Apache-2.0
// How the scene is drawn: vertical exaggeration, light, and what lies on the map.
import {shortNumber} from "../view/units.js";
import {checkbox, field, h, set} from "./dom.js";

const LEAST = 1;
const MOST = 100;

/** A slider's position, 0 to 1000, for a vertical exaggeration, and back: equal distances are equal ratios. */
export function exaggerationToSlider(value) {
  const t = Math.log(value / LEAST) / Math.log(MOST / LEAST);
  return Math.round(1000 * Math.min(1, Math.max(0, t)));
}

export function sliderToExaggeration(position) {
  const raw = LEAST * (MOST / LEAST) ** (position / 1000);
  return raw < 10 ? Math.round(raw * 2) / 2 : Math.round(raw);
}

/** on: {change(patch of the view, {final})} */
export function createScenePanel(host, on) {
  const height = h("input", {type: "range", min: 0, max: 1000, step: 1, "aria-label": "Vertical exaggeration"});
  const heightWords = h("output", {class: "value"});
  height.addEventListener("input", () => on.change({exaggeration: sliderToExaggeration(Number(height.value))}, {final: false}));
  height.addEventListener("change", () => on.change({exaggeration: sliderToExaggeration(Number(height.value))}, {final: true}));
  const byTime = checkbox("Sun as at the valid time", (value) => light({sun: value ? "time" : {...lastSun}}, true), "By date, time and place; at night a low sun is used, and said");
  const azimuth = angle("Sun from", 0, 360, (value, final) => light({sun: {...lastSun, azimuth: value}}, final));
  const elevation = angle("Sun height", 0, 90, (value, final) => light({sun: {...lastSun, elevation: value}}, final));
  const angles = h("div", {class: "row"}, azimuth.element, elevation.element);
  const shadows = checkbox("Shadows", (value) => light({shadows: value}, true));
  const coastlines = mapToggle("coastlines", "Coastlines");
  const graticule = mapToggle("graticule", "Graticule");
  const terrain = mapToggle("terrain", "Terrain");
  const axis = mapToggle("height_axis", "Height axis");
  host.append(
    h("h2", {}, "Scene"),
    field("Vertical exaggeration", height, heightWords),
    h("div", {class: "checks"}, byTime.element, shadows.element),
    angles,
    h("div", {class: "checks", role: "group", "aria-label": "Map"}, coastlines.element, graticule.element, terrain.element, axis.element),
  );
  let view = null;
  let lastSun = {azimuth: 225, elevation: 40};

  function light(patch, final) {
    on.change({light: {...view.light, ...patch}}, {final});
  }

  function mapToggle(name, label) {
    return checkbox(label, (value) => on.change({map: {...view.map, [name]: value}}, {final: true}));
  }

  function angle(label, least, most, change) {
    const input = h("input", {type: "range", min: least, max: most, step: 1});
    const words = h("output", {class: "value"});
    input.addEventListener("input", () => change(Number(input.value), false));
    input.addEventListener("change", () => change(Number(input.value), true));
    return {element: field(label, input, words), input, words};
  }

  function update(newView, {hasTerrain = true} = {}) {
    view = newView;
    height.value = String(exaggerationToSlider(view.exaggeration));
    const words = `height × ${shortNumber(view.exaggeration, 3)}`;
    heightWords.textContent = words;
    height.setAttribute("aria-valuetext", words);
    const timed = view.light.sun === "time";
    if (!timed) lastSun = view.light.sun;
    byTime.input.checked = timed;
    angles.hidden = timed;
    azimuth.input.value = String(lastSun.azimuth);
    azimuth.words.textContent = `${Math.round(lastSun.azimuth)}° ${compass(lastSun.azimuth)}`;
    elevation.input.value = String(lastSun.elevation);
    elevation.words.textContent = `${Math.round(lastSun.elevation)}°`;
    shadows.input.checked = view.light.shadows;
    coastlines.input.checked = view.map.coastlines;
    graticule.input.checked = view.map.graticule;
    terrain.input.checked = view.map.terrain && hasTerrain;
    terrain.input.disabled = !hasTerrain;
    set(terrain.element, {title: hasTerrain ? "Relief from the forecast's own orography" : "This dataset has no orography"});
    axis.input.checked = view.map.height_axis;
  }

  return {update};
}

/** "SW" for 225. */
export function compass(degrees) {
  const names = ["N", "NE", "E", "SE", "S", "SW", "W", "NW"];
  return names[Math.round((((degrees % 360) + 360) % 360) / 45) % 8];
}
