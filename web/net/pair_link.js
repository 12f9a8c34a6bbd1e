// SPDX-License-Identifier: Apache-2.0
// A websocket of its own between a screen and its remotes (server/PROTOCOL.md, "Paired screens"). It comes back by itself: a screen asks for a new
// code then, a remote shows its key.
import {TextSocket} from "./text_socket.js";

const ALIVE_MS = 60000; // well below the server's idle-seconds

/**
 * on, each optional: link(open), code(text, seconds), refused(words), remotes([{index, name, here}]), joined(index, key), unpaired(),
 * steered(index, bytes) of a screen, told(bytes) of a remote. make: a websocket's maker, for tests.
 */
export class PairLink {
  #on; #socket; #alive; #greeting = null;

  constructor(base, on, {make} = {}) {
    this.#on = on;
    this.#socket = new TextSocket(base, {
      onOpen: (send) => { if (this.#greeting) send(this.#greeting); },
      onMessage: (message) => this.#take(message),
      onBytes: (bytes) => this.#takeBytes(bytes),
      onState: (state) => on.link?.(state === "open"),
    }, make ? {make} : {});
    this.#alive = setInterval(() => this.#socket.send({type: "ping", id: 0}), ALIVE_MS);
  }

  /** Asks for a code, another each time; and again whenever the connection came back. */
  offer() { this.#greet({type: "pair"}); }

  /** Joins the screen that shows a code of four digits. False: there is no connection. */
  join(code, name) {
    this.#greeting = null; // a code serves once
    return this.#socket.send({type: "pair", code, name});
  }

  /** Comes back by the key that joined() told, now and whenever the connection came back. */
  comeBack(key) { this.#greet({type: "pair", key}); }

  /** Ends the pairing; the connection stays. */
  end() {
    this.#greeting = null;
    this.#socket.send({type: "pair", end: true});
  }

  /** Sends bytes to the other side; false where they have to be sent again, as there is no connection or a slow one. */
  send(bytes) { return this.#socket.sendBytes(bytes); }

  close() {
    clearInterval(this.#alive);
    this.#socket.close();
  }

  #greet(message) {
    this.#greeting = message;
    this.#socket.send(message);
  }

  #take(message) {
    switch (message.type) {
    case "pair": this.#takePair(message); break;
    case "paired": this.#takeJoined(message); break;
    case "unpaired":
      this.#greeting = null;
      this.#on.unpaired?.();
      break;
    case "remotes": this.#on.remotes?.(message.remotes); break;
    default: break; // what else a page is told
    }
  }

  #takePair({code, seconds, refused}) {
    if (code) return this.#on.code?.(code, seconds);
    if (this.#greeting?.key) this.#greeting = null;
    this.#on.refused?.(refused);
  }

  #takeJoined({index, key = this.#greeting?.key}) {
    this.#greeting = {type: "pair", key};
    this.#on.joined?.(index, key);
  }

  #takeBytes(bytes) {
    const mark = String.fromCharCode(...bytes.subarray(0, 4));
    if (mark === "VREM") this.#on.steered?.(bytes[4], bytes.subarray(8));
    else if (mark === "VSCR") this.#on.told?.(bytes.subarray(8));
  }
}
