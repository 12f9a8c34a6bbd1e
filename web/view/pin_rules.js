// SPDX-License-Identifier: Apache-2.0
// What a pin follows: its view's rules for run and time, in words, with what they mean now. Pure.
import {formatLead, formatTime, formatTimeShort, leadHours} from "./times.js";
import {compact} from "./view_hash.js";
import {resolveView, timeRule} from "./view_resolve.js";

/** The rules in the order in which they are offered: what a pin made of the step in view could follow. resolved: of the view; index: of the step. */
export function pinRules(resolved, index) {
  const {run, times, calendar} = resolved, iso = times[index];
  const lead = formatLead(leadHours(run.time, iso, calendar));
  return [
    {id: "lead", run: "latest", time: timeRule("latest", run.time, iso, calendar), words: `Latest run, ${lead}`},
    {id: "now", run: "latest", time: "nearest to now", words: "Latest run, nearest to now"},
    {id: "valid", run: "latest", time: iso, words: `Latest run, for ${formatTimeShort(iso, calendar)} UTC`},
    {id: "fixed", run: run.time, time: iso, words: "Always this run and time"},
  ];
}

/** Which of these a view follows; "lead" where it is none of them. */
export function ruleOf({run, time}) {
  if (run !== "latest") return "fixed";
  if (time === "nearest to now") return "now";
  return time.startsWith("T") ? "lead" : "valid";
}

/** "latest run, T+6": what a view follows. */
export function ruleWords({run, time}, calendar) {
  const what = run === "latest" ? "latest run" : `run ${formatTimeShort(run, calendar)} UTC`;
  if (time === "nearest to now") return `${what}, nearest to now`;
  return time.startsWith("T") ? `${what}, ${formatLead(Number(time.slice(1)))}` : `${what}, for ${formatTimeShort(time, calendar)} UTC`;
}

/** What a view with this rule shows now: "Run Thu 19 Nov 03:00 · T+6 · valid Thu 19 Nov 2009 09:00 UTC"; "" where it would show nothing. */
export function meaningNow(view, {run, time}, catalog, options) {
  let resolved;
  try {
    resolved = resolveView({...view, run, time}, catalog, options);
  } catch {
    return "";
  }
  const iso = resolved.times[resolved.index];
  if (!iso) return "";
  const {calendar} = resolved;
  const words = [`Run ${formatTimeShort(resolved.run.time, calendar)}`, formatLead(leadHours(resolved.run.time, iso, calendar)), `valid ${formatTime(iso, calendar)}`];
  return `${words.join(" · ")}${resolved.exact ? "" : ", the nearest there is"}`;
}

// As text, whatever the order of members.
function canonical(value) {
  return JSON.stringify(value ?? null, (key, part) => {
    if (typeof part === "number") return Number(part.toPrecision(6));
    if (typeof part !== "object" || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.keys(part).sort().map((name) => [name, part[name]]));
  });
}

const PARTS = {dataset: "dataset", run: "run", time: "time", member: "member", layers: "layers", camera: "camera", light: "light", exaggeration: "height", map: "map", size: "size",
  captions: "captions", antialiasing: "antialiasing", transparent: "sky", sequence: "sequence"};

/** Names for people of what two views differ in; what nobody can see does not count. */
export function differences(a, b) {
  const [left, right] = [compact(a), compact(b)];
  return Object.keys(PARTS).filter((name) => canonical(left[name]) !== canonical(right[name])).map((name) => PARTS[name]);
}
