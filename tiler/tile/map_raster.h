// SPDX-License-Identifier: Apache-2.0
// A plane's values at the pixels of a map. Pure, any thread.
//
// The plane's level is taken whose columns are about a pixel, so that what is made smaller is anti-aliased; between its columns values are
// bilinear over those present, and absent where their share of the weights is under one half. Directions in degrees take the shorter way.
#ifndef VIRGA_TILE_MAP_RASTER_H
#define VIRGA_TILE_MAP_RASTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "tile/map_places.h"
#include "tile/map_scale.h"
#include "tile/plane.h"

// values: [height][width], NaN where missing. nearest: the nearest column of level 0, unless that is missing (for codes and directions).
// VIRGA_OK; VIRGA_INVALID where places and plane are not of the same grid, VIRGA_NO_MEMORY.
int map_raster(const struct map_places *places, const struct plane *plane, bool nearest, float *values, struct failure *failure);
// The same, bilinear, as entries of a palette: indices [height][width].
int map_raster_indices(const struct map_places *places, const struct plane *plane, const struct map_scale *scale, uint8_t *indices,
                       struct failure *failure);

#endif
