// SPDX-License-Identifier: Apache-2.0
// Bits a voxel and speed of the bricks on a temperature field with a k^-3 to k^-5/3 spectrum, at an ε.
//
//     bench_codec [EPSILON [FILE NX NY NZ]]
//
// FILE: float32, x fastest, instead of the made field (512 × 512 × 64). One thread, by its processor time, so that others on
// the machine disturb little; the best of three runs.
#include <complex.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "brick/brick_codec.h"
#include "brick/lattice.h"
#include "brick/volume_tiler.h"

enum { SIDE = 512, LEVELS = 64, RUNS = 3 };

struct field {
    size_t nx, ny, nz;
    float *values;
};

// --- The made field.

static uint64_t random_state = 0x9e3779b97f4a7c15u;

static double uniform(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return ((double)(random_state >> 11) + 0.5) * 0x1p-53;
}

static double complex normal_pair(void) { return sqrt(-2 * log(uniform())) * cexp(2 * M_PI * I * uniform()); }

static void fft(double complex *a, size_t n, size_t stride) {  // in place, radix 2, inverse without its 1/n
    for (size_t i = 1, j = 0; i < n; i++) {
        size_t bit = n >> 1;
        for (; j & bit; bit >>= 1) j ^= bit;
        j ^= bit;
        if (i >= j) continue;
        const double complex t = a[i * stride];
        a[i * stride] = a[j * stride];
        a[j * stride] = t;
    }
    for (size_t length = 2; length <= n; length *= 2) {
        double complex root[SIDE / 2];
        for (size_t k = 0; k < length / 2; k++) root[k] = cexp(2 * M_PI * I * (double)k / (double)length);
        for (size_t i = 0; i < n; i += length)
            for (size_t k = 0; k < length / 2; k++) {
                double complex *u = &a[(i + k) * stride], *v = &a[(i + k + length / 2) * stride];
                const double complex t = *v * root[k];
                *v = *u - t;
                *u += t;
            }
    }
}

static double wavenumber(size_t x, size_t y) {
    const double kx = x < SIDE / 2 ? (double)x : (double)x - SIDE, ky = y < SIDE / 2 ? (double)y : (double)y - SIDE;
    return hypot(kx, ky);
}

// Levels correlate from one to the next, more so the longer the wave.
static void made_level(double complex *spectrum, double complex *work, bool first, float *out) {
    for (size_t y = 0, i = 0; y < SIDE; y++)
        for (size_t x = 0; x < SIDE; x++, i++) {
            const double k = x || y ? wavenumber(x, y) : 1, keep = fmin(fmax(1 - k / 600, 0.6), 0.995);
            const double amplitude = !x && !y ? 0 : k < 40 ? pow(k, -2) : pow(40, -2) * pow(k / 40, -4.0 / 3);
            spectrum[i] = first ? normal_pair() : keep * spectrum[i] + sqrt(1 - keep * keep) * normal_pair();
            work[i] = spectrum[i] * amplitude;
        }
    for (size_t y = 0; y < SIDE; y++) fft(work + y * SIDE, SIDE, 1);
    for (size_t x = 0; x < SIDE; x++) fft(work + x, SIDE, SIDE);
    for (size_t i = 0; i < (size_t)SIDE * SIDE; i++) out[i] = (float)creal(work[i]);
}

static struct field made_field(void) {
    const size_t plane = (size_t)SIDE * SIDE, count = plane * LEVELS;
    struct field f = {SIDE, SIDE, LEVELS, malloc(count * sizeof(float))};
    double complex *spectrum = malloc(plane * sizeof *spectrum), *work = malloc(plane * sizeof *work);
    if (!f.values || !spectrum || !work) exit(1);
    double sum = 0, squares = 0;
    for (size_t z = 0; z < LEVELS; z++) made_level(spectrum, work, z == 0, f.values + z * plane);
    for (size_t i = 0; i < count; i++) sum += (double)f.values[i], squares += (double)f.values[i] * (double)f.values[i];
    const double mean = sum / (double)count, deviation = sqrt(squares / (double)count - mean * mean);
    for (size_t i = 0; i < count; i++)
        f.values[i] = (float)(288 - 75 * (double)(i / plane) / (LEVELS - 1) + 6 * (double)f.values[i] / deviation);
    free(spectrum);
    free(work);
    return f;
}

static struct field read_field(char **arguments) {
    struct field f = {strtoul(arguments[1], NULL, 10), strtoul(arguments[2], NULL, 10), strtoul(arguments[3], NULL, 10), NULL};
    const size_t count = f.nx * f.ny * f.nz;
    FILE *file = fopen(arguments[0], "rb");
    f.values = malloc(count * sizeof(float));
    if (!file || !f.values || fread(f.values, sizeof(float), count, file) != count) {
        fprintf(stderr, "%s: cannot read %zu numbers\n", arguments[0], count);
        exit(1);
    }
    fclose(file);
    return f;
}

// --- Measuring.

static double thread_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

struct figures {
    double tiling, encoding, encoding_all, decoding;  // seconds
    size_t level0, all, table;                        // bytes
    double worst;                                     // largest |decoded − source| of level 0, as float32
};

static void check(int status) {
    if (!status) return;
    fprintf(stderr, "%s\n", status_name(status));
    exit(1);
}

static void tile(const struct field *f, const struct pyramid_shape *shape, const struct lattice_spec *lattice,
                 struct step_volume **volume, struct step_table **table) {
    struct failure failure;
    check(step_volume_new(shape, 0, NULL, volume, &failure));
    struct volume_tiler *tiler = volume_tiler_new(lattice, *volume, TABLE_OF_BRICKS);
    const size_t plane = f->nx * f->ny;
    double *values = malloc(plane * sizeof *values);
    if (!tiler || !values) exit(1);
    for (size_t z = 0; z < f->nz; z++) {
        for (size_t i = 0; i < plane; i++) values[i] = (double)f->values[z * plane + i];
        const struct field_box box = {.z0 = z, .nx = f->nx, .ny = f->ny, .nz = 1};
        check(volume_tiler_add(tiler, &box, values, &failure));
    }
    check(volume_tiler_finish(tiler, table, volume, &failure));
    volume_tiler_free(tiler);
    free(values);
}

static void compare(const struct field *f, const struct lattice_spec *lattice, const struct brick_box *box, const int32_t *q,
                    double *worst) {
    for (uint32_t z = 0; z < box->size[2]; z++)
        for (uint32_t y = 0; y < box->size[1]; y++)
            for (uint32_t x = 0; x < box->size[0]; x++) {
                const size_t at = (((size_t)box->lo[2] + z) * f->ny + (size_t)box->lo[1] + y) * f->nx + (size_t)box->lo[0] + x;
                const double off = fabs((double)(float)lattice_to_value(lattice, *q++) - (double)f->values[at]);
                if (off > *worst) *worst = off;
            }
}

static size_t encode_level(const struct field *f, const struct lattice_spec *lattice, struct step_volume *volume, uint32_t level,
                           struct brick_encoder *encoder, struct figures *figures) {
    static int32_t q[BRICK_MAX_VOXELS], back[BRICK_MAX_VOXELS];
    const struct pyramid_shape *shape = step_volume_shape(volume);
    const struct pyramid_level *l = &shape->levels[level];
    size_t bytes_sum = 0;
    for (uint32_t z = 0; z < l->bricks[2]; z++)
        for (uint32_t y = 0; y < l->bricks[1]; y++)
            for (uint32_t x = 0; x < l->bricks[0]; x++) {
                uint32_t size[3];
                struct shared_bytes *bytes;
                const double begin = thread_seconds();
                check(volume_tiler_brick(volume, level, x, y, z, size, q, NULL));
                check(brick_encode(encoder, size, q, NULL, &bytes));
                const double encoded = thread_seconds();
                figures->encoding_all += encoded - begin;
                if (level == 0) figures->encoding += encoded - begin;
                bytes_sum += bytes->size;
                if (level == 0 && bytes->size) {
                    struct brick_box box;
                    check(brick_decode(bytes->data, bytes->size, size, NULL, back));
                    figures->decoding += thread_seconds() - encoded;
                    brick_box_init(&box, shape, level, x, y, z);
                    compare(f, lattice, &box, back, &figures->worst);
                }
                shared_bytes_unref(bytes);
            }
    return bytes_sum;
}

static struct figures measure(const struct field *f, double epsilon) {
    struct figures figures = {0};
    struct pyramid_shape shape;
    struct step_volume *volume;
    struct step_table *table;
    struct shared_bytes *bytes;
    const struct lattice_spec lattice = {.v0 = 0, .step = lattice_step(epsilon), .epsilon = epsilon};
    pyramid_shape_init(&shape, (uint32_t)f->nx, (uint32_t)f->ny, (uint32_t)f->nz, false, 1500, 300);
    struct brick_encoder *encoder = brick_encoder_new();
    if (!encoder) exit(1);
    const double begin = thread_seconds();
    tile(f, &shape, &lattice, &volume, &table);
    check(step_table_encode(table, &bytes));
    figures.tiling = thread_seconds() - begin;
    figures.table = bytes->size;
    for (uint32_t level = 0; level < shape.level_count; level++) {
        const size_t size = encode_level(f, &lattice, volume, level, encoder, &figures);
        if (!level) figures.level0 = size;
        figures.all += size;
    }
    shared_bytes_unref(bytes);
    step_table_free(table);
    step_volume_free(volume);
    brick_encoder_free(encoder);
    return figures;
}

int main(int argc, char **argv) {
    const double epsilon = argc > 1 ? strtod(argv[1], NULL) : 0.1;
    const struct field f = argc > 5 ? read_field(argv + 2) : made_field();
    const double voxels = (double)f.nx * (double)f.ny * (double)f.nz, megabytes = voxels * sizeof(float) / 1e6;
    struct figures best = measure(&f, epsilon);
    for (int run = 1; run < RUNS; run++) {
        const struct figures next = measure(&f, epsilon);
        best.tiling = fmin(best.tiling, next.tiling);
        best.encoding = fmin(best.encoding, next.encoding);
        best.encoding_all = fmin(best.encoding_all, next.encoding_all);
        best.decoding = fmin(best.decoding, next.decoding);
    }
    printf("epsilon %g, %zu x %zu x %zu, largest error %.4g of epsilon\n", epsilon, f.nx, f.ny, f.nz, best.worst / epsilon);
    printf("level 0, tables and borders counted: %.3f bits a voxel\n", 8 * (double)(best.level0 + best.table) / voxels);
    printf("all pyramid levels, tables and borders counted: %.3f bits a voxel\n", 8 * (double)(best.all + best.table) / voxels);
    printf("encoding level 0 (quantise, pyramid, table, bricks): %.0f MB/s of float32\n", megabytes / (best.tiling + best.encoding));
    printf("encoding all levels: %.0f MB/s of float32\n", megabytes / (best.tiling + best.encoding_all));
    printf("  of it quantise, pyramid and table: %.0f MB/s\n", megabytes / best.tiling);
    printf("decoding level 0: %.0f MB/s of float32\n", megabytes / best.decoding);
    free(f.values);
    return 0;
}
