// SPDX-License-Identifier: Apache-2.0
// Private to level_map*.c: its reference count, and the making of maps.
#ifndef VIRGA_FIELD_LEVEL_MAP_PRIVATE_H
#define VIRGA_FIELD_LEVEL_MAP_PRIVATE_H

#include <stdatomic.h>

#include "field/level_heights.h"

struct level_map_counted {
    struct level_map map;  // first: a pointer to it is a pointer to this
    atomic_size_t references;
};

struct level_map *level_map_new(void);  // zeroed, one reference; NULL when out of memory

enum { LEVEL_MAP_NODES = 4096 };

struct map_error { double low, high; };  // metres, below and above 3 km above the ground

struct map_builder {
    const struct level_heights *heights;
    bool wraps;
    struct level_map *map;
    double *column;  // [level_count] scratch
    struct map_error error;
    double nodes[LEVEL_MAP_NODES];
};

// Exact heights at fractional (i, j), into b->column.
void map_builder_column(const struct map_builder *b, double i, double j);
// Largest error of the map over one exact column at (i, j), in units of what is allowed: 5 m below 3 km above the ground, 20 m
// above. *error gathers the largest in metres.
double map_builder_error(const struct map_builder *b, const double *column, double i, double j, struct map_error *error);
int map_builder_table(struct level_map *map, size_t count);  // an empty table of so many numbers, in place of the one there was
float *map_builder_copy(const float *from, size_t count);    // NULL: out of memory
int map_builder_coarse(struct map_builder *b, struct failure *failure);

#endif
