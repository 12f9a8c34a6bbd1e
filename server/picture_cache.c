// SPDX-License-Identifier: Apache-2.0
#include "server/picture_cache.h"

#include <stdio.h>
#include <stdlib.h>

#include "brick/brick_cache.h"

struct picture_cache {
    size_t most;
    struct brick_cache *pictures;
};

struct picture_cache *picture_cache_new(size_t most_bytes) {
    struct picture_cache *cache = calloc(1, sizeof *cache);
    if (!cache) return NULL;
    cache->most = most_bytes;
    if ((cache->pictures = brick_cache_new())) return cache;
    free(cache);
    return NULL;
}

void picture_cache_free(struct picture_cache *cache) {
    if (cache) brick_cache_free(cache->pictures);
    free(cache);
}

// A picture's hash stands where a brick has its edition: it names all that the bytes depend on, too.
static struct brick_key key_of(const char *key) {
    struct brick_key of = {0};
    _Static_assert(sizeof of.edition >= PICTURE_KEY, "keys of pictures fit");
    snprintf(of.edition, sizeof of.edition, "%s", key);
    return of;
}

struct shared_bytes *picture_cache_get(struct picture_cache *cache, const char key[PICTURE_KEY]) {
    const struct brick_key of = key_of(key);
    return brick_cache_get(cache->pictures, &of);
}

void picture_cache_put(struct picture_cache *cache, const char key[PICTURE_KEY], struct shared_bytes *bytes) {
    const struct brick_key of = key_of(key);
    if (bytes->size > cache->most / 4) return;
    brick_cache_put(cache->pictures, &of, bytes);
    while (brick_cache_size(cache->pictures) > cache->most && brick_cache_evict(cache->pictures)) {}
}

size_t picture_cache_size(const struct picture_cache *cache) { return brick_cache_size(cache->pictures); }
size_t picture_cache_count(const struct picture_cache *cache) { return brick_cache_count(cache->pictures); }
