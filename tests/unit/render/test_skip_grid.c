// SPDX-License-Identifier: Apache-2.0
// The grid of what cannot be seen, against looking everywhere.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "made_columns.h"
#include "render/level_reach.h"
#include "render/scene_axis.h"
#include "render/skip_grid.h"

enum { SAMPLES = 200000 };

struct made_grid {
    struct made_columns columns;
    struct scene_bounds box;
    struct cell_heights heights;
    uint8_t *visible;
    struct skip_grid skip;
};

static size_t cell_count(const struct cell_heights *h) { return (size_t)h->count[0] * h->count[1] * h->count[2]; }

// one in `seldom` cells shows something; 0: none does
static struct made_grid make(enum made_kind kind, uint32_t seldom) {
    struct made_grid made = {.columns = made_columns_new(kind)};
    struct level_reach reach;
    uint32_t state = 7;
    level_reach_init(&reach, &made.columns.grid, made.columns.map, NULL);
    for (int axis = 0; axis < 2; axis++) {
        double edges[2];
        scene_axis_edges_km(&made.columns.grid, axis, edges);
        made.box.low[axis] = edges[0];
        made.box.high[axis] = edges[1];
    }
    made.box.high[2] = reach.top / 1000;
    assert_int_equal(cell_heights_init(&made.heights, &made.columns.grid, made.columns.map), VIRGA_OK);
    made.visible = calloc(cell_count(&made.heights), 1);
    for (size_t c = 0; seldom && c < cell_count(&made.heights); c++) made.visible[c] = made_random(&state) % seldom == 0;
    assert_int_equal(skip_grid_init(&made.skip, &made.columns.grid, &made.box), VIRGA_OK);
    skip_grid_mark(&made.skip, &made.columns.grid, &made.heights, made.visible);
    assert_int_equal(skip_grid_finish(&made.skip), VIRGA_OK);
    return made;
}

static void drop(struct made_grid *made) {
    skip_grid_destroy(&made->skip);
    cell_heights_destroy(&made->heights);
    free(made->visible);
    made_columns_free(&made->columns);
}

// The cell of voxels that a place is in; false outside the volume.
static bool cell_at(const struct made_grid *made, const double place[3], size_t *cell) {
    const struct grid *grid = &made->columns.grid;
    double i = made_index(&grid->x, place[0] / grid->km_per_unit[0] + grid->centre[0]), j = made_index(&grid->y, place[1] / grid->km_per_unit[1] + grid->centre[1]), k;
    if (i < 0 || j < 0 || j > MADE_NY - 1 || (!grid->wraps && i > MADE_NX - 1)) return false;
    if (!level_map_locate(made->columns.map, grid->wraps, i, j, place[2] * 1000, &k)) return false;
    uint32_t at[3] = {(uint32_t)(i + 0.5), (uint32_t)(j + 0.5), (uint32_t)(k + 0.5)};
    if (at[0] >= MADE_NX) at[0] = 0;  // beyond the middle of the last cell of the globe the first column is nearest
    *cell = ((size_t)(at[2] / CELL_SIDE) * made->heights.count[1] + at[1] / CELL_SIDE) * made->heights.count[0] + at[0] / CELL_SIDE;
    return true;
}

static uint8_t value_at(const struct skip_grid *skip, const double place[3]) {
    size_t at[3];
    for (int axis = 0; axis < 3; axis++) {
        const double c = floor((place[axis] - skip->low[axis]) / skip->cell[axis]);
        assert_true(c >= 0 && c < skip->size[axis] + 1e-9);
        at[axis] = (size_t)fmin(c, skip->size[axis] - 1);
    }
    return skip->values[(at[2] * skip->size[1] + at[1]) * skip->size[0] + at[0]];
}

static void check_kind(enum made_kind kind) {
    struct made_grid made = make(kind, 12);
    uint32_t state = 3;
    size_t seen = 0, empty = 0;
    for (int n = 0; n < SAMPLES; n++) {
        double place[3];
        size_t cell;
        for (int axis = 0; axis < 3; axis++) place[axis] = made.box.low[axis] + made_share(&state) * (made.box.high[axis] - made.box.low[axis]);
        const uint8_t value = value_at(&made.skip, place);
        empty += value > 0;
        if (!cell_at(&made, place, &cell) || !made.visible[cell]) continue;
        seen++;
        if (value) fail_msg("kind %d: something shows at %g %g %g km, where the grid says %u", kind, place[0], place[1], place[2], value);
    }
    assert_true(seen > SAMPLES / 200);
    assert_true(empty > SAMPLES / 4);  // or nothing would be gained
    drop(&made);
}

static void test_nothing_that_shows_is_skipped(void **state) {
    (void)state;
    for (enum made_kind kind = 0; kind < MADE_KINDS; kind++) check_kind(kind);
}

// Cells to the nearest one that may show something, in the largest of three directions.
static uint32_t distance(const struct skip_grid *s, uint32_t x, uint32_t y, uint32_t z, uint32_t most) {
    uint32_t nearest = most;
    for (int64_t c = (int64_t)z - most; c <= (int64_t)z + most; c++)
        for (int64_t b = (int64_t)y - most; b <= (int64_t)y + most; b++)
            for (int64_t a = (int64_t)x - most; a <= (int64_t)x + most; a++) {
                if (a < 0 || b < 0 || c < 0 || a >= s->size[0] || b >= s->size[1] || c >= s->size[2]) continue;
                if (s->values[((size_t)c * s->size[1] + (size_t)b) * s->size[0] + (size_t)a]) continue;
                const uint32_t far = (uint32_t)fmax(fmax(llabs(a - x), llabs(b - y)), llabs(c - z));
                if (far < nearest) nearest = far;
            }
    return nearest;
}

static void test_values_say_how_far_it_is_empty(void **state) {
    (void)state;
    struct made_grid made = make(MADE_HYBRID, 150);
    const struct skip_grid *s = &made.skip;
    size_t found[16] = {0}, at = 0;
    for (uint32_t z = 0; z < s->size[2]; z++)
        for (uint32_t y = 0; y < s->size[1]; y++)
            for (uint32_t x = 0; x < s->size[0]; x++, at++) {
                const uint32_t far = distance(s, x, y, z, 9);
                const uint8_t expected = far > 8 ? 9 : far > 4 ? 5 : far > 2 ? 3 : far > 1 ? 2 : far > 0 ? 1 : 0;
                assert_int_equal(s->values[at], expected);
                found[expected]++;
            }
    for (size_t n = 0; n < 10; n++)
        if (n < 4 || n == 5) assert_true(found[n] > 0);
    drop(&made);
}

static void test_where_nothing_shows_all_is_skipped(void **state) {
    (void)state;
    struct made_grid made = make(MADE_WAVY, 0);
    for (size_t n = 0; n < (size_t)made.skip.size[0] * made.skip.size[1] * made.skip.size[2]; n++) assert_int_equal(made.skip.values[n], 9);
    drop(&made);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_that_shows_is_skipped),
        cmocka_unit_test(test_values_say_how_far_it_is_empty),
        cmocka_unit_test(test_where_nothing_shows_all_is_skipped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
