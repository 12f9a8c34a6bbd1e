// SPDX-License-Identifier: Apache-2.0
// Private to the grid: making its PROJ objects, and the directions of its axes on the ground.
#ifndef VIRGA_FIELD_GRID_TRANSFORM_H
#define VIRGA_FIELD_GRID_TRANSFORM_H

#include "field/grid.h"

// Makes grid->transform from grid->proj, or from lon and lat of a curvilinear grid. VIRGA_OK, VIRGA_UNSUPPORTED when PROJ refuses the string, VIRGA_NO_MEMORY.
// grid_free releases it, also after a failure.
int grid_transform_new(struct grid *grid);
// Of a curvilinear grid with its transform: the mesh.
const struct grid_mesh *grid_mesh_of(const struct grid *grid);

#endif
