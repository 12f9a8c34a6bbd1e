// SPDX-License-Identifier: Apache-2.0
#include "render/ground_sketch.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

// --- one ---------------------------------------------------------------------------------------------------------------

struct ground_sketch *ground_sketch_new(const struct ground_sketch_key *key, size_t tile_count) {
    struct ground_sketch *sketch = calloc(1, sizeof *sketch);
    if (!sketch) return NULL;
    sketch->key = *key;
    sketch->tile_count = tile_count;
    if ((sketch->tiles = calloc(tile_count, sizeof *sketch->tiles))) return sketch;
    free(sketch);
    return NULL;
}

void ground_sketch_unref(struct ground_sketch *sketch) {
    if (!sketch || atomic_fetch_sub(&sketch->more, 1) > 0) return;
    for (size_t n = 0; n < sketch->tile_count; n++) {
        ground_points_destroy(&sketch->tiles[n].points);
        free(sketch->tiles[n].ink);
        free(sketch->tiles[n].distance);
    }
    free(sketch->tiles);
    free(sketch);
}

static void *copy_of(const void *bytes, size_t size) {
    void *copy = malloc(size ? size : 1);
    return copy ? memcpy(copy, bytes, size) : NULL;
}

void ground_sketch_put(struct ground_sketch *sketch, size_t index, const struct ground_tile *tile) {
    struct ground_tile *copy = &sketch->tiles[index];
    *copy = *tile;
    copy->ink = copy_of(tile->ink, tile->inked * sizeof *tile->ink);
    copy->distance = copy_of(tile->distance, tile->width * tile->height * sizeof *tile->distance);
    if (ground_points_copy(&tile->points, &copy->points) || !copy->ink || !copy->distance) atomic_store(&sketch->failed, true);
}

static void measure(struct ground_sketch *sketch) {
    sketch->memory = sizeof *sketch + sketch->tile_count * sizeof *sketch->tiles;
    for (size_t n = 0; n < sketch->tile_count; n++) {
        const struct ground_tile *tile = &sketch->tiles[n];
        if (tile->points.count > sketch->points) sketch->points = tile->points.count;
        sketch->memory += ground_points_memory(&tile->points) + tile->inked * sizeof *tile->ink + tile->width * tile->height * sizeof *tile->distance;
    }
}

// --- those that are kept -----------------------------------------------------------------------------------------------

int ground_sketches_init(struct ground_sketches *sketches, size_t most) {
    *sketches = (struct ground_sketches){.most = most};
    return pthread_mutex_init(&sketches->lock, NULL) ? VIRGA_NO_MEMORY : VIRGA_OK;
}

void ground_sketches_destroy(struct ground_sketches *sketches) {
    for (size_t n = 0; n < GROUND_SKETCHES_MOST; n++) ground_sketch_unref(sketches->kept[n]);
    pthread_mutex_destroy(&sketches->lock);
}

static bool same(const struct ground_sketch_key *a, const struct ground_sketch_key *b) { return !memcmp(a, b, sizeof *a); }

static struct ground_sketch *find(const struct ground_sketches *sketches, const struct ground_sketch_key *key) {
    for (size_t n = 0; n < GROUND_SKETCHES_MOST; n++)
        if (sketches->kept[n] && same(&sketches->kept[n]->key, key)) return sketches->kept[n];
    return NULL;
}

// Whether the key is among those that were asked for last; it is from now on.
static bool note(struct ground_sketches *sketches, const struct ground_sketch_key *key) {
    const uint64_t hash = XXH3_64bits(key, sizeof *key);
    for (size_t n = 0; n < GROUND_SKETCHES_SEEN; n++)
        if (sketches->seen[n] == hash) return true;
    sketches->seen[sketches->clock % GROUND_SKETCHES_SEEN] = hash;
    return false;
}

// About what one takes: a point and a distance a pixel.
static size_t likely_memory(const struct ground_sketch_key *key) {
    enum { POINT = sizeof(uint32_t) + sizeof(uint8_t) + 8 * sizeof(float) };
    return (size_t)key->width * key->height * (POINT + sizeof(float));
}

struct ground_sketch *ground_sketches_find(struct ground_sketches *sketches, const struct ground_sketch_key *key, bool *again) {
    pthread_mutex_lock(&sketches->lock);
    struct ground_sketch *found = find(sketches, key);
    *again = note(sketches, key) && likely_memory(key) <= sketches->most;
    sketches->clock++;
    if (found) {
        found->used = sketches->clock;
        atomic_fetch_add(&found->more, 1);
    }
    pthread_mutex_unlock(&sketches->lock);
    return found;
}

static void drop(struct ground_sketches *sketches, struct ground_sketch **kept) {
    sketches->memory -= (*kept)->memory;
    ground_sketch_unref(*kept);
    *kept = NULL;
}

// A free place after those that were used least have left; NULL: it does not fit.
static struct ground_sketch **make_place(struct ground_sketches *sketches, size_t memory) {
    if (memory > sketches->most) return NULL;
    for (;;) {
        struct ground_sketch **free_one = NULL, **oldest = NULL;
        for (size_t n = 0; n < GROUND_SKETCHES_MOST; n++) {
            struct ground_sketch **at = &sketches->kept[n];
            if (!*at) free_one = at;
            else if (!oldest || (*at)->used < (*oldest)->used) oldest = at;
        }
        if (free_one && sketches->memory + memory <= sketches->most) return free_one;
        drop(sketches, oldest);
    }
}

void ground_sketches_add(struct ground_sketches *sketches, struct ground_sketch *sketch) {
    if (atomic_load(&sketch->failed)) return;
    measure(sketch);
    pthread_mutex_lock(&sketches->lock);
    struct ground_sketch **place = find(sketches, &sketch->key) ? NULL : make_place(sketches, sketch->memory);
    if (place) {
        *place = sketch;
        sketch->used = sketches->clock;
        sketches->memory += sketch->memory;
        atomic_fetch_add(&sketch->more, 1);
    }
    pthread_mutex_unlock(&sketches->lock);
}
