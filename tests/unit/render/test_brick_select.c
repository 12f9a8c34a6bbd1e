// SPDX-License-Identifier: Apache-2.0
// Which bricks a camera wants, by what must hold of them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "made_columns.h"
#include "render/brick_select.h"
#include "render/scene_axis.h"

static struct made_columns columns;
static struct level_reach reach;
static struct pyramid_shape shape;
static struct brick_places *places;
static struct step_table *table;
static struct scene_bounds box;

// All full, with values that rise along x: brick x of level l holds x * 2^l to (x + 1) * 2^l.
static int set_up(void **state) {
    (void)state;
    columns = made_columns_new(MADE_HYBRID);
    level_reach_init(&reach, &columns.grid, columns.map, NULL);
    pyramid_shape_init(&shape, 16 * MADE_NX, 16 * MADE_NY, MADE_NZ, false, 2000, 500);
    columns.grid.x.n = 16 * MADE_NX;  // as many columns as make a pyramid worth while
    columns.grid.y.n = 16 * MADE_NY;
    columns.grid.centre[0] = columns.grid.x.start + columns.grid.x.step * 8 * MADE_NX;
    columns.grid.centre[1] = columns.grid.y.start + columns.grid.y.step * 8 * MADE_NY;
    assert_int_equal(brick_places_new(&columns.grid, &reach, &shape, &places), VIRGA_OK);
    table = step_table_new(&shape);
    assert_non_null(table);
    for (uint32_t l = 0; l < shape.level_count; l++)
        for (uint32_t z = 0; z < shape.levels[l].bricks[2]; z++)
            for (uint32_t y = 0; y < shape.levels[l].bricks[1]; y++)
                for (uint32_t x = 0; x < shape.levels[l].bricks[0]; x++)
                    *step_table_at(table, l, x, y, z) = (struct step_table_entry){BRICK_FULL, (int32_t)(x << l), (int32_t)((x + 1) << l)};
    for (int axis = 0; axis < 2; axis++) {
        double edges[2];
        scene_axis_edges_km(&columns.grid, axis, edges);
        box.low[axis] = edges[0];
        box.high[axis] = edges[1];
    }
    box.high[2] = reach.top / 1000;
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    step_table_free(table);
    brick_places_free(places);
    made_columns_free(&columns);
    return 0;
}

static bool all_shows(const void *user, int32_t low, int32_t high) {
    (void)user, (void)low, (void)high;
    return true;
}

static bool beyond(const void *user, int32_t low, int32_t high) {
    (void)low;
    return high >= *(const int32_t *)user;
}

static struct brick_camera camera_at(double away, unsigned height) {
    struct view_camera camera = {0};
    struct brick_camera out = {.height = height, .exaggeration = 10};
    camera_frame(&camera, &box, 10, 16.0 / 9);
    for (int axis = 0; axis < 3; axis++) camera.eye[axis] = camera.target[axis] + (camera.eye[axis] - camera.target[axis]) * away;
    camera_matrices(&camera, &box, 10, 16.0 / 9, &out.matrices);
    return out;
}

static void select_with(const struct brick_camera *camera, brick_shows shows, const void *user, struct brick_choice **choices, size_t *count) {
    assert_int_equal(brick_select(places, table, camera, shows, user, choices, count), VIRGA_OK);
}

static size_t of_level(const struct brick_choice *choices, size_t count, uint32_t level) {
    size_t n = 0;
    for (size_t c = 0; c < count; c++) n += choices[c].level == level;
    return n;
}

static size_t bricks_of(uint32_t level) { return (size_t)shape.levels[level].bricks[0] * shape.levels[level].bricks[1] * shape.levels[level].bricks[2]; }

static void test_the_coarsest_level_comes_first_and_whole(void **state) {
    (void)state;
    const struct brick_camera camera = camera_at(0.2, 720);
    struct brick_choice *choices;
    size_t count;
    select_with(&camera, all_shows, NULL, &choices, &count);
    const uint32_t last = shape.level_count - 1;
    assert_true(last >= 2);
    for (size_t c = 0; c < bricks_of(last); c++) assert_true(choices[c].coarsest && choices[c].level == last);
    for (size_t c = 1; c < count; c++) {
        assert_true(choices[c].level <= choices[c - 1].level);
        if (choices[c].level == choices[c - 1].level) assert_true(choices[c].priority <= choices[c - 1].priority);
    }
    free(choices);
}

static void test_nearer_cameras_and_larger_pictures_want_finer_levels(void **state) {
    (void)state;
    size_t finest[4], n = 0;
    for (int large = 0; large < 2; large++)
        for (int near = 0; near < 2; near++, n++) {
            const struct brick_camera camera = camera_at(near ? 1 : 6, large ? 4000 : 200);
            struct brick_choice *choices;
            size_t count;
            select_with(&camera, all_shows, NULL, &choices, &count);
            finest[n] = of_level(choices, count, 0);
            free(choices);
        }
    assert_int_equal(finest[0], 0);  // a voxel is far smaller than a pixel
    assert_true(finest[1] <= finest[3] && finest[2] <= finest[3]);
    assert_true(finest[3] > bricks_of(0) / 2);
}

// Every finer brick has its coarser one: pictures never have holes while they are loaded, nor where they are cut short.
static void test_no_brick_comes_without_those_above_it(void **state) {
    (void)state;
    const struct brick_camera camera = camera_at(0.15, 720);
    struct brick_choice *choices;
    size_t count;
    select_with(&camera, all_shows, NULL, &choices, &count);
    assert_true(of_level(choices, count, 0) > 0 && of_level(choices, count, 0) < bricks_of(0));
    for (size_t c = 0; c < count; c++) {
        if (choices[c].coarsest) continue;
        const struct pyramid_level *here = &shape.levels[choices[c].level], *above = here + 1;
        size_t found = 0;
        for (size_t a = 0; a < c; a++)
            found += choices[a].level == choices[c].level + 1 && choices[a].x == choices[c].x / (above->scale[0] / here->scale[0]) &&
                     choices[a].y == choices[c].y / (above->scale[1] / here->scale[1]) && choices[a].z == choices[c].z / (above->scale[2] / here->scale[2]);
        assert_int_equal(found, 1);
    }
    free(choices);
}

static void test_what_does_not_show_is_not_wanted(void **state) {
    (void)state;
    const struct brick_camera camera = camera_at(1, 4000);
    const int32_t least = 20;
    struct brick_choice *choices;
    size_t count;
    select_with(&camera, beyond, &least, &choices, &count);
    assert_true(of_level(choices, count, 0) > 0);
    for (size_t c = 0; c < count; c++)
        if (!choices[c].coarsest) assert_true((int32_t)((choices[c].x + 1) << choices[c].level) >= least);
    free(choices);
}

// By a ray to every brick's middle: what is well within the picture is wanted at some level fine enough.
static void test_what_is_in_the_picture_is_fine_enough(void **state) {
    (void)state;
    const struct brick_camera camera = camera_at(0.3, 720);
    struct brick_choice *choices;
    size_t count, inside = 0;
    select_with(&camera, all_shows, NULL, &choices, &count);
    for (uint32_t y = 0; y < shape.levels[0].bricks[1]; y++)
        for (uint32_t x = 0; x < shape.levels[0].bricks[0]; x++) {
            const double i = x * 32 + 15.5, j = y * 32 + 15.5;
            if (i > (double)columns.grid.x.n - 1 || j > (double)columns.grid.y.n - 1) continue;
            const double shown[3] = {scene_axis_km(&columns.grid, 0, i), scene_axis_km(&columns.grid, 1, j), 10};
            double at[2], away = 0;
            if (!camera_project(&camera.matrices, shown, at) || at[0] < 0 || at[0] > 1 || at[1] < 0 || at[1] > 1) continue;
            for (int axis = 0; axis < 3; axis++) away += pow(shown[axis] - camera.matrices.eye[axis], 2);
            const double pixels = 2 * camera.matrices.projection[5] * 360 / sqrt(away);  // of 2 km, the grid's spacing along x
            uint32_t finest = UINT32_MAX;
            for (size_t c = 0; c < count; c++)
                if (choices[c].x == x * 1 / shape.levels[choices[c].level].scale[0] && choices[c].y == y / shape.levels[choices[c].level].scale[1] && choices[c].level < finest) finest = choices[c].level;
            inside++;
            // Bricks are larger than a voxel: within half a brick's distance of the limit either level is right.
            if (finest > 0) assert_true(pixels * shape.levels[finest].scale[0] < 1.6 * BRICK_SELECT_VOXEL_PIXELS);
        }
    assert_true(inside > 20);
    free(choices);
}

static void test_a_field_without_a_camera_is_as_fine_as_there_is_room(void **state) {
    (void)state;
    struct brick_choice *choices;
    size_t count;
    assert_int_equal(brick_select_all(table, SIZE_MAX, &choices, &count), VIRGA_OK);
    assert_int_equal(count, bricks_of(0));
    free(choices);
    assert_int_equal(brick_select_all(table, bricks_of(0) - 1, &choices, &count), VIRGA_OK);
    assert_int_equal(count, bricks_of(1));
    assert_int_equal(choices[0].level, 1);
    free(choices);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_coarsest_level_comes_first_and_whole),
        cmocka_unit_test(test_nearer_cameras_and_larger_pictures_want_finer_levels),
        cmocka_unit_test(test_no_brick_comes_without_those_above_it),
        cmocka_unit_test(test_what_does_not_show_is_not_wanted),
        cmocka_unit_test(test_what_is_in_the_picture_is_fine_enough),
        cmocka_unit_test(test_a_field_without_a_camera_is_as_fine_as_there_is_room),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
