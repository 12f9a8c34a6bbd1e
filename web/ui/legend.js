// SPDX-License-Identifier: Apache-2.0
// The legends over the picture: for each visible layer its colours with their opacity, ticks in the shown unit, its name.
import {colourAt, colourMap, opacityAt, rangePosition} from "../view/transfer_function.js";
import {displayUnits, niceTicks, shortNumber} from "../view/units.js";
import {surfaceTitle} from "../view/map_surfaces.js";
import {variableTitle} from "../view/presets.js";
import {canvasContext, h} from "./dom.js";

/** Paints a layer's colours over [lo, hi] into a canvas, over a checker that shows through where it is transparent. */
export function paintScale(canvas, layer, [lo, hi], withOpacity) {
  const {context, width, height} = canvasContext(canvas);
  if (width === 0) return;
  if (withOpacity) paintChecker(context, width, height);
  const map = colourMap(layer.colour_map);
  const most = Math.max(1e-6, ...(layer.opacity ?? [[0, 1]]).map((point) => point[1]));
  for (let x = 0; x < width; x++) {
    const value = lo + ((hi - lo) * (x + 0.5)) / width;
    const [r, g, b] = colourAt(map, rangePosition(layer.range, value));
    const share = withOpacity ? Math.sqrt(opacityAt(layer, value) / most) : 1;
    context.fillStyle = `rgb(${r.toFixed(0)} ${g.toFixed(0)} ${b.toFixed(0)} / ${Math.min(1, share)})`;
    context.fillRect(x, 0, 1.5, height);
  }
}

function paintChecker(context, width, height) {
  const size = Math.max(4, height / 2);
  context.fillStyle = "#3a4652";
  context.fillRect(0, 0, width, height);
  context.fillStyle = "#25303a";
  for (let x = 0, odd = 0; x < width; x += size, odd ^= 1) context.fillRect(x, odd ? size : 0, size, size);
}

/** Tick labels for a scale: [{position 0–1, text}], in the shown unit, no two texts alike. */
export function scaleTicks([lo, hi], units, count = 5) {
  const a = units.toShown(lo);
  const b = units.toShown(hi);
  return niceTicks(Math.min(a, b), Math.max(a, b), count).map((tick) => ({position: (tick - a) / (b - a), text: shortNumber(tick)}));
}

export function createLegends(host) {
  let shown = [];
  const observer = new ResizeObserver(() => paint());
  observer.observe(host);

  function paint() {
    for (const {canvas, layer} of shown) paintScale(canvas, layer, layer.range, true);
  }

  const name = (variable, more) => h("span", {class: "legend-name"}, variableTitle(variable), more ? h("small", {class: "legend-difference"}, more) : null);

  /** layers: [{layer, variable, shown, title, difference, series}] of a resolved view; of what is drawn in lines, `lines`: words in place of the colours. */
  function update(layers) {
    shown = [];
    host.replaceChildren(...layers.filter(({layer, series}) => layer.visible && layer.range && series).map(({layer, variable, shown: of, title, difference, lines, place}) => {
      const units = displayUnits(of, layer.units);
      if (lines) return h("figure", {class: "legend", "data-variable": variable.id, "aria-label": `${title}: ${lines}`},
        h("figcaption", {}, name(variable, place), units.label ? h("span", {class: "legend-units"}, units.label) : null), h("p", {class: "legend-lines"}, lines));
      const canvas = h("canvas", {class: "scale", "aria-hidden": "true"});
      shown.push({canvas, layer});
      const ticks = scaleTicks(layer.range, units, 5);
      const range = layer.range.map((value) => shortNumber(units.toShown(value), 4)).join(" to ");
      return h("figure", {class: "legend", "data-variable": variable.id, "aria-label": `${title}: ${range} ${units.label}`},
        h("figcaption", {}, name(variable, difference || place || (variable.vertical && layer.level ? surfaceTitle(layer.level) : "")),
          units.label ? h("span", {class: "legend-units"}, units.label) : null),
        canvas,
        h("div", {class: "ticks", "aria-hidden": "true"}, ticks.map(({position, text}) =>
          h("span", {class: position < 0.02 ? "start" : position > 0.98 ? "end" : "", style: {left: `${position * 100}%`}}, text))));
    }));
    paint();
  }

  return {update};
}
