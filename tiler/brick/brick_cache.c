// SPDX-License-Identifier: Apache-2.0
#include "brick/brick_cache.h"

#include <stdlib.h>
#include <string.h>

struct cache_entry {
    struct brick_key key;
    struct shared_bytes *bytes;
    struct cache_entry *next;             // in the bucket
    struct cache_entry *newer, *older;    // in order of use
};

struct brick_cache {
    struct cache_entry **buckets;
    size_t bucket_count, count, size;
    struct cache_entry *newest, *oldest;
};

enum { FIRST_BUCKETS = 1024 };

uint64_t brick_key_hash(const struct brick_key *key) {
    const uint32_t part[6] = {key->member, key->step, key->level, key->x, key->y, key->z};
    uint64_t h = 0xcbf29ce484222325u;  // FNV-1a
    for (size_t i = 0; i < sizeof key->edition && key->edition[i]; i++) h = (h ^ (uint8_t)key->edition[i]) * 0x100000001b3u;
    for (int i = 0; i < 6; i++) h = (h ^ part[i]) * 0x100000001b3u;
    return h ^ h >> 29;
}

bool brick_key_equal(const struct brick_key *a, const struct brick_key *b) {
    return a->member == b->member && a->step == b->step && a->level == b->level && a->x == b->x && a->y == b->y &&
           a->z == b->z && !strncmp(a->edition, b->edition, sizeof a->edition);
}

struct brick_cache *brick_cache_new(void) {
    struct brick_cache *cache = calloc(1, sizeof *cache);
    if (!cache) return NULL;
    cache->bucket_count = FIRST_BUCKETS;
    cache->buckets = calloc(cache->bucket_count, sizeof *cache->buckets);
    if (cache->buckets) return cache;
    free(cache);
    return NULL;
}

void brick_cache_free(struct brick_cache *cache) {
    if (!cache) return;
    while (brick_cache_evict(cache)) {}
    free(cache->buckets);
    free(cache);
}

static size_t entry_size(const struct cache_entry *e) { return sizeof *e + e->bytes->size + 64; }

static struct cache_entry **slot_of(struct brick_cache *cache, const struct brick_key *key) {
    struct cache_entry **slot = &cache->buckets[brick_key_hash(key) % cache->bucket_count];
    while (*slot && !brick_key_equal(&(*slot)->key, key)) slot = &(*slot)->next;
    return slot;
}

static void unlink_use(struct brick_cache *cache, struct cache_entry *e) {
    *(e->newer ? &e->newer->older : &cache->newest) = e->older;
    *(e->older ? &e->older->newer : &cache->oldest) = e->newer;
}

static void link_newest(struct brick_cache *cache, struct cache_entry *e) {
    e->newer = NULL;
    e->older = cache->newest;
    *(e->older ? &e->older->newer : &cache->oldest) = e;
    cache->newest = e;
}

struct shared_bytes *brick_cache_get(struct brick_cache *cache, const struct brick_key *key) {
    struct cache_entry *e = *slot_of(cache, key);
    if (!e) return NULL;
    unlink_use(cache, e);
    link_newest(cache, e);
    return shared_bytes_ref(e->bytes);
}

static void drop(struct brick_cache *cache, struct cache_entry **slot) {
    struct cache_entry *e = *slot;
    *slot = e->next;
    unlink_use(cache, e);
    cache->size -= entry_size(e);
    cache->count--;
    shared_bytes_unref(e->bytes);
    free(e);
}

static void grow(struct brick_cache *cache) {
    const size_t count = cache->bucket_count * 2;
    struct cache_entry **buckets = calloc(count, sizeof *buckets);
    if (!buckets) return;  // only slower
    for (struct cache_entry *e = cache->newest; e; e = e->older) {
        struct cache_entry **slot = &buckets[brick_key_hash(&e->key) % count];
        e->next = *slot;
        *slot = e;
    }
    free(cache->buckets);
    cache->buckets = buckets;
    cache->bucket_count = count;
}

void brick_cache_put(struct brick_cache *cache, const struct brick_key *key, struct shared_bytes *bytes) {
    struct cache_entry **slot = slot_of(cache, key);
    if (*slot) drop(cache, slot);
    struct cache_entry *e = calloc(1, sizeof *e);
    if (!e) return;
    if (cache->count >= 2 * cache->bucket_count) grow(cache);
    e->key = *key;
    e->bytes = shared_bytes_ref(bytes);
    slot = &cache->buckets[brick_key_hash(key) % cache->bucket_count];
    e->next = *slot;
    *slot = e;
    link_newest(cache, e);
    cache->size += entry_size(e);
    cache->count++;
}

size_t brick_cache_size(const struct brick_cache *cache) { return cache->size; }
size_t brick_cache_count(const struct brick_cache *cache) { return cache->count; }

bool brick_cache_evict(struct brick_cache *cache) {
    if (!cache->oldest) return false;
    drop(cache, slot_of(cache, &cache->oldest->key));
    return true;
}
