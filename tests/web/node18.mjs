// SPDX-License-Identifier: Apache-2.0
// What the page has from its browser and Debian 12's Node.js 18 lacks: modules in packages that do not declare themselves as such,
// and raw deflate streams. Loaded before each test with --import.
import module from "node:module";
import {Duplex} from "node:stream";
import {createDeflateRaw, createInflateRaw} from "node:zlib";

const hooks = `import {readFile} from "node:fs/promises";
export async function load(url, context, next) {
  if (!url.includes("/node_modules/fflate/esm/")) return next(url, context);
  return {format: "module", shortCircuit: true, source: await readFile(new URL(url))};
}`;
module.register?.(`data:text/javascript,${encodeURIComponent(hooks)}`);

const raw = (create) => class {
  constructor() { Object.assign(this, Duplex.toWeb(create())); }
};
try {
  new CompressionStream("deflate-raw");
} catch {
  globalThis.CompressionStream = raw(createDeflateRaw);
  globalThis.DecompressionStream = raw(createInflateRaw);
}
