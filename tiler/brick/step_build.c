// SPDX-License-Identifier: Apache-2.0
#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/log.h"
#include "brick/brick_store_private.h"

enum { LEAST_BOX = 64 << 10, MOST_BOX = 2 << 20, MOST_FAR_BOX = 8 << 20 };  // bytes that travel for a box
enum { BYTES_A_VOXEL = 12, BYTES_A_BLOCK = 48, ANSWER_A_BLOCK = 32 };       // of a box at work: a double, int32; or five, and two

struct build {
    struct brick_store *store;
    struct step *step;
    struct catalog *catalog;
    struct field_ref field;
    atomic_bool stop;           // once true, reading is given up
    uint32_t level;             // that is read; above 0: in blocks
    bool in_file;               // the volume is made in a spool file
    size_t reserved, taken;     // lock; counted in store->reserved and store->building
    struct volume_tiler *tiler;
    struct field_box *boxes;
    size_t count, next, box_bytes;  // next: lock
    double began;
    int chains;                 // lock
    int status;                 // lock; why it stops
    struct failure failure;     // lock
};

struct chain {  // one box at a time: read, then add, then the next
    struct build *build;
    const struct field_box *box;
    double *values;
};

static size_t box_limit(const struct brick_store *store, const struct step *step) {
    const size_t share = store->memory / (step->far ? 64 : 128), most = step->far ? MOST_FAR_BOX : MOST_BOX;  // a way that is long is worth more
    return share < LEAST_BOX ? LEAST_BOX : share > most ? most : share;
}

// What is read next for a step. Coarse first: the table's level; else the finest that any of the most urgent bricks is of, so that what is less
// urgent, and finer, does not hold them up.
static uint32_t level_wanted(const struct step *step) {
    if (!step->early || step->whole) return 0;
    if (step->waiters && !step->table) return step->shape.level_count - 1;
    const struct brick_job *best = NULL;
    for (const struct brick_job *job = step->bricks; job; job = job->next_waiting) {
        if (!job->waiters) continue;
        if (!best || job->priority > best->priority || (job->priority == best->priority && job->key.level < best->key.level)) best = job;
    }
    return best ? best->key.level : step->shape.level_count - 1;
}

static bool goes_to_file(const struct brick_store *store, const struct step *step, uint32_t level) {
    return store->spool_dir && step_volume_voxels(&step->shape, level) > store->memory / sizeof(int32_t);
}

static size_t estimate(const struct brick_store *store, const struct step *step, uint32_t level) {
    const size_t buffers = BUILD_CHAINS * 3 * box_limit(store, step);
    if (goes_to_file(store, step, level)) return buffers;
    const size_t voxels = step_volume_voxels(&step->shape, level);
    return buffers + 2 * voxels + voxels / 4;  // sums and counts of slabs come to less than that
}

// --- The queue.

void step_build_queue(struct brick_store *store, struct step *step, struct catalog *catalog, const struct field_ref *field) {
    step->catalog = store->access->ref(catalog);
    step->field = *field;
    step->field.stop = NULL;  // each build has its own
    step->state = STEP_QUEUED;
    step->order = store->next_order++;
    store->queued++;
}

void step_build_unqueue(struct brick_store *store, struct step *step) {
    store->access->unref(step->catalog);
    step->catalog = NULL;
    step->state = STEP_IDLE;
    store->queued--;
}

static struct step *first_in_queue(struct brick_store *store) {
    struct step *best = NULL;
    for (struct step *s = store->newest; s; s = s->older) {
        if (s->state != STEP_QUEUED) continue;
        if (!best || s->priority > best->priority || (s->priority == best->priority && s->order < best->order)) best = s;
    }
    return best;
}

static void begin_build(void *argument, bool cancelled);

void step_build_stop(struct step *step) { atomic_store(&step->build->stop, true); }

static int start(struct brick_store *store, struct step *step, uint32_t level, size_t need) {
    struct build *build = calloc(1, sizeof *build);
    if (!build) return VIRGA_NO_MEMORY;
    build->store = store;
    build->step = step;
    build->catalog = step->catalog;
    build->field = step->field;
    build->field.stop = &build->stop;
    build->level = level;
    build->began = store->now();
    build->reserved = need;
    build->in_file = goes_to_file(store, step, level);
    int status = brick_store_add_job(store, LANE_READ, step->priority, begin_build, build);
    if (status) {
        free(build);
        return status;
    }
    step->catalog = NULL;
    step->build = build;
    step->state = STEP_BUILDING;
    store->queued--;
    store->builds++;
    store->reserved += need;
    return VIRGA_OK;
}

// How much of the memory builds may take: half, and more for what is more urgent than all that is being built, so that a
// prefetch does not hold up a picture.
static size_t share_of(const struct brick_store *store, const struct step *step) {
    for (const struct step *s = store->newest; s; s = s->older)
        if (s->state == STEP_BUILDING && s->priority >= step->priority) return store->memory / 2;
    return store->memory - store->memory / 8;
}

void step_build_pump(struct brick_store *store) {
    struct step *step;
    while (!store->stopping && store->queued && store->builds < MOST_BUILDS && (step = first_in_queue(store))) {
        if (!brick_store_wanted(step)) {
            step_build_unqueue(store, step);
            brick_store_fail_bricks(store, step, VIRGA_CANCELLED, NULL);  // nobody waits for them
            continue;
        }
        const uint32_t level = level_wanted(step);
        const size_t need = estimate(store, step, level);
        if (store->builds && store->reserved + need > share_of(store, step)) return;
        if (start(store, step, level, need)) return;  // tried again when a job ends
    }
}

void step_build_give_up(struct brick_store *store) {
    struct failure failure;
    struct step *step;
    failure_set(&failure, VIRGA_NO_MEMORY, "a field cannot be read now: out of memory or of places in the queue");
    while ((step = first_in_queue(store))) {
        step_build_unqueue(store, step);
        brick_store_complete(store, step->waiters, VIRGA_NO_MEMORY, NULL, &failure);
        step->waiters = NULL;
        brick_store_fail_bricks(store, step, VIRGA_NO_MEMORY, &failure);
    }
}

// --- The end of a build.

static void queue_again(struct build *build) {
    struct step *step = build->step;
    step->priority = INT_MIN;
    for (const struct brick_job *job = step->bricks; job; job = job->next_waiting)
        if (job->priority > step->priority) step->priority = job->priority;
    step_build_queue(build->store, step, build->catalog, &build->field);
}

static void keep_result(struct build *build, struct step_table *table, struct shared_bytes *bytes, struct step_volume *volume) {
    struct brick_store *store = build->store;
    struct step *step = build->step;
    if (!step->table) {
        step->table = table;
        step->table_bytes = bytes;
    }
    step->state = STEP_IDLE;
    brick_room_set_volume(store, step, volume);
    brick_store_complete(store, step->waiters, VIRGA_OK, step->table_bytes, NULL);
    step->waiters = NULL;
    brick_store_start_bricks(store, step);
    store->counts.steps_read += build->level == 0;
    histogram_add(&store->step_seconds, store->now() - build->began);
    if (step->bricks && !store->stopping) queue_again(build);  // bricks of finer levels
}

static void keep_failure(struct brick_store *store, struct step *step, int status, const struct failure *failure) {
    step->state = STEP_FAILED;
    step->failed_at = store->now();
    step->failure = *failure;
    step->failure.status = status;
    brick_store_complete(store, step->waiters, status, NULL, failure);
    step->waiters = NULL;
    brick_store_fail_bricks(store, step, status, failure);
}

static void keep_nothing(struct build *build) {
    struct brick_store *store = build->store;
    struct step *step = build->step;
    step->state = STEP_IDLE;
    if (brick_store_wanted(step) && !store->stopping)  // again, since it was given up, or is to be read whole
        step_build_queue(store, step, build->catalog, &build->field);
    else
        brick_store_fail_bricks(store, step, VIRGA_CANCELLED, NULL);
}

// Nobody should take for a hole in the forecast what is one in the lattice.
static void tell_lost(const struct build *build, size_t lost) {
    const struct field_ref *f = &build->field;
    const struct catalog_variable *v = &f->dataset->variables[f->variable];
    const struct lattice_spec *l = &build->step->lattice;
    if (lost == 0) return;
    log_warning("brick", "%s: %s: %zu values of %s are beyond what its lattice holds (%.6g to %.6g) and are shown as missing", f->dataset->id, v->id, lost,
                f->dataset->runs[f->run].series[f->variable].times[f->step].iso, l->v0 - INT32_MAX * l->step, l->v0 + INT32_MAX * l->step);
}

static void end_build(struct build *build) {
    struct brick_store *store = build->store;
    struct step_table *table = NULL;
    struct step_volume *volume = NULL;
    struct shared_bytes *bytes = NULL;
    struct failure failure = build->failure;
    int status = build->status;
    if (!status) status = volume_tiler_finish(build->tiler, &table, &volume, &failure);
    if (!status && table && (status = step_table_encode(table, &bytes))) failure_set(&failure, status, "out of memory");
    if (!status) tell_lost(build, volume_tiler_lost(build->tiler));
    volume_tiler_free(build->tiler);
    const bool irreducible = status == VIRGA_UNSUPPORTED && build->level > 0;
    if (irreducible) log_debug("brick", "%s; it is read whole", failure.message);
    pthread_mutex_lock(&store->lock);
    build->step->build = NULL;
    build->step->whole |= irreducible;
    store->builds--;
    store->reserved -= build->reserved;
    store->building -= build->taken;
    if (!status)
        keep_result(build, table, bytes, volume);
    else if (status == VIRGA_CANCELLED || irreducible)
        keep_nothing(build);
    else
        keep_failure(store, build->step, status, &failure);
    step_build_pump(store);
    const bool full = brick_store_used(store) > store->memory;
    pthread_mutex_unlock(&store->lock);
    if (status) {
        step_table_free(table);
        step_volume_free(volume);
    }
    if (full) brick_room_make(store);
    store->access->unref(build->catalog);
    free(build->boxes);
    free(build);
}

static void stop_build(struct build *build, int status, const struct failure *failure) {
    pthread_mutex_lock(&build->store->lock);
    if (!build->status) {
        build->status = status;
        if (failure) build->failure = *failure;
    }
    pthread_mutex_unlock(&build->store->lock);
}

// --- Chains.

static bool take_box(struct chain *chain) {
    struct build *build = chain->build;
    struct brick_store *store = build->store;
    pthread_mutex_lock(&store->lock);
    if (!build->status && (store->stopping || !brick_store_wanted(build->step))) build->status = VIRGA_CANCELLED;
    const bool more = !build->status && build->next < build->count;
    if (more) chain->box = &build->boxes[build->next++];
    pthread_mutex_unlock(&store->lock);
    return more;
}

static struct field_blocks blocks_of(const struct chain *chain) {
    const size_t n = chain->box->nx * chain->box->ny * chain->box->nz;
    return (struct field_blocks){chain->values, chain->values + n, chain->values + 2 * n, chain->values + 3 * n};
}

static int read_values(struct chain *chain, struct failure *failure) {
    const struct build *build = chain->build;
    const struct field_access *access = build->store->access;
    if (build->level == 0) return access->read(&build->field, chain->box, chain->values, failure);
    const struct field_blocks blocks = blocks_of(chain);
    return access->reduce(&build->field, build->step->shape.levels[build->level].scale, chain->box, &blocks, failure);
}

// False when there is nothing more to do for the chain.
static bool read_box(struct chain *chain) {
    struct build *build = chain->build;
    struct failure failure = {0};
    if (!take_box(chain)) return false;
    const size_t each = build->level > 0 ? ANSWER_A_BLOCK : sizeof *chain->values;
    const size_t bytes = chain->box->nx * chain->box->ny * chain->box->nz * each;
    chain->values = malloc(bytes);
    int status = chain->values ? VIRGA_OK : failure_set(&failure, VIRGA_NO_MEMORY, "out of memory for %zu MB of values", bytes >> 20);
    if (!status) status = read_values(chain, &failure);
    if (status) {  // a build that is given up is tried again where somebody waits; a source that ends is no reason for that
        stop_build(build, status == VIRGA_CANCELLED && !atomic_load(&build->stop) ? VIRGA_GONE : status, &failure);
        return false;
    }
    pthread_mutex_lock(&build->store->lock);
    build->store->counts.chunks_bytes_read += bytes;
    pthread_mutex_unlock(&build->store->lock);
    return true;
}

// Counts what the build takes by now, and makes room for it.
static int recount(struct build *build, struct failure *failure) {
    struct brick_store *store = build->store;
    const size_t held = volume_tiler_memory(build->tiler), now = held + build->box_bytes * BUILD_CHAINS;
    pthread_mutex_lock(&store->lock);
    store->building += now - build->taken;
    build->taken = now;
    if (now > build->reserved) {
        store->reserved += now - build->reserved;
        build->reserved = now;
    }
    const bool full = brick_store_used(store) > store->memory;
    pthread_mutex_unlock(&store->lock);
    if (!full || brick_room_make(store) || held <= store->memory) return VIRGA_OK;
    return failure_set(failure, VIRGA_NO_MEMORY, "the field needs more than the %zu MB of the cache; give it more memory%s",
                       store->memory >> 20, build->in_file ? "" : " or a spool folder");
}

static void add_box(struct chain *chain) {
    struct build *build = chain->build;
    struct failure failure = {0};
    int status;
    if (build->level > 0) {
        const struct field_blocks blocks = blocks_of(chain);
        status = volume_tiler_add_blocks(build->tiler, chain->box, &blocks, &failure);
    } else {
        status = volume_tiler_add(build->tiler, chain->box, chain->values, &failure);
    }
    free(chain->values);
    chain->values = NULL;
    if (!status) status = recount(build, &failure);
    if (status) stop_build(build, status, &failure);
}

static void end_chain(struct chain *chain) {
    struct build *build = chain->build;
    free(chain->values);
    free(chain);
    pthread_mutex_lock(&build->store->lock);
    const bool last = --build->chains == 0;
    pthread_mutex_unlock(&build->store->lock);
    if (last) end_build(build);
}

static void run_read(void *argument, bool cancelled);
static void run_add(void *argument, bool cancelled);

static int pass_on(struct chain *chain, enum worker_lane lane, worker_job job) {
    struct brick_store *store = chain->build->store;
    pthread_mutex_lock(&store->lock);
    int status = brick_store_add_job(store, lane, chain->build->step->priority, job, chain);
    pthread_mutex_unlock(&store->lock);
    return status;
}

// Goes on with a chain on this thread until another job takes it over or it ends.
static void run_chain(struct chain *chain) {
    for (;;) {
        if (chain->values) {
            add_box(chain);
            if (!pass_on(chain, LANE_READ, run_read)) return;
        }
        if (!read_box(chain)) {
            end_chain(chain);
            return;
        }
        if (!pass_on(chain, LANE_COMPUTE, run_add)) return;
    }
}

static void run_read(void *argument, bool cancelled) {
    struct chain *chain = argument;
    struct brick_store *store = chain->build->store;
    if (cancelled) stop_build(chain->build, VIRGA_CANCELLED, NULL);
    run_chain(chain);
    brick_store_job_done(store);
}

static void run_add(void *argument, bool cancelled) { run_read(argument, cancelled); }

// --- The beginning of a build.

static int check_room(const struct build *build, struct failure *failure) {
    const struct brick_store *store = build->store;
    const size_t voxels = step_volume_voxels(&build->step->shape, build->level);
    if (!build->in_file && 2 * voxels > store->memory)
        return failure_set(failure, VIRGA_NO_MEMORY,
                           "the field needs %zu MB, more than the %zu MB of the cache; give it more memory or a spool folder",
                           2 * voxels >> 20, store->memory >> 20);
    if (build->in_file && voxels * sizeof(int32_t) > store->spool_limit)
        return failure_set(failure, VIRGA_NO_MEMORY, "the field needs %zu MB of spool, more than the limit of %zu MB",
                           voxels * sizeof(int32_t) >> 20, store->spool_limit >> 20);
    return VIRGA_OK;
}

static int plan(struct build *build, struct failure *failure) {
    const struct field_access *access = build->store->access;
    const size_t limit = box_limit(build->store, build->step), each = build->level > 0 ? BYTES_A_BLOCK : BYTES_A_VOXEL;
    int status = build->level == 0 ? access->plan(&build->field, limit, &build->boxes, &build->count, failure)
                                   : access->reduce_plan(&build->field, build->step->shape.levels[build->level].scale, limit / ANSWER_A_BLOCK,
                                                         &build->boxes, &build->count, failure);
    if (status) return status;
    for (size_t i = 0; i < build->count; i++) {
        const size_t bytes = build->boxes[i].nx * build->boxes[i].ny * build->boxes[i].nz * each;
        if (bytes > build->box_bytes) build->box_bytes = bytes;
    }
    return build->count ? VIRGA_OK : failure_set(failure, VIRGA_INTERNAL, "the field has no boxes");
}

static int prepare(struct build *build, struct failure *failure) {
    struct brick_store *store = build->store;
    struct step_volume *volume;
    int status = check_room(build, failure);
    if (!status) status = plan(build, failure);
    if (!status) status = step_volume_new(&build->step->shape, build->level, build->in_file ? store->spool_dir : NULL, &volume, failure);
    if (status) return status;
    pthread_mutex_lock(&store->lock);
    const enum tiler_table table = build->step->table ? TABLE_NONE : build->step->early ? TABLE_OF_BOUNDS : TABLE_OF_BRICKS;
    pthread_mutex_unlock(&store->lock);
    build->tiler = volume_tiler_new(&build->step->lattice, volume, table);
    return build->tiler ? VIRGA_OK : failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
}

static void start_chains(struct build *build) {
    struct chain *made[BUILD_CHAINS];
    int count = 0;
    while (count < BUILD_CHAINS && (size_t)count < build->count && (made[count] = calloc(1, sizeof *made[count])))
        made[count++]->build = build;
    if (!count) {
        failure_set(&build->failure, build->status = VIRGA_NO_MEMORY, "out of memory");
        end_build(build);
        return;
    }
    build->chains = count;
    for (int i = 1; i < count; i++)
        if (pass_on(made[i], LANE_READ, run_read)) end_chain(made[i]);
    run_chain(made[0]);
}

// When bricks that are at work hold what memory is left: later.
static bool put_off(struct build *build) {
    struct brick_store *store = build->store;
    if (brick_room_make(store)) return false;
    pthread_mutex_lock(&store->lock);
    const bool later = store->bricks_at_work > 0 && !store->stopping;
    if (later) {
        store->builds--;
        store->reserved -= build->reserved;
        build->step->build = NULL;
        step_build_queue(store, build->step, build->catalog, &build->field);
    }
    pthread_mutex_unlock(&store->lock);
    if (later) {
        store->access->unref(build->catalog);
        free(build);
    }
    return later;
}

static void begin_build(void *argument, bool cancelled) {
    struct build *build = argument;
    struct brick_store *store = build->store;
    if (!put_off(build)) {
        pthread_mutex_lock(&store->lock);
        if (cancelled || store->stopping || !brick_store_wanted(build->step)) build->status = VIRGA_CANCELLED;
        pthread_mutex_unlock(&store->lock);
        if (!build->status) build->status = prepare(build, &build->failure);
        if (build->status)
            end_build(build);
        else
            start_chains(build);
    }
    brick_store_job_done(store);
}
