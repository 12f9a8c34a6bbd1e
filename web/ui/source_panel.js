// SPDX-License-Identifier: Apache-2.0
// Which forecast: dataset, run and ensemble member, and the way to what could not be read.
import {formatTimeShort} from "../view/times.js";
import {resolveRun} from "../view/view_resolve.js";
import {groupProblems} from "./problems_dialog.js";
import {field, fillSelect, h} from "./dom.js";

/** on: {dataset(id), run("latest" or ISO), member(index), problems()} */
export function createSourcePanel(host, on) {
  const dataset = h("select", {onchange: () => on.dataset(dataset.value)});
  const run = h("select", {onchange: () => on.run(run.value)});
  const member = h("select", {onchange: () => on.member(Number(member.value))});
  const memberField = field("Member", member);
  const problems = h("button", {type: "button", class: "link-button problems-button", onclick: () => on.problems(), hidden: true});
  host.append(field("Dataset", dataset), h("div", {class: "row"}, field("Run", run), memberField), problems);

  function update({catalog, view, resolved}) {
    fillSelect(dataset, catalog.datasets.map((d) => ({value: d.id, label: d.title || d.id})), view?.dataset ?? "");
    dataset.disabled = catalog.datasets.length === 0;
    if (resolved) {
      fillSelect(run, runOptions(view, resolved), view.run === "latest" ? "latest" : resolved.run.time);
      fillSelect(member, memberOptions(resolved), String(resolved.member));
    }
    memberField.hidden = !resolved || resolved.members.length < 2;
    const count = groupProblems(catalog.problems ?? []).length;
    problems.hidden = count === 0;
    problems.textContent = count === 1 ? "1 thing could not be read" : `${count} things could not be read`;
  }

  return {update};
}

function memberOptions({members, present}) {
  return members.map((label, i) => ({value: String(i), label: label || String(i)})).filter((_, i) => !present || present.includes(i));
}

// " (23 of 49 steps)" of a run that is still being written, or stopped half way.
function incompleteWords({complete, expected, missing}) {
  if (complete !== false) return "";
  return missing > 0 ? ` (${expected - missing} of ${expected} steps)` : " (incomplete)";
}

function runOptions(view, {dataset, layers, calendar}) {
  const runs = [...dataset.runs].reverse();
  const latest = dataset.runs[resolveRun(dataset, "latest", {time: view.time, variables: layers.map(({variable}) => variable)})];
  const words = (run) => `${formatTimeShort(run.time, calendar)}${incompleteWords(run)}`;
  return [
    {value: "latest", label: latest ? `Latest: ${words(latest)}` : "Latest", title: "Follows new runs as they arrive"},
    ...runs.map((run) => ({value: run.time, label: words(run)})),
  ];
}
