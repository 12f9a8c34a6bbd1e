// SPDX-License-Identifier: Apache-2.0
// The door of a server that shows nothing to strangers, for the pages beside the main one.
import {Account} from "../net/account.js";
import {createAccountButton, createSignInForm} from "./account_dialog.js";
import {h} from "./dom.js";

/**
 * Resolves when the reader may look: at once, or when they have signed in by the form that covers the page until then. What it resolves with is to be
 * called with "lost" when a connection has ended and with "open" when there is one: where nothing can be seen any more there is only the door again. host: where a button says who the reader is, who signs in or out by it;
 * pages where nothing can be changed have none.
 */
export async function passDoor(base, {host = null} = {}) {
  const account = new Account(base), button = host && createAccountButton(host, account, () => window.location.reload());
  await account.load().catch(() => null); // a server that does not answer is said elsewhere
  if (account.needed) await signedIn(account);
  button?.update();

  return async function lookWhoItIs(connected) {
    const known = await account.lookAgain(connected);
    button?.update();
    if (known && account.needed) window.location.reload();
  };
}

function signedIn(account) {
  return new Promise((resolve) => {
    const form = createSignInForm(account, () => { door.remove(); resolve(); });
    const door = h("div", {class: "blank door"}, h("h2", {}, "Sign in to look"), form.element);
    document.body.append(door);
    form.update();
    form.focus();
  });
}
