// SPDX-License-Identifier: Apache-2.0
// A store against a stand-in for the field layer that counts, blocks and fails on demand; a catalog of one variable; and answers to wait
// for. MADE_SHAPE, defined before, gives it another shape.
#ifndef VIRGA_TESTS_BRICK_MADE_STORE_H
#define VIRGA_TESTS_BRICK_MADE_STORE_H

#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "brick/brick_store_private.h"
#include "brick/lattice.h"

#ifndef MADE_SHAPE
#define MADE_SHAPE NX = 100, NY = 70, NZ = 9
#endif
enum { MADE_SHAPE, STEPS = 40, BOX_LEVELS = 2 };

// --- The stand-in: value = x + 0.01 y + 0.5 z + step, missing where x < 20 and y < 20.

static pthread_mutex_t fake_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t fake_changed = PTHREAD_COND_INITIALIZER;
static int reads, reading, references;
static bool gate_closed, fail_reads;
static int fail_status = VIRGA_GONE;  // of reads that fail
static double fake_time;
static int boxes_of_step[STEPS];

static inline double value_at(size_t x, size_t y, size_t z, size_t step) {
    return x < 20 && y < 20 ? NAN : (double)x + 0.01 * (double)y + 0.5 * (double)z + (double)step;
}

static inline int fake_plan(const struct field_ref *field, size_t max_bytes, struct field_box **boxes, size_t *count,
                     struct failure *failure) {
    (void)max_bytes, (void)failure, (void)field;
    *count = (NZ + BOX_LEVELS - 1) / BOX_LEVELS;
    *boxes = calloc(*count, sizeof **boxes);
    for (size_t i = 0; i < *count; i++) {
        const size_t z0 = i * BOX_LEVELS;
        (*boxes)[i] = (struct field_box){.z0 = z0, .nx = NX, .ny = NY, .nz = NZ - z0 < BOX_LEVELS ? NZ - z0 : BOX_LEVELS};
    }
    return VIRGA_OK;
}

static inline bool fake_stopped(const struct field_ref *field) { return field->stop && atomic_load(field->stop); }

// What every read meets: it waits at the gate, as a read of a source does, until it is given up.
static inline int fake_wait(const struct field_ref *field, struct failure *failure) {
    pthread_mutex_lock(&fake_lock);
    reads++;
    reading++;
    boxes_of_step[field->step]++;
    pthread_cond_broadcast(&fake_changed);
    while (gate_closed && !fake_stopped(field)) {
        struct timespec soon;
        clock_gettime(CLOCK_REALTIME, &soon);
        soon.tv_nsec += 1000000;
        if (soon.tv_nsec >= 1000000000) soon.tv_sec++, soon.tv_nsec -= 1000000000;
        pthread_cond_timedwait(&fake_changed, &fake_lock, &soon);
    }
    reading--;
    pthread_cond_broadcast(&fake_changed);
    const bool fails = fail_reads;
    pthread_mutex_unlock(&fake_lock);
    if (fails) return failure_set(failure, fail_status, "the reader of file.nc died");
    return fake_stopped(field) ? failure_set(failure, VIRGA_CANCELLED, "given up") : VIRGA_OK;
}

static inline int fake_read(const struct field_ref *field, const struct field_box *box, double *values, struct failure *failure) {
    int status = fake_wait(field, failure);
    if (status) return status;
    for (size_t z = 0; z < box->nz; z++)
        for (size_t y = 0; y < box->ny; y++)
            for (size_t x = 0; x < box->nx; x++) *values++ = value_at(box->x0 + x, box->y0 + y, box->z0 + z, field->step);
    return VIRGA_OK;
}

static inline struct catalog *fake_ref(struct catalog *catalog) {
    __atomic_fetch_add(&references, 1, __ATOMIC_SEQ_CST);
    return catalog;
}

static inline void fake_unref(struct catalog *catalog) {
    (void)catalog;
    __atomic_fetch_sub(&references, 1, __ATOMIC_SEQ_CST);
}

static inline double fake_now(void) { return fake_time; }

static const struct field_access ACCESS = {.plan = fake_plan, .read = fake_read, .ref = fake_ref, .unref = fake_unref};

static inline void set_gate(bool closed) {
    pthread_mutex_lock(&fake_lock);
    gate_closed = closed;
    pthread_cond_broadcast(&fake_changed);
    pthread_mutex_unlock(&fake_lock);
}

static inline void wait_until_reading(int n) {
    pthread_mutex_lock(&fake_lock);
    while (reading < n) pthread_cond_wait(&fake_changed, &fake_lock);
    pthread_mutex_unlock(&fake_lock);
}

static inline void wait_until_nothing_is_read(void) {
    pthread_mutex_lock(&fake_lock);
    while (reading > 0) pthread_cond_wait(&fake_changed, &fake_lock);
    pthread_mutex_unlock(&fake_lock);
}

// --- A catalog of one variable.

static struct grid fake_grid;
static struct catalog_variable variable;
static struct catalog_series series;
static struct catalog_run run;
static struct catalog_dataset dataset;
static struct catalog catalog;

static inline void describe(void) {
    static double xs[NX], ys[NY];
    for (int i = 0; i < NX; i++) xs[i] = i * 1000;
    for (int i = 0; i < NY; i++) ys[i] = i * 1000;
    fake_grid = (struct grid){.x = {.n = NX, .values = xs}, .y = {.n = NY, .values = ys}, .km_per_unit = {0.001, 0.001}};
    static char id[] = "temperature";
    variable = (struct catalog_variable){.id = id, .nx = NX, .ny = NY, .nz = NZ, .member_count = 1, .lattice = {0, 0, 0.05}};
    variable.lattice.step = lattice_step(0.05);
    series = (struct catalog_series){.present = true, .time_count = STEPS, .edition = "0123456789abcdef0123456789abcdef"};
    run = (struct catalog_run){.series = &series};
    dataset = (struct catalog_dataset){.grid = &fake_grid, .variable_count = 1, .variables = &variable, .run_count = 1, .runs = &run};
    catalog = (struct catalog){.dataset_count = 1, .datasets = &dataset};
}

static inline struct field_ref field_of(size_t step) { return (struct field_ref){.dataset = &dataset, .step = step}; }

// --- A store and its answers.

struct fixture {
    struct worker_pool *pool;
    struct brick_store *store;
};

static inline struct fixture open_store_with(const struct field_access *access, size_t memory, const char *spool, size_t limit) {
    struct fixture f;
    const int threads[LANE_COUNT] = {2, 2};
    describe();
    reads = 0;
    fail_reads = false;
    fake_time = 100;
    memset(boxes_of_step, 0, sizeof boxes_of_step);
    set_gate(false);
    f.pool = worker_pool_new(threads, 10000);
    assert_non_null(f.pool);
    const struct brick_store_options options = {.memory = memory, .spool_dir = spool, .spool_limit = limit};
    assert_int_equal(brick_store_new_with(f.pool, &options, access, fake_now, &f.store), VIRGA_OK);
    return f;
}

static inline struct fixture open_store(size_t memory, const char *spool, size_t limit) { return open_store_with(&ACCESS, memory, spool, limit); }

static inline void close_store(struct fixture *f) {
    brick_store_free(f->store);
    worker_pool_free(f->pool);
    assert_int_equal(references, 0);
}

struct reply {
    int calls, status;
    struct shared_bytes *bytes;
    struct failure failure;
};

static pthread_mutex_t reply_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t reply_came = PTHREAD_COND_INITIALIZER;

static inline void on_reply(void *user, int status, struct shared_bytes *bytes, const struct failure *failure) {
    struct reply *r = user;
    pthread_mutex_lock(&reply_lock);
    r->calls++;
    r->status = status;
    r->bytes = bytes;
    if (failure) r->failure = *failure;
    pthread_cond_broadcast(&reply_came);
    pthread_mutex_unlock(&reply_lock);
}

static inline void wait_reply(struct reply *r) {
    pthread_mutex_lock(&reply_lock);
    while (!r->calls) pthread_cond_wait(&reply_came, &reply_lock);
    pthread_mutex_unlock(&reply_lock);
}

static inline void ask_table_at(struct brick_store *store, size_t step, int priority, struct reply *r) {
    const struct field_ref field = field_of(step);
    *r = (struct reply){0};
    int status = brick_store_table(store, &catalog, &field, priority, &r->bytes, on_reply, r, &r->failure);
    if (status == VIRGA_AGAIN) return;
    r->calls = 1;
    r->status = status;
}

static inline void ask_table(struct brick_store *store, size_t step, struct reply *r) { ask_table_at(store, step, 1, r); }

static inline void ask_brick_at(struct brick_store *store, size_t step, uint32_t level, uint32_t x, uint32_t y, uint32_t z, int priority, struct reply *r) {
    const struct field_ref field = field_of(step);
    *r = (struct reply){0};
    int status = brick_store_brick(store, &catalog, &field, level, x, y, z, priority, &r->bytes, on_reply, r, &r->failure);
    if (status == VIRGA_AGAIN) return;
    r->calls = 1;
    r->status = status;
}

static inline void ask_brick(struct brick_store *store, size_t step, uint32_t level, uint32_t x, uint32_t y, uint32_t z, struct reply *r) {
    ask_brick_at(store, step, level, x, y, z, 1, r);
}

static inline struct shared_bytes *get_brick(struct brick_store *store, size_t step, uint32_t level, uint32_t x, uint32_t y, uint32_t z) {
    struct reply r;
    ask_brick(store, step, level, x, y, z, &r);
    wait_reply(&r);
    assert_int_equal(r.status, VIRGA_OK);
    return r.bytes;
}

// The decoded full-resolution brick is the stand-in's field.
static inline void expect_brick(struct brick_store *store, size_t step, uint32_t x, uint32_t y) {
    struct pyramid_shape shape;
    struct brick_box box;
    brick_store_shape(&dataset, 0, &shape);
    brick_box_init(&box, &shape, 0, x, y, 0);
    struct shared_bytes *bytes = get_brick(store, step, 0, x, y, 0);
    int32_t *q = malloc(BRICK_MAX_VOXELS * sizeof *q), *at = q;
    assert_int_equal(brick_decode(bytes->data, bytes->size, box.size, NULL, q), VIRGA_OK);
    for (uint32_t k = 0; k < box.size[2]; k++)
        for (uint32_t j = 0; j < box.size[1]; j++)
            for (uint32_t i = 0; i < box.size[0]; i++, at++) {
                const double v = value_at((size_t)box.lo[0] + i, (size_t)box.lo[1] + j, (size_t)box.lo[2] + k, step);
                assert_int_equal(*at == LATTICE_MISSING, isnan(v));
                if (!isnan(v)) assert_true(fabs((double)(float)lattice_to_value(&variable.lattice, *at) - v) <= 0.05);
            }
    free(q);
    shared_bytes_unref(bytes);
}

#endif
