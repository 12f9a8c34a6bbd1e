// SPDX-License-Identifier: Apache-2.0
#include "server/view_table.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct view_table_block {
    struct view_table table;  // first: a step_table is the head of one of these
    atomic_size_t references;
    uint8_t *kinds;
    int32_t *bounds;  // per level: min, max, deep_min, deep_max
};

static int check_shape(const struct step_table *from, const struct pyramid_shape *shape, size_t *bricks) {
    bool fits = from->level_count == shape->level_count;
    *bricks = 0;
    for (uint32_t l = 0; fits && l < from->level_count; l++) {
        size_t count = 1;
        for (int a = 0; a < 3; a++) {
            if (from->levels[l].n[a] != shape->levels[l].n[a] || from->levels[l].bricks[a] != shape->levels[l].bricks[a]) fits = false;
            count *= shape->levels[l].bricks[a];
        }
        *bricks += count;
    }
    return fits ? VIRGA_OK : VIRGA_UNREADABLE;
}

static size_t level_bricks(const struct view_table_level *level) {
    return (size_t)level->bricks[0] * level->bricks[1] * level->bricks[2];
}

static void widen(int32_t *lo, int32_t *hi, int32_t by_lo, int32_t by_hi) {
    if (by_lo > by_hi) return;
    if (by_lo < *lo) *lo = by_lo;
    if (by_hi > *hi) *hi = by_hi;
}

// Bounds of everything within a brick, from its own and those of its children.
static void make_deep(const struct view_table *table, const struct pyramid_shape *shape) {
    for (uint32_t l = 0; l < table->level_count; l++) {
        const struct view_table_level *level = &table->levels[l], *fine = l ? &table->levels[l - 1] : NULL;
        int32_t *lo = (int32_t *)(uintptr_t)level->deep_min, *hi = (int32_t *)(uintptr_t)level->deep_max;
        size_t i = 0;
        uint32_t by[3] = {1, 1, 1};
        for (int a = 0; a < 3 && fine; a++) by[a] = shape->levels[l].scale[a] / shape->levels[l - 1].scale[a];
        for (uint32_t z = 0; z < level->bricks[2]; z++)
            for (uint32_t y = 0; y < level->bricks[1]; y++)
                for (uint32_t x = 0; x < level->bricks[0]; x++, i++) {
                    bool present = level->kind[i] != BRICK_MISSING;
                    lo[i] = present ? level->min[i] : INT32_MAX;
                    hi[i] = present ? level->max[i] : INT32_MIN;
                    if (!fine) continue;
                    for (uint32_t cz = z * by[2]; cz < (z + 1) * by[2] && cz < fine->bricks[2]; cz++)
                        for (uint32_t cy = y * by[1]; cy < (y + 1) * by[1] && cy < fine->bricks[1]; cy++)
                            for (uint32_t cx = x * by[0]; cx < (x + 1) * by[0] && cx < fine->bricks[0]; cx++) {
                                size_t c = ((size_t)cz * fine->bricks[1] + cy) * fine->bricks[0] + cx;
                                widen(&lo[i], &hi[i], fine->deep_min[c], fine->deep_max[c]);
                            }
                }
    }
}

static void fill(struct view_table_block *block, const struct step_table *from, const struct pyramid_shape *shape) {
    uint8_t *kinds = block->kinds;
    int32_t *bounds = block->bounds;
    block->table.level_count = from->level_count;
    for (uint32_t l = 0; l < from->level_count; l++) {
        struct view_table_level *level = &block->table.levels[l];
        memcpy(level->bricks, from->levels[l].bricks, sizeof level->bricks);
        size_t count = level_bricks(level);
        for (size_t i = 0; i < count; i++) {
            kinds[i] = from->levels[l].entries[i].kind;
            bounds[i] = from->levels[l].entries[i].lowest;
            bounds[count + i] = from->levels[l].entries[i].highest;
        }
        level->kind = kinds;
        level->min = bounds;
        level->max = bounds + count;
        level->deep_min = bounds + 2 * count;
        level->deep_max = bounds + 3 * count;
        kinds += count;
        bounds += 4 * count;
    }
    make_deep(&block->table, shape);
}

int view_table_parse(const uint8_t *data, size_t size, const struct pyramid_shape *shape, struct view_table **table,
                     struct failure *failure) {
    struct step_table *from = NULL;
    size_t bricks = 0;
    *table = NULL;
    struct view_table_block *block = calloc(1, sizeof *block);
    if (!block) return failure_set(failure, VIRGA_NO_MEMORY, "step table: out of memory");
    atomic_init(&block->references, 1);
    int status = step_table_decode(data, size, &from);
    if (!status) status = check_shape(from, shape, &bricks);
    if (!status) {
        block->kinds = malloc(bricks);
        block->bounds = malloc(bricks * 4 * sizeof *block->bounds);
        if (!block->kinds || !block->bounds) status = VIRGA_NO_MEMORY;
    }
    if (status) {
        failure_set(failure, status, "step table: %s", status == VIRGA_NO_MEMORY ? "out of memory" : "it does not fit the pyramid");
        view_table_unref(&block->table);
    } else {
        fill(block, from, shape);
        *table = &block->table;
    }
    step_table_free(from);
    return status;
}

struct view_table *view_table_ref(struct view_table *table) {
    if (table) atomic_fetch_add_explicit(&((struct view_table_block *)table)->references, 1, memory_order_relaxed);
    return table;
}

void view_table_unref(struct view_table *table) {
    struct view_table_block *block = (struct view_table_block *)table;
    if (!block || atomic_fetch_sub_explicit(&block->references, 1, memory_order_acq_rel) != 1) return;
    free(block->kinds);
    free(block->bounds);
    free(block);
}
