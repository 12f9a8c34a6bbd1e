// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "field/cf_time.h"
#include "server/ogc_query.h"

static void heights_are_lists_ranges_and_repeats(void **state) {
    (void)state;
    struct ogc_heights h;
    assert_int_equal(ogc_heights_parse("", &h, NULL), VIRGA_OK);
    assert_int_equal(h.kind, OGC_HEIGHTS_NONE);
    assert_int_equal(ogc_heights_parse("500", &h, NULL), VIRGA_OK);
    assert_true(h.kind == OGC_HEIGHTS_LIST && h.count == 1 && h.values[0] == 500);
    assert_int_equal(ogc_heights_parse("-10,2.5e2,1000", &h, NULL), VIRGA_OK);
    assert_true(h.count == 3 && h.values[0] == -10 && h.values[1] == 250 && h.values[2] == 1000);
    assert_int_equal(ogc_heights_parse("100/550", &h, NULL), VIRGA_OK);
    assert_true(h.kind == OGC_HEIGHTS_RANGE && h.values[0] == 100 && h.values[1] == 550);
    assert_int_equal(ogc_heights_parse("R20/100/50", &h, NULL), VIRGA_OK);
    assert_true(h.kind == OGC_HEIGHTS_LIST && h.count == 20 && h.values[0] == 100 && h.values[19] == 1050);
    static const char *const bad[] = {"x", "1,", ",1", "1,,2", "1/2/3", "2/1", "/1", "1/", "R/1/2", "R0/1/2", "R1.5/1/2", "R257/0/1", "R-1/0/1", "R3/1", "nan", "inf", "0x10", "1e9",
                                      "5m", "1 2", "R1e99/0/1", "..", "all"};
    for (size_t n = 0; n < sizeof bad / sizeof *bad; n++)
        if (ogc_heights_parse(bad[n], &h, NULL) != VIRGA_INVALID) fail_msg("\"%s\" was taken", bad[n]);
    char many[3000] = "1";
    for (int n = 0; n < OGC_HEIGHTS; n++) strcat(many, ",1");
    assert_int_equal(ogc_heights_parse(many, &h, NULL), VIRGA_INVALID);
}

static void steps_are_those_of_the_instant_or_interval(void **state) {
    (void)state;
    struct catalog_time times[6];
    struct catalog_series series = {.present = true, .time_count = 6, .times = times};
    const struct catalog_variable variable = {.calendar = (char[]){"standard"}};
    for (int t = 0; t < 6; t++) {
        snprintf(times[t].iso, sizeof times[t].iso, "2026-01-01T%02d:00:00Z", t);
        cf_time_parse(CALENDAR_STANDARD, times[t].iso, &times[t].seconds);
    }
    static const struct { const char *text; size_t first, count; } cases[] = {
        {"", 0, 6}, {"2026-01-01T02:00:00Z", 2, 1}, {"2026-01-01T02:30:00Z", 0, 0}, {"2026-01-01T01:00:00Z/2026-01-01T03:30:00Z", 1, 3}, {"../2026-01-01T01:00:00Z", 0, 2},
        {"2026-01-01T04:00:00Z/..", 4, 2}, {"2026-01-01T04:00:00Z/", 4, 2}, {"../..", 0, 6}, {"2027-01-01T00:00:00Z/..", 0, 0}, {"2026-01-01T03:00:00Z/2026-01-01T01:00:00Z", 0, 0}};
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
        struct ogc_datetime datetime;
        size_t first, count;
        assert_int_equal(ogc_datetime_parse(cases[n].text, &datetime, NULL), VIRGA_OK);
        assert_int_equal(ogc_datetime_steps(&datetime, &variable, &series, &first, &count, NULL), VIRGA_OK);
        if (count != cases[n].count || (count && first != cases[n].first)) fail_msg("%s: %zu from %zu", cases[n].text, count, first);
    }
    static const char *const bad[] = {"yesterday", "2026-01-01T00:00:00Z/x", "a/b/c", "2026-01-01T00:00:00Z/2026-01-02T00:00:00Z/PT1H", "20260101200000000000000000000000000000000000000000000000000"};
    for (size_t n = 0; n < sizeof bad / sizeof *bad; n++) {
        struct ogc_datetime datetime;
        size_t first, count;
        int status = ogc_datetime_parse(bad[n], &datetime, NULL);
        if (!status) status = ogc_datetime_steps(&datetime, &variable, &series, &first, &count, NULL);
        if (status != VIRGA_INVALID) fail_msg("\"%s\" was taken", bad[n]);
    }
}

static void boxes_are_read_and_meet(void **state) {
    (void)state;
    double box[4];
    bool said;
    assert_int_equal(ogc_box_parse("", &said, box, NULL), VIRGA_OK);
    assert_false(said);
    assert_int_equal(ogc_box_parse("-10,50,5.5,60", &said, box, NULL), VIRGA_OK);
    assert_true(said && box[0] == -10 && box[1] == 50 && box[2] == 5.5 && box[3] == 60);
    assert_int_equal(ogc_box_parse("-10,50,0,5.5,60,1000", &said, box, NULL), VIRGA_OK);
    assert_true(box[2] == 5.5 && box[3] == 60);
    static const char *const bad[] = {"1", "1,2,3", "1,2,3,4,5", "1,2,3,4,5,6,7", "1,2,3,", ",1,2,3,4", "a,b,c,d", "1,60,2,50", "1,2,3,91", "1,2,3000,4", "1,2,3,4 "};
    for (size_t n = 0; n < sizeof bad / sizeof *bad; n++)
        if (ogc_box_parse(bad[n], &said, box, NULL) != VIRGA_INVALID) fail_msg("\"%s\" was taken", bad[n]);
    const double uk[4] = {-10, 49, 5, 61}, fiji[4] = {170, -20, 190, -10}, over[4] = {175, -15, -175, -12}, south[4] = {-180, -90, 180, -60}, globe[4] = {0, -90, 360, 90};
    assert_true(ogc_boxes_meet(fiji, over) && ogc_boxes_meet(over, fiji) && ogc_boxes_meet(globe, uk) && ogc_boxes_meet(uk, globe));
    assert_true(ogc_boxes_meet((const double[4]){200, 0, -200, 1}, (const double[4]){-180, -90, 180, 90}));
    assert_false(ogc_boxes_meet(uk, fiji) || ogc_boxes_meet(uk, south) || ogc_boxes_meet(fiji, south));
}

static void systems_and_formats_are_those_on_offer(void **state) {
    (void)state;
    assert_int_equal(ogc_crs_check("", NULL), VIRGA_OK);
    assert_int_equal(ogc_crs_check("crs84", NULL), VIRGA_OK);
    assert_int_equal(ogc_crs_check("http://www.opengis.net/def/crs/OGC/1.3/CRS84", NULL), VIRGA_OK);
    assert_int_equal(ogc_crs_check("EPSG:4326", NULL), VIRGA_INVALID);
    assert_int_equal(ogc_crs_check("+proj=longlat", NULL), VIRGA_INVALID);
    assert_int_equal(ogc_format_check("json", "CoverageJSON json", NULL), VIRGA_OK);
    assert_int_equal(ogc_format_check("coveragejson", "CoverageJSON json", NULL), VIRGA_OK);
    assert_int_equal(ogc_format_check("js", "CoverageJSON json", NULL), VIRGA_INVALID);
    assert_int_equal(ogc_format_check("CoverageJSON json", "CoverageJSON json", NULL), VIRGA_INVALID);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heights_are_lists_ranges_and_repeats),
        cmocka_unit_test(steps_are_those_of_the_instant_or_interval),
        cmocka_unit_test(boxes_are_read_and_meet),
        cmocka_unit_test(systems_and_formats_are_those_on_offer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
