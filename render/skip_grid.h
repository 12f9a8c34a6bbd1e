// SPDX-License-Identifier: Apache-2.0
// Where nothing can be seen: cells over the scene that say how far around them every interpolated sample of every volume is
// invisible under its transfer function. The page's is web/data/skip_grid.js.
#ifndef VIRGA_RENDER_SKIP_GRID_H
#define VIRGA_RENDER_SKIP_GRID_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "field/grid.h"
#include "render/camera.h"
#include "render/cell_heights.h"

struct skip_grid {
    uint32_t size[3];   // cells along X, Y, Z
    double low[3];      // scene km where the first cell begins
    double cell[3];     // km
    uint8_t *values;    // [z][y][x]: 0 something may show here; n: nothing within n − 1 cells around
};

// Nothing to be seen: skip_grid_mark what may be, then skip_grid_finish. VIRGA_OK or VIRGA_NO_MEMORY (then there is nothing to destroy).
int skip_grid_init(struct skip_grid *grid, const struct grid *columns, const struct scene_bounds *box);
void skip_grid_destroy(struct skip_grid *grid);  // frees values; a zeroed one is allowed

// Marks what a volume on these columns may show. visible: [z][y][x] of its cells, as cell_heights counts them.
void skip_grid_mark(struct skip_grid *grid, const struct grid *columns, const struct cell_heights *heights, const uint8_t *visible);
// Makes values say how far. VIRGA_OK or VIRGA_NO_MEMORY.
int skip_grid_finish(struct skip_grid *grid);

#endif
