// SPDX-License-Identifier: Apache-2.0
#define PACKET_WIDTH 1
#include "render/brick_volume.h"

#include <stdlib.h>
#include <string.h>

#include "brick/lattice.h"
#include "render/brick_volume_private.h"
#include "render/packet_volume.h"

enum { POOL_BLOCK = 32 };  // slots that a pool grows by at least

static size_t slot_voxels(const struct brick_volume *v) {
    return (size_t)BRICK_PLANE * v->depth;
}

// Room for one slot more. Grows by an eighth: large blocks move by remapping, not by copying.
static int grow(const struct brick_volume *v, struct voxel_pool *pool) {
    if (pool->count < pool->capacity) return VIRGA_OK;
    const size_t size = slot_voxels(v), most = INT32_MAX / size;  // all voxels have 32-bit indices
    size_t wanted = (size_t)pool->capacity + pool->capacity / 8 + POOL_BLOCK;
    if (wanted > most) wanted = most;
    if (wanted <= pool->capacity) return VIRGA_NO_MEMORY;
    uint32_t *free_slots = realloc(pool->free, wanted * sizeof *free_slots);
    if (!free_slots) return VIRGA_NO_MEMORY;
    pool->free = free_slots;
    int16_t *voxels = realloc(pool->voxels, wanted * size * sizeof *voxels);
    if (!voxels) return VIRGA_NO_MEMORY;
    pool->voxels = voxels;
    pool->capacity = (uint32_t)wanted;
    return VIRGA_OK;
}

static int take_slot(const struct brick_volume *v, struct voxel_pool *pool, uint32_t *slot) {
    if (pool->free_count) {
        *slot = pool->free[--pool->free_count];
        return VIRGA_OK;
    }
    const int status = grow(v, pool);
    if (!status) *slot = pool->count++;
    return status;
}

static void give_slot(struct voxel_pool *pool, uint32_t *slot) {
    if (*slot) pool->free[pool->free_count++] = *slot;
    *slot = 0;
}

static int16_t *voxels_of(const struct brick_volume *v, const struct voxel_pool *pool, uint32_t slot) {
    return pool->voxels + slot * slot_voxels(v);
}

static size_t level_bricks(const struct pyramid_level *level) {
    return (size_t)level->bricks[0] * level->bricks[1] * level->bricks[2];
}

static int make_room(struct brick_volume *v) {
    uint32_t first;
    for (uint32_t level = 0; level < v->shape.level_count; level++) {
        const struct pyramid_level *l = &v->shape.levels[level];
        const uint32_t depth = l->n[2] < BRICK_CORE ? l->n[2] + 2 * BRICK_BORDER : BRICK_MAX_SIDE;
        if (depth > v->depth) v->depth = depth;
        v->slots[level] = calloc(level_bricks(l), sizeof **v->slots);
        if (!v->slots[level]) return VIRGA_NO_MEMORY;
    }
    const size_t pages = level_bricks(&v->shape.levels[0]);
    if (pages > INT32_MAX / BRICK_PAGE_WORDS || !(v->pages = calloc(pages, sizeof *v->pages))) return VIRGA_NO_MEMORY;
    if (!(v->starts = calloc(pages, sizeof *v->starts))) return VIRGA_NO_MEMORY;
    if (take_slot(v, &v->values, &first) || take_slot(v, &v->presence, &first)) return VIRGA_NO_MEMORY;
    memset(v->values.voxels, 0, slot_voxels(v) * sizeof *v->values.voxels);
    for (size_t s = 0; s < slot_voxels(v); s++) v->presence.voxels[s] = 1;
    return VIRGA_OK;
}

int brick_volume_new(const struct pyramid_shape *shape, struct brick_volume **volume) {
    struct brick_volume *v = calloc(1, sizeof *v);
    if (!v) return VIRGA_NO_MEMORY;
    v->shape = *shape;
    if (make_room(v)) {
        brick_volume_free(v);
        return VIRGA_NO_MEMORY;
    }
    brick_volume_finish(v, NULL);
    *volume = v;
    return VIRGA_OK;
}

void brick_volume_free(struct brick_volume *v) {
    if (!v) return;
    for (uint32_t level = 0; level < PYRAMID_MAX_LEVELS; level++) free(v->slots[level]);
    free(v->pages);
    free(v->starts);
    free(v->values.voxels);
    free(v->values.free);
    free(v->presence.voxels);
    free(v->presence.free);
    free(v);
}

static size_t brick_index(const struct pyramid_level *level, uint32_t x, uint32_t y, uint32_t z) {
    return ((size_t)z * level->bricks[1] + y) * level->bricks[0] + x;
}

static struct brick_slot *slot_at(const struct brick_volume *v, uint32_t level, uint32_t x, uint32_t y, uint32_t z) {
    return &v->slots[level][brick_index(&v->shape.levels[level], x, y, z)];
}

struct survey { int64_t low, high; bool masked; };

static struct survey survey_of(const struct brick_box *box, const int32_t *q) {
    struct survey s = {INT32_MAX, INT32_MIN, false};
    const size_t count = (size_t)box->size[0] * box->size[1] * box->size[2];
    for (size_t n = 0; n < count; n++) {
        if (q[n] == LATTICE_MISSING) {
            s.masked = true;
            continue;
        }
        if (q[n] < s.low) s.low = q[n];
        if (q[n] > s.high) s.high = q[n];
    }
    if (s.low > s.high) s.low = s.high = 0;
    return s;
}

// Stored index of voxel `at` of a slot: beyond the grid's edge the edge voxel repeats.
static size_t stored(const struct brick_box *box, int axis, uint32_t brick, uint32_t at) {
    const int64_t index = (int64_t)brick * BRICK_CORE - BRICK_BORDER + at - box->lo[axis], last = (int64_t)box->size[axis] - 1;
    return (size_t)(index < 0 ? 0 : index > last ? last : index);
}

static void fill_row(const struct brick_slot *slot, const int32_t *row, const uint8_t *columns, int16_t *values, int16_t *presence) {
    const int32_t half = slot->shift ? 1 << (slot->shift - 1) : 0;
    for (uint32_t x = 0; x < BRICK_ROW; x++) {
        const int32_t q = row[columns[x]];
        const bool present = q != LATTICE_MISSING;
        // In 64 bits, for a brick may span all lattice integers.
        int64_t residual = present ? ((int64_t)q - slot->middle + half) >> slot->shift : 0;
        if (residual > INT16_MAX) residual = INT16_MAX;
        values[x] = (int16_t)residual;
        if (presence) presence[x] = present;
    }
}

static void fill_slot(const struct brick_volume *v, const struct brick_slot *slot, const struct brick_box *box, const uint32_t brick[3],
                      const int32_t *q) {
    int16_t *values = voxels_of(v, &v->values, slot->values);
    int16_t *presence = slot->presence ? voxels_of(v, &v->presence, slot->presence) : NULL;
    uint8_t columns[BRICK_ROW];
    for (uint32_t x = 0; x < BRICK_ROW; x++) columns[x] = (uint8_t)stored(box, 0, brick[0], x);
    for (uint32_t z = 0; z < v->depth; z++)
        for (uint32_t y = 0; y < BRICK_ROW; y++) {
            const size_t row = stored(box, 2, brick[2], z) * box->size[1] + stored(box, 1, brick[1], y);
            const size_t at = ((size_t)z * BRICK_ROW + y) * BRICK_ROW;
            fill_row(slot, q + row * box->size[0], columns, values + at, presence ? presence + at : NULL);
        }
}

int brick_volume_put(struct brick_volume *v, uint32_t level, uint32_t x, uint32_t y, uint32_t z, const int32_t *q) {
    struct brick_slot *slot = slot_at(v, level, x, y, z);
    struct brick_box box;
    brick_box_init(&box, &v->shape, level, x, y, z);
    const struct survey survey = survey_of(&box, q);
    brick_volume_drop(v, level, x, y, z);
    if (take_slot(v, &v->values, &slot->values)) return VIRGA_NO_MEMORY;
    if (survey.masked && take_slot(v, &v->presence, &slot->presence)) {
        give_slot(&v->values, &slot->values);
        return VIRGA_NO_MEMORY;
    }
    v->masked += survey.masked;
    slot->middle = (int32_t)(survey.low + (survey.high - survey.low) / 2);
    slot->shift = 0;
    while ((survey.high - slot->middle) >> slot->shift > INT16_MAX) slot->shift++;
    fill_slot(v, slot, &box, (const uint32_t[]){x, y, z}, q);
    return VIRGA_OK;
}

bool brick_volume_has(const struct brick_volume *v, uint32_t level, uint32_t x, uint32_t y, uint32_t z) {
    return slot_at(v, level, x, y, z)->values != 0;
}

void brick_volume_drop(struct brick_volume *v, uint32_t level, uint32_t x, uint32_t y, uint32_t z) {
    struct brick_slot *slot = slot_at(v, level, x, y, z);
    v->masked -= slot->presence != 0;
    give_slot(&v->values, &slot->values);
    give_slot(&v->presence, &slot->presence);
}

static void page_place(const struct brick_volume *v, struct brick_page *page, const uint32_t brick[3], uint32_t level) {
    page->level = (int32_t)level;
    for (int a = 0; a < 3; a++) {
        const uint32_t scale = v->shape.levels[level].scale[a];
        page->rate[a] = 1.0f / (float)scale;
        page->origin[a] = (float)(brick[a] / scale * BRICK_CORE);
    }
    const int32_t x = (int32_t)page->origin[0], y = (int32_t)page->origin[1], z = (int32_t)page->origin[2];
    const int32_t before = (z * BRICK_ROW + y) * BRICK_ROW + x;
    page->values -= before;
    page->presence -= before;
}

static void page_texels(const struct brick_volume *v, struct brick_page *page, const struct brick_slot *slot) {
    page->kind = PAGE_TEXELS;
    page->values = (int32_t)(slot->values * slot_voxels(v));
    page->presence = (int32_t)(slot->presence * slot_voxels(v));
    page->middle = (float)slot->middle;
    page->unit = (float)(1u << slot->shift) / PAIR_ONE;
}

static void choose_page(const struct brick_volume *v, struct brick_page *page, const struct step_table *table, const uint32_t brick[3]) {
    *page = (struct brick_page){.kind = PAGE_NOTHING, .unit = 1};
    uint32_t level = 0;
    for (; table && level < v->shape.level_count && level < table->level_count; level++) {
        const uint32_t *scale = v->shape.levels[level].scale;
        const uint32_t at[3] = {brick[0] / scale[0], brick[1] / scale[1], brick[2] / scale[2]};
        const struct step_table_entry *entry = step_table_at(table, level, at[0], at[1], at[2]);
        const struct brick_slot *slot = slot_at(v, level, at[0], at[1], at[2]);
        if (entry->kind == BRICK_MISSING) break;
        if (entry->kind == BRICK_CONSTANT) {
            page->kind = PAGE_CONSTANT;
            page->middle = (float)entry->lowest;
            break;
        }
        if (slot->values) {
            page_texels(v, page, slot);
            break;
        }
    }
    page_place(v, page, brick, level < v->shape.level_count ? level : v->shape.level_count - 1);
}

void brick_volume_finish(struct brick_volume *v, const struct step_table *table) {
    const uint32_t *n = v->shape.levels[0].bricks;
    struct brick_page *page = v->pages;
    for (uint32_t z = 0; z < n[2]; z++)
        for (uint32_t y = 0; y < n[1]; y++)
            for (uint32_t x = 0; x < n[0]; x++) choose_page(v, page++, table, (const uint32_t[]){x, y, z});
    v->alike = true;
    v->plain = !v->masked;
    struct brick_start *start = v->starts;
    for (const struct brick_page *p = v->pages; p < page; p++) {
        *start++ = (struct brick_start){p->values, p->middle};
        v->alike &= p->kind == PAGE_TEXELS && p->level == v->pages->level;
        v->plain &= p->unit == v->pages->unit;
    }
    v->plain &= v->alike;
}

uint32_t brick_volume_level(const struct brick_volume *v, uint32_t x, uint32_t y, uint32_t z) {
    return (uint32_t)v->pages[brick_index(&v->shape.levels[0], x, y, z)].level;
}

bool brick_volume_value(const struct brick_volume *v, const float ijk[3], float *q) {
    struct packet_brick brick;
    struct packet_cell cell;
    vf value;
    const uint32_t *n = v->shape.levels[0].n;
    const vf i = packet_wrapped(v, vf_clamp(vf_all(ijk[0]), 0, (float)(v->shape.wraps_x ? n[0] : n[0] - 1)));
    const vf j = vf_clamp(vf_all(ijk[1]), 0, (float)(n[1] - 1)), k = vf_clamp(vf_all(ijk[2]), 0, (float)(n[2] - 1));
    packet_volume_at(v, i, j, k, &brick, &cell);
    const vi present = packet_value(v, &brick, &cell, &value);
    *q = value[0];
    return present[0] != 0;
}

size_t brick_volume_memory(const struct brick_volume *v) {
    size_t bytes = sizeof *v + level_bricks(&v->shape.levels[0]) * (sizeof *v->pages + sizeof *v->starts);
    for (uint32_t level = 0; level < v->shape.level_count; level++) bytes += level_bricks(&v->shape.levels[level]) * sizeof **v->slots;
    const struct voxel_pool *pools[] = {&v->values, &v->presence};
    for (int p = 0; p < 2; p++) bytes += pools[p]->capacity * (slot_voxels(v) * sizeof(int16_t) + sizeof(uint32_t));
    return bytes;
}
