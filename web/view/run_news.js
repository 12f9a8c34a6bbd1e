// SPDX-License-Identifier: Apache-2.0
// What a reader is told when the server's offer changed. Pure.
import {formatTimeShort} from "./times.js";
import {resolveRun} from "./view_resolve.js";

/** What is to be remembered of a resolved view, for the next comparison; null where there is none. */
export function runsNow(resolved) {
  if (!resolved) return null;
  const {dataset, run} = resolved;
  return {dataset: dataset.id, shown: run.time, latest: dataset.runs[resolveRun(dataset, "latest")]?.time ?? null};
}

/** before, after: of runsNow; rule: the view's run. {text, newer: a newer run is there and not shown} or null where there is nothing to say. */
export function runNews(before, after, rule, calendar) {
  if (!before || !after || before.dataset !== after.dataset) return null;
  const name = (iso) => `${formatTimeShort(iso, calendar)} UTC`;
  if (rule === "latest") return before.shown === after.shown ? null : {text: `A new run has arrived and is shown: ${name(after.shown)}.`, newer: false};
  if (!after.latest || after.latest === before.latest || after.latest <= after.shown) return null;
  return {text: `A newer run has come: ${name(after.latest)}.`, newer: true};
}
