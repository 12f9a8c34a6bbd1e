// SPDX-License-Identifier: Apache-2.0
// The page in a frame, and the page of the same origin that holds it (framed_view.js is the other end). Nothing is said before that page asks, and
// nothing to or from any other origin.
//
// Host to frame, {virga: 1, say, …}:  "hello" · "view" {view} · "camera" {camera, place, grid} · "time" {iso, direction} · "steer" {turn, zoom, pan} ·
//   "play" or pause · "reset", "top" (the camera) · "arrange" {timeline, caption: are there these, legends: "left" or "right"}
// Frame to host:  "view" {view, title, dataset, run, calendar, times, index, names} now and when it changed · "camera" {camera, place, grid} moved
//   here · "step" {iso} chosen here · "shown" {iso} on screen · "ready" {ready: [bool]} · "place" {lon, lat, height in metres} clicked ·
//   "escape": pressed here, and of no use here
import {cameraAbroad, cameraHere} from "../view/camera_link.js";
import {resolveTime} from "../view/view_resolve.js";

/**
 * page: {state, viewer() → Viewer, open(view), seek(index, direction), took(camera) it is the view's now, camera(move) by a function, play() or pause}.
 * Returns {viewChanged(), stepChanged()}: to be called when the document, or the step asked for, changed.
 */
export function createHostChannel({state, viewer, open, seek, took, camera, play}) {
  let host = null;
  let step = null; // that the host knows of
  let listening = false;

  const answers = {
    hello: () => { listen(); viewChanged(); tell("shown", {iso: state.shown}); tell("ready", {ready: state.ready}); tellCamera(); },
    view: ({view}) => open(view),
    camera: (there) => look(there),
    time: ({iso, direction}) => seekTime(iso, direction),
    steer: (moves) => viewer().steer(moves),
    play,
    reset: () => camera(() => viewer().resetCamera()),
    top: () => camera(() => viewer().topDown()),
    arrange: ({timeline, caption, legends}) => {
      document.body.classList.toggle("no-timeline", !timeline);
      document.body.classList.toggle("no-caption", !caption);
      document.body.classList.toggle("legends-left", legends === "left");
    },
  };

  window.addEventListener("message", ({origin, source, data}) => {
    if (window.parent === window || source !== window.parent || origin !== window.location.origin || data?.virga !== 1 || !viewer() || !Object.hasOwn(answers, data.say)) return;
    host = source;
    if (data.say === "hello" || state.resolved) answers[data.say](data);
  });

  function listen() {
    if (listening) return;
    listening = true;
    viewer().addEventListener("camera", ({detail}) => { if (!detail.byItself) tellCamera(); });
    listenForClicks(viewer().canvas, (x, y) => {
      const found = viewer().probe(x, y);
      if (found) tell("place", {lon: found.lon, lat: found.lat, height: found.height});
    });
    viewer().addEventListener("step", ({detail}) => tell("shown", {iso: detail.iso}));
    viewer().addEventListener("steps", ({detail}) => tell("ready", {ready: detail.ready}));
    window.addEventListener("keydown", (event) => { if (event.key === "Escape" && !event.defaultPrevented && !event.target.closest?.("dialog, details[open]")) tell("escape"); });
  }

  function tell(say, more) { host?.postMessage({virga: 1, say, ...more}, window.location.origin); }

  function tellCamera() {
    if (state.resolved && viewer().geometry) tell("camera", cameraAbroad(viewer().camera, viewer().geometry, state.resolved.dataset));
  }

  function look(there) {
    const here = cameraHere(there, viewer().geometry, state.resolved.dataset);
    if (!here) return;
    viewer().lookFrom(here);
    took(viewer().camera);
  }

  function seekTime(iso, direction) {
    const {times, run, calendar} = state.resolved;
    if (!times.length) return;
    const {index} = resolveTime(times, run.time, iso, {calendar});
    step = times[index];
    if (times[index] !== times[state.index]) seek(index, direction ?? 0);
    else tell("shown", {iso: state.shown});
  }

  function viewChanged() {
    const {view, resolved, index} = state;
    if (!host || !resolved) return;
    step = resolved.times[index];
    const names = resolved.layers.filter(({layer}) => layer.visible).map(({title}) => title);
    tell("view", {view, title: resolved.dataset.title || resolved.dataset.id, dataset: resolved.dataset.id, run: resolved.run.time, calendar: resolved.calendar, times: resolved.times, index, names});
  }

  function stepChanged() {
    const iso = state.resolved?.times[state.index];
    if (!host || !iso || iso === step) return;
    step = iso;
    tell("step", {iso});
  }

  return {viewChanged, stepChanged};
}

// A press and release at one place; dragging turns the camera.
function listenForClicks(canvas, clicked) {
  let down = null;
  canvas.addEventListener("pointerdown", ({clientX, clientY}) => { down = [clientX, clientY]; });
  canvas.addEventListener("click", ({clientX, clientY}) => {
    if (down && Math.hypot(clientX - down[0], clientY - down[1]) <= 4) clicked(clientX, clientY);
  });
}
