// SPDX-License-Identifier: Apache-2.0
#include "brick/brick_key.h"

#include <string.h>

enum { COARSEST = 64 };  // the pyramid ends when no axis is longer

static void count_bricks(struct pyramid_level *level) {
    for (int a = 0; a < 3; a++) level->bricks[a] = level->n[a] / BRICK_CORE + (level->n[a] % BRICK_CORE != 0);
}

static void halve(struct pyramid_level *level, int axis) {
    if (level->n[axis] <= 1) return;
    level->n[axis] = level->n[axis] / 2 + level->n[axis] % 2;
    level->scale[axis] *= 2;
}

void pyramid_shape_init(struct pyramid_shape *shape, uint32_t nx, uint32_t ny, uint32_t nz, bool wraps_x,
                        double horizontal_spacing, double vertical_spacing) {
    memset(shape, 0, sizeof *shape);
    shape->wraps_x = wraps_x;
    bool known = horizontal_spacing > 0 && vertical_spacing > 0;
    struct pyramid_level level = {.n = {nx ? nx : 1, ny ? ny : 1, nz ? nz : 1}, .scale = {1, 1, 1}};
    for (;;) {
        count_bricks(&level);
        shape->levels[shape->level_count++] = level;
        bool small = level.n[0] <= COARSEST && level.n[1] <= COARSEST;
        if ((small && level.n[2] <= COARSEST) || shape->level_count == PYRAMID_MAX_LEVELS) return;
        bool deep = !known || small || horizontal_spacing >= vertical_spacing;
        halve(&level, 0);
        halve(&level, 1);
        if (deep) halve(&level, 2);
        horizontal_spacing *= 2;
    }
}

uint32_t pyramid_cover(const struct pyramid_shape *shape, uint32_t level, int axis, uint32_t at) {
    const uint64_t scale = shape->levels[level].scale[axis], n = shape->levels[0].n[axis];
    const uint64_t from = at * scale, to = from + scale;
    return (uint32_t)((to < n ? to : n) - from);
}

bool brick_key_inside(const struct brick_key *key, const struct pyramid_shape *shape) {
    if (key->level >= shape->level_count) return false;
    const struct pyramid_level *level = &shape->levels[key->level];
    return key->x < level->bricks[0] && key->y < level->bricks[1] && key->z < level->bricks[2];
}

void brick_box_init(struct brick_box *box, const struct pyramid_shape *shape, uint32_t level, uint32_t x, uint32_t y,
                    uint32_t z) {
    const struct pyramid_level *l = &shape->levels[level];
    const uint32_t at[3] = {x, y, z};
    for (int a = 0; a < 3; a++) {
        bool wraps = a == 0 && shape->wraps_x && l->n[0] > 1;
        int64_t n = l->n[a], lo = (int64_t)at[a] * BRICK_CORE - BRICK_BORDER, hi = lo + BRICK_MAX_SIDE;
        if (hi > n + BRICK_BORDER) hi = n + BRICK_BORDER;
        if (!wraps && lo < 0) lo = 0;
        if (!wraps && hi > n) hi = n;
        box->lo[a] = lo;
        box->size[a] = (uint32_t)(hi - lo);
    }
}
