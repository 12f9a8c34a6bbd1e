// SPDX-License-Identifier: Apache-2.0
// Times: every CF calendar, and the units that files in the wild carry.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/status.h"
#include "field/cf_time.h"

static void check(const char *calendar_name, const char *text, double value, const char *iso, double seconds) {
    enum cf_calendar calendar;
    struct cf_time_units units;
    char out[CF_TIME_TEXT];
    double back;
    assert_int_equal(cf_calendar_parse(calendar_name, &calendar), VIRGA_OK);
    assert_int_equal(cf_time_units_parse(text, calendar, &units), VIRGA_OK);
    double s = cf_time_seconds(&units, value);
    assert_int_equal(cf_time_text(calendar, s, out), VIRGA_OK);
    if (strcmp(out, iso) != 0 || s != seconds) fail_msg("%s, %g %s: %s (%.3f) instead of %s (%.3f)", calendar_name, value, text, out, s, iso, seconds);
    assert_int_equal(cf_time_parse(calendar, iso, &back), VIRGA_OK);
    assert_true(back == seconds);
}

// Computed with cftime 1.6.2: num2date and date2num for each calendar.
static void test_every_calendar_agrees_with_cftime(void **state) {
    static const struct { const char *calendar, *units; double value; const char *iso; double seconds; } table[] = {
        {"standard", "days since 1970-01-01", 10957.25, "2000-01-01T06:00:00Z", 946706400},
        {"standard", "hours since 1900-01-01 00:00:0.0", 1023108, "2016-09-18T12:00:00Z", 1474200000},
        {"standard", "days since 1582-10-04", 1, "1582-10-15T00:00:00Z", -12219292800},
        {"standard", "days since 2000-02-28", 2, "2000-03-01T00:00:00Z", 951868800},
        {"standard", "seconds since 2001-03-01 12:30:15", -216000.0, "2001-02-27T00:30:15Z", 983233815},
        {"standard", "days since 0001-01-01", 700000, "1917-07-14T00:00:00Z", -1655769600},
        {"standard", "days since 1500-02-28", 1, "1500-02-29T00:00:00Z", -14825894400},
        {"proleptic_gregorian", "days since 1970-01-01", 10957.25, "2000-01-01T06:00:00Z", 946706400},
        {"proleptic_gregorian", "hours since 1900-01-01 00:00:0.0", 1023108, "2016-09-18T12:00:00Z", 1474200000},
        {"proleptic_gregorian", "days since 1582-10-04", 1, "1582-10-05T00:00:00Z", -12220156800},
        {"proleptic_gregorian", "days since 2000-02-28", 2, "2000-03-01T00:00:00Z", 951868800},
        {"proleptic_gregorian", "seconds since 2001-03-01 12:30:15", -216000.0, "2001-02-27T00:30:15Z", 983233815},
        {"proleptic_gregorian", "days since 0001-01-01", 700000, "1917-07-16T00:00:00Z", -1655596800},
        {"proleptic_gregorian", "days since 1500-02-28", 1, "1500-03-01T00:00:00Z", -14826672000},
        {"julian", "days since 1970-01-01", 10957.25, "2000-01-01T06:00:00Z", 946706400},
        {"julian", "hours since 1900-01-01 00:00:0.0", 1023108, "2016-09-17T12:00:00Z", 1474113600},
        {"julian", "days since 1582-10-04", 1, "1582-10-05T00:00:00Z", -12220416000},
        {"julian", "days since 2000-02-28", 2, "2000-03-01T00:00:00Z", 951868800},
        {"julian", "seconds since 2001-03-01 12:30:15", -216000.0, "2001-02-27T00:30:15Z", 983233815},
        {"julian", "days since 0001-01-01", 700000, "1917-07-01T00:00:00Z", -1656892800},
        {"julian", "days since 1500-02-28", 1, "1500-02-29T00:00:00Z", -14827017600},
        {"noleap", "days since 1970-01-01", 10957.25, "2000-01-08T06:00:00Z", 946706400},
        {"noleap", "hours since 1900-01-01 00:00:0.0", 1023108, "2016-10-17T12:00:00Z", 1475668800},
        {"noleap", "days since 1582-10-04", 1, "1582-10-05T00:00:00Z", -12212035200},
        {"noleap", "days since 2000-02-28", 2, "2000-03-02T00:00:00Z", 951264000},
        {"noleap", "seconds since 2001-03-01 12:30:15", -216000.0, "2001-02-27T00:30:15Z", 982542615},
        {"noleap", "days since 0001-01-01", 700000, "1918-10-23T00:00:00Z", -1614384000},
        {"noleap", "days since 1500-02-28", 1, "1500-03-01T00:00:00Z", -14816822400},
        {"all_leap", "days since 1970-01-01", 10957.25, "1999-12-09T06:00:00Z", 946706400},
        {"all_leap", "hours since 1900-01-01 00:00:0.0", 1023108, "2016-06-22T12:00:00Z", 1469620800},
        {"all_leap", "days since 1582-10-04", 1, "1582-10-05T00:00:00Z", -12245472000},
        {"all_leap", "days since 2000-02-28", 2, "2000-03-01T00:00:00Z", 953856000},
        {"all_leap", "seconds since 2001-03-01 12:30:15", -216000.0, "2001-02-28T00:30:15Z", 985307415},
        {"all_leap", "days since 0001-01-01", 700000, "1913-07-27T00:00:00Z", -1784505600},
        {"all_leap", "days since 1500-02-28", 1, "1500-02-29T00:00:00Z", -14857430400},
        {"360_day", "days since 1970-01-01", 10957.25, "2000-06-08T06:00:00Z", 946706400},
        {"360_day", "hours since 1900-01-01 00:00:0.0", 1023108, "2018-05-30T12:00:00Z", 1505908800},
        {"360_day", "days since 1582-10-04", 1, "1582-10-05T00:00:00Z", -12044678400},
        {"360_day", "days since 2000-02-28", 2, "2000-02-30T00:00:00Z", 938217600},
        {"360_day", "seconds since 2001-03-01 12:30:15", -216000.0, "2001-02-29T00:30:15Z", 969237015},
        {"360_day", "days since 0001-01-01", 700000, "1945-06-11T00:00:00Z", -763776000},
        {"360_day", "days since 1500-02-28", 1, "1500-02-29T00:00:00Z", -14613868800},
    };
    (void)state;
    for (size_t n = 0; n < sizeof table / sizeof *table; n++) check(table[n].calendar, table[n].units, table[n].value, table[n].iso, table[n].seconds);
}

static void test_odd_units_are_understood(void **state) {
    (void)state;
    check("proleptic_gregorian", "Hour since 2010-10-26T12:00:00+00:00", 6, "2010-10-26T18:00:00Z", 1288116000);
    check("", "hours since 11/15/2006 12:00", 12, "2006-11-16T00:00:00Z", 1163635200);
    check("", "hours since 25/12/2006 12:00", 12, "2006-12-26T00:00:00Z", 1167091200);
    check("gregorian", "Hour since 2009-07-30T00:00:00Z", 240, "2009-08-09T00:00:00Z", 1249776000);
    check("standard", "minutes since 2020-01-01 06:00 -6:00", 30, "2020-01-01T12:30:00Z", 1577881800);
    check("standard", "s since 20200101", 1, "2020-01-01T00:00:01Z", 1577836801);
    check("standard", "days since 1970-1-1", 0.5, "1970-01-01T12:00:00Z", 43200);
    check("standard", "seconds since 1970-01-01 00:00:00.0 UTC", 0.25, "1970-01-01T00:00:00.250Z", 0.25);
    check("standard", "seconds since 1970-01-01 00:00:00.0 0:00", 1767229200, "2026-01-01T01:00:00Z", 1767229200);  // wgrib2's
    check("standard", "hours since 1970-01-01 00:00 5:30", 6, "1970-01-01T00:30:00Z", 1800);
    check("360_day", "months since 2000-01-30", 1, "2000-02-30T00:00:00Z", 938217600);
}

// A third of an hour as a double is no whole number of seconds times anything, but its time is.
static void test_rounding_gives_whole_seconds(void **state) {
    struct cf_time_units units;
    (void)state;
    assert_int_equal(cf_time_units_parse("days since 1900-01-01", CALENDAR_STANDARD, &units), VIRGA_OK);
    for (int minute = 0; minute < 1440; minute += 7) {
        double seconds = cf_time_seconds(&units, 43000 + minute / 1440.0);
        assert_true(seconds == -2208988800.0 + 43000 * 86400.0 + minute * 60.0);
    }
}

static void test_nonsense_is_refused(void **state) {
    static const char *const bad[] = {"", "hours", "hours since", "hours since yesterday", "parsecs since 2000-01-01", "hours since 2000-13-01",
                                      "hours since 2000-02-30", "hours since 2000-01-01 25:00", "hours since 2000-01-01 00:00 extra",
                                      "hours since 99999999999-01-01", "since 2000-01-01", "hours  since\x01 2000-01-01"};
    struct cf_time_units units;
    enum cf_calendar calendar;
    char text[CF_TIME_TEXT];
    (void)state;
    for (size_t n = 0; n < sizeof bad / sizeof *bad; n++)
        if (cf_time_units_parse(bad[n], CALENDAR_STANDARD, &units) != VIRGA_INVALID) fail_msg("\"%s\" was taken", bad[n]);
    assert_int_equal(cf_calendar_parse("none", &calendar), VIRGA_UNSUPPORTED);
    assert_int_equal(cf_time_text(CALENDAR_STANDARD, NAN, text), VIRGA_TOO_LARGE);
    assert_int_equal(cf_time_text(CALENDAR_STANDARD, 1e300, text), VIRGA_TOO_LARGE);
    assert_int_equal(cf_time_units_parse("days since 2000-01-01", CALENDAR_STANDARD, &units), VIRGA_OK);
    assert_true(isnan(cf_time_seconds(&units, INFINITY)));
    assert_true(isnan(cf_time_seconds(&units, 1e30)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_calendar_agrees_with_cftime),
        cmocka_unit_test(test_odd_units_are_understood),
        cmocka_unit_test(test_rounding_gives_whole_seconds),
        cmocka_unit_test(test_nonsense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
