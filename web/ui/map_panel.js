// SPDX-License-Identifier: Apache-2.0
// The layers of the flat map: the topmost first, and what may be added.
import {hasWind, MOST_LAYERS, PROJECTIONS, windOf} from "../view/map_view.js";
import {checkbox, field, fillSelect, h} from "./dom.js";
import {variableNote} from "./layer_card.js";
import {variableGroups} from "./layers_panel.js";
import {createMapCard} from "./map_card.js";

/** on: {add(variableId, patch), remove(index), up(index), variable(index, id), change(index, patch), reset(index), fit(index)} */
export function createMapPanel(host, on) {
  const cards = [];
  const list = h("div", {class: "layer-list"});
  const adder = h("select", {class: "adder", "aria-label": "Add a layer", onchange: () => {
    if (adder.value) on.add(adder.value, {});
    adder.value = "";
  }});
  const barbs = h("button", {type: "button", class: "small-button", onclick: () => on.add(barbs.dataset.variable, {draw: "barbs", level: barbs.dataset.level})}, "Wind barbs over it");
  host.append(h("h2", {}, "Layers, the topmost first"), list, h("div", {class: "map-adders"}, adder, barbs));

  function makeCard(index) {
    return createMapCard({
      change: (patch) => on.change(index, patch), variable: (id) => on.variable(index, id), remove: () => on.remove(index), up: () => on.up(index), reset: () => on.reset(index), fit: () => on.fit(index),
    });
  }

  function update({dataset, run, layers}) {
    while (cards.length > layers.length) cards.pop().element.remove();
    while (cards.length < layers.length) {
      const card = makeCard(cards.length);
      cards.push(card);
      list.prepend(card.element);
    }
    const groups = variableGroups(dataset, run);
    layers.forEach((entry, index) => cards[index].update({...entry, dataset, groups, calmNote: variableNote(entry.variable), last: index === layers.length - 1}));
    fillSelect(adder, [{value: "", label: layers.length ? "Add a layer on top …" : "Add a layer …"}, ...groups], "");
    adder.hidden = layers.length >= MOST_LAYERS;
    offerBarbs(dataset, layers);
  }

  // Of the wind at the surface that the topmost layer shows.
  function offerBarbs(dataset, layers) {
    const top = layers.at(-1), wind = top && !layers.some(({layer, variable}) => hasWind(dataset, variable) && ["barbs", "arrows"].includes(layer.draw)) ? windOf(dataset, top.variable) : null;
    barbs.hidden = !wind || layers.length >= MOST_LAYERS;
    if (!wind) return;
    barbs.dataset.variable = wind.id;
    barbs.dataset.level = ["max", "sum"].includes(top.layer.level) || /^(top|base)/.test(top.layer.level) ? "" : top.layer.level;
  }

  return {update};
}

/** What is drawn besides the fields. on: {lines({coastlines, graticule}), projection(name)} */
export function createMapOptions(host, on) {
  let lines = {coastlines: true, graticule: true};
  const say = (patch) => { lines = {...lines, ...patch}; on.lines(lines); };
  const coastlines = checkbox("Coasts and borders", (value) => say({coastlines: value}));
  const graticule = checkbox("Graticule", (value) => say({graticule: value}));
  const projection = h("select", {onchange: () => on.projection(projection.value)});
  fillSelect(projection, Object.entries(PROJECTIONS).map(([value, label]) => ({value, label})), "mercator");
  host.append(h("h2", {}, "Map"), h("div", {class: "checks"}, coastlines.element, graticule.element), field("Projection", projection));
  coastlines.input.checked = graticule.input.checked = true;
  return {update: (name) => { projection.value = name; }};
}
