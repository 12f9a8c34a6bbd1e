// SPDX-License-Identifier: Apache-2.0
// Finds messages and the fields in them. Nothing that a file says of itself is believed: every length is held against what is
// there, and only headers are read, so that a big file is scanned in little time.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "source/reader_grib.h"

enum { WINDOW = 1 << 16, JUNK_MAX = 16 << 20, EDITION1_DATA = 12 };

struct scanner {
    int fd;
    uint64_t file_bytes;
    struct grib_index *index;
    uint8_t *window;               // [WINDOW] of the file, from window_at
    uint64_t window_at;
    size_t window_bytes;
    uint8_t *headers;              // a message without its numbers, being put together
    uint32_t message;
    size_t broken;
    struct failure *failure;
};

// `bytes` (at most WINDOW) of the file, or NULL past its end. Valid until the next call.
static const uint8_t *look(struct scanner *s, uint64_t at, size_t bytes) {
    if (at > s->file_bytes || bytes > s->file_bytes - at) return NULL;
    if (at < s->window_at || at + bytes > s->window_at + s->window_bytes) {
        // Mostly a few hundred bytes are wanted here and then some far away.
        size_t wanted = bytes > 4096 ? WINDOW : 4096;
        ssize_t got = pread(s->fd, s->window, wanted, (off_t)at);
        s->window_at = at;
        s->window_bytes = got > 0 ? (size_t)got : 0;
        if (bytes > s->window_bytes) return NULL;
    }
    return s->window + (at - s->window_at);
}

static uint32_t number24(const uint8_t *p) { return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2]; }
static uint32_t number32(const uint8_t *p) { return (uint32_t)p[0] << 24 | number24(p + 1); }
static uint64_t number64(const uint8_t *p) { return (uint64_t)number32(p) << 32 | number32(p + 4); }

static void put32(uint8_t *p, uint32_t v) {
    for (int i = 0; i < 4; i++) p[i] = (uint8_t)(v >> (24 - 8 * i));
}

// Where the next message begins, at or after `at`; the file's end where none does. Bulletin headers and other bytes may stand between.
static uint64_t find_message(struct scanner *s, uint64_t at) {
    uint64_t last = at + JUNK_MAX;
    const uint8_t *next = look(s, at, 8);
    if (next && !memcmp(next, "GRIB", 4) && (next[7] == 1 || next[7] == 2)) return at;
    while (at + 12 <= s->file_bytes && at < last) {
        size_t bytes = s->file_bytes - at < WINDOW ? (size_t)(s->file_bytes - at) : WINDOW;
        const uint8_t *here = look(s, at, bytes), *found = here;
        if (!here) break;
        while ((found = memmem(found, (size_t)(here + bytes - found), "GRIB", 4))) {
            if (found + 8 > here + bytes) break;
            if (found[7] == 1 || found[7] == 2) return at + (size_t)(found - here);
            found += 4;
        }
        at += bytes > 16 ? bytes - 8 : bytes;
    }
    if (at >= last)
        grib_index_note(s->index, "the file: no message follows within %d MiB; what comes after is not read", JUNK_MAX >> 20);
    return s->file_bytes;
}

static bool ends_right(struct scanner *s, uint64_t offset, uint64_t length) {
    const uint8_t *end = look(s, offset + length - 4, 4);
    return end && !memcmp(end, "7777", 4);
}

static int add_field(struct scanner *s, const struct grib_headers *headers, const struct grib_field *made) {
    struct grib_index *index = s->index;
    if (index->field_count == GRIB_FIELDS_MAX) {
        grib_index_note(index, "the file: it has more than %d fields; the others are left out", GRIB_FIELDS_MAX);
        return VIRGA_OK;
    }
    struct grib_field *grown = memory_one_more(index->fields, index->field_count, &index->field_room, sizeof *grown);
    if (!grown) return failure_set(s->failure, VIRGA_TOO_LARGE, "it has more fields than a reader may hold");
    index->fields = grown;
    struct grib_field field = *made;
    int status = grib_describe(index, headers, &field, s->failure);
    if (status == VIRGA_OK) index->fields[index->field_count++] = field;
    return status == VIRGA_UNSUPPORTED ? VIRGA_OK : status;  // noted
}

// --- edition 2 ---------------------------------------------------------------------------------------------------------

struct sections2 {
    uint64_t at[8];
    size_t bytes[8];
    uint64_t bitmap;  // the last one that came as bits
    int indicator;    // of the last section 6
};

static bool copy_section(struct scanner *s, uint64_t at, size_t bytes, size_t *used) {
    const uint8_t *from = look(s, at, bytes);
    if (!from) return false;
    memcpy(s->headers + *used, from, bytes);
    *used += bytes;
    return true;
}

static bool precise2(const uint8_t *section5, size_t bytes) {
    unsigned template_number = (unsigned)section5[9] << 8 | section5[10];
    if (template_number == 4) return bytes >= 12 && section5[11] > 1;
    return bytes >= 20 && section5[19] > 24;
}

static const uint8_t *find_pv2(const uint8_t *section4, size_t bytes, size_t *count) {
    *count = (size_t)section4[5] << 8 | section4[6];
    return *count && 9 + *count * 4 <= bytes ? section4 + bytes - *count * 4 : NULL;
}

// The sections of one field, put together as a message of its own with no bitmap and no numbers.
static int field2(struct scanner *s, uint64_t offset, uint64_t length, const struct sections2 *found) {
    static const uint8_t tail[] = {0, 0, 0, 6, 6, 255, 0, 0, 0, 5, 7, '7', '7', '7', '7'};
    struct grib_field field = {.offset = offset, .bytes = (uint32_t)length, .message = s->message, .edition = 2, .pv = GRIB_NONE};
    struct grib_headers headers = {.message = s->headers, .edition = 2};
    size_t used = 0, start[8] = {0};
    if (!found->at[1] || !found->at[3] || !found->at[4] || !found->at[5] || found->bytes[4] < 11 || found->bytes[5] < 11 || found->bytes[3] < 14) {
        grib_index_note(s->index, "message %u: a field without the sections that describe it", s->message);
        return VIRGA_OK;
    }
    if (found->indicator == 254 && !found->bitmap) {
        grib_index_note(s->index, "message %u: a field refers to a bitmap that is not there", s->message);
        return VIRGA_OK;
    }
    if (!copy_section(s, offset, 16, &used)) return VIRGA_OK;
    for (int n = 1; n <= 5; n++) {
        start[n] = used;
        if (found->at[n] && found->bytes[n] > GRIB_SECTION_MAX) {
            grib_index_note(s->index, "message %u: its section %d has %zu bytes, more than is read", s->message, n, found->bytes[n]);
            return VIRGA_OK;
        }
        if (found->at[n] && !copy_section(s, offset + found->at[n], found->bytes[n], &used)) return VIRGA_OK;
    }
    memcpy(s->headers + used, tail, sizeof tail);
    headers.bytes = used + sizeof tail;
    put32(s->headers + 8, 0);
    put32(s->headers + 12, (uint32_t)headers.bytes);
    for (int n = 1; n <= 7; n++) field.sections[n] = (uint32_t)found->at[n];
    field.sections[6] = found->indicator == 255 ? 0 : (uint32_t)found->bitmap;
    field.precise = precise2(s->headers + start[5], found->bytes[5]);
    headers.grid = s->headers + start[3];
    headers.grid_bytes = found->bytes[3];
    headers.section4 = s->headers + start[4];
    headers.section4_bytes = found->bytes[4];
    headers.pv = find_pv2(s->headers + start[4], found->bytes[4], &headers.pv_count);
    return add_field(s, &headers, &field);
}

// VIRGA_UNREADABLE: it is broken, and *why says how.
static int message2(struct scanner *s, uint64_t offset, uint64_t *length, const char **why) {
    struct sections2 found = {.indicator = 255};
    const uint8_t *start = look(s, offset, 16);
    *length = start ? number64(start + 8) : 0;
    *why = "it is cut off";
    if (*length < 16 + 21 + 4 || *length > s->file_bytes - offset) return VIRGA_UNREADABLE;
    *why = "it is larger than 4 GiB";
    if (*length > UINT32_MAX) return VIRGA_UNREADABLE;
    *why = "it does not end as a message does";
    if (!ends_right(s, offset, *length)) return VIRGA_UNREADABLE;
    *why = "its sections do not add up";
    for (uint64_t at = 16; at < *length - 4;) {
        const uint8_t *head = look(s, offset + at, 6);
        if (!head) return VIRGA_UNREADABLE;
        uint32_t bytes = number32(head);
        int number = head[4], indicator = head[5], status;
        if (bytes < 5 || bytes > *length - 4 - at || number < 1 || number > 7 || (number == 6 && bytes < 6)) return VIRGA_UNREADABLE;
        found.at[number] = at;
        found.bytes[number] = bytes;
        if (number == 6) {
            found.indicator = indicator;
            if (indicator == 0) found.bitmap = at;
            else if (indicator != 254 && indicator != 255) found.indicator = 254, found.bitmap = 0;  // a predefined one
        }
        if (number == 7 && (status = field2(s, offset, *length, &found))) return status;
        at += bytes;
    }
    return VIRGA_OK;
}

// --- edition 1 ---------------------------------------------------------------------------------------------------------

struct sections1 {
    uint64_t grid, bitmap, data;  // in the message; 0: none
    size_t parameter_bytes, grid_bytes;
    uint32_t data_bytes;
};

static bool find_sections1(struct scanner *s, uint64_t offset, struct sections1 *found) {
    const uint8_t *head = look(s, offset + 8, 28);
    uint64_t at = 8;
    if (!head) return false;
    int flags = head[7];
    found->parameter_bytes = number24(head);
    if (found->parameter_bytes < 28) return false;
    at += found->parameter_bytes;
    for (int n = 0; n < 2; n++) {
        if (!(flags & (n == 0 ? 0x80 : 0x40))) continue;
        if (!(head = look(s, offset + at, 6))) return false;
        size_t bytes = number24(head);
        if (bytes < 6) return false;
        if (n == 0) found->grid = at, found->grid_bytes = bytes;
        else found->bitmap = at;
        at += bytes;
    }
    found->data = at;
    if (!(head = look(s, offset + at, 11))) return false;
    found->data_bytes = number24(head);
    return true;
}

static const uint8_t *find_pv1(const uint8_t *grid, size_t *bytes, size_t *count) {
    size_t at = grid[4];
    *count = grid[3];
    if (!*count || at == 255 || at < 7 || at - 1 + *count * 4 > *bytes) return NULL;
    *bytes = at - 1;  // what follows is no part of the grid
    return grid + at - 1;
}

static int field1(struct scanner *s, uint64_t offset, uint64_t length, const struct sections1 *found) {
    struct grib_field field = {.offset = offset, .bytes = (uint32_t)length, .message = s->message, .edition = 1, .pv = GRIB_NONE};
    struct grib_headers headers = {.message = s->headers, .edition = 1};
    size_t used = 0;
    const uint8_t *data = look(s, offset + found->data, 11);
    if (found->parameter_bytes > GRIB_SECTION_MAX || found->grid_bytes > GRIB_SECTION_MAX || !data) {
        grib_index_note(s->index, "message %u: its headers are longer than is read", s->message);
        return VIRGA_OK;
    }
    field.precise = data[10] > 24 && !(data[3] & 0xc0);
    if (!copy_section(s, offset, 8, &used) || !copy_section(s, offset + 8, found->parameter_bytes, &used)) return VIRGA_OK;
    s->headers[15] &= 0x80;
    size_t grid = used;
    if (found->grid && !copy_section(s, offset + found->grid, found->grid_bytes, &used)) return VIRGA_OK;
    memset(s->headers + used, 0, EDITION1_DATA);
    s->headers[used + 2] = EDITION1_DATA;
    memcpy(s->headers + used + EDITION1_DATA, "7777", 4);
    headers.bytes = used + EDITION1_DATA + 4;
    for (int i = 0; i < 3; i++) s->headers[4 + i] = (uint8_t)(headers.bytes >> (16 - 8 * i));
    if (found->grid) {
        headers.grid = s->headers + grid;
        headers.grid_bytes = found->grid_bytes;
        headers.pv = find_pv1(headers.grid, &headers.grid_bytes, &headers.pv_count);
    }
    return add_field(s, &headers, &field);
}

static int message1(struct scanner *s, uint64_t offset, uint64_t *length, const char **why) {
    struct sections1 found = {0};
    const uint8_t *start = look(s, offset, 8);
    *length = start ? number24(start + 4) : 0;
    *why = "it is cut off, or its sections do not add up";
    if (!start || !find_sections1(s, offset, &found)) return VIRGA_UNREADABLE;
    // ECMWF's way past 24 bits: lengths in units of 120, and what is over in section 4.
    if ((*length & 0x800000) && found.data_bytes < 120) *length = (*length & 0x7fffff) * 120 - found.data_bytes + 4;
    else if (found.data + found.data_bytes + 4 > *length) return VIRGA_UNREADABLE;
    if (*length < found.data + 15 || *length > s->file_bytes - offset) return VIRGA_UNREADABLE;
    *why = "it does not end as a message does";
    if (!ends_right(s, offset, *length)) return VIRGA_UNREADABLE;
    return field1(s, offset, *length, &found);
}

static int walk(struct scanner *s) {
    for (uint64_t at = find_message(s, 0); at < s->file_bytes;) {
        const uint8_t *head = look(s, at, 8);
        const char *why = "";
        uint64_t length = 0;
        if (!head) break;
        s->message++;
        int status = head[7] == 2 ? message2(s, at, &length, &why) : message1(s, at, &length, &why);
        if (status && status != VIRGA_UNREADABLE) return status;
        if (status) {
            if (s->broken++ < 20) grib_index_note(s->index, "message %u at byte %llu: %s; it is left out", s->message, (unsigned long long)at, why);
            length = 4;
        }
        at = find_message(s, at + length);
    }
    return VIRGA_OK;
}

int grib_scan(int fd, uint64_t file_bytes, size_t memory, struct grib_index *index, struct failure *failure) {
    struct scanner s = {.fd = fd, .file_bytes = file_bytes, .index = index, .failure = failure};
    (void)memory;
    s.window = malloc(WINDOW);
    s.headers = malloc(64 + 5 * (size_t)GRIB_SECTION_MAX);
    int status = s.window && s.headers ? walk(&s) : failure_set(failure, VIRGA_TOO_LARGE, "no memory for its headers");
    free(s.window);
    free(s.headers);
    return status;
}
