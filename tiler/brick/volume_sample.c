// SPDX-License-Identifier: Apache-2.0
#include "brick/volume_sample.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#include "brick/brick_codec.h"
#include "brick/lattice.h"
#include "brick/step_table.h"

struct axis_pair {  // two neighbours along an axis and the second one's weight
    uint32_t at[2];
    double weight;
};

static bool split(double index, uint32_t n, bool wraps, struct axis_pair *pair) {
    const double most = wraps ? n : (double)n - 1;
    if (!(index >= 0 && index <= most)) return false;
    const uint32_t first = (uint32_t)index;
    pair->weight = index - first;
    pair->at[0] = first < n ? first : 0;
    pair->at[1] = first + 1 < n ? first + 1 : wraps ? first + 1 - n : first;
    return true;
}

int volume_sample(const struct volume_access *access, double i, double j, double k, double *value) {
    struct axis_pair x, y, z;
    *value = NAN;
    if (!split(i, access->n[0], access->wraps_x, &x) || !split(j, access->n[1], false, &y) || !split(k, access->n[2], false, &z))
        return VIRGA_OK;
    double sum = 0, present = 0;
    for (int corner = 0; corner < 8; corner++) {
        const int cx = corner & 1, cy = corner >> 1 & 1, cz = corner >> 2;
        const double weight = (cx ? x.weight : 1 - x.weight) * (cy ? y.weight : 1 - y.weight) * (cz ? z.weight : 1 - z.weight);
        int32_t q;
        if (weight == 0) continue;
        int status = access->voxel(access->user, x.at[cx], y.at[cy], z.at[cz], &q);
        if (status) return status;
        if (q == LATTICE_MISSING) continue;
        present += weight;
        sum += weight * lattice_to_value(&access->lattice, q);
    }
    if (present >= 0.5 * (1 - 1e-12)) *value = sum / present;
    return VIRGA_OK;
}

// --- From the store.

struct answer {
    pthread_mutex_t lock;
    pthread_cond_t there;
    bool done;
    int status;
    struct shared_bytes *bytes;
    struct failure *failure;
};

static void answered(void *user, int status, struct shared_bytes *bytes, const struct failure *failure) {
    struct answer *answer = user;
    pthread_mutex_lock(&answer->lock);
    answer->status = status;
    answer->bytes = bytes;
    if (failure && answer->failure) *answer->failure = *failure;
    answer->done = true;
    pthread_cond_signal(&answer->there);
    pthread_mutex_unlock(&answer->lock);
}

static int await(struct answer *answer, struct brick_store *store, int status) {
    if (status != VIRGA_AGAIN) return status;
    pthread_mutex_lock(&answer->lock);
    while (!answer->done) pthread_cond_wait(&answer->there, &answer->lock);
    answer->done = false;
    pthread_mutex_unlock(&answer->lock);
    brick_store_cancel(store, answer);  // waits until the callback has let go of the answer
    return answer->status;
}

enum { URGENT = 1 << 20 };

struct store_voxels {
    struct brick_store *store;
    struct catalog *catalog;
    const struct field_ref *field;
    struct pyramid_shape shape;
    struct answer answer;
    struct step_table *table;
    bool decoded;
    struct brick_box box;  // of the decoded brick
    int32_t *q;
};

static int fetch_brick(struct store_voxels *v, uint32_t bx, uint32_t by, uint32_t bz) {
    struct shared_bytes *bytes = NULL;
    const struct step_table_entry *entry = step_table_at(v->table, 0, bx, by, bz);
    brick_box_init(&v->box, &v->shape, 0, bx, by, bz);
    const size_t count = (size_t)v->box.size[0] * v->box.size[1] * v->box.size[2];
    int status = VIRGA_OK;
    if (entry->kind <= BRICK_CONSTANT) {
        for (size_t s = 0; s < count; s++) v->q[s] = entry->kind == BRICK_CONSTANT ? entry->lowest : LATTICE_MISSING;
    } else {
        status = brick_store_brick(v->store, v->catalog, v->field, 0, bx, by, bz, URGENT, &bytes, answered, &v->answer, v->answer.failure);
        if (status == VIRGA_AGAIN) {
            status = await(&v->answer, v->store, status);
            bytes = status ? NULL : v->answer.bytes;
        }
        if (!status && (status = brick_decode(bytes->data, bytes->size, v->box.size, NULL, v->q)))
            failure_set(v->answer.failure, status, "a brick cannot be decoded");
        shared_bytes_unref(bytes);
    }
    v->decoded = !status;
    return status;
}

// Where the voxel is in the decoded brick or its border.
static bool in_box(const struct store_voxels *v, uint32_t x, uint32_t y, uint32_t z, size_t *s) {
    const int64_t n = v->shape.levels[0].n[0];
    int64_t l[3] = {x - v->box.lo[0], y - v->box.lo[1], z - v->box.lo[2]};
    if (v->shape.wraps_x && l[0] >= n) l[0] -= n;
    for (int a = 0; a < 3; a++)
        if (l[a] < 0) {
            if (a || !v->shape.wraps_x || (l[0] += n) < 0) return false;
        }
    for (int a = 0; a < 3; a++)
        if (l[a] >= v->box.size[a]) return false;
    *s = ((size_t)l[2] * v->box.size[1] + (size_t)l[1]) * v->box.size[0] + (size_t)l[0];
    return true;
}

// The first voxel asked for is the one with the least indices: its brick's border holds the other seven.
static int store_voxel(void *user, uint32_t x, uint32_t y, uint32_t z, int32_t *q) {
    struct store_voxels *v = user;
    size_t s;
    if (!v->decoded || !in_box(v, x, y, z, &s)) {
        int status = fetch_brick(v, x / BRICK_CORE, y / BRICK_CORE, z / BRICK_CORE);
        if (status) return status;
        if (!in_box(v, x, y, z, &s)) return VIRGA_INTERNAL;
    }
    *q = v->q[s];
    return VIRGA_OK;
}

static int fetch_table(struct store_voxels *v) {
    struct shared_bytes *bytes = NULL;
    int status = brick_store_table(v->store, v->catalog, v->field, URGENT, &bytes, answered, &v->answer, v->answer.failure);
    if (status == VIRGA_AGAIN) {
        status = await(&v->answer, v->store, status);
        bytes = status ? NULL : v->answer.bytes;
    }
    if (!status && (status = step_table_decode(bytes->data, bytes->size, &v->table)))
        failure_set(v->answer.failure, status, "a step table cannot be decoded");
    shared_bytes_unref(bytes);
    return status;
}

int brick_sample_at(struct brick_store *store, struct catalog *catalog, const struct field_ref *field, double i, double j,
                    double k, double *value, struct failure *failure) {
    struct store_voxels v = {
        .store = store,
        .catalog = catalog,
        .field = field,
        .answer = {.lock = PTHREAD_MUTEX_INITIALIZER, .there = PTHREAD_COND_INITIALIZER, .failure = failure},
        .q = malloc(BRICK_MAX_VOXELS * sizeof(int32_t)),
    };
    *value = NAN;
    if (!v.q) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    int status = fetch_table(&v);
    if (status) goto done;
    brick_store_shape(field->dataset, field->variable, &v.shape);
    for (int a = 0; a < 3; a++)
        if (v.table->levels[0].n[a] != v.shape.levels[0].n[a]) status = VIRGA_INTERNAL;
    if (status) {
        failure_set(failure, status, "the step table is not of this field");
        goto done;
    }
    const struct volume_access access = {
        .n = {v.shape.levels[0].n[0], v.shape.levels[0].n[1], v.shape.levels[0].n[2]},
        .wraps_x = v.shape.wraps_x,
        .lattice = field->dataset->variables[field->variable].lattice,
        .voxel = store_voxel,
        .user = &v,
    };
    status = volume_sample(&access, i, j, k, value);
done:
    step_table_free(v.table);
    free(v.q);
    return status;
}

int brick_sample(struct brick_store *store, struct catalog *catalog, const struct field_ref *field, double i, double j,
                 double k, double *value) {
    return brick_sample_at(store, catalog, field, i, j, k, value, NULL);
}
