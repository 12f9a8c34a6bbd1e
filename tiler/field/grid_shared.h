// SPDX-License-Identifier: Apache-2.0
// Files of one run repeat the longitude and latitude of every column: all share one grid in memory. Any thread.
#ifndef VIRGA_FIELD_GRID_SHARED_H
#define VIRGA_FIELD_GRID_SHARED_H

#include <stdbool.h>
#include <stddef.h>

#include "field/grid.h"

// A living curvilinear grid with exactly these columns ([ny][nx]), with a reference of the caller's own; NULL when there is none.
struct grid *grid_shared_find(const double *lon, const double *lat, size_t nx, size_t ny, bool wraps);
// Offers a new curvilinear grid to others; without memory for that it stays alone.
void grid_shared_add(struct grid *grid);
// Gives a reference back: true when it was the last and the grid is to be freed.
bool grid_shared_drop(struct grid *grid);

#endif
