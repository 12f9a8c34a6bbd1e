// SPDX-License-Identifier: Apache-2.0
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/status.h"

enum { PAGE = 4096, LARGE = 256 << 10 };  // bytes
enum { FIRST_ROOM = 32 };

int memory_multiply(size_t a, size_t b, size_t *product) {
    if (!__builtin_mul_overflow(a, b, product)) return VIRGA_OK;
    *product = 0;
    return VIRGA_TOO_LARGE;
}

int memory_add(size_t a, size_t b, size_t *sum) {
    if (!__builtin_add_overflow(a, b, sum)) return VIRGA_OK;
    *sum = 0;
    return VIRGA_TOO_LARGE;
}

static void *new_unwritten(size_t alignment, size_t count, size_t size, size_t *bytes) {
    if (memory_multiply(count, size, bytes)) return NULL;
    if (memory_add(*bytes ? *bytes : 1, alignment - 1, bytes)) return NULL;
    *bytes &= ~(alignment - 1);
    return aligned_alloc(alignment, *bytes);
}

void *memory_new_aligned(size_t alignment, size_t count, size_t size) {
    size_t bytes;
    void *memory = new_unwritten(alignment, count, size, &bytes);
    if (memory) memset(memory, 0, bytes);
    return memory;
}

void *memory_new_large(size_t count, size_t size) {
    size_t bytes;
    void *memory = new_unwritten(PAGE, count, size, &bytes);
    if (memory && bytes >= LARGE) madvise(memory, bytes, MADV_POPULATE_WRITE);  // where it is refused, pages are made one by one
    return memory;
}

void *memory_one_more(void *list, size_t count, size_t *room, size_t size) {
    size_t more, bytes;
    if (count < *room) return list;
    if (memory_multiply(*room ? *room : FIRST_ROOM / 2, 2, &more) || memory_multiply(more, size, &bytes)) return NULL;
    void *moved = realloc(list, bytes);
    if (moved) *room = more;
    return moved;
}
