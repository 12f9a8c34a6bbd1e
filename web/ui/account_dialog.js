// SPDX-License-Identifier: Apache-2.0
// Who I am to the server: a button with the name, signing in by a token or elsewhere, signing out. Nothing where the server asks nobody.
import {rememberPlace} from "../tools/way_back.js";
import {dialog, field, h, nameDialog} from "./dom.js";

const ROLES = {viewer: "may look", forecaster: "may make pins and exports", admin: "may change everything"};

/** Words for who is signed in. */
function describeMe({name, role}) {
  return `Signed in as ${name}${role ? ` (${role}${ROLES[role] ? `: ${ROLES[role]}` : ""})` : ""}.`;
}

/** A form to sign in: {element, focus()}. account: of net/account.js; done(): somebody has signed in. */
export function createSignInForm(account, done) {
  const token = h("input", {type: "password", autocomplete: "off", spellcheck: "false"});
  const message = h("p", {class: "export-error", role: "alert", "data-role": "sign-in-message", hidden: true});
  const button = h("button", {type: "submit", class: "big-button primary"}, "Sign in");
  const elsewhere = h("a", {class: "big-button", hidden: true, onclick: () => rememberPlace()}, "Sign in elsewhere");
  const byToken = h("form", {class: "pin-form", novalidate: true, onsubmit: (event) => { event.preventDefault(); signIn(); }},
    field("Token", token), h("p", {class: "note"}, "Whoever runs this server gives you one: virga token create."), h("div", {class: "pin-actions"}, button));
  const element = h("div", {class: "sign-in"}, elsewhere, byToken, message);

  function update() {
    const {auth, sign_in: url} = account.me;
    elsewhere.hidden = !url;
    if (url) elsewhere.href = url;
    elsewhere.textContent = auth.includes("jupyterhub") ? "Sign in with JupyterHub" : "Sign in";
    byToken.hidden = !auth.includes("token");
    say(auth.includes("token") || url ? "" : "You are known here by what stands in front of this server: sign in there.");
  }

  function say(text) {
    message.hidden = !text;
    message.textContent = text;
  }

  async function signIn() {
    const words = token.value.trim();
    if (!words) return say("Paste the token first.");
    button.disabled = true;
    say("");
    try {
      await account.signIn(words);
      token.value = "";
      done();
    } catch (error) {
      say(error.message);
      token.select();
    }
    button.disabled = false;
  }

  return {element, update, focus: () => (byToken.hidden ? elsewhere : token).focus()};
}

/** The button and its dialog. changed(): somebody signed in or out. {open(reason), update()} */
export function createAccountButton(host, account, changed) {
  const button = h("button", {type: "button", class: "small-button account", hidden: true, onclick: () => open()}, "Sign in");
  const why = h("p", {class: "note", role: "status"});
  const form = createSignInForm(account, () => { element.close("in"); update(); changed(); });
  const out = h("button", {type: "button", class: "big-button", onclick: () => signOut()}, "Sign out");
  const element = dialog("Sign in", [why, form.element, h("div", {class: "pin-actions"}, out)]);
  host.append(button);

  function update() {
    const {possible, signedIn, me} = account;
    button.hidden = !possible;
    button.textContent = signedIn ? me.name : "Sign in";
    button.title = signedIn ? describeMe(me) : "";
    why.textContent = signedIn ? describeMe(me) : "";
    form.element.hidden = signedIn;
    nameDialog(element, signedIn ? "Signed in" : "Sign in");
    out.hidden = !signedIn || !me.auth.includes("token");
    form.update();
  }

  /** Resolves with whether somebody is signed in when it is closed. */
  function open(reason = "") {
    update();
    if (reason) why.textContent = [why.textContent, reason].filter(Boolean).join(" ");
    element.showModal();
    if (!account.signedIn) form.focus();
    return new Promise((resolve) => element.addEventListener("close", () => resolve(account.signedIn), {once: true}));
  }

  async function signOut() {
    try {
      await account.signOut();
      element.close();
      update();
      changed();
    } catch (error) {
      why.textContent = error.message;
    }
  }

  return {open, update};
}
