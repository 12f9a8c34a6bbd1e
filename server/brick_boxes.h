// SPDX-License-Identifier: Apache-2.0
// Where the bricks of a pyramid stand in the scene: an axis-aligned box each, in kilometres before exaggeration.
// Immutable once made, reference-counted, any thread.
#ifndef VIRGA_SERVER_BRICK_BOXES_H
#define VIRGA_SERVER_BRICK_BOXES_H

#include "brick/brick_key.h"
#include "field/grid.h"
#include "field/level_map.h"

struct scene_box { double lo[3], hi[3]; };

struct brick_boxes;

// map: NULL for a 2-D variable (its bricks then reach from 1 km below to 9 km above the datum, wherever the ground is).
// Heights are tried on a few columns of every brick and widened by what may lie between them. Blocks for milliseconds.
// NULL when out of memory.
struct brick_boxes *brick_boxes_new(const struct grid *grid, const struct level_map *map, const struct pyramid_shape *shape);
struct brick_boxes *brick_boxes_ref(struct brick_boxes *boxes);
void brick_boxes_unref(struct brick_boxes *boxes);
void brick_boxes_get(const struct brick_boxes *boxes, uint32_t level, uint32_t x, uint32_t y, uint32_t z,
                     struct scene_box *box);
// The longest side of a voxel of this level along the axes that the level halves with respect to the one below
// (all axes for level 0), in kilometres: [0] horizontal, [1] vertical before exaggeration (0 where z is not halved).
void brick_boxes_voxel(const struct brick_boxes *boxes, uint32_t level, double size[2]);

#endif
