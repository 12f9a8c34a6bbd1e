// SPDX-License-Identifier: Apache-2.0
// Places of the scene and of the Earth, in and around grids of many kinds.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "made_grid.h"
#include "render/basemap_places.h"

static const char lonlat[] = "+proj=longlat +R=6371229 +no_defs";
static const char rotated[] = "+proj=ob_tran +o_proj=longlat +o_lon_p=0 +o_lat_p=37.5 +lon_0=-2.5 +R=6371229 +no_defs";
static const char polar[] = "+proj=stere +lat_0=90 +lon_0=-45 +lat_ts=60 +R=6371229 +units=m +no_defs";
static const char lambert[] = "+proj=lcc +lat_1=25 +lat_2=25 +lat_0=25 +lon_0=-95 +R=6371229 +units=m +no_defs";

// From longitude and latitude, or from a direction.
static void place_of(const struct basemap_places *p, double X, double Y, double *lon, double *lat) {
    float place[3];
    basemap_places_at(p, X, Y, place);
    *lon = p->spherical ? p->middle[0] + atan2((double)place[1], (double)place[0]) * 180 / M_PI : (double)place[0];
    *lat = p->spherical ? atan2((double)place[2], hypot((double)place[0], (double)place[1])) * 180 / M_PI : (double)place[1];
}

// Scene to Earth and back, up to `share` of the longer side beyond the edges.
static void check_return(struct grid *grid, double share, double km) {
    const struct scene_bounds box = made_box(grid, 10);
    struct basemap_places p;
    assert_int_equal(basemap_places_init(&p, grid, &box), VIRGA_OK);
    double margin = share * fmax(p.size[0], p.size[1]);
    for (int b = 0; b <= 12; b++)
        for (int a = 0; a <= 12; a++) {
            double X = box.low[0] - margin + (p.size[0] + 2 * margin) * (a + 0.001) / 12.002;
            double Y = box.low[1] - margin + (p.size[1] + 2 * margin) * (b + 0.001) / 12.002;
            double lon, lat, at[2];
            place_of(&p, X, Y, &lon, &lat);
            if (!basemap_places_near(&p, lon, lat)) fail_msg("%g, %g is at %g, %g, and that is not near", X, Y, lon, lat);
            if (!basemap_places_scene(&p, lon, lat, at)) fail_msg("%g, %g is at %g, %g, and that is nowhere", X, Y, lon, lat);
            if (!(hypot(at[0] - X, at[1] - Y) < km))
                fail_msg("%g, %g is at %g, %g, and that is at %g, %g", X, Y, lon, lat, at[0], at[1]);
        }
    basemap_places_destroy(&p);
    grid_free(grid);
}

static void test_there_and_back(void **state) {
    (void)state;
    check_return(made_earth_grid(lonlat, true, false, 41, 10, 50, 0.25), BASEMAP_AROUND, 0.01);
    check_return(made_earth_grid(lonlat, true, false, 41, 180, -20, 0.25), BASEMAP_AROUND, 0.01);  // across the date line
    check_return(made_earth_grid(lonlat, true, true, 90, 179, 0, 2), 0, 0.05);
    check_return(made_earth_grid(rotated, true, false, 60, 0, 0, 0.2), BASEMAP_AROUND, 0.01);
    check_return(made_earth_grid(lambert, false, false, 60, 500e3, 2000e3, 50e3), 0.3, 0.05);
    check_return(made_earth_grid(polar, false, false, 60, 0, 0, 50e3), BASEMAP_AROUND, 0.05);
}

static void test_curvilinear(void **state) {
    (void)state;
    check_return(made_curvilinear_grid(50, 10, 50, 10, 30), 0.4, 0.5);
    check_return(made_curvilinear_grid(50, 180, -40, 20, -20), 0.4, 1);
    check_return(made_curvilinear_grid(50, 20, 90, 20, 0), 0.4, 1);
}

// What is made up beyond the columns continues them: here they stand on a plane, whose own places are known.
static void test_curvilinear_goes_on(void **state) {
    (void)state;
    struct grid *grid = made_curvilinear_grid(60, 10, 50, 5, 0);
    struct grid *plane = made_earth_grid("+proj=laea +lat_0=50 +lon_0=10 +R=6371229 +units=m +no_defs", false, false, 2, 0, 0, 1000);
    const struct scene_bounds box = made_box(grid, 10);
    struct basemap_places p;
    assert_int_equal(basemap_places_init(&p, grid, &box), VIRGA_OK);
    for (int n = 0; n < 16; n++) {
        double X = box.high[0] * 1.6 * cos(n * M_PI / 8), Y = box.high[1] * 1.6 * sin(n * M_PI / 8), lon, lat, x, y;
        place_of(&p, X, Y, &lon, &lat);
        assert_int_equal(grid_from_lonlat(plane, lon, lat, &x, &y), VIRGA_OK);
        if (!(hypot(x / 1000 - X, y / 1000 - Y) < 3)) fail_msg("%g, %g stands at %g, %g", X, Y, x / 1000, y / 1000);
    }
    basemap_places_destroy(&p);
    grid_free(grid);
    grid_free(plane);
}

// Around a pole all longitudes are in the domain, and so is the pole itself.
static void test_poles(void **state) {
    (void)state;
    struct grid *grid = made_earth_grid(polar, false, false, 60, 0, 0, 50e3);
    const struct scene_bounds box = made_box(grid, 10);
    struct basemap_places p;
    double at[2];
    assert_int_equal(basemap_places_init(&p, grid, &box), VIRGA_OK);
    assert_true(p.spherical);
    assert_true(p.bounds.north == 90 && p.bounds.east - p.bounds.west == 360);
    assert_true(basemap_places_scene(&p, 77, 90, at));
    assert_true(hypot(at[0], at[1]) < 0.01);
    basemap_places_destroy(&p);
    grid_free(grid);
}

// On a polar plane north turns with longitude.
static void test_north(void **state) {
    (void)state;
    struct grid *grid = made_earth_grid(polar, false, false, 20, 1500e3, -800e3, 10e3);
    const struct scene_bounds box = made_box(grid, 10);
    struct basemap_places p;
    assert_int_equal(basemap_places_init(&p, grid, &box), VIRGA_OK);
    assert_true(fabs(basemap_places_north(&p) - -(p.middle[0] - -45)) < 1e-3);
    basemap_places_destroy(&p);
    grid_free(grid);
    grid = made_earth_grid(lonlat, true, true, 90, 179, 0, 2);
    const struct scene_bounds globe = made_box(grid, 10);
    assert_int_equal(basemap_places_init(&p, grid, &globe), VIRGA_OK);
    assert_true(p.plain_globe && !p.around && fabs(basemap_places_north(&p)) < 1e-9 && p.middle[0] == 180);
    basemap_places_destroy(&p);
    grid_free(grid);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back), cmocka_unit_test(test_curvilinear), cmocka_unit_test(test_curvilinear_goes_on),
        cmocka_unit_test(test_poles), cmocka_unit_test(test_north),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
