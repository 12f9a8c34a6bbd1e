// SPDX-License-Identifier: Apache-2.0
// Sizes that cannot overflow. Any thread.
#ifndef VIRGA_BASE_MEMORY_H
#define VIRGA_BASE_MEMORY_H

#include <stddef.h>

// *product = a * b and VIRGA_OK, or VIRGA_TOO_LARGE and *product = 0 when it does not fit.
int memory_multiply(size_t a, size_t b, size_t *product);
// *sum = a + b and VIRGA_OK, or VIRGA_TOO_LARGE and *sum = 0 when it does not fit.
int memory_add(size_t a, size_t b, size_t *sum);
// count * size zeroed bytes, aligned to `alignment` (a power of two ≥ sizeof(void *)), freed with free().
// NULL when out of memory or when the size does not fit. A size of 0 gives one that may be freed.
void *memory_new_aligned(size_t alignment, size_t count, size_t size);
// The same of a large array that is about to be written all over: not zeroed, and its pages made at once, since being interrupted for each costs more than
// making it.
void *memory_new_large(size_t count, size_t size);
// Room for one more in a list of `count` items of `size` bytes that doubles: where count is *room it is moved (as realloc does) and *room raised. The list
// where it is now; NULL when out of memory or when the size does not fit: then all is as it was.
void *memory_one_more(void *list, size_t count, size_t *room, size_t size);

#endif
