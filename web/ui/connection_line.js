// SPDX-License-Identifier: Apache-2.0
// How the connection to the server is: a line in the panel, and a message over the picture when it is lost.

const WORDS = {connecting: "connecting …", open: "connected", lost: "connection lost"};

/** page: {messages, hasPicture(): something is on screen, reconnect()}. {update(detail of the viewer's "connection", everOpen)} */
export function createConnectionLine(element, {messages, hasPicture, reconnect}) {
  /** everOpen: there has been a websocket; without, and with data on screen, a proxy lets none through, and that is no lost connection. */
  function update({state, message, transport, retryAt}, everOpen) {
    const plain = state !== "open" && !everOpen && transport === "http" && hasPicture();
    const overHttp = plain || (state === "open" && transport === "http");
    element.dataset.state = plain ? "open" : state;
    element.textContent = overHttp ? "connected over HTTP" : WORDS[state] ?? state;
    element.title = plain ? "No websocket gets through: data comes by single requests, and new runs appear on reload." : "";
    if (plain) messages.clear("connection");
    else if (state === "lost") {
      messages.show("connection", {kind: "warning", title: "Connection lost.", text: message || "What is here stays on screen.",
        countdown: retryAt ?? 0, closable: false, action: {label: "Try now", run: reconnect}});
    } else if (state === "open" && messages.has("connection")) {
      messages.show("connection", {text: "Connected again.", seconds: 3});
    }
  }

  return {update};
}
