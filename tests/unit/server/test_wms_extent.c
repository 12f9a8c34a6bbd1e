// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "field/cf_time.h"
#include "server/wms_extent.h"

enum { ROOM = 4096, HOUR = 3600 };

static struct catalog_time at(double seconds) {
    struct catalog_time time = {.seconds = seconds};
    assert_int_equal(cf_time_text(CALENDAR_STANDARD, seconds, time.iso), VIRGA_OK);
    return time;
}

static void expect(const double *seconds, size_t count, const char *wanted) {
    struct catalog_time times[64] = {{.seconds = 0}};
    for (size_t n = 0; n < count; n++) times[n] = at(seconds[n]);
    char *text = wms_extent_times(times, count, ROOM);
    assert_string_equal(text, wanted);
    free(text);
}

static void test_regular_times_are_an_interval(void **state) {
    (void)state;
    expect((double[]){0, HOUR, 2 * HOUR, 3 * HOUR}, 4, "1970-01-01T00:00:00Z/1970-01-01T03:00:00Z/PT1H");
    expect((double[]){0, HOUR}, 2, "1970-01-01T00:00:00Z,1970-01-01T01:00:00Z");
    expect((double[]){0}, 1, "1970-01-01T00:00:00Z");
    expect(NULL, 0, "");
}

static void test_another_step_begins_another_interval(void **state) {
    (void)state;
    const double h = HOUR;
    expect((double[]){0, h, 2 * h, 3 * h, 6 * h, 9 * h, 12 * h, 15 * h, 99 * h}, 9,
           "1970-01-01T00:00:00Z/1970-01-01T03:00:00Z/PT1H,1970-01-01T06:00:00Z/1970-01-01T15:00:00Z/PT3H,1970-01-05T03:00:00Z");
}

static void test_a_hundred_thousand_times_stay_small(void **state) {
    (void)state;
    enum { MANY = 100000 };
    struct catalog_time *times = calloc(MANY, sizeof *times);
    for (size_t n = 0; n < MANY; n++) times[n] = at(600.0 * (double)n);
    char *text = wms_extent_times(times, MANY, ROOM);
    assert_string_equal(text, "1970-01-01T00:00:00Z/1971-11-26T10:30:00Z/PT10M");
    free(text);
    for (size_t n = 0; n < MANY; n++) times[n] = at(600.0 * (double)n + (double)(n * n % 7));  // nothing about it is regular
    text = wms_extent_times(times, MANY, ROOM);
    assert_string_equal(text, "1970-01-01T00:00:00Z/1971-11-26T10:30:02Z/0");
    free(text);
    free(times);
}

static void test_numbers(void **state) {
    (void)state;
    char *text = wms_extent_numbers((double[]){0, 1, 2, 3, 4}, 5);
    assert_string_equal(text, "0/4/1");
    free(text);
    text = wms_extent_numbers((double[]){1000, 925, 850, 700}, 4);
    assert_string_equal(text, "1000,925,850,700");
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_regular_times_are_an_interval),
        cmocka_unit_test(test_another_step_begins_another_interval),
        cmocka_unit_test(test_a_hundred_thousand_times_stay_small),
        cmocka_unit_test(test_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
