// SPDX-License-Identifier: Apache-2.0
// The exact height of every level of every column, from which a level map is made and against which it is judged.
//     height(i, j, k) = field[k][j][i]                       where there is a field (geopotential height)
//                     = a[k] + (b ? b[k] : 0) surface[j][i]  otherwise
// Levels go upward. Immutable once made; any thread.
#ifndef VIRGA_FIELD_LEVEL_HEIGHTS_H
#define VIRGA_FIELD_LEVEL_HEIGHTS_H

#include <stddef.h>

#include "base/status.h"
#include "field/level_map.h"

struct level_heights {
    size_t nx, ny, level_count;
    enum height_datum datum;
    const char *method, *coordinate;  // static texts, see level_map.h
    double *a, *b;   // [level_count]; b may be NULL
    float *surface;  // [ny][nx] metres, or NULL
    float *field;    // [level_count][ny][nx] metres, or NULL
    float *ground;   // [ny][nx] metres above the datum, or NULL for 0; may be the same pointer as surface
};

double level_heights_at(const struct level_heights *heights, size_t i, size_t j, size_t k);
// Bilinear between columns; wraps: i in [nx - 1, nx) lies between the last column and the first.
double level_heights_between(const struct level_heights *heights, bool wraps, double i, double j, size_t k);
// Ground height at fractional (i, j), bilinear; 0 where unknown.
double level_heights_ground(const struct level_heights *heights, bool wraps, double i, double j);
void level_heights_free(struct level_heights *heights);  // NULL allowed

// Makes the map and states its largest error. identity: 33 bytes hex to use as the id, or NULL for a hash of the contents.
// Needs ≥ 2 levels. VIRGA_OK, VIRGA_NO_MEMORY, or VIRGA_UNSUPPORTED where levels do not rise.
int level_map_build(const struct level_heights *heights, bool wraps, const char *identity, struct level_map **map,
                    struct failure *failure);

#endif
