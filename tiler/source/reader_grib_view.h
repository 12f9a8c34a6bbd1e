// SPDX-License-Identifier: Apache-2.0
// The hypercubes as a netCDF file with CF attributes would show them. One thread.
#ifndef VIRGA_SOURCE_READER_GRIB_VIEW_H
#define VIRGA_SOURCE_READER_GRIB_VIEW_H

#include "source/reader_grib_cube.h"
#include "source/source.h"

struct grib_view_variable {
    struct source_variable listed;
    size_t lengths[SOURCE_MAX_RANK];
    const double *numbers;               // of a coordinate, or NULL
    const struct grib_variable *cube;    // of data, or NULL
    int time, member, level;             // positions among the dimensions of data, or -1; y and x come last
};

struct grib_view {
    size_t dimension_count, variable_count;
    struct source_dimension *dimensions;
    struct grib_view_variable *variables;
};

// Everything lives in the arena. VIRGA_TOO_LARGE where its limit is passed.
int grib_view_make(struct arena *arena, struct grib_index *index, const struct grib_cubes *cubes, struct grib_view *view, struct failure *failure);

// CF's words for ecCodes': units as udunits spells them, and the standard name ("" where there is none). `out` has 128 bytes.
// The name of an originating centre; `out` may hold it.
const char *grib_centre(int32_t centre, char out[64]);
void grib_units(const char *stored, char out[128]);
void grib_standard_name(const struct grib_parameter *p, bool winds_on_grid, bool at_surface, char out[128]);

#endif
