// SPDX-License-Identifier: Apache-2.0
// Tests in a real browser, each with a page of its own that may complain of nothing.
import assert from "node:assert/strict";
import {after, afterEach, before, test} from "node:test";
import {complaintsOf, launchBrowser} from "./browser.mjs";

/** Of the test that runs: its page, and what that has complained of, from which a test takes what it expects. */
export let page = null, complaints = [];

/**
 * inPage(name, body, skip), a test for each call. Of all of them: `skip`, why none can run, `excused`, what is no complaint (see complaintsOf), `flags`, the browser's, and the
 * page's context as Browser.newContext has it. They are skipped, too, where there is no browser.
 */
export function pageTests({skip: none = false, excused = null, flags = undefined, ...context}) {
  let browser = null;
  before(async () => { browser = none ? null : await launchBrowser(flags); });
  after(() => browser?.close());
  afterEach(async () => {
    await page?.context().close();
    page = null;
  });
  return (name, body, skip = false) => test(name, async (t) => {
    const why = none || !browser && "no Chromium at /usr/bin/chromium" || skip;
    if (why) return t.skip(why);
    page = await (await browser.newContext(context)).newPage();
    complaints = complaintsOf(page, excused);
    await body(t);
    assert.deepEqual(complaints, []);
  });
}
