// SPDX-License-Identifier: Apache-2.0
// Columns that stand anywhere: a grid known by the longitude and latitude of every column. Between four columns a place is the
// direction of the bilinear mean of their unit vectors, so that poles and the date line are nothing special, and cells
// share their edges exactly. Immutable; any thread.
#ifndef VIRGA_FIELD_GRID_MESH_H
#define VIRGA_FIELD_GRID_MESH_H

#include <stdbool.h>
#include <stddef.h>

struct grid_mesh;

// lon, lat: [ny][nx] degrees, NaN where unknown; they stay the caller's and must outlive the mesh. x is to be to the
// right of y on the ground (not mirrored). wraps: column nx is column 0 again. NULL when out of memory. Cells that
// miss a corner, cover no area, are folded over, not convex, or far larger than the others hold no place.
struct grid_mesh *grid_mesh_new(const double *lon, const double *lat, size_t nx, size_t ny, bool wraps);
void grid_mesh_free(struct grid_mesh *mesh);  // NULL allowed

// How many cells hold places, and how many could.
size_t grid_mesh_good(const struct grid_mesh *mesh);
size_t grid_mesh_cells(const struct grid_mesh *mesh);
// Median distances of neighbours along x and y, in kilometres on the model's sphere; over good cells. 0 without any.
void grid_mesh_spacing(const struct grid_mesh *mesh, double km[2]);

// Fractional column (x, y) of a place in a good cell; false elsewhere. The work is bounded whatever the columns are.
bool grid_mesh_locate(const struct grid_mesh *mesh, double lon, double lat, double *x, double *y);
// The place of a fractional column; false outside the grid and where a corner that counts is unknown.
bool grid_mesh_place(const struct grid_mesh *mesh, double x, double y, double *lon, double *lat);

#endif
