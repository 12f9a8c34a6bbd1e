// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server/ogc_wkt.h"

static struct ogc_wkt parse(const char *text, enum ogc_wkt_kind kind, size_t count) {
    struct ogc_wkt wkt;
    struct failure failure = {0};
    if (ogc_wkt_parse(text, 100, &wkt, &failure)) fail_msg("\"%s\": %s", text, failure.message);
    assert_int_equal(wkt.kind, kind);
    assert_int_equal(wkt.count, count);
    return wkt;
}

static void points_and_lines_are_read(void **state) {
    (void)state;
    struct ogc_wkt wkt = parse("POINT(-3.5 50.25)", OGC_WKT_POINT, 1);
    assert_true(wkt.places[0].x == -3.5 && wkt.places[0].y == 50.25 && isnan(wkt.places[0].z) && isnan(wkt.places[0].m));
    ogc_wkt_destroy(&wkt);
    wkt = parse(" point z ( +1 2e1 -3.E-1 ) ", OGC_WKT_POINT, 1);
    assert_true(wkt.has_z && !wkt.has_m && wkt.places[0].y == 20 && wkt.places[0].z == -0.3);
    ogc_wkt_destroy(&wkt);
    wkt = parse("MULTIPOINT((1 2),( 3 4 ))", OGC_WKT_MULTIPOINT, 2);
    assert_true(wkt.places[1].x == 3);
    ogc_wkt_destroy(&wkt);
    wkt = parse("MultiPoint(1 2,3 4,5 6)", OGC_WKT_MULTIPOINT, 3);
    assert_true(wkt.places[2].y == 6);
    ogc_wkt_destroy(&wkt);
    wkt = parse("LINESTRINGM(1 2 1560507000,3 4 1560510600)", OGC_WKT_LINESTRING, 2);
    assert_true(wkt.has_m && !wkt.has_z && wkt.places[1].m == 1560510600 && isnan(wkt.places[1].z));
    ogc_wkt_destroy(&wkt);
    wkt = parse("LINESTRING ZM (1 2 3 4,\n5 6 7 8)", OGC_WKT_LINESTRING, 2);
    assert_true(wkt.places[0].z == 3 && wkt.places[0].m == 4 && wkt.places[1].m == 8);
    ogc_wkt_destroy(&wkt);
}

static void what_is_no_geometry_is_refused(void **state) {
    (void)state;
    static const char *const bad[] = {
        "", "POINT", "POINT()", "POINT EMPTY", "POINT(1)", "POINT(1 2 3)", "POINT Z(1 2)", "POINT(1 2", "POINT(1 2))", "POINT(1 2) x", "POINT(1,2)", "POINT(1 2,3 4)",
        "POINT(nan 2)", "POINT(inf 2)", "POINT(0x10 2)", "POINT(1e999 2)", "POINT(1- 2)", "POINT(1 --2)", "POINT((1 2))", "LINESTRING(1 2)", "LINESTRING(1 2,)", "LINESTRING((1 2),(3 4))",
        "LINESTRINGMZ(1 2 3 4,5 6 7 8)", "POLYGON((0 0,1 0,1 1,0 0))", "SRID=4326;POINT(1 2)", "MULTIPOINT((1 2)", "MULTIPOINT((1 2,3 4))", "\xff\xfe(1 2)",
        "POINT(0.0000000000000000000000000000000000000000001 2)"};
    for (size_t n = 0; n < sizeof bad / sizeof *bad; n++) {
        struct ogc_wkt wkt;
        struct failure failure = {0};
        if (ogc_wkt_parse(bad[n], 100, &wkt, &failure) != VIRGA_INVALID) fail_msg("\"%s\" was taken", bad[n]);
        assert_true(failure.message[0] && !wkt.places && !wkt.count);
    }
}

static void places_have_a_limit(void **state) {
    (void)state;
    char text[4096] = "LINESTRING(0 0";
    for (int n = 0; n < 100; n++) strcat(text, ",1 1");
    strcat(text, ")");
    struct ogc_wkt wkt;
    assert_int_equal(ogc_wkt_parse(text, 100, &wkt, NULL), VIRGA_TOO_LARGE);
    assert_null(wkt.places);
    assert_int_equal(ogc_wkt_parse(text, 101, &wkt, NULL), VIRGA_OK);
    assert_int_equal(wkt.count, 101);
    ogc_wkt_destroy(&wkt);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(points_and_lines_are_read),
        cmocka_unit_test(what_is_no_geometry_is_refused),
        cmocka_unit_test(places_have_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
