// SPDX-License-Identifier: Apache-2.0
// What is where in a field: kind, smallest and largest value of each brick (BRICK_FORMAT.md, "Step table"). Immutable once
// made; any thread.
#ifndef VIRGA_BRICK_STEP_TABLE_H
#define VIRGA_BRICK_STEP_TABLE_H

#include "base/shared_bytes.h"
#include "base/status.h"
#include "brick/brick_codec.h"
#include "brick/brick_key.h"
#include "field/catalog.h"

struct step_table_entry {
    uint8_t kind;  // enum brick_kind
    int32_t lowest, highest;  // of what is present in the stored box; 0 in a wholly missing brick
};

struct step_table {
    double lowest, highest;  // of level 0, as decoded; NaN when all is missing
    uint32_t level_count;
    struct step_table_level {
        uint32_t n[3], bricks[3];
        struct step_table_entry *entries;  // z, y, x order, x fastest
    } levels[PYRAMID_MAX_LEVELS];
};

// A table for the shape, all missing. NULL when out of memory.
struct step_table *step_table_new(const struct pyramid_shape *shape);
void step_table_free(struct step_table *table);  // NULL is allowed
// The entry of a brick; it must lie in the table.
struct step_table_entry *step_table_at(const struct step_table *table, uint32_t level, uint32_t x, uint32_t y, uint32_t z);
size_t step_table_memory(const struct step_table *table);
// Fills lowest and highest from level 0's entries.
void step_table_set_range(struct step_table *table, const struct lattice_spec *lattice);

// VIRGA_OK and *bytes (a reference for the caller), or VIRGA_NO_MEMORY.
int step_table_encode(const struct step_table *table, struct shared_bytes **bytes);
// VIRGA_OK and *table (free with step_table_free), VIRGA_INVALID, or VIRGA_NO_MEMORY.
int step_table_decode(const uint8_t *bytes, size_t size, struct step_table **table);

#endif
