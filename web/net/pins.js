// SPDX-License-Identifier: Apache-2.0
// Pins over HTTP (server/PROTOCOL.md, "Pins"). A pin is {id, title, owner, group, position, view, revision, …}. What fails throws an Error with words
// for people and `status`, 0 where no answer came; of a pin that somebody else changed meanwhile (412) also `pin`, as it is now.

import {ask, refusalWords} from "./session.js";

const WORDS = {
  0: "The server does not answer.",
  401: "Sign in to make and change pins.",
  404: "There is no such pin, or it was deleted.",
};

export class Pins {
  constructor(base) {
    this.root = new URL(base, document.baseURI);
    this.base = new URL("api/pins", this.root);
  }

  /** All there are, without their views. */
  async list({deleted = false} = {}) {
    const pins = [];
    for (let before = null, more = true; more;) {
      const query = new URLSearchParams({...(deleted ? {deleted: 1} : {}), ...(before ? {before} : {})});
      const page = await this.#json("GET", query.size ? `?${query}` : "");
      pins.push(...page.pins);
      before = page.pins.at(-1)?.id;
      more = Boolean(page.more) && before !== undefined;
    }
    return pins;
  }

  get(id) { return this.#json("GET", `/${id}`); }
  history(id) { return this.#json("GET", `/${id}/history`); }

  /** pin: {title, group, position, view}. */
  create(pin) { return this.#json("POST", "", pin); }
  /** pin: as it was read, with the changes; fails with 412 where its revision is no longer the newest. */
  update(pin) {
    const {title, group, position, view} = pin;
    return this.#json("PUT", `/${pin.id}`, {title, group, position, view}, pin.revision);
  }

  async remove({id, revision}) { await this.#ask("DELETE", `/${id}`, undefined, revision); }
  /** Back to the revision before; of a deleted pin: it is there again. */
  undo({id, revision}) { return this.#json("POST", `/${id}/undo`, {}, revision); }
  restore({id, revision}, wanted) { return this.#json("POST", `/${id}/restore`, {revision: wanted}, revision); }

  /** Addresses: of the link to give away, of the picture as it is now, and of one that never changes (`key` of the pin's `live`). */
  linkUrl(id) { return new URL(`pin/${id}`, this.root).href; }
  pictureUrl(id, {width, format = "jpg"} = {}) { return new URL(`pin/${id}.${format}${width ? `?width=${width}` : ""}`, this.root).href; }
  thumbnailUrl(id, key) { return new URL(`pin/${id}/${key}.jpg`, this.root).href; }

  async #json(...request) { return (await this.#ask(...request)).json(); }

  async #ask(method, path, body, revision) {
    const options = {method, cache: "no-store", headers: {}};
    if (body !== undefined) Object.assign(options, {body: JSON.stringify(body), headers: {"Content-Type": "application/json"}});
    if (revision !== undefined) options.headers["If-Match"] = `"${revision}"`;
    let answer;
    try {
      answer = await ask(`${this.base}${path}`, options);
    } catch {
      throw Object.assign(new Error(WORDS[0]), {status: 0});
    }
    if (answer.ok) return answer;
    const said = await answer.json().catch(() => null);
    const words = answer.status === 412 ? `${said?.pin?.changed_by || "Somebody"} changed this pin meanwhile.` : WORDS[answer.status] ?? refusalWords(said, answer.status);
    throw Object.assign(new Error(words), {status: answer.status, pin: said?.pin});
  }
}
