// SPDX-License-Identifier: Apache-2.0
// What a pin on the wall says, in words: pure, the clock passed in.
import {formatLead, formatTime, formatTimeShort, isoToSeconds} from "./times.js";

const MINUTE = 60, HOUR = 3600, DAY = 86400;

/** "just now", "35 min", "2 h", "3 days": how long ago `seconds` are; "" where that is unknown. */
export function formatAge(seconds) {
  if (!Number.isFinite(seconds)) return "";
  if (seconds < MINUTE) return seconds < -MINUTE ? `in ${formatAge(-seconds)}` : "just now";
  if (seconds < 1.5 * HOUR) return `${Math.round(seconds / MINUTE)} min`;
  if (seconds < 2 * DAY) return `${Math.round(seconds / HOUR)} h`;
  return `${Math.round(seconds / DAY).toLocaleString("en")} days`;
}

/** pin: as the server tells of it; now: milliseconds since 1970. {state, valid, validShort (without the year), lead, run, age, warning, label} — texts, "" where there is nothing to say. */
export function describePin(pin, now) {
  const live = pin.live ?? {state: "waiting"};
  const seconds = live.run ? now / 1000 - isoToSeconds(live.run) : NaN;
  const age = formatAge(seconds);
  const warning = live.state === "stale" || live.state === "failed" ? live.words ?? (live.state === "stale" ? "No newer run has come." : "It cannot be drawn.") : "";
  const words = {
    state: live.state,
    valid: live.valid ? formatTime(live.valid) : "",
    validShort: live.valid ? `${formatTimeShort(live.valid)} UTC` : "",
    lead: formatLead(live.lead_hours),
    run: live.run ? `Run ${formatTimeShort(live.run)} UTC` : "",
    age: age && age !== "just now" && !age.startsWith("in ") ? `${age} old` : age,
    warning,
  };
  const waiting = live.state === "waiting" ? "not drawn yet" : "";
  return {...words, label: [pin.title, words.valid && `valid ${words.valid}`, words.lead, words.run, words.age, waiting, warning].filter(Boolean).join(", ")};
}
