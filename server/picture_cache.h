// SPDX-License-Identifier: Apache-2.0
// Finished pictures by key, least recently used out first, capped in bytes. Not locked: the owner's lock guards it.
#ifndef VIRGA_SERVER_PICTURE_CACHE_H
#define VIRGA_SERVER_PICTURE_CACHE_H

#include "base/shared_bytes.h"

enum { PICTURE_KEY = 33 };  // bytes of a key with its end: hexadecimal digits of a hash

struct picture_cache;

struct picture_cache *picture_cache_new(size_t most_bytes);  // NULL when out of memory
void picture_cache_free(struct picture_cache *cache);        // NULL is allowed
// A new reference to what is held under the key, which is the most recently used then; NULL if nothing is.
struct shared_bytes *picture_cache_get(struct picture_cache *cache, const char key[PICTURE_KEY]);
// Holds `bytes` (takes a reference of its own) in place of what was there. One that is larger than a quarter of the cap is not held, nor any when out of memory.
void picture_cache_put(struct picture_cache *cache, const char key[PICTURE_KEY], struct shared_bytes *bytes);
// Bytes held, with what entries themselves take; and how many.
size_t picture_cache_size(const struct picture_cache *cache);
size_t picture_cache_count(const struct picture_cache *cache);

#endif
