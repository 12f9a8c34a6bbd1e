// SPDX-License-Identifier: Apache-2.0
// One side of a comparison: which forecast, run and variable, and the frame that draws it.
import {formatTimeShort} from "../view/times.js";
import {findVariable, resolveRun} from "../view/view_resolve.js";
import {variableTitle} from "../view/presets.js";
import {fillSelect, h} from "./dom.js";

/**
 * name: for people and for `data-side`; chooses: whether it has choices of its own. on: {dataset(id), run(rule), variable(id), entered()}.
 * Returns {element, frame, update(about, catalog), apart(words), show(bool)}.
 */
export function createComparePane(side, name, on, {chooses = true} = {}) {
  const select = (label, act) => h("select", {"aria-label": `${name}: ${label}`, onchange: ({target}) => act(target.value)});
  const dataset = select("dataset", (id) => on.dataset(id)), run = select("run", (rule) => on.run(rule)), variable = select("variable", (id) => on.variable(id));
  const what = h("div", {class: "pane-what", hidden: chooses});
  const apart = h("div", {class: "pane-apart", role: "status"});
  const frame = h("iframe", {title: `${name} view`, allow: "fullscreen"});
  const holder = h("div", {class: "pane-frame", onpointerenter: () => on.entered()}, frame);
  const element = h("div", {class: "pane", "data-side": side}, h("div", {class: "pane-bar"}, h("div", {class: "pane-choices", hidden: !chooses}, dataset, run, variable), what, apart), holder);

  /** about: what the frame says of its view, see tools/host_channel.js. */
  function update(about, catalog) {
    what.textContent = [name, about?.names.join(", ")].filter(Boolean).join(": ");
    if (!chooses || !about) return;
    const own = catalog.datasets.find(({id}) => id === about.view.dataset);
    fillSelect(dataset, catalog.datasets.filter((one) => one.variables.length).map((one) => ({value: one.id, label: one.title || one.id})), about.view.dataset);
    if (!own) return;
    fillSelect(run, runOptions(own, about.calendar), about.view.run === "latest" ? "latest" : about.run);
    const shown = about.view.layers.find(({visible}) => visible !== false) ?? about.view.layers[0];
    fillSelect(variable, own.variables.map((one) => ({value: one.id, label: variableTitle(one)})), shown ? findVariable(own, shown.variable)?.id ?? "" : "");
  }

  return {element, frame, update, apart: (words) => { apart.textContent = words; }, show: (shown) => { element.hidden = !shown; }};
}

function runOptions(dataset, calendar) {
  const latest = dataset.runs[resolveRun(dataset, "latest")];
  return [{value: "latest", label: latest ? `Latest: ${formatTimeShort(latest.time, calendar)}` : "Latest"},
    ...[...dataset.runs].reverse().map(({time}) => ({value: time, label: formatTimeShort(time, calendar)}))];
}
