// SPDX-License-Identifier: Apache-2.0
// Makes a page a screen that remotes (remote.html) steer: the dialog with its code, what remotes ask for done once a frame, and what is on screen told
// to them. There is a connection for it only once somebody asked for a code.
import {PairLink} from "../net/pair_link.js";
import {createPairDialog} from "../ui/pair_dialog.js";
import {encodeState, SteeringReader} from "../view/steering.js";
import {formatLead, formatTime, leadHours} from "../view/times.js";

const TELL_MS = 200;

/** What remotes show of a page with one view: resolved and index as of main.js, `shown` the time on screen or null. */
export function viewState({resolved, index, shown}, playing) {
  const iso = resolved ? shown ?? resolved.times[index] : null;
  if (!iso) return {title: resolved?.dataset.title ?? "", index: 0, count: 0, playing: false};
  return {title: resolved.dataset.title || resolved.dataset.id, valid: formatTime(iso, resolved.calendar), lead: formatLead(leadHours(resolved.run.time, iso, resolved.calendar)),
    index, count: resolved.times.length, playing};
}

/**
 * does, each optional: camera({turn, zoom, pan}), reset(), step(by), seek(index), play() or pause, pin(by). state(): what the remotes show, see
 * encodeState. Returns {open() the dialog, changed() the state may be another, paired: are there remotes}.
 */
export function createPairedScreen({base = "./", does, state, make}) {
  const readers = new Map();
  const dialog = createPairDialog({offer: () => link.offer(), end});
  let link = null, frame = 0, timer = 0, told = "", remotes = [], waiting = [];

  function begin() {
    link ??= new PairLink(base, {
      link: (open) => { if (!open) { remotes = []; readers.clear(); dialog.update({code: null, remotes, lost: true}); } },
      code: (code, seconds) => { told = ""; dialog.update({code, seconds, lost: false}); changed(); },
      refused: (words) => dialog.update({code: null, refused: words}),
      remotes: (list) => { remotes = list; changed(); dialog.update({remotes, code: null, lost: false}); },
      steered: (index, bytes) => { waiting.push([index, bytes]); frame ||= requestAnimationFrame(work); },
    }, {make});
  }

  function open() {
    begin();
    if (!remotes.length) link.offer();
    dialog.open();
  }

  function end() {
    link?.end();
    remotes = [];
    readers.clear();
    dialog.update({code: null, remotes});
  }

  function work() {
    frame = 0;
    const all = waiting.splice(0).map(([index, bytes]) => reader(index).read(bytes)).filter(Boolean);
    for (const asked of all) carryOut(asked);
  }

  function reader(index) {
    if (!readers.has(index)) readers.set(index, new SteeringReader());
    return readers.get(index);
  }

  function carryOut({steps, plays, pins, resets, seek, turn, zoom, pan}) {
    if (resets) does.reset?.();
    if (turn[0] || turn[1] || pan[0] || pan[1] || zoom) does.camera?.({turn, zoom, pan});
    if (seek !== null) does.seek?.(seek);
    if (steps) does.step?.(steps);
    if (plays & 1) does.play?.();
    if (pins) does.pin?.(pins);
  }

  // A few times a second at most, and the last one always.
  function changed() {
    if (link && !timer) timer = setTimeout(tell, TELL_MS);
  }

  function tell() {
    timer = 0;
    const now = JSON.stringify(state());
    if (now === told) return;
    if (link.send(encodeState(state()))) told = now;
    else if (remotes.length) changed();
  }

  return {open, changed, get paired() { return remotes.length > 0; }};
}
