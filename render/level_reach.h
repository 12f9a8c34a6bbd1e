// SPDX-License-Identifier: Apache-2.0
// How high the levels of a volume reach, without looking at every column: ranges of what stands on columns, and heights of levels in the
// columns of the level map's table (web/data/geometry.js). Immutable once made; any thread.
#ifndef VIRGA_RENDER_LEVEL_REACH_H
#define VIRGA_RENDER_LEVEL_REACH_H

#include <stddef.h>

#include "field/grid.h"
#include "field/level_map.h"

struct level_reach {
    const struct level_map *map;  // NULL for a 2-D variable; kept by the caller, as is the ground
    const float *ground;          // [ny][nx] metres above the datum, or NULL for 0
    double ground_range[2], base_range[2], stretch_range[2];
    double top;                   // of the highest point, metres above the datum
};

// ground: of a 2-D variable; a volume's is its map's.
void level_reach_init(struct level_reach *reach, const struct grid *grid, const struct level_map *map, const float *ground);
// Metres above base, before they are stretched, of a fractional level in one column of the map's table.
double level_reach_column(const struct level_map *map, size_t column, double k);
// Between which heights, metres above the datum, a fractional level lies anywhere (tried on some 500 columns of the table). Of a 2-D
// variable: the ground.
void level_reach_level(const struct level_reach *reach, double k, double range[2]);

#endif
