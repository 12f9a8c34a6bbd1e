// SPDX-License-Identifier: Apache-2.0
// What is under the pointer, in words: place, height, and each layer's value with how far it may be from the file's own.
import {decimalsFor, displayUnits, formatNumber, shortNumber} from "../view/units.js";
import {variableTitle} from "../view/presets.js";
import {h} from "./dom.js";

/** "51.502° N  0.118° W" */
export function formatPlace(lon, lat) {
  const turned = ((((lon + 180) % 360) + 360) % 360) - 180;
  const part = (value, positive, negative) => `${Math.abs(value).toFixed(3)}° ${value < 0 ? negative : positive}`;
  return `${part(lat, "N", "S")}  ${part(turned, "E", "W")}`;
}

/** "1 240 m (4 070 ft) above sea level" */
export function formatHeight(metres, datum) {
  const feet = Math.round(metres / 0.3048 / 10) * 10;
  const where = datum === "ground" ? "above the ground" : "above sea level";
  return `${group(Math.round(metres))} m (${group(feet)} ft) ${where}`;
}

function group(number) {
  return formatNumber(number, 0).replace(/\B(?=(\d{3})+(?!\d))/g, "\u202f");
}

/** {value: "281.35", spread: "± 0.05", units: "K"}; value "missing" and no spread where there is none. */
export function formatProbeValue({value, epsilon}, variable, wantedUnits) {
  const units = displayUnits(variable, wantedUnits);
  if (value === null || value === undefined || Number.isNaN(value)) return {value: "missing", spread: "", units: ""};
  const spread = units.spread(epsilon ?? variable.epsilon ?? NaN);
  const decimals = decimalsFor(spread);
  return {
    value: formatNumber(units.toShown(value), decimals),
    spread: spread > 0 ? `± ${shortNumber(spread, 2)}` : "",
    units: units.label,
  };
}

export function createProbeReadout(host) {
  const place = h("div", {class: "probe-place"});
  const height = h("div", {class: "probe-height"});
  const rows = h("tbody", {});
  const note = h("div", {class: "probe-note"});
  host.append(place, height, h("table", {}, rows), note);

  function fill(probe, layers, words) {
    place.textContent = formatPlace(probe.lon, probe.lat);
    height.textContent = probe.on === "ground"
      ? (Number.isFinite(probe.ground) ? `Ground, ${formatHeight(probe.ground, "sea")}` : "Ground")
      : formatHeight(probe.height, probe.datum);
    rows.replaceChildren(...probe.layers.map((entry) => row(entry, layers)).filter(Boolean));
    note.textContent = words;
    note.hidden = words === "";
  }

  function row(entry, layers) {
    const found = layers.find(({layer}) => layer === entry.layer) ?? layers.find(({variable}) => variable.id === entry.variable || variable.name === entry.variable);
    if (!found) return null;
    const {value, spread, units} = formatProbeValue(entry, found.shown ?? found.variable, found.layer.units);
    const coarse = entry.level > 0 ? `mean of ${2 ** entry.level} × ${2 ** entry.level} columns` : "";
    return h("tr", {"data-variable": found.variable.id},
      h("th", {scope: "row"}, found.title ?? variableTitle(found.variable), coarse ? h("small", {}, coarse) : null),
      h("td", {class: value === "missing" ? "missing" : ""}, value),
      h("td", {class: "spread"}, `${spread}${units ? `\u00a0${units}` : ""}`));
  }

  // Beside the pointer, turned inward at the edges.
  function moveTo(clientX, clientY) {
    const frame = host.parentElement.getBoundingClientRect();
    const gap = 18;
    let x = clientX - frame.left + gap;
    let y = clientY - frame.top + gap;
    if (x + host.offsetWidth > frame.width - 4) x = clientX - frame.left - gap - host.offsetWidth;
    if (y + host.offsetHeight > frame.height - 4) y = clientY - frame.top - gap - host.offsetHeight;
    host.style.setProperty("left", `${Math.max(4, x)}px`);
    host.style.setProperty("top", `${Math.max(4, y)}px`);
  }

  return {
    /** probe: what the viewer answers; layers: of the resolved view; words: a note below, or "". */
    show(probe, layers, clientX, clientY, words = "") {
      host.hidden = false;
      fill(probe, layers, words);
      moveTo(clientX, clientY);
    },
    hide() {
      host.hidden = true;
    },
  };
}
