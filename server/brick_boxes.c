// SPDX-License-Identifier: Apache-2.0
#include "server/brick_boxes.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { TRIES = 4 };  // columns tried along each side of a brick, less one

struct boxes_level {
    float *x, *y;      // [bricks + 1] edges in km
    float *low, *high;  // [z][y][x] km
    uint32_t bricks[3];
};

struct brick_boxes {
    atomic_size_t references;
    uint32_t level_count;
    double voxel[PYRAMID_MAX_LEVELS][2];
    struct boxes_level levels[PYRAMID_MAX_LEVELS];
};

// The axis' coordinate at a fractional index, held at the ends.
static double axis_at(const struct grid_axis *axis, double index) {
    if (index <= 0 || axis->n == 1) return axis->values[0];
    if (index >= (double)(axis->n - 1)) return axis->values[axis->n - 1];
    size_t i = (size_t)index;
    return axis->values[i] + (index - (double)i) * (axis->values[i + 1] - axis->values[i]);
}

// The level-0 index at which brick b's core begins, held inside the grid.
static double edge_index(const struct pyramid_level *level, int axis, uint32_t b, size_t n0) {
    double index = (double)b * BRICK_CORE * level->scale[axis] - 0.5, last = (double)n0 - 0.5;
    return index > last ? last : index;
}

static void fill_edges(float *edges, const struct grid_axis *axis, bool wraps, const struct pyramid_level *level, int a, double centre,
                       double km) {
    for (uint32_t b = 0; b <= level->bricks[a]; b++)
        edges[b] = (float)((axis_at(axis, edge_index(level, a, b, axis->n)) - centre) * km);
    if (wraps && axis->n > 1)  // the cell that closes the globe belongs to the last brick
        edges[level->bricks[a]] += (float)((axis->values[1] - axis->values[0]) * km);
}

static void widen_at(const struct level_map *map, bool wraps, double i, double j, double k, float *low, float *high) {
    double h = level_map_height(map, wraps, i, j, k) / 1000;
    if (!isfinite(h)) return;
    if (h < *low) *low = (float)h;
    if (h > *high) *high = (float)h;
}

static double inside(double index, size_t n) { return index < 0 ? 0 : index > (double)(n - 1) ? (double)(n - 1) : index; }

static void try_heights(const struct grid *grid, const struct level_map *map, const struct pyramid_level *level, uint32_t bx,
                        uint32_t by, uint32_t bz, float *low, float *high) {
    double k0 = inside(edge_index(level, 2, bz, map->level_count), map->level_count);
    double k1 = inside(edge_index(level, 2, bz + 1, map->level_count), map->level_count);
    double i0 = edge_index(level, 0, bx, grid->x.n), i1 = edge_index(level, 0, bx + 1, grid->x.n);
    double j0 = edge_index(level, 1, by, grid->y.n), j1 = edge_index(level, 1, by + 1, grid->y.n);
    int tries = map->kind == LEVEL_MAP_FLAT && !map->base ? 0 : TRIES;  // one column speaks for all
    for (int b = 0; b <= tries; b++)
        for (int a = 0; a <= tries; a++) {
            double i = inside(i0 + (i1 - i0) * a / TRIES, grid->x.n), j = inside(j0 + (j1 - j0) * b / TRIES, grid->y.n);
            widen_at(map, grid->wraps, i, j, k0, low, high);
            widen_at(map, grid->wraps, i, j, k1, low, high);
        }
    if (bz == 0 && *low <= *high) {  // values are held from the lowest level down to the ground
        *low = fminf(*low, map->ground || map->datum == DATUM_GROUND ? *low - 0.1F : fminf(*low, 0));
    }
    if (tries && *low <= *high) {
        float margin = 0.1F * (*high - *low);
        *low -= margin;
        *high += margin;
    }
}

static void fill_heights(struct brick_boxes *boxes, uint32_t l, const struct grid *grid, const struct level_map *map,
                         const struct pyramid_shape *shape) {
    struct boxes_level *level = &boxes->levels[l], *fine = l ? &boxes->levels[l - 1] : NULL;
    uint32_t by[3] = {1, 1, 1};
    for (int a = 0; a < 3 && fine; a++) by[a] = shape->levels[l].scale[a] / shape->levels[l - 1].scale[a];
    size_t at = 0;
    for (uint32_t z = 0; z < level->bricks[2]; z++)
        for (uint32_t y = 0; y < level->bricks[1]; y++)
            for (uint32_t x = 0; x < level->bricks[0]; x++, at++) {
                float low = INFINITY, high = -INFINITY;
                if (!map) low = -1, high = 9;
                else if (!fine) try_heights(grid, map, &shape->levels[l], x, y, z, &low, &high);
                for (uint32_t cz = z * by[2]; fine && cz < (z + 1) * by[2] && cz < fine->bricks[2]; cz++)
                    for (uint32_t cy = y * by[1]; cy < (y + 1) * by[1] && cy < fine->bricks[1]; cy++)
                        for (uint32_t cx = x * by[0]; cx < (x + 1) * by[0] && cx < fine->bricks[0]; cx++) {
                            size_t c = ((size_t)cz * fine->bricks[1] + cy) * fine->bricks[0] + cx;
                            low = fminf(low, fine->low[c]);
                            high = fmaxf(high, fine->high[c]);
                        }
                if (low > high) low = -1, high = 100;  // no height is known: culled by its sides only
                level->low[at] = low;
                level->high[at] = high;
            }
}

static double mean_spacing(const struct grid_axis *axis, double km) {
    return axis->n > 1 ? fabs(axis->values[axis->n - 1] - axis->values[0]) / (double)(axis->n - 1) * km : 0;
}

static void fill_voxels(struct brick_boxes *boxes, const struct grid *grid, const struct level_map *map, const struct pyramid_shape *shape) {
    double dx = mean_spacing(&grid->x, grid->km_per_unit[0]), dy = mean_spacing(&grid->y, grid->km_per_unit[1]);
    double dz = map && map->level_count > 1 ? (map->highest - map->lowest) / 1000 / (double)(map->level_count - 1) : 0;
    for (uint32_t l = 0; l < shape->level_count; l++) {
        const struct pyramid_level *level = &shape->levels[l], *fine = l ? level - 1 : NULL;
        double wide = fmax(dx * level->scale[0], dy * level->scale[1]);
        bool halved = !fine || (level->scale[2] > fine->scale[2]);
        boxes->voxel[l][0] = wide;
        boxes->voxel[l][1] = halved ? dz * level->scale[2] : 0;
    }
}

struct brick_boxes *brick_boxes_new(const struct grid *grid, const struct level_map *map, const struct pyramid_shape *shape) {
    struct brick_boxes *boxes = calloc(1, sizeof *boxes);
    if (!boxes) return NULL;
    atomic_init(&boxes->references, 1);
    boxes->level_count = shape->level_count;
    for (uint32_t l = 0; l < shape->level_count; l++) {
        struct boxes_level *level = &boxes->levels[l];
        const struct pyramid_level *from = &shape->levels[l];
        size_t count = (size_t)from->bricks[0] * from->bricks[1] * from->bricks[2];
        for (int a = 0; a < 3; a++) level->bricks[a] = from->bricks[a];
        level->x = calloc(from->bricks[0] + 1, sizeof *level->x);
        level->y = calloc(from->bricks[1] + 1, sizeof *level->y);
        level->low = calloc(count, sizeof *level->low);
        level->high = calloc(count, sizeof *level->high);
        if (!level->x || !level->y || !level->low || !level->high) {
            brick_boxes_unref(boxes);
            return NULL;
        }
        fill_edges(level->x, &grid->x, grid->wraps, from, 0, grid->centre[0], grid->km_per_unit[0]);
        fill_edges(level->y, &grid->y, false, from, 1, grid->centre[1], grid->km_per_unit[1]);
        fill_heights(boxes, l, grid, map, shape);
    }
    fill_voxels(boxes, grid, map, shape);
    return boxes;
}

struct brick_boxes *brick_boxes_ref(struct brick_boxes *boxes) {
    if (boxes) atomic_fetch_add_explicit(&boxes->references, 1, memory_order_relaxed);
    return boxes;
}

void brick_boxes_unref(struct brick_boxes *boxes) {
    if (!boxes || atomic_fetch_sub_explicit(&boxes->references, 1, memory_order_acq_rel) != 1) return;
    for (uint32_t l = 0; l < boxes->level_count; l++) {
        free(boxes->levels[l].x);
        free(boxes->levels[l].y);
        free(boxes->levels[l].low);
        free(boxes->levels[l].high);
    }
    free(boxes);
}

void brick_boxes_get(const struct brick_boxes *boxes, uint32_t level, uint32_t x, uint32_t y, uint32_t z, struct scene_box *box) {
    const struct boxes_level *l = &boxes->levels[level];
    size_t at = ((size_t)z * l->bricks[1] + y) * l->bricks[0] + x;
    box->lo[0] = l->x[x];
    box->hi[0] = l->x[x + 1];
    box->lo[1] = l->y[y];
    box->hi[1] = l->y[y + 1];
    box->lo[2] = l->low[at];
    box->hi[2] = l->high[at];
}

void brick_boxes_voxel(const struct brick_boxes *boxes, uint32_t level, double size[2]) {
    size[0] = boxes->voxel[level][0];
    size[1] = boxes->voxel[level][1];
}
