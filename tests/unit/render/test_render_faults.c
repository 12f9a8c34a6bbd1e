// SPDX-License-Identifier: Apache-2.0
// Out of memory fails what was asked for, whichever allocation it is, and leaks nothing. Not under sanitizers, whose allocator cannot
// be replaced.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "failing_allocator.h"
#include "made_scene.h"
#include "render/ray_marcher.h"

static int32_t voxel(uint32_t level, int64_t x, int64_t y, int64_t z) { return level || (x + y) % 7 == 0 ? LATTICE_MISSING : (int32_t)(x + 3 * y + z); }

// Runs it with the first, second, … allocation failing, until none does. Returns how many did.
static int fail_each(int (*run)(void *argument), void *argument) {
    for (int n = 0;; n++) {
        const long before = live;
        room = n;
        const int status = run(argument);
        const bool reached = room < 0;
        room = -1;
        assert_int_equal(live, before);
        if (!reached) {
            assert_int_equal(status, VIRGA_OK);
            return n;
        }
        assert_int_equal(status, VIRGA_NO_MEMORY);
    }
}

static int make_geometry(void *argument) {
    struct layer_geometry *geometry;
    double values[] = {0, 1000, 2500, 6000};
    struct grid grid = made_grid(4, 4);
    grid.x.regular = grid.y.regular = false;
    grid.x.values = grid.y.values = values;
    const int status = layer_geometry_new(&grid, argument, &geometry);
    if (!status) layer_geometry_free(geometry);
    return status;
}

static void test_geometry(void **state) {
    (void)state;
    float heights[32], ground[16] = {0};
    for (int n = 0; n < 32; n++) heights[n] = n < 16 ? 0 : 900;
    struct level_map flat = made_map(4, 4, 3, 500), coarse = {.kind = LEVEL_MAP_COARSE, .nx = 4, .ny = 4, .level_count = 2, .columns_x = 4, .columns_y = 4,
                                                              .coarse_step = 1, .table = heights, .table_count = 32, .base = ground};
    assert_true(fail_each(make_geometry, NULL) >= 5);
    assert_true(fail_each(make_geometry, &flat) >= 6);
    assert_true(fail_each(make_geometry, &coarse) >= 8);
    free(flat.table);
}

static int make_volume(void *argument) {
    static int32_t q[BRICK_MAX_VOXELS];
    const struct pyramid_shape *shape = argument;
    struct brick_volume *volume;
    for (int n = 0; n < BRICK_MAX_VOXELS; n++) q[n] = voxel(0, n % 34, n / 34 % 34, n / 1156);
    int status = brick_volume_new(shape, &volume);
    if (status) return status;
    for (uint32_t x = 0; x < shape->levels[0].bricks[0] && !status; x++) {
        status = brick_volume_put(volume, 0, x, 0, 0, q);
        if (status) assert_false(brick_volume_has(volume, 0, x, 0, 0));
    }
    brick_volume_free(volume);
    return status;
}

static void test_volumes(void **state) {
    (void)state;
    struct pyramid_shape shape;
    pyramid_shape_init(&shape, 32 * 70, 34, 5, false, 1000, 500);  // more bricks than a pool has at first
    assert_true(fail_each(make_volume, &shape) >= 10);
}

struct drawing { struct render_team *team; struct scene scene; };

static int cast_light(void *argument) {
    struct drawing *d = argument;
    struct light_grid grid;
    const int status = light_grid_cast(d->team, &d->scene, &grid);
    if (!status) light_grid_destroy(&grid);
    return status;
}

// A picture is drawn without memory as well, only slower.
static void test_pictures(void **state) {
    (void)state;
    struct grid grid = made_grid(40, 36);
    struct level_map map = made_map(40, 36, 9, 1000);
    struct layer_geometry *geometry;
    struct pyramid_shape shape;
    struct transfer *transfer = malloc(sizeof *transfer);
    static uint8_t cells[8];
    struct skip_grid skip = {.size = {2, 2, 2}, .low = {-20, -18, 0}, .cell = {20, 18, 5}, .values = cells};
    pyramid_shape_init(&shape, 40, 36, 9, false, 1000, 1000);
    assert_int_equal(layer_geometry_new(&grid, &map, &geometry), VIRGA_OK);
    struct brick_volume *volume = made_volume(&shape, voxel);
    made_transfer(transfer, 0, 1, 1, 1, 1);
    struct drawing d = {.team = render_team_new(1, false), .scene = {
        .box = {{-19.5, -17.5, 0}, {19.5, 17.5, 8}}, .exaggeration = 2, .width = 64, .height = 40, .step = 1, .volume_count = 1, .skip = &skip,
        .light = {.direction = {0, 0, 1}, .ambient = {1, 1, 1}},
        .volumes = {{.geometry = geometry, .transfer = transfer, .lookup = {1.0 / TRANSFER_ENTRIES, 0.5 / TRANSFER_ENTRIES}, .steps = {volume}}},
    }};
    made_camera(&d.scene, (const double[]){5, -60, 40}, (const double[]){0, 0, 6}, 40);
    assert_true(fail_each(cast_light, &d) >= 1);
    static float with[64 * 40 * 4], without[64 * 40 * 4];
    ray_marcher_draw(d.team, &d.scene, NULL, with);
    room = 0;
    ray_marcher_draw(d.team, &d.scene, NULL, without);
    assert_true(room < 0);
    assert_memory_equal(with, without, sizeof with);  // nothing was empty
    render_team_free(d.team);
    brick_volume_free(volume);
    layer_geometry_free(geometry);
    free(map.table);
    free(transfer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_geometry),
        cmocka_unit_test(test_volumes),
        cmocka_unit_test(test_pictures),
    };
    once = true;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
