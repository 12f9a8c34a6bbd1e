// SPDX-License-Identifier: Apache-2.0
#include "base/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { ARENA_BLOCK = 32768 };

struct arena_block {
    struct arena_block *next;
    size_t used, size;
    _Alignas(max_align_t) uint8_t data[];
};

static struct arena_block *arena_grow(struct arena *arena, size_t bytes) {
    size_t size = bytes > ARENA_BLOCK / 4 ? bytes : ARENA_BLOCK, total;
    if (memory_add(sizeof(struct arena_block), size, &total)) return NULL;
    struct arena_block *block = calloc(1, total);
    if (!block) return NULL;
    block->size = size;
    block->next = arena->blocks;
    arena->blocks = block;
    return block;
}

void *arena_new(struct arena *arena, size_t count, size_t size) {
    const size_t alignment = _Alignof(max_align_t);
    size_t bytes, used;
    if (memory_multiply(count, size, &bytes) || memory_add(bytes ? bytes : 1, alignment - 1, &bytes)) return NULL;
    bytes &= ~(alignment - 1);
    if (memory_add(arena->used, bytes, &used) || (arena->limit && used > arena->limit)) return NULL;
    struct arena_block *block = arena->blocks;
    if (!block || block->size - block->used < bytes) block = arena_grow(arena, bytes);
    if (!block) return NULL;
    void *memory = block->data + block->used;
    block->used += bytes;
    arena->used = used;
    return memory;
}

char *arena_text(struct arena *arena, const char *text, size_t length) {
    char *copy = length < SIZE_MAX ? arena_new(arena, length + 1, 1) : NULL;
    if (copy && length) memcpy(copy, text, length);
    return copy;
}

void arena_destroy(struct arena *arena) {
    while (arena->blocks) {
        struct arena_block *next = arena->blocks->next;
        free(arena->blocks);
        arena->blocks = next;
    }
    arena->used = 0;
}
