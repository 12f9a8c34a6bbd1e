// SPDX-License-Identifier: Apache-2.0
// Reading a deflated netCDF-4 file with one reader and with two: bench_readers [READER]. Makes its own file (40 steps of 32
// levels of 256 x 256 float32, chunks of one level) in TMPDIR, and prints one line a figure.
#include <netcdf.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "source/source.h"

enum { STEPS = 40, LEVELS = 32, SIDE = 256, ROUNDS = 3, BATCH = 8 };
static const double FIELD_BYTES = (double)STEPS * LEVELS * SIDE * SIDE * 4;

struct work {
    struct source *source;
    const struct source_slab_request *pattern;
    pthread_mutex_t lock;
    size_t next;  // lock; piece to read
    int failed;   // lock
};

// A smooth field with noise in its low bits, so that deflate has about as much to do as on a forecast.
static int make_file(const char *path) {
    int id, dims[4], variable, error;
    const size_t shape[] = {STEPS, LEVELS, SIDE, SIDE}, chunk[] = {1, 1, SIDE, SIDE};
    const char *const names[] = {"time", "z", "y", "x"};
    float *values = malloc(sizeof(float) * LEVELS * SIDE * SIDE);
    uint32_t noise = 1;
    error = values ? nc_create(path, NC_NETCDF4 | NC_CLOBBER, &id) : NC_ENOMEM;
    for (int d = 0; d < 4 && !error; d++) error = nc_def_dim(id, names[d], shape[d], &dims[d]);
    if (!error) error = nc_def_var(id, "t", NC_FLOAT, 4, dims, &variable);
    if (!error) error = nc_def_var_chunking(id, variable, NC_CHUNKED, chunk);
    if (!error) error = nc_def_var_deflate(id, variable, 1, 1, 4);
    if (!error) error = nc_enddef(id);
    for (size_t t = 0; t < STEPS && !error; t++) {
        for (size_t i = 0; i < (size_t)LEVELS * SIDE * SIDE; i++) {
            noise = noise * 1664525u + 1013904223u;
            size_t x = i % SIDE, y = i / SIDE % SIDE, z = i / SIDE / SIDE;
            values[i] = 300.0f - 2.0f * (float)z + 0.05f * (float)((x + t) % SIDE) + 0.03f * (float)y + (float)(noise >> 24) / 4096.0f;
        }
        error = nc_put_vara_float(id, variable, (size_t[]){t, 0, 0, 0}, (size_t[]){1, LEVELS, SIDE, SIDE}, values);
    }
    free(values);
    if (!error) error = nc_close(id);
    if (error) fprintf(stderr, "%s: %s\n", path, nc_strerror(error));
    return error;
}

// Pieces are BATCH levels of a step.
static void *read_pieces(void *argument) {
    struct work *w = argument;
    for (;;) {
        struct source_slab_request request = *w->pattern;
        struct source_slab slab;
        struct failure failure;
        pthread_mutex_lock(&w->lock);
        size_t piece = w->next++;
        pthread_mutex_unlock(&w->lock);
        if (piece >= (size_t)STEPS * LEVELS / BATCH) return NULL;
        request.start[0] = piece / (LEVELS / BATCH);
        request.start[1] = piece % (LEVELS / BATCH) * BATCH;
        if (source_read(w->source, &request, &slab, &failure)) {
            fprintf(stderr, "%s\n", failure.message);
            pthread_mutex_lock(&w->lock);
            w->failed++;
            pthread_mutex_unlock(&w->lock);
            return NULL;
        }
        source_slab_release(&slab);
    }
}

// Seconds that so many readers, each kept busy by a thread, take for the whole field; the best of some rounds; below 0 on
// failure.
static double measure(const char *reader, const char *path, int readers, const struct source_slab_request *pattern) {
    struct source_limits limits;
    struct source_pool *pool;
    struct failure failure;
    pthread_t threads[8];
    double best = -1;
    source_limits_default(&limits);
    limits.readers = readers;
    if (source_pool_new(reader, &limits, &pool, &failure)) {
        fprintf(stderr, "%s\n", failure.message);
        return -1;
    }
    struct work w = {.pattern = pattern};
    pthread_mutex_init(&w.lock, NULL);
    if (source_open(pool, path, &w.source, &failure)) {
        fprintf(stderr, "%s\n", failure.message);
        w.failed = 1;
    }
    for (int round = 0; round < ROUNDS && !w.failed; round++) {
        double start = clock_monotonic();
        w.next = 0;
        for (int i = 0; i < readers; i++) pthread_create(&threads[i], NULL, read_pieces, &w);
        for (int i = 0; i < readers; i++) pthread_join(threads[i], NULL);
        double took = clock_monotonic() - start;
        if (best < 0 || took < best) best = took;
    }
    source_unref(w.source);
    source_pool_free(pool);
    pthread_mutex_destroy(&w.lock);
    return w.failed ? -1 : best;
}

static double measure_library(const char *path) {
    float *values = malloc(sizeof(float) * BATCH * SIDE * SIDE);
    int id, error = values ? nc_open(path, NC_NOWRITE, &id) : NC_ENOMEM;
    double start = clock_monotonic();
    for (size_t piece = 0; piece < (size_t)STEPS * LEVELS / BATCH && !error; piece++)
        error = nc_get_vara_float(id, 0, (size_t[]){piece / (LEVELS / BATCH), piece % (LEVELS / BATCH) * BATCH, 0, 0},
                                  (size_t[]){1, BATCH, SIDE, SIDE}, values);
    double took = clock_monotonic() - start;
    if (!error) nc_close(id);
    free(values);
    return error ? -1 : took;
}

static void print_figures(off_t bytes, double library, double one, double two, double mean_one, double mean_two) {
    printf("file: %.0f MB of float32, deflated to %.0f %%\n", FIELD_BYTES / 1e6, 100 * (double)bytes / FIELD_BYTES);
    printf("netCDF-C in this process: %.0f MB/s\n", FIELD_BYTES / 1e6 / library);
    printf("one reader: %.0f MB/s\n", FIELD_BYTES / 1e6 / one);
    printf("two readers: %.0f MB/s\n", FIELD_BYTES / 1e6 / two);
    printf("two readers over one: %.2f\n", one / two);
    printf("one reader, means of 4 x 4: %.0f MB/s\n", FIELD_BYTES / 1e6 / mean_one);
    printf("two readers over one, means of 4 x 4: %.2f\n", mean_one / mean_two);
}

int main(int argc, char **argv) {
    const char *base = getenv("TMPDIR"), *reader = argc > 1 ? argv[1] : NULL;
    char folder[256], path[300];
    snprintf(folder, sizeof folder, "%s/virga-bench-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(folder)) return 1;
    snprintf(path, sizeof path, "%s/deflated.nc", folder);
    struct source_slab_request whole = {.rank = 4, .count = {1, BATCH, SIDE, SIDE}, .scale = 1}, mean = whole;
    mean.reduction = REDUCE_MEAN;
    memcpy(mean.block, (size_t[]){1, 1, 4, 4}, 4 * sizeof(size_t));
    struct stat s;
    int status = 1;
    if (!make_file(path) && !stat(path, &s)) {
        double library = measure_library(path), one = measure(reader, path, 1, &whole), two = measure(reader, path, 2, &whole);
        double mean_one = measure(reader, path, 1, &mean), mean_two = measure(reader, path, 2, &mean);
        status = library < 0 || one < 0 || two < 0 || mean_one < 0 || mean_two < 0;
        if (!status) print_figures(s.st_size, library, one, two, mean_one, mean_two);
    }
    unlink(path);
    rmdir(folder);
    return status;
}
