// SPDX-License-Identifier: Apache-2.0
// Contours: they stand where the values are, run on without a gap, keep higher values on one side, end at missing values and edges alone, and are bounded in number.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "render/map_contours.h"
#include "render/map_smooth.h"

enum { SIDE = 64 };

static float values[SIDE * SIDE];
static const struct map_lattice lattice = {values, SIDE, SIDE, {10, 20}, {4, 4}};

static void fill(double (*f)(double x, double y)) {
    for (size_t y = 0; y < SIDE; y++)
        for (size_t x = 0; x < SIDE; x++) values[y * SIDE + x] = (float)f((double)x, (double)y);
}

static double hill(double x, double y) { return 30 - hypot(x - 31.5, y - 31.5); }
static double slope(double x, double y) { return x + 0.5 * y; }
static double checks(double x, double y) { return (double)(((int)x + (int)y) & 1); }
static double holed(double x, double y) { return hypot(x - 20, y - 40) < 5 ? NAN : x + 0.5 * y; }
static double noise(double x, double y) { return fmod(fabs(sin(x * 12.9898 + y * 78.233) * 43758.5453), 1); }
static double flat(double x, double y) { return (void)x, (void)y, 5; }

// Where a line's point would be on the lattice.
static void on_lattice(const struct map_contours *c, size_t point, double at[2]) {
    for (int d = 0; d < 2; d++) at[d] = ((double)c->points[point][d] - lattice.first[d]) / lattice.step[d];
}

static double value_on_side(const double at[2]) {
    const size_t x = (size_t)floor(at[0] + 1e-4), y = (size_t)floor(at[1] + 1e-4);
    const double fx = fmax(0, at[0] - (double)x), fy = fmax(0, at[1] - (double)y);
    const size_t right = x + 1 < SIDE ? x + 1 : x, below = y + 1 < SIDE ? y + 1 : y;
    return fx > fy ? (1 - fx) * (double)values[y * SIDE + x] + fx * (double)values[y * SIDE + right]
                   : (1 - fy) * (double)values[y * SIDE + x] + fy * (double)values[below * SIDE + x];
}

static size_t count_crossings(double value) {
    size_t count = 0;
    for (size_t y = 0; y < SIDE; y++)
        for (size_t x = 0; x < SIDE; x++) {
            const bool in = (double)values[y * SIDE + x] >= value;
            count += x + 1 < SIDE && in != ((double)values[y * SIDE + x + 1] >= value);
            count += y + 1 < SIDE && in != ((double)values[(y + 1) * SIDE + x] >= value);
        }
    return count;
}

static void a_hill_has_rings(void **state) {
    (void)state;
    struct map_contours c;
    fill(hill);
    assert_int_equal(map_contours_trace(&lattice, 0, 5, NULL, &c), VIRGA_OK);
    size_t rings = 0;
    for (size_t n = 0; n < c.count; n++) {
        const double value = (double)c.lines[n].number * 5;
        rings += c.lines[n].closed;
        for (size_t p = 0; p < c.lines[n].count; p++) {
            double at[2];
            on_lattice(&c, c.lines[n].first + p, at);
            assert_true(fabs(hill(at[0], at[1]) - value) < 0.1);
        }
    }
    assert_int_equal(rings, 6);  // 0, 5, …, 25; lower ones run into the edges
    assert_true(c.interval == 5);
    map_contours_destroy(&c);
}

static void lines_stand_at_base_and_interval(void **state) {
    (void)state;
    struct map_contours c;
    fill(slope);
    assert_int_equal(map_contours_trace(&lattice, 0.15, 10, NULL, &c), VIRGA_OK);
    assert_int_equal(c.count, 10);  // 0.15, 10.15, …, 90.15 of 0 to 94.5
    for (size_t n = 0; n < c.count; n++) {
        assert_false(c.lines[n].closed);
        for (size_t p = 0; p < c.lines[n].count; p++) {
            double at[2];
            on_lattice(&c, c.lines[n].first + p, at);
            assert_true(fabs(slope(at[0], at[1]) - 0.15 - 10 * (double)c.lines[n].number) < 1e-4);
        }
    }
    map_contours_destroy(&c);
}

// Every crossing of a side is a point of one line, and one line alone.
static void no_crossing_is_lost_or_twice(void **state) {
    (void)state;
    double (*const fields[])(double, double) = {hill, slope, checks, noise};
    for (size_t f = 0; f < sizeof fields / sizeof *fields; f++) {
        struct map_contours c;
        fill(fields[f]);
        assert_int_equal(map_contours_trace(&lattice, 0.3, 1000, NULL, &c), VIRGA_OK);
        size_t points = 0;
        for (size_t n = 0; n < c.count; n++) points += c.lines[n].count;
        assert_int_equal(points, count_crossings(0.3));
        for (size_t n = 0; n < c.point_count; n++) {
            double at[2];
            on_lattice(&c, n, at);
            assert_true(fabs(value_on_side(at) - 0.3) < 0.01);
        }
        for (size_t n = 0; n < c.count; n++)
            for (size_t p = 1; p < c.lines[n].count; p++) {
                const float *a = c.points[c.lines[n].first + p - 1], *b = c.points[c.lines[n].first + p];
                assert_true(hypotf(a[0] - b[0], a[1] - b[1]) <= 4 * 1.4143F);  // within one cell
            }
        map_contours_destroy(&c);
    }
}

static void higher_values_are_on_one_side(void **state) {
    (void)state;
    struct map_contours c;
    fill(hill);
    assert_int_equal(map_contours_trace(&lattice, 0, 5, NULL, &c), VIRGA_OK);
    for (size_t n = 0; n < c.count; n++) {
        double a[2], b[2];
        on_lattice(&c, c.lines[n].first, a);
        on_lattice(&c, c.lines[n].first + 1, b);
        const double dx = b[0] - a[0], dy = b[1] - a[1], towards = dx * (31.5 - a[1]) - dy * (31.5 - a[0]);
        assert_true(towards < 0 || hypot(dx, dy) < 1e-6);
    }
    map_contours_destroy(&c);
}

static void lines_end_at_missing_values(void **state) {
    (void)state;
    struct map_contours c;
    fill(holed);
    assert_int_equal(map_contours_trace(&lattice, 0, 40, NULL, &c), VIRGA_OK);
    size_t broken = 0;
    for (size_t n = 0; n < c.count; n++) {
        broken += c.lines[n].number == 1;
        for (size_t p = 0; p < c.lines[n].count; p++) {
            double at[2];
            on_lattice(&c, c.lines[n].first + p, at);
            assert_true(hypot(at[0] - 20, at[1] - 40) > 4);
        }
    }
    assert_int_equal(broken, 2);
    map_contours_destroy(&c);
}

static void numbers_are_bounded(void **state) {
    (void)state;
    struct map_contours c;
    fill(noise);
    assert_int_equal(map_contours_trace(&lattice, 0, 1e-300, NULL, &c), VIRGA_OK);
    assert_true(c.point_count <= 2 * SIDE * SIDE);
    map_contours_destroy(&c);
    fill(slope);
    assert_int_equal(map_contours_trace(&lattice, 0, 1e-3, NULL, &c), VIRGA_OK);
    assert_true(c.count > 2 && c.count <= 2 * MAP_CONTOURS_VALUES);
    const double times = log(c.interval / 1e-3) / log(5);
    assert_true(fabs(times - round(times)) < 1e-9);
    map_contours_destroy(&c);
    for (size_t n = 0; n < SIDE * SIDE; n++) values[n] = n & 1 ? 3e38F : -3e38F;
    assert_int_equal(map_contours_trace(&lattice, 0, 1, NULL, &c), VIRGA_OK);
    map_contours_destroy(&c);
    for (size_t n = 0; n < SIDE * SIDE; n++) values[n] = n & 1 ? 3e37F : nextafterf(3e37F, 0);
    assert_int_equal(map_contours_trace(&lattice, 0, 1e-3, NULL, &c), VIRGA_OK);
    map_contours_destroy(&c);
}

static void what_nobody_waits_for_is_given_up(void **state) {
    (void)state;
    struct map_contours c;
    atomic_bool stop = true;
    fill(hill);
    assert_int_equal(map_contours_trace(&lattice, 0, 5, &stop, &c), VIRGA_CANCELLED);
    map_contours_destroy(&c);
}

static void nothing_has_no_lines(void **state) {
    (void)state;
    struct map_contours c;
    fill(flat);
    assert_int_equal(map_contours_trace(&lattice, 0, 1, NULL, &c), VIRGA_OK);
    assert_int_equal(c.count, 0);
    map_contours_destroy(&c);
    for (size_t n = 0; n < SIDE * SIDE; n++) values[n] = NAN;
    assert_int_equal(map_contours_trace(&lattice, 0, 1, NULL, &c), VIRGA_OK);
    assert_int_equal(c.count, 0);
    map_contours_destroy(&c);
    const struct map_lattice one = {values, 1, 1, {0, 0}, {1, 1}};
    assert_int_equal(map_contours_trace(&one, 0, 1, NULL, &c), VIRGA_OK);
    map_contours_destroy(&c);
}

static void smoothing_keeps_planes_and_holes(void **state) {
    (void)state;
    fill(holed);
    assert_int_equal(map_smooth(values, SIDE, SIDE, 5.5), VIRGA_OK);
    for (size_t y = 6; y < SIDE - 6; y++)
        for (size_t x = 6; x < SIDE - 6; x++) {
            const double wanted = holed((double)x, (double)y), value = (double)values[y * SIDE + x];
            assert_true(isnan(wanted) ? isnan(value) : hypot((double)x - 20, (double)y - 40) < 13 || fabs(value - wanted) < 1e-3);
        }
    fill(checks);
    assert_int_equal(map_smooth(values, SIDE, SIDE, 1), VIRGA_OK);
    assert_true(values[0] == 0 && values[1] == 1);
    assert_int_equal(map_smooth(values, SIDE, SIDE, MAP_SMOOTH_REACH), VIRGA_OK);
    for (size_t n = 0; n < SIDE * SIDE; n++) assert_true(fabsf(values[n] - 0.5F) < 0.02F);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hill_has_rings),           cmocka_unit_test(lines_stand_at_base_and_interval), cmocka_unit_test(no_crossing_is_lost_or_twice),
        cmocka_unit_test(higher_values_are_on_one_side), cmocka_unit_test(lines_end_at_missing_values),   cmocka_unit_test(numbers_are_bounded),
        cmocka_unit_test(nothing_has_no_lines),       cmocka_unit_test(what_nobody_waits_for_is_given_up),       cmocka_unit_test(smoothing_keeps_planes_and_holes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
