// SPDX-License-Identifier: Apache-2.0
// What a pin follows, in words; what two views differ in; what is said of runs that come.
import assert from "node:assert/strict";
import {test} from "node:test";
import {differences, meaningNow, pinRules, ruleOf, ruleWords} from "../../web/view/pin_rules.js";
import {runNews, runsNow} from "../../web/view/run_news.js";
import {resolveView} from "../../web/view/view_resolve.js";
import {validateView} from "../../web/view/view_state.js";
import {linkedPin} from "../../web/tools/pin_tool.js";
import {placeBefore, rememberPlace} from "../../web/tools/way_back.js";
import {madeUpCatalog} from "./made_up_catalog.js";

const VIEW = validateView({version: 1, dataset: "demo-uk", time: "T+3", layers: [{variable: "qcl", range: [0, 1e-3]}], camera: {eye: [1.23456, -1400, 950], target: [0, 0, 100]}});
const catalog = madeUpCatalog();

test("the rules of a step: by lead time, by the clock, by valid time, fixed", () => {
  const resolved = resolveView(VIEW, catalog);
  assert.deepEqual(pinRules(resolved, 4).map(({id, run, time}) => [id, run, time]), [["lead", "latest", "T+4"], ["now", "latest", "nearest to now"],
    ["valid", "latest", "2009-11-19T07:00:00Z"], ["fixed", "2009-11-19T03:00:00Z", "2009-11-19T07:00:00Z"]]);
});

test("each rule is told from its view, and said", () => {
  const resolved = resolveView(VIEW, catalog);
  for (const {id, run, time} of pinRules(resolved, 4)) assert.equal(ruleOf({run, time}), id);
  assert.equal(ruleWords({run: "latest", time: "T+6.5"}), "latest run, T+6:30");
  assert.equal(ruleWords({run: "latest", time: "nearest to now"}), "latest run, nearest to now");
  assert.equal(ruleWords({run: "2009-11-19T03:00:00Z", time: "2009-11-19T07:00:00Z"}), "run Thu 19 Nov 03:00 UTC, for Thu 19 Nov 07:00 UTC");
});

test("what a rule means now follows catalog and clock, and says where there is no such step", () => {
  const now = (rule, nowSeconds = 0) => meaningNow(VIEW, {run: "latest", ...rule}, catalog, {nowSeconds});
  assert.equal(now({time: "T+3"}), "Run Thu 19 Nov 03:00 · T+3 · valid Thu 19 Nov 2009 06:00 UTC");
  assert.match(now({time: "nearest to now"}, Date.UTC(2009, 10, 19, 9, 40) / 1000), /T\+7 · valid Thu 19 Nov 2009 10:00/);
  assert.match(now({time: "T+99"}), /T\+36 .*, the nearest there is$/);
  assert.equal(meaningNow({...VIEW, dataset: "gone"}, VIEW, catalog), "");
});

test("views differ in what can be seen of them", () => {
  assert.deepEqual(differences(VIEW, structuredClone(VIEW)), []);
  assert.deepEqual(differences(VIEW, {...VIEW, camera: {...VIEW.camera, eye: [1.23458, -1400, 950]}}), []);
  assert.deepEqual(differences(VIEW, {...VIEW, camera: {...VIEW.camera, eye: [9, -1400, 950]}, time: "T+4"}), ["time", "camera"]);
  assert.deepEqual(differences(VIEW, {...VIEW, layers: [{...VIEW.layers[0], visible: false}]}), ["layers"]);
  assert.deepEqual(differences(VIEW, Object.fromEntries(Object.entries(VIEW).reverse())), []);
  const {camera: _, ...bare} = VIEW;
  assert.deepEqual(differences(VIEW, bare), ["camera"]);
});

test("a run that comes is said: shown where the view follows, offered where it does not", () => {
  const later = structuredClone(catalog), runs = later.datasets[0].runs;
  runs.push({...runs.at(-1), time: "2009-11-19T09:00:00Z"});
  const before = runsNow(resolveView(VIEW, catalog)), fixed = {...VIEW, run: "2009-11-19T03:00:00Z"};
  assert.deepEqual(runNews(before, runsNow(resolveView(VIEW, later)), "latest"), {text: "A new run has arrived and is shown: Thu 19 Nov 09:00 UTC.", newer: false});
  assert.deepEqual(runNews(before, runsNow(resolveView(fixed, later)), fixed.run), {text: "A newer run has come: Thu 19 Nov 09:00 UTC.", newer: true});
  const again = runsNow(resolveView(fixed, later));
  assert.equal(runNews(again, again, fixed.run), null);
  assert.equal(runNews(before, before, "latest"), null);
  assert.equal(runNews(null, before, "latest"), null);
  assert.equal(runNews({...before, dataset: "other"}, before, "latest"), null);
});

test("an address names a pin by its 16 hexadecimal digits, and by nothing else", () => {
  assert.equal(linkedPin("?embed=1&pin=00ff00ff00ff00ff"), "00ff00ff00ff00ff");
  for (const search of ["", "?pin=", "?pin=../x", "?pin=00FF00FF00FF00FF", "?pin=00ff00ff00ff00ff0"]) assert.equal(linkedPin(search), null);
});

test("who signs in elsewhere comes back to where they were, once, soon, and nowhere else", () => {
  const kept = new Map(), store = {getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value), removeItem: (key) => kept.delete(key)};
  const first = {href: "https://x.org/v/", origin: "https://x.org", search: "", hash: ""}, was = {href: "https://x.org/v/?pin=1#v1=a"}, minute = 60000;
  const back = (location = first, now = minute) => placeBefore({location, store, now});
  rememberPlace({location: was, store, now: 0});
  assert.equal(back(), was.href);
  assert.equal(back(), null);
  for (const [location, at, now] of [[{...first, hash: "#v1=b"}, 0, minute], [first, 0, 16 * minute], [{...first, origin: "https://y.org"}, 0, minute], [{...first, href: was.href}, 0, minute]]) {
    rememberPlace({location: was, store, now: at});
    assert.equal(back(location, now), null);
  }
  for (const text of ["", "null", "{}", "[", '{"at": 0, "href": "javascript:alert(1)"}', '{"at": 0, "href": 5}']) {
    kept.set("virga-way-back", text);
    assert.equal(back(), null);
  }
});
