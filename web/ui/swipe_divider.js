// SPDX-License-Identifier: Apache-2.0
// The line between two views that lie over one another, moved by pointer or arrow keys.
import {h, set} from "./dom.js";

const STEP = 2;

/** host: the element whose --split says where the line is. Returns the divider's element. */
export function createSwipeDivider(host) {
  const divider = h("div", {class: "divider", role: "slider", tabindex: 0, "aria-label": "Divider between the views", "aria-valuemin": 0, "aria-valuemax": 100, "aria-orientation": "horizontal"});
  let split = 50;

  function move(percent) {
    split = Math.min(100, Math.max(0, percent));
    host.style.setProperty("--split", `${split}%`);
    set(divider, {"aria-valuenow": String(Math.round(split))});
  }

  // Frames would take the pointer's moves for themselves.
  function hold(held) { host.classList.toggle("held", held); }

  divider.addEventListener("pointerdown", (event) => {
    divider.setPointerCapture(event.pointerId);
    hold(true);
  });
  divider.addEventListener("pointermove", (event) => {
    if (!divider.hasPointerCapture(event.pointerId)) return;
    const {left, width} = host.getBoundingClientRect();
    move(((event.clientX - left) / width) * 100);
  });
  for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) divider.addEventListener(name, () => hold(false));
  divider.addEventListener("keydown", (event) => {
    const by = {ArrowLeft: -STEP, ArrowRight: STEP, Home: -100, End: 100}[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    move(split + by);
  });
  move(split);
  return divider;
}
