// SPDX-License-Identifier: Apache-2.0
// The values at a place of the flat map, in words, beside a mark on it.
import {displayUnits, shortNumber} from "../view/units.js";
import {h, iconButton} from "./dom.js";
import {formatPlace, formatProbeValue} from "./probe_readout.js";

/** on: {close()} */
export function createMapReadout(host, mark, on) {
  const place = h("div", {class: "probe-place"}), time = h("div", {class: "probe-height"}), rows = h("tbody", {}), close = iconButton("close", "Close", () => on.close());
  host.append(close, place, time, h("table", {}, rows));

  /** entries: [{title, place, variable as it is shown, units, value (undefined: not known yet), epsilon, words (in place of a value)}] */
  function show({lat, lon}, words, entries) {
    place.textContent = formatPlace(lon, lat);
    time.textContent = words;
    rows.replaceChildren(...entries.map(row));
    host.hidden = false;
  }

  function row({title, place: where, variable, units, value, epsilon, words}) {
    const head = h("th", {scope: "row"}, title, where ? h("small", {class: "probe-where"}, where) : null);
    if (words || value === undefined) return h("tr", {"data-variable": variable.id}, head, h("td", {class: "missing"}, words ?? "…"), h("td", {class: "spread"}));
    const said = Number.isNaN(epsilon) && !Number.isNaN(value) ? roughly(value, displayUnits(variable, units)) : formatProbeValue({value, epsilon}, variable, units);
    return h("tr", {"data-variable": variable.id}, head, h("td", {class: said.value === "missing" ? "missing" : ""}, [said.value, said.units].filter(Boolean).join(" ")), h("td", {class: "spread"}, said.spread));
  }

  // Of sums and heights it is not known how exact they are.
  const roughly = (value, shown) => ({value: shortNumber(shown.toShown(value), 4), spread: "", units: shown.label});

  /** at: pixels of the host's parent, or null where the place is out of sight. */
  function move(at) {
    mark.hidden = !at;
    if (!at) return;
    const {clientWidth: width, clientHeight: height} = host.parentElement, [x, y] = at;
    mark.style.setProperty("left", `${x}px`);
    mark.style.setProperty("top", `${y}px`);
    const left = x + 16 + host.offsetWidth > width - 8 ? x - 16 - host.offsetWidth : x + 16, top = y + 16 + host.offsetHeight > height - 8 ? y - 16 - host.offsetHeight : y + 16;
    host.style.setProperty("transform", `translate(${Math.max(4, Math.min(width - host.offsetWidth - 4, left))}px, ${Math.max(4, Math.min(height - host.offsetHeight - 4, top))}px)`);
  }

  function hide() { host.hidden = mark.hidden = true; }

  return {show, move, hide, get isOpen() { return !host.hidden; }};
}
