// SPDX-License-Identifier: Apache-2.0
// The files and variables that could not be read, each with its reason: what has the same reason stands together.
import {dialog, h} from "./dom.js";

const SEEN_AT_ONCE = {files: 3, variables: 12};
const SEARCH_FROM = 12; // entries

/** Problems for one reason as one entry: [{reason, variables: [name], files: [path]}], in the order given. */
export function groupProblems(problems) {
  const byFile = new Map();
  for (const {file, variable, reason} of problems) {
    const key = `${file}\n${reason}`;
    if (!byFile.has(key)) byFile.set(key, {file: file ?? "", reason, variables: []});
    if (variable) byFile.get(key).variables.push(variable);
  }
  const groups = new Map();
  for (const {file, reason, variables} of byFile.values()) {
    const key = `${reason}\n${variables.join("\n")}`;
    if (!groups.has(key)) groups.set(key, {reason, variables, files: []});
    groups.get(key).files.push(file);
  }
  return [...groups.values()];
}

/** Entries in which a word stands, in whatever case. */
export function findProblems(entries, word) {
  const wanted = word.trim().toLowerCase();
  return entries.filter(({reason, variables, files}) => [reason, ...variables, ...files].some((text) => text.toLowerCase().includes(wanted)));
}

// A list of which the first few are seen, and the others when asked for.
function shortList(items, most, unit, element) {
  if (items.length <= most + 1) return [element(items)];
  return [element(items.slice(0, most)), h("details", {}, h("summary", {}, `and ${items.length - most} more ${unit}`), element(items.slice(most)))];
}

function entryElement({reason, variables, files}) {
  return h("li", {},
    h("div", {class: "problem-reason"}, reason.charAt(0).toUpperCase() + reason.slice(1)),
    variables.length ? h("div", {class: "problem-variables"}, shortList(variables, SEEN_AT_ONCE.variables, "variables", (names) => h("span", {}, names.join(", ")))) : null,
    h("div", {class: "problem-files"}, shortList(files, SEEN_AT_ONCE.files, "files", (paths) => h("div", {}, paths.map((path) => h("code", {}, path))))));
}

export function createProblemsDialog() {
  const list = h("ul", {class: "problems"});
  const search = h("input", {type: "search", class: "problem-search", placeholder: "Find a variable, file or reason", "aria-label": "Find a variable, file or reason", oninput: () => fill()});
  const none = h("p", {class: "note", hidden: true}, "Nothing here has this word.");
  const element = dialog("What could not be read", [h("p", {}, "Everything else is on offer. After a file is mended or replaced, start the server again."), search, none, list]);
  let entries = [];

  function fill() {
    const found = findProblems(entries, search.value);
    none.hidden = found.length > 0;
    list.replaceChildren(...found.map(entryElement));
  }

  return {
    open(problems) {
      entries = groupProblems(problems);
      search.value = "";
      search.hidden = entries.length < SEARCH_FROM;
      fill();
      element.showModal();
    },
  };
}
