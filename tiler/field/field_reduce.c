// SPDX-License-Identifier: Apache-2.0
// From blocks in normalised order to stretches of stored points, which the source reduces, and back.
#include "field/field_reduce.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "field/cf_attributes.h"
#include "field/derived.h"

bool field_reads_far(const struct field_ref *field) {
    if (!field_step_of(field)) return false;
    const struct field_ref stored = field_underlying(field);
    const struct field_step *step = field_step_of(&stored);
    return step && step->file && source_reduces_early(step->file->source);
}

// --- what the source is told ---------------------------------------------------------------------------------------------

// The stored numbers that mean "missing", as the source compares them: each once. False where they are too many for it.
static bool tell_missing(const struct cf_packing *packing, struct source_slab_request *request) {
    enum { ROOM = sizeof request->missing / sizeof *request->missing };
    for (int n = 0; n < packing->missing_count; n++) {
        const double missing = packing->type == SOURCE_F32 ? (double)(float)packing->missing[n] : packing->missing[n];
        bool told = false;
        for (int m = 0; m < request->missing_count; m++) told |= request->missing[m] == missing;
        if (told) continue;
        if (request->missing_count == ROOM) return false;
        request->missing[request->missing_count++] = missing;
    }
    return !packing->has_missing_value;
}

// Everything of the request but where along x, y and z.
static int prepare(const struct field_ref *field, const struct field_piece *piece, struct source_slab_request *request,
                   struct failure *failure) {
    const struct cf_variable *v = piece->variable;
    const struct source_variable *stored = cf_file_variable(piece->file, v->index);
    if (cf_is_averaged(v) || v->plus != CF_NO_VARIABLE || piece->file->grids[v->stored_grid].moves)
        return failure_set(failure, VIRGA_UNSUPPORTED, "%s is made from more than one stored number", field->dataset->variables[field->variable].id);
    field_piece_request(piece, request);
    if (v->packing.type != stored->type || !tell_missing(&v->packing, request))
        return failure_set(failure, VIRGA_UNSUPPORTED, "%s: %s: its numbers or missing values are of a kind that is not reduced where it is stored",
                           source_path(piece->file->source), stored->name);
    request->reduction = REDUCE_MEAN;
    request->scale = v->packing.scale;
    request->offset = v->packing.offset;
    return VIRGA_OK;
}

// The piece of a file that a field is. VIRGA_UNSUPPORTED for a computed one; *absent: nothing is stored of it.
static int find_piece(const struct field_ref *field, struct field_piece *piece, bool *absent, struct failure *failure) {
    const struct field_step *step = field_step_of(field);
    if (!step) return failure_set(failure, VIRGA_NOT_FOUND, "no such field");
    const struct catalog_variable *v = &field->dataset->variables[field->variable];
    if (v->from->derived || (field->member == MEMBER_MEAN && v->member_count > 1))
        return failure_set(failure, VIRGA_UNSUPPORTED, "%s is computed", v->id);
    if (step->levels) return failure_set(failure, VIRGA_UNSUPPORTED, "%s has its levels in files of their own", v->id);
    *absent = step->absent;
    *piece = field_piece_of(field, step);
    return VIRGA_OK;
}

// --- stretches of stored points ------------------------------------------------------------------------------------------

struct span {
    size_t first, blocks;  // blocks it fills, counted in the answer
    size_t start, count;   // stored points
    size_t block;          // points a block, the last one perhaps fewer; a piece of a block is a block of its own
    size_t lead;           // points that the first block lacks
    bool reversed;         // its first stored block is the last of the answer's
};
struct spans { size_t count; struct span *list; };

static int add_span(struct spans *s, struct span span) {
    struct span *grown = cf_grow(s->list, s->count, sizeof *grown);
    if (!grown) return VIRGA_NO_MEMORY;
    s->list = grown;
    grown[s->count++] = span;
    return VIRGA_OK;
}

// Points from … to - 1, the lowest of which stored is `stored`; they follow each other up or, reversed, down. A source's blocks begin at
// the first stored point: where the answer's do not, there is a piece of one. `base`: first block of the answer.
static int add_run(struct spans *s, size_t base, size_t block, size_t from, size_t to, size_t stored, bool reversed) {
    int status = VIRGA_OK;
    for (size_t at = from, end; at < to && !status; at = end) {
        const size_t edge = (at / block + 1) * block;
        const bool begins = stored == 0;  // where it is reversed its last block, which is the first stored, may lack points
        if (at % block || edge > to) end = edge < to ? edge : to;
        else end = reversed && !begins ? to / block * block : to;
        status = add_span(s, (struct span){.first = at / block - base, .blocks = (end - at + block - 1) / block, .count = end - at,
                                           .start = reversed ? stored + (to - end) : stored + (at - from),
                                           .lead = reversed && end - at > block ? (block - end % block) % block : 0,
                                           .block = block < end - at ? block : end - at, .reversed = reversed});
    }
    return status;
}

static int axis_spans(struct spans *s, size_t n, size_t file_length, bool reversed, size_t block, size_t first, size_t blocks) {
    const size_t from = first * block, to = n - from < blocks * block ? n : from + blocks * block;
    return add_run(s, first, block, from, to, reversed ? file_length - to : from, reversed);
}

// Levels may stand in any order.
static int level_spans(struct spans *s, const struct cf_vertical *vertical, size_t block, size_t first, size_t blocks) {
    const size_t *order = vertical->order, n = vertical->level_count, from = first * block;
    const size_t to = n - from < blocks * block ? n : from + blocks * block;
    int status = VIRGA_OK;
    for (size_t k = from, end; k < to && !status; k = end) {
        end = k + field_level_run(order, k, to);
        const bool down = end > k + 1 && order[k + 1] < order[k];
        status = add_run(s, first, block, k, end, order[down ? end - 1 : k], down);
    }
    return status;
}

static int find_spans(const struct field_piece *piece, const size_t n[3], const uint32_t block[3], const struct field_box *box,
                      struct spans spans[3]) {
    const struct cf_variable *v = piece->variable;
    const struct source_variable *stored = cf_file_variable(piece->file, v->index);
    const struct source_dimension *dimensions = source_inventory(piece->file->source)->dimensions;
    const struct cf_grid_slot *slot = &piece->file->grids[v->stored_grid];
    int status = axis_spans(&spans[0], n[0], dimensions[stored->dimensions[v->x]].length, slot->x.reversed, block[0], box->x0, box->nx);
    if (!status) status = axis_spans(&spans[1], n[1], dimensions[stored->dimensions[v->y]].length, slot->y.reversed, block[1], box->y0, box->ny);
    if (status) return status;
    if (v->z >= 0 && v->stored_vertical >= 0) return level_spans(&spans[2], &piece->file->verticals[v->stored_vertical], block[2], box->z0, box->nz);
    return add_span(&spans[2], (struct span){.blocks = 1, .count = 1, .block = 1});
}

// --- the answer ----------------------------------------------------------------------------------------------------------

static void put_missing(const struct field_blocks *blocks, size_t count) {
    for (size_t n = 0; n < count; n++) {
        blocks->mean[n] = blocks->least[n] = blocks->most[n] = NAN;
        blocks->count[n] = 0;
    }
}

struct part { double mean, least, most, count; };  // of a block, or of a piece of it

// A block may come in several pieces.
static void put_part(const struct field_blocks *blocks, size_t at, struct part part) {
    const double before = blocks->count[at], count = before + part.count;
    if (before > 0) part.mean = blocks->mean[at] + (part.mean - blocks->mean[at]) * (part.count / count);
    blocks->least[at] = fmin(blocks->least[at], part.least);  // of a number and NaN: the number
    blocks->most[at] = fmax(blocks->most[at], part.most);
    blocks->mean[at] = fmin(fmax(part.mean, blocks->least[at]), blocks->most[at]);  // whatever was rounded
    blocks->count[at] = count;
}

static int check_part(const struct part *part, double points) {
    if (part->count == 0) return VIRGA_OK;
    if (!(part->count >= 1 && part->count <= points) || part->count != rint(part->count)) return VIRGA_UNREADABLE;
    const bool finite = isfinite(part->mean) && isfinite(part->least) && isfinite(part->most);
    return finite && part->least <= part->most ? VIRGA_OK : VIRGA_UNSUPPORTED;  // sums may outgrow a double where no value does
}

struct slab_view {
    const double *numbers;
    size_t elements, stride[3];  // of x, y, z in the answer
};

static size_t place(const struct span *s, size_t b) { return s->reversed ? s->blocks - 1 - b : b; }

static int take_slab(const struct slab_view *slab, const struct span *const span[3], const struct field_box *box, double constant,
                     const struct field_blocks *blocks) {
    const double points = (double)span[0]->block * (double)span[1]->block * (double)span[2]->block;
    int status = VIRGA_OK;
    for (size_t k = 0; k < span[2]->blocks; k++)
        for (size_t j = 0; j < span[1]->blocks && !status; j++) {
            const size_t row = place(span[2], k) * slab->stride[2] + place(span[1], j) * slab->stride[1];
            const size_t to = ((span[2]->first + k) * box->ny + span[1]->first + j) * box->nx + span[0]->first;
            for (size_t i = 0; i < span[0]->blocks && !status; i++) {
                const double *from = slab->numbers + row + place(span[0], i) * slab->stride[0];
                const size_t next = slab->elements;
                const struct part part = {from[0] + constant, from[next] + constant, from[2 * next] + constant, from[3 * next]};
                status = check_part(&part, points);
                if (!status && part.count > 0) put_part(blocks, to + i, part);
            }
        }
    return status;
}

static int read_spans(const struct field_piece *piece, const struct source_slab_request *prepared, const struct span *const span[3],
                      const struct field_box *box, const struct field_blocks *blocks, struct failure *failure) {
    const struct cf_variable *v = piece->variable;
    const int position[3] = {v->x, v->y, v->z};
    struct source_slab_request request = *prepared;
    struct source_slab slab = {0};
    struct slab_view view = {0};
    for (int a = 0; a < 3; a++) {
        if (position[a] < 0) continue;
        request.start[position[a]] = span[a]->start;
        request.count[position[a]] = span[a]->count;
        request.block[position[a]] = span[a]->block;
        request.lead[position[a]] = span[a]->lead;
    }
    size_t stride = 1;
    for (int d = request.rank - 1; d >= 0; d--) {
        for (int a = 0; a < 3; a++)
            if (position[a] == d) view.stride[a] = stride;
        stride *= (request.count[d] + request.lead[d] + request.block[d] - 1) / request.block[d];
    }
    int status = field_piece_stopped(piece, failure);
    if (!status) status = source_read(piece->file->source, &request, &slab, failure);
    if (status) return status;
    view.numbers = slab.data;
    view.elements = slab.elements;
    status = slab.type == SOURCE_F64 && slab.elements == stride && slab.bytes >= 4 * stride * sizeof(double) ? VIRGA_OK : VIRGA_INTERNAL;
    if (!status) status = take_slab(&view, span, box, v->constant, blocks);
    if (status)
        failure_set(failure, status, "%s: %s: the means of its blocks make no sense", source_path(piece->file->source),
                    cf_file_variable(piece->file, v->index)->name);
    source_slab_release(&slab);
    return status;
}

static int read_all(const struct field_piece *piece, const struct source_slab_request *request, const struct spans spans[3],
                    const struct field_box *box, const struct field_blocks *blocks, struct failure *failure) {
    int status = VIRGA_OK;
    for (size_t z = 0; z < spans[2].count; z++)
        for (size_t y = 0; y < spans[1].count; y++)
            for (size_t x = 0; x < spans[0].count && !status; x++) {
                const struct span *const span[3] = {&spans[0].list[x], &spans[1].list[y], &spans[2].list[z]};
                status = read_spans(piece, request, span, box, blocks, failure);
            }
    return status;
}

int field_reduce(const struct field_ref *field, const uint32_t block[3], const struct field_box *box, const struct field_blocks *blocks,
                 struct failure *failure) {
    struct field_piece piece;
    struct source_slab_request request;
    struct spans spans[3] = {{0}};
    bool absent = false;
    int status = find_piece(field, &piece, &absent, failure);
    if (status) return status;
    const struct catalog_variable *v = &field->dataset->variables[field->variable];
    const size_t n[3] = {v->nx, v->ny, v->nz};
    size_t reduced[3];
    for (int a = 0; a < 3; a++) {
        if (block[a] < 1) return failure_set(failure, VIRGA_INVALID, "a block holds no point");
        reduced[a] = (n[a] - 1) / block[a] + 1;
    }
    if (!field_box_inside(box, reduced)) return failure_set(failure, VIRGA_INVALID, "the box leaves the field");
    put_missing(blocks, box->nx * box->ny * box->nz);
    if (absent) return VIRGA_OK;
    if ((status = prepare(field, &piece, &request, failure))) return status;
    if ((status = find_spans(&piece, n, block, box, spans))) failure_set(failure, status, "out of memory");
    if (!status) status = read_all(&piece, &request, spans, box, blocks, failure);
    for (int a = 0; a < 3; a++) free(spans[a].list);
    return status;
}

int field_reduce_supported(const struct field_ref *field, struct failure *failure) {
    struct field_piece piece;
    struct source_slab_request request;
    bool absent = false;
    int status = find_piece(field, &piece, &absent, failure);
    return status || absent ? status : prepare(field, &piece, &request, failure);
}

bool field_reduces_early(const struct field_ref *field) { return field_reads_far(field) && field_reduce_supported(field, NULL) == VIRGA_OK; }
