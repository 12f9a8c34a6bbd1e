// SPDX-License-Identifier: Apache-2.0
// GRIB files as bytes: found, described, sorted into variables, listed, and their coordinates read. Numbers are not decoded: that is ecCodes'
// own work, which gives up a process on some malformed messages; readers are children for that. A first byte 'I': the bytes of a kept index.
#include "tests/fuzz/fuzz.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "source/reader_broker.h"
#include "source/reader_format.h"
#include "source/reader_grib.h"

enum { MEMORY = 256 << 20 };

// ecCodes keeps what it has read of its definitions, some of it in rings that nothing points at.
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) { return "leak:libeccodes\n"; }

int reader_broker_want(enum source_space space, const char *path) {  // there is no server, and so no kept index
    (void)space, (void)path;
    return -ENOENT;
}

static void kept_index(const uint8_t *bytes, size_t size) {
    struct grib_index index;
    uint8_t *again = NULL;
    size_t again_size;
    if (!grib_index_decode(&index, bytes, size, 1 << 20, MEMORY) && !grib_index_encode(&index, &again, &again_size)) free(again);
    grib_index_destroy(&index);
}

static void read_coordinates(void *file, const struct source_inventory *list) {
    struct source_slab_shape shape;
    struct failure failure;
    for (size_t v = 0; v < list->variable_count; v++) {
        const struct source_variable *variable = &list->variables[v];
        struct source_slab_request request = {.variable = v, .rank = variable->rank, .scale = 1};
        size_t bytes = source_type_size(variable->type), last = 0;
        for (int d = 0; d < variable->rank; d++) {
            last = list->dimensions[variable->dimensions[d]].length;
            request.count[d] = last, request.block[d] = 1;
            if (__builtin_mul_overflow(bytes, last, &bytes)) abort();  // nothing so large was let through
        }
        if (variable->rank > 2 || (variable->rank == 2 && last != 2)) continue;  // not a coordinate, and not one's bounds
        void *out = malloc(bytes + 1);
        if (out) (void)reader_grib.read(file, &request, out, bytes, &shape, &failure);
        free(out);
    }
}

static void whole_file(int fd, const uint8_t *bytes, size_t size) {
    struct source_inventory list;
    struct source_frame frame;
    struct failure failure;
    struct arena arena = {.limit = 64 << 20};
    void *file = NULL;
    if (!reader_grib.recognises(fd, bytes, size < READER_HEAD_BYTES ? size : READER_HEAD_BYTES)) return;
    if (reader_grib.open(fd, MEMORY, &file, &failure)) return;
    if (!reader_grib.list(file, &arena, &list, &failure)) {
        if (!source_encode_inventory(1, &list, 4 << 20, &frame)) source_frame_free(&frame);
        read_coordinates(file, &list);
    }
    arena_destroy(&arena);
    reader_grib.close(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    if (size && bytes[0] == 'I') return kept_index(bytes + 1, size - 1), 0;
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    if (fd < 0 || write(fd, bytes, size) != (ssize_t)size) abort();
    whole_file(fd, bytes, size);
    close(fd);
    return 0;
}
