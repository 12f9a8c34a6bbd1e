// SPDX-License-Identifier: Apache-2.0
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

#include "base/status.h"

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

void *memory_new_aligned(size_t alignment, size_t count, size_t size) {
    size_t bytes;
    if (memory_multiply(count, size, &bytes)) return NULL;
    if (memory_add(bytes ? bytes : 1, alignment - 1, &bytes)) return NULL;
    bytes &= ~(alignment - 1);
    void *memory = aligned_alloc(alignment, bytes);
    if (memory) memset(memory, 0, bytes);
    return memory;
}
