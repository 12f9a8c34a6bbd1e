// SPDX-License-Identifier: Apache-2.0
// Makes maps, on threads of its own, once for all who ask for the same at a time, and keeps pictures and planes within a cap in bytes.
//
// Two kinds of threads: those that wait for planes (files, bricks), and those that compute. What is asked for goes to the first kind only where planes are not there yet.
#ifndef VIRGA_SERVER_MAP_SERVICE_H
#define VIRGA_SERVER_MAP_SERVICE_H

#include <stdatomic.h>

#include "base/histogram.h"
#include "base/shared_bytes.h"
#include "brick/brick_store.h"
#include "server/map_drawing.h"
#include "tile/plane_cache.h"

enum { MAP_SERVICE_QUEUE = 512, MAP_SERVICE_SECONDS = 60 };  // jobs that may be under way; seconds after which one that has not begun is given up

struct map_service;

struct map_service_options {
    struct brick_store *bricks;  // must outlive it
    size_t memory;               // bytes of planes and pictures that are kept
    int drawers, waiters;        // threads that compute, and that wait; at least 1 of each
};
int map_service_new(const struct map_service_options *options, struct map_service **service, struct failure *failure);
// Ends what is under way (VIRGA_CANCELLED). NULL is allowed. Afterwards no callback runs.
void map_service_free(struct map_service *service);

// --- Pictures. Any thread.

// Somebody who waits for a picture: the caller's, until `done` or map_service_drop.
struct map_waiter {
    struct map_waiter *next;     // the service's own, with `picture`
    struct map_picture *picture;
    // Once, on one of the service's threads; must be quick. VIRGA_OK with bytes (one reference).
    void (*done)(struct map_waiter *waiter, int status, struct shared_bytes *bytes, const struct failure *failure);
};

// A picture that is there (map_drawing_key): one reference, or NULL. Never blocks.
struct shared_bytes *map_service_find(struct map_service *service, const char key[MAP_KEY]);
// Makes one, and then tells the waiter. Takes over *drawing, which is empty afterwards, whatever is returned. VIRGA_OK, VIRGA_TOO_LARGE: too much is under way, try again
// later; VIRGA_NO_MEMORY. `done` is called only after VIRGA_OK.
int map_service_draw(struct map_service *service, struct map_drawing *drawing, const char key[MAP_KEY], struct map_waiter *waiter, struct failure *failure);
// The waiter waits no more, and what nobody waits for is given up. True: `done` will never be called; false: it was, or will be at once.
bool map_service_drop(struct map_service *service, struct map_waiter *waiter);

// --- Whatever else is made of planes. Any thread.

struct map_job {
    // Given, all of them; `wait` or `work` may be NULL. A failure of the first is the job's.
    int (*wait)(struct map_job *job, struct map_service *service, struct failure *failure);  // may block on planes, files and bricks; not for computing
    int (*work)(struct map_job *job, struct map_service *service, struct failure *failure);  // computes
    void (*done)(struct map_job *job, int status, const struct failure *failure);            // once, on one of the service's threads; the job is the caller's again
    atomic_bool stop;            // set by map_service_give_up; for field_ref.stop and loops
    // The service's own.
    struct map_service *service;
    struct map_job *next, **previous;
    double asked;
    int priority;
};
// VIRGA_OK; VIRGA_TOO_LARGE: too much is under way, and `done` is not called.
int map_service_run(struct map_service *service, struct map_job *job, struct failure *failure);
// Nobody wants it any more: `done` is called all the same, sooner.
void map_service_give_up(struct map_job *job);

// The plane of a layer's field, or of its partner; one reference for the caller (plane_unref). Blocks: from `wait` of a job only. Codes of plane_make.
int map_service_plane(struct map_service *service, const struct map_layer *layer, bool partner, const atomic_bool *stop, struct plane **plane, struct failure *failure);

// It where it is there, else NULL; never blocks. Any thread.
struct plane *map_service_find_plane(struct map_service *service, const struct map_layer *layer, bool partner);
// The heights of the layer's surface in the same columns, likewise (plane_make_height).
int map_service_heights(struct map_service *service, const struct map_layer *layer, const atomic_bool *stop, struct plane **plane, struct failure *failure);

// --- Telling. Any thread.

struct map_service_stats {
    size_t hits, misses;      // of map_service_find
    size_t drawn, failed;     // pictures
    size_t refused;           // because too much was under way
    size_t under_way;
    size_t memory, pictures, planes;  // bytes of both, and how many there are of each
};
void map_service_stats(struct map_service *service, struct map_service_stats *stats);
const struct histogram *map_service_draw_seconds(const struct map_service *service);   // drawing alone
const struct histogram *map_service_plane_seconds(const struct map_service *service);  // waiting for planes

#endif
