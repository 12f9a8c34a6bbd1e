// SPDX-License-Identifier: Apache-2.0
// The times of the run: a tick at each real one at its true place, bright where it is ready; play, step, loop, speed.
import {formatLead, formatTick, formatTime, formatTimeShort, isoToSeconds, leadHours} from "../view/times.js";
import {canvasContext, h, icon, iconButton, set} from "./dom.js";

const SPEEDS = [0.5, 1, 2, 4, 8, 16];
const LABEL_WIDTH = 58;
const DAY_WIDTH = 96;
const OVERHANG = 24; // pixels that a label at an end of the track may stand beyond its tick; as in style.css

/** Places of times on a line, 0 to 1, by true distance; a single time stands in the middle. */
export function timePositions(times, calendar) {
  const seconds = times.map((iso) => isoToSeconds(iso, calendar));
  const span = seconds.at(-1) - seconds[0];
  return seconds.map((second) => (span > 0 ? (second - seconds[0]) / span : 0.5));
}

/** Index of the position nearest to x. */
export function nearestPosition(positions, x) {
  let best = 0;
  for (let i = 1; i < positions.length; i++) if (Math.abs(positions[i] - x) < Math.abs(positions[best] - x)) best = i;
  return best;
}

/** Where the label of a tick that is `at` pixels along a track stands against it: "start" or "end" where the track has too little `margin` beside it, else "". */
const labelSide = (at, pixels, margin) => (at + margin < DAY_WIDTH / 2 ? "start" : pixels - at + margin < DAY_WIDTH / 2 ? "end" : "");

/** The middle of a label of some width at a tick. */
function labelMiddle(at, width, pixels, margin) {
  return at + ({start: 1, end: -1}[labelSide(at, pixels, margin)] ?? 0) * (width / 2 - OVERHANG);
}

/** Ticks to label: [{index, day}], rising, that do not touch; the first tick and the first of each day carry the date. margin: pixels beside the track's ends. */
export function labelledTicks(times, positions, pixels, calendar, {width = LABEL_WIDTH, margin = DAY_WIDTH} = {}) {
  const every = [1, 2, 3, 6, 12, 24, 48, 96, 240].find((hours) => enoughRoom(times, positions, pixels, calendar, hours, width)) ?? Infinity;
  const labels = [];
  const add = (index, day) => {
    const wide = (label) => (label.day ? DAY_WIDTH : width), middle = (label) => labelMiddle(positions[label.index] * pixels, wide(label), pixels, margin);
    const apart = (other) => Math.abs(middle(other) - middle({index, day})) >= (wide({day}) + wide(other)) / 2;
    if (labels.every(apart)) labels.push({index, day});
  };
  let lastDay = null;
  times.forEach((iso, index) => {
    const day = iso.slice(0, iso.indexOf("T"));
    if (day !== lastDay) add(index, true);
    lastDay = day;
  });
  times.forEach((iso, index) => {
    if (onHours(iso, calendar, every)) add(index, false);
  });
  return labels.sort((a, b) => a.index - b.index);
}

function onHours(iso, calendar, hours) {
  return Math.abs(isoToSeconds(iso, calendar)) % (hours * 3600) === 0;
}

function enoughRoom(times, positions, pixels, calendar, hours, width) {
  let last = -Infinity;
  for (let i = 0; i < times.length; i++) {
    if (!onHours(times[i], calendar, hours)) continue;
    if ((positions[i] - last) * pixels < width) return false;
    last = positions[i];
  }
  return true;
}

/** on: {seek(index), play(), pause(), step(±1), speed(rate), loop(bool)} */
export function createTimeline(host, on) {
  const first = iconButton("first", "First time", () => on.seek(0), "Home");
  const back = iconButton("back", "One step back", () => on.step(-1), "ArrowLeft");
  const play = iconButton("play", "Play", () => (state.playing ? on.pause() : on.play()), "Space");
  play.classList.add("play");
  const next = iconButton("next", "One step on", () => on.step(1), "ArrowRight");
  const last = iconButton("last", "Last time", () => on.seek(state.times.length - 1), "End");
  const loop = iconButton("loop", "Start again at the end", () => on.loop(!state.loop), "L");
  const speed = h("select", {class: "speed", "aria-label": "Speed", title: "Model steps a second", onchange: () => on.speed(Number(speed.value))},
    SPEEDS.map((rate) => h("option", {value: String(rate)}, `${rate} /s`)));
  const canvas = h("canvas", {"aria-hidden": "true"});
  const labels = h("div", {class: "tick-labels", "aria-hidden": "true"});
  const handle = h("div", {class: "handle", "aria-hidden": "true"});
  const hover = h("div", {class: "hover-time", hidden: true, "aria-hidden": "true"});
  const track = h("div", {class: "track", role: "slider", tabindex: 0, "aria-label": "Valid time", "aria-valuemin": 0}, canvas, labels, handle, hover);
  const readout = h("div", {class: "time-readout"});
  host.append(h("div", {class: "transport", role: "group", "aria-label": "Play"}, first, back, play, next, last, loop, speed, readout), track);
  let state = {times: [], index: 0, ready: [], playing: false, loop: true};
  let positions = [];
  let dragging = false;

  new ResizeObserver(() => {
    drawLabels();
    drawTrack();
  }).observe(track);
  track.addEventListener("pointerdown", (event) => {
    if (event.button > 0 || !state.times.length) return;
    dragging = true;
    track.setPointerCapture(event.pointerId);
    seekTo(event);
  });
  track.addEventListener("pointermove", (event) => {
    if (dragging) seekTo(event);
    showHover(event);
  });
  for (const name of ["pointerup", "pointercancel"]) track.addEventListener(name, () => { dragging = false; });
  track.addEventListener("pointerleave", () => { hover.hidden = true; });
  track.addEventListener("keydown", (event) => {
    const moves = {ArrowLeft: () => on.step(-1), ArrowRight: () => on.step(1), ArrowDown: () => on.step(-1), ArrowUp: () => on.step(1),
      PageDown: () => on.step(-6), PageUp: () => on.step(6), Home: () => on.seek(0), End: () => on.seek(state.times.length - 1)};
    if (!moves[event.key] || !state.times.length) return;
    moves[event.key]();
    event.preventDefault();
    event.stopPropagation();
  });

  function inside() {
    const style = getComputedStyle(track);
    const left = parseFloat(style.paddingLeft);
    return {left, width: Math.max(1, track.clientWidth - left - parseFloat(style.paddingRight))};
  }

  function indexAt(event) {
    const {left, width} = inside();
    return nearestPosition(positions, (event.clientX - track.getBoundingClientRect().left - left) / width);
  }

  function seekTo(event) {
    const index = indexAt(event);
    if (index !== state.index) on.seek(index);
  }

  function showHover(event) {
    if (!state.times.length || event.pointerType === "touch") return;
    const index = indexAt(event);
    const {left, width} = inside();
    hover.hidden = false;
    const lead = formatLead(leadHours(state.runTime, state.times[index], state.calendar));
    hover.textContent = `${formatTimeShort(state.times[index], state.calendar)} UTC · ${lead}${state.ready[index] ? "" : " · not loaded"}`;
    const half = hover.offsetWidth / 2;
    const x = left + positions[index] * width;
    hover.style.setProperty("left", `${Math.min(track.clientWidth - half - 4, Math.max(half + 4, x))}px`);
  }

  function drawTrack() {
    const {context, width, height} = canvasContext(canvas);
    const area = inside();
    const style = getComputedStyle(track);
    const colour = (name) => style.getPropertyValue(name).trim();
    const rail = height - 26;
    context.fillStyle = colour("--line");
    context.fillRect(area.left, rail, area.width, 2);
    positions.forEach((position, i) => {
      const x = area.left + position * area.width;
      const labelled = state.labelled?.has(i);
      context.fillStyle = state.ready[i] ? colour("--accent") : colour("--tick");
      const tall = labelled ? 13 : 8;
      context.fillRect(Math.round(x) - (state.ready[i] ? 1 : 0.5), rail + 1 - tall, state.ready[i] ? 2 : 1, tall);
    });
    if (positions.length) handle.style.setProperty("left", `${area.left + positions[state.index] * area.width}px`);
    handle.hidden = positions.length === 0;
  }

  function drawLabels() {
    const area = inside();
    const chosen = labelledTicks(state.times, positions, area.width, state.calendar, {margin: area.left});
    state.labelled = new Set(chosen.map(({index}) => index));
    labels.replaceChildren(...chosen.map(({index, day}) =>
      h("span", {class: `${day ? "day" : ""} ${labelSide(positions[index] * area.width, area.width, area.left)}`, style: {left: `${area.left + positions[index] * area.width}px`}}, chosen.length > 1 ? formatTick(state.times[index], state.calendar, day) : formatTimeShort(state.times[index], state.calendar))));
  }

  /** {times, index, ready, playing, loop, rate, calendar, runTime} */
  function update(next_) {
    const changed = next_.times !== state.times || next_.calendar !== state.calendar;
    state = {...next_, labelled: state.labelled};
    if (changed) positions = timePositions(state.times, state.calendar);
    drawLabels();
    drawTrack();
    play.replaceChildren(icon(state.playing ? "pause" : "play"));
    set(play, {"aria-label": state.playing ? "Pause" : "Play", title: `${state.playing ? "Pause" : "Play"} (Space)`});
    loop.setAttribute("aria-pressed", String(state.loop));
    speed.value = String(state.rate);
    const count = state.times.length;
    for (const button of [first, back, play, next, last]) button.disabled = count < 2;
    const iso = state.times[state.index];
    const words = iso ? `${formatTime(iso, state.calendar)}, ${formatLead(leadHours(state.runTime, iso, state.calendar))}` : "no times";
    set(track, {"aria-valuemax": Math.max(0, count - 1), "aria-valuenow": state.index, "aria-valuetext": words});
    readout.textContent = count ? `${state.index + 1} of ${count}` : "";
  }

  return {update};
}
