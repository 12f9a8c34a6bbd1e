// SPDX-License-Identifier: Apache-2.0
// The exact heights of the levels of columns, from which a level map is made and against which it is judged.
//     height(i, j, k) = a[k] + (b ? b[k] : 0) surface[j][i]       where heights follow from numbers and the surface
//                     = field[k][row of j][column of i]           where they vary otherwise
// A field of more numbers than can be held keeps all levels of some columns only, and two levels of all. Levels go upward.
// Immutable once made; any thread.
#ifndef VIRGA_FIELD_LEVEL_HEIGHTS_H
#define VIRGA_FIELD_LEVEL_HEIGHTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "field/level_map.h"

struct level_heights {
    size_t nx, ny, level_count;
    enum height_datum datum;
    char method[LEVEL_METHOD_MAX];  // see level_map.h
    const char *coordinate;         // static text
    double *a, *b;   // [level_count]; b may be NULL; not used where there is a field
    float *surface;  // [ny][nx] metres, or NULL
    float *ground;   // [ny][nx] metres above the datum, or NULL for 0; may be the same pointer as surface
    // Only where there is a field:
    size_t kept_nx, kept_ny, *kept_x, *kept_y;  // columns of which all levels are kept, rising; all where step is 1
    size_t step;                     // columns at multiples of it and the last ones are kept, and some pairs of neighbours between
    float *field;                    // [level_count][kept_ny][kept_nx] metres
    size_t low_level, high_level;    // two levels of which all columns are kept
    float *low, *high;               // [ny][nx] metres
    float *last;                     // [ny][nx] while planes come in: the level before
    double *mean;                    // [level_count] over all columns
    double lowest, highest;          // of the lowest and the highest level
    bool falls;                      // somewhere a level is not above the one before, first seen …
    size_t falls_x, falls_y;         // … in this column
};

void level_heights_free(struct level_heights *heights);  // NULL allowed

// Makes room for a field. VIRGA_OK or VIRGA_NO_MEMORY.
int level_heights_begin(struct level_heights *heights, size_t low_level, size_t high_level);
// Takes in one level of `rows` rows from y0 on: plane[rows][nx] metres. For each row levels come upward, each once.
void level_heights_add(struct level_heights *heights, size_t level, size_t y0, size_t rows, const double *plane);

// Of a kept column.
double level_heights_at(const struct level_heights *heights, size_t i, size_t j, size_t k);
// Bilinear between kept columns; wraps: i in [nx - 1, nx) lies between the last column and the first.
double level_heights_between(const struct level_heights *heights, bool wraps, double i, double j, size_t k);
// Ground height at fractional (i, j), bilinear; 0 where unknown.
double level_heights_ground(const struct level_heights *heights, bool wraps, double i, double j);

// Makes the map and states its largest error. identity: 33 bytes hex to use as the id, or NULL for a hash of the contents.
// Needs ≥ 2 levels. VIRGA_OK, VIRGA_NO_MEMORY, or VIRGA_UNSUPPORTED where levels do not rise.
int level_map_build(const struct level_heights *heights, bool wraps, const char *identity, struct level_map **map,
                    struct failure *failure);
// The smallest horizontal step of a coarse table of bounded size.
size_t level_map_least_step(size_t nx, size_t ny, size_t level_count);

#endif
