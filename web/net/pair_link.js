// SPDX-License-Identifier: Apache-2.0
// A websocket of its own between a screen and its remotes (server/PROTOCOL.md, "Paired screens"). It comes back by itself: a screen asks for a new
// code then, a remote shows its key.

const DELAYS = [300, 600, 1200, 2500, 5000, 10000], ALIVE_MS = 60000;

/**
 * on, each optional: link(open), code(text, seconds), refused(words), remotes([{index, name, here}]), joined(index, key), unpaired(),
 * steered(index, bytes) of a screen, told(bytes) of a remote. `socket` makes a websocket; tests have another.
 */
export class PairLink {
  #on; #make; #socket = null; #open = false; #closed = false; #tries = 0; #timer = 0; #alive = 0; #greeting = null;

  constructor(on, {base = document.baseURI, socket = (address) => new WebSocket(address, "virga.1")} = {}) {
    this.#on = on;
    const address = new URL("ws", base);
    address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
    this.#make = () => socket(address);
    this.#connect();
    this.#alive = setInterval(() => this.#say({type: "ping", id: 0}), ALIVE_MS);
  }

  get open() { return this.#open; }

  /** Asks for a code, another each time; and again whenever the connection came back. */
  offer() { this.#greet({type: "pair"}); }

  /** Joins the screen that shows a code of four digits. */
  join(code, name) {
    this.#greeting = null; // a code serves once
    this.#say({type: "pair", code, name});
  }

  /** Comes back by the key that joined() told. */
  comeBack(key) { this.#greet({type: "pair", key}); }

  /** Ends the pairing; the connection stays. */
  end() {
    this.#greeting = null;
    this.#say({type: "pair", end: true});
  }

  /** Sends bytes to the other side, unless what was sent before is still waiting here; returns whether it did. */
  send(bytes) {
    if (!this.#open || this.#socket.bufferedAmount) return false;
    this.#socket.send(bytes);
    return true;
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
    clearInterval(this.#alive);
    this.#socket?.close(1000);
  }

  #greet(message) {
    this.#greeting = message;
    this.#say(message);
  }

  #say(message) {
    if (this.#open) this.#socket.send(JSON.stringify(message));
  }

  #connect() {
    const socket = this.#socket = this.#make();
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({data}) => (typeof data === "string" ? this.#text(data) : this.#bytes(new Uint8Array(data)));
    socket.onclose = () => this.#lost();
  }

  #lost() {
    if (this.#closed) return;
    if (this.#open) this.#on.link?.(false);
    this.#open = false;
    this.#timer = setTimeout(() => this.#connect(), DELAYS[Math.min(this.#tries++, DELAYS.length - 1)]);
  }

  #text(data) {
    const message = JSON.parse(data);
    switch (message.type) {
    case "hello":
      this.#open = true;
      this.#tries = 0;
      if (this.#greeting) this.#say(this.#greeting);
      this.#on.link?.(true);
      break;
    case "pair": this.#pair(message); break;
    case "paired":
      if (message.key) this.#greeting = {type: "pair", key: message.key};
      this.#on.joined?.(message.index, message.key ?? this.#greeting?.key);
      break;
    case "unpaired":
      this.#greeting = null;
      this.#on.unpaired?.();
      break;
    case "remotes": this.#on.remotes?.(message.remotes); break;
    default: break; // what else a page is told
    }
  }

  #pair({code, seconds, refused}) {
    if (code) return this.#on.code?.(code, seconds);
    if (this.#greeting?.key) this.#greeting = null;
    this.#on.refused?.(refused);
  }

  #bytes(bytes) {
    const mark = String.fromCharCode(...bytes.subarray(0, 4));
    if (mark === "VREM") this.#on.steered?.(bytes[4], bytes.subarray(8));
    if (mark === "VSCR") this.#on.told?.(bytes.subarray(8));
  }
}
