// SPDX-License-Identifier: Apache-2.0
// Files for tests of maps, and pictures of them held against an independent reprojection (tests/reference/map_check.py).
import {execFileSync} from "node:child_process";
import {mkdirSync} from "node:fs";
import {dirname, join} from "node:path";
import {fileURLToPath} from "node:url";
import {python} from "./virga_server.mjs";

const REFERENCE = join(dirname(dirname(fileURLToPath(import.meta.url))), "reference");

/** {name of a grid of make_maps.py: path of a forecast on it} in a folder, which is made. */
export function makeMaps(folder) {
  mkdirSync(folder, {recursive: true});
  return JSON.parse(python("import make_maps, pathlib; print(json.dumps({name: str(path) for name, path in make_maps.every(pathlib.Path(sys.argv[1])).items()}))", folder));
}

/** asks: see map_check.py. [{wrong: share, message: "" where it agrees}]. */
export function checkPictures(asks) {
  const said = execFileSync("/usr/bin/python3", [join(REFERENCE, "map_check.py")], {encoding: "utf8", input: asks.map((ask) => `${JSON.stringify(ask)}\n`).join(""), env: {...process.env, PYTHONDONTWRITEBYTECODE: "1"}});
  return said.trim().split("\n").map((line) => JSON.parse(line));
}
