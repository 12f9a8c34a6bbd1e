// SPDX-License-Identifier: Apache-2.0
#include "brick/step_table.h"

#include <math.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/bytes.h"
#include "base/memory.h"
#include "brick/lattice.h"

enum {
    FORMAT_VERSION = 1,
    HEADER = 24,
    LEVEL_HEADER = 24,
    PLAIN_ENTRY = 9,
    MOST_BRICKS = 1 << 24,  // of all levels, in a table that is decoded
};

static size_t level_bricks(const struct step_table_level *l) { return (size_t)l->bricks[0] * l->bricks[1] * l->bricks[2]; }

static size_t table_bricks(const struct step_table *t) {
    size_t sum = 0;
    for (uint32_t l = 0; l < t->level_count; l++) sum += level_bricks(&t->levels[l]);
    return sum;
}

static int allocate_entries(struct step_table *t) {
    for (uint32_t l = 0; l < t->level_count; l++) {
        t->levels[l].entries = calloc(level_bricks(&t->levels[l]), sizeof *t->levels[l].entries);
        if (!t->levels[l].entries) return VIRGA_NO_MEMORY;
    }
    return VIRGA_OK;
}

struct step_table *step_table_new(const struct pyramid_shape *shape) {
    struct step_table *t = calloc(1, sizeof *t);
    if (!t) return NULL;
    t->level_count = shape->level_count;
    t->lowest = t->highest = NAN;
    for (uint32_t l = 0; l < t->level_count; l++)
        for (int a = 0; a < 3; a++) {
            t->levels[l].n[a] = shape->levels[l].n[a];
            t->levels[l].bricks[a] = shape->levels[l].bricks[a];
        }
    if (!allocate_entries(t)) return t;
    step_table_free(t);
    return NULL;
}

void step_table_free(struct step_table *t) {
    if (!t) return;
    for (uint32_t l = 0; l < t->level_count; l++) free(t->levels[l].entries);
    free(t);
}

struct step_table_entry *step_table_at(const struct step_table *t, uint32_t level, uint32_t x, uint32_t y, uint32_t z) {
    const struct step_table_level *l = &t->levels[level];
    return &l->entries[((size_t)z * l->bricks[1] + y) * l->bricks[0] + x];
}

size_t step_table_memory(const struct step_table *t) {
    return sizeof *t + table_bricks(t) * sizeof(struct step_table_entry);
}

void step_table_set_range(struct step_table *t, const struct lattice_spec *lattice) {
    const struct step_table_level *l = &t->levels[0];
    int32_t lowest = INT32_MAX, highest = INT32_MIN;
    for (size_t i = 0; i < level_bricks(l); i++) {
        if (l->entries[i].kind == BRICK_MISSING) continue;
        if (l->entries[i].lowest < lowest) lowest = l->entries[i].lowest;
        if (l->entries[i].highest > highest) highest = l->entries[i].highest;
    }
    t->lowest = lowest > highest ? NAN : lattice_to_value(lattice, lowest);
    t->highest = lowest > highest ? NAN : lattice_to_value(lattice, highest);
}

// --- Bytes.

static void put_planes(uint8_t *out, size_t count, size_t i, uint32_t difference) {
    for (size_t plane = 0; plane < 4; plane++) out[plane * count + i] = (uint8_t)(difference >> 8 * plane);
}

static uint8_t *put_level(const struct step_table_level *l, uint8_t *out) {
    const size_t count = level_bricks(l);
    uint32_t lowest = 0, highest = 0;
    for (size_t i = 0; i < count; i++) {
        const struct step_table_entry *e = &l->entries[i];
        out[i] = e->kind;
        put_planes(out + count, count, i, (uint32_t)e->lowest - lowest);
        put_planes(out + 5 * count, count, i, (uint32_t)e->highest - highest);
        lowest = (uint32_t)e->lowest;
        highest = (uint32_t)e->highest;
    }
    return out + PLAIN_ENTRY * count;
}

static void put_header(struct byte_writer *w, const struct step_table *t) {
    bytes_write_u32(w, FORMAT_VERSION);
    bytes_write_u32(w, t->level_count);
    bytes_write_f64(w, t->lowest);
    bytes_write_f64(w, t->highest);
    for (uint32_t l = 0; l < t->level_count; l++) {
        for (int a = 0; a < 3; a++) bytes_write_u32(w, t->levels[l].n[a]);
        for (int a = 0; a < 3; a++) bytes_write_u32(w, t->levels[l].bricks[a]);
    }
}

// zlib's sizes are unsigned int: far more than any table.
static int deflate_all(const uint8_t *plain, size_t size, struct byte_writer *w) {
    z_stream stream = {0};
    if (deflateInit2(&stream, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK) return VIRGA_NO_MEMORY;
    stream.next_in = (z_const Bytef *)plain;
    stream.avail_in = (uInt)size;
    stream.next_out = w->at;
    stream.avail_out = (uInt)(w->end - w->at);
    const int result = deflate(&stream, Z_FINISH);
    w->at += stream.total_out;
    deflateEnd(&stream);
    return result == Z_STREAM_END ? VIRGA_OK : VIRGA_INTERNAL;
}

int step_table_encode(const struct step_table *t, struct shared_bytes **bytes) {
    const size_t plain_size = PLAIN_ENTRY * table_bricks(t), head = HEADER + (size_t)LEVEL_HEADER * t->level_count;
    const size_t room = head + plain_size + plain_size / 1000 + 64;
    uint8_t *plain = malloc(plain_size), *out = malloc(room), *at = plain, *fill;
    int status = VIRGA_NO_MEMORY;
    *bytes = NULL;
    if (!plain || !out) goto done;
    for (uint32_t l = t->level_count; l-- > 0;) at = put_level(&t->levels[l], at);
    struct byte_writer w = {.at = out, .end = out + room};
    put_header(&w, t);
    if ((status = deflate_all(plain, plain_size, &w))) goto done;
    *bytes = shared_bytes_new((size_t)(w.at - out), &fill);
    status = *bytes ? VIRGA_OK : VIRGA_NO_MEMORY;
    if (*bytes) memcpy(fill, out, (size_t)(w.at - out));
done:
    free(plain);
    free(out);
    return status;
}

static int take_header(struct byte_reader *r, struct step_table *t) {
    const uint32_t version = bytes_read_u32(r), levels = bytes_read_u32(r);
    t->lowest = bytes_read_f64(r);
    t->highest = bytes_read_f64(r);
    if (r->failed || version != FORMAT_VERSION || levels < 1 || levels > PYRAMID_MAX_LEVELS) return VIRGA_INVALID;
    size_t sum = 0;
    for (uint32_t l = 0; l < levels; l++) {
        struct step_table_level *level = &t->levels[l];
        size_t product = 1;
        for (int a = 0; a < 3; a++) level->n[a] = bytes_read_u32(r);
        for (int a = 0; a < 3; a++) {
            level->bricks[a] = bytes_read_u32(r);
            if (!level->n[a] || level->bricks[a] != (level->n[a] - 1) / BRICK_CORE + 1) return VIRGA_INVALID;
            if (memory_multiply(product, level->bricks[a], &product)) return VIRGA_INVALID;
        }
        if (r->failed || memory_add(sum, product, &sum) || sum > MOST_BRICKS) return VIRGA_INVALID;
    }
    t->level_count = levels;
    return VIRGA_OK;
}

static int inflate_exactly(const struct byte_reader *r, uint8_t *plain, size_t size) {
    z_stream stream = {0};
    if (inflateInit2(&stream, -15) != Z_OK) return VIRGA_NO_MEMORY;
    stream.next_in = (z_const Bytef *)r->at;
    stream.avail_in = (uInt)(r->end - r->at);
    stream.next_out = plain;
    stream.avail_out = (uInt)size;
    const int result = inflate(&stream, Z_FINISH);
    const bool exact = result == Z_STREAM_END && stream.avail_in == 0 && stream.avail_out == 0;
    inflateEnd(&stream);
    return exact ? VIRGA_OK : VIRGA_INVALID;
}

static uint32_t take_planes(const uint8_t *in, size_t count, size_t i) {
    uint32_t v = 0;
    for (size_t plane = 0; plane < 4; plane++) v |= (uint32_t)in[plane * count + i] << 8 * plane;
    return v;
}

static int take_level(struct step_table_level *l, const uint8_t **in) {
    const size_t count = level_bricks(l);
    uint32_t lowest = 0, highest = 0;
    for (size_t i = 0; i < count; i++) {
        lowest += take_planes(*in + count, count, i);
        highest += take_planes(*in + 5 * count, count, i);
        l->entries[i] = (struct step_table_entry){.kind = (*in)[i], .lowest = (int32_t)lowest, .highest = (int32_t)highest};
        if ((*in)[i] > BRICK_MASKED || (int32_t)lowest > (int32_t)highest) return VIRGA_INVALID;
    }
    *in += PLAIN_ENTRY * count;
    return VIRGA_OK;
}

int step_table_decode(const uint8_t *bytes, size_t size, struct step_table **table) {
    struct byte_reader r = {.at = bytes, .end = bytes + size};
    struct step_table *t = calloc(1, sizeof *t);
    uint8_t *plain = NULL;
    *table = NULL;
    if (!t) return VIRGA_NO_MEMORY;
    int status = size > UINT32_MAX ? VIRGA_INVALID : take_header(&r, t);
    if (status) goto done;
    const size_t plain_size = PLAIN_ENTRY * table_bricks(t);
    // Deflate makes at most some 1032 bytes of one: nothing is allocated for a claim beyond that.
    if (plain_size / 1100 > (size_t)(r.end - r.at)) {
        status = VIRGA_INVALID;
        goto done;
    }
    plain = malloc(plain_size);
    status = plain ? allocate_entries(t) : VIRGA_NO_MEMORY;
    if (!status) status = inflate_exactly(&r, plain, plain_size);
    const uint8_t *in = plain;
    for (uint32_t l = t->level_count; !status && l-- > 0;) status = take_level(&t->levels[l], &in);
done:
    free(plain);
    if (status)
        step_table_free(t);
    else
        *table = t;
    return status;
}
