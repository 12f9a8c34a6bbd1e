// SPDX-License-Identifier: Apache-2.0
// Where nothing can be seen: cells over the scene that say how far around them every interpolated sample of every volume is
// invisible under its transfer function. The page's is web/data/skip_grid.js.
#ifndef VIRGA_RENDER_SKIP_GRID_H
#define VIRGA_RENDER_SKIP_GRID_H

#include <stddef.h>
#include <stdint.h>

struct skip_grid {
    uint32_t size[3];   // cells along X, Y, Z
    double low[3];      // scene km where the first cell begins
    double cell[3];     // km
    uint8_t *values;    // [z][y][x]: 0 something may show here; n: nothing within n − 1 cells around
};

void skip_grid_destroy(struct skip_grid *grid);  // frees values; a zeroed one is allowed

#endif
