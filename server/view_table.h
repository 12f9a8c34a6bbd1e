// SPDX-License-Identifier: Apache-2.0
// A step table as the view's priorities need it: with the bounds of everything that lies within a brick. Immutable, reference-counted, any thread.
#ifndef VIRGA_SERVER_VIEW_TABLE_H
#define VIRGA_SERVER_VIEW_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "brick/step_table.h"

struct view_table_level {
    uint32_t bricks[3];
    const uint8_t *kind;             // [z][y][x], enum brick_kind
    const int32_t *min, *max;        // lattice integers of the brick's own voxels
    const int32_t *deep_min, *deep_max;  // of the brick and all finer ones within it; deep_min > deep_max: nothing is present
};

struct view_table {
    uint32_t level_count;
    struct view_table_level levels[PYRAMID_MAX_LEVELS];
};

// From an encoded step table, which must fit the shape. VIRGA_INVALID or VIRGA_UNREADABLE for what does not.
int view_table_parse(const uint8_t *data, size_t size, const struct pyramid_shape *shape, struct view_table **table,
                     struct failure *failure);
struct view_table *view_table_ref(struct view_table *table);
void view_table_unref(struct view_table *table);

#endif
