// SPDX-License-Identifier: Apache-2.0
// Chunks of a Zarr array: fetched, inflated, and put into native order.
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "source/reader_zarr_array.h"

enum { PIECE = 1 << 16, AUTO_HEADER = 32 };

static int open_chunk(const char *path, const char *name, struct stat *s, int *fd, struct failure *failure) {
    *fd = open(path, O_RDONLY | O_CLOEXEC);
    if (*fd < 0 && errno == ENOENT) return VIRGA_NOT_FOUND;
    if (*fd < 0 && errno == EMFILE)
        return failure_set(failure, VIRGA_TOO_LARGE, "it is stored in more chunks than are read at once");
    if (*fd < 0 || fstat(*fd, s)) return failure_set(failure, VIRGA_IO, "%s: %s", name, strerror(errno));
    if (!S_ISREG(s->st_mode)) return failure_set(failure, VIRGA_UNREADABLE, "%s: is not a file", name);
    return VIRGA_OK;
}

static int read_fully(int fd, uint8_t *out, size_t bytes, size_t *got) {
    for (*got = 0; *got < bytes;) {
        ssize_t n = read(fd, out + *got, bytes - *got);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return VIRGA_IO;
        if (!n) break;
        *got += (size_t)n;
    }
    return VIRGA_OK;
}

static int wrong_size(const char *name, size_t got, size_t wanted, struct failure *failure) {
    return failure_set(failure, VIRGA_UNREADABLE, "%s: the chunk is truncated or of another shape: it holds %zu bytes of %zu", name, got,
                       wanted);
}

// Never writes beyond `bytes`, whatever the stream says; one that says more is refused, as is one that ends early.
static int inflate_chunk(int fd, const char *name, uint8_t *out, size_t bytes, struct failure *failure) {
    static uint8_t piece[PIECE];
    z_stream z = {.next_out = out, .avail_out = (uInt)bytes};
    uint8_t beyond;
    int result = inflateInit2(&z, AUTO_HEADER + MAX_WBITS), status = VIRGA_OK;
    if (result != Z_OK) return failure_set(failure, VIRGA_TOO_LARGE, "%s: out of memory", name);
    while (result == Z_OK && !status) {
        size_t got = 0;
        if (!z.avail_in) {
            if (read_fully(fd, piece, sizeof piece, &got)) status = failure_set(failure, VIRGA_IO, "%s: %s", name, strerror(errno));
            z.next_in = piece;
            z.avail_in = (uInt)got;
        }
        if (status || !z.avail_in) break;
        if (!z.avail_out) {  // all is here: only the stream's end may follow
            z.next_out = &beyond;
            z.avail_out = 1;
        }
        result = inflate(&z, Z_NO_FLUSH);
        if (result == Z_BUF_ERROR) result = Z_OK;
        if (z.total_out > bytes) status = wrong_size(name, z.total_out, bytes, failure);
    }
    size_t total = z.total_out;
    inflateEnd(&z);
    if (status) return status;
    if (result != Z_OK && result != Z_STREAM_END) return failure_set(failure, VIRGA_UNREADABLE, "%s: its compressed bytes are damaged", name);
    return total == bytes && result == Z_STREAM_END ? VIRGA_OK : wrong_size(name, total, bytes, failure);
}

static int fetch(const struct reader_zarr_array *a, int fd, const struct stat *s, const char *name, uint8_t *out,
                 struct failure *failure) {
    size_t got;
    if (a->deflated) return inflate_chunk(fd, name, out, a->chunk_bytes, failure);
    if ((uint64_t)s->st_size != a->chunk_bytes) return wrong_size(name, (size_t)s->st_size, a->chunk_bytes, failure);
    if (read_fully(fd, out, a->chunk_bytes, &got)) return failure_set(failure, VIRGA_IO, "%s: %s", name, strerror(errno));
    return got == a->chunk_bytes ? VIRGA_OK : wrong_size(name, got, a->chunk_bytes, failure);
}

// The first bytes of all elements came first, then the second bytes, and so on; what is no whole element stays at the end.
static void unshuffle(const uint8_t *in, size_t bytes, size_t each, uint8_t *out) {
    size_t count = bytes / each;
    for (size_t b = 0; b < each; b++)
        for (size_t i = 0; i < count; i++) out[i * each + b] = in[b * count + i];
    memcpy(out + count * each, in + count * each, bytes - count * each);
}

static void swap_bytes(uint8_t *at, size_t bytes, size_t each) {
    for (size_t i = 0; i + each <= bytes; i += each)
        for (size_t b = 0; b < each / 2; b++) {
            uint8_t kept = at[i + b];
            at[i + b] = at[i + each - 1 - b];
            at[i + each - 1 - b] = kept;
        }
}

int reader_zarr_array_chunk(const struct reader_zarr_array *a, const char *path, const char *name, uint8_t *out,
                            struct failure *failure) {
    struct stat s;
    int fd;
    uint8_t *stored = NULL;
    int status = open_chunk(path, name, &s, &fd, failure);
    if (!status && a->shuffled > 1 && !(stored = malloc(a->chunk_bytes))) status = failure_set(failure, VIRGA_TOO_LARGE, "%s: out of memory", name);
    if (!status) status = fetch(a, fd, &s, name, stored ? stored : out, failure);
    if (!status && stored) unshuffle(stored, a->chunk_bytes, a->shuffled, out);
    if (!status && a->swapped) swap_bytes(out, a->chunk_bytes, source_type_size(a->type));
    free(stored);
    if (fd >= 0) close(fd);
    return status;
}
