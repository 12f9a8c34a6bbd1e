// SPDX-License-Identifier: Apache-2.0
// A pin opened over the wall: its picture at once, and over it the live view in 3D as soon as that has something to show. It also cycles.
import {FramedView} from "../tools/framed_view.js";
import {describePin} from "../view/wall_words.js";
import {h, icon, iconButton} from "./dom.js";

/** urls: {open(id), embed(id), thumbnail(id, key), picture(id)}; on: {opened(), closed() before the focus goes back, step(by), compare(view), changed() the live view}.
 * {element, open(pin), update(pin, now), close(), tell(say, more) to the live view, about: what that says of itself, or null; id} */
export function createWallView(urls, on) {
  const image = h("img", {alt: ""});
  const nothing = h("div", {class: "wall-view-nothing", hidden: true}, icon("warning"), h("h2", {}, "This pin cannot be shown now"), h("p", {}), h("p", {}, "It appears here by itself when its forecast is there."));
  const stage = h("div", {class: "wall-view-stage"}, image, nothing);
  const title = h("strong", {dir: "auto"});
  const words = h("span", {class: "wall-view-words"});
  const warning = h("span", {class: "wall-view-warning", role: "status"});
  const page = h("a", {class: "small-button"}, "Open the page");
  const compare = h("button", {type: "button", class: "small-button", hidden: true, onclick: () => on.compare(live.about.view)}, "Compare");
  const bar = h("header", {}, h("div", {class: "wall-view-title"}, title, words, warning), compare, page,
    iconButton("back", "Previous pin", () => on.step(-1), "ArrowLeft"), iconButton("next", "Next pin", () => on.step(1), "ArrowRight"), iconButton("close", "Back to the wall", close, "Escape"));
  const element = h("section", {class: "wall-view", hidden: true, role: "dialog", "aria-modal": "true", "aria-label": "Pin", tabindex: "-1"}, bar, stage);
  let id = null, live = null, before = null;

  // in3d: live; a wall that cycles by itself shows pictures alone, which any screen can.
  function open(pin, {in3d = true} = {}) {
    before ??= document.activeElement;
    dropFrame();
    id = pin.id;
    element.hidden = false;
    on.opened();
    page.href = urls.open(id);
    image.src = pin.live?.key ? urls.thumbnail(id, pin.live.key) : "";
    element.focus();
    if (!in3d) return;
    const frame = h("iframe", {title: `${pin.title}, live`, allow: "fullscreen"});
    stage.append(frame);
    live = new FramedView(frame, {view: () => { compare.hidden = false; on.changed(); }, step: () => on.changed(), escape: close,
      shown: (iso) => { frame.classList.toggle("shown", Boolean(iso)); on.changed(); }});
    live.beginAt(urls.embed(id));
  }

  function update(pin, now) {
    const said = describePin(pin, now);
    element.setAttribute("aria-label", pin.title);
    title.textContent = pin.title;
    words.textContent = [said.valid, said.lead, said.run, said.age].filter(Boolean).join(" · ");
    const failed = said.state === "failed";
    warning.textContent = failed ? "" : said.warning;
    nothing.hidden = !failed;
    nothing.querySelector("p").textContent = failed ? said.warning : "";
    stage.classList.toggle("failed", failed);
    if (pin.live?.key) showSharp(pin);
  }

  // Larger than the tile's, drawn by the server when it is asked for.
  function showSharp(pin) {
    const key = pin.live.key;
    if (image.dataset.key === `${pin.id}/${key}`) return;
    image.dataset.key = `${pin.id}/${key}`;
    const next = new Image();
    next.src = urls.picture(pin.id, key);
    next.decode().then(() => { if (image.dataset.key === `${pin.id}/${key}` && !element.hidden) image.src = next.src; }, () => {});
  }

  function dropFrame() {
    live?.dispose();
    live = null;
    compare.hidden = true;
  }

  function close() {
    if (element.hidden) return;
    dropFrame();
    element.hidden = true;
    id = null;
    on.closed();
    before?.focus?.();
    before = null;
  }

  return {element, open, update, close, tell: (say, more) => live?.tell(say, more), get about() { return live?.about && {...live.about, shown: live.shown}; }, get id() { return id; }};
}
