// SPDX-License-Identifier: Apache-2.0
#include "render/basemap_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

struct entry {
    XXH128_hash_t key;
    struct basemap *map;  // NULL: a free place
    uint64_t used;
};

struct basemap_cache {
    pthread_mutex_t lock;
    size_t most, memory;
    uint64_t clock;
    struct entry entries[];
};

struct basemap_cache *basemap_cache_new(size_t most, size_t memory) {
    struct basemap_cache *cache = calloc(1, sizeof *cache + most * sizeof *cache->entries);
    if (!cache || pthread_mutex_init(&cache->lock, NULL)) {
        free(cache);
        return NULL;
    }
    cache->most = most;
    cache->memory = memory;
    return cache;
}

static void empty(struct basemap_cache *cache) {
    for (size_t n = 0; n < cache->most; n++) {
        basemap_unref(cache->entries[n].map);
        cache->entries[n].map = NULL;
    }
}

void basemap_cache_free(struct basemap_cache *cache) {
    if (!cache) return;
    empty(cache);
    pthread_mutex_destroy(&cache->lock);
    free(cache);
}

void basemap_cache_clear(struct basemap_cache *cache) {
    pthread_mutex_lock(&cache->lock);
    empty(cache);
    pthread_mutex_unlock(&cache->lock);
}

// --- by what it is made from -------------------------------------------------------------------------------------------

static void add(XXH3_state_t *state, const void *bytes, size_t size) {
    XXH3_128bits_update(state, &size, sizeof size);  // so that neighbours do not run into one another
    XXH3_128bits_update(state, bytes, bytes ? size : 0);
}

static int key_of(const struct basemap_options *options, XXH128_hash_t *key) {
    const struct grid *grid = options->grid;
    const char *folder = options->world_folder;
    XXH3_state_t *state = XXH3_createState();
    if (!state) return VIRGA_NO_MEMORY;
    const uint64_t hash = grid_hash(grid);
    const bool kinds[] = {grid->angular, grid->wraps, grid->x.regular, grid->y.regular};
    XXH3_128bits_reset(state);
    add(state, &hash, sizeof hash);
    add(state, kinds, sizeof kinds);
    add(state, &options->box, sizeof options->box);
    add(state, options->ground, options->ground ? grid->x.n * grid->y.n * sizeof *options->ground : 0);
    add(state, folder, folder ? strlen(folder) : 0);
    *key = XXH3_128bits_digest(state);
    XXH3_freeState(state);
    return VIRGA_OK;
}

// --- looking up --------------------------------------------------------------------------------------------------------

// The entry of a key, or the place for it: a free one, or the least used one's.
static struct entry *entry_of(struct basemap_cache *cache, XXH128_hash_t key) {
    struct entry *place = cache->entries;
    for (size_t n = 0; n < cache->most; n++) {
        struct entry *entry = &cache->entries[n];
        if (entry->map && XXH128_isEqual(entry->key, key)) return entry;
        if (place->map && (!entry->map || entry->used < place->used)) place = entry;
    }
    return place;
}

static int get(struct basemap_cache *cache, const struct basemap_options *options, XXH128_hash_t key, struct basemap **basemap, struct failure *failure) {
    struct entry *entry = entry_of(cache, key);
    if (!entry->map || !XXH128_isEqual(entry->key, key)) {
        struct basemap_options wanted = *options;
        struct basemap *made;
        wanted.memory = cache->memory;
        int status = basemap_new(&wanted, &made, failure);
        if (status) return status;
        basemap_unref(entry->map);
        *entry = (struct entry){.key = key, .map = made};
    }
    entry->used = ++cache->clock;
    *basemap = basemap_ref(entry->map);
    return VIRGA_OK;
}

int basemap_cache_get(struct basemap_cache *cache, const struct basemap_options *options, struct basemap **basemap, struct failure *failure) {
    XXH128_hash_t key;
    *basemap = NULL;
    if (key_of(options, &key)) return failure_set(failure, VIRGA_NO_MEMORY, "map: out of memory");
    pthread_mutex_lock(&cache->lock);
    int status = get(cache, options, key, basemap, failure);
    pthread_mutex_unlock(&cache->lock);
    return status;
}
