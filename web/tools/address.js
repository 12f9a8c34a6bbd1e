// SPDX-License-Identifier: Apache-2.0
// The view in the page's address: written soon after each change, read again on Back, Forward and edits by hand.
import {decodeHash, encodeHash} from "../view/view_hash.js";

const PAUSE = 400; // ms; browsers refuse more than some hundred changes in half a minute

/** options: {onView(view), onError(ViewError), isImplied(view): the rest of the address says as much, decode(hash), encode(view), location, history} — the last two for tests. */
export function createAddress({onView, onError, isImplied = () => false, decode = decodeHash, encode = encodeHash, location = window.location, history = window.history}) {
  let timer = 0;
  let waiting = null;
  let push = false;
  let current = "";

  window.addEventListener("hashchange", () => {
    if (location.hash !== current) read();
  });

  /** Reads the address: resolves with its view, or null where there is none or a bad one (onError is told). */
  async function first() {
    current = location.hash;
    try {
      return await decode(location.hash);
    } catch (error) {
      onError(error);
      return null;
    }
  }

  /** Shows the view that stands in the address, if there is one; what waits to be written is not. */
  async function read() {
    clearTimeout(timer);
    waiting = null;
    const view = await first();
    if (view) onView(view);
  }

  /** Writes a view: `newEntry` makes a step that Back returns from. */
  function write(view, {newEntry = false} = {}) {
    waiting = view;
    push ||= newEntry;
    clearTimeout(timer);
    timer = setTimeout(flush, PAUSE);
  }

  async function flush() {
    clearTimeout(timer);
    if (!waiting) return;
    const view = waiting;
    const entry = push;
    waiting = null;
    push = false;
    const hash = isImplied(view) ? "" : await encode(view);
    if (hash === location.hash || waiting) {
      push ||= entry && Boolean(waiting);
      return;
    }
    current = hash;
    const whole = `${location.pathname}${location.search}${hash}`;
    if (entry) history.pushState(null, "", whole);
    else history.replaceState(null, "", whole);
  }

  return {first, read, write, flush};
}
