// SPDX-License-Identifier: Apache-2.0
// What a scan found, in memory and as bytes to keep. Bytes that come back are believed no more than a file's.
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/bytes.h"
#include "base/utf8.h"
#include "source/reader_grib.h"

enum { VERSION = 2, HEAD_BYTES = 8 + 8, FIELD_BYTES = 8 + 4 + 4 + 8 * 4 + 2 + 4 * 3 + 8 * 5 + 4, TEXTS = 9, TEXT_MAX = 1023 };
static const char magic[8] = {'V', 'G', 'R', 'I', 'B', 'I', 'X', VERSION};

int grib_index_init(struct grib_index *index, size_t memory) {
    *index = (struct grib_index){.arena = {.limit = memory / 8}};
    index->parameters = arena_new(&index->arena, GRIB_PARAMETERS_MAX, sizeof *index->parameters);
    index->grids = arena_new(&index->arena, GRIB_GRIDS_MAX, sizeof *index->grids);
    index->pvs = arena_new(&index->arena, GRIB_PV_MAX, sizeof *index->pvs);
    index->notes = arena_new(&index->arena, GRIB_NOTES_MAX, sizeof *index->notes);
    return index->parameters && index->grids && index->pvs && index->notes ? VIRGA_OK : VIRGA_NO_MEMORY;
}

void grib_index_destroy(struct grib_index *index) {
    free(index->fields);
    arena_destroy(&index->arena);
    *index = (struct grib_index){0};
}

void grib_index_note(struct grib_index *index, const char *format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    utf8_clean(text);
    for (size_t n = 0; n < index->note_count; n++)
        if (!strcmp(index->notes[n], text)) return;
    char *copy = index->note_count < GRIB_NOTES_MAX ? arena_text(&index->arena, text, strlen(text)) : NULL;
    if (copy) index->notes[index->note_count++] = copy;
}

// --- to bytes ----------------------------------------------------------------------------------------------------------

static void texts_of(struct grib_parameter *p, char **texts[TEXTS]) {
    char **const all[TEXTS] = {&p->short_name, &p->cf_var_name, &p->name, &p->units, &p->standard_name, &p->type_of_level, &p->step_type, &p->suffix, &p->described};
    memcpy(texts, all, sizeof all);
}

static void put_text(struct byte_writer *w, const char *text) {
    size_t n = strlen(text);
    bytes_write_u32(w, (uint32_t)n);
    bytes_write(w, text, n);
}

static size_t encoded_bytes(const struct grib_index *index) {
    size_t bytes = HEAD_BYTES + 8 + 7 * 4 + index->field_count * FIELD_BYTES;
    for (size_t n = 0; n < index->parameter_count; n++) {
        char **texts[TEXTS];
        texts_of(&index->parameters[n], texts);
        bytes += 8 + 4 * 6 + 1;
        for (int t = 0; t < TEXTS; t++) bytes += 4 + strlen(*texts[t]);
    }
    for (size_t n = 0; n < index->grid_count; n++) bytes += 5 + index->grids[n].size;
    for (size_t n = 0; n < index->pv_count; n++) bytes += 4 + 8 * (size_t)index->pvs[n].count;
    for (size_t n = 0; n < index->note_count; n++) bytes += 4 + strlen(index->notes[n]);
    return bytes;
}

static void put_field(struct byte_writer *w, const struct grib_field *f) {
    bytes_write_u64(w, f->offset);
    bytes_write_u32(w, f->bytes);
    bytes_write_u32(w, f->message);
    for (int n = 0; n < 8; n++) bytes_write_u32(w, f->sections[n]);
    bytes_write_u8(w, f->edition);
    bytes_write_u8(w, f->precise);
    bytes_write_u32(w, f->parameter);
    bytes_write_u32(w, f->grid);
    bytes_write_i32(w, f->pv);
    bytes_write_f64(w, f->level);
    bytes_write_f64(w, f->level2);
    bytes_write_u64(w, (uint64_t)f->reference);
    bytes_write_u64(w, (uint64_t)f->valid);
    bytes_write_u64(w, (uint64_t)f->interval);
    bytes_write_i32(w, f->member);
}

static void put_parameter(struct byte_writer *w, struct grib_parameter *p) {
    char **texts[TEXTS];
    texts_of(p, texts);
    bytes_write_u64(w, (uint64_t)p->param_id);
    bytes_write_i32(w, p->edition);
    bytes_write_i32(w, p->discipline);
    bytes_write_i32(w, p->category);
    bytes_write_i32(w, p->number);
    bytes_write_i32(w, p->statistic);
    bytes_write_i32(w, p->kind);
    bytes_write_u8(w, p->layer);
    for (int t = 0; t < TEXTS; t++) put_text(w, *texts[t]);
}

int grib_index_encode(const struct grib_index *index, uint8_t **bytes, size_t *size) {
    *size = encoded_bytes(index);
    *bytes = malloc(*size);
    if (!*bytes) return VIRGA_NO_MEMORY;
    struct byte_writer w = {.at = *bytes + HEAD_BYTES, .end = *bytes + *size};
    bytes_write_u64(&w, *size);
    bytes_write_u32(&w, (uint32_t)index->parameter_count);
    bytes_write_u32(&w, (uint32_t)index->grid_count);
    bytes_write_u32(&w, (uint32_t)index->pv_count);
    bytes_write_u32(&w, (uint32_t)index->note_count);
    bytes_write_u32(&w, (uint32_t)index->field_count);
    bytes_write_i32(&w, index->centre);
    bytes_write_i32(&w, index->stream_class);
    for (size_t n = 0; n < index->parameter_count; n++) put_parameter(&w, &index->parameters[n]);
    for (size_t n = 0; n < index->grid_count; n++) {
        bytes_write_u8(&w, index->grids[n].edition);
        bytes_write_u32(&w, index->grids[n].size);
        bytes_write(&w, index->grids[n].bytes, index->grids[n].size);
    }
    for (size_t n = 0; n < index->pv_count; n++) {
        bytes_write_u32(&w, index->pvs[n].count);
        for (uint32_t i = 0; i < index->pvs[n].count; i++) bytes_write_f64(&w, index->pvs[n].values[i]);
    }
    for (size_t n = 0; n < index->note_count; n++) put_text(&w, index->notes[n]);
    for (size_t n = 0; n < index->field_count; n++) put_field(&w, &index->fields[n]);
    struct byte_writer head = {.at = *bytes, .end = *bytes + HEAD_BYTES};
    bytes_write(&head, magic, sizeof magic);
    bytes_write_u64(&head, XXH3_64bits(*bytes + HEAD_BYTES, *size - HEAD_BYTES));
    if (!w.failed && w.at == w.end) return VIRGA_OK;
    free(*bytes);
    *bytes = NULL;
    return VIRGA_INTERNAL;
}

// --- from bytes --------------------------------------------------------------------------------------------------------

static char *take_text(struct byte_reader *r, struct arena *arena) {
    uint32_t n = bytes_read_u32(r);
    const uint8_t *from = n <= TEXT_MAX ? bytes_take(r, n) : NULL;
    char *text = from && !memchr(from, 0, n) ? arena_text(arena, (const char *)from, n) : NULL;
    if (!text) r->failed = true;
    else utf8_clean(text);
    return text;
}

static void take_parameter(struct byte_reader *r, struct arena *arena, struct grib_parameter *p) {
    char **texts[TEXTS];
    texts_of(p, texts);
    p->param_id = (int64_t)bytes_read_u64(r);
    p->edition = bytes_read_i32(r);
    p->discipline = bytes_read_i32(r);
    p->category = bytes_read_i32(r);
    p->number = bytes_read_i32(r);
    p->statistic = bytes_read_i32(r);
    p->kind = bytes_read_i32(r);
    uint8_t layer = bytes_read_u8(r);
    if (p->kind < GRIB_SINGLE || p->kind > GRIB_NUMBER || layer > 1 || p->edition < 1 || p->edition > 2) r->failed = true;
    p->layer = layer == 1;
    for (int t = 0; t < TEXTS && !r->failed; t++) *texts[t] = take_text(r, arena);
}

static void take_grid(struct byte_reader *r, struct arena *arena, struct grib_section *g) {
    g->edition = bytes_read_u8(r);
    g->size = bytes_read_u32(r);
    const uint8_t *from = g->size && g->size <= GRIB_SECTION_MAX ? bytes_take(r, g->size) : NULL;
    g->bytes = from ? arena_new(arena, g->size, 1) : NULL;
    if (g->bytes) memcpy(g->bytes, from, g->size);
    if (!g->bytes || g->edition < 1 || g->edition > 2) r->failed = true;
}

static void take_pv(struct byte_reader *r, struct arena *arena, struct grib_pv *pv) {
    pv->count = bytes_read_u32(r);
    pv->values = pv->count && pv->count <= 65535 ? arena_new(arena, pv->count, sizeof *pv->values) : NULL;
    if (!pv->values) r->failed = true;
    for (uint32_t i = 0; i < pv->count && !r->failed; i++) pv->values[i] = bytes_read_f64(r);
}

static bool sane_field(const struct grib_index *index, const struct grib_field *f, uint64_t file_bytes) {
    if (f->edition < 1 || f->edition > 2 || f->offset > file_bytes || f->bytes > file_bytes - f->offset || f->bytes < 16) return false;
    for (int n = 0; n < 8; n++)
        if (f->sections[n] >= f->bytes) return false;
    if (f->parameter >= index->parameter_count || f->grid >= index->grid_count || f->pv < GRIB_NONE || f->pv >= (int64_t)index->pv_count) return false;
    const int64_t most = 1LL << 40;  // seconds
    return isfinite(f->level) && !isinf(f->level2) && f->member >= GRIB_NONE && f->reference < most && f->reference > -most && f->valid < most &&
           f->valid >= f->reference && f->interval >= 0 && f->interval < most;
}

static void take_field(struct byte_reader *r, struct grib_field *f) {
    f->offset = bytes_read_u64(r);
    f->bytes = bytes_read_u32(r);
    f->message = bytes_read_u32(r);
    for (int n = 0; n < 8; n++) f->sections[n] = bytes_read_u32(r);
    f->edition = bytes_read_u8(r);
    f->precise = bytes_read_u8(r);
    f->parameter = bytes_read_u32(r);
    f->grid = bytes_read_u32(r);
    f->pv = bytes_read_i32(r);
    f->level = bytes_read_f64(r);
    f->level2 = bytes_read_f64(r);
    f->reference = (int64_t)bytes_read_u64(r);
    f->valid = (int64_t)bytes_read_u64(r);
    f->interval = (int64_t)bytes_read_u64(r);
    f->member = bytes_read_i32(r);
}

static int take_all(struct grib_index *index, struct byte_reader *r, uint64_t file_bytes) {
    uint32_t parameters = bytes_read_u32(r), grids = bytes_read_u32(r), pvs = bytes_read_u32(r), notes = bytes_read_u32(r), fields = bytes_read_u32(r);
    index->centre = bytes_read_i32(r);
    index->stream_class = bytes_read_i32(r);
    if (r->failed || parameters > GRIB_PARAMETERS_MAX || grids > GRIB_GRIDS_MAX || pvs > GRIB_PV_MAX || notes > GRIB_NOTES_MAX || fields > GRIB_FIELDS_MAX ||
        (size_t)(r->end - r->at) < (size_t)fields * FIELD_BYTES)
        return VIRGA_INVALID;
    for (uint32_t n = 0; n < parameters && !r->failed; n++) take_parameter(r, &index->arena, &index->parameters[n]);
    for (uint32_t n = 0; n < grids && !r->failed; n++) take_grid(r, &index->arena, &index->grids[n]);
    for (uint32_t n = 0; n < pvs && !r->failed; n++) take_pv(r, &index->arena, &index->pvs[n]);
    for (uint32_t n = 0; n < notes && !r->failed; n++) index->notes[n] = take_text(r, &index->arena);
    if (r->failed) return VIRGA_INVALID;
    index->parameter_count = parameters;
    index->grid_count = grids;
    index->pv_count = pvs;
    index->note_count = notes;
    index->fields = calloc(fields + 1, sizeof *index->fields);
    if (!index->fields) return VIRGA_NO_MEMORY;
    index->field_room = fields + 1;
    for (uint32_t n = 0; n < fields; n++) {
        take_field(r, &index->fields[n]);
        if (r->failed || !sane_field(index, &index->fields[n], file_bytes)) return VIRGA_INVALID;
    }
    index->field_count = fields;
    return r->at == r->end ? VIRGA_OK : VIRGA_INVALID;
}

int grib_index_decode(struct grib_index *index, const uint8_t *bytes, size_t size, uint64_t file_bytes, size_t memory) {
    struct byte_reader head = {.at = bytes, .end = bytes + size};
    const uint8_t *begins = bytes_take(&head, sizeof magic);
    uint64_t hash = bytes_read_u64(&head), all;
    *index = (struct grib_index){0};  // may be destroyed whatever comes
    if (head.failed || memcmp(begins, magic, sizeof magic)) return VIRGA_INVALID;
    if (hash != XXH3_64bits(bytes + HEAD_BYTES, size - HEAD_BYTES)) return VIRGA_INVALID;
    all = bytes_read_u64(&head);
    if (head.failed || all != size) return VIRGA_INVALID;
    int status = grib_index_init(index, memory);
    if (!status) status = take_all(index, &head, file_bytes);
    if (status) grib_index_destroy(index);
    return status;
}
