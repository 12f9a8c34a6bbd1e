// SPDX-License-Identifier: Apache-2.0
// Map tiles of a made-up field, as server/PROTOCOL.md, "Maps", has them: for tests of the flat map without the server.
import {deflateSync} from "node:zlib";

const DATA = [-180, 180, -70, 70]; // west, east, south, north: beyond it all is missing
export const VALUES = {offset: 200, scale: 1 / 65536};

/** The field: degrees and a name of what is shown → a number from 240 to 300. */
export function fakeValue(lon, lat, salt) {
  return 270 + 20 * Math.sin((lon * Math.PI) / 60 + salt) * Math.cos((lat * Math.PI) / 90) + 10 * Math.sin((lat * Math.PI) / 40 + salt / 3);
}

/** A number for the step and surface of a query, so that they look different. */
export const saltOf = (query) => (Date.parse(query.get("time") ?? "1970-01-01T00:00:00Z") / 3600e3) % 97 / 6 + [...(query.get("level") ?? "")].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) / 50;

function chunk(type, data) {
  const out = Buffer.alloc(12 + data.length);
  out.writeUInt32BE(data.length, 0);
  out.write(type, 4, "latin1");
  data.copy(out, 8);
  out.writeUInt32BE(crc(out.subarray(4, 8 + data.length)), 8 + data.length);
  return out;
}

function crc(bytes) {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return (sum ^ 0xffffffff) >>> 0;
}

/** A PNG of size × size; at(x, y) → [r, g, b, a]. */
export function png(size, at) {
  const rows = Buffer.alloc(size * (1 + 4 * size));
  for (let y = 0; y < size; y++) for (let x = 0; x < size; x++) rows.set(at(x, y), y * (1 + 4 * size) + 1 + 4 * x);
  const head = Buffer.alloc(13);
  head.writeUInt32BE(size, 0);
  head.writeUInt32BE(size, 4);
  head.set([8, 6, 0, 0, 0], 8);
  return Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), chunk("IHDR", head),
    chunk("IDAT", deflateSync(rows, {level: 1})), chunk("IEND", Buffer.alloc(0))]);
}

function pixel(style, value) {
  if (Number.isNaN(value)) return [0, 0, 0, 0];
  if (style.startsWith("values")) {
    const number = Math.round((value - VALUES.offset) / VALUES.scale);
    return [number >> 16, (number >> 8) & 255, number & 255, 255];
  }
  const share = Math.min(1, Math.max(0, (value - 240) / 60));
  if (style.startsWith("contours")) return Math.abs(((value + 2.5) % 5) - 2.5) < 0.25 ? [20, 20, 20, 255] : [0, 0, 0, 0];
  return style.startsWith("fill") ? [Math.round(255 * share), Math.round(180 - 300 * Math.abs(share - 0.5)), Math.round(255 * (1 - share)), 255] : [0, 0, 0, 0];
}

/** Answers what begins with tiles/; false where that is something else. state.queries takes the tiles' queries; state.tileAnswer(query), if set, may give {status, headers, body} in place of one, and state.tileWait() a promise to wait for. */
export async function answerTiles(state, url, name, response, send) {
  const found = /^tiles\/([^/]+)\/([^/]+)\/(?:(tilejson\.json)|(\d+)\/(\d+)\/(\d+)\.png)$/.exec(name);
  if (!found) return false;
  const [, dataset, variable, json, ...place] = found, query = url.searchParams, edition = `e${[...`${variable}${query.get("time")}`].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 99991, 7)}`;
  if (json) {
    send(200, "application/json", JSON.stringify({tilejson: "3.0.0", tiles: [`${url.origin}/tiles/${dataset}/${variable}/{z}/{x}/{y}.png?${query}&edition=${edition}`], bounds: [DATA[0], DATA[2], DATA[1], DATA[3]], virga: {...VALUES, style: `${query.get("style")};interval=5`}}));
    return true;
  }
  (state.queries ??= []).push(query);
  await state.tileWait?.();
  const instead = state.tileAnswer?.(query);
  if (instead) {
    response.writeHead(instead.status, {"Content-Type": "application/json", ...instead.headers}).end(instead.body ?? "");
    return true;
  }
  const [z, x, y] = place.map(Number), size = Number(query.get("size") ?? 256), lonlat = query.get("tms") === "WorldCRS84Quad", salt = saltOf(query), style = query.get("style") ?? "fill";
  const at = (column, row) => {
    const u = (x + (column + 0.5) / size) / 2 ** z, v = (y + (row + 0.5) / size) / 2 ** z;
    const lon = lonlat ? 180 * u - 180 : 360 * u - 180, lat = lonlat ? 90 - 180 * v : (Math.atan(Math.sinh(Math.PI * (1 - 2 * v))) * 180) / Math.PI;
    return pixel(style, lat > DATA[2] && lat < DATA[3] ? fakeValue(lon, lat, salt) : NaN);
  };
  send(200, "image/png", png(size, at));
  return true;
}
