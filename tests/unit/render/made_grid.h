// SPDX-License-Identifier: Apache-2.0
// Grids on Earth for tests of the map, made by hand.
#ifndef VIRGA_TESTS_MADE_GRID_H
#define VIRGA_TESTS_MADE_GRID_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "field/grid_transform.h"
#include "render/camera.h"

static inline void made_axis(struct grid_axis *axis, size_t n, double start, double step) {
    *axis = (struct grid_axis){.n = n, .regular = true, .start = start, .step = step, .values = malloc(n * sizeof(double))};
    if (!axis->values) abort();
    for (size_t i = 0; i < n; i++) axis->values[i] = start + (double)i * step;
}

// n × n columns around a middle on axes of a projection, degrees or metres; wraps: once around the globe.
static inline struct grid *made_earth_grid(const char *proj, bool angular, bool wraps, size_t n, double middle_x, double middle_y,
                                           double step) {
    struct grid *grid = calloc(1, sizeof *grid);
    if (!grid) abort();
    size_t nx = wraps ? 2 * n : n;
    double step_x = wraps ? 360.0 / (double)nx : step;
    made_axis(&grid->x, nx, middle_x - step_x * (double)(nx - 1) / 2, step_x);
    made_axis(&grid->y, n, middle_y - step * (double)(n - 1) / 2, step);
    grid->angular = angular, grid->wraps = wraps;
    snprintf(grid->proj, sizeof grid->proj, "%s", proj);
    grid->centre[0] = middle_x + (wraps ? step_x / 2 : 0), grid->centre[1] = middle_y;
    const double degree = 6371.229 * M_PI / 180;
    grid->km_per_unit[0] = angular ? degree * cos(middle_y * M_PI / 180) : 0.001;
    grid->km_per_unit[1] = angular ? degree : 0.001;
    if (grid_transform_new(grid) != VIRGA_OK) abort();
    return grid;
}

// n × n columns `km` apart around a place, their rows turned by an angle (degrees, counter-clockwise), that only their longitudes
// and latitudes tell of.
static inline struct grid *made_curvilinear_grid(size_t n, double lon, double lat, double km, double angle) {
    struct grid *grid = calloc(1, sizeof *grid);
    char proj[120];
    snprintf(proj, sizeof proj, "+proj=laea +lat_0=%.10f +lon_0=%.10f +R=6371229 +units=m +no_defs", lat, lon);
    struct grid *plane = made_earth_grid(proj, false, false, 2, 0, 0, 1000);
    if (!grid) abort();
    made_axis(&grid->x, n, 0, 1);
    made_axis(&grid->y, n, 0, 1);
    grid->lon = malloc(n * n * sizeof(double));
    grid->lat = malloc(n * n * sizeof(double));
    if (!grid->lon || !grid->lat) abort();
    const double c = cos(angle * M_PI / 180), s = sin(angle * M_PI / 180), half = (double)(n - 1) / 2;
    for (size_t j = 0; j < n; j++)
        for (size_t i = 0; i < n; i++) {
            double a = ((double)i - half) * km * 1000, b = ((double)j - half) * km * 1000;
            if (grid_to_lonlat(plane, a * c - b * s, a * s + b * c, &grid->lon[j * n + i], &grid->lat[j * n + i])) abort();
        }
    grid_free(plane);
    grid->centre[0] = grid->centre[1] = half;
    grid->km_per_unit[0] = grid->km_per_unit[1] = km;
    if (grid_transform_new(grid) != VIRGA_OK) abort();
    return grid;
}

// The box over a grid, `top` km high.
static inline struct scene_bounds made_box(const struct grid *grid, double top) {
    struct scene_bounds box = {{0, 0, 0}, {0, 0, top}};
    for (int n = 0; n < 2; n++) {
        const struct grid_axis *axis = n ? &grid->y : &grid->x;
        double last = axis->start + (double)(n == 0 && grid->wraps ? axis->n : axis->n - 1) * axis->step;
        box.low[n] = (axis->start - grid->centre[n]) * grid->km_per_unit[n];
        box.high[n] = (last - grid->centre[n]) * grid->km_per_unit[n];
    }
    return box;
}

#endif
