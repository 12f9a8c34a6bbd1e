// SPDX-License-Identifier: Apache-2.0
// One valid time for several framed views: each shows its step nearest to it, and while playing the next is asked for only when all show the last.

const LOOK_MS = 25;

/** page: {framed(): [FramedView], changed()}. The times are those of the view that take() was told of. */
export function createLockedTime({framed, changed}) {
  let times = [], iso = null, rate = 4, loop = true, timer = 0, due = 0;

  const index = () => Math.max(0, times.indexOf(nearest(times, iso)));
  const isShown = (one) => !one.about || one.shown !== null && (one.asked === null || one.shown === one.asked);

  /** The view that leads has these times, and is at one of them. */
  function take(about) {
    times = about.times;
    if (!iso || !times.includes(iso)) iso = times[about.index] ?? null;
    changed();
  }

  function tell(one, direction = 0) {
    if (!iso || !one.about) return;
    one.asked = nearest(one.about.times, iso);
    one.tell("time", {iso, direction});
  }

  function go(to, direction) {
    if (!to) return;
    iso = to;
    for (const one of framed()) tell(one, direction);
    changed();
  }

  function seek(to, direction = 0) { go(times[Math.min(times.length - 1, Math.max(0, to))], direction); }

  function stepBy(by) {
    if (timer) pause();
    const to = index() + by, wraps = loop && Math.abs(by) === 1;
    seek(wraps ? (to + times.length) % times.length : to, Math.sign(by));
  }

  /** One of the views was moved to another time by itself: the others follow. */
  function follow(to, from) {
    from.asked = to;
    if (to === iso || !to) return;
    iso = to;
    for (const one of framed()) if (one !== from) tell(one);
    changed();
  }

  function play() {
    if (times.length < 2 || timer) return;
    if (!loop && index() === times.length - 1) seek(0, 1);
    due = performance.now() + 1000 / rate;
    timer = setInterval(turn, LOOK_MS);
    changed();
  }

  function turn() {
    const now = performance.now();
    if (now < due || !framed().every(isShown)) return;
    if (!loop && index() === times.length - 1) return pause();
    due = Math.max(now, due) + 1000 / rate;
    seek((index() + 1) % times.length, 1);
  }

  function pause() {
    clearInterval(timer);
    timer = 0;
    changed();
  }

  /** What a timeline shows. */
  function state(about) {
    const all = framed(), flags = times.map((time) => all.every((one) => one.about && one.ready[one.about.times.indexOf(nearest(one.about.times, time))]));
    return {times, index: index(), ready: flags, playing: timer !== 0, loop, rate, calendar: about?.calendar, runTime: about?.run};
  }

  return {
    take, tell, seek, stepBy, follow, play, pause, state, shown: changed, toggle: () => (timer ? pause() : play()),
    setRate: (to) => { rate = to; changed(); }, setLoop: (to) => { loop = to; changed(); }, get iso() { return iso; },
  };
}

function nearest(times, iso) {
  if (times.includes(iso)) return iso;
  if (!iso) return null;
  const at = Date.parse(iso), away = (time) => Math.abs(Date.parse(time) - at);
  return times.length ? times.reduce((a, b) => (away(b) < away(a) ? b : a)) : null;
}
