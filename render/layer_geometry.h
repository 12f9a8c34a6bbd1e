// SPDX-License-Identifier: Apache-2.0
// From a place in the scene to fractional indices of a volume, in floats and by the very formulas of web/shaders/layer.glsl
// (which is tiler/field/level_map.h prepared for speed). Immutable once made; any thread.
#ifndef VIRGA_RENDER_LAYER_GEOMETRY_H
#define VIRGA_RENDER_LAYER_GEOMETRY_H

#include <stdbool.h>

#include "base/status.h"
#include "field/grid.h"
#include "field/level_map.h"

struct layer_geometry;

// map: NULL for a 2-D variable. Copies what it needs. VIRGA_OK or VIRGA_NO_MEMORY.
int layer_geometry_new(const struct grid *grid, const struct level_map *map, struct layer_geometry **geometry);
void layer_geometry_free(struct layer_geometry *geometry);  // NULL is allowed

struct layer_place {
    float ijk[3];      // fractional indices, clamped into the grid
    float density[3];  // voxels a km along X, Y and Z (not exaggerated)
    bool inside;
};

// scene: km, height not exaggerated.
void layer_geometry_place(const struct layer_geometry *geometry, const float scene[3], struct layer_place *place);
// Columns only: (i, j) and voxels a km along X and Y. Whether inside the grid's edges.
bool layer_geometry_column(const struct layer_geometry *geometry, const float scene[2], float ij[2], float density[2]);

#endif
