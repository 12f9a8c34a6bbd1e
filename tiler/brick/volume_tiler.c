// SPDX-License-Identifier: Apache-2.0
#include "brick/volume_tiler.h"

#include <pthread.h>
#include <stdlib.h>

#include "brick/lattice.h"
#include "brick/pyramid.h"

struct volume_tiler {
    pthread_mutex_t lock;  // of the pyramid
    struct lattice_spec lattice;
    struct step_volume *volume;
    struct pyramid *pyramid;  // lock
    size_t voxels_left;       // lock
    int status;               // lock; of the first box that failed: then all the others do
    struct failure failure;   // lock
};

static int put_coarse(void *user, uint32_t level, const struct voxel_box *box, const int32_t *q, int32_t lowest,
                      int32_t highest, struct failure *failure) {
    struct volume_tiler *tiler = user;
    return step_volume_put(tiler->volume, level, box, q, lowest, highest, failure);
}

struct volume_tiler *volume_tiler_new(const struct lattice_spec *lattice, struct step_volume *volume) {
    const struct pyramid_shape *shape = step_volume_shape(volume);
    struct volume_tiler *tiler = calloc(1, sizeof *tiler);
    if (!tiler || pthread_mutex_init(&tiler->lock, NULL)) {
        step_volume_free(volume);
        free(tiler);
        return NULL;
    }
    tiler->lattice = *lattice;
    tiler->volume = volume;
    tiler->voxels_left = (size_t)shape->levels[0].n[0] * shape->levels[0].n[1] * shape->levels[0].n[2];
    tiler->pyramid = pyramid_new(shape, put_coarse, tiler);
    if (tiler->pyramid) return tiler;
    volume_tiler_free(tiler);
    return NULL;
}

void volume_tiler_free(struct volume_tiler *tiler) {
    if (!tiler) return;
    pyramid_free(tiler->pyramid);
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

static int add_to_pyramid(struct volume_tiler *tiler, const struct voxel_box *box, size_t count, const double *values,
                          const int32_t *q, struct failure *failure) {
    pthread_mutex_lock(&tiler->lock);
    if (!tiler->status && tiler->voxels_left < count)
        tiler->status = failure_set(&tiler->failure, VIRGA_INTERNAL, "a voxel came twice");
    if (!tiler->status) tiler->status = pyramid_add(tiler->pyramid, box, values, q, &tiler->failure);
    tiler->voxels_left -= tiler->status ? 0 : count;
    const int status = tiler->status;
    if (status && failure) *failure = tiler->failure;
    pthread_mutex_unlock(&tiler->lock);
    return status;
}

int volume_tiler_add(struct volume_tiler *tiler, const struct field_box *box, double *values, struct failure *failure) {
    if (!inside(&step_volume_shape(tiler->volume)->levels[0], box))
        return failure_set(failure, VIRGA_INTERNAL, "a box of the field lies outside it");
    const struct voxel_box to = {.lo = {(int64_t)box->x0, (int64_t)box->y0, (int64_t)box->z0},
                                 .size = {(uint32_t)box->nx, (uint32_t)box->ny, (uint32_t)box->nz}};
    const size_t count = box->nx * box->ny * box->nz;
    int32_t *q = malloc(count * sizeof *q);
    if (!q) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    struct lattice_range range;
    lattice_from_values(&tiler->lattice, count, values, q, &range);
    int status = step_volume_put(tiler->volume, 0, &to, q, range.lowest, range.highest, failure);
    if (!status) status = add_to_pyramid(tiler, &to, count, values, q, failure);
    free(q);
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

int volume_tiler_finish(struct volume_tiler *tiler, struct step_table **table, struct step_volume **volume,
                        struct failure *failure) {
    const struct pyramid_shape *shape = step_volume_shape(tiler->volume);
    *table = NULL;
    *volume = NULL;
    if (tiler->status || tiler->voxels_left || !pyramid_complete(tiler->pyramid))
        return failure_set(failure, VIRGA_INTERNAL, "the field's boxes do not cover it");
    struct step_table *t = step_table_new(shape);
    int32_t *q = malloc(BRICK_MAX_VOXELS * sizeof *q);
    int status = t && q ? VIRGA_OK : failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    for (uint32_t level = 0; level < shape->level_count && !status; level++)
        status = survey_level(tiler, t, level, q, failure);
    free(q);
    if (status) {
        step_table_free(t);
        return status;
    }
    step_table_set_range(t, &tiler->lattice);
    *table = t;
    *volume = tiler->volume;
    tiler->volume = NULL;
    return VIRGA_OK;
}

size_t volume_tiler_memory(struct volume_tiler *tiler) {
    pthread_mutex_lock(&tiler->lock);
    const size_t bytes = tiler->pyramid ? pyramid_memory(tiler->pyramid) : 0;
    pthread_mutex_unlock(&tiler->lock);
    return bytes + (tiler->volume ? step_volume_memory(tiler->volume) : 0);
}
