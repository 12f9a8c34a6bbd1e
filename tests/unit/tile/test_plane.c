// SPDX-License-Identifier: Apache-2.0
// Planes: their means, and the value between their columns.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>

#include "tile/plane.h"

static struct plane *make(size_t nx, size_t ny, unsigned scale, bool wraps, bool degrees, float (*at)(size_t, size_t)) {
    const size_t cx = (nx + scale - 1) / scale, cy = (ny + scale - 1) / scale;
    float *values = malloc(cx * cy * sizeof *values);
    struct plane *plane;
    for (size_t c = 0; c < cx * cy; c++) values[c] = at(c % cx, c / cx);
    assert_int_equal(plane_new(&(struct plane_content){nx, ny, scale, wraps, degrees, values, "somehow"}, &plane, NULL), VIRGA_OK);
    return plane;
}

static float sloping(size_t x, size_t y) { return (float)x + 1000 * (float)y; }
static float with_holes(size_t x, size_t y) { return x < 3 && y < 3 ? NAN : sloping(x, y); }
static float turning(size_t x, size_t y) { return (void)y, x % 2 ? 350 : 30; }

static void test_each_level_halves_the_one_before(void **state) {
    (void)state;
    struct plane *p = make(201, 130, 1, true, false, sloping);
    assert_int_equal(p->level_count, 3);
    static const size_t nx[] = {201, 101, 51}, ny[] = {130, 65, 33};
    for (size_t l = 0; l < p->level_count; l++) {
        assert_int_equal(p->levels[l].nx, nx[l]);
        assert_int_equal(p->levels[l].ny, ny[l]);
        assert_int_equal(p->levels[l].scale, 1 << l);
    }
    assert_true(p->low == 0 && p->high == 200 + 129000);
    assert_true(p->wraps && !p->degrees);
    assert_string_equal(p->method, "somehow");
    for (size_t y = 0; y < 65; y++)  // a value stands at (c + 0.5) 2 − 0.5: the slope's value there
        for (size_t x = 0; x < 100; x++) assert_true(fabsf(p->levels[1].values[y * 101 + x] - (2 * (float)x + 0.5F + 1000 * (2 * (float)y + 0.5F))) < 0.02F);
    assert_true(p->levels[1].values[100] == 200 + 500);  // the last column has one value under it
    plane_unref(p);
}

static void test_means_are_of_what_is_present_and_absent_under_one_half(void **state) {
    (void)state;
    struct plane *p = make(100, 100, 1, false, false, with_holes);
    const float *half = p->levels[1].values;
    assert_true(isnan(half[0]));                            // none of four
    assert_true(half[1] == (3 + 1003) / 2.0F);              // two of four
    assert_true(isnan(p->levels[0].values[2 * 100 + 2]));
    assert_true(fabsf(half[51] - (1 * 2003 + 3002 + 3003) / 3.0F) < 0.01F);  // three of four
    plane_unref(p);
}

static void test_directions_are_averaged_around_north(void **state) {
    (void)state;
    struct plane *p = make(80, 80, 1, false, true, turning);
    assert_true(fabsf(p->levels[1].values[0] - 10) < 1e-3F);
    assert_true(fabs(plane_sample(p, 0.5, 0) - 10) < 1e-4);
    plane_unref(p);
}

static void test_between_columns_it_is_bilinear(void **state) {
    (void)state;
    struct plane *p = make(100, 100, 1, true, false, with_holes);
    assert_true(fabs(plane_sample(p, 10.25, 20.5) - 20510.25) < 1e-2);
    assert_true(fabs(plane_sample(p, 99.5, 20) - (20000 + 49.5)) < 1e-2);  // between the last column and the first
    assert_true(fabs(plane_sample(p, 2.6, 2) - 2003) < 1e-2);              // the nearer one alone
    assert_true(isnan(plane_sample(p, 2.4, 2)));
    assert_true(isnan(plane_sample(p, -0.1, 2)) && isnan(plane_sample(p, 2, 99.1)) && isnan(plane_sample(p, NAN, 2)));
    plane_unref(p);
    p = make(100, 100, 1, false, false, sloping);
    assert_true(isnan(plane_sample(p, 99.5, 20)));
    plane_unref(p);
}

static void test_a_coarse_plane_stands_where_its_means_do(void **state) {
    (void)state;
    struct plane *p = make(200, 100, 2, false, false, sloping);
    assert_int_equal(p->levels[0].nx, 100);
    assert_int_equal(p->levels[0].scale, 2);
    assert_true(fabs(plane_sample(p, 2.5, 4.5) - 2001) < 1e-3);
    assert_true(fabs(plane_sample(p, 0, 4.5) - 2000) < 1e-3);  // held beyond the outermost means
    plane_unref(p);
}

static float missing(size_t x, size_t y) { return (void)x, (void)y, NAN; }

static void test_nothing_present_has_no_range(void **state) {
    (void)state;
    struct plane *p = make(70, 3, 1, false, false, missing);
    assert_true(p->low > p->high);
    assert_true(isnan(p->levels[1].values[0]));
    assert_ptr_equal(plane_ref(p), p);
    plane_unref(p);
    plane_unref(p);
    plane_unref(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_level_halves_the_one_before),
        cmocka_unit_test(test_means_are_of_what_is_present_and_absent_under_one_half),
        cmocka_unit_test(test_directions_are_averaged_around_north),
        cmocka_unit_test(test_between_columns_it_is_bilinear),
        cmocka_unit_test(test_a_coarse_plane_stands_where_its_means_do),
        cmocka_unit_test(test_nothing_present_has_no_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
