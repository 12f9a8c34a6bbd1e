// SPDX-License-Identifier: Apache-2.0
// The real server for tests of the page, files for it to show, and the pixels of what it drew.
import {execFileSync, spawn} from "node:child_process";
import {existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync} from "node:fs";
import {tmpdir} from "node:os";
import {dirname, join} from "node:path";
import {fileURLToPath} from "node:url";
import {inflateSync} from "node:zlib";

const TESTS = dirname(dirname(fileURLToPath(import.meta.url)));
export const FORECASTS = join(TESTS, "..", "..", "shared", "forecasts");
const built = process.env.VIRGA ?? join(TESTS, "..", "build", "virga");
export const VIRGA = existsSync(built) ? built : null;
/** Why tests of the real server are skipped, or false. */
export const WITHOUT_VIRGA = VIRGA ? false : "virga is not built (VIRGA names it)";

/** A folder of this test's own; it goes when the process ends. */
export function temporaryFolder() {
  const folder = mkdtempSync(join(tmpdir(), "virga-page-"));
  process.on("exit", () => rmSync(folder, {recursive: true, force: true}));
  return folder;
}

export function demo(folder, size) {
  execFileSync(VIRGA, ["demo", "--out", folder, "--size", size], {stdio: "pipe"});
  return folder;
}

/** Runs Python with numpy, netCDF4 and tests/reference at hand. */
export function python(code, ...values) {
  const head = `import sys, json; sys.path.insert(0, ${JSON.stringify(join(TESTS, "reference"))}); import numpy, netCDF4, make_files\n`;
  return execFileSync("/usr/bin/python3", ["-c", head + code, ...values], {encoding: "utf8", env: {...process.env, PYTHONDONTWRITEBYTECODE: "1"}});
}

/** `virga serve` on a free port, or on `port`. {url, port, stop(signal)}. */
export async function serve(paths, {port = 0, state} = {}) {
  const folder = state ?? temporaryFolder();
  const child = spawn(VIRGA, ["serve", "--listen", `127.0.0.1:${port}`, "--state", join(folder, "state"), ...paths],
    {stdio: ["ignore", "pipe", "pipe"], env: {...process.env, VIRGA_EXPORT_FOREGROUND: "1"}}); // an export that gives way would wait for the other tests
  let words = "";
  child.stderr.on("data", (data) => { words += data; });
  const ended = new Promise((resolve) => child.on("exit", resolve));
  const url = await new Promise((resolve, reject) => {
    let text = "";
    child.stdout.on("data", (data) => {
      const found = /listening on (\S+)/.exec(text += data);
      if (found) resolve(found[1]);
    });
    ended.then((status) => reject(new Error(`virga ended with ${status}: ${words}`)));
  });
  const stop = async (signal = "SIGTERM") => {
    if (child.exitCode === null) child.kill(signal);
    await ended;
    if (/Sanitizer|runtime error/.test(words)) throw new Error(words);
  };
  return {url, port: Number(new URL(url).port), stop};
}

/** A demonstration of two runs in a folder that has the first: {start(options, port) → a server of it, land() and take() the second, takeFirst(), state: its folder}. */
export function landingRuns() {
  const folder = temporaryFolder(), made = demo(join(folder, "made"), "40x32x12x4"), data = join(folder, "data");
  mkdirSync(data);
  const [first, second] = readdirSync(made).filter((name) => name.endsWith(".nc")).sort();
  const move = (name, from, to) => renameSync(join(from, name), join(to, name));
  move(first, made, data);
  return {land: () => move(second, made, data), take: () => move(second, data, made), takeFirst: () => move(first, data, made), state: join(folder, "state"),
    start: (options = [], port = 0) => serve([...options, data], {state: folder, port})};
}

/** A PNG of 8 bits a channel, not interlaced, as browsers write them: {width, height, at(x, y) → [r, g, b]}. */
export function pixels(png) {
  const pieces = [];
  let width = 0, height = 0, channels = 0;
  for (let at = 8; at < png.length;) {
    const length = png.readUInt32BE(at), type = png.toString("latin1", at + 4, at + 8), data = png.subarray(at + 8, at + 8 + length);
    if (type === "IHDR") {
      [width, height, channels] = [data.readUInt32BE(0), data.readUInt32BE(4), {2: 3, 6: 4}[data[9]]];
      if (data[8] !== 8 || !channels || data[12]) throw new Error("not such a PNG");
    } else if (type === "IDAT") pieces.push(data);
    at += 12 + length;
  }
  const raw = inflateSync(Buffer.concat(pieces)), row = width * channels, out = Buffer.alloc(row * height);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (row + 1)];
    for (let x = 0; x < row; x++) {
      const left = x >= channels ? out[y * row + x - channels] : 0, up = y ? out[(y - 1) * row + x] : 0, corner = x >= channels && y ? out[(y - 1) * row + x - channels] : 0;
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter];
      out[y * row + x] = raw[y * (row + 1) + 1 + x] + guess;
    }
  }
  return {width, height, at: (x, y) => [...out.subarray(y * row + x * channels, y * row + x * channels + 3)]};
}

function paeth(a, b, c) {
  const p = a + b - c, [da, db, dc] = [Math.abs(p - a), Math.abs(p - b), Math.abs(p - c)];
  return da <= db && da <= dc ? a : db <= dc ? b : c;
}
