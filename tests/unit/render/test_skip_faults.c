// SPDX-License-Identifier: Apache-2.0
// Out of memory fails what was to be made, whole, and leaves nothing behind: cells' heights, skip grids, choices of bricks.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "failing_allocator.h"
#include "made_columns.h"
#include "render/brick_select.h"
#include "render/skip_grid.h"

static struct made_columns columns;
static const struct scene_bounds box = {{-80, -75, 0}, {84, 75, 12}};

static int make_skip(void) {
    struct cell_heights heights;
    struct skip_grid grid = {0};
    static uint8_t visible[MADE_NX * MADE_NY * MADE_NZ];
    int status = cell_heights_init(&heights, &columns.grid, columns.map);
    if (status) return status;
    status = skip_grid_init(&grid, &columns.grid, &box);
    if (!status) {
        skip_grid_mark(&grid, &columns.grid, &heights, visible);
        status = skip_grid_finish(&grid);
    }
    skip_grid_destroy(&grid);
    cell_heights_destroy(&heights);
    return status;
}

static bool all_shows(const void *user, int32_t low, int32_t high) {
    (void)user, (void)low, (void)high;
    return true;
}

static int choose(void) {
    struct level_reach reach;
    struct pyramid_shape shape;
    struct brick_places *places;
    struct brick_choice *choices = NULL;
    struct view_camera view;
    struct brick_camera camera = {.height = 4000, .exaggeration = 10};
    size_t count;
    level_reach_init(&reach, &columns.grid, columns.map, NULL);
    pyramid_shape_init(&shape, 30 * MADE_NX, 30 * MADE_NY, MADE_NZ, false, 2000, 500);
    int status = brick_places_new(&columns.grid, &reach, &shape, &places);
    if (status) return status;
    struct step_table *table = step_table_new(&shape);
    if (!table) status = VIRGA_NO_MEMORY;
    for (uint32_t l = 0; !status && l < shape.level_count; l++)
        for (size_t b = 0; b < (size_t)shape.levels[l].bricks[0] * shape.levels[l].bricks[1] * shape.levels[l].bricks[2]; b++)
            table->levels[l].entries[b].kind = BRICK_FULL;
    camera_frame(&view, &box, 10, 1);
    camera_matrices(&view, &box, 10, 1, &camera.matrices);
    if (!status) status = brick_select(places, table, &camera, all_shows, NULL, &choices, &count);
    free(choices);
    choices = NULL;
    if (!status) status = brick_select_all(table, SIZE_MAX, &choices, &count);
    free(choices);
    step_table_free(table);
    brick_places_free(places);
    return status;
}

static void each_allocation_fails(int (*make)(void), long least) {
    int status = VIRGA_NO_MEMORY;
    long failed = 0;
    for (long n = 0; status; n++, failed++) {
        const long before = live;
        room = n;
        status = make();
        room = -1;
        assert_true(status == VIRGA_OK || status == VIRGA_NO_MEMORY);
        assert_true(live <= before);  // aligned memory is freed, but not counted when it comes
    }
    assert_true(failed > least);
}

static void test_skip_grids(void **state) {
    (void)state;
    each_allocation_fails(make_skip, 2);
}

static void test_choices(void **state) {
    (void)state;
    each_allocation_fails(choose, 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_skip_grids), cmocka_unit_test(test_choices)};
    columns = made_columns_new(MADE_HYBRID);
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    made_columns_free(&columns);
    return failed;
}
