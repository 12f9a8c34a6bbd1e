// SPDX-License-Identifier: Apache-2.0
#include "source/reader_dap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/memory.h"

enum { PIECE_BYTES = 8 << 20, MAX_INVENTORY = 64 << 20 };

int reader_dap_prepare(void) {
    // Nobody listens at the proxy's address: confine.c answers the connection. Names are looked up by the proxy, not here.
    static const char *const names[] = {"http_proxy", "https_proxy", "all_proxy"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (setenv(names[i], "http://127.0.0.1:1", 1)) return VIRGA_NO_MEMORY;
    if (setenv("NCRCENV_IGNORE", "1", 1) || setenv("HOME", "/nonexistent", 1) || chdir("/")) return VIRGA_IO;
    return VIRGA_OK;
}

static int dap_list(void *file, struct arena *arena, struct source_inventory *inventory, struct failure *failure) {
    static char format[] = "OPeNDAP";
    int status = reader_netcdf.list(file, arena, inventory, failure);
    if (!status) inventory->format = format;
    return status;
}

// Whether the dataset is what the server has seen: by the same bytes that it got.
static int check_token(void *file, uint64_t token, struct failure *failure) {
    struct arena arena = {.limit = (size_t)MAX_INVENTORY * 4};
    struct source_inventory inventory;
    struct source_frame frame = {0};
    int status = dap_list(file, &arena, &inventory, failure);
    if (!status && source_encode_inventory(0, &inventory, MAX_INVENTORY, &frame))
        status = failure_set(failure, VIRGA_TOO_LARGE, "out of memory");
    if (!status && source_inventory_token(frame.data + SOURCE_HEADER_BYTES, frame.size - SOURCE_HEADER_BYTES) != token)
        status = failure_set(failure, VIRGA_CHANGED, "the dataset changed since it was opened; start again to see it as it is now");
    source_frame_free(&frame);
    arena_destroy(&arena);
    return status;
}

// Where the attributes (DAS) cannot be read, netCDF-C goes on without any, and numbers would be taken as they are stored.
static int check_attributes(void *file, struct failure *failure) {
    struct arena arena = {.limit = (size_t)MAX_INVENTORY * 4};
    struct source_inventory inventory;
    int status = reader_netcdf.list(file, &arena, &inventory, failure);
    size_t count = status ? 1 : inventory.attribute_count;
    for (size_t n = 0; !status && n < inventory.variable_count; n++) count += inventory.variables[n].attribute_count;
    if (!count) status = failure_set(failure, VIRGA_UNREADABLE,
                                     "the server's list of attributes (DAS) cannot be read, or is empty");
    arena_destroy(&arena);
    return status;
}

int reader_dap_open(const char *address, uint64_t token, size_t memory, void **file, struct failure *failure) {
    char name[SOURCE_MAX_PATH + 32];
    const char *rest = strstr(address, "://");
    // DAP2 always: otherwise the library guesses the protocol, by asking for more than it needs.
    int n = snprintf(name, sizeof name, "%s%s#mode=dap2", strncasecmp(address, "https", 5) ? "http" : "https", rest ? rest : "");
    *file = NULL;
    if (!rest || n < 0 || (size_t)n >= sizeof name) return failure_set(failure, VIRGA_INVALID, "this is no address");
    int status = reader_netcdf_open_name(name, memory, file, failure);
    if (!status) status = check_attributes(*file, failure);
    if (!status && token) status = check_token(*file, token, failure);
    if (status && *file) {
        reader_netcdf.close(*file);
        *file = NULL;
    }
    return status;
}

// The library holds each answer whole, so that large ones are asked for in pieces: of as many points along the slowest
// dimension as fit, or, where one is too much, of those along the next. `each`: bytes of one number.
static int read_pieces(void *file, const struct source_slab_request *request, int dimension, size_t each, uint8_t *out,
                       struct source_slab_shape *shape, struct failure *failure) {
    struct source_slab_request piece = *request;
    size_t inner = each, count = request->count[dimension];
    for (int d = dimension + 1; d < request->rank; d++) inner *= request->count[d];  // no larger than the slab
    size_t step = inner >= PIECE_BYTES ? 1 : PIECE_BYTES / inner;
    for (size_t at = 0; at < count; at += step) {
        piece.start[dimension] = request->start[dimension] + at;
        piece.count[dimension] = count - at < step ? count - at : step;
        bool deeper = inner > PIECE_BYTES && dimension + 1 < request->rank;
        int status = deeper ? read_pieces(file, &piece, dimension + 1, each, out + at * inner, shape, failure) :
                              reader_netcdf.read(file, &piece, out + at * inner, piece.count[dimension] * inner, shape, failure);
        if (status) return status;
    }
    return VIRGA_OK;
}

static int dap_read(void *file, const struct source_slab_request *request, void *out, size_t bytes,
                    struct source_slab_shape *shape, struct failure *failure) {
    size_t elements = 1;
    for (int d = 0; d < request->rank; d++)
        if (memory_multiply(elements, request->count[d], &elements))
            return failure_set(failure, VIRGA_TOO_LARGE, "the slab is too large");
    if (request->reduction != REDUCE_NONE || bytes <= PIECE_BYTES || request->rank == 0 || !elements || bytes % elements)
        return reader_netcdf.read(file, request, out, bytes, shape, failure);
    int status = read_pieces(file, request, 0, bytes / elements, out, shape, failure);
    if (status) return status;
    shape->elements = elements;
    shape->bytes = bytes;
    memcpy(shape->count, request->count, sizeof shape->count);
    return VIRGA_OK;
}

static void dap_close(void *file) { reader_netcdf.close(file); }

const struct reader_format reader_dap = {.name = "OPeNDAP", .list = dap_list, .read = dap_read, .close = dap_close};
