// SPDX-License-Identifier: Apache-2.0
// From a view document and a catalog to the very run, times and step that are meant, and to a view for those who brought none.
import {timeNow} from "./clock.js";
import {presetLayer} from "./presets.js";
import {asDifference} from "./units.js";
import {layerTitle, resolveMinus} from "./view_minus.js";
import {formatLead, formatTime, isoToSeconds, leadHours} from "./times.js";
import {validateView, ViewError} from "./view_state.js";

const SAME_TIME = 2; // seconds: lead times are written with at most six decimals of an hour
const LEAD = /^T([+-][0-9.]+)$/;

/**
 * Index of a run in dataset.runs (oldest first): "latest" or a reference time; -1 where there is none. `asked`: {time: rule, variables: [variable]}
 * that are shown, for servers where "latest" is the newest run that has the step asked for.
 */
export function resolveRun(dataset, rule, asked = null) {
  const runs = dataset.runs ?? [];
  if (rule === undefined || rule === "latest") return latestRun(dataset, asked);
  return runs.findIndex((run) => sameInstant(run.time, rule));
}

// The server says which run "latest" means; old ones meant the newest.
function latestRun(dataset, asked) {
  const runs = dataset.runs ?? [];
  const latest = dataset.latest ? runs.findIndex((run) => run.time === dataset.latest) : runs.length - 1;
  if (dataset.latest_rule !== "step" || !asked) return latest;
  const found = runs.findLastIndex((run) => hasStep(run, asked));
  return found < 0 ? latest : found;
}

// Whether a run has the step that a time rule names, in all variables that change with time. "nearest to now" names none.
function hasStep(run, {time, variables}) {
  const changing = variables.filter((variable) => variable && !variable.constant), lead = LEAD.exec(time ?? "T+0");
  if (!changing.length || time === "nearest to now") return false;
  return changing.every((variable) => {
    const {calendar} = variable, wanted = lead ? isoToSeconds(run.time, calendar) + Number(lead[1]) * 3600 : isoToSeconds(time, calendar);
    return findSeries(run, variable)?.times.some((iso) => Math.abs(isoToSeconds(iso, calendar) - wanted) <= SAME_TIME) ?? false;
  });
}

function sameInstant(a, b) {
  return a === b || Math.abs(isoToSeconds(a) - isoToSeconds(b)) < 1;
}

/**
 * The step that a time rule means among `times` (ISO, rising, not empty): {index, exact}. Where no step is meant exactly, the
 * nearest (the earlier of two as near). "nearest to now" is always exact.
 */
export function resolveTime(times, runIso, rule, {calendar = "standard", nowSeconds = timeNow() / 1000} = {}) {
  const seconds = times.map((iso) => isoToSeconds(iso, calendar));
  if (rule === "nearest to now") return {index: nearest(seconds, nowSeconds), exact: true};
  const lead = LEAD.exec(rule ?? "T+0");
  const wanted = lead ? isoToSeconds(runIso, calendar) + Number(lead[1]) * 3600 : isoToSeconds(rule, calendar);
  if (!Number.isFinite(wanted)) return {index: 0, exact: false};
  const index = nearest(seconds, wanted);
  return {index, exact: Math.abs(seconds[index] - wanted) <= SAME_TIME};
}

function nearest(seconds, wanted) {
  let best = 0;
  for (let i = 1; i < seconds.length; i++) if (Math.abs(seconds[i] - wanted) < Math.abs(seconds[best] - wanted)) best = i;
  return best;
}

/** How a step is written into a view: by lead time for the latest run (so that the view stays live), else by valid time. */
export function timeRule(runRule, runIso, iso, calendar = "standard") {
  const lead = leadHours(runIso, iso, calendar);
  if (runRule !== "latest" || lead === null || Math.abs(lead) >= 1e6) return iso;
  return `T${lead < 0 ? "-" : "+"}${Number(Math.abs(lead).toFixed(6))}`;
}

export function findVariable(dataset, id) {
  return dataset.variables.find((variable) => variable.id === id) ?? dataset.variables.find((variable) => variable.name === id);
}

/** The series of a variable in a run: {edition, times, seconds, geometry}, or null where the run lacks it. */
export function findSeries(run, variable) {
  return run?.series?.[variable.id] ?? null;
}

/**
 * Everything that a view names, looked up: {dataset, run, runIndex, layers: [{layer, variable, series, member, shown: the variable as it is shown, title; of a
 * difference minus, lattice, difference, lacks (view_minus.js)}], calendar, times,
 * index, exact, member, members, present: [index of a member that the run has] or null for all, notices: [text]}. A variable with a single member (an orography, a mean) goes with every member of the others. Throws ViewError naming the field that is not on offer.
 */
export function resolveView(view, catalog, {nowSeconds} = {}) {
  const dataset = catalog.datasets.find((d) => d.id === view.dataset);
  if (!dataset) throw new ViewError("dataset", `"${view.dataset}" is not on offer`);
  const shown = view.layers.filter((layer) => layer.visible !== false).map((layer) => findVariable(dataset, layer.variable));
  const runIndex = resolveRun(dataset, view.run, {time: view.time, variables: shown});
  if (runIndex < 0) throw new ViewError("run", `${formatTime(view.run)} is not on offer`);
  const run = dataset.runs[runIndex];
  const layers = view.layers.map((layer, i) => {
    const variable = findVariable(dataset, layer.variable);
    if (!variable) throw new ViewError(`layers[${i}].variable`, `"${layer.variable}" is not in this dataset`);
    return {layer, variable, series: findSeries(run, variable)};
  });
  const present = layers.find(({series}) => series?.members?.length)?.series.members ?? null;
  const member = !present || present.includes(view.member) ? view.member : present[0];
  for (const entry of layers) entry.member = member < memberLabels(entry.variable).length ? member : 0;
  const members = mostMembers(layers.map(({variable}) => variable));
  const offered = mostMembers(dataset.variables);
  if (view.member > 0 && view.member >= offered.length) throw new ViewError("member", `${view.member} is not on offer, there are ${offered.length}`);
  const notices = [];
  layers.forEach((entry, i) => {
    const look = {dataset, runIndex, variable: (id) => findVariable(dataset, id), run: (rule) => resolveRun(dataset, rule), labels: memberLabels};
    const lacks = entry.layer.minus ? resolveMinus(entry, i, look) : "";
    if (lacks && entry.layer.visible !== false) notices.push(lacks);
    entry.lacks = lacks;
    entry.shown = entry.minus ? asDifference(entry.variable, entry.lattice.epsilon) : entry.variable;
    entry.title = layerTitle(entry);
  });
  const first = firstInTime(layers);
  const calendar = first?.variable.calendar ?? "standard";
  const times = first ? first.series.times.slice(...timesInView(first)) : [];
  const {index, exact} = times.length ? resolveTime(times, run.time, view.time, {calendar, nowSeconds}) : {index: 0, exact: true};
  if (!exact && view.time !== "T+0") notices.push(`${describeTime(view.time, calendar)} is not a step of this run; the nearest is shown.`);
  if (member !== view.member && view.member > 0) notices.push(`Member ${members[view.member] ?? view.member} is not in this run; member ${members[member]} is shown.`);
  for (const {variable, series, lacks} of layers) if (!series && !lacks) notices.push(`${variable.name} is not in this run.`);
  return {dataset, run, runIndex, layers, calendar, times, index, exact, member, members, present, notices};
}

/** Of layers {variable, series}: whose times the picture has. The first that is not constant, if there is one. */
export function firstInTime(layers) {
  const there = layers.filter(({series}) => series && series.times.length > 0);
  return there.find(({variable}) => !variable.constant) ?? there[0];
}

/** First and one past the last of a layer's steps that a picture may show: a difference begins and ends where both do. */
export function timesInView({series, minus}) {
  const {seconds} = series;
  let from = 0, to = seconds.length;
  const lacks = (at) => Boolean(minus) && !minus.variable.constant && !minus.series.seconds.some((other) => Math.abs(other - seconds[at]) < 1);
  while (to - from > 1 && lacks(from)) from++;
  while (to - from > 1 && lacks(to - 1)) to--;
  return [from, to];
}

function describeTime(rule, calendar) {
  return rule.startsWith("T") ? formatLead(Number(rule.slice(1))) : formatTime(rule, calendar);
}

/** Labels of a variable's members; one "" where it has none. The catalog gives a list or a count. */
export function memberLabels(variable) {
  const members = variable?.members;
  if (Array.isArray(members)) return members.length ? members.map(String) : [""];
  return Number.isInteger(members) && members > 1 ? Array.from({length: members}, (_, i) => String(i)) : [""];
}

function mostMembers(variables) {
  return variables.map(memberLabels).reduce((most, labels) => (labels.length > most.length ? labels : most), [""]);
}

const FAVOURITES = [
  "cloud_area_fraction_in_atmosphere_layer",
  "cloud_volume_fraction_in_atmosphere_layer",
  "cloud_area_fraction",
  "mass_fraction_of_cloud_liquid_water_in_air",
  "cloud_liquid_water_mixing_ratio",
  "relative_humidity",
  "wet_bulb_temperature",
  "air_temperature",
];

/** The variable to show first: a cloud fraction in 3-D if there is one, else temperature or wind speed, else the first
 * volume, else the first variable. */
export function favouriteVariable(dataset, run = dataset.runs[resolveRun(dataset, "latest")]) {
  const usable = dataset.variables.filter((variable) => findSeries(run, variable));
  const volumes = usable.filter((variable) => variable.vertical);
  for (const name of FAVOURITES) {
    const found = volumes.find((variable) => variable.standard_name === name);
    if (found) return found;
  }
  const temperature = volumes.find((variable) => variable.units === "K"), wind = volumes.find((variable) => variable.standard_name === "wind_speed");
  return temperature ?? wind ?? volumes.find((variable) => !variable.derived) ?? volumes[0] ?? usable[0] ?? dataset.variables[0];
}

/** A sensible view of a dataset; of the first one where `datasetId` is absent. null where the catalog is empty. */
export function defaultView(catalog, presets, {datasetId, dataRange = null} = {}) {
  const dataset = catalog.datasets.find((d) => d.id === datasetId) ?? catalog.datasets.find((d) => d.variables.length > 0);
  if (!dataset) return null;
  const variable = favouriteVariable(dataset);
  const layers = variable ? [{variable: variable.id, ...presetLayer(variable, presets, dataRange)}] : [];
  return validateView({version: 1, dataset: dataset.id, run: "latest", time: "T+0", layers, exaggeration: defaultExaggeration(dataset, variable)});
}

/** A height that makes weather readable: what there is of the lowest 16 km is drawn a quarter as tall as the domain is wide. */
export function defaultExaggeration(dataset, variable = null) {
  const km = domainWidth(dataset);
  if (!km) return 15;
  const top = Math.min(16, Math.max(1, (variable?.vertical?.heights?.[1] ?? 16000) / 1000));
  const raw = Math.min(60, Math.max(1, km / 4 / top));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60].reduce((a, b) => (Math.abs(b - raw) < Math.abs(a - raw) ? b : a));
}

function domainWidth(dataset) {
  const corners = dataset.grid?.corners;
  if (dataset.grid?.proj === null && dataset.grid.km_per_unit) return dataset.grid.nx * dataset.grid.km_per_unit[0];
  if (!corners || corners.length < 4) return 0;
  const [[lonA, latA], [lonB, latB]] = corners;
  const middle = (corners.reduce((sum, [, lat]) => sum + lat, 0) / corners.length) * (Math.PI / 180);
  const turn = ((lonB - lonA + 540) % 360) - 180;
  const width = dataset.grid.wraps ? 360 : Math.abs(turn);
  return Math.hypot(width * 111.2 * Math.cos(middle), (latB - latA) * 111.2);
}

/** A view whose layers lack nothing: what a layer leaves open comes from the presets. `dataRanges`: variable id → [lo, hi]. */
export function completeView(view, catalog, presets, dataRanges = {}) {
  const dataset = catalog.datasets.find((d) => d.id === view.dataset);
  if (!dataset) return view;
  const layers = view.layers.map((layer) => {
    const variable = findVariable(dataset, layer.variable);
    if (!variable) return layer;
    return {...presetLayer(variable, presets, dataRanges[variable.id] ?? null, {difference: Boolean(layer.minus), slice: Boolean(layer.level)}), ...layer, variable: variable.id};
  });
  const exaggeration = view.exaggeration ?? defaultExaggeration(dataset, layers.length ? findVariable(dataset, layers[0].variable) : null);
  return {...view, layers, exaggeration};
}
