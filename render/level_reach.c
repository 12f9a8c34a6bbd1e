// SPDX-License-Identifier: Apache-2.0
#include "render/level_reach.h"

#include <math.h>

enum { COLUMNS_TRIED = 500 };

static void range_of(const float *values, size_t count, double otherwise, double range[2]) {
    float low = INFINITY, high = -INFINITY;
    for (size_t n = 0; values && n < count; n++) {
        if (values[n] < low) low = values[n];
        if (values[n] > high) high = values[n];
    }
    range[0] = low <= high ? (double)low : otherwise;
    range[1] = low <= high ? (double)high : otherwise;
}

// Of a table of heights at whole levels.
static double between_levels(const struct level_map *map, size_t column, double k) {
    size_t columns = map->columns_x * map->columns_y;
    double last = map->level_count > 1 ? (double)map->level_count - 2 : 0, at = floor(k);
    size_t k0 = (size_t)(at < 0 ? 0 : at > last ? last : at);
    double r = map->table[k0 * columns + column];
    if (map->level_count < 2) return r;
    return r + (map->table[(k0 + 1) * columns + column] - r) * (k - (double)k0);
}

double level_reach_column(const struct level_map *map, size_t column, double k) {
    if (map->kind == LEVEL_MAP_COARSE) return between_levels(map, column, k);
    // Of a table of levels over heights the inverse of a piecewise linear function that does not fall.
    const float *table = map->table + column * map->height_count;
    size_t low = 0, high = map->height_count - 1;
    if (table[0] >= k) high = 1;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (table[middle] < k) low = middle;
        else high = middle;
    }
    double k0 = table[low], k1 = table[high], share = k1 > k0 ? fmin(1, fmax(0, (k - k0) / (k1 - k0))) : 0;
    double u = ((double)low + share) / (double)(map->height_count - 1);
    return map->bottom + map->scale * (exp(u * log(1 + (map->top - map->bottom) / map->scale)) - 1);
}

// The highest point of the highest level.
static double highest_of(const struct level_reach *reach) {
    const struct level_map *map = reach->map;
    if (isfinite(map->highest)) return map->highest;
    double highest = -INFINITY;
    for (size_t c = 0; c < map->columns_x * map->columns_y; c++)
        highest = fmax(highest, level_reach_column(map, c, (double)map->level_count - 1));
    return highest * reach->stretch_range[highest > 0] + reach->base_range[1];
}

void level_reach_init(struct level_reach *reach, const struct grid *grid, const struct level_map *map, const float *ground) {
    size_t columns = grid->x.n * grid->y.n;
    *reach = (struct level_reach){.map = map, .ground = map ? map->ground : ground};
    range_of(reach->ground, columns, 0, reach->ground_range);
    range_of(map ? map->base : NULL, columns, 0, reach->base_range);
    range_of(map ? map->stretch : NULL, columns, map && map->stretch ? 0 : 1, reach->stretch_range);
    reach->top = map ? fmax(highest_of(reach), reach->ground_range[1] + 10) : reach->ground_range[1];
}

void level_reach_level(const struct level_reach *reach, double k, double range[2]) {
    const struct level_map *map = reach->map;
    range[0] = reach->ground_range[0];
    range[1] = reach->ground_range[1];
    if (!map) return;
    size_t columns = map->columns_x * map->columns_y, stride = columns > COLUMNS_TRIED ? columns / COLUMNS_TRIED : 1;
    double low = INFINITY, high = -INFINITY;
    for (size_t c = 0; c < columns; c += stride) {
        double height = level_reach_column(map, c, k);
        low = fmin(low, height);
        high = fmax(high, height);
    }
    range[0] = low * reach->stretch_range[low < 0] + reach->base_range[0];
    range[1] = high * reach->stretch_range[high >= 0] + reach->base_range[1];
}
