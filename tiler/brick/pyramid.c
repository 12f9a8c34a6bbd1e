// SPDX-License-Identifier: Apache-2.0
#include "brick/pyramid.h"

#include <stdlib.h>
#include <string.h>

#include "brick/lattice.h"

enum { BAND_ROWS = 16 };

struct band {  // BAND_ROWS rows (fewer at the edge) of one layer of a coarse level
    double *sum;       // in 1/LATTICE_FRACTION of a step; NULL before the first voxel and once finished
    uint32_t *count;   // level-0 voxels present
    size_t remaining;  // voxels of the finer level still to come
};

struct coarse_level {
    uint32_t n[3], finer[3], halved[3];  // halved: 1 if the axis is half as long as the finer level's
    uint32_t bands_y;
    struct band *bands;  // [n[2]][bands_y]
};

struct pyramid {
    struct pyramid_shape shape;
    uint32_t base;
    pyramid_emit emit;
    void *user;
    struct coarse_level levels[PYRAMID_MAX_LEVELS];  // up to base they are not used
    size_t finished_bands, all_bands, memory;
};

static uint32_t band_rows(const struct coarse_level *l, uint32_t band) {
    const uint32_t rest = l->n[1] - band * BAND_ROWS;
    return rest < BAND_ROWS ? rest : BAND_ROWS;
}

static uint32_t finer_extent(uint32_t lo, uint32_t count, uint32_t halved, uint32_t finer) {
    const uint32_t from = lo << halved, to = (lo + count) << halved;
    return (to < finer ? to : finer) - from;
}

static int level_init(struct pyramid *p, uint32_t level) {
    struct coarse_level *l = &p->levels[level];
    const struct pyramid_level *own = &p->shape.levels[level], *finer = &p->shape.levels[level - 1];
    for (int a = 0; a < 3; a++) {
        l->n[a] = own->n[a];
        l->finer[a] = finer->n[a];
        l->halved[a] = own->scale[a] > finer->scale[a];
    }
    l->bands_y = (l->n[1] + BAND_ROWS - 1) / BAND_ROWS;
    l->bands = calloc((size_t)l->n[2] * l->bands_y, sizeof *l->bands);
    if (!l->bands) return VIRGA_NO_MEMORY;
    for (uint32_t z = 0; z < l->n[2]; z++)
        for (uint32_t b = 0; b < l->bands_y; b++)
            l->bands[(size_t)z * l->bands_y + b].remaining =
                (size_t)l->finer[0] * finer_extent(b * BAND_ROWS, band_rows(l, b), l->halved[1], l->finer[1]) *
                finer_extent(z, 1, l->halved[2], l->finer[2]);
    p->all_bands += (size_t)l->n[2] * l->bands_y;
    return VIRGA_OK;
}

struct pyramid *pyramid_new(const struct pyramid_shape *shape, uint32_t base, pyramid_emit emit, void *user) {
    struct pyramid *p = calloc(1, sizeof *p);
    if (!p) return NULL;
    p->shape = *shape;
    p->base = base;
    p->emit = emit;
    p->user = user;
    for (uint32_t level = base + 1; level < shape->level_count; level++)
        if (level_init(p, level)) {
            pyramid_free(p);
            return NULL;
        }
    return p;
}

static void band_drop(struct pyramid *p, const struct coarse_level *l, struct band *band, uint32_t rows) {
    p->memory -= band->sum ? (size_t)l->n[0] * rows * (sizeof *band->sum + sizeof *band->count) : 0;
    free(band->sum);
    free(band->count);
    band->sum = NULL;
    band->count = NULL;
}

void pyramid_free(struct pyramid *p) {
    if (!p) return;
    for (uint32_t level = p->base + 1; level < p->shape.level_count; level++) {
        struct coarse_level *l = &p->levels[level];
        for (size_t i = 0; l->bands && i < (size_t)l->n[2] * l->bands_y; i++)
            band_drop(p, l, &l->bands[i], band_rows(l, (uint32_t)(i % l->bands_y)));
        free(l->bands);
    }
    free(p);
}

static int band_open(struct pyramid *p, const struct coarse_level *l, struct band *band, uint32_t rows) {
    if (band->sum) return VIRGA_OK;
    const size_t voxels = (size_t)l->n[0] * rows;
    double *sum = calloc(voxels, sizeof *sum);
    uint32_t *count = calloc(voxels, sizeof *count);
    if (!sum || !count) {
        free(sum);
        free(count);
        return VIRGA_NO_MEMORY;
    }
    band->sum = sum;
    band->count = count;
    p->memory += voxels * (sizeof *sum + sizeof *count);
    return VIRGA_OK;
}

// Adds a row of `count` finer voxels from column x on to a row of sums and counts.
static void add_halved(uint32_t x, uint32_t count, const double *from, const uint32_t *from_count, double *sum,
                       uint32_t *present) {
    uint32_t i = 0;
    sum += x / 2, present += x / 2;
    if (x & 1 && count) {
        *sum++ += from[0];
        *present++ += from_count[0];
        i = 1;
    }
    const uint32_t pairs = (count - i) / 2;
    const double *f = from + i;
    const uint32_t *c = from_count + i;
    for (uint32_t k = 0; k < pairs; k++) {
        sum[k] += f[2 * k] + f[2 * k + 1];
        present[k] += c[2 * k] + c[2 * k + 1];
    }
    if ((count - i) & 1) {
        sum[pairs] += f[2 * pairs];
        present[pairs] += c[2 * pairs];
    }
}

static void add_row(uint32_t halved, uint32_t x, uint32_t count, const double *from, const uint32_t *from_count, double *sum,
                    uint32_t *present) {
    if (halved) {
        add_halved(x, count, from, from_count, sum, present);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        sum[x + i] += from[i];
        present[x + i] += from_count[i];
    }
}

int32_t pyramid_voxel(double sum, uint64_t present, uint64_t covered) {
    return !present || 2 * present < covered ? LATTICE_MISSING : lattice_from_mean(sum, (double)present);
}

static int emit_band(struct pyramid *p, uint32_t level, const struct band *band, const struct voxel_box *box,
                     struct failure *failure) {
    const size_t voxels = (size_t)box->size[0] * box->size[1];
    int32_t *q = malloc(voxels * sizeof *q), lowest = INT32_MAX, highest = INT32_MIN;
    if (!q) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    const uint64_t deep = pyramid_cover(&p->shape, level, 2, (uint32_t)box->lo[2]);
    size_t i = 0;
    for (uint32_t y = 0; y < box->size[1]; y++) {
        const uint64_t area = deep * pyramid_cover(&p->shape, level, 1, (uint32_t)box->lo[1] + y);
        for (uint32_t x = 0; x < box->size[0]; x++, i++) {
            q[i] = pyramid_voxel(band->sum[i], band->count[i], area * pyramid_cover(&p->shape, level, 0, x));
            if (q[i] == LATTICE_MISSING) continue;
            if (q[i] < lowest) lowest = q[i];
            if (q[i] > highest) highest = q[i];
        }
    }
    int status = p->emit(p->user, level, box, q, lowest, highest, failure);
    free(q);
    return status;
}

struct finer_rows {  // one row of the finer level
    uint32_t x, y, z, count;
    const double *sum;
    const uint32_t *present;
};

static int add_to_level(struct pyramid *p, uint32_t level, const struct finer_rows *row, struct failure *failure);

static int finish_band(struct pyramid *p, uint32_t level, uint32_t z, uint32_t b, struct failure *failure) {
    const struct coarse_level *l = &p->levels[level];
    struct band *band = &l->bands[(size_t)z * l->bands_y + b];
    const uint32_t rows = band_rows(l, b);
    const struct voxel_box box = {.lo = {0, (int64_t)b * BAND_ROWS, z}, .size = {l->n[0], rows, 1}};
    int status = emit_band(p, level, band, &box, failure);
    for (uint32_t r = 0; r < rows && !status && level + 1 < p->shape.level_count; r++) {
        const struct finer_rows row = {
            .y = b * BAND_ROWS + r,
            .z = z,
            .count = l->n[0],
            .sum = band->sum + (size_t)r * l->n[0],
            .present = band->count + (size_t)r * l->n[0],
        };
        status = add_to_level(p, level + 1, &row, failure);
    }
    band_drop(p, l, band, rows);
    p->finished_bands++;
    return status;
}

static int add_to_level(struct pyramid *p, uint32_t level, const struct finer_rows *row, struct failure *failure) {
    const struct coarse_level *l = &p->levels[level];
    const uint32_t y = row->y >> l->halved[1], z = row->z >> l->halved[2], b = y / BAND_ROWS;
    struct band *band = &l->bands[(size_t)z * l->bands_y + b];
    if (band->remaining < row->count) return failure_set(failure, VIRGA_INTERNAL, "a voxel came twice");
    if (band_open(p, l, band, band_rows(l, b))) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    const size_t at = (size_t)(y % BAND_ROWS) * l->n[0];
    add_row(l->halved[0], row->x, row->count, row->sum, row->present, band->sum + at, band->count + at);
    band->remaining -= row->count;
    return band->remaining ? VIRGA_OK : finish_band(p, level, z, b, failure);
}

int pyramid_add_sums(struct pyramid *p, const struct voxel_box *box, const double *sum, const uint32_t *present, struct failure *failure) {
    const uint32_t nx = box->size[0];
    int status = VIRGA_OK;
    if (p->base + 1 == p->shape.level_count) return VIRGA_OK;
    for (uint32_t z = 0; z < box->size[2] && !status; z++)
        for (uint32_t y = 0; y < box->size[1] && !status; y++, sum += nx, present += nx) {
            const struct finer_rows row = {
                .x = (uint32_t)box->lo[0],
                .y = (uint32_t)box->lo[1] + y,
                .z = (uint32_t)box->lo[2] + z,
                .count = nx,
                .sum = sum,
                .present = present,
            };
            status = add_to_level(p, p->base + 1, &row, failure);
        }
    return status;
}

bool pyramid_complete(const struct pyramid *p) { return p->finished_bands == p->all_bands; }

size_t pyramid_memory(const struct pyramid *p) { return p->memory; }
