// SPDX-License-Identifier: Apache-2.0
// What time it is in the picture: valid time in UTC, run and lead time, always in sight; it follows what is drawn, not what
// was asked for.
import {timeNow} from "../view/clock.js";
import {calendarName, formatLead, formatTime, formatTimeShort, isoToSeconds, isStandardCalendar, leadHours} from "../view/times.js";
import {formatAge} from "../view/wall_words.js";
import {h, icon} from "./dom.js";

export function createTimeCaption(host) {
  const valid = h("strong", {class: "valid", "data-role": "valid-time"});
  const lead = h("span", {class: "lead", "data-role": "lead"});
  const run = h("span", {"data-role": "run"});
  const source = h("span", {class: "source", "data-role": "source"});
  const waiting = h("span", {class: "waiting", role: "status", hidden: true});
  const pinTitle = h("span", {"data-role": "pin-title", dir: "auto"});
  const pinLine = h("div", {class: "line pin-line", hidden: true}, icon("pin"), pinTitle);
  const warning = h("div", {class: "pin-warning", role: "status", hidden: true});
  host.append(pinLine, h("div", {class: "line"}, h("span", {class: "word"}, "Valid"), valid, lead), h("div", {class: "line small"}, run, source), warning, waiting);

  /** shown: ISO time on screen or null; wanted: ISO time asked for; exaggeration: of heights, or null where there are none; pin: {title, warning} or null; live: the age of the run matters; now: seconds since 1970. */
  function update({resolved, shown, wanted, exaggeration = null, pin = null, live = false, now = timeNow() / 1000}) {
    pinLine.hidden = !pin;
    pinTitle.textContent = pin?.title ?? "";
    warning.hidden = !pin?.warning;
    warning.replaceChildren(...(pin?.warning ? [icon("warning"), pin.warning] : []));
    if (!resolved || !resolved.times.length) {
      valid.textContent = resolved ? "no times" : "";
      for (const part of [lead, run, source]) part.textContent = "";
      return;
    }
    const {calendar, dataset} = resolved;
    const iso = shown ?? wanted;
    valid.textContent = formatTime(iso, calendar);
    valid.title = calendarName(calendar) || "Coordinated Universal Time";
    lead.textContent = formatLead(leadHours(resolved.run.time, iso, calendar));
    lead.title = "Lead time: hours since the run's reference time";
    const age = live && isStandardCalendar(calendar) ? formatAge(now - isoToSeconds(resolved.run.time)) : "";
    const about = [resolved.run.complete === false ? "incomplete" : "", age && !/^(in |just)/.test(age) ? `${age} old` : age].filter(Boolean).join(", ");
    run.textContent = `Run ${formatTimeShort(resolved.run.time, calendar)} UTC${about ? ` (${about})` : ""} ·`;
    const member = resolved.members.length > 1 ? `member ${resolved.members[resolved.member]}` : "";
    source.textContent = [dataset.title || dataset.id, member, exaggeration === null ? "" : `height × ${exaggeration}`].filter(Boolean).join(" · ");
    const late = shown !== null && shown !== wanted;
    waiting.hidden = !late;
    waiting.textContent = late ? `Loading ${formatTimeShort(wanted, calendar)} …` : "";
  }

  return {update};
}
