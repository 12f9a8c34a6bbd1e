// SPDX-License-Identifier: Apache-2.0
#include "brick/volume_tiler.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#include "brick/lattice.h"
#include "brick/pyramid.h"
#include "brick/step_bounds.h"

struct volume_tiler {
    pthread_mutex_t lock;  // of the pyramid
    struct lattice_spec lattice;
    struct step_volume *volume;
    uint32_t base;            // the volume's finest level
    enum tiler_table table;
    struct pyramid *pyramid;     // lock
    struct step_bounds *bounds;  // lock; NULL without TABLE_OF_BOUNDS
    size_t voxels_left;       // lock
    size_t lost;              // lock; values beyond the lattice
    int status;               // lock; of the first box that failed: then all the others do
    struct failure failure;   // lock
};

static int put_coarse(void *user, uint32_t level, const struct voxel_box *box, const int32_t *q, int32_t lowest,
                      int32_t highest, struct failure *failure) {
    struct volume_tiler *tiler = user;
    return step_volume_put(tiler->volume, level, box, q, lowest, highest, failure);
}

struct volume_tiler *volume_tiler_new(const struct lattice_spec *lattice, struct step_volume *volume, enum tiler_table table) {
    const struct pyramid_shape *shape = step_volume_shape(volume);
    struct volume_tiler *tiler = calloc(1, sizeof *tiler);
    if (!tiler || pthread_mutex_init(&tiler->lock, NULL)) {
        step_volume_free(volume);
        free(tiler);
        return NULL;
    }
    tiler->lattice = *lattice;
    tiler->volume = volume;
    tiler->table = table;
    tiler->base = step_volume_base(volume);
    const uint32_t *n = shape->levels[tiler->base].n;
    tiler->voxels_left = (size_t)n[0] * n[1] * n[2];
    tiler->pyramid = pyramid_new(shape, tiler->base, put_coarse, tiler);
    if (table == TABLE_OF_BOUNDS) tiler->bounds = step_bounds_new(shape);
    if (tiler->pyramid && (tiler->bounds || table != TABLE_OF_BOUNDS)) return tiler;
    volume_tiler_free(tiler);
    return NULL;
}

void volume_tiler_free(struct volume_tiler *tiler) {
    if (!tiler) return;
    pyramid_free(tiler->pyramid);
    step_bounds_free(tiler->bounds);
    step_volume_free(tiler->volume);
    pthread_mutex_destroy(&tiler->lock);
    free(tiler);
}

static bool inside(const struct pyramid_level *l, const struct field_box *box) {
    const size_t lo[3] = {box->x0, box->y0, box->z0}, size[3] = {box->nx, box->ny, box->nz};
    for (int a = 0; a < 3; a++)
        if (!size[a] || lo[a] >= l->n[a] || size[a] > l->n[a] - lo[a]) return false;
    return true;
}

// What a box brings to the levels above it: sums of scaled values, bounds of them, and how many are present.
struct box_sums {
    const double *sum, *least, *most;
    const uint32_t *present;
};

// The lock is held.
static int add_sums(struct volume_tiler *tiler, const struct voxel_box *box, const struct box_sums *sums) {
    const size_t count = (size_t)box->size[0] * box->size[1] * box->size[2];
    if (!tiler->status && tiler->voxels_left < count)
        tiler->status = failure_set(&tiler->failure, VIRGA_INTERNAL, "a voxel came twice");
    if (!tiler->status) tiler->status = pyramid_add_sums(tiler->pyramid, box, sums->sum, sums->present, &tiler->failure);
    if (!tiler->status && tiler->bounds) step_bounds_add(tiler->bounds, tiler->base, box, sums->least, sums->most, sums->present);
    tiler->voxels_left -= tiler->status ? 0 : count;
    return tiler->status;
}

// Values of level 0, row by row, so that no more than a row of counts is held.
static int add_rows(struct volume_tiler *tiler, const struct voxel_box *box, const double *values, const int32_t *q) {
    const uint32_t nx = box->size[0];
    struct voxel_box row = {.lo = {box->lo[0]}, .size = {nx, 1, 1}};
    uint32_t *present = malloc(nx * sizeof *present);
    if (!present && !tiler->status) tiler->status = failure_set(&tiler->failure, VIRGA_NO_MEMORY, "out of memory");
    int status = tiler->status;
    for (uint32_t z = 0; z < box->size[2] && !status; z++)
        for (uint32_t y = 0; y < box->size[1] && !status; y++, values += nx, q += nx) {
            for (uint32_t x = 0; x < nx; x++) present[x] = q[x] != LATTICE_MISSING;
            row.lo[1] = box->lo[1] + y;
            row.lo[2] = box->lo[2] + z;
            status = add_sums(tiler, &row, &(struct box_sums){values, values, values, present});
        }
    free(present);
    return status;
}

static int check_box(const struct volume_tiler *tiler, bool blocks, const struct field_box *box, struct voxel_box *to,
                     struct failure *failure) {
    if (blocks != (tiler->base > 0) || !inside(&step_volume_shape(tiler->volume)->levels[tiler->base], box))
        return failure_set(failure, VIRGA_INTERNAL, "a box of the field lies outside it");
    *to = (struct voxel_box){.lo = {(int64_t)box->x0, (int64_t)box->y0, (int64_t)box->z0},
                             .size = {(uint32_t)box->nx, (uint32_t)box->ny, (uint32_t)box->nz}};
    return VIRGA_OK;
}

int volume_tiler_add(struct volume_tiler *tiler, const struct field_box *box, double *values, struct failure *failure) {
    struct voxel_box to;
    int status = check_box(tiler, false, box, &to, failure);
    if (status) return status;
    const size_t count = box->nx * box->ny * box->nz;
    int32_t *q = malloc(count * sizeof *q);
    if (!q) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    struct lattice_range range;
    lattice_from_values(&tiler->lattice, count, values, q, &range);
    status = step_volume_put(tiler->volume, 0, &to, q, range.lowest, range.highest, failure);
    if (!status) {
        pthread_mutex_lock(&tiler->lock);
        tiler->lost += range.lost;
        status = add_rows(tiler, &to, values, q);
        if (status && failure) *failure = tiler->failure;
        pthread_mutex_unlock(&tiler->lock);
    }
    free(q);
    return status;
}

// A box of blocks at work.
struct block_work {
    const struct voxel_box *box;
    const struct field_blocks *blocks;
    double *sum;        // of scaled values
    uint32_t *present;
    int32_t *q;
    struct lattice_range range;
};

static int weigh_block(const struct volume_tiler *tiler, struct block_work *w, size_t n, uint64_t covered, struct failure *failure) {
    const double points = w->blocks->count[n], steps = (w->blocks->mean[n] - tiler->lattice.v0) / tiler->lattice.step;
    if (!(points >= 0 && points <= (double)covered) || covered > UINT32_MAX)
        return failure_set(failure, VIRGA_UNSUPPORTED, "a block holds more values than fit");
    w->present[n] = (uint32_t)points;
    w->sum[n] = w->present[n] ? rint(steps * LATTICE_FRACTION * points) : 0;
    const int32_t q = w->q[n] = pyramid_voxel(w->sum[n], w->present[n], covered);
    w->range.missing += !w->present[n];
    if (q == LATTICE_MISSING) return VIRGA_OK;
    if (q < w->range.lowest) w->range.lowest = q;
    if (q > w->range.highest) w->range.highest = q;
    return VIRGA_OK;
}

// Least and most become scaled values as well.
static int weigh_blocks(const struct volume_tiler *tiler, struct block_work *w, struct failure *failure) {
    const struct pyramid_shape *shape = step_volume_shape(tiler->volume);
    const uint32_t *size = w->box->size, level = tiler->base;
    const size_t count = (size_t)size[0] * size[1] * size[2];
    struct lattice_range low, high;
    lattice_from_values(&tiler->lattice, count, w->blocks->least, w->q, &low);
    lattice_from_values(&tiler->lattice, count, w->blocks->most, w->q, &high);
    w->range = (struct lattice_range){.lowest = INT32_MAX, .highest = INT32_MIN};
    int status = VIRGA_OK;
    size_t n = 0;
    for (uint32_t z = 0; z < size[2]; z++)
        for (uint32_t y = 0; y < size[1]; y++) {
            const uint64_t deep = pyramid_cover(shape, level, 2, (uint32_t)w->box->lo[2] + z);
            const uint64_t area = deep * pyramid_cover(shape, level, 1, (uint32_t)w->box->lo[1] + y);
            for (uint32_t x = 0; x < size[0] && !status; x++, n++)
                status = weigh_block(tiler, w, n, area * pyramid_cover(shape, level, 0, (uint32_t)w->box->lo[0] + x), failure);
        }
    if (status || (low.missing == w->range.missing && high.missing == w->range.missing)) return status;
    return failure_set(failure, VIRGA_UNSUPPORTED, "some of its values are too large to be shown");
}

int volume_tiler_add_blocks(struct volume_tiler *tiler, const struct field_box *box, const struct field_blocks *blocks,
                            struct failure *failure) {
    struct voxel_box to;
    int status = check_box(tiler, true, box, &to, failure);
    if (status) return status;
    const size_t count = box->nx * box->ny * box->nz;
    struct block_work w = {&to, blocks, malloc(count * sizeof *w.sum), malloc(count * sizeof *w.present), malloc(count * sizeof *w.q), {0}};
    status = w.sum && w.present && w.q ? weigh_blocks(tiler, &w, failure) : failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    if (!status) status = step_volume_put(tiler->volume, tiler->base, &to, w.q, w.range.lowest, w.range.highest, failure);
    if (!status) {
        pthread_mutex_lock(&tiler->lock);
        status = add_sums(tiler, &to, &(struct box_sums){w.sum, blocks->least, blocks->most, w.present});
        if (status && failure) *failure = tiler->failure;
        pthread_mutex_unlock(&tiler->lock);
    }
    free(w.q);
    free(w.present);
    free(w.sum);
    return status;
}

int volume_tiler_brick(struct step_volume *volume, uint32_t level, uint32_t x, uint32_t y, uint32_t z, uint32_t size[3],
                       int32_t *q, struct failure *failure) {
    struct brick_box stored;
    brick_box_init(&stored, step_volume_shape(volume), level, x, y, z);
    struct voxel_box box;
    for (int a = 0; a < 3; a++) {
        box.lo[a] = stored.lo[a];
        box.size[a] = size[a] = stored.size[a];
    }
    return step_volume_get(volume, level, &box, q, failure);
}

static int survey_level(struct volume_tiler *tiler, struct step_table *table, uint32_t level, int32_t *q,
                        struct failure *failure) {
    const struct step_table_level *l = &table->levels[level];
    int status = VIRGA_OK;
    for (uint32_t z = 0; z < l->bricks[2] && !status; z++)
        for (uint32_t y = 0; y < l->bricks[1] && !status; y++)
            for (uint32_t x = 0; x < l->bricks[0] && !status; x++) {
                struct step_table_entry *e = step_table_at(table, level, x, y, z);
                uint32_t size[3];
                status = volume_tiler_brick(tiler->volume, level, x, y, z, size, q, failure);
                if (!status) e->kind = (uint8_t)brick_survey((size_t)size[0] * size[1] * size[2], q, &e->lowest, &e->highest);
            }
    return status;
}

static int survey(struct volume_tiler *tiler, struct step_table *table, struct failure *failure) {
    int32_t *q = malloc(BRICK_MAX_VOXELS * sizeof *q);
    int status = q ? VIRGA_OK : failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    for (uint32_t level = 0; level < table->level_count && !status; level++)
        status = survey_level(tiler, table, level, q, failure);
    free(q);
    return status;
}

int volume_tiler_finish(struct volume_tiler *tiler, struct step_table **table, struct step_volume **volume,
                        struct failure *failure) {
    *table = NULL;
    *volume = NULL;
    if (tiler->status || tiler->voxels_left || !pyramid_complete(tiler->pyramid))
        return failure_set(failure, VIRGA_INTERNAL, "the field's boxes do not cover it");
    struct step_table *t = NULL;
    int status = VIRGA_OK;
    if (tiler->table != TABLE_NONE && !(t = step_table_new(step_volume_shape(tiler->volume))))
        status = failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    if (t && tiler->bounds) step_bounds_fill(tiler->bounds, t);
    else if (t) status = survey(tiler, t, failure);
    if (status) {
        step_table_free(t);
        return status;
    }
    if (t) step_table_set_range(t, &tiler->lattice);
    *table = t;
    *volume = tiler->volume;
    tiler->volume = NULL;
    return VIRGA_OK;
}

size_t volume_tiler_memory(struct volume_tiler *tiler) {
    pthread_mutex_lock(&tiler->lock);
    size_t bytes = tiler->pyramid ? pyramid_memory(tiler->pyramid) : 0;
    if (tiler->bounds && tiler->volume) bytes += step_bounds_memory(step_volume_shape(tiler->volume));
    pthread_mutex_unlock(&tiler->lock);
    return bytes + (tiler->volume ? step_volume_memory(tiler->volume) : 0);
}

size_t volume_tiler_lost(struct volume_tiler *tiler) {
    pthread_mutex_lock(&tiler->lock);
    const size_t lost = tiler->lost;
    pthread_mutex_unlock(&tiler->lock);
    return lost;
}
