// SPDX-License-Identifier: Apache-2.0
// One field's numbers. A field of an edition 2 message is made a message of its own first, so that several in one message, and
// bitmaps given once for many, need nothing of ecCodes.
#include <eccodes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "source/reader_grib.h"

static const double absent = -1.2345678912345e300;  // stands for a missing number while ecCodes decodes

struct message {
    uint8_t *bytes;
    size_t size, room;
};

static uint32_t number32(const uint8_t *p) { return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]; }

static bool read_at(int fd, uint64_t at, void *out, size_t bytes) {
    for (size_t got = 0; got < bytes;) {
        ssize_t n = pread(fd, (uint8_t *)out + got, bytes - got, (off_t)(at + got));
        if (n <= 0) return false;
        got += (size_t)n;
    }
    return true;
}

static int broken(const struct grib_field *f, const char *why, struct failure *failure) {
    return failure_set(failure, VIRGA_UNREADABLE, "message %u at byte %llu: %s", f->message, (unsigned long long)f->offset, why);
}

static int too_large(const struct grib_field *f, struct failure *failure) {
    return failure_set(failure, VIRGA_TOO_LARGE, "message %u: its %u bytes are more than a reader may hold", f->message, f->bytes);
}

// Appends one section, held against the message's end and its own number.
static int append(int fd, const struct grib_field *f, int number, struct message *m, struct failure *failure) {
    uint8_t head[5];
    uint64_t at = f->sections[number];
    if (at + 9 > f->bytes || !read_at(fd, f->offset + at, head, sizeof head)) return broken(f, "it is cut off", failure);
    size_t bytes = number32(head);
    if (head[4] != number || bytes < 5 || bytes > f->bytes - 4 - at) return broken(f, "its sections are not where they were", failure);
    if (bytes > m->room - m->size - 4) return too_large(f, failure);
    if (!read_at(fd, f->offset + at, m->bytes + m->size, bytes)) return broken(f, "it is cut off", failure);
    m->size += bytes;
    return VIRGA_OK;
}

static int read_edition2(int fd, const struct grib_field *f, struct message *m, struct failure *failure) {
    static const uint8_t no_bitmap[6] = {0, 0, 0, 6, 6, 255};
    int status = VIRGA_OK;
    if (!read_at(fd, f->offset, m->bytes, 16)) return broken(f, "it is cut off", failure);
    m->size = 16;
    for (int n = 1; n <= 7 && !status; n++) {
        if (n == 6 && !f->sections[6]) {
            if (m->room - m->size < sizeof no_bitmap + 4) return too_large(f, failure);
            memcpy(m->bytes + m->size, no_bitmap, sizeof no_bitmap);
            m->size += sizeof no_bitmap;
        } else if (f->sections[n]) {
            status = append(fd, f, n, m, failure);
        } else if (n != 2) {
            status = broken(f, "a section is missing", failure);
        }
    }
    if (status) return status;
    memcpy(m->bytes + m->size, "7777", 4);
    m->size += 4;
    for (int i = 0; i < 8; i++) m->bytes[8 + i] = (uint8_t)((uint64_t)m->size >> (56 - 8 * i));
    return VIRGA_OK;
}

static int read_message(int fd, uint64_t file_bytes, const struct grib_field *f, size_t memory, struct message *m, struct failure *failure) {
    if (f->offset > file_bytes || f->bytes > file_bytes - f->offset || f->bytes < 16) return broken(f, "it is cut off", failure);
    m->room = (size_t)f->bytes + 64;
    if (m->room > memory / 4 || !(m->bytes = malloc(m->room))) return too_large(f, failure);
    if (f->edition == 2) return read_edition2(fd, f, m, failure);
    m->size = f->bytes;
    return read_at(fd, f->offset, m->bytes, m->size) && !memcmp(m->bytes, "GRIB", 4) ? VIRGA_OK : broken(f, "it is no longer there", failure);
}

// What simple packing claims against what is there; ecCodes believes it.
static int check_packing(const struct grib_field *f, const struct message *m, size_t points, struct failure *failure) {
    size_t at = 16, bits = 0, values = 0, stored = 0;
    bool simple = false;
    for (int n = 0; f->edition == 2 && n < 8 && at + 5 <= m->size; n++) {
        const uint8_t *s = m->bytes + at;
        size_t bytes = number32(s);
        if (bytes < 5 || bytes > m->size - at) break;
        if (s[4] == 5 && bytes >= 20) {
            values = number32(s + 5);
            simple = (s[9] << 8 | s[10]) == 0;
            bits = s[19];
            if (values > points) return broken(f, "it has more numbers than grid points", failure);
            if ((s[9] << 8 | s[10]) == 4) simple = true, bits = bytes > 11 && s[11] == 1 ? 32 : 64;
            if (bits > 64) return broken(f, "its packing makes no sense", failure);
        }
        at += bytes;
        if (s[4] == 6) break;
    }
    if (!simple || at + 5 > m->size) return VIRGA_OK;
    stored = number32(m->bytes + at) - 5;
    return values * bits > stored * 8 ? broken(f, "it holds fewer numbers than it says", failure) : VIRGA_OK;
}

// From the order in which numbers are stored to rows from south to north.
static void arrange(const struct grib_grid *g, const double *stored, double *out) {
    size_t fast = g->columns_first ? g->ny : g->nx, slow = g->columns_first ? g->nx : g->ny;
    for (size_t s = 0; s < slow; s++)
        for (size_t k = 0; k < fast; k++) {
            size_t along = g->alternating && s % 2 ? fast - 1 - k : k;
            size_t i = g->columns_first ? s : along, j = g->columns_first ? along : s;
            if (g->from_east) i = g->nx - 1 - i;
            if (g->from_north) j = g->ny - 1 - j;
            double v = stored[s * fast + k];
            out[j * g->nx + i] = v == absent || !isfinite(v) ? NAN : v;
        }
}

static int decode(const struct grib_field *f, const struct grib_grid *g, const struct message *m, double *out, struct failure *failure) {
    size_t points = g->nx * g->ny, count = 0;
    codes_handle *h = codes_handle_new_from_message(NULL, m->bytes, m->size);
    if (!h) return broken(f, "ecCodes cannot make sense of it", failure);
    double *stored = NULL;
    int status = VIRGA_OK, error = codes_get_size(h, "values", &count);
    if (error) status = broken(f, codes_get_error_message(error), failure);
    else if (count != points) status = broken(f, "it has another number of values than its grid has points", failure);
    else if (!(stored = malloc(points * sizeof *stored))) status = too_large(f, failure);
    if (!status) {
        codes_set_double(h, "missingValue", absent);
        error = codes_get_double_array(h, "values", stored, &count);
        if (error || count != points) status = broken(f, error ? codes_get_error_message(error) : "values are missing", failure);
    }
    codes_handle_delete(h);
    if (!status) arrange(g, stored, out);
    free(stored);
    return status;
}

int grib_field_decode(int fd, uint64_t file_bytes, const struct grib_field *field, const struct grib_grid *grid, double *out, size_t memory,
                      struct failure *failure) {
    struct message m = {0};
    int status = read_message(fd, file_bytes, field, memory, &m, failure);
    if (!status) status = check_packing(field, &m, grid->nx * grid->ny, failure);
    if (!status) status = decode(field, grid, &m, out, failure);
    free(m.bytes);
    return status;
}
