// SPDX-License-Identifier: Apache-2.0
#include "server/zip_layout.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/bytes.h"
#include "base/memory.h"
#include "base/status.h"

enum {
    LOCAL = 30, CENTRAL = 46, LOCAL_EXTRA = 20, END64 = 56, LOCATOR = 20, END = 22,
    VERSION = 20, VERSION_64 = 45, MADE_BY_UNIX = 3 << 8, UTF8_NAMES = 1 << 11, DATE_1980 = 1 << 5 | 1, MODE = 0100644,
    MANY = 0xFFFF,
};
static const uint32_t large = 0xFFFFFFFF;
static const uint64_t most = (uint64_t)1 << 62;  // of the whole

struct entry {
    uint64_t size, offset, central;  // offset: of the local header; central: from the central directory's start
    uint32_t crc;
    uint16_t name_length;
    char *name;
};

struct zip_layout {
    struct entry *entries;
    size_t count, room;
    uint64_t data, directory;  // bytes before the central directory, and of it
};

struct zip_layout *zip_layout_new(void) { return calloc(1, sizeof(struct zip_layout)); }

void zip_layout_free(struct zip_layout *zip) {
    if (!zip) return;
    for (size_t i = 0; i < zip->count; i++) free(zip->entries[i].name);
    free(zip->entries);
    free(zip);
}

const char *zip_layout_name(const struct zip_layout *zip, size_t entry) { return zip->entries[entry].name; }

static bool is_large(const struct entry *e) { return e->size >= large; }
static size_t local_bytes(const struct entry *e) { return LOCAL + e->name_length + (is_large(e) ? LOCAL_EXTRA : 0); }

// Bytes of the central header's extra field, its own head included.
static size_t central_extra(const struct entry *e) {
    size_t numbers = (is_large(e) ? 2 : 0) + (e->offset >= large ? 1 : 0);
    return numbers ? 4 + 8 * numbers : 0;
}

static size_t central_bytes(const struct entry *e) { return CENTRAL + e->name_length + central_extra(e); }

int zip_layout_add(struct zip_layout *zip, const char *name, uint64_t size, uint32_t crc) {
    size_t length = strlen(name);
    if (!length || length > ZIP_NAME_MAX || *name == '/' || strstr(name, "..")) return VIRGA_INVALID;
    if (size > most / 2 || zip->data > most / 2) return VIRGA_TOO_LARGE;
    struct entry *more = memory_one_more(zip->entries, zip->count, &zip->room, sizeof *more);
    if (!more) return VIRGA_NO_MEMORY;
    zip->entries = more;
    char *copy = strdup(name);
    if (!copy) return VIRGA_NO_MEMORY;
    struct entry *e = &zip->entries[zip->count++];
    *e = (struct entry){.size = size, .offset = zip->data, .central = zip->directory, .crc = crc, .name_length = (uint16_t)length, .name = copy};
    zip->data += local_bytes(e) + size;
    zip->directory += central_bytes(e);
    return VIRGA_OK;
}

static bool needs_end64(const struct zip_layout *zip) { return zip->count >= MANY || zip->data >= large || zip->directory >= large; }

static size_t end_bytes(const struct zip_layout *zip) { return END + (needs_end64(zip) ? END64 + LOCATOR : 0); }

uint64_t zip_layout_size(const struct zip_layout *zip) { return zip->data + zip->directory + end_bytes(zip); }

uint64_t zip_layout_hash(const struct zip_layout *zip) {
    XXH64_hash_t hash = zip->count;
    for (size_t i = 0; i < zip->count; i++) {
        const struct entry *e = &zip->entries[i];
        const uint64_t numbers[3] = {hash, e->size, e->crc};
        hash = XXH3_64bits_withSeed(e->name, e->name_length, XXH3_64bits(numbers, sizeof numbers));
    }
    return hash;
}

// What local and central headers share, from "version needed" to the name's length.
static void write_middle(struct byte_writer *w, const struct entry *e, bool needs64) {
    uint32_t size = is_large(e) ? large : (uint32_t)e->size;
    bytes_write_u16(w, needs64 ? VERSION_64 : VERSION);
    bytes_write_u16(w, UTF8_NAMES);
    bytes_write_u16(w, 0);  // stored
    bytes_write_u16(w, 0);  // midnight
    bytes_write_u16(w, DATE_1980);
    bytes_write_u32(w, e->crc);
    bytes_write_u32(w, size);
    bytes_write_u32(w, size);
    bytes_write_u16(w, e->name_length);
}

static void write_local(struct byte_writer *w, const struct entry *e) {
    bytes_write_u32(w, 0x04034B50);
    write_middle(w, e, is_large(e));
    bytes_write_u16(w, is_large(e) ? LOCAL_EXTRA : 0);
    bytes_write(w, e->name, e->name_length);
    if (!is_large(e)) return;
    bytes_write_u16(w, 1);
    bytes_write_u16(w, LOCAL_EXTRA - 4);
    bytes_write_u64(w, e->size);
    bytes_write_u64(w, e->size);
}

static void write_central(struct byte_writer *w, const struct entry *e) {
    size_t extra = central_extra(e);
    bytes_write_u32(w, 0x02014B50);
    bytes_write_u16(w, MADE_BY_UNIX | VERSION_64);
    write_middle(w, e, extra > 0);
    bytes_write_u16(w, (uint16_t)extra);
    bytes_write_u16(w, 0);  // no comment
    bytes_write_u16(w, 0);  // disk
    bytes_write_u16(w, 0);  // internal attributes
    bytes_write_u32(w, (uint32_t)MODE << 16);
    bytes_write_u32(w, e->offset >= large ? large : (uint32_t)e->offset);
    bytes_write(w, e->name, e->name_length);
    if (!extra) return;
    bytes_write_u16(w, 1);
    bytes_write_u16(w, (uint16_t)(extra - 4));
    if (is_large(e)) {
        bytes_write_u64(w, e->size);
        bytes_write_u64(w, e->size);
    }
    if (e->offset >= large) bytes_write_u64(w, e->offset);
}

static void write_end64(struct byte_writer *w, const struct zip_layout *zip) {
    bytes_write_u32(w, 0x06064B50);
    bytes_write_u64(w, END64 - 12);
    bytes_write_u16(w, MADE_BY_UNIX | VERSION_64);
    bytes_write_u16(w, VERSION_64);
    bytes_write_u32(w, 0);
    bytes_write_u32(w, 0);
    bytes_write_u64(w, zip->count);
    bytes_write_u64(w, zip->count);
    bytes_write_u64(w, zip->directory);
    bytes_write_u64(w, zip->data);
    bytes_write_u32(w, 0x07064B50);  // the locator
    bytes_write_u32(w, 0);
    bytes_write_u64(w, zip->data + zip->directory);
    bytes_write_u32(w, 1);
}

static void write_end(struct byte_writer *w, const struct zip_layout *zip) {
    bool more = needs_end64(zip);
    uint16_t count = more && zip->count >= MANY ? MANY : (uint16_t)zip->count;
    if (more) write_end64(w, zip);
    bytes_write_u32(w, 0x06054B50);
    bytes_write_u32(w, 0);
    bytes_write_u16(w, count);
    bytes_write_u16(w, count);
    bytes_write_u32(w, zip->directory >= large ? large : (uint32_t)zip->directory);
    bytes_write_u32(w, zip->data >= large ? large : (uint32_t)zip->data);
    bytes_write_u16(w, 0);
}

// The last entry whose start (local or central) is not behind `at`.
static size_t find(const struct zip_layout *zip, uint64_t at, bool central) {
    size_t low = 0, high = zip->count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        uint64_t start = central ? zip->entries[middle].central : zip->entries[middle].offset;
        if (start <= at) low = middle;
        else high = middle;
    }
    return low;
}

// What was written to the piece's room, without its first `skipped` bytes.
static int own_bytes(struct zip_piece *piece, const struct byte_writer *w, uint64_t skipped) {
    size_t written = (size_t)(w->at - piece->room);
    if (w->failed || skipped >= written) return VIRGA_INTERNAL;
    piece->bytes = piece->room + skipped;
    piece->count = written - skipped;
    return VIRGA_OK;
}

int zip_layout_piece(const struct zip_layout *zip, uint64_t at, struct zip_piece *piece) {
    struct byte_writer w = {.at = piece->room, .end = piece->room + sizeof piece->room};
    piece->bytes = NULL;
    if (at >= zip_layout_size(zip)) return VIRGA_NOT_FOUND;
    if (at >= zip->data + zip->directory) {
        write_end(&w, zip);
        return own_bytes(piece, &w, at - zip->data - zip->directory);
    }
    if (at >= zip->data) {
        const struct entry *e = &zip->entries[find(zip, at - zip->data, true)];
        write_central(&w, e);
        return own_bytes(piece, &w, at - zip->data - e->central);
    }
    piece->entry = find(zip, at, false);
    const struct entry *e = &zip->entries[piece->entry];
    uint64_t inside = at - e->offset, head = local_bytes(e);
    if (inside < head) {
        write_local(&w, e);
        return own_bytes(piece, &w, inside);
    }
    piece->from = inside - head;
    piece->count = e->size - piece->from;
    return VIRGA_OK;
}
