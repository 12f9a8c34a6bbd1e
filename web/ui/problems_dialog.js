// SPDX-License-Identifier: Apache-2.0
// The files and variables that could not be read, each with its reason.
import {dialog, h} from "./dom.js";

/** Problems of one file for one reason as one entry: [{file, reason, variables: [name]}], in the order given. */
export function groupProblems(problems) {
  const groups = new Map();
  for (const {file, variable, reason} of problems) {
    const key = `${file}\n${reason}`;
    if (!groups.has(key)) groups.set(key, {file: file ?? "", reason, variables: []});
    if (variable) groups.get(key).variables.push(variable);
  }
  return [...groups.values()];
}

export function createProblemsDialog() {
  const list = h("ul", {class: "problems"});
  const element = dialog("What could not be read", [h("p", {}, "Everything else is on offer. After a file is mended or replaced, start the server again."), list]);

  return {
    open(problems) {
      list.replaceChildren(...groupProblems(problems).map(({file, reason, variables}) =>
        h("li", {}, h("code", {}, file), h("div", {}, reason), variables.length ? h("div", {class: "problem-variables"}, variables.join(", ")) : null)));
      element.showModal();
    },
  };
}
