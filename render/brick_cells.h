// SPDX-License-Identifier: Apache-2.0
// What the cells of 8 × 8 × 8 voxels of one decoded brick hold: ranges that bound every interpolated sample. Pure, any thread.
#ifndef VIRGA_RENDER_BRICK_CELLS_H
#define VIRGA_RENDER_BRICK_CELLS_H

#include <stdint.h>

#include "brick/brick_key.h"
#include "render/cell_heights.h"

enum { BRICK_CELLS = BRICK_CORE / CELL_SIDE };  // along each side

struct brick_cells {
    uint32_t count[3];                                        // cells along x, y, z
    int32_t low[BRICK_CELLS * BRICK_CELLS * BRICK_CELLS];     // [z][y][x] lattice integers, of what is present in the cell and one voxel around
    int32_t high[BRICK_CELLS * BRICK_CELLS * BRICK_CELLS];    // low > high where nothing is
};

// q: the voxels of the brick's stored box, LATTICE_MISSING where missing. The brick must lie in the pyramid.
void brick_cells_fill(struct brick_cells *cells, const struct pyramid_shape *shape, uint32_t level, const uint32_t brick[3],
                      const struct brick_box *box, const int32_t *q);

#endif
