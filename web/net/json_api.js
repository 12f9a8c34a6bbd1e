// SPDX-License-Identifier: Apache-2.0
// One part of the server's HTTP interface that speaks JSON.

import {heardTime} from "../view/clock.js";
import {ask, refusalWords} from "./session.js";

const NO_ANSWER = "The server does not answer.";

export class JsonApi {
  /** path: of this part, below the base; words: status → words for people that say more than the server's own. */
  constructor(base, path, words = {}) {
    this.base = new URL(path, new URL(base, document.baseURI));
    this.words = words;
  }

  /**
   * The answer, if it is a good one. Else throws an Error with words for people, `status` (0 where no answer came), `said` (its JSON or null) and
   * `retryAfter` (seconds or NaN); an AbortError when `signal` ended it.
   */
  async ask(method, path, {body, headers = {}, signal, cache = "no-store"} = {}) {
    const options = {method, signal, cache, headers};
    if (body !== undefined) Object.assign(options, {body: JSON.stringify(body), headers: {...headers, "Content-Type": "application/json"}});
    let answer;
    try {
      answer = await ask(`${this.base}${path}`, options);
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw Object.assign(new Error(NO_ANSWER), {status: 0, said: null, retryAfter: NaN});
    }
    heardTime(Date.parse(answer.headers.get("Date"))); // nothing here comes out of a cache
    if (answer.ok) return answer;
    const said = await answer.json().catch(() => null), {status} = answer, after = answer.headers.get("Retry-After");
    throw Object.assign(new Error(this.words[status] ?? refusalWords(said, status)), {status, said, retryAfter: after === null ? NaN : Number(after)});
  }

  /** The JSON of a good answer. */
  async json(method, path, options) { return (await this.ask(method, path, options)).json(); }
}
