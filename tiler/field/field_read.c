// SPDX-License-Identifier: Apache-2.0
// From boxes in normalised order (x east, y north, z up) to slabs as stored, and back.
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "field/cf_attributes.h"
#include "field/derived.h"

const struct field_step *field_step_of(const struct field_ref *field) {
    const struct catalog_dataset *d = field->dataset;
    if (field->variable >= d->variable_count || field->run >= d->run_count) return NULL;
    const struct catalog_variable *v = &d->variables[field->variable];
    const struct run_source *run = &v->from->runs[field->run];
    size_t member = field->member == MEMBER_MEAN ? 0 : field->member;
    if (field->step >= run->step_count || member >= v->member_count) return NULL;
    return v->from->members_apart ? &run->steps[field->step * v->member_count + member] : &run->steps[field->step];
}

bool catalog_has_member(const struct field_ref *field) {
    const struct field_step *step = field_step_of(field);
    const struct variable_source *from = field->dataset->variables[field->variable].from;
    if (!step || !from->derived || from->derived->folds_members) return step && !step->absent;
    struct field_ref u = field_input(field, false);
    return catalog_has_member(&u);
}

size_t run_piece_count(const struct catalog_variable *v, size_t run) {
    return v->from->runs[run].step_count * (v->from->members_apart ? v->member_count : v->from->stack ? v->nz : 1);
}

const struct field_step *run_piece(const struct catalog_variable *v, size_t run, size_t piece) {
    return v->from->stack ? &v->from->runs[run].levels[piece] : &v->from->runs[run].steps[piece];
}

struct field_ref field_input(const struct field_ref *field, bool v) {
    const struct field_step *step = field_step_of(field);
    const struct variable_source *from = field->dataset->variables[field->variable].from;
    struct field_ref input = *field;
    input.variable = (size_t)(v ? from->v : from->u);
    input.step = v ? step->v_step : step->u_step;
    if (from->derived->folds_members) input.member = MEMBER_MEAN;
    return input;
}

struct field_ref field_underlying(const struct field_ref *field) {
    struct field_ref at = *field;
    while (at.dataset->variables[at.variable].from->derived && field_step_of(&at)) at = field_input(&at, false);
    return at;
}

struct axis_read {  // one axis of a slab
    size_t start, count;
    ptrdiff_t stride;  // stored numbers between neighbours in normalised order
    size_t first;      // of the first normalised index, from the slab's start on this axis
};

static struct axis_read axis_read_of(size_t file_length, bool reversed, size_t at, size_t count) {
    struct axis_read a = {reversed ? file_length - at - count : at, count, reversed ? -1 : 1, reversed ? count - 1 : 0};
    return a;
}

// Where values go that are read: all into one array, or each row as soon as it is decoded.
struct value_sink {
    double *values;          // of all, or room for a row
    field_row_taker take;    // NULL: all
    void *user;
    size_t first_row;        // of the box that is told to `take`
    struct source_slab *slab;  // to be read into again; NULL: none
};

static void decode_slab(const struct cf_variable *v, const struct source_slab *slab, const struct axis_read *x, const struct axis_read *y,
                        const struct axis_read *z, const struct value_sink *sink) {
    size_t size = source_type_size(v->packing.type);
    const char *data = slab->data;
    for (size_t k = 0; k < z->count; k++)
        for (size_t j = 0; j < y->count; j++) {
            ptrdiff_t at = (ptrdiff_t)x->first + (ptrdiff_t)y->first + (ptrdiff_t)z->first + (ptrdiff_t)j * y->stride + (ptrdiff_t)k * z->stride;
            double *row = sink->take ? sink->values : sink->values + (k * y->count + j) * x->count;
            cf_packing_decode(&v->packing, data + at * (ptrdiff_t)size, x->stride, x->count, row);
            if (sink->take) sink->take(sink->user, sink->first_row + j, row);
        }
}

void field_piece_request(const struct field_piece *piece, struct source_slab_request *request) {
    const struct cf_variable *v = piece->variable;
    *request = (struct source_slab_request){.variable = v->index, .rank = cf_file_variable(piece->file, v->index)->rank, .scale = 1, .stop = piece->stop};
    for (int d = 0; d < request->rank; d++) request->count[d] = request->block[d] = 1;
    if (v->t >= 0) request->start[v->t] = v->run >= 0 ? piece->time % v->steps_per_run : piece->time;
    if (v->run >= 0) request->start[v->run] = piece->time / v->steps_per_run;
    if (v->member >= 0) request->start[v->member] = piece->member;
    if (v->extra >= 0) request->start[v->extra] = v->extra_index;
}

struct field_piece field_piece_of(const struct field_ref *field, const struct field_step *step) {
    const bool apart = field->dataset->variables[field->variable].from->members_apart;
    const size_t member = apart ? step->member : step->variable->member_count > 1 ? field->member : 0;
    return (struct field_piece){step->file, step->variable, step->time, member, field->stop, step->levels};
}

int field_piece_stopped(const struct field_piece *piece, struct failure *failure) {
    const bool stopped = piece->stop && atomic_load(piece->stop);
    return stopped ? failure_set(failure, VIRGA_CANCELLED, "%s: nobody waits for it any more", source_path(piece->file->source)) : VIRGA_OK;
}

size_t field_level_run(const size_t *order, size_t k, size_t end) {
    const bool down = k + 1 < end && order[k + 1] + 1 == order[k];
    size_t n = 1;
    while (k + n < end && (down ? order[k + n] + 1 == order[k + n - 1] : order[k + n] == order[k + n - 1] + 1)) n++;
    return n;
}

// Reads levels k0 … k0 + nk - 1, whose stored indices are neighbours.
static int read_levels(const struct field_piece *piece, const struct field_box *box, size_t k0, size_t nk, const struct value_sink *sink, struct failure *failure) {
    const struct cf_file *file = piece->file;
    const struct cf_variable *v = piece->variable;
    const struct source_inventory *inventory = source_inventory(file->source);
    const struct source_variable *stored = &inventory->variables[v->index];
    const struct cf_grid_slot *slot = &file->grids[v->stored_grid];
    struct source_slab_request request;
    struct source_slab own = {0}, *slab = sink->slab ? sink->slab : &own;
    struct axis_read x, y, z = {0, 1, 0, 0};
    x = axis_read_of(inventory->dimensions[stored->dimensions[v->x]].length, slot->x.reversed, box->x0, box->nx);
    y = axis_read_of(inventory->dimensions[stored->dimensions[v->y]].length, slot->y.reversed, box->y0, box->ny);
    if (v->z >= 0 && v->stored_vertical >= 0) {
        const size_t *order = file->verticals[v->stored_vertical].order;
        bool down = nk > 1 && order[k0 + 1] < order[k0];
        z = (struct axis_read){order[down ? k0 + nk - 1 : k0], nk, down ? -1 : 1, down ? nk - 1 : 0};
    }
    field_piece_request(piece, &request);
    request.start[v->x] = x.start, request.count[v->x] = x.count;
    request.start[v->y] = y.start, request.count[v->y] = y.count;
    if (v->z >= 0) request.start[v->z] = z.start, request.count[v->z] = z.count;
    ptrdiff_t stride = 1;
    for (int d = stored->rank - 1; d >= 0; d--) {
        struct axis_read *axis = d == v->x ? &x : d == v->y ? &y : d == v->z ? &z : NULL;
        if (axis) axis->stride *= stride, axis->first *= (size_t)stride;
        stride *= (ptrdiff_t)request.count[d];
    }
    int status = field_piece_stopped(piece, failure);
    if (!status) status = sink->slab ? source_read_again(file->source, &request, slab, failure) : source_read(file->source, &request, slab, failure);
    if (status) return status;
    if (slab->bytes < (size_t)stride * source_type_size(v->packing.type))
        status = failure_set(failure, VIRGA_INTERNAL, "%s: a short answer for %.80s", source_path(file->source), stored->name);
    else decode_slab(v, slab, &x, &y, &z, sink);
    source_slab_release(&own);
    return status;
}

// A box among the stored points.
static int read_stored(const struct field_piece *piece, const struct field_box *box, double *values, struct failure *failure) {
    const struct cf_variable *v = piece->variable;
    const size_t *order = v->stored_vertical >= 0 && v->z >= 0 ? piece->file->verticals[v->stored_vertical].order : NULL;
    int status = VIRGA_OK;
    for (size_t k = box->z0, end = box->z0 + box->nz; !status && k < end;) {
        const size_t n = order ? field_level_run(order, k, end) : 1;
        const struct value_sink sink = {.values = values + (k - box->z0) * box->ny * box->nx};
        status = read_levels(piece, box, k, n, &sink, failure);
        k += n;
    }
    return status;
}

// The stored points that a stretch of an axis needs: `count` from `from`, 0 where it needs none that exists. Point n of the axis
// is stored at n + move, but for averaging.
struct stretch { const struct cf_average *average; size_t stored; int move; size_t from, count; };

// The two stored points that point n of an axis lies between: both the same without averaging. False where one is missing.
static bool neighbours(const struct stretch *s, size_t n, size_t pair[2]) {
    for (int side = 0; side < 2; side++) {
        ptrdiff_t at = (ptrdiff_t)n + s->move + (s->average->on ? s->average->shift + side : 0), last = (ptrdiff_t)s->stored - 1;
        if (s->average->wraps) at = at < 0 ? at + last + 1 : at > last ? at - last - 1 : at;
        if (s->average->hold) at = at < 0 ? 0 : at > last ? last : at;
        if (at < 0 || at > last) return false;
        pair[side] = (size_t)at;
    }
    return true;
}

static struct stretch stretch_of(const struct cf_average *average, size_t stored, int move, size_t at, size_t count) {
    struct stretch s = {average, stored, move, stored, 0};
    size_t pair[2], end = 0;
    for (size_t n = at; n < at + count; n++) {
        if (!neighbours(&s, n, pair)) continue;
        for (int side = 0; side < 2; side++) {
            if (pair[side] < s.from) s.from = pair[side];
            if (pair[side] >= end) end = pair[side] + 1;
        }
    }
    if (end > 0) s.count = end - s.from;
    return s;
}

// The same of a variable whose grid may be stored at another place at each time.
static int read_moved(const struct field_piece *piece, const struct field_box *box, double *values, struct failure *failure) {
    const struct cf_variable *v = piece->variable;
    const struct cf_grid_slot *slot = &piece->file->grids[v->stored_grid];
    if (!slot->moves) return read_stored(piece, box, values, failure);
    const struct source_variable *stored = cf_file_variable(piece->file, v->index);
    const struct source_dimension *dimensions = source_inventory(piece->file->source)->dimensions;
    const struct cf_average move[2] = {{.hold = v->hold}, {.hold = v->hold}};
    const struct cf_move by = slot->moves[piece->time < slot->move_count ? piece->time : 0];
    const struct stretch x = stretch_of(&move[0], dimensions[stored->dimensions[v->x]].length, -by.x, box->x0, box->nx);
    const struct stretch y = stretch_of(&move[1], dimensions[stored->dimensions[v->y]].length, -by.y, box->y0, box->ny);
    const struct field_box inside = {x.from, y.from, box->z0, x.count, y.count, box->nz};
    double *read = memory_new_aligned(64, x.count * y.count * box->nz + 1, sizeof *read);
    if (!read) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    int status = x.count * y.count > 0 ? read_stored(piece, &inside, read, failure) : VIRGA_OK;
    size_t i[2], j[2], n = 0;
    for (size_t k = 0; !status && k < box->nz; k++)
        for (size_t row = 0; row < box->ny; row++)
            for (size_t column = 0; column < box->nx; column++, n++) {
                bool there = neighbours(&x, box->x0 + column, i) && neighbours(&y, box->y0 + row, j);
                values[n] = there ? read[(k * y.count + j[0] - y.from) * x.count + i[0] - x.from] : NAN;
            }
    free(read);
    return status;
}

// The same of a variable that may be the sum of two.
static int read_sum(const struct field_piece *piece, const struct field_box *box, double *values, struct failure *failure) {
    const struct cf_variable *v = piece->variable;
    size_t total = box->nx * box->ny * box->nz;
    int status = read_moved(piece, box, values, failure);
    if (!status && v->plus != CF_NO_VARIABLE) {
        struct cf_variable second = *v;
        struct field_piece other_piece = *piece;
        second.index = (size_t)v->plus;
        second.packing = v->plus_packing;
        other_piece.variable = &second;
        double *other = memory_new_aligned(64, total, sizeof *other);
        if (!other) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
        status = read_moved(&other_piece, box, other, failure);
        for (size_t n = 0; !status && n < total; n++) values[n] += other[n];
        free(other);
    }
    if (!status && v->constant != 0)
        for (size_t n = 0; n < total; n++) values[n] += v->constant;
    return status;
}

// Means of the stored numbers around each point of the box; NaN where one is missing.
static void average_box(const struct stretch axis[3], const struct field_box *box, const double *stored, double *values) {
    size_t x[2], y[2], z[2], n = 0;
    for (size_t k = 0; k < box->nz; k++)
        for (size_t j = 0; j < box->ny; j++) {
            bool row = neighbours(&axis[2], box->z0 + k, z) && neighbours(&axis[1], box->y0 + j, y);
            for (size_t i = 0; i < box->nx; i++, n++) {
                values[n] = NAN;
                if (!row || !neighbours(&axis[0], box->x0 + i, x)) continue;
                double mean[4];  // along x; then y, then z. The mean of a number with itself is exactly that number.
                for (int edge = 0; edge < 4; edge++) {
                    const double *along = stored + ((z[edge >> 1] - axis[2].from) * axis[1].count + y[edge & 1] - axis[1].from) * axis[0].count;
                    mean[edge] = 0.5 * (along[x[0] - axis[0].from] + along[x[1] - axis[0].from]);
                }
                values[n] = 0.5 * (0.5 * (mean[0] + mean[1]) + 0.5 * (mean[2] + mean[3]));
            }
        }
}

static void fill_absent(const struct field_box *box, double *values) {
    for (size_t n = 0, count = box->nx * box->ny * box->nz; n < count; n++) values[n] = NAN;
}

// Each level from its own piece.
static int read_stack(const struct field_piece *piece, const struct field_box *box, double *values, struct failure *failure) {
    int status = VIRGA_OK;
    const struct field_box flat = {box->x0, box->y0, 0, box->nx, box->ny, 1};
    for (size_t k = 0; !status && k < box->nz; k++, values += box->nx * box->ny) {
        const struct field_step *level = &piece->levels[box->z0 + k];
        const struct field_piece one = {level->file, level->variable, level->time, piece->member, piece->stop, NULL};
        if (level->file) status = field_piece_read(&one, &flat, values, failure);
        else fill_absent(&flat, values);
    }
    return status;
}

int field_piece_read(const struct field_piece *piece, const struct field_box *box, double *values, struct failure *failure) {
    const struct cf_file *file = piece->file;
    const struct cf_variable *v = piece->variable;
    if (piece->levels) return read_stack(piece, box, values, failure);
    if (!cf_is_averaged(v)) return read_sum(piece, box, values, failure);
    const struct cf_grid_slot *slot = &file->grids[v->stored_grid];
    size_t levels = v->stored_vertical >= 0 ? file->verticals[v->stored_vertical].level_count : 1, total;
    const struct stretch axis[3] = {stretch_of(&v->average[0], slot->x.n, 0, box->x0, box->nx), stretch_of(&v->average[1], slot->y.n, 0, box->y0, box->ny),
                                    stretch_of(&v->average[2], levels, 0, box->z0, box->nz)};
    const struct field_box around = {axis[0].from, axis[1].from, axis[2].from, axis[0].count, axis[1].count, axis[2].count};
    if (memory_multiply(around.nx * around.ny, around.nz, &total)) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    double *stored = memory_new_aligned(64, total + 1, sizeof *stored);
    if (!stored) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    int status = total > 0 ? read_sum(piece, &around, stored, failure) : VIRGA_OK;
    if (!status && total > 0) average_box(axis, box, stored, values);
    for (size_t n = 0; !status && total == 0 && n < box->nx * box->ny * box->nz; n++) values[n] = NAN;
    free(stored);
    return status;
}

bool field_box_inside(const struct field_box *b, const size_t n[3]) {
    return b->nx > 0 && b->ny > 0 && b->nz > 0 && b->nx <= n[0] && b->ny <= n[1] && b->nz <= n[2] && b->x0 <= n[0] - b->nx &&
           b->y0 <= n[1] - b->ny && b->z0 <= n[2] - b->nz;
}

int field_read(const struct field_ref *field, const struct field_box *box, double *values, struct failure *failure) {
    const struct field_step *step = field_step_of(field);
    if (!step) return failure_set(failure, VIRGA_NOT_FOUND, "no such field");
    const struct catalog_variable *v = &field->dataset->variables[field->variable];
    if (!field_box_inside(box, (const size_t[3]){v->nx, v->ny, v->nz})) return failure_set(failure, VIRGA_INVALID, "the box leaves the field");
    if (field->member == MEMBER_MEAN && v->member_count > 1) return field_read_members(field, box, false, values, failure);
    if (v->from->derived) return v->from->derived->read(field, box, values, failure);
    if (step->absent) return fill_absent(box, values), VIRGA_OK;
    const struct field_piece piece = field_piece_of(field, step);
    return field_piece_read(&piece, box, values, failure);
}

// --- Row by row.

enum { PART_BYTES = 512 << 10 };

// Whether values are those stored, in their place.
static bool is_plain(const struct field_ref *field, const struct field_step *step) {
    const struct catalog_variable *v = &field->dataset->variables[field->variable];
    if ((field->member == MEMBER_MEAN && v->member_count > 1) || v->from->derived || step->absent || step->levels) return false;
    const struct cf_variable *stored = step->variable;
    return !cf_is_averaged(stored) && !step->file->grids[stored->stored_grid].moves && stored->plus == CF_NO_VARIABLE && stored->constant == 0;
}

static int read_whole(const struct field_ref *field, const struct field_box *box, field_row_taker take, void *user, struct failure *failure) {
    double *values = memory_new_aligned(64, box->nx * box->ny, sizeof *values);
    if (!values) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    const int status = field_read(field, box, values, failure);
    for (size_t j = 0; !status && j < box->ny; j++) take(user, j, values + j * box->nx);
    free(values);
    return status;
}

// Where parts cost no more than the whole a few rows at a time, all into the same memory, which stays in the processor's caches.
static int read_parts(const struct field_piece *piece, const struct field_box *box, struct value_sink *sink, struct failure *failure) {
    const bool parts = source_reads_parts(piece->file->source, piece->variable->index);
    const size_t fitting = PART_BYTES / (box->nx * source_type_size(piece->variable->packing.type)), rows = !parts ? box->ny : fitting > 0 ? fitting : 1;
    struct source_slab slab = {0};
    int status = VIRGA_OK;
    for (size_t j = 0; !status && j < box->ny; j += rows) {
        const struct field_box part = {box->x0, box->y0 + j, box->z0, box->nx, box->ny - j < rows ? box->ny - j : rows, 1};
        sink->first_row = j;
        sink->slab = &slab;
        status = read_levels(piece, &part, box->z0, 1, sink, failure);
    }
    source_slab_release(&slab);
    return status;
}

int field_read_rows(const struct field_ref *field, const struct field_box *box, field_row_taker take, void *user, struct failure *failure) {
    const struct field_step *step = field_step_of(field);
    if (!step) return failure_set(failure, VIRGA_NOT_FOUND, "no such field");
    const struct catalog_variable *v = &field->dataset->variables[field->variable];
    if (!field_box_inside(box, (const size_t[3]){v->nx, v->ny, v->nz}) || box->nz != 1) return failure_set(failure, VIRGA_INVALID, "the box leaves the level");
    if (!is_plain(field, step)) return read_whole(field, box, take, user, failure);
    const struct field_piece piece = field_piece_of(field, step);
    double *row = memory_new_aligned(64, box->nx, sizeof *row);
    if (!row) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    const int status = read_parts(&piece, box, &(struct value_sink){.values = row, .take = take, .user = user}, failure);
    free(row);
    return status;
}
