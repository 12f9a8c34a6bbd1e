// SPDX-License-Identifier: Apache-2.0
// The layers of the view: up to two volumes and two fields on the ground at once, and the list to add from.
import {variableTitle} from "../view/presets.js";
import {findSeries} from "../view/view_resolve.js";
import {fillSelect, h} from "./dom.js";
import {createLayerCard, variableNote} from "./layer_card.js";
import {takingChoices} from "./minus_choice.js";

const MOST = {volume: 2, ground: 2, slice: 2};

/** Variables of a run for a list: 3-D fields, derived ones, those made of all members, and the same of fields on the ground. */
export function variableGroups(dataset, run, disabled = () => false) {
  const option = (variable) => ({
    value: variable.id,
    label: variableTitle(variable),
    title: `${variable.statistic ? `${variable.long_name}: ` : ""}${variable.name}${variable.units && variable.units !== "1" ? ` in ${variable.units}` : ""}`,
    disabled: !findSeries(run, variable) || disabled(variable),
  });
  const group = (label, filter) => ({label, options: dataset.variables.filter(filter).map(option)});
  const sort = (words, wanted) => [
    group(words, (v) => wanted(v) && !v.derived),
    group(`${words}, derived`, (v) => wanted(v) && v.derived && !v.statistic),
    group(`${words}, of all members`, (v) => wanted(v) && v.statistic),
  ];
  return [
    ...sort("3-D fields", (v) => v.vertical),
    ...sort("Ground fields", (v) => !v.vertical),
  ].filter(({options}) => options.length > 0);
}

/** on: {add(variableId), remove(index), variable(index, id), minus(index, document or null), level(index, text or null, {final}), change(index, patch, {final}), preset(index), fit(index)} */
export function createLayersPanel(host, on) {
  const cards = [];
  const list = h("div", {class: "layer-list"});
  const adder = h("select", {class: "adder", "aria-label": "Add a layer", onchange: () => {
    if (adder.value) on.add(adder.value);
    adder.value = "";
  }});
  host.append(h("h2", {}, "Layers"), list, adder);

  function makeCard(index) {
    return createLayerCard({
      change: (patch, options) => on.change(index, patch, options),
      variable: (id) => on.variable(index, id),
      minus: (document) => on.minus(index, document),
      level: (text, options) => on.level(index, text, options),
      remove: () => on.remove(index),
      preset: () => on.preset(index),
      fit: () => on.fit(index),
    });
  }

  /** ranges: variable id → [smallest, largest] of its first step, as far as they are known. */
  function update(resolved, ranges = {}) {
    const {dataset, run, layers} = resolved;
    while (cards.length > layers.length) cards.pop().element.remove();
    while (cards.length < layers.length) {
      const card = makeCard(cards.length);
      cards.push(card);
      list.append(card.element);
    }
    layers.forEach((entry, index) => {
      const others = layers.filter((_, i) => i !== index);
      const groups = variableGroups(dataset, run, (v) => others.some((o) => o.variable === v && !o.layer.minus && !entry.layer.minus && !o.layer.level && !entry.layer.level) || tooMany(others, v, entry.layer));
      cards[index].update({...entry, groups, taking: takingChoices(resolved, entry), key: `${index}`, calmNote: variableNote(entry.variable), range: ranges[entry.variable.id]});
    });
    const groups = variableGroups(dataset, run, (v) => layers.some((l) => l.variable === v && !l.layer.level));
    fillSelect(adder, [{value: "", label: "Add a layer …"}, ...groups], "");
    adder.hidden = layers.length >= 8;
  }

  return {update};
}

// Would showing `variable` beside the others' visible layers be more than can be drawn at once?
function tooMany(others, variable, own) {
  if (!own.visible) return false;
  const same = others.filter(({layer, variable: v}) => layer.visible && formOf(layer, v) === formOf(own, variable));
  const drawn = same.reduce((sum, other) => sum + weightOf(other.layer, other.variable), 0);
  return drawn + weightOf(own, variable) > MOST[formOf(own, variable)];
}

// Each form has room of its own in a picture.
function formOf({level}, variable) {
  if (!variable.vertical) return "ground";
  return level ? "slice" : "volume";
}

// A difference of volumes is two of them to whoever marches through it.
function weightOf({minus}, variable) {
  return minus && variable.vertical ? 2 : 1;
}

/** Layers with so many hidden, from the front, that `index` can be visible: at most two volumes, two slices and two ground fields are. */
export function makeRoom(layers, variables, index) {
  const form = formOf(layers[index], variables[index]);
  const most = MOST[form];
  const rivals = layers.map((layer, i) => i).filter((i) => i !== index && layers[i].visible && formOf(layers[i], variables[i]) === form);
  const weights = rivals.map((i) => weightOf(layers[i], variables[i]));
  let drawn = weightOf(layers[index], variables[index]) + weights.reduce((sum, weight) => sum + weight, 0);
  const hide = new Set();
  for (let n = 0; n < rivals.length && drawn > most; n++) {
    hide.add(rivals[n]);
    drawn -= weights[n];
  }
  return layers.map((layer, i) => (hide.has(i) ? {...layer, visible: false} : layer));
}
