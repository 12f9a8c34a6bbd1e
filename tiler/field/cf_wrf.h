// SPDX-License-Identifier: Apache-2.0
// Output of WRF says in names and attributes of its own what CF files say by standard names and coordinates: this tells the roles
// of its dimensions, its grids, levels, times and the names of its variables (WRF-ARW User's Guide, "WRF Output Fields";
// the projections are those of WPS, module_map_utils.F, on a sphere of 6370 km). Any thread.
#ifndef VIRGA_FIELD_CF_WRF_H
#define VIRGA_FIELD_CF_WRF_H

#include "field/cf_file.h"

// By the name of its dimensions and the attribute MAP_PROJ.
bool cf_is_wrf(const struct source *source);
// By name; ROLE_NONE where it has none.
enum cf_role cf_wrf_role(const struct source *source, size_t dimension);

// The grid on two dimensions by the projection that the attributes tell, in its place by the corners of XLAT and XLONG. A nest
// that moves gets a grid over all of its places: *moves[t] then says how many columns and rows it lies into that grid at time t,
// for *move_count times; NULL and 0 for one that stands. The caller frees *moves.
// VIRGA_OK; VIRGA_NOT_FOUND and why where the columns do not lie on that projection, though latitude and longitude may place
// them; VIRGA_UNSUPPORTED and why where nothing can. Blocks. The caller frees *grid.
int cf_wrf_grid(struct source *source, size_t x_dimension, size_t y_dimension, struct grid **grid, struct cf_axis_order *x_order,
                struct cf_axis_order *y_order, struct cf_move **moves, size_t *move_count, struct failure *failure);

// Names a variable by CF, as far as there are names for it. VIRGA_OK or VIRGA_NO_MEMORY.
int cf_wrf_name(const struct cf_file *file, struct cf_variable *variable);
// Adds what is the sum of stored variables: potential temperature and pressure. VIRGA_OK or VIRGA_NO_MEMORY.
int cf_wrf_add(struct cf_file *file);
// The text of the time at which the run began, or NULL.
const char *cf_wrf_start(const struct source *source);

#endif
