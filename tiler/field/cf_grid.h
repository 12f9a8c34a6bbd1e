// SPDX-License-Identifier: Apache-2.0
// From CF coordinates and grid mappings to a grid. Any thread.
#ifndef VIRGA_FIELD_CF_GRID_H
#define VIRGA_FIELD_CF_GRID_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "field/grid.h"
#include "source/source.h"

// One horizontal axis as the file has it.
struct cf_axis_input {
    const double *values;  // stored order
    size_t n;
    const char *units;     // "" when the file says none
    bool single;           // stored as float32: less exact
    bool angular_name;     // its standard name or name is a longitude's or a latitude's
};

// How the grid's axis relates to the file's: normalised index i stands at file index reversed ? n - 1 - i : i.
struct cf_axis_order {
    size_t n;  // may be one less than the file's: a repeated first meridian is left out
    bool reversed;
};

struct cf_projection {
    char proj[512];   // PROJ string
    bool angular;     // axes are degrees
    double height;    // of the satellite in metres, for axes that are scan angles; else 0
    double meridian;  // where plain longitudes count from, degrees east of Greenwich; for all others PROJ's string has it
};

// The PROJ string of a grid mapping, from numbers that were checked; where the variable has no CF name, from its WKT or PROJ
// text, read number by number. mapping may be NULL: latitude-longitude on the model's sphere. metres_per_unit: of the axes
// (false easting is in the axes' units). VIRGA_OK, or VIRGA_UNSUPPORTED and why.
int cf_projection(const struct source_variable *mapping, double metres_per_unit, struct cf_projection *projection, struct failure *failure);

// mapping: the grid mapping variable, NULL when the file names none or names one that is absent.
// Refuses axes that are not finite, not monotonic, or too long. The caller frees *grid with grid_free().
int cf_grid_new(const struct source_variable *mapping, const struct cf_axis_input *x, const struct cf_axis_input *y,
                struct grid **grid, struct cf_axis_order *x_order, struct cf_axis_order *y_order, struct failure *failure);

#endif
