// SPDX-License-Identifier: Apache-2.0
#include "source/reader_classic.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>


enum { TAG_DIMENSIONS = 10, TAG_VARIABLES = 11, TAG_ATTRIBUTES = 12, BUFFER = 65536 };

struct header_reader {
    int fd;
    uint64_t at, end;  // in the file
    uint8_t buffer[BUFFER];
    uint64_t buffer_at;
    size_t buffer_bytes;
    int version;
    bool failed;
    const char *claim;  // what was claimed beyond what the file holds, once failed
    uint64_t *lengths;  // of dimensions; 0 is the unlimited one
    size_t dimension_count;
};

static void fail(struct header_reader *r, const char *claim) {
    if (!r->failed) r->claim = claim;
    r->failed = true;
}

static uint8_t get_byte(struct header_reader *r) {
    if (r->failed || r->at >= r->end) {
        fail(r, "a header that is longer than the file");
        return 0;
    }
    if (r->at < r->buffer_at || r->at >= r->buffer_at + r->buffer_bytes) {
        ssize_t n = pread(r->fd, r->buffer, BUFFER, (off_t)r->at);
        r->buffer_at = r->at;
        r->buffer_bytes = n > 0 ? (size_t)n : 0;
        if (n <= 0) {
            fail(r, "a header that cannot be read");
            return 0;
        }
    }
    return r->buffer[r->at++ - r->buffer_at];
}

static uint64_t get_number(struct header_reader *r, int bytes) {
    uint64_t v = 0;
    for (int i = 0; i < bytes; i++) v = v << 8 | get_byte(r);
    return v;
}

// Counts, lengths and sizes: 8 bytes in CDF-5, else 4.
static uint64_t get_size(struct header_reader *r) { return get_number(r, r->version == 5 ? 8 : 4); }

static void skip(struct header_reader *r, uint64_t bytes, const char *claim) {
    uint64_t padded = (bytes + 3) & ~(uint64_t)3;
    if (padded < bytes || padded > r->end - r->at) fail(r, claim);
    else r->at += padded;
}

// A list's count, of things that take at least `each` bytes.
static uint64_t get_list(struct header_reader *r, uint64_t tag, uint64_t each, const char *claim) {
    uint64_t found = get_number(r, 4), n = get_size(r);
    if (r->failed || (found != tag && (found || n))) {
        fail(r, "a list that is none");
        return 0;
    }
    if (n > (r->end - r->at) / each) {
        fail(r, claim);
        return 0;
    }
    return n;
}

static uint64_t external_bytes(uint64_t type) {
    static const uint8_t bytes[] = {0, 1, 1, 2, 4, 4, 8, 1, 2, 4, 8, 8};
    return type < sizeof bytes ? bytes[type] : 0;
}

static void skip_attributes(struct header_reader *r) {
    uint64_t n = get_list(r, TAG_ATTRIBUTES, 12, "more attributes than the file can hold");
    for (uint64_t i = 0; i < n && !r->failed; i++) {
        skip(r, get_size(r), "a name longer than the file");
        uint64_t each = external_bytes(get_number(r, 4)), count = get_size(r);
        if (!each) fail(r, "an attribute of no known type");
        else if (count > (r->end - r->at) / each) fail(r, "an attribute longer than the file");
        else skip(r, count * each, "an attribute longer than the file");
    }
}

static void read_dimensions(struct header_reader *r) {
    uint64_t n = get_list(r, TAG_DIMENSIONS, 8, "more dimensions than the file can hold");
    r->lengths = calloc(n + 1, sizeof *r->lengths);
    if (!r->lengths) fail(r, "more dimensions than fit into memory");
    for (uint64_t i = 0; i < n && !r->failed; i++) {
        skip(r, get_size(r), "a name longer than the file");
        r->lengths[i] = get_size(r);
    }
    r->dimension_count = r->failed ? 0 : n;
}

// Reads one variable; *bytes is what it (or one record of it) takes.
static void read_variable(struct header_reader *r, struct reader_classic_variable *v, uint64_t *bytes) {
    skip(r, get_size(r), "a name longer than the file");
    uint64_t rank = get_size(r), points = 1;
    if (rank > (r->end - r->at) / 4) fail(r, "more dimensions of a variable than the file can hold");
    for (uint64_t d = 0; d < rank && !r->failed; d++) {
        uint64_t id = get_size(r);
        if (id >= r->dimension_count) {
            fail(r, "a dimension that is not there");
            break;
        }
        if (d == 0 && r->lengths[id] == 0) v->record = true;
        else if (__builtin_mul_overflow(points, r->lengths[id], &points)) fail(r, "a variable of more than 2^64 values");
    }
    skip_attributes(r);
    uint64_t each = external_bytes(get_number(r, 4));
    if (!each) fail(r, "a variable of no known type");
    get_size(r);  // its size once more, often wrong where it is large
    v->begin = get_number(r, r->version == 1 ? 4 : 8);
    if (__builtin_mul_overflow(points, each, bytes)) fail(r, "a variable of more than 2^64 bytes");
}

static void read_variables(struct header_reader *r, struct reader_classic *header) {
    uint64_t n = get_list(r, TAG_VARIABLES, 24, "more variables than the file can hold"), bytes = 0, sum = 0, records = 0;
    header->variables = calloc(n + 1, sizeof *header->variables);
    if (!header->variables) fail(r, "more variables than fit into memory");
    for (uint64_t i = 0; i < n && !r->failed; i++) {
        read_variable(r, &header->variables[i], &bytes);
        if (!header->variables[i].record || r->failed) continue;
        records++;
        uint64_t padded = bytes > UINT64_MAX - 3 ? bytes : (bytes + 3) & ~(uint64_t)3;
        if (__builtin_add_overflow(sum, padded, &sum)) fail(r, "records of more than 2^64 bytes");
        header->record_bytes = bytes;
    }
    if (records != 1) header->record_bytes = sum;  // one record variable alone is not padded
    header->variable_count = r->failed ? 0 : n;
}

int reader_classic_open(int fd, struct reader_classic *header, struct failure *failure) {
    struct stat s;
    *header = (struct reader_classic){0};
    struct header_reader *r = calloc(1, sizeof *r);
    if (!r || fstat(fd, &s)) {
        free(r);
        return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    }
    r->fd = fd;
    r->end = header->file_bytes = (uint64_t)s.st_size;
    bool classic = get_byte(r) == 'C' && get_byte(r) == 'D' && get_byte(r) == 'F';
    r->version = get_byte(r);
    int status = VIRGA_OK;
    if (classic && (r->version == 1 || r->version == 2 || r->version == 5)) {
        get_size(r);  // records
        read_dimensions(r);
        skip_attributes(r);
        read_variables(r, header);
        if (r->failed)
            status = failure_set(failure, VIRGA_UNREADABLE, "the file is truncated or malformed: its header claims %s", r->claim);
    }
    free(r->lengths);
    free(r);
    if (status) reader_classic_close(header);
    return status;
}

void reader_classic_close(struct reader_classic *header) {
    free(header->variables);
    *header = (struct reader_classic){0};
}

bool reader_classic_holds(const struct reader_classic *header, size_t variable, int rank, const size_t *lengths,
                          const size_t *start, const size_t *count, size_t type_bytes) {
    if (!header->variables) return true;
    if (variable >= header->variable_count) return false;
    const struct reader_classic_variable *v = &header->variables[variable];
    uint64_t index = 0, end = v->begin, part;
    for (int d = v->record ? 1 : 0; d < rank; d++) {
        if (__builtin_mul_overflow(index, lengths[d], &index)) return false;
        if (__builtin_add_overflow(index, start[d] + count[d] - 1, &index)) return false;
    }
    if (__builtin_mul_overflow(index, type_bytes, &part) || __builtin_add_overflow(end, part, &end)) return false;
    if (v->record && (__builtin_mul_overflow(header->record_bytes, start[0] + count[0] - 1, &part) ||
                      __builtin_add_overflow(end, part, &end)))
        return false;
    return !__builtin_add_overflow(end, type_bytes, &end) && end <= header->file_bytes;
}
