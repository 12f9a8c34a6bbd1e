// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tile/map_crs.h"
#include "tile/map_frame.h"
#include "tile/tile_matrix.h"

static void finds_systems_by_all_their_names(void **state) {
    (void)state;
    const struct map_crs *mercator = map_crs_find("EPSG:3857");
    assert_non_null(mercator);
    const char *names[] = {"epsg:3857", "urn:ogc:def:crs:EPSG::3857", "http://www.opengis.net/def/crs/EPSG/0/3857", "[EPSG:3857]", "EPSG:900913"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) assert_ptr_equal(map_crs_find(names[i]), mercator);
    assert_ptr_equal(map_crs_find("OGC:CRS84"), map_crs_find("CRS:84"));
    assert_ptr_equal(map_crs_find("http://www.opengis.net/def/crs/OGC/1.3/CRS84"), map_crs_find("CRS:84"));
    const char *none[] = {"", "EPSG:", "EPSG:385", "3857", "+proj=merc", "EPSG:4326 +nadgrids=/etc/passwd", "[", "[]", "urn:ogc:def:crs:EPSG::", "CRS:83"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) assert_null(map_crs_find(none[i]));
}

static void goes_there_and_back(void **state) {
    (void)state;
    for (size_t s = 0; map_crs_at(s); s++) {
        const struct map_crs *crs = map_crs_at(s);
        double box[4];
        map_crs_range(crs, box);
        for (int n = 1; n < 8; n++) {
            const double x = box[0] + (box[2] - box[0]) * n / 8.3, y = box[1] + (box[3] - box[1]) * n / 8.9;
            double lon, lat, x2, y2;
            assert_int_equal(map_crs_to_lonlat(crs, x, y, &lon, &lat), VIRGA_OK);
            assert_int_equal(map_crs_from_lonlat(crs, lon, lat, &x2, &y2), VIRGA_OK);
            assert_true(fabs(x2 - x) < 1e-7 * (box[2] - box[0]) && fabs(y2 - y) < 1e-7 * (box[3] - box[1]));
        }
    }
}

// The edge of the square Mercator map, and the pole that UPS has its false origin at.
static void agrees_with_known_places(void **state) {
    (void)state;
    double lon, lat;
    assert_int_equal(map_crs_to_lonlat(map_crs_find("EPSG:3857"), 20037508.342789244, 20037508.342789244, &lon, &lat), VIRGA_OK);
    assert_true(fabs(lat - 85.0511287798066) < 1e-9 && fabs(fabs(lon) - 180) < 1e-9);
    assert_int_equal(map_crs_to_lonlat(map_crs_find("EPSG:5041"), 2000000, 2000000, &lon, &lat), VIRGA_OK);
    assert_true(fabs(lat - 90) < 1e-7);
    assert_int_equal(map_crs_to_lonlat(map_crs_find("CRS:84"), 0, 90.1, &lon, &lat), VIRGA_UNSUPPORTED);
    assert_int_equal(map_crs_to_lonlat(map_crs_find("CRS:84"), NAN, 0, &lon, &lat), VIRGA_UNSUPPORTED);
}

static void cuts_the_globe_into_tiles(void **state) {
    (void)state;
    struct map_frame frame;
    const struct tile_matrix_set *quad = tile_matrix_find("WebMercatorQuad"), *degrees = tile_matrix_find("worldcrs84quad");
    assert_int_equal(tile_matrix_frame(quad, 1, 1, 0, 256, &frame, NULL), VIRGA_OK);
    assert_true(fabs(frame.box[0]) < 1e-6 && fabs(frame.box[1]) < 1e-6 && frame.box[2] > 2.0e7 && frame.box[3] > 2.0e7);
    assert_int_equal(tile_matrix_frame(degrees, 0, 1, 0, 512, &frame, NULL), VIRGA_OK);
    assert_true(frame.box[0] == 0 && frame.box[1] == -90 && frame.box[2] == 180 && frame.box[3] == 90 && frame.width == 512);
    assert_true(fabs(tile_matrix_scale(quad, 0) - 559082264.028717) < 1);  // OGC 17-083r4, table D.1
    assert_true(fabs(tile_matrix_scale(degrees, 0) - 279541132.014358) < 1);
    struct failure failure;
    assert_int_equal(tile_matrix_frame(quad, 1, 2, 0, 256, &frame, &failure), VIRGA_NOT_FOUND);
    assert_int_equal(tile_matrix_frame(quad, 25, 0, 0, 256, &frame, &failure), VIRGA_NOT_FOUND);
    assert_int_equal(tile_matrix_frame(quad, 4000000000u, 0, 0, 256, &frame, &failure), VIRGA_NOT_FOUND);
    assert_int_equal(tile_matrix_frame(quad, 1, 1, 0, 300, &frame, &failure), VIRGA_INVALID);
}

static void refuses_frames_that_are_none(void **state) {
    (void)state;
    struct map_frame frame = {map_crs_find("CRS:84"), {-10, 40, 20, 60}, 300, 200};
    assert_int_equal(map_frame_check(&frame, NULL), VIRGA_OK);
    double x, y, column, row;
    map_frame_place(&frame, 0.5, 0.5, &x, &y);
    assert_true(fabs(x + 9.95) < 1e-9 && fabs(y - 59.95) < 1e-9);
    map_frame_pixel(&frame, x, y, &column, &row);
    assert_true(fabs(column - 0.5) < 1e-9 && fabs(row - 0.5) < 1e-9);
    const struct map_frame grown = map_frame_grown(&frame, 10);
    map_frame_pixel(&grown, x, y, &column, &row);
    assert_true(fabs(column - 10.5) < 1e-9 && fabs(row - 10.5) < 1e-9);
    const double boxes[][4] = {{20, 40, -10, 60}, {0, 0, 0, 1}, {0, NAN, 1, 1}, {0, 0, INFINITY, 1}, {-1e8, 0, 1e8, 1}};
    for (size_t b = 0; b < sizeof boxes / sizeof *boxes; b++) {
        struct map_frame bad = frame;
        for (int a = 0; a < 4; a++) bad.box[a] = boxes[b][a];
        assert_int_equal(map_frame_check(&bad, NULL), VIRGA_INVALID);
    }
    frame.width = 0;
    assert_int_equal(map_frame_check(&frame, NULL), VIRGA_INVALID);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_systems_by_all_their_names), cmocka_unit_test(goes_there_and_back), cmocka_unit_test(agrees_with_known_places),
        cmocka_unit_test(cuts_the_globe_into_tiles), cmocka_unit_test(refuses_frames_that_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
