// SPDX-License-Identifier: Apache-2.0
// The address of a comparison holds both views, as the page's own address does one (view_hash.js):
//   compare.html#left=v1…&right=v1…[&show=side|swipe][&lock=camera,time]      (lock: both, where it is left out)
import {decodeHash, encodeHash} from "./view_hash.js";

const SHOWS = ["side", "swipe"];

/** Address, relative to the page's folder, of two checked views; without the second the page finds one. */
export async function compareAddress(left, right = null, options = {}) {
  return `compare.html${await compareHash(left, right, options)}`;
}

export async function compareHash(left, right, {show = "side", camera = true, time = true} = {}) {
  const lock = [camera && "camera", time && "time"].filter(Boolean).join(","), named = async (name, view) => (view ? `${name}=${side(await encodeHash(view))}` : "");
  return `#${await named("left", left)}${await named("&right", right)}${show === "side" ? "" : `&show=${show}`}${camera && time ? "" : `&lock=${lock || "none"}`}`;
}

// "#v1=…" and "#view=…" as v1:… and view:…, so that they are values.
function side(hash) {
  const [form, value] = [hash.slice(1, hash.indexOf("=")), hash.slice(hash.indexOf("=") + 1)];
  return `${form}:${value}`;
}

/** {left, right: view or null, show, camera, time}. Throws ViewError where a view is no good. */
export async function readCompareHash(hash) {
  const parameters = new Map(hash.replace(/^#/, "").split("&").map((part) => [part.slice(0, part.indexOf("=")), part.slice(part.indexOf("=") + 1)]));
  const view = async (name) => (parameters.has(name) ? decodeHash(`#${parameters.get(name).replace(":", "=")}`) : null);
  const lock = parameters.get("lock")?.split(",") ?? ["camera", "time"], show = parameters.get("show");
  return {left: await view("left"), right: await view("right"), show: SHOWS.includes(show) ? show : "side", camera: lock.includes("camera"), time: lock.includes("time")};
}
