// SPDX-License-Identifier: Apache-2.0
// The ray marcher on volumes whose pictures are known, and against itself: threads, processors, leaps.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "made_scene.h"
#include "render/ray_marcher.h"

enum { WIDTH = 90, HEIGHT = 70, NUMBERS = WIDTH * HEIGHT * 4 };

struct made {
    struct grid grid;
    struct level_map map;
    struct layer_geometry *geometry;
    struct pyramid_shape shape;
    struct brick_volume *steps[2];
    struct transfer transfer;
    struct scene scene;
};

// 40 × 36 × 9 voxels, a kilometre apart: 39 × 35 × 8 km around the origin. Lattice integers 0 … 1023 are entries of the table.
static struct made *made_new(made_voxel *voxel, made_voxel *later) {
    struct made *m = calloc(1, sizeof *m);
    m->grid = made_grid(40, 36);
    m->map = made_map(40, 36, 9, 1000);
    pyramid_shape_init(&m->shape, 40, 36, 9, false, 1000, 1000);
    assert_int_equal(layer_geometry_new(&m->grid, &m->map, &m->geometry), VIRGA_OK);
    m->steps[0] = made_volume(&m->shape, voxel);
    m->steps[1] = later ? made_volume(&m->shape, later) : NULL;
    made_transfer(&m->transfer, 0.05f, 0.05f, 1, 0.5f, 0.25f);
    m->scene = (struct scene){
        .box = {{-19.5, -17.5, 0}, {19.5, 17.5, 8}}, .exaggeration = 2, .width = WIDTH, .height = HEIGHT, .step = 1, .volume_count = 1,
        .light = {.direction = {0, 0, 1}, .ambient = {1, 1, 1}},
        .volumes = {{.geometry = m->geometry, .transfer = &m->transfer, .lookup = {1.0 / TRANSFER_ENTRIES, 0.5 / TRANSFER_ENTRIES}, .steps = {m->steps[0], m->steps[1]}}},
    };
    made_camera(&m->scene, (const double[]){5, -60, 40}, (const double[]){0, 0, 6}, 40);
    return m;
}

static void made_free(struct made *m) {
    layer_geometry_free(m->geometry);
    brick_volume_free(m->steps[0]);
    brick_volume_free(m->steps[1]);
    free(m->map.table);
    free(m);
}

static float *draw(const struct scene *scene, size_t threads, const float *distance) {
    struct render_team *team = render_team_new(threads, false);
    float *rgba = calloc(NUMBERS, sizeof *rgba);
    ray_marcher_draw(team, scene, distance, rgba);
    render_team_free(team);
    return rgba;
}

static double largest_difference(const float *a, const float *b) {
    double largest = 0;
    for (size_t n = 0; n < NUMBERS; n++) largest = fmax(largest, fabs((double)a[n] - (double)b[n]));
    return largest;
}

static int32_t even(uint32_t level, int64_t x, int64_t y, int64_t z) { (void)level, (void)x, (void)y, (void)z; return 500; }
static int32_t blob(uint32_t level, int64_t x, int64_t y, int64_t z) {
    (void)level;
    return (int32_t)(1400 * exp(-((double)((x - 22) * (x - 22) + (y - 15) * (y - 15)) / 90 + (double)((z - 4) * (z - 4)) / 8)));
}
static int32_t torn(uint32_t level, int64_t x, int64_t y, int64_t z) { return (x / 3 + y / 2) % 4 == 0 ? LATTICE_MISSING : blob(level, x, y, z); }
static int32_t high(uint32_t level, int64_t x, int64_t y, int64_t z) { (void)level, (void)x, (void)y, (void)z; return 700; }

// Length of a pixel's ray through the box, in kilometres of the shown scene, the plain way.
static double way_through(const struct scene *scene, int px, int py) {
    const double *r = scene->matrices.relative, u = 2 * (px + 0.5) / WIDTH - 1, v = 1 - 2 * (py + 0.5) / HEIGHT;
    double ray[3], low = 0, high_end = INFINITY;
    for (int a = 0; a < 3; a++) ray[a] = r[a] * u + r[4 + a] * v + r[12 + a];
    made_unit(ray);
    for (int a = 0; a < 3; a++) {
        const double stretch = a == 2 ? scene->exaggeration : 1;
        const double one = (scene->box.low[a] * stretch - scene->matrices.eye[a]) / ray[a], other = (scene->box.high[a] * stretch - scene->matrices.eye[a]) / ray[a];
        low = fmax(low, fmin(one, other));
        high_end = fmin(high_end, fmax(one, other));
    }
    return high_end > low ? high_end - low : 0;
}

// 1 − exp(−tau d), whatever the step; the colour is the table's.
static void test_slabs_are_exact_for_any_step(void **state) {
    (void)state;
    struct made *m = made_new(even, NULL);
    for (double step = 0.3; step < 6; step *= 1.7) {
        m->scene.step = step;
        float *rgba = draw(&m->scene, 2, NULL);
        size_t covered = 0;
        for (int y = 0; y < HEIGHT; y++)
            for (int x = 0; x < WIDTH; x++) {
                const float *p = rgba + ((size_t)y * WIDTH + (size_t)x) * 4;
                const double alpha = 1 - exp(-0.05 * way_through(&m->scene, x, y) / 2);
                // A ray's first hundredth of a step and what lies on the box's very edge may be counted half.
                if (fabs(alpha - (double)p[3]) > 1.5e-3) fail_msg("step %g, pixel %d %d: alpha %g, not %g", step, x, y, (double)p[3], alpha);
                assert_true(fabsf(p[0] - p[3]) < 1e-5f && fabsf(p[1] - p[3] * 0.5f) < 1e-5f && fabsf(p[2] - p[3] * 0.25f) < 1e-5f);
                covered += alpha > 0.1;
            }
        assert_true(covered > WIDTH * HEIGHT / 4);
        free(rgba);
    }
    made_free(m);
}

static void make_busy(struct made *m) {
    made_transfer(&m->transfer, -0.1f, 0.9f, 1, 0.8f, 0.6f);
    m->scene.volumes[0].shading = true;
    m->scene.light = (struct light){.direction = {0.48, -0.6, 0.64}, .colour = {0.7, 0.6, 0.5}, .ambient = {0.3, 0.35, 0.4}, .shadows = true};
}

static void test_threads_change_nothing(void **state) {
    (void)state;
    struct made *m = made_new(torn, blob);
    make_busy(m);
    m->scene.volumes[0].blend = 0.25;
    m->scene.volumes[1] = m->scene.volumes[0];
    m->scene.volume_count = 2;
    float *pictures[3];
    static const size_t threads[] = {1, 2, 5};
    for (int n = 0; n < 3; n++) {
        struct render_team *team = render_team_new(threads[n], false);
        struct light_grid grid;
        assert_int_equal(light_grid_cast(team, &m->scene, &grid), VIRGA_OK);
        m->scene.shade = &grid;
        pictures[n] = draw(&m->scene, threads[n], NULL);
        m->scene.shade = NULL;
        light_grid_destroy(&grid);
        render_team_free(team);
    }
    for (int n = 1; n < 3; n++) assert_memory_equal(pictures[0], pictures[n], NUMBERS * sizeof(float));
    for (int n = 0; n < 3; n++) free(pictures[n]);
    made_free(m);
}

// The widths of packets and the order of sums differ, not the picture.
static void test_processors_agree(void **state) {
    (void)state;
    static const char *const isas[] = {"portable", "x86-64-v2", "x86-64-v3", "x86-64-v4", "aarch64"};
    struct made *m = made_new(torn, blob);
    make_busy(m);
    m->scene.volumes[1] = m->scene.volumes[0];
    m->scene.volumes[0].blend = 0.75;
    m->scene.volume_count = 2;
    float *first = NULL;
    for (size_t n = 0; n < sizeof isas / sizeof *isas; n++) {
        assert_int_equal(setenv("VIRGA_RENDER_ISA", isas[n], 1), 0);
        if (strcmp(ray_marcher_isa(), isas[n])) continue;  // not this processor's
        float *rgba = draw(&m->scene, 2, NULL);
        double sum = 0;
        for (size_t at = 0; first && at < NUMBERS; at++) sum += fabs((double)rgba[at] - (double)first[at]);
        if (first && (sum / NUMBERS > 1e-5 || largest_difference(rgba, first) > 0.02)) fail_msg("%s: mean difference %g, largest %g", isas[n], sum / NUMBERS, largest_difference(rgba, first));
        if (first) free(rgba);
        else first = rgba;
    }
    unsetenv("VIRGA_RENDER_ISA");
    assert_non_null(first);
    free(first);
    made_free(m);
}

static int32_t taken(uint32_t level, int64_t x, int64_t y, int64_t z) { (void)level; return (int32_t)(11 * x - 7 * y + 30 * z - 101); }
static int32_t taken_later(uint32_t level, int64_t x, int64_t y, int64_t z) { return (x + y) % 5 == 0 ? LATTICE_MISSING : 2 * taken(level, x, y, z); }
static int32_t left(uint32_t level, int64_t x, int64_t y, int64_t z) { return blob(level, x, y, z) - 2 * taken(level, x, y, z); }
static int32_t left_later(uint32_t level, int64_t x, int64_t y, int64_t z) {
    const int32_t less = taken_later(level, x, y, z);
    return less == LATTICE_MISSING ? less : blob(level, x, y, z) - 2 * less;
}

static float *draw_lit(struct made *m) {
    struct render_team *team = render_team_new(2, false);
    struct light_grid grid;
    assert_int_equal(light_grid_cast(team, &m->scene, &grid), VIRGA_OK);
    m->scene.shade = &grid;
    float *rgba = draw(&m->scene, 2, NULL);
    m->scene.shade = NULL;
    light_grid_destroy(&grid);
    render_team_free(team);
    return rgba;
}

static void expect_alike(const float *a, const float *b, double most, const char *what) {
    double sum = 0, covered = 0;
    for (size_t n = 0; n < NUMBERS; n++) sum += fabs((double)a[n] - (double)b[n]), covered += a[n] > 0.01f;
    if (!(covered > 300 && sum / covered < most)) fail_msg("%s: mean difference %g over %g", what, sum / covered, covered);
}

// A difference of two volumes is drawn as the volume of their differences, with light and shade, between steps too, and whether places
// are found once for both or by the geometry of each.
static void test_differences_are_drawn_as_what_is_left(void **state) {
    (void)state;
    for (int blend = 0; blend < 2; blend++) {
        struct made *m = made_new(blob, blend ? blob : NULL), *plain = made_new(left, blend ? left_later : NULL);
        struct layer_geometry *own;
        struct brick_volume *less[2] = {made_volume(&m->shape, taken), blend ? made_volume(&m->shape, taken_later) : NULL};
        assert_int_equal(layer_geometry_new(&m->grid, &m->map, &own), VIRGA_OK);
        make_busy(m);
        make_busy(plain);
        m->scene.volumes[0].blend = plain->scene.volumes[0].blend = blend ? 0.25 : 0;
        float *expected = draw_lit(plain);
        m->scene.volumes[0].minus = (struct scene_minus){m->geometry, {less[0], less[1]}, 2};
        float *together = draw_lit(m);
        m->scene.volumes[0].minus.geometry = own;
        float *apart = draw_lit(m);
        const double most = blend ? 3e-3 : 1e-4;  // beside a hole the mean of what is there less the mean of all is not the mean of what is left
        expect_alike(expected, together, most, "at the same indices");
        expect_alike(expected, apart, most, "each by its own geometry");
        m->scene.volumes[0].minus.ratio = 1.9;
        float *other = draw_lit(m);
        assert_true(largest_difference(expected, other) > 0.05);
        float *drawn[] = {expected, together, apart, other};
        for (int n = 0; n < 4; n++) free(drawn[n]);
        layer_geometry_free(own);
        for (int n = 0; n < 2; n++) brick_volume_free(less[n]);
        made_free(m);
        made_free(plain);
    }
}

static void test_unknown_processors_are_not_obeyed(void **state) {
    (void)state;
    const char *best = ray_marcher_isa();
    assert_int_equal(setenv("VIRGA_RENDER_ISA", "z80", 1), 0);
    assert_string_equal(ray_marcher_isa(), best);
    unsetenv("VIRGA_RENDER_ISA");
}

// The same axes, given column by column.
static void make_columns_apart(struct made *m) {
    double values[2][40];
    struct grid grid = m->grid;
    for (int n = 0; n < 40; n++) values[0][n] = values[1][n] = 1000 * n;
    grid.x.regular = grid.y.regular = false;
    grid.x.values = values[0], grid.y.values = values[1];
    layer_geometry_free(m->geometry);
    assert_int_equal(layer_geometry_new(&grid, &m->map, &m->geometry), VIRGA_OK);
    m->scene.volumes[0].geometry = m->geometry;
}

// Places on a ray are found by one straight line where axes and levels are regular.
static void test_straight_lines_change_nothing(void **state) {
    (void)state;
    struct made *m = made_new(torn, NULL);
    make_busy(m);
    float *straight = draw(&m->scene, 2, NULL);
    make_columns_apart(m);
    float *searched = draw(&m->scene, 2, NULL);
    double sum = 0, covered = 0;
    for (size_t at = 0; at < NUMBERS; at++) {
        sum += fabs((double)searched[at] - (double)straight[at]);
        covered += straight[at] > 0.01f;
    }
    if (!(covered > 300 && sum / covered < 1e-4 && largest_difference(searched, straight) < 0.02))
        fail_msg("%g numbers, mean difference %g, largest %g", covered, sum / covered, largest_difference(searched, straight));
    free(straight);
    free(searched);
    made_free(m);
}

// The ground, half way through the box, ends rays.
static void test_the_ground_ends_rays(void **state) {
    (void)state;
    struct made *m = made_new(even, NULL);
    float *distance = calloc(WIDTH * HEIGHT, sizeof *distance);
    for (int n = 0; n < WIDTH * HEIGHT; n++) distance[n] = n % 2 ? INFINITY : 1;
    float *rgba = draw(&m->scene, 2, distance), *whole = draw(&m->scene, 2, NULL);
    for (int n = 0; n < WIDTH * HEIGHT; n++)
        for (int c = 0; c < 4; c++) assert_true(rgba[4 * n + c] == (n % 2 ? whole[4 * n + c] : 0));
    free(distance);
    free(rgba);
    free(whole);
    made_free(m);
}

static void test_blending_is_linear_in_the_value(void **state) {
    (void)state;
    struct made *m = made_new(even, high), *one = made_new(even, NULL);
    made_transfer(&m->transfer, 0, 0.1f, 1, 1, 1);
    m->scene.volumes[0].blend = 0.25;
    const float tau = 0.1f * 550 / 1023;
    made_transfer(&one->transfer, tau, tau, 1, 1, 1);
    float *blended = draw(&m->scene, 2, NULL), *plain = draw(&one->scene, 2, NULL);
    assert_true(largest_difference(blended, plain) < 1e-5);
    free(blended);
    free(plain);
    made_free(m);
    made_free(one);
}

// Two volumes in one place add their tau.
static void test_two_volumes_add(void **state) {
    (void)state;
    struct made *m = made_new(even, NULL), *one = made_new(even, NULL);
    m->scene.volumes[1] = m->scene.volumes[0];
    m->scene.volume_count = 2;
    made_transfer(&one->transfer, 0.1f, 0.1f, 1, 0.5f, 0.25f);
    float *both = draw(&m->scene, 2, NULL), *single = draw(&one->scene, 2, NULL);
    assert_true(largest_difference(both, single) < 1e-5);
    free(both);
    free(single);
    made_free(m);
    made_free(one);
}

static int32_t corner(uint32_t level, int64_t x, int64_t y, int64_t z) {
    (void)level, (void)z;
    return x >= 25 && y >= 22 ? 900 : 0;
}

// Cells of a kilometre; everything that shows lies in the north-east.
static void test_leaps_change_nothing_that_shows(void **state) {
    (void)state;
    struct made *m = made_new(corner, NULL);
    made_transfer(&m->transfer, -1, 0.9f, 1, 1, 1);
    m->scene.step = 0.3;  // where steps begin differs: it must not show
    float *plain = draw(&m->scene, 2, NULL);
    struct skip_grid skip = {.size = {39, 35, 8}, .low = {-19.5, -17.5, 0}, .cell = {1, 1, 1}, .values = calloc(39 * 35 * 8, 1)};
    for (uint32_t z = 0, at = 0; z < 8; z++)
        for (uint32_t y = 0; y < 35; y++)
            for (uint32_t x = 0; x < 39; x++, at++) {
                const uint32_t x_away = x < 24 ? 24 - x : 0, y_away = y < 21 ? 21 - y : 0, away = x_away > y_away ? x_away : y_away;
                skip.values[at] = (uint8_t)away;
            }
    m->scene.skip = &skip;
    float *leaping = draw(&m->scene, 2, NULL);
    double sum = 0, covered = 0;
    for (size_t n = 3; n < NUMBERS; n += 4) {
        sum += fabs((double)plain[n] - (double)leaping[n]);
        covered += plain[n] > 0.01f;
        if ((double)plain[n] > 0.05 && fabs((double)plain[n] - (double)leaping[n]) > 0.03) fail_msg("pixel %zu: %g, leaping %g", n / 4, (double)plain[n], (double)leaping[n]);
    }
    assert_true(covered > 300 && sum / covered < 0.004);
    free(skip.values);
    free(plain);
    free(leaping);
    made_free(m);
}

// An even volume lets the light through by what stands above.
static void test_light_fades_downwards(void **state) {
    (void)state;
    struct made *m = made_new(even, NULL);
    struct render_team *team = render_team_new(2, false);
    struct light_grid grid;
    assert_int_equal(light_grid_cast(team, &m->scene, &grid), VIRGA_OK);
    for (float z = 0.3f; z < 16; z += 1.1f) {
        const double depth = fmin(8 - ((double)z - 0.2) / 2, 8), expected = exp(-0.05 * 0.6 * fmax(depth, 0));
        const double found = (double)light_grid_at(&grid, (const float[]){1, -2, z});
        if (fabs(found - expected) > 0.004) fail_msg("light at %g: %g, not %g", (double)z, found, expected);
    }
    light_grid_destroy(&grid);
    render_team_free(team);
    made_free(m);
}

static void test_odd_scenes_end(void **state) {
    (void)state;
    struct made *m = made_new(torn, NULL);
    struct scene scene = m->scene;
    float distance[WIDTH * HEIGHT];
    for (int n = 0; n < WIDTH * HEIGHT; n++) distance[n] = n % 3 ? NAN : -5;
    free(draw(&scene, 2, distance));
    scene.step = 1e-12;
    free(draw(&scene, 2, NULL));
    scene.step = NAN;
    free(draw(&scene, 2, NULL));
    scene.step = 1;
    scene.box.high[0] = NAN;
    free(draw(&scene, 2, NULL));
    scene.matrices.relative[5] = NAN;
    free(draw(&scene, 2, NULL));
    scene.volume_count = 0;
    float *nothing = draw(&scene, 2, NULL);
    for (int n = 0; n < NUMBERS; n++) assert_true(nothing[n] == 0);
    free(nothing);
    made_free(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slabs_are_exact_for_any_step),
        cmocka_unit_test(test_threads_change_nothing),
        cmocka_unit_test(test_processors_agree),
        cmocka_unit_test(test_differences_are_drawn_as_what_is_left),
        cmocka_unit_test(test_unknown_processors_are_not_obeyed),
        cmocka_unit_test(test_straight_lines_change_nothing),
        cmocka_unit_test(test_the_ground_ends_rays),
        cmocka_unit_test(test_blending_is_linear_in_the_value),
        cmocka_unit_test(test_two_volumes_add),
        cmocka_unit_test(test_leaps_change_nothing_that_shows),
        cmocka_unit_test(test_light_fades_downwards),
        cmocka_unit_test(test_odd_scenes_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
