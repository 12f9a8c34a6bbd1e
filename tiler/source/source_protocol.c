// SPDX-License-Identifier: Apache-2.0
#include "source/source_protocol.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/bytes.h"
#include "base/memory.h"
#include "base/utf8.h"

enum { MAX_TEXT = 1 << 20, FIRST_ROOM = 4096 };

// A body that grows as it is written, up to a limit.
struct body_writer {
    uint8_t *data;
    size_t size, room, limit;
    int status;
};

static uint8_t *body_room(struct body_writer *w, size_t n) {
    if (w->status) return NULL;
    if (n > w->limit || w->size > w->limit - n) {
        w->status = VIRGA_TOO_LARGE;
        return NULL;
    }
    if (w->room - w->size < n) {
        size_t room = w->room ? w->room : FIRST_ROOM;
        while (room - w->size < n) room *= 2;
        uint8_t *data = realloc(w->data, room);
        if (!data) {
            w->status = VIRGA_NO_MEMORY;
            return NULL;
        }
        w->data = data;
        w->room = room;
    }
    w->size += n;
    return w->data + w->size - n;
}

static void put(struct body_writer *w, uint64_t v, size_t n) {
    uint8_t *p = body_room(w, n);
    for (size_t i = 0; p && i < n; i++) p[i] = (uint8_t)(v >> (8 * i));
}

static void put_f64(struct body_writer *w, double v) {
    uint64_t u;
    memcpy(&u, &v, sizeof u);
    put(w, u, 8);
}

static void put_bytes(struct body_writer *w, const void *bytes, size_t n) {
    uint8_t *p = body_room(w, n);
    if (p && n) memcpy(p, bytes, n);
}

static void put_text(struct body_writer *w, const char *text) {
    size_t n = text ? strlen(text) : 0;
    put(w, n, 4);
    put_bytes(w, text, n);
}

static struct body_writer frame_start(size_t limit) {
    struct body_writer w = {.limit = limit + SOURCE_HEADER_BYTES};
    body_room(&w, SOURCE_HEADER_BYTES);
    return w;
}

static void write_header(uint8_t *out, size_t body, enum source_message_kind kind, uint64_t request) {
    uint8_t bytes[SOURCE_HEADER_BYTES];
    struct byte_writer header = {.at = bytes, .end = bytes + sizeof bytes};
    bytes_write_u32(&header, (uint32_t)body);
    bytes_write_u16(&header, SOURCE_PROTOCOL_VERSION);
    bytes_write_u16(&header, (uint16_t)kind);
    bytes_write_u64(&header, request);
    memcpy(out, bytes, sizeof bytes);
}

static int frame_end(struct body_writer *w, enum source_message_kind kind, uint64_t request, struct source_frame *frame) {
    *frame = (struct source_frame){0};
    if (!w->status && w->size - SOURCE_HEADER_BYTES > UINT32_MAX) w->status = VIRGA_TOO_LARGE;
    if (w->status) {
        free(w->data);
        return w->status;
    }
    write_header(w->data, w->size - SOURCE_HEADER_BYTES, kind, request);
    *frame = (struct source_frame){.data = w->data, .size = w->size};
    return VIRGA_OK;
}

void source_frame_free(struct source_frame *frame) {
    free(frame->data);
    *frame = (struct source_frame){0};
}

int source_decode_header(const uint8_t bytes[SOURCE_HEADER_BYTES], struct source_header *header) {
    struct byte_reader r = {.at = bytes, .end = bytes + SOURCE_HEADER_BYTES};
    header->body_bytes = bytes_read_u32(&r);
    uint16_t version = bytes_read_u16(&r), kind = bytes_read_u16(&r);
    header->request = bytes_read_u64(&r);
    if (version != SOURCE_PROTOCOL_VERSION || kind < SOURCE_HELLO || kind > SOURCE_CLUSTER) return VIRGA_INVALID;
    header->kind = (enum source_message_kind)kind;
    return VIRGA_OK;
}

// Every decoder ends here: nothing missing, nothing left over.
static int decoded(const struct byte_reader *r) { return r->failed || r->at != r->end ? VIRGA_INVALID : VIRGA_OK; }

// A count of things that take at least `each` bytes: more than the body can hold is refused before anything is allocated.
static size_t get_count(struct byte_reader *r, size_t each) {
    size_t n = bytes_read_u32(r);
    if (r->failed || n > (size_t)(r->end - r->at) / each) {
        r->failed = true;
        return 0;
    }
    return n;
}

static const char *get_text_bytes(struct byte_reader *r, size_t most, size_t *length) {
    *length = get_count(r, 1);
    const char *text = (const char *)bytes_take(r, *length);
    if (!text || *length > most || memchr(text, '\0', *length)) {
        r->failed = true;
        return NULL;
    }
    return text;
}

static void get_text_into(struct byte_reader *r, char *out, size_t room) {
    size_t n;
    const char *text = get_text_bytes(r, room - 1, &n);
    if (text) memcpy(out, text, n);
    out[text ? n : 0] = '\0';
}

static void put_identity(struct body_writer *w, const struct source_identity *identity) {
    put(w, identity->device, 8);
    put(w, identity->inode, 8);
    put(w, identity->size, 8);
    put(w, (uint64_t)identity->mtime_ns, 8);
}

static struct source_identity get_identity(struct byte_reader *r) {
    struct source_identity identity = {.device = bytes_read_u64(r), 0};
    identity.inode = bytes_read_u64(r);
    identity.size = bytes_read_u64(r);
    identity.mtime_ns = (int64_t)bytes_read_u64(r);
    return identity;
}

bool source_identity_equal(const struct source_identity *a, const struct source_identity *b) {
    return a->device == b->device && a->inode == b->inode && a->size == b->size && a->mtime_ns == b->mtime_ns;
}

int source_encode_hello(const struct source_hello *hello, struct source_frame *frame) {
    struct body_writer w = frame_start(SOURCE_MAX_REQUEST_BYTES);
    put_text(&w, hello->name);
    put(&w, hello->landlock, 1);
    return frame_end(&w, SOURCE_HELLO, 0, frame);
}

int source_decode_hello(const uint8_t *body, size_t bytes, struct source_hello *hello) {
    struct byte_reader r = {.at = body, .end = body + bytes};
    get_text_into(&r, hello->name, sizeof hello->name);
    hello->landlock = bytes_read_u8(&r) != 0;
    return decoded(&r);
}

int source_encode_open(uint64_t request, const struct source_open *open, struct source_frame *frame) {
    struct body_writer w = frame_start(SOURCE_MAX_REQUEST_BYTES);
    put_identity(&w, &open->identity);
    put(&w, open->max_inventory_bytes, 8);
    put_text(&w, open->path);
    return frame_end(&w, SOURCE_OPEN, request, frame);
}

int source_decode_open(const uint8_t *body, size_t bytes, struct source_open *open) {
    struct byte_reader r = {.at = body, .end = body + bytes};
    open->identity = get_identity(&r);
    open->max_inventory_bytes = bytes_read_u64(&r);
    get_text_into(&r, open->path, sizeof open->path);
    return decoded(&r);
}

int source_encode_read(uint64_t request, const struct source_read_message *read, struct source_frame *frame) {
    const struct source_slab_request *q = &read->request;
    struct body_writer w = frame_start(SOURCE_MAX_REQUEST_BYTES);
    put_identity(&w, &read->identity);
    put(&w, read->slab_bytes, 8);
    put(&w, q->variable, 4);
    put(&w, (uint64_t)q->rank, 1);
    put(&w, q->reduction, 1);
    put(&w, (uint64_t)q->missing_count, 1);
    put(&w, 0, 1);
    for (int d = 0; d < q->rank; d++) {
        put(&w, q->start[d] - q->lead[d], 8);  // below 0 where points are lacking
        put(&w, q->count[d] + q->lead[d], 8);
        put(&w, q->reduction == REDUCE_NONE ? 1 : q->block[d], 8);
    }
    for (int i = 0; i < q->missing_count; i++) put_f64(&w, q->missing[i]);
    put_f64(&w, q->scale);
    put_f64(&w, q->offset);
    put_bytes(&w, read->token, sizeof read->token);
    put_text(&w, read->path);
    return frame_end(&w, SOURCE_READ, request, frame);
}

int source_decode_read(const uint8_t *body, size_t bytes, struct source_read_message *read) {
    struct byte_reader r = {.at = body, .end = body + bytes};
    struct source_slab_request *q = &read->request;
    memset(q, 0, sizeof *q);
    read->identity = get_identity(&r);
    read->slab_bytes = bytes_read_u64(&r);
    q->variable = bytes_read_u32(&r);
    q->rank = bytes_read_u8(&r);
    uint8_t reduction = bytes_read_u8(&r);
    q->missing_count = bytes_read_u8(&r);
    if (bytes_read_u8(&r) || q->rank > SOURCE_MAX_RANK || reduction > REDUCE_MEAN || q->missing_count > SOURCE_MAX_MISSING)
        return VIRGA_INVALID;
    q->reduction = (enum source_reduction)reduction;
    for (int d = 0; d < q->rank; d++) {
        q->start[d] = bytes_read_u64(&r);
        q->count[d] = bytes_read_u64(&r);
        q->block[d] = bytes_read_u64(&r);
        if (q->start[d] <= INT64_MAX) continue;
        q->lead[d] = -q->start[d];
        q->start[d] = 0;
        if (q->count[d] <= q->lead[d]) return VIRGA_INVALID;
        q->count[d] -= q->lead[d];
    }
    for (int i = 0; i < q->missing_count; i++) q->missing[i] = bytes_read_f64(&r);
    q->scale = bytes_read_f64(&r);
    q->offset = bytes_read_f64(&r);
    const uint8_t *token = bytes_take(&r, sizeof read->token);
    if (token) memcpy(read->token, token, sizeof read->token);
    get_text_into(&r, read->path, sizeof read->path);
    return decoded(&r);
}

int source_encode_slab(uint64_t request, const struct source_slab_answer *slab, struct source_frame *frame) {
    struct body_writer w = frame_start(SOURCE_MAX_REQUEST_BYTES);
    put(&w, slab->type, 1);
    put(&w, slab->elements, 8);
    put(&w, slab->bytes, 8);
    put(&w, slab->read, 8);
    put(&w, slab->sent, 8);
    put(&w, slab->delivered, 1);
    return frame_end(&w, SOURCE_SLAB, request, frame);
}

static enum source_type get_type(struct byte_reader *r) {
    uint8_t type = bytes_read_u8(r);
    if (type > SOURCE_OTHER) r->failed = true;
    return type > SOURCE_OTHER ? SOURCE_OTHER : (enum source_type)type;
}

int source_decode_slab(const uint8_t *body, size_t bytes, struct source_slab_answer *slab) {
    struct byte_reader r = {.at = body, .end = body + bytes};
    slab->type = get_type(&r);
    slab->elements = bytes_read_u64(&r);
    slab->bytes = bytes_read_u64(&r);
    slab->read = bytes_read_u64(&r);
    slab->sent = bytes_read_u64(&r);
    uint8_t delivered = bytes_read_u8(&r);
    slab->delivered = delivered != 0;
    return delivered > 1 ? VIRGA_INVALID : decoded(&r);
}

int source_encode_failure(uint64_t request, const struct failure *failure, bool retire, struct source_frame *frame) {
    struct body_writer w = frame_start(SOURCE_MAX_REQUEST_BYTES);
    put(&w, (uint32_t)failure->status, 4);
    put(&w, retire, 1);
    put_text(&w, failure->message);
    return frame_end(&w, SOURCE_FAILURE, request, frame);
}

int source_decode_failure(const uint8_t *body, size_t bytes, struct failure *failure, bool *retire) {
    struct byte_reader r = {.at = body, .end = body + bytes};
    char message[sizeof failure->message] = "";
    size_t length;
    int status = bytes_read_i32(&r);
    *retire = bytes_read_u8(&r) != 0;
    const char *text = get_text_bytes(&r, SOURCE_MAX_REQUEST_BYTES, &length);
    if (text) memcpy(message, text, length < sizeof message ? length : sizeof message - 1);
    utf8_repair(message);  // it may be cut within a character
    if (decoded(&r)) return VIRGA_INVALID;
    if (status >= VIRGA_AGAIN || status < VIRGA_CHANGED) status = VIRGA_INTERNAL;
    failure_set(failure, status, "%s", message);
    return VIRGA_OK;
}

int source_encode_grant(uint64_t request, int status, struct source_frame *frame) {
    struct body_writer w = frame_start(SOURCE_MAX_REQUEST_BYTES);
    put(&w, (uint32_t)status, 4);
    return frame_end(&w, SOURCE_GRANT, request, frame);
}

int source_decode_grant(const uint8_t *body, size_t bytes, int *answer) {
    struct byte_reader r = {.at = body, .end = body + bytes};
    *answer = bytes_read_i32(&r);
    return *answer > VIRGA_OK ? VIRGA_INVALID : decoded(&r);
}

int source_encode_cancel(uint64_t request, struct source_frame *frame) {
    struct body_writer w = frame_start(0);
    return frame_end(&w, SOURCE_CANCEL, request, frame);
}

int source_encode_state(const char *json, struct source_frame *frame) {
    struct body_writer w = frame_start(SOURCE_MAX_STATE_BYTES + 4);
    put_text(&w, json);
    return frame_end(&w, SOURCE_STATE, 0, frame);
}

int source_decode_state(const uint8_t *body, size_t bytes, char json[SOURCE_MAX_STATE_BYTES + 1]) {
    struct byte_reader r = {.at = body, .end = body + bytes};
    get_text_into(&r, json, SOURCE_MAX_STATE_BYTES + 1);
    utf8_repair(json);
    return decoded(&r);
}

int source_encode_cluster(bool start, struct source_frame *frame) {
    struct body_writer w = frame_start(1);
    put(&w, start, 1);
    return frame_end(&w, SOURCE_CLUSTER, 0, frame);
}

int source_decode_cluster(const uint8_t *body, size_t bytes, bool *start) {
    struct byte_reader r = {.at = body, .end = body + bytes};
    uint8_t action = bytes_read_u8(&r);
    *start = action != 0;
    return action > 1 ? VIRGA_INVALID : decoded(&r);
}

size_t source_write_want(uint64_t request, enum source_space space, const char *path,
                         uint8_t out[SOURCE_HEADER_BYTES + SOURCE_MAX_WANT_BYTES]) {
    size_t length = strlen(path);
    if (length > SOURCE_MAX_PATH) return 0;
    struct byte_writer w = {.at = out + SOURCE_HEADER_BYTES, .end = out + SOURCE_HEADER_BYTES + SOURCE_MAX_WANT_BYTES};
    write_header(out, 5 + length, SOURCE_WANT, request);
    bytes_write_u8(&w, (uint8_t)space);
    bytes_write_u32(&w, (uint32_t)length);
    bytes_write(&w, path, length);
    return (size_t)(w.at - out);
}

int source_decode_want(const uint8_t *body, size_t bytes, struct source_want *want) {
    struct byte_reader r = {.at = body, .end = body + bytes};
    uint8_t space = bytes_read_u8(&r);
    get_text_into(&r, want->path, sizeof want->path);
    if (space < SOURCE_LIBRARY || space >= SOURCE_SPACES) return VIRGA_INVALID;
    want->space = (enum source_space)space;
    return decoded(&r);
}

bool source_type_is_integer(enum source_type type) { return type <= SOURCE_U64; }

static void put_attributes(struct body_writer *w, const struct source_attribute *list, size_t count) {
    put(w, count, 4);
    for (const struct source_attribute *a = list; a < list + count; a++) {
        put_text(w, a->name);
        put(w, a->type, 1);
        if (a->text) {
            put_text(w, a->text);
            continue;
        }
        put(w, a->count, 4);
        for (size_t i = 0; i < a->count; i++) {
            if (a->integers) put(w, (uint64_t)a->integers[i], 8);
            else put_f64(w, a->numbers[i]);
        }
    }
}

static void put_variable(struct body_writer *w, const struct source_variable *v) {
    put_text(w, v->name);
    put(w, v->type, 1);
    put(w, (uint64_t)v->rank, 1);
    put(w, (v->chunked ? 1u : 0u) | (v->has_netcdf_fill ? 2u : 0u), 1);
    for (int d = 0; d < v->rank; d++) put(w, v->dimensions[d], 4);
    for (int d = 0; d < v->rank; d++) put(w, v->chunk[d], 8);
    put_f64(w, v->netcdf_fill);
    put_attributes(w, v->attributes, v->attribute_count);
}

int source_encode_inventory(uint64_t request, const struct source_inventory *inventory, size_t max_body,
                            struct source_frame *frame) {
    struct body_writer w = frame_start(max_body);
    put_text(&w, inventory->format);
    put(&w, inventory->dimension_count, 4);
    for (size_t i = 0; i < inventory->dimension_count; i++) {
        put_text(&w, inventory->dimensions[i].name);
        put(&w, inventory->dimensions[i].length, 8);
        put(&w, inventory->dimensions[i].unlimited, 1);
    }
    put(&w, inventory->variable_count, 4);
    for (size_t i = 0; i < inventory->variable_count; i++) put_variable(&w, &inventory->variables[i]);
    put_attributes(&w, inventory->attributes, inventory->attribute_count);
    put(&w, inventory->note_count, 4);
    for (size_t i = 0; i < inventory->note_count; i++) put_text(&w, inventory->notes[i]);
    put(&w, inventory->index_bytes, 4);
    put_bytes(&w, inventory->index, inventory->index_bytes);
    return frame_end(&w, SOURCE_INVENTORY, request, frame);
}

// What decoding an inventory needs at hand; out_of_memory tells a full arena from a malformed body.
struct inventory_reader {
    struct byte_reader bytes;
    struct arena *arena;
    bool out_of_memory;
};

static void *get_room(struct inventory_reader *r, size_t count, size_t size) {
    void *room = r->bytes.failed ? NULL : arena_new(r->arena, count, size);
    if (!room && !r->bytes.failed) r->bytes.failed = r->out_of_memory = true;
    return room;
}

static char *get_text(struct inventory_reader *r, size_t most, size_t *length) {
    const char *text = get_text_bytes(&r->bytes, most, length);
    char *copy = get_room(r, text ? *length + 1 : 1, 1);
    if (copy && text) memcpy(copy, text, *length);
    if (copy) utf8_repair(copy);  // whoever shows it may rely on it
    return copy;
}

static void get_numbers(struct inventory_reader *r, struct source_attribute *a) {
    a->count = get_count(&r->bytes, 8);
    a->numbers = get_room(r, a->count, sizeof *a->numbers);
    if (source_type_is_integer(a->type)) a->integers = get_room(r, a->count, sizeof *a->integers);
    for (size_t i = 0; i < a->count && !r->bytes.failed; i++) {
        if (!a->integers) {
            a->numbers[i] = bytes_read_f64(&r->bytes);
            continue;
        }
        a->integers[i] = (int64_t)bytes_read_u64(&r->bytes);
        a->numbers[i] = a->type == SOURCE_U64 ? (double)(uint64_t)a->integers[i] : (double)a->integers[i];
    }
}

static struct source_attribute *get_attributes(struct inventory_reader *r, size_t *count) {
    size_t length, n = get_count(&r->bytes, 9);
    struct source_attribute *list = get_room(r, n, sizeof *list);
    for (size_t i = 0; i < n && !r->bytes.failed; i++) {
        struct source_attribute *a = &list[i];
        a->name = get_text(r, SOURCE_MAX_NAME * 4, &length);
        a->type = get_type(&r->bytes);
        if (a->type == SOURCE_OTHER) r->bytes.failed = true;
        else if (a->type >= SOURCE_CHAR) a->text = get_text(r, MAX_TEXT, &a->count);
        else get_numbers(r, a);
    }
    *count = r->bytes.failed ? 0 : n;
    return list;
}

static void get_variable(struct inventory_reader *r, size_t dimension_count, struct source_variable *v) {
    size_t length;
    v->name = get_text(r, SOURCE_MAX_NAME * 16, &length);
    v->type = get_type(&r->bytes);
    v->rank = bytes_read_u8(&r->bytes);
    uint8_t flags = bytes_read_u8(&r->bytes);
    if (v->rank > SOURCE_MAX_RANK || flags > 3) r->bytes.failed = true;
    if (r->bytes.failed) return;
    v->chunked = flags & 1;
    v->has_netcdf_fill = flags & 2;
    for (int d = 0; d < v->rank; d++) {
        v->dimensions[d] = bytes_read_u32(&r->bytes);
        if (v->dimensions[d] >= dimension_count) r->bytes.failed = true;
    }
    for (int d = 0; d < v->rank; d++) v->chunk[d] = bytes_read_u64(&r->bytes);
    v->netcdf_fill = bytes_read_f64(&r->bytes);
    v->attributes = get_attributes(r, &v->attribute_count);
}

static void get_dimensions(struct inventory_reader *r, struct source_inventory *inventory) {
    size_t length, n = get_count(&r->bytes, 13);
    inventory->dimensions = get_room(r, n, sizeof *inventory->dimensions);
    for (size_t i = 0; i < n && !r->bytes.failed; i++) {
        struct source_dimension *d = &inventory->dimensions[i];
        d->name = get_text(r, SOURCE_MAX_NAME * 16, &length);
        d->length = bytes_read_u64(&r->bytes);
        d->unlimited = bytes_read_u8(&r->bytes) != 0;
    }
    inventory->dimension_count = r->bytes.failed ? 0 : n;
}

int source_decode_inventory(const uint8_t *body, size_t bytes, struct arena *arena, struct source_inventory *inventory) {
    struct inventory_reader r = {.bytes = {.at = body, .end = body + bytes}, .arena = arena};
    size_t length, n;
    memset(inventory, 0, sizeof *inventory);
    inventory->format = get_text(&r, 256, &length);
    get_dimensions(&r, inventory);
    n = get_count(&r.bytes, 19);
    inventory->variables = get_room(&r, n, sizeof *inventory->variables);
    for (size_t i = 0; i < n && !r.bytes.failed; i++)
        get_variable(&r, inventory->dimension_count, &inventory->variables[i]);
    inventory->variable_count = n;
    inventory->attributes = get_attributes(&r, &inventory->attribute_count);
    n = get_count(&r.bytes, 4);
    inventory->notes = get_room(&r, n, sizeof *inventory->notes);
    for (size_t i = 0; i < n && !r.bytes.failed; i++) inventory->notes[i] = get_text(&r, MAX_TEXT, &length);
    inventory->note_count = n;
    inventory->index_bytes = get_count(&r.bytes, 1);
    inventory->index = bytes_take(&r.bytes, inventory->index_bytes);
    int status = decoded(&r.bytes);
    if (status) memset(inventory, 0, sizeof *inventory);
    return status && r.out_of_memory ? VIRGA_NO_MEMORY : status;
}

int source_slab_shape(const struct source_slab_request *request, enum source_type type, int rank, const size_t *lengths,
                      size_t max_bytes, struct source_slab_shape *shape, struct failure *failure) {
    bool mean = request->reduction == REDUCE_MEAN;
    *shape = (struct source_slab_shape){.type = mean ? SOURCE_F64 : type, .elements = 1};
    if (!source_type_size(type)) return failure_set(failure, VIRGA_UNSUPPORTED, "numbers of this type cannot be read");
    if (mean && type == SOURCE_CHAR) return failure_set(failure, VIRGA_UNSUPPORTED, "text has no mean");
    if (request->rank != rank || request->missing_count < 0 || request->missing_count > SOURCE_MAX_MISSING)
        return failure_set(failure, VIRGA_INVALID, "a slab of %d dimensions was asked of %d", request->rank, rank);
    bool fits = true;
    for (int d = 0; d < rank; d++) {
        size_t start = request->start[d], count = request->count[d], lead = request->lead[d];
        size_t block = request->reduction == REDUCE_NONE ? 1 : request->block[d];
        if (lead && (!mean || start || lead >= block)) return failure_set(failure, VIRGA_INVALID, "a slab begins %zu points before the first", lead);
        if (!count || !block || count > lengths[d] || start > lengths[d] - count)
            return failure_set(failure, VIRGA_INVALID, "a slab from %zu of %zu points in blocks of %zu is not within %zu points",
                               start, count, block, lengths[d]);
        if (memory_add(count - 1, lead, &count)) return failure_set(failure, VIRGA_INVALID, "a slab of too many points");
        shape->count[d] = count / block + 1;
        fits = fits && !memory_multiply(shape->elements, shape->count[d], &shape->elements);
    }
    size_t each = mean ? 4 * sizeof(double) : source_type_size(type);
    fits = fits && !memory_multiply(shape->elements, each, &shape->bytes) && shape->bytes <= max_bytes;
    if (!fits) return failure_set(failure, VIRGA_TOO_LARGE, "a slab of more than %zu bytes was asked for", max_bytes);
    return VIRGA_OK;
}

uint64_t source_inventory_token(const uint8_t *body, size_t bytes) {
    uint64_t token = XXH3_64bits(body, bytes);
    return token ? token : 1;  // 0 stands for none
}
