// SPDX-License-Identifier: Apache-2.0
// Private to map_places*.c.
#ifndef VIRGA_TILE_MAP_PLACES_PRIVATE_H
#define VIRGA_TILE_MAP_PLACES_PRIVATE_H

#include "tile/map_places.h"

struct map_places_maker {
    const struct grid *grid;
    const struct map_frame *frame;
    struct map_places *places;
    bool own;          // the frame is in the grid's own coordinates
    double beyond[2];  // rows before the first and behind the last that they hold for: a global grid's poles
};

// Fractional indices of a place of the frame's system, going on beyond the grid's edges where its axes do; false where there is none.
bool map_places_find(const struct map_places_maker *maker, double x, double y, double *i, double *j);
// Such indices as the grid has them; false outside.
bool map_places_settle(const struct map_places_maker *maker, double *i, double *j);

// Fills what is not separable: at, base and spacing. False when out of memory.
bool map_places_fill(const struct map_places_maker *maker);

#endif
