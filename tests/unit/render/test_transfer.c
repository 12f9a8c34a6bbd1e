// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "render/transfer.h"

static void near(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance))
        fail_msg("%.17g is not %.17g", value, expected);
}

static void knows_colour_maps(void **state)
{
    (void)state;
    double rgb[3];
    assert_non_null(colour_map_name(0));
    assert_null(colour_map_name(1000));
    assert_null(colour_map_find("unheard_of"));
    assert_null(colour_map_find("index"));
    const struct colour_map map = {.count = 3, .points = {{0, 10, 0, 255}, {0.5, 20, 100, 255}, {1, 40, 0, 0}}};
    colour_map_at(&map, 0.25, rgb);
    near(rgb[0], 15, 0), near(rgb[1], 50, 0), near(rgb[2], 255, 0);
    colour_map_at(&map, 0.75, rgb);
    near(rgb[0], 30, 0), near(rgb[1], 50, 0), near(rgb[2], 127.5, 0);
    colour_map_at(&map, -1, rgb);
    near(rgb[0], 10, 0);
    colour_map_at(&map, 7, rgb);
    near(rgb[0], 40, 0);
    colour_map_at(&map, NAN, rgb);
    near(rgb[0], 10, 0);
}

// A fog of the same opacity everywhere: tau and its integral are known.
static void constant_opacity(void **state)
{
    (void)state;
    static struct transfer t;
    const double range[2] = {0, 10}, opacity[1][2] = {{4, 0.5}};
    transfer_init(&t, colour_map_find("grey"), range, opacity, 1);
    assert_true(t.low == 0 && t.high == 10);
    for (size_t k = 0; k < TRANSFER_ENTRIES; k++) {
        near((double)t.data[k][3], log(2), 1e-7);
        near((double)t.integral[k][3], (double)k * log(2), 1e-7 * 700);
        assert_int_equal(t.visible_before[k + 1], k + 1);
    }
    near(transfer_tau(&t, 5), log(2), 1e-7);
    near(transfer_tau(&t, 1e9), log(2), 1e-7);
    assert_true(transfer_visible(&t, -5, -4));
}

static void opaque_is_finite(void **state)
{
    (void)state;
    static struct transfer t;
    const double range[2] = {0, 1}, opacity[2][2] = {{0, 0}, {1, 1}};
    transfer_init(&t, NULL, range, opacity, 2);
    near((double)t.data[TRANSFER_ENTRIES - 1][3], -log(1 - TRANSFER_MOST), 1e-5);
    near((double)t.data[0][3], 0, 0);
}

// The table spans colours and opacities both, and a lattice integer finds its entry.
static void spans_and_looks_up(void **state)
{
    (void)state;
    static struct transfer t;
    const double range[2] = {280, 300}, opacity[2][2] = {{260, 0}, {320, 0.2}};
    const struct lattice_spec lattice = {.v0 = 200, .step = 0.25};
    double lookup[2];
    transfer_init(&t, colour_map_find("temperature"), range, opacity, 2);
    assert_true(t.low == 260 && t.high == 320);
    transfer_lookup(&t, &lattice, lookup);
    for (int q = 240; q <= 480; q += 16) {
        double entry = (q * lookup[0] + lookup[1]) * TRANSFER_ENTRIES - 0.5;
        near(entry, (200 + 0.25 * q - 260) / 60 * (TRANSFER_ENTRIES - 1), 1e-9);
    }
    // Below the range the colour is the map's first.
    const struct colour_map *map = colour_map_find("temperature");
    near((double)t.data[0][0], map->points[0][1] / 255, 1e-7);
}

// Nothing that shows is called invisible, and a wide gap is found.
static void says_what_shows(void **state)
{
    (void)state;
    static struct transfer t;
    const double range[2] = {0, 1}, opacity[5][2] = {{0, 0}, {0.4, 0}, {0.5, 0.1}, {0.6, 0}, {1, 0}};
    transfer_init(&t, NULL, range, opacity, 5);
    assert_false(transfer_visible(&t, 0, 0.39));
    assert_false(transfer_visible(&t, 0.61, 1));
    assert_false(transfer_visible(&t, 0.61, 50));
    assert_true(transfer_visible(&t, 0.401, 0.401));
    assert_true(transfer_visible(&t, 0, 1));
    assert_true(transfer_visible(&t, -INFINITY, INFINITY));
}

// A range of a single value cannot be given, but values may be so large that a range vanishes in them.
static void no_width(void **state)
{
    (void)state;
    static struct transfer t;
    const double range[2] = {1e300, 1e300}, opacity[1][2] = {{1e300, 1}};
    transfer_init(&t, NULL, range, opacity, 1);
    assert_true(t.high > t.low && isfinite(t.high));
    assert_true(isfinite(t.data[5][3]) && isfinite(t.integral[TRANSFER_ENTRIES - 1][3]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_colour_maps), cmocka_unit_test(constant_opacity), cmocka_unit_test(opaque_is_finite),
        cmocka_unit_test(spans_and_looks_up), cmocka_unit_test(says_what_shows), cmocka_unit_test(no_width),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
