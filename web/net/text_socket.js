// SPDX-License-Identifier: Apache-2.0
// The server's websocket for a page that only wants to be told things (server/PROTOCOL.md, "Websocket"): texts, no bricks. It comes back by itself.
//
// handlers: onOpen(send) after each hello, which is when to say what is wanted; onMessage(message); onBytes(Uint8Array), optional; onState("open" | "lost", words).

const FIRST_DELAY = 400, LONGEST_DELAY = 15000, PATIENT_TRIES = 75;

export class TextSocket {
  #attempts = 0;
  #closed = false;
  #socket = null;
  #timer = 0;

  constructor(base, handlers, {session = null, make = (address) => new WebSocket(address, "virga.1")} = {}) {
    this.address = new URL("ws", new URL(base, document.baseURI));
    this.address.protocol = this.address.protocol === "https:" ? "wss:" : "ws:";
    this.handlers = handlers;
    this.session = session;
    this.make = make;
    this.#connect();
  }

  /** False while there is no connection: what was wanted is said again by onOpen. */
  send(message) {
    if (this.#socket?.readyState !== 1) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  /** False, too, while what was sent before still waits here. */
  sendBytes(bytes) {
    if (this.#socket?.readyState !== 1 || this.#socket.bufferedAmount) return false;
    this.#socket.send(bytes);
    return true;
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#socket?.close(1000);
  }

  #connect() {
    const socket = this.make(this.address);
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({data}) => (typeof data === "string" ? this.#take(data) : this.handlers.onBytes?.(new Uint8Array(data)));
    socket.onclose = (event) => { if (this.#socket === socket && !this.#closed) this.#lost(event.reason); };
  }

  #take(data) {
    let message;
    try { message = JSON.parse(data); } catch { return; }
    if (message.type !== "hello") return this.handlers.onMessage(message);
    this.#attempts = 0;
    if (this.session?.token) this.send({type: "user", session: this.session.token});
    this.handlers.onState("open", "Connected");
    this.handlers.onOpen((wanted) => this.send(wanted));
  }

  // A server that restarts is found at once; one that stays away is asked ever less often.
  #lost(reason) {
    const delay = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** Math.max(0, this.#attempts - PATIENT_TRIES)) * (0.75 + Math.random() / 2);
    this.#attempts++;
    this.handlers.onState("lost", reason ? `Connection lost: ${reason}` : "Connection lost");
    this.#timer = setTimeout(() => this.#connect(), delay);
  }
}
