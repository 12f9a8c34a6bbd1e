// SPDX-License-Identifier: Apache-2.0
// Private to the level map: its reference count.
#ifndef VIRGA_FIELD_LEVEL_MAP_PRIVATE_H
#define VIRGA_FIELD_LEVEL_MAP_PRIVATE_H

#include <stdatomic.h>

#include "field/level_map.h"

struct level_map_counted {
    struct level_map map;  // first: a pointer to it is a pointer to this
    atomic_size_t references;
};

struct level_map *level_map_new(void);  // zeroed, one reference; NULL when out of memory

#endif
