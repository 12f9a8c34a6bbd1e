// SPDX-License-Identifier: Apache-2.0
// Immutable reference-counted bytes: encoded once, read by any number of threads, freed with the last reference.
#ifndef VIRGA_BASE_SHARED_BYTES_H
#define VIRGA_BASE_SHARED_BYTES_H

#include <stddef.h>
#include <stdint.h>

struct shared_bytes {
    const size_t size;  // bytes in data
    const uint8_t *const data;
};

// Makes an object with room for `size` bytes; *fill points at them and may be written until the object is shared.
// Returns NULL when out of memory. The caller owns one reference.
struct shared_bytes *shared_bytes_new(size_t size, uint8_t **fill);
// A copy of what is there, 0 bytes too. NULL when out of memory.
struct shared_bytes *shared_bytes_copy(const void *data, size_t size);
// A whole regular file of at most `most` bytes. NULL: there is no such file, it cannot be read, or out of memory. Blocks.
struct shared_bytes *shared_bytes_of_file(const char *path, size_t most);
// Any thread. Returns its argument; NULL is passed through.
struct shared_bytes *shared_bytes_ref(struct shared_bytes *bytes);
// Any thread. Drops one reference; NULL is allowed.
void shared_bytes_unref(struct shared_bytes *bytes);

#endif
