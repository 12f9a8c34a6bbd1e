// SPDX-License-Identifier: Apache-2.0
// When a step that lands is on screen: a connected page in headless Chromium that always goes to its last step, as a forecaster does who waits for it.
//
//   node tests/bench/page_live.mjs URL     (used by bench_live.py)
//
// Prints one JSON line a step that came on screen: {"iso": valid time, "run": ISO, "at": wall clock in ms, when the picture with it was drawn}, and
// {"rests": "RUN VALID"} when that is no longer improved; after a first one with "open": true when the page shows something.
import {FLAGS} from "../web/page.mjs";
import {chromium} from "../web/node_modules/playwright-core/index.mjs";

const browser = await chromium.launch({executablePath: process.env.VIRGA_CHROMIUM || "/usr/bin/chromium", args: FLAGS});
const page = await browser.newPage({viewport: {width: 1280, height: 720}});
await page.exposeFunction("report", (line) => process.stdout.write(`${JSON.stringify(line)}\n`));
await page.goto(process.argv[2]);
await page.waitForFunction(() => window.virga?.state.shown, null, {timeout: 120000});
await page.evaluate(() => {
  const {viewer, state} = window.virga;
  let wanted = "";
  const goToLast = () => {
    const {resolved} = state, key = resolved ? `${resolved.run.time} ${resolved.times.at(-1)}` : "";
    if (key && key !== wanted) {
      wanted = key;
      window.dispatchEvent(new KeyboardEvent("keydown", {key: "End", bubbles: true}));
    }
    requestAnimationFrame(goToLast);
  };
  viewer.addEventListener("step", ({detail}) => {
    const {iso, run} = detail;
    requestAnimationFrame(() => requestAnimationFrame(() => window.report({iso, run: run.time, at: Date.now()})));
    viewer.settled(60000).then(() => window.report({rests: `${run.time} ${iso}`}));
  });
  goToLast();
  window.report({open: true});
});
process.stdin.resume();
process.stdin.on("end", async () => { await browser.close(); process.exit(0); });
