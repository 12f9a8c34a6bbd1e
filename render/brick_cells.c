// SPDX-License-Identifier: Apache-2.0
#include "render/brick_cells.h"

#include "brick/lattice.h"

// Stored voxels of a cell and one around it.
static void span_of(const struct brick_box *box, int axis, uint32_t brick, uint32_t cell, uint32_t *from, uint32_t *to) {
    const int64_t first = (int64_t)BRICK_CORE * brick + CELL_SIDE * cell - box->lo[axis];
    *from = (uint32_t)(first > 1 ? first - 1 : 0);
    *to = (uint32_t)(first + CELL_SIDE + 1 < box->size[axis] ? first + CELL_SIDE + 1 : box->size[axis]);
}

// LATTICE_MISSING is the least of all numbers, so that it never is the highest; for the lowest it is taken for the greatest.
static void widen(const int32_t *q, uint32_t count, int32_t *low, int32_t *high) {
    int32_t least = *low, most = *high;
    for (uint32_t n = 0; n < count; n++) {
        const int32_t present = q[n] == LATTICE_MISSING ? INT32_MAX : q[n];
        least = present < least ? present : least;
        most = q[n] > most ? q[n] : most;
    }
    *low = least;
    *high = most;
}

void brick_cells_fill(struct brick_cells *cells, const struct pyramid_shape *shape, uint32_t level, const uint32_t brick[3],
                      const struct brick_box *box, const int32_t *q) {
    const struct pyramid_level *l = &shape->levels[level];
    for (int axis = 0; axis < 3; axis++) {
        const uint32_t left = l->n[axis] - BRICK_CORE * brick[axis], core = left < BRICK_CORE ? left : BRICK_CORE;
        cells->count[axis] = (core + CELL_SIDE - 1) / CELL_SIDE;
    }
    uint32_t at = 0, x0, x1, y0, y1, z0, z1;
    for (uint32_t cz = 0; cz < cells->count[2]; cz++)
        for (uint32_t cy = 0; cy < cells->count[1]; cy++)
            for (uint32_t cx = 0; cx < cells->count[0]; cx++, at++) {
                int32_t low = INT32_MAX, high = INT32_MIN;
                span_of(box, 0, brick[0], cx, &x0, &x1);
                span_of(box, 1, brick[1], cy, &y0, &y1);
                span_of(box, 2, brick[2], cz, &z0, &z1);
                for (uint32_t z = z0; z < z1; z++)
                    for (uint32_t y = y0; y < y1; y++) widen(q + ((size_t)z * box->size[1] + y) * box->size[0] + x0, x1 - x0, &low, &high);
                cells->low[at] = low;
                cells->high[at] = high;
            }
}
