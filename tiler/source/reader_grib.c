// SPDX-License-Identifier: Apache-2.0
// GRIB files for the reader child. Runs confined: whatever a malformed file does to ecCodes ends with this process.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "source/reader_broker.h"
#include "source/reader_format.h"
#include "source/reader_grib_view.h"
#include "source/reader_reduce.h"

enum { HEAD_SEARCHED = 4096, KEPT_FIELDS = 512, INDEX_MAX = 128 << 20 };

struct kept_field {  // decoded lately
    const struct grib_field *field;
    float *numbers;
    double *precise;  // one of the two
    size_t bytes;
    uint64_t used;
};

struct grib_file {
    int fd;
    uint64_t bytes;
    size_t memory, points_max;
    struct grib_index index;
    uint8_t *encoded;    // of the index, to be kept for the next opening; NULL where it was kept already
    size_t encoded_bytes;
    struct arena arena;  // of cubes and view
    struct grib_cubes cubes;
    struct grib_view view;
    struct kept_field kept[KEPT_FIELDS];
    size_t kept_bytes;
    uint64_t uses;
};

static bool grib_recognises(int fd, const uint8_t *head, size_t bytes) {
    uint8_t start[HEAD_SEARCHED];
    ssize_t got = pread(fd, start, sizeof start, 0);
    (void)head;
    (void)bytes;
    for (const uint8_t *at = start; got > 8 && (at = memmem(at, (size_t)(start + got - at), "GRIB", 4)); at += 4)
        if (at + 8 <= start + got && (at[7] == 1 || at[7] == 2)) return true;
    return false;
}

static void drop(struct grib_file *f, struct kept_field *k) {
    f->kept_bytes -= k->bytes;
    free(k->numbers);
    free(k->precise);
    *k = (struct kept_field){0};
}

static void grib_close(void *file) {
    struct grib_file *f = file;
    for (int i = 0; i < KEPT_FIELDS; i++) drop(f, &f->kept[i]);
    free(f->encoded);
    grib_index_destroy(&f->index);
    arena_destroy(&f->arena);
    free(f);
}

// The index of an earlier opening, where the server kept one. False: none, or none that makes sense.
static bool take_kept_index(struct grib_file *f) {
    struct stat s;
    int fd = reader_broker_want(SOURCE_INDEX, "");
    uint8_t *bytes = NULL;
    bool taken = false;
    if (fd < 0) return false;
    if (!fstat(fd, &s) && s.st_size > 0 && s.st_size <= INDEX_MAX) bytes = malloc((size_t)s.st_size);
    if (bytes && pread(fd, bytes, (size_t)s.st_size, 0) == s.st_size)
        taken = grib_index_decode(&f->index, bytes, (size_t)s.st_size, f->bytes, f->memory) == VIRGA_OK;
    free(bytes);
    close(fd);
    return taken;
}

static int make_index(struct grib_file *f, struct failure *failure) {
    if (take_kept_index(f)) return VIRGA_OK;
    if (grib_index_init(&f->index, f->memory)) return failure_set(failure, VIRGA_TOO_LARGE, "no memory for its index");
    int status = grib_scan(f->fd, f->bytes, f->memory, &f->index, failure);
    if (!status && grib_index_encode(&f->index, &f->encoded, &f->encoded_bytes)) f->encoded = NULL;
    return status;
}

// The notes say why; most such files have one reason.
static int nothing_to_show(const struct grib_file *f, struct failure *failure) {
    const struct grib_index *index = &f->index;
    char more[64] = "";
    if (index->note_count > 1) snprintf(more, sizeof more, " (and %zu more reasons like it)", index->note_count - 1);
    return failure_set(failure, index->field_count ? VIRGA_UNSUPPORTED : VIRGA_UNREADABLE, "no field in it can be %s%s%.300s%s", index->field_count ? "placed" : "read",
                       index->note_count ? ": " : "", index->note_count ? index->notes[0] : "", more);
}

static int grib_open(int fd, size_t memory, void **file, struct failure *failure) {
    struct stat s;
    struct grib_file *f = calloc(1, sizeof *f);
    *file = NULL;
    if (!f) return failure_set(failure, VIRGA_TOO_LARGE, "no memory to open it");
    f->fd = fd;
    f->memory = memory;
    f->points_max = memory / 40;  // ecCodes needs several numbers of 8 bytes a point for some packings
    f->arena.limit = memory / 4;
    if (fstat(fd, &s)) {
        free(f);
        return failure_set(failure, VIRGA_IO, "cannot be read from its disk");
    }
    f->bytes = (uint64_t)s.st_size;
    int status = make_index(f, failure);
    if (!status) status = grib_cubes_make(&f->arena, &f->index, f->points_max, &f->cubes, failure);
    if (!status) status = grib_view_make(&f->arena, &f->index, &f->cubes, &f->view, failure);
    if (!status && !f->cubes.variable_count) status = nothing_to_show(f, failure);
    if (status) grib_close(f);
    else *file = f;
    return status;
}

static int add_attribute(struct arena *arena, struct source_inventory *out, const char *name, const char *value) {
    struct source_attribute *a = &out->attributes[out->attribute_count];
    *a = (struct source_attribute){.name = arena_text(arena, name, strlen(name)), .type = SOURCE_CHAR, .text = arena_text(arena, value, strlen(value)), .count = strlen(value)};
    if (!a->name || !a->text) return VIRGA_NO_MEMORY;
    out->attribute_count++;
    return VIRGA_OK;
}

// What the whole file has in common; there is room for three.
static int list_makers(const struct grib_file *f, struct arena *arena, struct source_inventory *out) {
    char number[64];
    if (add_attribute(arena, out, "Conventions", "CF-1.8")) return VIRGA_NO_MEMORY;
    if (f->index.centre > 0 && add_attribute(arena, out, "institution", grib_centre(f->index.centre, number))) return VIRGA_NO_MEMORY;
    snprintf(number, sizeof number, "%d", (int)f->index.stream_class);
    return f->index.stream_class > 0 ? add_attribute(arena, out, "GRIB_class", number) : VIRGA_OK;
}

static int grib_list(void *file, struct arena *arena, struct source_inventory *out, struct failure *failure) {
    struct grib_file *f = file;
    const struct grib_view *view = &f->view;
    bool first = false, second = false;
    for (size_t n = 0; n < f->index.field_count; n++) first = first || f->index.fields[n].edition == 1, second = second || f->index.fields[n].edition == 2;
    const char *format = first && second ? "GRIB 1 and 2" : first ? "GRIB 1" : "GRIB 2";
    memset(out, 0, sizeof *out);
    out->format = arena_text(arena, format, strlen(format));
    out->variables = arena_new(arena, view->variable_count, sizeof *out->variables);
    out->attributes = arena_new(arena, 3, sizeof *out->attributes);
    if (!out->format || !out->variables || !out->attributes || list_makers(f, arena, out)) return failure_set(failure, VIRGA_TOO_LARGE, "its list of contents is larger than the limit");
    for (size_t n = 0; n < view->variable_count; n++) out->variables[n] = view->variables[n].listed;
    out->variable_count = view->variable_count;
    out->dimensions = view->dimensions;
    out->dimension_count = view->dimension_count;
    out->notes = f->index.notes;
    out->note_count = f->index.note_count;
    out->index = f->encoded;
    out->index_bytes = f->encoded ? f->encoded_bytes : 0;
    return VIRGA_OK;
}

// --- values --------------------------------------------------------------------------------------------------------------

// The place for one more decoded field of so many bytes; what was used longest ago goes.
static struct kept_field *make_place(struct grib_file *f, size_t bytes) {
    struct kept_field *place;
    for (;;) {
        place = NULL;
        for (struct kept_field *k = f->kept; k < f->kept + KEPT_FIELDS; k++)
            if (!k->field || !place || (place->field && k->used < place->used)) place = k;
        bool full = place->field != NULL;
        if (!full && (f->kept_bytes + bytes <= f->memory / 16 || !f->kept_bytes)) return place;
        if (!full)  // not of slots, but of bytes: the oldest field goes
            for (struct kept_field *k = f->kept; k < f->kept + KEPT_FIELDS; k++)
                if (k->field && (!place->field || k->used < place->used)) place = k;
        drop(f, place);
    }
}

static int no_room(size_t points, struct failure *failure) {
    return failure_set(failure, VIRGA_TOO_LARGE, "a grid of %zu points is more than a reader may hold", points);
}

static int get_numbers(struct grib_file *f, const struct grib_field *field, bool precise, struct kept_field **out, struct failure *failure) {
    for (struct kept_field *k = f->kept; k < f->kept + KEPT_FIELDS; k++)
        if (k->field == field && (k->precise != NULL) == precise) return k->used = ++f->uses, *out = k, VIRGA_OK;
    const struct grib_grid *g = &f->cubes.grids[field->grid];
    size_t points = g->nx * g->ny;
    size_t bytes = points * (precise ? sizeof(double) : sizeof(float));
    struct kept_field *k = make_place(f, bytes);
    double *numbers = malloc(points * sizeof *numbers);
    float *single = NULL;
    int status = numbers ? grib_field_decode(f->fd, f->bytes, field, g, numbers, f->memory, failure) : no_room(points, failure);
    if (!status && !precise && !(single = malloc(bytes))) status = no_room(points, failure);
    for (size_t i = 0; single && i < points; i++) single[i] = (float)numbers[i];
    if (!precise || status) free(numbers);
    if (status) return status;
    *k = (struct kept_field){.field = field, .numbers = single, .precise = precise ? numbers : NULL, .used = ++f->uses, .bytes = bytes};
    f->kept_bytes += k->bytes;
    *out = k;
    return VIRGA_OK;
}

struct box_reader {
    struct grib_file *file;
    const struct grib_view_variable *variable;
};

static int read_coordinate(const struct grib_view_variable *v, const size_t *start, const size_t *count, void *out) {
    size_t index[SOURCE_MAX_RANK] = {0}, at = 0;
    int rank = v->listed.rank;
    for (;;) {
        size_t from = 0;
        for (int d = 0; d < rank; d++) from = from * v->lengths[d] + start[d] + index[d];
        if (v->listed.type == SOURCE_I32) ((int32_t *)out)[at++] = (int32_t)v->numbers[from];
        else ((double *)out)[at++] = v->numbers[from];
        int d = rank - 1;
        for (; d >= 0 && ++index[d] == count[d]; d--) index[d] = 0;
        if (d < 0) return VIRGA_OK;
    }
}

static void fill_absent(bool precise, void *out, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (precise) ((double *)out)[i] = NAN;
        else ((float *)out)[i] = NAN;
    }
}

// One field's part of a box: rows start[0] of y, columns start[1] of x.
static int read_plane(struct grib_file *f, const struct grib_field *field, const struct grib_view_variable *v, const size_t *start, const size_t *count,
                      uint8_t *out, struct failure *failure) {
    bool precise = v->listed.type == SOURCE_F64;
    size_t each = precise ? sizeof(double) : sizeof(float), nx = f->cubes.grids[field->grid].nx;
    struct kept_field *k = NULL;
    int status = get_numbers(f, field, precise, &k, failure);
    const uint8_t *from = status ? NULL : precise ? (const uint8_t *)k->precise : (const uint8_t *)k->numbers;
    for (size_t j = 0; j < count[0] && !status; j++)
        memcpy(out + j * count[1] * each, from + ((start[0] + j) * nx + start[1]) * each, count[1] * each);
    return status;
}

static int read_box(void *context, const size_t *start, const size_t *count, void *out, struct failure *failure) {
    const struct box_reader *b = context;
    const struct grib_view_variable *v = b->variable;
    if (v->numbers) return read_coordinate(v, start, count, out);
    int outer = v->listed.rank - 2;
    size_t index[SOURCE_MAX_RANK] = {0}, plane = count[outer] * count[outer + 1], each = source_type_size(v->listed.type);
    uint8_t *to = out;
    for (;; to += plane * each) {
        size_t time = start[v->time] + index[v->time];
        size_t member = v->member >= 0 ? start[v->member] + index[v->member] : 0, level = v->level >= 0 ? start[v->level] + index[v->level] : 0;
        const struct grib_field *field = grib_cubes_field(&b->file->index, v->cube, time, member, level);
        int status = VIRGA_OK;
        if (field) status = read_plane(b->file, field, v, start + outer, count + outer, to, failure);
        else fill_absent(v->listed.type == SOURCE_F64, to, plane);
        if (status) return status;
        int d = outer - 1;
        for (; d >= 0 && ++index[d] == count[d]; d--) index[d] = 0;
        if (d < 0) return VIRGA_OK;
    }
}

static int grib_read(void *file, const struct source_slab_request *request, void *out, size_t bytes, struct source_slab_shape *shape, struct failure *failure) {
    struct grib_file *f = file;
    if (request->variable >= f->view.variable_count) return failure_set(failure, VIRGA_INVALID, "no such variable");
    const struct grib_view_variable *v = &f->view.variables[request->variable];
    int status = source_slab_shape(request, v->listed.type, v->listed.rank, v->lengths, bytes, shape, failure);
    if (!status && shape->bytes != bytes) status = failure_set(failure, VIRGA_INVALID, "the slab's size is not the request's");
    if (status) return status;
    struct box_reader box = {.file = f, .variable = v};
    if (request->reduction == REDUCE_NONE) return read_box(&box, request->start, request->count, out, failure);
    struct reader_array array = {.type = v->listed.type, .rank = v->listed.rank, .read = read_box, .context = &box};
    for (int d = 0; d < v->listed.rank; d++) array.step[d] = v->listed.chunk[d] ? v->listed.chunk[d] : 1;
    return reader_reduce(&array, request, shape, out, failure);
}

const struct reader_format reader_grib = {
    .name = "GRIB",
    .recognises = grib_recognises,
    .open = grib_open,
    .list = grib_list,
    .read = grib_read,
    .close = grib_close,
};
