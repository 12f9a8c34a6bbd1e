// SPDX-License-Identifier: Apache-2.0
// What the source tests share: a folder of their own, netCDF files made in it, and a pool of readers.
#ifndef VIRGA_TESTS_SOURCE_FIXTURE_H
#define VIRGA_TESTS_SOURCE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka after what it needs
#include <cmocka.h>
#include <netcdf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../own_folder.h"
#include "base/status.h"
#include "source/source.h"

#define NC(call) \
    do { \
        int nc_error = (call); \
        if (nc_error) fail_msg("%s: %s", #call, nc_strerror(nc_error)); \
    } while (0)

#define FIXTURE __attribute__((unused)) static

static char fixture_folder[256];

FIXTURE int fixture_setup(void **state) {
    (void)state;
    return own_folder_make(fixture_folder, sizeof fixture_folder);
}

FIXTURE int fixture_teardown(void **state) {
    (void)state;
    return own_folder_remove(fixture_folder);
}

// A path in the test's folder; several may be held at once.
FIXTURE const char *fixture_path(const char *name) {
    static char paths[8][512];
    static int next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", fixture_folder, name);
    return path;
}

FIXTURE void fixture_write(const char *path, const void *data, size_t size) {
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(size, fwrite(data, 1, size, f));
    assert_int_equal(0, fclose(f));
}

FIXTURE uint8_t *fixture_read(const char *path, size_t *size) {
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    fseek(f, 0, SEEK_END);
    *size = (size_t)ftell(f);
    rewind(f);
    uint8_t *data = malloc(*size + 1);
    assert_int_equal(*size, fread(data, 1, *size, f));
    fclose(f);
    return data;
}

// program: what its children run; memory: bytes that one may have, or 0: as many as by default.
FIXTURE struct source_pool *fixture_pool_of(const char *program, int readers, double seconds, size_t memory) {
    struct source_limits limits;
    struct source_pool *pool;
    struct failure failure;
    source_limits_default(&limits);
    limits.readers = readers;
    limits.open_seconds = limits.read_seconds = seconds;
    if (memory) limits.child_memory = memory;
    if (source_pool_new(program, &limits, &pool, &failure)) fail_msg("%s", failure.message);
    return pool;
}

FIXTURE struct source_pool *fixture_pool(int readers, double seconds) { return fixture_pool_of(VIRGA_READER, readers, seconds, 0); }

FIXTURE struct source *fixture_open(struct source_pool *pool, const char *path) {
    struct source *source;
    struct failure failure;
    if (source_open(pool, path, &source, &failure)) fail_msg("%s", failure.message);
    return source;
}

// A request for the whole of a variable.
FIXTURE struct source_slab_request fixture_whole(const struct source *source, const char *name) {
    const struct source_inventory *all = source_inventory(source);
    const struct source_variable *v = source_find_variable(source, name);
    if (!v) fail_msg("no variable %s", name);
    struct source_slab_request request = {.variable = (size_t)(v - all->variables), .rank = v->rank, .scale = 1};
    for (int d = 0; d < v->rank; d++) {
        request.count[d] = all->dimensions[v->dimensions[d]].length;
        request.block[d] = 1;
    }
    return request;
}

FIXTURE struct source_slab fixture_slab(struct source *source, const struct source_slab_request *request) {
    struct source_slab slab;
    struct failure failure;
    if (source_read(source, request, &slab, &failure)) fail_msg("%s", failure.message);
    return slab;
}

// A float field "t" of (time, z, y, x), smooth with some noise, chunked and deflated in netCDF-4.
FIXTURE void fixture_make_field(const char *path, int mode, const size_t shape[4], const size_t chunk[4]) {
    int id, dims[4], variable;
    const char *const names[] = {"time", "z", "y", "x"};
    NC(nc_create(path, mode | NC_CLOBBER, &id));
    for (int d = 0; d < 4; d++) NC(nc_def_dim(id, names[d], shape[d], &dims[d]));
    NC(nc_def_var(id, "t", NC_FLOAT, 4, dims, &variable));
    if (chunk) {
        NC(nc_def_var_chunking(id, variable, NC_CHUNKED, chunk));
        NC(nc_def_var_deflate(id, variable, 1, 1, 1));
    }
    NC(nc_enddef(id));
    size_t layer = shape[1] * shape[2] * shape[3];
    float *values = malloc(layer * sizeof *values);
    uint32_t noise = 1;
    for (size_t t = 0; t < shape[0]; t++) {
        for (size_t i = 0; i < layer; i++) {
            noise = noise * 1664525u + 1013904223u;
            values[i] = 273.0f + 10.0f * (float)t + 0.001f * (float)(i % 4096) + (float)(noise >> 24) / 512.0f;
        }
        NC(nc_put_vara_float(id, variable, (size_t[]){t, 0, 0, 0}, (size_t[]){1, shape[1], shape[2], shape[3]}, values));
    }
    free(values);
    NC(nc_close(id));
}

// The pool still answers.
FIXTURE void fixture_assert_reads(struct source_pool *pool) {
    const char *path = fixture_path("good.nc");
    if (access(path, F_OK)) fixture_make_field(path, NC_NETCDF4, (size_t[]){1, 2, 3, 4}, (size_t[]){1, 1, 3, 4});
    struct source *source = fixture_open(pool, path);
    struct source_slab_request request = fixture_whole(source, "t");
    struct source_slab slab = fixture_slab(source, &request);
    assert_int_equal(24, slab.elements);
    source_slab_release(&slab);
    source_unref(source);
}

#endif
