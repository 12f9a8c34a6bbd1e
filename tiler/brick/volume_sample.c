// SPDX-License-Identifier: Apache-2.0
#include "brick/volume_sample.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#include "brick/brick_codec.h"
#include "brick/brick_store_private.h"
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

enum { URGENT = 1 << 20, KEPT = 6 };

struct kept_brick {
    bool decoded;
    struct brick_box box;
    int32_t *q;  // [BRICK_MAX_VOXELS], or NULL before it is used
};

struct store_voxels {
    struct brick_store *store;
    struct catalog *catalog;
    const struct field_ref *field;
    struct pyramid_shape shape;
    struct answer answer;
    struct step_table *table;
    struct kept_brick kept[KEPT];
    int next;  // is decoded over
};

static int fetch_brick(struct store_voxels *v, struct kept_brick *kept, uint32_t bx, uint32_t by, uint32_t bz) {
    struct shared_bytes *bytes = NULL;
    const struct step_table_entry *entry = step_table_at(v->table, 0, bx, by, bz);
    kept->decoded = false;
    if (!kept->q && !(kept->q = malloc(BRICK_MAX_VOXELS * sizeof *kept->q))) return failure_set(v->answer.failure, VIRGA_NO_MEMORY, "out of memory");
    brick_box_init(&kept->box, &v->shape, 0, bx, by, bz);
    const size_t count = (size_t)kept->box.size[0] * kept->box.size[1] * kept->box.size[2];
    int status = VIRGA_OK;
    if (entry->kind <= BRICK_CONSTANT) {
        for (size_t s = 0; s < count; s++) kept->q[s] = entry->kind == BRICK_CONSTANT ? entry->lowest : LATTICE_MISSING;
    } else {
        status = brick_store_brick(v->store, v->catalog, v->field, 0, bx, by, bz, URGENT, &bytes, answered, &v->answer, v->answer.failure);
        if (status == VIRGA_AGAIN) {
            status = await(&v->answer, v->store, status);
            bytes = status ? NULL : v->answer.bytes;
        }
        if (!status && (status = brick_decode(bytes->data, bytes->size, kept->box.size, NULL, kept->q)))
            failure_set(v->answer.failure, status, "a brick cannot be decoded");
        shared_bytes_unref(bytes);
    }
    kept->decoded = !status;
    return status;
}

// Where the voxel is in a decoded brick or its border.
static bool in_box(const struct store_voxels *v, const struct brick_box *box, uint32_t x, uint32_t y, uint32_t z, size_t *s) {
    const int64_t n = v->shape.levels[0].n[0];
    int64_t l[3] = {x - box->lo[0], y - box->lo[1], z - box->lo[2]};
    if (v->shape.wraps_x && l[0] >= n) l[0] -= n;
    for (int a = 0; a < 3; a++)
        if (l[a] < 0) {
            if (a || !v->shape.wraps_x || (l[0] += n) < 0) return false;
        }
    for (int a = 0; a < 3; a++)
        if (l[a] >= box->size[a]) return false;
    *s = ((size_t)l[2] * box->size[1] + (size_t)l[1]) * box->size[0] + (size_t)l[0];
    return true;
}

// The first voxel asked for is the one with the least indices: its brick's border holds the other seven.
static int store_voxel(void *user, uint32_t x, uint32_t y, uint32_t z, int32_t *q) {
    struct store_voxels *v = user;
    struct kept_brick *kept = NULL;
    size_t s = 0;
    for (int n = 0; n < KEPT && !kept; n++)
        if (v->kept[n].decoded && in_box(v, &v->kept[n].box, x, y, z, &s)) kept = &v->kept[n];
    if (!kept) {
        kept = &v->kept[v->next];
        v->next = (v->next + 1) % KEPT;
        int status = fetch_brick(v, kept, x / BRICK_CORE, y / BRICK_CORE, z / BRICK_CORE);
        if (status) return status;
        if (!in_box(v, &kept->box, x, y, z, &s)) return failure_set(v->answer.failure, VIRGA_INTERNAL, "a brick has another place than its name says");
    }
    *q = kept->q[s];
    return VIRGA_OK;
}

static int await_table(struct brick_store *store, struct catalog *catalog, const struct field_ref *field, struct answer *answer,
                       struct shared_bytes **bytes) {
    int status = brick_store_table(store, catalog, field, URGENT, bytes, answered, answer, answer->failure);
    if (status != VIRGA_AGAIN) return status;
    status = await(answer, store, status);
    *bytes = status ? NULL : answer->bytes;
    return status;
}

int brick_store_build(struct brick_store *store, struct catalog *catalog, const struct field_ref *field, struct failure *failure) {
    struct answer answer = {.lock = PTHREAD_MUTEX_INITIALIZER, .there = PTHREAD_COND_INITIALIZER, .failure = failure};
    struct shared_bytes *bytes = NULL;
    const int status = await_table(store, catalog, field, &answer, &bytes);
    shared_bytes_unref(bytes);
    return status;
}

static int fetch_table(struct store_voxels *v) {
    struct shared_bytes *bytes = NULL;
    int status = await_table(v->store, v->catalog, v->field, &v->answer, &bytes);
    if (!status && (status = step_table_decode(bytes->data, bytes->size, &v->table)))
        failure_set(v->answer.failure, status, "a step table cannot be decoded");
    shared_bytes_unref(bytes);
    return status;
}

// All columns through one access. *at: the one under way.
static int sample_all(const struct volume_access *access, const struct field_ref *field, const struct sample_column *columns, size_t count, size_t *at,
                      struct failure *failure) {
    int status = VIRGA_OK;
    for (*at = 0; *at < count && !status; ++*at) {
        const struct sample_column *c = &columns[*at];
        if (field->stop && atomic_load(field->stop)) return failure_set(failure, VIRGA_CANCELLED, "nobody waits for it any more");
        for (size_t n = 0; n < c->count && !status; n++) status = volume_sample(access, c->i, c->j, c->k[n], &c->values[n]);
    }
    return status;
}

static struct volume_access access_of(const struct field_ref *field, const struct pyramid_shape *shape) {
    const uint32_t *n = shape->levels[0].n;
    return (struct volume_access){.n = {n[0], n[1], n[2]}, .wraps_x = shape->wraps_x, .lattice = field->dataset->variables[field->variable].lattice};
}

static int sample_bricks(struct brick_store *store, struct catalog *catalog, const struct field_ref *field, const struct sample_column *columns,
                         size_t count, struct failure *failure) {
    struct store_voxels v = {
        .store = store,
        .catalog = catalog,
        .field = field,
        .answer = {.lock = PTHREAD_MUTEX_INITIALIZER, .there = PTHREAD_COND_INITIALIZER, .failure = failure},
    };
    size_t at;
    int status = fetch_table(&v);
    if (status) goto done;
    brick_store_shape(field->dataset, field->variable, &v.shape);
    for (int a = 0; a < 3; a++)
        if (v.table->levels[0].n[a] != v.shape.levels[0].n[a]) status = VIRGA_INTERNAL;
    if (status) {
        failure_set(failure, status, "the step table is not of this field");
        goto done;
    }
    struct volume_access access = access_of(field, &v.shape);
    access.voxel = store_voxel;
    access.user = &v;
    status = sample_all(&access, field, columns, count, &at, failure);
done:
    step_table_free(v.table);
    for (int n = 0; n < KEPT; n++) free(v.kept[n].q);
    return status;
}

// --- From columns of their own.

enum { COLUMNS = 4, PLACES = 2, BOX_VALUES = 1 << 18 };  // columns around a place; where a grid wraps, two places of such; numbers read at once, or one place's

struct column_voxels {
    const struct field_access *access;
    const struct field_ref *field;
    const struct lattice_spec *lattice;
    const uint32_t *n;
    bool wraps;
    struct failure *failure;
    const struct sample_column *columns;
    size_t count, at;              // at: what is sampled now
    size_t room;                   // numbers that a box may have
    struct field_box box[PLACES];  // what is here; nx is 0 before it is read
    int next;                      // is read over
    double *values;                // [room]
    int32_t *q[PLACES];            // likewise
};

// The box, and the columns around a place.
static struct field_box box_with(const struct field_box *box, size_t x, size_t y, const uint32_t *n) {
    size_t x1 = x + 1 < n[0] ? x + 2 : x + 1, y1 = y + 1 < n[1] ? y + 2 : y + 1;
    struct field_box more = *box;
    if (!box->nx) {
        more.x0 = x, more.nx = x1 - x, more.y0 = y, more.ny = y1 - y;
        return more;
    }
    more.x0 = x < box->x0 ? x : box->x0;
    more.y0 = y < box->y0 ? y : box->y0;
    more.nx = (x1 > box->x0 + box->nx ? x1 : box->x0 + box->nx) - more.x0;
    more.ny = (y1 > box->y0 + box->ny ? y1 : box->y0 + box->ny) - more.y0;
    return more;
}

// The columns around (x, y), and those of as many of the next places as there is room for.
static int read_columns(struct column_voxels *v, uint32_t x, uint32_t y, int place) {
    struct field_box *box = &v->box[place];
    struct lattice_range range;
    box->nx = 0;
    *box = box_with(box, x, y, v->n);
    for (size_t at = v->at + 1; at < v->count; at++) {
        struct axis_pair i, j;
        if (!split(v->columns[at].i, v->n[0], v->wraps, &i) || !split(v->columns[at].j, v->n[1], false, &j)) continue;
        struct field_box more = box_with(box, i.at[0], j.at[0], v->n);
        if (more.nx > v->room / more.nz / more.ny) break;
        *box = more;
    }
    int status = v->access->read(v->field, box, v->values, v->failure);
    if (status) box->nx = 0;
    else lattice_from_values(v->lattice, box->nx * box->ny * box->nz, v->values, v->q[place], &range);
    return status;
}

static bool holds(const struct field_box *b, uint32_t x, uint32_t y) { return x >= b->x0 && x - b->x0 < b->nx && y >= b->y0 && y - b->y0 < b->ny; }

// The first voxel asked for is the one with the least indices: the other columns are read with its own.
static int column_voxel(void *user, uint32_t x, uint32_t y, uint32_t z, int32_t *q) {
    struct column_voxels *v = user;
    int place = holds(&v->box[0], x, y) ? 0 : holds(&v->box[1], x, y) ? 1 : -1;
    if (place < 0) {
        place = v->next;
        v->next = !v->next;
        int status = read_columns(v, x, y, place);
        if (status) return status;
    }
    const struct field_box *b = &v->box[place];
    if (z < b->z0 || z - b->z0 >= b->nz) return failure_set(v->failure, VIRGA_INTERNAL, "a level was not read");
    *q = v->q[place][((z - b->z0) * b->ny + y - b->y0) * b->nx + x - b->x0];
    return VIRGA_OK;
}

// The levels that all columns need.
static void find_levels(const struct sample_column *columns, size_t count, uint32_t n, struct field_box *box) {
    double low = n - 1, high = 0;
    for (size_t c = 0; c < count; c++)
        for (size_t at = 0; at < columns[c].count; at++) {
            double k = columns[c].k[at];
            if (!(k >= 0 && k <= (double)n - 1)) continue;
            low = fmin(low, floor(k));
            high = fmax(high, ceil(k));
        }
    box->z0 = (size_t)fmin(low, high);
    box->nz = (size_t)high - box->z0 + 1;
}

static int sample_columns(const struct field_access *access, const struct field_ref *field, const struct sample_column *columns, size_t count,
                          struct failure *failure) {
    struct pyramid_shape shape;
    brick_store_shape(field->dataset, field->variable, &shape);
    struct volume_access sampled = access_of(field, &shape);
    struct column_voxels v = {.access = access, .field = field, .lattice = &sampled.lattice, .n = sampled.n, .wraps = sampled.wraps_x, .failure = failure,
                              .columns = columns, .count = count};
    find_levels(columns, count, sampled.n[2], &v.box[0]);
    v.box[1] = v.box[0];
    v.room = COLUMNS * v.box[0].nz;
    if (count > 1 && v.room < BOX_VALUES) v.room = BOX_VALUES;
    v.values = malloc(v.room * sizeof *v.values);
    bool room = v.values != NULL;
    for (int place = 0; place < PLACES; place++) room &= (v.q[place] = malloc(v.room * sizeof *v.q[place])) != NULL;
    sampled.voxel = column_voxel;
    sampled.user = &v;
    int status = room ? sample_all(&sampled, field, columns, count, &v.at, failure) : failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    for (int place = 0; place < PLACES; place++) free(v.q[place]);
    free(v.values);
    return status;
}

static int sample(struct brick_store *store, struct catalog *catalog, const struct field_ref *field, const struct sample_column *columns, size_t count,
                  bool whole, struct failure *failure) {
    for (size_t c = 0; c < count; c++)
        for (size_t n = 0; n < columns[c].count; n++) columns[c].values[n] = NAN;
    if (!whole || (store->access->far && store->access->far(field))) return sample_columns(store->access, field, columns, count, failure);
    return sample_bricks(store, catalog, field, columns, count, failure);
}

int brick_samples_at(struct brick_store *store, struct catalog *catalog, const struct field_ref *field, double i, double j,
                     const double *k, size_t count, double *values, struct failure *failure) {
    const struct sample_column column = {i, j, count, k, values};
    return sample(store, catalog, field, &column, 1, true, failure);
}

int brick_samples_along(struct brick_store *store, struct catalog *catalog, const struct field_ref *field, const struct sample_column *columns,
                        size_t count, struct failure *failure) {
    struct step_volume *held = brick_store_volume(store, field);
    step_volume_free(held);
    return sample(store, catalog, field, columns, count, count > SAMPLE_FEW_COLUMNS || held, failure);
}
