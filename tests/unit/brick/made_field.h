// SPDX-License-Identifier: Apache-2.0
// Fields made up for tests, tiled as a whole: every sort of grid, with holes, without, and with extremes.
#ifndef VIRGA_TESTS_BRICK_MADE_FIELD_H
#define VIRGA_TESTS_BRICK_MADE_FIELD_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "brick/lattice.h"
#include "brick/volume_tiler.h"

static uint64_t random_state = 88172645463325252u;

static inline uint32_t random_bits(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 16);
}

static inline double uniform(void) { return random_bits() / 4294967296.0; }

struct made {  // a field, tiled
    uint32_t nx, ny, nz;
    double *values;
    struct lattice_spec lattice;
    struct pyramid_shape shape;
    struct step_volume *volume;
    struct step_table *table;
};

typedef double (*made_value)(uint32_t x, uint32_t y, uint32_t z);

static inline double weather(uint32_t x, uint32_t y, uint32_t z) {
    return 280 - 0.9 * z + 6 * sin(0.05 * x) * cos(0.07 * y) + uniform();
}
static inline double holes(uint32_t x, uint32_t y, uint32_t z) {
    if ((x / 9 + y / 11 + z / 3) % 3 == 0 || x + 2 * y < 40) return NAN;
    return random_bits() % 50 == 0 ? NAN : weather(x, y, z);
}
static inline double ramp(uint32_t x, uint32_t y, uint32_t z) { return x + 1000.0 * y + 1e6 * z; }
static inline double flat(uint32_t x, uint32_t y, uint32_t z) { (void)x, (void)y, (void)z; return 7.25; }
static inline double nothing(uint32_t x, uint32_t y, uint32_t z) { (void)x, (void)y, (void)z; return NAN; }
static inline double half(uint32_t x, uint32_t y, uint32_t z) { (void)y, (void)z; return x < 64 ? 3 : weather(x, y, z); }
static inline double extremes(uint32_t x, uint32_t y, uint32_t z) { return (x + y + z) % 7 == 0 ? 1e8 : (x + y) % 5 == 0 ? -1e8 : x; }

// Boxes of at most bx × by × bz in shuffled order.
static inline void add_boxes(struct volume_tiler *tiler, const struct made *m, uint32_t bx, uint32_t by, uint32_t bz) {
    const uint32_t cx = (m->nx + bx - 1) / bx, cy = (m->ny + by - 1) / by, cz = (m->nz + bz - 1) / bz, count = cx * cy * cz;
    uint32_t *order = malloc(count * sizeof *order);
    for (uint32_t i = 0; i < count; i++) order[i] = i;
    for (uint32_t i = count - 1; i > 0; i--) {
        const uint32_t j = random_bits() % (i + 1), t = order[i];
        order[i] = order[j];
        order[j] = t;
    }
    for (uint32_t n = 0; n < count; n++) {
        const uint32_t ix = order[n] % cx, iy = order[n] / cx % cy, iz = order[n] / cx / cy;
        struct field_box box = {.x0 = ix * bx, .y0 = iy * by, .z0 = iz * bz};
        box.nx = m->nx - box.x0 < bx ? m->nx - box.x0 : bx;
        box.ny = m->ny - box.y0 < by ? m->ny - box.y0 : by;
        box.nz = m->nz - box.z0 < bz ? m->nz - box.z0 : bz;
        double *values = malloc(box.nx * box.ny * box.nz * sizeof *values), *v = values;
        for (size_t z = 0; z < box.nz; z++)
            for (size_t y = 0; y < box.ny; y++, v += box.nx)
                memcpy(v, m->values + ((box.z0 + z) * m->ny + box.y0 + y) * m->nx + box.x0, box.nx * sizeof *v);
        struct failure failure;
        assert_int_equal(volume_tiler_add(tiler, &box, values, &failure), VIRGA_OK);
        free(values);
    }
    free(order);
}

static inline void make(struct made *m, uint32_t nx, uint32_t ny, uint32_t nz, bool wraps, double dx, double dz, made_value f,
                 double epsilon, const char *spool, const uint32_t box[3]) {
    *m = (struct made){.nx = nx, .ny = ny, .nz = nz, .lattice = {.v0 = 0, .step = lattice_step(epsilon), .epsilon = epsilon}};
    m->values = malloc((size_t)nx * ny * nz * sizeof *m->values);
    size_t i = 0;
    for (uint32_t z = 0; z < nz; z++)
        for (uint32_t y = 0; y < ny; y++)
            for (uint32_t x = 0; x < nx; x++) m->values[i++] = f(x, y, z);
    pyramid_shape_init(&m->shape, nx, ny, nz, wraps, dx, dz);
    struct failure failure;
    struct step_volume *volume;
    assert_int_equal(step_volume_new(&m->shape, 0, spool, &volume, &failure), VIRGA_OK);
    struct volume_tiler *tiler = volume_tiler_new(&m->lattice, volume, TABLE_OF_BRICKS);
    assert_non_null(tiler);
    add_boxes(tiler, m, box[0], box[1], box[2]);
    assert_int_equal(volume_tiler_finish(tiler, &m->table, &m->volume, &failure), VIRGA_OK);
    volume_tiler_free(tiler);
}

static inline void unmake(struct made *m) {
    free(m->values);
    step_table_free(m->table);
    step_volume_free(m->volume);
}

static inline double source_at(const struct made *m, int64_t x, int64_t y, int64_t z) {
    return m->values[((size_t)z * m->ny + (size_t)y) * m->nx + (size_t)x];
}

static inline int32_t voxel(const struct made *m, uint32_t level, int64_t x, int64_t y, int64_t z) {
    const struct voxel_box box = {.lo = {x, y, z}, .size = {1, 1, 1}};
    int32_t q;
    assert_int_equal(step_volume_get(m->volume, level, &box, &q, NULL), VIRGA_OK);
    return q;
}

static const struct { uint32_t n[3]; bool wraps; double dx, dz; made_value f; uint32_t box[3]; } CASES[] = {
    {{1, 1, 1}, false, 0, 0, weather, {1, 1, 1}},
    {{1, 1, 1}, true, 0, 0, weather, {1, 1, 1}},
    {{130, 67, 1}, false, 1000, 0, holes, {33, 67, 1}},
    {{129, 65, 7}, false, 1000, 3000, weather, {129, 65, 1}},
    {{97, 131, 37}, false, 2000, 300, holes, {50, 41, 37}},
    {{66, 35, 70}, true, 500, 1000, holes, {66, 35, 3}},
    {{33, 33, 137}, false, 100, 1e6, weather, {7, 33, 20}},
    {{2, 300, 5}, true, 1, 1, holes, {2, 17, 5}},
    {{45, 70, 33}, true, 0, 0, weather, {45, 70, 33}},
    {{131, 35, 33}, false, 1, 1, half, {131, 35, 33}},
    {{70, 70, 5}, false, 1, 1, flat, {70, 1, 5}},
    {{70, 70, 5}, false, 1, 1, nothing, {70, 70, 5}},
    {{70, 66, 33}, false, 1, 1, extremes, {70, 66, 2}},
};

static inline void make_case(struct made *m, size_t c, const char *spool) {
    const uint32_t *n = CASES[c].n;
    make(m, n[0], n[1], n[2], CASES[c].wraps, CASES[c].dx, CASES[c].dz, CASES[c].f, 0.05, spool, CASES[c].box);
}

enum { CASE_COUNT = sizeof CASES / sizeof *CASES };

#endif
