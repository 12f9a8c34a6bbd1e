// SPDX-License-Identifier: Apache-2.0
// Who this page is to the server (server/PROTOCOL.md, "Users"): a token that the server gave, sent with every request. Most servers need none.
//
// A link from a notebook carries a one-time code in its fragment (#code=…). It leaves the address at once, before anything else happens, and is
// exchanged for a token. The token stays with this tab over a reload, and new tabs take the newest; links to datasets (?dataset=ID) keep one for
// each, so that several may stand in one notebook. Where a page may store nothing the token stays in memory.

const KEY = "virga-session";
const CODE = /^#code=([A-Za-z0-9_-]{20,100})(?:&|$)/;

/** The code of a link's fragment, or null. */
export function codeOf(hash) {
  return CODE.exec(hash)?.[1] ?? null;
}

// Storage of a page in a frame of another site may be closed: reading it throws.
function stores() {
  return ["sessionStorage", "localStorage"].flatMap((name) => {
    try {
      const store = window[name];
      store.getItem(KEY);
      return [store];
    } catch {
      return [];
    }
  });
}

export class Session {
  #token = null;
  #key = KEY;

  #own = null;

  /** base: of the server's addresses; tokens of servers below other paths of one host are others. */
  constructor(base, {get = (...args) => fetch(...args)} = {}) {
    this.base = new URL(base, document.baseURI);
    this.get = get;
    this.#key = `${KEY} ${this.base.pathname}`;
  }

  get #keys() { return [this.#own, this.#key].filter(Boolean); }

  get token() { return this.#token; }

  /** Takes up what is stored, or a link's code. Resolves with words for people where the code was refused, else null. */
  async begin(location = window.location, history = window.history) {
    const code = codeOf(location.hash), dataset = new URLSearchParams(location.search).get("dataset");
    if (dataset) this.#own = `${this.#key} ${dataset}`;
    const known = this.#recall();
    if (!code) return null;
    history.replaceState(null, "", location.pathname + location.search);
    try {
      await this.start(code);
      return null;
    } catch (error) {
      return known ? null : error.message; // a notebook that is read again shows its link again
    }
  }

  /** Gets a token: by a code, or as a new user. Throws an Error with words for people. */
  async start(code = null) {
    const answer = await this.get(new URL("api/session", this.base), {method: "POST", cache: "no-store",
      headers: {"Content-Type": "application/json"}, body: JSON.stringify(code ? {code} : {})});
    const said = await answer.json().catch(() => ({}));
    if (!answer.ok || typeof said.token !== "string") throw new Error(refusalWords(said, answer.status, "The server gave no session"));
    this.#keep(said.token);
  }

  /** The server does not know the token any more. */
  forget() {
    for (const store of stores()) for (const key of this.#keys) if (store.getItem(key) === this.#token) store.removeItem(key);
    this.#token = null;
  }

  // Whether there is one of this very link.
  #recall() {
    for (const key of this.#keys) for (const store of stores()) this.#token ??= store.getItem(key);
    return stores().some((store) => this.#own && store.getItem(this.#own));
  }

  #keep(token) {
    this.#token = token;
    for (const store of stores()) for (const key of this.#keys) {
      try { store.setItem(key, token); } catch { /* full: memory does */ }
    }
  }

  /** fetch() of one of the server's addresses, in this page's name. */
  fetch(url, options = {}) {
    if (!this.#token) return this.get(url, options);
    return this.get(url, {...options, headers: {...options.headers, "X-Virga-Session": this.#token}});
  }
}

let current = null;

/** The session that ask() speaks for. */
export function setSession(session) { current = session; }

/** fetch() in the page's name. */
export function ask(url, options) {
  return current ? current.fetch(url, options) : fetch(url, options);
}

/** Words for people of an answer that refuses: those in its JSON `said`, or `otherwise`. */
export function refusalWords(said, status, otherwise = "The server refused") {
  return sentence(said?.error?.message ?? `${otherwise} (HTTP ${status})`);
}

export function sentence(text) {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
}
