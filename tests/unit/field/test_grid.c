// SPDX-License-Identifier: Apache-2.0
// Grids: projections at the right place, axes in any order, globes that wrap, and axes that are refused.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "field/cf_grid.h"

// --- a grid mapping made by hand ---------------------------------------------------------------------------------------

struct made_mapping {
    struct source_variable variable;
    struct source_attribute attributes[12];
    double numbers[12][2];
};

static void add_text(struct made_mapping *m, const char *name, const char *text) {
    m->attributes[m->variable.attribute_count++] = (struct source_attribute){(char *)name, SOURCE_CHAR, strlen(text), (char *)text, NULL, NULL};
}

static void add_numbers(struct made_mapping *m, const char *name, size_t count, double a, double b) {
    size_t n = m->variable.attribute_count++;
    m->numbers[n][0] = a, m->numbers[n][1] = b;
    m->attributes[n] = (struct source_attribute){(char *)name, SOURCE_F64, count, NULL, m->numbers[n], NULL};
}

static void begin(struct made_mapping *m, const char *name) {
    *m = (struct made_mapping){0};
    m->variable.name = "crs";
    m->variable.attributes = m->attributes;
    if (name) add_text(m, "grid_mapping_name", name);
}

static int make(const struct made_mapping *m, const double *xs, size_t nx, const double *ys, size_t ny, const char *units, bool lonlat, struct grid **grid,
                struct cf_axis_order *ox, struct cf_axis_order *oy, struct failure *failure) {
    struct cf_axis_input x = {xs, nx, units, false, lonlat}, y = {ys, ny, units, false, lonlat};
    return cf_grid_new(m ? &m->variable : NULL, &x, &y, grid, ox, oy, failure);
}

static struct grid *must_make(const struct made_mapping *m, const double *xs, size_t nx, const double *ys, size_t ny, const char *units, bool lonlat) {
    struct grid *grid = NULL;
    struct cf_axis_order ox, oy;
    struct failure failure = {0};
    if (make(m, xs, nx, ys, ny, units, lonlat, &grid, &ox, &oy, &failure)) fail_msg("%s", failure.message);
    return grid;
}

// Longitude and latitude of (x, y), and back.
static void check_place(struct made_mapping *m, double x, double y, double lon, double lat) {
    const double xs[] = {x - 1000, x, x + 1000}, ys[] = {y - 1000, y, y + 1000};
    struct grid *grid = must_make(m, xs, 3, ys, 3, "m", false);
    double got_lon, got_lat, i, j;
    assert_int_equal(grid_to_lonlat(grid, x, y, &got_lon, &got_lat), VIRGA_OK);
    if (fabs(got_lon - lon) > 1e-8 || fabs(got_lat - lat) > 1e-8) fail_msg("%s: %.9f %.9f instead of %.9f %.9f", grid->proj, got_lon, got_lat, lon, lat);
    assert_true(grid_locate(grid, lon, lat, &i, &j));
    assert_true(fabs(i - 1) < 1e-5 && fabs(j - 1) < 1e-5);
    grid_free(grid);
}

// The expected places come from pyproj 3.4.1: Proj("+proj=… +no_defs")(x, y, inverse=True), strings in the comments.
static void test_projections_agree_with_pyproj(void **state) {
    struct made_mapping m;
    (void)state;
    begin(&m, "lambert_conformal_conic");  // +proj=lcc +lat_1=25 +lat_2=25 +lat_0=25 +lon_0=-95 +R=6371229
    add_numbers(&m, "standard_parallel", 1, 25, 0);
    add_numbers(&m, "longitude_of_central_meridian", 1, -95, 0);
    add_numbers(&m, "latitude_of_projection_origin", 1, 25, 0);
    add_numbers(&m, "earth_radius", 1, 6371229, 0);
    check_place(&m, -2e6, 1e6, -116.236852154, 32.558938200);
    begin(&m, "lambert_conformal_conic");  // +proj=lcc +lat_1=30 +lat_2=60 +lat_0=45 +lon_0=10 +R=6371229
    add_numbers(&m, "standard_parallel", 2, 30, 60);
    add_numbers(&m, "longitude_of_central_meridian", 1, 10, 0);
    add_numbers(&m, "latitude_of_projection_origin", 1, 45, 0);
    check_place(&m, 3e5, -7e5, 13.540598852, 38.438086967);
    begin(&m, "lambert_azimuthal_equal_area");  // +proj=laea +lat_0=54.9 +lon_0=-2.5 +a=6378137 +b=6356752.314140356
    add_numbers(&m, "longitude_of_projection_origin", 1, -2.5, 0);
    add_numbers(&m, "latitude_of_projection_origin", 1, 54.9, 0);
    add_numbers(&m, "semi_major_axis", 1, 6378137, 0);
    add_numbers(&m, "semi_minor_axis", 1, 6356752.314140356, 0);
    check_place(&m, -198000, 64000, -5.629086373, 55.435168503);
    begin(&m, "polar_stereographic");  // +proj=stere +lat_0=90 +lon_0=-45 +lat_ts=60 +R=6371229
    add_numbers(&m, "straight_vertical_longitude_from_pole", 1, -45, 0);
    add_numbers(&m, "latitude_of_projection_origin", 1, 90, 0);
    add_numbers(&m, "standard_parallel", 1, 60, 0);
    check_place(&m, 1e6, -2e6, -18.434948823, 68.696412730);
    begin(&m, "polar_stereographic");  // +proj=stere +lat_0=-90 +lon_0=0 +k_0=0.97 +R=6371229
    add_numbers(&m, "straight_vertical_longitude_from_pole", 1, 0, 0);
    add_numbers(&m, "latitude_of_projection_origin", 1, -90, 0);
    add_numbers(&m, "scale_factor_at_projection_origin", 1, 0.97, 0);
    check_place(&m, 1e6, 2e6, 26.565051177, -69.491179190);
    begin(&m, "mercator");  // +proj=merc +lon_0=10 +lat_ts=20 +R=6371229
    add_numbers(&m, "longitude_of_projection_origin", 1, 10, 0);
    add_numbers(&m, "standard_parallel", 1, 20, 0);
    check_place(&m, 5e5, 2e6, 14.785018323, 18.793706703);
    begin(&m, "transverse_mercator");  // +proj=tmerc +lat_0=49 +lon_0=-2 +k_0=0.9996012717 +x_0=400000 +y_0=-100000 +a=6377563.396 +b=6356256.909
    add_numbers(&m, "latitude_of_projection_origin", 1, 49, 0);
    add_numbers(&m, "longitude_of_central_meridian", 1, -2, 0);
    add_numbers(&m, "scale_factor_at_central_meridian", 1, 0.9996012717, 0);
    add_numbers(&m, "false_easting", 1, 400000, 0);
    add_numbers(&m, "false_northing", 1, -100000, 0);
    add_numbers(&m, "semi_major_axis", 1, 6377563.396, 0);
    add_numbers(&m, "semi_minor_axis", 1, 6356256.909, 0);
    check_place(&m, 530000, 180000, -0.126747680, 51.503480037);
    begin(&m, "geostationary");  // +proj=geos +h=35785831 +lon_0=0 +sweep=y +a=6378169 +b=6356583.8
    add_numbers(&m, "perspective_point_height", 1, 35785831, 0);
    add_numbers(&m, "longitude_of_projection_origin", 1, 0, 0);
    add_numbers(&m, "semi_major_axis", 1, 6378169, 0);
    add_numbers(&m, "semi_minor_axis", 1, 6356583.8, 0);
    add_text(&m, "sweep_angle_axis", "y");
    check_place(&m, 1e6, 3e6, 10.592818231, 29.100879578);
    begin(&m, "albers_conical_equal_area");  // +proj=aea +lat_1=29.5 +lat_2=45.5 +lat_0=23 +lon_0=-96 +R=6371229
    add_numbers(&m, "standard_parallel", 2, 29.5, 45.5);
    add_numbers(&m, "longitude_of_central_meridian", 1, -96, 0);
    add_numbers(&m, "latitude_of_projection_origin", 1, 23, 0);
    check_place(&m, 4e5, 9e5, -91.785668909, 31.067774224);
    begin(&m, "azimuthal_equidistant");  // +proj=aeqd +lat_0=40 +lon_0=20 +R=6371229
    add_numbers(&m, "longitude_of_projection_origin", 1, 20, 0);
    add_numbers(&m, "latitude_of_projection_origin", 1, 40, 0);
    check_place(&m, 1e5, -3e5, 21.130065333, 37.296538277);
}

static void begin_rotated(struct made_mapping *m) {
    begin(m, "rotated_latitude_longitude");
    add_numbers(m, "grid_north_pole_latitude", 1, 37.5, 0);
    add_numbers(m, "grid_north_pole_longitude", 1, 177.5, 0);
    add_numbers(m, "earth_radius", 1, 6371229, 0);
}

// Spherical trigonometry by hand: the rotated origin of this pole stands at 52.5 N, 2.5 W, and (-5, 2) at the place below.
static void test_rotated_pole_is_placed_by_trigonometry(void **state) {
    struct made_mapping m;
    double lon, lat, i, j;
    (void)state;
    begin_rotated(&m);
    const double xs[] = {355, 357.5, 360}, ys[] = {0, 1, 2};
    struct grid *grid = must_make(&m, xs, 3, ys, 3, "degrees", false);
    assert_true(grid->angular && !grid->wraps);
    assert_int_equal(grid_to_lonlat(grid, 360, 0, &lon, &lat), VIRGA_OK);
    assert_true(fabs(lon + 2.5) < 1e-9 && fabs(lat - 52.5) < 1e-9);
    assert_true(fabs(grid->corners[3][0] + 11.064135692915215) < 1e-9 && fabs(grid->corners[3][1] - 54.20338812670139) < 1e-9);
    assert_true(grid_locate(grid, -11.064135692915215, 54.20338812670139, &i, &j));
    assert_true(fabs(i) < 1e-6 && fabs(j - 2) < 1e-6);
    assert_false(grid_locate(grid, 60, 10, &i, &j));
    grid_free(grid);
}

static void test_kilometre_axes_become_metres(void **state) {
    struct made_mapping m;
    const double xs[] = {-200, 0, 200}, ys[] = {500, 400, 300};
    struct cf_axis_order ox, oy;
    struct grid *grid;
    (void)state;
    begin(&m, "stereographic");
    add_numbers(&m, "longitude_of_projection_origin", 1, -60, 0);
    add_numbers(&m, "latitude_of_projection_origin", 1, 90, 0);
    add_numbers(&m, "scale_factor_at_projection_origin", 1, 0.933012701892219, 0);
    assert_int_equal(make(&m, xs, 3, ys, 3, "km", false, &grid, &ox, &oy, NULL), VIRGA_OK);
    assert_true(grid->x.values[0] == -200000 && grid->y.values[0] == 300000 && grid->y.values[2] == 500000);
    assert_true(oy.reversed && !ox.reversed && grid->x.regular && grid->x.step == 200000);
    assert_true(grid->km_per_unit[0] == 0.001);
    grid_free(grid);
}

static void test_a_globe_wraps(void **state) {
    double xs[73], i, j;
    const double ys[] = {90, 30, -30, -90};
    struct cf_axis_order ox, oy;
    struct grid *grid;
    (void)state;
    for (int n = 0; n < 73; n++) xs[n] = 5 * n;
    struct cf_axis_input x = {xs, 72, "degrees_east", true, true}, y = {ys, 4, "degrees_north", true, true};
    assert_int_equal(cf_grid_new(NULL, &x, &y, &grid, &ox, &oy, NULL), VIRGA_OK);
    assert_true(grid->wraps && oy.reversed);
    assert_true(grid_locate(grid, -2.5, 0, &i, &j));
    assert_true(fabs(i - 71.5) < 1e-9 && fabs(j - 1.5) < 1e-9);
    assert_true(grid_locate(grid, 359.9999999999, 0, &i, &j) && i < 72);
    assert_true(grid_locate(grid, 720, 0, &i, &j) && i == 0);
    grid_free(grid);
    x.n = 73;  // the first meridian again at the end: left out
    assert_int_equal(cf_grid_new(NULL, &x, &y, &grid, &ox, &oy, NULL), VIRGA_OK);
    assert_true(grid->wraps && grid->x.n == 72 && ox.n == 72);
    grid_free(grid);
    x.n = 71;  // one column short of a globe does not close
    assert_int_equal(cf_grid_new(NULL, &x, &y, &grid, &ox, &oy, NULL), VIRGA_OK);
    assert_false(grid->wraps);
    assert_false(grid_locate(grid, -2.5, 0, &i, &j));
    grid_free(grid);
}

static void test_longitudes_may_cross_the_date_line(void **state) {
    const double xs[] = {170, 175, 180, -175, -170}, ys[] = {0, 10};
    double i, j;
    (void)state;
    struct grid *grid = must_make(NULL, xs, 5, ys, 2, "degrees", true);
    assert_true(grid->x.values[4] == 190);
    assert_true(grid_locate(grid, -172.5, 5, &i, &j) && fabs(i - 3.5) < 1e-9);
    assert_true(grid_locate(grid, 187.5, 5, &i, &j) && fabs(i - 3.5) < 1e-9);
    grid_free(grid);
}

static void test_gaussian_latitudes_stay_uneven(void **state) {
    const double xs[] = {0, 1, 2}, ys[] = {87.8638, 85.0965, 82.3129, 79.5256};
    double i, j;
    (void)state;
    struct grid *grid = must_make(NULL, xs, 3, ys, 4, "degrees", true);
    assert_false(grid->y.regular);
    assert_true(grid_locate(grid, 1, 0.5 * (85.0965 + 82.3129), &i, &j) && fabs(j - 1.5) < 1e-9 && fabs(i - 1) < 1e-9);
    grid_free(grid);
}

static void test_one_point_axes_hold_their_point(void **state) {
    const double xs[] = {5}, ys[] = {50};
    double i, j;
    (void)state;
    struct grid *grid = must_make(NULL, xs, 1, ys, 1, "degrees", true);
    assert_true(grid_locate(grid, 5, 50, &i, &j) && i == 0 && j == 0);
    assert_false(grid_locate(grid, 5.1, 50, &i, &j));
    grid_free(grid);
}

static void test_bad_axes_are_refused(void **state) {
    const double good[] = {0, 1, 2}, with_nan[] = {0, NAN, 2}, with_inf[] = {0, 1, INFINITY}, to_and_fro[] = {0, 2, 1}, twice[] = {0, 1, 1}, beyond[] = {80, 90, 100},
                 twice_round[] = {0, 200, 400, 600};
    struct { const double *x, *y; size_t nx, ny; } bad[] = {{with_nan, good, 3, 3}, {with_inf, good, 3, 3}, {to_and_fro, good, 3, 3}, {good, twice, 3, 3},
                                                            {good, beyond, 3, 3}, {twice_round, good, 4, 3}, {good, good, 0, 3}};
    struct cf_axis_order ox, oy;
    struct grid *grid;
    (void)state;
    for (size_t n = 0; n < sizeof bad / sizeof *bad; n++) {
        struct failure failure = {0};
        assert_int_equal(make(NULL, bad[n].x, bad[n].nx, bad[n].y, bad[n].ny, "degrees", true, &grid, &ox, &oy, &failure), VIRGA_UNSUPPORTED);
        assert_null(grid);
        assert_true(failure.message[0] != 0);
    }
}

static void test_bad_mappings_are_refused(void **state) {
    const double xs[] = {0, 1000, 2000};
    struct made_mapping m;
    struct cf_axis_order ox, oy;
    struct grid *grid;
    (void)state;
    begin(&m, NULL);
    assert_int_equal(make(&m, xs, 3, xs, 3, "m", false, &grid, &ox, &oy, NULL), VIRGA_UNSUPPORTED);
    begin(&m, "+proj=pipeline +step +proj=axisswap");
    assert_int_equal(make(&m, xs, 3, xs, 3, "m", false, &grid, &ox, &oy, NULL), VIRGA_UNSUPPORTED);
    begin(&m, "lambert_conformal_conic");  // parameters absent
    assert_int_equal(make(&m, xs, 3, xs, 3, "m", false, &grid, &ox, &oy, NULL), VIRGA_UNSUPPORTED);
    begin(&m, "lambert_azimuthal_equal_area");
    add_numbers(&m, "longitude_of_projection_origin", 1, 1e9, 0);
    add_numbers(&m, "latitude_of_projection_origin", 1, 54, 0);
    assert_int_equal(make(&m, xs, 3, xs, 3, "m", false, &grid, &ox, &oy, NULL), VIRGA_UNSUPPORTED);
    // Projection coordinates without any mapping have no place on Earth.
    assert_int_equal(make(NULL, xs, 3, xs, 3, "m", false, &grid, &ox, &oy, NULL), VIRGA_UNSUPPORTED);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_projections_agree_with_pyproj),
        cmocka_unit_test(test_rotated_pole_is_placed_by_trigonometry),
        cmocka_unit_test(test_kilometre_axes_become_metres),
        cmocka_unit_test(test_a_globe_wraps),
        cmocka_unit_test(test_longitudes_may_cross_the_date_line),
        cmocka_unit_test(test_gaussian_latitudes_stay_uneven),
        cmocka_unit_test(test_one_point_axes_hold_their_point),
        cmocka_unit_test(test_bad_axes_are_refused),
        cmocka_unit_test(test_bad_mappings_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
