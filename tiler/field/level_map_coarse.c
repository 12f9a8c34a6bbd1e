// SPDX-License-Identifier: Apache-2.0
// Level maps of heights that vary in any way: heights of all levels in columns so far apart that the error stays within 5 m
// below 3 km above the ground and 20 m above, in a table of bounded size; with one column a column where nothing less will do.
#include <math.h>
#include <stdlib.h>

#include "field/level_map_private.h"

enum { TABLE_MOST = 8 << 20, TEST_COLUMNS = 400, FINAL_LEVELS = 1 << 18, WIDEST_STEP = 16, SMALL_TABLE = 1 << 16 };
static const double good_enough = 0.6;  // of what is allowed, where only some columns are tested

static size_t coarse_columns(size_t n, size_t step) { return (n - 1 + step - 1) / step + 1; }

size_t level_map_least_step(size_t nx, size_t ny, size_t level_count) {
    size_t step = 1;
    while (coarse_columns(nx, step) * coarse_columns(ny, step) > TABLE_MOST / level_count && step < nx + ny) step++;
    return step;
}

static int fill_coarse(struct map_builder *b, size_t step) {
    struct level_map *map = b->map;
    map->coarse_step = step;
    map->columns_x = coarse_columns(map->nx, step);
    map->columns_y = coarse_columns(map->ny, step);
    size_t columns = map->columns_x * map->columns_y;
    if (map_builder_table(map, columns * map->level_count)) return VIRGA_NO_MEMORY;
    map->bottom = INFINITY;
    map->top = -INFINITY;
    for (size_t c = 0; c < columns; c++) {
        size_t i = c % map->columns_x * step, j = c / map->columns_x * step;
        if (i > map->nx - 1) i = map->nx - 1;
        if (j > map->ny - 1) j = map->ny - 1;
        size_t at = j * map->nx + i;
        for (size_t k = 0; k < map->level_count; k++) {
            double r = (level_heights_at(b->heights, i, j, k) - (double)map->base[at]) / (map->stretch ? (double)map->stretch[at] : 1);
            map->table[k * columns + c] = (float)r;
        }
        map->bottom = fmin(map->bottom, (double)map->table[c]);
        map->top = fmax(map->top, (double)map->table[(map->level_count - 1) * columns + c]);
    }
    return VIRGA_OK;
}

// --- what is left as an error --------------------------------------------------------------------------------------------

static double place_error(const struct map_builder *b, double i, double j, struct map_error *error) {
    map_builder_column(b, i, j);
    return map_builder_error(b, b->column, i, j, error);
}

// At kept columns, and between those that are neighbours.
static double kept_error(const struct map_builder *b, size_t limit, struct map_error *error, size_t *tested) {
    const struct level_heights *h = b->heights;
    size_t total = h->kept_nx * h->kept_ny, stride = total / limit + 1;
    double worst = 0;
    *tested = 0;
    for (size_t c = 0; c < total; c += stride, ++*tested) {
        size_t x = c % h->kept_nx, y = c / h->kept_nx, i = h->kept_x[x], j = h->kept_y[y];
        worst = fmax(worst, place_error(b, (double)i, (double)j, error));
        bool neighbours = x + 1 < h->kept_nx && y + 1 < h->kept_ny && h->kept_x[x + 1] == i + 1 && h->kept_y[y + 1] == j + 1;
        if (neighbours) worst = fmax(worst, place_error(b, (double)i + 0.5, (double)j + 0.5, error));
    }
    return worst;
}

// Over all columns, or where there are more than `limit` over so many spread by a sequence that keeps step with neither the grid
// nor the table; at grid points and between them.
static double sampled_error(const struct map_builder *b, size_t limit, struct map_error *error, size_t *tested) {
    size_t nx = b->heights->nx, ny = b->heights->ny, total = nx * ny, count = total < limit ? total : limit;
    double worst = 0, x = 0.5, y = 0.5;
    *error = (struct map_error){0, 0};
    if (b->heights->step > 1) return kept_error(b, limit, error, tested);
    for (size_t c = 0; c < count; c++) {
        x = fmod(x + 0.7548776662466927, 1), y = fmod(y + 0.5698402909980532, 1);
        double i = count == total ? (double)(c % nx) : floor(x * (double)nx), j = count == total ? (double)(c / nx) : floor(y * (double)ny);
        worst = fmax(worst, place_error(b, i, j, error));
        bool between = i + 0.5 < (double)nx - (b->wraps ? 0 : 1) && j + 0.5 < (double)ny - 1;
        if (between) worst = fmax(worst, place_error(b, i + 0.5, j + 0.5, error));
    }
    *tested = count;
    return worst;
}

// --- two levels that all columns share ------------------------------------------------------------------------------------

// What the table then has to follow is only how columns are shaped between the two, which is smoother than how high they reach.
static int take_base(struct map_builder *b) {
    const struct level_heights *h = b->heights;
    struct level_map *map = b->map;
    size_t columns = h->nx * h->ny;
    double mean = h->mean[h->high_level] - h->mean[h->low_level];
    if (!(map->base = map_builder_copy(h->low, columns)) || !(map->stretch = malloc(columns * sizeof *map->stretch))) return VIRGA_NO_MEMORY;
    for (size_t c = 0; c < columns; c++) map->stretch[c] = (float)(((double)h->high[c] - (double)h->low[c]) / mean);
    return VIRGA_OK;
}

int map_builder_coarse(struct map_builder *b, struct failure *failure) {
    struct level_map *map = b->map;
    const struct level_heights *h = b->heights;
    size_t least = level_map_least_step(h->nx, h->ny, h->level_count), step = least, best_step = least, tested;
    double best = INFINITY;
    map->kind = LEVEL_MAP_COARSE;
    map->scale = 1;
    if (h->falls) return failure_set(failure, VIRGA_UNSUPPORTED, "its heights do not rise with the levels in column %zu, %zu", h->falls_x, h->falls_y);
    if (h->ground && !(map->ground = map_builder_copy(h->ground, h->nx * h->ny))) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    if (take_base(b)) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    while (2 * step <= WIDEST_STEP && h->nx * h->ny > SMALL_TABLE / h->level_count) step *= 2;  // what is small may as well be exact
    for (; step >= least && best > good_enough; step = step == least ? 0 : step / 2) {
        struct map_error error;
        if (step == 1) {  // every column has its own: nothing is left to be likened
            free(map->stretch);
            map->stretch = NULL;
        }
        if (fill_coarse(b, step)) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
        double worst = sampled_error(b, TEST_COLUMNS, &error, &tested);
        if (worst < best) best = worst, best_step = step;
    }
    if (best_step != map->coarse_step && fill_coarse(b, best_step)) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    sampled_error(b, FINAL_LEVELS / h->level_count + 4 * TEST_COLUMNS, &b->error, &map->tested_columns);
    return VIRGA_OK;
}
