// SPDX-License-Identifier: Apache-2.0
// From the page's view and what is chosen in the export dialog to the view document of an export, and how many frames that makes.
import {timeRule} from "./view_resolve.js";
import {SEQUENCE_LIMITS} from "./view_sequence.js";
import {validateView} from "./view_state.js";

/** What the dialog begins with. times: "step" | "range" | "all"; from, to: indices of the run's times; stride: every so manieth of them. */
export function defaultForm() {
  return {
    times: "all", from: 0, to: Infinity, stride: 1,
    film: false, fps: 24, rate: 4,
    orbit: 0, frames: 120,
    size: [1280, 720], format: "png", quality: 90, transparent: false,
    captions: true, legend: true, title: "", attribution: "",
  };
}

/** What a view that comes with captions, a size or a sequence wants of the form: some of its members. */
export function formOfView({captions = {}, size, transparent, sequence = {}}) {
  const {fps, rate, orbit, frames, format, quality} = sequence;
  const found = {size, transparent, captions: captions.show, legend: captions.legend, title: captions.title, attribution: captions.attribution,
    film: fps === undefined ? undefined : true, fps, rate, orbit, frames, format, quality};
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
}

/** Indices of the times that are shown, of `count` times with `index` in view. */
export function shownTimes({times, from, to, stride}, count, index) {
  if (times === "step" || count < 2) return [index];
  const [first, last] = times === "all" ? [0, count - 1] : [from, Math.min(to, count - 1)];
  const shown = [];
  for (let i = first; i <= last; i += stride) shown.push(i);
  return shown;
}

/** Frames that the form makes of so many times; as the program counts them (render/README.md, "Sequences"). */
export function countFrames(form, shown) {
  if (shown > 1) return form.film ? Math.floor(((shown - 1) * form.fps) / form.rate + 1e-6) + 1 : shown;
  return shown === 1 && form.orbit ? form.frames : shown;
}

const within = (value, low, high) => Number.isFinite(value) && value >= low && value <= high;
const whole = (value, low, high) => Number.isInteger(value) && within(value, low, high);

/** What is wrong with the form, in a sentence; "" where nothing is. */
export function formProblem(form, shown) {
  if (shown === 0) return "The last time is before the first.";
  if (!form.size.every((side) => whole(side, 16, 16384))) return "Width and height are whole numbers from 16 to 16384.";
  if (form.format === "jpeg" && !whole(form.quality, 1, 100)) return "The quality is a whole number from 1 to 100.";
  if (!within(form.orbit, -36000, 36000)) return "The turn is −36000 to 36000 degrees.";
  if (shown > 1 && form.film && !within(form.fps, 0.1, 240)) return "Frames a second are 0.1 to 240.";
  if (shown > 1 && form.film && !within(form.rate, 0.001, 1000)) return "Forecast times a second are 0.001 to 1000.";
  if (shown === 1 && form.orbit && !whole(form.frames, 1, SEQUENCE_LIMITS.frames)) return `The number of frames is 1 to ${SEQUENCE_LIMITS.frames}.`;
  if (shown > 1 && countFrames(form, shown) > SEQUENCE_LIMITS.frames) return `That would be more than ${SEQUENCE_LIMITS.frames} frames.`;
  if (form.stride > 1 && shown > SEQUENCE_LIMITS.times) return `Only ${SEQUENCE_LIMITS.times} times can be picked out; export every step, or a shorter range.`;
  for (const [name, text] of [["title", form.title], ["attribution", form.attribution]]) {
    if (new TextEncoder().encode(text).length > 200) return `The ${name} is too long; 200 bytes are the most.`;
  }
  return "";
}

/**
 * The document: the page's own view, with the run pinned, so that one which arrives meanwhile changes nothing. resolved: of the view. Throws ViewError.
 */
export function exportView(view, resolved, index, form) {
  const {run, times, calendar} = resolved;
  const rule = (i) => timeRule("latest", run.time, times[i], calendar);
  const shown = shownTimes(form, times.length, index);
  const film = shown.length > 1 && form.film;
  const turns = Boolean(form.orbit);
  const sequence = {
    ...(shown.length > 1 ? {times: sequenceTimes(form, shown, rule)} : {}),
    ...(film ? {fps: form.fps, rate: form.rate} : {}),
    ...(turns ? {orbit: form.orbit} : {}),
    ...(turns && shown.length === 1 ? {frames: form.frames} : {}),
    format: form.format,
    ...(form.format === "jpeg" ? {quality: form.quality} : {}),
  };
  const {sequence: _, ...rest} = view;
  return validateView({
    ...rest,
    run: run.time,
    time: rule(shown[0]),
    size: form.size,
    captions: {show: form.captions, legend: form.legend, attribution: form.attribution.trim(), ...(form.title.trim() ? {title: form.title.trim()} : {})},
    transparent: form.transparent && form.format === "png",
    sequence,
  });
}

function sequenceTimes({times, stride}, shown, rule) {
  if (stride > 1) return shown.map(rule);
  return times === "all" ? "all" : {from: rule(shown[0]), to: rule(shown.at(-1))};
}
