// SPDX-License-Identifier: Apache-2.0
// Finds positions in a list by a hash of what stands there. Whoever asks compares, as different things may have one hash. One thread at a
// time while it grows; then any.
#ifndef VIRGA_FIELD_POSITION_INDEX_H
#define VIRGA_FIELD_POSITION_INDEX_H

#include <stddef.h>
#include <stdint.h>

struct position_index {  // zeroed: empty
    size_t count, room;  // room: a power of two, or 0
    struct position_slot { uint64_t hash; size_t position; } *slots;  // position: plus one; 0: free
};

// VIRGA_OK or VIRGA_NO_MEMORY.
int position_index_add(struct position_index *index, uint64_t hash, size_t position);
// The next position of this hash; SIZE_MAX: there are no more. *at: 0 for the first.
size_t position_index_next(const struct position_index *index, uint64_t hash, size_t *at);
void position_index_destroy(struct position_index *index);

#endif
