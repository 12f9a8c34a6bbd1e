// SPDX-License-Identifier: Apache-2.0
#include "source/source_of_engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"
#include "source/source_address.h"

static const uint64_t ENGINE_DEVICE = UINT64_MAX - 1;  // of identities that are no file's

int source_of_engine_init(struct source_of_engine *it, struct source_engine *engine, const char *address, uint64_t seed, struct failure *failure) {
    *it = (struct source_of_engine){.engine = engine, .address = source_address_absolute(address)};
    if (!it->address) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    if (strlen(it->address) > SOURCE_MAX_PATH) {
        source_of_engine_destroy(it);
        return failure_set(failure, VIRGA_INVALID, "the address is too long");
    }
    it->identity = (struct source_identity){.device = ENGINE_DEVICE, .inode = XXH3_64bits_withSeed(it->address, strlen(it->address), seed)};
    return VIRGA_OK;
}

void source_of_engine_destroy(struct source_of_engine *it) {
    free(it->address);
    it->address = NULL;
}

// ---- UM files ----

static uint64_t big_endian(const uint8_t *at, int bytes) {
    uint64_t value = 0;
    for (int i = 0; i < bytes; i++) value = value << 8 | at[i];
    return value;
}

// A PP file begins with a record of 256 bytes between its counts; a fields file with a header of 64-bit words: format version, submodel, …, kind.
static bool is_um(const uint8_t *head, size_t bytes) {
    if (bytes >= 264 && big_endian(head, 4) == 256 && big_endian(head + 260, 4) == 256) return true;
    if (bytes < 264) return false;
    uint64_t version = big_endian(head, 8), submodel = big_endian(head + 8, 8), kind = big_endian(head + 32, 8);
    return (version == 15 || version == 20) && submodel >= 1 && submodel <= 4 && kind >= 1 && kind <= 10;
}

static bool has_ending(const char *path, const char *ending) {
    size_t length = strlen(path), n = strlen(ending);
    return length > n && !strcasecmp(path + length - n, ending);
}

const char *source_of_engine_kind(const char *path, int fd) {
    uint8_t head[264];
    ssize_t got = pread(fd, head, sizeof head, 0);
    if (got < 0) return NULL;
    if (is_um(head, (size_t)got)) return "iris";
    if (got >= 4 && !memcmp(head, "PK\3\4", 4) && has_ending(path, ".zarr.zip")) return "zarr";
    bool known = got >= 8 && (!memcmp(head, "CDF", 3) || !memcmp(head, "\x89HDF\r\n\x1a\n", 8) || !memcmp(head, "GRIB", 4));
    return !known && (has_ending(path, ".pp") || has_ending(path, ".ff")) ? "iris" : NULL;
}

// ---- questions ----

// Asks, and once more where the engine ended under it. Decodes a failure of the engine's own.
static int ask(const struct source_of_engine *it, const struct source_engine_question *question, struct source_engine_answer *answer,
               struct failure *failure) {
    struct failure theirs;
    bool retire;
    int status = source_engine_ask(it->engine, question, answer, failure);
    if (status && answer->ended) status = source_engine_ask(it->engine, question, answer, failure);
    if (status || answer->kind != SOURCE_FAILURE) return status;
    status = source_decode_failure(answer->body, answer->bytes, &theirs, &retire);
    free(answer->body);
    answer->body = NULL;
    if (!status) return failure_set(failure, theirs.status, "%s", theirs.message);
    source_engine_distrust(it->engine);
    return failure_set(failure, VIRGA_GONE, "the engine broke its protocol and was ended; it is started again");
}

static int distrust(const struct source_of_engine *it, struct failure *failure) {
    source_engine_distrust(it->engine);
    return failure_set(failure, VIRGA_GONE, "the engine's answer makes no sense; it is ended and started again");
}

int source_of_engine_list(struct source_of_engine *it, size_t max_bytes, const atomic_bool *stop, struct arena *arena,
                          struct source_inventory *inventory, struct failure *failure) {
    struct source_engine_question question = {.request = source_engine_next_request(it->engine), .answer = SOURCE_INVENTORY, .max_body = max_bytes,
                                              .seconds = source_engine_options(it->engine)->open_seconds, .stops = {stop}};
    struct source_engine_answer answer;
    struct source_open *open = calloc(1, sizeof *open);
    if (!open) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    open->identity = it->identity;
    open->max_inventory_bytes = max_bytes;
    snprintf(open->path, sizeof open->path, "%s", it->address);
    int status = source_encode_open(question.request, open, &question.frame);
    free(open);
    if (status) return failure_set(failure, status, "out of memory");
    status = ask(it, &question, &answer, failure);
    source_frame_free(&question.frame);
    if (status) return status;
    status = source_decode_inventory(answer.body, answer.bytes, arena, inventory);
    if (status == VIRGA_NO_MEMORY) failure_set(failure, status, "its list of contents is too large");
    else if (status) status = distrust(it, failure);
    else it->identity.size = source_inventory_token(answer.body, answer.bytes);
    free(answer.body);
    inventory->index = NULL;  // a token of the edition: part of the identity now, and not kept
    inventory->index_bytes = 0;
    return status;
}

// A read under way.
struct reading {
    const struct source_of_engine *it;
    const struct source_slab_request *request;
    const struct source_slab_shape *shape;
    const atomic_bool *stop;
    struct slab_memory *memory;
    struct slab_receiver *receiver;  // NULL: pieces are not expected
    uint8_t token[SOURCE_TOKEN_BYTES];
    struct source_traffic traffic;
};

static struct slab_layout layout_of(const struct reading *r) {
    bool mean = r->request->reduction == REDUCE_MEAN;
    struct slab_layout layout = {.rank = r->request->rank, .arrays = mean ? 4 : 1, .each = source_type_size(r->shape->type)};
    memcpy(layout.count, r->shape->count, sizeof layout.count);
    return layout;
}

static void expect_pieces(struct reading *r) {
    struct slab_layout layout = layout_of(r);
    r->receiver = source_engine_receiver(r->it->engine);
    if (r->receiver && slab_receiver_expect(r->receiver, &layout, r->memory, r->token)) r->receiver = NULL;
}

static int encode_read(const struct reading *r, uint64_t request, struct source_frame *frame) {
    struct source_read_message *message = calloc(1, sizeof *message);
    if (!message) return VIRGA_NO_MEMORY;
    message->identity = r->it->identity;
    message->slab_bytes = r->shape->bytes;
    message->request = *r->request;
    if (r->receiver) memcpy(message->token, r->token, sizeof message->token);
    snprintf(message->path, sizeof message->path, "%s", r->it->address);
    int status = source_encode_read(request, message, frame);
    free(message);
    return status;
}

static int check_slab(struct reading *r, const struct source_engine_answer *answer, struct source_slab_answer *said, struct failure *failure) {
    const struct source_slab_shape *shape = r->shape;
    bool right = !source_decode_slab(answer->body, answer->bytes, said) && said->type == shape->type && said->elements == shape->elements &&
                 said->bytes == shape->bytes && (!said->delivered || r->receiver);
    if (!right) return distrust(r->it, failure);
    r->traffic.read = said->read;
    r->traffic.sent = said->sent;
    return VIRGA_OK;
}

// The pieces are over, whatever became of the request.
static int ask_for_slab(struct reading *r, struct failure *failure) {
    const struct source_of_engine *it = r->it;
    struct source_engine_question question = {.request = source_engine_next_request(it->engine), .answer = SOURCE_SLAB, .slab = r->memory,
                                              .max_body = SOURCE_MAX_REQUEST_BYTES, .seconds = source_engine_options(it->engine)->read_seconds,
                                              .stops = {r->stop, r->request->stop}};
    struct source_engine_answer answer = {0};
    struct source_slab_answer said = {0};
    bool complete = false;
    expect_pieces(r);
    int status = encode_read(r, question.request, &question.frame);
    status = status ? failure_set(failure, status, "out of memory") : ask(it, &question, &answer, failure);
    source_frame_free(&question.frame);
    if (r->receiver) slab_receiver_end(r->receiver, r->token, &complete, &r->traffic.received);
    if (!status) status = check_slab(r, &answer, &said, failure);
    free(answer.body);
    if (!status && said.delivered && !complete)
        return failure_set(failure, VIRGA_GONE, "the workers delivered only a part of it; try again, and see the engine's log");
    if (!status && !said.delivered) r->traffic.received += r->shape->bytes;
    return status;
}

static void log_read(const struct reading *r, const char *variable, double seconds) {
    char box[512] = "";
    size_t at = 0;
    for (int d = 0; d < r->request->rank && at < sizeof box - 80; d++)
        at += (size_t)snprintf(box + at, sizeof box - at, "%s%zu+%zu/%zu", d ? " " : "", r->request->start[d], r->request->count[d],
                               r->request->reduction == REDUCE_NONE ? (size_t)1 : r->request->block[d]);
    log_debug("engine", "%s %s [%s]: read %llu, sent %llu, received %llu bytes in %.1f ms", r->it->address, variable, box,
              (unsigned long long)r->traffic.read, (unsigned long long)r->traffic.sent, (unsigned long long)r->traffic.received, seconds * 1000);
}

int source_of_engine_read(const struct source_of_engine *it, const char *variable, const struct source_slab_request *request,
                          const struct source_slab_shape *shape, const atomic_bool *stop, struct source_slab *slab, struct failure *failure) {
    struct reading r = {.it = it, .request = request, .shape = shape, .stop = stop, .traffic = {.requests = 1}};
    double begun = clock_monotonic();
    int status = slab_memory_get(source_engine_slabs(it->engine), shape->bytes, &r.memory, failure);
    if (status) return status;
    status = ask_for_slab(&r, failure);
    source_engine_count(it->engine, &r.traffic);
    if (log_enabled(LOG_LEVEL_DEBUG) && !status) log_read(&r, variable, clock_monotonic() - begun);
    if (status) {
        slab_memory_unref(r.memory);
        return status;
    }
    *slab = (struct source_slab){.type = shape->type, .elements = shape->elements, .bytes = shape->bytes, .data = r.memory->at, .memory = r.memory};
    return VIRGA_OK;
}
