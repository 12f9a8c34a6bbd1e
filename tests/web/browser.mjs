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

/** What goes wrong on a page from now on, in a list that grows: what it throws, and what it says as an error but for what `excused` matches. */
export function complaintsOf(page, excused = null) {
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => { if (message.type() === "error" && !excused?.test(message.text())) complaints.push(message.text()); });
  return complaints;
}
