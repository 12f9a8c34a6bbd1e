// SPDX-License-Identifier: Apache-2.0
// Grids and level maps for tests, small and of every kind.
#ifndef VIRGA_TESTS_MADE_COLUMNS_H
#define VIRGA_TESTS_MADE_COLUMNS_H

#include <math.h>
#include <stdlib.h>

#include "field/grid.h"
#include "field/level_heights.h"

enum { MADE_NX = 83, MADE_NY = 61, MADE_NZ = 21 };

struct made_columns {
    struct grid grid;
    struct level_map *map;
    float *ground;  // or NULL
};

enum made_kind { MADE_FLAT, MADE_HYBRID, MADE_WAVY, MADE_UNEVEN, MADE_GLOBE, MADE_KINDS };

static inline struct grid_axis made_axis(size_t n, double start, double step, double bend) {
    struct grid_axis axis = {.n = n, .values = calloc(n, sizeof(double)), .regular = bend == 0, .start = start, .step = step};
    for (size_t i = 0; i < n; i++) axis.values[i] = start + step * (double)i + bend * (double)(i * i);
    return axis;
}

static inline double made_height(double i, double j, size_t k) {
    return 60 + 220 * (double)k + 35 * (double)(k * k) + (60 + 15 * (double)k) * sin(i * 0.12) * cos(j * 0.1);
}

static inline void made_field(struct level_heights *h) {
    double *plane = calloc(h->nx * h->ny, sizeof *plane);
    level_heights_begin(h, h->level_count / 4, h->level_count - 1);
    for (size_t k = 0; k < h->level_count; k++) {
        for (size_t c = 0; c < h->nx * h->ny; c++) plane[c] = made_height((double)(c % h->nx), (double)(c / h->nx), k);
        level_heights_add(h, k, 0, h->ny, plane);
    }
    free(plane);
}

static inline void made_numbers(struct level_heights *h, bool hybrid) {
    h->a = calloc(h->level_count, sizeof *h->a);
    h->b = hybrid ? calloc(h->level_count, sizeof *h->b) : NULL;
    for (size_t k = 0; k < h->level_count; k++) {
        h->a[k] = 5 + 50 * (double)k + 25 * (double)(k * k);
        if (hybrid) h->b[k] = fmax(0, pow(1 - h->a[k] / 12000, 3));
    }
    if (!hybrid) return;
    h->surface = h->ground = calloc(h->nx * h->ny, sizeof *h->ground);
    for (size_t c = 0; c < h->nx * h->ny; c++) h->ground[c] = (float)(1344 * pow(sin((double)(c % h->nx) * 0.2) * cos((double)(c / h->nx) * 0.17), 2));
}

static inline struct made_columns made_columns_new(enum made_kind kind) {
    struct made_columns made = {0};
    const double bend = kind == MADE_UNEVEN ? 12 : 0;
    struct level_heights *h = calloc(1, sizeof *h);
    struct failure failure;
    if (kind == MADE_GLOBE)
        made.grid = (struct grid){.x = made_axis(MADE_NX, 0, 360.0 / MADE_NX, 0), .y = made_axis(MADE_NY, -90, 180.0 / (MADE_NY - 1), 0),
                                  .wraps = true, .angular = true, .km_per_unit = {111.2, 111.2}};
    else
        made.grid = (struct grid){.x = made_axis(MADE_NX, -8e4, 2e3, bend), .y = made_axis(MADE_NY, 3e5, 2.5e3, bend), .km_per_unit = {0.001, 0.001}};
    made.grid.centre[0] = (made.grid.x.values[0] + made.grid.x.values[MADE_NX - 1]) / 2;
    made.grid.centre[1] = (made.grid.y.values[0] + made.grid.y.values[MADE_NY - 1]) / 2;
    *h = (struct level_heights){.nx = MADE_NX, .ny = MADE_NY, .level_count = MADE_NZ, .coordinate = "height"};
    if (kind == MADE_FLAT || kind == MADE_HYBRID) made_numbers(h, kind == MADE_HYBRID);
    else made_field(h);
    if (level_map_build(h, made.grid.wraps, NULL, &made.map, &failure)) abort();
    level_heights_free(h);
    return made;
}

static inline void made_columns_free(struct made_columns *made) {
    level_map_unref(made->map);
    free(made->grid.x.values);
    free(made->grid.y.values);
}

// Fractional index of a coordinate, by looking at every point.
static inline double made_index(const struct grid_axis *axis, double coordinate) {
    size_t i = 0;
    while (i + 2 < axis->n && axis->values[i + 1] <= coordinate) i++;
    return (double)i + (coordinate - axis->values[i]) / (axis->values[i + 1] - axis->values[i]);
}

// The same numbers on every machine.
static inline uint32_t made_random(uint32_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static inline double made_share(uint32_t *state) { return made_random(state) / 4294967296.0; }

#endif
