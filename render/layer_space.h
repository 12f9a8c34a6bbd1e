// SPDX-License-Identifier: Apache-2.0
// Where the voxels of one variable stand, with all that is computed once from its level map; and the spaces that pictures use, kept while they
// are likely to be used again. Immutable once made; the cache for one thread.
#ifndef VIRGA_RENDER_LAYER_SPACE_H
#define VIRGA_RENDER_LAYER_SPACE_H

#include "field/catalog.h"
#include "render/brick_select.h"
#include "render/cell_heights.h"
#include "render/layer_geometry.h"
#include "render/level_reach.h"

struct layer_space {
    char id[33];                       // of the level map, as field_geometry_id says; "" for a 2-D variable
    const struct catalog_dataset *dataset;
    size_t variable;
    struct level_map *map;             // NULL for a 2-D variable
    float *terrain;                    // of a 2-D variable, or NULL
    struct level_reach reach;
    struct layer_geometry *geometry;
    struct cell_heights heights;       // volumes only
    struct brick_places *places;       // volumes only
    uint64_t used;                     // private: in which picture
};

struct layer_spaces;
// stop: as in a field_ref, or NULL. NULL when out of memory.
struct layer_spaces *layer_spaces_new(struct catalog *catalog, const atomic_bool *stop);
void layer_spaces_free(struct layer_spaces *spaces);             // NULL is allowed

// The space of a field. *space lives until the next layer_spaces_trim; at most LAYER_SPACES_MOST may be got until then. Blocks (may read).
// The codes of catalog_level_map; VIRGA_TOO_LARGE.
enum { LAYER_SPACES_MOST = 16 };
int layer_spaces_get(struct layer_spaces *spaces, const struct field_ref *field, const struct layer_space **space, struct failure *failure);
// After each picture: drops what was used by neither this nor the one before.
void layer_spaces_trim(struct layer_spaces *spaces);

#endif
