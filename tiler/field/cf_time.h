// SPDX-License-Identifier: Apache-2.0
// CF time: units, calendars, and their text. Seconds are counted from 1970-01-01T00:00:00 in the same calendar (which may
// have no POSIX second), without leap seconds. Pure; any thread.
#ifndef VIRGA_FIELD_CF_TIME_H
#define VIRGA_FIELD_CF_TIME_H

#include <stdbool.h>
#include <stddef.h>

enum cf_calendar {
    CALENDAR_STANDARD,  // Julian before 1582-10-15, Gregorian from then on ("gregorian" is its other name)
    CALENDAR_PROLEPTIC_GREGORIAN, CALENDAR_JULIAN, CALENDAR_NOLEAP, CALENDAR_ALL_LEAP, CALENDAR_360_DAY,
};

enum { CF_TIME_TEXT = 32 };

struct cf_time_units {
    double seconds_per_unit;
    double epoch;   // seconds
    bool absolute;  // numbers are dates themselves: 20051128.5
    enum cf_calendar calendar;
};

// CF name or alias, letter case ignored; NULL and "" mean standard. VIRGA_OK or VIRGA_UNSUPPORTED ("none", unknown).
int cf_calendar_parse(const char *name, enum cf_calendar *calendar);
const char *cf_calendar_name(enum cf_calendar calendar);  // the CF name; static

// "hours since 1970-01-01 00:00:00", "Hour since 2010-10-26T12:00:00+00:00", "hours since 11/15/2006 12:00" (month first,
// unless that cannot be), "days since 01-JAN-1900", "day as %Y%m%d.%f". VIRGA_OK; VIRGA_INVALID; or VIRGA_UNSUPPORTED where
// they count from a year 0 and the calendar has none. Years and months are UDUNITS' (365.242198781 days and a twelfth of
// that) but in calendars whose years are all alike.
int cf_time_units_parse(const char *units, enum cf_calendar calendar, struct cf_time_units *result);
bool cf_time_units_like(const char *units);  // "… since …", "… as %Y…"
bool cf_time_units_uneven(const char *units);  // months or years, whose length people mean differently

// Seconds of a stored number; to the millisecond, and to the whole second within 20 ms of it. NaN stays NaN.
double cf_time_seconds(const struct cf_time_units *units, double value);
// "2009-11-19T10:00:00Z", with ".123" where there are milliseconds. VIRGA_OK or VIRGA_TOO_LARGE beyond the years ±99999.
int cf_time_text(enum cf_calendar calendar, double seconds, char text[CF_TIME_TEXT]);
// The reverse, for a date with or without time and Z or an offset. VIRGA_OK or VIRGA_INVALID.
int cf_time_parse(enum cf_calendar calendar, const char *text, double *seconds);

#endif
