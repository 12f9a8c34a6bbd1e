// SPDX-License-Identifier: Apache-2.0
// Times in the CF calendars: ISO text to seconds since 1970-01-01 in that calendar, and to words for people. Always UTC.

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const STARTS_365 = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
const PATTERN = /^(-?[0-9]{4,6})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]+))?)?Z$/;

const CALENDAR_NAMES = {
  "360_day": "360-day calendar",
  noleap: "365-day calendar",
  "365_day": "365-day calendar",
  all_leap: "366-day calendar",
  "366_day": "366-day calendar",
  julian: "Julian calendar",
};

/** Words for a calendar that is not the everyday one, else "". */
export function calendarName(calendar) {
  if (isStandardCalendar(calendar)) return "";
  return CALENDAR_NAMES[calendar] ?? `${calendar} calendar`;
}

export function isStandardCalendar(calendar) {
  return !calendar || ["standard", "gregorian", "proleptic_gregorian"].includes(calendar);
}

/** {year, month (1–12), day, hour, minute, second} of an ISO time, or null where the text is none. */
export function parseIso(iso) {
  const parts = PATTERN.exec(iso ?? "");
  if (!parts) return null;
  const [year, month, day, hour, minute] = parts.slice(1, 6).map(Number);
  const second = Number(parts[6] ?? 0) + Number(`0.${parts[7] ?? 0}`);
  if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 24 || minute > 59 || second >= 61) return null;
  return {year, month, day, hour, minute, second};
}

/** Seconds since 1970-01-01T00:00Z counted in the calendar; NaN where the text is no time. */
export function isoToSeconds(iso, calendar = "standard") {
  const time = parseIso(iso);
  if (!time) return NaN;
  return dayNumber(time, calendar) * 86400 + time.hour * 3600 + time.minute * 60 + time.second;
}

function dayNumber({year, month, day}, calendar) {
  switch (calendar) {
    case "360_day":
      return (year - 1970) * 360 + (month - 1) * 30 + day - 1;
    case "noleap":
    case "365_day":
      return (year - 1970) * 365 + STARTS_365[month - 1] + day - 1;
    case "all_leap":
    case "366_day":
      return (year - 1970) * 366 + STARTS_365[month - 1] + (month > 2 ? 1 : 0) + day - 1;
    case "julian":
      return julianDay(year, month, day) - julianDay(1970, 1, 1);
    case "proleptic_gregorian":
      return gregorianDay(year, month, day);
    default: // Julian before 15 October 1582, which followed the 4th
      return year * 10000 + month * 100 + day < 15821015
        ? julianDay(year, month, day) - julianDay(1582, 10, 5) + gregorianDay(1582, 10, 15)
        : gregorianDay(year, month, day);
  }
}

function gregorianDay(year, month, day) {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return Math.round(date.getTime() / 86400000);
}

function julianDay(year, month, day) {
  const leap = ((year % 4) + 4) % 4 === 0 && month > 2 ? 1 : 0;
  return 365 * year + Math.floor((year + 3) / 4) + STARTS_365[month - 1] + leap + day;
}

function two(number) {
  return String(number).padStart(2, "0");
}

function clock(time) {
  const seconds = Math.floor(time.second);
  return `${two(time.hour)}:${two(time.minute)}${seconds > 0 ? `:${two(seconds)}` : ""}`;
}

function weekday(time, calendar) {
  return DAYS[(((dayNumber(time, calendar) + 4) % 7) + 7) % 7]; // 1 January 1970 was a Thursday
}

/** "Thu 19 Nov 2009 10:00 UTC"; other calendars have no weekday and are named. The text itself where it is no time. */
export function formatTime(iso, calendar = "standard") {
  const time = parseIso(iso);
  if (!time) return String(iso ?? "");
  const day = `${time.day} ${MONTHS[time.month - 1]} ${time.year} ${clock(time)} UTC`;
  return isStandardCalendar(calendar) ? `${weekday(time, calendar)} ${day}` : `${day} (${calendarName(calendar)})`;
}

/** "Thu 19 Nov 10:00", for lists and axes beside which the year stands. */
export function formatTimeShort(iso, calendar = "standard") {
  const time = parseIso(iso);
  if (!time) return String(iso ?? "");
  const day = `${time.day} ${MONTHS[time.month - 1]}`;
  return `${isStandardCalendar(calendar) ? `${weekday(time, calendar)} ` : ""}${day} ${clock(time)}`;
}

/** "10:00", or "Thu 19 Nov" where `day` is asked for. */
export function formatTick(iso, calendar, day) {
  const time = parseIso(iso);
  if (!time) return "";
  if (!day) return clock(time);
  return `${isStandardCalendar(calendar) ? `${weekday(time, calendar)} ` : ""}${time.day} ${MONTHS[time.month - 1]}`;
}

/** "T+7", "T+7:30", "T−3"; "" where there is no lead time. */
export function formatLead(hours) {
  if (hours === null || hours === undefined || !Number.isFinite(hours)) return "";
  const sign = hours < 0 ? "−" : "+";
  const minutes = Math.round(Math.abs(hours) * 60);
  const rest = minutes % 60;
  return `T${sign}${Math.floor(minutes / 60)}${rest ? `:${two(rest)}` : ""}`;
}

/** Lead time in hours from a run to a valid time; null where either is no time. */
export function leadHours(runIso, timeIso, calendar = "standard") {
  const hours = (isoToSeconds(timeIso, calendar) - isoToSeconds(runIso, calendar)) / 3600;
  return Number.isFinite(hours) ? hours : null;
}
