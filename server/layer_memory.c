// SPDX-License-Identifier: Apache-2.0
#include "server/layer_memory.h"

#include <stdlib.h>
#include <string.h>

#include "base/status.h"

struct layer_memory *layer_memory_new(const struct session_layer *from) {
    struct layer_memory *layer = calloc(1, sizeof *layer);
    if (!layer) return NULL;
    memcpy(layer->identity, from->identity, sizeof layer->identity);
    memcpy(layer->variable, from->variable, sizeof layer->variable);
    layer->shape = from->shape;
    for (uint32_t l = 0; l < from->shape.level_count; l++) {
        const uint32_t *b = from->shape.levels[l].bricks;
        layer->level_start[l] = layer->bricks;
        layer->bricks += (size_t)b[0] * b[1] * b[2];
    }
    layer->words = layer->bricks / 64 + 1;
    return layer;
}

void layer_memory_free(struct layer_memory *layer) {
    for (size_t i = 0; layer && i < SESSION_MAX_SLOTS; i++) free(layer->slots[i].bits);
    free(layer);
}

struct layer_slot *layer_memory_step(struct layer_memory *layer, uint32_t step) {
    for (size_t i = 0; i < SESSION_MAX_SLOTS; i++)
        if (layer->slots[i].used && layer->slots[i].step == step) return &layer->slots[i];
    return NULL;
}

struct layer_slot *layer_memory_serial(struct layer_memory *layer, uint32_t serial) {
    for (size_t i = 0; i < SESSION_MAX_SLOTS; i++)
        if (layer->slots[i].used && layer->slots[i].serial == serial) return &layer->slots[i];
    return NULL;
}

struct layer_slot *layer_memory_spare(struct layer_memory *layer) {
    struct layer_slot *oldest = NULL;
    for (size_t i = 0; i < SESSION_MAX_SLOTS; i++) {
        struct layer_slot *slot = &layer->slots[i];
        if (!slot->used) return slot;
        if (!slot->in_window && (!oldest || slot->last_wanted < oldest->last_wanted)) oldest = slot;
    }
    return oldest;
}

int layer_slot_begin(const struct layer_memory *layer, struct layer_slot *slot, uint32_t step, uint64_t name, uint32_t serial) {
    uint64_t *bits = calloc(SLOT_BITS * layer->words, sizeof *bits);
    if (!bits) return VIRGA_NO_MEMORY;
    *slot = (struct layer_slot){.used = true, .step = step, .name = name, .serial = serial, .bits = bits};
    return VIRGA_OK;
}

void layer_slot_empty(struct layer_slot *slot) {
    free(slot->bits);
    *slot = (struct layer_slot){0};
}

static uint64_t *word_of(const struct layer_memory *layer, const struct layer_slot *slot, enum slot_bit bit, uint32_t level, uint32_t x, uint32_t y, uint32_t z,
                         uint64_t *mask) {
    const uint32_t *bricks = layer->shape.levels[level].bricks;
    size_t at = layer->level_start[level] + ((size_t)z * bricks[1] + y) * bricks[0] + x;
    *mask = 1ULL << (at & 63);
    return &slot->bits[(size_t)bit * layer->words + at / 64];
}

bool layer_slot_has(const struct layer_memory *layer, const struct layer_slot *slot, enum slot_bit bit, uint32_t level, uint32_t x, uint32_t y, uint32_t z) {
    uint64_t mask;
    return *word_of(layer, slot, bit, level, x, y, z, &mask) & mask;
}

void layer_slot_mark(const struct layer_memory *layer, const struct layer_slot *slot, enum slot_bit bit, uint32_t level, uint32_t x, uint32_t y, uint32_t z,
                     bool on) {
    uint64_t mask, *word = word_of(layer, slot, bit, level, x, y, z, &mask);
    *word = on ? *word | mask : *word & ~mask;
}

void layer_slot_clear(const struct layer_memory *layer, const struct layer_slot *slot, enum slot_bit bit) {
    memset(slot->bits + (size_t)bit * layer->words, 0, layer->words * sizeof *slot->bits);
}

size_t layer_memory_bytes(const struct layer_memory *layer) {
    size_t bytes = sizeof *layer;
    for (size_t i = 0; i < SESSION_MAX_SLOTS; i++)
        if (layer->slots[i].bits) bytes += SLOT_BITS * layer->words * sizeof(uint64_t);
    return bytes;
}
