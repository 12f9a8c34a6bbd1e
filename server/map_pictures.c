// SPDX-License-Identifier: Apache-2.0
// Pictures of the service: each is made once for all who wait for it, and kept.
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "server/map_service_private.h"

static const size_t large = (size_t)1 << 21;  // pixels of pictures that have a thread of their own, so that they hold up no others

struct shared_bytes *map_service_find(struct map_service *service, const char key[MAP_KEY]) {
    pthread_mutex_lock(&service->lock);
    struct shared_bytes *bytes = picture_cache_get(service->cache, key);
    if (bytes) service->counts.hits++;
    else service->counts.misses++;
    pthread_mutex_unlock(&service->lock);
    return bytes;
}

// --- Making one.

static int get_plane(struct map_picture *picture, size_t layer, bool partner, struct map_service *service, struct failure *failure) {
    struct plane **plane = partner ? &picture->planes[layer].partner : &picture->planes[layer].plane;
    if (*plane || !map_drawing_needs_plane(&picture->drawing, layer, partner)) return VIRGA_OK;
    return map_service_plane(service, &picture->drawing.layers[layer], partner, &picture->job.stop, plane, failure);
}

static int wait(struct map_job *job, struct map_service *service, struct failure *failure) {
    struct map_picture *picture = (struct map_picture *)job;
    int status = VIRGA_OK;
    for (size_t n = 0; n < 2 * picture->drawing.count && !status; n++) status = get_plane(picture, n / 2, n % 2, service, failure);
    return status;
}

static int work(struct map_job *job, struct map_service *service, struct failure *failure) {
    struct map_picture *picture = (struct map_picture *)job;
    double began = clock_monotonic();
    int status = map_drawing_draw(&picture->drawing, picture->planes, &picture->bytes, failure);
    histogram_add(&service->draw_seconds, clock_monotonic() - began);
    return status;
}

static void leave_list(struct map_service *service, struct map_picture *picture) {
    struct map_picture **at = &service->pictures;
    while (picture->joinable && *at != picture) at = &(*at)->next;
    if (picture->joinable) *at = picture->next;
    picture->joinable = false;
}

static void free_picture(struct map_picture *picture) {
    for (size_t n = 0; n < MAP_PICTURE_LAYERS; n++) {
        plane_unref(picture->planes[n].plane);
        plane_unref(picture->planes[n].partner);
    }
    map_drawing_destroy(&picture->drawing);
    shared_bytes_unref(picture->bytes);
    free(picture);
}

// Those who wait are told without the lock: that wakes others, who would stand before it.
static void tell(struct map_waiter *waiters, int status, struct shared_bytes *bytes, const struct failure *failure) {
    while (waiters) {
        struct map_waiter *waiter = waiters;
        waiters = waiter->next;  // whoever is told may free it
        waiter->done(waiter, status, status ? NULL : shared_bytes_ref(bytes), failure);
    }
}

static void done(struct map_job *job, int status, const struct failure *failure) {
    struct map_picture *picture = (struct map_picture *)job;
    struct map_service *service = job->service;
    pthread_mutex_lock(&service->lock);
    leave_list(service, picture);
    if (!status) {
        picture_cache_put(service->cache, picture->key, picture->bytes);
        service->counts.drawn++;
    } else if (status != VIRGA_CANCELLED) {
        service->counts.failed++;
    }
    for (struct map_waiter *waiter = picture->waiters; waiter; waiter = waiter->next) waiter->picture = NULL;
    pthread_mutex_unlock(&service->lock);
    tell(picture->waiters, status, picture->bytes, failure);
    free_picture(picture);
}

// --- Asking for one.

// Whether all planes that it needs are there already.
static bool find_planes(struct map_service *service, struct map_picture *picture) {
    bool all = true;
    for (size_t n = 0; n < picture->drawing.count; n++) {
        const struct map_layer *layer = &picture->drawing.layers[n];
        struct map_planes *planes = &picture->planes[n];
        const bool one = map_drawing_needs_plane(&picture->drawing, n, false), other = map_drawing_needs_plane(&picture->drawing, n, true);
        if (one) planes->plane = map_service_find_plane(service, layer, false);
        if (other) planes->partner = map_service_find_plane(service, layer, true);
        all = all && (!one || planes->plane) && (!other || planes->partner);
    }
    return all;
}

static struct map_picture *new_picture(struct map_service *service, struct map_drawing *drawing, const char *key) {
    struct map_picture *picture = calloc(1, sizeof *picture);
    if (!picture) {
        map_drawing_destroy(drawing);
        return NULL;
    }
    picture->drawing = *drawing;
    memset(drawing, 0, sizeof *drawing);
    memcpy(picture->key, key, MAP_KEY);
    picture->drawing.options.stop = &picture->job.stop;
    picture->job = (struct map_job){.wait = wait, .work = work, .done = done};
    if (find_planes(service, picture)) picture->job.wait = NULL;
    return picture;
}

static void add_waiter(struct map_picture *picture, struct map_waiter *waiter) {
    waiter->picture = picture;
    waiter->next = picture->waiters;
    picture->waiters = waiter;
}

// With the lock held.
static bool join(struct map_service *service, const char *key, struct map_waiter *waiter) {
    struct map_picture *picture = service->pictures;
    while (picture && strcmp(picture->key, key)) picture = picture->next;
    if (picture) add_waiter(picture, waiter);
    return picture;
}

static int begin(struct map_service *service, struct map_picture *picture, struct map_waiter *waiter, struct failure *failure) {
    pthread_mutex_lock(&service->lock);
    const int priority = map_drawing_pixels(&picture->drawing) > large ? -1 : 0;
    int status = map_service_run_locked(service, &picture->job, priority, failure);
    if (!status) {
        add_waiter(picture, waiter);
        picture->joinable = true;
        picture->next = service->pictures;
        service->pictures = picture;
    }
    pthread_mutex_unlock(&service->lock);
    if (status) free_picture(picture);
    return status;
}

int map_service_draw(struct map_service *service, struct map_drawing *drawing, const char key[MAP_KEY], struct map_waiter *waiter, struct failure *failure) {
    pthread_mutex_lock(&service->lock);
    bool joined = join(service, key, waiter);
    pthread_mutex_unlock(&service->lock);
    if (joined) {
        map_drawing_destroy(drawing);
        return VIRGA_OK;
    }
    struct map_picture *picture = new_picture(service, drawing, key);
    return picture ? begin(service, picture, waiter, failure) : failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
}

bool map_service_drop(struct map_service *service, struct map_waiter *waiter) {
    pthread_mutex_lock(&service->lock);
    struct map_picture *picture = waiter->picture;
    if (picture) {
        struct map_waiter **at = &picture->waiters;
        while (*at != waiter) at = &(*at)->next;
        *at = waiter->next;
        waiter->picture = NULL;
        if (!picture->waiters) {
            leave_list(service, picture);
            atomic_store(&picture->job.stop, true);
        }
    }
    pthread_mutex_unlock(&service->lock);
    return picture;
}
