// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "made_up_volume.h"

static uint32_t seed = 77;
static double uniform(double lo, double hi) { return lo + (hi - lo) * made_up_random(&seed) / 4294967295.0; }

// Hills 2 km high and some 60 columns wide under levels that follow them.
static void raise_hills(struct made_up_volume *volume) {
    struct level_map *map = &volume->map;
    map->base = malloc(map->nx * map->ny * sizeof *map->base);
    for (size_t j = 0; j < map->ny; j++)
        for (size_t i = 0; i < map->nx; i++)
            map->base[j * map->nx + i] = (float)(1000 + 1000 * sin((double)i / 10) * cos((double)j / 13));
    brick_boxes_unref(volume->boxes);
    volume->boxes = brick_boxes_new(&volume->grid, map, &volume->shape);
    assert_non_null(volume->boxes);
}

// Every place in a brick's voxels lies in its box, on every level of the pyramid.
static void check_places(const struct made_up_volume *volume) {
    const struct pyramid_shape *shape = &volume->shape;
    for (int round = 0; round < 20000; round++) {
        uint32_t l = made_up_random(&seed) % shape->level_count, at[3];
        double index[3];
        const size_t n[3] = {volume->grid.x.n, volume->grid.y.n, volume->map.level_count};
        for (int a = 0; a < 3; a++) {
            at[a] = made_up_random(&seed) % shape->levels[l].bricks[a];
            double scale = shape->levels[l].scale[a], lo = at[a] * 32 * scale - 0.5, hi = fmin((at[a] + 1) * 32 * scale, (double)n[a]) - 0.5;
            index[a] = fmin(fmax(uniform(lo, hi), 0), (double)n[a] - 1);
        }
        struct scene_box box;
        brick_boxes_get(volume->boxes, l, at[0], at[1], at[2], &box);
        const double place[3] = {(index[0] * 2000 - volume->grid.centre[0]) / 1000, (index[1] * 2000 - volume->grid.centre[1]) / 1000,
                                 level_map_height(&volume->map, false, index[0], index[1], index[2]) / 1000};
        for (int a = 0; a < 3; a++) assert_true(place[a] >= box.lo[a] - 1e-3 && place[a] <= box.hi[a] + 1e-3);
    }
}

static void test_boxes_hold_flat_levels(void **state) {
    (void)state;
    struct made_up_volume volume;
    made_up_volume_init(&volume, 261, 190, 70);
    check_places(&volume);
    made_up_volume_destroy(&volume);
}

static void test_boxes_hold_levels_over_hills(void **state) {
    (void)state;
    struct made_up_volume volume;
    made_up_volume_init(&volume, 261, 190, 70);
    raise_hills(&volume);
    check_places(&volume);
    free(volume.map.base);
    made_up_volume_destroy(&volume);
}

static void test_boxes_are_no_larger_than_they_must(void **state) {
    (void)state;
    struct made_up_volume volume;
    made_up_volume_init(&volume, 256, 256, 64);
    struct scene_box low, high;
    brick_boxes_get(volume.boxes, 0, 1, 2, 0, &low);
    brick_boxes_get(volume.boxes, 0, 1, 2, 1, &high);
    assert_true(fabs(low.hi[0] - low.lo[0] - 64) < 1e-3 && fabs(low.hi[1] - low.lo[1] - 64) < 1e-3);
    assert_true(fabs(low.hi[2] - high.lo[2]) < 0.1);  // one ends where the other begins
    assert_true(high.hi[2] <= 20.001 && high.hi[2] >= 19.9);
    double fine[2], coarse[2];
    brick_boxes_voxel(volume.boxes, 0, fine);
    brick_boxes_voxel(volume.boxes, 1, coarse);
    assert_true(fabs(fine[0] - 2) < 0.01 && fabs(coarse[0] - 4) < 0.02);
    made_up_volume_destroy(&volume);
}

static void test_two_dimensional_bricks_lie_about_the_ground(void **state) {
    (void)state;
    struct made_up_volume volume;
    made_up_volume_init(&volume, 100, 100, 1);
    struct brick_boxes *boxes = brick_boxes_new(&volume.grid, NULL, &volume.shape);
    struct scene_box box;
    brick_boxes_get(boxes, 0, 3, 3, 0, &box);
    assert_true(box.lo[2] < 0 && box.hi[2] > 8.9);
    assert_true(box.hi[0] <= 100.001);
    brick_boxes_unref(boxes);
    made_up_volume_destroy(&volume);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_boxes_hold_flat_levels),
        cmocka_unit_test(test_boxes_hold_levels_over_hills),
        cmocka_unit_test(test_boxes_are_no_larger_than_they_must),
        cmocka_unit_test(test_two_dimensional_bricks_lie_about_the_ground),
    };
    return cmocka_run_group_tests_name("brick_boxes", tests, NULL, NULL);
}
