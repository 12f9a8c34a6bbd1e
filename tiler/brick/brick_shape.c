// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <stdlib.h>

#include "brick/brick_store.h"

static int by_size(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

// Median of the differences of n values; 0 when unknown.
static double median_spacing(const double *values, size_t n) {
    double *gap = n > 1 ? malloc((n - 1) * sizeof *gap) : NULL;
    if (!gap) return 0;
    for (size_t i = 0; i + 1 < n; i++) gap[i] = fabs(values[i + 1] - values[i]);
    qsort(gap, n - 1, sizeof *gap, by_size);
    const double median = gap[(n - 1) / 2];
    free(gap);
    return median;
}

static double axis_spacing(const struct grid_axis *axis, double km_per_unit) {
    return axis->n > 1 ? (axis->values[axis->n - 1] - axis->values[0]) / (double)(axis->n - 1) * fabs(km_per_unit) * 1000 : 0;
}

void brick_store_shape(const struct catalog_dataset *dataset, size_t variable, struct pyramid_shape *shape) {
    const struct catalog_variable *v = &dataset->variables[variable];
    const struct grid *grid = dataset->grid;
    const double dx = axis_spacing(&grid->x, grid->km_per_unit[0]), dy = axis_spacing(&grid->y, grid->km_per_unit[1]);
    const double horizontal = dx > 0 && dy > 0 ? sqrt(dx * dy) : dx > 0 ? dx : dy;
    const struct level_map *map = v->level_map;
    const double vertical = map && map->nominal ? median_spacing(map->nominal, map->level_count) : 0;
    pyramid_shape_init(shape, (uint32_t)v->nx, (uint32_t)v->ny, (uint32_t)v->nz, grid->wraps, horizontal, vertical);
}
