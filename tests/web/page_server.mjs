// SPDX-License-Identifier: Apache-2.0
// Serves the page as the program does, under a strict policy, with the stub in place of the viewer and a catalog of the test's own.
import {readFile} from "node:fs/promises";
import {createServer} from "node:http";
import {extname, join, normalize} from "node:path";
import {fileURLToPath} from "node:url";
import {answerExports} from "./fake_exports.mjs";
import {answerPins, fakePins} from "./fake_pins.mjs";
import {answerTiles} from "./fake_tiles.mjs";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".json": "application/json", ".svg": "image/svg+xml", ".png": "image/png"};
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'";

/** Resolves with {url, catalog (change it at will), requests: [path], failing: Set of paths to answer with 503, exports (of fake_exports.mjs, or null), pins (of fake_pins.mjs), time (what its clock says, ms; null: it does not tell), close()}. */
export async function servePage(catalog, {prefix = "/"} = {}) {
  const state = {catalog, time: null, requests: [], failing: new Set(), table: null, exports: null, pins: fakePins()};
  const server = createServer((request, response) => answer(request, response, state, prefix).catch(() => response.writeHead(500).end()));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  state.url = `http://127.0.0.1:${server.address().port}${prefix}`;
  state.close = () => new Promise((resolve) => {
    server.closeAllConnections();
    server.close(resolve);
  });
  return state;
}

async function answer(request, response, state, prefix) {
  const url = new URL(request.url, "http://x"), path = url.pathname;
  state.requests.push(path);
  response.sendDate = false;
  if (state.time !== null) response.setHeader("Date", new Date(state.time).toUTCString());
  const name = path.slice(prefix.length) || "index.html";
  const send = (status, type, body) => response.writeHead(status, {"Content-Type": type, "Content-Security-Policy": POLICY}).end(body);
  if (!path.startsWith(prefix)) return send(404, "text/plain", "");
  if (state.failing.has(name)) return send(503, "text/plain", "");
  if (name.startsWith("api/exports") && state.exports) return answerExports(state.exports, name.slice("api/exports".length), request, response);
  if (await answerPins(state.pins, name, request, response)) return undefined;
  if (await answerTiles(state, url, decodeURIComponent(name), response, send)) return undefined;
  if (name === "api/catalog") return send(200, TYPES[".json"], JSON.stringify(state.catalog));
  if (/^bricks\/.*\/table$/.test(name)) return state.table ? send(200, "application/octet-stream", state.table) : send(404, "text/plain", "");
  const file = name === "viewer.js" ? "tests/web/stub_viewer.js" : name.startsWith("assets/") ? name : `web/${name}`;
  if (normalize(file) !== file) return send(404, "text/plain", "");
  try {
    return send(200, TYPES[extname(file)] ?? "application/octet-stream", await readFile(join(ROOT, file)));
  } catch {
    return send(404, "text/plain", "");
  }
}
