// SPDX-License-Identifier: Apache-2.0
// Grids that a file describes by the longitude and latitude of every column. Any thread.
#ifndef VIRGA_FIELD_CF_COLUMNS_H
#define VIRGA_FIELD_CF_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "field/cf_grid.h"
#include "field/grid.h"
#include "source/source.h"

enum { CF_COLUMNS_MAX = 1 << 24 };

// Which variables tell where the columns stand, and the two dimensions that these share.
struct cf_columns {
    int lon, lat;          // in the inventory
    size_t dimension[2];   // slower first, as the longitude has them
};

// The two-dimensional longitude and latitude of a variable: those that its `coordinates` name, or the only ones that stand
// on two of its dimensions. VIRGA_OK, VIRGA_NOT_FOUND, or VIRGA_UNSUPPORTED and why when several would do.
int cf_columns_find(const struct source *source, const struct source_variable *variable, struct cf_columns *columns, struct failure *failure);

// How the grid's axes relate to what was given: x runs along dimension `x` (0 or 1) of the arrays, y along the other.
struct cf_columns_order {
    int x;
    struct cf_axis_order x_order, y_order;
};

// lon, lat: [n[0]][n[1]] degrees as stored, NaN or out of range where missing; changed. single: stored as float32. x is
// turned eastward and y northward as far as their mean directions tell, and never mirrored. Rows and columns that are
// parallels and meridians give a plain grid, all others a curvilinear one; what covers no area is refused.
// The caller frees *grid with grid_free().
int cf_columns_grid(double *lon, double *lat, const size_t n[2], bool single, struct grid **grid, struct cf_columns_order *order,
                    struct failure *failure);

// Reads both arrays and makes the grid. Blocks.
int cf_columns_read(struct source *source, const struct cf_columns *columns, struct grid **grid, struct cf_columns_order *order,
                    struct failure *failure);

#endif
