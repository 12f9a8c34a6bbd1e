// SPDX-License-Identifier: Apache-2.0
// Private to plane_*.c: where a surface lies, as a fractional level in every column.
#ifndef VIRGA_TILE_PLANE_PLACE_H
#define VIRGA_TILE_PLANE_PLACE_H

#include "field/level_coordinate.h"
#include "tile/plane_read.h"

// Everything that a surface of one field is made with.
struct plane_work {
    const struct plane_maker *maker;
    const struct field_ref *field;
    const struct surface *surface;
    struct plane_columns columns;
    struct level_coordinate coordinate;  // of a field with levels, once plane_work_levels was called
    struct level_map *map;               // likewise
    char method[PLANE_METHOD];
};
// Coordinate and level map. Blocks. Once is enough.
int plane_work_levels(struct plane_work *work, struct failure *failure);
void plane_work_close(struct plane_work *work);
void plane_work_say(struct plane_work *work, const char *format, ...) __attribute__((format(printf, 2, 3)));  // appends to the method
double plane_work_ground(const struct plane_work *work, size_t column);  // metres above the level map's datum; 0 where nobody knows
// Height of fractional level k of a column, likewise; NaN for NaN.
double plane_work_height(const struct plane_work *work, size_t column, double k);

struct plane_place {
    bool uniform;  // k in every column, else at[column]; NaN: the surface is not there
    double k;
    float *at;
};
// VIRGA_OK: free(place->at). The surface is of a kind that is one place in a column. Blocks.
int plane_place_find(struct plane_work *work, struct plane_place *place, struct failure *failure);

// plane_crossing.c: surfaces of pressure and potential temperature, found by walking up the levels. ln p or K.
int plane_crossing_pressure(struct plane_work *work, double pressure, float *at, struct failure *failure);
int plane_crossing_theta(struct plane_work *work, double theta, float *at, struct failure *failure);
// The lowest level that is not below the ground, in each column, rounded up; NULL where levels follow the ground. The caller frees it.
int plane_work_lowest(struct plane_work *work, float **lowest, struct failure *failure);

// plane_column.c: MAXIMUM and SUM, and heights of TOP and BASE. values[count].
int plane_column_values(struct plane_work *work, float *values, struct failure *failure);

#endif
