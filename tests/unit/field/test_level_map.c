// SPDX-License-Identifier: Apache-2.0
// Level maps against the exact heights they were made from.
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
#include "field/level_heights.h"

enum { NX = 40, NY = 30, NZ = 37 };

static double *line(size_t n, double (*f)(size_t)) {
    double *v = calloc(n, sizeof *v);
    for (size_t k = 0; k < n; k++) v[k] = f(k);
    return v;
}

static double hybrid_a(size_t k) { return 5 + 16.7 * (double)k + 13 * (double)(k * k); }
static double hybrid_b(size_t k) {
    double x = 1 - hybrid_a(k) / 12000;
    return x > 0 ? x * x : 0;
}

static float *orography(double highest) {
    float *o = calloc(NX * NY, sizeof *o);
    for (size_t n = 0; n < NX * NY; n++) o[n] = (float)(highest * pow(sin((double)(n % NX) * 0.3) * cos((double)(n / NX) * 0.2), 2));
    return o;
}

static struct level_heights *hybrid(double highest) {
    struct level_heights *h = calloc(1, sizeof *h);
    *h = (struct level_heights){.nx = NX, .ny = NY, .level_count = NZ, .datum = DATUM_SEA, .method = "hybrid height", .coordinate = "hybrid_height"};
    h->a = line(NZ, hybrid_a), h->b = line(NZ, hybrid_b);
    h->surface = h->ground = orography(highest);
    return h;
}

static void take_levels(struct level_heights *h, double (*f)(double i, double j, double k)) {
    double *plane = calloc(h->nx * h->ny, sizeof *plane);
    assert_int_equal(level_heights_begin(h, h->level_count / 4, h->level_count - 1), VIRGA_OK);
    for (size_t k = 0; k < h->level_count; k++) {
        for (size_t c = 0; c < h->nx * h->ny; c++) plane[c] = f((double)(c % h->nx), (double)(c / h->nx), (double)k);
        level_heights_add(h, k, 0, h->ny / 2, plane);
        level_heights_add(h, k, h->ny / 2, h->ny - h->ny / 2, plane + h->ny / 2 * h->nx);
    }
    free(plane);
}

static double wavy_height(double i, double j, double k) { return 100 + 220 * k + 35 * k * k + (60 + 15 * k) * sin(i * 0.12) * cos(j * 0.1); }

// Pressure levels whose heights differ from column to column, as over a travelling wave.
static struct level_heights *wavy(void) {
    struct level_heights *h = calloc(1, sizeof *h);
    *h = (struct level_heights){.nx = NX, .ny = NY, .level_count = 20, .datum = DATUM_SEA, .method = "geopotential height", .coordinate = "pressure"};
    take_levels(h, wavy_height);
    return h;
}

static struct level_map *build(struct level_heights *h) {
    struct level_map *map = NULL;
    struct failure failure = {0};
    if (level_map_build(h, false, NULL, &map, &failure)) fail_msg("%s", failure.message);
    return map;
}

// Largest |height of mapped k - height| over columns and places between, below and above 3 km over the ground.
static void worst(const struct level_map *map, const struct level_heights *h, double *near, double *far) {
    *near = *far = 0;
    for (double j = 0; j <= (double)h->ny - 1; j += 0.73)
        for (double i = 0; i <= (double)h->nx - 1; i += 0.61) {
            double ground = level_heights_ground(h, false, i, j);
            for (size_t k = 0; k + 1 < h->level_count; k++)
                for (int part = 0; part < 3; part++) {
                    double low = level_heights_between(h, false, i, j, k), high = level_heights_between(h, false, i, j, k + 1);
                    double height = low + (high - low) * part / 3.0, mapped;
                    if (height < ground) continue;
                    assert_true(level_map_locate(map, false, i, j, height, &mapped));
                    size_t at = (size_t)mapped + 1 < h->level_count ? (size_t)mapped : h->level_count - 2;
                    double a = level_heights_between(h, false, i, j, at), b = level_heights_between(h, false, i, j, at + 1);
                    double error = fabs(a + (b - a) * (mapped - (double)at) - height), *worst_here = height - ground < 3000 ? near : far;
                    if (error > *worst_here) *worst_here = error;
                }
        }
}

static void check_error(struct level_heights *h, enum level_map_kind kind) {
    double near, far;
    struct level_map *map = build(h);
    assert_int_equal(map->kind, kind);
    worst(map, h, &near, &far);
    if (near > 5 || far > 20) fail_msg("errors of %g m and %g m", near, far);
    if (near > map->max_error * 1.05 + 0.01 || far > map->max_error * 1.05 + 0.01) fail_msg("stated %g m, found %g and %g m", map->max_error, near, far);
    level_map_unref(map);
    level_heights_free(h);
}

static double flat_height(size_t k) { return 5 + 10 * (double)k + 10 * (double)(k * k); }

static struct level_heights *flat(enum height_datum datum) {
    struct level_heights *h = calloc(1, sizeof *h);
    *h = (struct level_heights){.nx = NX, .ny = NY, .level_count = NZ, .datum = datum, .method = "coordinate", .coordinate = "height"};
    h->a = line(NZ, flat_height);
    return h;
}

static void test_flat_levels_are_mapped_closely(void **state) { (void)state; check_error(flat(DATUM_GROUND), LEVEL_MAP_FLAT); }
static void test_hybrid_heights_are_mapped_closely(void **state) { (void)state; check_error(hybrid(1344), LEVEL_MAP_BY_SURFACE); }
static void test_high_mountains_are_mapped_closely(void **state) { (void)state; check_error(hybrid(5500), LEVEL_MAP_BY_SURFACE); }
static void test_wavy_levels_are_mapped_closely(void **state) { (void)state; check_error(wavy(), LEVEL_MAP_COARSE); }

static double folded_height(double i, double j, double k) {
    (void)j;
    return 100 + 500 * k + 20 * k * pow(sin(i * 0.39269908169872414), 2);  // nothing at every eighth column
}

static struct level_heights *folded(size_t nx, size_t ny, size_t levels) {
    struct level_heights *h = calloc(1, sizeof *h);
    *h = (struct level_heights){.nx = nx, .ny = ny, .level_count = levels, .datum = DATUM_SEA, .method = "geopotential height", .coordinate = "pressure"};
    take_levels(h, folded_height);
    return h;
}

// Waves that stand in step with the table's columns are met all the same, by the choice of those columns and by what is stated.
static void test_waves_between_the_tables_columns_are_seen(void **state) { (void)state; check_error(folded(112, 104, 20), LEVEL_MAP_COARSE); }

static void test_tables_of_large_grids_are_bounded(void **state) {
    (void)state;
    struct level_heights *h = folded(2400, 1200, 3);
    struct level_map *map = build(h);
    assert_true(map->table_count <= 8 << 20);
    assert_true(map->tested_columns < map->nx * map->ny);  // and is not said to be all
    level_map_unref(map);
    level_heights_free(h);
}

static double gentle_height(double i, double j, double k) { return (150 + 450 * k + 10 * k * k) * (1 + 0.04 * sin(i * 0.004) * cos(j * 0.006)) + 30 * sin(i * 0.02) * sin(0.3 * k); }

// More than can be held: some columns are kept, and tell about all.
static void test_grids_too_large_to_hold_are_mapped_from_some_columns(void **state) {
    (void)state;
    struct level_heights *h = calloc(1, sizeof *h);
    *h = (struct level_heights){.nx = 1500, .ny = 900, .level_count = 20, .datum = DATUM_SEA, .method = "geopotential height", .coordinate = "pressure"};
    take_levels(h, gentle_height);
    assert_true(h->step > 1 && h->kept_nx * h->kept_ny * h->level_count < 12 << 20);
    struct level_map *map = build(h);
    assert_true(map->table_count <= 8 << 20 && map->tested_columns > 1000 && map->tested_columns < map->nx * map->ny);
    assert_true(map->error_low < 5 && map->error_high < 20);
    for (int n = 0; n < 2000; n++) {
        double i = (n * 617) % 1500, j = (n * 311) % 900, k = n % 19 + 0.5, mapped;
        double height = 0.5 * (gentle_height(i, j, k - 0.5) + gentle_height(i, j, k + 0.5));
        assert_true(level_map_locate(map, false, i, j, height, &mapped));
        double error = fabs(level_map_height(map, false, i, j, k) - height);
        if (error > map->max_error * 1.2 + 0.1) fail_msg("%g m at (%g, %g), stated %g", error, i, j, map->max_error);
    }
    level_map_unref(map);
    level_heights_free(h);
}

static void check_inverse(struct level_heights *h) {
    struct level_map *map = build(h);
    for (double k = 0; k <= (double)h->level_count - 1; k += 0.37) {
        double height = level_map_height(map, false, 7.3, 11.8, k), back;
        if (height < level_heights_ground(h, false, 7.3, 11.8)) continue;
        assert_true(level_map_locate(map, false, 7.3, 11.8, height, &back));
        if (fabs(back - k) > 1e-3) fail_msg("level %g: height %g: level %g", k, height, back);
    }
    level_map_unref(map);
    level_heights_free(h);
}

static void test_height_is_the_inverse_of_locate(void **state) {
    (void)state;
    check_inverse(flat(DATUM_SEA));
    check_inverse(hybrid(900));
    check_inverse(wavy());
}

static void test_places_outside_are_refused(void **state) {
    struct level_heights *h = hybrid(1000);
    struct level_map *map = build(h);
    double k, ground = level_heights_ground(h, false, 5, 7), top = level_heights_between(h, false, 5, 7, NZ - 1);
    (void)state;
    assert_false(level_map_locate(map, false, 5, 7, ground - 0.1, &k));
    assert_false(level_map_locate(map, false, 5, 7, top + 20, &k));
    assert_false(level_map_locate(map, false, 5, 7, NAN, &k));
    assert_false(level_map_locate(map, false, 5, 7, 1e9, &k));
    // Between the ground and the lowest level the lowest level's value is held.
    assert_true(level_map_locate(map, false, 5, 7, ground + 1, &k) && k == 0);
    assert_true(level_map_locate(map, false, 5, 7, top, &k) && fabs(k - (NZ - 1)) < 1e-3);
    level_map_unref(map);
    level_heights_free(h);
}

static void test_heights_above_ground_follow_the_ground(void **state) {
    struct level_heights *h = flat(DATUM_SEA);
    double k;
    (void)state;
    h->surface = h->ground = orography(800);
    h->b = calloc(NZ, sizeof *h->b);
    for (size_t n = 0; n < NZ; n++) h->b[n] = 1;
    struct level_map *map = build(h);
    assert_int_equal(map->kind, LEVEL_MAP_FLAT);
    assert_true(map->base == map->ground);
    double ground = level_heights_ground(h, false, 3, 4);
    assert_true(level_map_locate(map, false, 3, 4, ground + flat_height(10), &k) && fabs(k - 10) < 1e-2);
    level_map_unref(map);
    level_heights_free(h);
}

static void test_equal_contents_have_equal_ids(void **state) {
    struct level_heights *a = hybrid(1000), *b = hybrid(1000), *c = hybrid(1001);
    struct level_map *x = build(a), *y = build(b), *z = build(c);
    (void)state;
    assert_int_equal(strlen(x->id), 32);
    assert_string_equal(x->id, y->id);
    assert_string_not_equal(x->id, z->id);
    level_map_unref(x), level_map_unref(y), level_map_unref(z);
    level_heights_free(a), level_heights_free(b), level_heights_free(c);
}

static double falling(size_t k) { return 1000 - (double)k; }

static void test_levels_that_fall_are_refused(void **state) {
    struct level_heights *h = flat(DATUM_SEA);
    struct level_map *map = NULL;
    struct failure failure = {0};
    (void)state;
    free(h->a);
    h->a = line(NZ, falling);
    assert_int_equal(level_map_build(h, false, NULL, &map, &failure), VIRGA_UNSUPPORTED);
    assert_null(map);
    h->a[3] = NAN;
    assert_int_equal(level_map_build(h, false, NULL, &map, &failure), VIRGA_UNSUPPORTED);
    level_heights_free(h);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flat_levels_are_mapped_closely),
        cmocka_unit_test(test_hybrid_heights_are_mapped_closely),
        cmocka_unit_test(test_high_mountains_are_mapped_closely),
        cmocka_unit_test(test_wavy_levels_are_mapped_closely),
        cmocka_unit_test(test_waves_between_the_tables_columns_are_seen),
        cmocka_unit_test(test_tables_of_large_grids_are_bounded),
        cmocka_unit_test(test_grids_too_large_to_hold_are_mapped_from_some_columns),
        cmocka_unit_test(test_height_is_the_inverse_of_locate),
        cmocka_unit_test(test_places_outside_are_refused),
        cmocka_unit_test(test_heights_above_ground_follow_the_ground),
        cmocka_unit_test(test_equal_contents_have_equal_ids),
        cmocka_unit_test(test_levels_that_fall_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
