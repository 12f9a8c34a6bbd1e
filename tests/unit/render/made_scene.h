// SPDX-License-Identifier: Apache-2.0
// Small volumes and scenes for tests of the renderer, made without its help.
#ifndef VIRGA_TESTS_MADE_SCENE_H
#define VIRGA_TESTS_MADE_SCENE_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "brick/lattice.h"
#include "render/scene.h"

// A lattice integer, or LATTICE_MISSING, of a voxel of a pyramid level.
typedef int32_t made_voxel(uint32_t level, int64_t x, int64_t y, int64_t z);

static inline void made_put(struct brick_volume *volume, const struct pyramid_shape *shape, uint32_t level, uint32_t x, uint32_t y, uint32_t z,
                            made_voxel *voxel) {
    static int32_t q[BRICK_MAX_VOXELS];
    struct brick_box box;
    brick_box_init(&box, shape, level, x, y, z);
    const int64_t n = shape->levels[level].n[0];
    size_t at = 0;
    for (int64_t c = 0; c < box.size[2]; c++)
        for (int64_t b = 0; b < box.size[1]; b++)
            for (int64_t a = 0; a < box.size[0]; a++) q[at++] = voxel(level, (box.lo[0] + a + n) % n, box.lo[1] + b, box.lo[2] + c);
    if (brick_volume_put(volume, level, x, y, z, q)) abort();
}

// All bricks of a level; and a table that says they have bytes.
static inline void made_fill(struct brick_volume *volume, const struct pyramid_shape *shape, struct step_table *table, uint32_t level, made_voxel *voxel) {
    const uint32_t *n = shape->levels[level].bricks;
    for (uint32_t z = 0; z < n[2]; z++)
        for (uint32_t y = 0; y < n[1]; y++)
            for (uint32_t x = 0; x < n[0]; x++) {
                made_put(volume, shape, level, x, y, z, voxel);
                step_table_at(table, level, x, y, z)->kind = BRICK_MASKED;
            }
}

static inline struct brick_volume *made_volume(const struct pyramid_shape *shape, made_voxel *voxel) {
    struct brick_volume *volume;
    struct step_table *table = step_table_new(shape);
    if (!table || brick_volume_new(shape, &volume)) abort();
    made_fill(volume, shape, table, 0, voxel);
    brick_volume_finish(volume, table);
    step_table_free(table);
    return volume;
}

// Columns a kilometre apart around the origin.
static inline struct grid made_grid(size_t nx, size_t ny) {
    return (struct grid){
        .x = {.n = nx, .regular = true, .start = 0, .step = 1000}, .y = {.n = ny, .regular = true, .start = 0, .step = 1000},
        .centre = {500.0 * (double)(nx - 1), 500.0 * (double)(ny - 1)}, .km_per_unit = {0.001, 0.001},
    };
}

enum { MADE_NODES = 2048 };

// Flat levels `spacing` metres apart from the ground up. Its table is the caller's to free.
static inline struct level_map made_map(size_t nx, size_t ny, size_t nz, double spacing) {
    struct level_map map = {.kind = LEVEL_MAP_FLAT, .nx = nx, .ny = ny, .level_count = nz, .top = spacing * (double)(nz - 1), .scale = 1000,
                            .height_count = MADE_NODES, .columns_x = 1, .columns_y = 1, .parameter_step = 1, .table_count = MADE_NODES};
    map.table = calloc(MADE_NODES, sizeof *map.table);
    const double span = log1p(map.top / map.scale);
    for (int node = 0; node < MADE_NODES; node++) map.table[node] = (float)(map.scale * expm1(span * node / (MADE_NODES - 1)) / spacing);
    return map;
}

// tau of a straight line of opacities over entries, one colour.
static inline void made_transfer(struct transfer *t, float low_tau, float high_tau, float red, float green, float blue) {
    memset(t, 0, sizeof *t);
    for (int k = 0; k < TRANSFER_ENTRIES; k++) {
        const float tau = fmaxf(low_tau + (high_tau - low_tau) * (float)k / (TRANSFER_ENTRIES - 1), 0);
        const float entry[4] = {red, green, blue, tau};
        memcpy(t->data[k], entry, sizeof entry);
        for (int c = 0; k && c < 4; c++) {
            const float a = t->data[k - 1][c] * (c < 3 ? t->data[k - 1][3] : 1), b = entry[c] * (c < 3 ? tau : 1);
            t->integral[k][c] = t->integral[k - 1][c] + (a + b) / 2;
        }
    }
}

static inline void made_unit(double v[3]) {
    const double length = sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
    for (int a = 0; a < 3; a++) v[a] /= length;
}

// Looks from eye to target (shown scene); Z is up.
static inline void made_camera(struct scene *scene, const double eye[3], const double target[3], double fov) {
    double forward[3], right[3], up[3];
    for (int a = 0; a < 3; a++) forward[a] = target[a] - eye[a];
    made_unit(forward);
    right[0] = forward[1], right[1] = -forward[0], right[2] = 0;
    made_unit(right);
    for (int a = 0; a < 3; a++) up[a] = right[(a + 1) % 3] * forward[(a + 2) % 3] - right[(a + 2) % 3] * forward[(a + 1) % 3];
    const double tall = tan(fov * M_PI / 360), aspect = (double)scene->width / scene->height, near = 1, far = 10000;
    double *r = scene->matrices.relative;
    memset(r, 0, sizeof scene->matrices.relative);
    for (int a = 0; a < 3; a++) {
        scene->matrices.eye[a] = eye[a];
        r[a] = right[a] * aspect * tall;
        r[4 + a] = up[a] * tall;
        r[12 + a] = forward[a];
    }
    r[11] = (near - far) / (2 * near * far);
    r[15] = (near + far) / (2 * near * far);
}

#endif
