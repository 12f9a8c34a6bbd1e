// SPDX-License-Identifier: Apache-2.0
// Strides and block means of a stored array, read piece by piece in bounded memory. One thread.
#ifndef VIRGA_SOURCE_READER_REDUCE_H
#define VIRGA_SOURCE_READER_REDUCE_H

#include "source/source_protocol.h"

struct reader_array {
    enum source_type type;
    int rank;
    size_t step[SOURCE_MAX_RANK];  // shape of what is cheap to read at once (a stored chunk), 1 where nothing is gained
    // Reads the box into `out`, row-major, of the stored type.
    int (*read)(void *context, const size_t *start, const size_t *count, void *out, struct failure *failure);
    void *context;
};

// Fills `out` as source.h says of the request (already checked by source_slab_shape, whose result is `shape`). No chunk is
// read twice. A piece takes the larger of 8 MiB and one chunk.
int reader_reduce(const struct reader_array *array, const struct source_slab_request *request,
                  const struct source_slab_shape *shape, void *out, struct failure *failure);

#endif
