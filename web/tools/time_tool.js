// SPDX-License-Identifier: Apache-2.0
// The playhead: which step is asked for, and play.
import {resolveTime, timeRule} from "../view/view_resolve.js";

/** page: {state, viewer() → Viewer, write(view) into the address, shown() the controls are to follow}. */
export function createTimeTool({state, viewer, write, shown}) {
  /** How the step in view is written into a view of this run; "nearest to now" stays while that is the step. */
  function rule(runRule = state.view.run, run = state.resolved.run) {
    const iso = state.resolved.times[state.index];
    if (!iso || (state.view.time === "nearest to now" && state.index === state.resolved.index)) return state.view.time;
    return timeRule(runRule, run.time, iso, state.resolved.calendar);
  }

  // The viewer counts the times of its first layer; the same time is looked up there.
  function viewerIndex(iso) {
    const found = viewer().times.findIndex((time) => time.iso === iso);
    return found >= 0 ? found : state.index;
  }

  function keep() {
    state.view = {...state.view, time: ruleOfStep()};
    write(state.view);
  }

  // What was chosen is this very step, even where "nearest to now" means the same.
  function ruleOfStep() {
    const {run, times, calendar} = state.resolved;
    return timeRule(state.view.run, run.time, times[state.index], calendar);
  }

  function seek(index, direction) {
    const {times} = state.resolved ?? {times: []};
    if (!times.length) return;
    state.index = Math.min(times.length - 1, Math.max(0, index));
    viewer().setTime(viewerIndex(times[state.index]), {direction, rate: 0});
    keep();
    shown();
  }

  function stepBy(by) {
    const count = state.resolved?.times.length ?? 0;
    if (!count) return;
    if (viewer().playing) pause();
    const index = state.index + by;
    if (Math.abs(by) === 1 && state.loop) seek((index + count) % count, Math.sign(by));
    else seek(index, Math.sign(by));
  }

  function play() {
    if (!state.resolved || state.resolved.times.length < 2) return;
    if (!state.loop && state.index === state.resolved.times.length - 1) seek(0, 1);
    viewer().play({rate: state.rate, loop: state.loop, direction: 1});
    shown();
  }

  function pause() {
    viewer().pause();
    shown();
  }

  const goOn = () => { if (viewer()?.playing) play(); };
  function setRate(rate) {
    state.rate = rate;
    goOn();
  }

  function setLoop(loop) {
    state.loop = loop;
    goOn();
    shown();
  }

  /** A step is on screen. */
  function onStep({iso}) {
    state.shown = iso;
    const index = state.resolved?.times.indexOf(iso) ?? -1;
    if (index >= 0 && viewer().playing) {
      state.index = index;
      keep();
    }
    shown();
  }

  /** Whether time has passed on to another step, where the view shows the one nearest to now and nobody chose another. */
  function hasPassed() {
    const {view, resolved} = state;
    if (view?.time !== "nearest to now" || !resolved?.times.length || viewer().playing || state.index !== resolved.index) return false;
    return resolveTime(resolved.times, resolved.run.time, view.time, {calendar: resolved.calendar}).index !== resolved.index;
  }

  return {hasPassed, rule, viewerIndex, seek, stepBy, play, pause, setRate, setLoop, onStep};
}
