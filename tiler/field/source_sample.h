// SPDX-License-Identifier: Apache-2.0
// The value at a place from the source's own numbers and exact level heights, by plain code that shares neither bricks nor
// level map: locate (i, j) on the axes; k among the exact heights of the column, each level's height bilinear in (i, j);
// then trilinear in (i, j, k) over the eight neighbours' values; absent where less than half of their weight is present,
// below the ground, above the highest level and outside the grid; held from the lowest level down to the ground.
// Blocks (reads a few columns, and the ground or the height field). Any worker thread.
#ifndef VIRGA_FIELD_SOURCE_SAMPLE_H
#define VIRGA_FIELD_SOURCE_SAMPLE_H

#include "field/catalog.h"

// *value: NaN where missing or outside. height: metres above the level map's datum; unused for 2-D variables.
int catalog_sample_source(const struct field_ref *field, double lon, double lat, double height, double *value, struct failure *failure);

struct source_profile {
    size_t count;     // levels, from the ground up; 0 outside the grid; 1 for 2-D variables, whose height is NaN
    double *heights;  // metres above the datum
    double *values;   // NaN where missing
};
int catalog_profile_source(const struct field_ref *field, double lon, double lat, struct source_profile *profile, struct failure *failure);
void source_profile_destroy(struct source_profile *profile);

#endif
