// SPDX-License-Identifier: Apache-2.0
#include "server/picture_cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 4096, OVERHEAD = 64 };  // what the allocator takes besides, about

struct entry {
    char key[PICTURE_KEY];
    struct shared_bytes *bytes;
    struct entry *next;             // in the bucket
    struct entry *newer, *older;    // in order of use
};

struct picture_cache {
    size_t most, size, count;
    struct entry *newest, *oldest;
    struct entry *buckets[BUCKETS];
};

struct picture_cache *picture_cache_new(size_t most_bytes) {
    struct picture_cache *cache = calloc(1, sizeof *cache);
    if (cache) cache->most = most_bytes;
    return cache;
}

// A key is a hash itself: three digits tell the bucket.
static struct entry **slot_of(struct picture_cache *cache, const char *key) {
    char digits[4];
    snprintf(digits, sizeof digits, "%.3s", key);
    struct entry **slot = &cache->buckets[strtoul(digits, NULL, 16) % BUCKETS];
    while (*slot && strcmp((*slot)->key, key)) slot = &(*slot)->next;
    return slot;
}

static size_t size_of(const struct shared_bytes *bytes) { return sizeof(struct entry) + bytes->size + OVERHEAD; }

static void unlink_use(struct picture_cache *cache, struct entry *e) {
    *(e->newer ? &e->newer->older : &cache->newest) = e->older;
    *(e->older ? &e->older->newer : &cache->oldest) = e->newer;
}

static void link_newest(struct picture_cache *cache, struct entry *e) {
    e->newer = NULL;
    e->older = cache->newest;
    *(e->older ? &e->older->newer : &cache->oldest) = e;
    cache->newest = e;
}

static void drop(struct picture_cache *cache, struct entry **slot) {
    struct entry *e = *slot;
    *slot = e->next;
    unlink_use(cache, e);
    cache->size -= size_of(e->bytes);
    cache->count--;
    shared_bytes_unref(e->bytes);
    free(e);
}

void picture_cache_free(struct picture_cache *cache) {
    while (cache && cache->oldest) drop(cache, slot_of(cache, cache->oldest->key));
    free(cache);
}

struct shared_bytes *picture_cache_get(struct picture_cache *cache, const char key[PICTURE_KEY]) {
    struct entry *e = *slot_of(cache, key);
    if (!e) return NULL;
    unlink_use(cache, e);
    link_newest(cache, e);
    return shared_bytes_ref(e->bytes);
}

void picture_cache_put(struct picture_cache *cache, const char key[PICTURE_KEY], struct shared_bytes *bytes) {
    struct entry **slot = slot_of(cache, key);
    if (*slot) drop(cache, slot);
    if (size_of(bytes) > cache->most / 4) return;
    struct entry *e = calloc(1, sizeof *e);
    if (!e) return;
    snprintf(e->key, sizeof e->key, "%s", key);
    e->bytes = shared_bytes_ref(bytes);
    while (cache->oldest && cache->size + size_of(bytes) > cache->most) drop(cache, slot_of(cache, cache->oldest->key));
    slot = slot_of(cache, key);  // what was dropped may have stood before it
    e->next = *slot;
    *slot = e;
    link_newest(cache, e);
    cache->size += size_of(bytes);
    cache->count++;
}

size_t picture_cache_size(const struct picture_cache *cache) { return cache->size; }
size_t picture_cache_count(const struct picture_cache *cache) { return cache->count; }
