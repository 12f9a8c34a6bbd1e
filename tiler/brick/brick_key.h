// SPDX-License-Identifier: Apache-2.0
// Names of bricks, and the shape of a volume's pyramid.
#ifndef VIRGA_BRICK_BRICK_KEY_H
#define VIRGA_BRICK_BRICK_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BRICK_CORE = 32, BRICK_BORDER = 1, PYRAMID_MAX_LEVELS = 20 };

struct pyramid_level {
    uint32_t n[3];       // voxels along x, y, z
    uint32_t bricks[3];  // ceil(n / 32)
    uint32_t scale[3];   // level-0 voxels a voxel covers along each axis: voxel I's centre is (I + 0.5) scale - 0.5
};

struct pyramid_shape {
    uint32_t level_count;
    bool wraps_x;
    struct pyramid_level levels[PYRAMID_MAX_LEVELS];  // 0 is the model's own
};

// The pyramid of an nx × ny × nz volume: each next level halves (rounding up) x and y; and z as well once the
// horizontal spacing has reached the median level spacing (both in metres). Ends when no axis exceeds 64.
void pyramid_shape_init(struct pyramid_shape *shape, uint32_t nx, uint32_t ny, uint32_t nz, bool wraps_x,
                        double horizontal_spacing, double vertical_spacing);

struct brick_key {
    char edition[33];
    uint32_t member, step, level, x, y, z;
};

// Whether every index lies in the pyramid.
bool brick_key_inside(const struct brick_key *key, const struct pyramid_shape *shape);

#endif
