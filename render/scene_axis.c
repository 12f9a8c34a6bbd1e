// SPDX-License-Identifier: Apache-2.0
#include "render/scene_axis.h"

#include <math.h>

static const struct grid_axis *axis_of(const struct grid *grid, int which) { return which ? &grid->y : &grid->x; }

static double to_km(const struct grid *grid, int which, double coordinate) {
    return (coordinate - grid->centre[which]) * grid->km_per_unit[which];
}

// Of a fractional index, extended linearly outside.
static double coordinate_at(const struct grid_axis *axis, double index) {
    if (axis->regular) return axis->start + index * axis->step;
    if (axis->n < 2) return axis->values[0];
    double last = (double)(axis->n - 2), at = floor(index);
    size_t i = (size_t)(at < 0 ? 0 : at > last ? last : at);
    return axis->values[i] + (index - (double)i) * (axis->values[i + 1] - axis->values[i]);
}

double scene_axis_km(const struct grid *grid, int which, double index) {
    return to_km(grid, which, coordinate_at(axis_of(grid, which), index));
}

static double mean_step(const struct grid_axis *axis) {
    if (axis->regular) return axis->step;
    return axis->n > 1 ? (axis->values[axis->n - 1] - axis->values[0]) / (double)(axis->n - 1) : 0;
}

void scene_axis_edges(const struct grid *grid, int which, double edges[2]) {
    const struct grid_axis *axis = axis_of(grid, which);
    double step = mean_step(axis), first = coordinate_at(axis, 0);
    if (axis->n == 1) {
        double half = (step != 0 ? fabs(step) : 1) / 2;
        edges[0] = first - half;
        edges[1] = first + half;
        return;
    }
    edges[0] = first;
    edges[1] = !which && grid->wraps ? first + (double)axis->n * step : coordinate_at(axis, (double)(axis->n - 1));
}

void scene_axis_edges_km(const struct grid *grid, int which, double edges[2]) {
    scene_axis_edges(grid, which, edges);
    for (int end = 0; end < 2; end++) edges[end] = to_km(grid, which, edges[end]);
}
