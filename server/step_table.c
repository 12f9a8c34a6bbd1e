// SPDX-License-Identifier: Apache-2.0
#include "server/step_table.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/bytes.h"
#include "base/memory.h"

enum { BYTES_A_BRICK = 9, HEAD_BYTES = 24, LEVEL_BYTES = 24, MAX_BRICKS = 1 << 24 };

struct step_table_block {
    struct step_table table;  // first: a step_table is the head of one of these
    atomic_size_t references;
    uint8_t *kinds;
    int32_t *bounds;  // per level: min, max, deep_min, deep_max
};

static int check_head(struct byte_reader *r, const struct pyramid_shape *shape, struct step_table *table, size_t *bricks,
                      struct failure *failure) {
    uint32_t version = bytes_read_u32(r), levels = bytes_read_u32(r);
    table->smallest = bytes_read_f64(r);
    table->largest = bytes_read_f64(r);
    if (r->failed || version != 1 || levels != shape->level_count)
        return failure_set(failure, VIRGA_UNREADABLE, "step table: its head does not fit the pyramid");
    table->level_count = levels;
    *bricks = 0;
    for (uint32_t l = 0; l < levels; l++) {
        size_t count = 1;
        for (int a = 0; a < 3; a++)
            if (bytes_read_u32(r) != shape->levels[l].n[a]) r->failed = true;
        for (int a = 0; a < 3; a++) {
            table->levels[l].bricks[a] = bytes_read_u32(r);
            if (table->levels[l].bricks[a] != shape->levels[l].bricks[a]) r->failed = true;
            count *= table->levels[l].bricks[a];
            if (count > MAX_BRICKS) r->failed = true;
            if (r->failed) return failure_set(failure, VIRGA_UNREADABLE, "step table: level %u does not fit the pyramid", l);
        }
        *bricks += count;
    }
    return *bricks <= MAX_BRICKS ? VIRGA_OK : failure_set(failure, VIRGA_TOO_LARGE, "step table: too many bricks");
}

// Inflates the rest of `r` into exactly `size` bytes.
static int inflate_exactly(const struct byte_reader *r, uint8_t *out, size_t size) {
    z_stream z = {.next_in = (uint8_t *)(uintptr_t)r->at, .avail_in = (uInt)(r->end - r->at), .next_out = out, .avail_out = (uInt)size};
    if (inflateInit2(&z, -15) != Z_OK) return VIRGA_NO_MEMORY;
    int result = inflate(&z, Z_FINISH);
    bool fits = result == Z_STREAM_END && z.avail_out == 0 && z.avail_in == 0;
    inflateEnd(&z);
    return fits ? VIRGA_OK : VIRGA_UNREADABLE;
}

static void undo_planes(const uint8_t *planes, size_t count, int32_t *out) {
    uint32_t value = 0;
    for (size_t i = 0; i < count; i++) {
        value += (uint32_t)planes[i] | (uint32_t)planes[count + i] << 8 | (uint32_t)planes[2 * count + i] << 16 |
                 (uint32_t)planes[3 * count + i] << 24;
        out[i] = (int32_t)value;
    }
}

static size_t level_bricks(const struct step_table_level *level) {
    return (size_t)level->bricks[0] * level->bricks[1] * level->bricks[2];
}

static void widen(int32_t *lo, int32_t *hi, int32_t by_lo, int32_t by_hi) {
    if (by_lo > by_hi) return;
    if (by_lo < *lo) *lo = by_lo;
    if (by_hi > *hi) *hi = by_hi;
}

// Bounds of everything within a brick, from its own and those of its children.
static void make_deep(const struct step_table *table, const struct pyramid_shape *shape) {
    for (uint32_t l = 0; l < table->level_count; l++) {
        const struct step_table_level *level = &table->levels[l], *fine = l ? &table->levels[l - 1] : NULL;
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

static int fill(struct step_table_block *block, const uint8_t *body, const struct pyramid_shape *shape, struct failure *failure) {
    uint8_t *kinds = block->kinds;
    int32_t *bounds = block->bounds;
    for (uint32_t l = block->table.level_count; l-- > 0;) {
        struct step_table_level *level = &block->table.levels[l];
        size_t count = level_bricks(level);
        memcpy(kinds, body, count);
        undo_planes(body + count, count, bounds);
        undo_planes(body + 5 * count, count, bounds + count);
        for (size_t i = 0; i < count; i++)
            if (kinds[i] > BRICK_MASKED) return failure_set(failure, VIRGA_UNREADABLE, "step table: a brick of unknown kind");
        level->kind = kinds;
        level->min = bounds;
        level->max = bounds + count;
        level->deep_min = bounds + 2 * count;
        level->deep_max = bounds + 3 * count;
        body += BYTES_A_BRICK * count;
        kinds += count;
        bounds += 4 * count;
    }
    make_deep(&block->table, shape);
    return VIRGA_OK;
}

int step_table_parse(const uint8_t *data, size_t size, const struct pyramid_shape *shape, struct step_table **table,
                     struct failure *failure) {
    struct byte_reader reader = {.at = data, .end = data + size};
    size_t bricks = 0;
    *table = NULL;
    struct step_table_block *block = calloc(1, sizeof *block);
    if (!block) return failure_set(failure, VIRGA_NO_MEMORY, "step table: out of memory");
    atomic_init(&block->references, 1);
    uint8_t *body = NULL;
    int status = check_head(&reader, shape, &block->table, &bricks, failure);
    if (status) goto end;
    body = malloc(bricks * BYTES_A_BRICK);
    block->kinds = malloc(bricks);
    block->bounds = malloc(bricks * 4 * sizeof *block->bounds);
    if (!body || !block->kinds || !block->bounds) {
        status = failure_set(failure, VIRGA_NO_MEMORY, "step table: out of memory");
        goto end;
    }
    status = inflate_exactly(&reader, body, bricks * BYTES_A_BRICK);
    if (status) failure_set(failure, status, "step table: its body does not fit");
    if (!status) status = fill(block, body, shape, failure);
end:
    free(body);
    if (status) step_table_unref(&block->table);
    else *table = &block->table;
    return status;
}

struct step_table *step_table_ref(struct step_table *table) {
    if (table) atomic_fetch_add_explicit(&((struct step_table_block *)table)->references, 1, memory_order_relaxed);
    return table;
}

void step_table_unref(struct step_table *table) {
    struct step_table_block *block = (struct step_table_block *)table;
    if (!block || atomic_fetch_sub_explicit(&block->references, 1, memory_order_acq_rel) != 1) return;
    free(block->kinds);
    free(block->bounds);
    free(block);
}
