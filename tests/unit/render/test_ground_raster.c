// SPDX-License-Identifier: Apache-2.0
// Triangles to samples: none missed, none taken twice, at the right distance.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "render/ground_raster.h"

enum { SIDE = 40, CELLS = 14 };

static const struct ground_camera plain = {.width = SIDE, .height = SIDE, .nearest = 1, .farthest = 1e-6, .step = 1e-9};

static double chance(unsigned *seed) { return (double)(*seed = *seed * 1664525u + 1013904223u) / 4294967296.0; }

static struct ground_point point_at(double x, double y, double near) {
    return (struct ground_point){.clip = {0, 0, 1 / near}, .x = x, .y = y, .near = near};
}

// A wobbly grid of corners over a picture and beyond; a part of them right on samples and on lines of samples.
static void wobble(struct ground_point corners[CELLS + 1][CELLS + 1], unsigned seed) {
    for (int j = 0; j <= CELLS; j++)
        for (int i = 0; i <= CELLS; i++) {
            double cell = (SIDE + 8.0) / CELLS, x = -4 + cell * (i + 0.6 * (chance(&seed) - 0.5));
            double y = -4 + cell * (j + 0.6 * (chance(&seed) - 0.5));
            if (chance(&seed) < 0.3) x = floor(x) + 0.5;
            if (chance(&seed) < 0.3) y = floor(y) + 0.5;
            corners[j][i] = point_at(x, y, 0.1 + 0.01 * chance(&seed));
        }
}

static void count_hits(struct ground_raster *raster, const struct ground_point *a, const struct ground_point *b,
                       const struct ground_point *c, int *hits) {
    size_t samples = SIDE * SIDE * raster->across * raster->across;
    ground_raster_clear(raster, 0, 0, SIDE, SIDE);
    ground_raster_triangle(raster, &plain, a, b, c, GROUND_TOP);
    for (size_t n = 0; n < samples; n++) hits[n] += raster->kind[n] == GROUND_TOP;
}

static void test_each_sample_once(void **state) {
    (void)state;
    static struct ground_point corners[CELLS + 1][CELLS + 1];
    for (unsigned across = 1; across <= 4; across++) {
        struct ground_raster raster;
        size_t samples = SIDE * SIDE * across * across;
        int *hits = calloc(samples, sizeof *hits);
        assert_int_equal(ground_raster_init(&raster, SIDE, SIDE, across), VIRGA_OK);
        wobble(corners, across);
        for (int j = 0; j < CELLS; j++)
            for (int i = 0; i < CELLS; i++) {
                const struct ground_point *a = &corners[j][i], *b = &corners[j][i + 1], *c = &corners[j + 1][i],
                    *d = &corners[j + 1][i + 1];
                count_hits(&raster, a, b, c, hits);
                count_hits(&raster, d, b, c, hits);  // turned the other way
            }
        for (size_t n = 0; n < samples; n++)
            if (hits[n] != 1) fail_msg("sample %zu of %u across is hit %d times", n, across, hits[n]);
        free(hits);
        ground_raster_destroy(&raster);
    }
}

static void test_tiles_are_parts_of_the_whole(void **state) {
    (void)state;
    static struct ground_point corners[CELLS + 1][CELLS + 1];
    struct ground_raster whole, tile;
    assert_int_equal(ground_raster_init(&whole, SIDE, SIDE, 2), VIRGA_OK);
    assert_int_equal(ground_raster_init(&tile, SIDE / 2, SIDE / 2, 2), VIRGA_OK);
    wobble(corners, 7);
    for (int n = 0; n < 5; n++) {
        struct ground_raster *raster = n < 4 ? &tile : &whole;
        if (n < 4) ground_raster_clear(raster, n % 2 * SIDE / 2, n / 2 * SIDE / 2, SIDE / 2, SIDE / 2);
        else ground_raster_clear(raster, 0, 0, SIDE, SIDE);
        for (int j = 0; j < CELLS; j++)
            for (int i = 0; i < CELLS; i++) {
                ground_raster_triangle(raster, &plain, &corners[j][i], &corners[j][i + 1], &corners[j + 1][i], GROUND_TOP);
                ground_raster_triangle(raster, &plain, &corners[j][i + 1], &corners[j + 1][i + 1], &corners[j + 1][i],
                                       GROUND_SIDE);
            }
        if (n < 4) continue;
        for (size_t y = 0; y < SIDE; y++)
            for (size_t x = 0; x < SIDE; x++) {
                size_t in_whole = (y + SIDE) * 2 * SIDE + x + SIDE, in_tile = y * SIDE + x;  // the last quarter
                assert_int_equal(tile.kind[in_tile], whole.kind[in_whole]);
                assert_true(fabsf(tile.near[in_tile] - whole.near[in_whole]) <= 1e-6f * whole.near[in_whole]);
            }
    }
    ground_raster_destroy(&whole);
    ground_raster_destroy(&tile);
}

// The nearer of two triangles wins, whichever is drawn first.
static void test_nearest_wins(void **state) {
    (void)state;
    struct ground_raster raster;
    assert_int_equal(ground_raster_init(&raster, SIDE, SIDE, 1), VIRGA_OK);
    for (int order = 0; order < 2; order++) {
        ground_raster_clear(&raster, 0, 0, SIDE, SIDE);
        for (int n = 0; n < 2; n++) {
            bool front = n == order;
            const double near = front ? 0.2 : 0.1;
            const struct ground_point a = point_at(-9, -9, near), b = point_at(120, -9, near), c = point_at(-9, 120, near);
            ground_raster_triangle(&raster, &plain, &a, &b, &c, front ? GROUND_TOP : GROUND_SIDE);
        }
        for (size_t n = 0; n < SIDE * SIDE; n++) assert_int_equal(raster.kind[n], GROUND_TOP);
    }
    ground_raster_destroy(&raster);
}

// A plain that begins behind the eye and ends far away: cut by the near plane, and seen at the right distance up to the horizon.
static void test_cut_in_front_of_the_eye(void **state) {
    (void)state;
    struct scene scene = {.width = 160, .height = 120, .exaggeration = 1, .box = {{-500, -500, 0}, {500, 500, 10}}};
    const struct view_camera view = {.mode = VIEW_FLY, .eye = {3, -20, 4}, .target = {10, 100, 0}, .up = {0, 0, 1}, .fov = 60};
    struct ground_camera camera;
    struct ground_raster raster;
    struct ground_point p[4];
    camera_matrices(&view, &scene.box, 1, 160.0 / 120, &scene.matrices);
    ground_camera_init(&camera, &scene);
    assert_int_equal(ground_raster_init(&raster, 160, 120, 1), VIRGA_OK);
    ground_raster_clear(&raster, 0, 0, 160, 120);
    for (int n = 0; n < 4; n++) {
        const double at[] = {n & 1 ? 500 : -500, n & 2 ? 500 : -500, 0};
        ground_camera_point(&camera, at, &p[n]);
    }
    ground_raster_triangle(&raster, &camera, &p[0], &p[1], &p[2], GROUND_TOP);
    ground_raster_triangle(&raster, &camera, &p[1], &p[3], &p[2], GROUND_TOP);
    int seen = 0;
    for (int y = 0; y < 120; y++)
        for (int x = 0; x < 160; x++) {
            double ray[3];
            for (int n = 0; n < 3; n++) ray[n] = camera.ray[n] + (x + 0.5) * camera.ray_x[n] + (y + 0.5) * camera.ray_y[n];
            double depth = -camera.eye[2] / ray[2], X = camera.eye[0] + depth * ray[0], Y = camera.eye[1] + depth * ray[1];
            bool inside = depth > 0 && fabs(X) < 499 && fabs(Y) < 499 && depth * camera.nearest > 1.001;
            bool outside = depth <= 0 || fabs(X) > 501 || fabs(Y) > 501;
            float near = raster.near[y * 160 + x];
            if (inside && !(fabs((double)near * depth - 1) < 1e-5))
                fail_msg("(%d, %d): 1 / %g instead of 1 / %g", x, y, 1 / (double)near, depth);
            if (outside) assert_true(near == 0);
            seen += inside;
        }
    assert_true(seen > 160 * 60);
    ground_raster_destroy(&raster);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_sample_once),
        cmocka_unit_test(test_tiles_are_parts_of_the_whole),
        cmocka_unit_test(test_nearest_wins),
        cmocka_unit_test(test_cut_in_front_of_the_eye),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
