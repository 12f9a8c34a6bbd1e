// SPDX-License-Identifier: Apache-2.0
// Who the reader is, where the server asks: the button that says so, and the form that is all of the page where nothing can be seen without.
import {Account} from "../net/account.js";
import {createAccountButton, createSignInForm} from "../ui/account_dialog.js";
import {clearBlank, showBlank} from "../ui/messages.js";

const ASK_AGAIN = 2000; // ms

/** page: {base, host: of the button, stage: where the form stands, changed(): the reader is somebody else}. */
export function createSignIn({base, host, stage, changed}) {
  const account = new Account(base);
  const button = createAccountButton(host, account, () => (account.needed ? window.location.reload() : changed()));
  let asked = 0; // ms: when the server was last

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

  /** A connection that ends may have ended because the reader's token did: then there is only the form again. */
  async function lookAgain() {
    if (!account.possible || Date.now() < asked + ASK_AGAIN) return;
    asked = Date.now();
    const known = await account.load().then(() => true, () => false);
    button.update();
    if (known && account.needed) window.location.reload();
  }

  return {pass, lookAgain, open: (reason) => button.open(reason), mayPin: () => !account.possible || ["forecaster", "admin"].includes(account.me.role)};
}
