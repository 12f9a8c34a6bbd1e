// SPDX-License-Identifier: Apache-2.0
// Encoded bricks and step tables by key, least recently used out first, capped in bytes by its owner. Not locked: the
// owner's lock guards it.
#ifndef VIRGA_BRICK_BRICK_CACHE_H
#define VIRGA_BRICK_BRICK_CACHE_H

#include <stdbool.h>

#include "base/shared_bytes.h"
#include "brick/brick_key.h"

struct brick_cache;

uint64_t brick_key_hash(const struct brick_key *key);
bool brick_key_equal(const struct brick_key *a, const struct brick_key *b);

struct brick_cache *brick_cache_new(void);  // NULL when out of memory
void brick_cache_free(struct brick_cache *cache);
// A new reference to what is held under the key, which is the most recently used then; NULL if nothing is.
struct shared_bytes *brick_cache_get(struct brick_cache *cache, const struct brick_key *key);
// Holds `bytes` (takes a reference of its own) in place of what was there. Out of memory: holds nothing.
void brick_cache_put(struct brick_cache *cache, const struct brick_key *key, struct shared_bytes *bytes);
// Bytes held, with what an entry itself takes; and how many entries.
size_t brick_cache_size(const struct brick_cache *cache);
size_t brick_cache_count(const struct brick_cache *cache);
// Drops the least recently used entry; false when there is none.
bool brick_cache_evict(struct brick_cache *cache);

#endif
