// SPDX-License-Identifier: Apache-2.0
// Debian's Chromium, drawing in software. Resolves with null where it is not installed.
import {existsSync} from "node:fs";

const PATH = process.env.VIRGA_CHROMIUM ?? "/usr/bin/chromium";

export const FLAGS = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync"];

export async function launchBrowser(flags = FLAGS) {
  if (!existsSync(PATH)) return null;
  const {chromium} = await import("playwright-core");
  return chromium.launch({executablePath: PATH, headless: true, args: flags});
}
