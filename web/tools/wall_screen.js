// SPDX-License-Identifier: Apache-2.0
// The wall as a screen that remotes steer: through its pins, and within the pin that is open live.
import {formatLead, formatTime, leadHours} from "../view/times.js";
import {createPairedScreen} from "./paired_screen.js";

/** wall: {view (ui/wall_view.js), step(by) through the pins, count(): how many, title(id): of a pin}. As createPairedScreen returns. */
export function createWallScreen({view, step, count, title}) {
  const at = () => Math.max(0, view.about?.times.indexOf(view.about.shown) ?? 0);

  function seek(index) {
    const times = view.about?.times ?? [];
    if (times.length) view.tell("time", {iso: times[Math.min(times.length - 1, Math.max(0, index))], direction: Math.sign(index - at())});
  }

  function state() {
    const {about} = view, iso = about?.shown;
    if (!view.id) return {title: "The wall", index: 0, count: 0, playing: false, pins: count()};
    return {title: title(view.id), valid: iso ? formatTime(iso, about.calendar) : "", lead: iso ? formatLead(leadHours(about.run, iso, about.calendar)) : "",
      index: at(), count: about?.times.length ?? 0, playing: false, pins: count()};
  }

  return createPairedScreen({state, does: {camera: (moves) => view.tell("steer", moves), reset: () => view.tell("reset"), step: (by) => seek(at() + by), seek,
    play: () => view.tell("play"), pin: step}});
}
