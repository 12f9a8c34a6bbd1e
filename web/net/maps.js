// SPDX-License-Identifier: Apache-2.0
// Map tiles of the server (server/PROTOCOL.md, "Maps"): where they are, the tiles themselves, and the value at a place.
import {decodeValues} from "../flat/value_tile.js";
import {ask, refusalWords} from "./session.js";

const TRIES = 6, LONGEST_WAIT = 8;  // a server that is busy says when to come again; seconds
const DEEP = 20;                    // a zoom at which a pixel is no part of any column
const KEPT = 400;

/** what: {dataset, variable, run, time, member, level, style}, texts, those that are "" or null are not said. */
export class Maps {
  #facts = new Map(); // address → promise

  constructor(base) { this.base = new URL(base, document.baseURI); }

  #address(what, rest, more) {
    const {dataset, variable, ...said} = what, url = new URL(`tiles/${encodeURIComponent(dataset)}/${encodeURIComponent(variable)}/${rest}`, this.base);
    for (const [name, value] of Object.entries({...said, ...more})) if (value !== null && value !== undefined && value !== "") url.searchParams.set(name, value);
    return url.href;
  }

  /** The TileJSON of a layer, asked for once. Throws Error with words for people and `status`. */
  facts(what) {
    const url = this.#address(what, "tilejson.json");
    if (!this.#facts.has(url)) {
      const promise = fetched(url).then((answer) => answer.json());
      promise.catch(() => this.#facts.delete(url));
      this.#facts.set(url, promise);
      if (this.#facts.size > KEPT) this.#facts.delete(this.#facts.keys().next().value);
    }
    return this.#facts.get(url);
  }

  /** What is known of layers is asked about again: files may have changed. */
  forget() { this.#facts.clear(); }

  /** What with the edition that it is made of now, so that its tiles never change; as it is where the server names none. */
  async fixed(what) {
    const {tiles = []} = await this.facts(what);
    return {...what, edition: tiles.length ? new URL(tiles[0], this.base).searchParams.get("edition") : null};
  }

  /** One tile, a Blob. `tile`: {z, x, y, dense (twice the pixels), lonlat (else Mercator)}. */
  async tile(what, {z, x, y, dense = false, lonlat = false}, signal) {
    const url = this.#address(what, `${z}/${x}/${y}.png`, {size: dense ? 512 : null, scale: dense ? 2 : null, tms: lonlat ? "WorldCRS84Quad" : null});
    return (await fetched(url, signal)).blob();
  }

  /** The values of a tile: {width, height, values: Float64Array, NaN where missing}. */
  async values(what, {z, x, y}, signal) {
    const asked = {...what, style: "values"}, {virga} = await this.facts(asked);
    return decodeValues(await this.tile(asked, {z, x, y}, signal), virga);
  }

  /** The value at a place, of the model's own columns; NaN where it is missing. */
  async valueAt(what, {lat, lon}, signal) {
    const side = 2 ** DEEP, turned = ((((lon + 180) % 360) + 360) % 360) / 360, phi = (lat * Math.PI) / 180;
    const x = turned * side, y = ((1 - Math.asinh(Math.tan(phi)) / Math.PI) / 2) * side;
    const column = Math.min(side - 1, Math.floor(x)), row = Math.min(side - 1, Math.max(0, Math.floor(y)));
    const {width, height, values} = await this.values(what, {z: DEEP, x: column, y: row}, signal);
    return values[Math.min(height - 1, Math.max(0, Math.floor((y - row) * height))) * width + Math.min(width - 1, Math.floor((x - column) * width))];
  }
}

// A good answer. One that says to come again is asked again.
async function fetched(url, signal) {
  for (let tries = 1; ; tries++) {
    let answer;
    try {
      answer = await ask(url, {signal});
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw Object.assign(new Error("The server does not answer."), {status: 0});
    }
    if (answer.ok) return answer;
    const after = Number(answer.headers.get("Retry-After") ?? NaN);
    if (answer.status !== 503 || tries >= TRIES || !(after >= 0)) {
      const said = await answer.json().catch(() => null);
      throw Object.assign(new Error(refusalWords(said, answer.status)), {status: answer.status});
    }
    await wait(1000 * Math.min(LONGEST_WAIT, Math.max(0.2, after)) * (0.75 + Math.random() / 2), signal);
  }
}

function wait(ms, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => { clearTimeout(timer); reject(new DOMException("", "AbortError")); }, {once: true});
  });
}
