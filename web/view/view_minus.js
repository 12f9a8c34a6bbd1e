// SPDX-License-Identifier: Apache-2.0
// What a layer that is a difference takes away, looked up in a catalog: the mirror of render/view_minus.c.
import {surfaceTitle} from "./map_surfaces.js";
import {variableTitle} from "./presets.js";
import {conversionBetween} from "./units.js";
import {ViewError} from "./document.js";

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/**
 * Gives an entry {layer, variable, series, member} of a resolved view its `minus` {variable, series, member, run, ratio, scale, offset}, `lattice` of the
 * difference, its integers being q − ratio × q of minus, and `difference` in words. `look`: {dataset, runIndex, variable(id), run(rule) → index or -1,
 * labels(variable)}. Answers "", or why there is nothing to show (then its series is null); throws ViewError where the two cannot be taken from each other.
 */
export function resolveMinus(entry, index, look) {
  const asked = entry.layer.minus;
  const field = `layers[${index}].minus`;
  const variable = asked.variable === undefined ? entry.variable : look.variable(asked.variable);
  if (!variable) throw new ViewError(`${field}.variable`, `"${asked.variable}" is not in this dataset`);
  const change = changeBetween(entry.variable, variable, field);
  const offered = look.labels(variable).length;
  if (asked.member >= offered) throw new ViewError(`${field}.member`, `${asked.member} is not on offer, there ${offered === 1 ? "is" : "are"} ${offered}`);
  const member = asked.member ?? (entry.member < offered ? entry.member : 0);
  const own = entry.variable.lattice;
  entry.minus = {variable, member, series: null, run: null, ratio: (change.scale * variable.lattice.step) / own.step, ...change};
  entry.lattice = {v0: own.v0 - change.scale * variable.lattice.v0 - change.offset, step: own.step, epsilon: epsilonOf(entry.variable) + change.scale * epsilonOf(variable)};
  const why = entry.series ? takeRun(entry, asked, look) : "";
  if (entry.series) entry.difference = differenceWords(entry, look);
  return why;
}

function epsilonOf(variable) {
  return variable.epsilon ?? variable.lattice.epsilon ?? 0;
}

function changeBetween(own, variable, field) {
  const change = conversionBetween(variable, own);
  if (!change) throw new ViewError(`${field}.variable`, `"${variable.id}" is in ${variable.units}, which cannot be taken from ${own.units}`);
  const shape = ({vertical, pyramid}) => JSON.stringify([Boolean(vertical), pyramid ?? vertical?.levels]);
  if (shape(own) !== shape(variable)) throw new ViewError(`${field}.variable`, `"${variable.id}" is on other levels or columns than "${own.id}"`);
  return change;
}

function takeRun(entry, asked, look) {
  const {runs} = look.dataset;
  const {variable} = entry.minus;
  const series = (index) => (runs[index]?.series?.[variable.id]?.times.length ? runs[index].series[variable.id] : null);
  let index = look.runIndex;
  if (asked.run === "previous") do index--; while (index >= 0 && !series(index));
  else if (asked.run !== undefined) index = look.run(asked.run);
  const found = series(index);
  entry.minus.run = runs[index] ?? null;
  entry.minus.series = found;
  const own = entry.series;
  const meets = found && (entry.variable.constant || variable.constant || own.seconds.some((a) => found.seconds.some((b) => Math.abs(a - b) < 1)));
  if (meets) return "";
  entry.series = null;
  if (found) return `The runs of ${runs[look.runIndex].time} and ${runs[index].time} have no valid time in common.`;
  if (asked.run === "previous") return `There is no run before this one that has ${variable.name}.`;
  return index < 0 ? `The run of ${asked.run}, which is to be taken away, is not on offer.` : `${variable.name} is not in the run of ${runs[index].time}.`;
}

/** "run 12Z minus 06Z", "minus dew point temperature": what differs is named. */
function differenceWords(entry, look) {
  const {variable, member, run} = entry.minus;
  const time = look.dataset.runs[look.runIndex].time;
  const title = variable === entry.variable ? "" : within(variableTitle(variable));
  const runs = run.time === time ? ["", ""] : [runWords(time, run.time), runWords(run.time, time)];
  const labels = [look.labels(entry.variable)[entry.member], look.labels(variable)[member]];
  const members = labels[0] !== labels[1] && labels[0] && labels[1] ? labels : ["", ""];
  const first = partsOf("", runs[0], members[0], true);
  return `${first}${first ? " " : ""}minus ${partsOf(title, runs[1], members[1], false) || "itself"}`;
}

function partsOf(title, run, member, named) {
  return [title, run && (named || title ? `run ${run}` : run), member && `member ${member}`].filter(Boolean).join(", ");
}

// "12Z", "12:30Z"; with the day, "19 Nov 12Z", where that is another than the other run's.
function runWords(iso, other) {
  const found = /^(\d+)-(\d+)-(\d+)T(\d+):(\d+)/.exec(iso);
  if (!found) return iso;
  const [, , month, day, hour, minute] = found;
  const date = iso.split("T")[0] === other.split("T")[0] ? "" : `${Number(day)} ${MONTHS[(Number(month) + 11) % 12]} `;
  return `${date}${hour}${minute === "00" ? "" : `:${minute}`}Z`;
}

// As it stands within a sentence: abbreviations stay.
function within(title) {
  return /^[A-Z](?![A-Z])/.test(title) ? title[0].toLowerCase() + title.slice(1) : title;
}

/** All that a layer is called: "Air temperature, run 12Z minus 06Z". */
export function layerTitle({layer, variable, difference}) {
  const title = layer?.level && variable.vertical ? `${variableTitle(variable)}, ${surfaceTitle(layer.level)}` : variableTitle(variable);
  if (!difference) return title;
  return difference.startsWith("minus") ? `${title} ${difference}` : `${title}, ${difference}`;
}
