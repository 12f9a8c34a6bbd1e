// SPDX-License-Identifier: Apache-2.0
// Who the reader is to the server (server/PROTOCOL.md, "Who may do what"): asked once, and again after signing in or out. The proof is a cookie
// that no script can read; a token that is pasted goes to the server once and is not kept here.

import {JsonApi} from "./json_api.js";

// A server that knows nothing of this lets everybody look, and says itself what else it refuses.
const UNKNOWN = {name: "", role: null, auth: [], anonymous: true, sign_in: null};
const ASK_AGAIN = 2000; // ms
const WORDS = {401: "The server does not know this token. It may be mistyped, expired or revoked."};

export class Account {
  #api; #asked = -Infinity; // ms: when lookAgain() last asked

  constructor(base) {
    this.#api = new JsonApi(base, "api/", WORDS);
    this.me = UNKNOWN;
  }

  /** Asks who this is; resolves with {name, role, auth, anonymous, sign_in}. Throws where the server does not answer. */
  async load() {
    try {
      this.me = {...UNKNOWN, ...(await this.#api.json("GET", "me"))};
    } catch (error) {
      if (error.status !== 404) throw error;
      this.me = UNKNOWN;
    }
    return this.me;
  }

  /**
   * As load(), where a connection is "lost", which may be because the reader's token has ended, or "open" again, before which this computer may have slept: the
   * server's clock is heard anew. Resolves with whether the server was asked just now, and answered.
   */
  async lookAgain(connected) {
    if ((connected !== "open" && !this.possible) || performance.now() < this.#asked + ASK_AGAIN) return false;
    this.#asked = performance.now();
    return this.load().then(() => true, () => false);
  }

  /** Whether there is a way to sign in, whether somebody has, and whether nothing can be seen without. */
  get possible() { return this.me.auth.some((way) => way !== "none"); }
  get signedIn() { return this.possible && Boolean(this.me.name); }
  get needed() { return this.possible && !this.me.anonymous && !this.me.name; }

  async signIn(token) {
    await this.#api.ask("POST", "login", {headers: {Authorization: `Bearer ${token}`}});
    return this.load();
  }

  async signOut() {
    await this.#api.ask("POST", "logout");
    return this.load();
  }
}
