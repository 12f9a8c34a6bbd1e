// SPDX-License-Identifier: Apache-2.0
// What can be taken away from the page at once: a link to the view, and the picture on screen.
import {h} from "../ui/dom.js";

/** Puts a text into the clipboard; resolves with whether the browser let us. */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** page: {state, viewer(), messages, address (tools/address.js)}. */
export function createTakeAway({state, viewer, messages, address}) {
  async function link() {
    await address.flush();
    if (await copyText(window.location.href)) messages.show("link", {text: "The link to this view is copied.", seconds: 4});
    else messages.show("link", {text: "The address bar holds the link to this view.", seconds: 6});
  }

  async function picture() {
    const blob = await viewer().screenshot();
    if (!blob) return messages.show("picture", {kind: "warning", text: "The picture could not be saved.", seconds: 6});
    const iso = state.shown ?? state.resolved?.times[state.index] ?? "";
    const file = h("a", {href: URL.createObjectURL(blob), download: `virga ${state.view.dataset} ${iso}.png`.replaceAll(":", "")});
    file.click();
    setTimeout(() => URL.revokeObjectURL(file.href), 10000);
  }

  return {link, picture};
}
