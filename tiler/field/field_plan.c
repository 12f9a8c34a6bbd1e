// SPDX-License-Identifier: Apache-2.0
// Cutting a field into boxes whose faces are faces of stored chunks, so that no chunk is read twice for one step.
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "field/cf_attributes.h"
#include "field/derived.h"
#include "field/field_reduce.h"

enum { UNLIKE_BYTES = 32 << 20 };  // a box of a derived field whose inputs are stored in different chunks

struct cuts {  // where an axis may be cut, in normalised order, counted in blocks: 0 = at[0] < … < at[count] = all of them
    size_t count, blocks;
    size_t *at;
};

static int cuts_init(struct cuts *cuts, size_t n, size_t block) {
    cuts->count = 0;
    cuts->blocks = (n + block - 1) / block;
    cuts->at = calloc(cuts->blocks + 1, sizeof *cuts->at);
    return cuts->at ? VIRGA_OK : VIRGA_NO_MEMORY;
}

static void cuts_end(struct cuts *cuts) { cuts->at[cuts->count] = cuts->blocks; }

// Between any two blocks.
static void cut_anywhere(struct cuts *cuts) {
    for (size_t b = 0; b <= cuts->blocks; b++) cuts->at[b] = b;
    cuts->count = cuts->blocks;
}

static int cut_axis(size_t n, size_t file_length, size_t chunk, bool reversed, size_t block, struct cuts *cuts) {
    if (cuts_init(cuts, n, block)) return VIRGA_NO_MEMORY;
    if (chunk == 0 || chunk > file_length) chunk = file_length;
    for (size_t i = 0; i < n; i += block) {
        bool edge = i == 0 || (reversed ? (file_length - i) % chunk == 0 : i % chunk == 0);
        if (edge) cuts->at[cuts->count++] = i / block;
    }
    cuts_end(cuts);
    return VIRGA_OK;
}

// Levels may stand in any order: a cut is allowed where no chunk has levels on both sides.
static int cut_levels(const struct cf_vertical *vertical, size_t chunk, size_t block, struct cuts *cuts) {
    size_t n = vertical->level_count;
    if (cuts_init(cuts, n, block)) return VIRGA_NO_MEMORY;
    if (chunk == 0) chunk = 1;
    size_t *last = calloc(n / chunk + 2, sizeof *last);  // the highest level of each chunk
    if (!last) return VIRGA_NO_MEMORY;
    for (size_t k = 0; k < n; k++) last[vertical->order[k] / chunk] = k;
    size_t open = 0;
    for (size_t k = 0; k < n; k++) {
        if (k % block == 0 && (k == 0 || k > open)) cuts->at[cuts->count++] = k / block;
        size_t end = last[vertical->order[k] / chunk];
        if (k == 0 || end > open) open = end;
    }
    cuts_end(cuts);
    free(last);
    return VIRGA_OK;
}

// As many neighbouring pieces as fit: the end index in cuts, at least one after `from`.
static size_t grow(const struct cuts *cuts, size_t from, size_t unit, size_t limit) {
    size_t to = from + 1;
    while (to < cuts->count && (cuts->at[to + 1] - cuts->at[from]) * unit <= limit) to++;
    return to;
}

static int add_box(struct field_box **boxes, size_t *count, size_t *room, struct field_box box) {
    struct field_box *grown = memory_one_more(*boxes, *count, room, sizeof *grown);
    if (!grown) return VIRGA_NO_MEMORY;
    *boxes = grown;
    (*boxes)[(*count)++] = box;
    return VIRGA_OK;
}

static size_t largest_piece(const struct cuts *cuts) {
    size_t largest = 1;
    for (size_t n = 0; n < cuts->count; n++) largest = cuts->at[n + 1] - cuts->at[n] > largest ? cuts->at[n + 1] - cuts->at[n] : largest;
    return largest;
}

// Rows first, then whole levels, then several levels.
static int cut_boxes(const struct cuts *x, const struct cuts *y, const struct cuts *z, size_t limit, struct field_box **boxes, size_t *count) {
    size_t room = 0, nx = x->at[x->count], ny = y->at[y->count];
    const size_t thin = largest_piece(z), slim = largest_piece(y);
    bool whole_rows = nx * slim * thin <= limit, whole_levels = nx * ny * thin <= limit;
    for (size_t a = 0, az; a < z->count; a = az) {
        az = whole_levels ? grow(z, a, nx * ny, limit) : a + 1;
        size_t nz = z->at[az] - z->at[a];
        for (size_t b = 0, by; b < y->count; b = by) {
            by = whole_levels ? y->count : whole_rows ? grow(y, b, nx * nz, limit) : b + 1;
            size_t rows = y->at[by] - y->at[b];
            for (size_t c = 0, cx; c < x->count; c = cx) {
                cx = whole_rows ? x->count : grow(x, c, rows * nz, limit);
                int status = add_box(boxes, count, &room, (struct field_box){x->at[c], y->at[b], z->at[a], x->at[cx] - x->at[c], rows, nz});
                if (status) return status;
            }
        }
    }
    return VIRGA_OK;
}

static size_t chunk_of(const struct source_variable *v, int position, size_t otherwise) {
    return position >= 0 && v->chunked && v->chunk[position] > 0 ? v->chunk[position] : otherwise;
}

struct plan {
    const struct catalog_variable *variable;
    uint32_t block[3];  // points
    size_t limit;       // blocks a box
    bool strict;        // also where chunks must be cut for it
};

// Where the answers for whole chunks are too large, chunks are cut: levels first, rows last.
static void hold_limit(struct cuts cuts[3], size_t limit) {
    for (int a = 2; a >= 0 && largest_piece(&cuts[0]) * largest_piece(&cuts[1]) * largest_piece(&cuts[2]) > limit; a--) cut_anywhere(&cuts[a]);
}

static int plan_piece(const struct field_step *step, const struct plan *plan, struct field_box **boxes, size_t *count) {
    const struct cf_variable *v = step->variable;
    const struct source_variable *stored = cf_file_variable(step->file, v->index);
    const struct source_dimension *dimensions = source_inventory(step->file->source)->dimensions;
    const struct cf_grid_slot *slot = &step->file->grids[v->stored_grid];
    struct cuts cuts[3] = {{0}};
    // Without chunks the numbers lie in one piece; any cut is as good as another, but rows should stay whole.
    size_t nx = dimensions[stored->dimensions[v->x]].length, ny = dimensions[stored->dimensions[v->y]].length;
    int status = cut_axis(plan->variable->nx, nx, chunk_of(stored, v->x, nx), slot->x.reversed, plan->block[0], &cuts[0]);
    if (!status) status = cut_axis(plan->variable->ny, ny, chunk_of(stored, v->y, 1), slot->y.reversed, plan->block[1], &cuts[1]);
    const size_t nz = plan->variable->nz, chunk = chunk_of(stored, v->z, 1);
    if (!status && v->average[2].on) status = cut_axis(nz, nz, chunk, false, plan->block[2], &cuts[2]);
    else if (!status && v->vertical >= 0 && v->z >= 0) status = cut_levels(&step->file->verticals[v->vertical], chunk, plan->block[2], &cuts[2]);
    else if (!status && step->levels) status = cut_axis(nz, nz, 1, false, plan->block[2], &cuts[2]);
    else if (!status) status = cut_axis(1, 1, 1, false, 1, &cuts[2]);
    if (!status && plan->strict) hold_limit(cuts, plan->limit);
    if (!status) status = cut_boxes(&cuts[0], &cuts[1], &cuts[2], plan->limit, boxes, count);
    for (int a = 0; a < 3; a++) free(cuts[a].at);
    return status;
}

// The end of a plan: nothing is left of one that failed.
static int plan_end(int status, struct field_box **boxes, size_t *count, struct failure *failure) {
    if (!status) return VIRGA_OK;
    free(*boxes);
    *boxes = NULL;
    *count = 0;
    return failure_set(failure, status, "out of memory");
}

int field_reduce_plan(const struct field_ref *field, const uint32_t block[3], size_t max_blocks, struct field_box **boxes, size_t *count,
                      struct failure *failure) {
    *boxes = NULL;
    *count = 0;
    int status = field_reduce_supported(field, failure);
    if (status) return status;
    for (int a = 0; a < 3; a++)
        if (block[a] < 1) return failure_set(failure, VIRGA_INVALID, "a block holds no point");
    const struct plan plan = {&field->dataset->variables[field->variable], {block[0], block[1], block[2]}, max_blocks, true};
    return plan_end(plan_piece(field_step_of(field), &plan, boxes, count), boxes, count, failure);
}

// A derived field is cut as its u is. Where v is stored in other chunks, some of those are read more than once: boxes are
// large then, so that it is few, but not the whole field, which may be more than can be read at once.
static bool same_chunks(const struct field_step *a, const struct field_step *b) {
    const struct source_variable *u = cf_file_variable(a->file, a->variable->index), *v = cf_file_variable(b->file, b->variable->index);
    bool chunks = !u->chunked || memcmp(u->chunk, v->chunk, (size_t)u->rank * sizeof *u->chunk) == 0;
    return u->rank == v->rank && u->chunked == v->chunked && chunks &&
           a->variable->x == b->variable->x && a->variable->y == b->variable->y && a->variable->z == b->variable->z;
}

int field_plan(const struct field_ref *field, size_t max_bytes, struct field_box **boxes, size_t *count, struct failure *failure) {
    const struct field_step *step = field_step_of(field);
    *boxes = NULL;
    *count = 0;
    if (!step) return failure_set(failure, VIRGA_NOT_FOUND, "no such field");
    const struct catalog_variable *variable = &field->dataset->variables[field->variable];
    size_t share = 1;
    const struct derived_kind *kind = variable->from->derived;
    if (kind) {
        struct field_ref first = field_underlying(field);
        step = field_step_of(&first);
        share = 4;  // sums, or the inputs beside each other
        if (kind->inputs == 2) {
            struct field_ref v = field_input(field, true);
            share = 2;
            v = field_underlying(&v);
            if (max_bytes < UNLIKE_BYTES && !same_chunks(step, field_step_of(&v))) max_bytes = UNLIKE_BYTES;
        }
    }
    const struct cf_variable *v = step->variable;
    // Neighbouring boxes of averaged points share stored points, and the chunks that these are in.
    if (max_bytes < UNLIKE_BYTES && (step->file->grids[v->stored_grid].moves || cf_is_averaged(v))) max_bytes = UNLIKE_BYTES;
    if (v->plus != CF_NO_VARIABLE) share *= 2;
    const struct plan plan = {variable, {1, 1, 1}, max_bytes / source_type_size(step->variable->packing.type) / share, false};
    return plan_end(plan_piece(step, &plan, boxes, count), boxes, count, failure);
}
