// SPDX-License-Identifier: Apache-2.0
// A volume for tests of what is sent: grid, heights, pyramid, and a step table of given values.
#ifndef VIRGA_TESTS_MADE_UP_VOLUME_H
#define VIRGA_TESTS_MADE_UP_VOLUME_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "brick/step_table.h"
#include "server/brick_boxes.h"
#include "server/view_table.h"

struct made_up_volume {
    struct grid grid;
    struct level_map map;
    struct pyramid_shape shape;
    struct brick_boxes *boxes;
};

static inline uint32_t made_up_random(uint32_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 17;
    return *state ^= *state << 5;
}

static inline void made_up_axis(struct grid_axis *axis, size_t n, double step) {
    axis->n = n;
    axis->values = malloc(n * sizeof *axis->values);
    for (size_t i = 0; i < n; i++) axis->values[i] = (double)i * step;
    axis->regular = true;
    axis->step = step;
}

// nx × ny columns 2 km apart, nz levels up to 20 km.
static inline void made_up_volume_init(struct made_up_volume *volume, uint32_t nx, uint32_t ny, uint32_t nz) {
    memset(volume, 0, sizeof *volume);
    made_up_axis(&volume->grid.x, nx, 2000);
    made_up_axis(&volume->grid.y, ny, 2000);
    volume->grid.centre[0] = nx * 1000.0;
    volume->grid.centre[1] = ny * 1000.0;
    volume->grid.km_per_unit[0] = volume->grid.km_per_unit[1] = 0.001;
    struct level_map *map = &volume->map;
    map->kind = LEVEL_MAP_FLAT;
    map->nx = nx;
    map->ny = ny;
    map->level_count = nz;
    map->top = map->highest = 20000;
    map->scale = 1000;
    map->height_count = 256;
    map->columns_x = map->columns_y = 1;
    map->table = malloc(map->height_count * sizeof *map->table);
    for (size_t h = 0; h < map->height_count; h++) map->table[h] = (float)h / 255.0F * (float)(nz - 1);
    pyramid_shape_init(&volume->shape, nx, ny, nz, false, 2000, 20000.0 / nz);
    volume->boxes = brick_boxes_new(&volume->grid, map, &volume->shape);
}

static inline void made_up_volume_destroy(struct made_up_volume *volume) {
    brick_boxes_unref(volume->boxes);
    free(volume->grid.x.values);
    free(volume->grid.y.values);
    free(volume->map.table);
}

// The level-0 bricks' values are given by `fill`; a coarse brick's lie within those below it.
static inline struct view_table *made_up_table(const struct made_up_volume *volume, void (*fill)(void *, struct step_table_entry *, uint32_t[4]),
                                               void *user) {
    struct step_table *table = step_table_new(&volume->shape);
    for (uint32_t l = 0; l < table->level_count; l++)
        for (uint32_t z = 0; z < table->levels[l].bricks[2]; z++)
            for (uint32_t y = 0; y < table->levels[l].bricks[1]; y++)
                for (uint32_t x = 0; x < table->levels[l].bricks[0]; x++)
                    fill(user, step_table_at(table, l, x, y, z), (uint32_t[4]){l, x, y, z});
    struct shared_bytes *bytes = NULL;
    struct view_table *view = NULL;
    if (!step_table_encode(table, &bytes)) view_table_parse(bytes->data, bytes->size, &volume->shape, &view, NULL);
    shared_bytes_unref(bytes);
    step_table_free(table);
    return view;
}

#endif
