// SPDX-License-Identifier: Apache-2.0
// What a camera sees of the ground and its lines, before light, fields and shadows lie on them: tile by tile of the picture. Sketches are kept for cameras
// that come back: pins of one view, films whose camera rests. Private to the basemap.
#ifndef VIRGA_RENDER_GROUND_SKETCH_H
#define VIRGA_RENDER_GROUND_SKETCH_H

#include <pthread.h>

#include "render/basemap.h"
#include "render/ground_points.h"

enum { GROUND_TILE_X = 64, GROUND_TILE_Y = 32, GROUND_TILE = GROUND_TILE_X * GROUND_TILE_Y };  // pixels
enum { GROUND_ACROSS = 4 };  // samples along each axis of a pixel, at the most

// What lines put over a pixel: colour times alpha, and alpha.
struct ground_ink { uint32_t pixel; float rgba[4]; };

struct ground_tile {
    size_t x, y, width, height;  // pixels of the picture
    struct ground_points points; // `pixel` counts within the tile, row by row
    size_t inked;
    struct ground_ink *ink;      // one a pixel that has any
    float *distance;             // [height][width], as ray_marcher_draw wants it
};

// All that a sketch is made from, besides the basemap. To be zeroed first: bytes are compared.
struct ground_sketch_key {
    struct camera_matrices matrices;
    double exaggeration;
    unsigned width, height, across;
    struct basemap_show show;
};

// Immutable once kept.
struct ground_sketch {
    struct ground_sketch_key key;
    size_t tile_count;
    struct ground_tile *tiles;
    size_t points;         // of the tile that has most
    atomic_int more;       // references besides the first
    atomic_bool failed;    // while it is made: out of memory
    size_t memory;         // bytes
    uint64_t used;
};

// An empty one, with a reference for the caller. NULL when out of memory.
struct ground_sketch *ground_sketch_new(const struct ground_sketch_key *key, size_t tile_count);
void ground_sketch_unref(struct ground_sketch *sketch);  // NULL is allowed
// A copy of the tile; different tiles by different threads. Without memory for it the sketch has failed.
void ground_sketch_put(struct ground_sketch *sketch, size_t index, const struct ground_tile *tile);

// Those that are kept, the least used ones leaving first. Any thread.
enum { GROUND_SKETCHES_MOST = 32, GROUND_SKETCHES_SEEN = 32 };
struct ground_sketches {
    pthread_mutex_t lock;
    size_t most, memory;                              // bytes
    struct ground_sketch *kept[GROUND_SKETCHES_MOST];
    uint64_t seen[GROUND_SKETCHES_SEEN], clock;       // hashes of keys that were asked for last
};
int ground_sketches_init(struct ground_sketches *sketches, size_t most);  // VIRGA_OK or VIRGA_NO_MEMORY
void ground_sketches_destroy(struct ground_sketches *sketches);
// A reference, or NULL. *again: it was asked for before, not long ago, and there would be room for it: one is worth making.
struct ground_sketch *ground_sketches_find(struct ground_sketches *sketches, const struct ground_sketch_key *key, bool *again);
// Keeps a whole one, if it has not failed and there is room; the caller's reference stays the caller's.
void ground_sketches_add(struct ground_sketches *sketches, struct ground_sketch *sketch);

#endif
