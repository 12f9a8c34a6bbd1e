// SPDX-License-Identifier: Apache-2.0
#include "tile/plane_read.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "brick/lattice.h"
#include "base/multiversion.h"
#include "field/field_reduce.h"

enum { GROUP_NUMBERS = 4 << 20 };  // held at a time, where one level has fewer

static const double Q_LIMIT = 2147483647.0;

void plane_columns_init(struct plane_columns *c, const struct catalog_dataset *dataset, size_t most) {
    *c = (struct plane_columns){.nx = dataset->grid->x.n, .ny = dataset->grid->y.n, .scale = 1, .wraps = dataset->grid->wraps};
    for (;; c->scale *= 2) {
        c->cx = (c->nx + c->scale - 1) / c->scale, c->cy = (c->ny + c->scale - 1) / c->scale;
        if (c->cx <= most / c->cy || c->cx * c->cy == 1) break;
    }
    c->count = c->cx * c->cy;
}

double plane_columns_at(unsigned scale, size_t c, size_t n) {
    const double at = ((double)c + 0.5) * scale - 0.5;
    return at < (double)n - 1 ? at : (double)n - 1;
}

int plane_stopped(const struct field_ref *field, struct failure *failure) {
    const bool stopped = field->stop && atomic_load(field->stop);
    return stopped ? failure_set(failure, VIRGA_CANCELLED, "nobody waits for it any more") : VIRGA_OK;
}

// --- Opening.

// The store's volume: what it holds, or, where most levels are wanted, after it was read. NULL: levels are read one by one.
static struct step_volume *find_volume(const struct plane_maker *maker, const struct field_ref *field, bool most) {
    if (!maker->store) return NULL;
    struct step_volume *volume = brick_store_volume(maker->store, field);
    if (volume || !most || field_reduces_early(field) || brick_store_build(maker->store, maker->catalog, field, NULL)) return volume;
    return brick_store_volume(maker->store, field);  // there may have been no room to keep it
}

int plane_reader_open(struct plane_reader *r, const struct plane_maker *maker, const struct plane_columns *columns, const struct field_ref *field,
                      bool exact, size_t last, bool most, struct failure *failure) {
    const struct catalog_variable *v = &field->dataset->variables[field->variable];
    *r = (struct plane_reader){.columns = columns, .field = *field, .lattice = exact ? NULL : &v->lattice};
    if (last >= v->nz) return failure_set(failure, VIRGA_INTERNAL, "%s has too few levels", v->id);
    r->end = last + 1;
    if (!exact && columns->scale == 1) r->volume = find_volume(maker, field, most);
    r->room = columns->scale == 1 && columns->count < GROUP_NUMBERS ? GROUP_NUMBERS / columns->count : 1;
    if (r->room > v->nz || !most) r->room = most ? v->nz : 1;
    r->by_rows = !r->volume && columns->scale == 1 && r->room == 1;
    if (r->by_rows) return VIRGA_OK;
    if (r->volume) r->q = memory_new_aligned(64, columns->count, sizeof *r->q);
    else r->numbers = memory_new_aligned(64, columns->count * r->room, sizeof *r->numbers);
    if (r->q || r->numbers) return VIRGA_OK;
    plane_reader_close(r);
    return failure_set(failure, VIRGA_NO_MEMORY, "out of memory for a surface of %zu columns", columns->count);
}

void plane_reader_close(struct plane_reader *r) {
    step_volume_free(r->volume);
    free(r->numbers);
    free(r->q);
    *r = (struct plane_reader){0};
}

// --- Values.

MULTIVERSION
static void values_of_lattice(const struct lattice_spec *lattice, size_t count, const int32_t *q, float *values) {
    const double v0 = lattice->v0, step = lattice->step;
    for (size_t c = 0; c < count; c++) {
        const float value = (float)(v0 + q[c] * step);
        values[c] = q[c] == LATTICE_MISSING ? NAN : value;
    }
}

// As lattice_from_value and lattice_to_value.
MULTIVERSION
static void values_on_lattice(const struct lattice_spec *lattice, size_t count, const double *read, float *values) {
    const double v0 = lattice->v0, step = lattice->step, per_step = 1 / lattice->step, limit = Q_LIMIT;
    for (size_t c = 0; c < count; c++) {
        const double nearest = rint((read[c] - v0) * per_step);
        const float value = (float)(v0 + nearest * step);
        values[c] = fabs(nearest) <= limit ? value : NAN;
    }
}

static void put_values(const struct plane_reader *r, const double *read, size_t count, float *values) {
    if (r->lattice) values_on_lattice(r->lattice, count, read, values);
    else
        for (size_t c = 0; c < count; c++) values[c] = isfinite(read[c]) ? (float)read[c] : NAN;
}

struct row_taker {
    const struct plane_reader *reader;
    float *values;  // of the level
};

static void take_row(void *user, size_t j, const double *read) {
    const struct row_taker *taker = user;
    const size_t nx = taker->reader->columns->nx;
    put_values(taker->reader, read, nx, taker->values + j * nx);
}

static int read_rows(const struct plane_reader *r, size_t k, float *values, struct failure *failure) {
    const struct field_box box = {0, 0, k, r->columns->nx, r->columns->ny, 1};
    return field_read_rows(&r->field, &box, take_row, &(struct row_taker){r, values}, failure);
}

// --- Grids with more columns than a plane holds.

// Means over scale × scale of a strip of rows that is a multiple of scale high, or ends the grid.
static void mean_strip(const struct plane_columns *c, const double *strip, size_t rows, double *means) {
    for (size_t y = 0; y * c->scale < rows; y++)
        for (size_t x = 0; x < c->cx; x++) {
            double sum = 0;
            size_t present = 0, covered = 0;
            for (size_t j = y * c->scale; j < (y + 1) * c->scale && j < rows; j++)
                for (size_t i = x * c->scale; i < (x + 1) * c->scale && i < c->nx; i++, covered++)
                    if (isfinite(strip[j * c->nx + i])) sum += strip[j * c->nx + i], present++;
            means[y * c->cx + x] = 2 * present >= covered ? sum / (double)present : NAN;
        }
}

static int read_strips(struct plane_reader *r, size_t k, struct failure *failure) {
    const struct plane_columns *c = r->columns;
    size_t rows = GROUP_NUMBERS / c->nx / c->scale * c->scale;
    if (rows == 0) rows = c->scale;
    double *strip = memory_new_aligned(64, rows * c->nx, sizeof *strip);
    int status = strip ? VIRGA_OK : failure_set(failure, VIRGA_NO_MEMORY, "out of memory for a surface of a large grid");
    for (size_t y0 = 0; !status && y0 < c->ny; y0 += rows) {
        const struct field_box box = {0, y0, k, c->nx, c->ny - y0 < rows ? c->ny - y0 : rows, 1};
        status = field_read(&r->field, &box, strip, failure);
        if (!status) mean_strip(c, strip, box.ny, r->numbers + y0 / c->scale * c->cx);
    }
    free(strip);
    return status;
}

static int read_reduced(struct plane_reader *r, size_t k, struct failure *failure) {
    const struct plane_columns *c = r->columns;
    const uint32_t block[3] = {c->scale, c->scale, 1};
    const struct field_box box = {0, 0, k, c->cx, c->cy, 1};
    double *others = memory_new_aligned(64, c->count, 3 * sizeof *others);
    if (!others) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory for a surface of a large grid");
    const struct field_blocks blocks = {r->numbers, others, others + c->count, others + 2 * c->count};
    const int status = field_reduce(&r->field, block, &box, &blocks, failure);
    for (size_t n = 0; !status && n < c->count; n++) {
        const size_t across = c->nx - n % c->cx * c->scale, up = c->ny - n / c->cx * c->scale;
        const size_t covered = (across < c->scale ? across : c->scale) * (up < c->scale ? up : c->scale);
        if (2 * blocks.count[n] < (double)covered) r->numbers[n] = NAN;
    }
    free(others);
    return status;
}

static int read_coarse(struct plane_reader *r, size_t k, struct failure *failure) {
    if (field_reduces_early(&r->field)) {
        const int status = read_reduced(r, k, failure);
        if (status != VIRGA_UNSUPPORTED) return status;
    }
    return read_strips(r, k, failure);
}

// --- A level.

static int read_group(struct plane_reader *r, size_t k, struct failure *failure) {
    const struct plane_columns *c = r->columns;
    const size_t count = r->end - k < r->room ? r->end - k : r->room;
    const struct field_box box = {0, 0, k, c->nx, c->ny, count};
    const int status = c->scale == 1 ? field_read(&r->field, &box, r->numbers, failure) : read_coarse(r, k, failure);
    r->first = k;
    r->held = status ? 0 : count;
    return status;
}

int plane_reader_level(struct plane_reader *r, size_t k, float *values, struct failure *failure) {
    int status = plane_stopped(&r->field, failure);
    if (status) return status;
    if (r->volume) {
        const struct voxel_box box = {{0, 0, (int64_t)k}, {(uint32_t)r->columns->nx, (uint32_t)r->columns->ny, 1}};
        status = step_volume_get(r->volume, 0, &box, r->q, failure);
        if (!status) values_of_lattice(r->lattice, r->columns->count, r->q, values);
        return status;
    }
    if (r->by_rows) return read_rows(r, k, values, failure);
    if (r->held == 0 || k < r->first || k >= r->first + r->held) status = read_group(r, k, failure);
    if (!status) put_values(r, r->numbers + (k - r->first) * r->columns->count, r->columns->count, values);
    return status;
}
