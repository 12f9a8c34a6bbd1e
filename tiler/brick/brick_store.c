// SPDX-License-Identifier: Apache-2.0
#include "brick/brick_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "brick/brick_store_private.h"
#include "brick/predictor.h"

int brick_store_new_with(struct worker_pool *pool, const struct brick_store_options *options,
                         const struct field_access *access, double (*now)(void), struct brick_store **result) {
    struct brick_store *store = calloc(1, sizeof *store);
    uint8_t *fill;
    *result = NULL;
    if (!store) return VIRGA_NO_MEMORY;
    if (pthread_mutex_init(&store->lock, NULL)) goto fail;
    if (pthread_cond_init(&store->changed, NULL)) {
        pthread_mutex_destroy(&store->lock);
        goto fail;
    }
    store->pool = pool;
    store->access = access;
    store->now = now;
    store->memory = options->memory;
    store->spool_limit = options->spool_limit;
    store->complete_end = &store->complete;
    store->cache = brick_cache_new();
    store->empty = shared_bytes_new(0, &fill);
    store->spool_dir = options->spool_dir ? strdup(options->spool_dir) : NULL;
    if (store->cache && store->empty && (store->spool_dir || !options->spool_dir)) {
        *result = store;
        return VIRGA_OK;
    }
    brick_store_free(store);
    return VIRGA_NO_MEMORY;
fail:
    free(store);
    return VIRGA_NO_MEMORY;
}

size_t brick_store_used(struct brick_store *store) {
    return store->volume_bytes + store->meta_bytes + store->reserved + brick_cache_size(store->cache);
}

// --- Jobs, waiters, callbacks.

int brick_store_add_job(struct brick_store *store, enum worker_lane lane, int priority, worker_job job, void *argument) {
    if (store->stopping) return VIRGA_CANCELLED;
    int status = worker_pool_try_add(store->pool, lane, priority, job, argument);
    if (!status) store->jobs++;
    return status;
}

void brick_store_job_done(struct brick_store *store) {
    pthread_mutex_lock(&store->lock);
    for (;;) {
        if (store->queued) step_build_pump(store);
        if (store->queued && store->jobs == 1) step_build_give_up(store);  // no other job would start it
        if (!store->complete) break;
        pthread_mutex_unlock(&store->lock);
        brick_store_deliver(store);
        pthread_mutex_lock(&store->lock);
    }
    store->jobs--;
    pthread_cond_broadcast(&store->changed);
    pthread_mutex_unlock(&store->lock);
}

void brick_store_complete(struct brick_store *store, struct waiter *list, int status, struct shared_bytes *bytes,
                          const struct failure *failure) {
    for (struct waiter *w = list, *next; w; w = next) {
        next = w->next;
        w->next = NULL;
        w->status = status;
        w->bytes = status ? NULL : shared_bytes_ref(bytes);
        if (status && failure) w->failure = *failure;
        *store->complete_end = w;
        store->complete_end = &w->next;
    }
}

void brick_store_deliver(struct brick_store *store) {
    pthread_mutex_lock(&store->lock);
    struct waiter *w;
    while ((w = store->complete)) {
        store->complete = w->next;
        if (!store->complete) store->complete_end = &store->complete;
        struct running_callback running = {.next = store->running, .user = w->user, .thread = pthread_self()};
        store->running = &running;
        pthread_mutex_unlock(&store->lock);
        w->done(w->user, w->status, w->bytes, w->status ? &w->failure : NULL);
        free(w);
        pthread_mutex_lock(&store->lock);
        struct running_callback **slot = &store->running;
        while (*slot != &running) slot = &(*slot)->next;
        *slot = running.next;
        pthread_cond_broadcast(&store->changed);
    }
    pthread_mutex_unlock(&store->lock);
}

static bool runs_elsewhere(const struct brick_store *store, const void *user) {
    for (const struct running_callback *r = store->running; r; r = r->next)
        if (r->user == user && !pthread_equal(r->thread, pthread_self())) return true;
    return false;
}

static void remove_user(struct waiter **list, const void *user) {
    while (*list) {
        struct waiter *w = *list;
        if (w->user != user) {
            list = &w->next;
            continue;
        }
        *list = w->next;
        shared_bytes_unref(w->bytes);
        free(w);
    }
}

void brick_store_cancel(struct brick_store *store, void *user) {
    pthread_mutex_lock(&store->lock);
    for (struct step *s = store->newest; s; s = s->older) remove_user(&s->waiters, user);
    for (size_t b = 0; b < JOB_BUCKETS; b++)
        for (struct brick_job *job = store->brick_jobs[b]; job; job = job->next) remove_user(&job->waiters, user);
    for (struct step *s = store->newest; s; s = s->older)
        if (s->state == STEP_BUILDING && !brick_store_wanted(s)) step_build_stop(s);
    remove_user(&store->complete, user);
    store->complete_end = &store->complete;
    while (*store->complete_end) store->complete_end = &(*store->complete_end)->next;
    while (runs_elsewhere(store, user)) pthread_cond_wait(&store->changed, &store->lock);
    pthread_mutex_unlock(&store->lock);
}

bool brick_store_wanted(const struct step *step) {
    if (step->waiters) return true;
    for (const struct brick_job *job = step->bricks; job; job = job->next_waiting)
        if (job->waiters) return true;
    return false;
}

static int add_waiter(struct waiter **list, brick_store_done done, void *user, struct failure *failure) {
    struct waiter *w = calloc(1, sizeof *w);
    if (!w) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    w->done = done;
    w->user = user;
    while (*list) list = &(*list)->next;
    *list = w;
    return VIRGA_AGAIN;
}

// --- Steps.

static void step_use(struct brick_store *store, struct step *step) {
    if (store->newest == step) return;
    *(step->newer ? &step->newer->older : &store->newest) = step->older;
    *(step->older ? &step->older->newer : &store->oldest) = step->newer;
    step->newer = NULL;
    step->older = store->newest;
    *(step->older ? &step->older->newer : &store->oldest) = step;
    store->newest = step;
}

static struct step *step_find(struct brick_store *store, const struct brick_key *key) {
    struct brick_key of_step = *key;
    of_step.level = of_step.x = of_step.y = of_step.z = 0;
    struct step *step = store->steps[brick_key_hash(&of_step) % STEP_BUCKETS];
    while (step && !brick_key_equal(&step->key, &of_step)) step = step->next;
    if (step) step_use(store, step);
    return step;
}

static struct step *step_new(struct brick_store *store, const struct brick_key *key, const struct field_ref *field) {
    struct step *step = calloc(1, sizeof *step);
    if (!step) return NULL;
    step->key = *key;
    step->key.level = step->key.x = step->key.y = step->key.z = 0;
    brick_store_shape(field->dataset, field->variable, &step->shape);
    step->lattice = field->dataset->variables[field->variable].lattice;
    step->far = store->access->far && store->access->far(field);
    step->early = store->access->early && store->access->early(field);
    struct step **slot = &store->steps[brick_key_hash(&step->key) % STEP_BUCKETS];
    step->next = *slot;
    *slot = step;
    step->older = store->newest;
    *(step->older ? &step->older->newer : &store->oldest) = step;
    store->newest = step;
    store->step_count++;
    brick_room_recount(store, step);
    brick_room_trim_steps(store);
    return step;
}

static int key_of(const struct field_ref *field, struct brick_key *key, struct failure *failure) {
    const struct catalog_dataset *dataset = field->dataset;
    if (!dataset || field->variable >= dataset->variable_count || field->run >= dataset->run_count)
        return failure_set(failure, VIRGA_NOT_FOUND, "no such variable or run");
    const struct catalog_series *series = &dataset->runs[field->run].series[field->variable];
    if (!series->present || field->step >= series->time_count || field->member >= dataset->variables[field->variable].member_count)
        return failure_set(failure, VIRGA_NOT_FOUND, "no such time or member of %s", dataset->variables[field->variable].id);
    memset(key, 0, sizeof *key);
    snprintf(key->edition, sizeof key->edition, "%s", catalog_step_edition(field));
    key->member = (uint32_t)field->member;
    key->step = (uint32_t)field->step;
    return VIRGA_OK;
}

// The step of a request, made if need be. NULL: *status says why.
static struct step *step_get(struct brick_store *store, const struct brick_key *key, const struct field_ref *field, int *status,
                             struct failure *failure) {
    struct step *step = step_find(store, key);
    *status = VIRGA_OK;
    if (!step && !(step = step_new(store, key, field))) {
        *status = failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
        return NULL;
    }
    if (step->state != STEP_FAILED) return step;
    if (store->now() - step->failed_at < FAILURE_SECONDS) {
        if (failure) *failure = step->failure;
        *status = step->failure.status;
        return NULL;
    }
    step->state = STEP_IDLE;
    return step;
}

static const char BUSY[] = "too much is asked for at once; try again later";

static int ensure_build(struct brick_store *store, struct step *step, struct catalog *catalog, const struct field_ref *field,
                        int priority, struct failure *failure) {
    if (step->state != STEP_IDLE) {
        if (priority > step->priority) step->priority = priority;
        return VIRGA_AGAIN;
    }
    step->priority = priority;
    step_build_queue(store, step, catalog, field);
    step_build_pump(store);
    if (step->state != STEP_QUEUED || store->jobs) return VIRGA_AGAIN;
    step_build_unqueue(store, step);  // no job of ours would ever start it
    return failure_set(failure, VIRGA_NO_MEMORY, BUSY);
}

int brick_store_table(struct brick_store *store, struct catalog *catalog, const struct field_ref *field, int priority,
                      struct shared_bytes **bytes, brick_store_done done, void *user, struct failure *failure) {
    struct brick_key key;
    *bytes = NULL;
    int status = key_of(field, &key, failure);
    if (status) return status;
    pthread_mutex_lock(&store->lock);
    struct step *step = step_find(store, &key);
    if (step && step->table_bytes) {
        *bytes = shared_bytes_ref(step->table_bytes);
        store->counts.hits++;
    } else if ((step = step_get(store, &key, field, &status, failure))) {
        store->counts.misses++;
        status = add_waiter(&step->waiters, done, user, failure);
        if (status == VIRGA_AGAIN && (status = ensure_build(store, step, catalog, field, priority, failure)) != VIRGA_AGAIN)
            remove_user(&step->waiters, user);
    }
    pthread_mutex_unlock(&store->lock);
    return status;
}

struct step_volume *brick_store_volume(struct brick_store *store, const struct field_ref *field) {
    struct brick_key key;
    struct step_volume *volume = NULL;
    if (key_of(field, &key, NULL)) return NULL;
    pthread_mutex_lock(&store->lock);
    const struct step *step = step_find(store, &key);
    if (step && step->volume && step_volume_base(step->volume) == 0) volume = step_volume_ref(step->volume);
    pthread_mutex_unlock(&store->lock);
    return volume;
}

// --- Bricks.

static struct brick_job **job_slot(struct brick_store *store, const struct brick_key *key) {
    struct brick_job **slot = &store->brick_jobs[brick_key_hash(key) % JOB_BUCKETS];
    while (*slot && !brick_key_equal(&(*slot)->key, key)) slot = &(*slot)->next;
    return slot;
}

static void job_end(struct brick_store *store, struct brick_job *job, int status, struct shared_bytes *bytes,
                    const struct failure *failure) {
    brick_store_complete(store, job->waiters, status, bytes, failure);
    *job_slot(store, &job->key) = job->next;
    free(job);
}

void brick_store_fail_bricks(struct brick_store *store, struct step *step, int status, const struct failure *failure) {
    struct brick_job *job;
    while ((job = step->bricks)) {
        step->bricks = job->next_waiting;
        job_end(store, job, status, NULL, failure);
    }
}

static struct workshop *workshop_take(struct brick_store *store) {
    pthread_mutex_lock(&store->lock);
    struct workshop *shop = store->workshops;
    if (shop) store->workshops = shop->next;
    pthread_mutex_unlock(&store->lock);
    if (shop) return shop;
    if (!(shop = calloc(1, sizeof *shop))) return NULL;
    if ((shop->encoder = brick_encoder_new())) return shop;
    free(shop);
    return NULL;
}

// Where a table that was made before does not say that a brick is constant or wholly missing, the brick has bytes all the same.
static int encode(struct brick_encoder *encoder, const uint32_t size[3], const int32_t *q, enum brick_kind told, struct shared_bytes **bytes) {
    int status = brick_encode(encoder, size, q, NULL, bytes);
    if (status || (*bytes)->size > 0 || told <= BRICK_CONSTANT) return status;
    shared_bytes_unref(*bytes);
    return brick_encode_as(encoder, size, q, NULL, PREDICTOR_NONE, 1, bytes);
}

static int encode_one(struct brick_job *job, struct step_volume *volume, struct shared_bytes **bytes, struct failure *failure) {
    struct brick_store *store = job->store;
    struct workshop *shop = workshop_take(store);
    if (!shop) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    const struct brick_key *k = &job->key;
    const enum brick_kind told = (enum brick_kind)step_table_at(job->step->table, k->level, k->x, k->y, k->z)->kind;  // it came with the volume
    uint32_t size[3];
    int status = volume_tiler_brick(volume, k->level, k->x, k->y, k->z, size, shop->q, failure);
    if (!status && (status = encode(shop->encoder, size, shop->q, told, bytes)))
        failure_set(failure, status, "a brick could not be encoded: %s", status_name(status));
    pthread_mutex_lock(&store->lock);
    shop->next = store->workshops;
    store->workshops = shop;
    pthread_mutex_unlock(&store->lock);
    return status;
}

static void run_brick(void *argument, bool cancelled) {
    struct brick_job *job = argument;
    struct brick_store *store = job->store;
    struct step *step = job->step;  // pinned
    struct shared_bytes *bytes = NULL;
    struct failure failure = {0};
    pthread_mutex_lock(&store->lock);
    const bool wanted = job->waiters && !cancelled && !store->stopping;
    struct step_volume *volume = step_volume_ref(step->volume);  // a build may put another one in its place, which has finer levels
    pthread_mutex_unlock(&store->lock);
    int status = VIRGA_CANCELLED;
    if (wanted)
        status = encode_one(job, volume, &bytes, &failure);
    else
        failure_set(&failure, VIRGA_CANCELLED, "cancelled");
    pthread_mutex_lock(&store->lock);
    step->pins--;
    store->bricks_at_work--;
    store->counts.bricks_encoded += status == VIRGA_OK;
    if (!status) {
        while (brick_store_used(store) + bytes->size + 512 > store->memory && brick_cache_evict(store->cache)) {}  // an entry takes more
        brick_cache_put(store->cache, &job->key, bytes);
    }
    if (status == VIRGA_CANCELLED && job->waiters && !cancelled && !store->stopping) {  // somebody came in between
        job->next_waiting = step->bricks;
        step->bricks = job;
        brick_store_start_bricks(store, step);
    } else {
        job_end(store, job, status, bytes, &failure);
    }
    const bool full = brick_store_used(store) > store->memory;
    pthread_mutex_unlock(&store->lock);
    shared_bytes_unref(bytes);
    step_volume_free(volume);
    if (full) brick_room_make(store);
    brick_store_job_done(store);
}

static bool has_level(const struct step *step, uint32_t level) { return step->volume && step_volume_base(step->volume) <= level; }

void brick_store_start_bricks(struct brick_store *store, struct step *step) {
    for (struct brick_job **slot = &step->bricks, *job; (job = *slot);) {
        if (!has_level(step, job->key.level)) {
            slot = &job->next_waiting;
            continue;
        }
        *slot = job->next_waiting;
        struct failure failure;
        int status = brick_store_add_job(store, LANE_COMPUTE, job->priority, run_brick, job);
        if (status) {
            failure_set(&failure, status, BUSY);
            job_end(store, job, status, NULL, &failure);
            continue;
        }
        step->pins++;
        store->bricks_at_work++;
    }
}

static int request_brick(struct brick_store *store, struct catalog *catalog, const struct field_ref *field,
                         const struct brick_key *key, struct step *step, int priority, brick_store_done done, void *user,
                         struct failure *failure) {
    struct brick_job **slot = job_slot(store, key), *job = *slot;
    if (job) {
        if (priority > job->priority) job->priority = priority;
        return add_waiter(&job->waiters, done, user, failure);
    }
    job = calloc(1, sizeof *job);
    if (!job || add_waiter(&job->waiters, done, user, failure) != VIRGA_AGAIN) {
        free(job);
        return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    }
    job->store = store;
    job->key = *key;
    job->step = step;
    job->priority = priority;
    *slot = job;
    int status;
    if (has_level(step, key->level)) {
        status = brick_store_add_job(store, LANE_COMPUTE, priority, run_brick, job);
        if (!status) {
            step->pins++;
            store->bricks_at_work++;
            return VIRGA_AGAIN;
        }
        failure_set(failure, status, BUSY);
    } else {
        job->next_waiting = step->bricks;
        step->bricks = job;
        status = ensure_build(store, step, catalog, field, priority, failure);
        if (status == VIRGA_AGAIN) return status;
        step->bricks = job->next_waiting;
    }
    *slot = job->next;
    free(job->waiters);
    free(job);
    return status;
}

int brick_store_brick(struct brick_store *store, struct catalog *catalog, const struct field_ref *field, uint32_t level,
                      uint32_t x, uint32_t y, uint32_t z, int priority, struct shared_bytes **bytes, brick_store_done done,
                      void *user, struct failure *failure) {
    struct brick_key key;
    *bytes = NULL;
    int status = key_of(field, &key, failure);
    if (status) return status;
    key.level = level, key.x = x, key.y = y, key.z = z;
    pthread_mutex_lock(&store->lock);
    struct step *step = step_find(store, &key);
    if ((*bytes = brick_cache_get(store->cache, &key))) goto hit;
    if (!step && !(step = step_get(store, &key, field, &status, failure))) goto done;
    if (!brick_key_inside(&key, &step->shape)) {
        status = failure_set(failure, VIRGA_NOT_FOUND, "no such brick: level %u, %u %u %u", level, x, y, z);
        goto done;
    }
    if (step->table && step_table_at(step->table, level, x, y, z)->kind <= BRICK_CONSTANT) {
        *bytes = shared_bytes_ref(store->empty);
        goto hit;
    }
    if (!(step && has_level(step, level)) && !(step = step_get(store, &key, field, &status, failure))) goto done;
    store->counts.misses++;
    status = request_brick(store, catalog, field, &key, step, priority, done, user, failure);
    goto done;
hit:
    store->counts.hits++;
done:
    pthread_mutex_unlock(&store->lock);
    return status;
}

// --- The end.

static void stop(struct brick_store *store) {
    struct failure failure;
    failure_set(&failure, VIRGA_CANCELLED, "the server is stopping");
    pthread_mutex_lock(&store->lock);
    store->stopping = true;
    for (struct step *s = store->newest; s; s = s->older) {
        if (s->state == STEP_QUEUED) step_build_unqueue(store, s);
        if (s->state == STEP_BUILDING) step_build_stop(s);
        brick_store_complete(store, s->waiters, VIRGA_CANCELLED, NULL, &failure);
        s->waiters = NULL;
        brick_store_fail_bricks(store, s, VIRGA_CANCELLED, &failure);
    }
    while (store->jobs || store->running) pthread_cond_wait(&store->changed, &store->lock);
    pthread_mutex_unlock(&store->lock);
    brick_store_deliver(store);
}

void brick_store_free(struct brick_store *store) {
    if (!store) return;
    stop(store);
    while (store->oldest) brick_room_forget(store, store->oldest);
    while (store->workshops) {
        struct workshop *shop = store->workshops;
        store->workshops = shop->next;
        brick_encoder_free(shop->encoder);
        free(shop);
    }
    brick_cache_free(store->cache);
    shared_bytes_unref(store->empty);
    free(store->spool_dir);
    pthread_cond_destroy(&store->changed);
    pthread_mutex_destroy(&store->lock);
    free(store);
}

void brick_store_stats(struct brick_store *store, struct brick_store_stats *stats) {
    pthread_mutex_lock(&store->lock);
    *stats = store->counts;
    stats->memory = brick_store_used(store) - store->reserved + store->building;
    stats->spooled = store->spool_bytes;
    pthread_mutex_unlock(&store->lock);
}

const struct histogram *brick_store_step_seconds(const struct brick_store *store) { return &store->step_seconds; }
