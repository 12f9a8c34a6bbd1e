// SPDX-License-Identifier: Apache-2.0
#include "tile/plane_cache.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "field/level_coordinate.h"

enum { BUCKETS = 256, MAKING_BYTES = 1024 };

struct entry {  // all under the cache's lock
    struct entry *next;            // in the bucket
    struct entry *newer, *older;   // in order of use
    char key[PLANE_KEY + 8];
    size_t hash;
    struct plane *plane;           // NULL while it is made, or where that failed
    bool making;
    size_t waiting;                // threads that wait for it
    struct failure failure;        // of the last making
};

struct plane_cache {
    pthread_mutex_t lock;
    pthread_cond_t made;
    size_t most, used, hits, misses, count;
    struct entry *buckets[BUCKETS], *newest, *oldest;
};

// --- Keys.

static void add_companion(const struct level_companion *companion, char *key, size_t room) {
    const size_t length = strlen(key);
    if (companion->there) snprintf(key + length, room - length, "/%s", catalog_step_edition(&companion->field));
}

// The fields by which pressure and potential temperature are found, and the level map.
static void add_levels(const struct field_ref *field, enum surface_kind kind, char *key, size_t room) {
    struct level_coordinate c;
    char geometry[33];
    field_geometry_id(field, geometry);
    const size_t length = strlen(key);
    snprintf(key + length, room - length, "/%s", geometry);
    if (kind < SURFACE_PRESSURE || kind > SURFACE_THETA || field_level_coordinate(field, &c, NULL)) return;
    add_companion(&c.surface_pressure, key, room);
    add_companion(&c.pressure, key, room);
    if (kind == SURFACE_THETA) add_companion(&c.theta, key, room);
    if (c.temperature.there) add_companion(&c.temperature, key, room);
}

static bool there(const struct field_ref *field) {
    const struct catalog_dataset *d = field->dataset;
    return d && field->variable < d->variable_count && field->run < d->run_count && d->runs[field->run].series[field->variable].present &&
           field->step < d->runs[field->run].series[field->variable].time_count;
}

void plane_key(const struct field_ref *field, const struct surface *surface, char key[PLANE_KEY]) {
    char text[SURFACE_TEXT];
    key[0] = '\0';
    if (!there(field)) return;
    surface_write(surface, text);
    snprintf(key, PLANE_KEY, "%s/%zu/%zu/%s", catalog_step_edition(field), field->variable, field->member, text);
    if (surface->kind > SURFACE_LEVEL) add_levels(field, surface->kind, key, PLANE_KEY);
}

static size_t hash_of(const char *text) {  // FNV-1a
    uint64_t hash = 14695981039346656037U;
    for (; *text; text++) hash = (hash ^ (unsigned char)*text) * 1099511628211U;
    return (size_t)hash;
}

// --- Entries. The lock is held.

static void unlink_use(struct plane_cache *cache, struct entry *e) {
    *(e->newer ? &e->newer->older : &cache->newest) = e->older;
    *(e->older ? &e->older->newer : &cache->oldest) = e->newer;
}

static void link_newest(struct plane_cache *cache, struct entry *e) {
    e->newer = NULL;
    e->older = cache->newest;
    *(e->older ? &e->older->newer : &cache->oldest) = e;
    cache->newest = e;
}

static struct entry *find(struct plane_cache *cache, const char *key, size_t hash) {
    struct entry *e = cache->buckets[hash % BUCKETS];
    while (e && (e->hash != hash || strcmp(e->key, key) != 0)) e = e->next;
    if (!e) return NULL;
    unlink_use(cache, e);
    link_newest(cache, e);
    return e;
}

static struct entry *add(struct plane_cache *cache, const char *key, size_t hash) {
    struct entry *e = calloc(1, sizeof *e);
    if (!e) return NULL;
    snprintf(e->key, sizeof e->key, "%s", key);
    e->hash = hash;
    e->next = cache->buckets[hash % BUCKETS];
    cache->buckets[hash % BUCKETS] = e;
    link_newest(cache, e);
    return e;
}

static void forget(struct plane_cache *cache, struct entry *e) {
    struct entry **slot = &cache->buckets[e->hash % BUCKETS];
    while (*slot != e) slot = &(*slot)->next;
    *slot = e->next;
    unlink_use(cache, e);
    if (e->plane) cache->used -= e->plane->memory, cache->count--;
    plane_unref(e->plane);
    free(e);
}

static void make_room(struct plane_cache *cache) {
    for (struct entry *e = cache->oldest, *newer; e && cache->used > cache->most; e = newer) {
        newer = e->newer;
        if (e->plane && !e->waiting && !e->making) forget(cache, e);
    }
}

// --- Getting.

struct plane_cache *plane_cache_new(size_t most_bytes) {
    struct plane_cache *cache = calloc(1, sizeof *cache);
    if (!cache || pthread_mutex_init(&cache->lock, NULL)) return free(cache), NULL;
    if (pthread_cond_init(&cache->made, NULL)) {
        pthread_mutex_destroy(&cache->lock);
        return free(cache), NULL;
    }
    cache->most = most_bytes;
    return cache;
}

void plane_cache_free(struct plane_cache *cache) {
    if (!cache) return;
    while (cache->oldest) forget(cache, cache->oldest);
    pthread_cond_destroy(&cache->made);
    pthread_mutex_destroy(&cache->lock);
    free(cache);
}

struct plane *plane_cache_find(struct plane_cache *cache, const struct field_ref *field, const struct surface *surface) {
    char key[PLANE_KEY];
    plane_key(field, surface, key);
    pthread_mutex_lock(&cache->lock);
    const struct entry *e = find(cache, key, hash_of(key));
    struct plane *plane = e ? plane_ref(e->plane) : NULL;
    if (plane) cache->hits++;
    pthread_mutex_unlock(&cache->lock);
    return plane;
}

typedef int (*plane_way)(const struct plane_maker *, const struct field_ref *, const struct surface *, struct plane **, struct failure *);

// Makes it, without the lock, which is held before and after; all who wait are told.
static int make(struct plane_cache *cache, struct entry *e, plane_way way, const struct plane_maker *maker, const struct field_ref *field,
                const struct surface *surface, struct plane **plane, struct failure *failure) {
    struct failure why = {0};
    e->making = true;
    cache->misses++;
    pthread_mutex_unlock(&cache->lock);
    const int status = way(maker, field, surface, plane, &why);
    pthread_mutex_lock(&cache->lock);
    e->making = false;
    e->failure = why;
    e->failure.status = status;
    if (status && failure) *failure = why;
    if (!status) {
        e->plane = plane_ref(*plane);
        cache->used += e->plane->memory;
        cache->count++;
    }
    pthread_cond_broadcast(&cache->made);
    return status;
}

// With the lock held: until it is there, or nobody makes it any more. VIRGA_AGAIN: it is to be made.
static int wait_for(struct plane_cache *cache, struct entry *e, struct plane **plane, struct failure *failure) {
    if (!e->plane && !e->making) return VIRGA_AGAIN;
    const bool waited = e->making;
    e->waiting++;
    while (e->making) pthread_cond_wait(&cache->made, &cache->lock);
    e->waiting--;
    if (e->plane) {
        *plane = plane_ref(e->plane);
        cache->hits++;
        return VIRGA_OK;
    }
    if (!waited || e->failure.status == VIRGA_CANCELLED) return VIRGA_AGAIN;
    if (failure) *failure = e->failure;
    return e->failure.status;
}

static int get(struct plane_cache *cache, const char *key, plane_way way, const struct plane_maker *maker, const struct field_ref *field,
               const struct surface *surface, struct plane **plane, struct failure *failure) {
    const size_t hash = hash_of(key);
    *plane = NULL;
    pthread_mutex_lock(&cache->lock);
    struct entry *e = find(cache, key, hash);
    int status = e || (e = add(cache, key, hash)) ? wait_for(cache, e, plane, failure) : failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    if (status == VIRGA_AGAIN) status = make(cache, e, way, maker, field, surface, plane, failure);
    if (e && !e->plane && !e->waiting && !e->making) forget(cache, e);
    make_room(cache);
    pthread_mutex_unlock(&cache->lock);
    return status;
}

int plane_cache_get(struct plane_cache *cache, const struct plane_maker *maker, const struct field_ref *field, const struct surface *surface,
                    struct plane **plane, struct failure *failure) {
    char key[PLANE_KEY];
    plane_key(field, surface, key);
    return get(cache, key, plane_make, maker, field, surface, plane, failure);
}

int plane_cache_get_height(struct plane_cache *cache, const struct plane_maker *maker, const struct field_ref *field, const struct surface *surface,
                           struct plane **plane, struct failure *failure) {
    char key[PLANE_KEY], of_height[PLANE_KEY + 8];
    plane_key(field, surface, key);
    snprintf(of_height, sizeof of_height, "%s/height", key);
    return get(cache, of_height, plane_make_height, maker, field, surface, plane, failure);
}

void plane_cache_stats(struct plane_cache *cache, struct plane_cache_stats *stats) {
    pthread_mutex_lock(&cache->lock);
    *stats = (struct plane_cache_stats){cache->used, cache->count, cache->hits, cache->misses};
    pthread_mutex_unlock(&cache->lock);
}
