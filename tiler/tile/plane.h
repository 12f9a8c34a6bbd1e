// SPDX-License-Identifier: Apache-2.0
// One field at one surface, in the model's own columns: what maps, slices and answers about places are made from. Immutable once made, refcounted,
// any thread.
#ifndef VIRGA_TILE_PLANE_H
#define VIRGA_TILE_PLANE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

enum { PLANE_LEVELS = 20, PLANE_METHOD = 256 };

// Level 0 holds a value for each column of the grid, or, where the grid has more than PLANE_MOST_COLUMNS, means of scale × scale of them.
// Each next level halves both axes (rounding up): means of 2 × 2 values that are present, absent where fewer than half of those in the grid are.
// The last one has neither axis longer than 64.
#define PLANE_MOST_COLUMNS ((size_t)1 << 24)

struct plane_level {
    size_t nx, ny;
    unsigned scale;  // columns of the grid that a value covers along each axis: value c stands at index (c + 0.5) scale − 0.5 of the grid
    float *values;   // [ny][nx], j grows as the grid's; NaN where missing
};

struct plane {
    size_t level_count;
    struct plane_level levels[PLANE_LEVELS];
    size_t nx, ny;  // of the grid
    bool wraps;     // beyond the last value of a row comes the first
    bool degrees;   // values are directions in degrees: means are of unit vectors, and between 359 and 1 there is 0
    float low, high;  // of the present values of level 0; low > high where there is none
    char method[PLANE_METHOD];  // for people: how the surface was found and what of it is approximate; "" where there is nothing to say
    size_t memory;    // bytes that it holds
};

// What a plane is made of. values [ny][nx] of level 0, which the plane owns from then on, also on failure (free() is called); VIRGA_OK or
// VIRGA_NO_MEMORY. scale: of level 0 (see above).
struct plane_content {
    size_t nx, ny;  // of the grid
    unsigned scale;
    bool wraps, degrees;
    float *values;
    const char *method;
};
int plane_new(const struct plane_content *content, struct plane **plane, struct failure *failure);
struct plane *plane_ref(struct plane *plane);  // NULL is passed through
void plane_unref(struct plane *plane);         // NULL allowed

// The value at fractional indices of the grid (0 … n − 1; i up to n where it wraps), bilinear over the present values of level 0; NaN where their share
// of the weights is under one half, or outside.
double plane_sample(const struct plane *plane, double i, double j);
// The same of another level; and the finest one that has at most so many values, or the coarsest.
double plane_sample_level(const struct plane *plane, size_t level, double i, double j);
size_t plane_level_of(const struct plane *plane, size_t most);

#endif
