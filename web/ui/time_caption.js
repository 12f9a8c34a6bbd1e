// SPDX-License-Identifier: Apache-2.0
// What time it is in the picture: valid time in UTC, run and lead time, always in sight; it follows what is drawn, not what
// was asked for.
import {calendarName, formatLead, formatTime, formatTimeShort, leadHours} from "../view/times.js";
import {h} from "./dom.js";

export function createTimeCaption(host) {
  const valid = h("strong", {class: "valid", "data-role": "valid-time"});
  const lead = h("span", {class: "lead", "data-role": "lead"});
  const run = h("span", {"data-role": "run"});
  const source = h("span", {class: "source", "data-role": "source"});
  const waiting = h("span", {class: "waiting", role: "status", hidden: true});
  host.append(h("div", {class: "line"}, h("span", {class: "word"}, "Valid"), valid, lead), h("div", {class: "line small"}, run, source), waiting);

  /** shown: ISO time on screen or null; wanted: ISO time asked for. */
  function update({resolved, shown, wanted, exaggeration}) {
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
    run.textContent = `Run ${formatTimeShort(resolved.run.time, calendar)} UTC${resolved.run.complete === false ? " (incomplete)" : ""} ·`;
    const member = resolved.members.length > 1 ? `member ${resolved.members[resolved.member]}` : "";
    source.textContent = [dataset.title || dataset.id, member, `height × ${exaggeration}`].filter(Boolean).join(" · ");
    const late = shown !== null && shown !== wanted;
    waiting.hidden = !late;
    waiting.textContent = late ? `Loading ${formatTimeShort(wanted, calendar)} …` : "";
  }

  return {update};
}
