// SPDX-License-Identifier: Apache-2.0
#include "render/skip_grid.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "render/scene_axis.h"

enum { BINS = 48, MARKED = 1 };  // while marking, values hold MARKED where something may be

static size_t cells_in(const struct skip_grid *grid) { return (size_t)grid->size[0] * grid->size[1] * grid->size[2]; }

// Cells along x or y stand on the columns of the volume's cells.
static void lay_axis(struct skip_grid *grid, const struct grid *columns, int which, const struct scene_bounds *box) {
    const struct grid_axis *axis = which ? &columns->y : &columns->x;
    const double wide = box->high[which] - box->low[which];
    const double count = ceil((double)axis->n / CELL_SIDE);
    double cell = wide;
    grid->low[which] = box->low[which];
    if (axis->n > 1 && axis->regular) {
        cell = CELL_SIDE * axis->step * columns->km_per_unit[which];
        grid->low[which] = scene_axis_km(columns, which, -0.5);
    } else if (axis->n > 1) {
        cell = (scene_axis_km(columns, which, (double)axis->n - 1) - scene_axis_km(columns, which, 0)) / count;
    }
    grid->cell[which] = cell > 0 ? cell : 1;
    grid->size[which] = (uint32_t)fmax(1, ceil((box->high[which] - grid->low[which]) / grid->cell[which] - 1e-6));
}

int skip_grid_init(struct skip_grid *grid, const struct grid *columns, const struct scene_bounds *box) {
    *grid = (struct skip_grid){.size = {1, 1, BINS}, .low = {0, 0, box->low[2]}, .cell = {1, 1, (box->high[2] - box->low[2]) / BINS}};
    lay_axis(grid, columns, 0, box);
    lay_axis(grid, columns, 1, box);
    grid->values = memory_new_aligned(64, (size_t)grid->size[0] * grid->size[1], BINS);
    return grid->values ? VIRGA_OK : VIRGA_NO_MEMORY;
}

void skip_grid_destroy(struct skip_grid *grid) {
    free(grid->values);
    *grid = (struct skip_grid){0};
}

struct span { ptrdiff_t first, last; };

static double place_of(const struct skip_grid *grid, const struct grid *columns, int which, double index) {
    const struct grid_axis *axis = which ? &columns->y : &columns->x;
    if (!axis->regular) index = fmin((double)(axis->n - 1), fmax(0, index));
    return (scene_axis_km(columns, which, index) - grid->low[which]) / grid->cell[which];
}

// The grid's cells over which a row of the volume's cells lies.
static struct span span_of(const struct skip_grid *grid, const struct grid *columns, int which, uint32_t c) {
    const double from = place_of(grid, columns, which, CELL_SIDE * (double)c - 0.5);
    const double to = place_of(grid, columns, which, CELL_SIDE * (double)c + CELL_SIDE - 0.5), last = (double)grid->size[which] - 1;
    return (struct span){(ptrdiff_t)fmax(0, floor(from + 1e-4)), (ptrdiff_t)fmin(last, ceil(to - 1e-4) - 1)};
}

static struct span height_span(const struct skip_grid *grid, double low, double high) {
    const double from = floor((low / 1000 - grid->low[2]) / grid->cell[2]), to = floor((high / 1000 - grid->low[2]) / grid->cell[2]);
    const double last = (double)grid->size[2] - 1;
    return (struct span){(ptrdiff_t)fmin(last, fmax(0, from)), (ptrdiff_t)fmax(-1, fmin(last, to))};
}

static void mark_block(struct skip_grid *grid, struct span x, struct span y, struct span z, bool around) {
    const size_t nx = grid->size[0], ny = grid->size[1];
    for (ptrdiff_t c = z.first; c <= z.last; c++)
        for (ptrdiff_t b = y.first; b <= y.last; b++) {
            uint8_t *row = grid->values + ((size_t)c * ny + (size_t)b) * nx;
            if (x.first <= x.last) memset(row + x.first, MARKED, (size_t)(x.last - x.first + 1));
            if (around) row[nx - 1] = MARKED;
        }
}

void skip_grid_mark(struct skip_grid *grid, const struct grid *columns, const struct cell_heights *heights, const uint8_t *visible) {
    size_t at = 0;
    for (uint32_t z = 0; z < heights->count[2]; z++)
        for (uint32_t y = 0; y < heights->count[1]; y++) {
            const struct span ys = span_of(grid, columns, 1, y);
            for (uint32_t x = 0; x < heights->count[0]; x++, at++) {
                if (!visible[at]) continue;
                // The last half cell of a grid that wraps is shared with the first column.
                const bool around = columns->wraps && (x == 0 || x == heights->count[0] - 1);
                mark_block(grid, span_of(grid, columns, 0, x), ys, height_span(grid, (double)heights->low[at], (double)heights->high[at]), around);
            }
        }
}

// Spreads ones along an axis by `radius` cells. stride: between neighbours; n: cells along the axis.
static void dilate(const uint8_t *from, uint8_t *to, size_t total, size_t stride, size_t n, size_t radius) {
    memcpy(to, from, total);
    for (size_t start = 0; start < total; start += stride * n)
        for (size_t step = 1; step <= radius && step < n; step++) {
            const size_t shift = step * stride, count = (n - step) * stride;
            for (size_t s = 0; s < count; s++) to[start + s] |= from[start + s + shift];
            for (size_t s = 0; s < count; s++) to[start + s + shift] |= from[start + s];
        }
}

int skip_grid_finish(struct skip_grid *grid) {
    static const struct { uint8_t radius, value; } far[] = {{1, 2}, {2, 3}, {4, 5}, {8, 9}};
    const size_t cells = cells_in(grid), nx = grid->size[0], ny = grid->size[1], nz = grid->size[2];
    uint8_t *a = malloc(cells), *b = malloc(cells);
    if (!a || !b) {
        free(a);
        free(b);
        return VIRGA_NO_MEMORY;
    }
    memcpy(a, grid->values, cells);
    for (size_t s = 0; s < cells; s++) grid->values[s] ^= MARKED;
    for (size_t turn = 0, covered = 0; turn < sizeof far / sizeof *far; turn++) {
        const size_t grow = far[turn].radius - covered;
        covered = far[turn].radius;
        dilate(a, b, cells, 1, nx, grow);
        dilate(b, a, cells, nx, ny, grow);
        dilate(a, b, cells, nx * ny, nz, grow);
        memcpy(a, b, cells);
        for (size_t s = 0; s < cells; s++)
            if (!b[s]) grid->values[s] = far[turn].value;
    }
    free(a);
    free(b);
    return VIRGA_OK;
}
