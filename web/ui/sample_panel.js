// SPDX-License-Identifier: Apache-2.0
// The file's own numbers at a place of both views of a comparison: up through the air, or through time.
import {pathThrough, place, rangeOf} from "../view/plot_lines.js";
import {formatTick} from "../view/times.js";
import {niceTicks, shortNumber, unitsLabel} from "../view/units.js";
import {h, iconButton, s, set} from "./dom.js";

const WIDTH = 340, HEIGHT = 230, LEFT = 48, BOTTOM = 26, TOP = 8, RIGHT = 12;

/** on: {kind("profile" | "series"), closed()}. Returns {element, begin(title), show(plot), say(words), close(), isOpen}. */
export function createSamplePanel(on) {
  const title = h("strong", {}), words = h("p", {class: "note", role: "status"}), plot = s("svg", {viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img"}), keys = h("ul", {class: "plot-keys"});
  const kinds = [["profile", "Profile"], ["series", "Through time"]].map(([kind, label]) => h("button", {type: "button", class: "small-button", "data-kind": kind, onclick: () => on.kind(kind)}, label));
  const element = h("section", {class: "sample-panel", hidden: true, "aria-label": "Values at a place"}, h("header", {}, title, iconButton("close", "Close", close)), h("div", {class: "buttons"}, kinds), plot, keys, words);

  function begin(text, kind) {
    element.hidden = false;
    title.textContent = text;
    for (const button of kinds) button.setAttribute("aria-pressed", String(button.dataset.kind === kind));
    say("Reading the files …");
  }

  function say(text) { words.textContent = text; }

  function close() {
    if (element.hidden) return;
    element.hidden = true;
    on.closed();
  }

  /** lines: [{side, label, units, points: [[x, y]] with null where missing}]; marks: of a profile {y: metres}, else {times, calendar}. */
  function show({lines, times = null, calendar}) {
    const xs = rangeOf(lines.map(({points}) => points.map(([x]) => x))), ys = rangeOf(lines.map(({points}) => points.map(([, y]) => y)));
    keys.replaceChildren(...lines.map(({side, label, units}) => h("li", {"data-side": side}, `${label}${units ? ` (${unitsLabel(units)})` : ""}`)));
    plot.replaceChildren();
    set(plot, {"aria-label": lines.map(({label}) => label).join("; ")});
    if (!xs || !ys) return say("There are no values here.");
    const x = (value) => place(value, xs, LEFT, WIDTH - RIGHT), y = (value) => place(value, ys, HEIGHT - BOTTOM, TOP);
    plot.append(...axes(xs, ys, x, y, times, calendar));
    for (const {side, points} of lines) plot.append(s("path", {class: "plot-line", "data-side": side, d: pathThrough(points.map(([a, b]) => (a === null || b === null ? [null, null] : [x(a), y(b)])))}));
    say(lines.every(({units}) => units === lines[0].units) ? "" : "The lines have different units.");
  }

  function axes(xs, ys, x, y, times, calendar) {
    const text = (words_, at) => s("text", {class: "plot-tick", ...at}, words_);
    const inX = times ? labelled(times).map(([index, iso]) => [index, formatTick(iso, calendar, false)]) : niceTicks(...xs, 4).map((value) => [value, shortNumber(value)]);
    const inY = niceTicks(...ys, 5).map((value) => [value, times ? shortNumber(value) : `${shortNumber(value / 1000)} km`]);
    return [
      ...inX.flatMap(([value, words_]) => [s("path", {class: "plot-grid", d: `M${x(value)} ${TOP}V${HEIGHT - BOTTOM}`}), text(words_, {x: x(value), y: HEIGHT - 8, "text-anchor": "middle"})]),
      ...inY.flatMap(([value, words_]) => [s("path", {class: "plot-grid", d: `M${LEFT} ${y(value)}H${WIDTH - RIGHT}`}), text(words_, {x: LEFT - 6, y: y(value) + 4, "text-anchor": "end"})]),
    ];
  }

  return {element, begin, show, say, close, get isOpen() { return !element.hidden; }};
}

function labelled(times) {
  const every = Math.max(1, Math.ceil(times.length / 5));
  return [...times.entries()].filter(([index]) => index % every === 0);
}
