// SPDX-License-Identifier: Apache-2.0
#include "server/gzip.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

struct shared_bytes *gzip_bytes(const uint8_t *data, size_t size, int level) {
    struct shared_bytes *bytes = NULL;
    z_stream z = {0};
    if (size > UINT32_MAX / 2 || deflateInit2(&z, level, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) != Z_OK) return NULL;
    size_t room = deflateBound(&z, size);
    uint8_t *out = malloc(room);
    z.next_in = (uint8_t *)(uintptr_t)data;
    z.avail_in = (uInt)size;
    z.next_out = out;
    z.avail_out = (uInt)room;
    if (out && deflate(&z, Z_FINISH) == Z_STREAM_END) bytes = shared_bytes_copy(out, z.total_out);
    deflateEnd(&z);
    free(out);
    return bytes;
}
