// SPDX-License-Identifier: Apache-2.0
// From a column and a height to the fractional level k: the vertical half of a volume's geometry.
//
// Levels are ordered upward: k = 0 is the lowest. For column (i, j) and height h in metres above the datum:
//     r = h - base(i, j)                          base: ground height where known, else 0
//     u = log(1 + (r - bottom) / scale) / log(1 + (top - bottom) / scale)   (clamped to 0 … 1)
//     k = table(column, u), linear in u between height_count evenly spaced nodes, and
//       FLAT        one column
//       BY_SURFACE  column_count columns for parameter values parameter_start + c parameter_step; linear between them by
//                   parameter(i, j) (ground height in m, or surface pressure in Pa)
//       COARSE      columns_x × columns_y columns, column (ci, cj) standing at i = ci coarse_step (the last one at nx - 1),
//                   likewise j; bilinear between them
// The table extends k linearly below the lowest and above the highest level. A place is inside when
// h ≥ ground(i, j) and k ≤ level_count - 1; there k is clamped below to 0 (values are held down to the ground).
// Immutable, refcounted, any thread.
#ifndef VIRGA_FIELD_LEVEL_MAP_H
#define VIRGA_FIELD_LEVEL_MAP_H

#include <stdbool.h>
#include <stddef.h>

enum level_map_kind { LEVEL_MAP_FLAT, LEVEL_MAP_BY_SURFACE, LEVEL_MAP_COARSE };
enum height_datum { DATUM_SEA, DATUM_GROUND };  // heights are above mean sea level, or above the ground

struct level_map {
    enum level_map_kind kind;
    enum height_datum datum;
    const char *method;      // how heights were made: "coordinate", "hybrid height", "geopotential height",
                             // "standard atmosphere", …
    const char *coordinate;  // the vertical coordinate's kind for people and info: "height", "altitude",
                             // "hybrid_height", "pressure", …
    size_t nx, ny, level_count;
    double bottom, top, scale;  // metres relative to base; top > bottom, scale > 0
    size_t height_count;        // nodes in u, ≥ 2
    size_t columns_x, columns_y;  // FLAT 1 × 1; BY_SURFACE column_count × 1; COARSE as above
    size_t coarse_step;           // COARSE: columns between table columns
    double parameter_start, parameter_step;  // BY_SURFACE
    float *table;      // [columns_y][columns_x][height_count] fractional levels
    float *base;       // [ny][nx] metres, or NULL for 0 everywhere
    float *parameter;  // BY_SURFACE: [ny][nx]; may be the same pointer as base
    float *ground;     // [ny][nx] terrain in metres above the datum, or NULL for 0; may be the same pointer as base
    double *nominal;   // [level_count] heights over zero ground in metres, for axes and labels
    double lowest, highest;  // metres: of the lowest level's lowest and the highest level's highest point
    double max_error;        // metres: largest |height of the mapped k - h| found against the exact column heights …
    size_t tested_columns;   // … of so many columns: nx * ny, or less where a COARSE map has more than can be gone through
    char id[33];             // hex hash of all above; equal maps have equal ids
};

struct level_map *level_map_ref(struct level_map *map);
void level_map_unref(struct level_map *map);

// Fractional level at fractional column (i, j) and height h (metres above datum). Returns false outside (below the
// ground, above the top). base, parameter and ground are bilinear in (i, j); with `wraps`, i in [nx - 1, nx) is between the
// last column and the first.
bool level_map_locate(const struct level_map *map, bool wraps, double i, double j, double height, double *k);
// Height of fractional level k at (i, j): the inverse, by bisection on the table. k in 0 … level_count - 1.
double level_map_height(const struct level_map *map, bool wraps, double i, double j, double k);

#endif
