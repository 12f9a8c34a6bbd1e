// SPDX-License-Identifier: Apache-2.0
// Between which heights each cell of 8 × 8 × 8 voxels of a volume lies. Made once a level map, then read by any thread. The page's is
// CellHeights in web/data/skip_grid.js.
#ifndef VIRGA_RENDER_CELL_HEIGHTS_H
#define VIRGA_RENDER_CELL_HEIGHTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "field/grid.h"
#include "field/level_map.h"

enum { CELL_SIDE = 8 };  // voxels of the finest level

struct cell_heights {
    uint32_t count[3];   // cells along x, y, z
    float *low, *high;   // [z][y][x] metres above the datum, of all that a sample in the cell may lie at
};

// VIRGA_OK or VIRGA_NO_MEMORY (then there is nothing to destroy).
int cell_heights_init(struct cell_heights *heights, const struct grid *grid, const struct level_map *map);
void cell_heights_destroy(struct cell_heights *heights);  // a zeroed one is allowed

#endif
