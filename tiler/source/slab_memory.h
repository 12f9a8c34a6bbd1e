// SPDX-License-Identifier: Apache-2.0
// Memory for slabs that are filled from outside: shared, sealed so that it can neither shrink nor grow, and used again, since making a page costs more than
// filling it. Any thread. What is lent stays usable when the pool is gone.
#ifndef VIRGA_SOURCE_SLAB_MEMORY_H
#define VIRGA_SOURCE_SLAB_MEMORY_H

#include <stddef.h>

#include "base/status.h"

struct slab_pool;

struct slab_memory {
    int fd;        // to lend to a child
    void *at;      // mapped here, for reading and writing
    size_t bytes;  // as many as were asked for, or more
};

// keep_bytes: of memory that nobody uses, at most, before it is given back to the system. NULL without memory.
struct slab_pool *slab_pool_new(size_t keep_bytes);
void slab_pool_free(struct slab_pool *pool);  // NULL allowed
// Gives back what has not been used for `seconds`.
void slab_pool_trim(struct slab_pool *pool, double seconds);

// One reference to memory of at least `bytes`, which holds whatever it held before: read no more than was written. VIRGA_NO_MEMORY.
int slab_memory_get(struct slab_pool *pool, size_t bytes, struct slab_memory **memory, struct failure *failure);
// A descriptor of zeros that can neither shrink nor grow: one to whom it is lent would end this process by shrinking it. -1 and errno.
int slab_memory_file(size_t bytes);
struct slab_memory *slab_memory_ref(struct slab_memory *memory);
void slab_memory_unref(struct slab_memory *memory);  // NULL allowed

#endif
