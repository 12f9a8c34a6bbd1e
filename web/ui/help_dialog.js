// SPDX-License-Identifier: Apache-2.0
// The keys, the mouse, and what the words on the page mean.
import {dialog, h} from "./dom.js";

const KEYS = [
  [["Space"], "play or pause"],
  [["←"], ["→"], "one step back or on"],
  [["Home"], ["End"], "first or last time"],
  [["L"], "loop on or off"],
  [["R"], "the whole domain from the south"],
  [["T"], "look down from the top"],
  [["O"], ["F"], "orbit, or fly with W A S D Q E"],
  [["P"], "show or hide the panel"],
  [["X"], "export pictures of all times"],
  [["N"], "pin this view"],
  [["G"], "go to a pin"],
  [["C"], "compare with another run or variable"],
  [["M"], "the flat map"],
  [["?"], "this help"],
];
const POINTER = [
  ["Drag", "turn; with the right button or Shift, move"],
  ["Wheel or pinch", "closer or further"],
  ["Point or tap", "read the values there"],
];
const WORDS = [
  ["Valid time, run, T+7", "The time a picture is for, the time its forecast began, and the hours between. All times are UTC."],
  ["height × 15", "Heights are drawn this many times too tall. Opacity is per km of true height, so this does not change how dense clouds look."],
  ["full resolution · ±0.05 K · 100 %", "Drawn from the model's own grid points; values within 0.05 K of the file's; all that is needed has arrived."],
  ["level 2 of 4", "Drawn from means over 4 × 4 columns. Finer data follows while the picture rests."],
  ["Pin", "A kept view that follows new runs by its own rule: the latest run's T+6, say, or whatever is nearest to now. What you change while you look is yours alone until you update the pin."],
  ["Probe", "Values are exact to the ± beside them, of one real step, never blended. “missing” is missing in the file."],
];

export function createHelpDialog() { return helpDialog(KEYS, POINTER, WORDS); }

/** keys: [[key], …, what it does]; pointer, words: [head, text]. */
export function helpDialog(allKeys, pointer, words) {
  const row = (head, text) => h("tr", {}, h("th", {scope: "row"}, head), h("td", {}, text));
  const keys = allKeys.map((entry) => row(entry.slice(0, -1).map(([key]) => h("kbd", {}, key)), entry.at(-1)));
  const element = dialog("Help", [
    h("h3", {}, "Keys"), h("table", {class: "help"}, h("tbody", {}, keys)),
    h("h3", {}, "Pointer"), h("table", {class: "help"}, h("tbody", {}, pointer.map(([a, b]) => row(a, b)))),
    h("h3", {}, "Words"), h("table", {class: "help"}, h("tbody", {}, words.map(([a, b]) => row(a, b)))),
  ]);
  return {open: () => (element.open ? element.close() : element.showModal())};
}
