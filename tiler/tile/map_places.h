// SPDX-License-Identifier: Apache-2.0
// Where the pixels of a map frame stand among a grid's columns. Immutable once made, refcounted, any thread.
//
// Pixel centres, as fractional indices (i, j) of the grid: exact where both are separable (longitude and latitude, Mercator, the model's own
// coordinates), else interpolated between places of PROJ that are as dense as an error under 1/16 pixel asks. Of a periodic system any
// turn is taken. Beyond the last row of a global grid up to the pole that row holds.
#ifndef VIRGA_TILE_MAP_PLACES_H
#define VIRGA_TILE_MAP_PLACES_H

#include <stdbool.h>
#include <stddef.h>

#include "tile/map_frame.h"

struct map_places {
    unsigned width, height;
    size_t nx, ny;       // of the grid
    bool wraps;          // i is 0 to nx, nx meaning column 0 again; else 0 to nx − 1
    double spacing;      // columns of the grid that a pixel spans, about: what a level of a plane is chosen by
    bool separable;
    double *i, *j;       // separable: [width] and [height]; NaN where a column or row of pixels is outside the grid
    float (*at)[2];      // else: [height][width] (i, j) from `base`; NaN outside
    double base[2];
    size_t memory;       // bytes that it holds
};

// The frame must have passed map_frame_check. VIRGA_OK; VIRGA_NO_MEMORY, VIRGA_INVALID (the frame is of another model's own coordinates).
int map_places_new(const struct grid *grid, const struct map_frame *frame, struct map_places **places, struct failure *failure);
void map_places_free(struct map_places *places);  // NULL allowed

// The place of one pixel; false outside the grid.
bool map_places_at(const struct map_places *places, unsigned column, unsigned row, double *i, double *j);

#endif
