// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import {test} from "node:test";
import {formatLead, formatTime, isoToSeconds, leadHours, parseIso} from "../../web/view/times.js";

test("a time is in words, in UTC, and says so", () => {
  assert.equal(formatTime("2009-11-19T10:00:00Z"), "Thu 19 Nov 2009 10:00 UTC");
  assert.equal(formatTime("2009-11-19T10:00:30Z"), "Thu 19 Nov 2009 10:00:30 UTC");
});

test("words do not depend on where the reader is", () => {
  const before = process.env.TZ;
  process.env.TZ = "Pacific/Auckland";
  assert.equal(formatTime("2009-11-19T23:30:00Z"), "Thu 19 Nov 2009 23:30 UTC");
  process.env.TZ = before ?? "";
});

test("another calendar is named and has no weekday", () => {
  assert.equal(formatTime("2049-02-30T00:00:00Z", "360_day"), "30 Feb 2049 00:00 UTC (360-day calendar)");
  assert.equal(formatTime("2049-02-28T00:00:00Z", "noleap"), "28 Feb 2049 00:00 UTC (365-day calendar)");
});

test("seconds count in each calendar", () => {
  assert.equal(isoToSeconds("1970-01-02T00:00:00Z"), 86400);
  assert.equal(isoToSeconds("2009-11-19T10:00:00Z"), Date.parse("2009-11-19T10:00:00Z") / 1000);
  assert.equal(isoToSeconds("1971-01-01T00:00:00Z", "360_day"), 360 * 86400);
  assert.equal(isoToSeconds("1973-03-01T00:00:00Z", "noleap"), (3 * 365 + 59) * 86400);
  assert.equal(isoToSeconds("1971-03-01T00:00:00Z", "all_leap"), (366 + 60) * 86400);
  assert.equal(isoToSeconds("1972-03-01T00:00:00Z", "julian") - isoToSeconds("1972-02-28T00:00:00Z", "julian"), 2 * 86400);
  assert.equal(isoToSeconds("1900-03-01T00:00:00Z", "julian") - isoToSeconds("1900-02-28T00:00:00Z", "julian"), 2 * 86400);
});

// cftime 1.6.2: date2num(…, "seconds since 1970-01-01") in each calendar.
test("the standard calendar is Julian before 15 October 1582", () => {
  assert.equal(isoToSeconds("1582-10-15T00:00:00Z") - isoToSeconds("1582-10-04T00:00:00Z"), 86400);
  assert.equal(isoToSeconds("1500-03-01T00:00:00Z"), -14825808000);
  assert.equal(isoToSeconds("1500-03-01T00:00:00Z", "proleptic_gregorian"), -14826672000);
  assert.equal(isoToSeconds("1500-03-01T00:00:00Z") - isoToSeconds("1500-02-29T00:00:00Z"), 86400);
  assert.equal(formatTime("1582-10-04T00:00:00Z"), "Thu 4 Oct 1582 00:00 UTC");
  assert.equal(formatTime("1582-10-15T00:00:00Z"), "Fri 15 Oct 1582 00:00 UTC");
});

test("lead times", () => {
  assert.equal(formatLead(leadHours("2009-11-19T03:00:00Z", "2009-11-19T10:00:00Z")), "T+7");
  assert.equal(formatLead(7.5), "T+7:30");
  assert.equal(formatLead(-3), "T−3");
  assert.equal(formatLead(null), "");
  assert.equal(leadHours("2049-02-28T00:00:00Z", "2049-03-01T00:00:00Z", "360_day"), 72);
});

test("what is no time is none", () => {
  assert.equal(parseIso("2009-13-01T00:00:00Z"), null);
  assert.equal(parseIso("yesterday"), null);
  assert.ok(Number.isNaN(isoToSeconds("yesterday")));
});
