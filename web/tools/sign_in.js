// SPDX-License-Identifier: Apache-2.0
// Who the reader is, where the server asks: the button that says so, and the form that is all of the page where nothing can be seen without.
import {Account} from "../net/account.js";
import {createAccountButton, createSignInForm} from "../ui/account_dialog.js";
import {clearBlank, showBlank} from "../ui/messages.js";

/** page: {base, messages, host: of the button, stage: where the form stands, changed(): the reader is somebody else}. */
export function createSignIn({base, messages, host, stage, changed}) {
  const account = new Account(base);
  const button = createAccountButton(host, account, () => (account.needed ? window.location.reload() : changed()));

  /** Asks who the reader is; resolves when they may look. Where they must sign in first there is only the form until then. */
  async function pass() {
    await account.load().catch(() => null); // a server that does not answer is said when the page loads
    button.update();
    if (!account.needed) return;
    document.body.classList.add("locked");
    await new Promise((resolve) => {
      const form = createSignInForm(account, resolve);
      form.update();
      showBlank(stage, "Sign in to see these forecasts", []).append(form.element);
      form.focus();
    });
    clearBlank(stage);
    button.update();
    document.body.classList.remove("locked");
  }

  /**
   * connected: "lost" or "open". A reader whose token has ended has only the form again, or looks on as whoever is not signed in.
   */
  async function lookAgain(connected) {
    const {signedIn} = account, known = await account.lookAgain(connected);
    button.update();
    if (known && account.needed) window.location.reload();
    else if (known && signedIn && !account.signedIn) sayEnded();
  }

  function sayEnded() {
    messages.show("account", {kind: "warning", title: "You are signed out.", text: "Your token has expired or was revoked. You may look on, and sign in again to change anything.",
      action: {label: "Sign in", run: async () => { if (await button.open()) messages.clear("account"); }}});
  }

  return {pass, lookAgain, open: (reason) => button.open(reason), mayPin: () => !account.possible || ["forecaster", "admin"].includes(account.me.role)};
}
