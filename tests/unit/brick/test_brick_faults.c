// SPDX-License-Identifier: Apache-2.0
// Out of memory fails single requests of the store, whichever allocation it is, and nothing else: every request is
// answered once, what is answered well is right, and nothing leaks. Exit 77 under sanitizers, whose allocator cannot be replaced.
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "brick/brick_store_private.h"
#include "brick/lattice.h"

#ifdef VIRGA_SANITIZED

int main(void) {
    puts("skipped: the sanitizer's allocator cannot be replaced");
    return 77;
}

#else

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void __libc_free(void *memory);

static atomic_int one_in;  // allocations fail one in so many; 0 for never
static atomic_uint drawn, failed;

static bool fails(void) {
    const int n = atomic_load(&one_in);
    if (!n) return false;
    unsigned v = atomic_fetch_add(&drawn, 1) * 2654435761u;
    v ^= v >> 15;
    if (v * 2246822519u >> 8 & 0xffff) v = v * 2246822519u >> 8 & 0xffff;
    if (v % (unsigned)n) return false;
    atomic_fetch_add(&failed, 1);
    return true;
}

static atomic_long live;  // allocations not yet freed

static void *counted(void *memory) {
    if (memory) atomic_fetch_add(&live, 1);
    return memory;
}

#define REPLACES __attribute__((visibility("default")))
REPLACES void *malloc(size_t size) { return fails() ? NULL : counted(__libc_malloc(size)); }
REPLACES void *calloc(size_t count, size_t size) { return fails() ? NULL : counted(__libc_calloc(count, size)); }
REPLACES void free(void *memory) {
    if (memory) atomic_fetch_sub(&live, 1);
    __libc_free(memory);
}

enum { NX = 70, NY = 50, NZ = 6, STEPS = 6 };

static double value_at(size_t x, size_t y, size_t z, size_t step) { return (double)(x * 3 + y * y % 17 + z * 5 + step * 100); }

static int plan(const struct field_ref *field, size_t max_bytes, struct field_box **boxes, size_t *count, struct failure *failure) {
    (void)field, (void)max_bytes;
    *count = NZ;
    *boxes = calloc(NZ, sizeof **boxes);
    if (!*boxes) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    for (size_t z = 0; z < NZ; z++) (*boxes)[z] = (struct field_box){.z0 = z, .nx = NX, .ny = NY, .nz = 1};
    return VIRGA_OK;
}

static int read_box(const struct field_ref *field, const struct field_box *box, double *values, struct failure *failure) {
    (void)failure;
    for (size_t y = 0; y < NY; y++)
        for (size_t x = 0; x < NX; x++) *values++ = value_at(x, y, box->z0, field->step);
    return VIRGA_OK;
}

static struct catalog *ref(struct catalog *catalog) { return catalog; }
static void unref(struct catalog *catalog) { (void)catalog; }
static double now_far_apart(void) {
    static atomic_int calls;
    return 10.0 * atomic_fetch_add(&calls, 1);  // a failure is always long ago
}

static struct catalog_dataset dataset;
static struct catalog catalog;

static void describe(void) {
    static double xs[NX], ys[NY];
    for (int i = 0; i < NX; i++) xs[i] = i * 1000;
    for (int i = 0; i < NY; i++) ys[i] = i * 1000;
    static struct grid grid = {.x = {.n = NX, .values = xs}, .y = {.n = NY, .values = ys}, .km_per_unit = {0.001, 0.001}};
    static char id[] = "t";
    static struct catalog_variable variable = {.id = id, .nx = NX, .ny = NY, .nz = NZ, .member_count = 1, .lattice = {0, 0, 0.5}};
    variable.lattice.step = lattice_step(0.5);
    static struct catalog_series series = {.present = true, .time_count = STEPS, .edition = "e"};
    static struct catalog_run run = {.series = &series};
    dataset = (struct catalog_dataset){.grid = &grid, .variable_count = 1, .variables = &variable, .run_count = 1, .runs = &run};
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t came = PTHREAD_COND_INITIALIZER;

struct reply {
    int calls, status;
    struct shared_bytes *bytes;
};

static void answered(void *user, int status, struct shared_bytes *bytes, const struct failure *failure) {
    struct reply *r = user;
    assert_int_equal(failure == NULL, status == VIRGA_OK);
    pthread_mutex_lock(&lock);
    r->calls++;
    r->status = status;
    r->bytes = bytes;
    pthread_cond_signal(&came);
    pthread_mutex_unlock(&lock);
}

static int ask(struct brick_store *store, size_t step, bool table, struct reply *r) {
    const struct field_ref field = {.dataset = &dataset, .step = step};
    struct failure failure;
    *r = (struct reply){0};
    int status = table ? brick_store_table(store, &catalog, &field, 0, &r->bytes, answered, r, &failure)
                       : brick_store_brick(store, &catalog, &field, 0, step % 3, step % 2, 0, 0, &r->bytes, answered, r, &failure);
    if (status == VIRGA_AGAIN) {
        pthread_mutex_lock(&lock);
        while (!r->calls) pthread_cond_wait(&came, &lock);
        pthread_mutex_unlock(&lock);
        brick_store_cancel(store, r);
        assert_int_equal(r->calls, 1);
        return r->status;
    }
    return status;
}

static bool right(size_t step, const struct shared_bytes *bytes) {
    struct pyramid_shape shape;
    struct brick_box box;
    static int32_t q[BRICK_MAX_VOXELS];
    brick_store_shape(&dataset, 0, &shape);
    brick_box_init(&box, &shape, 0, step % 3, step % 2, 0);
    assert_int_equal(brick_decode(bytes->data, bytes->size, box.size, NULL, q), VIRGA_OK);
    const int32_t *at = q;
    for (uint32_t z = 0; z < box.size[2]; z++)
        for (uint32_t y = 0; y < box.size[1]; y++)
            for (uint32_t x = 0; x < box.size[0]; x++) {
                const double v = value_at((size_t)box.lo[0] + x, (size_t)box.lo[1] + y, z, step);
                const double off = lattice_to_value(&dataset.variables[0].lattice, *at++) - v;
                if (off > 0.5 || off < -0.5) return false;
            }
    return true;
}

static void out_of_memory_fails_single_requests_only(void **state) {
    (void)state;
    static const int rates[] = {3, 10, 30, 100, 300, 1000};
    const int threads[LANE_COUNT] = {2, 2};
    static const struct field_access access = {.plan = plan, .read = read_box, .ref = ref, .unref = unref};
    struct worker_pool *pool = worker_pool_new(threads, 1000);
    size_t good = 0, bad = 0;
    long before = 0;
    for (int round = 0; round < 60; round++) {
        const struct brick_store_options options = {.memory = 4 << 20, .spool_dir = round % 2 ? P_tmpdir : NULL, .spool_limit = 100 << 20};
        struct brick_store *store;
        assert_int_equal(brick_store_new_with(pool, &options, &access, now_far_apart, &store), VIRGA_OK);
        for (size_t i = 0; i < 40; i++) {
            struct reply r;
            atomic_store(&one_in, rates[round % 6]);
            const int status = ask(store, i % STEPS, i % 5 == 0, &r);
            atomic_store(&one_in, 0);
            if (status && status != VIRGA_NO_MEMORY && status != VIRGA_TOO_LARGE) fail_msg("%s", status_name(status));
            assert_int_equal(r.bytes != NULL, status == VIRGA_OK);
            good += status == VIRGA_OK;
            bad += status != VIRGA_OK;
            if (!status && i % 5) assert_true(right(i % STEPS, r.bytes));
            shared_bytes_unref(r.bytes);
        }
        struct reply r;
        assert_int_equal(ask(store, 1, false, &r), VIRGA_OK);  // and afterwards all is well
        assert_true(right(1, r.bytes));
        shared_bytes_unref(r.bytes);
        brick_store_free(store);
        if (round == 0) before = atomic_load(&live);  // threads have their own by then
        assert_true(atomic_load(&live) <= before);
    }
    worker_pool_free(pool);
    assert_true(good > 100 && bad > 100);
    assert_true(atomic_load(&failed) > 100);
}

int main(void) {
    describe();
    const struct CMUnitTest tests[] = {cmocka_unit_test(out_of_memory_fails_single_requests_only)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
