// SPDX-License-Identifier: Apache-2.0
// Stands in for the server's pins and for who may change them (server/PROTOCOL.md) in tests of the page.

const JSON_TYPE = {"Content-Type": "application/json", "Cache-Control": "no-store"};

/** {pins: [PIN with its view and `past`: [{title, group, view}]], me: as GET /api/me answers, token that signs in, role of who does, refuse: status or 0, pictures: times that one was asked for}. */
export function fakePins() {
  return {pins: [], deleted: [], me: {name: "local", role: "admin", auth: [], anonymous: true, sign_in: null}, token: null, role: "forecaster", refuse: 0, requests: []};
}

export function fakePin(state, more = {}) {
  const number = state.pins.length + state.deleted.length + 1;
  const pin = {id: String(number).padStart(16, "0"), title: `Pin ${number}`, owner: "ada", group: "", position: number, view: null, revision: 1,
    created: "2026-01-01T00:00:00Z", changed: "2026-01-01T00:00:00Z", changed_by: "ada", may: true, live: null, past: [], ...more};
  state.pins.push(pin);
  return pin;
}

const shown = ({past, ...pin}) => pin;
const withoutView = ({past, view, ...pin}) => pin;

/** Another's change, as the server would take it. */
export function changePin(pin, changes, by = "ben") {
  pin.past.push({title: pin.title, group: pin.group, view: pin.view});
  return Object.assign(pin, changes, {revision: pin.revision + 1, changed_by: by});
}

/** name: the path below the base. Returns false where it is none of these. */
export async function answerPins(state, name, request, response) {
  const send = (status, value, headers = {}) => response.writeHead(status, {...JSON_TYPE, ...headers}).end(value === null ? "" : JSON.stringify(value));
  const fail = (status, message, more = {}) => send(status, {error: {status, message}, ...more});
  if (name === "api/me") return send(200, state.me), true;
  if (name === "api/login") return signIn(state, request, send, fail), true;
  if (name === "api/logout") return Object.assign(state.me, {name: null, role: "viewer"}), send(204, null), true;
  if (!/^api\/pins(\/|$)/.test(name)) return false;
  const [, , id, action] = name.split("/"), body = await read(request), deleted = new URL(request.url, "http://x").searchParams.has("deleted");
  state.requests.push([request.method, name, body]);
  if (request.method === "GET" && !id) return send(200, {pins: (deleted ? state.deleted : state.pins).map(withoutView), more: false}), true;
  if (request.method !== "GET" && state.refuse) return fail(state.refuse, state.refuse === 401 ? "sign in first" : "this pin is ada's"), true;
  if (request.method === "POST" && !id) return send(201, shown(fakePin(state, {...body, owner: state.me.name}))), true;
  const pin = state.pins.find((one) => one.id === id) ?? (action === "undo" ? state.deleted.find((one) => one.id === id) : null);
  if (!pin) return fail(404, "there is no such pin"), true;
  if (request.method === "GET") return send(200, action === "history" ? {revision: pin.revision, revisions: historyOf(pin)} : shown(pin)), true;
  if (request.headers["if-match"] !== `"${pin.revision}"`) return fail(412, "the pin was changed meanwhile", {pin: shown(pin)}), true;
  return change(state, pin, request.method, action, body, send), true;
}

function change(state, pin, method, action, body, send) {
  if (method === "DELETE") {
    state.pins.splice(state.pins.indexOf(pin), 1);
    state.deleted.push(Object.assign(pin, {revision: pin.revision + 1, deleted: "2026-01-01T00:00:00Z"}));
    return send(204, null, {ETag: `"${pin.revision}"`});
  }
  if (action === "undo" && pin.deleted) {
    state.deleted.splice(state.deleted.indexOf(pin), 1);
    state.pins.push(pin);
    delete pin.deleted;
    pin.revision++;
  } else if (action === "undo") changePin(pin, pin.past.at(-1), state.me.name);
  else if (action === "restore") changePin(pin, pin.past[body.revision - 1], state.me.name);
  else changePin(pin, body, state.me.name);
  return send(200, shown(pin));
}

const historyOf = (pin) => [...pin.past.map((_, i) => ({revision: i + 1, at: "2026-01-01T00:00:00Z", by: "ada", what: [i ? "title" : "created"]})),
  {revision: pin.revision, at: pin.changed, by: pin.changed_by, what: ["title", "view"]}].reverse();

function signIn(state, request, send, fail) {
  if (request.headers.authorization !== `Bearer ${state.token}`) return fail(401, "this token is not valid");
  Object.assign(state.me, {name: "ada", role: state.role});
  state.refuse = 0;
  return send(200, state.me);
}

async function read(request) {
  let text = "";
  for await (const piece of request) text += piece;
  return text ? JSON.parse(text) : null;
}
