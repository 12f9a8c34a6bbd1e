// SPDX-License-Identifier: Apache-2.0
// The door of a server that shows nothing to strangers, for the pages beside the main one.
import {Account} from "../net/account.js";
import {createSignInForm} from "./account_dialog.js";
import {h} from "./dom.js";

/** Resolves when the reader may look: at once, or when they have signed in by the form that covers the page until then. */
export async function passDoor(base) {
  const account = new Account(base);
  await account.load().catch(() => null); // a server that does not answer is said elsewhere
  if (!account.needed) return;
  await new Promise((resolve) => {
    const form = createSignInForm(account, () => { door.remove(); resolve(); });
    const door = h("div", {class: "blank door"}, h("h2", {}, "Sign in to look"), form.element);
    document.body.append(door);
    form.update();
    form.focus();
  });
}
