// SPDX-License-Identifier: Apache-2.0
// Private to map_service.c and map_pictures.c.
#ifndef VIRGA_SERVER_MAP_SERVICE_PRIVATE_H
#define VIRGA_SERVER_MAP_SERVICE_PRIVATE_H

#include <pthread.h>

#include "base/worker_pool.h"
#include "server/map_service.h"
#include "server/picture_cache.h"

// A picture under way.
struct map_picture {
    struct map_job job;              // first
    struct map_picture *next;        // lock
    bool joinable;                   // lock; it is in the list
    char key[MAP_KEY];
    struct map_drawing drawing;
    struct map_waiter *waiters;      // lock
    struct map_planes planes[MAP_PICTURE_LAYERS];
    struct shared_bytes *bytes;
};

struct map_service {
    struct map_service_options options;
    struct worker_pool *pool;        // LANE_READ: those that wait; LANE_COMPUTE: those that compute
    struct plane_cache *planes;
    pthread_mutex_t lock;            // all below, but where it says that it needs none
    struct map_job *jobs;            // under way
    size_t under_way;
    bool stopping;
    struct map_picture *pictures;    // those under way that others may join
    struct picture_cache *cache;
    struct map_service_stats counts;
    struct histogram draw_seconds, plane_seconds;  // no lock
};

// The same as map_service_run, with the lock held.
int map_service_run_locked(struct map_service *service, struct map_job *job, int priority, struct failure *failure);

#endif
