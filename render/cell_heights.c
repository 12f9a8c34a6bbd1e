// SPDX-License-Identifier: Apache-2.0
#include "render/cell_heights.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "render/level_reach.h"

struct maker {
    const struct grid *grid;
    const struct level_map *map;
    float *heights;  // [boundary][column of the table] metres above base
    size_t columns;
};

struct block { ptrdiff_t x0, x1, y0, y1; };  // columns, ends inclusive, maybe beyond the grid

static void range_in(const struct grid *grid, const float *values, const struct block *b, double otherwise, double range[2]) {
    range[0] = range[1] = otherwise;
    if (!values) return;
    const ptrdiff_t nx = (ptrdiff_t)grid->x.n, ny = (ptrdiff_t)grid->y.n;
    float low = INFINITY, high = -INFINITY;
    for (ptrdiff_t j = b->y0 < 0 ? 0 : b->y0; j <= b->y1 && j < ny; j++)
        for (ptrdiff_t i = b->x0 < 0 ? 0 : b->x0; i <= b->x1 && i < nx; i++) {
            const float value = values[j * nx + i];
            if (value < low) low = value;
            if (value > high) high = value;
        }
    range[0] = (double)low;
    range[1] = (double)high;
}

// Widens low and high (metres above base) of each layer of cells by one column of the table.
static void widen(const struct maker *m, size_t column, uint32_t nz, double *low, double *high) {
    for (uint32_t z = 0; z < nz; z++) {
        low[z] = fmin(low[z], (double)m->heights[z * m->columns + column]);
        high[z] = fmax(high[z], (double)m->heights[(z + 1) * m->columns + column]);
    }
}

static void widen_by_surface(const struct maker *m, const struct block *b, uint32_t nz, double *low, double *high) {
    const struct level_map *map = m->map;
    double range[2], last = (double)(map->columns_x - 1);
    range_in(m->grid, map->parameter, b, 0, range);
    double from = floor((range[0] - map->parameter_start) / map->parameter_step);
    double to = ceil((range[1] - map->parameter_start) / map->parameter_step);
    size_t first = (size_t)fmin(fmax(from, 0), last), end = (size_t)fmin(fmax(to, 0), last);
    for (size_t c = first; c <= end; c++) widen(m, c, nz, low, high);
}

// The columns of a coarse table that stand around from … to.
static void coarse_span(ptrdiff_t from, ptrdiff_t to, size_t count, size_t step, size_t *first, size_t *last) {
    double most = (double)count - 1, before = floor((double)from / (double)step), after = ceil((double)to / (double)step);
    *first = (size_t)fmax(0, fmin(most - 1, before));
    *last = (size_t)fmax(0, fmin(most, after));
}

static void widen_coarse(const struct maker *m, const struct block *b, uint32_t nz, double *low, double *high) {
    const struct level_map *map = m->map;
    size_t x0, x1, y0, y1;
    coarse_span(b->x0, b->x1, map->columns_x, map->coarse_step, &x0, &x1);
    coarse_span(b->y0, b->y1, map->columns_y, map->coarse_step, &y0, &y1);
    for (size_t y = y0; y <= y1; y++) {
        for (size_t x = x0; x <= x1; x++) widen(m, y * map->columns_x + x, nz, low, high);
        if (m->grid->wraps && x1 == map->columns_x - 1) widen(m, y * map->columns_x, nz, low, high);  // the first follows the last
    }
}

static void fill_column(const struct maker *m, struct cell_heights *h, uint32_t x, uint32_t y, double *low, double *high) {
    const struct level_map *map = m->map;
    const ptrdiff_t x0 = (ptrdiff_t)x * CELL_SIDE, y0 = (ptrdiff_t)y * CELL_SIDE;
    const struct block block = {x0 - 1, x0 + CELL_SIDE, y0 - 1, y0 + CELL_SIDE};
    double base[2], stretch[2], ground[2];
    range_in(m->grid, map->base, &block, 0, base);
    range_in(m->grid, map->stretch, &block, 1, stretch);
    range_in(m->grid, map->ground, &block, 0, ground);
    for (uint32_t z = 0; z < h->count[2]; z++) low[z] = INFINITY, high[z] = -INFINITY;
    if (map->kind == LEVEL_MAP_FLAT) widen(m, 0, h->count[2], low, high);
    else if (map->kind == LEVEL_MAP_BY_SURFACE) widen_by_surface(m, &block, h->count[2], low, high);
    else widen_coarse(m, &block, h->count[2], low, high);
    for (uint32_t z = 0; z < h->count[2]; z++) {
        const size_t at = ((size_t)z * h->count[1] + y) * h->count[0] + x;
        double least = base[0] + low[z] * stretch[low[z] < 0];
        if (z == 0) least = fmin(ground[0], least) - 1;  // the lowest level is held down to the ground
        h->low[at] = (float)least;
        h->high[at] = (float)(base[1] + high[z] * stretch[high[z] >= 0]);
    }
}

// Heights of the boundaries between layers of cells, in each column of the table.
static void fill_boundaries(const struct maker *m, uint32_t nz) {
    const double last = (double)m->map->level_count - 1;
    for (uint32_t b = 0; b <= nz; b++) {
        const double k = fmin(last, fmax(0, CELL_SIDE * (double)b - 0.5));
        for (size_t c = 0; c < m->columns; c++) m->heights[b * m->columns + c] = (float)level_reach_column(m->map, c, k);
    }
}

static uint32_t cells_of(size_t n) { return (uint32_t)((n + CELL_SIDE - 1) / CELL_SIDE); }

int cell_heights_init(struct cell_heights *h, const struct grid *grid, const struct level_map *map) {
    *h = (struct cell_heights){.count = {cells_of(grid->x.n), cells_of(grid->y.n), cells_of(map->level_count)}};
    const uint32_t nz = h->count[2];
    const size_t cells = (size_t)h->count[0] * h->count[1];
    struct maker m = {.grid = grid, .map = map, .columns = map->columns_x * map->columns_y};
    m.heights = memory_new_aligned(64, m.columns, (nz + 1) * sizeof *m.heights);
    h->low = memory_new_aligned(64, cells, nz * sizeof *h->low);
    h->high = memory_new_aligned(64, cells, nz * sizeof *h->high);
    double *low = calloc(2 * (size_t)nz + 1, sizeof *low), *high = low + nz;
    int status = m.heights && h->low && h->high && low ? VIRGA_OK : VIRGA_NO_MEMORY;
    if (!status) {
        fill_boundaries(&m, nz);
        for (uint32_t y = 0; y < h->count[1]; y++)
            for (uint32_t x = 0; x < h->count[0]; x++) fill_column(&m, h, x, y, low, high);
    }
    free(m.heights);
    free(low);
    if (status) cell_heights_destroy(h);
    return status;
}

void cell_heights_destroy(struct cell_heights *h) {
    free(h->low);
    free(h->high);
    *h = (struct cell_heights){0};
}
