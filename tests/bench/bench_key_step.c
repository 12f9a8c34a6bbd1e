// SPDX-License-Identifier: Apache-2.0
// What a key step in time would save: bytes of a step's bricks as they are sent, and with the step before as their key.
//
//     bench_key_step FILE.nc VARIABLE EPSILON [STEPS APART]
//
// VARIABLE is (time, z, y, x) and stored unpacked; steps 0 and STEPS APART (1) are compared, pyramid level 0 only.
#include <math.h>
#include <netcdf.h>
#include <stdio.h>
#include <stdlib.h>

#include "brick/brick_codec.h"
#include "brick/lattice.h"

enum { CORE = 32, SIDE = CORE + 2 };

struct volume {
    size_t n[3];  // x, y, z
    float *values;
};

static int read_step(int file, int variable, size_t step, struct volume *volume) {
    int dims[4];
    size_t length[4];
    if (nc_inq_vardimid(file, variable, dims)) return -1;
    for (int d = 0; d < 4; d++)
        if (nc_inq_dimlen(file, dims[d], &length[d])) return -1;
    if (step >= length[0]) return -1;
    for (int axis = 0; axis < 3; axis++) volume->n[axis] = length[3 - axis];
    const size_t start[4] = {step, 0, 0, 0}, count[4] = {1, length[1], length[2], length[3]};
    volume->values = malloc(length[1] * length[2] * length[3] * sizeof *volume->values);
    return !volume->values || nc_get_vara_float(file, variable, start, count, volume->values) ? -1 : 0;
}

// Cuts one stored brick (core and border, without what lies beyond the grid) onto the lattice.
static void cut(const struct volume *volume, const size_t lo[3], const uint32_t size[3], double step, int32_t *q) {
    for (uint32_t z = 0; z < size[2]; z++)
        for (uint32_t y = 0; y < size[1]; y++)
            for (uint32_t x = 0; x < size[0]; x++) {
                const float v = volume->values[((lo[2] + z) * volume->n[1] + lo[1] + y) * volume->n[0] + lo[0] + x];
                *q++ = isfinite(v) && fabsf(v) < 1e15f ? (int32_t)llrint(v / step) : LATTICE_MISSING;
            }
}

int main(int argc, char **argv) {
    int file, variable;
    if (argc < 4) return fprintf(stderr, "usage: bench_key_step FILE.nc VARIABLE EPSILON [STEPS APART]\n"), 2;
    if (nc_open(argv[1], NC_NOWRITE, &file) || nc_inq_varid(file, argv[2], &variable)) return fprintf(stderr, "cannot read %s\n", argv[1]), 1;
    const double step = 2 * atof(argv[3]) * (1 - 0x1p-10);
    struct volume before = {0}, now = {0};
    if (read_step(file, variable, 0, &before) || read_step(file, variable, argc > 4 ? strtoul(argv[4], NULL, 10) : 1, &now)) return 1;
    struct brick_encoder *encoder = brick_encoder_new();
    static int32_t q[SIDE * SIDE * SIDE], key_q[SIDE * SIDE * SIDE];
    size_t plain = 0, keyed = 0, bricks = 0, better = 0;
    for (size_t z = 0; z < now.n[2]; z += CORE)
        for (size_t y = 0; y < now.n[1]; y += CORE)
            for (size_t x = 0; x < now.n[0]; x += CORE) {
                const size_t at[3] = {x, y, z};
                size_t lo[3];
                uint32_t size[3];
                for (int axis = 0; axis < 3; axis++) {
                    lo[axis] = at[axis] ? at[axis] - 1 : 0;
                    size[axis] = (uint32_t)((at[axis] + CORE + 1 < now.n[axis] ? at[axis] + CORE + 1 : now.n[axis]) - lo[axis]);
                }
                cut(&now, lo, size, step, q);
                cut(&before, lo, size, step, key_q);
                const struct brick_key_step key = {.step = 0, .q = key_q};
                struct shared_bytes *a = NULL, *b = NULL;
                if (encoder && !brick_encode(encoder, size, q, NULL, &a) && !brick_encode(encoder, size, q, &key, &b)) {
                    plain += a->size;
                    keyed += b->size < a->size ? b->size : a->size;
                    bricks += a->size > 0;
                    better += b->size < a->size;
                }
                shared_bytes_unref(a);
                shared_bytes_unref(b);
            }
    const double voxels = (double)now.n[0] * (double)now.n[1] * (double)now.n[2];
    printf("%s\twithout %.3f bits a voxel, with a key step %.3f (%+.1f %%), smaller in %zu of %zu bricks\n", argv[2], 8.0 * (double)plain / voxels,
           8.0 * (double)keyed / voxels, plain ? 100.0 * ((double)keyed / (double)plain - 1) : 0.0, better, bricks);
    brick_encoder_free(encoder);
    free(before.values);
    free(now.values);
    nc_close(file);
    return 0;
}
