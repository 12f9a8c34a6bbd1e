// SPDX-License-Identifier: Apache-2.0
// The export dialog of the page that is tested: its controls by their names, and what it says.
import {page} from "./page_tests.mjs";

export const label = (words) => page.locator("dialog[open]").getByLabel(words, {exact: true});
export const says = (selector, pattern) => page.waitForFunction(([place, source]) => new RegExp(source).test(document.querySelector(place)?.textContent ?? ""), [selector, pattern.source]);
export const start = () => page.click(".export-side .primary");
