// SPDX-License-Identifier: Apache-2.0
// The buttons at the picture's edge: how the camera moves, and what to take away: a link or a picture.
import {iconButton} from "./dom.js";

/** on: {orbit(), fly(), top(), reset(), link(), picture(), export(), pin(), help(), panel()} */
export function createCameraTools(host, on) {
  const panel = iconButton("layers", "Layers and settings", () => on.panel(), "P");
  const orbit = iconButton("orbit", "Orbit: drag to turn", () => on.orbit(), "O");
  const fly = iconButton("fly", "Fly: W A S D and drag", () => on.fly(), "F");
  const top = iconButton("top", "Look down from the top", () => on.top(), "T");
  const reset = iconButton("reset", "Whole domain from the south", () => on.reset(), "R");
  const link = iconButton("link", "Copy a link to this view", () => on.link());
  const picture = iconButton("picture", "Save the picture", () => on.picture());
  const film = iconButton("film", "Export pictures of all times", () => on.export(), "X");
  const pin = iconButton("pin", "Pin this view", () => on.pin(), "N");
  const help = iconButton("help", "Keys and help", () => on.help(), "?");
  panel.classList.add("panel-toggle");
  link.classList.add("extra");
  picture.classList.add("extra");
  film.classList.add("extra");
  pin.classList.add("extra", "spare");
  host.append(panel, orbit, fly, top, reset, link, picture, film, pin, help);

  function update({mode, panelOpen}) {
    orbit.setAttribute("aria-pressed", String(mode === "orbit"));
    fly.setAttribute("aria-pressed", String(mode === "fly"));
    top.setAttribute("aria-pressed", String(mode === "top"));
    panel.setAttribute("aria-expanded", String(panelOpen));
  }

  return {update};
}
