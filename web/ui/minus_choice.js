// SPDX-License-Identifier: Apache-2.0
// What a layer takes away: nothing, the run before, another run, another member or another variable.
import {variableTitle} from "../view/presets.js";
import {formatTimeShort} from "../view/times.js";
import {conversionBetween} from "../view/units.js";
import {memberLabels} from "../view/view_resolve.js";
import {fillSelect, h} from "./dom.js";

const MOST_RUNS = 12;

/** Groups of options for an entry of a resolved view; their values are what the view's `minus` becomes, as JSON. */
export function takingChoices({dataset, run, runIndex}, {variable, member}) {
  const option = (minus, label) => ({value: JSON.stringify(minus), label});
  const runs = dataset.runs.filter((other) => other !== run && other.series?.[variable.id]).slice(-MOST_RUNS).reverse();
  const before = dataset.runs.slice(0, runIndex).some((other) => other.series?.[variable.id]);
  const shape = ({vertical, pyramid}) => JSON.stringify([Boolean(vertical), pyramid ?? vertical?.levels]);
  const variables = dataset.variables.filter((other) => other !== variable && run.series?.[other.id] && shape(other) === shape(variable) && conversionBetween(other, variable));
  const labels = memberLabels(variable);
  return [
    {label: "Runs", options: [...(before ? [option({run: "previous"}, "the run before")] : []), ...runs.map(({time}) => option({run: time}, `the run of ${formatTimeShort(time)}`))]},
    {label: "Members", options: labels.length > 1 ? labels.map((label, index) => ({label, index})).filter(({index}) => index !== member).map(({label, index}) => option({member: index}, `member ${label}`)) : []},
    {label: "Variables", options: variables.map((other) => option({variable: other.id}, variableTitle(other)))},
  ].filter(({options}) => options.length);
}

/** chosen(minus or null). */
export function createMinusChoice(chosen) {
  const element = h("select", {"aria-label": "What is taken away", onchange: () => chosen(JSON.parse(element.value))});

  /** minus: of the view's layer, or undefined; choices: takingChoices. */
  function update(minus, choices) {
    const value = JSON.stringify(minus ?? null);
    const known = !minus || choices.some(({options}) => options.some((option) => option.value === value));
    fillSelect(element, [{value: "null", label: "nothing"}, ...choices, ...(known ? [] : [{value, label: "as in this view"}])], value);
    element.disabled = !minus && !choices.length;
  }

  return {element, update};
}
