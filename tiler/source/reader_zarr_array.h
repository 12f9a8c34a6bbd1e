// SPDX-License-Identifier: Apache-2.0
// One array of a Zarr store (version 2): what its .zarray says, and its chunks. One thread.
#ifndef VIRGA_SOURCE_READER_ZARR_ARRAY_H
#define VIRGA_SOURCE_READER_ZARR_ARRAY_H

#include <jansson.h>

#include "source/source.h"

struct reader_zarr_array {
    enum source_type type;  // SOURCE_OTHER where it cannot be read: then `refusal` says why
    char refusal[200];
    bool bad_codec;         // the refusal is of a compressor or filter
    int rank;
    size_t shape[SOURCE_MAX_RANK], chunk[SOURCE_MAX_RANK];
    size_t chunk_bytes;     // of a decoded chunk; SIZE_MAX where that does not fit
    bool swapped;           // stored in the other byte order
    bool columns;           // "order": "F": the first dimension varies fastest within a chunk
    bool deflated;          // zlib or gzip
    size_t shuffled;        // bytes of the elements whose bytes are shuffled; 0 where not
    char separator;         // between the numbers in a chunk's name
    bool has_fill;
    union {                 // what stands for chunks that are not there, in native byte order
        uint8_t bytes[8];
        uint64_t align;
    } fill;
    double fill_value;
    int64_t fill_integer;   // exact, for integer types
};

// Reads a .zarray. VIRGA_UNREADABLE, VIRGA_UNSUPPORTED or VIRGA_TOO_LARGE where there is no array of that shape; the message does
// not name it.
int reader_zarr_array_parse(const json_t *document, struct reader_zarr_array *array, struct failure *failure);

// Reads and decodes the chunk at `path` to out (chunk_bytes), in native byte order. VIRGA_NOT_FOUND where there is none: what it
// would hold is the fill value. VIRGA_UNREADABLE, VIRGA_TOO_LARGE, VIRGA_IO with a message that names it by `name`.
int reader_zarr_array_chunk(const struct reader_zarr_array *array, const char *path, const char *name, uint8_t *out,
                            struct failure *failure);

#endif
