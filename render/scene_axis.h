// SPDX-License-Identifier: Apache-2.0
// One axis of a grid in the scene: from fractional index to coordinate and kilometres, as web/data/geometry.js has it. Pure, any thread.
#ifndef VIRGA_RENDER_SCENE_AXIS_H
#define VIRGA_RENDER_SCENE_AXIS_H

#include <stdbool.h>

#include "field/grid.h"

// which: 0 for x, 1 for y.
// Scene kilometres of a fractional index.
double scene_axis_km(const struct grid *grid, int which, double index);
// Coordinates of the domain's edges: of the outermost grid points; a grid that wraps closes at its first column again; an axis of one
// point has the width of one step.
void scene_axis_edges(const struct grid *grid, int which, double edges[2]);
// The same in scene kilometres.
void scene_axis_edges_km(const struct grid *grid, int which, double edges[2]);

#endif
