// SPDX-License-Identifier: Apache-2.0
// Pins over HTTP (server/PROTOCOL.md, "Pins"). A pin is {id, title, owner, group, position, view, revision, …}. What fails throws the Errors of
// JsonApi; of a pin that somebody else changed meanwhile (412) the Error has `pin`, as it is now.

import {JsonApi} from "./json_api.js";

const WORDS = {
  401: "Sign in to make and change pins.",
  404: "There is no such pin, or it was deleted.",
};

export class Pins {
  #api;

  constructor(base) {
    this.root = new URL(base, document.baseURI);
    this.#api = new JsonApi(base, "api/pins", WORDS);
  }

  /** All there are, without their views. */
  async list({deleted = false} = {}) {
    const pins = [];
    for (let before = null, more = true; more;) {
      const query = new URLSearchParams({...(deleted ? {deleted: 1} : {}), ...(before ? {before} : {})}).toString();
      const page = await this.#api.json("GET", query ? `?${query}` : "");
      pins.push(...page.pins);
      more = Boolean(page.more) && before !== page.pins.at(-1)?.id;
      before = page.pins.at(-1)?.id;
    }
    return pins;
  }

  get(id) { return this.#api.json("GET", `/${id}`); }
  history(id) { return this.#api.json("GET", `/${id}/history`); }

  /** pin: {title, group, position, view}. */
  create(pin) { return this.#api.json("POST", "", {body: pin}); }
  /** pin: as it was read, with the changes; fails with 412 where its revision is no longer the newest. */
  update({id, revision, title, group, position, view}) { return this.#change("PUT", `/${id}`, revision, {title, group, position, view}); }

  /** Resolves with the revision that the deletion is: undo() of that brings the pin back. */
  async remove({id, revision}) {
    const answer = await this.#send("DELETE", `/${id}`, revision);
    return Number(answer.headers.get("ETag")?.replaceAll('"', "")) || revision + 1;
  }

  /** Back to the revision before; of a deleted pin: it is there again. */
  undo({id, revision}) { return this.#change("POST", `/${id}/undo`, revision, {}); }
  restore({id, revision}, wanted) { return this.#change("POST", `/${id}/restore`, revision, {revision: wanted}); }

  /** Addresses: of the link to give away, of the picture as it is now, and of one that never changes (`key` of the pin's `live`). */
  linkUrl(id) { return new URL(`pin/${id}`, this.root).href; }
  pictureUrl(id, {width, format = "jpg"} = {}) { return new URL(`pin/${id}.${format}${width ? `?width=${width}` : ""}`, this.root).href; }
  thumbnailUrl(id, key) { return new URL(`pin/${id}/${key}.jpg`, this.root).href; }

  async #change(...order) { return (await this.#send(...order)).json(); }

  async #send(method, path, revision, body) {
    try {
      return await this.#api.ask(method, path, {body, headers: {"If-Match": `"${revision}"`}});
    } catch (error) {
      if (error.status === 412) Object.assign(error, {pin: error.said?.pin, message: `${error.said?.pin?.changed_by || "Somebody"} changed this pin meanwhile.`});
      throw error;
    }
  }
}
