// SPDX-License-Identifier: Apache-2.0
// Memory that is given out piece by piece and given back all at once. One thread at a time. Zeroed is valid and empty.
#ifndef VIRGA_BASE_ARENA_H
#define VIRGA_BASE_ARENA_H

#include <stddef.h>

struct arena_block;

struct arena {
    struct arena_block *blocks;
    size_t used;   // bytes given out, alignment included
    size_t limit;  // most bytes to give out; 0 for no limit
};

// count * size zeroed bytes, aligned for any type, valid until arena_destroy. NULL when out of memory or over the limit;
// what was given out before stays valid. Never NULL for 0 bytes otherwise.
void *arena_new(struct arena *arena, size_t count, size_t size);
// A zero-terminated copy of `length` bytes; NULL as above.
char *arena_text(struct arena *arena, const char *text, size_t length);
// Frees all and leaves an empty arena with the same limit.
void arena_destroy(struct arena *arena);

#endif
