// SPDX-License-Identifier: Apache-2.0
// The brick store without any reading: how fast steps of the UKV's size become tables and bricks, and what memory it takes.
//
//     bench_bricks [MEMORY_MB [SPOOL_FOLDER]]
//
// 621 × 810 × 37 voxels from a stand-in for the field layer, two threads for reading and two for the rest. 12 steps.
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "brick/brick_store_private.h"
#include "brick/lattice.h"

enum { NX = 621, NY = 810, NZ = 37, STEPS = 12, ROUNDS = 3 };

static float plane[NY * NX];  // the same for all levels and steps but for an offset

static int plan(const struct field_ref *field, size_t max_bytes, struct field_box **boxes, size_t *count, struct failure *failure) {
    (void)field, (void)max_bytes, (void)failure;
    *count = NZ;
    if (!(*boxes = calloc(NZ, sizeof **boxes))) return VIRGA_NO_MEMORY;
    for (size_t z = 0; z < NZ; z++) (*boxes)[z] = (struct field_box){.z0 = z, .nx = NX, .ny = NY, .nz = 1};
    return VIRGA_OK;
}

static int read_plane(const struct field_ref *field, const struct field_box *box, double *values, struct failure *failure) {
    (void)failure;
    const double offset = (double)field->step - 1.5 * (double)box->z0;
    const size_t shift = field->step * 911 + box->z0 * 13;
    for (size_t i = 0; i < (size_t)NX * NY; i++) values[i] = (double)plane[(i + shift) % ((size_t)NX * NY)] + offset;
    return VIRGA_OK;
}

static struct catalog *ref(struct catalog *catalog) { return catalog; }
static void unref(struct catalog *catalog) { (void)catalog; }

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t came = PTHREAD_COND_INITIALIZER;
static size_t answers, failures, bytes_made;

static void count_answer(int status, struct shared_bytes *bytes) {
    pthread_mutex_lock(&lock);
    answers++;
    failures += status != VIRGA_OK;
    bytes_made += bytes ? bytes->size : 0;
    pthread_cond_signal(&came);
    pthread_mutex_unlock(&lock);
    shared_bytes_unref(bytes);
}

static void answered(void *user, int status, struct shared_bytes *bytes, const struct failure *failure) {
    (void)user;
    if (failure) fprintf(stderr, "%s\n", failure->message);
    count_answer(status, bytes);
}

static void wait_for(size_t n) {
    pthread_mutex_lock(&lock);
    while (answers < n) pthread_cond_wait(&came, &lock);
    answers = 0;
    pthread_mutex_unlock(&lock);
}

static struct catalog_dataset dataset;
static struct catalog catalog;

static void ask_table(struct brick_store *store, size_t step) {
    const struct field_ref field = {.dataset = &dataset, .step = step};
    struct shared_bytes *bytes;
    int status = brick_store_table(store, &catalog, &field, 1, &bytes, answered, NULL, NULL);
    if (status != VIRGA_AGAIN) count_answer(status, bytes);
}

static size_t ask_bricks(struct brick_store *store, size_t step, const struct pyramid_shape *shape) {
    const struct field_ref field = {.dataset = &dataset, .step = step};
    const uint32_t *n = shape->levels[0].bricks;
    for (uint32_t z = 0; z < n[2]; z++)
        for (uint32_t y = 0; y < n[1]; y++)
            for (uint32_t x = 0; x < n[0]; x++) {
                struct shared_bytes *bytes;
                int status = brick_store_brick(store, &catalog, &field, 0, x, y, z, 0, &bytes, answered, NULL, NULL);
                if (status != VIRGA_AGAIN) count_answer(status, bytes);
            }
    return (size_t)n[0] * n[1] * n[2];
}

int main(int argc, char **argv) {
    const size_t memory = (argc > 1 ? strtoul(argv[1], NULL, 10) : 256) << 20;
    static double xs[NX], ys[NY];
    static struct grid grid = {.x = {.n = NX, .values = xs}, .y = {.n = NY, .values = ys}, .km_per_unit = {0.001, 0.001}};
    for (int i = 0; i < NX; i++) xs[i] = 1500.0 * i;
    for (int i = 0; i < NY; i++) ys[i] = 1500.0 * i;
    static char id[] = "t";
    static struct catalog_variable variable = {.id = id, .nx = NX, .ny = NY, .nz = NZ, .member_count = 1, .lattice = {0, 0, 0.05}};
    variable.lattice.step = lattice_step(variable.lattice.epsilon);
    static struct catalog_series series = {.present = true, .time_count = STEPS, .edition = "bench"};
    static struct catalog_run run = {.series = &series};
    dataset = (struct catalog_dataset){.grid = &grid, .variable_count = 1, .variables = &variable, .run_count = 1, .runs = &run};
    unsigned seed = 1;
    for (size_t i = 0; i < (size_t)NX * NY; i++) {
        seed = seed * 1103515245 + 12345;
        const double x = (double)(i % NX), y = (double)(i / NX);
        plane[i] = (float)(280 + 6 * sin(x / 40) * cos(y / 55) + 0.8 * sin(x / 5 + y / 7) + 0.2 * (double)(seed >> 8) / (1 << 24));
    }
    const int threads[LANE_COUNT] = {2, 2};
    struct worker_pool *pool = worker_pool_new(threads, 100000);
    const struct brick_store_options options = {.memory = memory, .spool_dir = argc > 2 ? argv[2] : NULL, .spool_limit = (size_t)8 << 30};
    static const struct field_access access = {.plan = plan, .read = read_plane, .ref = ref, .unref = unref};
    struct brick_store *store;
    if (!pool || brick_store_new_with(pool, &options, &access, clock_monotonic, &store)) return 1;
    struct pyramid_shape shape;
    brick_store_shape(&dataset, 0, &shape);
    const double voxels = (double)NX * NY * NZ;

    double begin = clock_monotonic();
    ask_table(store, 0);
    wait_for(1);
    printf("first table of a step of %.1f M voxels: %.3f s\n", voxels / 1e6, clock_monotonic() - begin);
    begin = clock_monotonic();
    bytes_made = 0;
    const size_t bricks = ask_bricks(store, 0, &shape);
    wait_for(bricks);
    double took = clock_monotonic() - begin;
    printf("%zu bricks of level 0: %.3f s, %.0f a second, %.2f bits a voxel\n", bricks, took, (double)bricks / took,
           8 * (double)bytes_made / voxels);
    begin = clock_monotonic();
    for (int round = 0; round < ROUNDS; round++) {
        ask_bricks(store, 0, &shape);
        wait_for(bricks);
    }
    printf("the same bricks again, from the cache: %.0f a second\n", ROUNDS * (double)bricks / (clock_monotonic() - begin));
    begin = clock_monotonic();
    for (size_t step = 0; step < STEPS; step++) ask_table(store, step);
    wait_for(STEPS);
    for (size_t step = 0; step < STEPS; step++) {
        ask_bricks(store, step, &shape);
        wait_for(bricks);
    }
    took = clock_monotonic() - begin;
    struct brick_store_stats stats;
    struct rusage usage;
    brick_store_stats(store, &stats);
    getrusage(RUSAGE_SELF, &usage);
    printf("%d steps with all bricks of level 0: %.2f s; %zu steps read, %zu bricks encoded, %zu MB spooled\n", STEPS, took,
           stats.steps_read, stats.bricks_encoded, stats.spooled >> 20);
    printf("memory: cap %zu MB, held %zu MB, largest resident size of the process %ld MB\n", memory >> 20,
           stats.memory >> 20, usage.ru_maxrss >> 10);
    if (failures) fprintf(stderr, "%zu requests failed\n", failures);
    brick_store_free(store);
    worker_pool_free(pool);
    return failures ? 1 : 0;
}
