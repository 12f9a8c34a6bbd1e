// SPDX-License-Identifier: Apache-2.0
// The files and variables that could not be read, each with its reason.
import {dialog, h} from "./dom.js";

export function createProblemsDialog() {
  const list = h("ul", {class: "problems"});
  const element = dialog("What could not be read", [h("p", {}, "Everything else is on offer. Mend or replace a file and it is read again."), list]);

  return {
    open(problems) {
      list.replaceChildren(...problems.map(({file, variable, reason}) =>
        h("li", {}, h("code", {}, file ?? ""), variable ? h("span", {class: "problem-variable"}, ` ${variable}`) : null, h("div", {}, reason))));
      element.showModal();
    },
  };
}
