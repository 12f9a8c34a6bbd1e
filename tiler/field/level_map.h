// SPDX-License-Identifier: Apache-2.0
// From a column and a height to the fractional level k: the vertical half of a volume's geometry.
//
// Levels are ordered upward: k = 0 is the lowest. For column (i, j) and height h in metres above the datum:
//     r = (h - base(i, j)) / stretch(i, j)            base: 0 where there is none; stretch: 1 where there is none
//   FLAT and BY_SURFACE (base is the ground's height where known; no stretch)
//     u = log(1 + (r - bottom) / scale) / log(1 + (top - bottom) / scale)   (clamped to 0 … 1)
//     k = table(column, u), linear in u between height_count evenly spaced nodes, and
//       FLAT        one column
//       BY_SURFACE  column_count columns for parameter values parameter_start + c parameter_step; linear between them by
//                   parameter(i, j) (ground height in m)
//     The table extends k linearly below the lowest and above the highest level.
//   COARSE (base is the height of one level, stretch the distance of two levels by its mean: so columns look alike)
//     k is where R(i, j, k) = r, R linear in k between level_count levels, extended linearly below and above them, and
//     R(i, j, level) is bilinear between the table's columns_x × columns_y columns: column (ci, cj) stands at i = ci coarse_step,
//     the last one at nx - 1, likewise j. R rises with k.
// A place is inside when h ≥ ground(i, j) and k ≤ level_count - 1; there k is clamped below to 0 (values are held down to the
// ground). Immutable, refcounted, any thread.
#ifndef VIRGA_FIELD_LEVEL_MAP_H
#define VIRGA_FIELD_LEVEL_MAP_H

#include <stdbool.h>
#include <stddef.h>

enum { LEVEL_METHOD_MAX = 256 };
enum level_map_kind { LEVEL_MAP_FLAT, LEVEL_MAP_BY_SURFACE, LEVEL_MAP_COARSE };
enum height_datum { DATUM_SEA, DATUM_GROUND };  // heights are above mean sea level, or above the ground

struct level_map {
    enum level_map_kind kind;
    enum height_datum datum;
    char method[LEVEL_METHOD_MAX];  // how heights were made: "coordinate", "hybrid height", "geopotential height", "standard atmosphere" …
    const char *coordinate;  // the vertical coordinate's kind for people and info, static: "height", "hybrid_sigma_pressure" …
    size_t nx, ny, level_count;
    double bottom, top, scale;  // metres of r; top > bottom, scale > 0 (COARSE: bottom and top bound the table)
    size_t height_count;        // FLAT and BY_SURFACE: nodes in u, ≥ 2
    size_t columns_x, columns_y;  // FLAT 1 × 1; BY_SURFACE column_count × 1; COARSE as above
    size_t coarse_step;           // COARSE: columns between table columns
    double parameter_start, parameter_step;  // BY_SURFACE
    float *table;      // FLAT, BY_SURFACE: [columns_x][height_count] fractional levels; COARSE: [level_count][columns_y][columns_x] metres
    size_t table_count;  // numbers in it
    float *base;       // [ny][nx] metres, or NULL for 0 everywhere
    float *stretch;    // COARSE: [ny][nx], or NULL for 1 everywhere
    float *parameter;  // BY_SURFACE: [ny][nx]; may be the same pointer as base
    float *ground;     // [ny][nx] terrain in metres above the datum, or NULL for 0; may be the same pointer as base
    double *nominal;   // [level_count] heights over zero ground in metres, for axes and labels
    double lowest, highest;  // metres: of the lowest level's lowest and the highest level's highest point
    double max_error;        // metres: largest |height of the mapped k - h| found against the exact column heights …
    double error_low, error_high;  // … below 3 km above the ground, and above
    size_t tested_columns;   // … of so many columns: nx * ny, or less where a COARSE map has too many
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
