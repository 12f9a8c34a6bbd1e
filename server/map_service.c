// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "server/map_service_private.h"

enum { NICENESS = 2, LARGE_NICENESS = 10 };  // viewers of the page, and the service thread, come first where there are too few processors

// --- Jobs.

static void link_job(struct map_service *service, struct map_job *job) {
    job->previous = &service->jobs;
    job->next = service->jobs;
    if (job->next) job->next->previous = &job->next;
    service->jobs = job;
    service->under_way++;
}

static void unlink_job(struct map_job *job) {
    *job->previous = job->next;
    if (job->next) job->next->previous = job->previous;
    job->service->under_way--;
}

static void finish(struct map_job *job, int status, const struct failure *failure) {
    struct map_service *service = job->service;
    pthread_mutex_lock(&service->lock);
    unlink_job(job);
    pthread_mutex_unlock(&service->lock);
    job->done(job, status, failure);
}

// Whether it is worth to begin, or to go on.
static int check(const struct map_job *job, bool cancelled, struct failure *failure) {
    if (cancelled || atomic_load(&job->stop)) return failure_set(failure, VIRGA_CANCELLED, "the map is not wanted any more");
    if (clock_monotonic() - job->asked < MAP_SERVICE_SECONDS) return VIRGA_OK;
    return failure_set(failure, VIRGA_TIMED_OUT, "the map waited for %d seconds: too much is asked for at once", MAP_SERVICE_SECONDS);
}

static void compute(void *argument, bool cancelled) {
    struct map_job *job = argument;
    struct failure failure = {0};
    int status = check(job, cancelled, &failure);
    if (!status) status = job->work(job, job->service, &failure);
    finish(job, status, &failure);
}

static void wait_for_planes(void *argument, bool cancelled) {
    struct map_job *job = argument;
    struct failure failure = {0};
    int status = check(job, cancelled, &failure);
    if (!status) status = job->wait(job, job->service, &failure);
    if (!status && job->work) {
        status = worker_pool_try_add(job->service->pool, LANE_COMPUTE, job->priority, compute, job);
        if (!status) return;
        failure_set(&failure, VIRGA_CANCELLED, "the server is stopping");
    }
    finish(job, status, &failure);
}

int map_service_run_locked(struct map_service *service, struct map_job *job, int priority, struct failure *failure) {
    const bool waits = job->wait || !job->work;
    job->service = service;
    job->asked = clock_monotonic();
    job->priority = priority;
    if (service->stopping || service->under_way >= MAP_SERVICE_QUEUE) {
        service->counts.refused++;
        return failure_set(failure, VIRGA_TOO_LARGE, "too many maps are asked for at once; try again in a moment");
    }
    link_job(service, job);
    int status = worker_pool_try_add(service->pool, waits ? LANE_READ : LANE_COMPUTE, priority, waits ? wait_for_planes : compute, job);
    if (!status) return VIRGA_OK;
    unlink_job(job);
    return failure_set(failure, VIRGA_TOO_LARGE, "too many maps are asked for at once; try again in a moment");
}

int map_service_run(struct map_service *service, struct map_job *job, struct failure *failure) {
    pthread_mutex_lock(&service->lock);
    int status = map_service_run_locked(service, job, 0, failure);
    pthread_mutex_unlock(&service->lock);
    return status;
}

void map_service_give_up(struct map_job *job) { atomic_store(&job->stop, true); }

// --- Planes.

int map_service_plane(struct map_service *service, const struct map_layer *layer, bool partner, const atomic_bool *stop, struct plane **plane, struct failure *failure) {
    const struct plane_maker maker = {.store = service->options.bricks, .catalog = layer->catalog};
    struct field_ref field = partner ? layer->partner : layer->field;
    double began = clock_monotonic();
    field.stop = stop;
    int status = plane_cache_get(service->planes, &maker, &field, &layer->surface, plane, failure);
    histogram_add(&service->plane_seconds, clock_monotonic() - began);
    return status;
}

struct plane *map_service_find_plane(struct map_service *service, const struct map_layer *layer, bool partner) {
    return plane_cache_find(service->planes, partner ? &layer->partner : &layer->field, &layer->surface);
}

int map_service_heights(struct map_service *service, const struct map_layer *layer, const atomic_bool *stop, struct plane **plane, struct failure *failure) {
    const struct plane_maker maker = {.store = service->options.bricks, .catalog = layer->catalog};
    struct field_ref field = layer->field;
    field.stop = stop;
    return plane_cache_get_height(service->planes, &maker, &field, &layer->surface, plane, failure);
}

// --- Telling.

void map_service_stats(struct map_service *service, struct map_service_stats *stats) {
    struct plane_cache_stats planes;
    plane_cache_stats(service->planes, &planes);
    pthread_mutex_lock(&service->lock);
    *stats = service->counts;
    stats->under_way = service->under_way;
    stats->pictures = picture_cache_count(service->cache);
    stats->memory = picture_cache_size(service->cache) + planes.memory;
    stats->planes = planes.planes;
    pthread_mutex_unlock(&service->lock);
}

const struct histogram *map_service_draw_seconds(const struct map_service *service) { return &service->draw_seconds; }
const struct histogram *map_service_plane_seconds(const struct map_service *service) { return &service->plane_seconds; }

// --- Its life.

int map_service_new(const struct map_service_options *options, struct map_service **out, struct failure *failure) {
    const int threads[LANE_COUNT] = {[LANE_READ] = options->waiters, [LANE_COMPUTE] = options->drawers};
    const size_t pictures = options->memory / 4;  // a plane is some megabytes, and makes many pictures
    struct map_service *service = *out = calloc(1, sizeof *service);
    if (!service || pthread_mutex_init(&service->lock, NULL)) {
        free(service);
        *out = NULL;
        return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    }
    service->options = *options;
    service->planes = plane_cache_new(options->memory - pictures);
    service->cache = picture_cache_new(pictures);
    service->pool = worker_pool_new_nice(threads, (const int[LANE_COUNT]){[LANE_COMPUTE] = NICENESS}, MAP_SERVICE_QUEUE);
    const bool whole = service->planes && service->cache && service->pool;
    if (whole && !worker_pool_add_background(service->pool, (const int[LANE_COUNT]){1, 1}, LARGE_NICENESS)) return VIRGA_OK;
    map_service_free(service);
    *out = NULL;
    return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
}

void map_service_free(struct map_service *service) {
    if (!service) return;
    pthread_mutex_lock(&service->lock);
    service->stopping = true;
    for (struct map_job *job = service->jobs; job; job = job->next) atomic_store(&job->stop, true);
    pthread_mutex_unlock(&service->lock);
    worker_pool_free(service->pool);
    plane_cache_free(service->planes);
    picture_cache_free(service->cache);
    pthread_mutex_destroy(&service->lock);
    free(service);
}
