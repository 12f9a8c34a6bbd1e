// SPDX-License-Identifier: Apache-2.0
// Views to stand beside a view: of another run or variable, and the difference of two. Times are valid times (ISO). No browser.
import {formatTimeShort, isoToSeconds} from "./times.js";
import {favouriteVariable, findSeries, findVariable, resolveRun} from "./view_resolve.js";

const datasetOf = (view, catalog) => catalog.datasets.find(({id}) => id === view.dataset);
const mainLayer = (view) => view.layers.find(({visible}) => visible !== false) ?? view.layers[0];
const layerOf = (variable) => ({variable, visible: true, shading: true});
const runOf = (view, dataset) => dataset.runs[resolveRun(dataset, view.run, {time: view.time, variables: view.layers.map(({variable}) => findVariable(dataset, variable))})];

/** The same of the run before, or after where there is none before; null where there is one run. */
export function withOtherRun(view, catalog, iso) {
  const dataset = datasetOf(view, catalog), at = dataset ? dataset.runs.indexOf(runOf(view, dataset)) : -1;
  const other = dataset?.runs[at > 0 ? at - 1 : at + 1];
  return at >= 0 && other ? {...view, run: other.time, time: iso ?? view.time} : null;
}

/** The same of another variable: a volume for a volume, if there is one; null where there is one variable. */
export function withOtherVariable(view, catalog, iso) {
  const dataset = datasetOf(view, catalog), run = dataset && runOf(view, dataset), own = dataset && findVariable(dataset, mainLayer(view)?.variable);
  const others = (dataset?.variables ?? []).filter((variable) => variable !== own && findSeries(run, variable));
  const other = others.find((variable) => Boolean(variable.vertical) === Boolean(own?.vertical) && variable.standard_name !== own?.standard_name) ?? others[0];
  return other ? {...view, layers: [layerOf(other.id)], time: iso ?? view.time} : null;
}

export function withVariable(view, id, iso) {
  return {...view, layers: [layerOf(id)], time: iso ?? view.time};
}

export function withRun(view, rule, iso) {
  return {...view, run: rule, time: iso ?? view.time};
}

/** A view of another dataset: of the same variable if it has that, at the same time; its camera is the dataset's own. */
export function withDataset(view, id, catalog, iso) {
  const {camera: _, ...rest} = view, dataset = catalog.datasets.find((one) => one.id === id), own = findVariable(datasetOf(view, catalog) ?? {variables: []}, mainLayer(view)?.variable);
  const same = dataset.variables.find((variable) => (own?.standard_name && variable.standard_name === own.standard_name) || variable.name === own?.name);
  return {...rest, dataset: id, run: "latest", member: 0, layers: [layerOf((same ?? favouriteVariable(dataset)).id)], time: iso ?? view.time};
}

/** {view} of left's field minus right's, or {problem: why there is none}. */
export function differenceOf(left, right, catalog) {
  if (left.dataset !== right.dataset) return {problem: "A difference needs two fields of one forecast."};
  const dataset = datasetOf(left, catalog), [a, b] = [left, right].map(mainLayer), runs = [left, right].map((view) => runOf(view, dataset));
  const minus = {...(a.variable === b.variable ? {} : {variable: b.variable}), ...(runs[0] === runs[1] ? {} : {run: runs[1].time}), ...(left.member === right.member ? {} : {member: right.member})};
  if (!Object.keys(minus).length) return {problem: "Both sides show the same field."};
  const own = [a, b].map(({variable}) => findVariable(dataset, variable));
  if (own[0].units_canonical !== own[1].units_canonical && own[0].units !== own[1].units) return {problem: "A difference needs two fields in units of one kind."};
  return {view: {...left, layers: [{variable: a.variable, visible: true, shading: false, minus}]}};
}

/** Words where a side has no step at a time: the nearest is shown. "" where it has. */
export function apartWords(times, iso, calendar) {
  if (!iso || !times.length || times.includes(iso)) return "";
  const at = isoToSeconds(iso, calendar), away = (time) => Math.abs(isoToSeconds(time, calendar) - at), nearest = times.reduce((a, b) => (away(b) < away(a) ? b : a));
  return away(nearest) < 2 ? "" : `Nothing at ${formatTimeShort(iso, calendar)}: ${formatTimeShort(nearest, calendar)} is shown`;
}
