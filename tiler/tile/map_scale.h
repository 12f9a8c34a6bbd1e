// SPDX-License-Identifier: Apache-2.0
// How values become entries of a palette: MAP_SCALE_MISSING, MAP_SCALE_BELOW, then `bands` of equal width (in the logarithm's units where `log`) from low
// to high, then one for what is above. low itself is of the first band, high of the last. Pure, any thread.
#ifndef VIRGA_TILE_MAP_SCALE_H
#define VIRGA_TILE_MAP_SCALE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MAP_SCALE_MISSING = 0, MAP_SCALE_BELOW = 1, MAP_SCALE_FIRST = 2, MAP_SCALE_BANDS_MAX = 253 };

struct map_scale {
    float low, high;  // finite, high > low; positive where log
    bool log;         // values that are not positive are below
    unsigned bands;   // 1 to MAP_SCALE_BANDS_MAX; MAP_SCALE_FIRST + bands is "above"
};

void map_scale_indices(const struct map_scale *scale, const float *values, size_t n, uint8_t *indices);
// The value in the middle of a band, 0 to bands − 1.
double map_scale_middle(const struct map_scale *scale, unsigned band);

#endif
