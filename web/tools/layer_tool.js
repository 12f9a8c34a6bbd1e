// SPDX-License-Identifier: Apache-2.0
// The layers of the view: filled in from the presets, added, exchanged, changed, their colours fitted to what is there.
import {makeRoom} from "../ui/layers_panel.js";
import {dataRange} from "../view/data_range.js";
import {needsDataRange, presetLayer} from "../view/presets.js";
import {completeView, findSeries, findVariable, memberLabels, resolveView} from "../view/view_resolve.js";
import {validateView} from "../view/view_state.js";

/** page: {state, base, change(patch, {newEntry, quiet}), currentRule() → time, say(key, message), differenceRange(layer) → [smallest, largest] or null}. */
export function createLayerTool({state, base, change, currentRule, say, differenceRange}) {
  const show = (layers, index) => changeLayers(state, change, currentRule, layers, index);

  /** A document with nothing left open, its layers filled in by the presets; throws ViewError where it is none or names what is not here. */
  async function complete(document) {
    const view = validateView(document);
    const {dataset, layers} = resolveView(view, state.catalog);
    const ranges = {};
    await Promise.all(layers.map(async ({layer, variable, series, member}) => {
      if (layer.range || layer.minus || !needsDataRange(variable, state.presets)) return;
      ranges[variable.id] = await dataRange(series, member, 0, base);
    }));
    return dataset ? completeView(view, state.catalog, state.presets, ranges) : view;
  }

  // Where the old one was a slice, so is the new one, if it can be.
  async function fresh(id, minus = null, level = null) {
    const {dataset, run, member} = state.resolved;
    const variable = findVariable(dataset, id);
    const own = member < memberLabels(variable).length ? member : 0;
    if (minus) return {variable: id, visible: true, shading: true, minus, ...presetLayer(variable, state.presets, null, {difference: true})};
    const range = needsDataRange(variable, state.presets) ? await dataRange(findSeries(run, variable), own, 0, base) : null;
    const sliced = level && variable.vertical ? {level} : {};
    return {variable: id, visible: true, shading: true, ...sliced, ...presetLayer(variable, state.presets, range, {slice: Boolean(sliced.level)})};
  }

  async function add(id) {
    show([...state.view.layers, await fresh(id)], state.view.layers.length);
  }

  // What is taken away stays, but for a variable, which may be of another kind.
  async function replace(index, id, minus = keptMinus(state.view.layers[index], id)) {
    const {variable, visible, level} = state.view.layers[index], kept = id === variable || !level?.startsWith("k") ? level : null; // others number their levels otherwise
    const layer = {...(await fresh(id, minus, kept)), visible};
    show(state.view.layers.map((old, i) => (i === index ? layer : old)), index);
  }

  // One difference instead of another keeps its colours.
  async function setMinus(index, minus) {
    const old = state.view.layers[index];
    if (minus && old.minus) show(state.view.layers.map((layer, i) => (i === index ? {...layer, minus} : layer)), index);
    else await replace(index, old.variable, minus);
  }

  // A slice keeps the volume's colours; how much it lets through is another matter.
  function setLevel(index, level, final) {
    const {level: old, ...layer} = state.view.layers[index], variable = findVariable(state.resolved.dataset, layer.variable);
    if (level && old) return patch(index, {level}, final);
    const {opacity, range} = presetLayer(variable, state.presets, layer.range, {slice: Boolean(level)});
    const moved = opacity.map(([value, share]) => [layer.range[0] + ((value - range[0]) / (range[1] - range[0])) * (layer.range[1] - layer.range[0]), share]);
    const next = {...layer, ...(level ? {level} : {}), opacity: moved.map(([value, share]) => [Number(value.toPrecision(9)), share])};
    show(state.view.layers.map((own, i) => (i === index ? next : own)), index);
  }

  function remove(index) {
    change({layers: state.view.layers.filter((_, i) => i !== index)}, {newEntry: true});
  }

  // Colours from the smallest to the largest value of the step in view; the curve of opacity keeps its place among the values.
  async function fit(index) {
    const {layers, times} = state.resolved;
    if (layers[index].minus) return fitDifference(index);
    const {series, variable, member} = layers[index];
    const step = variable.constant ? 0 : series?.times.indexOf(times[state.index]) ?? -1;
    const range = step >= 0 ? await dataRange(series, member, step, base) : null;
    if (range && range[1] > range[0]) patch(index, {range: range.map((value) => Number(value.toPrecision(6)))}, true);
    else say("fit", {text: `${variable.name} has no range of values at this time.`, seconds: 6});
  }

  // As far either way from 0 as the difference reaches; opacities move along.
  function fitDifference(index) {
    const layer = state.view.layers[index], range = differenceRange(layer);
    const reach = range ? Number(Math.max(Math.abs(range[0]), Math.abs(range[1])).toPrecision(2)) : 0, times = reach / layer.range[1];
    if (!(times > 0)) return say("fit", {text: range ? "There is no difference at this time." : "The difference is not here yet.", seconds: 6});
    patch(index, {range: [-reach, reach], opacity: layer.opacity.map(([value, opacity]) => [Number((value * times).toPrecision(6)), opacity])}, true);
  }

  function patch(index, changes, final) {
    const layers = state.view.layers.map((layer, i) => (i === index ? {...layer, ...changes} : layer));
    if (changes.visible) show(layers, index);
    else change({layers}, {quiet: !final, newEntry: changes.visible === false});
  }

  return {complete, add, replace, setMinus, setLevel, remove, fit, patch};
}

function keptMinus({variable, minus}, id) {
  return minus && (id === variable || minus.variable === undefined) ? minus : null;
}

// Layers with one that is new or newly visible: others give way where that would be too many. The time stays.
function changeLayers(state, change, currentRule, layers, index) {
  const variables = layers.map((layer) => findVariable(state.resolved.dataset, layer.variable));
  change({layers: layers[index].visible ? makeRoom(layers, variables, index) : layers, time: currentRule()}, {newEntry: true});
}
