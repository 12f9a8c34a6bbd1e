// SPDX-License-Identifier: Apache-2.0
// What layer_geometry.c prepares and packet_geometry.h reads. All indices fit 32 bits.
#ifndef VIRGA_RENDER_LAYER_GEOMETRY_PRIVATE_H
#define VIRGA_RENDER_LAYER_GEOMETRY_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>

enum { AXIS_GUESSES = 4096, AXIS_TURNS = 32, LEVEL_GUESSES = 1024, LEVEL_TURNS = 32 };
enum layer_kind { LAYER_COLUMNS_ONLY, LAYER_EVEN, LAYER_FLAT, LAYER_BY_SURFACE, LAYER_COARSE };

struct layer_axis {
    int32_t n;
    float rate, offset;    // regular: index = scene × rate + offset
    float *values;         // irregular: scene km of each column, at least two; else NULL
    int32_t *guesses;      // irregular: index to begin with at AXIS_GUESSES even places
    float first, per_km;   // … where those begin, and how many a km
};

struct layer_geometry {
    enum layer_kind kind;
    bool wraps;
    int32_t column_parts;            // numbers a column has in `columns`: 0 none, 1 base = parameter = ground, 4 base, parameter (coarse: stretch), ground, 0
    struct layer_axis x, y;
    int32_t nz;
    // Even (flat, and all levels as far apart): level = (height − base) × level_rate + level_offset.
    float level_rate, level_offset;
    float bottom, rate;              // r = 1 + (height − base − bottom) × rate
    // Flat, by surface: nodes at even steps of the bits of r, 2^(23 − node_shift) in each octave, where the table's own stand at even steps
    // of its logarithm: so none is to be taken.
    int32_t nodes, node_shift;       // of a table column
    float r_top;                     // where the table ends
    float parameter_start, parameter_rate;
    int32_t columns_x, columns_y, across;  // of the table; coarse: across counts the column that closes a globe as well
    float coarse_step, log_rate;     // log_rate: guesses / log span
    float *levels;                   // flat, by surface: [column][node]{a, b}, level = a + b r; coarse: [level][y][across]{height, distance to the next}
    float *guesses;                  // coarse: [LEVEL_GUESSES] level to begin with
    float *columns;                  // [y][x][column_parts]
};

#endif
