// SPDX-License-Identifier: Apache-2.0
// Follows the pointer over the picture and asks the viewer what is there: once a frame at most, and not while dragging.
// A tap shows the values there until the next.

/**
 * options: {canvas, probe(clientX, clientY) → answer or null, show(answer, clientX, clientY), hide()}.
 * Returns {refresh()}: call it when the step on screen changes, so that what is shown is asked again.
 */
export function createProbeTool({canvas, probe, show, hide}) {
  let point = null;
  let down = null;
  let frame = 0;

  function ask() {
    frame = 0;
    if (!point) return hide();
    const answer = probe(point.x, point.y);
    if (answer) show(answer, point.x, point.y);
    else hide();
  }

  function soon() {
    if (!frame) frame = requestAnimationFrame(ask);
  }

  function leave() {
    point = null;
    soon();
  }

  canvas.addEventListener("pointermove", (event) => {
    if (down && Math.hypot(event.clientX - down.x, event.clientY - down.y) > 4) return leave();
    if (event.pointerType === "touch") return;
    point = {x: event.clientX, y: event.clientY};
    soon();
  });
  canvas.addEventListener("pointerdown", (event) => {
    down = {x: event.clientX, y: event.clientY};
  });
  window.addEventListener("pointerup", (event) => {
    const still = down && Math.hypot(event.clientX - down.x, event.clientY - down.y) <= 4;
    down = null;
    if (!still || event.target !== canvas) return;
    point = {x: event.clientX, y: event.clientY};
    soon();
  });
  window.addEventListener("pointercancel", () => { down = null; });
  canvas.addEventListener("pointerleave", (event) => {
    if (event.pointerType !== "touch") leave();
  });
  canvas.addEventListener("wheel", leave, {passive: true});

  return {refresh: () => { if (point) soon(); }};
}
