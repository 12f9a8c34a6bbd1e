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
// horizontal spacing has reached the median level spacing (both in metres; z is halved from the start if either is not
// positive). An axis of one voxel stays. Ends when no axis exceeds 64. A size of 0 is taken as 1.
void pyramid_shape_init(struct pyramid_shape *shape, uint32_t nx, uint32_t ny, uint32_t nz, bool wraps_x,
                        double horizontal_spacing, double vertical_spacing);

// How many level-0 voxels voxel `at` of a level covers along an axis: fewer than its scale at the grid's edge.
uint32_t pyramid_cover(const struct pyramid_shape *shape, uint32_t level, int axis, uint32_t at);

struct brick_key {
    char edition[33];
    uint32_t member, step, level, x, y, z;
};

// Whether every index (but member and step) lies in the pyramid.
bool brick_key_inside(const struct brick_key *key, const struct pyramid_shape *shape);

// What is stored of a brick: its core and the border that lies in the grid (BRICK_FORMAT.md, "Brick").
struct brick_box {
    int64_t lo[3];     // first voxel along x, y, z; -1 along x means the last column of a grid that wraps
    uint32_t size[3];  // voxels along x, y, z, at most 34 each
};
enum { BRICK_MAX_SIDE = BRICK_CORE + 2 * BRICK_BORDER, BRICK_MAX_VOXELS = BRICK_MAX_SIDE * BRICK_MAX_SIDE * BRICK_MAX_SIDE };
// The brick must lie in the pyramid.
void brick_box_init(struct brick_box *box, const struct pyramid_shape *shape, uint32_t level, uint32_t x, uint32_t y,
                    uint32_t z);

#endif
