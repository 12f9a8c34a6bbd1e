// SPDX-License-Identifier: Apache-2.0
// A step table (BRICK_FORMAT.md) taken apart, for deciding what to send. Immutable, reference-counted, any thread.
#ifndef VIRGA_SERVER_STEP_TABLE_H
#define VIRGA_SERVER_STEP_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "brick/brick_key.h"

enum brick_kind { BRICK_MISSING, BRICK_CONSTANT, BRICK_CODED, BRICK_MASKED };

struct step_table_level {
    uint32_t bricks[3];
    const uint8_t *kind;             // [z][y][x]
    const int32_t *min, *max;        // lattice integers of the brick's own voxels
    const int32_t *deep_min, *deep_max;  // of the brick and all finer ones within it; deep_min > deep_max: nothing is present
};

struct step_table {
    uint32_t level_count;
    double smallest, largest;
    struct step_table_level levels[PYRAMID_MAX_LEVELS];
};

// Checks every size against the shape. VIRGA_UNREADABLE for what does not fit.
int step_table_parse(const uint8_t *data, size_t size, const struct pyramid_shape *shape, struct step_table **table,
                     struct failure *failure);
struct step_table *step_table_ref(struct step_table *table);
void step_table_unref(struct step_table *table);

#endif
