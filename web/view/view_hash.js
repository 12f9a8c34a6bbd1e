// SPDX-License-Identifier: Apache-2.0
// A view in the page's address. Three forms are read, the first is written:
//   #v1=…          raw deflate of the document's JSON, base64url without padding
//   #view={…}      the JSON itself, percent-encoded: for links made by hand and for browsers without CompressionStream
//   #dataset=…&variable=…&variable=…&run=…&time=…&member=…     a short form; the presets give the rest
import {parseView, validateView, VIEW_LIMITS, ViewError} from "./view_state.js";

/** "#…" for a checked view. */
export async function encodeHash(view) {
  const json = JSON.stringify(compact(view));
  if (typeof CompressionStream === "undefined") return `#view=${encodeURIComponent(json)}`;
  const bytes = await through(new TextEncoder().encode(json), new CompressionStream("deflate-raw"), Infinity);
  return `#v1=${toBase64url(bytes)}`;
}

/** The view of an address, or null where it holds none. Throws ViewError where it holds one that is no good. */
export async function decodeHash(hash) {
  const text = hash.replace(/^#/, "");
  if (text === "") return null;
  if (text.startsWith("v1=")) return parseView(await inflate(text.slice(3)));
  if (text.startsWith("view=")) return parseView(percentDecode(text.slice(5)));
  return fromParameters(new URLSearchParams(text));
}

function fromParameters(parameters) {
  const dataset = parameters.get("dataset");
  if (dataset === null) return null;
  const value = {version: 1, dataset, layers: parameters.getAll("variable").map((variable) => ({variable}))};
  for (const name of ["run", "time"]) if (parameters.has(name)) value[name] = parameters.get(name).replace(/^T /, "T+");
  if (parameters.has("member")) value.member = Number(parameters.get("member"));
  const {exaggeration: _, ...view} = validateView(value);
  return view; // the page chooses a height that suits the dataset
}

/** Text of an address. Throws ViewError. */
export function percentDecode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new ViewError("view", "the address is cut off or mistyped");
  }
}

async function inflate(text) {
  try {
    const bytes = await through(fromBase64url(text), new DecompressionStream("deflate-raw"), VIEW_LIMITS.bytes + 1);
    return new TextDecoder("utf-8", {fatal: true}).decode(bytes);
  } catch (error) {
    if (error instanceof ViewError) throw error;
    throw new ViewError("view", "the address is cut off or mistyped");
  }
}

// Bytes through a stream, at most `limit` of them, so that a small address cannot ask for much memory.
async function through(bytes, stream, limit) {
  const source = new Blob([bytes]).stream().pipeThrough(stream).getReader();
  const pieces = [];
  let length = 0;
  for (let piece = await source.read(); !piece.done; piece = await source.read()) {
    length += piece.value.length;
    if (length > limit) {
      await source.cancel();
      throw new ViewError("view", `longer than ${VIEW_LIMITS.bytes} bytes`);
    }
    pieces.push(piece.value);
  }
  return new Uint8Array(await new Blob(pieces).arrayBuffer());
}

function toBase64url(bytes) {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

function fromBase64url(text) {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (c) => c.charCodeAt(0));
}

/** A view without what is the default, and without digits that nobody sees: metres of a camera, millionths of an opacity. */
export function compact(view) {
  const {camera, ...rest} = view;
  const result = {...rest, layers: view.layers.map(({visible, shading, ...layer}) => ({
    ...layer,
    ...(layer.opacity ? {opacity: layer.opacity.map(([value, opacity]) => [Number(value.toPrecision(7)), Number(opacity.toFixed(6))])} : {}),
    ...(visible === false ? {visible} : {}),
    ...(shading === false ? {shading} : {}),
  }))};
  if (camera) {
    const round = (vector) => vector.map((number) => Number(number.toFixed(3)));
    const eye = round(camera.eye);
    const target = round(camera.target);
    const distinct = eye.some((number, i) => number !== target[i]);
    result.camera = {...camera, eye: distinct ? eye : camera.eye, target: distinct ? target : camera.target, up: camera.up.map((n) => Number(n.toFixed(5)))};
  }
  return result;
}
