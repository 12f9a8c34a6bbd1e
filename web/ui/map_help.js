// SPDX-License-Identifier: Apache-2.0
// The keys of the flat map, and what its words mean.
import {helpDialog} from "./help_dialog.js";

const KEYS = [
  [["Space"], "play or pause"],
  [["←"], ["→"], "one step back or on"],
  [["↑"], ["↓"], "the topmost layer's next surface up or down"],
  [["Home"], ["End"], "first or last time"],
  [["L"], "loop on or off"],
  [["+"], ["−"], "closer or further"],
  [["Shift ← → ↑ ↓"], "move the map"],
  [["R"], "the whole domain"],
  [["V"], "the values in the middle of the map"],
  [["Esc"], "close the values"],
  [["P"], "show or hide the panel"],
  [["?"], "this help"],
];
const POINTER = [
  ["Drag", "move the map"],
  ["Wheel or pinch", "closer or further"],
  ["Click or tap", "read the values there"],
];
const WORDS = [
  ["Valid time, run, T+7", "The time a map is for, the time its forecast began, and the hours between. All times are UTC."],
  ["Surface", "Where in the air a map is: at a pressure, a height, a flight level, a potential temperature or a level of the model, interpolated in the model's own columns; or the largest value or the sum of each column."],
  ["Values", "Of one real step, between the model's own columns, exact to the ± beside them. “missing” is missing in the file, or the surface is not there."],
  ["Bare map", "Where no colour is, there is no value: outside the model's area, below the ground, or missing in the file."],
];

export function createMapHelp() { return helpDialog(KEYS, POINTER, WORDS); }
