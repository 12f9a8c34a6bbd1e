// SPDX-License-Identifier: Apache-2.0
// Exports over HTTP (server/PROTOCOL.md, "Exports"). What fails throws the Errors of JsonApi.

import {JsonApi} from "./json_api.js";

const WORDS = {
  404: "This server knows nothing of exports, or the export is gone.",
  501: "This server makes no exports.",
};

export class Exports {
  #api;

  constructor(base) { this.#api = new JsonApi(base, "api/exports", WORDS); }

  list() { return this.#api.json("GET", ""); }
  create(view, name) { return this.#api.json("POST", "", {body: {view, ...(name ? {name} : {})}}); }
  cancel(id) { return this.#api.json("POST", `/${id}/cancel`); }
  async remove(id) { await this.#api.ask("DELETE", `/${id}`); }

  zipUrl(id) { return `${this.#api.base}/${id}/zip`; }
  frameUrl(id, frame) { return `${this.#api.base}/${id}/frames/${frame}`; }

  /** A small picture as a Blob. The server draws one at a time: while it is busy this waits as long as it asks for. */
  async preview(view, {width, time, signal}) {
    for (;;) {
      try {
        return await (await this.#api.ask("POST", "/preview", {body: {view, width, time}, signal})).blob();
      } catch (error) {
        if (error.status !== 503 || signal.aborted) throw error;
        await new Promise((resolve) => setTimeout(resolve, 1000 * Math.min(10, error.retryAfter || 1)));
        signal.throwIfAborted();
      }
    }
  }
}
