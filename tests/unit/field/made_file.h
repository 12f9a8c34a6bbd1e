// SPDX-License-Identifier: Apache-2.0
// Writing small forecast files for tests, and opening them. One temporary folder a program.
#ifndef VIRGA_TESTS_FIELD_MADE_FILE_H
#define VIRGA_TESTS_FIELD_MADE_FILE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <netcdf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../own_folder.h"
#include "field/catalog.h"
#include "field/source_sample.h"

static char made_folder[256];
static struct source_pool *made_pool;

#define NC(call)                                                            \
    do {                                                                    \
        int nc_status = (call);                                             \
        if (nc_status) fail_msg("%s: %s", #call, nc_strerror(nc_status));   \
    } while (0)

static inline int made_begin(void **state) {
    struct source_limits limits;
    struct failure failure = {0};
    (void)state;
    if (own_folder_make(made_folder, sizeof made_folder)) return -1;
    source_limits_default(&limits);
    limits.readers = 2;
    if (source_pool_new(VIRGA_READER, &limits, &made_pool, &failure)) {
        fprintf(stderr, "%s\n", failure.message);
        return -1;
    }
    return 0;
}

static inline int made_end(void **state) {
    (void)state;
    source_pool_free(made_pool);
    return own_folder_remove(made_folder);
}

// A path in the folder; a few may be in use at once.
static inline const char *made_path(const char *name) {
    static char paths[8][512];
    static int at;
    at = (at + 1) % 8;
    snprintf(paths[at], sizeof paths[at], "%s/%s", made_folder, name);
    return paths[at];
}

static inline int made_create(const char *name) {
    int nc;
    NC(nc_create(made_path(name), NC_NETCDF4 | NC_CLOBBER, &nc));
    return nc;
}

static inline int made_dim(int nc, const char *name, size_t n) {
    int d;
    NC(nc_def_dim(nc, name, n, &d));
    return d;
}

static inline void made_text(int nc, int v, const char *name, const char *text) { NC(nc_put_att_text(nc, v, name, strlen(text), text)); }
static inline void made_number(int nc, int v, const char *name, double value) { NC(nc_put_att_double(nc, v, name, NC_DOUBLE, 1, &value)); }

static inline int made_var(int nc, const char *name, nc_type type, int rank, const int *dims, const char *standard_name, const char *units) {
    int v;
    NC(nc_def_var(nc, name, type, rank, dims, &v));
    if (standard_name) made_text(nc, v, "standard_name", standard_name);
    if (units) made_text(nc, v, "units", units);
    return v;
}

// A coordinate variable with its dimension: values[n].
static inline int made_axis(int nc, const char *name, size_t n, const double *values, const char *standard_name, const char *units) {
    int d = made_dim(nc, name, n), v = made_var(nc, name, NC_DOUBLE, 1, &d, standard_name, units);
    NC(nc_put_var_double(nc, v, values));
    return d;
}

static inline int made_even_axis(int nc, const char *name, size_t n, double start, double step, const char *standard_name, const char *units) {
    double *values = calloc(n, sizeof *values);
    for (size_t i = 0; i < n; i++) values[i] = start + (double)i * step;
    int d = made_axis(nc, name, n, values, standard_name, units);
    free(values);
    return d;
}

static inline void made_scalar(int nc, const char *name, double value, const char *standard_name, const char *units) {
    int v = made_var(nc, name, NC_DOUBLE, 0, NULL, standard_name, units);
    NC(nc_put_var_double(nc, v, &value));
}

static inline struct catalog *made_open_paths(const char *const *paths, size_t count, const char *state) {
    struct catalog *catalog = NULL;
    struct failure failure = {0};
    struct catalog_options options = {.state_dir = state};
    if (catalog_open(made_pool, paths, count, &options, &catalog, &failure)) fail_msg("%s", failure.message);
    return catalog;
}

static inline struct catalog *made_open(const char *name) {
    const char *path = made_path(name);
    return made_open_paths(&path, 1, NULL);
}

static inline size_t made_variable(const struct catalog_dataset *d, const char *id) {
    int v = catalog_find_variable(d, id);
    if (v < 0) fail_msg("no variable %s", id);
    return (size_t)v;
}

static inline const struct catalog_problem *made_problem(const struct catalog *c, const char *variable) {
    for (size_t n = 0; n < c->problem_count; n++)
        if (c->problems[n].variable && strcmp(c->problems[n].variable, variable) == 0) return &c->problems[n];
    return NULL;
}

// The whole field by its plan, [z][y][x]; checks that boxes cover it once. The caller frees it.
static inline double *made_read(const struct field_ref *field, size_t max_bytes) {
    const struct catalog_variable *v = &field->dataset->variables[field->variable];
    size_t total = v->nx * v->ny * v->nz, count;
    double *all = malloc(total * sizeof *all), *part = malloc(total * sizeof *part);
    char *seen = calloc(total, 1);
    struct field_box *boxes;
    struct failure failure = {0};
    if (field_plan(field, max_bytes, &boxes, &count, &failure)) fail_msg("%s", failure.message);
    for (size_t n = 0; n < count; n++) {
        const struct field_box *b = &boxes[n];
        assert_true(b->x0 + b->nx <= v->nx && b->y0 + b->ny <= v->ny && b->z0 + b->nz <= v->nz);
        if (field_read(field, b, part, &failure)) fail_msg("%s", failure.message);
        for (size_t k = 0; k < b->nz; k++)
            for (size_t j = 0; j < b->ny; j++)
                for (size_t i = 0; i < b->nx; i++) {
                    size_t at = ((b->z0 + k) * v->ny + b->y0 + j) * v->nx + b->x0 + i;
                    all[at] = part[(k * b->ny + j) * b->nx + i];
                    seen[at]++;
                }
    }
    for (size_t n = 0; n < total; n++) assert_int_equal(seen[n], 1);
    free(boxes);
    free(seen);
    free(part);
    return all;
}

#endif
