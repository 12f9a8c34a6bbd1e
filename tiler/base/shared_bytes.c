// SPDX-License-Identifier: Apache-2.0
#include "base/shared_bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

struct shared_bytes_block {  // the public part first: a shared_bytes is the head of one of these
    struct shared_bytes bytes;
    atomic_size_t references;
    _Alignas(max_align_t) uint8_t data[];
};

struct shared_bytes *shared_bytes_new(size_t size, uint8_t **fill) {
    size_t total;
    if (memory_add(sizeof(struct shared_bytes_block), size, &total)) return NULL;
    struct shared_bytes_block *block = malloc(total);
    if (!block) return NULL;
    struct shared_bytes head = {.size = size, .data = block->data};
    memcpy(&block->bytes, &head, sizeof head);  // its members are const to everybody else
    atomic_init(&block->references, 1);
    *fill = block->data;
    return &block->bytes;
}

struct shared_bytes *shared_bytes_ref(struct shared_bytes *bytes) {
    if (bytes) atomic_fetch_add_explicit(&((struct shared_bytes_block *)bytes)->references, 1, memory_order_relaxed);
    return bytes;
}

void shared_bytes_unref(struct shared_bytes *bytes) {
    if (!bytes) return;
    struct shared_bytes_block *block = (struct shared_bytes_block *)bytes;
    if (atomic_fetch_sub_explicit(&block->references, 1, memory_order_acq_rel) == 1) free(block);
}

static bool fill_from(int fd, uint8_t *fill, size_t size) {
    for (size_t have = 0; have < size;) {
        ssize_t n = read(fd, fill + have, size - have);
        if (n == 0 || (n < 0 && errno != EINTR)) return false;
        if (n > 0) have += (size_t)n;
    }
    return true;
}

struct shared_bytes *shared_bytes_copy(const void *data, size_t size) {
    uint8_t *fill;
    struct shared_bytes *bytes = shared_bytes_new(size, &fill);
    if (bytes && size) memcpy(fill, data, size);
    return bytes;
}

struct shared_bytes *shared_bytes_of_file(const char *path, size_t most) {
    struct stat is;
    struct shared_bytes *bytes = NULL;
    uint8_t *fill = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return NULL;
    if (!fstat(fd, &is) && S_ISREG(is.st_mode) && (uint64_t)is.st_size <= most) bytes = shared_bytes_new((size_t)is.st_size, &fill);
    if (bytes && !fill_from(fd, fill, bytes->size)) {
        shared_bytes_unref(bytes);
        bytes = NULL;
    }
    close(fd);
    return bytes;
}
