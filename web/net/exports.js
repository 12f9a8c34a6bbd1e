// SPDX-License-Identifier: Apache-2.0
// Exports over HTTP (server/PROTOCOL.md, "Exports"). What fails throws an Error with words for people, and `status`, 0 where no answer came.

import {ask, refusalWords} from "./session.js";

const WORDS = {
  0: "The server does not answer.",
  404: "This server knows nothing of exports, or the export is gone.",
  501: "This server makes no exports.",
};

export class Exports {
  constructor(base) {
    this.base = new URL("api/exports", new URL(base, document.baseURI));
  }

  async list() { return (await this.#ask("GET", "")).json(); }
  async create(view, name) { return (await this.#ask("POST", "", {view, ...(name ? {name} : {})})).json(); }
  async cancel(id) { return (await this.#ask("POST", `/${id}/cancel`)).json(); }
  async remove(id) { await this.#ask("DELETE", `/${id}`); }

  zipUrl(id) { return `${this.base}/${id}/zip`; }
  frameUrl(id, frame) { return `${this.base}/${id}/frames/${frame}`; }

  /** A small picture as a Blob. The server draws one at a time: while it is busy this waits as long as it asks for. */
  async preview(view, {width, time, signal}) {
    for (;;) {
      try {
        return await (await this.#ask("POST", "/preview", {view, width, time}, signal)).blob();
      } catch (error) {
        if (error.status !== 503 || signal.aborted) throw error;
        await new Promise((resolve) => setTimeout(resolve, 1000 * Math.min(10, error.retryAfter || 1)));
        signal.throwIfAborted();
      }
    }
  }

  async #ask(method, path, body, signal) {
    const options = {method, signal, cache: "no-store"};
    if (body !== undefined) Object.assign(options, {body: JSON.stringify(body), headers: {"Content-Type": "application/json"}});
    let answer;
    try {
      answer = await ask(`${this.base}${path}`, options);
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw Object.assign(new Error(WORDS[0]), {status: 0});
    }
    if (answer.ok) return answer;
    throw Object.assign(new Error(await wordsOf(answer)), {status: answer.status, retryAfter: Number(answer.headers.get("Retry-After"))});
  }
}

async function wordsOf(answer) {
  return WORDS[answer.status] ?? refusalWords(await answer.json().catch(() => null), answer.status);
}
