// SPDX-License-Identifier: Apache-2.0
// What a Zarr store's documents and chunks may hold: the first byte chooses which.
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "source/reader_zarr_array.h"
#include "source/reader_zarr_document.h"

static void document(const char *text, size_t size) {
    static struct reader_zarr_array array;
    struct arena arena = {.limit = 16 << 20};
    struct source_attribute attribute;
    struct failure failure;
    json_t *root, *value;
    const char *key;
    if (reader_zarr_document_parse(text, size, "x", &root, &failure)) return;
    (void)reader_zarr_array_parse(root, &array, &failure);
    json_object_foreach(root, key, value) (void)reader_zarr_attribute(key, value, &arena, &attribute);
    json_decref(root);
    arena_destroy(&arena);
}

// The second byte says how the chunk is stored.
static void chunk(const uint8_t *bytes, size_t size) {
    struct reader_zarr_array array = {.type = bytes[0] & 1 ? SOURCE_F32 : SOURCE_I16, .swapped = bytes[0] & 2, .deflated = bytes[0] & 4,
                                      .shuffled = bytes[0] >> 4, .chunk_bytes = 60};
    struct failure failure;
    char path[64];
    int fd = memfd_create("chunk", MFD_CLOEXEC);
    if (fd < 0 || write(fd, bytes + 1, size - 1) != (ssize_t)(size - 1)) abort();
    uint8_t *out = malloc(array.chunk_bytes);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    (void)reader_zarr_array_chunk(&array, path, "x", out, &failure);
    free(out);
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    if (size < 2) return 0;
    if (bytes[0] & 1) chunk(bytes + 1, size - 1);
    else document((const char *)bytes + 1, size - 1);
    return 0;
}
