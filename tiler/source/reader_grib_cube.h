// SPDX-License-Identifier: Apache-2.0
// Fields sorted into variables: hypercubes of time, member and level, some of whose cells may be empty. One thread.
#ifndef VIRGA_SOURCE_READER_GRIB_CUBE_H
#define VIRGA_SOURCE_READER_GRIB_CUBE_H

#include "source/reader_grib.h"

struct grib_times {  // reference and valid time of each step, seconds since 1970; ordered
    size_t count;
    int64_t *reference, *valid;
};

struct grib_members {
    size_t count;
    int32_t *numbers;
};

struct grib_levels {  // of one kind, increasing
    enum grib_vertical kind;
    bool layer;
    const char *type_of_level;
    size_t count;
    double *values, *values2;  // values2: the other sides of layers
    int pv;                    // or GRIB_NONE
    size_t grid;               // the surface pressure's, for kinds that need one
};

struct grib_cell {
    uint32_t time, member, level, field;
};

struct grib_variable {
    char *name;
    size_t parameter, grid;       // representative; grids are merged
    size_t section;               // the first field's own grid
    size_t times;                 // in the cubes
    int members, levels;          // likewise, or GRIB_NONE
    int32_t member;               // the one member where `members` is GRIB_NONE, or GRIB_NONE
    bool has_level;               // the one level where `levels` is GRIB_NONE
    double level, level2;
    const char *of_interval;      // "6h" or "since_start" where a file has several of one name, or ""
    bool precise;
    size_t cell_count;
    struct grib_cell *cells;      // ordered by time, member, level
};

struct grib_cubes {
    struct grib_grid *grids;      // of the index, in its order
    size_t *merged;               // [grids] the first grid with the same columns
    size_t variable_count, times_count, members_count, levels_count;
    struct grib_variable *variables;
    struct grib_times *times;
    struct grib_members *members;
    struct grib_levels *levels;
};

// Everything lives in the arena. Notes say what was left out. VIRGA_TOO_LARGE where the arena's limit is passed.
int grib_cubes_make(struct arena *arena, struct grib_index *index, size_t points_max, struct grib_cubes *cubes, struct failure *failure);
// The field of a cell, or NULL where there is none.
const struct grib_field *grib_cubes_field(const struct grib_index *index, const struct grib_variable *v, size_t time, size_t member, size_t level);

#endif
