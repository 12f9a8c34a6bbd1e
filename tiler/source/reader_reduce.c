// SPDX-License-Identifier: Apache-2.0
#include "source/reader_reduce.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { PIECE_BYTES = 8 << 20, RUN = 1024 };

struct reduction {
    const struct reader_array *array;
    const struct source_slab_request *request;
    const struct source_slab_shape *shape;
    size_t box[SOURCE_MAX_RANK];                             // the largest piece
    size_t start[SOURCE_MAX_RANK], count[SOURCE_MAX_RANK];   // this piece, in stored points
    uint8_t *piece;
    void *out;
};

// The largest piece: whole rows of the fastest dimensions, as many as fit, then whole chunks.
static void choose_box(struct reduction *r) {
    const struct source_slab_request *q = r->request;
    size_t each = source_type_size(r->array->type), bytes = each;
    for (int d = 0; d < q->rank; d++) {
        r->box[d] = r->array->step[d] < q->count[d] ? r->array->step[d] : q->count[d];
        bytes *= r->box[d];
    }
    for (int d = q->rank - 1; d >= 0 && bytes < PIECE_BYTES; d--) {
        size_t rest = bytes / r->box[d], most = PIECE_BYTES / rest;
        if (most >= q->count[d]) {
            r->box[d] = q->count[d];
        } else if (most > r->array->step[d]) {
            r->box[d] = most / r->array->step[d] * r->array->step[d];
        }
        bytes = rest * r->box[d];
        if (r->box[d] < q->count[d]) break;
    }
}

// Where the piece that begins at `at` ends along d: on a chunk's edge.
static size_t piece_end(const struct reduction *r, int d, size_t at) {
    size_t end = r->request->start[d] + r->request->count[d], step = r->array->step[d];
    if (r->box[d] == r->request->count[d]) return end;
    size_t edge = at / step * step + r->box[d];
    return edge < end ? edge : end;
}

static bool next_piece(struct reduction *r) {
    for (int d = r->request->rank - 1; d >= 0; d--) {
        size_t at = r->start[d] + r->count[d], end = r->request->start[d] + r->request->count[d];
        r->start[d] = at < end ? at : r->request->start[d];
        r->count[d] = piece_end(r, d, r->start[d]) - r->start[d];
        if (at < end) return true;
    }
    return false;
}

// Whether a stride takes any point of this piece.
static bool piece_is_wanted(const struct reduction *r) {
    if (r->request->reduction != REDUCE_STRIDE) return true;
    for (int d = 0; d < r->request->rank; d++) {
        size_t block = r->request->block[d], from = r->start[d] - r->request->start[d];
        if ((from + block - 1) / block * block >= from + r->count[d]) return false;
    }
    return true;
}

#define CONVERT(TYPE) \
    for (size_t i = 0; i < n; i++) { \
        TYPE v; \
        memcpy(&v, from + i * sizeof v, sizeof v); \
        out[i] = (double)v; \
    } \
    break

static void to_doubles(enum source_type type, const uint8_t *from, size_t n, double *out) {
    switch (type) {
    case SOURCE_I8: CONVERT(int8_t);
    case SOURCE_U8: CONVERT(uint8_t);
    case SOURCE_I16: CONVERT(int16_t);
    case SOURCE_U16: CONVERT(uint16_t);
    case SOURCE_I32: CONVERT(int32_t);
    case SOURCE_U32: CONVERT(uint32_t);
    case SOURCE_I64: CONVERT(int64_t);
    case SOURCE_U64: CONVERT(uint64_t);
    case SOURCE_F32: CONVERT(float);
    default: CONVERT(double);
    }
}

static bool is_missing(const struct source_slab_request *q, double v) {
    if (!isfinite(v)) return true;  // as the field layer has it
    for (int i = 0; i < q->missing_count; i++)
        if (v == q->missing[i]) return true;
    return false;
}

// Adds a run of stored numbers, `along` points into the slab's fastest dimension, to the blocks of output row `row`.
static void add_run(const struct reduction *r, const double *values, size_t n, size_t row, size_t along, size_t block) {
    double *sum = (double *)r->out + row, *least = sum + r->shape->elements;
    double *most = least + r->shape->elements, *present = most + r->shape->elements;
    for (size_t i = 0; i < n;) {
        size_t b = (along + i) / block, end = (b + 1) * block - along;
        if (end > n) end = n;
        for (; i < end; i++) {
            double v = values[i];
            if (is_missing(r->request, v)) continue;
            sum[b] += v;
            if (v < least[b]) least[b] = v;
            if (v > most[b]) most[b] = v;
            present[b] += 1;
        }
    }
}

static void mean_row(const struct reduction *r, const uint8_t *from, size_t n, size_t row, size_t along, size_t block) {
    size_t each = source_type_size(r->array->type);
    double values[RUN];
    for (size_t i = 0; i < n; i += RUN) {
        size_t run = n - i < RUN ? n - i : RUN;
        to_doubles(r->array->type, from + i * each, run, values);
        add_run(r, values, run, row, along + i, block);
    }
}

static void stride_row(const struct reduction *r, const uint8_t *from, size_t n, size_t row, size_t along, size_t block) {
    size_t each = source_type_size(r->array->type);
    for (size_t i = (block - along % block) % block; i < n; i += block)
        memcpy((uint8_t *)r->out + (row + (along + i) / block) * each, from + i * each, each);
}

// Takes the piece row by row into the output.
static void take_piece(const struct reduction *r) {
    const struct source_slab_request *q = r->request;
    int rank = q->rank, fast = rank - 1;
    bool stride = q->reduction == REDUCE_STRIDE;
    size_t index[SOURCE_MAX_RANK] = {0}, each = source_type_size(r->array->type);
    size_t length = rank ? r->count[fast] : 1, block = rank ? q->block[fast] : 1;
    size_t along = rank ? r->start[fast] - q->start[fast] + q->lead[fast] : 0;
    const uint8_t *from = r->piece;
    for (int d = 0; d >= 0; from += length * each) {
        size_t row = 0;
        bool wanted = true;
        for (d = 0; d < fast; d++) {
            size_t at = r->start[d] + index[d] - q->start[d] + q->lead[d];
            row = row * r->shape->count[d] + at / q->block[d];
            wanted = wanted && at % q->block[d] == 0;
        }
        row *= rank ? r->shape->count[fast] : 1;
        if (!stride) mean_row(r, from, length, row, along, block);
        else if (wanted) stride_row(r, from, length, row, along, block);
        for (d = fast - 1; d >= 0 && ++index[d] == r->count[d]; d--) index[d] = 0;
    }
}

static void mean_start(const struct source_slab_shape *shape, double *out) {
    for (size_t i = 0; i < shape->elements; i++) {
        out[i] = out[3 * shape->elements + i] = 0;
        out[shape->elements + i] = INFINITY;
        out[2 * shape->elements + i] = -INFINITY;
    }
}

// Sums, least and most are of stored numbers, so that sums of packed integers are exact; packing is undone here.
static void mean_finish(const struct source_slab_request *q, const struct source_slab_shape *shape, double *out) {
    size_t n = shape->elements;
    for (size_t i = 0; i < n; i++) {
        double count = out[3 * n + i], low = out[n + i], high = out[2 * n + i];
        bool swapped = q->scale < 0;
        out[i] = count > 0 ? out[i] / count * q->scale + q->offset : NAN;
        out[n + i] = count > 0 ? (swapped ? high : low) * q->scale + q->offset : NAN;
        out[2 * n + i] = count > 0 ? (swapped ? low : high) * q->scale + q->offset : NAN;
    }
}

int reader_reduce(const struct reader_array *array, const struct source_slab_request *request,
                  const struct source_slab_shape *shape, void *out, struct failure *failure) {
    struct reduction r = {.array = array, .request = request, .shape = shape, .out = out};
    size_t bytes = source_type_size(array->type);
    int status = VIRGA_OK;
    choose_box(&r);
    for (int d = 0; d < request->rank; d++) {
        if (memory_multiply(bytes, r.box[d], &bytes)) return failure_set(failure, VIRGA_TOO_LARGE, "a stored chunk is too large");
        r.start[d] = request->start[d];
        r.count[d] = piece_end(&r, d, r.start[d]) - r.start[d];
    }
    r.piece = malloc(bytes);
    if (!r.piece) return failure_set(failure, VIRGA_TOO_LARGE, "a stored chunk of %zu bytes is more than a reader may hold", bytes);
    if (request->reduction == REDUCE_MEAN) mean_start(shape, out);
    do {
        if (!piece_is_wanted(&r)) continue;
        status = array->read(array->context, r.start, r.count, r.piece, failure);
        if (!status) take_piece(&r);
    } while (!status && next_piece(&r));
    if (!status && request->reduction == REDUCE_MEAN) mean_finish(request, shape, out);
    free(r.piece);
    return status;
}
