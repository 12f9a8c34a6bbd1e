// SPDX-License-Identifier: Apache-2.0
// Sky, ground and volume to one picture: against the shader's formulas in doubles.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "render/composite.h"

enum { WIDTH = 71, HEIGHT = 38, PIXELS = WIDTH * HEIGHT };

static struct scene made(void) {
    struct scene scene = {.width = WIDTH, .height = HEIGHT};
    const double top[] = {0.1, 0.2, 0.3}, low[] = {0.4, 0.5, 0.9};
    memcpy(scene.light.sky_top, top, sizeof top);
    memcpy(scene.light.sky_low, low, sizeof low);
    return scene;
}

// Premultiplied; some of it, like what a lit cloud has, brighter than white.
static void fill(float *rgba, unsigned seed) {
    for (int n = 0; n < PIXELS; n++) {
        float alpha = (float)(seed = seed * 1664525u + 1013904223u) / 4294967296.0f;
        for (int c = 0; c < 3; c++) rgba[4 * n + c] = alpha * 1.2f * (float)(seed = seed * 1664525u + 1013904223u) / 4294967296.0f;
        rgba[4 * n + 3] = alpha;
    }
}

static void draw(size_t threads, const float *ground, const float *volume, bool transparent, struct image *image) {
    struct scene scene = made();
    struct render_team *team = render_team_new(threads, false);
    assert_non_null(team);
    *image = (struct image){WIDTH, HEIGHT, calloc(PIXELS, 4)};
    composite_draw(team, &scene, ground, volume, transparent, image);
    render_team_free(team);
}

static double at(const float *rgba, int x, int y, int c) {
    x = x < 0 ? 0 : x >= WIDTH ? WIDTH - 1 : x, y = y < 0 ? 0 : y >= HEIGHT ? HEIGHT - 1 : y;
    return rgba ? fmin(fmax((double)rgba[4 * (y * WIDTH + x) + c], 0), 1) : 0;
}

static double expected(const float *ground, const float *volume, bool transparent, int x, int y, int c) {
    struct scene scene = made();
    double up = (HEIGHT - 1 - y + 0.5) / HEIGHT, smooth = up * up * (3 - 2 * up), over[4], below[4];
    for (int n = 0; n < 4; n++) {
        over[n] = 0.32 * at(volume, x, y, n) + 0.17 * (at(volume, x + 1, y, n) + at(volume, x - 1, y, n) +
                                                       at(volume, x, y + 1, n) + at(volume, x, y - 1, n));
        below[n] = ground ? (double)ground[4 * (y * WIDTH + x) + n] : 0;
    }
    double alpha = transparent ? 1 - (1 - below[3]) * (1 - over[3]) : 1;
    if (c == 3) return 255 * alpha;
    double sky = transparent ? 0 : scene.light.sky_low[c] + (scene.light.sky_top[c] - scene.light.sky_low[c]) * smooth;
    double colour = (sky * (1 - below[3]) + below[c]) * (1 - over[3]) + over[c];
    uint32_t h = ((uint32_t)x * 1597334677u) ^ ((uint32_t)(HEIGHT - 1 - y) * 3812015801u);
    h = (h ^ (h >> 15)) * 2246822519u;
    return 255 * fmin(fmax((alpha > 1e-6 ? colour / alpha : 0) + ((h >> 8) / 16777216.0 - 0.5) / 255, 0), 1);
}

static void check(const float *ground, const float *volume, bool transparent) {
    struct image image;
    draw(2, ground, volume, transparent, &image);
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            for (int c = 0; c < 4; c++) {
                double want = expected(ground, volume, transparent, x, y, c), got = image.pixels[4 * (y * WIDTH + x) + c];
                if (fabs(got - want) > 0.51) fail_msg("(%d, %d) %d: %g instead of %g", x, y, c, got, want);
            }
    free(image.pixels);
}

static void test_as_the_shader(void **state) {
    (void)state;
    static float ground[4 * PIXELS], volume[4 * PIXELS];
    fill(ground, 1);
    fill(volume, 2);
    for (int n = 0; n < 8; n++) check(n & 1 ? ground : NULL, n & 2 ? volume : NULL, n & 4);
}

static void test_transparent_where_there_is_nothing(void **state) {
    (void)state;
    struct image image;
    draw(1, NULL, NULL, true, &image);
    for (int n = 0; n < 4 * PIXELS; n++) assert_int_equal(image.pixels[n], 0);
    free(image.pixels);
}

static void test_any_number_of_threads(void **state) {
    (void)state;
    static float ground[4 * PIXELS], volume[4 * PIXELS];
    struct image one, more;
    fill(ground, 3);
    fill(volume, 4);
    draw(1, ground, volume, false, &one);
    draw(5, ground, volume, false, &more);
    assert_memory_equal(one.pixels, more.pixels, 4 * PIXELS);
    free(one.pixels);
    free(more.pixels);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_the_shader),
        cmocka_unit_test(test_transparent_where_there_is_nothing),
        cmocka_unit_test(test_any_number_of_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
